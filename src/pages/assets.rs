//! What the pages load: one style sheet, and one script for the page that is fed live.

use axum::http::HeaderMap;
use axum::response::Response;

use crate::web::respond::unless_known;

const STYLE: &str = include_str!("assets/pages.css");
const SIGNING_OUT: &str = include_str!("assets/signing-out.js");

/// `GET /assets/pages.css`.
pub(super) async fn style_sheet(headers: HeaderMap) -> Response {
    unless_known(&headers, "public, no-cache", "text/css; charset=utf-8", STYLE)
}

/// `GET /assets/signing-out.js`.
pub(super) async fn signing_out_script(headers: HeaderMap) -> Response {
    unless_known(&headers, "public, no-cache", "text/javascript; charset=utf-8", SIGNING_OUT)
}
