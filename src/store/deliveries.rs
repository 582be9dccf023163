//! The receipt: whom a logout was to reach, and how far it came.

use std::collections::HashMap;

use serde::Serialize;

use super::Store;
use super::batch::Work;
use super::error::StoreError;
use super::plan::Plan;
use super::rows;
use super::sql::{Connection, Row, query};
use crate::domain::clock::UnixMillis;
use crate::domain::ids::{ClientId, Issuer, LogoutId, Sid};
use crate::domain::via::Via;

impl Store {
    /// An app is being told of a logout, by a way that says itself how it went.
    ///
    /// # Errors
    /// Why it was not written down.
    pub async fn telling(&self, key: DeliveryKey, at: UnixMillis) -> Result<(), StoreError> {
        let telling = Progress { key, status: DeliveryStatus::Pending, is_attempt: true, error: None, at };
        self.write(telling).await.map(|_| ())
    }

    /// An app has just been told of a logout. Where it was expected on a
    /// WebSocket and came by events, its row says so.
    ///
    /// # Errors
    /// Why it was not written down.
    pub async fn told(&self, key: DeliveryKey, at: UnixMillis) -> Result<(), StoreError> {
        let told = Progress { key, status: DeliveryStatus::Delivered, is_attempt: true, error: None, at };
        self.write(told).await.map(|_| ())
    }

    /// An app says that it has ended its session. `false` where that issuer has
    /// no such logout.
    ///
    /// # Errors
    /// Why it was not written down.
    pub async fn acknowledged(&self, key: DeliveryKey, at: UnixMillis) -> Result<bool, StoreError> {
        self.write(Progress { key, status: DeliveryStatus::Acknowledged, is_attempt: false, error: None, at }).await
    }

    /// An app that was being told has not confirmed; `why` is for people. It may still.
    ///
    /// # Errors
    /// Why it was not written down.
    pub async fn unconfirmed(&self, key: DeliveryKey, why: &'static str, at: UnixMillis) -> Result<(), StoreError> {
        let failed = Progress { key, status: DeliveryStatus::Failed, is_attempt: false, error: Some(why), at };
        self.write(failed).await.map(|_| ())
    }

    /// The receipt of a logout: one line for each app and way it is reached by.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn deliveries(&self, id: LogoutId) -> Result<Vec<Delivery>, StoreError> {
        Ok(self.deliveries_of(&[id]).await?.remove(&id).unwrap_or_default())
    }

    /// The receipts of logouts, all at once. One that is not known, or reaches nobody, has
    /// none.
    ///
    /// # Errors
    /// Why they could not be read.
    pub async fn deliveries_of(&self, ids: &[LogoutId]) -> Result<HashMap<LogoutId, Vec<Delivery>>, StoreError> {
        self.read(async { receipts(&mut *self.reader().await?, ids).await }).await
    }
}

/// How far a delivery came, from least to most done. It never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DeliveryStatus {
    /// Not yet told.
    Pending,
    /// Told in vain.
    Failed,
    /// Told; no word from the app.
    Delivered,
    /// The app says that it has ended its session.
    Acknowledged,
}

impl DeliveryStatus {
    const ALL: [Self; 4] = [Self::Pending, Self::Failed, Self::Delivered, Self::Acknowledged];

    /// The word for it, on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Acknowledged => "acknowledged",
        }
    }
}

/// One app, reached by one way: a line of the receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The app.
    pub client_id: ClientId,
    /// How it is reached.
    pub via: Via,
    /// Of all its sessions that the logout ends, the least done.
    pub status: DeliveryStatus,
    /// How often it was told, over all of them.
    pub attempts: u32,
    /// When that last changed.
    pub updated_at: UnixMillis,
    /// Why telling it failed, where it did.
    pub error: Option<String>,
    /// Whether any of it is about a session of the app's. A back end that follows the
    /// log of its issuer hears of every logout, its own or not.
    pub is_of_session: bool,
}

/// One delivery of one logout: to an app's session, or to an app's back end.
#[derive(Clone, Debug)]
pub struct DeliveryKey {
    /// Whose logout it is; under another issuer's name it is not found.
    pub issuer: Issuer,
    /// The logout.
    pub logout: LogoutId,
    /// The app.
    pub client_id: ClientId,
    /// The session it was told of; `None` for a back end, told once for all.
    pub sid: Option<Sid>,
    /// How.
    pub via: Via,
}

/// Something has happened to a delivery.
pub(super) struct Progress {
    pub(super) key: DeliveryKey,
    pub(super) status: DeliveryStatus,
    /// Whether the app was told just now.
    pub(super) is_attempt: bool,
    pub(super) error: Option<&'static str>,
    pub(super) at: UnixMillis,
}

