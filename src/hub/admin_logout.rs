//! An administrator ends sessions: one, a person's, or a sweep of many.
//!
//! What covers what. One session, and a person as of now, are plain logouts, recorded and
//! pushed before the answer. Everyone at an issuer, everyone who used an app, and a person
//! as of some earlier time are a *sweep*: one row, which from its commit on ends whatever
//! it covers ([`super::sweeping`]), known to the hub or not. A person as of an earlier
//! time is a sweep because those who follow the log, and back ends that are posted to, see
//! no T in a logout of scope `user`: told of one, they would end later sessions too.

use std::sync::Arc;

use serde::Serialize;

use super::Hub;
use super::denied::{Denied, RequestFault};
use super::event::rfc3339;
use super::report_logout::random;
use crate::domain::clock::UnixMillis;
use crate::domain::ids::{ClientId, Issuer, LogoutId, SessionKey, Sid, Subject, SubjectKey};
use crate::domain::logout::{LogoutTarget, Reason, Source};
use crate::domain::sweep::{Reach, Sweep};
use crate::store::{Expected, Moment, Report, SWEEP_PAGE, StoreError, SweepProgress, SweepStep};
use crate::telemetry::within_request;

/// What people read whom an administrator signed out without saying why.
const REASON: &str = "You were signed out by an administrator";
/// What the log says of an order that stands.
const ORDERED: &str = "an administrator ordered a logout";

/// Whose sessions an administrator ends.
#[derive(Clone, Debug)]
pub enum Whom {
    /// One session.
    Session(Sid),
    /// Every session of one person.
    Person(Subject),
    /// Every session in which an app was used, in all its apps.
    App(ClientId),
    /// Every session at the issuer.
    Everyone,
}

impl Whom {
    fn kind(&self) -> &'static str {
        match self {
            Self::Session(_) => "session",
            Self::Person(_) => "person",
            Self::App(_) => "app",
            Self::Everyone => "everyone",
        }
    }
}

/// What an administrator asks for.
#[derive(Clone, Debug)]
pub struct Order {
    /// At which issuer; may be left out where there is one.
    pub issuer: Option<Issuer>,
    /// Whose sessions.
    pub whom: Whom,
    /// Only those that began at or before this time; without it, by now.
    pub before: Option<UnixMillis>,
    /// Why, in words for people.
    pub reason: Option<Reason>,
}

/// An order that was carried out, or will be whatever happens.
#[derive(Clone, Copy, Debug)]
pub struct Ordered {
    /// The name of its logout or of its sweep.
    pub id: LogoutId,
    /// What it reaches: what was alive of it just before. `None` for a sweep that stands
    /// but could not be counted.
    pub counts: Option<Expected>,
    /// False for a session or person that was signed out already.
    pub is_fresh: bool,
    /// Whether it is a sweep, which goes on after the answer.
    pub goes_on: bool,
}

/// How a sweep stands, as the API tells of it.
#[derive(Serialize)]
pub struct SweepView {
    id: String,
    state: &'static str,
    issuer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    before: String,
    reason: String,
    ordered_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<Expected>,
    sessions_ended: u64,
    logouts_recorded: u64,
}

impl From<SweepProgress> for SweepView {
    fn from(progress: SweepProgress) -> Self {
        let sweep = progress.sweep;
        let (client_id, sub) = match sweep.reach {
            Reach::Everyone => (None, None),
            Reach::App(client_id) => (Some(client_id.as_str().to_owned()), None),
            Reach::Person(sub) => (None, Some(sub.as_str().to_owned())),
        };
        Self {
            id: sweep.id.to_string(),
            state: if progress.finished_at.is_some() { "done" } else { "running" },
            issuer: sweep.issuer.as_str().to_owned(),
            client_id,
            sub,
            before: rfc3339(sweep.covers_until.into()),
            reason: sweep.reason.as_str().to_owned(),
            ordered_at: rfc3339(sweep.ordered_at),
            finished_at: progress.finished_at.map(rfc3339),
            expected: progress.expected,
            sessions_ended: progress.sessions_ended,
            logouts_recorded: progress.logouts_recorded,
        }
    }
}

/// How an order is carried out.
enum Plan {
    Logout(Box<Report>),
    Sweep(SweepStep),
}

