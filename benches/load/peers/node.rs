//! Two servers on Node: a bare one with `ws`, and Socket.IO.

use bytes::Bytes;
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;

use super::{Adapter, Launch, Peer, SERVERS, installed, local};
use crate::Failure;
use crate::dialect::{Dialect, Heard, Opening, SloV1, event, event_id, event_of};
use crate::http::request;
use crate::hub::free_port;

/// A map from channels to sockets of the package `ws`.
pub struct Ws;

/// Socket.IO; a channel is a room.
pub struct SocketIo;

impl Adapter for Ws {
    fn name(&self) -> &'static str {
        "ws"
    }

    fn version(&self) -> Result<String, String> {
        version("ws")
    }

    fn start(&self, launch: Launch) -> Result<Peer, Failure> {
        start(launch, "ws.mjs")
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &SloV1 { id_is_channel: true }
    }

    fn publish(&self, channel: &str) -> Bytes {
        publish(channel)
    }

    fn collect(&self) -> Option<Bytes> {
        Some(collect())
    }

    fn otherwise(&self) -> &'static str {
        "whatever one writes oneself"
    }
}

impl Adapter for SocketIo {
    fn name(&self) -> &'static str {
        "socket.io"
    }

    fn version(&self) -> Result<String, String> {
        version("socket.io")
    }

    fn start(&self, launch: Launch) -> Result<Peer, Failure> {
        start(launch, "socket-io.mjs")
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &Self
    }

    fn publish(&self, channel: &str) -> Bytes {
        publish(channel)
    }

    fn collect(&self) -> Option<Bytes> {
        Some(collect())
    }

    fn otherwise(&self) -> &'static str {
        "runs a middleware of one's own before a socket is let in; connection state recovery gives a socket that was \
         away for two minutes what it missed, from memory, or by an adapter from Redis streams or MongoDB"
    }
}

impl Dialect for SocketIo {
    fn path(&self, _channel: &str) -> String {
        "/socket.io/?EIO=4&transport=websocket".to_owned()
    }

    fn opening(&self, _channel: &str) -> Opening {
        Opening::Wait
    }

    /// Engine.IO's packets: 0 open, 2 ping, 3 pong, 4 message; within a message
    /// Socket.IO's: 0 connect, 2 event, 3 acknowledgement.
    fn hear<'frame>(&self, frame: &'frame Message, channel: &str) -> Heard<'frame> {
        let Message::Text(text) = frame else { return Heard::Fault("expected text".to_owned()) };
        if let Some(event) = text.strip_prefix("42") {
            return event_id(event, "slo-event").map_or(Heard::Nothing, |id| event_of(id, channel));
        }
        match text.get(..2).unwrap_or(text) {
            "2" => Heard::Answer(Message::text("3")),
            "0{" => Heard::Answer(Message::text("40")),
            "40" => Heard::Answer(Message::text(format!(r#"420["join","{channel}"]"#))),
            "43" => Heard::Subscribed(String::new()),
            _ => Heard::Fault(format!("unexpected: {text}")),
        }
    }
}

fn version(package: &str) -> Result<String, String> {
    let node = installed::version(&installed::program("node")?, &["--version"])?;
    Ok(format!("{} on Node {node}", installed::npm_version(SERVERS, package)?))
}

fn start(launch: Launch, server: &str) -> Result<Peer, Failure> {
    let (port, server) = (free_port()?, format!("{SERVERS}/{server}"));
    let words = [&*installed::program("node")?, "--expose-gc", &server, &port.to_string()];
    launch.run(TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?, &words, local(port), local(port))
}

fn publish(channel: &str) -> Bytes {
    request("POST", &format!("/publish/{channel}"), &[], &event(channel))
}

fn collect() -> Bytes {
    request("POST", "/collect", &[], "")
}
