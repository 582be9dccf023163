//! How the clients of a server speak to it over their socket: the same sockets, the same
//! clocks and the same counts for each, only the words differ.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

/// The words of one server's clients.
pub trait Dialect: Send + Sync {
    /// The path and query of the socket that is to listen to a channel.
    fn path(&self, _channel: &str) -> String {
        "/ws".to_owned()
    }

    /// The WebSocket's subprotocol, where one is asked for.
    fn subprotocol(&self) -> Option<&'static str> {
        None
    }

    /// What comes after the handshake.
    fn opening(&self, channel: &str) -> Opening;

    /// What a frame means to a client that wants to listen, or listens, to a channel.
    fn hear<'frame>(&self, frame: &'frame Message, channel: &str) -> Heard<'frame>;
}

/// What comes after the handshake.
pub enum Opening {
    /// The client speaks first.
    Say(Message),
    /// The server does.
    Wait,
    /// Nothing: whoever is connected is subscribed.
    Done,
}

/// What a frame means.
pub enum Heard<'frame> {
    /// The socket listens from now on; what it may come back with, or nothing.
    Subscribed(String),
    /// The event; its id.
    Event(&'frame str),
    /// The server waits for this.
    Answer(Message),
    /// Nothing of interest.
    Nothing,
    /// Something is wrong.
    Fault(String),
}

/// The hub's own words, which the floor and the bare server on Node use too.
pub struct SloV1 {
    /// Whether an event's id is the channel's name, which is then compared: a server that
    /// tells the wrong ones is not fast.
    pub id_is_channel: bool,
}

impl Dialect for SloV1 {
    fn subprotocol(&self) -> Option<&'static str> {
        Some("slo.v1")
    }

    fn opening(&self, credential: &str) -> Opening {
        Opening::Say(Message::text(json!({"type": "subscribe", "token": credential}).to_string()))
    }

    fn hear<'frame>(&self, frame: &'frame Message, channel: &str) -> Heard<'frame> {
        let Message::Text(text) = frame else { return Heard::Fault("expected text".to_owned()) };
        match event_id(text, "\"type\":\"slo-event\"") {
            Some(id) if self.id_is_channel => event_of(id, channel),
            Some(id) => Heard::Event(id),
            None => subscribed(text),
        }
    }
}

fn subscribed(text: &str) -> Heard<'_> {
    let said: Value = serde_json::from_str(text).unwrap_or_default();
    match said["type"].as_str() {
        Some("subscribed") => Heard::Subscribed(said["resume"].as_str().unwrap_or_default().to_owned()),
        Some("error") => Heard::Fault(format!("not subscribed: {} {}", said["error"], said["code"])),
        _ => Heard::Nothing,
    }
}

/// The `id` of an event; none where the mark of one is missing. Not parsed as JSON: ten
/// thousand of these come at once.
pub fn event_id<'text>(text: &'text str, mark: &str) -> Option<&'text str> {
    let (_, rest) = text.split_once("\"id\":\"").filter(|_| text.contains(mark))?;
    rest.split('"').next()
}

/// An event whose id must be the channel's name.
pub fn event_of<'frame>(id: &'frame str, channel: &str) -> Heard<'frame> {
    if id == channel { Heard::Event(id) } else { Heard::Fault(format!("who listens to {channel} was told of {id}")) }
}

/// The event that is published to a channel: 150 bytes or so, with what a logout says.
pub fn event(channel: &str) -> String {
    format!(
        r#"{{"type":"slo-event","id":"{channel}","issuer":"https://tenant.example","scope":"session","sid":"{channel:0>20}","source":"issuer","occurred_at":"2026-01-01T00:00:00.000Z"}}"#
    )
}
