//! One socket's line: reads and writes with deadlines, and the farewell.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::poll_immediate;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};

use super::close_code::CloseCode;
use super::frame;
use super::rfc6455::{Ended, Message, Opcode, Socket};
use crate::web::pace::{Meter, Pace};

/// How long a write may take. A socket that does not read is dropped.
const WRITE_DEADLINE: Duration = Duration::from_secs(10);
/// How fast messages may come, pings and pongs among them. Enough for an app that slept
/// through a thousand logouts and acknowledges them all at once.
const MESSAGES: Pace = Pace { burst: 2_000, per_minute: 600 };
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

/// A socket, with the moment it was last heard.
pub(super) struct Wire<S> {
    socket: Socket<S>,
    /// When something was last heard.
    pub(super) heard_at: Instant,
    opened_at: Instant,
    meter: Meter,
    /// So many messages are expected, and do not count.
    expected: u32,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(socket: Socket<S>) -> Self {
        let now = Instant::now();
        Self { socket, heard_at: now, opened_at: now, meter: Meter::default(), expected: 0 }
    }

    /// The next text message. Pings and pongs only show that the peer is there.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub(super) async fn read(&mut self) -> Result<String, Exit> {
        loop {
            let message = match self.socket.next().await {
                Ok(message) => message,
                Err(Ended::Fault(_)) => return Err(CloseCode::BadMessage.into()),
                Err(Ended::Gone) => return Err(Exit::Left),
            };
            self.heard_at = Instant::now();
            if self.expected > 0 && matches!(message, Message::Text(_)) {
                self.expected -= 1;
            } else {
                self.count(1)?;
            }
            match message {
                Message::Text(text) => return Ok(text),
                Message::Binary(_) => return Err(CloseCode::BadMessage.into()),
                Message::Close(_) => return Err(Exit::Left),
                Message::Ping(_) | Message::Pong(_) => {}
            }
        }
    }

    /// Counts what came, by its weight.
    ///
    /// # Errors
    /// [`CloseCode::TooMany`]: it comes too fast.
    pub(super) fn count(&mut self, weight: u32) -> Result<(), Exit> {
        let is_in_time = self.meter.take(self.heard_at - self.opened_at, weight, MESSAGES);
        if is_in_time { Ok(()) } else { Err(CloseCode::TooMany.into()) }
    }

    /// So many messages are to be answered by one each, however fast.
    pub(super) fn expect(&mut self, answers: usize) {
        self.expected = self.expected.saturating_add(u32::try_from(answers).unwrap_or(u32::MAX));
    }

    /// Writes one frame of the protocol, within the deadline.
    pub(super) async fn write(&mut self, text: &[u8]) -> Result<(), Exit> {
        self.send(Opcode::Text, text).await
    }

    /// Asks whether the peer is there.
    pub(super) async fn ping(&mut self) -> Result<(), Exit> {
        self.send(Opcode::Ping, &[]).await
    }

    async fn send(&mut self, opcode: Opcode, payload: &[u8]) -> Result<(), Exit> {
        let mut sending = pin!(self.socket.send(opcode, payload));
        // The system nearly always takes it at once. Only who must wait pays for a timer.
        let sent = match poll_immediate(sending.as_mut()).await {
            Some(sent) => Ok(sent),
            None => Box::pin(timeout(WRITE_DEADLINE, sending)).await,
        };
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Exit::Left),
            Err(_) => Err(CloseCode::TooSlow.into()),
        }
    }

    /// Closes with a code, and lets the peer read it: closing a connection with unread
    /// input would make the system throw the code away.
    pub(super) async fn close(&mut self, code: CloseCode) {
        let farewell = async {
            self.socket.send(Opcode::Close, &frame::close(code)).await?;
            loop {
                match self.socket.next().await {
                    Ok(Message::Close(_)) | Err(Ended::Gone) => return Ok(()),
                    Ok(_) => {}
                    Err(Ended::Fault(_)) => return self.socket.finish().await,
                }
            }
        };
        let _answered = timeout(FAREWELL, farewell).await;
    }
}

#[cfg(test)]
mod tests;
