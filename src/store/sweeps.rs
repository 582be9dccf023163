//! Sweeps: an administrator ends every session that began by some moment.
//!
//! A sweep counts from the commit that writes its row: [`swept_by`] is asked of everyone
//! who comes with a token. Then its [`SweepStep`]s go through what was seen, a page in
//! each transaction. A dry run takes the very same steps and writes nothing, so it counts
//! what the real run then ends.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::Store;
use super::batch::Work;
use super::error::StoreError;
use super::record::read_facts;
use super::report::Report;
use super::rows::{self, logout_columns};
use super::sweep_step::{Place, SweepStep, Swept};
use super::tally::{self, Expected, Tally};
use crate::domain::clock::{UnixMillis, UnixSeconds};
use crate::domain::ids::{ClientId, Issuer, LogoutId, SessionKey, Subject};
use crate::domain::logout::{Logout, Reason};
use crate::domain::sweep::{Reach, Sweep};

/// A sweep, and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepProgress {
    /// What was ordered.
    pub sweep: Sweep,
    /// What the dry run counted just before.
    pub expected: Expected,
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

    /// What a sweep would end, if it ran now. Reads all that was seen of the issuer, page
    /// by page; of the people it keeps a digest each.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn foretell_sweep(&self, step: &SweepStep) -> Result<Expected, StoreError> {
        let (mut tally, mut rest) = (Tally::default(), Some(Place::start()));
        while let Some(place) = rest {
            rest = self.read(async { step.foretell(&mut *self.reader().await?, &place, &mut tally).await }).await?;
        }
        Ok(tally.expected())
    }

    /// Writes a sweep down. From here on whoever it covers is signed out.
    ///
    /// # Errors
    /// Why it was not written down.
    pub async fn start_sweep(&self, sweep: &Sweep, expected: Expected) -> Result<(), StoreError> {
        self.write(StartSweep { sweep: sweep.clone(), expected }).await
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
        let select = concat!("select ", sweep_columns!(), " from sweeps w where w.id = ?1");
        self.read_sweep(sqlx::query(select).bind(id.to_string())).await
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
            where l.scope = 'session' and l.issuer = ?1 and l.sid = ?2 and l.source = 'admin' and l.occurred_at = ?3
            order by l.seq limit 1"
        );
        let query = sqlx::query(select).bind(key.issuer.as_str()).bind(key.sid.as_str()).bind(sweep.ordered_at.0);
        let row = self.read(async { Ok(query.fetch_optional(&mut *self.reader().await?).await?) }).await?;
        Ok(row.map(|row| rows::logout(&row, 0)).transpose()?.map(|(logout, _)| logout))
    }

    /// The oldest sweep that is not done.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn unfinished_sweep(&self) -> Result<Option<SweepProgress>, StoreError> {
        let select =
            concat!("select ", sweep_columns!(), " from sweeps w where w.stage <> 'done' order by w.seq limit 1");
        self.read_sweep(sqlx::query(select)).await
    }

    async fn read_sweep(&self, query: Query<'_>) -> Result<Option<SweepProgress>, StoreError> {
        let row = self.read(async { Ok(query.fetch_optional(&mut *self.reader().await?).await?) }).await?;
        row.as_ref().map(progress).transpose()
    }
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

/// The sweep that covers `k`, one of those whom [`super::seen_tokens::standings`] asks
/// about: [`Sweep::covers`], said again in SQL, and for a sweep of one app also every
/// other app of a session in which that one was seen.
macro_rules! swept_by {
    () => {
        "(
            select w.id from sweeps w
            where w.issuer = k.issuer
                and w.covers_until >= iif(k.auth_time <> -1, k.auth_time, coalesce(k.earliest, k.iat))
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
         w.expected_people, w.expected_devices, w.expected_apps, w.sessions_ended, w.logouts_recorded, w.finished_at"
    };
}
use sweep_columns;

fn progress(row: &SqliteRow) -> Result<SweepProgress, StoreError> {
    let sub = rows::parsed(Subject::parse, row.try_get(2)?)?;
    let client_id = rows::parsed(ClientId::parse, row.try_get(3)?)?;
    let reach = match (sub, client_id) {
        (None, None) => Reach::Everyone,
        (None, Some(client_id)) => Reach::App(client_id),
        (Some(sub), None) => Reach::Person(sub),
        (Some(_), Some(_)) => return Err(StoreError::Damaged),
    };
    let count = |column: usize| u64::try_from(row.try_get::<i64, _>(column)?).map_err(|_| StoreError::Damaged);
    let sweep = Sweep {
        id: rows::required(LogoutId::parse, row, 0)?,
        issuer: rows::required(Issuer::parse, row, 1)?,
        reach,
        covers_until: UnixSeconds(row.try_get(4)?),
        reason: rows::required(Reason::parse, row, 5)?,
        ordered_at: UnixMillis(row.try_get(6)?),
    };
    Ok(SweepProgress {
        sweep,
        expected: Expected { sessions: count(7)?, people: count(8)?, devices: count(9)?, apps: count(10)? },
        sessions_ended: count(11)?,
        logouts_recorded: count(12)?,
        finished_at: row.try_get::<Option<i64>, _>(13)?.map(UnixMillis),
    })
}

/// A sweep on its way in.
pub(super) struct StartSweep {
    sweep: Sweep,
    expected: Expected,
}

impl Work for StartSweep {
    type Answer = ();

    async fn apply(connection: &mut SqliteConnection, work: &[Self]) -> Result<Vec<()>, StoreError> {
        for StartSweep { sweep, expected } in work {
            let (sub, client_id) = match &sweep.reach {
                Reach::Everyone => (None, None),
                Reach::App(client_id) => (None, Some(client_id.as_str())),
                Reach::Person(sub) => (Some(sub.as_str()), None),
            };
            let insert = "
                insert into sweeps (id, issuer, sub, client_id, covers_until, reason, ordered_at, expected_sessions,
                                    expected_people, expected_devices, expected_apps, stage, after)
                values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'sessions', '')";
            let query = sqlx::query(insert).bind(sweep.id.to_string()).bind(sweep.issuer.as_str()).bind(sub);
            let query = query.bind(client_id).bind(sweep.covers_until.0).bind(sweep.reason.as_str());
            let query = query
                .bind(sweep.ordered_at.0)
                .bind(tally::stored(expected.sessions))
                .bind(tally::stored(expected.people))
                .bind(tally::stored(expected.devices));
            query.bind(tally::stored(expected.apps)).execute(&mut *connection).await?;
        }
        Ok(vec![(); work.len()])
    }
}
