//! How events are published: over HTTP, or in a broker's own protocol, by one connection
//! that asks and waits for the answer.

use std::net::SocketAddr;

use bytes::{Buf, Bytes, BytesMut};

use crate::Failure;
use crate::http::{self, Answer};

/// Where a server is told to publish, and in what protocol.
#[derive(Clone, Copy, Debug)]
pub struct Door {
    /// Where.
    pub addr: SocketAddr,
    /// In what protocol.
    pub wire: Wire,
}

/// A protocol of publishers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// HTTP/1.1.
    Http,
    /// NATS' own; each publish is followed by a `PING`, whose `PONG` is the answer.
    Nats,
    /// MQTT 3.1.1; a publish has quality of service 1, and its `PUBACK` is the answer.
    Mqtt,
}

impl From<SocketAddr> for Door {
    fn from(addr: SocketAddr) -> Self {
        Self { addr, wire: Wire::Http }
    }
}

impl Wire {
    /// What a new connection says first; it is answered.
    pub const fn greeting(self) -> Option<&'static [u8]> {
        match self {
            Self::Http => None,
            Self::Nats => Some(b"CONNECT {\"verbose\":false,\"pedantic\":false}\r\nPING\r\n"),
            // CONNECT: "MQTT", level 4, clean session, no keep-alive, no client id.
            Self::Mqtt => Some(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00"),
        }
    }

    /// Takes one answer, once all of it is there.
    pub fn parse(self, read: &mut BytesMut) -> Result<Option<Answer>, Failure> {
        match self {
            Self::Http => http::parse(read),
            Self::Nats => nats(read),
            Self::Mqtt => mqtt(read),
        }
    }
}

/// `INFO` comes first, and `PING` now and then; neither is an answer.
fn nats(read: &mut BytesMut) -> Result<Option<Answer>, Failure> {
    while let Some(end) = read.windows(2).position(|window| window == b"\r\n") {
        let line = read.split_to(end).freeze();
        read.advance(2);
        if line.starts_with(b"PONG") {
            return Ok(Some(Answer { status: 200, body: Bytes::new() }));
        }
        if line.starts_with(b"-ERR") {
            return Err(String::from_utf8_lossy(&line).into());
        }
    }
    Ok(None)
}

/// `CONNACK` and `PUBACK` both have four bytes.
fn mqtt(read: &mut BytesMut) -> Result<Option<Answer>, Failure> {
    if read.len() < 4 {
        return Ok(None);
    }
    let packet = read.split_to(4).freeze();
    match packet[..] {
        [0x20, 2, _, 0] | [0x40, 2, _, _] => Ok(Some(Answer { status: 200, body: Bytes::new() })),
        _ => Err(format!("an MQTT answer of {packet:?}").into()),
    }
}

/// An MQTT packet: its first byte, the length of the rest, the rest.
pub fn mqtt_packet(first: u8, rest: &[u8]) -> Bytes {
    let mut packet = vec![first];
    let mut left = rest.len();
    loop {
        let low = u8::try_from(left % 128).unwrap_or(0);
        left /= 128;
        packet.push(if left > 0 { low | 0x80 } else { low });
        if left == 0 {
            break;
        }
    }
    packet.extend_from_slice(rest);
    packet.into()
}
