use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

use super::*;
use crate::ws::rfc6455::Limits;

const LIMITS: Limits = Limits { message_bytes: 1_000, fragments: 8 };

/// A wire whose peer's system takes so many bytes that it does not read, and the peer.
fn wire(room: usize) -> (Wire<DuplexStream>, DuplexStream) {
    let (ours, peers) = duplex(room);
    (Wire::new(Socket::new(ours, &[], LIMITS)), peers)
}

/// A client's frame of under 126 bytes, whose mask is nought.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, 0x80 | u8::try_from(payload.len()).unwrap(), 0, 0, 0, 0], payload].concat()
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_does_not_read_for_ten_seconds_is_too_slow() {
    let (mut wire, _peer) = wire(4);
    let began = Instant::now();
    let written = wire.write(b"{\"type\":\"later\"}").await;
    assert_eq!(written, Err(Exit::Close(CloseCode::TooSlow)));
    assert_eq!(began.elapsed(), WRITE_DEADLINE);
}

#[tokio::test(start_paused = true)]
async fn a_farewell_does_not_wait_for_a_peer_that_is_stuck() {
    let (mut wire, _peer) = wire(4);
    let began = Instant::now();
    wire.close(CloseCode::TooSlow).await;
    assert_eq!(began.elapsed(), FAREWELL);
}

#[tokio::test(start_paused = true)]
async fn a_farewell_ends_when_the_peer_has_closed_too() {
    let (mut wire, mut peer) = wire(1_000);
    let answer = async {
        let mut close = [0; 12];
        peer.read_exact(&mut close).await.unwrap();
        assert_eq!(close, *b"\x88\x0a\x0f\xa1too_slow");
        peer.write_all(&frame(0x88, b"\x0f\xa1")).await.unwrap();
    };
    let began = Instant::now();
    tokio::join!(wire.close(CloseCode::TooSlow), answer);
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn a_ping_shows_that_the_peer_is_there_and_is_no_message() {
    let (mut wire, mut peer) = wire(1_000);
    peer.write_all(&[frame(0x89, b""), frame(0x81, b"{}")].concat()).await.unwrap();
    assert_eq!(wire.read().await, Ok("{}".to_owned()));
}

#[tokio::test]
async fn binary_and_what_is_no_frame_are_no_message() {
    for bad in [frame(0x82, &[1]), frame(0xF1, b"x"), frame(0x81, b"\xff")] {
        let (mut wire, mut peer) = wire(1_000);
        peer.write_all(&bad).await.unwrap();
        assert_eq!(wire.read().await, Err(Exit::Close(CloseCode::BadMessage)));
    }
}

#[tokio::test]
async fn a_peer_that_closes_has_left() {
    let (mut wire, mut peer) = wire(1_000);
    peer.write_all(&frame(0x88, b"\x03\xe9")).await.unwrap();
    assert_eq!(wire.read().await, Err(Exit::Left));
}
