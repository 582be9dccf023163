//! The page that shows the apps signing out, what feeds it, and the receipt it ends as.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use chrono::DateTime;
use serde::{Deserialize, Serialize};

use super::Pages;
use super::feed::{fed, problem};
use super::navigation::Navigated;
use super::page::{Policy, ReceiptPage, SigningOutPage, render};
use super::trouble::stuck;
use crate::domain::logout::Scope;
use crate::hub::Hub;
use crate::hub::denied::RequestFault;
use crate::hub::end_session::Stuck;
use crate::hub::event::rfc3339;
use crate::hub::progress::{AppProgress, AppState, is_under_way};
use crate::hub::signing_out::{Frame, FrameSays, PaperReceipt};
use crate::web::body::{is_of_type, whole};
use crate::web::params::Params;
use crate::web::problem::Problem;

/// The most frames that are loaded at once.
const FRAMES_AT_ONCE: usize = 8;
/// How often a browser without scripts loads the page again, a second apart, for
/// whoever is late.
const TURNS: usize = 3;

/// `GET /logout/signing-out`: the page.
pub(super) async fn signing_out(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Navigated(mut params): Navigated,
) -> Response {
    let turn = usize::from(params.take("turn").and_then(|turn| turn.parse::<u16>().ok()).unwrap_or(0));
    let Some(ticket) = params.take("ticket") else { return stuck(Stuck::NoFlight) };
    let Some(browser) = pages.browser_cookie().read(&headers) else { return stuck(Stuck::NotThisBrowsers) };
    let shown = match pages.edge.hub.signing_out(&ticket, &browser).await {
        Ok(shown) => shown,
        Err(why) => return stuck(why),
    };
    // After the issuer there is a turn for apps that have yet to turn up.
    let turns = shown.frames.len().div_ceil(FRAMES_AT_ONCE) + 2 * usize::from(shown.has_returned);
    let is_last = turn >= TURNS.max(turns) || (!is_under_way(&shown.apps) && turn + 1 >= turns);
    let onward = format!("/logout/onward?ticket={ticket}");
    let again = format!("/logout/signing-out?ticket={ticket}&turn={}", turn + 1);
    let mut apps = shown.apps;
    if is_last {
        apps.iter_mut().for_each(AppProgress::give_up);
    }
    let page = SigningOutPage {
        apps,
        frames: serde_json::to_string(&shown.frames).unwrap_or_default(),
        plain_frames: shown.frames.iter().skip(turn * FRAMES_AT_ONCE).take(FRAMES_AT_ONCE).cloned().collect(),
        refresh: if is_last { onward.clone() } else { again },
        onward,
        ticket,
    };
    render(&page, StatusCode::OK, &Policy::live(sources(&shown.frames)))
}

fn sources(frames: &[Frame]) -> Vec<String> {
    let mut sources: Vec<_> = frames.iter().map(|frame| frame.source.clone()).collect();
    sources.sort();
    sources.dedup();
    sources
}

/// `GET /logout/progress`: the page's apps as server-sent events, one whenever
/// something has changed.
pub(super) async fn progress(State(pages): State<Pages>, request: Request) -> Result<Response, Problem> {
    let look = |hub: Arc<Hub>, ticket: String, browser: String| async move {
        Ok(Said { apps: hub.signing_out_apps(&ticket, &browser).await? })
    };
    fed(&pages, request, look).await
}

/// One event.
#[derive(PartialEq, Serialize)]
struct Said {
    apps: Vec<AppProgress>,
}

/// What the page's script says of a frame.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FromFrame {
    ticket: String,
    client_id: String,
    nonce: String,
    says: String,
}

/// `POST /logout/frames`: a frame has spoken.
pub(super) async fn frame_says(State(pages): State<Pages>, request: Request) -> Result<StatusCode, Problem> {
    let hub = &pages.edge.hub;
    let origin = request.headers().get(header::ORIGIN).and_then(|value| value.to_str().ok());
    if origin.is_some_and(|origin| origin != hub.rules.public_url.as_str()) {
        return Err(crate::hub::denied::Denied::Origin.into());
    }
    if !is_of_type(&request, "application/json") {
        return Err(Problem::request(RequestFault::BadContentType));
    }
    let browser = pages.browser_cookie().read(request.headers()).ok_or(Problem::not_found());
    let body = whole(request.into_body()).await.map_err(Problem::request)?;
    let bad = || Problem::request(RequestFault::BadJson);
    let Json(said) = Json::<FromFrame>::from_bytes(&body).map_err(|_| bad())?;
    let says = match said.says.as_str() {
        "done" => FrameSays::Done,
        "partitioned" => FrameSays::Partitioned,
        "failed" => FrameSays::Failed,
        _ => return Err(bad()),
    };
    hub.frame_says(&said.ticket, &browser?, &said.client_id, &said.nonce, says).await.map_err(problem)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /logout/receipt/{id}`: what was ended, where, when.
pub(super) async fn receipt(State(pages): State<Pages>, Path(id): Path<String>, request: Request) -> Response {
    let mut params = Params::parse(request.uri().query().unwrap_or_default()).unwrap_or_default();
    let Some(key) = params.take("key") else { return stuck(Stuck::NoFlight) };
    match pages.edge.hub.paper_receipt(&id, &key).await {
        Ok(receipt) => render(&paper(receipt, &id, &key), StatusCode::OK, &Policy::plain()),
        Err(why) => stuck(why),
    }
}

fn paper(receipt: PaperReceipt, id: &str, key: &str) -> ReceiptPage {
    let is_done = receipt.apps.iter().all(|app| app.state == AppState::SignedOut);
    let has_doubts = receipt.apps.iter().any(|app| app.state == AppState::Unconfirmed);
    let time = DateTime::from_timestamp_millis(receipt.occurred_at.0).unwrap_or_default();
    ReceiptPage {
        apps: receipt.apps,
        everywhere: receipt.scope == Scope::User,
        host: receipt.issuer.host(),
        time: time.format("%-d %B %Y, %H:%M UTC").to_string(),
        datetime: rfc3339(receipt.occurred_at),
        is_final: receipt.is_final,
        has_doubts,
        again: (!is_done).then(|| format!("/logout/receipt/{id}?key={key}")),
    }
}
