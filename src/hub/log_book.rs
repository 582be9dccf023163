//! The log as operators read it: what happened when, who was told, who confirmed. It names no
//! person and no session but by the hash that the hub's own log has for them.

use std::collections::HashMap;

use super::Hub;
use super::denied::Denied;
use crate::domain::clock::UnixMillis;
use crate::domain::ids::{ClientId, Issuer, LogoutId, SessionKey, Sid, Subject, SubjectKey};
use crate::domain::logout::{Logout, LogoutTarget, Scope, Source};
use crate::domain::sweep::Reach;
use crate::store::{Delivery, DeliveryStatus, Expected, IssuerEnd};

/// How many logouts stand on a page.
pub const PAGE: u32 = 25;
/// How many logouts of one person or session are shown.
const FOUND_MAX: u32 = 50;

/// A logout, without whom it names.
pub struct Entry {
    /// Its name.
    pub id: LogoutId,
    /// At which issuer.
    pub issuer: Issuer,
    /// One session, or all of a person's.
    pub scope: Scope,
    /// The name that the hub's own log has for whom it ends.
    pub whom: String,
    /// Who said so.
    pub source: Source,
    /// Whether the issuer has confirmed it.
    pub is_final: bool,
    /// The app that reported it: its name for people.
    pub reported_by: Option<String>,
    /// Why, in words for people.
    pub reason: Option<String>,
    /// When it happened.
    pub occurred_at: UnixMillis,
    /// When it was written down.
    pub recorded_at: UnixMillis,
    /// A line for each app and way.
    pub receipt: Vec<Line>,
}

/// An app, by one way.
pub struct Line {
    /// The app's name for people.
    pub name: String,
    /// What is known of it.
    pub delivery: Delivery,
}

/// How far a receipt came, in apps: each counts once, as its best way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// How many there are.
    pub apps: usize,
    /// How many were told.
    pub told: usize,
    /// How many confirmed.
    pub confirmed: usize,
    /// How many were told in vain.
    pub failed: usize,
}

/// A page of the log.
pub struct Page {
    /// The newest first.
    pub entries: Vec<Entry>,
    /// The place before which the next page begins.
    pub next: Option<i64>,
}

/// What a search is for, and what it has found.
pub enum Found {
    /// The text is the name of a logout or of a sweep.
    Logout(LogoutId),
    /// The text is an app's `client_id`.
    App(ClientId),
    /// The text is taken for a `sid` or a `sub`: logouts, and how many sessions of a person
    /// by that name the hub knows.
    Whom(Vec<Entry>),
}

/// How a sweep stands, without whom it names.
pub struct SweepState {
    /// Its name.
    pub id: LogoutId,
    /// At which issuer.
    pub issuer: Issuer,
    /// Whose sessions, in words.
    pub whose: String,
    /// What began by then is over.
    pub before: UnixMillis,
    /// Why, in words for people.
    pub reason: String,
    /// When it was ordered.
    pub ordered_at: UnixMillis,
    /// When all was looked at.
    pub finished_at: Option<UnixMillis>,
    /// What was alive of it when it took effect.
    pub expected: Option<Expected>,
    /// How many sessions it has ended so far.
    pub sessions_ended: u64,
}

impl Entry {
    /// How far its receipt came.
    #[must_use]
    pub fn reached(&self) -> Reached {
        let mut best: HashMap<&ClientId, DeliveryStatus> = HashMap::new();
        for Line { delivery, .. } in &self.receipt {
            let own = best.entry(&delivery.client_id).or_insert(delivery.status);
            *own = delivery.status.max(*own);
        }
        let count = |is: fn(&DeliveryStatus) -> bool| best.values().filter(|status| is(status)).count();
        Reached {
            apps: best.len(),
            told: count(|status| *status >= DeliveryStatus::Delivered),
            confirmed: count(|status| *status == DeliveryStatus::Acknowledged),
            failed: count(|status| *status == DeliveryStatus::Failed),
        }
    }
}

impl Hub {
    /// A page of the log: all of it, or of one app.
    ///
    /// # Errors
    /// [`Denied::Store`].
    pub async fn log_page(&self, before: Option<i64>, app: Option<&ClientId>) -> Result<Page, Denied> {
        let page = self.store.newest_logouts(before, app, PAGE).await?;
        Ok(Page { entries: self.entries(page.logouts).await?, next: page.next })
    }

    /// A logout in full, with how its end at the issuer stands, where the hub has taken that
    /// upon itself.
    ///
    /// # Errors
    /// [`Denied::NotFound`], [`Denied::Store`].
    pub async fn log_entry(&self, id: LogoutId) -> Result<(Entry, Option<IssuerEnd>), Denied> {
        let end = self.store.issuer_end(id).await?;
        let found = self.store.find_logout(id).await?.ok_or(Denied::NotFound)?;
        let (logout, place) = found;
        let entry = self.entries(vec![(place, logout)]).await?.pop().ok_or(Denied::NotFound)?;
        Ok((entry, end))
    }

