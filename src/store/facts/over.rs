//! Which sessions nothing is left of. Pure, as all of [`Facts`].

use super::Facts;
use crate::domain::ids::SessionKey;
use crate::domain::logout::LogoutTarget;
#[cfg(test)]
use crate::domain::{clock::UnixSeconds, logout::SignIn};

impl Facts {
    /// The sessions that a logout is about and of which every token that was seen is over:
    /// not those in which somebody has signed in since.
    pub(in crate::store) fn sessions_over(&self, target: &LogoutTarget) -> Vec<SessionKey> {
        let mut sessions = match target {
            LogoutTarget::Session { key, .. } => vec![key.clone()],
            LogoutTarget::User(key) => self.sessions_of(key),
        };
        sessions.retain(|key| {
            let seen = self.sessions.get(key).into_iter().flat_map(|session| &session.seen);
            seen.into_iter().all(|token| self.is_over(token, &key.issuer, Some(&key.sid)))
        });
        sessions
    }
    /// How far the sign-in's session, and its person everywhere, have ended: whether for
    /// good, and the latest T. All that decides what is over.
    #[cfg(test)]
    pub(in crate::store) fn ends_of(&self, sign_in: &SignIn) -> [Option<(bool, UnixSeconds)>; 2] {
        let of_session = sign_in.session().and_then(|key| self.sessions.get(&key)?.ended.as_ref());
        let of_person = self.people.get(&sign_in.subject()).and_then(|person| person.ended.as_ref());
        [of_session, of_person].map(|ended| ended.map(|it| (it.envelope.is_final, it.envelope.covers_until)))
    }

    /// Whether a sign-in is over, seen or not. It shows itself how old its session is at least.
    #[cfg(test)]
    pub(in crate::store) fn covers(&self, sign_in: &SignIn) -> bool {
        let own = sign_in.issued_at;
        let earliest_known = Some(self.earliest_known_of(sign_in).map_or(own, |known| known.min(own)));
        let of_session = sign_in.session().and_then(|key| self.sessions.get(&key)?.ended.as_ref());
        let of_person = self.people.get(&sign_in.subject()).and_then(|person| person.ended.as_ref());
        of_session.into_iter().chain(of_person).any(|ended| ended.envelope.covers(sign_in, earliest_known))
    }
}
