//! Signing in: the administrators' token, typed once, for a cookie; or on to the issuer.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::page::{Refusal, go, show};
use super::sessions::{LONGEST, LONGEST_BY_NAME};
use super::{Console, Peer};
use crate::web::body;
use crate::web::problem::Refused;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    /// Whether there is a token to type.
    has_token: bool,
    is_wrong: bool,
    login: Option<LoginChoice>,
}

/// The way by an issuer.
struct LoginChoice {
    host: String,
    href: String,
    hours: u64,
}

impl SignInPage {
    fn of(console: &Console, is_wrong: bool) -> Self {
        let login = console.login.as_ref().map(|login| LoginChoice {
            host: login.issuer.host(),
            href: login.begin_url(),
            hours: LONGEST_BY_NAME.as_secs() / 3600,
        });
        Self { has_token: console.token.is_some(), is_wrong, login }
    }
}

/// `GET /console/sign-in`.
pub(super) async fn ask(State(console): State<Console>, headers: HeaderMap) -> Result<Response, Refusal> {
    Ok(match console.operator(&headers, true).await? {
        Some(_) => go("/console"),
        None => show(&SignInPage::of(&console, false), StatusCode::OK),
    })
}

/// `POST /console/sign-in`. Counted before it is compared, so that who has tried too often
/// learns nothing more.
pub(super) async fn sign_in(
    State(console): State<Console>,
    Peer(peer): Peer,
    request: Request,
) -> Result<Response, Refusal> {
    let before = console.cookie().read(request.headers());
    let mut form = body::form(request).await?;
    if !console.wrong_tokens.allow(peer) {
        return Err(Refusal::SlowDown);
    }
    let typed = form.take("admin_token").unwrap_or_default();
    if !console.token.as_ref().is_some_and(|token| token.matches(typed.trim())) {
        tracing::warn!("a wrong token was typed into the console");
        let mut response = show(&SignInPage::of(&console, true), StatusCode::FORBIDDEN);
        response.extensions_mut().insert(Refused("wrong_token"));
        return Ok(response);
    }
    console.wrong_tokens.forgive(peer);
    if let Some(operator) = before.and_then(|cookie| console.sessions.find(&cookie, false)) {
        console.sessions.end(&operator);
    }
    tracing::info!("an operator has signed in to the console");
    let lasts = i64::try_from(LONGEST.as_secs()).unwrap_or(i64::MAX);
    Ok(with_cookie(go("/console"), &console, &console.sessions.begin(None), lasts))
}

/// `POST /console/sign-out`.
pub(super) async fn sign_out(State(console): State<Console>, request: Request) -> Result<Response, Refusal> {
    let (operator, _) = console.form(request).await?;
    console.sessions.end(&operator);
    let next = if operator.who.is_some() { "/console/signed-out" } else { "/console/sign-in" };
    Ok(with_cookie(go(next), &console, "", 0))
}

pub(super) fn with_cookie(mut response: Response, console: &Console, value: &str, seconds: i64) -> Response {
    if let Some(cookie) = console.cookie().set(value, seconds) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
