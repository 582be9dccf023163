//! The keys of the hub's own tokens: made when there are none, replaced in time.

use super::Hub;
use crate::domain::clock::UnixSeconds;
use crate::domain::signing_key::{PUBLISHED_BEFORE_SECONDS, SIGNS_FOR_SECONDS, SigningKey};
use crate::oidc::own_logout_token::{SigningError, new_key};
use crate::store::{Store, StoreError};

/// Why the keys are not as they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyTrouble {
    /// They cannot be read, or kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// They cannot be made, or used.
    #[error("{0}; `slo-hub keys rotate --now` makes new ones")]
    Signing(#[from] SigningError),
}

/// How a key is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// So that nobody notices: the new key is published first, and signs later; the
    /// old one stays published for as long as its tokens live.
    WithOverlap,
    /// Because the old key is in wrong hands: the new one signs at once, and no other
    /// key is known any more.
    Now,
}

/// What became of a rotation.
#[derive(Clone, Debug)]
pub struct Rotated {
    /// The newest key.
    pub key: SigningKey,
    /// Whether this rotation made it. With overlap none is made while one still waits
    /// to sign.
    pub is_new: bool,
}

/// The keys of the moment. Makes the first one where there is none, and the next one
/// when the newest has signed for nearly as long as it should.
///
/// # Errors
/// [`KeyTrouble`].
pub async fn ready_keys(store: &Store, now: UnixSeconds) -> Result<Vec<SigningKey>, KeyTrouble> {
    let keys = store.signing_keys().await?;
    let due = now.plus(PUBLISHED_BEFORE_SECONDS - SIGNS_FOR_SECONDS);
    if keys.iter().any(|key| key.signs_from > due) {
        return Ok(keys);
    }
    Ok(store.add_signing_key(successor(&keys, now)?, limit(&keys, due)).await?)
}

/// Replaces the key that signs. Running hubs on the same file learn of it by themselves.
///
/// # Errors
/// [`KeyTrouble`]; then nothing has changed, or the disk did not say in time.
pub async fn rotate(store: &Store, now: UnixSeconds, how: Rotation) -> Result<Rotated, KeyTrouble> {
    let (proposed, kept) = match how {
        Rotation::WithOverlap => {
            let keys = store.signing_keys().await?;
            let proposed = successor(&keys, now)?;
            (proposed.kid.clone(), store.add_signing_key(proposed, limit(&keys, now)).await?)
        }
        Rotation::Now => {
            let proposed = new_key(now, now)?;
            (proposed.kid.clone(), store.replace_signing_keys(proposed).await?)
        }
    };
    let key = kept.into_iter().next_back().ok_or(StoreError::Damaged)?;
    Ok(Rotated { is_new: key.kid == proposed, key })
}

/// A key that can wait until everyone has seen it; the very first one cannot.
fn successor(keys: &[SigningKey], now: UnixSeconds) -> Result<SigningKey, SigningError> {
    new_key(now, if keys.is_empty() { now } else { now.plus(PUBLISHED_BEFORE_SECONDS) })
}

/// The first key is made unless there is any other, a later one unless it is too early.
fn limit(keys: &[SigningKey], too_early: UnixSeconds) -> UnixSeconds {
    if keys.is_empty() { UnixSeconds(i64::MIN) } else { too_early }
}

impl Hub {
    /// Signs with the keys of the moment: new ones that are due, and those that another
    /// process made, are taken up; those that were withdrawn are dropped.
    ///
    /// # Errors
    /// [`KeyTrouble`]; the keys from before are then still used.
    pub async fn refresh_signing_keys(&self) -> Result<(), KeyTrouble> {
        let keys = ready_keys(&self.store, self.clock.now().floor()).await?;
        let newest = keys.last().map(|key| key.kid.clone()).unwrap_or_default();
        if self.own_tokens.use_keys(keys)? {
            tracing::info!(newest, "the signing keys have changed");
        }
        Ok(())
    }
}
