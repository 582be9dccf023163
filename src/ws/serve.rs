//! One socket from `subscribe` to its end. Every way out has a name.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::Message;
use bytes::Bytes;
use futures_util::{Sink, Stream};
use tokio::time::{Instant, sleep_until, timeout};

use super::close_code::CloseCode;
use super::follow::follow;
use super::frame::{self, BadMessage, Incoming};
use super::wire::{Exit, Wire};
use crate::channels::Notice;
use crate::domain::ids::LogoutId;
use crate::domain::logout::SignIn;
use crate::domain::via::Via;
use crate::hub::Hub;
use crate::hub::denied::Denied;
use crate::hub::event::{Welcome, heartbeat};
use crate::hub::subscribe::{Live, Subscribed};
use crate::listener::gate::Pass;
use crate::web::failures::Failures;

/// How long the app has to acknowledge before the socket closes all the same.
const ACK_WITHIN: Duration = Duration::from_secs(5);

/// Who is at the other end.
pub(super) struct Peer {
    pub(super) origin: Option<String>,
    pub(super) addr: IpAddr,
    pub(super) failures: Failures,
    /// A place among the open channels; none when they are full.
    pub(super) pass: Option<Pass>,
}

/// Serves one socket to its end.
pub(super) async fn serve<S, E>(hub: Arc<Hub>, socket: S, peer: Peer, subscribe_timeout: Duration)
where
    S: Stream<Item = Result<Message, E>> + Sink<Message> + Unpin,
{
    let mut wire = Wire::new(socket);
    let exit = match &peer.pass {
        None => say_no(&mut wire, Denied::TooMany).await,
        Some(_) => hello(&hub, &mut wire, &peer, subscribe_timeout).await,
    };
    let Exit::Close(code) = exit else { return };
    hub.metrics.closed(code.number());
    if !matches!(code, CloseCode::InvalidToken | CloseCode::NotAllowed) || peer.failures.allow(peer.addr) {
        wire.close(code).await;
    } else {
        // An address that has had too many refusals this minute is to slow down.
        wire.close(CloseCode::TooMany).await;
    }
}

/// Waits for the first message, which says who this is.
async fn hello<S, E>(hub: &Arc<Hub>, wire: &mut Wire<S>, peer: &Peer, within: Duration) -> Exit
where
    S: Stream<Item = Result<Message, E>> + Sink<Message> + Unpin,
{
    let first = tokio::select! {
        () = hub.tasks.stopping() => return CloseCode::Restarting.into(),
        first = timeout(within, wire.read()) => first,
    };
    let Ok(first) = first else { return say(wire, CloseCode::SubscribeTimeout).await };
    match first.and_then(|message| understand(&message)) {
        Ok(Ok(Incoming::Subscribe { token })) => {
            let origin = peer.origin.as_deref();
            match hub.subscribe(token.reveal(), origin, Via::WebSocket).await {
                Ok(Subscribed::Live(live)) => listen(hub, wire, live, origin).await,
                Ok(Subscribed::Over(over)) => tell(hub, wire, &over.notice, &over.sign_in).await,
                Err(denied) => say_no(wire, denied).await,
            }
        }
        Ok(Ok(Incoming::Follow { client_id, secret, after })) => {
            let app = match (hub.back_end(&client_id, secret.reveal()), &peer.origin) {
                (Ok(app), None) => app,
                (Ok(_), Some(_)) => return say_no(wire, Denied::Origin).await,
                (Err(denied), _) => return say_no(wire, denied).await,
            };
            match hub.follow(app, after.as_deref()).await {
                Ok(feed) => follow(hub, wire, feed).await,
                Err(denied) => say_no(wire, denied).await,
            }
        }
        Ok(Ok(Incoming::Ack(_) | Incoming::Activity)) => say_bad(wire, BadMessage("subscribe_first")).await,
        Ok(Err(bad)) => say_bad(wire, bad).await,
        Err(exit) => farewell(wire, exit).await,
    }
}

