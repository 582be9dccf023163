//! Why the hub did not do what it was asked.

use crate::oidc::fault::{TokenFault, VerifyError};
use crate::store::StoreError;

/// Why the hub did not do what it was asked. The edge turns it into a status, a
/// close code or a page; the text here is fixed, and safe to show to anyone.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// The token breaks a rule.
    #[error("token refused: {}", .0.code())]
    Token(TokenFault),
    /// No token and no secret came along.
    #[error("no credentials")]
    NoCredentials,
    /// No app has that name and secret.
    #[error("unknown client or wrong secret")]
    Client,
    /// The page that asks is not one of the app's; or a back end's secret came from a page.
    #[error("origin not allowed")]
    Origin,
    /// A resume ticket, or an expired token, asks for what only a fresh ID token may.
    #[error("the credential does not reach that far")]
    Scope,
    /// The person has to sign in once more for what is asked.
    #[error("the person proved who they are too long ago")]
    NotFresh,
    /// The session that asks is over.
    #[error("the session is logged out")]
    LoggedOut,
    /// What was asked for makes no sense.
    #[error("bad request: {}", .0.code())]
    Request(RequestFault),
    /// The caller may not know whether that exists.
    #[error("no such thing")]
    NotFound,
    /// This session has too many channels open.
    #[error("too many channels for one session")]
    TooMany,
    /// The caller sends what is right, and too much of it.
    #[error("too many messages in a short time")]
    TooFast,
    /// Too many wait for the same.
    #[error("too many wait for this")]
    Busy,
    /// The issuer's keys cannot be had just now.
    #[error("the issuer's keys cannot be had")]
    KeysUnavailable,
    /// The store cannot be used just now.
    #[error("store: {0}")]
    Store(#[from] StoreError),
}

/// What is wrong with a request that is not about tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFault {
    /// The body is not one JSON object.
    BadJson,
    /// A JSON member name is repeated.
    DuplicateMember,
    /// A parameter is repeated.
    DuplicateParameter,
    /// A parameter is not valid percent-encoded UTF-8.
    BadParameter,
    /// A member that this request may not have.
    UnexpectedMember,
    /// `scope` is neither `session` nor `user`, or the token names no session.
    BadScope,
    /// `reason` is no text of at most 200 characters, or has control characters, such as
    /// a line break.
    BadReason,
    /// `sid` is missing or no identifier.
    SidInvalid,
    /// `sub` is missing or no identifier.
    SubInvalid,
    /// Neither `sid` nor `sub` says whom to sign out.
    NoSubject,
    /// Not exactly one of an administrator's targets.
    BadTarget,
    /// Not exactly one of `sid` and `sub`, for a rehearsal.
    BadCast,
    /// `before` is no time, one to come, or stands beside a `sid`.
    BadBefore,
    /// A switch is neither `true` nor `false`.
    BadFlag,
    /// `issuer` is not one of this hub's, or is missing where there are several.
    UnknownIssuer,
    /// `client_id` is not that of an app at the issuer.
    UnknownApp,
    /// `issuer` is not the one this client is registered at.
    IssNotAllowed,
    /// The body is too large.
    TooLarge,
    /// The body took too long to arrive.
    TooSlow,
    /// The body is of another type.
    BadContentType,
    /// The answer would be of a type that the caller does not accept.
    NotAcceptable,
    /// No `logout_token` came along.
    MissingToken,
    /// The query names a position that the log does not have.
    UnknownCursor,
    /// `except` does not say that the session that asks is to stay.
    BadExcept,
}

impl RequestFault {
    /// The stable code for it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BadJson => "bad_json",
            Self::DuplicateMember => "duplicate_member",
            Self::DuplicateParameter => "duplicate_parameter",
            Self::BadParameter => "bad_parameter",
            Self::UnexpectedMember => "unexpected_member",
            Self::BadScope => "bad_scope",
            Self::BadReason => "bad_reason",
            Self::SidInvalid => "sid_invalid",
            Self::SubInvalid => "sub_invalid",
            Self::NoSubject => "no_subject",
            Self::BadTarget | Self::BadCast => "bad_target",
            Self::BadBefore => "bad_before",
            Self::BadFlag => "bad_flag",
            Self::UnknownIssuer => "unknown_issuer",
            Self::UnknownApp => "unknown_app",
            Self::IssNotAllowed => "iss_not_allowed",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::BadContentType => "bad_content_type",
            Self::NotAcceptable => "not_acceptable",
            Self::MissingToken => "missing_token",
            Self::UnknownCursor => "unknown_cursor",
            Self::BadExcept => "bad_except",
        }
    }

    /// What is wrong and what would be right.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::BadJson => "The body is not one JSON object; send an object, nested at most 16 deep, or no body.",
            Self::DuplicateMember => "A member name is repeated; send each member once.",
            Self::DuplicateParameter => {
                "A parameter is repeated, or stands where it may not; send each parameter once."
            }
            Self::BadParameter => "A parameter is not percent-encoded UTF-8.",
            Self::UnexpectedMember => {
                "The body has a member that this request does not take; with a Bearer token the token says whom to sign out."
            }
            Self::BadScope => "scope must be session (the token or body then names a sid) or user.",
            Self::BadReason => "reason must be a text of at most 200 characters without control characters.",
            Self::SidInvalid => "sid must be a text of 1 to 255 bytes without control characters.",
            Self::SubInvalid => "sub must be a text of 1 to 255 bytes without control characters.",
            Self::NoSubject => "Say whom to sign out: sid for scope session, sub for scope user.",
            Self::BadTarget => "Name exactly one of sid, sub, client_id or \"everyone\": true.",
            Self::BadCast => "Name exactly one of sid or sub: one session is rehearsed, or one person's.",
            Self::BadBefore => {
                "before must be an RFC 3339 time that has passed, such as 2026-01-31T12:00:00Z; with sid there is none: a session ends whenever it began."
            }
            Self::BadFlag => "dry_run and everyone must be true or false.",
            Self::UnknownIssuer => {
                "issuer must be one of the configured issuers, byte for byte; leave it out only where there is one."
            }
            Self::UnknownApp => "client_id must be that of an app which is configured at this issuer.",
            Self::IssNotAllowed => "issuer must be the one that this client is registered at.",
            Self::TooLarge => "The body is larger than 64 KiB.",
            Self::TooSlow => "The body did not arrive within 10 seconds.",
            Self::BadContentType => "The body is of another content type than this endpoint takes.",
            Self::NotAcceptable => "This endpoint answers text/event-stream; send Accept: text/event-stream.",
            Self::MissingToken => "Send the logout token as the form field logout_token, in the body.",
            Self::BadExcept => "Send except=current to end every session but the one that asks.",
            Self::UnknownCursor => {
                "after is not the id of a logout of this issuer; send one, or \"\" for the beginning."
            }
        }
    }
}

impl From<VerifyError> for Denied {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Refused(fault) => Self::Token(fault),
            VerifyError::KeysUnavailable => Self::KeysUnavailable,
        }
    }
}

impl From<RequestFault> for Denied {
    fn from(fault: RequestFault) -> Self {
        Self::Request(fault)
    }
}
