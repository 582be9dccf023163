//! Sweeps: an administrator ends every session that began by some moment.
//!
//! A sweep counts from the commit that writes its row: [`swept_by`] is asked of everyone
//! who comes with a token. Then its [`SweepStep`]s go through what was seen, a page in
//! each transaction. A dry run takes the very same steps and writes nothing, so it counts
//! what the real run then ends.
//!
//! How much a sweep ends is counted after it was written down, in the facts as they were
//! just before ([`Moment`]). Whom it ends in the meantime is still alive there, and is
//! counted once. So what is expected is what was known to be alive when the order took
//! effect; what was ended comes to the same, and to more by sessions that the hub first
//! heard of later, to less by those that ended otherwise first.

use std::collections::{HashMap, HashSet};

use super::Store;
use super::batch::Work;
use super::error::StoreError;
use super::facts::Decision;
use super::record::read_facts;
use super::report::{Outcome, Report};
use super::rows::{self, logout_columns};
use super::sql::{Connection, Query, Row, query};
use super::sweep_step::{Place, SweepStep, Swept};
use super::tally::{self, Expected, Tally};
use super::trail_notes;
use crate::domain::clock::{UnixMillis, UnixSeconds};
use crate::domain::ids::{ClientId, Issuer, LogoutId, SessionKey, Subject, SubjectKey};
use crate::domain::logout::{Logout, LogoutTarget, Reason};
use crate::domain::sweep::{Reach, Sweep};
use crate::telemetry;

/// All that was known at one moment, whatever is written since.
pub struct Moment(Connection);

/// A sweep, and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepProgress {
    /// What was ordered.
    pub sweep: Sweep,
    /// What was alive of it when the order took effect; `None` until that is counted, and
    /// for ever where counting failed or the hub was killed before.
    pub expected: Option<Expected>,
    /// How many sessions it has ended so far.
    pub sessions_ended: u64,
    /// How many logouts were recorded for that.
    pub logouts_recorded: u64,
    /// When everything that was seen had been looked at.
    pub finished_at: Option<UnixMillis>,
}

impl Store {
    /// What a report would end, if it came now.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn foretell(&self, report: &Report) -> Result<Expected, StoreError> {
        let one = std::slice::from_ref(report);
        self.read(async {
            let mut reader = self.reader().await?;
            let (mut facts, mut tally) = (read_facts(&mut reader, one).await?, Tally::default());
            tally.take(&mut facts, report);
            tally.place(&mut reader, report.target.issuer()).await?;
            Ok(tally.expected())
        })
        .await
    }

    /// All that is known now, to be counted in whatever happens meanwhile. The file keeps
    /// what is written from here on beside it, so it is not for keeping.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn moment(&self) -> Result<Moment, StoreError> {
        self.read(async {
            // Not one of the readers that everybody waits for.
            let mut connection = self.0.readers.one_more().await?;
            connection.begin_reading().await?;
            Ok(Moment(connection))
        })
        .await
    }

    /// What a sweep ends, or would, of what was alive at that moment. Reads all that was
    /// seen of the issuer, page by page; of the people it keeps a digest each.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn foretell_sweep(&self, step: &SweepStep, mut known: Moment) -> Result<Expected, StoreError> {
        let (mut tally, mut rest) = (Tally::default(), Some(Place::start()));
        while let Some(place) = rest {
            rest = self.read(step.foretell(&mut known.0, &place, &mut tally)).await?;
        }
        known.0.close().await.ok();
        Ok(tally.expected())
    }

    /// Writes a sweep down. From here on whoever it covers is signed out. `operator` is the
    /// administrator who ordered it, where it is known who that is.
    ///
    /// # Errors
    /// Why it was not written down.
    pub async fn start_sweep(&self, sweep: &Sweep, operator: Option<&SubjectKey>) -> Result<(), StoreError> {
        let (sweep, operator) = (sweep.clone(), operator.cloned());
        self.write(StartSweep { sweep, operator, request: telemetry::request() }).await
    }

    /// Notes what is expected of a sweep that was started.
    ///
    /// # Errors
    /// Why it was not noted.
    pub async fn sweep_counted(&self, id: LogoutId, expected: Expected) -> Result<(), StoreError> {
        self.write(SweepCounted { id, expected }).await
    }

    /// Takes the next step of a sweep that was started.
    ///
    /// # Errors
    /// Why it was not taken; it can be taken again.
    ///
    /// # Cancel safety
    /// None: see [`Store::record`].
    pub async fn sweep_on(&self, step: SweepStep) -> Result<Swept, StoreError> {
        self.write(step).await
    }

    /// The sweep of that name.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn find_sweep(&self, id: LogoutId) -> Result<Option<SweepProgress>, StoreError> {
        let select = concat!("select ", sweep_columns!(), " from sweeps w where w.id = $1");
        self.read_sweep(query(select).bind(id.to_string())).await
    }

    /// The logout by which a sweep has ended a session, if it did: there is one at most
    /// that says so to whoever comes with a later token of it.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn end_by_sweep(&self, key: &SessionKey, sweep: &Sweep) -> Result<Option<Logout>, StoreError> {
        let select = concat!(
            "select ",
            logout_columns!(),
            " from logouts l
            where l.scope = 'session' and l.issuer = $1 and l.sid = $2 and l.source = 'admin' and l.occurred_at = $3
            order by l.seq limit 1"
        );
        let query = query(select).bind(key.issuer.as_str()).bind(key.sid.as_str()).bind(sweep.ordered_at.0);
        let row = self.read(async { query.fetch_optional(&mut *self.reader().await?).await }).await?;
        Ok(row.map(|row| rows::logout(&row, 0)).transpose()?.map(|(logout, _)| logout))
    }

    /// The oldest sweep that is not done.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn unfinished_sweep(&self) -> Result<Option<SweepProgress>, StoreError> {
        let select =
            concat!("select ", sweep_columns!(), " from sweeps w where w.stage <> 'done' order by w.seq limit 1");
        self.read_sweep(query(select)).await
    }

    async fn read_sweep(&self, query: Query<'_>) -> Result<Option<SweepProgress>, StoreError> {
        let row = self.read(async { query.fetch_optional(&mut *self.reader().await?).await }).await?;
        row.as_ref().map(progress).transpose()
    }
}

