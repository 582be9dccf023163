//! `/sessions/ended`: what becomes of the sessions that were ended, as it happens.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::super::Pages;
use super::super::feed::fed;
use super::super::navigation::Navigated;
use super::super::page::{Policy, render};
use super::super::trouble::stuck;
use super::view::EndedPage;
use super::words::counted;
use crate::hub::Hub;
use crate::hub::end_session::Stuck;
use crate::web::problem::Problem;

/// How often a browser without scripts loads the page again at most, a second apart.
const TURNS: u16 = 15;

/// `GET /sessions/ended`: the page.
pub(in crate::pages) async fn ended(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Navigated(mut params): Navigated,
) -> Response {
    let turn = params.take("turn").and_then(|turn| turn.parse::<u16>().ok()).unwrap_or(0);
    let Some(ticket) = params.take("ticket") else { return stuck(Stuck::NoFlight) };
    let Some(browser) = pages.browser_cookie().read(&headers) else { return stuck(Stuck::NotThisBrowsers) };
    let shown = match pages.edge.hub.ended_sessions(&ticket, &browser).await {
        Ok(shown) => shown,
        Err(why) => return stuck(why),
    };
    let waits = !shown.is_settled && turn < TURNS;
    let page = EndedPage {
        count: counted(shown.sessions.len() + shown.beside, "session"),
        beside: (shown.beside > 0).then(|| counted(shown.beside, "session")),
        refresh: waits.then(|| format!("/sessions/ended?ticket={ticket}&turn={}", turn + 1)),
        is_live: !shown.is_done,
        sessions: shown.sessions,
        ticket,
    };
    render(&page, StatusCode::OK, &Policy::live(Vec::new()))
}

/// `GET /sessions/progress`: the page's sessions as server-sent events.
pub(in crate::pages) async fn progress(State(pages): State<Pages>, request: Request) -> Result<Response, Problem> {
    let look =
        |hub: Arc<Hub>, ticket: String, browser: String| async move { hub.ended_sessions(&ticket, &browser).await };
    fed(&pages, request, look).await
}
