//! Answers that several routes give.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};

use crate::domain::digest::sha256_hex;

/// A document, or 304 for whoever has this very one.
pub fn unless_known(
    headers: &HeaderMap,
    caching: &str,
    content_type: &'static str,
    document: impl Into<Body> + AsRef<[u8]>,
) -> Response {
    let tag = format!("\"{}\"", &sha256_hex(document.as_ref())[..16]);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let is_known = known.is_some_and(|known| known.contains(&tag));
    let common = [(header::ETAG, tag.as_str()), (header::CACHE_CONTROL, caching)];
    if is_known {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    (common, [(header::CONTENT_TYPE, content_type)], document.into()).into_response()
}

/// Server-sent events, as they come.
pub fn event_stream(pieces: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // nginx would keep events in its buffer.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(pieces.map(Ok::<_, Infallible>))).into_response()
}
