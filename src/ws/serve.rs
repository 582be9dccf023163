//! One socket from `subscribe` to its end. Every way out has a name.
//!
//! Ten thousand of these wait at a time, so what an idle one holds is kept small: what
//! happens seldom (the first message, the farewell) is boxed while it lasts.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until, timeout};

use super::close_code::CloseCode;
use super::frame::{self, BadMessage, Incoming};
use super::wire::{Exit, Wire};
use crate::channels::{Heard, Notice, Subscription};
use crate::domain::device::Device;
use crate::domain::ids::LogoutId;
use crate::domain::logout::SignIn;
use crate::domain::secret::Secret;
use crate::domain::via::Via;
use crate::hub::Hub;
use crate::hub::denied::Denied;
use crate::hub::event::{Welcome, heartbeat, rehearsal};
use crate::hub::feed::Feed;
use crate::hub::subscribe::{Live, Over, Subscribed};
use crate::listener::gate::Pass;
use crate::metrics::OpenSocket;
use crate::web::failures::Failures;

/// How long the app has to acknowledge before the socket closes all the same.
const ACK_WITHIN: Duration = Duration::from_secs(5);

/// What a renewal weighs beside other messages: a signature is verified for it.
const RENEWAL_WEIGHT: u32 = 10;

/// Who is at the other end.
pub(super) struct Peer {
    pub(super) origin: Option<Box<str>>,
    pub(super) addr: IpAddr,
    /// What it runs on, until that was noted.
    pub(super) device: Option<Arc<Device>>,
    pub(super) failures: Failures,
    /// A place among the open channels; none when they are full.
    pub(super) pass: Option<Pass>,
    pub(super) subscribe_within: Duration,
}

/// One socket and what it holds open.
pub(super) struct Conversation<S> {
    pub(super) hub: Arc<Hub>,
    pub(super) wire: Wire<S>,
    pub(super) peer: Box<Peer>,
    /// Its place in the count.
    pub(super) _open: OpenSocket,
}

/// What the first message led to.
enum Opening {
    Live(Live),
    Over(Over),
    Feed(Feed),
}

/// What happens on a live channel.
enum Event {
    Heard(Heard),
    Message(Result<String, Exit>),
    Ping,
}

