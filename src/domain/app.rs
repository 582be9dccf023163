//! Who is registered: issuers, and the apps behind them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use url::Url;

use super::ids::{ClientId, Issuer};
use super::secret::Secret;

/// A signature algorithm that an issuer may use. Symmetric ones and `none` have
/// no name here, so they cannot be configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of RFC 7518, section 3.1, and RFC 8037")]
pub enum SigningAlg {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}

impl SigningAlg {
    /// Every algorithm the hub can verify.
    pub const ALL: [Self; 9] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
    ];

    /// The `alg` that tokens carry.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
        }
    }

    /// The algorithm a token's `alg` names; `None` for `none`, `HS*` and the unknown.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|alg| alg.as_str() == name)
    }
}

/// A web origin as browsers write it: scheme, host, and port where it is not the
/// scheme's own. Compared byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(Arc<str>);

/// Why a text is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an exact origin such as https://notes.example: no path, no wildcard, no trailing slash")]
pub struct InvalidOrigin;

impl Origin {
    /// # Errors
    /// [`InvalidOrigin`] unless the text is exactly what a browser would send.
    pub fn parse(raw: &str) -> Result<Self, InvalidOrigin> {
        let url = Url::parse(raw).map_err(|_| InvalidOrigin)?;
        let is_web = matches!(url.scheme(), "http" | "https");
        // A browser's spelling survives the round trip; `HTTPS://`, a path, a
        // default port or a wildcard does not.
        if is_web && url.origin().ascii_serialization() == raw && !raw.contains('*') {
            Ok(Self(raw.into()))
        } else {
            Err(InvalidOrigin)
        }
    }

    /// The text, as in an `Origin` header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which token an app's back end is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackchannelToken {
    /// The issuer's own token for this app, byte for byte.
    Issuer,
    /// A token signed by the hub, for every logout.
    Hub,
}

/// A relying party: a `client_id` registered at an issuer.
#[derive(Clone, Debug)]
pub struct App {
    /// Its name at the issuer.
    pub client_id: ClientId,
    /// Who signs people in to it.
    pub issuer: Issuer,
    /// Its name for people.
    pub name: String,
    /// Whose pages may connect as this app.
    pub origins: Vec<Origin>,
    /// Whether native apps may connect, which send no `Origin`.
    pub allow_no_origin: bool,
    /// Where a browser may be sent after a logout; compared byte for byte.
    pub post_logout_redirect_uris: Vec<String>,
    /// What its back end authenticates with.
    pub secret: Option<Secret>,
    /// Loaded in an iframe of the logout page.
    pub frontchannel_logout_uri: Option<Url>,
    /// Where its back end takes logout tokens.
    pub backchannel_logout_uri: Option<Url>,
    /// Which token it is sent there.
    pub backchannel_logout_token: BackchannelToken,
    /// A top-level redirect, for want of anything better.
    pub chain_logout_uri: Option<Url>,
}

impl App {
    /// Whether a page of this origin may speak for the app. Without an origin
    /// only where native apps are allowed.
    #[must_use]
    pub fn admits_origin(&self, origin: Option<&str>) -> bool {
        match origin {
            Some(origin) => self.origins.iter().any(|own| own.as_str() == origin),
            None => self.allow_no_origin,
        }
    }
}

/// A client of the hub's own at an issuer.
#[derive(Clone, Debug)]
pub struct HubClient {
    /// Its name there.
    pub client_id: ClientId,
    /// What it authenticates with.
    pub client_secret: Secret,
}

/// An OpenID provider whose tokens the hub takes.
#[derive(Clone, Debug)]
pub struct IssuerSettings {
    /// Byte for byte the `iss` of its tokens.
    pub issuer: Issuer,
    /// The algorithms it may sign with.
    pub signing_algs: Vec<SigningAlg>,
    /// Whether logout tokens must have `typ: logout+jwt`.
    pub require_logout_jwt_typ: bool,
    /// Whether logout tokens may lack `exp`; `iat` then bounds their life.
    pub allow_missing_exp: bool,
    /// The hub's own client there.
    pub client: Option<HubClient>,
    /// The client for Auth0's Management API.
    pub management: Option<HubClient>,
}

