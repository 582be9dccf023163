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

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};

use super::batch::{Batch, Command, Outlets};
use super::database::Database;
use super::error::StoreError;
use super::nodes::Nodes;
use super::readers::Readers;
use super::sql::Connection;
use crate::tasks::Tasks;
use crate::telemetry::spans::{Origin, span};

/// The most commands that share one transaction.
const BATCH_MAX: usize = 512;

/// The most traces that the span of a batch names.
const LINKS_MAX: usize = 64;

/// The longest that a transaction may take. Longer than any statement, and than its caller waits.
const SILENCE: Duration = Duration::from_secs(5);

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

/// A command, and what it belongs to.
pub(super) struct Asked {
    pub(super) command: Command,
    pub(super) origin: Origin,
}

/// The task that owns the writing connection.
pub(super) struct Writer {
    pub(super) database: Database,
    /// `None` after a failure that leaves the connection in doubt.
    pub(super) connection: Option<Connection>,
    pub(super) readers: Arc<Readers>,
    pub(super) commands: mpsc::Receiver<Asked>,
    pub(super) outlets: Outlets,
    /// The other nodes, where there can be some.
    pub(super) nodes: Option<Arc<Nodes>>,
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
    async fn write(&mut self, first: Asked) {
        let mut batch = Batch::default();
        let mut origins = Vec::new();
        let mut take = |asked: Asked, batch: &mut Batch| {
            batch.push(asked.command);
            origins.extend(asked.origin.is_known().then_some(asked.origin));
        };
        take(first, &mut batch);
        while batch.len() < BATCH_MAX
            && let Ok(next) = self.commands.try_recv()
        {
            take(next, &mut batch);
        }

        let started = Instant::now();
        self.tally.commands.fetch_add(batch.len() as u64, Relaxed);
        let span = span_of(&origins, batch.len());
        let mut outcome = self.commit(&mut batch).instrument(span).await;
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
        let (nodes, mut own) = (self.nodes.clone(), Vec::new());
        let writing = async {
            let connection = self.begin().await?;
            batch.apply(connection).await?;
            if let Some(nodes) = &nodes {
                // Before their news can come round.
                own = batch.places();
                nodes.own.add(own.iter().copied());
            }
            connection.run("commit").await
        };
        let outcome = bounded(writing).await;
        if let (Some(nodes), Err(_)) = (&nodes, &outcome) {
            // Nobody here pushes them, and they may be committed all the same.
            nodes.own.disown(&own);
        }
        self.settle(outcome).await
    }

    /// What stands in the WAL may have room in the file, where rows were forgotten.
    async fn make_room(&mut self) -> bool {
        match &mut self.connection {
            Some(connection) if !connection.is_postgres() => {
                connection.run("pragma wal_checkpoint(truncate)").await.is_ok()
            }
            _ => false,
        }
    }

    /// After some command of a batch failed: each behind a savepoint, so that it
    /// alone pays. Seldom, and still one commit.
    async fn write_one_by_one(&mut self, batch: Batch) {
        let mut singles: Vec<_> = batch.one_by_one().into_iter().map(|single| (single, Ok(()))).collect();
        let outcome = bounded(async { apply_each(self.begin().await?, &mut singles).await }).await;
        let outcome = self.settle(outcome).await;
        for (single, own) in singles {
            single.answer(outcome.and(own), &self.outlets);
        }
    }

    async fn begin(&mut self) -> Result<&mut Connection, StoreError> {
        if let Some(mut connection) = self.connection.take() {
            let begun = connection.begin_writing().await;
            // One that broke while nobody used it: nothing was begun, and nobody need hear of it.
            if begun != Err(StoreError::Unreachable) {
                let connection = self.connection.insert(connection);
                return begun.map(|()| connection);
            }
        }
        let connection = self.connection.insert(self.database.connect().await?);
        connection.begin_writing().await?;
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
                let is_in_doubt = self.connection.as_ref().is_none_or(Connection::is_in_doubt);
                if refusal.spoils_connection() || is_in_doubt {
                    self.connection = None;
                } else if let Some(connection) = &mut self.connection {
                    connection.run("rollback").await.ok();
                }
            }
        }
        outcome
    }

    /// Moves a file's WAL into it, so that one file is all there is.
    async fn close(mut self) {
        self.readers.close().await;
        if let Some(mut connection) = self.connection.take() {
            let is_file = !connection.is_postgres();
            let moved = if is_file { connection.run("pragma wal_checkpoint(truncate)").await } else { Ok(()) };
            if (moved.is_err() | connection.close().await.is_err()) && is_file {
                tracing::warn!("the database could not be tidied up; nothing is lost, the next start does it");
            }
        }
        drop(self.closed);
    }
}

/// A batch belongs to the traces of all its commands, where any is traced: to one as a
/// child, to the others by links.
fn span_of(origins: &[Origin], commands: usize) -> Span {
    let Some((first, others)) = origins.split_first() else { return Span::none() };
    let span = first.parent_of(span!(root, "store batch", slo_hub.commands = commands));
    others.iter().take(LINKS_MAX).for_each(|other| other.link_to(&span));
    span
}

/// A server that says nothing at all is no longer waited for: the connection is dropped then,
/// and what was begun there is either committed or never will be. (A file's statements end by
/// themselves, and before that.)
async fn bounded(writing: impl Future<Output = Result<(), StoreError>>) -> Result<(), StoreError> {
    timeout(SILENCE, writing).await.unwrap_or(Err(StoreError::Unreachable))
}

/// Commits what succeeds. An error is one that nothing can succeed after.
async fn apply_each(
    connection: &mut Connection,
    singles: &mut [(Batch, Result<(), StoreError>)],
) -> Result<(), StoreError> {
    for (single, outcome) in singles {
        connection.run("savepoint one_command").await?;
        *outcome = single.apply(connection).await;
        match *outcome {
            Ok(()) => {}
            Err(refusal) if refusal.is_one_commands_fault() => {
                connection.run("rollback to one_command").await?;
            }
            Err(refusal) => return Err(refusal),
        }
        connection.run("release one_command").await?;
    }
    connection.run("commit").await
}
