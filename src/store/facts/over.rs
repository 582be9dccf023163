//! Which sessions nothing is left of. Pure, as all of [`Facts`].

use super::Facts;
use crate::domain::ids::SessionKey;
use crate::domain::logout::LogoutTarget;

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
}
