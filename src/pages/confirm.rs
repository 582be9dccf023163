//! The confirmation: proof that a person, in this browser, pressed the button on our
//! own page for this very request.

use aws_lc_rs::hmac;
use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::clock::UnixSeconds;
use crate::hub::report_logout::unguessable;

/// How long the page may be looked at before the button is pressed, in seconds.
const VALID_SECONDS: i64 = 600;

/// Signs confirmation forms.
pub(super) struct ConfirmKey(hmac::Key);

impl ConfirmKey {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &key))
    }

    /// The form's token for a request, for the browser that holds `nonce`.
    pub(super) fn sign(&self, nonce: &str, asked: &str, now: UnixSeconds) -> String {
        let until = now.plus(VALID_SECONDS).0;
        let tag = hmac::sign(&self.0, signed_text(nonce, asked, until).as_bytes());
        format!("{until}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    /// Whether `token` was signed for this request and this browser, not long ago.
    pub(super) fn holds(&self, token: &str, nonce: &str, asked: &str, now: UnixSeconds) -> bool {
        let Some((until, tag)) = token.split_once('.') else { return false };
        let (Ok(until), Ok(tag)) = (until.parse::<i64>(), URL_SAFE_NO_PAD.decode(tag)) else { return false };
        let text = signed_text(nonce, asked, until);
        until > now.0 && hmac::verify(&self.0, text.as_bytes(), &tag).is_ok()
    }
}

fn signed_text(nonce: &str, asked: &str, until: i64) -> String {
    // A nonce of ours has no line feed, so the parts cannot be shifted.
    format!("{until}\n{nonce}\n{asked}")
}

/// A cookie of the hub's own: `__Host-` where the hub is on https.
pub(super) struct OwnCookie {
    name: String,
    is_secure: bool,
}

impl OwnCookie {
    pub(super) fn named(name: &str, is_secure: bool) -> Self {
        let name = if is_secure { format!("__Host-{name}") } else { name.to_owned() };
        Self { name, is_secure }
    }

    /// The cookie's value, where it is one that [`unguessable`] could have made: what
    /// came is compared, stored and signed, so nothing else is let in.
    pub(super) fn read(&self, headers: &HeaderMap) -> Option<String> {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let value = pairs.find(|(name, _)| *name == self.name)?.1;
        let looks_ours =
            value.len() == 43 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        looks_ours.then(|| value.to_owned())
    }

    /// `Lax`: it has to come along when the issuer sends the browser back.
    pub(super) fn set(&self, value: &str, max_age_seconds: i64) -> Option<HeaderValue> {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let name = &self.name;
        let line = format!("{name}={value}; Path=/; Max-Age={max_age_seconds}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::try_from(line).ok()
    }

    pub(super) fn read_or_new(&self, headers: &HeaderMap) -> String {
        self.read(headers).unwrap_or_else(unguessable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = UnixSeconds(1000);

    #[test]
    fn a_confirmation_is_for_one_browser_one_request_and_ten_minutes() {
        let key = ConfirmKey::new([7; 32]);
        let token = key.sign("nonce", "client_id=notes", NOW);
        assert!(key.holds(&token, "nonce", "client_id=notes", NOW));
        assert!(!key.holds(&token, "other", "client_id=notes", NOW));
        assert!(!key.holds(&token, "nonce", "client_id=shop", NOW));
        assert!(!key.holds(&token, "nonce", "client_id=notes", NOW.plus(VALID_SECONDS)));
        assert!(!ConfirmKey::new([8; 32]).holds(&token, "nonce", "client_id=notes", NOW));
        let longer = token.replacen(|c: char| c.is_ascii_digit(), "9", 1);
        assert!(!key.holds(&longer, "nonce", "client_id=notes", NOW));
        for rubbish in ["", ".", "x.y", "9999999999."] {
            assert!(!key.holds(rubbish, "nonce", "client_id=notes", NOW));
        }
    }

    #[test]
    fn only_a_cookie_that_the_hub_could_have_made_is_read() {
        let cookie = OwnCookie::named("slo-confirm", true);
        let nonce = unguessable();
        let with = |line: String| [(header::COOKIE, line.parse().unwrap())].into_iter().collect::<HeaderMap>();
        assert_eq!(cookie.read(&with(format!("a=b; __Host-slo-confirm={nonce}"))), Some(nonce));
        assert_eq!(cookie.read(&with("__Host-slo-confirm=short".into())), None);
        assert_eq!(cookie.read(&with(format!("slo-confirm={}", unguessable()))), None);
    }
}
