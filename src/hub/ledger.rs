//! What was seen of sessions in the last minute, in memory. However often a session is
//! seen, its row is written at once when it is news, and then about once a minute.
//!
//! It also holds the countdowns of the sessions that are about to end, under the same
//! lock: activity and a warning that cross each other are told in the order in which
//! they were heard. No channel is waited for under it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::channels::{Channels, IdleSignal};
use crate::domain::clock::UnixMillis;
use crate::domain::ids::SessionKey;
use crate::domain::session_life::{Countdowns, RunDown, Timeouts};
use crate::store::SessionNote;

/// The most notes that are written in one go.
const NOTES_MAX: usize = 500;

/// How soon what could not be written is written again.
const AGAIN: Duration = Duration::from_secs(2);

/// The last minute of every session that was seen in it.
pub(super) struct Ledger {
    sample: Duration,
    state: Mutex<State>,
    /// Rung when there is something to write.
    pub(super) bell: Notify,
}

#[derive(Default)]
struct State {
    recent: HashMap<SessionKey, Recent>,
    /// When each of them is looked at again.
    later: VecDeque<(Duration, SessionKey)>,
    /// Those that are to be written now.
    ready: Vec<SessionKey>,
    /// Those that could not be written, and when to try again.
    refused: Vec<SessionKey>,
    again_at: Duration,
    idle: Option<Countdowns<SessionKey>>,
}

struct Recent {
    written_at: Duration,
    /// When activity was last written, or was about to be.
    active_written_at: Option<Duration>,
    last_active_at: Option<UnixMillis>,
    pending: Option<SessionNote>,
    is_ready: bool,
}

impl Ledger {
    pub(super) fn new(timeouts: Timeouts) -> Self {
        let state = State { idle: timeouts.idle.map(Countdowns::before), ..State::default() };
        Self { sample: timeouts.sample(), state: Mutex::new(state), bell: Notify::new() }
    }

    /// Notes that a session was seen. Activity calls its countdown off, in every app. True
    /// where it did: then it is written at once, and other nodes are to hear of it.
    pub(super) fn note(&self, note: SessionNote, uptime: Duration, channels: &Channels) -> bool {
        let Some(key) = note.sign_in.session() else { return false };
        let is_active = note.active_at.is_some();
        let mut state = self.lock();
        let is_reprieved = is_active && state.idle.as_mut().is_some_and(|idle| idle.call_off(&key));
        if is_reprieved {
            channels.signal(&key, IdleSignal::Cancelled);
        }
        let is_due = state.add(key.clone(), note, uptime, self.sample);
        if is_due || (is_reprieved && state.hasten(&key)) {
            drop(state);
            self.bell.notify_one();
        }
        is_reprieved
    }

    /// Another node says that a session was active then.
    pub(super) fn hear(&self, key: SessionKey, at: UnixMillis, uptime: Duration, channels: &Channels) {
        let mut state = self.lock();
        if state.idle.as_mut().is_some_and(|idle| idle.call_off(&key)) {
            channels.signal(&key, IdleSignal::Cancelled);
        }
        if let Some(recent) = state.recent.get_mut(&key) {
            recent.last_active_at = recent.last_active_at.max(Some(at));
        } else {
            state.later.push_back((uptime + self.sample, key.clone()));
            state.recent.insert(key, Recent::written_elsewhere(at, uptime));
        }
    }

    /// What is to be written now. What cannot be is to be given back.
    pub(super) fn take(&self, uptime: Duration) -> Vec<SessionNote> {
        let mut state = self.lock();
        state.look_again(uptime, self.sample);
        let rest = state.ready.len().saturating_sub(NOTES_MAX);
        let ready = state.ready.split_off(rest);
        let mut notes = Vec::with_capacity(ready.len());
        for key in ready {
            let Some(recent) = state.recent.get_mut(&key) else { continue };
            recent.is_ready = false;
            recent.written_at = uptime;
            let Some(note) = recent.pending.take() else { continue };
            if note.active_at.is_some() {
                recent.active_written_at = Some(uptime);
            }
            state.later.push_back((uptime + self.sample, key));
            notes.push(note);
        }
        notes
    }

    /// These could not be written: they are to be taken again in a moment, with what has
    /// come since. A minute would be long: a crash would lose it, and who looks at their
    /// sessions sees none of it until then.
    pub(super) fn give_back(&self, notes: Vec<SessionNote>, uptime: Duration) {
        let mut state = self.lock();
        state.again_at = uptime + AGAIN;
        for mut note in notes {
            let Some(key) = note.sign_in.session() else { continue };
            let Some(recent) = state.recent.get_mut(&key) else { continue };
            if let Some(newer) = recent.pending.take() {
                note.merge(newer);
            }
            recent.pending = Some(note);
            state.refused.push(key);
        }
    }