/// The sweep that covers `k`, one of those whom [`super::seen_tokens::standings`] asks
/// about: [`Sweep::covers`], said again in SQL, and for a sweep of one app also every
/// other app of a session in which that one was seen.
macro_rules! swept_by {
    () => {
        "(
            select w.id from sweeps w
            where w.issuer = k.issuer
                and w.covers_until >= coalesce(nullif(k.auth_time, -1), k.earliest, k.iat)
                and (w.sub is null or w.sub = k.sub)
                and (w.client_id is null or w.client_id = k.client_id or exists (
                    select 1 from seen_tokens u
                    where k.sid <> '' and u.issuer = k.issuer and u.sid = k.sid and u.client_id = w.client_id
                ))
            order by w.seq limit 1
        )"
    };
}
pub(super) use swept_by;

/// The columns that [`progress`] reads, of a table called `w`.
macro_rules! sweep_columns {
    () => {
        "w.id, w.issuer, w.sub, w.client_id, w.covers_until, w.reason, w.ordered_at, w.expected_sessions, \
         w.expected_people, w.expected_devices, w.expected_apps, w.sessions_ended, w.logouts_recorded, w.finished_at, \
         w.is_counted"
    };
}
use sweep_columns;

fn progress(row: &Row) -> Result<SweepProgress, StoreError> {
    let sub = rows::parsed(Subject::parse, row.try_get(2)?)?;
    let client_id = rows::parsed(ClientId::parse, row.try_get(3)?)?;
    let reach = match (sub, client_id) {
        (None, None) => Reach::Everyone,
        (None, Some(client_id)) => Reach::App(client_id),
        (Some(sub), None) => Reach::Person(sub),
        (Some(_), Some(_)) => return Err(StoreError::Damaged),
    };
    let count = |column: usize| u64::try_from(row.try_get::<i64>(column)?).map_err(|_| StoreError::Damaged);
    let sweep = Sweep {
        id: rows::required(LogoutId::parse, row, 0)?,
        issuer: rows::required(Issuer::parse, row, 1)?,
        reach,
        covers_until: UnixSeconds(row.try_get(4)?),
        reason: rows::required(Reason::parse, row, 5)?,
        ordered_at: UnixMillis(row.try_get(6)?),
    };
    let expected = Expected { sessions: count(7)?, people: count(8)?, devices: count(9)?, apps: count(10)? };
    Ok(SweepProgress {
        sweep,
        expected: (row.try_get::<i64>(14)? != 0).then_some(expected),
        sessions_ended: count(11)?,
        logouts_recorded: count(12)?,
        finished_at: row.try_get::<Option<i64>>(13)?.map(UnixMillis),
    })
}

