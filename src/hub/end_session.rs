//! The common logout redirect endpoint: from an app's link, by way of the issuer,
//! back to the app (RP-Initiated Logout 1.0).
//!
//! The way of a browser: the link; where no hint says who it is, to the issuer and back
//! to learn it; the page that shows the apps signing out; the apps of the redirect
//! chain; the issuer, to end the session there; the app.

use std::sync::Arc;

use url::Url;

use super::Hub;
use super::caller::Person;
use super::denied::Denied;
use super::end_session_wish::EndSession;
use super::flight::Leg;
pub use super::flight::{FLIGHT_TTL_SECONDS, Flight, Next, Stuck};
use super::report_logout::own_target;
use crate::domain::app::App;
use crate::domain::ids::{ClientId, Issuer, LogoutId, SessionKey, Sid};
use crate::domain::logout::{LogoutTarget, Scope, SignIn, Source};
use crate::domain::redirect::PostLogoutRedirect;
use crate::oidc::fault::TokenFault;
use crate::store::{NewTicket, Report};

impl Hub {
    /// Ends the session that a hint names, and says where the browser goes. Without a
    /// hint the issuer is asked first who is signed in, where the hub has a client there.
    ///
    /// `issuer` is whose session ends where no app and no hint says so. `browser` is a
    /// secret of the browser's own: what leads back here is good in that browser only.
    ///
    /// # Errors
    /// [`Stuck`]; the logout is recorded and pushed even when the issuer cannot be reached.
    pub async fn end_session(
        self: &Arc<Self>,
        wish: EndSession,
        issuer: &Issuer,
        browser: &str,
    ) -> Result<Next, Stuck> {
        let scope = wish.scope;
        let Some(person) = wish.hint.clone() else {
            return self.ask_who(Flight::from_wish(wish, issuer), scope, browser).await;
        };
        let logout = self.end_hinted(&person, scope).await?;
        let flight = Flight::from_wish(wish, issuer);
        self.show(Flight { logout_id: logout.map(|id| id.to_string()), ..flight }, browser).await
    }

    async fn end_hinted(self: &Arc<Self>, person: &Person, scope: Scope) -> Result<Option<LogoutId>, Stuck> {
        if scope == Scope::User && person.proof.is_expired() {
            return Err(Stuck::Hint(TokenFault::TokenExpired));
        }
        let app = person.app.client_id.clone();
        self.end_known(&person.sign_in, scope, Some(app), Some(person)).await
    }

    /// Records the logout of somebody whose sign-in is known. `hint` is the app's own
    /// token, where it was one that told.
    pub(super) async fn end_known(
        self: &Arc<Self>,
        sign_in: &SignIn,
        scope: Scope,
        app: Option<ClientId>,
        hint: Option<&Person>,
    ) -> Result<Option<LogoutId>, Stuck> {
        // A token without a sid names no session; the issuer's own end still comes.
        let Ok(target) = own_target(sign_in, scope) else { return Ok(None) };
        let report = self.report(target, Source::Redirect, app, None);
        let (shown, seen) = (hint.map(|hint| hint.shown), hint.map(|hint| hint.sign_in.clone()));
        Ok(Some(self.recorded(Report { shown, seen, ..report }).await?.logout.id))
    }

    /// Goes on with the link that a reporting page was given.
    ///
    /// # Errors
    /// [`Stuck`].
    pub async fn continue_flight(self: &Arc<Self>, name: &str, browser: &str) -> Result<Next, Stuck> {
        let flight = self.take_departure(name).await?;
        self.show(flight, browser).await
    }

    /// Takes a browser back from the issuer: the session has ended there, so its
    /// logout becomes final.
    ///
    /// # Errors
    /// [`Stuck`].
    pub async fn return_from_issuer(self: &Arc<Self>, name: &str, browser: &str) -> Result<Next, Stuck> {
        let flight: Flight = self.take_kept(Leg::Return, name).await?;
        if let Some(id) = flight.logout()
            && let Err(error) = self.confirm(id, flight.sid()).await
        {
            // The person is signed out all the same, and the issuer's own token will
            // confirm it: no reason to hold the browser here.
            tracing::warn!(error = %error, logout.id = %id, "could not make a logout final");
        }
        self.show_again(Flight { has_returned: true, ..flight }, browser).await
    }

    async fn confirm(self: &Arc<Self>, id: LogoutId, sid: Option<Sid>) -> Result<(), Denied> {
        let Some((logout, _)) = self.store.find_logout(id).await? else { return Ok(()) };
        let (target, goes_with) = match (logout.target, sid) {
            (LogoutTarget::Session { .. }, _) if logout.is_final => return Ok(()),
            (target @ LogoutTarget::Session { .. }, _) => (target, None),
            // The issuer ended this browser's session, not the person's others.
            (LogoutTarget::User(person), Some(sid)) => {
                let key = SessionKey { issuer: person.issuer.clone(), sid };
                (LogoutTarget::Session { key, sub: Some(person.sub.clone()) }, Some(person))
            }
            (LogoutTarget::User(_), None) => return Ok(()),
        };
        let report = self.report(target, Source::Redirect, logout.client_id, None);
        self.recorded(Report { is_final: true, goes_with, ..report }).await.map(|_| ())
    }

    /// The end of the way: the app, else the receipt.
    pub(super) async fn arrive(&self, flight: &Flight) -> Result<Next, Stuck> {
        let app = self.app_of(flight);
        let back = flight.redirect.as_deref().zip(app).and_then(|(uri, app)| PostLogoutRedirect::on_list(&app, uri));
        if let Some(uri) = back {
            return Ok(Next::App(uri.with_state(flight.state.as_deref())));
        }
        match flight.logout() {
            Some(id) => Ok(Next::Receipt(id, self.keep(Leg::Receipt, &id.to_string()).await?)),
            None => Ok(Next::Done),
        }
    }

    fn app_of(&self, flight: &Flight) -> Option<Arc<App>> {
        let issuer = Issuer::parse(&flight.issuer).ok()?;
        self.directory.app(&issuer, flight.client_id.as_deref()?).cloned()
    }

    /// To the issuer, to end the session there.
    pub(super) async fn depart(&self, flight: Flight) -> Result<Next, Stuck> {
        let issuer = flight.issuer()?;
        let settings = self.directory.issuer(issuer.as_str()).ok_or(Stuck::NoFlight)?;
        let metadata = self.keys.metadata_or_fetch(&issuer).await.ok_or(Stuck::IssuerUnreachable)?;
        let own = settings.client.as_ref().map(|client| client.client_id.as_str().to_owned());
        let client_id = flight.client_id.clone().or(own);
        let pass_on = flight.pass_on.clone();
        let name = self.keep(Leg::Return, &flight).await?;
        let callback = format!("{}/logout/callback", self.rules.public_url.as_str());
        let url = leave_for(&issuer, metadata.end_session_endpoint.as_ref(), client_id, &callback, &name, &pass_on);
        Ok(Next::Issuer { url: url.ok_or(Stuck::IssuerUnreachable)?, flight: name })
    }

    /// A page's way on from its own report: the link's name, and what is to be kept
    /// under it for `ttl_seconds`.
    pub(super) fn departure(&self, flight: &Flight, ttl_seconds: i64) -> (String, NewTicket) {
        self.pack(Leg::Departure, flight, ttl_seconds)
    }
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
