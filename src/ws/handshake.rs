//! The opening handshake (RFC 6455, section 4.2), up to the answer.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::upgrade::OnUpgrade;

use crate::web::problem::Problem;

/// What the specification has a server add to the key. It proves that the server means
/// WebSocket, and nothing else: no secret is in it.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A request that is a handshake.
pub(super) struct Handshake {
    accept: HeaderValue,
    upgrade: OnUpgrade,
}

/// A request that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoHandshake {
    /// It is no GET.
    Method,
    /// It lacks what a handshake has.
    Headers,
}

impl IntoResponse for NoHandshake {
    fn into_response(self) -> Response {
        let (problem, name, value) = match self {
            Self::Method => (Problem::method_not_allowed(), header::ALLOW, "GET"),
            Self::Headers => (not_a_websocket(), header::SEC_WEBSOCKET_VERSION, "13"),
        };
        let mut response = problem.into_response();
        response.headers_mut().insert(name, HeaderValue::from_static(value));
        response
    }
}

fn not_a_websocket() -> Problem {
    Problem {
        status: StatusCode::BAD_REQUEST,
        error: "invalid_request",
        code: "not_a_websocket",
        description: "This address takes WebSocket handshakes only (RFC 6455), with the subprotocol slo.v1.",
    }
}

impl<S: Sync> FromRequestParts<S> for Handshake {
    type Rejection = NoHandshake;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NoHandshake> {
        if parts.method != Method::GET {
            return Err(NoHandshake::Method);
        }
        let is_asked = names(&parts.headers, header::CONNECTION, "upgrade")
            && names(&parts.headers, header::UPGRADE, "websocket")
            && only(&parts.headers, header::SEC_WEBSOCKET_VERSION) == Some("13")
            && parts.version == Version::HTTP_11;
        let accept = only(&parts.headers, header::SEC_WEBSOCKET_KEY).and_then(accept).filter(|_| is_asked);
        let upgrade = parts.extensions.remove::<OnUpgrade>();
        let (Some(accept), Some(upgrade)) = (accept, upgrade) else { return Err(NoHandshake::Headers) };
        Ok(Self { accept, upgrade })
    }
}

impl Handshake {
    /// The answer, and the connection that follows it.
    pub(super) fn answer(self, protocol: &'static str) -> (Response, OnUpgrade) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, self.accept);
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
        (response, self.upgrade)
    }
}

/// Whether a header's list has that word.
fn names(headers: &HeaderMap, name: HeaderName, word: &str) -> bool {
    let lists = headers.get_all(name);
    let mut words = lists.iter().filter_map(|list| list.to_str().ok()).flat_map(|list| list.split(','));
    words.any(|one| one.trim().eq_ignore_ascii_case(word))
}

/// A header that must be there once.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().filter(|_| values.next().is_none());
    value.and_then(|value| value.to_str().ok())
}

/// The answer to a key, which is sixteen bytes in base64.
fn accept(key: &str) -> Option<HeaderValue> {
    let is_key = STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16);
    let proof = digest(&SHA1_FOR_LEGACY_USE_ONLY, [key, GUID].concat().as_bytes());
    is_key.then(|| HeaderValue::try_from(STANDARD.encode(proof)).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    async fn read(request: axum::http::request::Builder) -> Result<(), NoHandshake> {
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts.extensions.insert(hyper::upgrade::on(Request::new(())));
        Handshake::from_request_parts(&mut parts, &()).await.map(drop)
    }

    fn request() -> axum::http::request::Builder {
        let request = Request::get("/ws").header("connection", "keep-alive, Upgrade").header("upgrade", "WebSocket");
        request.header("sec-websocket-version", "13").header("sec-websocket-key", KEY)
    }

    fn without(name: &str) -> axum::http::request::Builder {
        let mut request = request();
        request.headers_mut().unwrap().remove(name);
        request
    }

    #[test]
    fn a_key_is_answered_as_in_the_specification() {
        assert_eq!(accept(KEY).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[tokio::test]
    async fn a_handshake_is_one_however_its_words_are_written() {
        assert_eq!(read(request()).await, Ok(()));
    }

    #[tokio::test]
    async fn what_lacks_a_header_or_has_another_value_is_no_handshake() {
        for name in ["connection", "upgrade", "sec-websocket-version", "sec-websocket-key"] {
            assert_eq!(read(without(name)).await, Err(NoHandshake::Headers), "without {name}");
            assert_eq!(read(without(name).header(name, "x")).await, Err(NoHandshake::Headers), "{name}: x");
        }
        for key in ["", "c2hvcnQ=", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZSBpcyB0b28gbG9uZw=="] {
            let request = without("sec-websocket-key").header("sec-websocket-key", key);
            assert_eq!(read(request).await, Err(NoHandshake::Headers), "{key}");
        }
        assert_eq!(read(request().header("sec-websocket-key", KEY)).await, Err(NoHandshake::Headers), "two keys");
        assert_eq!(read(request().version(Version::HTTP_10)).await, Err(NoHandshake::Headers), "HTTP/1.0");
        assert_eq!(read(request().method("POST")).await, Err(NoHandshake::Method));
    }
}