/// A sweep on its way in.
pub(super) struct StartSweep {
    sweep: Sweep,
    operator: Option<SubjectKey>,
    request: Option<String>,
}

impl Work for StartSweep {
    type Answer = ();

    async fn apply(connection: &mut Connection, work: &[Self]) -> Result<Vec<()>, StoreError> {
        for StartSweep { sweep, operator, request } in work {
            let (sub, client_id) = match &sweep.reach {
                Reach::Everyone => (None, None),
                Reach::App(client_id) => (None, Some(client_id.as_str())),
                Reach::Person(sub) => (Some(sub.as_str()), None),
            };
            let insert = "
                insert into sweeps (id, issuer, sub, client_id, covers_until, reason, ordered_at, is_counted,
                                    expected_sessions, expected_people, expected_devices, expected_apps, stage, after)
                values ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0, 0, 0, 'sessions', '')";
            let query = query(insert).bind(sweep.id.to_string()).bind(sweep.issuer.as_str()).bind(sub);
            let query = query.bind(client_id).bind(sweep.covers_until.0).bind(sweep.reason.as_str());
            query.bind(sweep.ordered_at.0).execute(&mut *connection).await?;
            trail_notes::sweep_ordered(&mut connection.notes, sweep, operator.as_ref(), request.as_deref());
        }
        Ok(vec![(); work.len()])
    }
}

/// What is expected of a sweep, on its way in.
pub(super) struct SweepCounted {
    id: LogoutId,
    expected: Expected,
}

impl Work for SweepCounted {
    type Answer = ();

    async fn apply(connection: &mut Connection, work: &[Self]) -> Result<Vec<()>, StoreError> {
        for SweepCounted { id, expected } in work {
            let update = "
                update sweeps set is_counted = 1, expected_sessions = $2, expected_people = $3,
                    expected_devices = $4, expected_apps = $5
                where id = $1";
            let query = query(update).bind(id.to_string()).bind(tally::stored(expected.sessions));
            let query = query.bind(tally::stored(expected.people)).bind(tally::stored(expected.devices));
            query.bind(tally::stored(expected.apps)).execute(&mut *connection).await?;
        }
        Ok(vec![(); work.len()])
    }
}

/// Adds to each sweep what was just ended of it, be it that a step came to it or that
/// somebody came back before.
pub(super) async fn count_ended(
    connection: &mut Connection,
    decided: impl Iterator<Item = (&Report, &Decision)>,
) -> Result<(), StoreError> {
    let (mut ended, mut shared) = (HashMap::<LogoutId, (i64, i64)>::new(), HashSet::new());
    for (report, decision) in decided.filter(|(_, decision)| decision.outcome == Outcome::Fresh) {
        let Some(sweep) = report.sweep else { continue };
        let (sessions, logouts) = ended.entry(sweep).or_default();
        *logouts += 1;
        *sessions += match &report.target {
            LogoutTarget::Session { .. } => i64::from(!decision.newly_ended.is_empty()),
            LogoutTarget::User(_) => {
                let sids: HashSet<_> = decision.newly_ended.iter().map(|(_, sid)| sid.as_ref()).collect();
                // Two people may have used one session, and each be signed out of it.
                let new = sids.into_iter().filter(|sid| sid.is_none_or(|sid| shared.insert(sid.clone())));
                i64::try_from(new.count()).unwrap_or(i64::MAX)
            }
        };
    }
    if ended.is_empty() {
        return Ok(());
    }
    let ended: Vec<_> =
        ended.into_iter().map(|(id, (sessions, logouts))| (id.to_string(), sessions, logouts)).collect();
    let update = "
        update sweeps set
            sessions_ended = sessions_ended + cast(value ->> 1 as bigint), logouts_recorded = logouts_recorded + cast(value ->> 2 as bigint)
        from jsonb_each($1)
        where sweeps.id = value ->> 0";
    query(update).bind(rows::json(&ended)?).execute(connection).await?;
    Ok(())
}
