//! What the pages load: one style sheet, and one script for the page that is fed live.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::hub::report_logout::sha256_hex;

const STYLE: &str = include_str!("assets/pages.css");
const SIGNING_OUT: &str = include_str!("assets/signing-out.js");

/// `GET /assets/pages.css`.
pub(super) async fn style_sheet(headers: HeaderMap) -> Response {
    asset(&headers, "text/css; charset=utf-8", STYLE)
}

/// `GET /assets/signing-out.js`.
pub(super) async fn signing_out_script(headers: HeaderMap) -> Response {
    asset(&headers, "text/javascript; charset=utf-8", SIGNING_OUT)
}

fn asset(headers: &HeaderMap, content_type: &'static str, text: &'static str) -> Response {
    let tag = format!("\"{}\"", &sha256_hex(text.as_bytes())[..16]);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let is_known = known.is_some_and(|known| known.contains(&tag));
    let common = [
        (header::ETAG, HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\""))),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, no-cache")),
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
    ];
    if is_known { (StatusCode::NOT_MODIFIED, common).into_response() } else { (common, text).into_response() }
}
