//! Rehearsals: what a logout does to channels, without the logout. Each open channel is
//! told a name that nobody else knows, and whoever says it back has heard it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::{Channels, Seat, Subscription};
use crate::domain::ids::LogoutId;
use crate::domain::logout::{LogoutTarget, SignIn};

/// What a channel has to do with a rehearsal: it is in one at most, the latest.
#[derive(Default)]
pub(super) struct Stage(Mutex<Option<Box<Part>>>);

/// One channel's part in a rehearsal.
struct Part {
    id: LogoutId,
    is_said: Arc<AtomicBool>,
    answer: Option<oneshot::Sender<Duration>>,
}

impl Part {
    fn is_waited_for(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| !answer.is_closed())
    }
}

impl Stage {
    fn part(&self) -> MutexGuard<'_, Option<Box<Part>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rehearsal that is to be said now: once, and only while somebody waits for it.
    pub(super) fn cue(&self) -> Option<LogoutId> {
        let part = self.part();
        let part = part.as_ref().filter(|part| part.is_waited_for())?;
        (!part.is_said.swap(true, Ordering::Relaxed)).then_some(part.id)
    }

    /// Whether `id` is this channel's part. The first answer counts; one that comes late
    /// or again is known, and does nothing.
    fn answer(&self, id: LogoutId, at: Duration) -> bool {
        let mut part = self.part();
        let Some(part) = part.as_mut().filter(|part| part.id == id) else { return false };
        if let Some(answer) = part.answer.take() {
            // Where nobody waits any more it came too late.
            let _late = answer.send(at);
        }
        true
    }
}

/// A channel that takes part in a rehearsal.
pub struct Rehearsed {
    /// Whose channel it is.
    pub sign_in: SignIn,
    is_said: Arc<AtomicBool>,
    answer: oneshot::Receiver<Duration>,
}

/// How a channel came out of a rehearsal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It answered, at that uptime of the hub.
    Answered(Duration),
    /// It was told, and closed without an answer.
    Silent,
    /// It closed before it could be told: it had no part.
    Gone,
}

impl Rehearsed {
    /// Waits until the channel has answered, or closed.
    pub async fn outcome(self) -> Outcome {
        match self.answer.await {
            Ok(at) => Outcome::Answered(at),
            Err(_) if self.is_said.load(Ordering::Relaxed) => Outcome::Silent,
            Err(_) => Outcome::Gone,
        }
    }
}

impl Channels {
    /// Has every open channel that a logout of `target` would be told on rehearse it, without
    /// waiting for any. Each is told a name of its own. Nobody is signed out.
    ///
    /// A channel that is still in an earlier rehearsal leaves that one.
    #[must_use]
    pub fn rehearse(&self, target: &LogoutTarget, new_id: impl Fn() -> LogoutId) -> Vec<Rehearsed> {
        let begin = |seats: &Vec<Arc<Seat>>| {
            let open = seats.iter().filter(|seat| seat.told.get().is_none());
            open.map(|seat| seat.rehearse(new_id())).collect()
        };
        let found = match target {
            LogoutTarget::Session { key, .. } => self.0.by_session.get(key).map(|seats| begin(&seats)),
            LogoutTarget::User(key) => self.0.by_subject.get(key).map(|seats| begin(&seats)),
        };
        found.unwrap_or_default()
    }

    /// An app says, at that uptime, that it has heard of `id`. True where that is the name
    /// which a channel of this very app and session was told in a rehearsal.
    #[must_use]
    pub fn rehearsed(&self, id: LogoutId, by: &SignIn, at: Duration) -> bool {
        let seats = self.0.by_subject.get(&by.subject());
        let mut own = seats.iter().flat_map(|seats| seats.iter()).filter(|seat| {
            let of = &seat.sign_in;
            of.client_id == by.client_id && of.sid == by.sid
        });
        own.any(|seat| seat.stage.answer(id, at))
    }
}

