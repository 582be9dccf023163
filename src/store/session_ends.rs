//! Ends of sessions that are no logouts of their own: whoever was signed out
//! everywhere was told already, but the session is over all the same, for its
//! later tokens too.

use std::collections::HashSet;

use serde::Serialize;

use super::error::StoreError;
use super::facts::Facts;
use super::rows::{self, logout_columns};
use super::sql::{Connection, query};
use crate::domain::clock::UnixSeconds;
use crate::domain::ids::{Issuer, SessionKey, Sid};

/// One of them on its way into its table.
#[derive(Serialize)]
struct EndRow<'a> {
    issuer: &'a str,
    sid: &'a str,
    logout: i64,
    is_final: u8,
    covers_until: i64,
}

/// Reads what is known of these sessions, after their logouts were read.
pub(super) async fn read(
    connection: &mut Connection,
    facts: &mut Facts,
    sessions: &HashSet<SessionKey>,
) -> Result<(), StoreError> {
    let pairs: Vec<_> = sessions.iter().map(|key| (key.issuer.as_str(), key.sid.as_str())).collect();
    let select = concat!(
        "select e.issuer, e.sid, e.is_final, e.covers_until, ",
        logout_columns!(),
        "
        from jsonb_each($1) s
        cross join session_ends e
        cross join logouts l
        where e.issuer = s.value ->> 0 and e.sid = s.value ->> 1 and l.seq = e.logout
        order by e.logout"
    );
    for row in query(select).bind(rows::json(&pairs)?).fetch_all(connection).await? {
        let issuer = rows::required(Issuer::parse, &row, 0)?;
        let key = SessionKey { issuer, sid: rows::required(Sid::parse, &row, 1)? };
        let (is_final, covers_until) = (row.try_get::<i64>(2)? != 0, UnixSeconds(row.try_get(3)?));
        let (logout, position) = rows::logout(&row, 4)?;
        facts.add_session_end(key, position, logout, is_final, covers_until);
    }
    Ok(())
}

/// Writes down those that the batch has added or raised.
pub(super) async fn write(connection: &mut Connection, facts: &Facts) -> Result<(), StoreError> {
    let ends: Vec<_> = facts
        .changed_session_ends()
        .map(|(key, held, envelope)| EndRow {
            issuer: key.issuer.as_str(),
            sid: key.sid.as_str(),
            logout: held.position.unwrap_or(0),
            is_final: envelope.is_final.into(),
            covers_until: envelope.covers_until.0,
        })
        .collect();
    if ends.is_empty() {
        return Ok(());
    }
    let insert = "
        insert into session_ends (issuer, sid, logout, is_final, covers_until)
        select value ->> 'issuer', value ->> 'sid', cast(value ->> 'logout' as bigint), cast(value ->> 'is_final' as bigint), cast(value ->> 'covers_until' as bigint)
        from jsonb_each($1)
        where true -- or `on` would be read as a join's
        on conflict (issuer, sid, logout) do update set
            is_final = max(session_ends.is_final, excluded.is_final),
            covers_until = max(session_ends.covers_until, excluded.covers_until)";
    query(insert).bind(rows::json(&ends)?).execute(connection).await?;
    Ok(())
}
