//! A back end's socket: every logout of its issuer, in order.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until};

use super::close_code::CloseCode;
use super::frame::{self, BadMessage, Incoming};
use super::serve::Conversation;
use super::wire::Exit;
use crate::channels::Notice;
use crate::hub::event::{Welcome, heartbeat};
use crate::hub::feed::Feed;

impl<S: AsyncRead + AsyncWrite + Unpin> Conversation<S> {
    /// Serves a back end's socket to its end. Reading and writing take turns, so that a
    /// back end which acknowledges each logout as it comes never waits for the hub
    /// while the hub waits for it.
    pub(super) async fn follow(&mut self, mut feed: Feed) -> Exit {
        let every = heartbeat();
        let welcome = Welcome::of_back_end(feed.app(), every).encode();
        if let Err(exit) = self.wire.write(&welcome).await {
            return exit;
        }
        let mut next_ping = Instant::now() + every;
        loop {
            tokio::select! {
                () = self.hub.tasks.stopping() => return CloseCode::Restarting.into(),
                message = self.wire.read() => {
                    let message = match message {
                        Ok(message) => message,
                        Err(exit) => return self.farewell(exit).await,
                    };
                    if let Err(exit) = self.heard_of_back_end(&feed, &message).await {
                        return exit;
                    }
                }
                () = sleep_until(next_ping) => {
                    if let Err(exit) = self.ping(every).await {
                        return exit;
                    }
                    next_ping = Instant::now() + every;
                }
                page = feed.next() => {
                    let page = match page {
                        Ok(page) => page,
                        Err(denied) => return self.say_no(denied).await,
                    };
                    if let Err(exit) = self.feed(&feed, &page).await {
                        return exit;
                    }
                }
            }
        }
    }

    async fn feed(&mut self, feed: &Feed, page: &[Arc<Notice>]) -> Result<(), Exit> {
        let mut told = Vec::with_capacity(page.len());
        let mut done = Ok(());
        for notice in page {
            done = self.wire.write(&notice.event).await;
            if done.is_err() {
                break;
            }
            told.push(notice.logout.id);
        }
        self.wire.expect(told.len());
        self.hub.note_fed(&told, feed.app());
        done
    }

    async fn heard_of_back_end(&mut self, feed: &Feed, message: &str) -> Result<(), Exit> {
        match Incoming::read(message.as_bytes()) {
            Ok(Incoming::Activity) => Ok(()),
            Ok(Incoming::Ack(None)) => self.wire.write(&frame::no_such_id()).await,
            Ok(Incoming::Ack(Some(id))) => match self.hub.acknowledge_for(id, feed.app()).await {
                Ok(()) => Ok(()),
                Err(denied) => self.wire.write(&frame::refusal(denied).1).await,
            },
            // A feed is opened once; another place in the log is another socket.
            Ok(Incoming::Subscribe { .. } | Incoming::Follow { .. }) => {
                Err(self.say_bad(BadMessage("already_subscribed")).await)
            }
            Err(bad) => Err(self.say_bad(bad).await),
        }
    }
}
