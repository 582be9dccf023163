//! A logout that did not come from the issuer ends the session there as well, where the
//! issuer's Management API is configured. Our record first, then the call: the store keeps
//! what is to be ended, `delivery` has it done, and what came of it is written down here.

use std::sync::Arc;

use super::Hub;
use super::denied::Denied;
use crate::domain::app::BackchannelToken;
use crate::domain::clock::UnixMillis;
use crate::domain::ids::{Issuer, SessionKey, Sid};
use crate::domain::logout::{Logout, LogoutTarget, Source};
use crate::store::Report;

/// How long a browser on its way to the issuer is given to end the session there itself,
/// in seconds. Only then does every initiator of the issuer's logout tokens fire as usual.
const BROWSERS_TURN_SECONDS: i64 = 30;

impl Hub {
    /// From when on a logout of that source, recorded now, is to be ended at the issuer.
    /// `None` where it comes from there, or no Management API is configured.
    pub(super) fn end_at_issuer(&self, issuer: &Issuer, source: Source, now: UnixMillis) -> Option<UnixMillis> {
        self.management.at(issuer)?;
        match source {
            Source::Backchannel | Source::Signal => None,
            Source::Redirect => Some(now.plus_seconds(BROWSERS_TURN_SECONDS)),
            Source::App | Source::SessionApi | Source::Admin | Source::Idle | Source::Absolute => Some(now),
        }
    }

    /// The same of a page's own report. Its browser goes on to the issuer; where an app
    /// takes the issuer's own tokens, it gets its turn first, since the issuer may send none
    /// of a session that was revoked.
    pub(super) fn end_at_issuer_after_page(report: &Report) -> Option<UnixMillis> {
        let has_takers = report.back_ends.iter().any(|it| it.token == BackchannelToken::Issuer);
        let wait = if has_takers { BROWSERS_TURN_SECONDS } else { 0 };
        report.end_at_issuer.map(|at| at.plus_seconds(wait))
    }

    /// Writes down that one of the sessions that a logout ends is about to be ended at the
    /// issuer or, `is_final`, that it has been; and pushes what follows. What the issuer then
    /// says of it by itself is a repeat.
    ///
    /// # Errors
    /// [`Denied::Store`].
    pub async fn note_issuer_end(self: &Arc<Self>, logout: Logout, sid: Sid, is_final: bool) -> Result<(), Denied> {
        let (target, goes_with) = match logout.target {
            target @ LogoutTarget::Session { .. } => (target, None),
            LogoutTarget::User(person) => {
                let key = SessionKey { issuer: person.issuer.clone(), sid };
                (LogoutTarget::Session { key, sub: Some(person.sub.clone()) }, Some(person))
            }
        };
        let report = self.report(target, logout.source, logout.client_id, logout.reason);
        // As of the logout, however late the issuer was to be had: a sign-in since is none
        // of its business, unless it lives in the session that has ended.
        let covers_until = logout.covers_until;
        self.recorded(Report { is_final, goes_with, covers_until, means_now: false, end_at_issuer: None, ..report })
            .await
            .map(|_| ())
    }
}
