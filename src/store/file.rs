//! SQLite: how the file is made and opened.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection};

use super::error::StoreError;

/// How long SQLite itself waits for another process' lock. Under the callers'
/// deadline, so that they hear the cause and not only that time ran out.
const BUSY_TIMEOUT: Duration = Duration::from_millis(1500);

/// WAL pages before they are moved into the file: 16 MiB.
const CHECKPOINT_PAGES: &str = "4096";

/// What the WAL file is cut back to after a burst: 64 MiB.
const WAL_SIZE_LIMIT: &str = "67108864";

/// Every schema change so far, in order.
static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations/sqlite");

/// The file behind `sqlite://<path>`.
pub(super) fn path_of(url: &str) -> Result<PathBuf, StoreError> {
    let path = url.strip_prefix("sqlite://").ok_or(StoreError::BadUrl)?;
    // `?` would be read as parameters by other tools; `:memory:` keeps nothing.
    if path.is_empty() || path.contains('?') || path.contains(":memory:") {
        return Err(StoreError::BadUrl);
    }
    Ok(PathBuf::from(path))
}

/// Makes the file where there is none, readable by its owner alone. SQLite
/// gives its companions, `-wal` and `-shm`, the same permissions.
pub(super) fn create_private(path: &Path) -> Result<(), StoreError> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if directory.is_some_and(|directory| !directory.is_dir()) {
        return Err(StoreError::NoDirectory);
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(refusal) => match refusal.kind() {
            ErrorKind::AlreadyExists => Ok(()),
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Err(StoreError::ReadOnly),
            ErrorKind::StorageFull => Err(StoreError::Full),
            _ => Err(StoreError::Disk(0)),
        },
    }
}

/// How a connection is opened that only reads. It leaves the file's journal as it is: a backup
/// has another one than a hub's own file, and whoever reads it may not be able to write it.
pub(super) fn options_to_read(path: &Path) -> SqliteConnectOptions {
    opened(path).read_only(true)
}

fn opened(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .row_buffer_size(512)
        .disable_statement_logging()
}

/// How every connection is opened that may write. `max_pages` bounds the file, for tests.
pub(super) fn options(path: &Path, max_pages: Option<u32>) -> SqliteConnectOptions {
    let options = opened(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("journal_size_limit", WAL_SIZE_LIMIT);
    match max_pages {
        Some(pages) => options.pragma("max_page_count", pages.to_string()),
        None => options,
    }
}

/// Brings the schema up to date.
pub(super) async fn migrate(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    MIGRATIONS.run(connection).await?;
    Ok(())
}
