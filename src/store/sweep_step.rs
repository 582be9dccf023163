//! One page of a sweep: which sessions it ends, and the transaction that ends them.

use std::collections::HashSet;
use std::sync::Arc;

use super::batch::Work;
use super::error::StoreError;
use super::facts::Facts;
use super::record::{read_about, record_known};
use super::report::{BackEnd, Outcome, Recorded, Report};
use super::rows;
use super::sql::{Connection, Row, query};
use super::tally::Tally;
use super::trail_notes;
use crate::domain::clock::{UnixMillis, UnixSeconds};
use crate::domain::ids::{Issuer, LogoutId, SessionKey, Sid, Subject, SubjectKey};
use crate::domain::logout::{LogoutTarget, Source};
use crate::domain::sweep::{Reach, Sweep};

/// How many sessions one transaction of a sweep looks at: few enough that nobody who
/// reports a logout meanwhile has to wait for long.
pub const SWEEP_PAGE: usize = 256;

/// What one step of a sweep came to.
#[derive(Clone, Debug)]
pub struct Swept {
    /// The logouts that it recorded; to be pushed.
    pub recorded: Vec<Recorded>,
    /// Whether that was all.
    pub is_done: bool,
}

/// The next page of a sweep.
#[derive(Clone, Debug)]
pub struct SweepStep {
    /// What was ordered.
    pub sweep: Sweep,
    /// Names for the logouts of the page: [`SWEEP_PAGE`] of them.
    pub ids: Vec<LogoutId>,
    /// The back ends of the issuer's apps.
    pub back_ends: Arc<[BackEnd]>,
    /// The hub's clock, now.
    pub at: UnixMillis,
    /// As in [`Report`], of every session's logout.
    pub end_at_issuer: Option<UnixMillis>,
    /// As in [`Report`].
    pub repeat_window_seconds: i64,
}

impl Work for SweepStep {
    type Answer = Swept;

    async fn apply(connection: &mut Connection, work: &[Self]) -> Result<Vec<Swept>, StoreError> {
        let mut answers = Vec::with_capacity(work.len());
        for step in work {
            answers.push(step.run(connection).await?);
        }
        Ok(answers)
    }

    fn late(answer: Swept) -> Vec<Recorded> {
        answer.recorded
    }

    fn places(answer: &Swept) -> Vec<i64> {
        answer.recorded.iter().map(|recorded| recorded.position).collect()
    }

    fn changed_a_receipt(&self, answer: &Swept) -> bool {
        !answer.recorded.is_empty()
    }

    fn filled_the_outbox(&self, answer: &Swept) -> bool {
        !answer.recorded.is_empty() && (!self.back_ends.is_empty() || self.end_at_issuer.is_some())
    }
}

impl SweepStep {
    /// The same page without writing; what comes after it.
    pub(super) async fn foretell(
        &self,
        connection: &mut Connection,
        place: &Place,
        tally: &mut Tally,
    ) -> Result<Option<Place>, StoreError> {
        let mut page = Page::read(connection, &self.sweep, place).await?;
        self.count(&mut page, tally);
        tally.place(connection, &self.sweep.issuer).await?;
        Ok(Some(page.next).filter(|next| next.stage != Stage::Done))
    }

    /// One page, from where the last one ended: a step that was taken although its answer
    /// came too late is not taken again.
    async fn run(&self, connection: &mut Connection) -> Result<Swept, StoreError> {
        let Some(place) = Place::read(connection, self.sweep.id).await? else {
            return Ok(Swept { recorded: Vec::new(), is_done: true });
        };
        let Page { facts, units, next } = Page::read(connection, &self.sweep, &place).await?;
        // No unit of a page has a part in what is decided about another.
        let reports: Vec<_> =
            units.iter().zip(&self.ids).filter_map(|(unit, id)| self.end(&facts, unit, *id)).collect();
        let mut recorded = record_known(connection, &reports, facts).await?;
        recorded.retain(|answer| answer.outcome == Outcome::Fresh);

        let is_done = next.stage == Stage::Done;
        let update = "
            update sweeps set stage = $2, after = $3, finished_at = $4 where id = $1
            returning sessions_ended, logouts_recorded";
        let query = query(update).bind(self.sweep.id.to_string()).bind(next.stage.as_str());
        let query = query.bind(&next.after).bind(is_done.then_some(self.at.0));
        let row = query.fetch_one(connection).await?;
        if is_done {
            let (sessions, logouts) = (row.try_get(0)?, row.try_get(1)?);
            trail_notes::sweep_done(&mut connection.notes, self.sweep.id, self.at, sessions, logouts);
        }
        Ok(Swept { recorded, is_done })
    }

    /// The report that ends what a unit of the page is, where the sweep ends it.
    fn end(&self, facts: &Facts, unit: &Unit, id: LogoutId) -> Option<Report> {
        let (target, covers_until) = match unit {
            Unit::Session(key) => facts.swept_session(&self.sweep, key)?,
            Unit::Person(key) => facts.swept_person(&self.sweep, key)?,
        };
        Some(self.report(id, target, covers_until))
    }

