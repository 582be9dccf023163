//! Auth0's Management API: which sessions a person has, ending them, and how clients are
//! set up. One [`Management`] for each issuer that the configuration names a client for.
//!
//! - Calls carry a token by client credentials, with the scopes of that call and no more
//!   (`token`). A 401 has the token fetched anew, once.
//! - Each request is bounded: [`DEADLINE`], [`MAX_BODY_BYTES`], [`MAX_PAGES`] (`wire`).
//!   Redirects are not followed, and the issuer's name may lead to no private address
//!   unless it is one.
//! - An id is one segment of a path, whatever is in it (`path`).
//! - After failures in a row, or a 429, the API is left alone for a while (`breaker`): then
//!   a call is answered [`ManagementFault::Resting`] and nothing is sent. Whoever cannot wait
//!   for an answer leaves it alone by themselves, and holds nobody else back (`call`).
//! - What is needed and cannot be read is a fault (`read`). Faults are fixed words
//!   (`fault`): no token, secret, `sid` or `sub` is ever in one.

mod breaker;
mod call;
mod fault;
mod path;
mod read;
mod token;
mod wire;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tokio::time::Instant;

use self::breaker::{Breaker, Door};
pub use self::breaker::{FAULTS_IN_A_ROW, FIRST_PAUSE, LONGEST_PAUSE};
use self::call::Limit;
pub use self::fault::{ManagementFault, Scope, Scopes};
use self::path::Segment::{Id, Word};
use self::path::{Base, Segment};
pub use self::read::{Device, Initiators, IssuerClient, IssuerSession};
use self::token::{Access, Tokens};
pub use self::wire::{DEADLINE, MAX_BODY_BYTES};
use self::wire::{Heard, Wire};
use crate::domain::app::{Directory, HubClient};
use crate::domain::clock::{Clock, UnixMillis};
use crate::domain::ids::{ClientId, Issuer, Sid, Subject};
use crate::oidc::guard::Lookup;

/// The most pages of a list that are read.
pub const MAX_PAGES: usize = 20;
/// How many entries a page is asked to have: Auth0's own limit.
const PER_PAGE: usize = 100;
/// How long a whole list may take.
const LIST_DEADLINE: Duration = Duration::from_secs(10);
/// What is asked of clients: never their secrets.
const CLIENT_FIELDS: &str = "client_id,name,callbacks,allowed_logout_urls,oidc_logout";

const STRANGE_PAGE: ManagementFault =
    ManagementFault::Strange("the issuer's Management API answered with a list that does not end");
const STRANGE_ANSWER: ManagementFault =
    ManagementFault::Strange("the issuer's Management API answered with something else than was asked for");
/// How a session came to its end at the issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Revoked, and its refresh tokens with it.
    Revoked,
    /// Deleted, where the issuer cannot revoke. Its refresh tokens live on there; the hub
    /// takes no token of that session any more.
    Deleted,
    /// It was not there (any more).
    WasGone,
}

/// Whether calls would go through now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// As many as one likes.
    Free,
    /// One, to try whether the API is back.
    One,
    /// None before that moment.
    None {
        /// When to look again.
        until: UnixMillis,
    },
}

/// The Management API of one issuer.
pub struct Management {
    base: Base,
    wire: Wire,
    tokens: Tokens,
    breaker: Breaker,
    /// Of those who wait only so long: what they did not wait for.
    hurried: Breaker,
    clock: Arc<dyn Clock>,
}

/// The Management API of every issuer that has one configured. Clones share it.
#[derive(Clone, Default)]
pub struct Managements(Arc<HashMap<Issuer, Arc<Management>>>);

impl Managements {
    /// # Errors
    /// When the system has no certificates to trust.
    pub fn of(directory: &Directory, lookup: &Arc<dyn Lookup>, clock: &Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        let wire = Wire::new(Arc::clone(lookup), DEADLINE)?;
        let one = |issuer: &Issuer, client: &HubClient| {
            Arc::new(Management::new(issuer, client.clone(), wire.clone(), Arc::clone(clock)))
        };
        let configured = directory.issuers().filter_map(|it| Some((&it.issuer, it.management.as_ref()?)));
        let all = configured.map(|(issuer, client)| (issuer.clone(), one(issuer, client)));
        Ok(Self(Arc::new(all.collect())))
    }

    /// That issuer's, where it is configured.
    #[must_use]
    pub fn at(&self, issuer: &Issuer) -> Option<&Arc<Management>> {
        self.0.get(issuer)
    }

