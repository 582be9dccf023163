//! What a fuzzer may throw at tokens, and what must hold of what is taken.

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::claims::Claims;
use super::fetch::Fetcher;
use super::id_token::IdToken;
use super::jose::{MAX_TOKEN_BYTES, UnverifiedJws};
use super::keys::{Arrival, IssuerKeys};
use super::logout_token::{LOGOUT_EVENT, LogoutClaims};
use super::verifier::{TokenRules, Verifier};
use crate::config::Config;
use crate::domain::app::{Directory, IssuerSettings};
use crate::domain::clock::{HandClock, UnixMillis};
use crate::domain::ids::Sid;
use crate::domain::json;
use crate::tasks::Tasks;

/// When the tokens of the corpus were made, in seconds.
const NOW: i64 = 1_700_000_000;
const SKEW: i64 = 60;
const MAX_AGE: i64 = 600;
const LIFETIME_MAX: i64 = 24 * 3600;

/// Two issuers, one of them lenient; three apps.
const CONFIG: &str = "
[server]
public_url = 'https://logout.example'
[[issuers]]
issuer = 'https://acme.example/'
[[issuers]]
issuer = 'https://lenient.example/'
allow_missing_exp = true
[[apps]]
issuer = 'https://acme.example/'
client_id = 'notes'
name = 'Notes'
origins = ['https://notes.example']
[[apps]]
issuer = 'https://acme.example/'
client_id = 'shop'
name = 'Shop'
origins = ['https://shop.example']
[[apps]]
issuer = 'https://lenient.example/'
client_id = 'desk'
name = 'Desk'
origins = ['https://desk.example']
";

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let config = Config::parse(CONFIG, std::iter::empty(), std::path::Path::new("."));
    let directory = Arc::new(config.expect("the configuration is valid").directory());
    let clock = Arc::new(HandClock::at(UnixMillis(NOW * 1000)));
    let fetcher = Fetcher::new().expect("a client that is never used");
    let keys = IssuerKeys::new(Arc::clone(&directory), fetcher, clock, Tasks::default());
    let rules = TokenRules { clock_skew_seconds: SKEW, logout_token_max_age_seconds: MAX_AGE };
    Verifier::new(directory, Arc::new(keys), rules)
});

/// A compact JWS: the text itself, or (after a line feed) header and payload that are yet
/// to be encoded, one a line.
pub(crate) fn jws(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    match text.strip_prefix('\n').and_then(|text| text.split_once('\n')) {
        Some((header, payload)) => {
            let [header, payload] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part));
            read_jws(&format!("{header}.{payload}.c2lnbmF0dXJl"));
        }
        None => read_jws(text),
    }
}

/// What is taken is what it encodes to again, to the byte, and holds no member twice.
fn read_jws(raw: &str) {
    let Ok(jws) = UnverifiedJws::read(raw) else { return };
    assert!(raw.len() <= MAX_TOKEN_BYTES, "a token of {} bytes is taken", raw.len());
    let parts: Vec<_> = raw.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("{} parts are taken", parts.len()) };
    let decoded = [header, payload, signature].map(|part| URL_SAFE_NO_PAD.decode(part).expect("base64url is taken"));
    let again = decoded.each_ref().map(|bytes| URL_SAFE_NO_PAD.encode(bytes)).join(".");
    assert_eq!(again, raw, "a token has one spelling");
    assert_eq!(format!("{}.{}", jws.signing_input, jws.signature), raw, "the signature is over all that was read");

    let claims = by_serde(&decoded[1]).expect("claims are a JSON object");
    assert_eq!(claims, jws.claims, "claims are what another reader finds");
    let members = by_serde(&decoded[0]).expect("a header is a JSON object");
    assert_eq!(members.get("kid").and_then(Value::as_str), jws.header.kid(), "kid is what another reader finds");
    if let Ok(alg) = jws.header.is_fit() {
        assert_eq!(members.get("alg").and_then(Value::as_str), Some(alg.as_str()));
        assert!(!alg.as_str().starts_with("HS") && !alg.as_str().eq_ignore_ascii_case("none"), "an unfit algorithm");
        for bad in ["jwk", "jku", "x5c", "x5u", "cty", "zip", "enc", "crit"] {
            assert!(!members.contains_key(bad), "{bad} is taken");
        }
    }
    for other in [format!("{raw}="), format!("{raw}\n"), format!(" {raw}"), format!("{raw}.")] {
        assert!(UnverifiedJws::read(&other).is_err(), "another spelling is taken");
    }
}

fn by_serde(text: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(text).ok()
}

