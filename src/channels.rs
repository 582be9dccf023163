//! Open channels: who is listening, by session and by person. In memory only.
//!
//! A channel is computed from a verified sign-in and from nothing the client
//! names. A channel is told of its logout at most once, and of what idle sign-out is
//! up to, and of rehearsals, only the latest counts; so its inbox is three slots: there
//! is no queue that could grow or overflow.

pub mod rehearsal;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use dashmap::DashMap;
use tokio::sync::{Notify, watch};

use crate::domain::clock::UnixSeconds;
use crate::domain::ids::{ClientId, Issuer, LogoutId, SessionKey, Sid, SubjectKey};
use crate::domain::logout::{Logout, LogoutTarget, SignIn};
use rehearsal::Stage;

/// A logout with its event, encoded once for however many channels.
#[derive(Debug)]
pub struct Notice {
    /// What happened.
    pub logout: Logout,
    /// The `slo-event` that says so: one JSON object, UTF-8.
    pub event: Bytes,
}

/// What idle sign-out is up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdleSignal {
    /// The session ends in so many seconds, unless its person does something.
    Warning {
        /// How many.
        seconds_left: u64,
    },
    /// Its person did something, in some app: nothing ends.
    Cancelled,
}

/// What a channel hears.
#[derive(Clone, Debug)]
pub enum Heard {
    /// Its session is over. This is the last.
    LoggedOut(Arc<Notice>),
    /// Idle sign-out has something to say.
    Idle(IdleSignal),
    /// A logout is rehearsed: say that name back. It signs nobody out.
    Rehearsal(LogoutId),
}

/// This session has as many channels open as it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

/// Every open channel. Clones share them.
#[derive(Clone, Default)]
pub struct Channels(Arc<Open>);

#[derive(Default)]
struct Open {
    by_session: DashMap<SessionKey, Vec<Arc<Seat>>>,
    by_subject: DashMap<SubjectKey, Vec<Arc<Seat>>>,
    bells: DashMap<Issuer, watch::Sender<u64>>,
}

/// One open channel's record.
struct Seat {
    sign_in: SignIn,
    told: OnceLock<Arc<Notice>>,
    signal: Mutex<Option<IdleSignal>>,
    stage: Stage,
    wake: Notify,
}

impl Seat {
    fn tell(&self, notice: &Arc<Notice>) -> bool {
        let first = self.told.set(Arc::clone(notice)).is_ok();
        if first {
            self.wake.notify_one();
        }
        first
    }

    fn signal(&self, signal: Option<IdleSignal>) -> Option<IdleSignal> {
        std::mem::replace(&mut *self.signal.lock().unwrap_or_else(PoisonError::into_inner), signal)
    }
}

impl Channels {
    /// Opens a channel for a sign-in. From here on [`Channels::push`] reaches it.
    ///
    /// # Errors
    /// [`TooMany`] when the session, or a person whose tokens name no session, has
    /// `at_most` channels open.
    pub fn register(&self, mut sign_in: SignIn, at_most: usize) -> Result<Subscription, TooMany> {
        self.share_names(&mut sign_in);
        let session = sign_in.session();
        let (told, signal, stage, wake) = (OnceLock::new(), Mutex::default(), Stage::default(), Notify::new());
        let seat = Arc::new(Seat { sign_in, told, signal, stage, wake });
        // Counted under the entry's own lock, so that the limit holds under a rush.
        if let Some(key) = session {
            let mut seats = self.0.by_session.entry(key).or_default();
            if seats.len() >= at_most {
                return Err(TooMany);
            }
            seats.push(Arc::clone(&seat));
        }
        let mut seats = self.0.by_subject.entry(seat.sign_in.subject()).or_default();
        let sessionless = seat.sign_in.sid.is_none();
        if sessionless && seats.iter().filter(|other| other.sign_in.sid.is_none()).count() >= at_most {
            return Err(TooMany);
        }
        seats.push(Arc::clone(&seat));
        drop(seats);
        Ok(Subscription { channels: self.clone(), seat })
    }

    /// Apps of one session bring the same names, each in texts of its own: all but the
    /// first use those that are here.
    fn share_names(&self, sign_in: &mut SignIn) {
        if let Some(open) = self.0.by_subject.get(&sign_in.subject()) {
            sign_in.issuer = open.key().issuer.clone();
            sign_in.sub = open.key().sub.clone();
        }
        if let Some(open) = sign_in.session().and_then(|session| self.0.by_session.get(&session)) {
            sign_in.sid = Some(open.key().sid.clone());
        }
    }

    /// Tells every open channel that `notice` covers and that was not told before,
    /// without waiting for any; returns how many those are.
    ///
    /// `session_starts` says, for a `user` logout, when each session of that person
    /// began as far as is known.
    #[must_use]
    pub fn push(&self, notice: &Arc<Notice>, session_starts: &[(Sid, UnixSeconds)]) -> usize {
        // A person may have thousands of both.
        let starts: HashMap<&Sid, UnixSeconds> = session_starts.iter().map(|(sid, start)| (sid, *start)).collect();
        let tell = |seats: &Vec<Arc<Seat>>| {
            let covered = seats.iter().filter(|seat| {
                let start = seat.sign_in.sid.as_ref().and_then(|sid| starts.get(sid)).copied();
                notice.logout.covers(&seat.sign_in, start)
            });
            covered.filter(|seat| seat.tell(notice)).count()
        };
        match &notice.logout.target {
            LogoutTarget::Session { key, .. } => self.0.by_session.get(key).map_or(0, |seats| tell(&seats)),
            LogoutTarget::User(key) => self.0.by_subject.get(key).map_or(0, |seats| tell(&seats)),
        }
    }

