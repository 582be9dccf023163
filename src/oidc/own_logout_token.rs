//! Logout tokens of the hub's own, for back ends that take them: OpenID Connect
//! Back-Channel Logout 1.0, with the hub as their issuer.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::logout_token::LOGOUT_EVENT;
use super::signer::Signer;
pub use super::signer::{SigningError, new_key};
use crate::config::PublicUrl;
use crate::domain::clock::{Clock, UnixSeconds};
use crate::domain::ids::ClientId;
use crate::domain::logout::Logout;
use crate::domain::signing_key::{KeyState, OWN_TOKEN_SECONDS, SigningKey};

/// Signs logout tokens with the key of the moment, and says which keys to trust.
///
/// The keys are handed in ([`OwnLogoutTokens::use_keys`]), all of them with their times;
/// from then on the clock alone decides which of them signs and which are published.
pub struct OwnLogoutTokens {
    public_url: PublicUrl,
    clock: Arc<dyn Clock>,
    /// In the order in which they sign. The lock is `std`'s because nothing awaits
    /// while holding it.
    signers: RwLock<Arc<[Signer]>>,
}

impl OwnLogoutTokens {
    /// Tokens of the hub that is called `public_url`. It has no keys yet.
    #[must_use]
    pub fn new(public_url: PublicUrl, clock: Arc<dyn Clock>) -> Self {
        Self { public_url, clock, signers: RwLock::new(Arc::new([])) }
    }

    /// Uses these keys, and no others, from now on. Says whether that is a change.
    ///
    /// # Errors
    /// [`SigningError::DamagedKey`]; the keys from before are then still used.
    pub fn use_keys(&self, mut keys: Vec<SigningKey>) -> Result<bool, SigningError> {
        keys.sort_by_key(|key| key.signs_from);
        if self.signers().iter().map(|it| &it.key).eq(&keys) {
            return Ok(false);
        }
        let signers: Vec<Signer> = keys.into_iter().map(Signer::new).collect::<Result<_, _>>()?;
        *self.signers.write().unwrap_or_else(PoisonError::into_inner) = signers.into();
        Ok(true)
    }

    /// A token that tells one app of a logout, good for two minutes. Every call makes
    /// another, with a name (`jti`) of its own; what stays the same is `txn`.
    ///
    /// # Errors
    /// [`SigningError::NoKey`], [`SigningError::Failed`].
    pub fn issue(&self, logout: &Logout, audience: &ClientId, now: UnixSeconds) -> Result<String, SigningError> {
        let signers = self.signers();
        // A clock that was set back may be before every key: the first is the best then.
        let current = signers.iter().rev().find(|it| it.key.signs_from <= now).or(signers.first());
        let claims = self.claims(logout, audience, now)?;
        current.ok_or(SigningError::NoKey)?.sign("logout+jwt", &claims)
    }

    /// The public keys, as `/.well-known/jwks.json` shows them: the one that signs, the
    /// one that will, and those whose tokens may still be about.
    #[must_use]
    pub fn jwks(&self) -> Value {
        let now = self.clock.now().floor();
        let signers = self.signers();
        let published = signers.iter().filter(|it| it.key.state(now) != KeyState::Gone);
        json!({ "keys": published.map(Signer::jwk).collect::<Vec<_>>() })
    }

    fn signers(&self) -> Arc<[Signer]> {
        Arc::clone(&self.signers.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn claims(&self, logout: &Logout, audience: &ClientId, now: UnixSeconds) -> Result<Value, SigningError> {
        let mut name = [0; 16];
        rand::fill(&mut name).map_err(|_| SigningError::Failed)?;
        let mut claims = json!({
            "iss": self.public_url.as_str(),
            "aud": audience.as_str(),
            "iat": now.0,
            "exp": now.plus(OWN_TOKEN_SECONDS).0,
            "jti": URL_SAFE_NO_PAD.encode(name),
            "txn": logout.id.to_string(),
            "events": { LOGOUT_EVENT: {} },
        });
        if let Some(sid) = logout.target.sid() {
            claims["sid"] = sid.as_str().into();
        }
        if let Some(sub) = logout.target.sub() {
            claims["sub"] = sub.as_str().into();
        }
        Ok(claims)
    }
}

impl fmt::Debug for OwnLogoutTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnLogoutTokens(…)")
    }
}
