//! One app's open socket, as light as it can be: the load generator shares the machine
//! with what it measures.

use std::net::{Ipv4Addr, SocketAddr};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::Failure;
use crate::dialect::{Dialect, Heard, Opening};

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
    /// Opens a socket from the address of its session, and subscribes with a credential:
    /// a token or ticket at the hub, a channel's name elsewhere; what to come back with.
    pub async fn subscribed(
        dialect: &dyn Dialect,
        server: SocketAddr,
        session: usize,
        origin: &str,
        credential: &str,
    ) -> Result<(Self, String), Failure> {
        let upgrade =
            Upgrade { path: &dialect.path(credential), origin: Some(origin), protocol: dialect.subprotocol() };
        let mut socket = Self::connect(TcpSocket::new_v4()?, server, session, upgrade).await?;
        match dialect.opening(credential) {
            Opening::Done => return Ok((socket, String::new())),
            Opening::Say(first) => socket.0.send(first).await?,
            Opening::Wait => {}
        }
        loop {
            let frame = socket.frame().await?.ok_or("closed instead of subscribed")?;
            match dialect.hear(&frame, credential) {
                Heard::Subscribed(ticket) => return Ok((socket, ticket)),
                Heard::Answer(answer) => socket.0.send(answer).await?,
                Heard::Event(_) => return Err("told before it was subscribed".into()),
                Heard::Fault(fault) => return Err(fault.into()),
                Heard::Nothing => {}
            }
        }
    }

    /// Opens a socket at a hub with next to no room for what is not read yet.
    pub async fn connect_narrow(server: SocketAddr, session: usize) -> Result<Self, Failure> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4096)?;
        Self::connect(socket, server, session, Upgrade { path: "/ws", origin: None, protocol: Some("slo.v1") }).await
    }

    async fn connect(
        socket: TcpSocket,
        server: SocketAddr,
        session: usize,
        upgrade: Upgrade<'_>,
    ) -> Result<Self, Failure> {
        socket.bind((address_of(session), 0).into())?;
        let stream = socket.connect(server).await?;
        stream.set_nodelay(true)?;
        let mut request = format!("ws://{server}{}", upgrade.path).into_client_request()?;
        if let Some(origin) = upgrade.origin {
            request.headers_mut().insert("origin", origin.parse()?);
        }
        if let Some(protocol) = upgrade.protocol {
            request.headers_mut().insert("sec-websocket-protocol", protocol.parse()?);
        }
        let config = WebSocketConfig::default().read_buffer_size(512).write_buffer_size(0);
        let (socket, _) = client_async_with_config(request, stream, Some(config)).await?;
        Ok(Self(socket))
    }

    /// Sends a message of the hub's protocol.
    pub async fn say(&mut self, message: &Value) -> Result<(), Failure> {
        self.send(Message::text(message.to_string())).await
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: Message) -> Result<(), Failure> {
        Ok(self.0.send(frame).await?)
    }

    /// The next frame with data; `None` when the server closes the socket. Pings are
    /// answered.
    pub async fn frame(&mut self) -> Result<Option<Message>, Failure> {
        loop {
            match self.0.next().await.transpose()? {
                Some(data @ (Message::Text(_) | Message::Binary(_))) => return Ok(Some(data)),
                Some(Message::Ping(_) | Message::Pong(_)) => {}
                None | Some(Message::Close(_)) => return Ok(None),
                Some(other @ Message::Frame(_)) => return Err(format!("expected data, got {other:?}").into()),
            }
        }
    }
}

/// What the handshake asks for.
struct Upgrade<'ask> {
    path: &'ask str,
    origin: Option<&'ask str>,
    protocol: Option<&'static str>,
}
