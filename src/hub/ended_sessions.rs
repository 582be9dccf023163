//! What became of the sessions that a person has ended from the list: how far their
//! apps are.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Hub;
use super::denied::Denied;
use super::flight::{Flight, Leg, Next, Stuck};
use super::my_sessions::{OwnSession, listed};
use super::own_sign_in::SignedIn;
use super::progress::{AppProgress, AppState, Known, Moment, is_under_way, progress};
use crate::domain::digest::sha256_hex;
use crate::domain::ids::{Issuer, LogoutId};
use crate::store::IssuerEnd;

/// How long whoever is late is waited for, in milliseconds.
const PATIENCE_MILLIS: i64 = 10_000;

/// How long apps that the hub did not know of are waited for, in milliseconds.
const TURNING_UP_MILLIS: i64 = 3_000;

/// A session that was ended, and how far its apps are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EndedSession {
    /// The logout.
    pub id: String,
    /// What people call the device.
    pub device: String,
    /// How far it is, in a sentence.
    pub summary: String,
    /// What became of the sign-in at the issuer, in a sentence.
    pub at_issuer: String,
    /// Its apps.
    pub apps: Vec<AppProgress>,
}

/// What the page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EndedSessions {
    /// Each session that had been listed.
    pub sessions: Vec<EndedSession>,
    /// How many sessions were ended beside those: probably over already, or too many.
    pub beside: usize,
    /// Whether nothing is waited for any more; an app that is closed is not.
    pub is_settled: bool,
    /// Whether every app has confirmed, and no other will turn up.
    pub is_done: bool,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    issuer: String,
    /// SHA-256 of the secret of the browser that is on the page.
    browser: String,
    /// Unix milliseconds.
    ended_at: i64,
    ended: Vec<KeptEnd>,
    /// How many more were ended.
    #[serde(default)]
    beside: usize,
}

#[derive(Serialize, Deserialize)]
struct KeptEnd {
    device: String,
    logout: String,
    /// The apps that were seen in the session, by `client_id`.
    #[serde(default)]
    apps: Vec<String>,
}

impl KeptEnd {
    fn of(session: OwnSession, logout: LogoutId) -> Self {
        let apps = session.apps.into_iter().map(|app| app.client_id).collect();
        Self { device: session.device, logout: logout.to_string(), apps }
    }
}

impl Hub {
    /// Ends sessions of the person who is signed in to the hub's pages; the name of the
    /// page that shows what becomes of it.
    ///
    /// # Errors
    /// [`Stuck::Hub`].
    pub async fn end_and_show(
        self: &Arc<Self>,
        who: &SignedIn,
        sessions: &[OwnSession],
        browser: &str,
    ) -> Result<String, Stuck> {
        let done = self.end_own_sessions(&who.sign_in, sessions).await?;
        let (ended, shown) = (done.len(), listed(sessions).len());
        let names = done.into_iter().map(|(session, done)| KeptEnd::of(session, done.logout.id));
        let kept = Kept {
            issuer: who.sign_in.issuer.as_str().to_owned(),
            browser: sha256_hex(browser.as_bytes()),
            ended_at: self.clock.now().0,
            beside: ended.saturating_sub(shown),
            ended: names.take(shown).collect(),
        };
        self.keep(Leg::Ended, &kept).await
    }

    /// Ends the session that the person asks from, as a link to the common logout would.
    ///
    /// # Errors
    /// [`Stuck`].
    pub async fn end_this(self: &Arc<Self>, who: &SignedIn, this: &OwnSession, browser: &str) -> Result<Next, Stuck> {
        let done = self.end_own_sessions(&who.sign_in, std::slice::from_ref(this)).await?;
        self.forget_own_sign_in(who.browser()).await?;
        let flight = Flight {
            issuer: who.sign_in.issuer.as_str().to_owned(),
            logout_id: done.first().map(|(_, done)| done.logout.id.to_string()),
            sid: who.sign_in.sid.as_ref().map(|sid| sid.as_str().to_owned()),
            ..Flight::default()
        };
        self.show(flight, browser).await
    }

    /// How far the sessions on the page of that name are.
    ///
    /// # Errors
    /// [`Stuck::NoFlight`] for a page that is too old; [`Stuck::NotThisBrowsers`].
    pub async fn ended_sessions(&self, name: &str, browser: &str) -> Result<EndedSessions, Stuck> {
        let kept: Kept = self.look_at(Leg::Ended, name).await?;
        if kept.browser != sha256_hex(browser.as_bytes()) {
            return Err(Stuck::NotThisBrowsers);
        }
        let issuer = Issuer::parse(&kept.issuer).map_err(|_| Stuck::NoFlight)?;
        let since = self.clock.now().0 - kept.ended_at;
        let is_over = since >= PATIENCE_MILLIS;
        let moment = if is_over { Moment::Over } else { Moment::AfterIssuer };
        let host = issuer.host();
        let ids = kept.ended.iter().map(|end| LogoutId::parse(&end.logout)).collect::<Result<Vec<_>, _>>();
        let ids = ids.map_err(|_| Stuck::NoFlight)?;
        let receipts = self.receipts_of(&ids).await.map_err(Denied::Store)?;
        let ends = self.store.issuer_ends_of(&ids).await.map_err(Denied::Store)?;
        let mut sessions = Vec::with_capacity(kept.ended.len());
        // Apps may yet turn up: those that take the issuer's own tokens, when these come.
        let mut is_settled = since >= TURNING_UP_MILLIS;
        for (KeptEnd { device, logout: id, apps }, logout) in kept.ended.into_iter().zip(&ids) {
            let rows = receipts.get(logout).map_or(&[][..], Vec::as_slice);
            let known = Known { asked: None, used: &apps };
            let apps = progress(&self.directory, &issuer, rows, known, moment);
            let end = ends.get(logout);
            let is_pending = matches!(end, Some(IssuerEnd::Pending(_)));
            is_settled &= !is_under_way(&apps) && (!is_pending || is_over);
            let at_issuer = at_issuer(&host, end);
            sessions.push(EndedSession { id, device, summary: summary(&apps), at_issuer, apps });
        }
        // Who is late, or closed, may still confirm.
        let mut apps = sessions.iter().flat_map(|session| &session.apps);
        let is_done = is_over && is_settled && apps.all(|app| app.state == AppState::SignedOut);
        Ok(EndedSessions { sessions, beside: kept.beside, is_settled, is_done })
    }
}

/// Unconfirmed is never shown as done.
fn at_issuer(host: &str, end: Option<&IssuerEnd>) -> String {
    match end {
        Some(IssuerEnd::Ended) => format!("The sign-in at {host} has ended too."),
        Some(IssuerEnd::Pending(None)) => format!("The sign-in at {host} is being ended."),
        Some(IssuerEnd::Pending(Some(_))) => format!("The sign-in at {host} could not be ended yet; we keep trying."),
        Some(IssuerEnd::Failed(_)) => format!("The sign-in at {host} could not be ended: end it there."),
        None => format!("The sign-in at {host} stays open on that device: apps there may sign in again by it."),
    }
}

/// "Signed out in 2 of 3 apps".
fn summary(apps: &[AppProgress]) -> String {
    let done = apps.iter().filter(|app| app.state == AppState::SignedOut).count();
    match apps.len() {
        0 => "No app had been seen in this session".to_owned(),
        1 => format!("Signed out in {done} of 1 app"),
        all => format!("Signed out in {done} of {all} apps"),
    }
}
