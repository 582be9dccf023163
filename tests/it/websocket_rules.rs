//! The rules of RFC 6455 on a real connection, byte by byte: what no WebSocket library
//! would send.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::hub::{Answer, NOTES, TestHub};
use crate::stories::id_token;

const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8A;

fn handshake(hub: &TestHub) -> Vec<u8> {
    let (addr, key) = (hub.addr(), "dGhlIHNhbXBsZSBub25jZQ==");
    let head = format!(
        "GET /ws HTTP/1.1\r\nhost: {addr}\r\norigin: {NOTES}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: {key}\r\nsec-websocket-protocol: slo.v1\r\n\r\n"
    );
    head.into_bytes()
}

/// A client's frame of under 64 KiB, whose mask is nought.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap();
    let length =
        if length < 126 { vec![0x80 | length.to_be_bytes()[1]] } else { [&[0xFE][..], &length.to_be_bytes()].concat() };
    [&[first], &length[..], &[0; 4], payload].concat()
}

/// Sends those bytes in one piece.
async fn connection(hub: &TestHub, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(hub.addr()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// Everything up to the end of the handshake's answer.
async fn answer(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// The hub's next frame: its first byte, and what it carries.
async fn next(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let (first, short) = (stream.read_u8().await.unwrap(), stream.read_u8().await.unwrap());
    let length = if short == 126 { stream.read_u16().await.unwrap() } else { short.into() };
    let mut payload = vec![0; length.into()];
    stream.read_exact(&mut payload).await.unwrap();
    (first, payload)
}

async fn next_json(stream: &mut TcpStream) -> Value {
    let (first, payload) = next(stream).await;
    assert_eq!(first, TEXT, "{payload:?}");
    serde_json::from_slice(&payload).unwrap()
}

async fn ended(mut stream: TcpStream) {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"");
}

#[tokio::test]
async fn what_comes_in_one_piece_with_the_handshake_is_not_lost() {
    let hub = TestHub::start().await;
    let token = id_token(&hub, &hub.issuer.sign_in("ada"), "notes");
    let subscribe = json!({"type": "subscribe", "token": token}).to_string();
    let all = [handshake(&hub), frame(PING, b"there?"), frame(TEXT, subscribe.as_bytes())].concat();
    let mut stream = connection(&hub, &all).await;
    let head = answer(&mut stream).await.to_lowercase();
    assert!(head.starts_with("http/1.1 101 ") && head.contains("sec-websocket-protocol: slo.v1\r\n"), "{head}");
    assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"), "{head}");
    assert_eq!(next(&mut stream).await, (PONG, b"there?".to_vec()));
    assert_eq!(next_json(&mut stream).await["type"], "subscribed");
}

#[tokio::test]
async fn what_breaks_the_rules_is_told_so_and_closed_with_4500() {
    let hub = TestHub::start().await;
    for (bad, what) in [
        (vec![TEXT, 2, b'{', b'}'], "no mask"),
        (frame(0xC1, b"{}"), "a reserved bit"),
        (frame(0x83, b"{}"), "an unknown opcode"),
        (frame(0x80, b"{}"), "a continuation of nothing"),
        (frame(PING, &[0; 126]), "a long ping"),
        (frame(TEXT, b"\xff"), "no UTF-8"),
        (frame(CLOSE, b"\x03\xec"), "a close code that may not be sent"),
        ([frame(0x01, b""), frame(0x00, b"").repeat(256)].concat(), "a message in 257 fragments"),
        ([frame(0x01, &vec![b'x'; 40_000]), frame(0x80, &vec![b'x'; 25_600])].concat(), "over 64 KiB in fragments"),
        (frame(TEXT, &vec![b'x'; 65_535]).into_iter().chain([0; 64]).collect(), "no JSON, over 16 KiB"),
    ] {
        let mut stream = connection(&hub, &handshake(&hub)).await;
        answer(&mut stream).await;
        stream.write_all(&bad).await.unwrap();
        let error = next_json(&mut stream).await;
        assert_eq!(error["error"], "bad_message", "{what}: {error}");
        assert_eq!(next(&mut stream).await, (CLOSE, b"\x11\x94bad_message".to_vec()), "{what}");
        stream.write_all(&frame(CLOSE, b"\x11\x94")).await.unwrap();
        stream.shutdown().await.unwrap();
        ended(stream).await;
    }
}

#[tokio::test]
async fn a_message_in_as_many_fragments_as_there_may_be_is_read() {
    let hub = TestHub::start().await;
    let token = id_token(&hub, &hub.issuer.sign_in("ada"), "notes");
    let subscribe = json!({"type": "subscribe", "token": token}).to_string();
    let (first, last) = subscribe.as_bytes().split_at(20);
    let fragments = [frame(0x01, first), frame(0x00, b"").repeat(254), frame(0x80, last)].concat();
    let mut stream = connection(&hub, &[handshake(&hub), fragments].concat()).await;
    answer(&mut stream).await;
    assert_eq!(next_json(&mut stream).await["type"], "subscribed");
}

#[tokio::test]
async fn a_close_is_answered_and_then_the_hub_hangs_up() {
    let hub = TestHub::start().await;
    let mut stream = connection(&hub, &handshake(&hub)).await;
    answer(&mut stream).await;
    stream.write_all(&frame(CLOSE, b"\x03\xe9going")).await.unwrap();
    assert_eq!(next(&mut stream).await, (CLOSE, b"\x03\xe9".to_vec()));
    ended(stream).await;
    hub.until("the socket has left", || hub.metric("slo_hub_sockets{via=\"websocket\"}") < 1.0).await;
}

#[tokio::test]
async fn what_is_no_handshake_is_told_which_version_there_is() {
    let hub = TestHub::start().await;
    let answer = Answer::of(hub.http.get(hub.url("/ws"))).await;
    answer.refused(400, "invalid_request", "not_a_websocket");
    assert_eq!(answer.header("sec-websocket-version"), "13");
}