impl Hub {
    /// What an order would end, if it came now. Nothing is written.
    ///
    /// # Errors
    /// [`Denied::Request`] for an order that makes no sense here; [`Denied::Busy`] when too
    /// many wait to be counted; [`Denied::Store`].
    pub async fn foretell(&self, order: &Order) -> Result<Expected, Denied> {
        let counts = match self.plan(order)? {
            Plan::Logout(report) => self.store.foretell(&report).await?,
            Plan::Sweep(step) => self.foretell_sweep(&step).await?,
        };
        log_order(order, None, None, Some(counts), "an administrator asked what a logout would end");
        Ok(counts)
    }

    /// Carries an order out. Runs to its end even when the caller has left.
    ///
    /// # Errors
    /// [`Denied::Request`] as [`Hub::foretell`]; [`Denied::Store`]: not acknowledged, so to
    /// be ordered again. It may stand all the same; what is over by then is not ended twice.
    pub async fn order_logout(self: &Arc<Self>, order: Order) -> Result<Ordered, Denied> {
        self.order_logout_as(order, None).await
    }

    /// The same, for an administrator who is known by name: the audit trail tells who it was.
    ///
    /// # Errors
    /// As [`Hub::order_logout`].
    pub async fn order_logout_as(
        self: &Arc<Self>,
        order: Order,
        operator: Option<SubjectKey>,
    ) -> Result<Ordered, Denied> {
        let hub = Arc::clone(self);
        let work = self.tasks.spawn(within_request(async move {
            match hub.plan(&order)? {
                Plan::Logout(report) => hub.order_report(&order, Report { operator, ..*report }).await,
                Plan::Sweep(step) => hub.order_sweep(&order, &step, operator.as_ref()).await,
            }
        }));
        work.await.map_err(|_| StoreError::Stopped)?
    }

    /// How a sweep stands; `None` where the name is not that of a sweep.
    ///
    /// # Errors
    /// [`Denied::Store`].
    pub async fn sweep_progress(&self, id: LogoutId) -> Result<Option<SweepView>, Denied> {
        Ok(self.store.find_sweep(id).await?.map(SweepView::from))
    }

    async fn order_report(self: &Arc<Self>, order: &Order, report: Report) -> Result<Ordered, Denied> {
        // One short read.
        let counts = Some(self.store.foretell(&report).await?);
        let operator = self.operator_in_log(report.operator.as_ref());
        let done = self.recorded(report).await?;
        let ordered = Ordered { id: done.logout.id, counts, is_fresh: done.is_fresh, goes_on: false };
        log_order(order, operator.as_deref(), Some(ordered.id), counts, ORDERED);
        Ok(ordered)
    }

    fn operator_in_log(&self, operator: Option<&SubjectKey>) -> Option<String> {
        operator.map(|SubjectKey { issuer, sub }| self.log_name(issuer, sub.as_str()))
    }

    /// To count everyone takes its time, and whoever is to be signed out must not have it:
    /// the order stands first, and is worked off while it is counted. Counted is what was
    /// alive just before it stood, so nobody whom it ends meanwhile is left out, be it a
    /// page of the sweep or somebody who comes back with a token. A session that the hub
    /// first hears of after that moment is over too, and in no number but the sweep's
    /// `sessions_ended`.
    ///
    /// Once it stands it is acknowledged, counted or not: whoever is told that it failed
    /// orders again.
    async fn order_sweep(
        &self,
        order: &Order,
        step: &SweepStep,
        operator: Option<&SubjectKey>,
    ) -> Result<Ordered, Denied> {
        let id = step.sweep.id;
        // Whom it ends waits for no count, so too many of them make it go uncounted.
        let place = self.sweeping.sweep();
        let known = if place.is_some() { Some(self.store.moment().await) } else { None };
        self.store.start_sweep(&step.sweep, operator).await?;
        log_order(order, self.operator_in_log(operator).as_deref(), Some(id), None, ORDERED);
        self.sweeping.wake();
        let counted = self.count_sweep(step, known).await;
        match counted {
            Ok(counts) => self.note_count(id, counts).await,
            Err(ref error) => {
                tracing::warn!(error = %error, sweep.id = %id, "could not count what a sweep is to end; it goes on");
            }
        }
        Ok(Ordered { id, counts: counted.ok(), is_fresh: true, goes_on: true })
    }

