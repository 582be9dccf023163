//! What one node at a time does. A lease ends by itself where its node has died; only the
//! server's own clock says when.

use std::time::Duration;

use super::error::StoreError;
use super::rows;
use super::sql::{Connection, query};
use crate::domain::session_life::millis;

/// Takes each of these leases, or keeps it, for so long; says which of them are `holder`'s then.
pub(super) async fn take(
    connection: &mut Connection,
    names: &[&str],
    holder: &str,
    span: Duration,
) -> Result<Vec<String>, StoreError> {
    let names: Vec<_> = names.iter().map(|name| (name,)).collect();
    let upsert = "
        insert into leases (name, holder, good_until)
        select value ->> 0, $2, database_time() + $3 from jsonb_each($1)
        on conflict (name) do update set holder = excluded.holder, good_until = excluded.good_until
        where leases.holder = excluded.holder or leases.good_until <= database_time()
        returning name";
    let taken = query(upsert).bind(rows::json(&names)?).bind(holder).bind(millis(span));
    taken.fetch_all(connection).await?.iter().map(|row| row.try_get(0)).collect()
}

/// Lets another node have it at once.
pub(super) async fn let_go(connection: &mut Connection, name: &str, holder: &str) -> Result<(), StoreError> {
    let delete = "delete from leases where name = $1 and holder = $2";
    query(delete).bind(name).bind(holder).execute(connection).await.map(|_| ())
}

/// The same of all that a node holds.
pub(super) async fn let_all_go(connection: &mut Connection, holder: &str) -> Result<(), StoreError> {
    query("delete from leases where holder = $1").bind(holder).execute(connection).await.map(|_| ())
}

/// How many other nodes are there.
pub(super) async fn others(connection: &mut Connection, holder: &str) -> Result<usize, StoreError> {
    let select = "
        select count(*) from leases
        where name like 'node %' and holder <> $1 and good_until > database_time()";
    rows::index(&query(select).bind(holder).fetch_one(connection).await?, 0)
}

/// Forgets what ended long ago: the names of nodes that are gone.
pub(super) async fn forget(connection: &mut Connection) -> Result<u64, StoreError> {
    let delete = "delete from leases where good_until < database_time() - 24 * 3600 * 1000";
    Ok(query(delete).execute(connection).await?.rows_affected())
}