/// What came of a second `subscribe`.
enum Renewal {
    TooFast,
    OtherSession,
    Over(Arc<Notice>),
    Denied(Denied),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Conversation<S> {
    /// Serves the socket to its end.
    pub(super) async fn run(&mut self) {
        let exit = match Box::pin(self.hello()).await {
            Ok(Opening::Live(Live { subscription, resume })) => {
                // Drawn once: what the app is told is what it gets.
                let every = heartbeat();
                match Box::pin(self.welcome(subscription.sign_in(), resume, every)).await {
                    Ok(()) => self.listen(subscription, every).await,
                    Err(exit) => exit,
                }
            }
            Ok(Opening::Over(over)) => Box::pin(self.tell(&over.notice, &over.sign_in)).await,
            Ok(Opening::Feed(feed)) => Box::pin(self.follow(feed)).await,
            Err(exit) => exit,
        };
        if let Exit::Close(code) = exit {
            Box::pin(self.close(code)).await;
        }
    }

    async fn close(&mut self, code: CloseCode) {
        self.hub.metrics.closed(code.number());
        let is_failure = matches!(code, CloseCode::InvalidToken | CloseCode::NotAllowed);
        // An address that has had too many refusals this minute is to slow down.
        let may_go_on = !is_failure || self.peer.failures.allow(self.peer.addr);
        self.wire.close(if may_go_on { code } else { CloseCode::TooMany }).await;
    }

    /// Waits for the first message, which says who this is.
    async fn hello(&mut self) -> Result<Opening, Exit> {
        if self.peer.pass.is_none() {
            return Err(self.say_no(Denied::TooMany).await);
        }
        let first = tokio::select! {
            () = self.hub.tasks.stopping() => return Err(CloseCode::Restarting.into()),
            first = timeout(self.peer.subscribe_within, self.wire.read()) => first,
        };
        let Ok(first) = first else { return Err(self.say(CloseCode::SubscribeTimeout).await) };
        let first = match first {
            Ok(first) => first,
            Err(exit) => return Err(self.farewell(exit).await),
        };
        match Incoming::read(first.as_bytes()) {
            Ok(Incoming::Subscribe { token }) => {
                let (origin, device) = (self.peer.origin.as_deref(), self.peer.device.take());
                match self.hub.subscribe(token.reveal(), origin, Via::WebSocket, device).await {
                    Ok(Subscribed::Live(live)) => Ok(Opening::Live(live)),
                    Ok(Subscribed::Over(over)) => Ok(Opening::Over(over)),
                    Err(denied) => Err(self.say_no(denied).await),
                }
            }
            Ok(Incoming::Follow { client_id, secret, after }) => {
                let app = match (self.hub.back_end(&client_id, secret.reveal()), &self.peer.origin) {
                    (Ok(app), None) => app,
                    (Ok(_), Some(_)) => return Err(self.say_no(Denied::Origin).await),
                    (Err(denied), _) => return Err(self.say_no(denied).await),
                };
                match self.hub.follow(app, after.as_deref()).await {
                    Ok(feed) => Ok(Opening::Feed(feed)),
                    Err(denied) => Err(self.say_no(denied).await),
                }
            }
            Ok(Incoming::Ack(_) | Incoming::Activity) => Err(self.say_bad(BadMessage("subscribe_first")).await),
            Err(bad) => Err(self.say_bad(bad).await),
        }
    }

    /// A person's channel, to the end of the session or of the socket.
    async fn listen(&mut self, mut subscription: Subscription, every: Duration) -> Exit {
        let mut next_ping = Instant::now() + every;
        loop {
            let event = tokio::select! {
                () = self.hub.tasks.stopping() => return CloseCode::Restarting.into(),
                heard = subscription.heard() => Event::Heard(heard),
                message = self.wire.read() => Event::Message(message),
                () = sleep_until(next_ping) => Event::Ping,
            };
            let done = match event {
                Event::Heard(Heard::LoggedOut(notice)) => {
                    return Box::pin(self.tell(&notice, subscription.sign_in())).await;
                }
                Event::Heard(Heard::Idle(signal)) => Box::pin(self.wire.write(&signal.encode())).await,
                Event::Heard(Heard::Rehearsal(id)) => Box::pin(self.wire.write(&rehearsal(id))).await,
                Event::Message(message) => Box::pin(self.heard(&mut subscription, message, every)).await,
                Event::Ping => {
                    next_ping = Instant::now() + every;
                    Box::pin(self.ping(every)).await
                }
            };
            if let Err(exit) = done {
                return exit;
            }
        }
    }

    /// The ticket is said once, and not kept.
    async fn welcome(&mut self, sign_in: &SignIn, resume: String, every: Duration) -> Result<(), Exit> {
        let welcome = Welcome::of(sign_in, &resume, every, self.hub.life.timeouts().idle);
        self.wire.write(&welcome.encode()).await
    }

    /// A message on a live channel.
    async fn heard(
        &mut self,
        subscription: &mut Subscription,
        message: Result<String, Exit>,
        every: Duration,
    ) -> Result<(), Exit> {
        let message = match message {
            Ok(message) => message,
            Err(exit) => return Err(self.farewell(exit).await),
        };
        match Incoming::read(message.as_bytes()) {
            Ok(Incoming::Activity) => {
                self.hub.note_activity(subscription.sign_in());
                Ok(())
            }
            Ok(Incoming::Ack(None)) => self.wire.write(&frame::no_such_id()).await,
            Ok(Incoming::Ack(Some(id))) => self.late_ack(id, subscription.sign_in()).await,
            Ok(Incoming::Subscribe { token }) => match self.renew(subscription, &token).await {
                Ok(fresh) => {
                    fresh.subscription.take_over(subscription);
                    *subscription = fresh.subscription;
                    self.welcome(subscription.sign_in(), fresh.resume, every).await
                }
                Err(Renewal::TooFast) => Err(self.say_no(Denied::TooFast).await),
                Err(Renewal::OtherSession) => Err(self.say(CloseCode::OtherSession).await),
                // The channel that is open stays open: nothing is wrong with it.
                Err(Renewal::Denied(denied @ (Denied::KeysUnavailable | Denied::Store(_)))) => {
                    self.wire.write(&frame::refusal(denied).1).await
                }
                Err(Renewal::Denied(denied)) => Err(self.say_no(denied).await),
                Err(Renewal::Over(notice)) => Err(self.tell(&notice, subscription.sign_in()).await),
            },
            Ok(Incoming::Follow { .. }) => Err(self.say(CloseCode::OtherSession).await),
            Err(bad) => Err(self.say_bad(bad).await),
        }
    }

    async fn renew(&mut self, current: &Subscription, token: &Secret) -> Result<Live, Renewal> {
        self.wire.count(RENEWAL_WEIGHT).map_err(|_| Renewal::TooFast)?;
        renew(&self.hub, &self.peer, current, token).await
    }

    /// Says that the session is over, and waits for the app to confirm.
    async fn tell(&mut self, notice: &Arc<Notice>, sign_in: &SignIn) -> Exit {
        if let Err(exit) = self.wire.write(&notice.event).await {
            return exit;
        }
        self.hub.note_told(notice.logout.id, sign_in, Via::WebSocket);
        let until = Instant::now() + ACK_WITHIN;
        loop {
            let message = tokio::select! {
                () = sleep_until(until) => return CloseCode::LoggedOut.into(),
                () = self.hub.tasks.stopping() => return CloseCode::Restarting.into(),
                message = self.wire.read() => message,
            };
            match message.map(|message| Incoming::read(message.as_bytes())) {
                Ok(Ok(Incoming::Ack(Some(id)))) if id == notice.logout.id => {
                    note_acknowledged(&self.hub, id, sign_in).await;
                    return CloseCode::LoggedOut.into();
                }
                Ok(Ok(_)) => {}
                Ok(Err(bad)) => return self.say_bad(bad).await,
                Err(exit) => return self.farewell(exit).await,
            }
        }
    }

    /// An acknowledgement on a live channel: of a rehearsal, or of an earlier logout.
    async fn late_ack(&mut self, id: LogoutId, sign_in: &SignIn) -> Result<(), Exit> {
        match self.hub.acknowledge(id, sign_in, Via::WebSocket).await {
            Ok(()) => Ok(()),
            Err(denied) => self.wire.write(&frame::refusal(denied).1).await,
        }
    }

    /// Lets the peer know that the hub is there, and drops a peer that is not.
    pub(super) async fn ping(&mut self, every: Duration) -> Result<(), Exit> {
        if self.wire.heard_at.elapsed() >= every * 2 {
            return Err(CloseCode::NoPong.into());
        }
        self.wire.ping().await
    }

    async fn say(&mut self, code: CloseCode) -> Exit {
        let said = self.wire.write(&frame::error(code, code.name(), code.description())).await;
        said.err().unwrap_or(code.into())
    }

    pub(super) async fn say_bad(&mut self, bad: BadMessage) -> Exit {
        let code = CloseCode::BadMessage;
        let said = self.wire.write(&frame::error(code, bad.0, code.description())).await;
        said.err().unwrap_or(code.into())
    }

    pub(super) async fn say_no(&mut self, denied: Denied) -> Exit {
        let (code, message) = frame::refusal(denied);
        let said = self.wire.write(&message).await;
        said.err().unwrap_or(code.into())
    }

    /// What the socket itself found wrong is said too, where there is something to say.
    pub(super) async fn farewell(&mut self, exit: Exit) -> Exit {
        match exit {
            Exit::Close(CloseCode::BadMessage) => self.say_bad(BadMessage("bad_message")).await,
            Exit::Close(CloseCode::TooMany) => self.say_no(Denied::TooFast).await,
            other => other,
        }
    }
}

/// The same session with a fresh token: the new channel opens before the old one closes.
async fn renew(hub: &Arc<Hub>, peer: &Peer, current: &Subscription, token: &Secret) -> Result<Live, Renewal> {
    let person = hub.person(token.reveal()).await.map_err(Renewal::Denied)?;
    if !is_same_session(current.sign_in(), &person.sign_in) {
        return Err(Renewal::OtherSession);
    }
    let subscribed = hub.renew(person, peer.origin.as_deref()).await;
    match subscribed.map_err(Renewal::Denied)? {
        Subscribed::Live(fresh) => Ok(fresh),
        Subscribed::Over(over) => Err(Renewal::Over(over.notice)),
    }
}

async fn note_acknowledged(hub: &Arc<Hub>, id: LogoutId, sign_in: &SignIn) {
    if let Err(denied) = hub.write_ack(id, sign_in, Via::WebSocket).await {
        tracing::warn!(error = %denied, logout.id = %id, "could not note an acknowledgement");
    }
}

fn is_same_session(one: &SignIn, other: &SignIn) -> bool {
    one.session() == other.session() && one.subject() == other.subject() && one.client_id == other.client_id
}
