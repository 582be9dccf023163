//! A copy of the file while the hub runs: `slo-hub backup`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

use super::error::StoreError;
use super::file;
use super::sql::{Connection, query};

/// What a finished backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// The size of the copy, in bytes.
    pub bytes: u64,
    /// How many logouts are in it.
    pub logouts: i64,
    /// How many sessions are in it.
    pub sessions: i64,
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is nothing to copy, or it is no file.
    #[error("there is no database at {}: the hub makes it when it starts", .0.display())]
    NoFile(PathBuf),
    /// A backup never takes the place of another file.
    #[error("{} is there already; name a file that is not", .0.display())]
    Exists(PathBuf),
    /// The new file cannot be written.
    #[error("{}: {source}", .path.display())]
    Write {
        /// The file, or its folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The database could not be read, or not all of it could be written.
    #[error("cannot copy the database: {0}")]
    Copy(StoreError),
    /// The copy was made, and is no good.
    #[error("the copy is damaged ({0}), and so, it may be, is the database; it was not kept")]
    Damaged(String),
}

/// Copies the file that `from` names (`sqlite://<path>`) to `to`, as it is at one moment. The
/// hub goes on meanwhile: whatever it acknowledged before this began is in the copy.
///
/// The copy has its name only once it is on disk, whole, and was looked through. It is readable
/// by its owner alone, like the database: it holds the keys of the hub's own tokens.
///
/// # Errors
/// [`BackupError`]. Nothing is left at `to` then.
pub async fn back_up(from: &str, to: &Path) -> Result<BackedUp, BackupError> {
    let path = file::path_of(from).map_err(BackupError::Copy)?;
    if !path.is_file() {
        return Err(BackupError::NoFile(path));
    }
    // Said again when the copy takes its name; here it saves the work.
    if to.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let draft = Draft::beside(to)?;
    copy(&path, &draft.0).await?;
    let backed_up = look_through(&draft.0).await?;
    draft.publish(to)?;
    Ok(backed_up)
}

/// One transaction that reads, so what is committed meanwhile is not in it.
async fn copy(from: &Path, to: &Path) -> Result<(), BackupError> {
    let copying = async {
        let connection = file::options_to_read(from).connect().await?;
        let mut connection = Connection::from(connection);
        query("vacuum into $1").bind(to.to_string_lossy().into_owned()).execute(&mut connection).await?;
        connection.close().await
    };
    copying.await.map_err(BackupError::Copy)
}

/// Reads every page and every index of a copy, and counts.
async fn look_through(copy: &Path) -> Result<BackedUp, BackupError> {
    let damaged = |error: StoreError| BackupError::Damaged(error.to_string());
    // Nobody else has it, so it needs no companions.
    let options = SqliteConnectOptions::new().filename(copy).read_only(true).immutable(true);
    let mut connection = Connection::from(options.connect().await.map_err(|error| damaged(error.into()))?);
    let verdict = one_text(&mut connection).await.map_err(damaged)?;
    if verdict != "ok" {
        return Err(BackupError::Damaged(verdict));
    }
    let (logouts, sessions) = counts(&mut connection).await.map_err(damaged)?;
    connection.close().await.map_err(damaged)?;
    let bytes = fs::metadata(copy).map_err(|error| cannot_write(copy, error))?.len();
    Ok(BackedUp { bytes, logouts, sessions })
}

async fn one_text(connection: &mut Connection) -> Result<String, StoreError> {
    query("pragma integrity_check(1)").fetch_one(connection).await?.try_get(0)
}

async fn counts(connection: &mut Connection) -> Result<(i64, i64), StoreError> {
    let select = "select (select count(*) from logouts), (select count(*) from sessions)";
    let row = query(select).fetch_one(connection).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

/// A file that is not finished; it goes with this, unless it was published.
struct Draft(PathBuf);

impl Draft {
    /// Empty, in the same folder: a name can be moved within a file system only.
    fn beside(to: &Path) -> Result<Self, BackupError> {
        let name = to.file_name().unwrap_or_default().to_string_lossy();
        let draft = to.with_file_name(format!(".{name}.{}.partial", std::process::id()));
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft);
        made.map_err(|error| cannot_write(to, error))?;
        Ok(Self(draft))
    }

    /// Has it on disk, then under its name, then the name on disk.
    fn publish(self, to: &Path) -> Result<(), BackupError> {
        let synced = File::open(&self.0).and_then(|file| file.sync_all());
        synced.map_err(|error| cannot_write(&self.0, error))?;
        // Unlike a renaming, a link takes no other file's place.
        match fs::hard_link(&self.0, to) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(BackupError::Exists(to.to_owned())),
            // Not every file system has links.
            Err(_) => fs::rename(&self.0, to).map_err(|error| cannot_write(to, error))?,
        }
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| cannot_write(folder, error))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        fs::remove_file(&self.0).ok();
    }
}

fn cannot_write(path: &Path, source: io::Error) -> BackupError {
    BackupError::Write { path: path.to_owned(), source }
}
