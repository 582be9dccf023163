//! What the hub remembers: verbs, not tables. The only module that names sqlx.
//!
//! One SQLite file in WAL mode with `synchronous=FULL`: what a verb has answered
//! is on disk, and survives a `kill -9` or a power cut at any moment.
//!
//! * **Writing** goes through one task, `writer`, that commits all that waits
//!   in one transaction. **Reading** has connections of its own and waits for no
//!   writer; it sees every logout whose [`Store::record`] has returned.
//! * **Deciding** is apart from both: `facts` says whether a report is a
//!   repeat and whom a logout newly ends, in memory, without input or output.
//! * **Failing** is by cause ([`StoreError`]), within [`DEADLINE`], even if the
//!   disk hangs. When it comes back, so does the store, by itself.
//!
//! Statements are run-time `sqlx::query`s with bound parameters, not sqlx's
//! checked macros: those check against the one database that `DATABASE_URL`
//! names, and these verbs are to have a PostgreSQL twin. Tests run every
//! statement. Batches travel as one JSON array, taken apart by the database, so
//! that a statement's text does not depend on how many rows it takes.

mod backup;
mod batch;
mod claims;
mod database;
mod deliveries;
mod error;
mod facts;
mod file;
mod issuer_ends;
mod jtis;
mod leases;
mod letters;
mod log_pages;
mod logouts;
mod migrate;
mod migrate_tables;
mod news;
mod nodes;
mod outbox;
mod overview;
mod parked;
mod plan;
mod progress;
mod readers;
mod record;
mod report;
mod retention;
mod rows;
mod secrets;
mod seen_tokens;
mod server;
mod session_ends;
mod session_notes;
mod sessions;
mod signing_keys;
mod sql;
mod sweep_step;
mod sweeps;
mod tally;
#[cfg(test)]
mod tests;
mod tickets;
mod trail;
mod trail_ends;
mod trail_notes;
mod trail_read;
mod writer;

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub use self::backup::{BackedUp, BackupError, back_up};
use self::batch::{Command, Job, Outlets, Work};
use self::claims::Claims;
pub use self::claims::LEASE;
use self::database::Database;
pub use self::deliveries::{Delivery, DeliveryKey, DeliveryNews, DeliveryStatus};
pub use self::error::StoreError;
pub use self::issuer_ends::{EndAttempt, EndAttemptEnd, IssuerEnd, WaitingEnd};
pub use self::letters::{Backlog, Letter, LetterState, Retry};
pub use self::log_pages::LogPage;
pub use self::migrate::{MoveError, Moved, move_to_server};
pub use self::news::News;
use self::nodes::{Ear, Nodes};
pub use self::outbox::{Attempt, AttemptEnd, Line, OutboxState, Waiting};
pub use self::overview::{Pace, Unconfirmed};
pub use self::parked::{PARKED_MAX, PARKED_MAX_PER_ISSUER, Parked, ParkedToken};
use self::readers::{Reader, Readers};
pub use self::report::{BackEnd, Outcome, PassOn, Recorded, Report, Standing, TokenUse};
pub use self::retention::ADDRESS_DAYS;
pub use self::server::ServerState;
pub use self::session_notes::{Clock, ClockChange, SessionNote};
pub use self::sessions::{SessionRecord, TimedBy, TimedSession};
use self::sql::query;
pub use self::sweep_step::{SWEEP_PAGE, SweepStep, Swept};
pub use self::sweeps::{Moment, SweepProgress};
pub use self::tally::Expected;
pub use self::tickets::{NewTicket, Ticket};
pub use self::trail_read::{AuditTrail, TrailError};
use self::writer::{Asked, Tally, Writer};
use crate::tasks::Tasks;
use crate::telemetry::spans::Origin;

/// The longest that any verb takes. Then it is [`StoreError::TimedOut`].
pub const DEADLINE: Duration = Duration::from_millis(2500);

/// How many writes may wait. The next is [`StoreError::Overloaded`] at once.
const QUEUE_MAX: usize = 8192;

