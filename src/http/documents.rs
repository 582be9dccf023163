//! Documents that say what is here: `/.well-known/slo-hub`, and the browser SDK.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::hub::Hub;
use crate::hub::report_logout::sha256_hex;
use crate::web::Edge;

/// The browser SDK for a `<script>` tag, as built from `client-sdk`.
const SDK: &str = include_str!("../../client-sdk/client/dist-iife/slo-hub.js");

/// The documents' routes.
pub fn routes() -> Router<Edge> {
    Router::new()
        .route("/.well-known/slo-hub", get(about))
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
        "sdk": format!("{base}/sdk/slo-hub.js"),
    })
}

/// `GET /sdk/slo-hub.js`. Revalidated on every use: a fix reaches pages at once.
async fn sdk(headers: HeaderMap) -> Response {
    let tag = format!("\"{}\"", &sha256_hex(SDK.as_bytes())[..16]);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let tag_value = HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""));
    let common = [
        (header::ETAG, tag_value),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, no-cache")),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        (header::HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin")),
    ];
    if known.is_some_and(|known| known.contains(&tag)) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let script = HeaderValue::from_static("text/javascript; charset=utf-8");
    (common, [(header::CONTENT_TYPE, script)], SDK).into_response()
}
