//! What an issuer publishes about itself (OpenID Connect Discovery 1.0).
//!
//! Only what the hub uses is read. A document's other members are often not what the
//! specification says (an empty `op_tos_uri`, a list left out), and a logout must not
//! fail for that.

use openidconnect::{AuthUrl, IssuerUrl, TokenUrl};
use serde_json::Value;
use url::Url;

use super::fetch::FetchError;
use crate::domain::ids::Issuer;

/// Why an issuer's documents cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum IssuerTrouble {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("the issuer is not a URL")]
    NotAUrl,
    #[error("the metadata's issuer is not, byte for byte, the configured one")]
    OtherIssuer,
    #[error("the metadata has no jwks_uri, or one that is not https")]
    NoJwksUri,
    #[error("the key set has no key that can check a signature")]
    NoKeys,
    #[error("no answer in time")]
    TooSlow,
}

/// An issuer's metadata, as far as the hub uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Where its keys are.
    pub jwks_uri: Url,
    /// Where a browser goes to end its session there, where it has such a place.
    pub end_session_endpoint: Option<Url>,
    /// Where a browser goes to sign in.
    pub authorization_endpoint: Option<AuthUrl>,
    /// Where a client redeems a code.
    pub token_endpoint: Option<TokenUrl>,
}

/// Where the issuer's metadata is (section 4): a slash at the issuer's end is not doubled.
/// `None` for an issuer that is no URL.
#[must_use]
pub fn location(issuer: &Issuer) -> Option<Url> {
    let issuer = IssuerUrl::new(issuer.as_str().to_owned()).ok()?;
    issuer.join(".well-known/openid-configuration").ok()
}

/// Reads a metadata document. Its `issuer` must be the configured one (section 4.3).
///
/// An endpoint that is unusable is as good as absent, except for the keys'.
pub(super) fn read(document: &Value, issuer: &Issuer) -> Result<Metadata, IssuerTrouble> {
    if document.get("issuer").and_then(Value::as_str) != Some(issuer.as_str()) {
        return Err(IssuerTrouble::OtherIssuer);
    }
    let endpoint = |name: &str| {
        let url = Url::parse(document.get(name)?.as_str()?).ok()?;
        is_safe_enough(&url, issuer).then_some(url)
    };
    Ok(Metadata {
        jwks_uri: endpoint("jwks_uri").ok_or(IssuerTrouble::NoJwksUri)?,
        end_session_endpoint: endpoint("end_session_endpoint"),
        authorization_endpoint: endpoint("authorization_endpoint").map(AuthUrl::from_url),
        token_endpoint: endpoint("token_endpoint").map(TokenUrl::from_url),
    })
}

/// An issuer whose name is http lives on this machine (the configuration sees to it),
/// and so may its endpoints; everyone else's are https.
fn is_safe_enough(url: &Url, issuer: &Issuer) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => issuer.as_str().starts_with("http://"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn issuer() -> Issuer {
        Issuer::parse("https://acme.eu.auth0.com/").unwrap()
    }

    fn document() -> Value {
        json!({
            "issuer": "https://acme.eu.auth0.com/",
            "jwks_uri": "https://acme.eu.auth0.com/.well-known/jwks.json",
            "end_session_endpoint": "https://acme.eu.auth0.com/oidc/logout",
        })
    }

    #[test]
    fn a_slash_at_the_end_of_an_issuer_is_not_doubled() {
        for name in ["https://acme.example", "https://acme.example/"] {
            let at = location(&Issuer::parse(name).unwrap()).unwrap();
            assert_eq!(at.as_str(), "https://acme.example/.well-known/openid-configuration");
        }
        let realm = location(&Issuer::parse("https://id.example/realms/a").unwrap()).unwrap();
        assert_eq!(realm.as_str(), "https://id.example/realms/a/.well-known/openid-configuration");
    }

    #[test]
    fn a_document_of_another_issuer_is_refused_be_it_by_one_slash() {
        let mut other = document();
        for name in [json!("https://acme.eu.auth0.com"), json!("https://ACME.eu.auth0.com/"), json!(5), json!(null)] {
            other["issuer"] = name;
            assert!(matches!(read(&other, &issuer()), Err(IssuerTrouble::OtherIssuer)), "{other}");
        }
    }

    #[test]
    fn what_the_hub_does_not_use_may_be_wrong() {
        let mut sloppy = document();
        sloppy["id_token_signing_alg_values_supported"] = json!(["RS256", "ML-DSA-44", 5]);
        sloppy["op_tos_uri"] = json!("");
        sloppy["claims_parameter_supported"] = json!("true");
        assert_eq!(read(&sloppy, &issuer()).unwrap(), read(&document(), &issuer()).unwrap());
    }

    /// Why the documents are not read into `openidconnect`'s own type.
    #[test]
    fn openidconnects_own_type_would_refuse_such_a_document() {
        let mut sloppy = document();
        sloppy["authorization_endpoint"] = json!("https://acme.eu.auth0.com/authorize");
        sloppy["response_types_supported"] = json!(["code"]);
        sloppy["subject_types_supported"] = json!(["public"]);
        sloppy["id_token_signing_alg_values_supported"] = json!(["RS256", "ML-DSA-44"]);
        let reads = |document: &Value| {
            serde_json::from_value::<openidconnect::ProviderMetadataWithLogout>(document.clone()).is_ok()
        };
        assert!(reads(&sloppy));
        sloppy["op_tos_uri"] = json!("");
        assert!(!reads(&sloppy));
    }

    #[test]
    fn endpoints_are_https_unless_the_issuer_is_on_this_machine() {
        let mut plain = document();
        plain["end_session_endpoint"] = json!("http://acme.eu.auth0.com/oidc/logout");
        assert_eq!(read(&plain, &issuer()).unwrap().end_session_endpoint, None);
        plain["end_session_endpoint"] = json!("javascript:alert(1)");
        assert_eq!(read(&plain, &issuer()).unwrap().end_session_endpoint, None);
        plain["jwks_uri"] = json!("http://acme.eu.auth0.com/jwks");
        assert!(matches!(read(&plain, &issuer()), Err(IssuerTrouble::NoJwksUri)));

        let local = Issuer::parse("http://localhost:3000/").unwrap();
        let document = json!({ "issuer": local.as_str(), "jwks_uri": "http://localhost:3000/jwks" });
        assert!(read(&document, &local).is_ok());
    }
}
