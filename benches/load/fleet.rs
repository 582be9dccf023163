//! Many open sockets. Each is read by a task of its own, which says what it saw and when.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::socket::{Socket, event_id};
use crate::{APPS, Failure};

/// How long anything is waited for before the run fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a client does with what it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Reads, and acknowledges a logout as the SDK does.
    Acknowledges,
    /// Reads and says nothing.
    Listens,
    /// Subscribes and never reads again.
    Silent,
}

/// A socket to be opened.
pub struct Seat {
    /// Its session's number.
    pub session: usize,
    /// Which of the session's apps.
    pub app: usize,
    /// The page's origin.
    pub origin: String,
    /// What it subscribes with.
    pub credential: String,
}

/// What a socket's task says.
enum Said {
    Subscribed { session: usize, app: usize, ticket: String },
    Event { session: usize, at: Instant },
    Failed(String),
}

/// What came of opening.
pub struct Opened {
    /// From the first connect to the last `subscribed`.
    pub took: Duration,
    /// How many were not let in.
    pub failed: usize,
    /// The first one's reason.
    pub fault: Option<String>,
    /// Tickets by session and app.
    pub tickets: Vec<(usize, usize, String)>,
}

impl Opened {
    /// Fails where any socket did.
    pub fn all(self) -> Result<Self, Failure> {
        match &self.fault {
            None => Ok(self),
            Some(fault) => Err(format!("{} sockets were not opened; the first: {fault}", self.failed).into()),
        }
    }
}

/// The sockets; they are closed when this is dropped, without a farewell.
pub struct Fleet {
    server: SocketAddr,
    tasks: JoinSet<()>,
    says: mpsc::UnboundedSender<Said>,
    said: mpsc::UnboundedReceiver<Said>,
}

impl Fleet {
    /// None yet, to that server.
    pub fn new(server: SocketAddr) -> Self {
        let (says, said) = mpsc::unbounded_channel();
        Self { server, tasks: JoinSet::new(), says, said }
    }

    /// Closes all sockets, without a farewell.
    pub async fn leave(&mut self) {
        self.tasks.shutdown().await;
        while self.said.try_recv().is_ok() {}
    }

    /// Opens sockets, so many at a time, and waits until each is subscribed or refused.
    pub async fn open(&mut self, seats: Vec<Seat>, manner: Manner, at_once: usize) -> Result<Opened, Failure> {
        let (count, gate) = (seats.len(), Arc::new(Semaphore::new(at_once)));
        let started = Instant::now();
        for seat in seats {
            let (server, says, gate) = (self.server, self.says.clone(), Arc::clone(&gate));
            self.tasks.spawn(async move {
                let (session, app) = (seat.session, seat.app);
                // Boxed: what an opening holds is gone once it is open.
                let opened = Box::pin(async {
                    let _turn = gate.acquire_owned().await?;
                    let mut socket = Socket::connect(server, seat.session, Some(&seat.origin)).await?;
                    let ticket = socket.subscribe(&seat.credential).await?;
                    Ok::<_, Failure>((socket, ticket))
                });
                match opened.await {
                    Ok((socket, ticket)) => {
                        says.send(Said::Subscribed { session, app, ticket }).ok();
                        live(socket, session, manner, says).await;
                    }
                    Err(fault) => drop(says.send(Said::Failed(fault.to_string()))),
                }
            });
        }
        let mut opened = Opened { took: Duration::ZERO, failed: 0, fault: None, tickets: Vec::with_capacity(count) };
        while opened.tickets.len() + opened.failed < count {
            match self.hear("sockets to open").await? {
                Said::Subscribed { session, app, ticket } => opened.tickets.push((session, app, ticket)),
                Said::Event { .. } => return Err("a session ended that nobody had ended".into()),
                Said::Failed(fault) => {
                    opened.failed += 1;
                    opened.fault.get_or_insert(fault);
                }
            }
        }
        opened.took = started.elapsed();
        Ok(opened)
    }

    /// Waits until every socket of those sessions was told; when each session's last was.
    pub async fn told(&mut self, sessions: impl Iterator<Item = usize>) -> Result<HashMap<usize, Instant>, Failure> {
        let mut missing: HashMap<usize, usize> = sessions.map(|session| (session, APPS)).collect();
        let mut last = HashMap::with_capacity(missing.len());
        while !missing.is_empty() {
            let waiting_for = format!("{} sessions to be told", missing.len());
            match self.hear(&waiting_for).await? {
                Said::Event { session, at } => {
                    let left = missing.get_mut(&session).ok_or("a session ended that nobody had ended")?;
                    *left -= 1;
                    if *left == 0 {
                        missing.remove(&session);
                        last.insert(session, at);
                    }
                }
                Said::Subscribed { .. } => {}
                Said::Failed(fault) => return Err(format!("a socket broke: {fault}").into()),
            }
        }
        Ok(last)
    }

    async fn hear(&mut self, waiting_for: &str) -> Result<Said, Failure> {
        let said = timeout(PATIENCE, self.said.recv()).await;
        said.map_err(|_| format!("waited a minute for {waiting_for}"))?.ok_or_else(|| "nobody is left".into())
    }
}

/// A socket from `subscribed` to its end.
async fn live(mut socket: Socket, session: usize, manner: Manner, says: mpsc::UnboundedSender<Said>) {
    if manner == Manner::Silent {
        return std::future::pending().await;
    }
    loop {
        match socket.next().await {
            Ok(Some(text)) => {
                let Some(id) = event_id(&text) else { continue };
                says.send(Said::Event { session, at: Instant::now() }).ok();
                if manner == Manner::Acknowledges && socket.say(&json!({"type": "ack", "id": id})).await.is_err() {
                    return;
                }
            }
            // That a server closes, or is killed, is what some scenarios are about.
            Ok(None) | Err(_) => return,
        }
    }
}
