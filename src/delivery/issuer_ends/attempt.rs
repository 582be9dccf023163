//! One attempt: look whether the session is the one meant, end it, write down what came
//! of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tracing::Instrument as _;

use super::super::{Chance, backoff};
use super::{NoteEnd, SessionEnd};
use crate::domain::clock::{Clock, UnixMillis, UnixSeconds};
use crate::domain::ids::{Issuer, SessionKey, Sid, Subject, SubjectKey};
use crate::domain::logout::{Logout, LogoutTarget};
use crate::metrics::Metrics;
use crate::oidc::management::{Ended, IssuerSession, Management, ManagementFault};
use crate::store::{EndAttempt, EndAttemptEnd, Store, StoreError, WaitingEnd};
use crate::tasks::Tasks;
use crate::telemetry::spans::{failed, of_logout, span};

/// How long the store is left alone after it did not write; doubles up to the second.
const WRITE_AGAIN: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];

/// How soon after a logout nobody has signed in again yet.
const AT_ONCE_SECONDS: i64 = 5;
/// How far the issuer's clock may be ahead.
const SKEW_SECONDS: i64 = 60;

/// What attempts at one issuer work with.
pub(in crate::delivery) struct Ender {
    pub(in crate::delivery) issuer: Issuer,
    pub(in crate::delivery) api: Arc<Management>,
    pub(in crate::delivery) store: Store,
    pub(in crate::delivery) note: NoteEnd,
    pub(in crate::delivery) clock: Arc<dyn Clock>,
    pub(in crate::delivery) chance: Chance,
    pub(in crate::delivery) metrics: Arc<Metrics>,
    pub(in crate::delivery) tasks: Tasks,
}

/// Why a session was not ended.
enum Trouble {
    Api(ManagementFault),
    /// Somebody has signed in to it since the logout.
    SignedInAnew,
    Store,
}

impl From<ManagementFault> for Trouble {
    fn from(fault: ManagementFault) -> Self {
        Self::Api(fault)
    }
}

impl Trouble {
    fn code(&self) -> &'static str {
        match self {
            Self::Api(fault) => fault.code(),
            Self::SignedInAnew => "management_signed_in_anew",
            Self::Store => "store_failed",
        }
    }

    fn description(&self) -> &'static str {
        match self {
            Self::Api(fault) => fault.description(),
            Self::SignedInAnew => "somebody has signed in to that session since; it was left alone",
            Self::Store => "the hub could not read or write its records",
        }
    }

    fn may_pass(&self) -> bool {
        match self {
            Self::Api(fault) => fault.may_pass(),
            Self::SignedInAnew => false,
            Self::Store => true,
        }
    }

    /// When the API asks to be tried again, where it does.
    fn until(&self) -> Option<UnixMillis> {
        match self {
            Self::Api(ManagementFault::RateLimited { until }) => Some(*until),
            _ => None,
        }
    }
}

impl Ender {
    /// Tries once, and writes down how it ended; says which one it was.
    pub(super) async fn attempt(&self, end: WaitingEnd) -> i64 {
        let position = end.position;
        let outcome = self.end_in_span(&end).await;
        if let Err(Trouble::Api(ManagementFault::Resting { .. })) = outcome {
            return position;
        }
        let number = end.attempts.saturating_add(1);
        let end = self.verdict(&end, number, outcome);
        self.write_down(EndAttempt { position, number, at: self.clock.now(), end }).await;
        position
    }

    async fn end_in_span(&self, end: &WaitingEnd) -> Result<(), Trouble> {
        let id = end.logout.id;
        let span = span!(
            root,
            "end at issuer",
            slo_hub.logout.id = %id,
            slo_hub.issuer = self.issuer.as_str(),
            http.request.resend_count = end.attempts,
        );
        let span = of_logout(span, id, end.attempts);
        let outcome = self.end(end).instrument(span.clone()).await;
        outcome.inspect_err(|trouble| failed(&span, trouble.code()))
    }

    async fn end(&self, end: &WaitingEnd) -> Result<(), Trouble> {
        if end.logout.is_final {
            // The issuer has said so itself meanwhile.
            return Ok(());
        }
        match &end.logout.target {
            LogoutTarget::Session { key, sub } => self.end_one(end, &key.sid, sub.as_ref()).await,
            LogoutTarget::User(person) => self.end_all(&end.logout, person).await,
        }
    }

    async fn end_one(&self, end: &WaitingEnd, sid: &Sid, sub: Option<&Subject>) -> Result<(), Trouble> {
        // What a token of the session has said moments ago needs no second look. Later, and
        // where somebody else has named it, it does.
        let is_sure = end.is_vouched && end.attempts == 0;
        let is_there = is_sure || self.is_the_one_meant(&end.logout, sid, sub).await?;
        let ended = if is_there { self.api.end_session(sid).await? } else { Ended::WasGone };
        self.count(ended);
        self.tell(&end.logout, sid, true).await
    }

    /// Whether the session is there, and is what the logout is about.
    async fn is_the_one_meant(&self, logout: &Logout, sid: &Sid, sub: Option<&Subject>) -> Result<bool, Trouble> {
        let Some(found) = self.find(sid, sub).await? else { return Ok(false) };
        if found.is_ended_by(self.reach(logout)) { Ok(true) } else { Err(Trouble::SignedInAnew) }
    }

