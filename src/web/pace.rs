//! How fast somebody may send what is right. Logouts are never held back by it.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;

use crate::domain::app::App;
use crate::domain::clock::Clock;
use crate::domain::logout::SignIn;
use crate::hub::denied::Denied;

/// How many senders are kept count of.
const SENDERS_MAX: usize = 100_000;

const A_MINUTE: Duration = Duration::from_secs(60);

/// How fast: at once, and for good.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// So many at once.
    pub burst: u32,
    /// So many in a minute, from then on.
    pub per_minute: u32,
}

/// An app that speaks for a person, over HTTP: acknowledgements and activity. Enough for
/// one that slept through a thousand logouts.
const OF_A_PERSON: Pace = Pace { burst: 1_200, per_minute: 600 };
/// The same of a back end, which speaks for all its people.
const OF_A_BACK_END: Pace = Pace { burst: 120_000, per_minute: 60_000 };

/// How much of its pace one sender has used up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Meter {
    /// When all that came so far would have come at the lasting pace.
    even_at: Duration,
}

impl Meter {
    /// Counts something of that weight; false where it came too fast, and then it is not
    /// counted. `now` is a time that never goes back.
    #[must_use]
    pub fn take(&mut self, now: Duration, weight: u32, pace: Pace) -> bool {
        let each = A_MINUTE / pace.per_minute;
        let even_at = self.even_at.max(now) + each * weight;
        let is_in_time = even_at <= now + each * pace.burst;
        if is_in_time {
            self.even_at = even_at;
        }
        is_in_time
    }
}

/// What each sender has used up. Clones share the count.
#[derive(Clone)]
pub struct Paces {
    clock: Arc<dyn Clock>,
    hasher: RandomState,
    meters: Arc<DashMap<u64, Meter>>,
}

impl Paces {
    /// Nobody has sent anything yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, hasher: RandomState::new(), meters: Arc::default() }
    }

    /// Counts a request of an app that speaks for a person.
    ///
    /// # Errors
    /// [`Denied::TooFast`].
    pub fn of_person(&self, sign_in: &SignIn) -> Result<(), Denied> {
        let sender = (&sign_in.client_id, sign_in.session(), sign_in.subject());
        if self.allow(sender, OF_A_PERSON) { Ok(()) } else { Err(Denied::TooFast) }
    }

    /// Counts a request of a back end.
    ///
    /// # Errors
    /// [`Denied::TooFast`].
    pub fn of_back_end(&self, app: &App) -> Result<(), Denied> {
        let sender = (&app.issuer, &app.client_id);
        if self.allow(sender, OF_A_BACK_END) { Ok(()) } else { Err(Denied::TooFast) }
    }

    /// Counts something of that sender; false where it comes too fast.
    fn allow(&self, sender: impl Hash, pace: Pace) -> bool {
        let now = self.clock.uptime();
        if self.meters.len() >= SENDERS_MAX {
            // Who has kept to the pace needs no record of it.
            self.meters.retain(|_, meter| meter.even_at > now);
        }
        let is_known = self.meters.len() < SENDERS_MAX;
        let sender = self.hasher.hash_one(sender);
        // As many who are all in a hurry are a crowd, and no one's fault.
        if is_known { self.meters.entry(sender).or_default().take(now, 1, pace) } else { true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::{HandClock, UnixMillis};

    const PACE: Pace = Pace { burst: 3, per_minute: 60 };

    #[test]
    fn a_burst_is_taken_and_then_it_is_so_many_a_minute() {
        let (mut meter, now) = (Meter::default(), Duration::from_secs(1_000));
        assert!((0..3).all(|_| meter.take(now, 1, PACE)));
        assert!(!meter.take(now, 1, PACE));
        let later = now + Duration::from_secs(2);
        assert!(meter.take(later, 2, PACE) && !meter.take(later, 1, PACE));
        let rested = now + Duration::from_secs(3_600);
        assert!((0..3).all(|_| meter.take(rested, 1, PACE)) && !meter.take(rested, 1, PACE), "rest is not saved up");
    }

    #[test]
    fn a_back_end_has_a_pace_of_its_own_for_all_its_people() {
        let (mut meter, now) = (Meter::default(), Duration::from_secs(1));
        let so_many = (0..200_000).take_while(|_| meter.take(now, 1, OF_A_BACK_END)).count();
        assert_eq!(so_many, 120_000);
        let a_minute_later = now + Duration::from_secs(60);
        let so_many = (0..200_000).take_while(|_| meter.take(a_minute_later, 1, OF_A_BACK_END)).count();
        assert_eq!(so_many, 60_000);
    }

    #[test]
    fn one_sender_in_a_hurry_holds_up_no_other() {
        let clock = Arc::new(HandClock::at(UnixMillis(0)));
        let paces = Paces::new(Arc::clone(&clock) as Arc<dyn Clock>);
        assert!((0..3).all(|_| paces.allow("ada", PACE)) && !paces.allow("ada", PACE));
        assert!(paces.allow("grace", PACE));
        clock.advance(Duration::from_secs(1));
        assert!(paces.allow("ada", PACE) && !paces.allow("ada", PACE));
    }

    #[test]
    fn who_has_kept_to_the_pace_is_forgotten_when_there_are_too_many() {
        let clock = Arc::new(HandClock::at(UnixMillis(0)));
        let paces = Paces::new(Arc::clone(&clock) as Arc<dyn Clock>);
        assert!((0..SENDERS_MAX).all(|sender| paces.allow(sender, PACE)));
        assert!(paces.allow("one more", PACE));
        assert!(paces.meters.len() <= SENDERS_MAX);
        clock.advance(Duration::from_secs(1));
        assert!(paces.allow("one more", PACE));
        assert_eq!(paces.meters.len(), 1);
    }
}
