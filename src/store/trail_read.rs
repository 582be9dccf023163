//! The audit trail as it is read: by somebody who changes nothing, beside hubs that run.

use super::database::Database;
use super::error::StoreError;
use super::rows;
use super::sql::{Connection, Row, query};
use super::trail::Kind;
use crate::domain::audit::{AuditRow, FORGOTTEN};
use crate::domain::clock::UnixMillis;

/// How many rows are read at a time.
const PAGE: i64 = 1000;

/// Logouts of which the trail says nothing, after the first of which it does.
const MISSING_IN_A_FILE: &str = "
    with said as (select body ->> 'logout' as id from audit where kind = $1)
    select count(*) from logouts l
    where l.id not in (select id from said)
      and l.seq > coalesce((select min(known.seq) from logouts known where known.id in (select id from said)), 0)";
const MISSING_ON_A_SERVER: &str = "
    with said as (select cast(body as jsonb) ->> 'logout' as id from audit where kind = $1)
    select count(*) from logouts l
    where l.id not in (select id from said)
      and l.seq > coalesce((select min(known.seq) from logouts known where known.id in (select id from said)), 0)";

/// Why the trail cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrailError {
    /// The database cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is of an earlier version.
    #[error("the database has no audit trail yet: the hub makes it when it starts")]
    None,
    /// Rows that were still to be read are not there any more.
    #[error("a hub has forgotten rows that were just being read, for they were old enough: run this again")]
    Overtaken,
}

/// The trail, from a place on, as long as it was when it was opened. Rows are only ever added,
/// so pages need no transaction around them, and whoever reads slowly holds up nobody.
pub struct AuditTrail {
    connection: Connection,
    after: i64,
    up_to: i64,
    has_begun: bool,
}

impl AuditTrail {
    /// Opens the trail in the database that `url` names, to be read from that place on. A file
    /// has to be there.
    ///
    /// # Errors
    /// [`TrailError`].
    pub async fn open(url: &str, from: i64) -> Result<Self, TrailError> {
        let mut connection = Database::at(url, None)?.connect_to_read().await?;
        let find = if connection.is_postgres() {
            "select cast(count(*) as bigint) from pg_tables where schemaname = current_schema() and tablename = 'audit'"
        } else {
            "select count(*) from sqlite_master where type = 'table' and name = 'audit'"
        };
        if query(find).fetch_one(&mut connection).await?.try_get::<i64>(0)? == 0 {
            return Err(TrailError::None);
        }
        let row = query("select coalesce(max(place), 0) from audit").fetch_one(&mut connection).await?;
        Ok(Self { after: from.saturating_sub(1), up_to: row.try_get(0)?, has_begun: false, connection })
    }

    /// The next rows, in order; none at the end.
    ///
    /// # Errors
    /// [`TrailError`].
    pub async fn next_page(&mut self) -> Result<Vec<AuditRow>, TrailError> {
        let select = "
            select place, at, kind, body, previous, hash from audit
            where place > $1 and place <= $2 order by place limit $3";
        let query = query(select).bind(self.after).bind(self.up_to).bind(PAGE);
        let found = query.fetch_all(&mut self.connection).await?;
        let page = found.iter().map(audit_row).collect::<Result<Vec<_>, _>>()?;
        let expected = self.after + 1;
        if self.has_begun && page.first().is_some_and(|row| row.place != expected) && self.has_forgotten_since().await?
        {
            return Err(TrailError::Overtaken);
        }
        self.has_begun = true;
        self.after = page.last().map_or(self.up_to, |row| row.place);
        Ok(page)
    }

    /// How many logouts stand in the database of which the trail says nothing, though it should:
    /// those after the first that it knows of, since earlier ones may be from before there was
    /// a trail; all, where it knows of none.
    ///
    /// # Errors
    /// [`TrailError`].
    pub async fn missing_logouts(&mut self) -> Result<u64, TrailError> {
        // One statement, and so one moment: facts and rows are written in one transaction.
        let count = if self.connection.is_postgres() { MISSING_ON_A_SERVER } else { MISSING_IN_A_FILE };
        let row = query(count).bind(Kind::LogoutRecorded.as_str()).fetch_one(&mut self.connection).await?;
        Ok(u64::try_from(row.try_get::<i64>(0)?).unwrap_or(0))
    }

    /// Whether a hub says, after the end that is read to, that it has forgotten more.
    async fn has_forgotten_since(&mut self) -> Result<bool, StoreError> {
        let select = "select place from audit where kind = $1 and place > $2 limit 1";
        let query = query(select).bind(FORGOTTEN).bind(self.up_to);
        Ok(query.fetch_optional(&mut self.connection).await?.is_some())
    }
}

fn audit_row(row: &Row) -> Result<AuditRow, StoreError> {
    Ok(AuditRow {
        place: row.try_get(0)?,
        at: UnixMillis(row.try_get(1)?),
        kind: row.try_get(2)?,
        body: row.try_get(3)?,
        previous: rows::digest(row, 4)?,
        hash: rows::digest(row, 5)?,
    })
}