    /// Looks for a logout by its name, for an app, or for whom a `sid` or `sub` names at any
    /// issuer.
    ///
    /// # Errors
    /// [`Denied::Store`].
    pub async fn search_log(&self, text: &str) -> Result<Found, Denied> {
        if let Ok(id) = LogoutId::parse(&text.to_ascii_uppercase()) {
            return Ok(Found::Logout(id));
        }
        if let Some(app) = self.directory.apps_named(text).next() {
            return Ok(Found::App(app.client_id.clone()));
        }
        let (Ok(sid), Ok(sub)) = (Sid::parse(text), Subject::parse(text)) else { return Ok(Found::Whom(Vec::new())) };
        let mut found = Vec::new();
        for issuer in self.directory.issuers().map(|it| &it.issuer) {
            let session = SessionKey { issuer: issuer.clone(), sid: sid.clone() };
            found.extend(self.store.logouts_of_session(&session, FOUND_MAX).await?);
            let person = SubjectKey { issuer: issuer.clone(), sub: sub.clone() };
            found.extend(self.store.logouts_of_person(&person, FOUND_MAX).await?);
        }
        found.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
        found.dedup_by_key(|(place, _)| *place);
        Ok(Found::Whom(self.entries(found).await?))
    }

    /// How a sweep stands; `None` where the name is not that of a sweep.
    ///
    /// # Errors
    /// [`Denied::Store`].
    pub async fn sweep_state(&self, id: LogoutId) -> Result<Option<SweepState>, Denied> {
        let Some(progress) = self.store.find_sweep(id).await? else { return Ok(None) };
        let sweep = progress.sweep;
        let whose = match &sweep.reach {
            Reach::Everyone => "everyone".to_owned(),
            Reach::App(client_id) => format!("everyone who used {}", self.name_of(&sweep.issuer, client_id)),
            Reach::Person(sub) => {
                format!("the person that the log calls {}", self.log_name(&sweep.issuer, sub.as_str()))
            }
        };
        Ok(Some(SweepState {
            id,
            whose,
            before: sweep.covers_until.into(),
            reason: sweep.reason.as_str().to_owned(),
            ordered_at: sweep.ordered_at,
            finished_at: progress.finished_at,
            expected: progress.expected,
            sessions_ended: progress.sessions_ended,
            issuer: sweep.issuer,
        }))
    }

    /// The name that the hub's own log has for a session or a person at an issuer.
    #[must_use]
    pub fn log_name(&self, issuer: &Issuer, sid_or_sub: &str) -> String {
        self.log_hash.of(&[issuer.as_str(), sid_or_sub])
    }

    /// An app's name for people.
    #[must_use]
    pub fn name_of(&self, issuer: &Issuer, client_id: &ClientId) -> String {
        let app = self.directory.app(issuer, client_id.as_str());
        app.map_or_else(|| client_id.as_str().to_owned(), |app| app.name.clone())
    }

    async fn entries(&self, logouts: Vec<(i64, Logout)>) -> Result<Vec<Entry>, Denied> {
        let ids: Vec<_> = logouts.iter().map(|(_, logout)| logout.id).collect();
        let mut receipts = self.receipts_of(&ids).await?;
        let entry = |(_, logout): (i64, Logout)| {
            let receipt = receipts.remove(&logout.id).unwrap_or_default();
            self.entry(logout, receipt)
        };
        Ok(logouts.into_iter().map(entry).collect())
    }

    fn entry(&self, logout: Logout, receipt: Vec<Delivery>) -> Entry {
        let issuer = logout.target.issuer().clone();
        let line = |delivery: Delivery| Line { name: self.name_of(&issuer, &delivery.client_id), delivery };
        let whom = match &logout.target {
            LogoutTarget::Session { key, .. } => self.log_name(&issuer, key.sid.as_str()),
            LogoutTarget::User(key) => self.log_name(&issuer, key.sub.as_str()),
        };
        Entry {
            id: logout.id,
            scope: logout.target.scope(),
            whom,
            source: logout.source,
            is_final: logout.is_final,
            reported_by: logout.client_id.as_ref().map(|client_id| self.name_of(&issuer, client_id)),
            reason: logout.reason.map(|reason| reason.as_str().to_owned()),
            occurred_at: logout.occurred_at,
            recorded_at: logout.recorded_at,
            receipt: receipt.into_iter().map(line).collect(),
            issuer,
        }
    }
}
