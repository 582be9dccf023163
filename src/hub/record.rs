//! The one way a logout is recorded and pushed: commit, push, then answer.

use std::sync::Arc;

use tracing::{Instrument as _, Span, field};

use super::Hub;
use super::denied::Denied;
use crate::channels::Notice;
use crate::domain::clock::UnixSeconds;
use crate::domain::logout::{Logout, LogoutTarget};
use crate::metrics::LogoutOutcome;
use crate::store::{Outcome, Recorded, Report, StoreError};
use crate::telemetry::spans::{self, Origin, span, step};

/// A logout that is on disk, and was pushed to whoever listens.
#[derive(Clone, Debug)]
pub struct Done {
    /// The logout, as first recorded.
    pub logout: Logout,
    /// False for a repeat: it was recorded before.
    pub is_fresh: bool,
    /// How many channels it was pushed to just now.
    pub notified: usize,
}

/// A session, whether its end is final, and up to when it ends what.
type Ended = (LogoutTarget, bool, UnixSeconds);

fn session_ended_by(report: &Report) -> Option<Ended> {
    let is_session = matches!(report.target, LogoutTarget::Session { .. });
    is_session.then(|| (report.target.clone(), report.is_final, report.covers_until))
}

/// The span of a logout's recording, in the trace of whoever asked for it. What is done for
/// the logout later finds its way there: as soon as it is committed, so kept before.
fn span_of(report: &Report) -> Span {
    let span = Origin::here().parent_of(span!(
        root,
        "record logout",
        slo_hub.logout.id = field::Empty,
        slo_hub.logout.scope = report.target.scope().as_str(),
        slo_hub.logout.source = report.source.as_str(),
        slo_hub.logout.outcome = field::Empty,
    ));
    spans::keep(report.id, &Origin::of(&span));
    span
}

fn say_outcome(span: &Span, recorded: &Result<(Outcome, Option<Done>), Denied>) {
    match recorded {
        Ok((outcome, done)) => {
            span.record("slo_hub.logout.outcome", LogoutOutcome::from(*outcome).as_str());
            if let Some(done) = done {
                span.record("slo_hub.logout.id", field::display(done.logout.id));
            }
        }
        Err(_) => spans::failed(span, "store"),
    }
}

impl Hub {
    /// Records a verified report and pushes it. Runs to its end even when the
    /// caller has left: what is on disk has also been pushed.
    ///
    /// # Errors
    /// [`Denied::Store`]: not acknowledged, so to be reported again;
    /// [`Denied::Token`] for a `jti` seen with other content.
    pub async fn record_and_push(self: &Arc<Self>, report: Report) -> Result<Option<Done>, Denied> {
        let hub = Arc::clone(self);
        let span = span_of(&report);
        let recording = async move {
            let started = hub.clock.uptime();
            let (source, session) = (report.source, session_ended_by(&report));
            let recorded = hub.store.record(report).instrument(step!("commit")).await?;
            hub.metrics.committed(hub.clock.uptime().saturating_sub(started));
            let done = hub.push_recorded(&recorded);
            if let (Some(done), Some(session)) = (&done, session) {
                hub.push_session_end(&done.logout, session);
            }
            let outcome = LogoutOutcome::from(recorded.outcome);
            hub.metrics.logout(source, outcome);
            if let Some(done) = &done {
                hub.metrics.pushed(hub.clock.uptime().saturating_sub(started));
                hub.log_logout(done, outcome);
            }
            Ok((recorded.outcome, done))
        };
        let work = self.tasks.spawn(recording.instrument(span.clone()));
        let recorded = work.await.map_err(|_| StoreError::Stopped)?.map_err(Denied::Store);
        say_outcome(&span, &recorded);
        let (outcome, done) = recorded?;
        match outcome {
            Outcome::JtiReused => Err(Denied::Token(crate::oidc::fault::TokenFault::JtiReused)),
            Outcome::Fresh | Outcome::Repeat | Outcome::SameToken => Ok(done),
        }
    }

    /// A repeat is pushed too: to a channel that this logout covers and that has not
    /// been told yet. There is one only when the hub did not know of its token.
    pub(super) fn push_recorded(&self, recorded: &Recorded) -> Option<Done> {
        let logout = recorded.logout.clone()?;
        for session in &recorded.sessions_over {
            self.life.ledger.ended(session);
        }
        let is_fresh = recorded.outcome == Outcome::Fresh;
        let span = span!("push", slo_hub.logout.id = %logout.id, slo_hub.channels = field::Empty);
        let _pushing = span.enter();
        let notice = Arc::new(Notice::of(logout));
        let notified = self.channels.push(&notice, &recorded.session_starts);
        span.record("slo_hub.channels", notified);
        if is_fresh {
            self.channels.ring(notice.logout.target.issuer());
        }
        let notified = if is_fresh { notified } else { 0 };
        Some(Done { logout: notice.logout.clone(), is_fresh, notified })
    }

    /// A session whose person was signed out everywhere is over for its later tokens
    /// too. Whoever listens with one that the hub does not know of is told of the
    /// logout that answers for it.
    fn push_session_end(&self, answered: &Logout, session: Ended) {
        if matches!(answered.target, LogoutTarget::Session { .. }) {
            return;
        }
        let (target, is_final, covers_until) = session;
        self.push_end(answered.clone(), Logout { target, is_final, covers_until, ..answered.clone() });
    }

    /// The end of a session that another logout answers for: what is told is that one.
    pub(super) fn push_end(&self, answered: Logout, end: Logout) {
        let event = Notice::of(answered).event;
        let _untold_before = self.channels.push(&Arc::new(Notice { logout: end, event }), &[]);
    }

    fn log_logout(&self, done: &Done, outcome: LogoutOutcome) {
        let target = &done.logout.target;
        let whom = match target {
            LogoutTarget::Session { key, .. } => self.log_hash.of(&[key.issuer.as_str(), key.sid.as_str()]),
            LogoutTarget::User(key) => self.log_hash.of(&[key.issuer.as_str(), key.sub.as_str()]),
        };
        tracing::info!(
            logout.id = %done.logout.id,
            logout.scope = target.scope().as_str(),
            logout.source = done.logout.source.as_str(),
            logout.outcome = outcome.as_str(),
            logout.hash = %whom,
            notified = done.notified,
            "logout recorded"
        );
    }
}
