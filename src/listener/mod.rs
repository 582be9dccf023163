//! Connections: accepted within bounds, and cut when they are silent, drip, or do not
//! read.
//!
//! axum's own `serve` has no read deadlines and waits for ever on a silent connection
//! when it stops, so this drives hyper itself. HTTP/1.1, with upgrades.

pub mod gate;
mod timed;
pub mod tls;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use bytes::Bytes;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use hyper_util::rt::{TokioIo, TokioTimer};
use ipnet::IpNet;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};
use tower::ServiceExt as _;

use crate::domain::clock::UnixSeconds;
use crate::tasks::Tasks;
use gate::{Gate, Pass};
use timed::Line;
pub use timed::TimedStream;
use tls::Tls;

/// Connections the system may hold that were not accepted yet.
pub const BACKLOG: i32 = 4096;
/// How many plain requests may be served beside the channels that are allowed.
const HEADROOM: usize = 256;
/// The same for one address.
const HEADROOM_PER_ADDR: usize = 64;
/// The longest request head, in bytes. What is read of a head that has no end is bounded by
/// it here; one that came whole with its last read is for the routes to measure.
pub const HEAD_MAX_BYTES: usize = 32 * 1024;
/// How long to wait when the system has no room for another connection.
const OUT_OF_ROOM: Duration = Duration::from_millis(100);
/// How often that is said.
const SAY_AGAIN: Duration = Duration::from_secs(60);
/// How long nothing is heard of a peer before the system asks whether it is there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);
/// How long the system keeps sending to a peer that confirms nothing.
const UNCONFIRMED: Duration = Duration::from_secs(30);

/// How much may be open.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Channels in all.
    pub max_connections: usize,
    /// Channels from one address.
    pub max_connections_per_ip: usize,
    /// Peers that speak for many addresses: only the total counts for them.
    pub trusted_proxies: Vec<IpNet>,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// A TLS handshake, to its end.
    pub handshake: Duration,
    /// A request's head, counted from when the last answer ended: a silent connection,
    /// a dripping head and an idle keep-alive are all cut by it.
    pub head: Duration,
    /// One write of which nothing is taken.
    pub write: Duration,
    /// Requests under way when the hub stops.
    pub drain: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let ten = Duration::from_secs(10);
        Self { handshake: ten, head: ten, write: Duration::from_secs(15), drain: Duration::from_secs(5) }
    }
}

/// Who listens on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// One process.
    Alone,
    /// Every process of this user that asks for it so: the system spreads connections among
    /// them (`SO_REUSEPORT`).
    Shared,
}

/// An address that is listened on.
pub struct Listener {
    socket: TcpListener,
    addr: SocketAddr,
    deadlines: Deadlines,
    tls: Option<Tls>,
    turned_away: Arc<AtomicU64>,
}

/// How a listener does, for who watches over it.
#[derive(Clone)]
pub struct Watch {
    tls: Option<Tls>,
    turned_away: Arc<AtomicU64>,
}

impl Watch {
    /// How many connections were closed at once, since as many were open as may be: in all, or
    /// from their address.
    #[must_use]
    pub fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }

    /// When the certificate expires that new connections are shown, where there is one.
    #[must_use]
    pub fn valid_until(&self) -> Option<UnixSeconds> {
        self.tls.as_ref().map(Tls::valid_until)
    }
}

impl Listener {
    /// Begins to listen; connections wait until [`Listener::serve`].
    ///
    /// # Errors
    /// What the system says: the address is taken, or not this machine's.
    pub fn bind(addr: SocketAddr) -> io::Result<Self> {
        Self::bind_with(addr, Port::Alone, Deadlines::default())
    }

