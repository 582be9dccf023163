//! The common logout redirect endpoint: from an app's link, by way of the issuer,
//! back to the app (RP-Initiated Logout 1.0).

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use url::Url;

use super::Hub;
use super::caller::Person;
use super::denied::Denied;
use super::end_session_wish::EndSession;
use super::report_logout::{own_target, unguessable};
use crate::domain::app::App;
use crate::domain::ids::{ClientId, Issuer, LogoutId};
use crate::domain::logout::{LogoutTarget, Scope, Source};
use crate::domain::redirect::PostLogoutRedirect;
use crate::oidc::fault::TokenFault;
use crate::store::{NewTicket, Report};

/// How long a browser may take at the issuer, in seconds.
pub const FLIGHT_TTL_SECONDS: i64 = 600;

/// A one-time link from an app's own report to the issuer.
const DEPARTURE: &str = "departure";
/// A one-time link from the issuer back.
const RETURN: &str = "return";

/// A browser on its way: kept in the store under a name that nobody can guess, so
/// that no token, `sid` or `sub` stands in a URL. Used once.
#[derive(Debug, Serialize, Deserialize)]
pub struct Flight {
    issuer: String,
    client_id: Option<String>,
    redirect: Option<String>,
    state: Option<String>,
    logout_id: Option<String>,
    #[serde(default)]
    pass_on: Vec<(String, String)>,
}

/// Where a browser goes next.
#[derive(Debug)]
pub enum Next {
    /// To the issuer; the flight's name stands in its `state`, and goes into a cookie
    /// for issuers that return none.
    Issuer {
        /// The issuer's address, with everything it needs.
        url: Url,
        /// The flight's name.
        flight: String,
    },
    /// Back to the app.
    App(String),
    /// Nowhere: the person is told that they are signed out.
    Done,
}

/// Why a browser cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Stuck {
    /// The link was used before, is too old, or was never ours.
    #[error("the link is used up or unknown")]
    NoFlight,
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
            state: None,
            logout_id: None,
            pass_on: Vec::new(),
        }
    }

    fn from_wish(wish: EndSession, issuer: &Issuer, logout: Option<LogoutId>) -> Self {
        Self {
            issuer: issuer.as_str().to_owned(),
            client_id: wish.app.as_ref().map(|app| app.client_id.as_str().to_owned()),
            redirect: wish.redirect.map(|redirect| redirect.with_state(None)),
            state: wish.state,
            logout_id: logout.map(|id| id.to_string()),
            pass_on: wish.pass_on,
        }
    }
}

impl Hub {
    /// Ends the session that a hint names, and says where the browser goes.
    ///
    /// `issuer` is whose session ends where no app and no hint says so.
    ///
    /// # Errors
    /// [`Stuck`]; the logout is recorded and pushed even when the issuer cannot be reached.
    pub async fn end_session(self: &Arc<Self>, wish: EndSession, issuer: &Issuer) -> Result<Next, Stuck> {
        let logout = match &wish.hint {
            Some(person) => self.end_hinted(person, wish.scope).await?,
            None => None,
        };
        self.depart(Flight::from_wish(wish, issuer, logout)).await
    }

    async fn end_hinted(self: &Arc<Self>, person: &Person, scope: Scope) -> Result<Option<LogoutId>, Stuck> {
        if scope == Scope::User && person.proof.is_expired() {
            return Err(Stuck::Hint(TokenFault::TokenExpired));
        }
        // A hint without a sid names no session; the issuer's own end still comes.
        let Ok(target) = own_target(&person.sign_in, scope) else { return Ok(None) };
        let report = self.report(target, Source::Redirect, Some(person.app.client_id.clone()), None);
        let report = Report { seen: Some(person.sign_in.clone()), ..report };
        Ok(Some(self.recorded(report).await?.logout.id))
    }

    /// Goes on with the link that a reporting page was given.
    ///
    /// # Errors
    /// [`Stuck`].
    pub async fn continue_flight(self: &Arc<Self>, name: &str) -> Result<Next, Stuck> {
        let flight = self.take_flight(name, DEPARTURE).await?;
        self.depart(flight).await
    }

    /// Takes a browser back from the issuer: the session has ended there, so its
    /// logout becomes final.
    ///
    /// # Errors
    /// [`Stuck`].
    pub async fn return_from_issuer(self: &Arc<Self>, name: &str) -> Result<Next, Stuck> {
        let flight = self.take_flight(name, RETURN).await?;
        if let Some(id) = flight.logout_id.as_deref().and_then(|id| LogoutId::parse(id).ok())
            && let Err(error) = self.confirm(id).await
        {
            // The person is signed out all the same, and the issuer's own token will
            // confirm it: no reason to hold the browser here.
            tracing::warn!(error = %error, logout.id = %id, "could not make a logout final");
        }
        let app = self.app_of(&flight);
        let back = flight.redirect.as_deref().zip(app).and_then(|(uri, app)| PostLogoutRedirect::on_list(&app, uri));
        Ok(back.map_or(Next::Done, |uri| Next::App(uri.with_state(flight.state.as_deref()))))
    }

    async fn confirm(self: &Arc<Self>, id: LogoutId) -> Result<(), Denied> {
        let Some((logout, _)) = self.store.find_logout(id).await? else { return Ok(()) };
        // The issuer ended this browser's session, not the person's others.
        if matches!(logout.target, LogoutTarget::User(_)) || logout.is_final {
            return Ok(());
        }
        let report = self.report(logout.target, Source::Redirect, logout.client_id, None);
        self.recorded(Report { is_final: true, ..report }).await.map(|_| ())
    }

