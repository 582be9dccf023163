//! The keys of the hub's own tokens, and what each of them does when.
//!
//! ```text
//! made_at          signs_from           signs_until          gone
//!    |- published ---->|- published, signs -->|- published ----->|
//! ```
//!
//! A key is published before it signs, for as long as somebody may still hold the key
//! set from before; and afterwards, for as long as a token of its may still be checked.

use std::fmt;

use super::clock::UnixSeconds;

/// How long a token of the hub's own is good for, in seconds.
pub const OWN_TOKEN_SECONDS: i64 = 120;

/// How long anyone may keep the published keys without asking again, in seconds.
pub const KEY_SET_CACHE_SECONDS: i64 = 600;

/// Within how many seconds a running hub knows of a key that another process made.
pub const NOTICED_WITHIN_SECONDS: i64 = 60;

/// How far the clocks of whoever checks a token may be from the hub's, in seconds.
const CLOCKS_APART_SECONDS: i64 = 120;

/// How long a key is published before it signs, in seconds: 13 minutes.
pub const PUBLISHED_BEFORE_SECONDS: i64 = KEY_SET_CACHE_SECONDS + NOTICED_WITHIN_SECONDS + CLOCKS_APART_SECONDS;

/// How long a key is published after it signed last, in seconds: 15 minutes.
pub const PUBLISHED_AFTER_SECONDS: i64 = OWN_TOKEN_SECONDS + PUBLISHED_BEFORE_SECONDS;

/// How long a key signs before the hub replaces it by itself, in seconds: 90 days.
pub const SIGNS_FOR_SECONDS: i64 = 90 * 24 * 3600;

/// A key pair with its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// Its public name: the RFC 7638 thumbprint of its public half.
    pub kid: String,
    /// Its private half.
    pub private: PrivateKey,
    /// When it was made, and so published.
    pub made_at: UnixSeconds,
    /// From when on it signs.
    pub signs_from: UnixSeconds,
    /// When the next one takes over; `None` for the newest.
    pub signs_until: Option<UnixSeconds>,
}

/// What a key does at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Published, and does not sign yet.
    Next,
    /// Signs.
    Current,
    /// Signs no more; its tokens may still be about.
    Retired,
    /// No longer published.
    Gone,
}

impl KeyState {
    /// The word for it, as `slo-hub keys list` shows it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Retired => "retired",
            Self::Gone => "gone",
        }
    }
}

impl SigningKey {
    /// What it does at that moment.
    #[must_use]
    pub fn state(&self, now: UnixSeconds) -> KeyState {
        if now < self.signs_from {
            KeyState::Next
        } else if self.signs_until.is_none_or(|until| now < until) {
            KeyState::Current
        } else if self.published_until().is_none_or(|until| now < until) {
            KeyState::Retired
        } else {
            KeyState::Gone
        }
    }

    /// When it stops being published; `None` while no other has been made.
    #[must_use]
    pub fn published_until(&self) -> Option<UnixSeconds> {
        self.signs_until.map(|until| until.plus(PUBLISHED_AFTER_SECONDS))
    }
}

/// The private half of a key, as PKCS#8. `{:?}` says nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateKey(Box<[u8]>);

impl PrivateKey {
    /// Takes any bytes.
    #[must_use]
    pub fn new(pkcs8: &[u8]) -> Self {
        Self(pkcs8.into())
    }

    /// The bytes, for whoever signs with them or keeps them.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(signs_until: Option<i64>) -> SigningKey {
        SigningKey {
            kid: "k".to_owned(),
            private: PrivateKey::new(b"secret"),
            made_at: UnixSeconds(0),
            signs_from: UnixSeconds(PUBLISHED_BEFORE_SECONDS),
            signs_until: signs_until.map(UnixSeconds),
        }
    }

    #[test]
    fn a_key_waits_signs_retires_and_goes_to_the_second() {
        let replaced = key(Some(5_000));
        let gone = 5_000 + PUBLISHED_AFTER_SECONDS;
        for (now, state) in [
            (0, KeyState::Next),
            (PUBLISHED_BEFORE_SECONDS - 1, KeyState::Next),
            (PUBLISHED_BEFORE_SECONDS, KeyState::Current),
            (4_999, KeyState::Current),
            (5_000, KeyState::Retired),
            (gone - 1, KeyState::Retired),
            (gone, KeyState::Gone),
        ] {
            assert_eq!(replaced.state(UnixSeconds(now)), state, "{now}");
        }
        assert_eq!(key(None).state(UnixSeconds(i64::MAX)), KeyState::Current);
    }

    #[test]
    fn debug_output_shows_no_private_key() {
        let shown = format!("{:?} {:?}", key(None), PrivateKey::new(b"secret"));
        assert!(shown.contains("PrivateKey(…)") && !shown.contains("secret") && !shown.contains("115"), "{shown}");
    }
}
