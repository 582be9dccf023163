use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::task::Waker;

use super::*;

const LIMITS: Limits = Limits { message_bytes: 1_000, fragments: 8 };

/// A connection whose peer says what it was told to say, and of which the system takes
/// so much at a time.
#[derive(Default)]
struct Line {
    says: VecDeque<Vec<u8>>,
    is_over: bool,
    heard: Vec<u8>,
    /// How much each write takes; a nought makes it wait.
    takes: VecDeque<usize>,
    writes: usize,
    is_shut: bool,
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.says.pop_front() {
            Some(bytes) => buf.put_slice(&bytes),
            None if self.is_over => {}
            None => return Poll::Pending,
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let taken = self.takes.pop_front().unwrap_or(usize::MAX).min(buf.len());
        if taken == 0 {
            return Poll::Pending;
        }
        self.writes += 1;
        self.heard.extend_from_slice(&buf[..taken]);
        Poll::Ready(Ok(taken))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let all: Vec<u8> = bufs.iter().flat_map(|buf| buf.to_vec()).collect();
        self.poll_write(cx, &all)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.is_shut = true;
        Poll::Ready(Ok(()))
    }
}

fn socket(says: &[&[u8]]) -> Socket<Line> {
    let line = Line { says: says.iter().map(|said| said.to_vec()).collect(), ..Line::default() };
    Socket::new(line, &[], LIMITS)
}

/// One look at a future, which is dropped then.
fn look<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    match look(future) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("it waits"),
    }
}

/// A client's frame of under 126 bytes, whose mask is nought.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, 0x80 | u8::try_from(payload.len()).unwrap(), 0, 0, 0, 0], payload].concat()
}

fn next(socket: &mut Socket<Line>) -> Message {
    ready(socket.next()).unwrap_or_else(|ended| panic!("no message: {ended:?}"))
}

#[test]
fn a_frame_leaves_in_one_write_with_its_head() {
    for (length, head) in [
        (0, &[0x81_u8, 0][..]),
        (125, &[0x81, 125]),
        (126, &[0x81, 126, 0, 126]),
        (65_535, &[0x81, 126, 255, 255]),
        (65_536, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
    ] {
        let (mut socket, payload) = (socket(&[]), vec![b'x'; length]);
        ready(socket.send(Opcode::Text, &payload)).unwrap();
        assert_eq!(socket.stream.heard, [head, &payload].concat(), "{length}");
        assert_eq!((socket.stream.writes, socket.unsent.capacity()), (1, 0), "{length}");
    }
}

#[test]
fn a_frame_that_is_taken_in_pieces_arrives_whole() {
    let payload: Vec<u8> = (0..200).collect();
    for piece in 1..=204 {
        let mut socket = socket(&[]);
        socket.stream.takes = VecDeque::from(vec![piece; 204 / piece + 1]);
        ready(socket.send(Opcode::Binary, &payload)).unwrap();
        assert_eq!(socket.stream.heard, [&[0x82, 126, 0, 200], &payload[..]].concat(), "in pieces of {piece}");
        assert_eq!(socket.unsent.capacity(), 0);
    }
}

#[test]
fn a_frame_that_was_begun_and_given_up_still_ends_before_the_next() {
    let mut socket = socket(&[]);
    socket.stream.takes = [3, 0, 0].into();
    assert!(look(socket.send(Opcode::Text, b"first")).is_pending());
    assert!(look(socket.send(Opcode::Text, b"never")).is_pending(), "given up before it was begun");
    ready(socket.send(Opcode::Text, b"last")).unwrap();
    assert_eq!(socket.stream.heard, b"\x81\x05first\x81\x04last");
}

#[test]
fn what_was_read_with_the_handshake_comes_first() {
    let early = [frame(0x81, b"one"), frame(0x81, b"two")].concat();
    let (now, later) = early.split_at(11);
    let line = Line { says: [later.to_vec()].into(), ..Line::default() };
    let mut socket = Socket::new(line, now, LIMITS);
    assert_eq!(next(&mut socket), Message::Text("one".into()));
    assert_eq!(next(&mut socket), Message::Text("two".into()));
    assert!(socket.reader.is_none(), "an idle socket holds no buffer");
}

#[test]
fn half_a_message_is_kept_for_the_next_look() {
    let message = frame(0x81, b"hello");
    let (half, rest) = message.split_at(8);
    let mut socket = socket(&[half]);
    assert!(look(socket.next()).is_pending());
    socket.stream.says.push_back(rest.to_vec());
    assert_eq!(next(&mut socket), Message::Text("hello".into()));
}

#[test]
fn a_ping_is_answered_with_what_it_carries() {
    let mut socket = socket(&[&frame(0x89, b"you?")]);
    assert_eq!(next(&mut socket), Message::Ping(b"you?".to_vec()));
    assert_eq!(socket.stream.heard, b"\x8a\x04you?");
}

#[test]
fn who_does_not_take_its_pongs_is_not_read_from() {
    let mut socket = socket(&[&frame(0x89, b"1"), &frame(0x89, b"2")]);
    socket.stream.takes = [0, 0].into();
    assert_eq!(next(&mut socket), Message::Ping(b"1".to_vec()));
    assert!(look(socket.next()).is_pending());
    assert_eq!(socket.stream.says.len(), 1, "the second is not read");
    assert_eq!(next(&mut socket), Message::Ping(b"2".to_vec()));
    assert_eq!(socket.stream.heard, b"\x8a\x011\x8a\x012");
}

#[test]
fn a_close_is_answered_with_its_code_and_is_the_last() {
    let mut socket = socket(&[&[frame(0x88, b"\x03\xe8bye"), frame(0x81, b"more")].concat()]);
    assert_eq!(next(&mut socket), Message::Close(Some(Close { code: 1000, reason: "bye".into() })));
    assert_eq!(socket.stream.heard, b"\x88\x02\x03\xe8");
    assert!(matches!(ready(socket.next()), Err(Ended::Gone)));
}

#[test]
fn after_a_close_of_our_own_nothing_is_said() {
    let mut socket = socket(&[&frame(0x89, b"you?"), &frame(0x88, b"\x03\xe8")]);
    ready(socket.send(Opcode::Close, &1012_u16.to_be_bytes())).unwrap();
    assert_eq!(next(&mut socket), Message::Ping(b"you?".to_vec()));
    assert!(matches!(next(&mut socket), Message::Close(Some(_))));
    assert_eq!(socket.stream.heard, b"\x88\x02\x03\xf4");
}

#[test]
fn a_peer_that_broke_a_rule_can_be_told_and_is_read_to_its_end() {
    let mut socket = socket(&[&frame(0xC1, b"x"), b"rubbish"]);
    socket.stream.is_over = true;
    for _ in 0..2 {
        assert!(matches!(ready(socket.next()), Err(Ended::Fault(Fault::ReservedBits))), "there is no reading on");
    }
    ready(socket.send(Opcode::Close, &1002_u16.to_be_bytes())).unwrap();
    ready(socket.finish()).unwrap();
    assert_eq!(socket.stream.heard, b"\x88\x02\x03\xea");
    assert!(socket.stream.is_shut && socket.stream.says.is_empty());
}

#[test]
fn a_connection_that_ends_is_gone() {
    let mut socket = socket(&[&frame(0x01, b"never whole")]);
    socket.stream.is_over = true;
    assert!(matches!(ready(socket.next()), Err(Ended::Gone)));
}

/// A count, not a clock.
#[test]
fn an_idle_socket_is_little_more_than_its_stream() {
    let own = size_of::<Socket<()>>();
    assert!(own <= 64, "{own} bytes");
}
