//! Identifiers, parsed once at the edge.
//!
//! `sid` and `sub` mean nothing without their issuer, so nothing here is
//! compared bare: use [`SessionKey`] and [`SubjectKey`].

use std::fmt;
use std::sync::Arc;

use ulid::Ulid;
use url::{Position, Url};

/// The longest `sid`, `sub`, `jti` or client identifier, in bytes.
pub const ID_MAX_BYTES: usize = 255;

/// Why a text is no identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 255 bytes without control characters")]
pub struct InvalidId;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Cheap to clone: the text is shared.
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes 1 to 255 bytes without control characters.
            ///
            /// # Errors
            /// [`InvalidId`] for anything else.
            pub fn parse(raw: &str) -> Result<Self, InvalidId> {
                let fits = (1..=ID_MAX_BYTES).contains(&raw.len());
                if fits && !raw.chars().any(char::is_control) { Ok(Self(raw.into())) } else { Err(InvalidId) }
            }

            /// The text as it came, byte for byte.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

text_id! {
    /// An OpenID provider's identifier, byte for byte the `iss` of its tokens.
    Issuer
}
text_id! {
    /// A relying party's `client_id`, unique only within its issuer.
    ClientId
}
text_id! {
    /// A person as one issuer names them (`sub`). Means nothing without the issuer.
    Subject
}
text_id! {
    /// A browser session as one issuer names it (`sid`). Means nothing without the issuer.
    Sid
}
text_id! {
    /// A token's own identifier (`jti`), unique within its issuer.
    Jti
}

impl Issuer {
    /// The issuer's host and port, by which people know it.
    #[must_use]
    pub fn host(&self) -> String {
        let url = Url::parse(&self.0).ok();
        url.map_or_else(|| self.0.to_string(), |url| url[Position::BeforeHost..Position::AfterPort].to_owned())
    }
}

text_id! {
    /// A session's public name, made by the hub: chance, so that an address can hold it.
    SessionId
}

impl SessionId {
    /// A name made of 128 random bits.
    #[must_use]
    pub fn new(chance: u128) -> Self {
        Self(format!("{chance:032x}").into())
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({})", self.0)
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issuer({})", self.0)
    }
}
impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientId({})", self.0)
    }
}

/// What names a person or a session never reaches a log, not even by `{:?}`.
macro_rules! silent_debug {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}
silent_debug!(Subject, Sid, Jti);

/// One browser session: the only way to compare `sid`s.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionKey {
    /// Whose session it is.
    pub issuer: Issuer,
    /// Its name there.
    pub sid: Sid,
}

/// One person at one issuer: the only way to compare `sub`s.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SubjectKey {
    /// Who knows this person.
    pub issuer: Issuer,
    /// Their name there.
    pub sub: Subject,
}

/// A recorded logout's public name: a ULID, made by the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogoutId(Ulid);

impl LogoutId {
    /// A name for a logout recorded at `at`; the rest of it is chance.
    #[must_use]
    pub fn new(at: super::clock::UnixMillis, chance: u128) -> Self {
        Self(Ulid::from_parts(u64::try_from(at.0).unwrap_or(0), chance))
    }

    /// When it was given, as it says itself.
    #[must_use]
    pub fn given_at(self) -> super::clock::UnixMillis {
        super::clock::UnixMillis(i64::try_from(self.0.timestamp_ms()).unwrap_or(i64::MAX))
    }

    /// # Errors
    /// [`InvalidId`] for what is no ULID in its canonical, upper-case form.
    pub fn parse(raw: &str) -> Result<Self, InvalidId> {
        let id = Ulid::from_string(raw).map_err(|_| InvalidId)?;
        if id.to_string() == raw { Ok(Self(id)) } else { Err(InvalidId) }
    }
}

impl fmt::Display for LogoutId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_1_to_255_bytes_without_control_characters() {
        assert!(Sid::parse("s").is_ok());
        assert!(Sid::parse(&"s".repeat(255)).is_ok());
        assert!(Sid::parse("auth0|65f Zoë").is_ok());
        for bad in ["", "a\nb", "a\u{7f}", "a\u{85}", &"s".repeat(256)] {
            assert_eq!(Sid::parse(bad).map(|_| ()), Err(InvalidId), "{bad:?}");
        }
    }

    #[test]
    fn debug_output_names_no_person_and_no_session() {
        let key = SessionKey { issuer: Issuer::parse("https://a/").unwrap(), sid: Sid::parse("secret-sid").unwrap() };
        assert!(!format!("{key:?}").contains("secret-sid"));
    }

    #[test]
    fn a_logout_id_has_one_spelling() {
        let id = LogoutId::new(super::super::clock::UnixMillis(1_700_000_000_000), 7);
        assert_eq!(LogoutId::parse(&id.to_string()), Ok(id));
        assert_eq!(id.given_at().0, 1_700_000_000_000);
        assert_eq!(LogoutId::parse(&id.to_string().to_lowercase()), Err(InvalidId));
        assert_eq!(LogoutId::parse("nope"), Err(InvalidId));
    }
}
