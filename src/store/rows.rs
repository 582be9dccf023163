//! Rows on their way in and out: one JSON array in, domain values out.

use std::collections::HashMap;
use std::hash::Hash;

use serde::Serialize;

use super::error::StoreError;
use super::sql::Row;
use crate::domain::clock::{UnixMillis, UnixSeconds};
/// A digest as `unhex` takes it: JSON has no bytes.
pub(super) use crate::domain::digest::hex;
use crate::domain::ids::{ClientId, Issuer, LogoutId, SessionKey, Sid, Subject, SubjectKey};
use crate::domain::logout::{Logout, LogoutTarget, Reason, Scope, Source};

/// What a token without an `auth_time` has in that column.
pub(super) const NO_AUTH_TIME: i64 = -1;

/// The columns that [`logout`] reads, of a table called `l`.
macro_rules! logout_columns {
    () => {
        "l.seq, l.id, l.issuer, l.scope, l.sid, l.sub, l.source, l.client_id, l.reason, l.is_final, \
         l.covers_until, l.occurred_at, l.recorded_at"
    };
}
pub(super) use logout_columns;

/// Rows as the one parameter of a statement, which takes them apart by `jsonb_each`.
pub(super) fn json(rows: &[impl Serialize]) -> Result<String, StoreError> {
    // Only texts and whole numbers go in, so this never fails.
    serde_json::to_string(rows).map_err(|_| StoreError::Damaged)
}

/// Names of logouts, as [`json`].
pub(super) fn logout_ids(ids: &[LogoutId]) -> Result<String, StoreError> {
    json(&ids.iter().map(|id| (id.to_string(),)).collect::<Vec<_>>())
}

/// A digest as it stands in a column.
pub(super) fn digest(row: &Row, column: usize) -> Result<[u8; 32], StoreError> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map_err(|_| StoreError::Damaged)
}

/// A count that indexes what was sent in.
pub(super) fn index(row: &Row, column: usize) -> Result<usize, StoreError> {
    usize::try_from(row.try_get::<i64>(column)?).map_err(|_| StoreError::Damaged)
}

/// The logout whose [`logout_columns!`] begin at `first`, with its place in the log.
pub(super) fn logout(row: &Row, first: usize) -> Result<(Logout, i64), StoreError> {
    let text = |column: usize| row.try_get::<Option<&str>>(first + column);
    let number = |column: usize| row.try_get::<i64>(first + column);

    let issuer = parsed(Issuer::parse, text(2)?)?.ok_or(StoreError::Damaged)?;
    let sid = parsed(Sid::parse, text(4)?)?;
    let sub = parsed(Subject::parse, text(5)?)?;
    let target = match (text(3)?.and_then(Scope::from_word), sid, sub) {
        (Some(Scope::Session), Some(sid), sub) => LogoutTarget::Session { key: SessionKey { issuer, sid }, sub },
        (Some(Scope::User), None, Some(sub)) => LogoutTarget::User(SubjectKey { issuer, sub }),
        _ => return Err(StoreError::Damaged),
    };
    let logout = Logout {
        id: parsed(LogoutId::parse, text(1)?)?.ok_or(StoreError::Damaged)?,
        target,
        source: text(6)?.and_then(Source::from_word).ok_or(StoreError::Damaged)?,
        client_id: parsed(ClientId::parse, text(7)?)?,
        reason: parsed(Reason::parse, text(8)?)?,
        is_final: number(9)? != 0,
        covers_until: UnixSeconds(number(10)?),
        occurred_at: UnixMillis(number(11)?),
        recorded_at: UnixMillis(number(12)?),
    };
    Ok((logout, number(0)?))
}

/// What a column holds, parsed again: the file may have been tampered with.
pub(super) fn parsed<T, E>(parse: impl Fn(&str) -> Result<T, E>, text: Option<&str>) -> Result<Option<T>, StoreError> {
    text.map(parse).transpose().map_err(|_| StoreError::Damaged)
}

/// A `sid` column in which '' stands for none.
pub(super) fn sid(row: &Row, column: usize) -> Result<Option<Sid>, StoreError> {
    let text: &str = row.try_get(column)?;
    parsed(Sid::parse, Some(text).filter(|text| !text.is_empty()))
}

/// An `auth_time` column in which -1 stands for none.
pub(super) fn auth_time(row: &Row, column: usize) -> Result<Option<UnixSeconds>, StoreError> {
    let seconds: i64 = row.try_get(column)?;
    Ok((seconds != NO_AUTH_TIME).then_some(UnixSeconds(seconds)))
}

/// A text column that is never null, parsed again.
pub(super) fn required<T, E>(parse: impl Fn(&str) -> Result<T, E>, row: &Row, column: usize) -> Result<T, StoreError> {
    parse(row.try_get(column)?).map_err(|_| StoreError::Damaged)
}

/// The rows in such parts that none names the same key twice, in their order: PostgreSQL
/// refuses a statement that would add one row and then change it. Nearly always one part.
pub(super) fn rounds<T, K: Eq + Hash>(rows: Vec<T>, key: impl Fn(&T) -> K) -> Vec<Vec<T>> {
    let mut named: HashMap<K, usize> = HashMap::with_capacity(rows.len());
    let mut rounds: Vec<Vec<T>> = Vec::new();
    for row in rows {
        let times = named.entry(key(&row)).or_default();
        if *times == rounds.len() {
            rounds.push(Vec::new());
        }
        rounds[*times].push(row);
        *times += 1;
    }
    rounds
}