/// A person's channel, from `subscribed` to the end of the session or of the socket.
async fn listen<S, E>(hub: &Arc<Hub>, wire: &mut Wire<S>, mut live: Live, origin: Option<&str>) -> Exit
where
    S: Stream<Item = Result<Message, E>> + Sink<Message> + Unpin,
{
    let every = heartbeat();
    if let Err(exit) = welcome(wire, &live, every).await {
        return exit;
    }
    let mut next_ping = Instant::now() + every;
    loop {
        tokio::select! {
            () = hub.tasks.stopping() => return CloseCode::Restarting.into(),
            notice = live.subscription.logged_out() => {
                let sign_in = live.subscription.sign_in().clone();
                return tell(hub, wire, &notice, &sign_in).await;
            }
            message = wire.read() => {
                let heard = match message {
                    Ok(message) => heard(hub, wire, &mut live, origin, &message, every).await,
                    Err(exit) => Err(farewell(wire, exit).await),
                };
                if let Err(exit) = heard {
                    return exit;
                }
            }
            () = sleep_until(next_ping) => {
                if let Err(exit) = ping(wire, every).await {
                    return exit;
                }
                next_ping = Instant::now() + every;
            }
        }
    }
}

async fn welcome<S, E>(wire: &mut Wire<S>, live: &Live, every: Duration) -> Result<(), Exit>
where
    S: Stream<Item = Result<Message, E>> + Sink<Message> + Unpin,
{
    let welcome = Welcome::of(live.subscription.sign_in(), &live.resume, every);
    wire.write(frame::text(&welcome.encode())).await
}

/// A message on a live channel.
async fn heard<S, E>(
    hub: &Arc<Hub>,
    wire: &mut Wire<S>,
    live: &mut Live,
    origin: Option<&str>,
    message: &Message,
    every: Duration,
) -> Result<(), Exit>
where
    S: Stream<Item = Result<Message, E>> + Sink<Message> + Unpin,
{
    match understand(message)? {
        Ok(Incoming::Activity) => Ok(()),
        Ok(Incoming::Ack(id)) => late_ack(hub, wire, id, live.subscription.sign_in()).await,
        Ok(Incoming::Subscribe { token }) => {
            let renewed = renew(hub, live, origin, token.reveal()).await;
            match renewed {
                Ok(()) => welcome(wire, live, every).await,
                Err(Renewal::OtherSession) => Err(say(wire, CloseCode::OtherSession).await),
                // The channel that is open stays open: nothing is wrong with it.
                Err(Renewal::Denied(denied @ (Denied::KeysUnavailable | Denied::Store(_)))) => {
                    wire.write(frame::refusal(denied).1).await
                }
                Err(Renewal::Denied(denied)) => Err(say_no(wire, denied).await),
                Err(Renewal::Over(notice)) => Err(tell(hub, wire, &notice, live.subscription.sign_in()).await),
            }
        }
        Ok(Incoming::Follow { .. }) => Err(say(wire, CloseCode::OtherSession).await),
        Err(bad) => Err(say_bad(wire, bad).await),
    }
}

enum Renewal {
    OtherSession,
    Over(Arc<Notice>),
    Denied(Denied),
}

/// The same session with a fresh token: the new channel opens before the old one closes.
async fn renew(hub: &Arc<Hub>, live: &mut Live, origin: Option<&str>, token: &str) -> Result<(), Renewal> {
    let person = hub.person(token).await.map_err(Renewal::Denied)?;
    if !is_same_session(live.subscription.sign_in(), &person.sign_in) {
        return Err(Renewal::OtherSession);
    }
    match hub.subscribe(token, origin, Via::WebSocket).await.map_err(Renewal::Denied)? {
        Subscribed::Live(fresh) => {
            *live = fresh;
            Ok(())
        }
        Subscribed::Over(over) => Err(Renewal::Over(over.notice)),
    }
}

fn is_same_session(one: &SignIn, other: &SignIn) -> bool {
    one.session() == other.session() && one.subject() == other.subject() && one.client_id == other.client_id
}

