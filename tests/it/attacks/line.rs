//! A socket that may be misused.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::specifications::is_a_documented_frame;

/// How long a frame, or the end, is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Line(WebSocketStream<TcpStream>);

/// What came from the hub.
#[derive(Debug, PartialEq)]
pub enum Heard {
    Frame(Value),
    /// The end, with its close code where there was a close frame.
    End(Option<u16>),
}

impl Line {
    /// A socket from a page of `origin`; what is in the way in words.
    pub async fn open(addr: SocketAddr, origin: Option<&str>) -> Result<Self, String> {
        let mut request = format!("ws://{addr}/ws").into_client_request().unwrap();
        for (name, value) in [("sec-websocket-protocol", Some("slo.v1")), ("origin", origin)] {
            if let Some(value) = value {
                request.headers_mut().insert(name, value.parse().unwrap());
            }
        }
        let stream = TcpStream::connect(addr).await.map_err(|error| error.to_string())?;
        let (socket, _) = client_async(request, stream).await.map_err(|error| format!("no socket: {error}"))?;
        Ok(Self(socket))
    }

    pub async fn subscribe(&mut self, token: &str) {
        self.send(Message::text(json!({"type": "subscribe", "token": token}).to_string())).await;
    }

    /// What is sent to a socket that has ended is lost; that it ended is heard.
    pub async fn send(&mut self, message: Message) {
        self.0.send(message).await.ok();
    }

    /// Bytes past the library, which would never write them.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).await.ok();
    }

    /// The next frame, or the end.
    pub async fn hears(&mut self) -> Result<Heard, String> {
        loop {
            let next = timeout(PATIENCE, self.0.next()).await.map_err(|_| "nothing came for ten seconds".to_owned())?;
            match next {
                Some(Ok(Message::Text(text))) => {
                    let frame = serde_json::from_str(&text).map_err(|_| format!("no JSON: {text}"))?;
                    is_a_documented_frame(&frame);
                    return Ok(Heard::Frame(frame));
                }
                Some(Ok(Message::Close(frame))) => return Ok(Heard::End(frame.map(|it| it.code.into()))),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(other)) => return Err(format!("an unknown frame: {other:?}")),
                Some(Err(_)) | None => return Ok(Heard::End(None)),
            }
        }
    }
}
