//! Why the hub did not do what it was asked.

use crate::domain::coded::coded_faults;
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

coded_faults! {
    /// What is wrong with a request that is not about tokens.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[expect(clippy::doc_markdown, reason = "the public texts stand in the docs as callers read them")]
    pub enum RequestFault {
        /// The body is not one JSON object.
        BadJson "bad_json"
        "The body is not one JSON object; send an object, nested at most 16 deep, or no body."
        /// A JSON member name is repeated.
        DuplicateMember "duplicate_member"
        "A member name is repeated; send each member once."
        /// A parameter is repeated.
        DuplicateParameter "duplicate_parameter"
        "A parameter is repeated, or stands where it may not; send each parameter once."
        /// A parameter is not valid percent-encoded UTF-8.
        BadParameter "bad_parameter"
        "A parameter is not percent-encoded UTF-8."
        /// A member that this request may not have.
        UnexpectedMember "unexpected_member"
        "The body has a member that this request does not take; with a Bearer token the token says whom to sign out."
        /// `scope` is neither `session` nor `user`, or the token names no session.
        BadScope "bad_scope"
        "scope must be session (the token or body then names a sid) or user."
        /// `reason` is no text of at most 200 characters, or has control characters, such as
        /// a line break.
        BadReason "bad_reason"
        "reason must be a text of at most 200 characters without control characters."
        /// `sid` is missing or no identifier.
        SidInvalid "sid_invalid"
        "sid must be a text of 1 to 255 bytes without control characters."
        /// `sub` is missing or no identifier.
        SubInvalid "sub_invalid"
        "sub must be a text of 1 to 255 bytes without control characters."
        /// Neither `sid` nor `sub` says whom to sign out.
        NoSubject "no_subject"
        "Say whom to sign out: sid for scope session, sub for scope user."
        /// Not exactly one of an administrator's targets.
        BadTarget "bad_target"
        "Name exactly one of sid, sub, client_id or \"everyone\": true."
        /// Not exactly one of `sid` and `sub`, for a rehearsal.
        BadCast "bad_target"
        "Name exactly one of sid or sub: one session is rehearsed, or one person's."
        /// `before` is no time, one to come, or stands beside a `sid`.
        BadBefore "bad_before"
        "before must be an RFC 3339 time that has passed, such as 2026-01-31T12:00:00Z; with sid there is none: a session ends whenever it began."
        /// A switch is neither `true` nor `false`.
        BadFlag "bad_flag"
        "dry_run and everyone must be true or false."
        /// `issuer` is not one of this hub's, or is missing where there are several.
        UnknownIssuer "unknown_issuer"
        "issuer must be one of the configured issuers, byte for byte; leave it out only where there is one."
        /// `client_id` is not that of an app at the issuer.
        UnknownApp "unknown_app"
        "client_id must be that of an app which is configured at this issuer."
        /// `issuer` is not the one this client is registered at.
        IssNotAllowed "iss_not_allowed"
        "issuer must be the one that this client is registered at."
        /// The body is too large.
        TooLarge "too_large"
        "The body is larger than 64 KiB."
        /// The body took too long to arrive.
        TooSlow "too_slow"
        "The body did not arrive within 10 seconds."
        /// The body is of another type.
        BadContentType "bad_content_type"
        "The body is of another content type than this endpoint takes."
        /// The answer would be of a type that the caller does not accept.
        NotAcceptable "not_acceptable"
        "This endpoint answers text/event-stream; send Accept: text/event-stream."
        /// No `logout_token` came along.
        MissingToken "missing_token"
        "Send the logout token as the form field logout_token, in the body."
        /// The query names a position that the log does not have.
        UnknownCursor "unknown_cursor"
        "after is not the id of a logout of this issuer; send one, or \"\" for the beginning."
        /// `except` does not say that the session that asks is to stay.
        BadExcept "bad_except"
        "Send except=current to end every session but the one that asks."
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
