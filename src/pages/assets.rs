//! What the pages load: style sheets, and scripts for the pages that are fed live.

use axum::http::HeaderMap;
use axum::response::Response;

use crate::web::respond::unless_known;

const STYLE: &str = include_str!("assets/pages.css");
const SESSIONS_STYLE: &str = include_str!("assets/sessions.css");
const SESSIONS: &str = include_str!("assets/sessions.js");
const SIGNING_OUT: &str = include_str!("assets/signing-out.js");

/// `GET /assets/pages.css`.
pub(super) async fn style_sheet(headers: HeaderMap) -> Response {
    unless_known(&headers, "public, no-cache", "text/css; charset=utf-8", STYLE)
}

/// `GET /assets/signing-out.js`.
pub(super) async fn signing_out_script(headers: HeaderMap) -> Response {
    unless_known(&headers, "public, no-cache", "text/javascript; charset=utf-8", SIGNING_OUT)
}

/// `GET /assets/sessions.css`.
pub(super) async fn sessions_style_sheet(headers: HeaderMap) -> Response {
    unless_known(&headers, "public, no-cache", "text/css; charset=utf-8", SESSIONS_STYLE)
}

/// `GET /assets/sessions.js`.
pub(super) async fn sessions_script(headers: HeaderMap) -> Response {
    unless_known(&headers, "public, no-cache", "text/javascript; charset=utf-8", SESSIONS)
}
