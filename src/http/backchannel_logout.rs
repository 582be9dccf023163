//! `POST /backchannel-logout`: an issuer says that a session has ended.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use crate::hub::Hub;
use crate::hub::denied::{Denied, RequestFault};
use crate::web::body::form;
use crate::web::params::Params;
use crate::web::problem::Problem;

/// Takes the form field `logout_token`; other fields are ignored. One URL serves all
/// issuers and apps (Back-Channel Logout 1.0, section 2.5).
pub(super) async fn receive(State(hub): State<Arc<Hub>>, request: Request) -> Result<impl IntoResponse, Problem> {
    let token = logout_token(request).await.map_err(Problem::request)?;
    let received = super::layers::in_time(hub.receive_logout_token(&token)).await;
    received.map_err(|denied| match denied {
        // Auth0 takes a 400 as final; only what is the token's own fault may be one.
        Denied::Token(fault) => Problem::logout_token(fault),
        other => other.into(),
    })?;
    Ok((StatusCode::OK, [(header::CACHE_CONTROL, "no-store")]))
}

async fn logout_token(request: Request) -> Result<String, RequestFault> {
    let query = Params::parse(request.uri().query().unwrap_or_default())?;
    if query.has("logout_token") {
        return Err(RequestFault::DuplicateParameter);
    }
    form(request).await?.take("logout_token").ok_or(RequestFault::MissingToken)
}
