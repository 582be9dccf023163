//! The keys that an issuer publishes (RFC 7517), and what they say about a signature.

use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde_json::Value;

use super::fault::TokenFault;
use super::jose::{UnverifiedJws, base64url};
use super::keys::Arrival;
use crate::domain::app::SigningAlg;
use crate::domain::clock::UnixMillis;

/// Which fetch a key set came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fetched {
    /// Its number among all fetches of this process.
    pub(super) number: u64,
    /// When it began, by the time of day.
    pub(super) at: UnixMillis,
    /// When it began, by the hub's uptime.
    pub(super) uptime: Duration,
}

impl Fetched {
    /// Whether the fetch began after that arrival, so that a key which was in use when
    /// the token was sent must be in the set. In doubt it did not.
    pub(super) fn is_later_than(&self, arrival: Arrival) -> bool {
        match arrival.fetches_begun {
            Some(begun) => self.number > begun,
            // A token kept on disk has only its time. In the same millisecond the fetch
            // may have begun first, and must not deny the token for good.
            None => self.at > arrival.at,
        }
    }
}

/// What a key set says about a token's signature.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// The signature is the issuer's.
    Holds,
    /// It is not, whatever keys the issuer may add.
    Refused(TokenFault),
    /// `kid` names no key of this set. A newer set may have it.
    NoSuchKey,
    /// Not by the keys of this set, and the token names none. A newer set may differ.
    RefusedUnnamed(TokenFault),
}

/// The keys an issuer published at one time.
#[derive(Debug)]
pub(super) struct KeySet {
    pub(super) fetched: Fetched,
    keys: Vec<PublishedKey>,
}

impl KeySet {
    /// Reads a key set, each key by itself: one that is unknown or broken changes
    /// nothing for the others. `None` when not one of them can check a signature.
    pub(super) fn read(document: &Value, fetched: Fetched) -> Option<Self> {
        let list = document.get("keys")?.as_array()?;
        let keys: Vec<_> = list.iter().map(PublishedKey::read).collect();
        keys.iter().any(|key| key.usable.is_some()).then_some(Self { fetched, keys })
    }

    /// How many of these keys can check a signature.
    pub(super) fn usable(&self) -> usize {
        self.keys.iter().filter(|key| key.usable.is_some()).count()
    }

    /// Whether the token was signed by one of these keys.
    pub(super) fn judge(&self, jws: &UnverifiedJws<'_>, alg: SigningAlg) -> Judgement {
        match jws.header.kid() {
            Some(kid) => self.judge_by_name(kid, jws, alg),
            None => self.judge_by_only_key(jws, alg),
        }
    }

    fn judge_by_name(&self, kid: &str, jws: &UnverifiedJws<'_>, alg: SigningAlg) -> Judgement {
        let mut named = self.keys.iter().filter(|key| key.kid.as_deref() == Some(kid)).peekable();
        if named.peek().is_none() {
            return Judgement::NoSuchKey;
        }
        // Keys of different types may share a name (RFC 7517, section 4.5).
        let mut fitting = named.filter_map(|key| key.fitting(alg)).peekable();
        if fitting.peek().is_none() {
            return Judgement::Refused(TokenFault::AlgNotAllowed);
        }
        if fitting.any(|key| key.made(jws, alg)) {
            Judgement::Holds
        } else {
            Judgement::Refused(TokenFault::BadSignature)
        }
    }

    fn judge_by_only_key(&self, jws: &UnverifiedJws<'_>, alg: SigningAlg) -> Judgement {
        let fitting: Vec<_> = self.keys.iter().filter_map(|key| key.fitting(alg)).collect();
        match fitting[..] {
            [only] if only.made(jws, alg) => Judgement::Holds,
            [_] => Judgement::RefusedUnnamed(TokenFault::BadSignature),
            _ => Judgement::RefusedUnnamed(TokenFault::KidMissing),
        }
    }
}

/// How many keys of a published set can check signatures of that algorithm.
#[must_use]
pub fn count_for(document: &Value, alg: SigningAlg) -> usize {
    let list = document.get("keys").and_then(Value::as_array);
    let keys = list.into_iter().flatten().map(PublishedKey::read);
    keys.filter(|key| key.fitting(alg).is_some()).count()
}

/// One published key. Its name counts even when the key itself is of no use here: a
/// token that names it is refused for that, not kept waiting for a newer set.
#[derive(Debug)]
struct PublishedKey {
    kid: Option<String>,
    usable: Option<UsableKey>,
}

impl PublishedKey {
    fn read(jwk: &Value) -> Self {
        let kid = jwk.get("kid").and_then(Value::as_str).map(str::to_owned);
        Self { kid, usable: UsableKey::read(jwk) }
    }

