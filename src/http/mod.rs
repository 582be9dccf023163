//! The HTTP edge: take what came, call one verb, answer. One endpoint a file.

mod admin;
pub mod backchannel_logout;
mod cors;
pub mod documents;
mod drills;
pub mod events;
pub mod layers;
pub mod logouts;
pub mod me_sessions;
pub mod ops;
pub mod session;
mod specifications;
mod stream_probe;
pub mod traced;

use axum::Router;
use axum::http::header;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use axum::routing::{any, delete, get, post};

use crate::web::Edge;
use crate::web::params::once_each;
use crate::web::problem::Problem;

/// Everything that apps and issuers call, without the pages and the socket.
pub fn routes(edge: &Edge) -> Router<Edge> {
    let api = Router::new()
        .route("/api/v1/logouts", post(logouts::report))
        .route("/api/v1/logouts/{id}", get(logouts::receipt).head(head_not_allowed))
        .route("/api/v1/logouts/{id}/acks", post(logouts::acknowledge))
        .route("/api/v1/session", get(session::state).head(head_not_allowed))
        .route("/api/v1/session/activity", post(session::activity))
        .route("/api/v1/me/sessions", get(me_sessions::list).delete(me_sessions::end_others).head(me_sessions::head))
        .route("/api/v1/me/sessions/{id}", delete(me_sessions::end_one))
        .route("/api/v1/events", get(events::stream).head(head_not_allowed))
        // Here, so that a page of a registered origin may read this answer too.
        .route("/api/{*nothing}", any(not_found))
        .method_not_allowed_fallback(method_not_allowed);
    let backchannel = Router::new()
        .route("/backchannel-logout", post(backchannel_logout::receive))
        .method_not_allowed_fallback(method_not_allowed);
    guarded(api, edge)
        .layer(cors::for_registered_origins(&edge.hub.directory))
        .merge(guarded(backchannel.merge(documents::routes(edge)), edge))
}

/// What is refused, or panics, anywhere behind this is answered, counted and held back
/// alike.
pub fn guarded(routes: Router<Edge>, edge: &Edge) -> Router<Edge> {
    routes
        .layer(layers::catch_panics())
        .layer(from_fn(once_each))
        .layer(from_fn_with_state(edge.clone(), layers::hold_back_failures))
}

/// There is no such path.
pub async fn not_found() -> Problem {
    Problem::not_found()
}

/// The path takes other methods.
pub async fn method_not_allowed() -> Problem {
    Problem::method_not_allowed()
}

/// axum answers HEAD where it answers GET; here a GET has effects, or a body that
/// matters.
pub async fn head_not_allowed() -> impl IntoResponse {
    ([(header::ALLOW, "GET")], Problem::method_not_allowed())
}
