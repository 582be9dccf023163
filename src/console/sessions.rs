//! Who is signed in to the console. In memory only: a restart signs every operator out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::domain::clock::Clock;
use crate::domain::digest::sha256;
use crate::domain::logout::SignIn;
use crate::domain::secret::Secret;
use crate::hub::admin_logout::Order;
use crate::hub::report_logout::unguessable;
use crate::store::Expected;

/// How long an operator may be away.
pub(super) const IDLE: Duration = Duration::from_secs(30 * 60);
/// How long a session lasts at most.
pub(super) const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// The same, of who has signed in by name. What makes them an operator was read at the sign-in,
/// and has to be read again.
pub(super) const LONGEST_BY_NAME: Duration = Duration::from_secs(4 * 3600);
/// How many sessions there are at most. One more ends the one that was used least recently.
const SESSIONS_MAX: usize = 64;
/// How long a dry run stands: what it has counted is soon another number.
const DRY_RUN: Duration = Duration::from_secs(10 * 60);

/// Every session. Clones share them.
#[derive(Clone)]
pub(super) struct Sessions {
    clock: Arc<dyn Clock>,
    /// By the digest of the cookie's value: what is in memory opens nothing.
    open: Arc<Mutex<HashMap<[u8; 32], Session>>>,
}

struct Session {
    /// Who it is, where they have signed in by name.
    who: Option<SignIn>,
    csrf: String,
    begun: Duration,
    used: Duration,
    dry_run: Option<DryRun>,
}

impl Session {
    fn longest(&self) -> Duration {
        if self.who.is_some() { LONGEST_BY_NAME } else { LONGEST }
    }
}

/// An order that was counted and is to be confirmed. It names whom it is about, so it stays
/// here and is in no page.
#[derive(Clone, Debug)]
pub(super) struct DryRun {
    /// What is ordered.
    pub(super) order: Order,
    /// What it would end.
    pub(super) counts: Expected,
    /// Its own name, which its form carries: another window may count something else since.
    pub(super) name: String,
    at: Duration,
}

/// Somebody who is signed in.
#[derive(Clone)]
pub(super) struct Operator {
    key: [u8; 32],
    /// Their sign-in at the issuer; who has typed the token is nobody by name.
    pub(super) who: Option<SignIn>,
    /// What every form of theirs carries.
    pub(super) csrf: String,
}

impl Operator {
    /// Whether a form is theirs.
    pub(super) fn sent(&self, token: &str) -> bool {
        Secret::new(&self.csrf).matches(token)
    }
}

impl Sessions {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, open: Arc::default() }
    }

    /// Begins one, for who has typed the token or has signed in so; says the cookie's value.
    pub(super) fn begin(&self, who: Option<SignIn>) -> String {
        let (cookie, now) = (unguessable(), self.clock.uptime());
        let mut open = self.open_at(now);
        if open.len() >= SESSIONS_MAX {
            let oldest = open.iter().min_by_key(|(_, session)| session.used).map(|(key, _)| *key);
            oldest.and_then(|key| open.remove(&key));
        }
        let session = Session { who, csrf: unguessable(), begun: now, used: now, dry_run: None };
        open.insert(sha256(cookie.as_bytes()), session);
        cookie
    }

    /// Whose cookie it is. A page that only keeps itself fresh does not keep its session
    /// alive: `is_active` says that a person did something.
    pub(super) fn find(&self, cookie: &str, is_active: bool) -> Option<Operator> {
        let (key, now) = (sha256(cookie.as_bytes()), self.clock.uptime());
        let mut open = self.open_at(now);
        let session = open.get_mut(&key)?;
        if is_active {
            session.used = now;
        }
        Some(Operator { key, who: session.who.clone(), csrf: session.csrf.clone() })
    }

    /// Ends one.
    pub(super) fn end(&self, operator: &Operator) {
        self.open_at(self.clock.uptime()).remove(&operator.key);
    }

    /// Keeps an order until it is confirmed.
    pub(super) fn keep(&self, operator: &Operator, order: Order, counts: Expected) {
        let at = self.clock.uptime();
        if let Some(session) = self.open_at(at).get_mut(&operator.key) {
            session.dry_run = Some(DryRun { order, counts, name: unguessable(), at });
        }
    }

    /// The order that is to be confirmed, while its dry run stands.
    pub(super) fn kept(&self, operator: &Operator) -> Option<DryRun> {
        let now = self.clock.uptime();
        let open = self.open_at(now);
        let dry_run = open.get(&operator.key)?.dry_run.clone();
        dry_run.filter(|it| now.saturating_sub(it.at) < DRY_RUN)
    }

    /// Takes it out: a form that is sent twice orders once. False where it was taken before, or
    /// another was counted since.
    pub(super) fn take(&self, operator: &Operator, dry_run: &DryRun) -> bool {
        let mut open = self.open_at(self.clock.uptime());
        let Some(session) = open.get_mut(&operator.key) else { return false };
        let taken = session.dry_run.take_if(|kept| kept.name == dry_run.name);
        taken.is_some()
    }

    /// Those that last at that moment.
    fn open_at(&self, now: Duration) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, it| now.saturating_sub(it.used) < IDLE && now.saturating_sub(it.begun) < it.longest());
        open
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::{HandClock, UnixMillis};

    fn sessions() -> (Sessions, Arc<HandClock>) {
        let clock = Arc::new(HandClock::at(UnixMillis(0)));
        (Sessions::new(Arc::clone(&clock) as Arc<dyn Clock>), clock)
    }

    #[test]
    fn who_is_away_for_half_an_hour_is_signed_out_and_a_page_that_refreshes_is_away() {
        let (sessions, clock) = sessions();
        let (used, left) = (sessions.begin(None), sessions.begin(None));
        for _ in 0..3 {
            clock.advance(IDLE / 2);
            assert!(sessions.find(&used, true).is_some());
            sessions.find(&left, false);
        }
        assert!(sessions.find(&left, false).is_none());
    }

    #[test]
    fn nobody_is_signed_in_for_longer_than_half_a_day() {
        let (sessions, clock) = sessions();
        let cookie = sessions.begin(None);
        let mut since = Duration::ZERO;
        while since + IDLE / 2 < LONGEST {
            clock.advance(IDLE / 2);
            since += IDLE / 2;
            assert!(sessions.find(&cookie, true).is_some());
        }
        clock.advance(IDLE / 2);
        assert!(sessions.find(&cookie, true).is_none());
    }

    #[test]
    fn one_session_too_many_ends_the_one_that_was_used_least_recently() {
        let (sessions, clock) = sessions();
        let all: Vec<_> = (0..SESSIONS_MAX).map(|_| sessions.begin(None)).collect();
        clock.advance(Duration::from_secs(1));
        for cookie in &all[1..] {
            sessions.find(cookie, true).unwrap();
        }
        let new = sessions.begin(None);
        assert!(sessions.find(&all[0], true).is_none());
        assert!(all[1..].iter().chain([&new]).all(|cookie| sessions.find(cookie, true).is_some()));
    }
}
