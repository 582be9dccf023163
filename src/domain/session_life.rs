//! When a session ends by itself, and when its people are warned. Rules only: times in,
//! times out.
//!
//! Activity is kept by the time of day, because it has to outlive the process. Countdowns
//! run by uptime, which never jumps. A session is entered into a countdown when the time
//! of day says that it is due soon, and it ends only when it has stood there for the
//! whole warning. So whatever the time of day did in between (a set clock, a machine that
//! slept, a hub that was down), nobody is signed out who was not warned first.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::time::Duration;

use super::clock::UnixMillis;

/// How long people are warned before an idle session ends.
const WARNING: Duration = Duration::from_secs(60);
/// How often activity of one session is written down, at most.
const SAMPLE: Duration = Duration::from_secs(60);
/// How long apps have to come back after a start of the hub, before anyone is warned.
const RETURN: Duration = Duration::from_secs(30);
/// How much the time of day may be slewed during a warning.
const SLEW: Duration = Duration::from_secs(5);
/// How often everything that is due is looked at anew.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// When sessions end by themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// After so long without activity in any app; `None` is off.
    pub idle: Option<Duration>,
    /// At this age; `None` is off.
    pub absolute: Option<Duration>,
}

impl Timeouts {
    /// Whether any session ever ends by itself.
    #[must_use]
    pub fn any(&self) -> bool {
        self.idle.is_some() || self.absolute.is_some()
    }

    /// How stale what is written of a session's activity may be. What was written last
    /// before a crash is taken to be so much later.
    #[must_use]
    pub fn sample(&self) -> Duration {
        self.idle.map_or(SAMPLE, |idle| SAMPLE.min(idle / 4))
    }
}

/// How long before its end a session is entered into the countdown: a minute, or half
/// of a time-out that is shorter than two.
#[must_use]
pub fn warning(timeout: Duration) -> Duration {
    WARNING.min(timeout / 2)
}

/// Whether a session's time is up, by the time of day. One that was entered into a
/// countdown while that was set wrongly is not due once it is right again. Clocks that
/// are merely slewed do not matter.
#[must_use]
pub fn is_up(since: UnixMillis, timeout: Duration, now: UnixMillis) -> bool {
    now.0.saturating_sub(since.0).saturating_add(millis(SLEW)) >= millis(timeout)
}

/// Why an idle session was ended, for its person.
#[must_use]
pub fn idle_reason(timeout: Duration) -> String {
    format!("Signed out after {} without activity", spelled(timeout))
}

/// Why a session that grew too old was ended, for its person.
#[must_use]
pub fn absolute_reason(timeout: Duration) -> String {
    format!("Signed out after {}, the longest that a session may last", spelled(timeout))
}

/// A time span in the largest unit that divides it.
fn spelled(span: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(24 * 3600, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let seconds = span.as_secs();
    let (length, unit) = UNITS.into_iter().find(|(length, _)| seconds.is_multiple_of(*length)).unwrap_or((1, "second"));
    let count = seconds / length;
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// Which sessions come into the last stretch before their end: those whose time (of the
/// last activity, or of the start) lies after `after` and not after `through`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Just before the first moment.
    pub after: UnixMillis,
    /// The last moment.
    pub through: UnixMillis,
}

/// What is to be looked for at one tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// What may have come into the last stretch since the last look.
    pub window: Option<Window>,
    /// Whether everything is looked at. Then what is recorded as later than this moment
    /// has to be found too: the time of day went back, and it would not be due for long.
    pub is_thorough: bool,
}

/// Follows the time of day along the sessions' times, so that each look reads only what
/// is new; and everything once in a while, so that nothing rests on that.
#[derive(Clone, Debug)]
pub struct Lookout {
    timeout: Duration,
    begins_at: Duration,
    seen: Option<UnixMillis>,
    everything_at: Duration,
    clock: UnixMillis,
}

