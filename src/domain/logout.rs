//! What a logout is, and whom it ends.
//!
//! A logout is a fact that is only ever added: *this session ended*, or *every
//! session of this person that began at or before T ended*. Facts never
//! conflict, may arrive twice and in any order, and merge by maximum.

use super::clock::{UnixMillis, UnixSeconds};
use super::ids::{ClientId, Issuer, LogoutId, SessionKey, Sid, Subject, SubjectKey};

/// How much a logout ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// One browser session, in every app.
    Session,
    /// Every session of one person, on every device.
    User,
}

/// Who said that the session is over. These words are on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// An app, by `POST /api/v1/logouts`.
    App,
    /// The issuer, by a back-channel logout token.
    Backchannel,
    /// The person, by the common logout redirect endpoint.
    Redirect,
    /// The person, from the list of their sessions.
    SessionApi,
    /// An administrator.
    Admin,
    /// The hub: nobody did anything for too long.
    Idle,
    /// The hub: the session reached its greatest age.
    Absolute,
    /// The issuer, by a security event.
    Signal,
}

/// Each [`Scope`] and [`Source`] has one word, used on the wire and on disk.
macro_rules! wire_words {
    ($name:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        impl $name {
            /// The word for it, on the wire and on disk.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// The meaning of a word; `None` for a word that has none.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

wire_words!(Scope { Session = "session", User = "user" });
wire_words!(Source {
    App = "app",
    Backchannel = "backchannel",
    Redirect = "redirect",
    SessionApi = "session_api",
    Admin = "admin",
    Idle = "idle",
    Absolute = "absolute",
    Signal = "signal",
});

/// A short text for people: why a session was ended. At most 200 characters, no
/// control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

/// Why a text is no [`Reason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("reason must be 1 to 200 characters without control characters")]
pub struct InvalidReason;

impl Reason {
    /// The most characters a reason may have.
    pub const MAX_CHARS: usize = 200;

    /// # Errors
    /// [`InvalidReason`] when empty, too long, or holding control characters.
    pub fn parse(raw: &str) -> Result<Self, InvalidReason> {
        let fits = (1..=Self::MAX_CHARS).contains(&raw.chars().count());
        if fits && !raw.chars().any(char::is_control) { Ok(Self(raw.to_owned())) } else { Err(InvalidReason) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whom a logout ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LogoutTarget {
    /// One session; with the person, where the report named them.
    Session {
        /// The session that ended.
        key: SessionKey,
        /// Whose it was, where known.
        sub: Option<Subject>,
    },
    /// Every session of one person that began at or before the logout's T.
    User(SubjectKey),
}

impl LogoutTarget {
    /// Whether one session ends, or all of a person's.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match self {
            Self::Session { .. } => Scope::Session,
            Self::User(_) => Scope::User,
        }
    }

    /// The issuer without which neither `sid` nor `sub` means anything.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        match self {
            Self::Session { key, .. } => &key.issuer,
            Self::User(key) => &key.issuer,
        }
    }

    /// The session, where the logout ends one only.
    #[must_use]
    pub fn sid(&self) -> Option<&Sid> {
        match self {
            Self::Session { key, .. } => Some(&key.sid),
            Self::User(_) => None,
        }
    }

    /// The person, where known.
    #[must_use]
    pub fn sub(&self) -> Option<&Subject> {
        match self {
            Self::Session { sub, .. } => sub.as_ref(),
            Self::User(key) => Some(&key.sub),
        }
    }
}

/// A logout as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logout {
    /// Its public name.
    pub id: LogoutId,
    /// Whom it ends.
    pub target: LogoutTarget,
    /// Who said so first.
    pub source: Source,
    /// Whether the issuer itself has confirmed it. A final session logout ends
    /// every token of that `sid`; a provisional one only those up to T.
    pub is_final: bool,
    /// T: what was issued (session) or began (user) up to here is over.
    pub covers_until: UnixSeconds,
    /// The app that reported it, where one did.
    pub client_id: Option<ClientId>,
    /// Why, in words for people.
    pub reason: Option<Reason>,
    /// When it happened, as far as the report tells.
    pub occurred_at: UnixMillis,
    /// When it was written down.
    pub recorded_at: UnixMillis,
}

/// One app's sign-in, as a verified ID token or resume ticket tells it.
///
/// Only verification makes one, so whoever holds it may be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Who signed the person in.
    pub issuer: Issuer,
    /// The app it was done for.
    pub client_id: ClientId,
    /// The person.
    pub sub: Subject,
    /// The browser session, where the issuer names it.
    pub sid: Option<Sid>,
    /// When the token was issued. A ticket keeps that of the token it was given for.
    pub issued_at: UnixSeconds,
    /// When the person last proved who they are, where the issuer says so.
    pub auth_time: Option<UnixSeconds>,
}

impl SignIn {
    /// The session, where the issuer names it.
    #[must_use]
    pub fn session(&self) -> Option<SessionKey> {
        self.sid.clone().map(|sid| SessionKey { issuer: self.issuer.clone(), sid })
    }

