//! Sessions are ended at their issuers: what stands in the store is done by the issuer's
//! Management API, or given up after a day.
//!
//! Each issuer has a line of its own, so that none holds up another. The line keeps to
//! what the API can bear: while it rests, nothing is tried, and a row that waits so costs
//! neither an attempt nor a write. In the line, what somebody has just asked for goes
//! before what a sweep of thousands ends, and both get on (`turns`).
//!
//! Of several nodes one at a time works an issuer's line, whoever recorded what stands in it:
//! the issuer counts their calls together. Whoever has the line keeps it while it works or
//! rests; when it stops, or dies, the next takes over.

mod attempt;
mod turns;

use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};
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
    ender: Arc<Ender>,
    wake: Arc<Notify>,
    /// Whether the line was this node's when that was last asked.
    is_held: bool,
}

impl Line {
    pub(super) fn new(ender: Ender, wake: Arc<Notify>) -> Self {
        Self { ender: Arc::new(ender), wake, is_held: false }
    }

    /// Works until the hub stops, or the store is closed. What is under way then is dropped,
    /// and found again by the next start: ending a session twice is ending it once.
    pub(super) async fn run(mut self) {
        self.work().await;
        if self.is_held
            && let Err(trouble) = self.ender.store.let_issuer_line_go(&self.ender.issuer).await
        {
            tracing::debug!(error = %trouble, "could not let an issuer's line go; another node has it when its lease is over");
        }
    }

    async fn work(&mut self) {
        let mut rung = self.ender.store.outbox_rung();
        // In tasks of their own: each may hold a reading connection, and among them all that
        // there are, for one of which the look waits.
        let (mut busy, mut under_way) = (Busy::default(), JoinSet::new());
        loop {
            let next = match self.look(&busy).await {
                Ok((found, next)) => {
                    for end in found {
                        busy.begins(&end);
                        let ender = Arc::clone(&self.ender);
                        under_way.spawn(async move { ender.attempt(end).await });
                    }
                    next
                }
                Err(trouble) => {
                    tracing::warn!(error = %trouble, "could not look for sessions to end; it is tried again shortly");
                    Instant::now() + TICK
                }
            };
            tokio::select! {
                () = self.ender.tasks.stopping() => break,
                changed = rung.changed() => if changed.is_err() { break },
                () = self.wake.notified() => {}
                Some(ended) = under_way.join_next() => busy.is_done(position(ended)),
                () = sleep_until(next) => {}
            }
            while let Some(ended) = under_way.try_join_next() {
                busy.is_done(position(ended));
            }
        }
        under_way.shutdown().await;
    }

    /// What to try now, and when to look again.
    async fn look(&mut self, busy: &Busy) -> Result<(Vec<WaitingEnd>, Instant), StoreError> {
        let now = self.ender.clock.now();
        let wait = |until: UnixMillis| Duration::from_millis(u64::try_from(until.0 - now.0).unwrap_or(0)).min(TICK);
        let places = match self.ender.api.room() {
            Room::Free => busy.places(),
            Room::One => busy.one_place(),
            Room::None { until } => {
                self.keep().await?;
                return Ok((Vec::new(), Instant::now() + wait(until)));
            }
        };
        if !busy.is_empty() {
            self.keep().await?;
        }
        if places.is_none() {
            return Ok((Vec::new(), Instant::now() + TICK));
        }
        let mut waiting = self.ender.store.issuer_ends(&self.ender.issuer, busy.at_most()).await?;
        waiting.retain(|end| !busy.holds(end.position) && end.good_until > now);
        let (due, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|end| end.due_at <= now);
        let next = later.iter().map(|end| end.due_at).min().map_or(TICK, wait);
        let turns = places.take(due);
        if turns.is_empty() || self.hold().await? {
            return Ok((turns, Instant::now() + next));
        }
        Ok((Vec::new(), Instant::now() + TICK))
    }

    /// Whether the line is this node's from now on; asked whenever something is begun.
    async fn hold(&mut self) -> Result<bool, StoreError> {
        self.is_held = self.ender.store.hold_issuer_line(&self.ender.issuer).await?;
        Ok(self.is_held)
    }

    /// Nobody else is to ask the issuer while this node does, or knows that it must not.
    async fn keep(&mut self) -> Result<(), StoreError> {
        if self.is_held {
            self.hold().await?;
        }
        Ok(())
    }
}

/// Which attempt is over. One that panicked takes the line with it, as if it had run there.
fn position(ended: Result<i64, JoinError>) -> i64 {
    ended.unwrap_or_else(|broken| resume_unwind(broken.into_panic()))
}
