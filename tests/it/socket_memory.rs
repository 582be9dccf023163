//! What an idle socket costs in memory: a count, not a clock. `make bench` measures it
//! closer, on a release build with ten thousand of them.

use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::process::HubProcess;
use crate::support::issuer::TestIssuer;

/// What one more socket may add to the hub's private memory, everything included: its
/// task, its places in the maps, its session. It is about 2.3 KiB in a build that is not
/// optimised. One buffer of half a KiB that stays would be too much.
const BYTES_A_SOCKET: i64 = 2_800;

/// Sockets of one session.
const TABS: usize = 4;
/// Opened first, and kept: they pay for what grows once (caches, pools, the allocator's
/// own), and leave no freed memory that later ones could have for nothing.
const SESSIONS_BEFORE: usize = 100;
/// Opened in each round.
const SESSIONS: usize = 100;
/// The median counts: a cache that doubles falls into one.
const ROUNDS: usize = 3;

type Socket = WebSocketStream<TcpStream>;

#[tokio::test]
async fn one_more_idle_socket_adds_little_to_the_hubs_memory() {
    let issuer = TestIssuer::start().await;
    let folder = TempDir::new().unwrap();
    let hub = HubProcess::start_with(&issuer, folder.path(), "[limits]\nmax_connections_per_ip = 10000").await;

    let mut open = sessions(&hub, &issuer, SESSIONS_BEFORE).await;
    let mut each = Vec::new();
    for _ in 0..ROUNDS {
        let before = hub.private_bytes();
        open.extend(sessions(&hub, &issuer, SESSIONS).await);
        let added = hub.private_bytes() - before;
        each.push(added / i64::try_from(SESSIONS * TABS).unwrap());
    }

    // All of them are still there: what was measured is what they hold.
    hub.until_metric("slo_hub_sockets{", f64::from(u32::try_from(open.len()).unwrap())).await;
    each.sort_unstable();
    let median = each[ROUNDS / 2];
    println!("{median} bytes a socket; all rounds: {each:?}");
    assert!(median <= BYTES_A_SOCKET, "{median} bytes a socket; all rounds: {each:?}");
    // A figure this small would be one that measures nothing.
    assert!(median >= 512, "{median} bytes a socket; all rounds: {each:?}");
}

/// Opens so many sessions' sockets, a session's at a time.
async fn sessions(hub: &HubProcess, issuer: &TestIssuer, count: usize) -> Vec<Socket> {
    let mut open = Vec::with_capacity(count * TABS);
    for person in 0..count {
        let token = issuer.id_token(&issuer.sign_in(&format!("person-{person}")), "notes").sign();
        open.extend(join_all((0..TABS).map(|_| subscribed(hub, &token))).await);
    }
    open
}

async fn subscribed(hub: &HubProcess, token: &str) -> Socket {
    let mut request = format!("ws://{}/ws", hub.addr()).into_client_request().unwrap();
    request.headers_mut().insert("origin", "https://notes.example".parse().unwrap());
    request.headers_mut().insert("sec-websocket-protocol", "slo.v1".parse().unwrap());
    let stream = TcpStream::connect(hub.addr()).await.unwrap();
    let (mut socket, _) = client_async(request, stream).await.unwrap();
    let subscribe = serde_json::json!({"type": "subscribe", "token": token});
    socket.send(Message::text(subscribe.to_string())).await.unwrap();
    let welcome = socket.next().await.unwrap().unwrap();
    assert!(welcome.to_text().unwrap().contains("\"type\":\"subscribed\""), "{welcome}");
    socket
}
