//! A WebSocket server that says back what it hears: the hub's listener and its own codec, as
//! the channel uses them, and nothing else of it. For suites that test a server's WebSocket
//! by its echo; `make autobahn` runs one.
//!
//! ```text
//! echo <listen> [<largest message, in bytes>]
//! ```

use std::error::Error;
use std::net::SocketAddr;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::upgrade::OnUpgrade;
use slo_hub::listener::{self, Listener};
use slo_hub::tasks::Tasks;
use slo_hub::ws::rfc6455::{Ended, Limits, Message, Opcode, Socket};
use tokio::io::{AsyncRead, AsyncWrite};

/// The suite's largest message.
const MESSAGE_BYTES: u32 = 16 * 1024 * 1024;
/// The suite cuts 4 MiB into fragments of 64 bytes.
const FRAGMENTS: u32 = 65_536;
/// RFC 6455, section 1.3.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[derive(Clone)]
struct Echo {
    limits: Limits,
    tasks: Tasks,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let listen: SocketAddr = args.next().ok_or("echo <listen> [<largest message>]")?.parse()?;
    let message_bytes = args.next().map_or(Ok(MESSAGE_BYTES), |text| text.parse())?;
    let listener = Listener::bind(listen)?;
    println!("listening on {}", listener.local_addr());
    let echo = Echo { limits: Limits { message_bytes, fragments: FRAGMENTS }, tasks: Tasks::default() };
    let tasks = echo.tasks.clone();
    let routes = Router::new().fallback(get(upgrade)).with_state(echo);
    let many = listener::Limits { max_connections: 1000, max_connections_per_ip: 1000, trusted_proxies: Vec::new() };
    listener.serve(routes, many, tasks).await;
    Ok(())
}

async fn upgrade(State(echo): State<Echo>, mut request: Request) -> Response {
    let key = request.headers().get(header::SEC_WEBSOCKET_KEY).and_then(|key| key.to_str().ok());
    let proof = key.map(|key| digest(&SHA1_FOR_LEGACY_USE_ONLY, [key, GUID].concat().as_bytes()));
    let upgrade = request.extensions_mut().remove::<OnUpgrade>();
    let (Some(proof), Some(upgrade)) = (proof, upgrade) else { return StatusCode::BAD_REQUEST.into_response() };
    let limits = echo.limits;
    echo.tasks.spawn(async move {
        let Some((stream, early)) = upgrade.await.ok().and_then(listener::take_over) else { return };
        // A client that breaks off is no news.
        let _ended = say_back(Socket::new(stream, &early, limits)).await;
    });
    let headers = [
        (header::CONNECTION, "upgrade".to_owned()),
        (header::UPGRADE, "websocket".to_owned()),
        (header::SEC_WEBSOCKET_ACCEPT, STANDARD.encode(proof)),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

/// Until the client closes, or breaks a rule: then it is told which, by the specification's
/// own close code. (The hub has codes of its own beyond that.)
async fn say_back<S: AsyncRead + AsyncWrite + Unpin>(mut socket: Socket<S>) -> std::io::Result<()> {
    loop {
        match socket.next().await {
            Ok(Message::Text(text)) => socket.send(Opcode::Text, text.as_bytes()).await?,
            Ok(Message::Binary(bytes)) => socket.send(Opcode::Binary, &bytes).await?,
            Ok(Message::Ping(_) | Message::Pong(_)) => {}
            Ok(Message::Close(_)) => return socket.finish().await,
            Err(Ended::Fault(fault)) => {
                socket.send(Opcode::Close, &fault.close_code().to_be_bytes()).await?;
                return socket.finish().await;
            }
            Err(Ended::Gone) => return Ok(()),
        }
    }
}
