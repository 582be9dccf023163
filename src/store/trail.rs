//! The audit trail as it is written: with the facts, in their own transaction.
//!
//! Whatever writes a fact notes on its connection what there is to say of it. What a batch has
//! noted goes in at its end, in one statement, after the last row that is there. Of all
//! processes one at a time writes, so the chain has one end.

use serde::Serialize;

use super::error::StoreError;
use super::rows;
use super::secrets;
use super::sql::{Connection, query};
use crate::domain::audit::{AuditRow, BEFORE_THE_FIRST, Body, FORGOTTEN};
use crate::domain::clock::UnixMillis;
use crate::telemetry::LogHash;

/// The secret that names sessions and people in the log and in the trail alike.
const NAMES: &str = "log_hash";

/// How many apps one row names at most, so that a row stays some kilobytes.
const APPS_MAX: usize = 200;

/// What kind of thing a row is about. These words are in the trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A logout of its own.
    LogoutRecorded,
    /// A repeat made a logout final, or later.
    LogoutRaised,
    /// Apps were told.
    Told,
    /// Apps said that they have ended their sessions.
    Confirmed,
    /// A back end, or an issuer, took what it was sent.
    Posted,
    /// A back end, or an issuer, is not tried any more.
    GivenUp,
    /// An administrator ordered a sweep.
    SweepOrdered,
    /// A sweep has ended whom it ends.
    SweepDone,
    /// A signing key was made.
    KeyRotated,
    /// Old rows of the trail were forgotten.
    Forgotten,
}

impl Kind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::LogoutRecorded => "logout_recorded",
            Self::LogoutRaised => "logout_raised",
            Self::Told => "told",
            Self::Confirmed => "confirmed",
            Self::Posted => "posted",
            Self::GivenUp => "given_up",
            Self::SweepOrdered => "sweep_ordered",
            Self::SweepDone => "sweep_done",
            Self::KeyRotated => "key_rotated",
            Self::Forgotten => FORGOTTEN,
        }
    }
}

/// What a transaction has to say so far.
#[derive(Default)]
pub(super) struct Notes(Vec<(Kind, UnixMillis, Body)>);

impl Notes {
    /// Adds a row.
    pub(super) fn add(&mut self, kind: Kind, at: UnixMillis, body: Body) {
        self.0.push((kind, at, body));
    }

    /// Adds what happened to many apps in one commit: one row for all of them, since a row
    /// each would outweigh the receipts.
    pub(super) fn add_apps(&mut self, kind: Kind, at: UnixMillis, apps: Vec<Body>) {
        let mut apps = apps.into_iter().peekable();
        while apps.peek().is_some() {
            self.add(kind, at, Body::default().list("apps", apps.by_ref().take(APPS_MAX).collect()));
        }
    }

    /// What was noted before has failed, and was rolled back.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// The end of the trail, and what hashes names in it.
struct End {
    place: i64,
    hash: [u8; 32],
    names: LogHash,
}

impl End {
    async fn read(connection: &mut Connection, at: UnixMillis) -> Result<Self, StoreError> {
        let select = "
            select k.secret, coalesce(a.place, 0), a.hash from hub_keys k
            left join audit a on a.place = (select max(place) from audit)
            where k.name = $1";
        let Some(row) = query(select).bind(NAMES).fetch_optional(connection).await? else {
            // The very first to need it makes it.
            secrets::make(connection, NAMES, at).await?;
            return Box::pin(Self::read(connection, at)).await;
        };
        let place = row.try_get(1)?;
        let hash = if place == 0 { BEFORE_THE_FIRST } else { rows::digest(&row, 2)? };
        Ok(Self { place, hash, names: LogHash::new(rows::digest(&row, 0)?) })
    }

    fn add(&mut self, kind: Kind, at: UnixMillis, body: &Body) -> AuditRow {
        let body = body.write(&|name| self.names.of(&name));
        let row = AuditRow::next(self.place + 1, at, kind.as_str(), body, self.hash);
        (self.place, self.hash) = (row.place, row.hash);
        row
    }
}

/// A row on its way in.
#[derive(Serialize)]
struct RowIn(i64, i64, String, String, String, String);

impl From<AuditRow> for RowIn {
    fn from(row: AuditRow) -> Self {
        Self(row.place, row.at.0, row.kind, row.body, rows::hex(&row.previous), rows::hex(&row.hash))
    }
}

/// Writes what the transaction has noted.
pub(super) async fn append(connection: &mut Connection) -> Result<(), StoreError> {
    let notes = std::mem::take(&mut connection.notes.0);
    let Some((_, at, _)) = notes.first() else { return Ok(()) };
    let mut end = End::read(connection, *at).await?;
    let rows: Vec<RowIn> = notes.iter().map(|(kind, at, body)| end.add(*kind, *at, body).into()).collect();
    let insert = "
        insert into audit (place, at, kind, body, previous, hash)
        select cast(value ->> 0 as bigint), cast(value ->> 1 as bigint), value ->> 2, value ->> 3,
               unhex(value ->> 4), unhex(value ->> 5)
        from jsonb_each($1)";
    query(insert).bind(rows::json(&rows)?).execute(connection).await?;
    Ok(())
}

/// Forgets the oldest rows, at most so many of them, up to the last from before a moment, and says so in the
/// trail itself. A clock may have been wrong for a while, so rows before that one go too.
///
/// Rows that say what was forgotten go with others, never alone: or each would make another.
pub(super) async fn forget(
    connection: &mut Connection,
    before: UnixMillis,
    now: UnixMillis,
    at_most: i64,
) -> Result<u64, StoreError> {
    let select = "
        select place, hash, at, kind = $2 from audit where place in (select place from audit order by place limit $1)
        order by place";
    let found = query(select).bind(at_most).bind(FORGOTTEN).fetch_all(connection).await?;
    let (mut last, mut is_due) = (None, false);
    for row in &found {
        if row.try_get::<i64>(2)? < before.0 {
            is_due |= !row.try_get::<bool>(3)?;
            last = Some(row);
        }
    }
    let Some(last) = last.filter(|_| is_due) else { return Ok(0) };
    let (first, up_to): (i64, i64) = (found[0].try_get(0)?, last.try_get(0)?);
    let body = Body::default().text("hash", rows::hex(&rows::digest(last, 1)?)).number("up_to", up_to);
    connection.notes.add(Kind::Forgotten, now, body.number("rows", up_to - first + 1));
    append(connection).await?;
    Ok(query("delete from audit where place <= $1").bind(up_to).execute(connection).await?.rows_affected())
}
