//! Connections that can only read.
//!
//! Not sqlx's pool: that one pings a connection whenever it comes back, which
//! doubles the cost of the look-up every subscribe waits for.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::database::Database;
use super::error::StoreError;
use super::sql::Connection;

/// The reading connections. Those of a file are open from start to end: as long as one is
/// open, SQLite keeps the WAL, whatever becomes of the writer. Those of a server are opened
/// when they are first needed, and again after they broke.
pub(super) struct Readers {
    database: Database,
    free: Semaphore,
    /// The mutex is `std`'s because nothing awaits while holding it.
    idle: Mutex<Vec<Connection>>,
}

/// One reading connection, which goes back when dropped.
pub(super) struct Reader<'a> {
    readers: &'a Readers,
    /// `None` only while it is being dropped.
    connection: Option<Connection>,
    _turn: SemaphorePermit<'a>,
}

impl Readers {
    pub(super) async fn open(database: Database) -> Result<Self, StoreError> {
        let many = database.readers();
        let mut idle = Vec::with_capacity(many);
        if let Database::Sqlite(_) = &database {
            for _ in 0..many {
                idle.push(database.connect_to_read().await?);
            }
        }
        Ok(Self { database, free: Semaphore::new(many), idle: Mutex::new(idle) })
    }

    /// Waits for its turn.
    pub(super) async fn borrow(&self) -> Result<Reader<'_>, StoreError> {
        let turn = self.free.acquire().await.map_err(|_| StoreError::Stopped)?;
        let idle = self.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            // Seldom, and much larger than what everybody else awaits here.
            None => Box::pin(self.database.connect_to_read()).await?,
        };
        Ok(Reader { readers: self, connection: Some(connection), _turn: turn })
    }

    /// One more connection that can only read, for long work.
    pub(super) async fn one_more(&self) -> Result<Connection, StoreError> {
        self.database.connect_to_read().await
    }

    /// Closes them all; one that is in use closes when it comes back.
    pub(super) async fn close(&self) {
        self.free.close();
        let idle = std::mem::take(&mut *self.lock());
        for connection in idle {
            connection.close().await.ok();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        if self.readers.free.is_closed() {
            return;
        }
        let mut idle = self.readers.lock();
        if !connection.is_in_doubt() {
            idle.push(connection);
        } else if connection.is_postgres() {
            // What cut this one has cut the others as well, as a rule: nobody else need find out.
            idle.clear();
        }
    }
}

impl Deref for Reader<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("a reader holds its connection until dropped")
    }
}

impl DerefMut for Reader<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("a reader holds its connection until dropped")
    }
}
