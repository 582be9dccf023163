//! Documents that say what is here: `/.well-known/slo-hub`, the hub's public keys, the
//! browser SDK, and the specifications.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::domain::signing_key::KEY_SET_CACHE_SECONDS;
use crate::hub::Hub;
use crate::web::Edge;
use crate::web::respond::unless_known;

/// The browser SDK for a `<script>` tag, as built from `client-sdk`.
const SDK: &str = include_str!("../../client-sdk/client/dist-iife/slo-hub.js");

/// The custom elements of the same, for who wants them.
const ELEMENTS: &str = include_str!("../../client-sdk/client/dist-iife/slo-hub-elements.js");

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The documents' routes.
pub fn routes(edge: &Edge) -> Router<Edge> {
    Router::new()
        .route("/.well-known/slo-hub", get(about))
        .route("/.well-known/slo-hub/stream", get(super::stream_probe::stream).head(super::head_not_allowed))
        .route("/.well-known/jwks.json", get(key_set))
        .route("/sdk/slo-hub.js", get(sdk))
        .route("/sdk/slo-hub-elements.js", get(elements))
        .merge(super::specifications::routes(edge.hub.rules.public_url.as_str()))
        .method_not_allowed_fallback(super::method_not_allowed)
}

/// `GET /.well-known/slo-hub`: endpoints and protocol versions.
async fn about(State(hub): State<Arc<Hub>>) -> Response {
    let caching = [(header::CACHE_CONTROL, "public, max-age=300")];
    for_any_origin((caching, Json(describe(hub.rules.public_url.as_str()))).into_response())
}

fn describe(base: &str) -> Value {
    let socket = base.replacen("http", "ws", 1);
    json!({
        "public_url": base,
        "protocols": ["slo.v1"],
        "channel_endpoint": format!("{socket}/ws"),
        "events_endpoint": format!("{base}/api/v1/events"),
        "logouts_endpoint": format!("{base}/api/v1/logouts"),
        "session_endpoint": format!("{base}/api/v1/session"),
        "own_sessions_endpoint": format!("{base}/api/v1/me/sessions"),
        "backchannel_logout_uri": format!("{base}/backchannel-logout"),
        "end_session_endpoint": format!("{base}/logout"),
        "post_logout_redirect_uri": format!("{base}/logout/callback"),
        "jwks_uri": format!("{base}/.well-known/jwks.json"),
        "sdk": format!("{base}/sdk/slo-hub.js"),
        "sdk_elements": format!("{base}/sdk/slo-hub-elements.js"),
        "openapi": format!("{base}/openapi.json"),
        "asyncapi": format!("{base}/asyncapi.json"),
    })
}

/// `GET /.well-known/jwks.json`: the keys that the hub's own logout tokens verify with.
/// A new one is here for longer than a copy may be kept before it signs anything.
async fn key_set(State(hub): State<Arc<Hub>>, headers: HeaderMap) -> Response {
    let keys = hub.own_tokens.jwks().to_string();
    let caching = format!("public, max-age={KEY_SET_CACHE_SECONDS}");
    for_any_origin(unless_known(&headers, &caching, "application/json", keys))
}

/// `GET /sdk/slo-hub.js`.
async fn sdk(headers: HeaderMap) -> Response {
    revalidated(&headers, SCRIPT, Bytes::from_static(SDK.as_bytes()))
}

/// `GET /sdk/slo-hub-elements.js`.
async fn elements(headers: HeaderMap) -> Response {
    revalidated(&headers, SCRIPT, Bytes::from_static(ELEMENTS.as_bytes()))
}

/// Revalidated on every use: a fix reaches pages at once.
pub(super) fn revalidated(headers: &HeaderMap, content_type: &'static str, text: Bytes) -> Response {
    let document = unless_known(headers, "public, no-cache", content_type, text);
    ([("cross-origin-resource-policy", "cross-origin")], for_any_origin(document)).into_response()
}

/// There is nothing of anyone in it.
fn for_any_origin(document: Response) -> Response {
    ([(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")], document).into_response()
}
