//! One connection that asks and waits, over HTTP/1.1 as a rule. The generator shares the machine with
//! what it measures, so it does no more than that.

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Failure;
use crate::wire::Door;

/// An answer.
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Bytes,
}

/// A request, as its bytes go over the wire.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Bytes {
    use std::fmt::Write as _;
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        // Writing to a String cannot fail.
        let _ = write!(text, "{name}: {value}\r\n");
    }
    Bytes::from(text + "\r\n" + body)
}

/// A caller with a connection that it keeps.
pub struct Caller {
    door: Door,
    open: Option<TcpStream>,
    read: BytesMut,
}

impl Caller {
    /// Connects when it has something to say.
    pub fn new(door: impl Into<Door>) -> Self {
        Self { door: door.into(), open: None, read: BytesMut::new() }
    }

    /// Connects now, so that the next request need not.
    pub async fn connect(&mut self) -> Result<(), Failure> {
        let stream = TcpStream::connect(self.door.addr).await?;
        stream.set_nodelay(true)?;
        self.open = Some(stream);
        self.read.clear();
        if let Some(greeting) = self.door.wire.greeting() {
            self.exchange(&Bytes::from_static(greeting)).await?;
        }
        Ok(())
    }

    /// Asks, and waits for the answer. A connection that the server has closed in the
    /// meantime is opened anew, once.
    pub async fn ask(&mut self, request: &Bytes) -> Result<Answer, Failure> {
        if self.open.is_some() {
            match self.exchange(request).await {
                Err(_) if self.read.is_empty() => {}
                outcome => return outcome,
            }
        }
        self.connect().await?;
        self.exchange(request).await
    }

    /// The same, where anything but success is a failure.
    pub async fn succeed(&mut self, request: &Bytes) -> Result<Bytes, Failure> {
        let answer = self.ask(request).await?;
        if (200..300).contains(&answer.status) {
            return Ok(answer.body);
        }
        Err(format!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body)).into())
    }

    async fn exchange(&mut self, request: &Bytes) -> Result<Answer, Failure> {
        let stream = self.open.as_mut().ok_or("not connected")?;
        stream.write_all(request).await?;
        loop {
            if let Some(answer) = self.door.wire.parse(&mut self.read)? {
                return Ok(answer);
            }
            if stream.read_buf(&mut self.read).await? == 0 {
                return Err("the server closed the connection".into());
            }
        }
    }
}

/// Takes one answer, once all of it is there.
pub fn parse(read: &mut BytesMut) -> Result<Option<Answer>, Failure> {
    let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&read[..end])?.to_ascii_lowercase();
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or("no status line")?.parse()?;
    let length = lines.find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(Ok(0), |length| length.trim().parse())?;
    if read.len() < end + 4 + length {
        return Ok(None);
    }
    read.advance(end + 4);
    Ok(Some(Answer { status, body: read.split_to(length).freeze() }))
}