    async fn note_count(&self, id: LogoutId, counts: Expected) {
        let Expected { sessions, people, apps, .. } = counts;
        tracing::info!(sweep.id = %id, sessions, people, apps, "a sweep was counted");
        if let Err(error) = self.store.sweep_counted(id, counts).await {
            tracing::warn!(error = %error, sweep.id = %id, "could not note what a sweep is expected to end");
        }
    }

    async fn count_sweep(
        &self,
        step: &SweepStep,
        known: Option<Result<Moment, StoreError>>,
    ) -> Result<Expected, Denied> {
        let known = known.ok_or(Denied::Busy)??;
        let _one_at_a_time = self.sweeping.counting().await;
        Ok(self.store.foretell_sweep(step, known).await?)
    }

    /// A dry run is of the moment when its turn comes: until then it holds on to nothing.
    async fn foretell_sweep(&self, step: &SweepStep) -> Result<Expected, Denied> {
        let _place = self.sweeping.dry_run().ok_or(Denied::Busy)?;
        let _one_at_a_time = self.sweeping.counting().await;
        Ok(self.store.foretell_sweep(step, self.store.moment().await?).await?)
    }

    fn plan(&self, order: &Order) -> Result<Plan, RequestFault> {
        let issuer = self.issuer_of(order.issuer.as_ref())?;
        let now = self.clock.now();
        if order.before.is_some_and(|before| before > now) {
            return Err(RequestFault::BadBefore);
        }
        let reason = order.reason.clone().or_else(|| Reason::parse(REASON).ok());
        let reach = match (&order.whom, order.before) {
            (Whom::Session(_), Some(_)) => return Err(RequestFault::BadBefore),
            (Whom::Session(sid), None) => {
                let key = SessionKey { issuer, sid: sid.clone() };
                return Ok(self.one(LogoutTarget::Session { key, sub: None }, reason));
            }
            (Whom::Person(sub), None) => {
                return Ok(self.one(LogoutTarget::User(SubjectKey { issuer, sub: sub.clone() }), reason));
            }
            (Whom::Person(sub), Some(_)) => Reach::Person(sub.clone()),
            (Whom::App(client_id), _) => {
                self.directory.app(&issuer, client_id.as_str()).ok_or(RequestFault::UnknownApp)?;
                Reach::App(client_id.clone())
            }
            (Whom::Everyone, _) => Reach::Everyone,
        };
        let sweep = Sweep {
            id: self.new_logout_id(),
            issuer,
            reach,
            covers_until: order.before.map_or_else(|| now.ceil(), UnixMillis::floor),
            reason: reason.ok_or(RequestFault::BadReason)?,
            ordered_at: now,
        };
        Ok(Plan::Sweep(self.sweep_step(sweep)))
    }

    fn one(&self, target: LogoutTarget, reason: Option<Reason>) -> Plan {
        Plan::Logout(Box::new(self.report(target, Source::Admin, None, reason)))
    }

    /// The issuer that an administrator means.
    pub(super) fn issuer_of(&self, named: Option<&Issuer>) -> Result<Issuer, RequestFault> {
        let mut issuers = self.directory.issuers().map(|it| &it.issuer);
        let found = match named {
            Some(named) => issuers.find(|issuer| *issuer == named),
            None => issuers.next().filter(|_| issuers.next().is_none()),
        };
        found.cloned().ok_or(RequestFault::UnknownIssuer)
    }

    /// The next step of a sweep.
    pub(super) fn sweep_step(&self, sweep: Sweep) -> SweepStep {
        let at = self.clock.now();
        let new_id = |_| LogoutId::new(at, u128::from_be_bytes(random()));
        SweepStep {
            ids: (0..SWEEP_PAGE).map(new_id).collect(),
            back_ends: self.back_ends.at(&sweep.issuer),
            end_at_issuer: self.end_at_issuer(&sweep.issuer, Source::Admin, at),
            at,
            repeat_window_seconds: self.repeat_window_seconds(),
            sweep,
        }
    }
}

/// For who reads later what was done: by what name, how much, and nobody's name.
fn log_order(
    order: &Order,
    operator: Option<&str>,
    id: Option<LogoutId>,
    counts: Option<Expected>,
    said: &'static str,
) {
    tracing::info!(
        operator.hash = operator,
        order.id = id.map(tracing::field::display),
        order.target = order.whom.kind(),
        order.has_before = order.before.is_some(),
        sessions = counts.map(|counts| counts.sessions),
        people = counts.map(|counts| counts.people),
        apps = counts.map(|counts| counts.apps),
        "{said}"
    );
}
