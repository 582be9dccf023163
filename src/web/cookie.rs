//! The hub's own cookies: which browser this is, and where it was on its way to.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::hub::report_logout::unguessable;

/// A cookie of the hub's own: `__Host-` where the hub is on https.
pub struct OwnCookie {
    name: String,
    is_secure: bool,
    same_site: &'static str,
}

impl OwnCookie {
    /// One that comes along when another site, such as the issuer, sends the browser back.
    #[must_use]
    pub fn named(name: &str, is_secure: bool) -> Self {
        let name = if is_secure { format!("__Host-{name}") } else { name.to_owned() };
        Self { name, is_secure, same_site: "Lax" }
    }

    /// One that comes along from the hub's own pages only.
    #[must_use]
    pub fn strict(name: &str, is_secure: bool) -> Self {
        Self { same_site: "Strict", ..Self::named(name, is_secure) }
    }

    /// The cookie's value, where it is one that [`unguessable`] could have made: what
    /// came is compared, stored and signed, so nothing else is let in.
    #[must_use]
    pub fn read(&self, headers: &HeaderMap) -> Option<String> {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let value = pairs.find(|(name, _)| *name == self.name)?.1;
        let looks_ours =
            value.len() == 43 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        looks_ours.then(|| value.to_owned())
    }

    /// The header that has a browser keep it for so long; with 0, forget it.
    #[must_use]
    pub fn set(&self, value: &str, max_age_seconds: i64) -> Option<HeaderValue> {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let Self { name, same_site, .. } = self;
        let line = format!("{name}={value}; Path=/; Max-Age={max_age_seconds}; HttpOnly; SameSite={same_site}{secure}");
        HeaderValue::try_from(line).ok()
    }

    /// The same, or a new value where there is none.
    #[must_use]
    pub fn read_or_new(&self, headers: &HeaderMap) -> String {
        self.read(headers).unwrap_or_else(unguessable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
