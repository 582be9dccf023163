//! Frames on a stream.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::head::{Opcode, OwnHead};
use super::message::{Close, Fault, Message};
use super::reader::{Limits, Reader};

/// How much is read at a time. On the stack, and only while something is there.
const BLOCK_BYTES: usize = 8 * 1024;

/// Why there is nothing more to read.
#[derive(Debug)]
pub enum Ended {
    /// The peer is gone, or the connection broke.
    Gone,
    /// The peer broke a rule. It can still be told.
    Fault(Fault),
}

/// The server's side of an open WebSocket. Idle, it holds the stream and two pointers.
#[derive(Debug)]
pub struct Socket<S> {
    stream: S,
    limits: Limits,
    /// There while something was read that is no whole message.
    reader: Option<Box<Reader>>,
    /// What the system would not take yet of frames that were begun. A frame that was
    /// begun is written whole before another begins.
    unsent: Vec<u8>,
    said_close: bool,
    heard_close: bool,
    /// The rule that the peer broke, where it did.
    fault: Option<Fault>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// A socket whose handshake is done. `early` is what was read along with that.
    pub fn new(stream: S, early: &[u8], limits: Limits) -> Self {
        let reader = (!early.is_empty()).then(|| {
            let mut reader = Box::<Reader>::default();
            reader.feed(early);
            reader
        });
        Self { stream, limits, reader, unsent: Vec::new(), said_close: false, heard_close: false, fault: None }
    }

    /// The next message. Pings and a close are answered before they are returned, as far
    /// as the system takes the answer.
    ///
    /// # Errors
    /// [`Ended`]; there is nothing to be read after that.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Result<Message, Ended> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Sends one whole frame. Done when the system has all of it.
    ///
    /// # Errors
    /// The connection broke.
    ///
    /// # Cancel safety
    /// When the future is dropped, either nothing was sent, or the frame was begun and
    /// its rest goes ahead of the next.
    pub async fn send(&mut self, opcode: Opcode, payload: &[u8]) -> io::Result<()> {
        let mut is_begun = false;
        poll_fn(|cx| self.poll_send(cx, opcode, payload, &mut is_begun)).await
    }

    /// Ends this direction, and reads the other to its end: closing a connection with
    /// unread input would make the system throw away what was sent last.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn finish(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_flush(cx)).await?;
        poll_fn(|cx| Pin::new(&mut self.stream).poll_shutdown(cx)).await?;
        while poll_fn(|cx| poll_block(&mut self.stream, cx, |_| ())).await?.is_some() {}
        Ok(())
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, Ended>> {
        loop {
            if let Some(fault) = self.fault {
                return Poll::Ready(Err(Ended::Fault(fault)));
            }
            if self.heard_close {
                return Poll::Ready(Err(Ended::Gone));
            }
            // Who does not take its answers is not read from: they would pile up here.
            if ready!(self.poll_flush(cx)).is_err() {
                return Poll::Ready(Err(Ended::Gone));
            }
            match self.take_message() {
                Ok(Some(message)) => {
                    self.answer(&message);
                    // What cannot leave yet leaves later.
                    return match self.poll_flush(cx) {
                        Poll::Ready(Err(_)) => Poll::Ready(Err(Ended::Gone)),
                        _ => Poll::Ready(Ok(message)),
                    };
                }
                Ok(None) => {}
                Err(fault) => {
                    self.fault = Some(fault);
                    self.reader = None;
                    continue;
                }
            }
            let reader = &mut self.reader;
            let feed = |block: &[u8]| reader.get_or_insert_default().feed(block);
            match ready!(poll_block(&mut self.stream, cx, feed)) {
                Ok(Some(())) => {}
                Ok(None) | Err(_) => return Poll::Ready(Err(Ended::Gone)),
            }
        }
    }

    /// A message of what was read.
    fn take_message(&mut self) -> Result<Option<Message>, Fault> {
        let Some(reader) = &mut self.reader else { return Ok(None) };
        let message = reader.next(self.limits)?;
        if reader.is_empty() {
            self.reader = None;
        }
        Ok(message)
    }

    /// A ping is answered with what it carries, a close with its own code. After a close
    /// of our own nothing follows.
    fn answer(&mut self, message: &Message) {
        self.heard_close = matches!(message, Message::Close(_));
        match message {
            _ if self.said_close => {}
            Message::Ping(payload) => self.put_off(Opcode::Pong, payload),
            Message::Close(close) => {
                let code = close.as_ref().map(|Close { code, .. }| code.to_be_bytes());
                self.put_off(Opcode::Close, code.as_ref().map_or(&[], <[u8; 2]>::as_slice));
            }
            Message::Text(_) | Message::Binary(_) | Message::Pong(_) => {}
        }
    }

    fn put_off(&mut self, opcode: Opcode, payload: &[u8]) {
        self.unsent.extend_from_slice(OwnHead::new(opcode, payload.len()).bytes());
        self.unsent.extend_from_slice(payload);
    }

    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        opcode: Opcode,
        payload: &[u8],
        is_begun: &mut bool,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_flush(cx))?;
        if *is_begun {
            return Poll::Ready(Ok(()));
        }
        let head = OwnHead::new(opcode, payload.len());
        let parts = [IoSlice::new(head.bytes()), IoSlice::new(payload)];
        // Nearly always the system takes all of it, straight from where it lies.
        let sent = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, &parts))?;
        if sent == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        *is_begun = true;
        self.said_close |= opcode == Opcode::Close;
        let of_head = sent.min(head.bytes().len());
        self.unsent.extend_from_slice(&head.bytes()[of_head..]);
        self.unsent.extend_from_slice(&payload[sent - of_head..]);
        self.poll_flush(cx)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.unsent))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unsent.drain(..sent);
            if self.unsent.is_empty() {
                self.unsent = Vec::new();
            }
        }
        // TLS takes a frame before the system does.
        Pin::new(&mut self.stream).poll_flush(cx)
    }
}

/// Does something with what is there to be read; `None` at the end.
fn poll_block<S: AsyncRead + Unpin, T>(
    stream: &mut S,
    cx: &mut Context<'_>,
    with: impl FnOnce(&[u8]) -> T,
) -> Poll<io::Result<Option<T>>> {
    let mut block = [MaybeUninit::uninit(); BLOCK_BYTES];
    let mut block = ReadBuf::uninit(&mut block);
    ready!(Pin::new(stream).poll_read(cx, &mut block))?;
    Poll::Ready(Ok((!block.filled().is_empty()).then(|| with(block.filled()))))
}

#[cfg(test)]
mod tests;
