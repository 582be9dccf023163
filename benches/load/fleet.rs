//! Many open sockets. Each is read by a task of its own, which says what it saw and when.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::dialect::{Dialect, Heard};
use crate::socket::Socket;
use crate::{APPS, Failure};

/// How long anything is waited for before the run fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

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
#[derive(Serialize, Deserialize)]
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
    dialect: &'static dyn Dialect,
    tasks: JoinSet<()>,
    says: mpsc::UnboundedSender<Said>,
    said: mpsc::UnboundedReceiver<Said>,
}

impl Fleet {
    /// None yet, to that server.
    pub fn new(server: SocketAddr, dialect: &'static dyn Dialect) -> Self {
        let (says, said) = mpsc::unbounded_channel();
        Self { server, dialect, tasks: JoinSet::new(), says, said }
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
            let dialect = self.dialect;
            self.tasks.spawn(async move {
                let (session, app) = (seat.session, seat.app);
                // Boxed: what an opening holds is gone once it is open.
                let opened = Box::pin(async {
                    let _turn = gate.acquire_owned().await?;
                    Socket::subscribed(dialect, server, session, &seat.origin, &seat.credential).await
                });
                match opened.await {
                    Ok((socket, ticket)) => {
                        says.send(Said::Subscribed { session, app, ticket }).ok();
                        let mut listener = Listener { socket, session, channel: seat.credential, says };
                        if let Err(fault) = listener.live(dialect, manner).await {
                            listener.says.send(Said::Failed(fault.to_string())).ok();
                        }
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
        self.told_each(sessions, APPS).await
    }

    /// The same where only so many of a session's sockets are in this fleet.
    pub async fn told_each(
        &mut self,
        sessions: impl Iterator<Item = usize>,
        each: usize,
    ) -> Result<HashMap<usize, Instant>, Failure> {
        let mut missing: HashMap<usize, usize> = sessions.map(|session| (session, each)).collect();
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
struct Listener {
    socket: Socket,
    session: usize,
    channel: String,
    says: mpsc::UnboundedSender<Said>,
}

impl Listener {
    /// Fails where the server says what it should not.
    async fn live(&mut self, dialect: &dyn Dialect, manner: Manner) -> Result<(), Failure> {
        if manner == Manner::Silent {
            return std::future::pending().await;
        }
        // That a server closes, or is killed, is what some scenarios are about.
        while let Ok(Some(frame)) = self.socket.frame().await {
            let answer = match dialect.hear(&frame, &self.channel) {
                Heard::Event(id) => {
                    self.says.send(Said::Event { session: self.session, at: Instant::now() }).ok();
                    match manner {
                        Manner::Acknowledges => Some(Message::text(json!({"type": "ack", "id": id}).to_string())),
                        Manner::Listens | Manner::Silent => None,
                    }
                }
                Heard::Answer(answer) => Some(answer),
                Heard::Fault(fault) => return Err(fault.into()),
                Heard::Subscribed(_) | Heard::Nothing => None,
            };
            if let Some(answer) = answer
                && self.socket.send(answer).await.is_err()
            {
                break;
            }
        }
        Ok(())
    }
}
