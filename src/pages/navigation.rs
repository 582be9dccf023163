//! Is this a person going somewhere, or a page fetching something behind their back?

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use url::Url;

use super::trouble::{bad_request, not_a_navigation};
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

/// Whether a request is a top-level navigation, as far as its browser says. A
/// prefetch, an image, a frame or a script signs nobody out. Browsers that send no
/// `Sec-Fetch-*` are taken at their word.
#[must_use]
pub(super) fn is_navigation(headers: &HeaderMap) -> bool {
    let says = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let is_ahead = ["sec-purpose", "purpose", "x-moz"].into_iter().filter_map(says);
    let is_ahead = is_ahead.into_iter().any(|purpose| purpose.contains("prefetch") || purpose.contains("prerender"));
    let goes_somewhere = says("sec-fetch-mode").is_none_or(|mode| mode == "navigate");
    let in_the_window = says("sec-fetch-dest").is_none_or(|dest| dest == "document");
    !is_ahead && goes_somewhere && in_the_window
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
    fn only_a_top_level_navigation_is_one() {
        assert!(is_navigation(&headers(&[])));
        assert!(is_navigation(&headers(&[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")])));
        for behind_the_back in [
            headers(&[("sec-purpose", "prefetch")]),
            headers(&[("sec-purpose", "prefetch;prerender")]),
            headers(&[("purpose", "prefetch")]),
            headers(&[("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")]),
            headers(&[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")]),
            headers(&[("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")]),
        ] {
            assert!(!is_navigation(&behind_the_back), "{behind_the_back:?}");
        }
    }

    #[test]
    fn the_sender_is_the_origin_else_the_referers() {
        assert_eq!(sender(&headers(&[])), None);
        assert_eq!(sender(&headers(&[("referer", "https://n.example/a?b")])).as_deref(), Some("https://n.example"));
        let both = headers(&[("origin", "null"), ("referer", "https://n.example/")]);
        assert_eq!(sender(&both).as_deref(), Some("null"));
    }
}
