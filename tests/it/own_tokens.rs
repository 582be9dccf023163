//! The hub's own logout tokens, as those who check them see them.

use std::sync::Arc;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use slo_hub::config::PublicUrl;
use slo_hub::domain::app::{Directory, IssuerSettings};
use slo_hub::domain::clock::{Clock, UnixMillis, UnixSeconds};
use slo_hub::domain::ids::{ClientId, Issuer, LogoutId, SessionKey, Sid, Subject, SubjectKey};
use slo_hub::domain::logout::{Logout, LogoutTarget, Source};
use slo_hub::oidc::fetch::Fetcher;
use slo_hub::oidc::keys::IssuerKeys;
use slo_hub::oidc::logout_token::{LogoutToken, RawLogoutToken};
use slo_hub::oidc::own_logout_token::{OwnLogoutTokens, SigningError, new_key};
use slo_hub::oidc::verifier::{TokenRules, Verifier};
use slo_hub::tasks::Tasks;

use crate::hub::{Answer, TestHub};
use crate::rig::{KEYS, METADATA, Reply, Rig};

pub fn client(name: &str) -> ClientId {
    ClientId::parse(name).unwrap()
}

fn acme() -> Issuer {
    Issuer::parse("https://acme.example/").unwrap()
}

fn logout(target: LogoutTarget) -> Logout {
    Logout {
        id: LogoutId::new(UnixMillis(1_000_000), 42),
        target,
        source: Source::App,
        is_final: false,
        covers_until: UnixSeconds(1000),
        client_id: None,
        reason: None,
        occurred_at: UnixMillis(1_000_000),
        recorded_at: UnixMillis(1_000_000),
    }
}

/// Ada's session on her laptop ends.
pub fn session_logout() -> Logout {
    let key = SessionKey { issuer: acme(), sid: Sid::parse("laptop").unwrap() };
    logout(LogoutTarget::Session { key, sub: Subject::parse("ada").ok() })
}

/// All of Ada's sessions end.
fn user_logout() -> Logout {
    logout(LogoutTarget::User(SubjectKey { issuer: acme(), sub: Subject::parse("ada").unwrap() }))
}

/// One part of a compact token, read without believing it: 0 is the header, 1 the claims.
pub fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Whether a token's signature holds by the key of its name in a published set.
pub fn verifies(token: &str, key_set: &Value) -> bool {
    let kid = part(token, 0)["kid"].clone();
    let Some(jwk) = key_set["keys"].as_array().unwrap().iter().find(|jwk| jwk["kid"] == kid) else { return false };
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed.as_bytes(), &signature).is_ok()
}

/// A hub, as far as tokens go, and another that takes logout tokens from it.
struct Pair {
    rig: Rig,
    own: OwnLogoutTokens,
    verifier: Verifier,
    keys: Arc<IssuerKeys>,
}

impl Pair {
    async fn start() -> Self {
        let rig = Rig::start().await;
        let url = rig.issuer.url.trim_end_matches('/').to_owned();
        let clock = Arc::clone(&rig.clock) as Arc<dyn Clock>;
        let own = OwnLogoutTokens::new(PublicUrl::parse(&url).unwrap(), Arc::clone(&clock));
        let now = rig.clock.now().floor();
        assert!(own.use_keys(vec![new_key(now, now).unwrap()]).unwrap());
        rig.issuer.answers(METADATA, Reply::Json(json!({ "issuer": url, "jwks_uri": format!("{url}{KEYS}") })));
        rig.issuer.answers(KEYS, Reply::Json(own.jwks()));

        let issuer = Issuer::parse(&url).unwrap();
        let known = rig.directory.issuers().next().unwrap().as_ref();
        let settings = IssuerSettings { issuer: issuer.clone(), require_logout_jwt_typ: true, ..known.clone() };
        let mut app = rig.directory.app(&known.issuer, "notes").unwrap().as_ref().clone();
        app.issuer = issuer;
        let directory = Arc::new(Directory::new(vec![settings], vec![app]));
        let fetcher = Fetcher::new().unwrap();
        let keys = Arc::new(IssuerKeys::new(Arc::clone(&directory), fetcher, clock, Tasks::default()));
        let rules = TokenRules { clock_skew_seconds: 0, logout_token_max_age_seconds: 120 };
        let verifier = Verifier::new(directory, Arc::clone(&keys), rules);
        Self { rig, own, verifier, keys }
    }

    async fn told(&self, logout: &Logout) -> LogoutToken {
        let token = self.own.issue(logout, &client("notes"), self.rig.clock.now().floor()).unwrap();
        RawLogoutToken::new(&token).verify(&self.verifier, self.keys.arrival()).await.unwrap()
    }
}

#[tokio::test]
async fn another_hub_takes_the_hubs_own_token_by_every_rule_that_it_has() {
    let pair = Pair::start().await;
    let ends_session = pair.told(&session_logout()).await;
    assert_eq!(ends_session.target().sid().map(Sid::as_str), Some("laptop"));
    assert_eq!(ends_session.target().sub().map(Subject::as_str), Some("ada"));
    let ends_all = pair.told(&user_logout()).await;
    assert!(matches!(ends_all.target(), LogoutTarget::User(key) if key.sub.as_str() == "ada"));
    let now = pair.rig.clock.now().floor();
    assert_eq!((ends_all.issued_at(), ends_all.expires_at()), (now, Some(now.plus(120))));
    assert_eq!(ends_all.audiences(), [client("notes")]);
    assert_ne!(ends_all.jti(), pair.told(&user_logout()).await.jti());
}

