//! A span for every request: its method, its route and what it was answered, never its path.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, Method};
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;
use tracing::{Instrument as _, Span, field};

use crate::telemetry::spans::{self, Origin, span};
use crate::web::caller::is_trusted;
use crate::web::problem::Refused;

/// What is asked every few seconds by machines: no trace of it tells anything.
const PROBES: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// Whose `traceparent` is followed. A stranger's is not: it could have every request of
/// theirs kept, or put them into others' traces.
#[derive(Clone)]
pub enum Believed {
    /// These proxies'.
    Proxies(Arc<[IpNet]>),
    /// That of whoever can call this listener.
    Everyone,
}

impl Believed {
    fn believes(&self, peer: Option<IpAddr>) -> bool {
        match self {
            Self::Proxies(trusted) => peer.is_some_and(|peer| is_trusted(peer, trusted)),
            Self::Everyone => true,
        }
    }
}

/// Answers within a span, where spans are made.
pub async fn with_span(State(believed): State<Believed>, request: Request, next: Next) -> Response {
    if !spans::is_on() {
        return next.run(request).await;
    }
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    if route.as_deref().is_some_and(|route| PROBES.contains(&route)) {
        return next.run(request).await;
    }
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let parent = if believed.believes(peer) { said_parent(request.headers()) } else { Origin::default() };
    let span = parent.parent_of(span_of(request.method(), route.as_deref()));
    let response = next.run(request).instrument(span.clone()).await;
    answered(&span, &response);
    response
}

/// Says what the request is called that is being answered.
pub(super) fn name_request(id: &str) {
    if spans::is_in_trace() {
        Span::current().record("slo_hub.request.id", id);
    }
}

fn said_parent(headers: &HeaderMap) -> Origin {
    let mut said = headers.get_all(HeaderName::from_static("traceparent")).iter();
    match (said.next().and_then(|value| value.to_str().ok()), said.next()) {
        (Some(value), None) => Origin::from_traceparent(value),
        _ => Origin::default(),
    }
}

fn span_of(method: &Method, route: Option<&str>) -> Span {
    let method = word(method);
    let name = route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}"));
    span!(
        root,
        "request",
        otel.name = name,
        otel.kind = "server",
        http.request.method = method,
        http.route = route,
        http.response.status_code = field::Empty,
        slo_hub.request.id = field::Empty,
    )
}

/// A method's name; what is none of HTTP's own may be any text of a caller's.
fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => "_OTHER",
    }
}

/// A refusal is named; only our own trouble is a failure of the server's.
fn answered(span: &Span, response: &Response) {
    span.record("http.response.status_code", response.status().as_u16());
    if let Some(code) = response.extensions().get::<Refused>().map(|refused| refused.0) {
        span.record("error.type", code);
    }
    if response.status().is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}
