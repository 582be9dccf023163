//! One app's open socket, as light as it can be: the load generator shares the machine
//! with what it measures.

use std::net::{Ipv4Addr, SocketAddr};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::Failure;

/// How many sessions come from one address: one has only so many ports, and the hub lets
/// so many in from each.
const SESSIONS_AN_ADDRESS: usize = 50;

/// A WebSocket to a server.
pub struct Socket(WebSocketStream<TcpStream>);

/// Which loopback address a session's browser has.
fn address_of(session: usize) -> Ipv4Addr {
    let number = session / SESSIONS_AN_ADDRESS;
    let byte = |value: usize| u8::try_from(value % 250).unwrap_or(0);
    Ipv4Addr::new(127, 1 + byte(number / 62_500), byte(number / 250), byte(number) + 1)
}

impl Socket {
    /// Opens a socket, from the address of its session.
    pub async fn connect(server: SocketAddr, session: usize, origin: Option<&str>) -> Result<Self, Failure> {
        Self::connect_by(TcpSocket::new_v4()?, server, session, origin).await
    }

    /// The same, with next to no room for what is not read yet.
    pub async fn connect_narrow(server: SocketAddr, session: usize, origin: Option<&str>) -> Result<Self, Failure> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4096)?;
        Self::connect_by(socket, server, session, origin).await
    }

    async fn connect_by(
        socket: TcpSocket,
        server: SocketAddr,
        session: usize,
        origin: Option<&str>,
    ) -> Result<Self, Failure> {
        socket.bind((address_of(session), 0).into())?;
        let stream = socket.connect(server).await?;
        stream.set_nodelay(true)?;
        let mut request = format!("ws://{server}/ws").into_client_request()?;
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse()?);
        }
        request.headers_mut().insert("sec-websocket-protocol", "slo.v1".parse()?);
        let config = WebSocketConfig::default().read_buffer_size(512).write_buffer_size(0);
        let (socket, _) = client_async_with_config(request, stream, Some(config)).await?;
        Ok(Self(socket))
    }

    /// Subscribes with a token or a ticket; the ticket to come back with.
    pub async fn subscribe(&mut self, credential: &str) -> Result<String, Failure> {
        self.say(&json!({"type": "subscribe", "token": credential})).await?;
        let welcome = self.next().await?.ok_or("closed instead of subscribed")?;
        let welcome: Value = serde_json::from_str(&welcome)?;
        if welcome["type"] != "subscribed" {
            return Err(format!("not subscribed: {} {}", welcome["error"], welcome["code"]).into());
        }
        Ok(welcome["resume"].as_str().unwrap_or_default().to_owned())
    }

    /// Sends a message.
    pub async fn say(&mut self, message: &Value) -> Result<(), Failure> {
        Ok(self.0.send(Message::text(message.to_string())).await?)
    }

    /// The next text; `None` when the server closes the socket. Pings are answered.
    pub async fn next(&mut self) -> Result<Option<Utf8Bytes>, Failure> {
        loop {
            match self.0.next().await.transpose()? {
                Some(Message::Text(text)) => return Ok(Some(text)),
                Some(Message::Ping(_) | Message::Pong(_)) => {}
                None | Some(Message::Close(_)) => return Ok(None),
                Some(other) => return Err(format!("expected text, got {other:?}").into()),
            }
        }
    }
}

/// The `id` of an event; none where it is no event. Not parsed as JSON: ten thousand of
/// these come at once.
pub fn event_id(text: &str) -> Option<&str> {
    let is_event = text.contains("\"type\":\"slo-event\"");
    let (_, rest) = text.split_once("\"id\":\"").filter(|_| is_event)?;
    rest.split('"').next()
}
