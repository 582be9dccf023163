//! A back end's socket: every logout of its issuer, in order.

use std::sync::Arc;

use axum::extract::ws::Message;
use futures_util::{Sink, Stream};
use tokio::time::{Instant, sleep_until};

use super::close_code::CloseCode;
use super::frame::{self, BadMessage, Incoming};
use super::serve::{farewell, ping, say_bad, say_no, understand};
use super::wire::{Exit, Wire};
use crate::hub::Hub;
use crate::hub::event::{Welcome, heartbeat};
use crate::hub::feed::Feed;

/// Serves a back end's socket to its end. Reading and writing take turns, so that a
/// back end which acknowledges each logout as it comes never waits for the hub while
/// the hub waits for it.
pub(super) async fn follow<S, E>(hub: &Arc<Hub>, wire: &mut Wire<S>, mut feed: Feed) -> Exit
where
    S: Stream<Item = Result<Message, E>> + Sink<Message> + Unpin,
{
    let every = heartbeat();
    let welcome = Welcome::of_back_end(feed.app(), every).encode();
    if let Err(exit) = wire.write(frame::text(&welcome)).await {
        return exit;
    }
    let mut next_ping = Instant::now() + every;
    loop {
        tokio::select! {
            () = hub.tasks.stopping() => return CloseCode::Restarting.into(),
            message = wire.read() => {
                let message = match message {
                    Ok(message) => message,
                    Err(exit) => return farewell(wire, exit).await,
                };
                if let Err(exit) = heard(hub, wire, &feed, &message).await {
                    return exit;
                }
            }
            () = sleep_until(next_ping) => {
                if let Err(exit) = ping(wire, every).await {
                    return exit;
                }
                next_ping = Instant::now() + every;
            }
            page = feed.next() => {
                let page = match page {
                    Ok(page) => page,
                    Err(denied) => return say_no(wire, denied).await,
                };
                for notice in page {
                    if let Err(exit) = wire.write(frame::text(&notice.event)).await {
                        return exit;
                    }
                }
            }
        }
    }
}

async fn heard<S, E>(hub: &Arc<Hub>, wire: &mut Wire<S>, feed: &Feed, message: &Message) -> Result<(), Exit>
where
    S: Stream<Item = Result<Message, E>> + Sink<Message> + Unpin,
{
    match understand(message)? {
        Ok(Incoming::Activity) => Ok(()),
        Ok(Incoming::Ack(id)) => match hub.acknowledge_for(id, feed.app()).await {
            Ok(()) => Ok(()),
            Err(denied) => wire.write(frame::refusal(denied).1).await,
        },
        // A feed is opened once; another place in the log is another socket.
        Ok(Incoming::Subscribe { .. } | Incoming::Follow { .. }) => {
            Err(say_bad(wire, BadMessage("already_subscribed")).await)
        }
        Err(bad) => Err(say_bad(wire, bad).await),
    }
}