/// JSON from strangers: what is taken is what `serde_json` reads, and what it refuses is no
/// object to that either, or says a member twice, or is nested too deep.
pub(crate) fn object(data: &[u8]) {
    match json::read_object(data) {
        Ok(members) => {
            assert_eq!(by_serde(data).as_ref(), Some(&members), "two readers find the same");
            let text = serde_json::to_vec(&members).expect("an object can be written");
            // A fraction may be read as its neighbour: serde_json is quick, not exact, there.
            let again = json::read_object(&text).expect("what was written can be read");
            let has_fraction = text.contains(&b'.') || text.contains(&b'e');
            assert!(has_fraction || again == members, "what was written reads the same");
            // The same object with its first member once more.
            if let Some((name, value)) = members.iter().next() {
                let [name, value] = [Value::from(name.as_str()), value.clone()].map(|it| it.to_string());
                let rest = String::from_utf8_lossy(&text[1..]).into_owned();
                let twice = format!("{{{name}:{value},{rest}");
                assert_eq!(json::read_object(twice.as_bytes()), Err(json::JsonFault::DuplicateMember));
            }
        }
        Err(json::JsonFault::NotAnObject) => {
            let is_deep = by_serde(data).is_some_and(|members| depth(&Value::Object(members)) > json::MAX_DEPTH);
            assert!(by_serde(data).is_none() || is_deep, "a good object is refused");
        }
        Err(json::JsonFault::DuplicateMember) => {}
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Claims, judged as both kinds of token. Nothing is both, and what is taken keeps every
/// rule, read once more the plain way.
pub(crate) fn claims(data: &[u8]) {
    let Ok(claims) = json::read_object(data) else { return };
    let directory = &VERIFIER.directory;
    let Some(issuer) = claims.get("iss").and_then(Value::as_str).and_then(|iss| directory.issuer(iss)) else { return };
    let arrival = Arrival { at: UnixMillis(NOW * 1000), fetches_begun: None };
    let as_logout = LogoutClaims::read(&VERIFIER, issuer, Claims(&claims), arrival).is_ok();
    let as_sign_in = IdToken::read(&VERIFIER, issuer, Claims(&claims), arrival);
    assert!(!(as_logout && as_sign_in.is_ok()), "one token is of both kinds");
    if as_logout {
        keeps_the_rules_of_both(&claims, issuer, directory);
        let events = claims["events"].as_object().expect("events is an object");
        assert!(events[LOGOUT_EVENT].is_object() && !claims.contains_key("nonce"));
        assert!(claims["jti"].as_str().is_some_and(|jti| !jti.is_empty()));
        assert!(["sid", "sub"].iter().any(|name| claims.contains_key(*name)), "it names nobody");
        assert!(seconds(&claims["iat"]) >= at(-SKEW - MAX_AGE), "it is too old");
        match claims.get("exp") {
            Some(exp) => assert!(seconds(exp) > at(-SKEW) && seconds(exp) < at(SKEW + LIFETIME_MAX + 1)),
            None => assert!(issuer.allow_missing_exp, "exp is missing"),
        }
    }
    if let Ok(token) = as_sign_in {
        keeps_the_rules_of_both(&claims, issuer, directory);
        for other in ["events", "scope", "scp", "gty"] {
            assert!(!claims.contains_key(other), "a token with {other} is a sign-in");
        }
        let sign_in = token.sign_in();
        assert_eq!(claims["sub"].as_str(), Some(sign_in.sub.as_str()));
        assert_eq!(claims.get("sid").and_then(Value::as_str), sign_in.sid.as_ref().map(Sid::as_str));
        assert!(audiences(&claims).contains(&sign_in.client_id.as_str()), "an app that it was not made for");
        assert!(claims.get("azp").is_none_or(|azp| azp == sign_in.client_id.as_str()));
        assert_eq!(token.is_expired(), seconds(&claims["exp"]) < at(-SKEW + 1));
    }
}

fn keeps_the_rules_of_both(claims: &Map<String, Value>, issuer: &IssuerSettings, directory: &Directory) {
    let audiences = audiences(claims);
    assert!(!audiences.is_empty(), "it is for nobody");
    for name in audiences {
        assert!(directory.is_audience(issuer, name), "it is for a stranger too");
    }
    assert!(seconds(&claims["iat"]) < at(SKEW + 1), "it is from the future");
    assert!(claims.get("nbf").is_none_or(|nbf| seconds(nbf) < at(SKEW + 1)), "it is not valid yet");
    for name in ["sid", "sub", "azp"] {
        assert!(claims.get(name).is_none_or(Value::is_string), "{name} is no text");
    }
    for name in ["sid", "sub"] {
        let text = claims.get(name).and_then(Value::as_str);
        assert!(text.is_none_or(|text| !text.is_empty() && !text.contains(char::is_control)), "{name} is no name");
    }
}

fn audiences(claims: &Map<String, Value>) -> Vec<&str> {
    match &claims["aud"] {
        Value::String(one) => vec![one],
        Value::Array(list) => list.iter().map(|one| one.as_str().expect("aud holds texts")).collect(),
        _ => panic!("aud is neither a text nor a list"),
    }
}

fn seconds(value: &Value) -> f64 {
    value.as_f64().expect("a time is a number")
}

#[expect(clippy::cast_precision_loss, reason = "seconds of our time are whole in a float")]
fn at(seconds: i64) -> f64 {
    (NOW + seconds) as f64
}
