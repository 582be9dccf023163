//! `/api/v1/admin/drills`: an administrator rehearses a logout. On the admin listener, behind
//! its token.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Map, Value};

use super::logouts::{members, nothing_left, text};
use super::ops::Ops;
use crate::domain::ids::{Issuer, Sid, Subject};
use crate::hub::denied::RequestFault;
use crate::hub::drill::Cast;
use crate::web::problem::Problem;

/// `POST /api/v1/admin/drills`: 200 once every open app has answered, or has had its time.
/// That takes longer than other answers may.
pub(super) async fn drill(State(ops): State<Ops>, request: Request) -> Result<impl IntoResponse, Problem> {
    let members = members(request).await.map_err(Problem::request)?;
    let (issuer, cast) = read(members).map_err(Problem::request)?;
    let drill = ops.hub.drill(issuer.as_ref(), cast).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(drill)))
}

fn read(mut members: Map<String, Value>) -> Result<(Option<Issuer>, Cast), RequestFault> {
    let issuer = text(&mut members, "issuer").map_err(|()| RequestFault::UnknownIssuer)?;
    let issuer = issuer.map(|it| Issuer::parse(&it)).transpose().map_err(|_| RequestFault::UnknownIssuer)?;
    let sid = text(&mut members, "sid").map_err(|()| RequestFault::SidInvalid)?;
    let sid = sid.map(|it| Sid::parse(&it)).transpose().map_err(|_| RequestFault::SidInvalid)?;
    let sub = text(&mut members, "sub").map_err(|()| RequestFault::SubInvalid)?;
    let sub = sub.map(|it| Subject::parse(&it)).transpose().map_err(|_| RequestFault::SubInvalid)?;
    nothing_left(&members)?;
    Ok((issuer, Cast::of(sid, sub)?))
}