    fn fitting(&self, alg: SigningAlg) -> Option<&UsableKey> {
        self.usable.as_ref().filter(|key| key.fits(alg))
    }
}

/// What a key is made of, which says what it can check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyType {
    Rsa,
    P256,
    P384,
    Ed25519,
}

/// A key that can check signatures, made ready for it once.
#[derive(Debug)]
struct UsableKey {
    key_type: KeyType,
    /// The one algorithm that it is meant for, where it says so.
    only_for: Option<SigningAlg>,
    ready: DecodingKey,
}

impl UsableKey {
    fn read(jwk: &Value) -> Option<Self> {
        if !is_for_signatures(jwk) || is_everybodys(jwk) {
            return None;
        }
        let only_for = match jwk.get("alg") {
            None => None,
            Some(alg) => Some(algorithm_of_key(alg.as_str()?)?),
        };
        let (key_type, ready) = match (member(jwk, "kty")?, jwk.get("crv").and_then(Value::as_str)) {
            ("RSA", _) => (KeyType::Rsa, rsa_key(jwk)?),
            ("EC", Some("P-256")) => (KeyType::P256, curve_key(jwk, 32)?),
            ("EC", Some("P-384")) => (KeyType::P384, curve_key(jwk, 48)?),
            ("OKP", Some("Ed25519")) => (KeyType::Ed25519, edwards_key(jwk)?),
            _ => return None,
        };
        Some(Self { key_type, only_for, ready })
    }

    fn fits(&self, alg: SigningAlg) -> bool {
        let key_type = match alg {
            SigningAlg::RS256
            | SigningAlg::RS384
            | SigningAlg::RS512
            | SigningAlg::PS256
            | SigningAlg::PS384
            | SigningAlg::PS512 => KeyType::Rsa,
            SigningAlg::ES256 => KeyType::P256,
            SigningAlg::ES384 => KeyType::P384,
            SigningAlg::EdDSA => KeyType::Ed25519,
        };
        self.key_type == key_type && self.only_for.is_none_or(|only| only == alg)
    }

    /// Whether this key made that signature.
    fn made(&self, jws: &UnverifiedJws<'_>, alg: SigningAlg) -> bool {
        let message = jws.signing_input.as_bytes();
        crypto::verify(jws.signature, message, &self.ready, library_name(alg)).unwrap_or(false)
    }
}

fn member<'a>(jwk: &'a Value, name: &str) -> Option<&'a str> {
    jwk.get(name)?.as_str()
}

/// `use` and `key_ops` (RFC 7517, sections 4.2 and 4.3), where the key has them.
fn is_for_signatures(jwk: &Value) -> bool {
    let by_use = jwk.get("use").is_none_or(|it| it.as_str() == Some("sig"));
    let verifies = |ops: &Value| ops.as_array().is_some_and(|ops| ops.iter().any(|op| op.as_str() == Some("verify")));
    by_use && jwk.get("key_ops").is_none_or(verifies)
}

/// A key that was published with its private half proves nothing: everybody can sign.
fn is_everybodys(jwk: &Value) -> bool {
    jwk.get("d").is_some()
}

/// RFC 9864 gave `EdDSA` on each curve a name of its own; keys have it already.
fn algorithm_of_key(name: &str) -> Option<SigningAlg> {
    if name == "Ed25519" { Some(SigningAlg::EdDSA) } else { SigningAlg::from_name(name) }
}

