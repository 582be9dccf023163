//! Connections that can only read.
//!
//! Not sqlx's pool: that one pings a connection whenever it comes back, which
//! doubles the cost of the look-up every subscribe waits for.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::error::StoreError;

/// How many. In WAL mode they never wait for the writer, only for each other.
const READERS: usize = 2;

/// The reading connections, open from start to end: as long as one is open,
/// SQLite keeps the WAL, whatever becomes of the writer.
pub(super) struct Readers {
    options: SqliteConnectOptions,
    free: Semaphore,
    /// The mutex is `std`'s because nothing awaits while holding it.
    idle: Mutex<Vec<SqliteConnection>>,
}

/// One reading connection, which goes back when dropped.
pub(super) struct Reader<'a> {
    readers: &'a Readers,
    /// `None` only while it is being dropped.
    connection: Option<SqliteConnection>,
    _turn: SemaphorePermit<'a>,
}

impl Readers {
    pub(super) async fn open(options: SqliteConnectOptions) -> Result<Self, StoreError> {
        let options = options.read_only(true);
        let mut idle = Vec::with_capacity(READERS);
        for _ in 0..READERS {
            idle.push(options.connect().await?);
        }
        Ok(Self { options, free: Semaphore::new(READERS), idle: Mutex::new(idle) })
    }

    /// Waits for its turn.
    pub(super) async fn borrow(&self) -> Result<Reader<'_>, StoreError> {
        let turn = self.free.acquire().await.map_err(|_| StoreError::Stopped)?;
        // Whoever holds a permit finds a connection: there are as many of both.
        let connection = self.lock().pop().ok_or(StoreError::Stopped)?;
        Ok(Reader { readers: self, connection: Some(connection), _turn: turn })
    }

    /// One more connection that can only read, for long work.
    pub(super) async fn one_more(&self) -> Result<SqliteConnection, StoreError> {
        Ok(self.options.connect().await?)
    }

    /// Closes them all; one that is in use closes when it comes back.
    pub(super) async fn close(&self) {
        self.free.close();
        let idle = std::mem::take(&mut *self.lock());
        for connection in idle {
            connection.close().await.ok();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<SqliteConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if !self.readers.free.is_closed() {
            self.readers.lock().extend(self.connection.take());
        }
    }
}

impl Deref for Reader<'_> {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        self.connection.as_ref().expect("a reader holds its connection until dropped")
    }
}

impl DerefMut for Reader<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.connection.as_mut().expect("a reader holds its connection until dropped")
    }
}
