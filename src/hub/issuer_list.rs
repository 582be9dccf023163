//! The sessions of a person that their issuer knows of, where its Management API is
//! configured: beside those that the hub has seen itself.

use std::collections::HashMap;
use std::time::Duration;

use super::Hub;
use super::lapse::IssuerSays;
use super::my_sessions::{OwnSession, Standing};
use super::sighting::Sighting;
use crate::domain::clock::UnixMillis;
use crate::domain::device::name_of;
use crate::domain::ids::{SessionKey, Sid, SubjectKey};
use crate::oidc::management::IssuerSession;

/// How long a person waits for the issuer's list at most: then they see the hub's own. To
/// end sessions there the hub has more patience, for nobody waits for that.
const PATIENCE: Duration = Duration::from_millis(1500);

/// What an issuer tells of one person's sessions.
pub(super) enum AtIssuer {
    /// There is no way to ask.
    NoWay,
    /// It could not be asked just now.
    Silent,
    /// All that last there.
    All(HashMap<Sid, IssuerSession>),
}

impl AtIssuer {
    pub(super) fn is_silent(&self) -> bool {
        matches!(self, Self::Silent)
    }

    /// What it says of one session, and what that is there.
    pub(super) fn take(&mut self, sid: &Sid) -> (IssuerSays, Option<IssuerSession>) {
        let Self::All(lasting) = self else { return (IssuerSays::Nothing, None) };
        match lasting.remove(sid) {
            Some(found) => (IssuerSays::Lasts, Some(found)),
            None => (IssuerSays::IsGone, None),
        }
    }

    /// Those that were not taken.
    pub(super) fn rest(self) -> impl Iterator<Item = IssuerSession> {
        let rest = if let Self::All(lasting) = self { lasting } else { HashMap::new() };
        rest.into_values()
    }
}

impl Hub {
    /// What the issuer says.
    pub(super) async fn sessions_at_issuer(&self, person: &SubjectKey) -> AtIssuer {
        let Some(management) = self.management.at(&person.issuer) else { return AtIssuer::NoWay };
        match management.sessions_within(&person.sub, PATIENCE).await {
            Ok(sessions) => {
                let now = self.clock.now();
                let lasting = sessions.into_iter().filter(|found| !found.is_over(now));
                AtIssuer::All(lasting.map(|found| (found.sid.clone(), found)).collect())
            }
            Err(fault) => {
                tracing::warn!(error = %fault, issuer = person.issuer.as_str(), "could not ask an issuer for sessions");
                AtIssuer::Silent
            }
        }
    }

    /// Always the same name, and nothing that could be read: it may stand in an address.
    pub(super) fn first_id(&self, key: &SessionKey) -> String {
        self.seal.public_name(&[key.issuer.as_str(), key.sid.as_str()])
    }

    /// A session that no app has shown to the hub yet.
    pub(super) fn unseen_session(
        &self,
        key: SessionKey,
        found: &IssuerSession,
        current: Option<&SessionKey>,
    ) -> OwnSession {
        let now = self.clock.now();
        let started_at: UnixMillis = found.authenticated_at.or(found.created_at).unwrap_or(now).min(now);
        let seen = Sighting::by_issuer(found, now).or_at_first(found);
        let last_seen_at = seen.at.max(started_at);
        let is_current = current == Some(&key);
        OwnSession {
            id: self.first_id(&key),
            first_id: None,
            device: name_of(seen.user_agent.as_deref()),
            is_current,
            apps: self.named_apps(&key.issuer, &found.clients),
            started_at,
            last_seen_at,
            is_active: is_current || self.was_active(&key, last_seen_at),
            standing: Standing::Lasts,
            address: seen.address,
            asn: seen.asn,
            key: Some(key),
        }
    }
}
