//! A person's sessions, for themselves: which there are, and ending them.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Hub;
use super::denied::Denied;
use super::issuer_list::AtIssuer;
use super::lapse::{IssuerSays, standing};
use super::record::Done;
use super::sighting::Sighting;
use crate::domain::clock::UnixMillis;
use crate::domain::device::{Device, name_of};
use crate::domain::ids::{ClientId, Issuer, SessionKey};
use crate::domain::logout::{LogoutTarget, Reason, SignIn, Source};
use crate::oidc::management::IssuerSession;
use crate::store::SessionRecord;

/// What the session that asks is called by itself: it always has that name, whether or
/// not the registry knows it by another.
pub const CURRENT: &str = "current";

/// How many sessions one answer lists.
pub const LISTED_AT_MOST: usize = 100;

/// A session last seen so long ago counts as active now, in milliseconds.
const NOW_MILLIS: i64 = 5 * 60 * 1000;

/// What apps tell the person whose session was ended from the list of their sessions.
const FROM_ANOTHER_DEVICE: &str = "You signed out from another device";

/// One of a person's sessions.
#[derive(Clone, Debug)]
pub struct OwnSession {
    /// Its public name.
    pub id: String,
    /// The name that it has while only the issuer knows of it. It stays good: the hub may
    /// see the session while the person looks at the list.
    pub first_id: Option<String>,
    /// Its name at the issuer; absent only where the issuer names no sessions, and this
    /// is the one that asks.
    pub key: Option<SessionKey>,
    /// What people call the device: "Chrome on macOS".
    pub device: String,
    /// Whether it is the one that asks.
    pub is_current: bool,
    /// The apps that were seen to use it.
    pub apps: Vec<OwnApp>,
    /// When the person signed in.
    pub started_at: UnixMillis,
    /// When it was last seen.
    pub last_seen_at: UnixMillis,
    /// Whether somebody is there just now: an app of it is open, or was a moment ago.
    pub is_active: bool,
    /// How it stands.
    pub standing: Standing,
    /// The address, or the network, that it was last seen at.
    pub address: Option<String>,
    /// The number of the autonomous system that the address belongs to, where the issuer
    /// says it.
    pub asn: Option<u32>,
}

/// How a session stands that no logout has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing speaks against it. So it is with the one that asks.
    Lasts,
    /// It has ended at the issuer, as that says itself. Its apps may go on.
    EndedAtIssuer,
    /// It is probably over: it is not listed, and is ended with the others.
    Lapsed,
}

/// An app of a session.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct OwnApp {
    /// Its name.
    pub name: String,
    /// Its `client_id`.
    pub client_id: String,
}

/// A person's sessions.
#[derive(Clone, Debug)]
pub struct OwnSessions {
    /// Those that no logout has ended: the one that asks first, then those where somebody
    /// is, then the one last seen; those that are probably over last.
    pub sessions: Vec<OwnSession>,
    /// Whether the issuer, which may know of more, could not be asked just now.
    pub is_issuer_silent: bool,
}

/// Which of their sessions a person wants to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The one of that public name.
    One(String),
    /// All but the one that asks.
    Others,
}

/// How much an end would reach. Sessions that are probably over count for themselves:
/// nobody is there, so they are on no device and in no app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reach {
    /// How many sessions that are alive.
    pub sessions: usize,
    /// On how many devices: browsers that call themselves the same, at the same address.
    pub devices: usize,
    /// In how many apps.
    pub apps: usize,
    /// And how many sessions that are probably over.
    pub lapsed: usize,
}

impl OwnSession {
    fn has_lapsed(&self) -> bool {
        self.standing == Standing::Lapsed
    }
}

impl Which {
    /// Those of a person's sessions that it names.
    #[must_use]
    pub fn of(&self, sessions: &[OwnSession]) -> Vec<OwnSession> {
        let is_meant = |session: &&OwnSession| match self {
            Self::One(id) => {
                let is_current = session.is_current && id == CURRENT;
                session.id == *id || session.first_id.as_ref() == Some(id) || is_current
            }
            Self::Others => !session.is_current,
        };
        sessions.iter().filter(is_meant).cloned().collect()
    }
}

/// Those of them, in their order, that an answer lists: not those that are probably over,
/// and no more than [`LISTED_AT_MOST`].
#[must_use]
pub fn listed(sessions: &[OwnSession]) -> &[OwnSession] {
    let alive = sessions.iter().take_while(|session| !session.has_lapsed()).count();
    &sessions[..alive.min(LISTED_AT_MOST)]
}

impl Reach {
    /// What ending these sessions would reach.
    #[must_use]
    pub fn of(sessions: &[OwnSession]) -> Self {
        let alive = || sessions.iter().filter(|session| !session.has_lapsed());
        let devices: BTreeSet<_> = alive().map(|session| (&session.device, &session.address)).collect();
        let apps: BTreeSet<_> = alive().flat_map(|session| &session.apps).collect();
        let count = alive().count();
        Self { sessions: count, devices: devices.len(), apps: apps.len(), lapsed: sessions.len() - count }
    }
}

impl Hub {
    /// The sessions of the person who asks: those that the hub has seen, and those that
    /// only the issuer knows of, where it can be asked. `device` is what the person asks
    /// from.
    ///
    /// # Errors
    /// [`Denied::Store`]. That the issuer cannot be asked is none.
    pub async fn own_sessions(&self, who: &SignIn, device: Option<&Device>) -> Result<OwnSessions, Denied> {
        let current = who.session();
        let person = who.subject();
        let (known, mut at_issuer) = tokio::join!(self.store.sessions_of(&person), self.sessions_at_issuer(&person));
        let is_issuer_silent = at_issuer.is_silent();
        let mut sessions = self.seen_sessions(known?, &mut at_issuer, current.as_ref());
        for found in at_issuer.rest() {
            let key = SessionKey { issuer: who.issuer.clone(), sid: found.sid.clone() };
            sessions.push(self.unseen_session(key, &found, current.as_ref()));
        }
        self.show_asking(&mut sessions, who, device);
        sessions.sort_by_cached_key(|session| {
            let is_there = (!session.is_current, session.has_lapsed(), !session.is_active);
            (is_there, -session.last_seen_at.0, session.id.clone())
        });
        Ok(OwnSessions { sessions, is_issuer_silent })
    }

