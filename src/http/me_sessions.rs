//! `/api/v1/me/sessions`: a person's own sessions, for an app's own account page.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::header;
use axum::response::IntoResponse;
use serde::Serialize;

use super::layers::in_time;
use crate::hub::Hub;
use crate::hub::caller::{Person, Proof};
use crate::hub::denied::{Denied, RequestFault};
use crate::hub::event::{LogoutView, rfc3339};
use crate::hub::my_sessions::{LISTED_AT_MOST, OwnApp, OwnSession, OwnSessions, Reach, Standing, Which, listed};
use crate::oidc::fault::TokenFault;
use crate::web::body::no_flood;
use crate::web::caller::{Credential, FromDevice, FromOrigin};
use crate::web::params::Params;
use crate::web::problem::Problem;

/// A person's sessions.
#[derive(Serialize)]
struct SessionList {
    /// Those used last, where there are many.
    sessions: Vec<SessionView>,
    /// What ending all but the one that asks would reach, whether it is listed or not.
    others: Reach,
    /// Whether the issuer, where it can be asked, has told of its sessions too.
    complete: bool,
}

#[derive(Serialize)]
struct SessionView {
    id: String,
    current: bool,
    active: bool,
    /// Whether the sign-in at the issuer has ended, which ends it in no app.
    ended_at_issuer: bool,
    device: String,
    started_at: String,
    last_seen_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asn: Option<u32>,
    apps: Vec<OwnApp>,
}

/// What was ended.
#[derive(Serialize)]
struct Outcome {
    /// Those used last, where there are many.
    ended: Vec<EndedView>,
    /// How many more were ended.
    more: usize,
    /// Whether the issuer, where it can be asked, has told of its sessions too. Where it
    /// has not, one that only it knows of may live on.
    complete: bool,
}

#[derive(Serialize)]
struct EndedView {
    session: String,
    device: String,
    logout: LogoutView,
    notified: usize,
}

impl From<OwnSession> for SessionView {
    fn from(session: OwnSession) -> Self {
        Self {
            id: session.id,
            current: session.is_current,
            active: session.is_active,
            ended_at_issuer: session.standing == Standing::EndedAtIssuer,
            device: session.device,
            started_at: rfc3339(session.started_at),
            last_seen_at: rfc3339(session.last_seen_at),
            address: session.address,
            asn: session.asn,
            apps: session.apps,
        }
    }
}

/// `GET /api/v1/me/sessions`: those that are alive, the one that asks first.
pub(super) async fn list(
    State(hub): State<Arc<Hub>>,
    origin: FromOrigin,
    device: FromDevice,
    credential: Credential,
) -> Result<impl IntoResponse, Problem> {
    let sessions = in_time(async {
        let person = person(&hub, &credential, &origin, device).await?;
        person.asks_from(origin.as_deref(), false)?;
        own_sessions(&hub, &person).await
    });
    let own = sessions.await?;
    let complete = !own.is_issuer_silent;
    let others = Reach::of(&Which::Others.of(&own.sessions));
    let sessions = listed(&own.sessions).iter().cloned().map(SessionView::from).collect();
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(SessionList { sessions, others, complete })))
}

/// `DELETE /api/v1/me/sessions/{id}`: ends one.
pub(super) async fn end_one(
    State(hub): State<Arc<Hub>>,
    path: Result<Path<String>, PathRejection>,
    origin: FromOrigin,
    device: FromDevice,
    credential: Credential,
    request: Request,
) -> Result<impl IntoResponse, Problem> {
    no_flood(request).await?;
    let ended = in_time(async {
        let person = fresh_person(&hub, &credential, &origin, device).await?;
        let Path(id) = path.map_err(|_| Denied::NotFound)?;
        end(&hub, &person, &Which::One(id)).await
    });
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(ended.await?)))
}

/// `DELETE /api/v1/me/sessions?except=current`: ends all but the one that asks. Without
/// the parameter nothing is ended: it would be easily forgotten.
pub(super) async fn end_others(
    State(hub): State<Arc<Hub>>,
    origin: FromOrigin,
    device: FromDevice,
    credential: Credential,
    request: Request,
) -> Result<impl IntoResponse, Problem> {
    let params = Params::parse(request.uri().query().unwrap_or_default());
    no_flood(request).await?;
    let ended = in_time(async {
        let person = fresh_person(&hub, &credential, &origin, device).await?;
        let except = params?.take("except");
        if except.as_deref() != Some("current") {
            return Err(RequestFault::BadExcept.into());
        }
        match end(&hub, &person, &Which::Others).await {
            Err(Denied::NotFound) => Ok(Outcome { ended: Vec::new(), more: 0, complete: true }),
            outcome => outcome,
        }
    });
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(ended.await?)))
}

/// axum answers HEAD where it answers GET; here the body matters.
pub(super) async fn head() -> impl IntoResponse {
    ([(header::ALLOW, "GET,DELETE")], Problem::method_not_allowed())
}

/// Who asks: by an ID token that is in date. A resume ticket is for its own session only.
async fn person(
    hub: &Arc<Hub>,
    credential: &Credential,
    origin: &FromOrigin,
    device: FromDevice,
) -> Result<Person, Denied> {
    let Credential::Bearer(token) = credential else { return Err(Denied::NoCredentials) };
    let person = hub.person(token.reveal()).await?;
    let device = device.of(&person, origin);
    let person = person.on(device);
    match person.proof {
        Proof::IdToken => Ok(person),
        Proof::Ticket => Err(Denied::Scope),
        Proof::ExpiredIdToken { .. } | Proof::ExpiredTicket => Err(Denied::Token(TokenFault::TokenExpired)),
    }
}

/// Who may end sessions: the page of an app, for a person who signed in just now.
async fn fresh_person(
    hub: &Arc<Hub>,
    credential: &Credential,
    origin: &FromOrigin,
    device: FromDevice,
) -> Result<Person, Denied> {
    let person = person(hub, credential, origin, device).await?;
    person.asks_from(origin.as_deref(), true)?;
    if hub.is_fresh(&person.sign_in) { Ok(person) } else { Err(Denied::NotFresh) }
}

/// The sessions of somebody whose own session is alive.
async fn own_sessions(hub: &Arc<Hub>, person: &Person) -> Result<OwnSessions, Denied> {
    if hub.ended_by(person).await?.is_some() {
        return Err(Denied::LoggedOut);
    }
    hub.own_sessions(&person.sign_in, person.device.as_deref()).await
}

async fn end(hub: &Arc<Hub>, person: &Person, which: &Which) -> Result<Outcome, Denied> {
    let own = own_sessions(hub, person).await?;
    let (chosen, complete) = (which.of(&own.sessions), !own.is_issuer_silent);
    if chosen.is_empty() && !complete && *which == Which::Others {
        // There may be some, and nobody could say.
        return Ok(Outcome { ended: Vec::new(), more: 0, complete });
    }
    if chosen.is_empty() {
        return Err(Denied::NotFound);
    }
    let ended = hub.end_own_sessions(&person.sign_in, &chosen).await?;
    if ended.is_empty() {
        // The one that asks has no name at its issuer: there is no session to end.
        return Err(RequestFault::BadScope.into());
    }
    let more = ended.len().saturating_sub(LISTED_AT_MOST);
    let ended = ended.into_iter().take(LISTED_AT_MOST).map(|(session, done)| EndedView {
        session: session.id,
        device: session.device,
        logout: LogoutView::from(&done.logout),
        notified: done.notified,
    });
    Ok(Outcome { ended: ended.collect(), more, complete })
}
