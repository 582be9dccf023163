//! One socket's line: reads and writes with deadlines, and the farewell.

use std::time::Duration;

use axum::extract::ws::Message;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::time::{Instant, timeout, timeout_at};

use super::close_code::CloseCode;
use super::frame;

/// How long a write may take. A socket that does not read is dropped.
const WRITE_DEADLINE: Duration = Duration::from_secs(10);
/// How long the peer has to answer the close frame.
const FAREWELL: Duration = Duration::from_secs(1);

/// Why a socket ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// The client left, or the connection broke.
    Left,
    /// The hub closes it.
    Close(CloseCode),
}

impl From<CloseCode> for Exit {
    fn from(code: CloseCode) -> Self {
        Self::Close(code)
    }
}

/// What a wire is made of: a WebSocket, or a test's own thing.
pub(super) trait Frames: Stream<Item = Result<Message, Self::Fault>> + Sink<Message> + Unpin {
    /// Why a frame could not be read.
    type Fault;
}

impl<S, E> Frames for S
where
    S: Stream<Item = Result<Message, E>> + Sink<Message> + Unpin,
{
    type Fault = E;
}

/// A socket, with the moment it was last heard.
pub(super) struct Wire<S> {
    socket: S,
    /// When something was last heard.
    pub(super) heard_at: Instant,
}

impl<S: Frames> Wire<S> {
    pub(super) fn new(socket: S) -> Self {
        Self { socket, heard_at: Instant::now() }
    }

    /// The next text message. Pings and pongs only show that the peer is there.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub(super) async fn read(&mut self) -> Result<Message, Exit> {
        loop {
            let message = match self.socket.next().await {
                Some(Ok(message)) => message,
                // A message that is too large, or not UTF-8, is an error of the stream.
                Some(Err(_)) => return Err(CloseCode::BadMessage.into()),
                None => return Err(Exit::Left),
            };
            self.heard_at = Instant::now();
            match message {
                Message::Text(_) => return Ok(message),
                Message::Binary(_) => return Err(CloseCode::BadMessage.into()),
                Message::Close(_) => return Err(Exit::Left),
                Message::Ping(_) | Message::Pong(_) => {}
            }
        }
    }

    /// Writes one frame, within the deadline.
    pub(super) async fn write(&mut self, message: Message) -> Result<(), Exit> {
        match timeout(WRITE_DEADLINE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Exit::Left),
            Err(_) => Err(CloseCode::TooSlow.into()),
        }
    }

    /// Closes with a code, and lets the peer read it: closing a connection with unread
    /// input would make the system throw the code away.
    pub(super) async fn close(&mut self, code: CloseCode) {
        let until = Instant::now() + FAREWELL;
        let farewell = async {
            self.socket.send(frame::close(code)).await.map_err(drop)?;
            while let Some(Ok(_)) = self.socket.next().await {}
            Ok::<(), ()>(())
        };
        let _answered = timeout_at(until, farewell).await;
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use super::*;

    /// A peer that takes nothing, and says what it was told to say.
    struct Stuck {
        says: Vec<Message>,
    }

    impl Stream for Stuck {
        type Item = Result<Message, ()>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            self.says.pop().map_or(Poll::Pending, |message| Poll::Ready(Some(Ok(message))))
        }
    }

    impl Sink<Message> for Stuck {
        type Error = ();

        fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
            Poll::Pending
        }

        fn start_send(self: Pin<&mut Self>, _: Message) -> Result<(), ()> {
            Err(())
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
            Poll::Pending
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
            Poll::Pending
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_socket_that_does_not_read_for_ten_seconds_is_too_slow() {
        let mut wire = Wire::new(Stuck { says: Vec::new() });
        let began = Instant::now();
        let written = wire.write(Message::text("{}")).await;
        assert_eq!(written, Err(Exit::Close(CloseCode::TooSlow)));
        assert_eq!(began.elapsed(), WRITE_DEADLINE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_farewell_does_not_wait_for_a_peer_that_is_stuck() {
        let began = Instant::now();
        Wire::new(Stuck { says: Vec::new() }).close(CloseCode::TooSlow).await;
        assert_eq!(began.elapsed(), FAREWELL);
    }

    #[tokio::test]
    async fn a_ping_shows_that_the_peer_is_there_and_is_no_message() {
        let mut wire = Wire::new(Stuck { says: vec![Message::text("{}"), Message::Ping("".into())] });
        assert!(matches!(wire.read().await, Ok(Message::Text(_))));
    }

    #[tokio::test]
    async fn binary_is_no_message() {
        let mut wire = Wire::new(Stuck { says: vec![Message::Binary(vec![1].into())] });
        assert_eq!(wire.read().await.map(|_| ()), Err(Exit::Close(CloseCode::BadMessage)));
    }
}
