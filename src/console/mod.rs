//! The operator's console, on the admin listener: how the hub is, what it did, and what an
//! operator can do about it.
//!
//! Every page is whole without JavaScript; a small script keeps the figures fresh. No page, no
//! address and no log holds a `sid`, a `sub` or a token: whom a logout is about is named as the
//! hub's own log names them. Signing in takes the administrators' token once, or a sign-in at an
//! issuer, and gives a cookie; every form carries a token of that sign-in, and has to come from the console's own
//! pages.

mod apps;
mod assets;
mod checks;
mod deliveries;
mod end;
mod guard;
mod issuers;
mod login;
mod logouts;
mod overview;
mod page;
mod receipt;
mod sessions;
mod sign_in;
mod words;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::config::{Config, ConsoleLogin, PublicUrl};
use crate::domain::secret::Secret;
use crate::hub::Hub;
use crate::web::body;
use crate::web::cookie::OwnCookie;
use crate::web::failures::Failures;
use crate::web::params::Params;
use checks::Checks;
use page::{Refusal, Shell, go};
use sessions::{Operator, Sessions};

/// How many wrong tokens an address may try in a minute, in forms and as Bearer tokens together:
/// more than a program sends that somebody forgot to give a new one, and no way to guess.
const WRONG_TOKENS_A_MINUTE: u32 = 30;

/// What the console's handlers share.
#[derive(Clone)]
pub struct Console {
    hub: Arc<Hub>,
    token: Option<Secret>,
    url: Option<PublicUrl>,
    /// Whether browsers reach the admin listener itself by https.
    is_tls: bool,
    sessions: Sessions,
    /// Who signs in at an issuer, where that is configured.
    login: Option<ConsoleLogin>,
    wrong_tokens: Failures,
    /// Codes that came to nothing at the issuer.
    codes: Failures,
    checks: Checks,
}

impl Console {
    /// The console of a hub with that configuration. Nobody is signed in.
    #[must_use]
    pub fn new(hub: Arc<Hub>, config: Arc<Config>) -> Self {
        let clock = Arc::clone(&hub.clock);
        Self {
            token: config.server.admin_token.clone(),
            url: config.server.console.url.clone(),
            is_tls: config.server.admin_tls.is_some(),
            sessions: Sessions::new(Arc::clone(&clock)),
            login: config.server.console.login.clone(),
            wrong_tokens: Failures::new(WRONG_TOKENS_A_MINUTE, Arc::clone(&clock)),
            codes: Failures::new(config.limits.invalid_requests_per_minute_per_ip, clock),
            checks: Checks::new(config),
            hub,
        }
    }

    /// Who has tried wrong tokens: for whatever else takes the same one.
    #[must_use]
    pub fn wrong_tokens(&self) -> Failures {
        self.wrong_tokens.clone()
    }

    fn cookie(&self) -> OwnCookie {
        OwnCookie::strict("slo-console", self.is_https())
    }

    /// Which browser went to the issuer. It comes along when the issuer sends the browser back.
    fn way_cookie(&self) -> OwnCookie {
        OwnCookie::named("slo-console-way", self.is_https())
    }

    fn is_https(&self) -> bool {
        self.is_tls || self.url.as_ref().is_some_and(PublicUrl::is_https)
    }

    /// The host, with its port where that is not the scheme's, that browsers are to call.
    fn url_host(&self) -> Option<&str> {
        self.url.as_ref().and_then(|url| url.as_str().split_once("://")).map(|(_, host)| host)
    }

    fn shell(&self, operator: &Operator, here: &'static str) -> Shell {
        Shell::of(operator, here, self.hub.clock.now())
    }

    /// Who is signed in, if anybody is. That they are there keeps them signed in, where
    /// `is_active`. Whoever has signed in by name is an operator for as long as their session
    /// at the issuer lasts, and every request asks the facts.
    async fn operator(&self, headers: &HeaderMap, is_active: bool) -> Result<Option<Operator>, Refusal> {
        let cookie = self.cookie().read(headers);
        let Some(operator) = cookie.and_then(|cookie| self.sessions.find(&cookie, is_active)) else { return Ok(None) };
        if let Some(who) = &operator.who
            && self.hub.is_over(who).await?
        {
            self.sessions.end(&operator);
            return Err(Refusal::Over);
        }
        Ok(Some(operator))
    }

    /// What an operator has sent with a form of theirs, and who it is.
    async fn form(&self, request: Request) -> Result<(Operator, Params), Refusal> {
        let operator = self.operator(request.headers(), true).await?.ok_or(Refusal::NotIn)?;
        let mut form = body::form(request).await?;
        let token = form.take("token").unwrap_or_default();
        if operator.sent(&token) { Ok((operator, form)) } else { Err(Refusal::ForeignForm) }
    }
}

/// The console's routes.
pub fn routes(console: Console) -> Router {
    Router::new()
        .route("/", get(|| async { go("/console") }))
        .route("/console", get(overview::overview))
        .route("/console/sign-in", get(sign_in::ask).post(sign_in::sign_in))
        .route("/console/sign-in/issuer", get(login::to_issuer).head(login::head_not_allowed))
        .route("/console/sign-in/callback", get(login::come_back).head(login::head_not_allowed))
        .route("/console/sign-out", post(sign_in::sign_out))
        .route("/console/signed-out", get(login::signed_out))
        .route("/console/logouts", get(logouts::log))
        .route("/console/logouts/search", get(|| async { go("/console/logouts") }).post(logouts::search))
        .route("/console/logouts/{id}", get(receipt::receipt))
        .route("/console/apps", get(apps::apps))
        .route("/console/deliveries", get(deliveries::deliveries))
        .route("/console/deliveries/retry", post(deliveries::retry))
        .route("/console/issuers", get(issuers::issuers))
        .route("/console/checks", get(checks::findings).post(checks::run))
        .route("/console/end", get(end::ask).post(end::dry_run))
        .route("/console/end/confirm", get(end::confirm).post(end::end))
        .route("/console/assets/pages.css", get(assets::pages_style_sheet))
        .route("/console/assets/console.css", get(assets::style_sheet))
        .route("/console/assets/console.js", get(assets::script))
        .layer(from_fn_with_state(console.clone(), guard::guard))
        .with_state(console)
}

/// An operator who is signed in; others are sent to sign in.
impl FromRequestParts<Console> for Operator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let is_refresh = parts.headers.contains_key("x-console-refresh");
        match console.operator(&parts.headers, !is_refresh).await {
            Ok(Some(operator)) => Ok(operator),
            // The script then has the whole page loaded anew, which leads to the sign-in.
            Ok(None) if is_refresh => Err(Refusal::NotIn.into_response()),
            Ok(None) => Err(go("/console/sign-in")),
            Err(refusal) => Err(refusal.into_response()),
        }
    }
}

/// The address at the other end of the connection.
struct Peer(std::net::IpAddr);

impl FromRequestParts<Console> for Peer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Console) -> Result<Self, Self::Rejection> {
        let info = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self(info.map_or(std::net::IpAddr::from([0, 0, 0, 0]), |info| info.0.ip())))
    }
}
