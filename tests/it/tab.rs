//! An open tab: a WebSocket to the hub, as a browser would hold it.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::hub::TestHub;
use crate::specifications::is_a_documented_frame;

/// How long a test waits for a frame that must come.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Tab<S = TcpStream> {
    socket: WebSocketStream<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Tab<S> {
    /// Opens a socket over a line that is there, from a page of `origin`.
    pub async fn over(line: S, origin: &str) -> Self {
        let mut request = "wss://logout.example/ws".into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        request.headers_mut().insert("sec-websocket-protocol", "slo.v1".parse().unwrap());
        let (socket, _) = client_async(request, line).await.unwrap();
        Self { socket }
    }
}

impl Tab {
    /// Opens a socket from a page of `origin`.
    pub async fn open(hub: &TestHub, origin: Option<&str>) -> Self {
        Self::try_open(hub, origin, Some("slo.v1")).await.unwrap_or_else(|error| panic!("no socket: {error}"))
    }

    pub async fn try_open(hub: &TestHub, origin: Option<&str>, protocol: Option<&str>) -> Result<Self, Error> {
        Self::try_open_at(hub.addr(), origin, protocol).await
    }

    /// The same, at whatever hub listens there.
    pub async fn try_open_at(addr: SocketAddr, origin: Option<&str>, protocol: Option<&str>) -> Result<Self, Error> {
        let mut request = format!("ws://{addr}/ws").into_client_request().unwrap();
        for (name, value) in [("origin", origin), ("sec-websocket-protocol", protocol)] {
            if let Some(value) = value {
                request.headers_mut().insert(name, value.parse().unwrap());
            }
        }
        let stream = TcpStream::connect(addr).await.unwrap();
        let (socket, _) = client_async(request, stream).await?;
        Ok(Self { socket })
    }

    /// Opens a socket and subscribes with a token; the hub says `subscribed`.
    pub async fn live(hub: &TestHub, origin: &str, token: &str) -> (Self, Value) {
        let mut tab = Self::open(hub, Some(origin)).await;
        tab.subscribe(token).await;
        let welcome = tab.frame().await;
        assert_eq!(welcome["type"], "subscribed", "{welcome}");
        (tab, welcome)
    }

    /// Opens a back end's feed.
    pub async fn back_end(hub: &TestHub, client_id: &str, secret: &str, after: Option<&str>) -> Self {
        let mut tab = Self::open(hub, None).await;
        let mut message = json!({"type": "subscribe", "client_id": client_id, "secret": secret});
        if let Some(after) = after {
            message["after"] = after.into();
        }
        tab.send(&message).await;
        tab
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Tab<S> {
    pub async fn subscribe(&mut self, token: &str) {
        self.send(&json!({"type": "subscribe", "token": token})).await;
    }

    pub async fn ack(&mut self, event: &Value) {
        self.send(&json!({"type": "ack", "id": event["id"]})).await;
    }

    pub async fn send(&mut self, message: &Value) {
        self.send_raw(Message::text(message.to_string())).await;
    }

    pub async fn send_raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Sends a message to a hub that may have closed; false where it has.
    pub async fn tries(&mut self, message: &Message) -> bool {
        self.socket.send(message.clone()).await.is_ok()
    }

    /// The next frame that says something.
    pub async fn frame(&mut self) -> Value {
        match self.next().await {
            Message::Text(text) => {
                let frame = serde_json::from_str(&text).unwrap();
                is_a_documented_frame(&frame);
                frame
            }
            other => panic!("expected a frame, got {other:?}"),
        }
    }

    /// The next frame, which must be the end of the session.
    pub async fn logged_out(&mut self) -> Value {
        let frame = self.frame().await;
        assert_eq!(frame["type"], "slo-event", "{frame}");
        frame
    }

    /// The next frame must be an error with that code, and then comes the close.
    pub async fn refused(&mut self, code: &str, close: u16) {
        let frame = self.frame().await;
        assert_eq!((frame["type"].as_str(), frame["code"].as_str()), (Some("error"), Some(code)), "{frame}");
        assert!(frame["error_description"].as_str().is_some_and(|text| !text.is_empty()), "{frame}");
        let (number, reason) = self.closed().await;
        assert_eq!(number, close);
        assert_eq!(frame["error"], reason, "an error frame names the close code");
    }

    /// The close code and its name.
    pub async fn closed(&mut self) -> (u16, String) {
        match self.next().await {
            Message::Close(Some(frame)) => (frame.code.into(), frame.reason.to_string()),
            other => panic!("expected the close, got {other:?}"),
        }
    }

    async fn next(&mut self) -> Message {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            match next.expect("a frame comes in time").expect("the socket is open").expect("a whole frame") {
                Message::Ping(_) | Message::Pong(_) => {}
                other => return other,
            }
        }
    }

    /// Proves that nothing came: a marker that the hub answers is answered first. The
    /// subscription is renewed with `token`, and nothing may stand before the answer.
    pub async fn heard_nothing(&mut self, token: &str) {
        self.subscribe(token).await;
        let frame = self.frame().await;
        assert_eq!(frame["type"], "subscribed", "{frame}");
    }

    /// Reads frames until the peer closes without answering any: a tab that is asleep.
    pub async fn leave(mut self) {
        self.socket.close(None).await.ok();
        while let Some(Ok(_)) = self.socket.next().await {}
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Tab<S> {
    /// Answers so many pings.
    pub async fn pings(&mut self, count: usize) {
        for _ in 0..count {
            let ping = self.socket.next().await.unwrap().unwrap();
            assert!(matches!(ping, Message::Ping(_)), "{ping:?}");
            self.socket.flush().await.unwrap();
        }
    }
}