    /// Tells the open channels of that very sign-in, where they were not told before.
    pub fn tell(&self, sign_in: &SignIn, notice: &Arc<Notice>) {
        for seat in self.0.by_subject.get(&sign_in.subject()).iter().flat_map(|seats| seats.iter()) {
            if seat.sign_in == *sign_in {
                seat.tell(notice);
            }
        }
    }

    /// Tells every open channel of one session what idle sign-out is up to, without
    /// waiting for any. What a channel has not heard yet is replaced.
    pub fn signal(&self, session: &SessionKey, signal: IdleSignal) {
        for seat in self.0.by_session.get(session).iter().flat_map(|seats| seats.iter()) {
            seat.signal(Some(signal));
            seat.wake.notify_one();
        }
    }

    /// Whether any channel of a session is open.
    #[must_use]
    pub fn is_open(&self, session: &SessionKey) -> bool {
        self.0.by_session.contains_key(session)
    }

    /// The sign-ins of open channels that were not told yet, where they are of that kind.
    #[must_use]
    pub fn untold(&self, is_of_kind: impl Fn(&SignIn) -> bool) -> Vec<SignIn> {
        let mut found = Vec::new();
        for seats in &self.0.by_subject {
            let untold = seats.iter().filter(|seat| seat.told.get().is_none() && is_of_kind(&seat.sign_in));
            found.extend(untold.map(|seat| seat.sign_in.clone()));
        }
        found
    }

    /// How many channels of each app are open, and how many people have one.
    #[must_use]
    pub fn by_app(&self) -> (HashMap<(Issuer, ClientId), usize>, usize) {
        let mut open: HashMap<(Issuer, ClientId), usize> = HashMap::new();
        for seats in &self.0.by_subject {
            for SignIn { issuer, client_id, .. } in seats.iter().map(|seat| &seat.sign_in) {
                *open.entry((issuer.clone(), client_id.clone())).or_default() += 1;
            }
        }
        (open, self.0.by_subject.len())
    }

    /// Wakes everyone who follows all logouts of one issuer; they read the store.
    pub fn ring(&self, issuer: &Issuer) {
        if let Some(bell) = self.0.bells.get(issuer) {
            bell.send_modify(|rings| *rings += 1);
        }
    }

    /// A bell that rings after each logout of one issuer.
    #[must_use]
    pub fn bell(&self, issuer: &Issuer) -> watch::Receiver<u64> {
        self.0.bells.entry(issuer.clone()).or_insert_with(|| watch::Sender::new(0)).subscribe()
    }

    fn forget(&self, seat: &Arc<Seat>) {
        let leave = |seats: &mut Vec<Arc<Seat>>| {
            seats.retain(|other| !Arc::ptr_eq(other, seat));
            seats.is_empty()
        };
        if let Some(key) = seat.sign_in.session() {
            self.0.by_session.remove_if_mut(&key, |_, seats| leave(seats));
        }
        self.0.by_subject.remove_if_mut(&seat.sign_in.subject(), |_, seats| leave(seats));
    }
}

/// One open channel. Dropping it closes the channel.
pub struct Subscription {
    channels: Channels,
    seat: Arc<Seat>,
}

impl Subscription {
    /// Whose channel this is.
    #[must_use]
    pub fn sign_in(&self) -> &SignIn {
        &self.seat.sign_in
    }

    /// The logout that this channel was told of, if it was.
    #[must_use]
    pub fn told(&self) -> Option<Arc<Notice>> {
        self.seat.told.get().cloned()
    }

    /// Tells this channel alone what idle sign-out is up to.
    pub fn signal(&self, signal: IdleSignal) {
        self.seat.signal(Some(signal));
        self.seat.wake.notify_one();
    }

    /// Takes the place of a channel of the same session: what that one has not heard
    /// yet, this one does.
    pub fn take_over(&self, from: &Self) {
        if let Some(unheard) = from.seat.signal(None) {
            let newer = self.seat.signal(None);
            self.signal(newer.unwrap_or(unheard));
        }
        self.take_over_part(from);
    }

    /// Waits for what this channel hears next. A logout goes first.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped: what was not returned stays in its slot.
    pub async fn heard(&self) -> Heard {
        loop {
            if let Some(notice) = self.told() {
                return Heard::LoggedOut(notice);
            }
            if let Some(signal) = self.seat.signal(None) {
                return Heard::Idle(signal);
            }
            if let Some(id) = self.seat.stage.cue() {
                return Heard::Rehearsal(id);
            }
            self.seat.wake.notified().await;
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.channels.forget(&self.seat);
    }
}

#[cfg(test)]
mod tests;