/// One row on its way into `deliveries`.
#[derive(Serialize)]
struct DeliveryRow<'a> {
    logout: i64,
    client_id: &'a str,
    sid: &'a str,
    via: &'static str,
    status: u8,
    attempts: u8,
    at: i64,
    error: Option<&'static str>,
}

/// Writes a pending row for each app that a logout waits for.
pub(super) async fn expect(connection: &mut Connection, plan: &Plan<'_>) -> Result<(), StoreError> {
    let rows: Vec<_> = plan
        .expected
        .iter()
        .map(|one| DeliveryRow {
            logout: one.position,
            client_id: one.client_id.as_str(),
            sid: one.sid.map_or("", Sid::as_str),
            via: one.via.as_str(),
            status: DeliveryStatus::Pending as u8,
            attempts: 0,
            at: one.at.0,
            error: None,
        })
        .collect();
    merge(connection, rows).await?;
    forget_told_of_all(connection, &plan.told_of_all).await
}

/// Apps that were waited for session by session, and are told of all at once.
async fn forget_told_of_all(connection: &mut Connection, told_of_all: &[(i64, &ClientId)]) -> Result<(), StoreError> {
    if told_of_all.is_empty() {
        return Ok(());
    }
    let apps: Vec<_> = told_of_all.iter().map(|(position, client_id)| (position, client_id.as_str())).collect();
    let delete = "
        delete from deliveries as d
        where (d.logout, d.client_id) in (
            select cast(value ->> 0 as bigint), value ->> 1 from jsonb_each($1)
        )
            and d.via = 'backchannel' and d.sid <> '' and d.status = 0
            and not exists (
                select 1 from outbox o
                where o.logout = d.logout and o.client_id = d.client_id and o.sid = d.sid
            )";
    query(delete).bind(rows::json(&apps)?).execute(connection).await?;
    Ok(())
}

impl Work for Progress {
    /// Whether that issuer has that logout.
    type Answer = bool;

    async fn apply(connection: &mut Connection, work: &[Self]) -> Result<Vec<bool>, StoreError> {
        let positions = positions(connection, work).await?;
        let known = work.iter().enumerate().filter_map(|(place, one)| Some((*positions.get(&place)?, one)));
        let mut rows: Vec<_> = known.map(|(position, one)| one.row(position)).collect();
        acknowledge_as_told(connection, &mut rows).await?;
        turn_to_sse(connection, &rows).await?;
        merge(connection, rows).await?;
        Ok((0..work.len()).map(|place| positions.contains_key(&place)).collect())
    }

    fn changed_a_receipt(&self, is_known: &bool) -> bool {
        *is_known
    }
}

impl Progress {
    fn row(&self, position: i64) -> DeliveryRow<'_> {
        DeliveryRow {
            logout: position,
            client_id: self.key.client_id.as_str(),
            sid: self.key.sid.as_ref().map_or("", Sid::as_str),
            via: self.key.via.as_str(),
            status: self.status as u8,
            attempts: self.is_attempt.into(),
            at: self.at.0,
            error: self.error,
        }
    }
}

/// The places of the logouts that are known, by their place in `work`.
async fn positions(connection: &mut Connection, work: &[Progress]) -> Result<HashMap<usize, i64>, StoreError> {
    let asked: Vec<_> = work.iter().map(|one| (one.key.logout.to_string(), one.key.issuer.as_str())).collect();
    let select = "
        select a.key, l.seq
        from jsonb_each($1) a
        cross join logouts l
        where l.id = a.value ->> 0 and l.issuer = a.value ->> 1";
    let found = query(select).bind(rows::json(&asked)?).fetch_all(connection).await?;
    found.iter().map(|row| Ok((rows::index(row, 0)?, row.try_get(1)?))).collect()
}