    /// All of them, in no order.
    pub fn all(&self) -> impl Iterator<Item = (&Issuer, &Arc<Management>)> {
        self.0.iter()
    }
}

impl Management {
    fn new(issuer: &Issuer, client: HubClient, wire: Wire, clock: Arc<dyn Clock>) -> Self {
        let base = Base::of(issuer.as_str());
        let tokens = Tokens::new(client, base.clone(), Arc::clone(&clock));
        Self { base, wire, tokens, breaker: Breaker::default(), hurried: Breaker::default(), clock }
    }

    /// A person's sessions, as far as they last still; none of somebody unknown.
    ///
    /// # Errors
    /// [`ManagementFault`]; [`ManagementFault::Strange`] also for a list that holds a
    /// session of somebody else.
    pub async fn sessions_of(&self, sub: &Subject) -> Result<Vec<IssuerSession>, ManagementFault> {
        self.list(sub, Limit::Work(Instant::now() + LIST_DEADLINE)).await
    }

    /// The same, for somebody who waits only so long. Where they have waited in vain too often
    /// in a row, they are answered [`ManagementFault::Resting`] for a while; whoever has more
    /// time is not held back by that. So a limit of the hub's own belongs here, and not around
    /// the call: whoever drops that has gone away, which says nothing about the API.
    ///
    /// # Errors
    /// As [`Management::sessions_of`].
    pub async fn sessions_within(
        &self,
        sub: &Subject,
        patience: Duration,
    ) -> Result<Vec<IssuerSession>, ManagementFault> {
        self.list(sub, Limit::Patience(Instant::now() + patience)).await
    }

    async fn list(&self, sub: &Subject, limit: Limit) -> Result<Vec<IssuerSession>, ManagementFault> {
        let (mut all, mut from) = (Vec::new(), None::<String>);
        for _ in 0..MAX_PAGES {
            let mut url = self.base.api(&[Word("users"), Id(sub.as_str()), Word("sessions")])?;
            url.query_pairs_mut().append_pair("take", &PER_PAGE.to_string());
            if let Some(from) = &from {
                url.query_pairs_mut().append_pair("from", from);
            }
            let request = || self.wire.request(Method::GET, url.clone());
            let asked = self.ask_within(limit, Access::Sessions, Scope::ReadSessions, request, a_page);
            let (sessions, next) = asked.await?;
            if sessions.iter().any(|session| session.sub.as_ref().is_some_and(|whose| whose != sub)) {
                return Err(STRANGE_ANSWER);
            }
            all.extend(sessions);
            match next {
                None => return Ok(all),
                Some(next) if from.as_ref() == Some(&next) => return Err(STRANGE_PAGE),
                next => from = next,
            }
        }
        Err(ManagementFault::TooLarge)
    }

    /// One session by its name, whosever it is; `None` where there is none.
    ///
    /// # Errors
    /// [`ManagementFault`].
    pub async fn session(&self, sid: &Sid) -> Result<Option<IssuerSession>, ManagementFault> {
        let url = self.base.api(&[Word("sessions"), Id(sid.as_str())])?;
        let request = || self.wire.request(Method::GET, url.clone());
        let read = |heard| match heard {
            Heard::Done(body) => {
                let found = IssuerSession::read(&object(&body)?)?;
                if found.sid == *sid { Ok(Some(found)) } else { Err(STRANGE_ANSWER) }
            }
            Heard::Missing => Ok(None),
            Heard::NoEndpoint => Err(ManagementFault::NoSuchEndpoint),
        };
        self.ask(Access::Sessions, Scope::ReadSessions, request, read).await
    }

    /// Ends a session that is known to be the one meant: whose a `sid` is that somebody else
    /// has brought, the caller has to ask first. Revokes it, so that its refresh tokens die
    /// as well; where the issuer cannot, deletes it.
    ///
    /// # Errors
    /// [`ManagementFault`]. A session that is not there is no fault.
    pub async fn end_session(&self, sid: &Sid) -> Result<Ended, ManagementFault> {
        let revoke = [Word("sessions"), Id(sid.as_str()), Word("revoke")];
        match self.end_by(Method::POST, &revoke, Ended::Revoked).await {
            Err(ManagementFault::NoSuchEndpoint | ManagementFault::NotAllowed) => {}
            outcome => return outcome,
        }
        self.end_by(Method::DELETE, &[Word("sessions"), Id(sid.as_str())], Ended::Deleted).await
    }

