//! Receipts as they are written: whom they wait for, and what has happened since.

use std::collections::{HashMap, HashSet};

use serde::{Serialize, Serializer};

use super::batch::Work;
use super::deliveries::{DeliveryKey, DeliveryNews, DeliveryStatus};
use super::error::StoreError;
use super::plan::Plan;
use super::rows;
use super::sql::{Connection, query};
use super::trail::Kind;
use super::trail_notes;
use crate::domain::clock::UnixMillis;
use crate::domain::ids::{ClientId, LogoutId, Sid};
use crate::domain::via::Via;

/// What has happened to some deliveries.
pub(super) struct Progress(pub(super) Vec<DeliveryNews>);

/// One row on its way into `deliveries`.
struct DeliveryRow<'a> {
    logout: i64,
    client_id: &'a str,
    sid: &'a str,
    via: Via,
    status: DeliveryStatus,
    attempts: u32,
    at: UnixMillis,
    error: Option<&'static str>,
    /// Whose it is, where it is news; and whether its logout is of a person's every session.
    news: Option<(&'a DeliveryKey, bool)>,
}

/// The app's session that a row is about: its logout, the app, the `sid`.
type About<'a> = (i64, &'a str, &'a str);

impl<'a> DeliveryRow<'a> {
    fn of(known: Known, news: &'a DeliveryNews) -> Self {
        Self {
            logout: known.position,
            client_id: news.key.client_id.as_str(),
            sid: news.key.sid.as_ref().map_or("", Sid::as_str),
            via: news.key.via,
            status: news.status,
            attempts: news.is_attempt.into(),
            at: news.at,
            error: news.error,
            news: Some((&news.key, known.is_of_person)),
        }
    }

    fn about(&self) -> About<'a> {
        (self.logout, self.client_id, self.sid)
    }

    /// Takes on later news of the same row, where that leaves nothing out. What failed has
    /// words of its own to say.
    fn take_on(&mut self, later: &Self) -> bool {
        let is_plain = self.error.is_none() && later.error.is_none();
        if is_plain {
            self.status = self.status.max(later.status);
            self.attempts += later.attempts;
            self.at = self.at.max(later.at);
        }
        is_plain
    }
}

impl Serialize for DeliveryRow<'_> {
    /// In the order that the statement takes: no names, which would outweigh most of the rest.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let (via, status) = (self.via.as_str(), self.status as u8);
        (self.logout, self.client_id, self.sid, via, status, self.attempts, self.at.0, self.error).serialize(to)
    }
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
            via: one.via,
            status: DeliveryStatus::Pending,
            attempts: 0,
            at: one.at,
            error: None,
            news: None,
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
    /// Whether any of these logouts is known.
    type Answer = bool;

    async fn apply(connection: &mut Connection, work: &[Self]) -> Result<Vec<bool>, StoreError> {
        let positions = positions(connection, work).await?;
        let known = |news: &DeliveryNews| positions.get(&(news.key.logout, news.key.issuer.as_str())).copied();
        let news = work.iter().flat_map(|one| &one.0);
        let mut rows: Vec<_> = news.filter_map(|news| Some(DeliveryRow::of(known(news)?, news))).collect();
        acknowledge_as_told(connection, &mut rows).await?;
        turn_to_sse(connection, &rows).await?;
        merge(connection, rows).await?;
        Ok(work.iter().map(|one| one.0.iter().any(|news| known(news).is_some())).collect())
    }

    fn changed_a_receipt(&self, is_known: &bool) -> bool {
        *is_known
    }
}

/// A logout that is known to its issuer.
#[derive(Clone, Copy)]
struct Known {
    position: i64,
    is_of_person: bool,
}

/// The places of the logouts that are known to their issuers. Most news of a moment are
/// about few logouts.
async fn positions<'a>(
    connection: &mut Connection,
    work: &'a [Progress],
) -> Result<HashMap<(LogoutId, &'a str), Known>, StoreError> {
    let keys = work.iter().flat_map(|one| &one.0).map(|news| (news.key.logout, news.key.issuer.as_str()));
    let asked: Vec<_> = keys.collect::<HashSet<_>>().into_iter().collect();
    let names: Vec<_> = asked.iter().map(|(logout, issuer)| (logout.to_string(), issuer)).collect();
    let select = "
        select a.key, l.seq, l.scope
        from jsonb_each($1) a
        cross join logouts l
        where l.id = a.value ->> 0 and l.issuer = a.value ->> 1";
    let found = query(select).bind(rows::json(&names)?).fetch_all(connection).await?;
    found
        .iter()
        .map(|row| {
            let known = Known { position: row.try_get(1)?, is_of_person: row.try_get::<&str>(2)? == "user" };
            Ok((*asked.get(rows::index(row, 0)?).ok_or(StoreError::Damaged)?, known))
        })
        .collect()
}

fn is_channel(via: Via) -> bool {
    matches!(via, Via::WebSocket | Via::Sse)
}

