//! What a logout would end, or has ended, in numbers.

use std::collections::HashSet;

use serde::Serialize;

use super::error::StoreError;
use super::facts::Facts;
use super::report::{Outcome, Report};
use super::rows;
use super::sql::{Connection, query};
use crate::domain::digest::sha256;
use crate::domain::ids::{ClientId, Issuer, Sid, Subject};
use crate::domain::logout::LogoutTarget;

/// How many sessions, people, devices and apps a logout reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// Sessions; a person's tokens that name none are one.
    pub sessions: u64,
    /// Whose they are.
    pub people: u64,
    /// What they are on: a person's browsers that call themselves the same and call from
    /// the same network are one. A session of which that is not known is one of its own.
    pub devices: u64,
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
    /// Sessions whose devices are still to be looked up.
    unplaced: Vec<Sid>,
    devices: HashSet<[u8; 16]>,
    unknown_devices: u64,
}

impl Tally {
    /// Takes a report, and adds what it ends; a repeat ends nothing.
    pub(super) fn take(&mut self, facts: &mut Facts, report: &Report) {
        let people = facts.people_ended_by(report);
        let decision = facts.take(report);
        let ended = &decision.newly_ended;
        if decision.outcome != Outcome::Fresh || ended.is_empty() {
            return;
        }
        self.apps.extend(ended.iter().map(|(client_id, _)| client_id.clone()));
        match &report.target {
            LogoutTarget::Session { key, .. } => self.add_session(Some(key.sid.clone())),
            LogoutTarget::User(_) => {
                let sessions: HashSet<_> = ended.iter().map(|(_, sid)| sid.clone()).collect();
                for sid in sessions {
                    // Two people may have used one session, and each be signed out of it.
                    if sid.clone().is_none_or(|sid| self.shared.insert(sid)) {
                        self.add_session(sid);
                    }
                }
            }
        }
        self.people.extend(people.iter().map(|sub: &Subject| half_digest(&[sub.as_str()])));
    }

    fn add_session(&mut self, sid: Option<Sid>) {
        self.sessions += 1;
        match sid {
            Some(sid) => self.unplaced.push(sid),
            None => self.unknown_devices += 1,
        }
    }

    /// Looks up what the sessions that were taken since are on, as the registry knows it.
    pub(super) async fn place(&mut self, connection: &mut Connection, issuer: &Issuer) -> Result<(), StoreError> {
        let sids = std::mem::take(&mut self.unplaced);
        if sids.is_empty() {
            return Ok(());
        }
        let select = "
            select sub, user_agent, coalesce(network, '') from sessions
            where issuer = $1 and sid in (select value ->> 0 from jsonb_each($2)) and user_agent is not null";
        let names: Vec<_> = sids.iter().map(|sid| (sid.as_str(),)).collect();
        let query = query(select).bind(issuer.as_str()).bind(rows::json(&names)?);
        let found = query.fetch_all(connection).await?;
        self.unknown_devices += sids.len().saturating_sub(found.len()) as u64;
        for row in found {
            let (sub, user_agent, network): (String, String, String) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            self.devices.insert(half_digest(&[&sub, &user_agent, &network]));
        }
        Ok(())
    }

    pub(super) fn expected(&self) -> Expected {
        Expected {
            sessions: self.sessions,
            people: self.people.len() as u64,
            devices: self.devices.len() as u64 + self.unknown_devices,
            apps: self.apps.len() as u64,
        }
    }
}

fn half_digest(parts: &[&str]) -> [u8; 16] {
    // No part holds a control character.
    let whole = sha256(parts.join("\n").as_bytes());
    let mut half = [0; 16];
    half.copy_from_slice(&whole[..16]);
    half
}

/// A count as SQLite takes it.
pub(super) fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