    /// Up to when a sign-in there is one that the logout was about. The issuer's clock may be
    /// ahead: whoever is signed in moments after the logout was so before it.
    fn reach(&self, logout: &Logout) -> UnixSeconds {
        let is_at_once = self.clock.now().floor() <= logout.covers_until.plus(AT_ONCE_SECONDS);
        logout.covers_until.plus(if is_at_once { SKEW_SECONDS } else { 0 })
    }

    /// On the person's own list, where the person is known. What is not there may be over,
    /// and then it has ended; or may be somebody else's, who is not to be barred from it.
    /// Where no token has told the hub whose it is, only the issuer can say which.
    async fn find(&self, sid: &Sid, sub: Option<&Subject>) -> Result<Option<IssuerSession>, Trouble> {
        if let Some(sub) = sub {
            if self.is_known_as_anothers(sid, sub).await? {
                return Err(ManagementFault::NotTheirs.into());
            }
            let listed = self.api.sessions_of(sub).await?.into_iter().find(|session| session.sid == *sid);
            if listed.is_some() {
                return Ok(listed);
            }
        }
        match (self.api.session(sid).await?, sub) {
            (Some(_), Some(_)) => Err(ManagementFault::NotTheirs.into()),
            (found, _) => Ok(found),
        }
    }

    /// Whether a token that the hub has seen says that the session is somebody else's.
    async fn is_known_as_anothers(&self, sid: &Sid, sub: &Subject) -> Result<bool, Trouble> {
        let key = SessionKey { issuer: self.issuer.clone(), sid: sid.clone() };
        match self.store.session(&key).await {
            Ok(seen) => Ok(seen.is_some_and(|seen| seen.sub != *sub)),
            Err(error) => {
                tracing::warn!(error = %error, "could not look up whose a session is");
                Err(Trouble::Store)
            }
        }
    }

    /// One by one, and not by Auth0's one call for all: that leaves refresh tokens alive,
    /// and takes with it whoever has signed in since.
    async fn end_all(&self, logout: &Logout, person: &SubjectKey) -> Result<(), Trouble> {
        let reach = self.reach(logout);
        let sessions = self.api.sessions_of(&person.sub).await?;
        for session in sessions.into_iter().filter(|session| session.is_ended_by(reach)) {
            self.tell(logout, &session.sid, false).await?;
            let ended = self.api.end_session(&session.sid).await?;
            self.count(ended);
            self.tell(logout, &session.sid, true).await?;
        }
        Ok(())
    }

    async fn tell(&self, logout: &Logout, sid: &Sid, is_final: bool) -> Result<(), Trouble> {
        let noted = (self.note)(SessionEnd { logout: logout.clone(), sid: sid.clone(), is_final }).await;
        noted.map_err(|error| {
            tracing::warn!(error = %error, logout.id = %logout.id, "could not write down what was ended at an issuer");
            Trouble::Store
        })
    }

    fn count(&self, ended: Ended) {
        self.metrics.issuer_end(match ended {
            Ended::Revoked => "revoked",
            Ended::Deleted => "deleted",
            Ended::WasGone => "was_gone",
        });
    }

    /// What came of an attempt, for the store, the log and the count.
    fn verdict(&self, end: &WaitingEnd, number: u32, outcome: Result<(), Trouble>) -> EndAttemptEnd {
        let id = end.logout.id;
        let trouble = match outcome {
            Ok(()) => {
                tracing::info!(logout.id = %id, attempt = number, "the session is over at its issuer");
                return EndAttemptEnd::Ended;
            }
            Err(trouble) => trouble,
        };
        let (code, why, issuer) = (trouble.code(), trouble.description(), self.issuer.as_str());
        if !trouble.may_pass() {
            self.metrics.issuer_end("refused");
            tracing::warn!(logout.id = %id, issuer, code, why, attempt = number, "a session was not ended at its issuer");
            return EndAttemptEnd::Refused(why);
        }
        self.metrics.issuer_end("failed");
        // Once is worth a warning; an issuer that is away for a day need not fill the log.
        if number == 1 {
            tracing::warn!(logout.id = %id, issuer, code, why, "a session was not ended at its issuer; it is tried again");
        } else {
            tracing::debug!(logout.id = %id, issuer, code, why, attempt = number, "a session was not ended at its issuer");
        }
        let now = self.clock.now();
        let asked = trouble.until().map(|until| Duration::from_millis(u64::try_from(until.0 - now.0).unwrap_or(0)));
        let due_at = backoff::next_try(number, asked, (self.chance)(), now, end.good_until);
        EndAttemptEnd::Again { why, due_at }
    }

    /// Holds its place until it is written down, so that a store in trouble does not have
    /// the issuer asked over and over.
    async fn write_down(&self, attempt: EndAttempt) {
        let [mut pause, longest] = WRITE_AGAIN;
        loop {
            match self.store.issuer_end_tried(attempt.clone()).await {
                Ok(()) | Err(StoreError::Stopped) => return,
                Err(trouble) => tracing::warn!(error = %trouble, "could not write down how an attempt ended"),
            }
            sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }
}
