//! The registry of sessions: what was seen of them, and whose they are.

use std::sync::Arc;

use super::Hub;
use super::denied::Denied;
use super::report_logout::random;
use crate::domain::clock::UnixMillis;
use crate::domain::device::Device;
use crate::domain::ids::{Issuer, SessionId, SessionKey, Sid, Subject, SubjectKey};
use crate::domain::logout::SignIn;
use crate::store::{Clock, SessionNote, SessionRecord};

/// How a session was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// An app of it asked for something. That is no activity: apps do it by themselves.
    Used,
    /// Its person did something.
    Active,
    /// It was ended, by an app.
    Ended,
}

impl Hub {
    /// Notes that a session was seen. It is written down soon, and about once a minute
    /// however often it is seen. A sign-in without `sid` names no session: it is in no
    /// list, and nothing but its app ends it.
    pub fn note_session(&self, sign_in: &SignIn, device: Option<Arc<Device>>, sight: Sight) {
        if sign_in.sid.is_none() {
            return;
        }
        let now = self.clock.now();
        let clock = match sight {
            _ if !self.life.timeouts().any() => Clock::Stays,
            Sight::Used | Sight::Active => Clock::Runs,
            Sight::Ended => Clock::Stops,
        };
        let note = SessionNote {
            sign_in: sign_in.clone(),
            id: SessionId::new(u128::from_be_bytes(random())),
            seen_at: now,
            active_at: (sight == Sight::Active).then_some(now),
            device,
            clock,
        };
        if self.life.ledger.note(note, self.clock.uptime(), &self.channels)
            && let Some(key) = sign_in.session()
        {
            self.say_active(&key, now);
        }
    }

    /// The person did something in one of a session's apps: no idle sign-out for now, in
    /// any of them. Nothing where sessions have no idle time-out.
    pub fn note_activity(&self, sign_in: &SignIn) {
        if self.life.timeouts().idle.is_some() {
            self.note_session(sign_in, None, Sight::Active);
        }
    }

    /// Every session that the hub has seen of one person, the one last seen first; those
    /// that are over too, with the logout that ended them.
    ///
    /// # Errors
    /// [`Denied::Store`].
    pub async fn sessions_of(&self, issuer: &Issuer, sub: &Subject) -> Result<Vec<SessionRecord>, Denied> {
        let person = SubjectKey { issuer: issuer.clone(), sub: sub.clone() };
        Ok(self.store.sessions_of(&person).await?)
    }

    /// One session, where the hub has seen it.
    ///
    /// # Errors
    /// [`Denied::Store`].
    pub async fn session(&self, issuer: &Issuer, sid: &Sid) -> Result<Option<SessionRecord>, Denied> {
        let key = SessionKey { issuer: issuer.clone(), sid: sid.clone() };
        Ok(self.store.session(&key).await?)
    }

    /// Whether some app of a session has a channel open just now: it is in use.
    #[must_use]
    pub fn is_open(&self, session: &SessionKey) -> bool {
        self.channels.is_open(session)
    }

    /// Writes what is to be written of sessions. What cannot be waits for its turn.
    pub(super) async fn write_session_notes(&self) {
        loop {
            let mut notes = self.life.ledger.take(self.clock.uptime());
            if notes.is_empty() {
                return;
            }
            // The clock may have been set back since.
            let now = self.clock.now();
            for note in &mut notes {
                note.seen_at = note.seen_at.min(now);
                note.active_at = note.active_at.map(|at: UnixMillis| at.min(now));
            }
            if let Err(error) = self.store.note_sessions(notes.clone()).await {
                tracing::warn!(error = %error, sessions = notes.len(), "could not note what was seen of sessions");
                self.life.ledger.give_back(notes, self.clock.uptime());
                return;
            }
        }
    }
}
