//! Everything goes from a file to a server: `slo-hub migrate`.
//!
//! It is one transaction there, so whatever goes wrong, nothing has been moved, and it can be
//! begun anew. The file is only read, and kept from every hub meanwhile.

use std::path::PathBuf;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteLockingMode;

use super::database::Database;
use super::error::StoreError;
use super::file;
use super::migrate_tables::{TABLES, Table};
use super::sql::{Connection, Row, query};
use crate::config::is_of_a_server;

/// How many rows travel at a time.
const PAGE: usize = 1000;

/// One table, moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Its name.
    pub table: &'static str,
    /// How many rows are there now: as many as in the file.
    pub rows: i64,
}

/// Why nothing was moved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoveError {
    /// There is nothing to move, or it is no file.
    #[error("store.url must name the file to move from: {} is none", .0.display())]
    NoFile(PathBuf),
    /// Another process has the file open.
    #[error("the file is in use: stop the hub first (`fuser` on the file says which process has it open)")]
    InUse,
    /// Not a server.
    #[error("--to must name a PostgreSQL database: postgres://user:password@host:port/database")]
    NotAServer,
    /// Somebody has used the database already, or everything was moved there before.
    #[error("the table {0} has rows in the new database already: it must be an empty one")]
    NotEmpty(&'static str),
    /// What arrived is not what was sent.
    #[error("of the table {table}, {sent} rows were sent and {arrived} arrived; nothing was moved")]
    Lost {
        /// Which.
        table: &'static str,
        /// How many the file has.
        sent: i64,
        /// How many the server has.
        arrived: i64,
    },
    /// The file cannot be read.
    #[error("the old database: {0}")]
    Old(StoreError),
    /// The server does not take it.
    #[error("the new database: {0}; nothing was moved")]
    New(StoreError),
    /// The server went away while it was told to keep everything.
    #[error("it is not known whether everything was moved ({0}): run this again, and it says so")]
    InDoubt(StoreError),
}

/// Moves everything from the file that `from` names (`sqlite://<path>`) to the empty database
/// that `to` names (`postgres://…`). Every place in the log and in the outbox stays what it
/// was, and none of them is given out again.
///
/// # Errors
/// [`MoveError`]. Nothing was moved then, but for [`MoveError::InDoubt`].
pub async fn move_to_server(from: &str, to: &str) -> Result<Vec<Moved>, MoveError> {
    let mut old = open_old(from).await?;
    let mut new = open_new(to).await?;
    let moved = move_all(&mut old, &mut new).await?;
    new.run("commit").await.map_err(MoveError::InDoubt)?;
    new.close().await.ok();
    // A file that cannot be tidied up is as good as it was.
    old.close().await.ok();
    Ok(moved)
}

/// The file, for this process alone: as long as another has it open, SQLite refuses.
async fn open_old(from: &str) -> Result<Connection, MoveError> {
    let path = file::path_of(from).map_err(|_| MoveError::NoFile(PathBuf::from("a server")))?;
    if !path.is_file() {
        return Err(MoveError::NoFile(path));
    }
    let in_use = |error: StoreError| if error == StoreError::Locked { MoveError::InUse } else { MoveError::Old(error) };
    let options = file::options(&path, None).locking_mode(SqliteLockingMode::Exclusive);
    let mut connection = options.connect().await.map_err(|error| in_use(error.into()))?;
    file::migrate(&mut connection).await.map_err(in_use)?;
    Ok(connection.into())
}

/// The server, in a transaction that nobody else writes beside.
async fn open_new(to: &str) -> Result<Connection, MoveError> {
    if !is_of_a_server(to) {
        return Err(MoveError::NotAServer);
    }
    let database = Database::at(to, None).map_err(MoveError::New)?;
    let opening = async {
        let mut connection = database.open().await?;
        // It takes as long as it takes.
        connection.run("set statement_timeout = 0").await?;
        connection.run("set idle_in_transaction_session_timeout = 0").await?;
        connection.begin_writing().await?;
        Ok(connection)
    };
    opening.await.map_err(MoveError::New)
}

async fn move_all(old: &mut Connection, new: &mut Connection) -> Result<Vec<Moved>, MoveError> {
    for table in TABLES {
        if count(new, table).await.map_err(MoveError::New)? > 0 {
            return Err(MoveError::NotEmpty(table.name));
        }
    }
    let mut moved = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        move_table(old, new, table).await?;
        let sent = count(old, table).await.map_err(MoveError::Old)?;
        let arrived = count(new, table).await.map_err(MoveError::New)?;
        if sent != arrived {
            return Err(MoveError::Lost { table: table.name, sent, arrived });
        }
        moved.push(Moved { table: table.name, rows: arrived });
    }
    go_on_counting(old, new).await?;
    Ok(moved)
}

async fn move_table(old: &mut Connection, new: &mut Connection, table: &Table) -> Result<(), MoveError> {
    let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
    let mut page = texts(query(table.first).bind(limit).fetch_all(old).await).map_err(MoveError::Old)?;
    while let Some(last) = page.last() {
        let rows = format!("[{}]", page.join(","));
        query(table.insert).bind(rows).execute(new).await.map_err(MoveError::New)?;
        if page.len() < PAGE {
            break;
        }
        page = texts(query(table.next).bind(limit).bind(last).fetch_all(old).await).map_err(MoveError::Old)?;
    }
    Ok(())
}

/// What a file has ever given out, also to rows that are gone, is not given out anew.
async fn go_on_counting(old: &mut Connection, new: &mut Connection) -> Result<(), MoveError> {
    let select = "select name, seq from sqlite_sequence where name in ('logouts', 'outbox', 'sweeps') and seq > 0";
    let given_out = query(select).fetch_all(old).await.map_err(MoveError::Old)?;
    for row in &given_out {
        let (name, last): (&str, i64) =
            (row.try_get(0).map_err(MoveError::Old)?, row.try_get(1).map_err(MoveError::Old)?);
        let column = if name == "outbox" { "id" } else { "seq" };
        let set = "select setval(pg_get_serial_sequence($1, $2), $3)";
        query(set).bind(name).bind(column).bind(last).fetch_one(new).await.map_err(MoveError::New)?;
    }
    Ok(())
}

async fn count(connection: &mut Connection, table: &Table) -> Result<i64, StoreError> {
    query(table.count).fetch_one(connection).await?.try_get(0)
}

fn texts(found: Result<Vec<Row>, StoreError>) -> Result<Vec<String>, StoreError> {
    found?.iter().map(|row| row.try_get(0)).collect()
}
