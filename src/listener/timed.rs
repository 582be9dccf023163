//! A stream, plain or by TLS, whose writes have a deadline.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};
use tokio_rustls::server::TlsStream;

use super::gate::Pass;

/// How bytes come and go. TLS keeps much beside the socket, so it is boxed: a plain
/// connection pays nothing for it.
pub(super) enum Line {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Does the same to either kind of line.
macro_rules! either {
    ($stream:expr, $line:ident => $done:expr) => {
        match &mut $stream.line {
            Line::Plain($line) => {
                let $line = Pin::new($line);
                $done
            }
            Line::Tls($line) => {
                let $line = Pin::new($line.as_mut());
                $done
            }
        }
    };
}

/// A connection with its place. A write of which the peer takes nothing for too long
/// fails, so a peer that does not read holds nothing for ever. The timer exists only
/// while a write waits: an idle connection pays nothing for it.
pub struct TimedStream {
    line: Line,
    within: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    _pass: Pass,
}

impl TimedStream {
    pub(super) fn new(line: Line, pass: Pass, within: Duration) -> Self {
        Self { line, within, waiting: None, _pass: pass }
    }

    /// What a write came to: done, or waiting and not yet too late.
    fn judge<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let within = self.within;
        let timer = self.waiting.get_or_insert_with(|| Box::pin(sleep(within)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        either!(self, line => line.poll_read(cx, buf))
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = either!(self, line => line.poll_write(cx, buf));
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = either!(self, line => line.poll_write_vectored(cx, bufs));
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.line {
            Line::Plain(stream) => stream.is_write_vectored(),
            Line::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = either!(self, line => line.poll_flush(cx));
        self.judge(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = either!(self, line => line.poll_shutdown(cx));
        self.judge(cx, shut)
    }
}
