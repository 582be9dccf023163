//! Beside other nodes, on one PostgreSQL: what they commit is heard here.
//!
//! A bell (`LISTEN`/`NOTIFY`) says that there is something; what it is stands in the tables,
//! and is read from where this node was, in the order of the commits. A node that heard no
//! bell for whatever reason has still missed nothing: it looks every [`TICK`], and after every
//! connection that broke.
//!
//! Two connections of its own: one that only listens, for a pooler in transaction mode cannot
//! carry that; one that reads, and keeps the lease of what one node at a time does.

use std::sync::Mutex;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgNotification, PgPoolOptions};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::error::StoreError;
use super::news::{self, News, Own, Page};
use super::sql::{Connection, query};
use super::{leases, rows, server};

/// How often the table is looked at, whether or not the bell rang; and the lease renewed.
const TICK: Duration = Duration::from_secs(1);

/// The lease of the node that does what one node at a time does.
const LEADER: &str = "leader";

/// How long it is good, by the server's clock. Another node takes over after that.
const LEASE: Duration = Duration::from_secs(5);

/// How long this node counts on its lease, by its own clock, from before it asked for it.
const COUNTED_ON: Duration = Duration::from_secs(4);

/// The longest that looking may take before the connections are given up.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long after a failure it is tried again.
const AFTER_TROUBLE: Duration = Duration::from_millis(300);

/// What the rest of the store knows of other nodes.
pub(super) struct Nodes {
    /// A name of this process', by chance.
    pub(super) name: String,
    /// What this node wrote itself.
    pub(super) own: Own,
    /// Until when this node leads, if it does.
    lead: Mutex<Option<Instant>>,
}

impl Nodes {
    pub(super) fn new() -> Result<Self, StoreError> {
        let mut name = [0; 32];
        aws_lc_rs::rand::fill(&mut name).map_err(|_| StoreError::NoRandomness)?;
        Ok(Self { name: rows::hex(&name), own: Own::default(), lead: Mutex::default() })
    }

    /// Whether this is the node that does what one node at a time does.
    pub(super) fn leads(&self) -> bool {
        self.lead().is_some_and(|until| Instant::now() < until)
    }

    fn lead(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.lead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task that hears the other nodes.
pub(super) struct Ear {
    pub(super) options: PgConnectOptions,
    pub(super) nodes: Arc<Nodes>,
    /// The last news that were heard.
    pub(super) place: i64,
    pub(super) news: mpsc::Sender<News>,
    pub(super) receipts: watch::Sender<()>,
    pub(super) outbox: watch::Sender<()>,
    pub(super) closing: CancellationToken,
}

impl Ear {
    /// Listens until the store is closed.
    pub(super) async fn run(mut self) {
        let closing = self.closing.clone();
        let mut is_deaf = false;
        loop {
            tokio::select! {
                () = closing.cancelled() => break,
                ended = self.listen(&mut is_deaf) => {
                    if let Err(trouble) = ended && !is_deaf {
                        is_deaf = true;
                        tracing::warn!(error = %trouble, "other nodes cannot be heard; nothing of theirs is lost");
                    }
                }
            }
            *self.nodes.lead() = None;
            sleep(AFTER_TROUBLE).await;
        }
        *self.nodes.lead() = None;
        self.give_up_lead().await;
    }

    /// Connects, catches up and then listens; ends with the connections.
    async fn listen(&mut self, is_deaf: &mut bool) -> Result<(), StoreError> {
        let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
        let pool = pool.connect_lazy_with(self.options.clone());
        let (mut bell, mut reader) = within(PATIENCE, async {
            let mut bell = PgListener::connect_with(&pool).await?;
            let mut reader = Connection::from(server::connect(&self.options).await?);
            let row = query("select 'slo_' || md5(current_schema())").fetch_one(&mut reader).await?;
            bell.listen(row.try_get(0)?).await?;
            Ok((bell, reader))
        })
        .await?;
        bell.eager_reconnect(false);
        self.catch_up(&mut reader).await?;
        // Whatever was rung meanwhile.
        self.receipts.send_replace(());
        self.outbox.send_replace(());
        if std::mem::take(is_deaf) {
            tracing::info!("other nodes are heard again");
        }
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                rung = bell.try_recv() => match rung? {
                    Some(rung) => self.hear(&rung, &mut reader, &mut bell).await?,
                    None => return Err(StoreError::Unreachable),
                },
                _ = tick.tick() => {
                    self.catch_up(&mut reader).await?;
                    if self.nodes.own.take_untold() {
                        self.tell(News::LookAtAll).await;
                    }
                    self.ask_to_lead(&mut reader).await?;
                }
            }
        }
    }

    /// One ring, and whatever rang along with it.
    async fn hear(
        &mut self,
        first: &PgNotification,
        reader: &mut Connection,
        bell: &mut PgListener,
    ) -> Result<(), StoreError> {
        let mut is_news = self.heard(first.payload()).await;
        while let Some(next) = bell.next_buffered() {
            is_news |= self.heard(next.payload()).await;
        }
        if is_news { self.catch_up(reader).await } else { Ok(()) }
    }

    /// Whether the table is to be read.
    async fn heard(&self, payload: &str) -> bool {
        match payload {
            "news" => return true,
            "receipts" => self.receipts.send_replace(()),
            "outbox" => self.outbox.send_replace(()),
            "sweeps" => self.tell(News::SweepOrdered).await,
            "swept" => self.tell(News::LookAtAll).await,
            said => {
                // Each node hears itself too.
                if let Some((node, said)) = said.split_once(' ').filter(|(node, _)| *node != self.nodes.name) {
                    tracing::trace!(node, "another node said something");
                    self.tell(News::Said(said.to_owned())).await;
                }
            }
        }
        false
    }

    /// Reads on from where it was, to the end.
    async fn catch_up(&mut self, reader: &mut Connection) -> Result<(), StoreError> {
        loop {
            match within(PATIENCE, news::after(reader, self.place, &self.nodes.own)).await? {
                Page::End => return Ok(()),
                Page::Torn(place) => {
                    tracing::warn!("this node was deaf for longer than news are kept; every channel is looked at");
                    self.tell(News::LookAtAll).await;
                    self.place = place;
                }
                Page::Read(news, place) => {
                    for one in news {
                        self.tell(one).await;
                    }
                    self.place = place;
                }
            }
        }
    }

    async fn tell(&self, news: News) {
        // Where nobody takes them any more, the hub is stopping.
        self.news.send(news).await.ok();
    }

    /// Says that this node is there; takes the leader's lease, or renews it.
    async fn ask_to_lead(&self, reader: &mut Connection) -> Result<(), StoreError> {
        let counted_on = Instant::now() + COUNTED_ON;
        let being_there = format!("node {}", self.nodes.name);
        let names = [LEADER, &being_there];
        let held = within(PATIENCE, leases::take(reader, &names, &self.nodes.name, LEASE)).await?;
        *self.nodes.lead() = held.iter().any(|name| name == LEADER).then_some(counted_on);
        Ok(())
    }

    /// Another node need not wait for the lease to run out.
    async fn give_up_lead(&self) {
        let giving_up = async {
            let mut connection = Connection::from(server::connect(&self.options).await?);
            leases::let_all_go(&mut connection, &self.nodes.name).await?;
            connection.close().await
        };
        within(PATIENCE, giving_up).await.ok();
    }
}

async fn within<T>(patience: Duration, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(patience, work).await.unwrap_or(Err(StoreError::Unreachable))
}
