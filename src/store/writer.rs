//! The one that writes: whatever waits goes into one transaction.
//!
//! A commit with `synchronous=FULL` costs a trip to the disk, whether it holds
//! one row or a thousand. So while one commit is under way the next commands
//! gather, and then share theirs. Nobody waits for company: a lone command is
//! committed at once.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::batch::{Batch, Command, Outlets};
use super::error::StoreError;
use super::readers::Readers;
use super::rows;
use crate::tasks::Tasks;

/// The most commands that share one transaction.
const BATCH_MAX: usize = 512;

/// How long the writer still serves after the hub began to stop, for those who
/// are just finishing. [`super::Store::close`] does not wait for it.
const LAST_CALL: Duration = Duration::from_secs(10);

/// What the writer has done since it started, for metrics.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) commands: AtomicU64,
    pub(super) commits: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) busy_micros: AtomicU64,
}

/// The task that owns the writing connection.
pub(super) struct Writer {
    pub(super) options: SqliteConnectOptions,
    /// `None` after a failure that leaves the connection in doubt.
    pub(super) connection: Option<SqliteConnection>,
    pub(super) readers: Arc<Readers>,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) outlets: Outlets,
    pub(super) tally: Arc<Tally>,
    pub(super) closing: CancellationToken,
    /// Cancelled when the file is closed, also if the task should panic.
    pub(super) closed: tokio_util::sync::DropGuard,
}

impl Writer {
    /// Writes until the store is closed, the hub stops or nobody can ask any
    /// more; then finishes what is queued and closes the file.
    pub(super) async fn run(mut self, tasks: Tasks) {
        let closing = self.closing.clone();
        let mut last_call = pin!(async move {
            tokio::select! {
                () = closing.cancelled() => {}
                () = async { tasks.stopping().await; sleep(LAST_CALL).await } => {}
            }
        });
        let mut is_closing = false;
        loop {
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(first) => self.write(first).await,
                    None => break,
                },
                () = &mut last_call, if !is_closing => {
                    is_closing = true;
                    self.commands.close();
                }
            }
        }
        self.close().await;
    }

    /// Takes what waits along with `first`, and answers all of it.
    async fn write(&mut self, first: Command) {
        let mut batch = Batch::default();
        batch.push(first);
        while batch.len() < BATCH_MAX
            && let Ok(next) = self.commands.try_recv()
        {
            batch.push(next);
        }

        let started = Instant::now();
        self.tally.commands.fetch_add(batch.len() as u64, Relaxed);
        let mut outcome = self.commit(&mut batch).await;
        if outcome == Err(StoreError::Full) && self.make_room().await {
            outcome = self.commit(&mut batch).await;
        }
        match outcome {
            Err(refusal) if refusal.is_one_commands_fault() && batch.len() > 1 => self.write_one_by_one(batch).await,
            outcome => batch.answer(outcome, &self.outlets),
        }
        self.tally.busy_micros.fetch_add(u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    /// One transaction for the batch: all of it, or nothing.
    async fn commit(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        let outcome = match self.begin().await {
            Ok(connection) => match batch.apply(connection).await {
                Ok(()) => rows::run(connection, "commit").await,
                Err(refusal) => Err(refusal),
            },
            Err(refusal) => Err(refusal),
        };
        self.settle(outcome).await
    }

    /// What stands in the WAL may have room in the file, where rows were forgotten.
    async fn make_room(&mut self) -> bool {
        match &mut self.connection {
            Some(connection) => rows::run(connection, "pragma wal_checkpoint(truncate)").await.is_ok(),
            None => false,
        }
    }

    /// After some command of a batch failed: each behind a savepoint, so that it
    /// alone pays. Seldom, and still one commit.
    async fn write_one_by_one(&mut self, batch: Batch) {
        let mut singles: Vec<_> = batch.one_by_one().into_iter().map(|single| (single, Ok(()))).collect();
        let outcome = match self.begin().await {
            Ok(connection) => apply_each(connection, &mut singles).await,
            Err(refusal) => Err(refusal),
        };
        let outcome = self.settle(outcome).await;
        for (single, own) in singles {
            single.answer(outcome.and(own), &self.outlets);
        }
    }

    async fn begin(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        let connection = self.connection.insert(connection);
        rows::run(connection, "begin immediate").await?;
        Ok(connection)
    }

    /// After a failure nothing may be left open: SQLite has rolled some of them
    /// back by itself, and where the connection is in doubt, a new one follows.
    async fn settle(&mut self, outcome: Result<(), StoreError>) -> Result<(), StoreError> {
        match outcome {
            Ok(()) => {
                self.tally.commits.fetch_add(1, Relaxed);
            }
            Err(refusal) => {
                self.tally.failures.fetch_add(1, Relaxed);
                if refusal.spoils_connection() {
                    self.connection = None;
                } else if let Some(connection) = &mut self.connection {
                    rows::run(connection, "rollback").await.ok();
                }
            }
        }
        outcome
    }

    /// Moves the WAL into the file, so that one file is all there is.
    async fn close(mut self) {
        self.readers.close().await;
        if let Some(mut connection) = self.connection.take() {
            let moved = rows::run(&mut connection, "pragma wal_checkpoint(truncate)").await;
            if moved.is_err() | connection.close().await.is_err() {
                tracing::warn!("the database could not be tidied up; nothing is lost, the next start does it");
            }
        }
        drop(self.closed);
    }
}

/// Commits what succeeds. An error is one that nothing can succeed after.
async fn apply_each(
    connection: &mut SqliteConnection,
    singles: &mut [(Batch, Result<(), StoreError>)],
) -> Result<(), StoreError> {
    for (single, outcome) in singles {
        rows::run(connection, "savepoint one_command").await?;
        *outcome = single.apply(connection).await;
        match *outcome {
            Ok(()) => {}
            Err(refusal) if refusal.is_one_commands_fault() => {
                rows::run(connection, "rollback to one_command").await?;
            }
            Err(refusal) => return Err(refusal),
        }
        rows::run(connection, "release one_command").await?;
    }
    rows::run(connection, "commit").await
}
