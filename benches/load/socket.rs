//! One app's open socket, as light as it can be: the load generator shares the machine
//! with what it measures.

use std::net::{Ipv4Addr, SocketAddr};

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, handshake::client::Request};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::Failure;

pub struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Opens a socket and subscribes. `n` picks the loopback address it comes from: one
    /// address has only so many ports.
    pub async fn open(hub: SocketAddr, n: usize, origin: &str, token: &str) -> Result<Self, Failure> {
        let from = Ipv4Addr::new(127, 1, u8::try_from(n / 200 % 250)?, u8::try_from(n % 200 + 1)?);
        let socket = TcpSocket::new_v4()?;
        socket.bind((from, 0).into())?;
        let stream = socket.connect(hub).await?;
        let mut request: Request = format!("ws://{hub}/ws").into_client_request()?;
        request.headers_mut().insert("origin", origin.parse()?);
        request.headers_mut().insert("sec-websocket-protocol", "slo.v1".parse()?);
        let config = WebSocketConfig::default().read_buffer_size(512).write_buffer_size(0);
        let (mut socket, _) = client_async_with_config(request, stream, Some(config)).await?;
        let subscribe = serde_json::json!({"type": "subscribe", "token": token}).to_string();
        socket.send(Message::text(subscribe)).await?;
        let mut own = Self(socket);
        own.expect("subscribed").await?;
        Ok(own)
    }

    /// Waits for the end of the session.
    pub async fn event(&mut self) -> Result<(), Failure> {
        self.expect("slo-event").await
    }

    async fn expect(&mut self, kind: &str) -> Result<(), Failure> {
        loop {
            match self.0.next().await.ok_or("the hub closed the socket")?? {
                Message::Text(text) if text.contains(&format!("\"type\":\"{kind}\"")) => return Ok(()),
                Message::Ping(_) => {}
                other => return Err(format!("expected {kind}, got {other:?}").into()),
            }
        }
    }
}
