//! Why the hub closes a socket. The numbers are public: 4000 to 4499 mean *come
//! back, after a back-off*, 4500 to 4999 *stay away until the app acts*.

use crate::hub::denied::Denied;
use crate::oidc::fault::TokenFault;

/// A close code of the protocol `slo.v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum CloseCode {
    /// The hub is restarting.
    Restarting = 1012,
    /// Nothing was heard for two heartbeats.
    NoPong = 4000,
    /// The client did not read.
    TooSlow = 4001,
    /// No `subscribe` came in time.
    SubscribeTimeout = 4002,
    /// The token has expired, and its session is not over: fetch a fresh one first.
    TokenExpired = 4003,
    /// Too many channels are open.
    TooMany = 4004,
    /// The issuer's keys, or the store, cannot be had.
    TryLater = 4005,
    /// What came is no message of the protocol.
    BadMessage = 4500,
    /// The token breaks a rule.
    InvalidToken = 4501,
    /// The origin or the client may not do this.
    NotAllowed = 4503,
    /// A second `subscribe` was for another session.
    OtherSession = 4509,
    /// The session is over; the `slo-event` said so.
    LoggedOut = 4510,
}

impl CloseCode {
    /// Every code.
    pub const ALL: [Self; 12] = [
        Self::Restarting,
        Self::NoPong,
        Self::TooSlow,
        Self::SubscribeTimeout,
        Self::TokenExpired,
        Self::TooMany,
        Self::TryLater,
        Self::BadMessage,
        Self::InvalidToken,
        Self::NotAllowed,
        Self::OtherSession,
        Self::LoggedOut,
    ];

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// Its name: the close reason, and the `error` of an error frame.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Restarting => "restarting",
            Self::NoPong => "no_pong",
            Self::TooSlow => "too_slow",
            Self::SubscribeTimeout => "subscribe_timeout",
            Self::TokenExpired => "token_expired",
            Self::TooMany => "too_many",
            Self::TryLater => "try_later",
            Self::BadMessage => "bad_message",
            Self::InvalidToken => "invalid_token",
            Self::NotAllowed => "not_allowed",
            Self::OtherSession => "other_session",
            Self::LoggedOut => "logged_out",
        }
    }

    /// Whether the client is to come back by itself.
    #[must_use]
    pub const fn may_return(self) -> bool {
        self.number() < 4500
    }

    /// What is wrong and what would be right, where a finer code does not say it.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Restarting => "The hub is restarting; come back in a moment.",
            Self::NoPong => "Nothing was heard for two heartbeats; answer pings.",
            Self::TooSlow => "The socket was not read for ten seconds.",
            Self::SubscribeTimeout => "No subscribe message came in time; send it first.",
            Self::TokenExpired => "The token has expired; subscribe with a fresh ID token.",
            Self::TooMany => "This session, address or hub has as many channels open as it may have.",
            Self::TryLater => "The issuer's keys or the hub's records cannot be had just now; come back.",
            Self::BadMessage => {
                "Send one JSON object a text frame, at most 16 KiB, with a type that the protocol knows; subscribe first."
            }
            Self::InvalidToken => "The token breaks a rule; the code says which.",
            Self::NotAllowed => "This origin or client may not do that.",
            Self::OtherSession => "This socket is another session's; open one for each.",
            Self::LoggedOut => "The session is over.",
        }
    }
}

impl From<&Denied> for CloseCode {
    fn from(denied: &Denied) -> Self {
        match denied {
            Denied::Token(TokenFault::TokenExpired) => Self::TokenExpired,
            Denied::Token(_) => Self::InvalidToken,
            Denied::Origin | Denied::Client | Denied::NoCredentials | Denied::Scope | Denied::NotFresh => {
                Self::NotAllowed
            }
            Denied::LoggedOut => Self::LoggedOut,
            // The one request a channel makes that can be wrong is its cursor.
            Denied::Request(_) | Denied::NotFound => Self::BadMessage,
            Denied::TooMany | Denied::TooFast => Self::TooMany,
            Denied::Busy | Denied::KeysUnavailable | Denied::Store(_) => Self::TryLater,
        }
    }
}
