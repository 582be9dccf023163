//! Back-channel delivery: what stands in the store's outbox is posted to apps' back ends.
//!
//! The row was written in the logout's own transaction, and goes only after the back end
//! has answered; so a hub that is killed at any moment tells each of them at least once.
//! `hub` never calls this module. The store rings after a commit, and here `worker` looks.
//!
//! - `worker` looks for what is due, and `lines` says who may post now: no app waits for
//!   another.
//! - `attempt` posts once, by way of `client`, which connects to no address that `oidc`'s
//!   guard has not seen.
//! - `issuer_ends` is apart from that: it has sessions ended at their issuers.
//! - `verdict` says what the answer means, `backoff` when to try again.

mod attempt;
mod backoff;
mod client;
mod issuer_ends;
mod lines;
mod verdict;
mod worker;

use std::sync::Arc;

use aws_lc_rs::rand;
use tokio::sync::Notify;

use self::attempt::Postman;
use self::client::Client;
pub use self::client::DEADLINE;
use self::issuer_ends::{Ender, Line as IssuerLine};
pub use self::issuer_ends::{NoteEnd, SessionEnd};
use self::worker::Worker;
use crate::domain::app::Directory;
use crate::domain::clock::Clock;
use crate::domain::ids::Issuer;
use crate::metrics::Metrics;
pub use crate::oidc::guard::{Found, Lookup, SystemLookup};
use crate::oidc::management::{Management, Managements};
use crate::oidc::own_logout_token::OwnLogoutTokens;
use crate::store::{Line, Store};
use crate::tasks::Tasks;

/// Where the spread of waiting times comes from: numbers from 0 up to 1.
pub type Chance = Arc<dyn Fn() -> f64 + Send + Sync>;

/// What deliveries need of the hub.
pub struct Parts {
    /// Who is registered, and where their back ends are.
    pub directory: Arc<Directory>,
    /// Where the outbox is.
    pub store: Store,
    /// Signs for apps that take the hub's own tokens.
    pub own_tokens: Arc<OwnLogoutTokens>,
    /// The Management API of the issuers that have one.
    pub management: Managements,
    /// Writes down what was ended by it.
    pub note_end: NoteEnd,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Work that shutdown waits for.
    pub tasks: Tasks,
    /// Where names' addresses come from.
    pub lookup: Arc<dyn Lookup>,
    /// What spreads retries.
    pub chance: Chance,
}

/// The deliveries of a hub, under way in the background until it stops.
#[derive(Clone)]
pub struct Deliveries {
    wake: Arc<[Arc<Notify>]>,
}

/// TLS cannot be set up: the system has no certificates to trust.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NoTls(String);

impl Deliveries {
    /// Starts to deliver, with whatever an earlier hub has left.
    ///
    /// # Errors
    /// [`NoTls`].
    pub fn start(parts: Parts) -> Result<Self, NoTls> {
        let mut wake = issuer_lines(&parts);
        let Parts { directory, store, own_tokens, clock, metrics, tasks, lookup, chance, .. } = parts;
        let client = Client::new(lookup, DEADLINE).map_err(|error| NoTls(error.to_string()))?;
        let with_back_end = directory.apps().iter().filter(|app| app.backchannel_logout_uri.is_some());
        let lines = with_back_end.map(|app| Line { issuer: app.issuer.clone(), client_id: app.client_id.clone() });
        let lines = lines.collect();
        let postman = Postman { directory, store, own_tokens, client, clock, chance, metrics, tasks: tasks.clone() };
        let own_wake = Arc::new(Notify::new());
        tasks.spawn(Worker::new(Arc::new(postman), lines, Arc::clone(&own_wake)).run());
        wake.push(own_wake);
        Ok(Self { wake: wake.into() })
    }

    /// Has the outbox looked into now. Nobody needs to, unless a clock was moved.
    pub fn wake(&self) {
        self.wake.iter().for_each(|one| one.notify_one());
    }
}

/// A line for each issuer whose sessions the hub can end; says how each is woken.
fn issuer_lines(parts: &Parts) -> Vec<Arc<Notify>> {
    let start = |(issuer, api): (&Issuer, &Arc<Management>)| {
        let ender = Ender {
            issuer: issuer.clone(),
            api: Arc::clone(api),
            store: parts.store.clone(),
            note: Arc::clone(&parts.note_end),
            clock: Arc::clone(&parts.clock),
            chance: Arc::clone(&parts.chance),
            metrics: Arc::clone(&parts.metrics),
            tasks: parts.tasks.clone(),
        };
        let wake = Arc::new(Notify::new());
        parts.tasks.spawn(IssuerLine::new(ender, Arc::clone(&wake)).run());
        wake
    };
    parts.management.all().map(start).collect()
}

/// Chance of the operating system.
///
/// # Panics
/// When the operating system has no randomness.
#[must_use]
pub fn system_chance() -> Chance {
    Arc::new(|| {
        let mut bytes = [0; 4];
        rand::fill(&mut bytes).expect("the operating system gives random bytes");
        f64::from(u32::from_ne_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
    })
}
