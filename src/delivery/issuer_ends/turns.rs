//! Whose turn it is in an issuer's line. An administrator's sweep may stand in it with
//! thousands of sessions, and an issuer that limits its rate takes an hour for them. Nobody
//! who signs out meanwhile waits for that: what a sweep ends takes the places that are
//! left. It always has one of them, so that it gets on however much people do.

use std::collections::HashMap;

use crate::store::WaitingEnd;

/// How many are ended at a time, at one issuer.
const PLACES: usize = 8;
/// How many of them no sweep ever takes: whoever signs out need not even wait for one of
/// its sessions to be answered about.
const NEVER_SWEPT: usize = 2;
/// How many are kept for sweeps, as long as there is something of them to end.
const KEPT_FOR_SWEEPS: usize = 1;

/// What is being ended just now: each by its logout's place in the log, and whether it is
/// a sweep's.
#[derive(Default)]
pub(super) struct Busy(HashMap<i64, bool>);

impl Busy {
    pub(super) fn begins(&mut self, end: &WaitingEnd) {
        self.0.insert(end.position, end.is_swept);
    }

    pub(super) fn is_done(&mut self, position: i64) {
        self.0.remove(&position);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn holds(&self, position: i64) -> bool {
        self.0.contains_key(&position)
    }

    /// How many have to be looked at to find one for each place: those under way may still
    /// stand first.
    pub(super) fn at_most(&self) -> usize {
        self.0.len() + PLACES + 1
    }

    /// What is free where the issuer takes as many calls as one likes.
    pub(super) fn places(&self) -> Places {
        let swept = self.0.values().filter(|is_swept| **is_swept).count();
        Places {
            all: PLACES.saturating_sub(self.0.len()),
            swept: (PLACES - NEVER_SWEPT).saturating_sub(swept),
            kept: KEPT_FOR_SWEEPS.saturating_sub(swept),
        }
    }

    /// The same where it is tried by one call whether the issuer is back.
    pub(super) fn one_place(&self) -> Places {
        let all = usize::from(self.0.is_empty());
        Places { all, swept: all, kept: 0 }
    }
}

/// The places that are free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Places {
    all: usize,
    /// How many of them a sweep may take.
    swept: usize,
    /// How many of them are for sweeps only, where there is something of them to end.
    kept: usize,
}

impl Places {
    pub(super) fn is_none(self) -> bool {
        self.all == 0
    }

    /// Whom of those that are due it is the turn of; each kind in its own order.
    pub(super) fn take(self, due: Vec<WaitingEnd>) -> Vec<WaitingEnd> {
        let (mut swept, mut turns): (Vec<_>, Vec<_>) = due.into_iter().partition(|end| end.is_swept);
        turns.truncate(self.all.saturating_sub(self.kept.min(swept.len())));
        swept.truncate(self.swept.min(self.all - turns.len()));
        turns.append(&mut swept);
        turns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::{UnixMillis, UnixSeconds};
    use crate::domain::ids::{Issuer, LogoutId, SessionKey, Sid};
    use crate::domain::logout::{Logout, LogoutTarget, Source};

    fn end(position: i64, is_swept: bool) -> WaitingEnd {
        let issuer = Issuer::parse("https://acme.example/").unwrap();
        let key = SessionKey { issuer, sid: Sid::parse(&position.to_string()).unwrap() };
        let logout = Logout {
            id: LogoutId::new(UnixMillis(0), u128::try_from(position).unwrap()),
            target: LogoutTarget::Session { key, sub: None },
            source: Source::Admin,
            is_final: false,
            covers_until: UnixSeconds(0),
            client_id: None,
            reason: None,
            occurred_at: UnixMillis(0),
            recorded_at: UnixMillis(0),
        };
        let (due_at, good_until) = (UnixMillis(0), UnixMillis(i64::MAX));
        WaitingEnd { position, logout, is_vouched: false, is_swept, attempts: 0, due_at, good_until }
    }

    /// So many of people, and of a sweep.
    fn due(people: i64, swept: i64) -> Vec<WaitingEnd> {
        let people = (0..people).map(|number| end(1000 + number, false));
        people.chain((0..swept).map(|number| end(number, true))).collect()
    }

    /// How many of people and of a sweep get their turn.
    fn turns(places: Places, due: Vec<WaitingEnd>) -> (usize, usize) {
        let turns = places.take(due);
        let swept = turns.iter().filter(|end| end.is_swept).count();
        (turns.len() - swept, swept)
    }

    fn busy_with(people: i64, swept: i64) -> Busy {
        let mut busy = Busy::default();
        for end in due(people, swept) {
            busy.begins(&end);
        }
        busy
    }

    #[test]
    fn a_sweep_leaves_room_for_whoever_comes() {
        assert_eq!(turns(Busy::default().places(), due(0, 9000)), (0, 6));
        assert_eq!(turns(busy_with(0, 6).places(), due(1, 9000)), (1, 0));
        assert_eq!(turns(busy_with(0, 6).places(), due(0, 9000)), (0, 0));
        assert_eq!(turns(Busy::default().places(), due(3, 9000)), (3, 5));
        assert_eq!(Busy::default().places().take(due(1, 3))[0].position, 1000, "and asks for them first");
    }

    #[test]
    fn however_many_people_come_a_sweep_gets_on() {
        assert_eq!(turns(Busy::default().places(), due(9000, 9000)), (7, 1));
        assert_eq!(turns(busy_with(7, 0).places(), due(9000, 9000)), (0, 1));
        assert_eq!(turns(busy_with(6, 1).places(), due(9000, 9000)), (1, 0));
        assert_eq!(turns(Busy::default().places(), due(9000, 0)), (8, 0), "nothing is kept for nobody");
    }

    #[test]
    fn whether_the_issuer_is_back_is_tried_by_a_persons_own_first() {
        assert_eq!(turns(Busy::default().one_place(), due(2, 2)), (1, 0));
        assert_eq!(turns(Busy::default().one_place(), due(0, 2)), (0, 1));
        assert!(busy_with(1, 0).one_place().is_none());
    }
}
