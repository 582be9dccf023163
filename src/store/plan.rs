//! Who is waited for after a logout, and what is posted to whom.
//!
//! Pure, as `facts`: it turns one decision into the rows that go in with it.

use super::facts::{Decision, Held};
use super::report::{BackEnd, Outcome, PassOn, Report};
use crate::domain::app::BackchannelToken;
use crate::domain::clock::UnixMillis;
use crate::domain::ids::{ClientId, Sid};
use crate::domain::logout::{LogoutTarget, Scope};
use crate::domain::via::Via;

/// How long a back end is tried, counted from the logout, in seconds.
pub(super) const TRIED_SECONDS: i64 = 24 * 3600;

/// A line of the receipt that waits for its app.
pub(super) struct Expected<'a> {
    pub(super) position: i64,
    pub(super) client_id: &'a ClientId,
    /// The session it is told of; `None` for a back end told once for all.
    pub(super) sid: Option<&'a Sid>,
    pub(super) via: Via,
    pub(super) at: UnixMillis,
}

/// Something to be posted to a back end.
pub(super) struct Post<'a> {
    pub(super) position: i64,
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a ClientId,
    pub(super) sid: Option<&'a Sid>,
    /// The issuer's own token; `None` where the hub makes one.
    pub(super) token: Option<&'a str>,
    pub(super) at: UnixMillis,
    pub(super) good_until: UnixMillis,
}

/// Something to be ended at its issuer.
pub(super) struct End<'a> {
    pub(super) position: i64,
    pub(super) issuer: &'a str,
    /// Whether a verified token of the session itself said whose it is.
    pub(super) is_vouched: bool,
    /// Whether a sweep ends it.
    pub(super) is_swept: bool,
    pub(super) due_at: UnixMillis,
    pub(super) good_until: UnixMillis,
}

/// The rows that follow from a batch of decisions.
#[derive(Default)]
pub(super) struct Plan<'a> {
    pub(super) expected: Vec<Expected<'a>>,
    pub(super) posts: Vec<Post<'a>>,
    pub(super) ends: Vec<End<'a>>,
    /// Apps that the issuer's one token tells of all sessions that a logout ends,
    /// so that they are no longer waited for session by session.
    pub(super) told_of_all: Vec<(i64, &'a ClientId)>,
}

impl<'a> Plan<'a> {
    /// Adds what follows from one decision.
    pub(super) fn add(&mut self, report: &'a Report, decision: &'a Decision, held: &'a Held) {
        let one = One { report, held, position: held.position.unwrap_or(0) };
        if decision.outcome == Outcome::Fresh {
            for (client_id, sid) in &decision.newly_ended {
                let listens = decision.listening.contains(&(client_id.clone(), sid.clone()));
                self.wait_for(&one, client_id, sid.as_ref(), listens);
            }
            for back_end in report.back_ends.iter().filter(|it| it.token == BackchannelToken::Hub) {
                self.post(&one, back_end, None, None);
            }
        }
        if let Some(pass_on) = &report.pass_on {
            self.pass_on(&one, pass_on);
        }
        self.end_at_issuer(&one);
    }

    /// Whoever has not ended it there yet. A session that went with all of its person's is
    /// ended with them.
    fn end_at_issuer(&mut self, one: &One<'a>) {
        let (report, logout) = (one.report, &one.held.logout);
        let Some(due_at) = report.end_at_issuer else { return };
        if logout.is_final || logout.target.scope() != report.target.scope() {
            return;
        }
        let vouched_for = report.seen.as_ref().and_then(|seen| Some((seen.session()?, &seen.sub)));
        let is_vouched = match &report.target {
            LogoutTarget::Session { key, sub } => {
                vouched_for.is_some_and(|(own, whose)| own == *key && sub.as_ref().is_none_or(|sub| sub == whose))
            }
            LogoutTarget::User(_) => false,
        };
        let good_until = report.recorded_at.plus_seconds(TRIED_SECONDS);
        self.ends.push(End {
            position: one.position,
            issuer: report.issuer().as_str(),
            is_vouched,
            is_swept: report.sweep.is_some(),
            due_at,
            good_until,
        });
    }

    /// An app whose session has ended. It is waited for on a channel, unless all
    /// that is known to reach it is its back end; and it is waited for there.
    fn wait_for(&mut self, one: &One<'a>, client_id: &'a ClientId, sid: Option<&'a Sid>, listens: bool) {
        let back_end = one.report.back_ends.iter().find(|it| it.client_id == *client_id);
        if listens || back_end.is_none() {
            self.expected.push(one.expected(client_id, sid, Via::WebSocket));
        }
        if back_end.is_some_and(|it| it.token == BackchannelToken::Issuer) {
            // The issuer sends a token for each session, also where they ended together.
            let sid = sid.filter(|_| one.held.logout.target.scope() == Scope::User);
            self.expected.push(one.expected(client_id, sid, Via::Backchannel));
        }
    }

    /// The issuer's token goes to the apps it was made for, and to no other.
    fn pass_on(&mut self, one: &One<'a>, pass_on: &'a PassOn) {
        let takers = one.report.back_ends.iter().filter(|it| it.token == BackchannelToken::Issuer);
        for back_end in takers.filter(|it| pass_on.audiences.contains(&it.client_id)) {
            let sid = match (&one.report.target, one.held.logout.target.scope()) {
                // One session of the many that a person's logout ended.
                (LogoutTarget::Session { key, .. }, Scope::User) => Some(&key.sid),
                _ => None,
            };
            if matches!(one.report.target, LogoutTarget::User(_)) {
                self.told_of_all.push((one.position, &back_end.client_id));
            }
            self.post(one, back_end, sid, Some(pass_on));
        }
    }

    fn post(&mut self, one: &One<'a>, back_end: &'a BackEnd, sid: Option<&'a Sid>, pass_on: Option<&'a PassOn>) {
        let (report, client_id) = (one.report, &back_end.client_id);
        let latest = report.recorded_at.plus_seconds(TRIED_SECONDS);
        self.posts.push(Post {
            position: one.position,
            issuer: report.issuer().as_str(),
            client_id,
            sid,
            token: pass_on.map(|it| it.token.as_str()),
            at: report.recorded_at,
            good_until: pass_on.map_or(latest, |it| it.good_until.min(latest)),
        });
        self.expected.push(one.expected(client_id, sid, Via::Backchannel));
    }
}

/// One report, and the logout that it became or was merged into.
struct One<'a> {
    report: &'a Report,
    held: &'a Held,
    position: i64,
}

impl<'a> One<'a> {
    fn expected(&self, client_id: &'a ClientId, sid: Option<&'a Sid>, via: Via) -> Expected<'a> {
        Expected { position: self.position, client_id, sid, via, at: self.report.recorded_at }
    }
}