/// Everyone who is registered. Built once, from the configuration.
#[derive(Debug, Default)]
pub struct Directory {
    issuers: HashMap<Issuer, Arc<IssuerSettings>>,
    apps: Vec<Arc<App>>,
}

impl Directory {
    /// Takes what a valid configuration holds: every app's issuer is among the issuers.
    #[must_use]
    pub fn new(issuers: Vec<IssuerSettings>, apps: Vec<App>) -> Self {
        let issuers = issuers.into_iter().map(|one| (one.issuer.clone(), Arc::new(one))).collect();
        Self { issuers, apps: apps.into_iter().map(Arc::new).collect() }
    }

    /// The issuer of that exact name.
    #[must_use]
    pub fn issuer(&self, iss: &str) -> Option<&Arc<IssuerSettings>> {
        let issuer = Issuer::parse(iss).ok()?;
        self.issuers.get(&issuer)
    }

    /// Every configured issuer, in no order.
    pub fn issuers(&self) -> impl Iterator<Item = &Arc<IssuerSettings>> {
        self.issuers.values()
    }

    /// Every app, in the configuration's order.
    #[must_use]
    pub fn apps(&self) -> &[Arc<App>] {
        &self.apps
    }

    /// The app of that name at that issuer.
    #[must_use]
    pub fn app(&self, issuer: &Issuer, client_id: &str) -> Option<&Arc<App>> {
        self.apps.iter().find(|app| app.issuer == *issuer && app.client_id.as_str() == client_id)
    }

    /// The apps of that issuer, in the configuration's order.
    pub fn apps_of(&self, issuer: &Issuer) -> impl Iterator<Item = &Arc<App>> {
        self.apps.iter().filter(move |app| app.issuer == *issuer)
    }

    /// The apps of that name: several only where two issuers use one name.
    pub fn apps_named(&self, client_id: &str) -> impl Iterator<Item = &Arc<App>> {
        self.apps.iter().filter(move |app| app.client_id.as_str() == client_id)
    }

    /// Whether any app's pages have this origin.
    #[must_use]
    pub fn knows_origin(&self, origin: &str) -> bool {
        self.apps.iter().any(|app| app.admits_origin(Some(origin)))
    }

    /// Whether `client_id` is an app of that issuer, or the hub's own client there.
    #[must_use]
    pub fn is_audience(&self, settings: &IssuerSettings, client_id: &str) -> bool {
        let is_hub = settings.client.as_ref().is_some_and(|own| own.client_id.as_str() == client_id);
        is_hub || self.app(&settings.issuer, client_id).is_some()
    }
}

#[cfg(test)]
impl App {
    /// An app that has nothing but its name, for tests.
    pub(crate) fn bare(issuer: Issuer, client_id: &str) -> Self {
        Self {
            client_id: ClientId::parse(client_id).unwrap(),
            issuer,
            name: client_id.to_owned(),
            origins: vec![],
            allow_no_origin: false,
            post_logout_redirect_uris: vec![],
            secret: None,
            frontchannel_logout_uri: None,
            backchannel_logout_uri: None,
            backchannel_logout_token: BackchannelToken::Issuer,
            chain_logout_uri: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_exactly_what_a_browser_sends() {
        assert!(Origin::parse("https://notes.example").is_ok());
        assert!(Origin::parse("http://notes.localhost:4010").is_ok());
        for bad in [
            "https://notes.example/",
            "https://notes.example:443",
            "https://Notes.example",
            "https://*.example",
            "notes.example",
            "null",
            "file:///x",
            "https://a@notes.example",
            "",
        ] {
            assert_eq!(Origin::parse(bad), Err(InvalidOrigin), "{bad}");
        }
    }

    #[test]
    fn symmetric_algorithms_and_none_have_no_name() {
        for name in ["none", "HS256", "HS512", "rs256", ""] {
            assert_eq!(SigningAlg::from_name(name), None);
        }
    }
}
