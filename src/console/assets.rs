//! The style sheets and the script.

use axum::http::HeaderMap;
use axum::response::Response;

use crate::web::respond::unless_known;

/// The look that the console shares with the pages for people.
const PAGES_STYLE: &str = include_str!("../pages/assets/pages.css");
const STYLE: &str = include_str!("assets/console.css");
const SCRIPT: &str = include_str!("assets/console.js");

/// `GET /console/assets/pages.css`.
pub(super) async fn pages_style_sheet(headers: HeaderMap) -> Response {
    unless_known(&headers, "private, no-cache", "text/css; charset=utf-8", PAGES_STYLE)
}

/// `GET /console/assets/console.css`.
pub(super) async fn style_sheet(headers: HeaderMap) -> Response {
    unless_known(&headers, "private, no-cache", "text/css; charset=utf-8", STYLE)
}

/// `GET /console/assets/console.js`.
pub(super) async fn script(headers: HeaderMap) -> Response {
    unless_known(&headers, "private, no-cache", "text/javascript; charset=utf-8", SCRIPT)
}
