//! Is this a person going somewhere, or a page fetching something behind their back?

use axum::http::HeaderMap;

/// Whether a request is a top-level navigation, as far as its browser says. A
/// prefetch, an image, a frame or a script signs nobody out. Browsers that send no
/// `Sec-Fetch-*` are taken at their word.
#[must_use]
pub fn is_navigation(headers: &HeaderMap) -> bool {
    let says = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let is_ahead = ["sec-purpose", "purpose", "x-moz"].into_iter().filter_map(says);
    let is_ahead = is_ahead.into_iter().any(|purpose| purpose.contains("prefetch") || purpose.contains("prerender"));
    let goes_somewhere = says("sec-fetch-mode").is_none_or(|mode| mode == "navigate");
    let in_the_window = says("sec-fetch-dest").is_none_or(|dest| dest == "document");
    !is_ahead && goes_somewhere && in_the_window
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
}