    async fn end_by(&self, method: Method, way: &[Segment<'_>], ended: Ended) -> Result<Ended, ManagementFault> {
        let url = self.base.api(way)?;
        let request = || self.wire.request(method.clone(), url.clone());
        let read = |heard| match heard {
            Heard::Done(_) => Ok(ended),
            Heard::Missing => Ok(Ended::WasGone),
            Heard::NoEndpoint => Err(ManagementFault::NoSuchEndpoint),
        };
        self.ask(Access::Sessions, Scope::DeleteSessions, request, read).await
    }

    /// Those of the scopes that the hub works with which its client has not been granted, as
    /// far as the issuer's tokens tell: where it refuses one and names none of the scopes
    /// asked for, all of those. Only tokens are asked for.
    ///
    /// # Errors
    /// [`ManagementFault`], where no token tells.
    pub async fn lacking_scopes(&self) -> Result<Scopes, ManagementFault> {
        let mut lacking = Scopes::default();
        for access in [Access::Sessions, Access::ReadClients] {
            lacking = lacking.and(match self.tokens.get(&self.wire, access).await {
                Ok(token) => token.lacking(),
                Err(ManagementFault::Forbidden(scopes)) => scopes,
                Err(fault) => return Err(fault),
            });
        }
        Ok(lacking)
    }

    /// One client; `None` where there is none. Needs `read:clients`.
    ///
    /// # Errors
    /// [`ManagementFault`].
    pub async fn client(&self, id: &ClientId) -> Result<Option<IssuerClient>, ManagementFault> {
        let mut url = self.base.api(&[Word("clients"), Id(id.as_str())])?;
        url.query_pairs_mut().append_pair("fields", CLIENT_FIELDS).append_pair("include_fields", "true");
        let request = || self.wire.request(Method::GET, url.clone());
        self.ask(Access::ReadClients, Scope::ReadClients, request, |heard| a_client(id, heard)).await
    }

    /// Changes how a client is set up; says how it then is, or `None` where there is none.
    /// Needs `update:clients`, which is asked for by this call alone.
    ///
    /// # Errors
    /// [`ManagementFault`]; [`ManagementFault::Rejected`] where it does not take the change.
    pub async fn patch_client(&self, id: &ClientId, change: &Value) -> Result<Option<IssuerClient>, ManagementFault> {
        let url = self.base.api(&[Word("clients"), Id(id.as_str())])?;
        let body = change.to_string();
        let request = || {
            let request = self.wire.request(Method::PATCH, url.clone());
            request.header("content-type", "application/json").body(body.clone())
        };
        self.ask(Access::ChangeClients, Scope::UpdateClients, request, |heard| a_client(id, heard)).await
    }

    /// Whether calls would go through now.
    #[must_use]
    pub fn room(&self) -> Room {
        let uptime = self.clock.uptime();
        match self.breaker.door(uptime) {
            Door::Open => Room::Free,
            Door::OneAtATime { is_taken: false } => Room::One,
            Door::OneAtATime { is_taken: true } => Room::None { until: self.moment(uptime + Duration::from_secs(1)) },
            Door::Shut { until } => Room::None { until: self.moment(until) },
        }
    }

    /// A point of the hub's uptime, as a time of day.
    fn moment(&self, uptime: Duration) -> UnixMillis {
        let wait = uptime.saturating_sub(self.clock.uptime());
        UnixMillis(self.clock.now().0.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)))
    }
}

fn object(body: &[u8]) -> Result<Value, ManagementFault> {
    crate::domain::json::read_object(body).map(Value::Object).map_err(|_| STRANGE_ANSWER)
}

fn a_page(heard: Heard) -> Result<(Vec<IssuerSession>, Option<String>), ManagementFault> {
    match heard {
        Heard::Done(body) => {
            let body = crate::domain::json::read_object(&body).map_err(|_| STRANGE_ANSWER)?;
            read::sessions_page(&body)
        }
        Heard::Missing => Ok((Vec::new(), None)),
        Heard::NoEndpoint => Err(ManagementFault::NoSuchEndpoint),
    }
}

fn a_client(id: &ClientId, heard: Heard) -> Result<Option<IssuerClient>, ManagementFault> {
    match heard {
        Heard::Done(body) => {
            let client = IssuerClient::read(&object(&body)?)?;
            if client.client_id == *id { Ok(Some(client)) } else { Err(STRANGE_ANSWER) }
        }
        Heard::Missing => Ok(None),
        Heard::NoEndpoint => Err(ManagementFault::NoSuchEndpoint),
    }
}
