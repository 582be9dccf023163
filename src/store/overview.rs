//! What an operator looks at first: how much there was of late, and who has not confirmed.

use super::Store;
use super::error::StoreError;
use super::rows;
use super::sql::{Row, query};
use crate::domain::clock::{UnixMillis, UnixSeconds};
use crate::domain::ids::{ClientId, Issuer};

/// How far back in the log unconfirmed deliveries are looked for at most, in places: a busy
/// hour must not cost the hub a walk over all of it.
const LOOKED_AT: i64 = 5_000;

/// How many of the latest sightings say when an app was last seen.
const SIGHTINGS: i64 = 2_000;

impl Store {
    /// How many logouts were recorded of late.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn pace(&self, now: UnixMillis) -> Result<Pace, StoreError> {
        let select = "
            select count(case when recorded_at > $1 then 1 end), count(*), max(recorded_at)
            from logouts where recorded_at > $2";
        self.read(async {
            let query = query(select).bind(now.plus_seconds(-60).0).bind(now.plus_seconds(-3_600).0);
            let row = query.fetch_one(&mut *self.reader().await?).await?;
            let latest = row.try_get::<Option<i64>>(2)?.map(UnixMillis);
            Ok(Pace { last_minute: count(&row, 0)?, last_hour: count(&row, 1)?, latest })
        })
        .await
    }

    /// The apps that have not confirmed a logout which was recorded since then, among the
    /// newest few thousand logouts; those with the most failures first.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn unconfirmed_since(&self, since: UnixMillis) -> Result<Vec<Unconfirmed>, StoreError> {
        let select = "
            select l.issuer, d.client_id,
                   count(case when d.status = 0 then 1 end), count(case when d.status = 1 then 1 end),
                   count(case when d.status = 2 then 1 end)
            from logouts l
            cross join deliveries d
            where d.logout = l.seq and l.recorded_at > $1 and d.status < 3
                and l.seq > (select coalesce(max(seq), 0) from logouts) - $2
            group by l.issuer, d.client_id
            order by 4 desc, 5 desc, 3 desc, d.client_id";
        self.read(async {
            let query = query(select).bind(since.0).bind(LOOKED_AT);
            let found = query.fetch_all(&mut *self.reader().await?).await?;
            found.iter().map(Unconfirmed::read).collect()
        })
        .await
    }

    /// When the apps whose tokens were seen latest were last seen, to a day at worst. One that
    /// is not among the latest sightings of all is left out.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn last_sightings(&self) -> Result<Vec<(Issuer, ClientId, UnixSeconds)>, StoreError> {
        let select = "
            select issuer, client_id, max(last_seen_at) from (
                select issuer, client_id, last_seen_at from seen_tokens order by last_seen_at desc limit $1
            ) s
            group by issuer, client_id";
        self.read(async {
            let found = query(select).bind(SIGHTINGS).fetch_all(&mut *self.reader().await?).await?;
            let read = |row: &Row| {
                let app = (rows::required(Issuer::parse, row, 0)?, rows::required(ClientId::parse, row, 1)?);
                Ok((app.0, app.1, UnixSeconds(row.try_get(2)?)))
            };
            found.iter().map(read).collect()
        })
        .await
    }
}

/// How many logouts were recorded of late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// In the last minute.
    pub last_minute: u64,
    /// In the last hour.
    pub last_hour: u64,
    /// When the latest of that hour was.
    pub latest: Option<UnixMillis>,
}

/// An app that has not confirmed everything: lines of receipts, by how far they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unconfirmed {
    /// The app's issuer.
    pub issuer: Issuer,
    /// The app.
    pub client_id: ClientId,
    /// Not told yet: the app is away, or its turn is still to come.
    pub pending: u64,
    /// Told in vain.
    pub failed: u64,
    /// Told, and has not answered.
    pub unanswered: u64,
}

impl Unconfirmed {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            issuer: rows::required(Issuer::parse, row, 0)?,
            client_id: rows::required(ClientId::parse, row, 1)?,
            pending: count(row, 2)?,
            failed: count(row, 3)?,
            unanswered: count(row, 4)?,
        })
    }
}

/// A count, which is never negative.
pub(super) fn count(row: &Row, column: usize) -> Result<u64, StoreError> {
    u64::try_from(row.try_get::<i64>(column)?).map_err(|_| StoreError::Damaged)
}
