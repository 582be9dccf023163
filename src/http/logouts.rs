//! `/api/v1/logouts`: an app reports a logout, reads its receipt, acknowledges it.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};

use super::layers::in_time;
use crate::domain::ids::{LogoutId, Sid, Subject};
use crate::domain::json::{JsonFault, read_object};
use crate::domain::logout::{Reason, Scope};
use crate::domain::via::Via;
use crate::hub::Hub;
use crate::hub::denied::{Denied, RequestFault};
use crate::hub::event::LogoutView;
use crate::hub::record::Done;
use crate::hub::report_logout::Wish;
use crate::web::body::{is_of_type, no_flood, whole};
use crate::web::caller::{Credential, FromDevice, FromOrigin};
use crate::web::pace::Paces;
use crate::web::problem::Problem;

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    logout: LogoutView,
    notified: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    continue_url: Option<String>,
}

/// `POST /api/v1/logouts`: 201 for a new logout, 200 for one that was recorded before.
pub(super) async fn report(
    State(hub): State<Arc<Hub>>,
    origin: FromOrigin,
    device: FromDevice,
    credential: Credential,
    request: Request,
) -> Result<Response, Problem> {
    let members = members(request).await.map_err(Problem::request)?;
    let reported = in_time(report_by(&hub, &origin, device, credential, members)).await?;
    Ok(answer(reported))
}

async fn report_by(
    hub: &Arc<Hub>,
    origin: &FromOrigin,
    device: FromDevice,
    credential: Credential,
    mut members: Map<String, Value>,
) -> Result<(Done, Option<String>), Denied> {
    match credential {
        Credential::Bearer(token) => {
            let person = hub.person(token.reveal()).await?.on(Some(device.0));
            person.asks_from(origin.as_deref(), true)?;
            let wish = wish(&mut members)?;
            nothing_left(&members)?;
            let reported = hub.report_own_logout(&person, wish).await?;
            Ok((reported.done, Some(reported.continue_url)))
        }
        Credential::Basic(pair) => {
            let app = pair.back_end(hub)?;
            no_page(origin)?;
            let wish = wish(&mut members)?;
            let issuer = text(&mut members, "issuer").map_err(|()| RequestFault::IssNotAllowed)?;
            if issuer.is_some_and(|issuer| issuer != app.issuer.as_str()) {
                return Err(RequestFault::IssNotAllowed.into());
            }
            let sid = text(&mut members, "sid").map_err(|()| RequestFault::SidInvalid)?;
            let sid = sid.map(|sid| Sid::parse(&sid)).transpose().map_err(|_| RequestFault::SidInvalid)?;
            let sub = text(&mut members, "sub").map_err(|()| RequestFault::SubInvalid)?;
            let sub = sub.map(|sub| Subject::parse(&sub)).transpose().map_err(|_| RequestFault::SubInvalid)?;
            nothing_left(&members)?;
            Ok((hub.report_for(&app, wish, sid, sub).await?, None))
        }
    }
}

fn answer((done, continue_url): (Done, Option<String>)) -> Response {
    let status = if done.is_fresh { StatusCode::CREATED } else { StatusCode::OK };
    let location = format!("/api/v1/logouts/{}", done.logout.id);
    let body = Answer { logout: LogoutView::from(&done.logout), notified: done.notified, continue_url };
    let headers = [(header::LOCATION, location), (header::CACHE_CONTROL, "no-store".to_owned())];
    (status, headers, Json(body)).into_response()
}

/// The members of the body; no body is as good as `{}`.
pub(super) async fn members(request: Request) -> Result<Map<String, Value>, RequestFault> {
    let says_json = is_of_type(&request, "application/json");
    let body = whole(request.into_body()).await?;
    if body.is_empty() {
        return Ok(Map::new());
    }
    if !says_json {
        return Err(RequestFault::BadContentType);
    }
    read_object(&body).map_err(|fault| match fault {
        JsonFault::NotAnObject => RequestFault::BadJson,
        JsonFault::DuplicateMember => RequestFault::DuplicateMember,
    })
}

fn wish(members: &mut Map<String, Value>) -> Result<Wish, RequestFault> {
    let scope = text(members, "scope").map_err(|()| RequestFault::BadScope)?;
    let scope = scope.map_or(Some(Scope::Session), |word| Scope::from_word(&word)).ok_or(RequestFault::BadScope)?;
    let reason = text(members, "reason").map_err(|()| RequestFault::BadReason)?;
    // An app that always sends the member has nothing to say in an empty one.
    let reason = reason.filter(|reason| !reason.is_empty());
    let reason = reason.map(|reason| Reason::parse(&reason)).transpose().map_err(|_| RequestFault::BadReason)?;
    Ok(Wish { scope, reason })
}

/// A member that must be a text where it is present.
pub(super) fn text(members: &mut Map<String, Value>, name: &str) -> Result<Option<String>, ()> {
    match members.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(()),
    }
}

pub(super) fn nothing_left(members: &Map<String, Value>) -> Result<(), RequestFault> {
    if members.is_empty() { Ok(()) } else { Err(RequestFault::UnexpectedMember) }
}

/// A back end's secret that comes from a page is a secret that leaked.
fn no_page(origin: &FromOrigin) -> Result<(), Denied> {
    if origin.0.is_none() { Ok(()) } else { Err(Denied::Origin) }
}

/// The logout that a path names. What is no id, or no text, names none.
pub(super) fn named(path: Result<Path<String>, PathRejection>) -> Result<LogoutId, Denied> {
    path.ok().and_then(|Path(id)| LogoutId::parse(&id).ok()).ok_or(Denied::NotFound)
}

/// `GET /api/v1/logouts/{id}`: the receipt.
pub(super) async fn receipt(
    State(hub): State<Arc<Hub>>,
    path: Result<Path<String>, PathRejection>,
    origin: FromOrigin,
    credential: Credential,
) -> Result<impl IntoResponse, Problem> {
    let receipt = in_time(async {
        let id = named(path);
        match credential {
            Credential::Bearer(token) => {
                let person = hub.person(token.reveal()).await?;
                person.asks_from(origin.as_deref(), false)?;
                hub.may_speak(&person).await?;
                hub.receipt_for(id?, &person).await
            }
            Credential::Basic(pair) => {
                let app = pair.back_end(&hub)?;
                no_page(&origin)?;
                hub.receipt_for_back_end(id?, &app).await
            }
        }
    });
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(receipt.await?)))
}

/// `POST /api/v1/logouts/{id}/acks`: this app has ended its local session.
pub(super) async fn acknowledge(
    State(hub): State<Arc<Hub>>,
    path: Result<Path<String>, PathRejection>,
    State(paces): State<Paces>,
    origin: FromOrigin,
    credential: Credential,
    request: Request,
) -> Result<impl IntoResponse, Problem> {
    no_flood(request).await?;
    let acknowledged = in_time(async {
        let id = named(path);
        match credential {
            Credential::Bearer(token) => {
                let person = hub.person(token.reveal()).await?;
                person.asks_from(origin.as_deref(), true)?;
                paces.of_person(&person.sign_in)?;
                hub.may_speak(&person).await?;
                hub.acknowledge(id?, &person.sign_in, Via::Sse).await
            }
            Credential::Basic(pair) => {
                let app = pair.back_end(&hub)?;
                no_page(&origin)?;
                paces.of_back_end(&app)?;
                hub.acknowledge_for(id?, &app).await
            }
        }
    });
    acknowledged.await?;
    Ok((StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, "no-store")]))
}