/// An app that acknowledges does so of the channel it was told on, or is expected on:
/// events can be acknowledged on a socket, and a socket's by a request. That it was told is
/// often part of the same news.
async fn acknowledge_as_told(connection: &mut Connection, rows: &mut [DeliveryRow<'_>]) -> Result<(), StoreError> {
    let told_now = rows.iter().filter(|row| row.attempts > 0 && is_channel(row.via));
    let told_now: HashSet<_> = told_now.map(|row| (row.about(), row.via)).collect();
    let is_told_now = |row: &DeliveryRow<'_>, via| told_now.contains(&(row.about(), via));
    let acks = rows.iter_mut().filter(|row| row.status == DeliveryStatus::Acknowledged && is_channel(row.via));
    let mut acks: Vec<_> = acks.filter(|row| !is_told_now(row, row.via)).collect();
    if acks.is_empty() {
        return Ok(());
    }
    let asked: Vec<_> = acks.iter().map(|row| row.about()).collect();
    let select = "
        select a.key, d.via, d.attempts
        from jsonb_each($1) a
        cross join deliveries d
        where d.logout = cast(a.value ->> 0 as bigint) and d.client_id = a.value ->> 1 and d.sid = a.value ->> 2
            and d.via in ('websocket', 'sse')";
    let mut known: HashMap<usize, Vec<(Via, bool)>> = HashMap::new();
    for row in query(select).bind(rows::json(&asked)?).fetch_all(connection).await? {
        let via = Via::from_word(row.try_get(1)?).ok_or(StoreError::Damaged)?;
        known.entry(rows::index(&row, 0)?).or_default().push((via, row.try_get::<i64>(2)? > 0));
    }
    for (place, row) in acks.iter_mut().enumerate() {
        let ways = known.remove(&place).unwrap_or_default();
        let other = if row.via == Via::Sse { Via::WebSocket } else { Via::Sse };
        let is_own = ways.iter().any(|(via, was_told)| *via == row.via && (*was_told || !is_told_now(row, other)));
        if !is_own && (is_told_now(row, other) || ways.iter().any(|(via, _)| *via == other)) {
            row.via = other;
        }
    }
    Ok(())
}

/// An app that was expected on a WebSocket and came by events instead. Its
/// acknowledgement may have been quicker than the note that it was told.
async fn turn_to_sse(connection: &mut Connection, rows: &[DeliveryRow<'_>]) -> Result<(), StoreError> {
    let by_sse = rows.iter().filter(|row| row.via == Via::Sse);
    let by_sse: Vec<_> = by_sse.map(DeliveryRow::about).collect();
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
async fn merge(connection: &mut Connection, rows: Vec<DeliveryRow<'_>>) -> Result<(), StoreError> {
    let (mut told, mut confirmed, mut at) = (Vec::new(), Vec::new(), UnixMillis(0));
    for rows in rows::rounds(folded(rows), |row| (row.about(), row.via)) {
        let changed = upsert(connection, &rows).await?;
        for (row, is_changed) in rows.iter().zip(changed) {
            let Some((key, is_of_person)) = row.news.filter(|_| is_changed) else { continue };
            at = at.max(row.at);
            if row.attempts > 0 {
                told.push(trail_notes::app(key, row.via.as_str(), is_of_person));
            }
            if row.status == DeliveryStatus::Acknowledged {
                confirmed.push(trail_notes::app(key, row.via.as_str(), is_of_person));
            }
        }
    }
    connection.notes.add_apps(Kind::Told, at, told);
    connection.notes.add_apps(Kind::Confirmed, at, confirmed);
    Ok(())
}

macro_rules! upsert {
    () => {
        "
        insert into deliveries (logout, client_id, sid, via, status, attempts, updated_at, error)
        select cast(value ->> 0 as bigint), value ->> 1, value ->> 2, value ->> 3, cast(value ->> 4 as bigint),
               cast(value ->> 5 as bigint), cast(value ->> 6 as bigint), value ->> 7
        from jsonb_each($1)
        where true -- or `on` would be read as a join's
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
            attempts = deliveries.attempts + excluded.attempts
        where excluded.status > deliveries.status or excluded.attempts > 0"
    };
}

/// Which of the rows were there otherwise before, or not at all. Each of a telling is.
async fn upsert(connection: &mut Connection, rows: &[DeliveryRow<'_>]) -> Result<Vec<bool>, StoreError> {
    let parameter = rows::json(rows)?;
    if !rows.iter().any(|row| row.status == DeliveryStatus::Acknowledged && row.attempts == 0) {
        query(upsert!()).bind(parameter).execute(connection).await?;
        return Ok(vec![true; rows.len()]);
    }
    let returning = concat!(upsert!(), " returning logout, client_id, sid, via");
    let found = query(returning).bind(parameter).fetch_all(connection).await?;
    let mut changed = HashSet::with_capacity(found.len());
    for row in &found {
        let (logout, client_id, sid): (i64, &str, &str) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        changed.insert(((logout, client_id, sid), row.try_get::<&str>(3)?));
    }
    Ok(rows.iter().map(|row| changed.contains(&(row.about(), row.via.as_str()))).collect())
}

/// An app that was told and has confirmed in one moment has one row to be changed once.
fn folded(rows: Vec<DeliveryRow<'_>>) -> Vec<DeliveryRow<'_>> {
    let mut places = HashMap::with_capacity(rows.len());
    let mut folded: Vec<DeliveryRow<'_>> = Vec::with_capacity(rows.len());
    for row in rows {
        let place = *places.entry((row.about(), row.via)).or_insert(folded.len());
        if !folded.get_mut(place).is_some_and(|earlier| earlier.take_on(&row)) {
            folded.push(row);
        }
    }
    folded
}
