//! Addresses: https, unless they stay on this machine.

use std::fmt;

use url::{Host, Url};

/// What browsers and issuers call this hub: an origin, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// # Errors
    /// What is wrong, in words, unless the text is an origin that browsers can trust.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let url = web_url(text)?;
        let origin = url.origin().ascii_serialization();
        let is_origin = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if is_origin && text.trim_end_matches('/') == origin {
            Ok(Self(origin))
        } else {
            Err("must be an origin such as https://logout.example.com: lower case, no path, no query")
        }
    }

    /// Whether browsers reach it by TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }

    /// Its host: a name, or an address (an IPv6 address in brackets).
    #[must_use]
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let end = rest.rfind(':').filter(|at| !rest[*at..].contains(']'));
        end.map_or(rest, |end| &rest[..end])
    }

    /// Whether it is a name of this machine for itself only.
    #[must_use]
    pub fn stays_here(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| stays_here(&url))
    }

    /// The origin's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An address that a browser, or the hub itself, may be sent to.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn web_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "is no address; write it in full, such as https://notes.example/bye")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user name or a password");
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if stays_here(&url) => Ok(url),
        "http" => Err("must be https; http is for localhost, *.localhost and loopback addresses only"),
        _ => Err("must begin with https://"),
    }
}

/// Whether an address stays on this machine.
pub(super) fn stays_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(addr)) => addr.is_loopback(),
        Some(Host::Ipv6(addr)) => addr.is_loopback(),
        None => false,
    }
}
