//! `/api/v1/session`: is this session still alive?

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;

use super::layers::in_time;
use crate::hub::Hub;
use crate::hub::caller::Person;
use crate::hub::denied::Denied;
use crate::hub::event::LogoutView;
use crate::web::body::no_flood;
use crate::web::caller::{Credential, FromDevice, FromOrigin};
use crate::web::pace::Paces;
use crate::web::problem::Problem;

/// A session, alive or over. Absent members are left out.
#[derive(Serialize)]
struct SessionState {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logout: Option<LogoutView>,
}

/// `GET /api/v1/session`. Asks the facts, never the issuer.
pub(super) async fn state(
    State(hub): State<Arc<Hub>>,
    origin: FromOrigin,
    device: FromDevice,
    credential: Credential,
) -> Result<impl IntoResponse, Problem> {
    let found = in_time(async {
        let person = person(&hub, &credential).await?;
        person.asks_from(origin.as_deref(), false)?;
        let device = device.of(&person, &origin);
        let person = person.on(device);
        let ended_by = hub.ended_by(&person).await?;
        Ok((person, ended_by))
    });
    let (person, ended_by) = found.await?;
    let state = match ended_by {
        Some(logout) => SessionState { active: false, sid: None, sub: None, logout: Some(LogoutView::from(&logout)) },
        None => SessionState {
            active: true,
            sid: person.sign_in.sid.as_ref().map(|sid| sid.as_str().to_owned()),
            sub: Some(person.sign_in.sub.as_str().to_owned()),
            logout: None,
        },
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(state)))
}

/// `POST /api/v1/session/activity`: the person did something, for apps that hold no
/// socket. Without an idle time-out there is nothing to put off.
pub(super) async fn activity(
    State(hub): State<Arc<Hub>>,
    State(paces): State<Paces>,
    origin: FromOrigin,
    credential: Credential,
    request: Request,
) -> Result<impl IntoResponse, Problem> {
    no_flood(request).await?;
    in_time(async {
        let person = person(&hub, &credential).await?;
        person.asks_from(origin.as_deref(), true)?;
        paces.of_person(&person.sign_in)?;
        hub.report_activity(&person).await
    })
    .await?;
    Ok((StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, "no-store")]))
}

/// Only a person has a session: a back end's secret is not enough here.
async fn person(hub: &Arc<Hub>, credential: &Credential) -> Result<Person, Denied> {
    match credential {
        Credential::Bearer(token) => hub.person(token.reveal()).await,
        Credential::Basic(_) => Err(Denied::NoCredentials),
    }
}
