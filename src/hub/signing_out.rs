//! The page on which a person sees their apps signing out, and the frames on it
//! (OpenID Connect Front-Channel Logout 1.0).

use std::fmt;
use std::sync::Arc;

use futures_util::future::try_join_all;
use serde::Serialize;
use tokio::sync::watch;

use super::Hub;
use super::denied::Denied;
use super::flight::{Flight, Leg, Next, Stuck};
use super::progress::{AppProgress, Known, Moment, progress};
use super::seal::Purpose;
use crate::domain::app::{App, BackchannelToken};
use crate::domain::clock::UnixMillis;
use crate::domain::ids::{ClientId, Issuer, LogoutId};
use crate::domain::logout::Scope;
use crate::domain::via::Via;
use crate::store::{Delivery, DeliveryStatus};

/// What the page shows.
#[derive(Debug)]
pub struct SigningOut {
    /// Every app of the logout.
    pub apps: Vec<AppProgress>,
    /// The frames that the page has to load.
    pub frames: Vec<Frame>,
    /// Whether the browser has been to the issuer, so that apps may still turn up.
    pub has_returned: bool,
}

/// An app's page that is loaded in a frame, to sign out there.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// The app.
    pub client_id: String,
    /// The address, with `iss` and `sid`.
    pub src: String,
    /// The address as it is configured, without its query: what the page's policy lets in.
    #[serde(skip)]
    pub source: String,
    /// The only origin that may speak for the app.
    pub origin: String,
    /// The proof that whoever speaks was spoken to.
    pub nonce: String,
}

/// An address with a `sid` never reaches a log.
impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({}, …)", self.client_id)
    }
}

/// What a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameSays {
    /// The app has ended its session.
    Done,
    /// It could not: browsers keep what it stores apart in a frame on another site.
    Partitioned,
    /// It could not.
    Failed,
}

/// A page that a browser is on, with what it is about.
pub(super) struct OnPage {
    pub(super) flight: Flight,
    pub(super) issuer: Issuer,
    pub(super) logout: LogoutId,
    /// The receipt's rows.
    pub(super) rows: Vec<Delivery>,
}

/// A receipt for people.
#[derive(Debug)]
pub struct PaperReceipt {
    /// The apps, none of them waited for any more.
    pub apps: Vec<AppProgress>,
    /// Whether one session ended, or all of the person's.
    pub scope: Scope,
    /// The issuer whose session ended.
    pub issuer: Issuer,
    /// When.
    pub occurred_at: UnixMillis,
    /// Whether the issuer has confirmed it.
    pub is_final: bool,
}

impl Hub {
    /// To the page, where there is something to see; else straight to the issuer.
    pub(super) async fn show(self: &Arc<Self>, flight: Flight, browser: &str) -> Result<Next, Stuck> {
        let Some(id) = flight.logout() else { return self.depart(flight).await };
        let issuer = flight.issuer()?;
        let rows = self.receipt_of(id).await.map_err(Denied::Store)?;
        let apps = self.progress_of(&flight, &issuer, &rows, Moment::BeforeIssuer);
        // The app that sent the person here need not be shown to be waited for.
        let has_others = apps.iter().any(|app| Some(&app.client_id) != flight.client_id.as_ref());
        let visits = |app: &Arc<App>| app.frontchannel_logout_uri.is_some() || app.chain_logout_uri.is_some();
        if has_others || self.directory.apps_of(&issuer).any(visits) {
            return Ok(Next::Page(self.keep_page(flight, browser).await?));
        }
        self.depart(flight).await
    }

    /// Once more after the issuer, where other apps' back ends may hear of it only now:
    /// its tokens come when they come, and are passed on.
    pub(super) async fn show_again(self: &Arc<Self>, flight: Flight, browser: &str) -> Result<Next, Stuck> {
        let Some(id) = flight.logout() else { return self.arrive(&flight).await };
        let issuer = flight.issuer()?;
        let rows = self.receipt_of(id).await.map_err(Denied::Store)?;
        let is_open = |client_id: &ClientId| {
            let is_other = flight.client_id.as_deref() != Some(client_id.as_str());
            is_other && !flight.answered.iter().any(|own| own == client_id.as_str())
        };
        let is_told = rows.iter().any(|row| row.via == Via::Backchannel && is_open(&row.client_id));
        let may_be_told = |app: &Arc<App>| takes_issuers_tokens(app) && is_open(&app.client_id);
        if is_told || self.directory.apps_of(&issuer).any(may_be_told) {
            return Ok(Next::Page(self.keep_page(flight, browser).await?));
        }
        self.arrive(&flight).await
    }

    /// What the page of that name shows just now.
    ///
    /// # Errors
    /// [`Stuck::NoFlight`] for a page that the browser has left, or that is too old.
    pub async fn signing_out(&self, name: &str, browser: &str) -> Result<SigningOut, Stuck> {
        let mut at = self.on_page(name, browser).await?;
        let mut frames = Vec::new();
        if !at.flight.has_returned {
            frames = self.frames(&at, name);
            if self.note_frames(&at, &frames).await? {
                at.rows = self.receipt_of(at.logout).await.map_err(Denied::Store)?;
            }
        }
        Ok(SigningOut { apps: self.apps_on(&at), frames, has_returned: at.flight.has_returned })
    }

    /// How far the apps on the page of that name are.
    ///
    /// # Errors
    /// [`Stuck::NoFlight`].
    pub async fn signing_out_apps(&self, name: &str, browser: &str) -> Result<Vec<AppProgress>, Stuck> {
        Ok(self.apps_on(&self.on_page(name, browser).await?))
    }

    /// Rings whenever some receipt has changed.
    #[must_use]
    pub fn receipts_changed(&self) -> watch::Receiver<()> {
        self.store.receipts_changed()
    }

