//! A browser on its way: from an app to the issuer, and back.
//!
//! What belongs to it is kept in the store under a name that nobody can guess, so that
//! no token, `sid` or `sub` stands in a URL of the hub's.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::Url;

use super::Hub;
use super::caller::Person;
use super::denied::Denied;
use super::end_session_wish::EndSession;
use super::progress::Moment;
use super::report_logout::unguessable;
use crate::domain::clock::UnixSeconds;
use crate::domain::digest::{sha256, sha256_hex};
use crate::domain::ids::{ClientId, Issuer, LogoutId, Sid};
use crate::domain::via::Via;
use crate::oidc::fault::TokenFault;
use crate::store::{DeliveryKey, NewTicket, Ticket};

/// How long a browser may take for one leg of its way, in seconds; also how long a
/// receipt can be looked at.
pub const FLIGHT_TTL_SECONDS: i64 = 600;

/// A leg of the way. A name that was given out for one is good for no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leg {
    /// From an app's own report to the hub.
    Departure,
    /// To the issuer and back, to learn who is signed in.
    SigningIn,
    /// On the page that shows the apps signing out. Good for more than one look.
    Page,
    /// To an app of the redirect chain and back.
    Chain,
    /// To the issuer and back, to end the session there.
    Return,
    /// At the end: the receipt. Good for more than one look.
    Receipt,
    /// To the issuer and back, to prove once more who one is.
    ProveAgain,
    /// A sign-in to the hub's own pages that has been taken.
    OwnSignInTaken,
    /// Signed in to the hub's own pages. Good until it ends.
    OwnSession,
    /// The page that shows sessions ending. Good for more than one look.
    Ended,
}

impl Leg {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Departure => "departure",
            Self::SigningIn => "signing_in",
            Self::Page => "page",
            Self::Chain => "chain",
            Self::Return => "return",
            Self::Receipt => "receipt",
            Self::ProveAgain => "prove_again",
            Self::OwnSignInTaken => "own_sign_in_taken",
            Self::OwnSession => "own_session",
            Self::Ended => "ended",
        }
    }
}

/// A browser on its way.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Flight {
    pub(super) issuer: String,
    pub(super) client_id: Option<String>,
    pub(super) redirect: Option<String>,
    pub(super) state: Option<String>,
    pub(super) logout_id: Option<String>,
    /// The session that this browser had.
    pub(super) sid: Option<String>,
    pub(super) pass_on: Vec<(String, String)>,
    /// The apps whose back ends had answered when the browser left for the issuer.
    pub(super) answered: Vec<String>,
    /// Whether the browser has been to the issuer.
    pub(super) has_returned: bool,
    /// SHA-256 of the secret of the browser that is on the page: it is nobody else's.
    pub(super) browser: Option<String>,
}

/// Where a browser goes next.
#[derive(Debug)]
pub enum Next {
    /// To the issuer, to end the session there; the flight's name stands in its `state`,
    /// and goes into a cookie for issuers that return none.
    Issuer {
        /// The issuer's address, with everything it needs.
        url: Url,
        /// The flight's name.
        flight: String,
    },
    /// To the issuer, to learn who is signed in; or to an app of the redirect chain.
    /// Only this browser can come back from there.
    Elsewhere(Url),
    /// To the page that shows the apps signing out, by its name.
    Page(String),
    /// Back to the app.
    App(String),
    /// To the receipt of a logout, by its name.
    Receipt(LogoutId, String),
    /// Nowhere: the person is told that they are signed out.
    Done,
}

/// Why a browser cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Stuck {
    /// The link was used before, is too old, or was never ours.
    #[error("the link is used up or unknown")]
    NoFlight,
    /// The link was made for another browser, or was changed.
    #[error("the link is not this browser's")]
    NotThisBrowsers,
    /// The issuer's metadata cannot be had. What the hub could do itself is done.
    #[error("the issuer cannot be reached")]
    IssuerUnreachable,
    /// The hint may not do what it asks for.
    #[error("hint refused: {}", .0.code())]
    Hint(TokenFault),
    /// Our own trouble.
    #[error(transparent)]
    Hub(#[from] Denied),
}

impl Flight {
    /// The flight that a page of an app goes on with after its own report. The store
    /// keeps the logout's id beside it: it is known only once the report is recorded.
    #[must_use]
    pub fn from_report(person: &Person) -> Self {
        Self {
            issuer: person.sign_in.issuer.as_str().to_owned(),
            client_id: Some(person.app.client_id.as_str().to_owned()),
            redirect: person.app.post_logout_redirect_uris.first().cloned(),
            sid: person.sign_in.sid.as_ref().map(|sid| sid.as_str().to_owned()),
            ..Self::default()
        }
    }

    /// The flight of a browser that was sent to the redirect endpoint.
    pub(super) fn from_wish(wish: EndSession, issuer: &Issuer) -> Self {
        let sid = wish.hint.as_ref().and_then(|person| person.sign_in.sid.as_ref());
        Self {
            issuer: issuer.as_str().to_owned(),
            client_id: wish.app.as_ref().map(|app| app.client_id.as_str().to_owned()),
            redirect: wish.redirect.map(|redirect| redirect.with_state(None)),
            state: wish.state,
            sid: sid.map(|sid| sid.as_str().to_owned()),
            pass_on: wish.pass_on,
            ..Self::default()
        }
    }