    /// The person at their issuer.
    #[must_use]
    pub fn subject(&self) -> SubjectKey {
        SubjectKey { issuer: self.issuer.clone(), sub: self.sub.clone() }
    }

    /// When the session of this token began: its `auth_time`; else the earliest
    /// that the hub knows of that `sid`; else the token's own `iat`.
    ///
    /// So a token refreshed after "sign out everywhere" inside an old session
    /// stays logged out.
    #[must_use]
    pub fn session_start(&self, earliest_known: Option<UnixSeconds>) -> UnixSeconds {
        self.auth_time.or(earliest_known).unwrap_or(self.issued_at)
    }
}

impl Logout {
    /// Whether this logout is about that sign-in's session or person, whether or not
    /// it ended this very token: whose receipt it is.
    #[must_use]
    pub fn concerns(&self, sign_in: &SignIn) -> bool {
        match &self.target {
            LogoutTarget::Session { key, .. } => sign_in.session().as_ref() == Some(key),
            LogoutTarget::User(key) => sign_in.subject() == *key,
        }
    }

    /// Whether this logout ends that sign-in. `earliest_known` is the earlier of
    /// the moment the hub first saw the `sid` and the earliest `iat` seen for it.
    #[must_use]
    pub fn covers(&self, sign_in: &SignIn, earliest_known: Option<UnixSeconds>) -> bool {
        match &self.target {
            LogoutTarget::Session { key, .. } => {
                key.issuer == sign_in.issuer
                    && Some(&key.sid) == sign_in.sid.as_ref()
                    && (self.is_final || sign_in.issued_at <= self.covers_until)
            }
            LogoutTarget::User(key) => {
                key.issuer == sign_in.issuer
                    && key.sub == sign_in.sub
                    && sign_in.session_start(earliest_known) <= self.covers_until
            }
        }
    }
}

#[cfg(test)]
mod algebra;

#[cfg(test)]
mod tests {
    use super::*;

    const T: UnixSeconds = UnixSeconds(1000);

    fn sign_in(issued_at: i64) -> SignIn {
        SignIn {
            issuer: Issuer::parse("https://acme.example/").unwrap(),
            client_id: ClientId::parse("notes").unwrap(),
            sub: Subject::parse("ada").unwrap(),
            sid: Some(Sid::parse("laptop").unwrap()),
            issued_at: UnixSeconds(issued_at),
            auth_time: None,
        }
    }

    fn logout(target: LogoutTarget, is_final: bool) -> Logout {
        Logout {
            id: LogoutId::new(UnixMillis(0), 1),
            target,
            source: Source::App,
            is_final,
            covers_until: T,
            client_id: None,
            reason: None,
            occurred_at: UnixMillis(0),
            recorded_at: UnixMillis(0),
        }
    }

    fn session_of(who: &SignIn) -> LogoutTarget {
        LogoutTarget::Session { key: who.session().unwrap(), sub: None }
    }

    #[test]
    fn a_provisional_logout_ends_tokens_up_to_its_time_and_lets_a_new_login_be() {
        let provisional = logout(session_of(&sign_in(0)), false);
        assert!(provisional.covers(&sign_in(999), None));
        assert!(provisional.covers(&sign_in(1000), None));
        assert!(!provisional.covers(&sign_in(1001), None));
    }

    #[test]
    fn a_final_logout_ends_every_token_of_its_session() {
        let final_one = logout(session_of(&sign_in(0)), true);
        assert!(final_one.covers(&sign_in(5000), None));
    }

    #[test]
    fn the_same_sid_at_another_issuer_is_another_session() {
        let mut elsewhere = sign_in(0);
        elsewhere.issuer = Issuer::parse("https://other.example/").unwrap();
        assert!(!logout(session_of(&sign_in(0)), true).covers(&elsewhere, None));
        assert!(!logout(LogoutTarget::User(sign_in(0).subject()), true).covers(&elsewhere, None));
    }

    #[test]
    fn a_user_logout_ends_a_session_that_began_before_it_however_fresh_its_token() {
        let everywhere = logout(LogoutTarget::User(sign_in(0).subject()), false);
        assert!(everywhere.covers(&sign_in(5000), Some(UnixSeconds(900))));
        assert!(!everywhere.covers(&sign_in(5000), Some(UnixSeconds(1001))));
        assert!(!everywhere.covers(&sign_in(5000), None));
    }

    #[test]
    fn auth_time_decides_when_a_session_began() {
        let everywhere = logout(LogoutTarget::User(sign_in(0).subject()), false);
        let mut token = sign_in(5000);
        token.auth_time = Some(UnixSeconds(1001));
        assert!(!everywhere.covers(&token, Some(UnixSeconds(1))));
        token.auth_time = Some(UnixSeconds(1000));
        assert!(everywhere.covers(&token, Some(UnixSeconds(4999))));
    }
}
