//! When the API is left alone: after failures in a row, and when it asks for time.
//!
//! Closed, every call goes through. After [`FAULTS_IN_A_ROW`] it is open: nothing is asked
//! for a while. Then one call, and one only, tries whether it is back; if not, the next
//! pause is twice as long. Time is an argument: the hub's uptime, which never goes back.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many failures in a row open it.
pub const FAULTS_IN_A_ROW: u32 = 5;
/// The first pause.
pub const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// What pauses grow to.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// How long others wait while one call tries whether the API is back.
const PROBE_WAIT: Duration = Duration::from_secs(1);

/// Whether calls would go through now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    Open,
    /// One call may try; `is_taken` where one does already.
    OneAtATime {
        is_taken: bool,
    },
    Shut {
        until: Duration,
    },
}

/// How a call ended, as far as the API's health goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    Well,
    Ill,
    /// It asks to be left alone for so long.
    WantsTime(Duration),
}

#[derive(Debug, Default)]
struct State {
    faults: u32,
    /// How often in a row it has opened; 0 is closed.
    openings: u32,
    until: Duration,
    is_probed: bool,
}

/// The breaker of one API.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

/// Leave for one call. Dropped without a word, as where a caller has gone, it counts
/// neither way; so whoever gives up waiting has to say [`Permit::ended`].
pub(super) struct Permit<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            self.breaker.lock().is_probed = false;
        }
    }
}

impl Breaker {
    pub(super) fn door(&self, now: Duration) -> Door {
        let state = self.lock();
        match *state {
            State { until, .. } if now < until => Door::Shut { until },
            State { openings: 0, .. } => Door::Open,
            State { is_probed: is_taken, .. } => Door::OneAtATime { is_taken },
        }
    }

    /// Leave for one call, or until when there is none.
    pub(super) fn admit(&self, now: Duration) -> Result<Permit<'_>, Duration> {
        let mut state = self.lock();
        if now < state.until {
            return Err(state.until);
        }
        let is_probe = state.openings > 0;
        if is_probe && state.is_probed {
            return Err(now + PROBE_WAIT);
        }
        state.is_probed |= is_probe;
        Ok(Permit { breaker: self, is_probe })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// How the call ended.
    pub(super) fn ended(self, health: Health, now: Duration) {
        let mut state = self.breaker.lock();
        match health {
            Health::Well => (state.faults, state.openings) = (0, 0),
            Health::Ill => {
                state.faults = state.faults.saturating_add(1);
                // What had been let through before it opened does not open it further.
                if self.is_probe || (state.openings == 0 && state.faults >= FAULTS_IN_A_ROW) {
                    let pause = FIRST_PAUSE.saturating_mul(1 << state.openings.min(8)).min(LONGEST_PAUSE);
                    state.openings += 1;
                    state.until = state.until.max(now + pause);
                }
            }
            Health::WantsTime(wait) => state.until = state.until.max(now + wait),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn fails(breaker: &Breaker, now: u64) {
        breaker.admit(at(now)).ok().unwrap().ended(Health::Ill, at(now));
    }

    fn opened() -> Breaker {
        let breaker = Breaker::default();
        (0..FAULTS_IN_A_ROW).for_each(|_| fails(&breaker, 100));
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_one_success_between_starts_the_count_again() {
        let breaker = Breaker::default();
        for _ in 0..3 {
            (1..FAULTS_IN_A_ROW).for_each(|_| fails(&breaker, 100));
            breaker.admit(at(100)).ok().unwrap().ended(Health::Well, at(100));
        }
        assert_eq!(breaker.door(at(100)), Door::Open);
        (0..FAULTS_IN_A_ROW).for_each(|_| fails(&breaker, 100));
        assert_eq!(breaker.door(at(100)), Door::Shut { until: at(130) });
        assert_eq!(breaker.admit(at(129)).err(), Some(at(130)));
    }

    #[test]
    fn after_the_pause_one_call_tries_and_the_others_wait_for_it() {
        let breaker = opened();
        let probe = breaker.admit(at(130)).ok().unwrap();
        assert_eq!(breaker.door(at(130)), Door::OneAtATime { is_taken: true });
        assert_eq!(breaker.admit(at(130)).err(), Some(at(131)));
        probe.ended(Health::Well, at(130));
        assert_eq!(breaker.door(at(130)), Door::Open);
    }

    #[test]
    fn each_try_that_fails_doubles_the_pause_up_to_five_minutes() {
        let breaker = opened();
        let mut now = 130;
        for pause in [60, 120, 240, 300, 300] {
            fails(&breaker, now);
            assert_eq!(breaker.door(at(now)), Door::Shut { until: at(now + pause) });
            now += pause;
        }
    }

    #[test]
    fn a_try_that_nobody_waits_for_any_more_leaves_its_place_to_another() {
        let breaker = opened();
        drop(breaker.admit(at(130)));
        assert!(breaker.admit(at(130)).is_ok());
    }

    #[test]
    fn failures_of_calls_that_were_under_way_do_not_lengthen_the_pause() {
        let breaker = Breaker::default();
        let under_way: Vec<_> = (0..FAULTS_IN_A_ROW + 3).map(|_| breaker.admit(at(100)).ok().unwrap()).collect();
        for permit in under_way {
            permit.ended(Health::Ill, at(100));
        }
        assert_eq!(breaker.door(at(100)), Door::Shut { until: at(130) });
    }

    #[test]
    fn an_api_that_asks_for_time_gets_it_and_is_not_taken_for_ill() {
        let breaker = Breaker::default();
        breaker.admit(at(100)).ok().unwrap().ended(Health::WantsTime(at(7)), at(100));
        assert_eq!(breaker.admit(at(106)).err(), Some(at(107)));
        assert_eq!(breaker.door(at(107)), Door::Open);
    }
}
