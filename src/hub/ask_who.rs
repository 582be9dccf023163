//! A logout that brings no token: the hub, a client of the issuer itself, learns the
//! session by a top-level round trip with `prompt=none`, which shows nothing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Hub;
use super::flight::{Flight, Leg, Next, Stuck};
use super::report_logout::unguessable;
use super::seal::Purpose;
use crate::domain::ids::ClientId;
use crate::domain::logout::Scope;
use crate::oidc::code_flow::{Prompt, Question};

/// A browser that is at the issuer, to say who is signed in.
#[derive(Serialize, Deserialize)]
struct Asking {
    flight: Flight,
    scope: String,
    question: Question,
}

/// What the issuer sent the browser back with (OpenID Connect Core 1.0, section 3.1.2.5).
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// What the hub had sent along.
    pub state: String,
    /// To be redeemed for tokens.
    pub code: Option<String>,
    /// Who answers (RFC 9207), where the issuer says so.
    pub iss: Option<String>,
}

impl Hub {
    /// Sends the browser to the issuer, to learn who is signed in; straight on where
    /// that is not configured or cannot be done.
    pub(super) async fn ask_who(self: &Arc<Self>, flight: Flight, scope: Scope, browser: &str) -> Result<Next, Stuck> {
        let issuer = flight.issuer()?;
        let settings = self.directory.issuer(issuer.as_str()).ok_or(Stuck::NoFlight)?;
        if settings.client.is_none() {
            return self.depart(flight).await;
        }
        // The name before the question: it stands in the question's URL.
        let name = unguessable();
        let state = self.seal.state(Purpose::SignedIn, browser, &name, self.back_by());
        let question = Question::random();
        match self.code_flow.ask(settings, &self.signed_in_url(), state, Prompt::Silent, &question).await {
            Ok(url) => {
                let asking = Asking { flight, scope: scope.as_str().to_owned(), question };
                self.keep_as(&name, Leg::SigningIn, &asking).await?;
                Ok(Next::Elsewhere(url))
            }
            Err(error) => {
                tracing::warn!(error = %error, issuer = issuer.as_str(), "could not ask an issuer who is signed in");
                self.depart(flight).await
            }
        }
    }

    /// Takes the browser back: whoever is signed in is signed out. Where nobody is, it
    /// goes straight on.
    ///
    /// # Errors
    /// [`Stuck`].
    pub async fn told_who(self: &Arc<Self>, reply: Reply, browser: &str) -> Result<Next, Stuck> {
        let name = self.seal.name_in(&reply.state, Purpose::SignedIn, browser, self.clock.now().floor());
        let asking: Asking = self.take_kept(Leg::SigningIn, name.ok_or(Stuck::NotThisBrowsers)?).await?;
        let issuer = asking.flight.issuer()?;
        if reply.iss.is_some_and(|iss| iss != issuer.as_str()) {
            return Err(Stuck::NotThisBrowsers);
        }
        let Some(code) = reply.code else { return self.depart(asking.flight).await };
        let settings = self.directory.issuer(issuer.as_str()).ok_or(Stuck::NoFlight)?;
        let answer = self.code_flow.answer(settings, &self.signed_in_url(), asking.question, code).await;
        let sign_in = match answer {
            Ok(answered) => answered.into_sign_in(),
            Err(error) => {
                tracing::warn!(error = %error, issuer = issuer.as_str(), "could not learn who is signed in");
                return self.depart(asking.flight).await;
            }
        };
        let scope = Scope::from_word(&asking.scope).unwrap_or(Scope::Session);
        let app = asking.flight.client_id.as_deref().and_then(|id| ClientId::parse(id).ok());
        let logout = self.end_known(&sign_in, scope, app, None).await?;
        let sid = sign_in.sid.map(|sid| sid.as_str().to_owned());
        self.show(Flight { logout_id: logout.map(|id| id.to_string()), sid, ..asking.flight }, browser).await
    }

    fn signed_in_url(&self) -> String {
        format!("{}/logout/signed-in", self.rules.public_url.as_str())
    }
}