    /// A frame on the page of that name has spoken, and the page vouches that it came
    /// from the app's own origin and window.
    ///
    /// # Errors
    /// [`Stuck::NotThisBrowsers`] without the frame's own nonce; [`Stuck::NoFlight`].
    pub async fn frame_says(
        &self,
        name: &str,
        browser: &str,
        client_id: &str,
        nonce: &str,
        says: FrameSays,
    ) -> Result<(), Stuck> {
        let now = self.clock.now();
        if !self.seal.holds(nonce, Purpose::Frame, name, client_id, now.floor()) {
            return Err(Stuck::NotThisBrowsers);
        }
        let flight = self.look_at_page(name, browser).await?;
        let (Some(id), Ok(client_id)) = (flight.logout(), ClientId::parse(client_id)) else {
            return Err(Stuck::NoFlight);
        };
        let key = flight.delivery(id, client_id, Via::Frontchannel)?;
        let noted = match says {
            FrameSays::Done => {
                let noted = self.store.acknowledged(key, now).await;
                noted.map(|_| self.metrics.acknowledged(Via::Frontchannel, id, now))
            }
            FrameSays::Partitioned => {
                self.store.unconfirmed(key, "a frame on another site cannot reach the app's storage", now).await
            }
            FrameSays::Failed => self.store.unconfirmed(key, "the app could not sign out", now).await,
        };
        Ok(noted.map_err(Denied::Store)?)
    }

    /// The receipt of a logout, for who has its unguessable link.
    ///
    /// # Errors
    /// [`Stuck::NoFlight`] for another logout's link, or one that is too old.
    pub async fn paper_receipt(&self, id: &str, name: &str) -> Result<PaperReceipt, Stuck> {
        let kept: String = self.look_at(Leg::Receipt, name).await?;
        let id = LogoutId::parse(id).ok().filter(|id| id.to_string() == kept).ok_or(Stuck::NoFlight)?;
        let found = self.store.find_logout(id).await.map_err(Denied::Store)?;
        let (logout, _) = found.ok_or(Stuck::NoFlight)?;
        let rows = self.receipt_of(id).await.map_err(Denied::Store)?;
        let issuer = logout.target.issuer().clone();
        let asked = logout.client_id.as_ref().map(ClientId::as_str);
        Ok(PaperReceipt {
            apps: progress(&self.directory, &issuer, &rows, Known { asked, used: &[] }, Moment::Over),
            scope: logout.target.scope(),
            issuer,
            occurred_at: logout.occurred_at,
            is_final: logout.is_final,
        })
    }

    /// The page of that name, for the browser that is on it.
    pub(super) async fn on_page(&self, name: &str, browser: &str) -> Result<OnPage, Stuck> {
        let flight = self.look_at_page(name, browser).await?;
        let (issuer, Some(logout)) = (flight.issuer()?, flight.logout()) else { return Err(Stuck::NoFlight) };
        let rows = self.receipt_of(logout).await.map_err(Denied::Store)?;
        Ok(OnPage { flight, issuer, logout, rows })
    }

    fn apps_on(&self, at: &OnPage) -> Vec<AppProgress> {
        self.progress_of(&at.flight, &at.issuer, &at.rows, at.flight.moment())
    }

    pub(super) fn progress_of(
        &self,
        flight: &Flight,
        issuer: &Issuer,
        rows: &[Delivery],
        moment: Moment,
    ) -> Vec<AppProgress> {
        let known = Known { asked: flight.client_id.as_deref(), used: &[] };
        progress(&self.directory, issuer, rows, known, moment)
    }

    /// The frames of every app that has a page for it and has not been loaded before.
    fn frames(&self, at: &OnPage, page: &str) -> Vec<Frame> {
        let is_new = |app: &&Arc<App>| {
            let own = at.rows.iter().find(|row| row.via == Via::Frontchannel && row.client_id == app.client_id);
            own.is_none_or(|row| row.status == DeliveryStatus::Pending)
        };
        self.directory.apps_of(&at.issuer).filter(is_new).filter_map(|app| self.frame(app, &at.flight, page)).collect()
    }

    fn frame(&self, app: &App, flight: &Flight, page: &str) -> Option<Frame> {
        let mut src = app.frontchannel_logout_uri.clone()?;
        let client_id = app.client_id.as_str().to_owned();
        let mut source = src.clone();
        source.set_query(None);
        // Both or neither (Front-Channel Logout 1.0, section 2).
        if let Some(sid) = flight.sid() {
            src.query_pairs_mut().append_pair("iss", app.issuer.as_str()).append_pair("sid", sid.as_str());
        }
        Some(Frame {
            nonce: self.seal.put(Purpose::Frame, page, &client_id, self.back_by()),
            client_id,
            origin: src.origin().ascii_serialization(),
            src: src.into(),
            source: source.into(),
        })
    }

    /// Whether anything was noted.
    async fn note_frames(&self, at: &OnPage, frames: &[Frame]) -> Result<bool, Stuck> {
        let now = self.clock.now();
        let noting = frames.iter().filter_map(|frame| {
            let client_id = ClientId::parse(&frame.client_id).ok()?;
            let key = at.flight.delivery(at.logout, client_id, Via::Frontchannel).ok()?;
            Some(self.store.telling(key, now))
        });
        // All together, so that they are one commit.
        try_join_all(noting).await.map_err(Denied::Store)?;
        Ok(!frames.is_empty())
    }
}

/// Whether its issuer's own tokens are passed on to that app's back end.
fn takes_issuers_tokens(app: &App) -> bool {
    app.backchannel_logout_uri.is_some() && app.backchannel_logout_token == BackchannelToken::Issuer
}