    fn app_of(&self, flight: &Flight) -> Option<Arc<App>> {
        let issuer = Issuer::parse(&flight.issuer).ok()?;
        self.directory.app(&issuer, flight.client_id.as_deref()?).cloned()
    }

    async fn depart(&self, flight: Flight) -> Result<Next, Stuck> {
        let issuer = Issuer::parse(&flight.issuer).map_err(|_| Stuck::NoFlight)?;
        let settings = self.directory.issuer(issuer.as_str()).ok_or(Stuck::NoFlight)?;
        let metadata = self.keys.metadata_or_fetch(&issuer).await.ok_or(Stuck::IssuerUnreachable)?;
        let own = settings.client.as_ref().map(|client| client.client_id.as_str().to_owned());
        let client_id = flight.client_id.clone().or(own);
        let pass_on = flight.pass_on.clone();
        let (name, ticket) = self.keep_flight(&flight, RETURN, FLIGHT_TTL_SECONDS);
        self.store.add_ticket(ticket).await.map_err(Denied::Store)?;
        let callback = format!("{}/logout/callback", self.rules.public_url.as_str());
        let url = leave_for(&issuer, metadata.end_session_endpoint.as_ref(), client_id, &callback, &name, &pass_on);
        Ok(Next::Issuer { url: url.ok_or(Stuck::IssuerUnreachable)?, flight: name })
    }

    /// A page's way on from its own report: the link's name, and what is to be kept
    /// under it for `ttl_seconds`.
    pub(super) fn departure(&self, flight: &Flight, ttl_seconds: i64) -> (String, NewTicket) {
        self.keep_flight(flight, DEPARTURE, ttl_seconds)
    }

    fn keep_flight(&self, flight: &Flight, kind: &'static str, ttl_seconds: i64) -> (String, NewTicket) {
        let name = unguessable();
        let payload = serde_json::to_string(flight).unwrap_or_default();
        let expires_at = self.clock.now().plus_seconds(ttl_seconds);
        let ticket = NewTicket { digest: flight_digest(&name), kind, payload, expires_at };
        (name, ticket)
    }

    async fn take_flight(&self, name: &str, kind: &'static str) -> Result<Flight, Stuck> {
        let taken = self.store.take_ticket(flight_digest(name), kind, self.clock.now()).await.map_err(Denied::Store)?;
        let taken = taken.ok_or(Stuck::NoFlight)?;
        let flight: Flight = serde_json::from_str(&taken.payload).map_err(|_| Stuck::NoFlight)?;
        let logout = taken.logout.map(|id| id.to_string());
        Ok(Flight { logout_id: flight.logout_id.or(logout), ..flight })
    }
}

fn flight_digest(name: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, name.as_bytes()).as_ref());
    bytes
}

/// The issuer's `end_session_endpoint`; without one, Auth0's `/v2/logout`, which
/// calls the return address `returnTo` and knows no `state`.
fn leave_for(
    issuer: &Issuer,
    end_session: Option<&Url>,
    client_id: Option<String>,
    callback: &str,
    flight: &str,
    pass_on: &[(String, String)],
) -> Option<Url> {
    let mut url = match end_session {
        Some(url) => url.clone(),
        None => Url::parse(issuer.as_str()).ok()?.join("v2/logout").ok()?,
    };
    {
        let mut query = url.query_pairs_mut();
        if let Some(client_id) = client_id {
            query.append_pair("client_id", &client_id);
        }
        if end_session.is_some() {
            query.append_pair("post_logout_redirect_uri", callback).append_pair("state", flight);
        } else {
            query.append_pair("returnTo", callback);
        }
        for (name, value) in pass_on {
            // Auth0 looks for the bare word `federated`.
            if value.is_empty() {
                query.append_key_only(name)
            } else {
                query.append_pair(name, value)
            };
        }
    }
    Some(url)
}

impl Hub {
    /// Whose session ends when nothing says so: the only issuer there is.
    #[must_use]
    pub fn only_issuer(&self) -> Option<Issuer> {
        let mut all = self.directory.issuers();
        let first = all.next()?.issuer.clone();
        all.next().is_none().then_some(first)
    }

    /// The hub's own client id at an issuer, where it has one.
    #[must_use]
    pub fn own_client(&self, issuer: &Issuer) -> Option<ClientId> {
        self.directory.issuer(issuer.as_str())?.client.as_ref().map(|client| client.client_id.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(end_session: Option<&str>, pass_on: &[(String, String)]) -> String {
        let issuer = Issuer::parse("https://acme.eu.auth0.com/").unwrap();
        let end_session = end_session.map(|url| Url::parse(url).unwrap());
        let callback = "https://logout.example/logout/callback";
        leave_for(&issuer, end_session.as_ref(), Some("notes".into()), callback, "FLIGHT", pass_on).unwrap().into()
    }

    #[test]
    fn the_end_session_endpoint_gets_the_flight_as_its_state() {
        assert_eq!(
            to(Some("https://acme.eu.auth0.com/oidc/logout?x=1"), &[]),
            "https://acme.eu.auth0.com/oidc/logout?x=1&client_id=notes\
             &post_logout_redirect_uri=https%3A%2F%2Flogout.example%2Flogout%2Fcallback&state=FLIGHT"
        );
    }

    #[test]
    fn without_one_it_is_auth0s_own() {
        assert_eq!(
            to(None, &[("federated".into(), String::new())]),
            "https://acme.eu.auth0.com/v2/logout?client_id=notes\
             &returnTo=https%3A%2F%2Flogout.example%2Flogout%2Fcallback&federated"
        );
    }
}