    /// Whose session ends.
    pub(super) fn issuer(&self) -> Result<Issuer, Stuck> {
        Issuer::parse(&self.issuer).map_err(|_| Stuck::NoFlight)
    }

    /// From where this browser looks at its apps.
    pub(super) fn moment(&self) -> Moment {
        if self.has_returned { Moment::AfterIssuer } else { Moment::BeforeIssuer }
    }

    /// The logout that is under way, where one was recorded.
    pub(super) fn logout(&self) -> Option<LogoutId> {
        LogoutId::parse(self.logout_id.as_deref()?).ok()
    }

    /// The receipt's row for an app that is reached through this browser.
    pub(super) fn delivery(&self, logout: LogoutId, client_id: ClientId, via: Via) -> Result<DeliveryKey, Stuck> {
        Ok(DeliveryKey { issuer: self.issuer()?, logout, client_id, sid: self.sid(), via })
    }

    /// The session that this browser had, where known.
    pub(super) fn sid(&self) -> Option<Sid> {
        Sid::parse(self.sid.as_deref()?).ok()
    }
}

impl Hub {
    /// A name for a leg, and what is to be kept under it for `ttl_seconds`.
    pub(super) fn pack(&self, leg: Leg, what: &impl Serialize, ttl_seconds: i64) -> (String, NewTicket) {
        let name = unguessable();
        let ticket = self.ticket(&name, leg, what, ttl_seconds);
        (name, ticket)
    }

    pub(super) fn ticket(&self, name: &str, leg: Leg, what: &impl Serialize, ttl_seconds: i64) -> NewTicket {
        let payload = serde_json::to_string(what).unwrap_or_default();
        let expires_at = self.clock.now().plus_seconds(ttl_seconds);
        NewTicket { digest: sha256(name.as_bytes()), kind: leg.as_str(), payload, expires_at }
    }

    /// Keeps something for a leg; its name.
    pub(super) async fn keep(&self, leg: Leg, what: &impl Serialize) -> Result<String, Stuck> {
        let name = unguessable();
        self.keep_as(&name, leg, what).await?;
        Ok(name)
    }

    /// The same, under a name that has been made before.
    pub(super) async fn keep_as(&self, name: &str, leg: Leg, what: &impl Serialize) -> Result<(), Stuck> {
        let ticket = self.ticket(name, leg, what, FLIGHT_TTL_SECONDS);
        Ok(self.store.add_ticket(ticket).await.map_err(Denied::Store)?)
    }

    /// Takes what was kept: whoever comes next finds nothing.
    pub(super) async fn take_kept<T: DeserializeOwned>(&self, leg: Leg, name: &str) -> Result<T, Stuck> {
        let ticket = self.store.take_ticket(sha256(name.as_bytes()), leg.as_str(), self.clock.now()).await;
        read(ticket.map_err(Denied::Store)?.as_ref())
    }

    /// Looks at what was kept, and leaves it there.
    pub(super) async fn look_at<T: DeserializeOwned>(&self, leg: Leg, name: &str) -> Result<T, Stuck> {
        let ticket = self.store.peek_ticket(sha256(name.as_bytes()), leg.as_str(), self.clock.now()).await;
        read(ticket.map_err(Denied::Store)?.as_ref())
    }

    /// A page for this flight, in this browser; its name.
    pub(super) async fn keep_page(&self, flight: Flight, browser: &str) -> Result<String, Stuck> {
        self.keep(Leg::Page, &Flight { browser: Some(sha256_hex(browser.as_bytes())), ..flight }).await
    }

    /// The flight of the page that this browser is on.
    pub(super) async fn look_at_page(&self, name: &str, browser: &str) -> Result<Flight, Stuck> {
        let flight: Flight = self.look_at(Leg::Page, name).await?;
        let is_its_own = flight.browser.as_deref() == Some(&sha256_hex(browser.as_bytes()));
        if is_its_own { Ok(flight) } else { Err(Stuck::NotThisBrowsers) }
    }

    /// The flight that begins with an app's own report, with the logout that came of it.
    pub(super) async fn take_departure(&self, name: &str) -> Result<Flight, Stuck> {
        let leg = Leg::Departure.as_str();
        let taken =
            self.store.take_ticket(sha256(name.as_bytes()), leg, self.clock.now()).await.map_err(Denied::Store)?;
        let flight: Flight = read(taken.as_ref())?;
        let logout_id = taken.and_then(|ticket| ticket.logout).map(|id| id.to_string());
        Ok(Flight { logout_id, ..flight })
    }

    /// Up to when a browser may come back.
    pub(super) fn back_by(&self) -> UnixSeconds {
        self.clock.now().floor().plus(FLIGHT_TTL_SECONDS)
    }
}

fn read<T: DeserializeOwned>(ticket: Option<&Ticket>) -> Result<T, Stuck> {
    let ticket = ticket.ok_or(Stuck::NoFlight)?;
    serde_json::from_str(&ticket.payload).map_err(|_| Stuck::NoFlight)
}
