//! Sessions are ended at their issuers: what stands in the store is done by the issuer's
//! Management API, or given up after a day.
//!
//! Each issuer has a line of its own, so that none holds up another. The line keeps to
//! what the API can bear: while it rests, nothing is tried, and a row that waits so costs
//! neither an attempt nor a write. In the line, what somebody has just asked for goes
//! before what a sweep of thousands ends, and both get on (`turns`).

mod attempt;
mod turns;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

pub(super) use self::attempt::Ender;
use self::turns::Busy;
use crate::domain::clock::UnixMillis;
use crate::domain::ids::Sid;
use crate::domain::logout::Logout;
use crate::oidc::management::Room;
use crate::store::{StoreError, WaitingEnd};

/// How often a line looks, whatever else happens: a clock may be set, and a look may fail.
const TICK: Duration = Duration::from_secs(1);

/// One session of a logout at its issuer: about to be ended, or over.
#[derive(Clone, Debug)]
pub struct SessionEnd {
    /// The logout that ends it.
    pub logout: Logout,
    /// The session.
    pub sid: Sid,
    /// Whether the issuer has ended it.
    pub is_final: bool,
}

/// Writes a [`SessionEnd`] down, and pushes what follows from it: the hub's own business.
pub type NoteEnd =
    Arc<dyn Fn(SessionEnd) -> Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>> + Send + Sync>;

/// Looks for what is to be ended at one issuer: when it is rung, when one has ended, when
/// one is due.
pub(super) struct Line {
    ender: Ender,
    wake: Arc<Notify>,
}

impl Line {
    pub(super) fn new(ender: Ender, wake: Arc<Notify>) -> Self {
        Self { ender, wake }
    }

    /// Works until the hub stops, or the store is closed. What is under way then is dropped,
    /// and found again by the next start: ending a session twice is ending it once.
    pub(super) async fn run(self) {
        let mut rung = self.ender.store.outbox_rung();
        let (mut busy, mut under_way) = (Busy::default(), FuturesUnordered::new());
        loop {
            let next = match self.look(&busy).await {
                Ok((found, next)) => {
                    for end in found {
                        busy.begins(&end);
                        under_way.push(self.ender.attempt(end));
                    }
                    next
                }
                Err(trouble) => {
                    tracing::warn!(error = %trouble, "could not look for sessions to end; it is tried again shortly");
                    Instant::now() + TICK
                }
            };
            tokio::select! {
                () = self.ender.tasks.stopping() => return,
                changed = rung.changed() => if changed.is_err() { return },
                () = self.wake.notified() => {}
                Some(position) = under_way.next() => busy.is_done(position),
                () = sleep_until(next) => {}
            }
        }
    }

    /// What to try now, and when to look again.
    async fn look(&self, busy: &Busy) -> Result<(Vec<WaitingEnd>, Instant), StoreError> {
        let now = self.ender.clock.now();
        let wait = |until: UnixMillis| Duration::from_millis(u64::try_from(until.0 - now.0).unwrap_or(0)).min(TICK);
        let places = match self.ender.api.room() {
            Room::Free => busy.places(),
            Room::One => busy.one_place(),
            Room::None { until } => return Ok((Vec::new(), Instant::now() + wait(until))),
        };
        if places.is_none() {
            return Ok((Vec::new(), Instant::now() + TICK));
        }
        let mut waiting = self.ender.store.issuer_ends(&self.ender.issuer, busy.at_most()).await?;
        waiting.retain(|end| !busy.holds(end.position) && end.good_until > now);
        let (due, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|end| end.due_at <= now);
        let next = later.iter().map(|end| end.due_at).min().map_or(TICK, wait);
        Ok((places.take(due), Instant::now() + next))
    }
}
