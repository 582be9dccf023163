//! The yardstick: the least a server can do for the same frames. It verifies nothing,
//! records nothing and forgets everything; a hub cannot be lighter than this.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::Failure;
use crate::dialect::event;

type Channels = Arc<Mutex<HashMap<String, Vec<Arc<Seat>>>>>;

#[derive(Default)]
struct Seat {
    told: OnceLock<Utf8Bytes>,
    wake: Notify,
}

/// Serves until it is killed. Says its two ports first: for sockets, and for publishing.
pub async fn serve() -> Result<(), Failure> {
    let (sockets, publish) = (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
    println!("{} {}", sockets.local_addr()?.port(), publish.local_addr()?.port());
    let channels = Channels::default();
    let routes = Router::new().route("/publish", post(tell)).with_state(Arc::clone(&channels));
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { drop(axum::serve(publish, routes).await) });
    loop {
        let (stream, _) = sockets.accept().await?;
        let channels = Arc::clone(&channels);
        tasks.spawn(async move { drop(listen(stream, channels).await) });
        while tasks.try_join_next().is_some() {}
    }
}

/// `POST /publish` with a channel's name: an event to all that listen there.
async fn tell(State(channels): State<Channels>, name: String) -> StatusCode {
    let event = Utf8Bytes::from(event(&name));
    let seats = channels.lock().unwrap_or_else(PoisonError::into_inner).remove(&name).unwrap_or_default();
    for seat in seats {
        drop(seat.told.set(event.clone()));
        seat.wake.notify_one();
    }
    StatusCode::CREATED
}

async fn listen(mut stream: TcpStream, channels: Channels) -> Result<(), Failure> {
    stream.set_nodelay(true)?;
    answer_handshake(&mut stream).await?;
    let config = WebSocketConfig::default().read_buffer_size(128).write_buffer_size(0);
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
    let seat = Arc::new(Seat::default());
    let Some(Message::Text(first)) = socket.next().await.transpose()? else { return Ok(()) };
    let first: Value = serde_json::from_str(&first)?;
    let name = first["token"].as_str().unwrap_or_default().to_owned();
    channels.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default().push(Arc::clone(&seat));
    socket.send(Message::text(r#"{"type":"subscribed"}"#)).await?;
    loop {
        tokio::select! {
            () = seat.wake.notified() => if let Some(event) = seat.told.get() {
                socket.send(Message::Text(event.clone())).await?;
            },
            // Whoever acknowledges is done, as at the hub.
            message = socket.next() => match message {
                Some(Ok(Message::Text(_))) => return Ok(socket.close(None).await?),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ok(()),
            },
        }
    }
}

/// By hand: the library's own handshake leaves buffers behind that the socket then keeps.
/// Clients say nothing more until they have the answer.
async fn answer_handshake(stream: &mut TcpStream) -> Result<(), Failure> {
    let mut request = Vec::with_capacity(1024);
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut request).await? == 0 || request.len() > 8192 {
            return Err("no handshake".into());
        }
    }
    let request = std::str::from_utf8(&request)?;
    let mut headers = request.lines().filter_map(|line| line.split_once(':'));
    let key = headers.find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"));
    let accept = derive_accept_key(key.ok_or("no key")?.1.trim().as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-protocol: slo.v1\r\nsec-websocket-accept: {accept}\r\n\r\n"
    );
    Ok(stream.write_all(answer.as_bytes()).await?)
}
