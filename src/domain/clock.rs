//! Time: the one place that asks the operating system for it.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Whole seconds since 1970-01-01T00:00:00Z: the unit of every token's times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixSeconds(pub i64);

/// Milliseconds since 1970-01-01T00:00:00Z: the unit of what the hub records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub i64);

impl UnixSeconds {
    /// This moment, `seconds` later (or earlier, when negative).
    #[must_use]
    pub fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}

impl UnixMillis {
    /// The whole second that this moment lies in.
    #[must_use]
    pub fn floor(self) -> UnixSeconds {
        UnixSeconds(self.0.div_euclid(1000))
    }

    /// The whole second that is not before this moment. A logout that begins at
    /// the hub ends everything up to here: a token's `iat` has no finer unit.
    #[must_use]
    pub fn ceil(self) -> UnixSeconds {
        UnixSeconds(self.0.saturating_add(999).div_euclid(1000))
    }

    /// This moment, `seconds` later (or earlier, when negative).
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }
}

impl From<UnixSeconds> for UnixMillis {
    fn from(at: UnixSeconds) -> Self {
        Self(at.0.saturating_mul(1000))
    }
}

/// Where the hub gets its time from.
pub trait Clock: Send + Sync + 'static {
    /// The time of day. May jump when an operator sets it.
    fn now(&self) -> UnixMillis;

    /// Time since the hub started. Never goes back: cool-downs count by it.
    fn uptime(&self) -> Duration;
}

/// The machine's own clock.
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A clock whose uptime begins now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one clock that others take")]
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one clock that others take")]
    fn now(&self) -> UnixMillis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}

/// A clock that moves only when told to. For tests.
pub struct HandClock {
    now_ms: AtomicI64,
    uptime_ms: AtomicU64,
}

impl HandClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: UnixMillis) -> Self {
        Self { now_ms: AtomicI64::new(now.0), uptime_ms: AtomicU64::new(0) }
    }

    /// Moves the clock, and its uptime, on.
    pub fn advance(&self, by: Duration) {
        self.now_ms.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
        self.uptime_ms.fetch_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// Sets the time of day on, or back: the uptime knows nothing of that.
    pub fn jump(&self, seconds: i64) {
        self.now_ms.fetch_add(seconds.saturating_mul(1000), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.now_ms.load(Ordering::SeqCst))
    }

    fn uptime(&self) -> Duration {
        Duration::from_millis(self.uptime_ms.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logout_that_begins_at_the_hub_is_rounded_up_to_a_whole_second() {
        assert_eq!(UnixMillis(10_000).ceil(), UnixSeconds(10));
        assert_eq!(UnixMillis(10_001).ceil(), UnixSeconds(11));
        assert_eq!(UnixMillis(10_999).floor(), UnixSeconds(10));
    }
}