/// How many news of other nodes may wait to be pushed, before reading on waits for that.
const NEWS_MAX: usize = 1024;

/// The hub's memory. Clones share it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    commands: mpsc::Sender<Asked>,
    readers: Arc<Readers>,
    /// `None` where no other process works.
    claims: Option<Claims>,
    late: Mutex<Option<mpsc::Receiver<Recorded>>>,
    receipts: watch::Receiver<()>,
    outbox: watch::Receiver<()>,
    /// `None` where no other node can be.
    nodes: Option<Arc<Nodes>>,
    news: Mutex<Option<mpsc::Receiver<News>>>,
    tally: Arc<Tally>,
    closing: CancellationToken,
    closed: CancellationToken,
}

/// What the writer has done since the store was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriterCounters {
    /// Writes that were asked for.
    pub commands: u64,
    /// Transactions that were committed for them.
    pub commits: u64,
    /// Transactions that failed.
    pub failures: u64,
    /// Time spent on both, in microseconds.
    pub busy_micros: u64,
}

impl Store {
    /// Opens the file that `url` names (`sqlite://<path>`), makes it where there
    /// is none, and brings it up to date.
    ///
    /// # Errors
    /// [`StoreError::BadUrl`], [`StoreError::NoDirectory`], [`StoreError::Newer`], or
    /// why the file could not be opened.
    pub async fn open(url: &str, tasks: &Tasks) -> Result<Self, StoreError> {
        Self::open_bounded(url, tasks, None).await
    }

    /// The same, with a file of at most that many pages: a full disk, for tests.
    async fn open_bounded(url: &str, tasks: &Tasks, max_pages: Option<u32>) -> Result<Self, StoreError> {
        let database = Database::at(url, max_pages)?;
        let connection = database.open().await?;
        let readers = Arc::new(Readers::open(database.clone()).await?);

        let (commands, queue) = mpsc::channel(QUEUE_MAX);
        // As many as may ever wait unheard: those queued, and a batch.
        let (late, late_logouts) = mpsc::channel(2 * QUEUE_MAX);
        let (receipts_bell, receipts) = watch::channel(());
        let (outbox_bell, outbox) = watch::channel(());
        let (tally, closing, closed) = (Arc::<Tally>::default(), CancellationToken::new(), CancellationToken::new());
        let (nodes, claims, news) = match &database {
            Database::Sqlite(_) => (None, None, None),
            Database::Postgres(options) => {
                let (nodes, (teller, news)) = (Arc::new(Nodes::new()?), mpsc::channel(NEWS_MAX));
                // What was committed before is found by whoever subscribes.
                let (_, place) = news::ends(&mut *readers.borrow().await?).await?;
                let (receipts, outbox) = (receipts_bell.clone(), outbox_bell.clone());
                let (options, closing) = (options.clone(), closing.clone());
                let ear = Ear { options, nodes: Arc::clone(&nodes), place, news: teller, receipts, outbox, closing };
                tasks.spawn(ear.run());
                let claims = Claims::of(Arc::clone(&nodes), database.clone());
                (Some(nodes), Some(claims), Some(news))
            }
        };
        let writer = Writer {
            database,
            connection: Some(connection),
            readers: Arc::clone(&readers),
            commands: queue,
            outlets: Outlets { late, receipts: receipts_bell, outbox: outbox_bell },
            nodes: nodes.clone(),
            tally: Arc::clone(&tally),
            closing: closing.clone(),
            closed: closed.clone().drop_guard(),
        };
        tasks.spawn(writer.run(tasks.clone()));
        let (late, news) = (Mutex::new(Some(late_logouts)), Mutex::new(news));
        Ok(Self(Arc::new(Inner {
            commands,
            readers,
            claims,
            late,
            receipts,
            outbox,
            nodes,
            news,
            tally,
            closing,
            closed,
        })))
    }

    /// Looks at the server that `url` names, and changes nothing there.
    ///
    /// # Errors
    /// Why it cannot be used; [`StoreError::BadUrl`] where it is a file.
    pub async fn look_at_server(url: &str) -> Result<ServerState, StoreError> {
        server::look_at(url).await
    }

