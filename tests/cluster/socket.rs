//! A WebSocket to whichever node, that may break at any moment.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::history::{End, Logout, Whom};

/// How long opening a socket may take.
const OPEN_WITHIN: Duration = Duration::from_secs(4);

pub struct Socket(WebSocketStream<TcpStream>);

/// What a socket said.
#[derive(Debug)]
pub enum Said {
    Subscribed { resume: Option<String> },
    Event(Logout),
    Error { code: String },
    End(End),
}

impl Socket {
    /// Opens one, from a page of that origin; none where that fails.
    pub async fn open(at: SocketAddr, origin: Option<&str>) -> Option<Self> {
        let mut request = format!("ws://{at}/ws").into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "slo.v1".parse().unwrap());
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        let opening = async { Some(client_async(request, TcpStream::connect(at).await.ok()?).await.ok()?.0) };
        timeout(OPEN_WITHIN, opening).await.ok().flatten().map(Self)
    }

    /// Sends a message. A broken socket says so when it is read.
    pub async fn send(&mut self, message: &Value) {
        let _ = timeout(OPEN_WITHIN, self.0.send(Message::text(message.to_string()))).await;
    }

    pub async fn subscribe(&mut self, credential: &str) {
        self.send(&json!({"type": "subscribe", "token": credential})).await;
    }

    /// What comes next. Pings are answered.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Said {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => {
                    if let Some(said) = understood(&serde_json::from_str(&text).unwrap()) {
                        return said;
                    }
                }
                Some(Ok(Message::Close(Some(frame)))) => return Said::End(End::Closed(frame.code.into())),
                Some(Ok(Message::Close(None)) | Err(_)) | None => return Said::End(End::Broken),
                Some(Ok(_)) => {}
            }
        }
    }
}

/// A frame that matters here.
fn understood(frame: &Value) -> Option<Said> {
    match frame["type"].as_str() {
        Some("subscribed") => Some(Said::Subscribed { resume: frame["resume"].as_str().map(str::to_owned) }),
        Some("slo-event") => Some(Said::Event(logout(frame))),
        Some("error") => Some(Said::Error { code: frame["code"].as_str().unwrap_or_default().to_owned() }),
        _ => None,
    }
}

/// A logout in an event, or in an answer: they have the same members.
pub fn logout(frame: &Value) -> Logout {
    let text = |name: &str| frame[name].as_str().unwrap_or_default().to_owned();
    let whom = match frame["scope"].as_str() {
        Some("user") => Whom::Person(text("sub")),
        _ => Whom::Session(text("sid")),
    };
    Logout { id: text("id"), whom, source: text("source"), until: until(frame) }
}

/// When it happened, rounded up to a whole second as the hub does.
pub fn until(frame: &Value) -> i64 {
    let at = frame["occurred_at"].as_str().unwrap_or_default();
    let at = chrono::DateTime::parse_from_rfc3339(at).unwrap_or_else(|error| panic!("{error}: {frame}"));
    (at.timestamp_millis() + 999).div_euclid(1000)
}
