//! The sessions of a person that their issuer knows of, where its Management API is
//! configured: beside those that the hub has seen itself.

use std::time::Duration;

use super::Hub;
use super::my_sessions::OwnSession;
use crate::domain::clock::UnixMillis;
use crate::domain::device::name_of;
use crate::domain::ids::{Issuer, SessionKey, SubjectKey};
use crate::oidc::management::IssuerSession;

/// How long a person waits for the issuer's list at most: then they see the hub's own. To
/// end sessions there the hub has more patience, for nobody waits for that.
const PATIENCE: Duration = Duration::from_millis(1500);

impl Hub {
    /// What the issuer says; nothing where there is no way to ask; `None` where it could
    /// not be asked just now.
    pub(super) async fn sessions_at_issuer(&self, person: &SubjectKey) -> Option<Vec<IssuerSession>> {
        let Some(management) = self.management.at(&person.issuer) else { return Some(Vec::new()) };
        match management.sessions_within(&person.sub, PATIENCE).await {
            Ok(sessions) => Some(sessions),
            Err(fault) => {
                tracing::warn!(error = %fault, issuer = person.issuer.as_str(), "could not ask an issuer for sessions");
                None
            }
        }
    }

    /// Adds what only the issuer knows to the sessions that the hub has seen.
    pub(super) fn merge_at_issuer(
        &self,
        sessions: &mut Vec<OwnSession>,
        at_issuer: Vec<IssuerSession>,
        issuer: &Issuer,
        current: Option<&SessionKey>,
    ) {
        for found in at_issuer {
            let key = SessionKey { issuer: issuer.clone(), sid: found.sid.clone() };
            let known = sessions.iter_mut().find(|session| session.key.as_ref() == Some(&key));
            match known {
                Some(session) => self.complete(session, &found, issuer),
                None => sessions.push(self.unseen_session(key, &found, current)),
            }
        }
    }

    fn complete(&self, session: &mut OwnSession, found: &IssuerSession, issuer: &Issuer) {
        let last_seen_at = session.last_seen_at.max(found.last_interacted_at.unwrap_or(session.last_seen_at));
        // A clock that is ahead has seen nothing that is yet to come.
        session.last_seen_at = last_seen_at.min(self.clock.now());
        for app in self.named_apps(issuer, &found.clients) {
            if !session.apps.contains(&app) {
                session.apps.push(app);
            }
        }
        session.apps.sort_by_key(|app| app.name.to_lowercase());
    }

    /// Always the same name, and nothing that could be read: it may stand in an address.
    pub(super) fn first_id(&self, key: &SessionKey) -> String {
        self.seal.public_name(&[key.issuer.as_str(), key.sid.as_str()])
    }

    fn unseen_session(&self, key: SessionKey, found: &IssuerSession, current: Option<&SessionKey>) -> OwnSession {
        let now = self.clock.now();
        let started_at = found.authenticated_at.or(found.created_at).unwrap_or(now).min(now);
        let last_seen_at: UnixMillis = found.last_interacted_at.unwrap_or(started_at).min(now);
        let user_agent = found.device.last_user_agent.as_deref().or(found.device.initial_user_agent.as_deref());
        let is_current = current == Some(&key);
        OwnSession {
            id: self.first_id(&key),
            first_id: None,
            device: name_of(user_agent),
            is_current,
            apps: self.named_apps(&key.issuer, &found.clients),
            started_at,
            last_seen_at,
            is_active: is_current || self.was_active(&key, last_seen_at),
            address: found.device.last_ip.clone(),
            key: Some(key),
        }
    }
}