impl Lookout {
    /// A lookout for one time-out that starts now, and first looks once apps
    /// have had time to come back.
    #[must_use]
    pub fn start(timeout: Duration, now: UnixMillis, uptime: Duration) -> Self {
        let begins_at = uptime + RETURN.min(timeout / 4);
        Self { timeout, begins_at, seen: None, everything_at: begins_at, clock: now }
    }

    /// What to look for now.
    pub fn look(&mut self, now: UnixMillis, uptime: Duration) -> Look {
        let went_back = now < self.clock;
        self.clock = now;
        if uptime < self.begins_at {
            return Look { window: None, is_thorough: false };
        }
        let before_warning = millis(self.timeout.saturating_sub(warning(self.timeout)));
        let through = UnixMillis(now.0.saturating_sub(before_warning));
        let is_thorough = uptime >= self.everything_at || went_back;
        let after = self.seen.filter(|_| !is_thorough).unwrap_or(UnixMillis(i64::MIN));
        if is_thorough {
            self.everything_at = uptime + LOOK_AGAIN;
        }
        self.seen = Some(through);
        let window = (after < through).then_some(Window { after, through });
        Look { window, is_thorough }
    }
}

/// Sessions in the last stretch before their end, each with the time that brought it
/// there. Runs by uptime.
#[derive(Clone, Debug)]
pub struct Countdowns<K> {
    length: Duration,
    running: HashMap<K, Countdown>,
    order: VecDeque<(Duration, K)>,
}

#[derive(Clone, Copy, Debug)]
struct Countdown {
    ends_at: Duration,
    since: UnixMillis,
}

/// A countdown that has run down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunDown<K> {
    /// The session.
    pub key: K,
    /// The time, of its last activity or its start, that it was entered for.
    pub since: UnixMillis,
}

impl<K: Clone + Eq + Hash> Countdowns<K> {
    /// None yet; each will run for the whole warning before that time-out.
    #[must_use]
    pub fn before(timeout: Duration) -> Self {
        Self { length: warning(timeout), running: HashMap::new(), order: VecDeque::new() }
    }

    /// Starts a session's countdown, unless it runs; says how many seconds it will.
    pub fn enter(&mut self, key: &K, since: UnixMillis, uptime: Duration) -> Option<u64> {
        if self.running.contains_key(key) {
            return None;
        }
        let ends_at = uptime + self.length;
        self.running.insert(key.clone(), Countdown { ends_at, since });
        self.order.push_back((ends_at, key.clone()));
        Some(whole_seconds(self.length))
    }

    /// Calls a session's countdown off. Whether it ran.
    pub fn call_off(&mut self, key: &K) -> bool {
        self.running.remove(key).is_some()
    }

    /// How many seconds a session has left, where its countdown runs.
    #[must_use]
    pub fn seconds_left(&self, key: &K, uptime: Duration) -> Option<u64> {
        let countdown = self.running.get(key)?;
        Some(whole_seconds(countdown.ends_at.saturating_sub(uptime)))
    }

    /// At most `limit` sessions whose countdowns have run down, earliest first. They
    /// stay until they are called off.
    #[must_use]
    pub fn run_down(&mut self, uptime: Duration, limit: usize) -> Vec<RunDown<K>> {
        self.forget_called_off();
        let due = self.order.iter().take_while(|(ends_at, _)| *ends_at <= uptime);
        let mut known = HashSet::new();
        let live = due.filter_map(|(ends_at, key)| {
            let countdown = self.running.get(key).filter(|countdown| countdown.ends_at == *ends_at)?;
            // One that was called off and began again in the same moment stands here twice.
            known.insert(key).then(|| RunDown { key: key.clone(), since: countdown.since })
        });
        live.take(limit).collect()
    }

    /// Those at the front that no longer run leave the line; all do in the end, since
    /// countdowns end in the order in which they began.
    fn forget_called_off(&mut self) {
        while let Some((ends_at, key)) = self.order.front() {
            if self.running.get(key).is_some_and(|countdown| countdown.ends_at == *ends_at) {
                return;
            }
            self.order.pop_front();
        }
    }
}

/// Whole seconds, the begun one counted.
fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

/// A span in the unit of recorded times.
#[must_use]
pub fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
