//! Signing in: the administrators' token, typed once, for a cookie.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::page::{Refusal, go, show};
use super::sessions::LONGEST;
use super::{Console, Peer};
use crate::web::body;
use crate::web::problem::Refused;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    is_wrong: bool,
}

/// `GET /console/sign-in`.
pub(super) async fn ask(State(console): State<Console>, headers: HeaderMap) -> Response {
    let cookie = console.cookie().read(&headers);
    match cookie.and_then(|cookie| console.sessions.find(&cookie, true)) {
        Some(_) => go("/console"),
        None => show(&SignInPage { is_wrong: false }, StatusCode::OK),
    }
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
        let mut response = show(&SignInPage { is_wrong: true }, StatusCode::FORBIDDEN);
        response.extensions_mut().insert(Refused("wrong_token"));
        return Ok(response);
    }
    console.wrong_tokens.forgive(peer);
    if let Some(operator) = before.and_then(|cookie| console.sessions.find(&cookie, false)) {
        console.sessions.end(&operator);
    }
    tracing::info!("an operator has signed in to the console");
    let lasts = i64::try_from(LONGEST.as_secs()).unwrap_or(i64::MAX);
    Ok(with_cookie(go("/console"), &console, &console.sessions.begin(), lasts))
}

/// `POST /console/sign-out`.
pub(super) async fn sign_out(State(console): State<Console>, request: Request) -> Result<Response, Refusal> {
    let (operator, _) = console.form(request).await?;
    console.sessions.end(&operator);
    Ok(with_cookie(go("/console/sign-in"), &console, "", 0))
}

fn with_cookie(mut response: Response, console: &Console, value: &str, seconds: i64) -> Response {
    if let Some(cookie) = console.cookie().set(value, seconds) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
