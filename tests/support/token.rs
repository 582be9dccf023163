//! Tokens, right but for what a test changes.

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

/// A key that signs, with its name.
pub struct SigningKey {
    pub kid: String,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
}

impl SigningKey {
    pub fn rsa(kid: String, pair: RsaKeyPair) -> Self {
        Self { kid, pair: Pair::Rsa(pair) }
    }

    pub fn p256(kid: String) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { kid, pair: Pair::P256(pair) }
    }

    pub fn alg(&self) -> &'static str {
        match self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::P256(_) => "ES256",
        }
    }

    pub fn jwk(&self) -> Value {
        match &self.pair {
            Pair::Rsa(pair) => super::issuer::rsa_jwk(&self.kid, pair),
            Pair::P256(pair) => {
                // An uncompressed point: 4, then x, then y.
                let point = pair.public_key().as_ref();
                let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
                json!({"kty": "EC", "crv": "P-256", "kid": self.kid, "use": "sig", "alg": "ES256", "x": x, "y": y})
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let chance = SystemRandom::new();
        match &self.pair {
            Pair::P256(pair) => pair.sign(&chance, message).unwrap().as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &chance, message, &mut signature).unwrap();
                signature
            }
        }
    }
}

/// A token in the making.
#[derive(Clone)]
pub struct TokenBuilder {
    key: Arc<SigningKey>,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl TokenBuilder {
    pub fn new(key: Arc<SigningKey>, claims: Value) -> Self {
        let header = json!({"alg": key.alg(), "kid": key.kid});
        let (Value::Object(header), Value::Object(claims)) = (header, claims) else { unreachable!() };
        Self { key, header, claims }
    }

    /// With a claim of that value.
    #[must_use]
    pub fn with(mut self, claim: &str, value: Value) -> Self {
        self.claims.insert(claim.to_owned(), value);
        self
    }

    /// Without a claim.
    #[must_use]
    pub fn without(mut self, claim: &str) -> Self {
        self.claims.remove(claim);
        self
    }

    /// With a header member of that value.
    #[must_use]
    pub fn header(mut self, member: &str, value: Value) -> Self {
        self.header.insert(member.to_owned(), value);
        self
    }

    /// Without a header member.
    #[must_use]
    pub fn without_header(mut self, member: &str) -> Self {
        self.header.remove(member);
        self
    }

    /// With another key's name.
    #[must_use]
    pub fn kid(self, kid: String) -> Self {
        self.header("kid", kid.into())
    }

    /// The claim's number, moved by so much.
    #[must_use]
    pub fn moved(mut self, claim: &str, by: i64) -> Self {
        let number = self.claims[claim].as_i64().unwrap();
        self.claims.insert(claim.to_owned(), (number + by).into());
        self
    }

    /// The compact token, signed.
    pub fn sign(&self) -> String {
        self.sign_text(&Value::Object(self.claims.clone()).to_string())
    }

    /// The compact token of a payload that is no longer what a map can hold.
    pub fn sign_text(&self, claims: &str) -> String {
        self.sign_texts(&Value::Object(self.header.clone()).to_string(), claims)
    }

    /// The same, with a header of one's own making.
    pub fn sign_texts(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes())))
    }

    /// The claims as JSON.
    pub fn claims_text(&self) -> String {
        Value::Object(self.claims.clone()).to_string()
    }

    /// The header as JSON.
    pub fn header_text(&self) -> String {
        Value::Object(self.header.clone()).to_string()
    }
}
