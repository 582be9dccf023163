//! How far a report reaches where clocks differ. Pure, as all of [`Facts`].

use std::borrow::Cow;

use super::Facts;
use crate::domain::clock::UnixSeconds;
use crate::domain::logout::{LogoutTarget, Source};
use crate::store::report::Report;

impl Facts {
    /// The report, reaching to the newest sign-in that the hub had seen before it.
    ///
    /// A report that begins at the hub means everything up to now, by the clock of the node
    /// that took it. That clock may be behind the issuer's, or behind that of the node which
    /// let the sign-in in; yet what was seen before the report is older than the report.
    pub(super) fn reaching_what_was_seen<'a>(&self, report: &'a Report) -> Cow<'a, Report> {
        let means_now = matches!(report.source, Source::App | Source::Redirect | Source::SessionApi);
        let newest = self.newest_seen(&report.target).filter(|newest| *newest > report.covers_until);
        match newest {
            Some(covers_until) if means_now && !report.is_final => {
                Cow::Owned(Report { covers_until, ..report.clone() })
            }
            _ => Cow::Borrowed(report),
        }
    }

    /// The newest token of a session; of a person, the newest beginning of a session.
    fn newest_seen(&self, target: &LogoutTarget) -> Option<UnixSeconds> {
        match target {
            LogoutTarget::Session { key, .. } => {
                let seen = self.sessions.get(key).into_iter().flat_map(|session| &session.seen);
                seen.map(|token| token.latest_iat).max()
            }
            LogoutTarget::User(key) => {
                let began = self.seen_of(key).map(|(token, sid)| {
                    let newest = token.newest(&key.issuer, sid);
                    newest.session_start(self.earliest_known(&key.issuer, sid))
                });
                began.max()
            }
        }
    }
}
