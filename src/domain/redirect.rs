//! Where a browser may be sent after a logout.

use super::app::App;

/// A `post_logout_redirect_uri` that is on its app's list, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostLogoutRedirect(String);

impl PostLogoutRedirect {
    /// The registered address that `wanted` names exactly; `None` when there is none.
    ///
    /// No normalisation: what looks the same to a person may be another address to
    /// a browser (RFC 9700, section 4.1.3).
    #[must_use]
    pub fn on_list(app: &App, wanted: &str) -> Option<Self> {
        app.post_logout_redirect_uris.iter().find(|uri| *uri == wanted).map(|uri| Self(uri.clone()))
    }

    /// The address, with `state` added to its query exactly as it was given
    /// (RP-Initiated Logout 1.0, section 3).
    #[must_use]
    pub fn with_state(&self, state: Option<&str>) -> String {
        let Some(state) = state else { return self.0.clone() };
        let (base, fragment) = match self.0.split_once('#') {
            Some((base, fragment)) => (base, Some(fragment)),
            None => (self.0.as_str(), None),
        };
        let separator = match base.split_once('?') {
            None => "?",
            Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
            Some(_) => "&",
        };
        let encoded: String = form_urlencoded::byte_serialize(state.as_bytes()).collect();
        // `+` means a space only to form decoders; `%20` means one to everybody.
        let encoded = encoded.replace('+', "%20");
        let fragment = fragment.map(|it| format!("#{it}")).unwrap_or_default();
        format!("{base}{separator}state={encoded}{fragment}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(uri: &str, state: Option<&str>) -> String {
        PostLogoutRedirect(uri.to_owned()).with_state(state)
    }

    #[test]
    fn state_is_added_to_whatever_query_there_is() {
        assert_eq!(to("https://n.example/bye", None), "https://n.example/bye");
        assert_eq!(to("https://n.example/bye", Some("x")), "https://n.example/bye?state=x");
        assert_eq!(to("https://n.example/bye?a=1", Some("x")), "https://n.example/bye?a=1&state=x");
        assert_eq!(to("https://n.example/bye?", Some("x")), "https://n.example/bye?state=x");
        assert_eq!(to("https://n.example/#/bye", Some("x")), "https://n.example/?state=x#/bye");
    }

    #[test]
    fn state_comes_back_exactly_as_it_was_given() {
        let given = "a b+c&d=é%20\"#";
        let url = url::Url::parse(&to("https://n.example/bye", Some(given))).unwrap();
        let back = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        assert_eq!(back, given);
    }
}
