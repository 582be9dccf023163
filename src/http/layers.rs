//! What stands around every handler: request ids, one log line, deadlines, limits.

use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use ulid::Ulid;

use super::traced::name_request;
use crate::domain::clock::UnixMillis;
use crate::hub::Hub;
use crate::hub::denied::Denied;
use crate::hub::report_logout::random;
use crate::listener::HEAD_MAX_BYTES;
use crate::store::StoreError;
use crate::telemetry::in_request;
use crate::web::caller::ClientAddr;
use crate::web::problem::{Problem, Refused};
use crate::web::{ANSWER_WITHIN, Edge};

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Waits for a verb, but not for ever: an answer that comes too late is our trouble.
/// What the verb has begun goes on to its end.
///
/// # Errors
/// Those of the verb, or [`StoreError::TimedOut`].
pub async fn in_time<T>(verb: impl Future<Output = Result<T, Denied>>) -> Result<T, Denied> {
    let late = Err(Denied::Store(StoreError::TimedOut));
    tokio::time::timeout(ANSWER_WITHIN, verb).await.unwrap_or(late)
}

/// Answers 429 instead of the refusal once an address has had too many refusals this
/// minute. Whatever verifies is served all the same.
pub async fn hold_back_failures(State(edge): State<Edge>, addr: ClientAddr, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let is_failure = response.status().is_client_error() && response.extensions().get::<Refused>().is_some();
    if !is_failure || edge.failures.allow(addr.0) {
        return response;
    }
    // Headers that other layers have set, CORS among them, are theirs to set again.
    Problem::slow_down().into_response()
}

/// Refuses a request that does not say once, and readably, whom it is for (RFC 9112,
/// section 3.2): what stands before the hub may have taken another of its hosts.
pub async fn with_one_host(request: Request, next: Next) -> Response {
    if says_one_host(&request) { next.run(request).await } else { Problem::bad_host().into_response() }
}

/// Refuses a request whose head is too long: its first line and its fields, each as it would
/// be written with a single space.
pub async fn with_bounded_head(request: Request, next: Next) -> Response {
    if head_bytes(&request) <= HEAD_MAX_BYTES {
        next.run(request).await
    } else {
        Problem::head_too_large().into_response()
    }
}

fn head_bytes(request: &Request) -> usize {
    let (uri, method) = (request.uri(), request.method().as_str());
    let path = uri.path_and_query().map_or(0, |path| path.as_str().len());
    let scheme = uri.scheme_str().map_or(0, |scheme| scheme.len() + "://".len());
    let target = scheme + uri.authority().map_or(0, |authority| authority.as_str().len()) + path;
    let fields = request.headers().iter().map(|(name, value)| name.as_str().len() + ": \r\n".len() + value.len());
    method.len() + target + "  HTTP/1.1\r\n".len() + fields.sum::<usize>() + "\r\n".len()
}

fn says_one_host(request: &Request) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().is_ok_and(is_host),
        (None, _) => request.version() < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

/// A host with or without a port; or none, which a client may say too.
fn is_host(text: &str) -> bool {
    text.is_empty() || (!text.contains('@') && text.parse::<Authority>().is_ok())
}

/// Gives every request an id, and every answer that id and one line in the log.
pub async fn with_request_id(State(hub): State<Arc<Hub>>, request: Request, next: Next) -> Response {
    let chance = u128::from_be_bytes(random());
    let UnixMillis(now) = hub.clock.now();
    let id = Ulid::from_parts(u64::try_from(now).unwrap_or(0), chance).to_string();
    let started = hub.clock.uptime();
    let method = request.method().clone();
    // The route, never the path: a path can hold anything.
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    name_request(&id);
    let mut response = in_request(id.clone(), next.run(request)).await;
    let took = hub.clock.uptime().saturating_sub(started);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID.clone(), value);
    }
    log(&hub, &id, method.as_str(), route.as_deref().unwrap_or("-"), &response, took);
    response
}

fn log(hub: &Hub, id: &str, method: &str, route: &str, response: &Response, took: Duration) {
    let status = response.status().as_u16();
    let code = response.extensions().get::<Refused>().map(|refused| refused.0);
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let Some(code) = code else {
        tracing::debug!(request.id = id, http.method = method, http.route = route, status, duration_ms, "answered");
        return;
    };
    hub.metrics.rejected(endpoint(route), code);
    if code == Problem::slow_down().code {
        // Counted, and not written down one by one: nobody is to fill the disk with it.
        tracing::debug!(
            request.id = id,
            http.method = method,
            http.route = route,
            status,
            code,
            duration_ms,
            "refused"
        );
    } else if response.status().is_server_error() {
        tracing::error!(request.id = id, http.method = method, http.route = route, status, code, duration_ms, "failed");
    } else {
        tracing::warn!(request.id = id, http.method = method, http.route = route, status, code, duration_ms, "refused");
    }
}

/// The metric's name for a route: a fixed word, whatever was called.
fn endpoint(route: &str) -> &'static str {
    match route {
        "/backchannel-logout" => "backchannel_logout",
        "/api/v1/logouts" => "logouts",
        "/api/v1/logouts/{id}" => "receipt",
        "/api/v1/logouts/{id}/acks" => "acks",
        "/api/v1/session" => "session",
        "/api/v1/session/activity" => "activity",
        "/api/v1/events" => "events",
        "/api/v1/me/sessions" | "/api/v1/me/sessions/{id}" => "me_sessions",
        "/sessions" | "/sessions/end" | "/sessions/callback" => "sessions",
        "/ws" => "ws",
        route if route.starts_with("/console") => "console",
        "/logout" | "/logout/continue" | "/logout/callback" => "logout",
        _ => "other",
    }
}

/// What makes an answer of a panic.
type OnPanic = fn(Box<dyn Any + Send>) -> Response<Body>;

/// A handler that panics is our trouble: 503, and the caller may try again.
#[must_use]
pub fn catch_panics() -> CatchPanicLayer<OnPanic> {
    fn answer(_: Box<dyn Any + Send>) -> Response<Body> {
        tracing::error!("a handler panicked");
        Problem::internal().into_response()
    }
    CatchPanicLayer::custom(answer as OnPanic)
}

/// Browsers are to come by TLS only, for a year (RFC 6797). Where a proxy ends TLS, it says so.
pub async fn with_strict_transport(State(is_strict): State<bool>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if is_strict {
        let a_year = HeaderValue::from_static("max-age=31536000");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, a_year);
    }
    response
}

/// Headers that every answer carries: nothing here is to be sniffed or framed.
pub async fn with_plain_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    if !headers.contains_key("referrer-policy") {
        headers.insert(HeaderName::from_static("referrer-policy"), HeaderValue::from_static("no-referrer"));
    }
    debug_assert!(response.status() != StatusCode::INTERNAL_SERVER_ERROR, "our own trouble is a 503");
    response
}
