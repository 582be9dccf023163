//! How often something that is kept nowhere was tried.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How many names are kept count of in one period. When there are more, those of the period
/// before are forgotten early: memory has an end, and each name was given out by the hub.
const NAMES_MAX: usize = 50_000;

/// Counts tries by name. A name is remembered for `period` at least and twice that at most,
/// so it has to be good for nothing after `period`. Time is an argument: the hub's uptime.
#[derive(Debug)]
pub struct Tries {
    most: u32,
    period: Duration,
    counted: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    since: Duration,
    now: HashMap<String, u32>,
    before: HashMap<String, u32>,
}

impl Tries {
    /// Allows each name so many.
    #[must_use]
    pub fn new(most: u32, period: Duration) -> Self {
        Self { most, period, counted: Mutex::default() }
    }

    /// Counts a try, before it is made; false where there were enough.
    #[must_use]
    pub fn allow(&self, name: &str, uptime: Duration) -> bool {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if uptime >= counted.since + 2 * self.period {
            *counted = Counted { since: uptime, ..Counted::default() };
        }
        if uptime >= counted.since + self.period || counted.now.len() >= NAMES_MAX {
            counted.before = std::mem::take(&mut counted.now);
            counted.since = uptime;
        }
        let earlier = counted.before.get(name).copied().unwrap_or(0);
        let tried = counted.now.entry(name.to_owned()).or_insert(earlier);
        if *tried >= self.most {
            return false;
        }
        *tried += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(600);

    #[test]
    fn a_name_has_so_many_tries_until_it_is_forgotten_and_others_are_not_touched() {
        let tries = Tries::new(2, PERIOD);
        let mut at = Duration::from_secs(599);
        assert!(tries.allow("one", at) && tries.allow("one", at));
        for _ in 0..3 {
            assert!(!tries.allow("one", at));
            at += Duration::from_secs(199);
        }
        assert!(tries.allow("other", at));
        assert!(tries.allow("one", at + 2 * PERIOD));
    }

    #[test]
    fn a_flood_of_names_costs_memory_with_an_end() {
        let tries = Tries::new(1, PERIOD);
        for number in 0..3 * NAMES_MAX {
            assert!(tries.allow(&number.to_string(), Duration::ZERO));
        }
        let counted = tries.counted.lock().unwrap();
        assert!(counted.now.len() + counted.before.len() <= 2 * NAMES_MAX);
    }
}
