//! `/api/v1/admin/logouts`: an administrator ends sessions. On the admin listener, and
//! always behind its token: the listener may be on loopback, and so may a browser.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::DateTime;
use serde::Serialize;
use serde_json::{Map, Value};

use super::drills;
use super::layers::in_time;
use super::logouts::{members, named, nothing_left, text};
use super::ops::Ops;
use crate::domain::clock::UnixMillis;
use crate::domain::ids::{ClientId, Issuer, Sid, Subject};
use crate::domain::logout::Reason;
use crate::hub::Hub;
use crate::hub::admin_logout::{Order, Ordered, Whom};
use crate::hub::denied::{Denied, RequestFault};
use crate::store::Expected;
use crate::web::problem::Problem;

/// The routes, behind the token.
pub(super) fn routes(ops: &Ops) -> Router<Ops> {
    Router::new()
        .route("/api/v1/admin/logouts", post(order))
        .route("/api/v1/admin/logouts/{id}", get(progress))
        .route("/api/v1/admin/drills", post(drills::drill))
        .layer(from_fn_with_state(ops.clone(), administrators_only))
}

async fn administrators_only(State(ops): State<Ops>, request: Request, next: Next) -> Response {
    let Some(token) = &ops.token else { return Problem::no_admin_token().into_response() };
    if request.headers().contains_key(header::ORIGIN) {
        return Problem::page_on_admin_listener().into_response();
    }
    match ops.admit(token, &request) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

#[derive(Serialize)]
struct Answer {
    dry_run: bool,
    #[serde(flatten)]
    counts: Option<Expected>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
}

/// `POST /api/v1/admin/logouts`: 200 for a dry run, or where it was all over already; 201
/// for what was recorded, and for a sweep that is under way.
async fn order(State(ops): State<Ops>, request: Request) -> Result<Response, Problem> {
    let mut members = members(request).await.map_err(Problem::request)?;
    let is_dry_run = flag(&mut members, "dry_run").map_err(Problem::request)?;
    let order = read_order(members).map_err(Problem::request)?;
    // A dry run through a large hub takes longer than other answers may.
    if is_dry_run {
        let counts = Some(ops.hub.foretell(&order).await?);
        let body = Answer { dry_run: true, counts, id: None, state: None };
        return Ok(([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response());
    }
    Ok(answer(ops.hub.order_logout(order).await?))
}

fn answer(ordered: Ordered) -> Response {
    let Ordered { id, counts, is_fresh, goes_on } = ordered;
    let status = if is_fresh { StatusCode::CREATED } else { StatusCode::OK };
    let state = if goes_on { "running" } else { "done" };
    let body = Answer { dry_run: false, counts, id: Some(id.to_string()), state: Some(state) };
    let location = format!("/api/v1/admin/logouts/{id}");
    let headers = [(header::LOCATION, location), (header::CACHE_CONTROL, "no-store".to_owned())];
    (status, headers, Json(body)).into_response()
}

fn read_order(mut members: Map<String, Value>) -> Result<Order, RequestFault> {
    let issuer = text(&mut members, "issuer").map_err(|()| RequestFault::UnknownIssuer)?;
    let issuer = issuer.map(|it| Issuer::parse(&it)).transpose().map_err(|_| RequestFault::UnknownIssuer)?;
    let whom = whom(&mut members)?;
    let before = text(&mut members, "before").map_err(|()| RequestFault::BadBefore)?;
    let before = before.map(|it| DateTime::parse_from_rfc3339(&it)).transpose().map_err(|_| RequestFault::BadBefore)?;
    let before = before.map(|it| UnixMillis(it.timestamp_millis()));
    let reason = text(&mut members, "reason").map_err(|()| RequestFault::BadReason)?;
    let reason = reason.map(|it| Reason::parse(&it)).transpose().map_err(|_| RequestFault::BadReason)?;
    nothing_left(&members)?;
    Ok(Order { issuer, whom, before, reason })
}

/// The one target that the body names.
fn whom(members: &mut Map<String, Value>) -> Result<Whom, RequestFault> {
    let sid = text(members, "sid").map_err(|()| RequestFault::SidInvalid)?;
    let sub = text(members, "sub").map_err(|()| RequestFault::SubInvalid)?;
    let client_id = text(members, "client_id").map_err(|()| RequestFault::UnknownApp)?;
    match (sid, sub, client_id, flag(members, "everyone")?) {
        (Some(sid), None, None, false) => Ok(Whom::Session(Sid::parse(&sid).map_err(|_| RequestFault::SidInvalid)?)),
        (None, Some(sub), None, false) => Ok(Whom::Person(Subject::parse(&sub).map_err(|_| RequestFault::SubInvalid)?)),
        (None, None, Some(client_id), false) => {
            Ok(Whom::App(ClientId::parse(&client_id).map_err(|_| RequestFault::UnknownApp)?))
        }
        (None, None, None, true) => Ok(Whom::Everyone),
        _ => Err(RequestFault::BadTarget),
    }
}

/// A member that must be `true` or `false` where it is present.
fn flag(members: &mut Map<String, Value>, name: &str) -> Result<bool, RequestFault> {
    match members.remove(name) {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(flag),
        Some(_) => Err(RequestFault::BadFlag),
    }
}

/// `GET /api/v1/admin/logouts/{id}`: how far a sweep is; of a single logout, its receipt.
async fn progress(State(ops): State<Ops>, path: Result<Path<String>, PathRejection>) -> Result<Response, Problem> {
    let body = in_time(async { found(&ops.hub, path).await }).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], body).into_response())
}

async fn found(hub: &Arc<Hub>, path: Result<Path<String>, PathRejection>) -> Result<Response, Denied> {
    let id = named(path)?;
    match hub.sweep_progress(id).await? {
        Some(sweep) => Ok(Json(sweep).into_response()),
        None => Ok(Json(hub.receipt_for_administrator(id).await?).into_response()),
    }
}
