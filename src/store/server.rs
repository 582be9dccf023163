//! PostgreSQL: how the server is reached, and what it must promise.

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection, Row as _};
use tokio::time::timeout;

use super::error::StoreError;

/// How long reaching the server may take. Under the callers' deadline, so that they hear the
/// cause and not only that time ran out.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1500);

/// What every connection asks of the server. A node that is stopped in the middle of a
/// transaction must not keep all others from writing: the server ends that transaction itself.
///
/// Who waits for a lock hears of that, and not only that time ran out. What crosses the idle
/// connections keeps whatever stands in between from forgetting them.
const SETTINGS: [(&str, &str); 7] = [
    ("statement_timeout", "2000"),
    ("lock_timeout", "1500"),
    ("idle_in_transaction_session_timeout", "2000"),
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
    ("application_name", "slo-hub"),
];

/// Commits are on disk before they are answered, whatever the server's own custom. The answer
/// says whether it is the primary, and whether texts are UTF-8.
const PROMISES: &str = "
    select set_config('synchronous_commit', case current_setting('synchronous_commit')
               when 'off' then 'on' else current_setting('synchronous_commit') end, false),
           pg_is_in_recovery() or current_setting('transaction_read_only') = 'on',
           current_setting('server_encoding') = 'UTF8'";

/// Every schema change so far, in order.
static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations/postgres");

/// The server behind `postgres://user:password@host:port/database`.
pub(super) fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    let options = PgConnectOptions::from_str(url).map_err(|_| StoreError::BadUrl)?;
    Ok(options.options(SETTINGS).disable_statement_logging())
}

/// A connection to the primary.
pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
    let connecting = async {
        let mut connection = options.connect().await?;
        let row = sqlx::query(PROMISES).fetch_one(&mut connection).await?;
        let (is_standby, is_utf8): (bool, bool) = (row.try_get(1)?, row.try_get(2)?);
        match (is_standby, is_utf8) {
            (true, _) => Err(StoreError::ReadOnly),
            (_, false) => Err(StoreError::NotUtf8),
            (false, true) => Ok(connection),
        }
    };
    timeout(CONNECT_TIMEOUT, connecting).await.unwrap_or(Err(StoreError::Unreachable))
}

/// What a server is like, for whoever has to look after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerState {
    /// Its major version.
    pub version: i64,
    /// How many more connections it takes from users like the hub's.
    pub connections_left: i64,
    /// Whether the hub may make its tables where they would be made.
    pub may_make_tables: bool,
}

/// Looks at the server, and changes nothing.
pub(super) async fn look_at(url: &str) -> Result<ServerState, StoreError> {
    let mut connection = connect(&options(url)?).await?;
    let select = "
        select cast(current_setting('server_version_num') as bigint) / 10000,
               cast(current_setting('max_connections') as bigint)
                   - cast(current_setting('superuser_reserved_connections') as bigint)
                   - (select count(*) from pg_stat_activity where backend_type = 'client backend'),
               coalesce(has_schema_privilege(current_schema(), 'create'), false)";
    let row = sqlx::query(select).fetch_one(&mut connection).await?;
    Ok(ServerState { version: row.try_get(0)?, connections_left: row.try_get(1)?, may_make_tables: row.try_get(2)? })
}

/// Brings the schema up to date. Of several nodes that start at once, one does.
pub(super) async fn migrate(connection: &mut PgConnection) -> Result<(), StoreError> {
    // Changing a large table takes longer than a statement may.
    sqlx::query("select set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false)")
        .execute(&mut *connection)
        .await?;
    MIGRATIONS.run(connection).await?;
    Ok(())
}