    /// The same, where other processes may listen on that port too, and with other deadlines.
    ///
    /// # Errors
    /// Those of [`Listener::bind`].
    pub fn bind_with(addr: SocketAddr, port: Port, deadlines: Deadlines) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        if port == Port::Shared {
            socket.set_reuse_port(true)?;
        }
        socket.set_nonblocking(true)?;
        tune(&socket)?;
        socket.bind(&addr.into())?;
        socket.listen(BACKLOG)?;
        let socket = TcpListener::from_std(socket.into())?;
        Ok(Self { addr: socket.local_addr()?, socket, deadlines, tls: None, turned_away: Arc::default() })
    }

    /// The same by TLS, where there is a certificate.
    #[must_use]
    pub fn by(self, tls: Option<Tls>) -> Self {
        Self { tls, ..self }
    }

    /// What there is to watch, also while it serves.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch { tls: self.tls.clone(), turned_away: Arc::clone(&self.turned_away) }
    }

    /// The address, with the port that the system chose where none was named.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves until the hub stops; then no more connections are taken. Those that are
    /// open end by themselves, within the drain deadline, as tasks of the hub.
    pub async fn serve(self, routes: Router, limits: Limits, tasks: Tasks) {
        let per_addr = limits.max_connections_per_ip.saturating_add(HEADROOM_PER_ADDR);
        let gate = Gate::new(limits.max_connections.saturating_add(HEADROOM), per_addr);
        let proxies: Arc<[IpNet]> = limits.trusted_proxies.into();
        let mut said = None;
        loop {
            let accepted = tokio::select! {
                () = tasks.stopping() => return,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let is_proxy = proxies.iter().any(|net| net.contains(&peer.ip().to_canonical()));
                    let pass = if is_proxy { gate.enter_anonymously() } else { gate.enter(peer.ip()) };
                    // Without a place the connection is closed at once, by dropping it.
                    let Some(pass) = pass else {
                        self.turned_away.fetch_add(1, Ordering::Relaxed);
                        continue;
                    };
                    let connection =
                        Connection { stream, peer, pass, tls: self.tls.clone(), deadlines: self.deadlines };
                    tasks.spawn(connection.serve(routes.clone(), tasks.clone()));
                }
                Err(error) => rest_after(&error, &mut said).await,
            }
        }
    }
}

/// A connection that broke before it was accepted is its own trouble; anything else is
/// the system's (no file handles left, say), which a moment may mend. Said once a minute.
async fn rest_after(error: &io::Error, said: &mut Option<Instant>) {
    let is_peers = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    );
    if !is_peers {
        if said.is_none_or(|said| said.elapsed() >= SAY_AGAIN) {
            *said = Some(Instant::now());
            tracing::error!(error = %error, "cannot accept a connection; trying again until it can be done");
        }
        sleep(OUT_OF_ROOM).await;
    }
}

struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    pass: Pass,
    tls: Option<Tls>,
    deadlines: Deadlines,
}

impl Connection {
    async fn serve(self, routes: Router, tasks: Tasks) {
        // Linux hands down what the listening socket was told: four calls less for each.
        if cfg!(not(target_os = "linux")) && tune(&SockRef::from(&self.stream)).is_err() {
            return;
        }
        let Self { stream, peer, pass, tls, deadlines } = self;
        let Some(line) = open(stream, tls, deadlines.handshake, &tasks).await else { return };
        // The place goes with the stream, so a socket that was upgraded keeps it.
        let io = TokioIo::new(TimedStream::new(line, pass, deadlines.write));
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            let routes = routes.clone();
            async move { routes.oneshot(request).await.map_err(|never: Infallible| never) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(deadlines.head)
            .max_buf_size(HEAD_MAX_BYTES)
            .serve_connection(io, service)
            .with_upgrades();
        let mut connection = pin!(connection);
        // How a connection ends is the peer's affair, and no news.
        tokio::select! {
            ended = connection.as_mut() => drop(ended),
            () = tasks.stopping() => {
                connection.as_mut().graceful_shutdown();
                drop(timeout(deadlines.drain, connection).await);
            }
        }
    }
}

/// A line to speak HTTP on; none where the handshake came to nothing, or not in time. That is
/// the peer's affair, and no news.
async fn open(stream: TcpStream, tls: Option<Tls>, within: Duration, tasks: &Tasks) -> Option<Line> {
    let Some(tls) = tls else { return Some(Line::Plain(stream)) };
    // Boxed: it is over before anything else begins.
    let shaken = Box::pin(timeout(within, tls.accept(stream)));
    tokio::select! {
        () = tasks.stopping() => None,
        shaken = shaken => shaken.ok()?.ok().map(|stream| Line::Tls(Box::new(stream))),
    }
}

/// Takes a connection out of HTTP, with its place, and with what was read of it already.
/// `None` for one that is not this listener's.
#[must_use]
pub fn take_over(upgraded: Upgraded) -> Option<(TimedStream, Bytes)> {
    let parts = upgraded.downcast::<TokioIo<TimedStream>>().ok()?;
    Some((parts.io.into_inner(), parts.read_buf))
}

/// Small frames leave at once; a peer that is gone without a word is found out.
fn tune(socket: &Socket) -> io::Result<()> {
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE_AFTER))?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNCONFIRMED))?;
    Ok(())
}

#[cfg(test)]
mod tests;