    /// Starts the countdown of a session whose last written activity was then, and warns
    /// whoever is there; unless there was activity since. That is written at once then, and the
    /// answer is when it was: other nodes warn theirs, and are to hear of it.
    pub(super) fn warn(
        &self,
        key: &SessionKey,
        since: UnixMillis,
        uptime: Duration,
        channels: &Channels,
    ) -> Option<UnixMillis> {
        let mut state = self.lock();
        if state.was_active_after(key, since) {
            if state.hasten(key) {
                self.bell.notify_one();
            }
            return state.recent.get(key)?.last_active_at;
        }
        if let Some(seconds_left) = state.idle.as_mut().and_then(|idle| idle.enter(key, since, uptime)) {
            channels.signal(key, IdleSignal::Warning { seconds_left });
        }
        None
    }

    /// What a channel that opens just now has to be told.
    pub(super) fn warning_of(&self, key: &SessionKey, uptime: Duration) -> Option<IdleSignal> {
        let seconds_left = self.lock().idle.as_ref()?.seconds_left(key, uptime)?;
        Some(IdleSignal::Warning { seconds_left })
    }

    /// Sessions whose countdowns have run down.
    pub(super) fn run_down(&self, uptime: Duration, limit: usize) -> Vec<RunDown<SessionKey>> {
        self.lock().idle.as_mut().map_or_else(Vec::new, |idle| idle.run_down(uptime, limit))
    }

    /// Whether a session was heard to be active after that, be it written or not.
    pub(super) fn was_active_after(&self, key: &SessionKey, since: UnixMillis) -> bool {
        self.lock().was_active_after(key, since)
    }

    /// The session has ended. What is still to be written of it starts no clock again: the
    /// store knows the logout by then, and who signed in after it.
    pub(super) fn ended(&self, key: &SessionKey) {
        if let Some(idle) = self.lock().idle.as_mut() {
            idle.call_off(key);
        }
    }