/// An app that acknowledges does so of the channel it was told on, or is expected on:
/// events can be acknowledged on a socket, and a socket's by a request.
async fn acknowledge_as_told(connection: &mut Connection, rows: &mut [DeliveryRow<'_>]) -> Result<(), StoreError> {
    let is_channel = |via: &str| [Via::WebSocket, Via::Sse].iter().any(|channel| channel.as_str() == via);
    let acks = rows.iter_mut().filter(|row| row.status == DeliveryStatus::Acknowledged as u8 && is_channel(row.via));
    let mut acks: Vec<_> = acks.collect();
    if acks.is_empty() {
        return Ok(());
    }
    let asked: Vec<_> = acks.iter().map(|row| (row.logout, row.client_id, row.sid)).collect();
    let select = "
        select a.key, d.via
        from jsonb_each($1) a
        cross join deliveries d
        where d.logout = cast(a.value ->> 0 as bigint) and d.client_id = a.value ->> 1 and d.sid = a.value ->> 2
            and d.via in ('websocket', 'sse')";
    let mut told: HashMap<usize, Vec<Via>> = HashMap::new();
    for row in query(select).bind(rows::json(&asked)?).fetch_all(connection).await? {
        let via = Via::from_word(row.try_get(1)?).ok_or(StoreError::Damaged)?;
        told.entry(rows::index(&row, 0)?).or_default().push(via);
    }
    for (place, ways) in told {
        let Some(row) = acks.get_mut(place) else { continue };
        if ways.iter().all(|via| via.as_str() != row.via) {
            row.via = ways.first().map_or(row.via, |via| via.as_str());
        }
    }
    Ok(())
}

/// An app that was expected on a WebSocket and came by events instead. Its
/// acknowledgement may have been quicker than the note that it was told.
async fn turn_to_sse(connection: &mut Connection, rows: &[DeliveryRow<'_>]) -> Result<(), StoreError> {
    let by_sse = rows.iter().filter(|row| row.via == Via::Sse.as_str());
    let by_sse: Vec<_> = by_sse.map(|row| (row.logout, row.client_id, row.sid)).collect();
    if by_sse.is_empty() {
        return Ok(());
    }
    let update = "
        update deliveries as d set via = 'sse'
        where (d.logout, d.client_id, d.sid) in (
            select cast(value ->> 0 as bigint), value ->> 1, value ->> 2 from jsonb_each($1)
        )
            and d.via = 'websocket' and d.status in (0, 3) and d.attempts = 0
            and not exists (
                select 1 from deliveries s
                where s.logout = d.logout and s.client_id = d.client_id and s.sid = d.sid and s.via = 'sse'
            )";
    query(update).bind(rows::json(&by_sse)?).execute(connection).await?;
    Ok(())
}

/// Adds rows, or moves on those that are there. A status only grows, so that
/// late and repeated news do no harm.
async fn merge<'a>(connection: &mut Connection, rows: Vec<DeliveryRow<'a>>) -> Result<(), StoreError> {
    let insert = "
        insert into deliveries (logout, client_id, sid, via, status, attempts, updated_at, error)
        select cast(value ->> 'logout' as bigint), value ->> 'client_id', value ->> 'sid', value ->> 'via', cast(value ->> 'status' as bigint),
               cast(value ->> 'attempts' as bigint), cast(value ->> 'at' as bigint), value ->> 'error'
        from jsonb_each($1)
        where true -- or `on` would be read as a join's
        order by key
        on conflict (logout, client_id, sid, via) do update set
            error = case
                when excluded.status > deliveries.status
                    or (excluded.status = deliveries.status and excluded.attempts > 0) then excluded.error
                else deliveries.error
            end,
            updated_at = case
                when excluded.status > deliveries.status or excluded.attempts > 0
                    then max(deliveries.updated_at, excluded.updated_at)
                else deliveries.updated_at
            end,
            status = max(deliveries.status, excluded.status),
            attempts = deliveries.attempts + excluded.attempts";
    let key = |row: &DeliveryRow<'a>| (row.logout, row.client_id, row.sid, row.via);
    for rows in rows::rounds(rows, key) {
        query(insert).bind(rows::json(&rows)?).execute(connection).await?;
    }
    Ok(())
}

/// The receipts of logouts: one line for each app and way.
async fn receipts(
    connection: &mut Connection,
    ids: &[LogoutId],
) -> Result<HashMap<LogoutId, Vec<Delivery>>, StoreError> {
    let select = "
        select d.client_id, d.via, min(d.status), cast(sum(d.attempts) as bigint), max(d.updated_at), max(d.error),
               count(nullif(d.sid, '')), l.id
        from logouts l
        cross join deliveries d
        where d.logout = l.seq and l.id in (select value ->> 0 from jsonb_each($1))
        group by d.logout, l.id, d.client_id, d.via
        order by d.logout, d.client_id, d.via";
    let lines = query(select).bind(rows::logout_ids(ids)?).fetch_all(connection).await?;
    let mut receipts: HashMap<_, Vec<_>> = HashMap::with_capacity(ids.len());
    for line in &lines {
        receipts.entry(rows::required(LogoutId::parse, line, 7)?).or_default().push(delivery(line)?);
    }
    Ok(receipts)
}

fn delivery(row: &Row) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        client_id: rows::required(ClientId::parse, row, 0)?,
        via: Via::from_word(row.try_get(1)?).ok_or(StoreError::Damaged)?,
        status: *DeliveryStatus::ALL.get(rows::index(row, 2)?).ok_or(StoreError::Damaged)?,
        attempts: row.try_get::<i64>(3)?.try_into().unwrap_or(u32::MAX),
        updated_at: UnixMillis(row.try_get(4)?),
        error: row.try_get(5)?,
        is_of_session: row.try_get::<i64>(6)? != 0,
    })
}
