//! Those who mean harm: they come from an address of their own, again and again.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::cluster::{DESK, NOTES};

/// Where they come from: people come from 127.0.0.1.
const HERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);
/// How many may be opening a socket at a time.
const AT_A_TIME: usize = 64;

/// What one of them does with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attack {
    /// Asks for more and more, or follows the log from its beginning, and reads nothing.
    Silent,
    /// The same, and reads a byte now and then.
    Slow,
    /// Begins a message and never ends it, in pieces of a byte or of none.
    Fragments,
    /// A socket that never says who it is.
    NeverSubscribes,
    /// A request that comes a byte at a time.
    Slowloris,
}

impl Attack {
    pub const ALL: [Self; 5] = [Self::Silent, Self::Slow, Self::Fragments, Self::NeverSubscribes, Self::Slowloris];
}

/// So many of them at it. They are gone when it is dropped.
pub struct Assault {
    _attackers: JoinSet<()>,
    opened: Arc<AtomicUsize>,
    many: usize,
}

impl Assault {
    pub fn begin(attack: Attack, at: SocketAddr, many: usize) -> Self {
        let (mut attackers, opened) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
        let turn = Arc::new(Semaphore::new(AT_A_TIME));
        for number in 0..many {
            let (opened, turn) = (Arc::clone(&opened), Arc::clone(&turn));
            attackers.spawn(async move {
                loop {
                    let opening = async {
                        let _turn = turn.acquire().await;
                        open(attack, at, number).await
                    };
                    if let Ok(stream) = opening.await {
                        opened.fetch_add(1, Ordering::Relaxed);
                        let _ended = harm(attack, stream, number).await;
                    }
                    sleep(Duration::from_millis(200)).await;
                }
            });
        }
        Self { _attackers: attackers, opened, many }
    }

    /// Waits until each of them has had a connection, or half a minute is over; how many
    /// connections there were.
    pub async fn is_under_way(&self) -> usize {
        let all = async {
            while self.opened.load(Ordering::Relaxed) < self.many {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = timeout(Duration::from_secs(30), all).await;
        self.opened.load(Ordering::Relaxed)
    }
}

async fn open(attack: Attack, at: SocketAddr, number: usize) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if matches!(attack, Attack::Silent | Attack::Slow) {
        // What it does not read stays with the hub.
        socket.set_recv_buffer_size(4_096)?;
    }
    socket.bind((HERE, 0).into())?;
    let mut stream = socket.connect(at).await?;
    match attack {
        Attack::Fragments | Attack::NeverSubscribes => handshake(&mut stream, at, Some(NOTES.1)).await?,
        Attack::Silent | Attack::Slow if number.is_multiple_of(2) => handshake(&mut stream, at, None).await?,
        Attack::Silent | Attack::Slow | Attack::Slowloris => {}
    }
    Ok(stream)
}

async fn handshake(stream: &mut TcpStream, at: SocketAddr, origin: Option<&str>) -> io::Result<()> {
    let origin = origin.map(|origin| format!("origin: {origin}\r\n")).unwrap_or_default();
    let head = format!(
        "GET /ws HTTP/1.1\r\nhost: {at}\r\n{origin}connection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: slo.v1\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await?);
    }
    if answer.starts_with(b"HTTP/1.1 101") { Ok(()) } else { Err(io::ErrorKind::ConnectionRefused.into()) }
}

async fn harm(attack: Attack, stream: TcpStream, number: usize) -> io::Result<()> {
    match attack {
        Attack::Silent => floods(stream, number, None).await,
        Attack::Slow => floods(stream, number, Some(Duration::from_millis(50))).await,
        Attack::Fragments => fragments(stream).await,
        Attack::NeverSubscribes => {
            let (mut stream, mut all) = (stream, Vec::new());
            stream.read_to_end(&mut all).await.map(drop)
        }
        Attack::Slowloris => drips(stream, number).await,
    }
}

/// Asks without end, and reads a byte at a time, or none.
async fn floods(stream: TcpStream, number: usize, a_byte_every: Option<Duration>) -> io::Result<()> {
    let (mut read, mut write) = stream.into_split();
    let asks = async {
        if number.is_multiple_of(2) {
            let subscribe = json!({"type": "subscribe", "client_id": DESK.0, "secret": DESK.1, "after": ""});
            write.write_all(&frame(0x81, subscribe.to_string().as_bytes())).await?;
            std::future::pending::<()>().await;
        }
        let many = "GET /.well-known/slo-hub HTTP/1.1\r\nhost: x\r\n\r\n".repeat(50);
        loop {
            write.write_all(many.as_bytes()).await?;
        }
    };
    let reads = async {
        let Some(every) = a_byte_every else { return std::future::pending().await };
        loop {
            sleep(every).await;
            read.read_u8().await?;
        }
    };
    tokio::select! {
        ended = asks => ended,
        ended = reads => ended,
    }
}

async fn fragments(stream: TcpStream) -> io::Result<()> {
    let (mut read, mut write) = stream.into_split();
    let pieces = [frame(0x00, b""), frame(0x00, b" ")].concat().repeat(200);
    let sends = async {
        write.write_all(&frame(0x01, b"{")).await?;
        loop {
            write.write_all(&pieces).await?;
        }
    };
    let mut all = Vec::new();
    tokio::select! {
        ended = sends => ended,
        ended = read.read_to_end(&mut all) => ended.map(drop),
    }
}

/// A head, or a body, that never ends.
async fn drips(mut stream: TcpStream, number: usize) -> io::Result<()> {
    let begins: &[u8] = match number % 3 {
        0 => b"G",
        1 => b"GET /ws HTTP/1.1\r\nhost: x\r\nx: ",
        _ => {
            b"POST /backchannel-logout HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\
               content-type: application/x-www-form-urlencoded\r\n\r\n"
        }
    };
    stream.write_all(begins).await?;
    loop {
        sleep(Duration::from_millis(300)).await;
        stream.write_all(b"a").await?;
    }
}

/// A frame as a client sends it, its mask being zero.
fn frame(head: u8, payload: &[u8]) -> Vec<u8> {
    let length = match u8::try_from(payload.len()) {
        Ok(short @ 0..=125) => vec![0x80 | short],
        _ => [&[0xFE][..], &u16::try_from(payload.len()).unwrap().to_be_bytes()].concat(),
    };
    [&[head][..], &length, &[0; 4], payload].concat()
}
