//! Addresses at the API. An id from outside is one segment of a path, whatever is in it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::fault::ManagementFault;

/// All but RFC 3986's unreserved characters.
const ESCAPED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An issuer's API, by its base: the issuer's own address, with a slash at the end.
#[derive(Clone, Debug)]
pub(super) struct Base(String);

impl Base {
    pub(super) fn of(issuer: &str) -> Self {
        Self(format!("{}/", issuer.trim_end_matches('/')))
    }

    /// What tokens for the API are made for.
    pub(super) fn audience(&self) -> String {
        format!("{}api/v2/", self.0)
    }

    /// Where tokens are.
    pub(super) fn token(&self) -> Result<Url, ManagementFault> {
        parsed(&format!("{}oauth/token", self.0))
    }

    /// An address below `api/v2/`, each id a segment of its own.
    ///
    /// # Errors
    /// [`ManagementFault::NotTheirs`] for `.` and `..`, which no address can hold as an id.
    pub(super) fn api(&self, segments: &[Segment<'_>]) -> Result<Url, ManagementFault> {
        let mut text = format!("{}api/v2", self.0);
        for segment in segments {
            text.push('/');
            match segment {
                Segment::Word(word) => text.push_str(word),
                // A reader of addresses takes these for a step, escaped or not.
                Segment::Id("." | "..") => return Err(ManagementFault::NotTheirs),
                Segment::Id(id) => text.extend(utf8_percent_encode(id, &ESCAPED)),
            }
        }
        parsed(&text)
    }
}

/// A part of an address.
#[derive(Clone, Copy)]
pub(super) enum Segment<'a> {
    Word(&'static str),
    Id(&'a str),
}

fn parsed(text: &str) -> Result<Url, ManagementFault> {
    Url::parse(text).map_err(|_| ManagementFault::Strange("the issuer is no address"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Segment::{Id, Word};
    use super::*;

    fn revoke(id: &str) -> Result<Url, ManagementFault> {
        Base::of("https://acme.eu.auth0.com/").api(&[Word("sessions"), Id(id), Word("revoke")])
    }

    #[test]
    fn ids_that_would_leave_their_segment_do_not() {
        for (id, escaped) in [
            ("auth0|65f", "auth0%7C65f"),
            ("../users/x", "..%2Fusers%2Fx"),
            ("a/../b", "a%2F..%2Fb"),
            ("x?y=1#z", "x%3Fy%3D1%23z"),
            ("a\\b", "a%5Cb"),
            ("%2e%2e", "%252e%252e"),
            ("%2F", "%252F"),
            ("a b+c;d:e@f", "a%20b%2Bc%3Bd%3Ae%40f"),
            ("Zoë", "Zo%C3%AB"),
            ("...", "..."),
        ] {
            let url = revoke(id).unwrap();
            assert_eq!(url.as_str(), format!("https://acme.eu.auth0.com/api/v2/sessions/{escaped}/revoke"));
        }
        assert_eq!(revoke("."), Err(ManagementFault::NotTheirs));
        assert_eq!(revoke(".."), Err(ManagementFault::NotTheirs));
    }

    proptest! {
        #[test]
        fn whatever_an_id_holds_it_is_read_back_as_one_segment(id in "\\PC{1,64}") {
            if let Ok(url) = revoke(&id) {
                let segments: Vec<_> = url.path_segments().unwrap().collect();
                prop_assert_eq!(segments.len(), 5);
                let read = percent_encoding::percent_decode_str(segments[3]).decode_utf8().unwrap();
                prop_assert_eq!(read.as_ref(), id.as_str());
                prop_assert_eq!((url.query(), url.fragment()), (None, None));
            }
        }
    }

    #[test]
    fn an_issuer_without_a_slash_at_its_end_has_the_same_api() {
        for issuer in ["https://acme.eu.auth0.com", "https://acme.eu.auth0.com/"] {
            assert_eq!(Base::of(issuer).audience(), "https://acme.eu.auth0.com/api/v2/");
            assert_eq!(Base::of(issuer).token().unwrap().as_str(), "https://acme.eu.auth0.com/oauth/token");
        }
    }
}
