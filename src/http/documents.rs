//! Documents that say what is here: `/.well-known/slo-hub`, the hub's public keys, and the
//! browser SDK.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::domain::signing_key::KEY_SET_CACHE_SECONDS;
use crate::hub::Hub;
use crate::hub::report_logout::sha256_hex;
use crate::web::Edge;

/// The browser SDK for a `<script>` tag, as built from `client-sdk`.
const SDK: &str = include_str!("../../client-sdk/client/dist-iife/slo-hub.js");

/// The documents' routes.
pub fn routes() -> Router<Edge> {
    Router::new()
        .route("/.well-known/slo-hub", get(about))
        .route("/.well-known/jwks.json", get(key_set))
        .route("/sdk/slo-hub.js", get(sdk))
        .method_not_allowed_fallback(super::method_not_allowed)
}

/// `GET /.well-known/slo-hub`: endpoints and protocol versions. Pages of any origin
/// may read it: there is nothing of anyone in it.
async fn about(State(hub): State<Arc<Hub>>) -> impl IntoResponse {
    let headers = [(header::CACHE_CONTROL, "public, max-age=300"), (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    (headers, Json(describe(hub.rules.public_url.as_str())))
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
        "backchannel_logout_uri": format!("{base}/backchannel-logout"),
        "end_session_endpoint": format!("{base}/logout"),
        "post_logout_redirect_uri": format!("{base}/logout/callback"),
        "jwks_uri": format!("{base}/.well-known/jwks.json"),
        "sdk": format!("{base}/sdk/slo-hub.js"),
    })
}

/// `GET /.well-known/jwks.json`: the keys that the hub's own logout tokens verify with.
/// A new one is here for longer than a copy may be kept before it signs anything.
async fn key_set(State(hub): State<Arc<Hub>>, headers: HeaderMap) -> Response {
    let keys = hub.own_tokens.jwks().to_string();
    let caching = format!("public, max-age={KEY_SET_CACHE_SECONDS}");
    unless_known(&headers, &caching, "application/json", keys)
}

/// `GET /sdk/slo-hub.js`. Revalidated on every use: a fix reaches pages at once.
async fn sdk(headers: HeaderMap) -> Response {
    let script = unless_known(&headers, "public, no-cache", "text/javascript; charset=utf-8", SDK);
    ([("cross-origin-resource-policy", "cross-origin")], script).into_response()
}

/// A document for pages of any origin; 304 for whoever has this very one.
fn unless_known(
    headers: &HeaderMap,
    caching: &str,
    content_type: &'static str,
    document: impl Into<Body> + AsRef<[u8]>,
) -> Response {
    let tag = format!("\"{}\"", &sha256_hex(document.as_ref())[..16]);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let is_known = known.is_some_and(|known| known.contains(&tag));
    let common =
        [(header::ETAG, tag.as_str()), (header::CACHE_CONTROL, caching), (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    if is_known {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    (common, [(header::CONTENT_TYPE, content_type)], document.into()).into_response()
}
