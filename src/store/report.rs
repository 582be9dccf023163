//! What is told to the store about a logout, and what it answers.

use std::sync::Arc;

use super::tickets::NewTicket;
use crate::domain::app::BackchannelToken;
use crate::domain::clock::{UnixMillis, UnixSeconds};
use crate::domain::ids::{ClientId, Issuer, Jti, LogoutId, SessionKey, Sid, SubjectKey};
use crate::domain::logout::{Logout, LogoutTarget, Reason, SignIn, Source};
use crate::oidc::logout_token::RawLogoutToken;

/// Somebody says that a session, or all of a person's, are over.
#[derive(Clone, Debug)]
pub struct Report {
    /// The name the logout gets, if it is one of its own.
    pub id: LogoutId,
    /// Whom it ends.
    pub target: LogoutTarget,
    /// Who says so.
    pub source: Source,
    /// Whether the issuer itself says so.
    pub is_final: bool,
    /// T: what was issued (session) or began (user) up to here is over.
    pub covers_until: UnixSeconds,
    /// Whether T is simply the time at which the report was made, by the clock of the node
    /// that took it: then it reaches everything that was seen before, whatever clocks show.
    pub means_now: bool,
    /// The app that says so, where one does.
    pub client_id: Option<ClientId>,
    /// Why, in words for people.
    pub reason: Option<Reason>,
    /// When it happened, as far as the report tells.
    pub occurred_at: UnixMillis,
    /// The hub's clock, now.
    pub recorded_at: UnixMillis,
    /// The logout token that brought the report, where one did.
    pub token: Option<TokenUse>,
    /// SHA-256 of the token that brought the report, as it was sent: a logout token, an ID token
    /// or a resume ticket.
    pub shown: Option<[u8; 32]>,
    /// The id of the request that brought the report, where one did.
    pub request: Option<String>,
    /// The administrator who ordered it, where it is known who that is.
    pub operator: Option<SubjectKey>,
    /// The reporter's own verified token, where it has one.
    pub seen: Option<SignIn>,
    /// A ticket that is good for what is answered, kept in the same transaction.
    pub ticket: Option<NewTicket>,
    /// The back ends of the issuer's apps; those that take the hub's own tokens are
    /// sent one of every logout.
    pub back_ends: Arc<[BackEnd]>,
    /// The issuer's token, for those that take it.
    pub pass_on: Option<PassOn>,
    /// Whose user logout this report of one session goes with, where the hub knows
    /// that: then a session that it never saw is no news either.
    pub goes_with: Option<SubjectKey>,
    /// From when on its session, or its person's, is to be ended at the issuer as well;
    /// `None` where the issuer itself has ended it, or nobody can.
    pub end_at_issuer: Option<UnixMillis>,
    /// The sweep that it is a part of, where it is.
    pub sweep: Option<LogoutId>,
    /// How much later than an earlier logout a report may be and still mean that one.
    pub repeat_window_seconds: i64,
}

impl Report {
    /// A report by an app, of what was over `at` that time, with nothing else known of it: not
    /// final, without a token, and with no back end to be told. What is known is put in its place.
    #[must_use]
    pub fn new(id: LogoutId, target: LogoutTarget, at: UnixMillis, repeat_window_seconds: i64) -> Self {
        Self {
            id,
            target,
            source: Source::App,
            is_final: false,
            covers_until: at.ceil(),
            means_now: false,
            client_id: None,
            reason: None,
            occurred_at: at,
            recorded_at: at,
            token: None,
            shown: None,
            request: None,
            operator: None,
            seen: None,
            ticket: None,
            back_ends: Arc::default(),
            pass_on: None,
            goes_with: None,
            end_at_issuer: None,
            sweep: None,
            repeat_window_seconds,
        }
    }

    /// The logout as this report alone would have it.
    #[must_use]
    pub fn as_logout(&self) -> Logout {
        Logout {
            id: self.id,
            target: self.target.clone(),
            source: self.source,
            is_final: self.is_final,
            covers_until: self.covers_until,
            client_id: self.client_id.clone(),
            reason: self.reason.clone(),
            occurred_at: self.occurred_at,
            recorded_at: self.recorded_at,
        }
    }

    pub(super) fn issuer(&self) -> &Issuer {
        self.target.issuer()
    }
}

/// An app that takes logout tokens at its back end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackEnd {
    /// The app.
    pub client_id: ClientId,
    /// Which tokens it takes.
    pub token: BackchannelToken,
}

/// The issuer's own token, to be passed on byte for byte.
#[derive(Clone, Debug)]
pub struct PassOn {
    /// The token as it came.
    pub token: RawLogoutToken,
    /// Whom it was made for. Nobody else is sent it.
    pub audiences: Vec<ClientId>,
    /// From when on nobody would take it.
    pub good_until: UnixMillis,
}

/// One use of a logout token.
#[derive(Clone, Debug)]
pub struct TokenUse {
    /// Its name, unique at its issuer.
    pub jti: Jti,
    /// SHA-256 of the whole token: the same name with another digest is a fraud.
    pub digest: [u8; 32],
    /// When the token itself expires.
    pub expires_at: UnixSeconds,
}

/// What became of a [`Report`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A logout of its own: tell everyone it ends.
    Fresh,
    /// Known already. It may have made the earlier logout final, or later.
    Repeat,
    /// This very logout token was used before. Nothing was done.
    SameToken,
    /// Another logout token has used this `jti`. Nothing was done.
    JtiReused,
}

/// The answer to a [`Report`], true from the commit on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// What became of it.
    pub outcome: Outcome,
    /// The logout as it now stands: the new one; or for a repeat the earliest
    /// that ended the reporter's own token, else the one it was merged into.
    /// `None` where nothing was done.
    pub logout: Option<Logout>,
    /// The logout's place in the log; 0 where there is none.
    pub position: i64,
    /// For a fresh `user` logout: each of the person's sessions, and the
    /// earliest that the hub knows of it. Decides which open sockets it ends.
    pub session_starts: Vec<(Sid, UnixSeconds)>,
    /// The sessions that it is about and of which nothing is left: their clocks stand still.
    pub sessions_over: Vec<SessionKey>,
}

impl Recorded {
    pub(super) fn without_effect(outcome: Outcome) -> Self {
        Self { outcome, logout: None, position: 0, session_starts: Vec::new(), sessions_over: Vec::new() }
    }
}

/// How a sign-in stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The earliest recorded logout that ends it.
    pub ended_by: Option<Logout>,
    /// The earliest sweep that covers it. Where no logout ends it, one is to be
    /// recorded, for this sign-in is over all the same.
    pub swept_by: Option<LogoutId>,
    /// The earlier of the moment the hub first saw its `sid` and the earliest
    /// `iat` seen for it, this token's included. `None` for a `sid` never seen.
    pub earliest_known: Option<UnixSeconds>,
    /// Whether the hub has written down that it saw this token, so that
    /// [`super::Store::see`] would only move `last_seen_at` on.
    pub is_seen: bool,
    /// When it last wrote down that it saw it. Call `see` again once this is a
    /// day old: what was not seen for the whole retention time is forgotten.
    pub last_seen_at: Option<UnixSeconds>,
    /// Whether its app is known to have opened a channel with such a token, so
    /// that [`super::Store::see_listening`] has nothing to add.
    pub has_listened: bool,
}

impl Standing {
    /// Whether it is over, be it that the logout that says so is yet to be recorded.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.ended_by.is_some() || self.swept_by.is_some()
    }
}
