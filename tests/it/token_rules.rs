//! For every rule of a token one that breaks only that rule. Each is refused with its
//! own code, nothing is recorded, and nobody is told.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::hub::{NOTES, TestHub};
use crate::support::token::TokenBuilder;
use crate::tab::Tab;

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

type Row = (&'static str, &'static str, String);

/// A row: what is wrong, the code, the token.
fn row(what: &'static str, code: &'static str, token: impl Into<String>) -> Row {
    (what, code, token.into())
}

/// What no token may be, whichever it is.
fn shared_rows(good: &TokenBuilder, other_key: &TokenBuilder) -> Vec<Row> {
    [structure_rows(good), header_rows(good), signature_rows(good, other_key), claim_rows(good)].concat()
}

fn structure_rows(good: &TokenBuilder) -> Vec<Row> {
    let token = good.sign();
    let parts: Vec<&str> = token.split('.').collect();
    let (header, claims, signature) = (parts[0], parts[1], parts[2]);
    let twice = |text: &str, member: &str| text.replacen('{', &format!("{{{member},"), 1);
    let deep =
        good.clone().with("deep", serde_json::from_str(&format!("{}{}", "[".repeat(16), "]".repeat(16))).unwrap());
    vec![
        row("two parts", "not_compact_jws", format!("{header}.{claims}")),
        row("four parts", "not_compact_jws", format!("{token}.x")),
        row("an empty payload", "not_compact_jws", format!("{header}..{signature}")),
        row("padding", "bad_base64", format!("{header}.{claims}=.{signature}")),
        row("another alphabet", "bad_base64", format!("{header}.{claims}.+/{signature}")),
        row("white space", "bad_base64", format!("{header}. {claims}.{signature}")),
        row("a header that is no object", "bad_header_json", good.sign_texts("[]", &good.claims_text())),
        row("a header that is no JSON", "bad_header_json", good.sign_texts("{", &good.claims_text())),
        row("no alg", "bad_header_json", good.clone().without_header("alg").sign()),
        row("an alg that is no text", "bad_header_json", good.clone().header("alg", json!(7)).sign()),
        row("claims that are no object", "bad_payload_json", good.sign_text("[]")),
        row("claims that are no JSON", "bad_payload_json", good.sign_text("{]")),
        row("claims nested 17 deep", "bad_payload_json", deep.sign()),
        row("two subs", "duplicate_member", good.sign_text(&twice(&good.claims_text(), r#""sub":"x""#))),
        row("two sids", "duplicate_member", good.sign_text(&twice(&good.claims_text(), r#""sid":"x""#))),
        row(
            "two algs",
            "duplicate_member",
            good.sign_texts(&twice(&good.header_text(), r#""alg":"RS256""#), &good.claims_text()),
        ),
        row("over 16 KiB", "too_large", good.clone().with("more", json!("x".repeat(16 * 1024))).sign()),
    ]
}

fn header_rows(good: &TokenBuilder) -> Vec<Row> {
    let unsigned = format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(&good.claims_text()));
    let mut rows = vec![
        row("alg none", "alg_not_allowed", good.clone().header("alg", json!("none")).sign()),
        row("alg none, unsigned", "alg_not_allowed", unsigned),
        row("alg HS256", "alg_not_allowed", good.clone().header("alg", json!("HS256")).sign()),
        row("an alg the issuer does not use", "alg_not_allowed", good.clone().header("alg", json!("RS512")).sign()),
        row("an unknown alg", "alg_not_allowed", good.clone().header("alg", json!("XS256")).sign()),
        row("an unknown critical header", "crit_not_supported", good.clone().header("crit", json!(["x"])).sign()),
        row("an empty crit", "crit_not_supported", good.clone().header("crit", json!([])).sign()),
        row("another typ", "typ_not_allowed", good.clone().header("typ", json!("at+jwt")).sign()),
    ];
    for name in ["jwk", "jku", "x5c", "x5u", "cty", "zip", "enc"] {
        let token = good.clone().header(name, json!("x")).sign();
        rows.push(row("a header that brings its own key or content", "header_not_allowed", token));
    }
    rows
}

fn signature_rows(good: &TokenBuilder, other_key: &TokenBuilder) -> Vec<Row> {
    let token = good.sign();
    let (signed, _) = token.rsplit_once('.').unwrap();
    let other = other_key.sign();
    let (_, others) = other.rsplit_once('.').unwrap();
    vec![
        row("no signature", "bad_signature", format!("{signed}.")),
        row("another token's signature", "bad_signature", format!("{signed}.{others}")),
        row("another issuer's key", "bad_signature", other.clone()),
    ]
}

fn claim_rows(good: &TokenBuilder) -> Vec<Row> {
    let mut rows = vec![
        row("no iss", "iss_missing", good.clone().without("iss").sign()),
        row("an unknown iss", "iss_not_allowed", good.clone().with("iss", json!("https://evil.example/")).sign()),
        row("no aud", "aud_missing", good.clone().without("aud").sign()),
        row("an empty aud", "aud_missing", good.clone().with("aud", json!([])).sign()),
        row("an unknown aud", "aud_not_allowed", good.clone().with("aud", json!("stranger")).sign()),
        row("one unknown aud of two", "aud_not_allowed", good.clone().with("aud", json!(["notes", "stranger"])).sign()),
        row("no iat", "iat_missing", good.clone().without("iat").sign()),
        row("an iat in the future", "iat_future", good.clone().moved("iat", 120).sign()),
        row("an iat a year ahead", "iat_future", good.clone().moved("iat", 365 * 86_400).sign()),
        row("no exp", "exp_missing", good.clone().without("exp").sign()),
        row("an nbf in the future", "nbf_future", good.clone().with("nbf", json!(4_000_000_000_i64)).sign()),
        row("a sub of 256 bytes", "sub_invalid", good.clone().with("sub", json!("x".repeat(256))).sign()),
        row("a sub with a line feed", "sub_invalid", good.clone().with("sub", json!("a\nb")).sign()),
        row("an empty sid", "sid_invalid", good.clone().with("sid", json!("")).sign()),
        row("a sid of 256 bytes", "sid_invalid", good.clone().with("sid", json!("x".repeat(256))).sign()),
    ];
    for claim in ["iss", "sub", "sid", "aud", "iat", "exp", "nbf", "azp"] {
        for value in [json!(null), json!({}), json!(true)] {
            rows.push(row("a claim of a wrong type", "claim_type", good.clone().with(claim, value).sign()));
        }
    }
    rows.push(row(
        "an iss in an array",
        "claim_type",
        good.clone().with("iss", json!(["https://acme.example/"])).sign(),
    ));
    rows.push(row("a number in aud", "claim_type", good.clone().with("aud", json!(["notes", 7])).sign()));
    rows.push(row("an azp of a stranger", "aud_not_allowed", good.clone().with("azp", json!("stranger")).sign()));
    rows
}

fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn logout_rows(good: &TokenBuilder, other_key: &TokenBuilder) -> Vec<Row> {
    let mut rows = shared_rows(good, other_key);
    rows.extend([
        row("an old iat", "iat_too_old", good.clone().moved("iat", -700).sign()),
        row("an exp in the past", "expired", good.clone().moved("exp", -200).sign()),
        row("an exp over a day ahead", "lifetime_too_long", good.clone().moved("exp", 90_000).sign()),
        row("no events", "events_missing", good.clone().without("events").sign()),
        row("events that are no object", "events_invalid", good.clone().with("events", json!([EVENT])).sign()),
        row("another event", "events_invalid", good.clone().with("events", json!({"x": {}})).sign()),
        row("an event that is no object", "events_invalid", good.clone().with("events", json!({EVENT: true})).sign()),
        row("a nonce", "nonce_present", good.clone().with("nonce", json!("n")).sign()),
        row("a nonce of null", "nonce_present", good.clone().with("nonce", json!(null)).sign()),
        row("no jti", "jti_missing", good.clone().without("jti").sign()),
        row("an empty jti", "jti_missing", good.clone().with("jti", json!("")).sign()),
        row("a jti that is a number", "claim_type", good.clone().with("jti", json!(7)).sign()),
        row("neither sid nor sub", "no_subject", good.clone().without("sid").without("sub").sign()),
    ]);
    rows
}

fn id_rows(good: &TokenBuilder, other_key: &TokenBuilder) -> Vec<Row> {
    let mut rows = shared_rows(good, other_key);
    rows.extend([
        row("no sub", "no_subject", good.clone().without("sub").sign()),
        row("events", "not_an_id_token", good.clone().with("events", json!({EVENT: {}})).sign()),
        row("a logout token's typ", "not_an_id_token", good.clone().header("typ", json!("logout+jwt")).sign()),
        row("an access token's scope", "not_an_id_token", good.clone().with("scope", json!("openid")).sign()),
        row("two apps and no azp", "aud_not_allowed", good.clone().with("aud", json!(["notes", "shop"])).sign()),
        row("an auth_time that is a text", "claim_type", good.clone().with("auth_time", json!("now")).sign()),
    ]);
    rows
}

#[tokio::test]
async fn every_rule_of_a_logout_token_is_held_by_itself() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let adas = hub.issuer.id_token(&ada, "notes").sign();
    let (mut canary, _) = Tab::live(&hub, NOTES, &adas).await;
    let good = hub.issuer.logout_token(&ada, "notes");
    let forged = hub.other.logout_token(&ada, "notes").with("iss", json!(hub.issuer.url())).kid(hub.issuer.kid());

    for (what, code, token) in logout_rows(&good, &forged) {
        let answer = hub.receives(&url_encode(&token)).await;
        assert_eq!(answer.status, 400, "{what}: {answer:?}");
        assert_eq!(answer.json()["code"], code, "{what}: {answer:?}");
        assert_eq!(answer.json()["error"], "invalid_request", "{what}");
        for secret in [ada.sid.as_str(), token.as_str()] {
            assert!(!answer.text.contains(secret), "{what} is echoed");
        }
    }

    assert_eq!(hub.recorded().await, 0);
    canary.heard_nothing(&adas).await;
    hub.receives(&good.sign()).await.expect(200);
    canary.logged_out().await;
}

#[tokio::test]
async fn every_rule_of_an_id_token_is_held_by_itself_on_the_api_and_on_the_socket() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let good = hub.issuer.id_token(&ada, "notes");
    let forged = hub.other.id_token(&ada, "notes").with("iss", json!(hub.issuer.url())).kid(hub.issuer.kid());

    for (what, code, token) in id_rows(&good, &forged) {
        if !token.contains(' ') {
            let answer = hub.reports(&token, NOTES, json!({})).await;
            assert_eq!(answer.status, 401, "{what}: {answer:?}");
            assert_eq!(
                (&answer.json()["error"], &answer.json()["code"]),
                (&json!("invalid_token"), &json!(code)),
                "{what}"
            );
        }
        // A message of over 16 KiB is refused before there is a token in it.
        if code == "too_large" {
            continue;
        }
        let mut tab = Tab::open(&hub, Some(NOTES)).await;
        tab.subscribe(&token).await;
        let frame = tab.frame().await;
        assert_eq!((&frame["error"], &frame["code"]), (&json!("invalid_token"), &json!(code)), "{what}: {frame}");
        assert_eq!(tab.closed().await.0, 4501, "{what}");
    }
    assert_eq!(hub.recorded().await, 0);
    Tab::live(&hub, NOTES, &good.sign()).await;
}

#[tokio::test]
async fn what_a_rule_allows_is_taken() {
    let hub = TestHub::start().await;
    let logout = || {
        let who = hub.issuer.sign_in("ada");
        hub.issuer.logout_token(&who, "notes")
    };
    let now = hub.issuer.now();
    for (what, token) in [
        ("no typ", logout().without_header("typ")),
        ("typ jwt", logout().header("typ", json!("jwt"))),
        ("typ logout+jwt", logout().header("typ", json!("logout+jwt"))),
        ("typ with application/", logout().header("typ", json!("Application/Logout+JWT"))),
        ("an array of apps", logout().with("aud", json!(["notes", "shop"]))),
        ("a whole float for iat", logout().with("iat", json!(seconds(now, 0.0)))),
        ("a fraction in exp", logout().with("exp", json!(seconds(now, 60.5)))),
        ("claims nobody knows", logout().with("surprise", json!({"a": [1, null]})).with("txn", json!("x"))),
        ("a sub alone", logout().without("sid").with("sub", json!("grace"))),
        ("a sid alone", logout().without("sub")),
        ("an iat a little ahead", logout().moved("iat", 30)),
        ("no kid, with one key", logout().without_header("kid")),
        ("another member of events", logout().with("events", json!({EVENT: {"x": 1}, "other": 1}))),
    ] {
        let answer = hub.receives(&token.sign()).await;
        assert_eq!(answer.status, 200, "{what}: {answer:?}");
    }
    let who = hub.issuer.sign_in("ada");
    let id = || hub.issuer.id_token(&who, "notes");
    for (what, token) in [
        ("two apps and an azp", id().with("aud", json!(["notes", "shop"])).with("azp", json!("notes"))),
        ("an azp that is the aud", id().with("azp", json!("notes"))),
        ("a nonce", id().with("nonce", json!("n"))),
        ("no typ", id().without_header("typ")),
        ("a life of a year", id().moved("exp", 365 * 86_400)),
        ("an auth_time", id().with("auth_time", json!(now - 10))),
    ] {
        let answer = hub.gets("/api/v1/session", &token.sign()).await;
        assert_eq!(answer.status, 200, "{what}: {answer:?}");
    }
}

#[tokio::test]
async fn a_typ_or_a_missing_exp_is_as_the_issuers_settings_say() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let without = hub.issuer.logout_token(&ada, "notes").without("exp").sign();
    hub.receives(&without).await.refused(400, "invalid_request", "exp_missing");
    let strict = TestHub::start_with_issuer("require_logout_jwt_typ = true\nallow_missing_exp = true").await;
    let ada = strict.issuer.sign_in("ada");
    let token = strict.issuer.logout_token(&ada, "notes").without("exp");
    strict.receives(&token.sign()).await.refused(400, "invalid_request", "typ_not_allowed");
    strict.receives(&token.header("typ", json!("logout+jwt")).sign()).await.expect(200);
}

#[tokio::test]
async fn a_signature_made_with_the_public_key_as_a_secret_is_refused() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let good = hub.issuer.logout_token(&ada, "notes").header("alg", json!("HS256"));
    let signed: Vec<String> = good.sign().split('.').map(str::to_owned).collect();
    let tag = digest(&SHA256, signed[1].as_bytes());
    let token = format!("{}.{}.{}", signed[0], signed[1], URL_SAFE_NO_PAD.encode(tag));
    hub.receives(&token).await.refused(400, "invalid_request", "alg_not_allowed");
}

/// Seconds as a float, as some issuers write them.
fn seconds(whole: i64, more: f64) -> f64 {
    f64::from(i32::try_from(whole).unwrap()) + more
}

fn url_encode(token: &str) -> String {
    form_urlencoded::byte_serialize(token.as_bytes()).collect()
}
