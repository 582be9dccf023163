//! Who has sent how much that failed. What verifies is never held back.

use std::net::IpAddr;
use std::sync::Arc;

use dashmap::DashMap;

use crate::domain::clock::Clock;
use crate::listener::gate::network;

/// How many addresses are kept count of. When there are more, counting starts anew:
/// a flood from everywhere is not one caller's fault.
const ADDRESSES_MAX: usize = 100_000;

/// Failed requests by address, in one-minute windows. Clones share the count.
#[derive(Clone)]
pub struct Failures {
    per_minute: u32,
    clock: Arc<dyn Clock>,
    counts: Arc<DashMap<IpAddr, Window>>,
}

struct Window {
    minute: u64,
    failed: u32,
}

impl Failures {
    /// Allows each address so many failures a minute.
    #[must_use]
    pub fn new(per_minute: u32, clock: Arc<dyn Clock>) -> Self {
        Self { per_minute, clock, counts: Arc::default() }
    }

    /// Counts a failure; false once the address has had too many this minute.
    #[must_use]
    pub fn allow(&self, addr: IpAddr) -> bool {
        let minute = self.clock.uptime().as_secs() / 60;
        if self.counts.len() >= ADDRESSES_MAX {
            self.counts.clear();
        }
        let mut window = self.counts.entry(network(addr)).or_insert(Window { minute, failed: 0 });
        if window.minute != minute {
            *window = Window { minute, failed: 0 };
        }
        window.failed = window.failed.saturating_add(1);
        if window.failed == self.per_minute.saturating_add(1) {
            tracing::warn!("an address has had as many refusals as it may in a minute; more are counted, not logged");
        }
        window.failed <= self.per_minute
    }

    /// Takes a count back: what was counted before it was tried has not failed.
    pub fn forgive(&self, addr: IpAddr) {
        if let Some(mut window) = self.counts.get_mut(&network(addr)) {
            window.failed = window.failed.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::clock::{HandClock, UnixMillis};

    #[test]
    fn an_address_has_so_many_failures_a_minute_and_others_are_not_touched() {
        let clock = Arc::new(HandClock::at(UnixMillis(0)));
        let failures = Failures::new(2, Arc::clone(&clock) as Arc<dyn Clock>);
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        assert!(failures.allow(one) && failures.allow(one));
        assert!(!failures.allow(one));
        assert!(failures.allow(other));
        clock.advance(Duration::from_secs(60));
        assert!(failures.allow(one));
    }

    #[test]
    fn a_flood_from_everywhere_is_no_ones_fault() {
        let failures = Failures::new(1, Arc::new(HandClock::at(UnixMillis(0))));
        let one = IpAddr::from([192, 0, 2, 1]);
        assert!(failures.allow(one) && !failures.allow(one));
        for number in 1..u32::try_from(ADDRESSES_MAX).unwrap() {
            assert!(failures.allow(IpAddr::from((0x0A00_0000 + number).to_be_bytes())));
        }
        assert_eq!(failures.counts.len(), ADDRESSES_MAX);
        assert!(failures.allow(one), "counting starts anew");
        assert_eq!(failures.counts.len(), 1);
    }

    #[test]
    fn what_is_taken_back_was_never_counted() {
        let failures = Failures::new(1, Arc::new(HandClock::at(UnixMillis(0))));
        let one = IpAddr::from([192, 0, 2, 1]);
        for _ in 0..3 {
            assert!(failures.allow(one));
            failures.forgive(one);
        }
        assert!(failures.allow(one) && !failures.allow(one));
    }
}