/// Says that the session is over, and waits for the app to confirm.
async fn tell<S, E>(hub: &Arc<Hub>, wire: &mut Wire<S>, notice: &Arc<Notice>, sign_in: &SignIn) -> Exit
where
    S: Stream<Item = Result<Message, E>> + Sink<Message> + Unpin,
{
    if let Err(exit) = wire.write(frame::text(&notice.event)).await {
        return exit;
    }
    hub.note_told(notice.logout.id, sign_in, Via::WebSocket);
    let until = Instant::now() + ACK_WITHIN;
    loop {
        let message = tokio::select! {
            () = sleep_until(until) => return CloseCode::LoggedOut.into(),
            () = hub.tasks.stopping() => return CloseCode::Restarting.into(),
            message = wire.read() => message,
        };
        match message.and_then(|message| understand(&message)) {
            Ok(Ok(Incoming::Ack(id))) if id == notice.logout.id => {
                note_acknowledged(hub, id, sign_in).await;
                return CloseCode::LoggedOut.into();
            }
            Ok(Ok(_)) => {}
            Ok(Err(bad)) => return say_bad(wire, bad).await,
            Err(exit) => return exit,
        }
    }
}

async fn note_acknowledged(hub: &Arc<Hub>, id: LogoutId, sign_in: &SignIn) {
    if let Err(denied) = hub.write_ack(id, sign_in, Via::WebSocket).await {
        tracing::warn!(error = %denied, logout.id = %id, "could not note an acknowledgement");
    }
}

/// An acknowledgement of an earlier logout, on a channel that is live again.
async fn late_ack<S, E>(hub: &Arc<Hub>, wire: &mut Wire<S>, id: LogoutId, sign_in: &SignIn) -> Result<(), Exit>
where
    S: Stream<Item = Result<Message, E>> + Sink<Message> + Unpin,
{
    match hub.acknowledge(id, sign_in, Via::WebSocket).await {
        Ok(()) => Ok(()),
        Err(denied) => wire.write(frame::refusal(denied).1).await,
    }
}

/// Lets the peer know that the hub is there, and drops a peer that is not.
pub(super) async fn ping<S, E>(wire: &mut Wire<S>, every: Duration) -> Result<(), Exit>
where
    S: Stream<Item = Result<Message, E>> + Sink<Message> + Unpin,
{
    if wire.heard_at.elapsed() >= every * 2 {
        return Err(CloseCode::NoPong.into());
    }
    wire.write(Message::Ping(Bytes::new())).await
}

/// What a frame says; the outer error is about the socket, the inner about the message.
#[expect(clippy::unnecessary_wraps, reason = "shaped for and_then on what was read")]
pub(super) fn understand(message: &Message) -> Result<Result<Incoming, BadMessage>, Exit> {
    match message {
        Message::Text(text) => Ok(Incoming::read(text.as_bytes())),
        _ => Ok(Err(BadMessage("bad_json"))),
    }
}

async fn say<S, E>(wire: &mut Wire<S>, code: CloseCode) -> Exit
where
    S: Stream<Item = Result<Message, E>> + Sink<Message> + Unpin,
{
    let said = wire.write(frame::error(code, code.name(), code.description())).await;
    said.err().unwrap_or(code.into())
}

pub(super) async fn say_bad<S, E>(wire: &mut Wire<S>, bad: BadMessage) -> Exit
where
    S: Stream<Item = Result<Message, E>> + Sink<Message> + Unpin,
{
    let code = CloseCode::BadMessage;
    let said = wire.write(frame::error(code, bad.0, code.description())).await;
    said.err().unwrap_or(code.into())
}

pub(super) async fn say_no<S, E>(wire: &mut Wire<S>, denied: Denied) -> Exit
where
    S: Stream<Item = Result<Message, E>> + Sink<Message> + Unpin,
{
    let (code, message) = frame::refusal(denied);
    let said = wire.write(message).await;
    said.err().unwrap_or(code.into())
}

/// What the socket itself found wrong is said too, where there is something to say.
pub(super) async fn farewell<S, E>(wire: &mut Wire<S>, exit: Exit) -> Exit
where
    S: Stream<Item = Result<Message, E>> + Sink<Message> + Unpin,
{
    match exit {
        Exit::Close(CloseCode::BadMessage) => say_bad(wire, BadMessage("bad_message")).await,
        other => other,
    }
}