    /// The session turned out to have been active: nobody has to worry.
    pub(super) fn reprieved(&self, key: &SessionKey, channels: &Channels) {
        let mut state = self.lock();
        if state.idle.as_mut().is_some_and(|idle| idle.call_off(key)) {
            channels.signal(key, IdleSignal::Cancelled);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recent {
    /// Of a session that another node has written down.
    fn written_elsewhere(active_at: UnixMillis, uptime: Duration) -> Self {
        Self {
            written_at: uptime,
            active_written_at: None,
            last_active_at: Some(active_at),
            pending: None,
            is_ready: false,
        }
    }
}

impl State {
    /// What waits of a session does so no longer. Whether there is something to write now.
    fn hasten(&mut self, key: &SessionKey) -> bool {
        let Some(recent) = self.recent.get_mut(key).filter(|recent| recent.pending.is_some() && !recent.is_ready)
        else {
            return false;
        };
        recent.is_ready = true;
        self.ready.push(key.clone());
        true
    }

    /// Whether there is something to write now.
    fn add(&mut self, key: SessionKey, note: SessionNote, uptime: Duration, sample: Duration) -> bool {
        let is_active = note.active_at.is_some();
        let Some(recent) = self.recent.get_mut(&key) else {
            let recent = Recent {
                written_at: uptime,
                active_written_at: None,
                last_active_at: note.active_at,
                pending: Some(note),
                is_ready: true,
            };
            self.recent.insert(key.clone(), recent);
            self.ready.push(key);
            return true;
        };
        recent.last_active_at = recent.last_active_at.max(note.active_at);
        match &mut recent.pending {
            Some(pending) => pending.merge(note),
            empty => *empty = Some(note),
        }
        // What is not written at most a sample after it happened might be lost for longer.
        let is_late = |at: Duration| uptime.saturating_sub(at) >= sample;
        let is_due = is_late(recent.written_at) || (is_active && recent.active_written_at.is_none_or(is_late));
        if !is_due || recent.is_ready {
            return false;
        }
        recent.is_ready = true;
        self.ready.push(key);
        true
    }

    /// What has waited for a sample is written, and what has nothing to write is let go.
    fn look_again(&mut self, uptime: Duration, sample: Duration) {
        if uptime >= self.again_at {
            for key in std::mem::take(&mut self.refused) {
                let waits = |recent: &&mut Recent| recent.pending.is_some() && !recent.is_ready;
                if let Some(recent) = self.recent.get_mut(&key).filter(waits) {
                    recent.is_ready = true;
                    self.ready.push(key);
                }
            }
        }
        while self.later.front().is_some_and(|(at, _)| *at <= uptime) {
            let Some((_, key)) = self.later.pop_front() else { return };
            let Some(recent) = self.recent.get_mut(&key) else { continue };
            // One that was written since has a later turn.
            if recent.is_ready || uptime.saturating_sub(recent.written_at) < sample {
                continue;
            }
            if recent.pending.is_some() {
                recent.is_ready = true;
                self.ready.push(key);
            } else {
                self.recent.remove(&key);
            }
        }
    }

    fn was_active_after(&self, key: &SessionKey, since: UnixMillis) -> bool {
        self.recent.get(key).and_then(|recent| recent.last_active_at).is_some_and(|at| at > since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::UnixSeconds;
    use crate::domain::ids::{ClientId, Issuer, SessionId, Sid, Subject};
    use crate::domain::logout::SignIn;
    use crate::store::Clock;

    const IDLE: Timeouts = Timeouts { idle: Some(Duration::from_secs(900)), absolute: None };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Ada's session, seen at that second of a hub that started when time began.
    fn note(second: i64, is_active: bool) -> SessionNote {
        let sign_in = SignIn {
            issuer: Issuer::parse("https://acme.example/").unwrap(),
            client_id: ClientId::parse("notes").unwrap(),
            sub: Subject::parse("ada").unwrap(),
            sid: Some(Sid::parse("laptop").unwrap()),
            issued_at: UnixSeconds(0),
            auth_time: None,
        };
        let seen_at = UnixMillis(second * 1000);
        let id = SessionId::new(1);
        SessionNote { sign_in, id, seen_at, active_at: is_active.then_some(seen_at), device: None, clock: Clock::Runs }
    }

    fn sees(ledger: &Ledger, second: u64, is_active: bool) {
        ledger.note(note(i64::try_from(second).unwrap(), is_active), at(second), &Channels::default());
    }

    /// When what is written at that second was seen, and was active, in seconds.
    fn written(ledger: &Ledger, second: u64) -> Vec<(i64, Option<i64>)> {
        let notes = ledger.take(at(second));
        notes.iter().map(|note| (note.seen_at.0 / 1000, note.active_at.map(|at| at.0 / 1000))).collect()
    }

    #[test]
    fn news_is_written_at_once_and_the_rest_with_the_next_minute() {
        let ledger = Ledger::new(IDLE);
        sees(&ledger, 0, false);
        assert_eq!(written(&ledger, 0), [(0, None)]);
        sees(&ledger, 10, true);
        assert_eq!(written(&ledger, 10), [(10, Some(10))], "the first activity is news");
        sees(&ledger, 20, true);
        sees(&ledger, 30, false);
        assert_eq!(written(&ledger, 69), []);
        assert_eq!(written(&ledger, 70), [(30, Some(20))], "a minute after the last time");
        assert_eq!(written(&ledger, 130), []);
        assert!(ledger.lock().recent.is_empty() && ledger.lock().later.is_empty(), "nothing is kept for longer");
    }

    #[test]
    fn what_could_not_be_written_is_written_seconds_later_with_what_came_since() {
        let ledger = Ledger::new(IDLE);
        sees(&ledger, 0, true);
        let refused = ledger.take(at(0));
        sees(&ledger, 1, false);
        ledger.give_back(refused, at(1));
        assert_eq!(written(&ledger, 2), [], "not at once: whatever failed is given a moment");
        let refused = ledger.take(at(3));
        ledger.give_back(refused, at(3));
        sees(&ledger, 4, false);
        assert_eq!(written(&ledger, 5), [(4, Some(0))]);
        assert_eq!(written(&ledger, 6), [], "once");
        sees(&ledger, 10, false);
        assert_eq!(written(&ledger, 64), []);
        assert_eq!(written(&ledger, 65), [(10, None)], "then as usual");
        assert_eq!(written(&ledger, 200), []);
        assert!(ledger.lock().recent.is_empty() && ledger.lock().refused.is_empty());
    }

    #[test]
    fn who_was_active_is_not_warned_though_that_is_not_written_yet() {
        let (ledger, channels) = (Ledger::new(IDLE), Channels::default());
        let key = note(0, false).sign_in.session().unwrap();
        sees(&ledger, 840, true);
        ledger.warn(&key, UnixMillis(0), at(840), &channels);
        assert_eq!(ledger.warning_of(&key, at(840)), None);
        ledger.warn(&key, UnixMillis(840_000), at(1680), &channels);
        assert_eq!(ledger.warning_of(&key, at(1690)), Some(IdleSignal::Warning { seconds_left: 50 }));
        ledger.ended(&key);
        assert_eq!(ledger.warning_of(&key, at(1690)), None);
    }
}