    /// Those that the hub has seen, with what the issuer says of them. What is over by the
    /// hub's own facts is over, though the issuer may yet hear of it.
    fn seen_sessions(
        &self,
        known: Vec<SessionRecord>,
        at_issuer: &mut AtIssuer,
        current: Option<&SessionKey>,
    ) -> Vec<OwnSession> {
        let mut sessions = Vec::with_capacity(known.len());
        for record in known {
            let (says, found) = at_issuer.take(&record.key.sid);
            if record.ended_by.is_none() || Some(&record.key) == current {
                sessions.push(self.shown_session(record, says, found.as_ref(), current));
            }
        }
        sessions
    }

    /// What asks just now is the best that is known of its device, and is there whether
    /// or not any app of it has been seen.
    fn show_asking(&self, sessions: &mut Vec<OwnSession>, who: &SignIn, device: Option<&Device>) {
        match (sessions.iter_mut().find(|session| session.is_current), device) {
            (None, device) => sessions.push(self.asking_session(who, device)),
            (Some(own), Some(device)) => {
                let address = device.address.to_string();
                own.asn = own.asn.filter(|_| own.address.as_ref() == Some(&address));
                own.device = name_of(device.user_agent.as_deref());
                own.address = Some(address);
            }
            (Some(_), None) => {}
        }
    }

    fn shown_session(
        &self,
        record: SessionRecord,
        says: IssuerSays,
        found: Option<&IssuerSession>,
        current: Option<&SessionKey>,
    ) -> OwnSession {
        let now = self.clock.now();
        let (is_current, is_open) = (current == Some(&record.key), self.is_open(&record.key));
        let standing =
            if is_current { Standing::Lasts } else { standing(&record, says, is_open, self.life.timeouts(), now) };
        let mut seen = Sighting::by_hub(&record);
        if let Some(found) = found {
            seen = seen.and(Sighting::by_issuer(found, now)).or_at_first(found);
        }
        let last_seen_at = seen.at.min(now);
        let mut apps = record.apps;
        apps.extend(found.into_iter().flat_map(|found| &found.clients).cloned());
        OwnSession {
            id: record.id.as_str().to_owned(),
            first_id: Some(self.first_id(&record.key)),
            device: name_of(seen.user_agent.as_deref()),
            is_current,
            apps: self.named_apps(&record.key.issuer, &apps),
            started_at: record.started_at.into(),
            last_seen_at,
            is_active: is_current || (standing != Standing::Lapsed && self.was_active(&record.key, last_seen_at)),
            standing,
            address: seen.address,
            asn: seen.asn,
            key: Some(record.key),
        }
    }

    /// The session that asks, where no app of it has been seen yet.
    fn asking_session(&self, who: &SignIn, device: Option<&Device>) -> OwnSession {
        OwnSession {
            id: CURRENT.to_owned(),
            first_id: None,
            key: who.session(),
            device: name_of(device.and_then(|device| device.user_agent.as_deref())),
            is_current: true,
            apps: Vec::new(),
            started_at: who.session_start(None).into(),
            last_seen_at: self.clock.now(),
            is_active: true,
            standing: Standing::Lasts,
            asn: None,
            address: device.map(|device| device.address.to_string()),
        }
    }

    pub(super) fn was_active(&self, key: &SessionKey, last_seen_at: UnixMillis) -> bool {
        self.clock.now().0 - last_seen_at.0 < NOW_MILLIS || self.is_open(key)
    }

    pub(super) fn named_apps(&self, issuer: &Issuer, apps: &[ClientId]) -> Vec<OwnApp> {
        let distinct: BTreeSet<_> = apps.iter().collect();
        let known = distinct.into_iter().filter_map(|id| self.directory.app(issuer, id.as_str()));
        let mut apps: Vec<_> =
            known.map(|app| OwnApp { name: app.name.clone(), client_id: app.client_id.as_str().to_owned() }).collect();
        apps.sort_by_key(|app| app.name.to_lowercase());
        apps
    }

    /// Ends sessions of the person who asks, each by a logout of its own. They come from
    /// [`Hub::own_sessions`], so they are theirs.
    ///
    /// # Errors
    /// [`Denied::Store`]: some of them may be ended all the same.
    pub async fn end_own_sessions(
        self: &Arc<Self>,
        who: &SignIn,
        sessions: &[OwnSession],
    ) -> Result<Vec<(OwnSession, Done)>, Denied> {
        let ends = sessions.iter().filter_map(|session| {
            let target = LogoutTarget::Session { key: session.key.clone()?, sub: Some(who.sub.clone()) };
            let reason = Reason::parse(FROM_ANOTHER_DEVICE).ok().filter(|_| !session.is_current);
            let mut report = self.report(target, Source::SessionApi, None, reason);
            if session.is_current {
                // The browser goes to the issuer itself.
                report.end_at_issuer = Self::end_at_issuer_after_page(&report);
            }
            Some(async { Ok((session.clone(), self.recorded(report).await?)) })
        });
        // All together, so that they are one commit; and each to its end, whatever
        // becomes of another.
        futures_util::future::join_all(ends).await.into_iter().collect()
    }
}