impl Seat {
    fn rehearse(&self, id: LogoutId) -> Rehearsed {
        let (sender, answer) = oneshot::channel();
        let is_said = Arc::new(AtomicBool::new(false));
        let part = Part { id, is_said: Arc::clone(&is_said), answer: Some(sender) };
        *self.stage.part() = Some(Box::new(part));
        self.wake.notify_one();
        Rehearsed { sign_in: self.sign_in.clone(), is_said, answer }
    }
}

impl Subscription {
    /// Plays the part of the channel whose place this one takes.
    pub(super) fn take_over_part(&self, from: &Self) {
        if let Some(part) = from.seat.stage.part().take() {
            *self.seat.stage.part() = Some(part);
            self.seat.wake.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::sign_in;
    use super::*;
    use crate::channels::Heard;
    use crate::domain::clock::UnixMillis;

    const AT: Duration = Duration::from_millis(40);

    fn ids() -> impl Fn() -> LogoutId {
        let next = std::cell::Cell::new(0);
        move || LogoutId::new(UnixMillis(0), next.replace(next.get() + 1))
    }

    fn of_session(who: &SignIn) -> LogoutTarget {
        LogoutTarget::Session { key: who.session().unwrap(), sub: None }
    }

    async fn told(channel: &Subscription) -> LogoutId {
        match channel.heard().await {
            Heard::Rehearsal(id) => id,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn every_channel_of_the_session_is_told_a_name_of_its_own_and_no_other_channel_is() {
        let channels = Channels::default();
        let ada = sign_in("https://a/", "ada", "laptop");
        let (one, two) = (channels.register(ada.clone(), 9).unwrap(), channels.register(ada.clone(), 9).unwrap());
        let phone = channels.register(sign_in("https://a/", "ada", "phone"), 9).unwrap();

        let mut parts = channels.rehearse(&of_session(&ada), ids());
        assert_eq!(parts.len(), 2);
        let (first, second) = (told(&one).await, told(&two).await);
        assert_ne!(first, second);
        assert!(!channels.rehearsed(first, phone.sign_in(), AT), "another session's answer counts for nothing");
        assert!(channels.rehearsed(second, &ada, AT));
        assert_eq!(parts.pop().unwrap().outcome().await, Outcome::Answered(AT));
        assert!(channels.rehearsed(second, &ada, AT * 2), "an answer that comes again is known");
        drop(one);
        assert_eq!(parts.pop().unwrap().outcome().await, Outcome::Silent);
        let of_ada = LogoutTarget::User(ada.subject());
        assert_eq!(channels.rehearse(&of_ada, ids()).len(), 2, "a person's sessions are all told");
    }

    #[tokio::test]
    async fn a_channel_that_closes_before_it_was_told_had_no_part() {
        let channels = Channels::default();
        let ada = sign_in("https://a/", "ada", "laptop");
        let channel = channels.register(ada.clone(), 9).unwrap();
        let part = channels.rehearse(&of_session(&ada), ids()).pop().unwrap();
        drop(channel);
        assert_eq!(part.outcome().await, Outcome::Gone);
    }

    #[tokio::test]
    async fn a_rehearsal_that_nobody_waits_for_is_not_said() {
        let channels = Channels::default();
        let ada = sign_in("https://a/", "ada", "laptop");
        let channel = channels.register(ada.clone(), 9).unwrap();
        drop(channels.rehearse(&of_session(&ada), ids()));
        assert_eq!(channel.seat.stage.cue(), None);
    }

    #[tokio::test]
    async fn a_channel_that_takes_anothers_place_plays_its_part() {
        let channels = Channels::default();
        let ada = sign_in("https://a/", "ada", "laptop");
        let old = channels.register(ada.clone(), 9).unwrap();
        let part = channels.rehearse(&of_session(&ada), ids()).pop().unwrap();
        let id = told(&old).await;
        let new = channels.register(ada.clone(), 9).unwrap();
        new.take_over(&old);
        drop(old);
        assert!(channels.rehearsed(id, &ada, AT));
        assert_eq!(part.outcome().await, Outcome::Answered(AT));
    }
}