/// An RSA key of 2048 to 8192 bits. Some issuers write a zero in front of the modulus,
/// which the library would not take.
fn rsa_key(jwk: &Value) -> Option<DecodingKey> {
    let modulus = base64url(member(jwk, "n")?).ok()?;
    let exponent = base64url(member(jwk, "e")?).ok()?;
    let modulus = without_leading_zeros(&modulus);
    let bits = modulus.len() * 8 - modulus.first()?.leading_zeros() as usize;
    (2048..=8192)
        .contains(&bits)
        .then(|| DecodingKey::from_rsa_raw_components(modulus, without_leading_zeros(&exponent)))
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

fn curve_key(jwk: &Value, coordinate_bytes: usize) -> Option<DecodingKey> {
    let (x, y) = (member(jwk, "x")?, member(jwk, "y")?);
    let fits = |part: &str| base64url(part).is_ok_and(|bytes| bytes.len() == coordinate_bytes);
    if fits(x) && fits(y) { DecodingKey::from_ec_components(x, y).ok() } else { None }
}

fn edwards_key(jwk: &Value) -> Option<DecodingKey> {
    let x = member(jwk, "x")?;
    if base64url(x).ok()?.len() == 32 { DecodingKey::from_ed_components(x).ok() } else { None }
}

fn library_name(alg: SigningAlg) -> Algorithm {
    match alg {
        SigningAlg::RS256 => Algorithm::RS256,
        SigningAlg::RS384 => Algorithm::RS384,
        SigningAlg::RS512 => Algorithm::RS512,
        SigningAlg::PS256 => Algorithm::PS256,
        SigningAlg::PS384 => Algorithm::PS384,
        SigningAlg::PS512 => Algorithm::PS512,
        SigningAlg::ES256 => Algorithm::ES256,
        SigningAlg::ES384 => Algorithm::ES384,
        SigningAlg::EdDSA => Algorithm::EdDSA,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    const FETCHED: Fetched = Fetched { number: 7, at: UnixMillis(1000), uptime: Duration::ZERO };

    fn rsa_of(bytes: usize, first: u8) -> Value {
        let mut modulus = vec![0xff; bytes];
        modulus[0] = first;
        json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode(modulus), "e": "AQAB" })
    }

    fn with(mut jwk: Value, name: &str, value: Value) -> Value {
        jwk[name] = value;
        jwk
    }

    fn fits(jwk: &Value, alg: SigningAlg) -> bool {
        PublishedKey::read(jwk).fitting(alg).is_some()
    }

    #[test]
    fn an_rsa_key_has_2048_to_8192_bits() {
        assert!(fits(&rsa_of(256, 0x80), SigningAlg::RS256));
        assert!(fits(&rsa_of(1024, 0xff), SigningAlg::RS256));
        assert!(!fits(&rsa_of(256, 0x7f), SigningAlg::RS256));
        assert!(!fits(&rsa_of(128, 0x80), SigningAlg::RS256));
        assert!(!fits(&rsa_of(1025, 0x80), SigningAlg::RS256));
        assert!(fits(&rsa_of(257, 0x00), SigningAlg::RS256), "a zero in front adds no bits");
        assert!(!fits(&with(rsa_of(256, 0x80), "n", json!("")), SigningAlg::RS256));
    }

    #[test]
    fn a_key_is_used_for_what_it_says_it_is_for() {
        let key = || rsa_of(256, 0x80);
        assert!(fits(&key(), SigningAlg::PS512) && !fits(&key(), SigningAlg::ES256));
        let only = with(key(), "alg", json!("RS256"));
        assert!(fits(&only, SigningAlg::RS256) && !fits(&only, SigningAlg::PS256));
        assert!(fits(&with(key(), "use", json!("sig")), SigningAlg::RS256));
        assert!(fits(&with(key(), "key_ops", json!(["verify"])), SigningAlg::RS256));
        for (name, value) in [
            ("use", json!("enc")),
            ("use", json!(null)),
            ("key_ops", json!(["sign"])),
            ("key_ops", json!("verify")),
            ("alg", json!("RSA-OAEP")),
            ("alg", json!(5)),
            ("kty", json!("oct")),
            ("kty", json!("AKP")),
            ("d", json!("AAAA")),
        ] {
            assert!(!fits(&with(key(), name, value.clone()), SigningAlg::RS256), "{name}: {value}");
        }
    }

    #[test]
    fn a_key_on_a_curve_has_coordinates_of_its_length() {
        let short = json!({ "kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA" });
        assert!(!fits(&short, SigningAlg::ES256));
        let x = URL_SAFE_NO_PAD.encode([1; 32]);
        let edwards = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "Ed25519", "x": x });
        assert!(fits(&edwards, SigningAlg::EdDSA));
        assert!(!fits(&with(edwards, "crv", json!("X25519")), SigningAlg::EdDSA));
    }

    #[test]
    fn a_set_without_one_usable_key_is_no_set() {
        let read = |keys: Value| KeySet::read(&json!({ "keys": keys }), FETCHED).is_some();
        assert!(read(json!([rsa_of(256, 0x80)])));
        assert!(read(json!([5, null, { "kty": "AKP", "kid": "x" }, rsa_of(256, 0x80)])));
        assert!(!read(json!([])) && !read(json!([{ "kty": "oct", "k": "AAAA" }])) && !read(json!({})));
        assert!(KeySet::read(&json!([]), FETCHED).is_none());
    }

    #[test]
    fn a_fetch_is_later_than_an_arrival_by_its_number_or_for_a_token_kept_on_disk_by_the_clock() {
        let arrival = |fetches_begun, at| Arrival { at: UnixMillis(at), fetches_begun };
        assert!(FETCHED.is_later_than(arrival(Some(6), 1000)));
        assert!(!FETCHED.is_later_than(arrival(Some(7), 1000)), "it had begun already");
        assert!(FETCHED.is_later_than(arrival(None, 999)));
        assert!(!FETCHED.is_later_than(arrival(None, 1000)), "it may have begun first");
        assert!(!FETCHED.is_later_than(arrival(None, 1001)), "the token arrived after it");
    }
}