    /// Counts what a page would end.
    fn count(&self, Page { facts, units, .. }: &mut Page, tally: &mut Tally) {
        for (unit, id) in units.iter().zip(&self.ids) {
            if let Unit::Person(key) = unit {
                self.take_sessions_of(key, facts, *id);
            }
            if let Some(report) = self.end(facts, unit, *id) {
                tally.take(facts, &report);
            }
        }
    }

    /// A person comes after all sessions, theirs among them, which are counted already. In
    /// a dry run they are not written down, so here they are ended once more.
    fn take_sessions_of(&self, key: &SubjectKey, facts: &mut Facts, id: LogoutId) {
        for session in facts.sessions_of(key) {
            if let Some((target, covers_until)) = facts.swept_session(&self.sweep, &session) {
                facts.take(&self.report(id, target, covers_until));
            }
        }
    }

    fn report(&self, id: LogoutId, target: LogoutTarget, covers_until: UnixSeconds) -> Report {
        Report {
            source: Source::Admin,
            covers_until,
            reason: Some(self.sweep.reason.clone()),
            occurred_at: self.sweep.ordered_at,
            back_ends: Arc::clone(&self.back_ends),
            end_at_issuer: self.end_at_issuer,
            sweep: Some(self.sweep.id),
            ..Report::new(id, target, self.at, self.repeat_window_seconds)
        }
    }
}

/// What a sweep looks at.
enum Unit {
    Session(SessionKey),
    /// A person with tokens that name no session.
    Person(SubjectKey),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Sessions,
    People,
    Done,
}

impl Stage {
    fn as_str(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::People => "people",
            Self::Done => "done",
        }
    }
}

/// How far a sweep has come: just after that `sid` or `sub`.
pub(super) struct Place {
    stage: Stage,
    after: String,
}

impl Place {
    pub(super) fn start() -> Self {
        Self { stage: Stage::Sessions, after: String::new() }
    }

    /// Where a sweep stands; `None` where it is done, or forgotten.
    async fn read(connection: &mut Connection, id: LogoutId) -> Result<Option<Self>, StoreError> {
        let select = "select stage, after from sweeps where id = $1 and stage <> 'done'";
        let Some(row) = query(select).bind(id.to_string()).fetch_optional(connection).await? else {
            return Ok(None);
        };
        let stage = if row.try_get::<&str>(0)? == "people" { Stage::People } else { Stage::Sessions };
        Ok(Some(Self { stage, after: row.try_get(1)? }))
    }
}

/// Some of what was seen, and all that is known about it.
struct Page {
    facts: Facts,
    units: Vec<Unit>,
    next: Place,
}

impl Page {
    async fn read(connection: &mut Connection, sweep: &Sweep, place: &Place) -> Result<Self, StoreError> {
        // Each in the order of an index, so that a page costs the same wherever it begins.
        let person = match &sweep.reach {
            Reach::Person(sub) => Some(sub.as_str()),
            Reach::Everyone | Reach::App(_) => None,
        };
        let select = match (place.stage, person) {
            (Stage::Sessions, None) => {
                "select sid from seen_tokens where issuer = $1 and sid > $2 group by sid order by sid limit $3"
            }
            (Stage::Sessions, Some(_)) => {
                "select sid from seen_tokens where issuer = $1 and sub = $4 and sid > $2 group by sid order by sid limit $3"
            }
            (_, None) => {
                "select sub from seen_tokens where issuer = $1 and sid = '' and sub > $2 group by sub order by sub limit $3"
            }
            (_, Some(_)) => {
                "select sub from seen_tokens where issuer = $1 and sid = '' and sub = $4 and sub > $2 limit 1"
            }
        };
        let limit = i64::try_from(SWEEP_PAGE).unwrap_or(i64::MAX);
        let query = query(select).bind(sweep.issuer.as_str()).bind(place.after.as_str()).bind(limit).bind(person);
        let found = query.fetch_all(&mut *connection).await?;
        let units =
            found.iter().map(|row| Unit::read(place.stage, &sweep.issuer, row)).collect::<Result<Vec<_>, _>>()?;
        let next = match (units.len() == SWEEP_PAGE, place.stage, units.last()) {
            (true, stage, Some(last)) => Place { stage, after: last.name().to_owned() },
            (_, Stage::Sessions, _) => Place { stage: Stage::People, after: String::new() },
            _ => Place { stage: Stage::Done, after: String::new() },
        };
        let (mut sessions, mut people) = (HashSet::new(), HashSet::new());
        for unit in &units {
            match unit {
                Unit::Session(key) => sessions.insert(key.clone()),
                Unit::Person(key) => people.insert(key.clone()),
            };
        }
        let facts = read_about(connection, sessions, people, HashSet::new()).await?;
        Ok(Self { facts, units, next })
    }
}

impl Unit {
    fn read(stage: Stage, issuer: &Issuer, row: &Row) -> Result<Self, StoreError> {
        let issuer = issuer.clone();
        Ok(match stage {
            Stage::Sessions => Self::Session(SessionKey { issuer, sid: rows::required(Sid::parse, row, 0)? }),
            Stage::People | Stage::Done => {
                Self::Person(SubjectKey { issuer, sub: rows::required(Subject::parse, row, 0)? })
            }
        })
    }

    fn name(&self) -> &str {
        match self {
            Self::Session(key) => key.sid.as_str(),
            Self::Person(key) => key.sub.as_str(),
        }
    }
}
