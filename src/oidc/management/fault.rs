//! What can go wrong at the Management API. Every text is fixed words: nothing that came
//! over the wire, and nothing that names a person, a session or a token, is in them.

use std::fmt;

use crate::domain::clock::UnixMillis;

/// A permission that calls to the Management API need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `read:sessions`.
    ReadSessions,
    /// `delete:sessions`.
    DeleteSessions,
    /// `read:clients`.
    ReadClients,
    /// `update:clients`.
    UpdateClients,
}

impl Scope {
    /// Its name at Auth0.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadSessions => "read:sessions",
            Self::DeleteSessions => "delete:sessions",
            Self::ReadClients => "read:clients",
            Self::UpdateClients => "update:clients",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Some of the permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    const BOTH_FOR_SESSIONS: u8 = Scope::ReadSessions.bit() | Scope::DeleteSessions.bit();
    const BOTH_FOR_CLIENTS: u8 = Scope::ReadClients.bit() | Scope::UpdateClients.bit();

    /// Whether that one is among them.
    #[must_use]
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether it is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// These, and those.
    #[must_use]
    pub const fn and(self, those: Self) -> Self {
        Self(self.0 | those.0)
    }

    const fn lacked(self) -> &'static str {
        const READ_SESSIONS: u8 = Scope::ReadSessions.bit();
        const DELETE_SESSIONS: u8 = Scope::DeleteSessions.bit();
        const READ_CLIENTS: u8 = Scope::ReadClients.bit();
        const UPDATE_CLIENTS: u8 = Scope::UpdateClients.bit();
        match self.0 {
            READ_SESSIONS => "the hub's client at the issuer lacks the scope read:sessions",
            DELETE_SESSIONS => "the hub's client at the issuer lacks the scope delete:sessions",
            READ_CLIENTS => "the hub's client at the issuer lacks the scope read:clients",
            UPDATE_CLIENTS => "the hub's client at the issuer lacks the scope update:clients",
            Self::BOTH_FOR_SESSIONS => {
                "the hub's client at the issuer lacks the scopes read:sessions and delete:sessions"
            }
            Self::BOTH_FOR_CLIENTS => "the hub's client at the issuer lacks the scopes read:clients and update:clients",
            _ => "the hub's client at the issuer lacks scopes",
        }
    }
}

impl From<Scope> for Scopes {
    fn from(scope: Scope) -> Self {
        Self(scope.bit())
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |all, scope| all | scope.bit()))
    }
}

/// Why a call to the Management API came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManagementFault {
    /// 401, also with a token that was fetched just for this call; or the client's name
    /// and secret are not taken.
    Unauthorized,
    /// 403: the token lacks these scopes, or there is none because they were not granted.
    Forbidden(Scopes),
    /// 403, and no scope is the reason: the tenant's plan may not have the feature.
    NotAllowed,
    /// 429. Nothing is asked before that moment.
    RateLimited {
        /// When it may be asked again.
        until: UnixMillis,
    },
    /// Not asked: too many calls in a row failed, or one was answered 429 a moment ago.
    Resting {
        /// When it may be asked again.
        until: UnixMillis,
    },
    /// It cannot be reached, is too slow, or answers 5xx.
    Unavailable(&'static str),
    /// An answer that is not understood.
    Strange(&'static str),
    /// An answer, or a list, that is larger than is read.
    TooLarge,
    /// It will not take the request, whoever makes it.
    Rejected,
    /// There is no such endpoint at this issuer.
    NoSuchEndpoint,
    /// Not asked: no session of that person has this id.
    NotTheirs,
}

impl ManagementFault {
    /// The stable code for it, in logs and on receipts.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unauthorized => "management_unauthorized",
            Self::Forbidden(_) => "management_forbidden",
            Self::NotAllowed => "management_not_allowed",
            Self::RateLimited { .. } => "management_rate_limited",
            Self::Resting { .. } => "management_resting",
            Self::Unavailable(_) => "management_unavailable",
            Self::Strange(_) => "management_strange",
            Self::TooLarge => "management_too_large",
            Self::Rejected => "management_rejected",
            Self::NoSuchEndpoint => "management_no_endpoint",
            Self::NotTheirs => "management_not_theirs",
        }
    }

    /// What is wrong, for people.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Unauthorized => {
                "the issuer does not take the hub's client_id and client_secret for its Management API"
            }
            Self::Forbidden(scopes) => scopes.lacked(),
            Self::NotAllowed => "the issuer does not allow this call; its plan may not have the feature",
            Self::RateLimited { .. } => "the issuer's Management API asks for time: too many requests",
            Self::Resting { .. } => "the issuer's Management API is left alone for a while, after failures",
            Self::Unavailable(why) | Self::Strange(why) => why,
            Self::TooLarge => "the issuer's Management API answered with more than is read",
            Self::Rejected => "the issuer's Management API does not take the request",
            Self::NoSuchEndpoint => "the issuer has no such endpoint; is it an Auth0 tenant with session management?",
            Self::NotTheirs => "no session of this person has that id",
        }
    }

    /// Whether asking again, the same way, can help.
    #[must_use]
    pub const fn may_pass(self) -> bool {
        matches!(
            self,
            Self::RateLimited { .. } | Self::Resting { .. } | Self::Unavailable(_) | Self::Strange(_) | Self::TooLarge
        )
    }

    /// Whether it tells of an API in trouble, and not of the request.
    pub(super) const fn is_trouble(self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Strange(_) | Self::TooLarge)
    }
}

impl fmt::Display for ManagementFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description())
    }
}

impl std::error::Error for ManagementFault {}
