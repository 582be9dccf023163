//! What a logout would end, or has ended, in numbers.

use std::collections::HashSet;

use super::facts::Facts;
use super::report::{Outcome, Report};
use crate::domain::ids::{ClientId, Sid, Subject};
use crate::domain::logout::LogoutTarget;

/// How many sessions, people and apps a logout reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Sessions; a person's tokens that name none are one.
    pub sessions: u64,
    /// Whose they are.
    pub people: u64,
    /// The apps that are used in them.
    pub apps: u64,
}

/// What was ended so far.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) sessions: u64,
    /// Half a SHA-256 of each: a whole company's names need not be held in memory.
    people: HashSet<[u8; 16]>,
    apps: HashSet<ClientId>,
    /// Sessions that ended with their person.
    shared: HashSet<Sid>,
}

impl Tally {
    /// Takes a report, and adds what it ends; a repeat ends nothing.
    pub(super) fn take(&mut self, facts: &mut Facts, report: &Report) {
        let people = facts.people_ended_by(report);
        let decision = facts.take(report);
        let ended = &decision.newly_ended;
        if decision.outcome == Outcome::Fresh && !ended.is_empty() {
            self.apps.extend(ended.iter().map(|(client_id, _)| client_id.clone()));
            let sessions: HashSet<_> = ended.iter().map(|(_, sid)| sid.clone()).collect();
            // Two people may have used one session, and each be signed out of it.
            let mut is_new = |sid: &Option<Sid>| sid.clone().is_none_or(|sid| self.shared.insert(sid));
            self.sessions += match &report.target {
                LogoutTarget::Session { .. } => 1,
                LogoutTarget::User(_) => sessions.iter().filter(|sid| is_new(sid)).count() as u64,
            };
            self.people.extend(people.iter().map(digest));
        }
    }

    pub(super) fn expected(&self) -> Expected {
        Expected { sessions: self.sessions, people: self.people.len() as u64, apps: self.apps.len() as u64 }
    }
}

fn digest(sub: &Subject) -> [u8; 16] {
    let whole = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, sub.as_str().as_bytes());
    let mut half = [0; 16];
    half.copy_from_slice(&whole.as_ref()[..16]);
    half
}

/// A count as SQLite takes it.
pub(super) fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
