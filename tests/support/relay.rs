//! A TCP relay: a balancer over several servers, and a cable whose failings can be chosen.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use slo_hub::tasks::Tasks;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a server may take to accept. One that does not is passed over.
const CONNECT_WITHIN: Duration = Duration::from_millis(500);

/// A server behind the relay.
#[derive(Clone, Debug)]
pub enum Target {
    /// By address.
    Tcp(SocketAddr),
    /// By the path of its socket.
    Unix(PathBuf),
}

/// What the relay does with what it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Passes it on.
    Pass,
    /// Holds it back; nobody is told.
    Stall,
    /// Drops every connection, new ones too.
    Refuse,
}

/// A relay. It stops when it is dropped.
pub struct Relay {
    addr: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    targets: Mutex<Vec<Target>>,
    turn: AtomicUsize,
    mode: watch::Sender<Mode>,
    /// Counts the cuts: a connection lives as long as it does not change.
    cuts: watch::Sender<u64>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Relay {
    /// A relay at that address to those servers, in turn; one that does not accept is
    /// passed over.
    pub async fn start(listen: SocketAddr, targets: Vec<Target>) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared {
            targets: Mutex::new(targets),
            turn: AtomicUsize::new(0),
            mode: watch::Sender::new(Mode::Pass),
            cuts: watch::Sender::new(0),
        });
        // The task holds no more than the relay's owner does.
        let weak = Arc::downgrade(&shared);
        let mut gone = shared.cuts.subscribe();
        Tasks::default().spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    ended = gone.changed() => if ended.is_err() { return } else { continue },
                };
                let (Ok((stream, _)), Some(shared)) = (accepted, weak.upgrade()) else { continue };
                let (mode, cuts) = (shared.mode.subscribe(), shared.cuts.subscribe());
                Tasks::default().spawn(async move {
                    let upstream = shared.connect().await;
                    drop(shared);
                    if let Some(upstream) = upstream {
                        carry(stream, upstream, mode, cuts).await;
                    }
                });
            }
        });
        Ok(Self { addr, shared })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// From now on it leads there; what is open stays.
    pub fn lead_to(&self, targets: Vec<Target>) {
        *self.shared.targets.lock().unwrap_or_else(PoisonError::into_inner) = targets;
    }

    /// From now on it does that, with what is open too.
    pub fn set(&self, mode: Mode) {
        self.shared.mode.send_replace(mode);
    }

    /// Fails in that way for so long.
    pub async fn fails(&self, mode: Mode, lasts: Duration) {
        self.set(mode);
        tokio::time::sleep(lasts).await;
        self.set(Mode::Pass);
    }

    /// Cuts everything that is open, once.
    pub fn cut(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }
}

impl Shared {
    /// The first server, from the one whose turn it is, that accepts.
    async fn connect(&self) -> Option<Box<dyn Stream>> {
        if *self.mode.borrow() == Mode::Refuse {
            return None;
        }
        let targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        for nth in 0..targets.len() {
            let target = &targets[(first + nth) % targets.len()];
            if let Ok(Ok(stream)) = timeout(CONNECT_WITHIN, target.connect()).await {
                return Some(stream);
            }
        }
        None
    }
}

impl Target {
    async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        match self {
            Self::Tcp(addr) => {
                let stream = TcpStream::connect(addr).await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
            Self::Unix(path) => Ok(Box::new(UnixStream::connect(path).await?)),
        }
    }
}

/// Carries bytes both ways until both have ended, or something cuts it short.
async fn carry(near: TcpStream, far: Box<dyn Stream>, mode: watch::Receiver<Mode>, mut cuts: watch::Receiver<u64>) {
    let _ = near.set_nodelay(true);
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = tokio::io::split(far);
    let mut refused = mode.clone();
    tokio::select! {
        _ = async { tokio::join!(one_way(near_read, far_write, mode.clone()), one_way(far_read, near_write, mode)) } => {}
        _ = cuts.changed() => {}
        _ = refused.wait_for(|mode| *mode == Mode::Refuse) => {}
    }
}

async fn one_way(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, mut mode: watch::Receiver<Mode>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if mode.wait_for(|mode| *mode != Mode::Stall).await.is_err() || to.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
    // One side has ended; the other may still have something to say.
    let _ = mode.wait_for(|mode| *mode != Mode::Stall).await;
    let _ = to.shutdown().await;
}
