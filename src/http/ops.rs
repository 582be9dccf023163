//! For who runs the hub: health, readiness, metrics. On its own listener.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use super::{admin, layers};
use crate::domain::secret::Secret;
use crate::hub::Hub;
use crate::listener::Watch;
use crate::web::problem::Problem;

/// What the handlers here share.
#[derive(Clone)]
pub struct Ops {
    /// The verbs.
    pub hub: Arc<Hub>,
    /// What callers must show, where the listener is not on loopback only.
    pub token: Option<Secret>,
    /// The listeners, each with its name for the metrics.
    pub listeners: Arc<[(&'static str, Watch)]>,
}

/// `/healthz`, `/readyz`, `/metrics`, what administrators do, and the document of it all;
/// `beside` is what else is on that listener.
pub fn routes(ops: Ops, beside: Router) -> Router {
    let guarded = Router::new().route("/metrics", get(metrics)).layer(from_fn_with_state(ops.clone(), with_token));
    // Probes carry no token, and learn nothing that would need one.
    Router::new()
        .route("/healthz", get(|| async { Json(json!({ "status": "ok" })) }))
        .route("/readyz", get(ready))
        .merge(guarded)
        .merge(admin::routes(&ops))
        .merge(super::specifications::admin_routes())
        .merge(beside.with_state(()))
        .fallback(super::not_found)
        .method_not_allowed_fallback(super::method_not_allowed)
        .layer(from_fn(layers::with_one_host))
        .layer(layers::catch_panics())
        .layer(from_fn_with_state(Arc::clone(&ops.hub), layers::with_request_id))
        .with_state(ops)
}

async fn with_token(State(ops): State<Ops>, request: Request, next: Next) -> Response {
    let Some(token) = &ops.token else { return next.run(request).await };
    if shows(&request, token) {
        return next.run(request).await;
    }
    Problem::from(crate::hub::denied::Denied::NoCredentials).into_response()
}

/// Whether a request shows that token as its Bearer token.
pub(super) fn shows(request: &Request, token: &Secret) -> bool {
    let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown =
        shown.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    shown.is_some_and(|(_, shown)| token.matches(shown.trim()))
}

/// `GET /readyz`: 200 when a logout could be recorded now, 503 naming what is in the way.
/// An issuer whose keys were never had is named, but keeps the hub from nothing else:
/// tickets and facts need no keys, and logout tokens wait for them on disk.
async fn ready(State(ops): State<Ops>) -> Response {
    let hub = &ops.hub;
    let store = layers::in_time(async { Ok(hub.store.check().await?) }).await;
    let lacking: Vec<_> = hub.directory.issuers().map(|it| &it.issuer).filter(|it| !hub.keys.has_keys(it)).collect();
    let failing = match (&store, hub.tasks.is_stopping()) {
        (_, true) => Some("stopping"),
        (Err(_), false) => Some("store"),
        (Ok(()), false) => None,
    };
    let lacking: Vec<_> = lacking.into_iter().map(|issuer| issuer.as_str().to_owned()).collect();
    let status = if failing.is_some() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let word = if failing.is_some() { "unavailable" } else { "ready" };
    let body = json!({ "status": word, "failing": failing, "issuers_without_keys": lacking });
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

async fn metrics(State(ops): State<Ops>) -> impl IntoResponse {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ops.hub.read_metrics().await;
    for (name, watch) in ops.listeners.iter() {
        ops.hub.metrics.readings().listener(name, watch.turned_away(), watch.valid_until());
    }
    ([(header::CONTENT_TYPE, content_type)], ops.hub.metrics.encode())
}
