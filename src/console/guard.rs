//! Who may see the console at all: a browser that calls it by a name of its own, and from its
//! own pages.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;

use super::Console;
use super::page::Refusal;

/// What every page goes out with: nothing is loaded from elsewhere, framed, kept or sniffed.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; \
         base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    ),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // A form has to show where it comes from, to the console only; with no-referrer its Origin
    // would be `null`.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Stands around every route of the console.
pub(super) async fn guard(State(console): State<Console>, request: Request, next: Next) -> Response {
    let mut response = match refused(&console, &request) {
        Some(refusal) => refusal.answer(),
        None => next.run(request).await,
    };
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

fn refused(console: &Console, request: &Request) -> Option<Refusal> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if !is_own_host(console, host) {
        return Some(Refusal::BadHost);
    }
    // Style sheet and script hold nothing of anybody's.
    let is_asset = request.uri().path().starts_with("/console/assets/");
    if console.token.is_none() && console.login.is_none() && !is_asset {
        return Some(Refusal::NoToken);
    }
    let changes_something = *request.method() != Method::GET && *request.method() != Method::HEAD;
    (changes_something && !is_own_page(console, request.headers(), host)).then_some(Refusal::ForeignPage)
}

/// Whether the request was meant for the console. Another name that leads here is a page's
/// that wants to pass for it (DNS rebinding); an address can be nobody else's name.
fn is_own_host(console: &Console, host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    let is_address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
    let is_here = name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost");
    is_address || is_here || console.url_host().is_some_and(|own| own.eq_ignore_ascii_case(host))
}

/// Whether a page of the console sent the form. Browsers say so in one header or in both.
fn is_own_page(console: &Console, headers: &HeaderMap, host: &str) -> bool {
    let one = |name: HeaderName| {
        let mut values = headers.get_all(name).iter();
        let first = values.next().map(|value| value.to_str().unwrap_or("null"));
        if values.next().is_some() { Some("null") } else { first }
    };
    let origin = one(header::ORIGIN);
    let site = one(HeaderName::from_static("sec-fetch-site"));
    let scheme = if console.is_tls { "https://" } else { "http://" };
    let is_own_origin = |origin: &str| {
        let is_configured = console.url.as_ref().is_some_and(|url| url.as_str() == origin);
        is_configured || origin.strip_prefix(scheme).is_some_and(|from| from.eq_ignore_ascii_case(host))
    };
    (origin.is_some() || site.is_some())
        && origin.is_none_or(is_own_origin)
        && site.is_none_or(|site| site == "same-origin")
}
