//! An app starts to listen for the end of its session.

use std::sync::Arc;

use super::Hub;
use super::caller::{Person, Proof};
use super::denied::Denied;
use super::sessions::Sight;
use crate::channels::{Notice, Subscription};
use crate::domain::device::Device;
use crate::domain::logout::SignIn;
use crate::domain::via::Via;
use crate::oidc::fault::TokenFault;
use crate::store::Standing;

/// How often it is written down that an app still uses a session: what was not seen
/// for the whole retention is forgotten.
const SEEN_AGAIN_SECONDS: i64 = 24 * 3600;

/// What an app that subscribes is told.
pub enum Subscribed {
    /// The session is alive, and whatever ends it will be pushed.
    Live(Live),
    /// The session was over already.
    Over(Over),
}

/// What an app did when its token was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It asked how its session stands.
    Asking,
    /// It opened a channel, and is waited for there from now on.
    Listening,
}

/// A channel that is open.
pub struct Live {
    /// The channel; dropping it closes it.
    pub subscription: Subscription,
    /// A fresh resume ticket for this sign-in.
    pub resume: String,
}

/// A session that was over when its app subscribed.
pub struct Over {
    /// Whose session it was.
    pub sign_in: SignIn,
    /// The logout that ended it.
    pub notice: Arc<Notice>,
}

impl Hub {
    /// Opens a channel for the sign-in of a token. In this order: the channel is
    /// registered, the facts are read, the answer is given; so a logout that lands in
    /// between arrives by the push or by the facts.
    ///
    /// # Errors
    /// [`Denied::Token`], also for an expired token of a session that is not over;
    /// [`Denied::Origin`], [`Denied::TooMany`]; [`Denied::KeysUnavailable`] and
    /// [`Denied::Store`] when the facts cannot be had.
    ///
    /// # Cancel safety
    /// Dropping the future closes the channel.
    pub async fn subscribe(
        self: &Arc<Self>,
        raw: &str,
        origin: Option<&str>,
        via: Via,
        device: Option<Arc<Device>>,
    ) -> Result<Subscribed, Denied> {
        let person = self.person(raw).await?.on(device);
        // A socket is a standing right to hear: like a change, it takes a page of the
        // app's own. An event stream is a GET, which native apps may make.
        person.asks_from(origin, via == Via::WebSocket)?;
        let at_most = self.rules.max_connections_per_session;
        self.counted(self.open(person, at_most).await)
    }

    /// Opens the channel that takes the place of one which is open for the same session.
    /// It is not counted against the session's limit: the old one goes once it is there.
    ///
    /// # Errors
    /// As [`Hub::subscribe`], but for [`Denied::TooMany`].
    ///
    /// # Cancel safety
    /// Dropping the future closes the new channel.
    pub async fn renew(self: &Arc<Self>, person: Person, origin: Option<&str>) -> Result<Subscribed, Denied> {
        person.asks_from(origin, true)?;
        self.counted(self.open(person, usize::MAX).await)
    }

    fn counted(&self, subscribed: Result<Subscribed, Denied>) -> Result<Subscribed, Denied> {
        self.metrics.subscribe(match &subscribed {
            Ok(Subscribed::Live(_)) => "live",
            Ok(Subscribed::Over(_)) => "over",
            Err(_) => "denied",
        });
        subscribed
    }

    async fn open(self: &Arc<Self>, person: Person, at_most: usize) -> Result<Subscribed, Denied> {
        let sign_in = person.sign_in.clone();
        let Ok(subscription) = self.channels.register(sign_in.clone(), at_most) else {
            // Whose session is over needs no channel to hear of it.
            let logout = self.ended_by(&person).await?.ok_or(Denied::TooMany)?;
            return Ok(Subscribed::Over(Over { sign_in, notice: Arc::new(Notice::of(logout)) }));
        };
        let standing = self.seen(&sign_in, person.proof, Seen::Listening).await?;
        if let Some(logout) = standing.ended_by {
            return Ok(Subscribed::Over(Over { sign_in, notice: Arc::new(Notice::of(logout)) }));
        }
        // Before anything else is held against it: told is told.
        if let Some(notice) = subscription.told() {
            return Ok(Subscribed::Over(Over { sign_in, notice }));
        }
        if person.proof.is_expired() {
            return Err(Denied::Token(TokenFault::TokenExpired));
        }
        self.note_session(&sign_in, person.device, Sight::Used);
        self.warn_newcomer(&subscription);
        Ok(Subscribed::Live(Live { resume: self.resume_ticket(&sign_in), subscription }))
    }

    /// How a sign-in stands; notes that its app uses this session, unless it is over, or
    /// was noted not long ago. A store that cannot write (a full disk) keeps nobody from
    /// listening: the facts could be read, and they count.
    ///
    /// # Errors
    /// [`Denied::Store`] when the facts cannot be read.
    pub(super) async fn seen(self: &Arc<Self>, sign_in: &SignIn, proof: Proof, how: Seen) -> Result<Standing, Denied> {
        let standing = self.store.standing(sign_in).await?;
        let now = self.clock.now();
        let was_recent = standing.last_seen_at.is_some_and(|seen| now.floor().0 - seen.0 < SEEN_AGAIN_SECONDS);
        let is_noted = standing.is_seen && was_recent && (how == Seen::Asking || standing.has_listened);
        if standing.is_over() || proof.is_expired() || is_noted {
            return self.heeding_sweeps(sign_in, standing).await;
        }
        let noted = match how {
            Seen::Asking => self.store.see(sign_in, now).await,
            Seen::Listening => self.store.see_listening(sign_in, now).await,
        };
        match noted {
            // Read after the note was written: a report in between has been heeded.
            Ok(newer) => self.heeding_sweeps(sign_in, newer).await,
            Err(error) => {
                tracing::warn!(error = %error, app.client_id = sign_in.client_id.as_str(), "could not note a sign-in");
                Ok(standing)
            }
        }
    }

    /// Who comes while the others are being warned is warned too.
    fn warn_newcomer(&self, subscription: &Subscription) {
        let session = subscription.sign_in().session();
        if let Some(warning) = session.and_then(|key| self.life.ledger.warning_of(&key, self.clock.uptime())) {
            subscription.signal(warning);
        }
    }

    fn resume_ticket(&self, sign_in: &SignIn) -> String {
        let ttl = i64::try_from(self.rules.resume_ttl.as_secs()).unwrap_or(i64::MAX);
        self.tickets.issue(sign_in, self.clock.now().floor().plus(ttl))
    }
}
