//! Callers that open sockets and do nothing with them, or never end what they begin.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, pause, sleep};

use crate::hub::{NOTES, TestHub};
use crate::process::HubProcess;
use crate::stories::{id_token, logout_token};
use crate::support::issuer::TestIssuer;
use crate::tab::Tab;

/// `subscribe_timeout`, as a close frame.
const NOT_SUBSCRIBED: &[u8] = b"\x0f\xa2subscribe_timeout";

/// A socket that has said nothing since its handshake.
async fn silent(addr: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let head = format!(
        "GET /ws HTTP/1.1\r\nhost: {addr}\r\norigin: {NOTES}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: slo.v1\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
    stream
}

/// So many sockets that never subscribe, and one that does: it hears its logout in time while
/// they are there, each of them is told why it is closed, and then there is room again.
async fn while_so_many_say_nothing(count: usize) {
    let issuer = TestIssuer::start().await;
    let folder = TempDir::new().unwrap();
    let limits = format!("[limits]\nmax_connections = {count}\nmax_connections_per_ip = {count}");
    let hub = HubProcess::start_with(&issuer, folder.path(), &limits).await;
    let ada = issuer.sign_in("ada");
    let mut tab = Tab::try_open_at(hub.addr(), Some(NOTES), Some("slo.v1")).await.unwrap();
    tab.subscribe(&issuer.id_token(&ada, "notes").sign()).await;
    assert_eq!(tab.frame().await["type"], "subscribed");

    let opening = stream::iter(0..count - 1).map(|_| silent(hub.addr())).buffer_unordered(64);
    let mut crowd: Vec<TcpStream> = opening.collect().await;
    let form = format!("logout_token={}", issuer.logout_token(&ada, "notes").sign());
    let post = hub.http.post(hub.url("/backchannel-logout")).body(form);
    let post = post.header("content-type", "application/x-www-form-urlencoded");
    let began = Instant::now();
    assert_eq!(post.send().await.unwrap().status(), 200);
    tab.logged_out().await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());

    let ends = crowd.iter_mut().map(async |stream| {
        let mut all = Vec::new();
        // Not answered: the hub hangs up by itself.
        let _ended = stream.read_to_end(&mut all).await;
        all.windows(NOT_SUBSCRIBED.len()).any(|window| window == NOT_SUBSCRIBED)
    });
    assert!(join_all(ends).await.into_iter().all(|is_told| is_told), "each is told why");
    let mut next = Tab::try_open_at(hub.addr(), Some(NOTES), Some("slo.v1")).await.unwrap();
    next.subscribe(&issuer.id_token(&issuer.sign_in("grace"), "notes").sign()).await;
    assert_eq!(next.frame().await["type"], "subscribed", "there is room again");
}

#[tokio::test]
async fn hundreds_of_connects_that_never_subscribe_harm_nobody() {
    while_so_many_say_nothing(400).await;
}

#[tokio::test]
#[ignore = "ten thousand sockets: for make faults"]
async fn ten_thousand_connects_that_never_subscribe_harm_nobody() {
    while_so_many_say_nothing(10_000).await;
}

#[tokio::test]
async fn a_message_that_never_ends_is_no_sign_of_life() {
    let hub = TestHub::start().await;
    let mut stream = silent(hub.addr()).await;
    let token = id_token(&hub, &hub.issuer.sign_in("ada"), "notes");
    let subscribe = json!({"type": "subscribe", "token": token}).to_string();
    let length = u16::try_from(subscribe.len()).unwrap().to_be_bytes();
    stream.write_all(&[&[0x81, 0xFE][..], &length, &[0; 4], subscribe.as_bytes()].concat()).await.unwrap();
    let mut welcome = [0; 64];
    stream.read_exact(&mut welcome).await.unwrap();
    // A message of 60,000 bytes to come, a byte a second.
    let (mut read, mut write) = stream.into_split();
    write.write_all(&[0x81, 0xFE, 0xEA, 0x60, 0, 0, 0, 0]).await.unwrap();
    pause();
    let began = Instant::now();
    let drip = async {
        while write.write_all(b"x").await.is_ok() {
            sleep(Duration::from_secs(1)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut all = Vec::new();
    tokio::select! {
        () = drip => {}
        _ = read.read_to_end(&mut all) => {}
        () = sleep(Duration::from_secs(300)) => panic!("never dropped"),
    }
    let no_pong = b"\x0f\xa0no_pong";
    assert!(all.windows(no_pong.len()).any(|window| window == no_pong), "{all:?}");
    assert!(began.elapsed() < Duration::from_secs(95), "three heartbeats at most: {:?}", began.elapsed());
}

#[tokio::test]
async fn half_open_requests_of_one_address_leave_its_channels_alone() {
    let hub = TestHub::start_with("[limits]\nmax_connections_per_ip = 2").await;
    let ada = hub.issuer.sign_in("ada");
    let (mut tab, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let mut half = Vec::new();
    for _ in 0..60 {
        let mut stream = TcpStream::connect(hub.addr()).await.unwrap();
        stream.write_all(b"POST /backchannel-logout HTTP/1.1\r\nhost: x\r\n").await.unwrap();
        half.push(stream);
    }
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    tab.logged_out().await;
}
