//! A person's own navigation, and the page that it comes from.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use url::Url;

use super::trouble::{bad_request, not_a_navigation};
pub(super) use crate::web::navigation::is_navigation;
use crate::web::params::Params;

/// The parameters of a person's own navigation to a place that the hub named. Whoever
/// is refused gets a page.
#[derive(Debug)]
pub(super) struct Navigated(pub(super) Params);

impl<S: Sync> FromRequestParts<S> for Navigated {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        if !is_navigation(&parts.headers) {
            return Err(not_a_navigation());
        }
        Params::parse(parts.uri.query().unwrap_or_default()).map(Self).map_err(bad_request)
    }
}

/// The origin of the page that sent the browser here: `Origin` on a form's POST, else
/// that of the `Referer`. A page can hide its origin, but not name another's.
#[must_use]
pub(super) fn sender(headers: &HeaderMap) -> Option<String> {
    if let Some(origin) = headers.get(header::ORIGIN) {
        return origin.to_str().ok().map(str::to_owned);
    }
    let referer = Url::parse(headers.get(header::REFERER)?.to_str().ok()?).ok()?;
    Some(referer.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_sender_is_the_origin_else_the_referers() {
        assert_eq!(sender(&headers(&[])), None);
        assert_eq!(sender(&headers(&[("referer", "https://n.example/a?b")])).as_deref(), Some("https://n.example"));
        let both = headers(&[("origin", "null"), ("referer", "https://n.example/")]);
        assert_eq!(sender(&both).as_deref(), Some("null"));
    }
}
