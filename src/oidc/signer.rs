//! One of the hub's own keys, ready to sign: ECDSA on P-256 (ES256).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::domain::clock::UnixSeconds;
use crate::domain::digest::sha256;
use crate::domain::signing_key::{PrivateKey, SigningKey};

/// Why nothing was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// No key has been loaded.
    #[error("the hub has no signing key")]
    NoKey,
    /// What is kept as a key is none, or not the one that it is named as.
    #[error("a signing key in the store is damaged")]
    DamagedKey,
    /// The library refused, or the operating system gives no random bytes.
    #[error("signing failed")]
    Failed,
}

/// A new key, made at `made_at`, that signs from `signs_from` on.
///
/// # Errors
/// [`SigningError::Failed`] without random bytes.
pub fn new_key(made_at: UnixSeconds, signs_from: UnixSeconds) -> Result<SigningKey, SigningError> {
    let chance = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &chance);
    let pkcs8 = pkcs8.map_err(|_| SigningError::Failed)?;
    let kid = thumbprint(&read(pkcs8.as_ref())?);
    Ok(SigningKey { kid, private: PrivateKey::new(pkcs8.as_ref()), made_at, signs_from, signs_until: None })
}

/// A key that has been read, and is the one that its name says.
pub(super) struct Signer {
    /// The key's name and times.
    pub(super) key: SigningKey,
    pair: EcdsaKeyPair,
}

impl Signer {
    pub(super) fn new(key: SigningKey) -> Result<Self, SigningError> {
        let pair = read(key.private.reveal())?;
        if thumbprint(&pair) == key.kid { Ok(Self { key, pair }) } else { Err(SigningError::DamagedKey) }
    }

    /// The public half, as it is published.
    pub(super) fn jwk(&self) -> Value {
        let (x, y) = coordinates(&self.pair);
        json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": self.key.kid, "use": "sig", "alg": "ES256" })
    }

    /// A compact JWS of these claims.
    pub(super) fn sign(&self, typ: &str, claims: &Value) -> Result<String, SigningError> {
        let header = json!({ "typ": typ, "alg": "ES256", "kid": self.key.kid }).to_string();
        let mut token = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = self.pair.sign(&SystemRandom::new(), token.as_bytes()).map_err(|_| SigningError::Failed)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

fn read(pkcs8: &[u8]) -> Result<EcdsaKeyPair, SigningError> {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(|_| SigningError::DamagedKey)
}

/// The public point's `x` and `y`. It comes uncompressed: a 4, then 32 bytes of each.
fn coordinates(pair: &EcdsaKeyPair) -> (String, String) {
    let point = pair.public_key().as_ref();
    (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]))
}

/// RFC 7638: SHA-256 of the members that make the key, in this order, without blanks.
fn thumbprint(pair: &EcdsaKeyPair) -> String {
    let (x, y) = coordinates(pair);
    let text = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    URL_SAFE_NO_PAD.encode(sha256(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = UnixSeconds(1_700_000_000);

    #[test]
    fn a_key_that_is_not_the_one_it_is_named_as_is_refused() {
        let (mine, other) = (new_key(NOW, NOW).unwrap(), new_key(NOW, NOW).unwrap());
        assert!(Signer::new(mine.clone()).is_ok());
        let renamed = SigningKey { kid: other.kid, ..mine.clone() };
        assert_eq!(Signer::new(renamed).err(), Some(SigningError::DamagedKey));
        let torn = SigningKey { private: PrivateKey::new(&mine.private.reveal()[1..]), ..mine };
        assert_eq!(Signer::new(torn).err(), Some(SigningError::DamagedKey));
    }
}