#[tokio::test]
async fn a_token_says_what_the_contract_says_and_nothing_more() {
    let hub = TestHub::start().await;
    let own = &hub.running.hub.own_tokens;
    let now = hub.clock.now().floor();
    let session = session_logout();
    let unknown_person = Logout {
        target: LogoutTarget::Session {
            key: SessionKey { issuer: acme(), sid: Sid::parse("laptop").unwrap() },
            sub: None,
        },
        ..session.clone()
    };
    for (logout, whom) in [
        (&session, json!({"sid": "laptop", "sub": "ada"})),
        (&unknown_person, json!({"sid": "laptop"})),
        (&user_logout(), json!({"sub": "ada"})),
    ] {
        let token = own.issue(logout, &client("desk"), now).unwrap();
        let kid = own.jwks()["keys"][0]["kid"].clone();
        assert_eq!(part(&token, 0), json!({"typ": "logout+jwt", "alg": "ES256", "kid": kid}));
        let mut claims = part(&token, 1);
        let jti = claims.as_object_mut().unwrap().remove("jti").unwrap();
        assert_eq!(jti.as_str().unwrap().len(), 22, "128 bits of chance");
        let mut expected = json!({
            "iss": "https://logout.example", "aud": "desk", "iat": now.0, "exp": now.0 + 120,
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
            "txn": session.id.to_string(),
        });
        expected.as_object_mut().unwrap().append(whom.clone().as_object_mut().unwrap());
        assert_eq!(claims, expected);
    }
}

#[tokio::test]
async fn a_library_that_is_not_ours_takes_the_token_with_the_published_keys() {
    let hub = TestHub::start().await;
    let now = hub.clock.now().floor();
    let token = hub.running.hub.own_tokens.issue(&session_logout(), &client("desk"), now).unwrap();
    let ask = async |audience: &str, token: &str| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/verify-with-jose.mjs");
        let keys = hub.url("/.well-known/jwks.json");
        let mut node = tokio::process::Command::new("node");
        let said = node.args([script, &keys, "https://logout.example", audience, token]).output().await.unwrap();
        let help = "needs Node.js, and jose: scripts/npm-ready demo-apps";
        serde_json::from_slice::<Value>(&said.stdout).unwrap_or_else(|_| panic!("{help}\n{said:?}"))
    };
    let answer = ask("desk", &token).await;
    assert_eq!(answer["payload"], part(&token, 1), "{answer}");
    assert_eq!(answer["protectedHeader"], part(&token, 0));
    assert_eq!(answer["thumbprint"], answer["protectedHeader"]["kid"], "RFC 7638");

    assert_eq!(ask("shop", &token).await, json!({"refused": "ERR_JWT_CLAIM_VALIDATION_FAILED"}));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let other = hub.running.hub.own_tokens.issue(&user_logout(), &client("desk"), now).unwrap();
    assert_ne!(other.rsplit_once('.').unwrap().1, signature);
    let swapped = format!("{signed}.{}", other.rsplit_once('.').unwrap().1);
    assert_eq!(ask("desk", &swapped).await, json!({"refused": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"}));
}

#[tokio::test]
async fn without_a_key_nothing_is_signed() {
    let rig = Rig::start().await;
    let clock = Arc::clone(&rig.clock) as Arc<dyn Clock>;
    let own = OwnLogoutTokens::new(PublicUrl::parse("https://logout.example").unwrap(), clock);
    let refused = own.issue(&session_logout(), &client("notes"), rig.clock.now().floor());
    assert_eq!(refused, Err(SigningError::NoKey));
    assert_eq!(own.jwks(), json!({"keys": []}));
}

#[tokio::test]
async fn the_keys_are_published_for_everyone_and_may_be_kept_for_ten_minutes() {
    let hub = TestHub::start().await;
    let about = Answer::of(hub.http.get(hub.url("/.well-known/slo-hub"))).await.expect(200);
    assert_eq!(about["jwks_uri"], "https://logout.example/.well-known/jwks.json");
    let answer = Answer::of(hub.http.get(hub.url("/.well-known/jwks.json"))).await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "public, max-age=600");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let keys = answer.expect(200);
    assert_eq!(keys, hub.running.hub.own_tokens.jwks());
    let jwk = &keys["keys"][0];
    let members: Vec<_> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"], "and no d");
    assert_eq!(
        (&jwk["kty"], &jwk["crv"], &jwk["alg"], &jwk["use"]),
        (&json!("EC"), &json!("P-256"), &json!("ES256"), &json!("sig"))
    );

    let again = hub.http.get(hub.url("/.well-known/jwks.json")).header("if-none-match", answer.header("etag"));
    let again = Answer::of(again).await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    assert_eq!(again.header("cache-control"), "public, max-age=600");
    let stale = hub.http.get(hub.url("/.well-known/jwks.json")).header("if-none-match", "\"0123456789abcdef\"");
    assert_eq!(Answer::of(stale).await.expect(200), keys);
}
