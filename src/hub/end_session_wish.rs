//! What a request to the common logout redirect endpoint asks for.

use std::sync::Arc;

use super::Hub;
use super::caller::Person;
use super::denied::Denied;
use crate::domain::app::App;
use crate::domain::ids::Issuer;
use crate::domain::logout::Scope;
use crate::domain::redirect::PostLogoutRedirect;
use crate::oidc::fault::TokenFault;
use crate::oidc::resume_ticket::ResumeTickets;

/// The longest `state` that is carried to the app and back, in bytes.
pub const STATE_MAX_BYTES: usize = 2048;

/// The parameters as they came: decoded, not yet believed. Empty ones are as good as
/// absent (RFC 6749, section 3.1).
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Which app asks.
    pub client_id: Option<String>,
    /// An ID token that says who is to be signed out.
    pub id_token_hint: Option<String>,
    /// Where the browser is to end.
    pub post_logout_redirect_uri: Option<String>,
    /// What the app wants back.
    pub state: Option<String>,
    /// `session` or `user`.
    pub scope: Option<String>,
    /// What only the issuer understands: `logout_hint`, `ui_locales`, `federated`.
    pub pass_on: Vec<(String, String)>,
}

/// A request that makes sense.
#[derive(Debug)]
pub struct EndSession {
    /// The app that the browser comes from, where known.
    pub app: Option<Arc<App>>,
    /// Who is to be signed out, where a hint says so.
    pub hint: Option<Person>,
    /// Where the browser ends; on the app's list.
    pub redirect: Option<PostLogoutRedirect>,
    /// What the app wants back.
    pub state: Option<String>,
    /// One session, or all of the person's.
    pub scope: Scope,
    /// What only the issuer understands.
    pub pass_on: Vec<(String, String)>,
}

/// Why a request to the redirect endpoint is an error page without a `Location`.
#[derive(Debug, thiserror::Error)]
pub enum WishFault {
    /// No app has that `client_id`.
    #[error("unknown client_id")]
    UnknownClient,
    /// Several issuers have an app of that name.
    #[error("ambiguous client_id")]
    AmbiguousClient,
    /// The hint is for another app than `client_id` says.
    #[error("client_id is not the hint's audience")]
    ClientMismatch,
    /// The return address is not on the app's list.
    #[error("post_logout_redirect_uri not registered")]
    RedirectNotRegistered,
    /// `state` is too long.
    #[error("state too long")]
    StateTooLong,
    /// `scope` is neither `session` nor `user`.
    #[error("bad scope")]
    BadScope,
    /// The hint breaks a rule.
    #[error("hint refused: {}", .0.code())]
    Hint(TokenFault),
    /// Our own trouble.
    #[error(transparent)]
    Hub(Denied),
}

impl EndSession {
    /// The issuer whose session ends, where an app or a hint says so.
    #[must_use]
    pub fn issuer(&self) -> Option<&Issuer> {
        self.app.as_ref().map(|app| &app.issuer)
    }
}

impl Hub {
    /// Checks everything that a request asks for, before anything is done.
    ///
    /// # Errors
    /// [`WishFault`].
    pub async fn understand(&self, asked: Asked) -> Result<EndSession, WishFault> {
        let hint = match &asked.id_token_hint {
            Some(raw) => Some(self.hinted(raw).await?),
            None => None,
        };
        let app = self.asking_app(asked.client_id.as_deref(), hint.as_ref())?;
        let redirect = match (&app, &asked.post_logout_redirect_uri) {
            (Some(app), Some(uri)) => {
                Some(PostLogoutRedirect::on_list(app, uri).ok_or(WishFault::RedirectNotRegistered)?)
            }
            // Without an app there is no list, and so no redirect at the end.
            (None, _) | (_, None) => None,
        };
        if asked.state.as_ref().is_some_and(|state| state.len() > STATE_MAX_BYTES) {
            return Err(WishFault::StateTooLong);
        }
        let scope = asked.scope.as_deref().unwrap_or(Scope::Session.as_str());
        let scope = Scope::from_word(scope).ok_or(WishFault::BadScope)?;
        Ok(EndSession { app, hint, redirect, state: asked.state, scope, pass_on: asked.pass_on })
    }

    async fn hinted(&self, raw: &str) -> Result<Person, WishFault> {
        if ResumeTickets::is_ticket(raw) {
            return Err(WishFault::Hint(TokenFault::NotAnIdToken));
        }
        self.person(raw).await.map_err(|denied| match denied {
            Denied::Token(fault) => WishFault::Hint(fault),
            other => WishFault::Hub(other),
        })
    }

    fn asking_app(&self, client_id: Option<&str>, hint: Option<&Person>) -> Result<Option<Arc<App>>, WishFault> {
        match (client_id, hint) {
            (None, None) => Ok(None),
            (None, Some(person)) => Ok(Some(Arc::clone(&person.app))),
            (Some(client_id), Some(person)) => {
                if self.directory.apps_named(client_id).next().is_none() {
                    return Err(WishFault::UnknownClient);
                }
                let is_same = person.app.client_id.as_str() == client_id;
                if is_same { Ok(Some(Arc::clone(&person.app))) } else { Err(WishFault::ClientMismatch) }
            }
            (Some(client_id), None) => {
                let mut named = self.directory.apps_named(client_id);
                let app = named.next().ok_or(WishFault::UnknownClient)?;
                if named.next().is_some() { Err(WishFault::AmbiguousClient) } else { Ok(Some(Arc::clone(app))) }
            }
        }
    }
}
