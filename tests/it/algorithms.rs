//! Every algorithm that can be configured, with a real key of its kind.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{self as by, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaEncoding};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use slo_hub::domain::app::SigningAlg;
use slo_hub::oidc::fault::{TokenFault, VerifyError};

use crate::rig::{KEYS, Reply, Rig};

struct Keys {
    rsa: RsaKeyPair,
    p256: EcdsaKeyPair,
    p384: EcdsaKeyPair,
    edwards: Ed25519KeyPair,
}

impl Keys {
    fn new() -> Self {
        Self {
            rsa: RsaKeyPair::from_der(include_bytes!("../support/keys/rsa-1.der")).unwrap(),
            p256: EcdsaKeyPair::generate(&by::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            p384: EcdsaKeyPair::generate(&by::ECDSA_P384_SHA384_FIXED_SIGNING).unwrap(),
            edwards: Ed25519KeyPair::generate().unwrap(),
        }
    }

    /// One key of each type, with a name of its own and no `alg`.
    fn published(&self) -> Value {
        let mut rsa = crate::support::issuer::rsa_jwk("rsa", &self.rsa);
        rsa.as_object_mut().unwrap().remove("alg");
        let edwards = URL_SAFE_NO_PAD.encode(self.edwards.public_key());
        json!({ "keys": [
            rsa,
            curve_jwk("p256", "P-256", &self.p256),
            curve_jwk("p384", "P-384", &self.p384),
            { "kty": "OKP", "crv": "Ed25519", "kid": "edwards", "x": edwards },
        ]})
    }

    fn kid(alg: SigningAlg) -> &'static str {
        match alg {
            SigningAlg::ES256 => "p256",
            SigningAlg::ES384 => "p384",
            SigningAlg::EdDSA => "edwards",
            _ => "rsa",
        }
    }

    fn sign(&self, alg: SigningAlg, message: &[u8]) -> Vec<u8> {
        let chance = SystemRandom::new();
        let rsa = |encoding: &'static dyn RsaEncoding| {
            let mut signature = vec![0; self.rsa.public_modulus_len()];
            self.rsa.sign(encoding, &chance, message, &mut signature).unwrap();
            signature
        };
        match alg {
            SigningAlg::RS256 => rsa(&by::RSA_PKCS1_SHA256),
            SigningAlg::RS384 => rsa(&by::RSA_PKCS1_SHA384),
            SigningAlg::RS512 => rsa(&by::RSA_PKCS1_SHA512),
            SigningAlg::PS256 => rsa(&by::RSA_PSS_SHA256),
            SigningAlg::PS384 => rsa(&by::RSA_PSS_SHA384),
            SigningAlg::PS512 => rsa(&by::RSA_PSS_SHA512),
            SigningAlg::ES256 => self.p256.sign(&chance, message).unwrap().as_ref().to_vec(),
            SigningAlg::ES384 => self.p384.sign(&chance, message).unwrap().as_ref().to_vec(),
            SigningAlg::EdDSA => self.edwards.sign(message).as_ref().to_vec(),
        }
    }

    /// A token that says `claimed` and is signed with `used`.
    fn token(&self, claimed: SigningAlg, used: SigningAlg, kid: Option<&str>, claims: &str) -> String {
        let mut header = json!({ "alg": claimed.as_str() });
        if let Some(kid) = kid {
            header["kid"] = json!(kid);
        }
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(self.sign(used, signed.as_bytes())))
    }
}

fn curve_jwk(kid: &str, crv: &str, pair: &EcdsaKeyPair) -> Value {
    // An uncompressed point: 4, then x, then y.
    let point = &pair.public_key().as_ref()[1..];
    let (x, y) = point.split_at(point.len() / 2);
    json!({ "kty": "EC", "crv": crv, "kid": kid, "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) })
}

async fn rig_with(keys: &Keys) -> Rig {
    let rig = Rig::start().await;
    rig.issuer.answers(KEYS, Reply::Json(keys.published()));
    rig
}

async fn fault(rig: &Rig, token: &str) -> Option<TokenFault> {
    match rig.verify_as_of(token, rig.keys.arrival()).await {
        Ok(_) => None,
        Err(VerifyError::Refused(fault)) => Some(fault),
        Err(VerifyError::KeysUnavailable) => panic!("there are keys"),
    }
}

#[tokio::test]
async fn every_algorithm_is_taken_with_and_without_kid() {
    let keys = Keys::new();
    let rig = rig_with(&keys).await;
    let claims = rig.logout_token().claims_text();
    for alg in SigningAlg::ALL {
        // Of each type there is one key, so it need not be named.
        for kid in [Some(Keys::kid(alg)), None] {
            assert_eq!(fault(&rig, &keys.token(alg, alg, kid, &claims)).await, None, "{alg:?} {kid:?}");
        }
    }
}

#[tokio::test]
async fn no_algorithm_passes_for_another() {
    let keys = Keys::new();
    let rig = rig_with(&keys).await;
    let claims = rig.logout_token().claims_text();
    for claimed in SigningAlg::ALL {
        for used in SigningAlg::ALL.into_iter().filter(|used| *used != claimed) {
            let token = keys.token(claimed, used, Some(Keys::kid(used)), &claims);
            let expected = if Keys::kid(claimed) == Keys::kid(used) {
                TokenFault::BadSignature
            } else {
                TokenFault::AlgNotAllowed
            };
            assert_eq!(fault(&rig, &token).await, Some(expected), "{used:?} as {claimed:?}");
        }
    }
}

#[tokio::test]
async fn changed_claims_are_nobodys() {
    let keys = Keys::new();
    let rig = rig_with(&keys).await;
    let (claims, others) = (rig.logout_token(), rig.logout_token().with("sub", json!("eve")));
    for alg in SigningAlg::ALL {
        let token = keys.token(alg, alg, Some(Keys::kid(alg)), &claims.claims_text());
        let parts: Vec<_> = token.split('.').collect();
        let forged = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(others.claims_text()), parts[2]);
        assert_eq!(fault(&rig, &forged).await, Some(TokenFault::BadSignature), "{alg:?}");
    }
}