    /// Finishes what is queued and closes the file. Every later verb is
    /// [`StoreError::Stopped`].
    ///
    /// Call it once nobody needs the store any more. If nobody does, the store
    /// closes by itself when its last clone is dropped, or 10 s after the hub
    /// began to stop.
    pub async fn close(&self) {
        self.0.closing.cancel();
        self.0.closed.cancelled().await;
    }

    /// Logouts that were committed after whoever reported them had been told
    /// [`StoreError::TimedOut`], or had gone. Someone has to push them, or
    /// nobody does: a retry finds them recorded. `Some` for the first caller.
    #[must_use]
    pub fn take_late_logouts(&self) -> Option<mpsc::Receiver<Recorded>> {
        self.0.late.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What other nodes have committed, and this one has to tell its open channels. `Some` for
    /// the first caller, where there can be other nodes.
    #[must_use]
    pub fn take_news(&self) -> Option<mpsc::Receiver<News>> {
        self.0.news.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether this node does what one node at a time does. Always, where there is no other.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.0.nodes.as_ref().is_none_or(|nodes| nodes.leads())
    }

    /// Whether other nodes may work beside this one.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.0.nodes.is_some()
    }

    /// How many other nodes are there, to some seconds.
    ///
    /// # Errors
    /// Why that is not known.
    pub async fn other_nodes(&self) -> Result<usize, StoreError> {
        let Some(nodes) = &self.0.nodes else { return Ok(0) };
        self.read(async { leases::others(&mut *self.reader().await?, &nodes.name).await }).await
    }

    /// Says something to every other node, as [`News::Said`]: at most 7,000 bytes. Who is not
    /// listening just then has missed it.
    ///
    /// # Errors
    /// Why it was not said.
    pub async fn say(&self, what: &str) -> Result<(), StoreError> {
        let Some(nodes) = &self.0.nodes else { return Ok(()) };
        let said = format!("{} {what}", nodes.name);
        self.read(async {
            query("select ring($1)").bind(said).execute(&mut *self.reader().await?).await?;
            Ok(())
        })
        .await
    }

    /// Changes after every commit that wrote into a receipt, whichever; read
    /// [`Store::deliveries`] again then. It ends when the store is closed.
    #[must_use]
    pub fn receipts_changed(&self) -> watch::Receiver<()> {
        self.0.receipts.clone()
    }
}

impl Store {
    /// What the writer has done so far.
    #[must_use]
    pub fn writer_counters(&self) -> WriterCounters {
        let tally = &self.0.tally;
        WriterCounters {
            commands: tally.commands.load(Relaxed),
            commits: tally.commits.load(Relaxed),
            failures: tally.failures.load(Relaxed),
            busy_micros: tally.busy_micros.load(Relaxed),
        }
    }

    /// Asks the writer, and waits for its answer.
    async fn write<W: Work>(&self, work: W) -> Result<W::Answer, StoreError>
    where
        Command: From<Job<W>>,
    {
        let (reply, mut answer) = oneshot::channel();
        let asked = Asked { command: Job { work, reply }.into(), origin: Origin::here() };
        self.0.commands.try_send(asked).map_err(|refused| match refused {
            TrySendError::Full(_) => StoreError::Overloaded,
            TrySendError::Closed(_) => StoreError::Stopped,
        })?;
        if let Ok(answered) = timeout(DEADLINE, &mut answer).await {
            return answered.unwrap_or(Err(StoreError::Stopped));
        }
        // From here on the writer finds that nobody listens. It may just have answered.
        answer.close();
        answer.try_recv().unwrap_or(Err(StoreError::TimedOut))
    }

    /// Waits for an answer, but not for ever.
    async fn read<T>(&self, answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        timeout(DEADLINE, answer).await.unwrap_or(Err(StoreError::TimedOut))
    }

    async fn reader(&self) -> Result<Reader<'_>, StoreError> {
        self.0.readers.borrow().await
    }
}
