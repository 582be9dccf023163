//! The one that looks into the outbox, and has what is due posted.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};

use super::attempt::Postman;
use super::lines::{Lines, PER_LINE};
use crate::domain::clock::UnixMillis;
use crate::store::{Line, StoreError, Waiting};

/// How often all is looked at, whatever else happens: a clock may be set, and a look
/// may fail.
const TICK: Duration = Duration::from_secs(1);
/// The same where no app has a back end: what an earlier configuration left behind is
/// given up in its time.
const IDLE_TICK: Duration = Duration::from_secs(60);

/// What is looked at next.
enum Look {
    /// Every line, and whose time has run out.
    All,
    /// Every line, because something came in.
    Lines,
    /// Lines in which a post has ended.
    Some(Vec<Line>),
}

/// Looks into the outbox: when it is rung, when a post ends, when one is due.
pub(super) struct Worker {
    postman: Arc<Postman>,
    lines: Lines,
    wake: Arc<Notify>,
    ended: mpsc::UnboundedReceiver<(Line, i64)>,
    /// For the posts' places; as many messages as there are places.
    ends: mpsc::UnboundedSender<(Line, i64)>,
    /// When the first post that is not due yet will be.
    due: Option<UnixMillis>,
}

/// A post's place in its line, given back when dropped, come what may.
struct Place {
    line: Line,
    id: i64,
    ends: mpsc::UnboundedSender<(Line, i64)>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.ends.send((self.line.clone(), self.id)).ok();
    }
}

impl Worker {
    pub(super) fn new(postman: Arc<Postman>, lines: Vec<Line>, wake: Arc<Notify>) -> Self {
        let (ends, ended) = mpsc::unbounded_channel();
        Self { postman, lines: Lines::new(lines), wake, ended, ends, due: None }
    }

    /// Works until the hub stops, or the store is closed.
    pub(super) async fn run(mut self) {
        let tick = if self.lines.is_empty() { IDLE_TICK } else { TICK };
        let mut rung = self.postman.store.outbox_rung();
        let mut look = Look::All;
        let mut next_tick = Instant::now();
        loop {
            if matches!(look, Look::All) {
                next_tick = Instant::now() + tick;
            }
            if let Err(trouble) = self.look(look).await {
                tracing::warn!(error = %trouble, "could not look into the outbox; it is looked into again shortly");
            }
            let next = self.next_look(next_tick);
            look = tokio::select! {
                () = self.postman.tasks.stopping() => return,
                changed = rung.changed() => match changed {
                    Ok(()) => Look::Lines,
                    Err(_) => return,
                },
                () = self.wake.notified() => Look::All,
                Some(ended) = self.ended.recv() => Look::Some(self.all_ended(ended)),
                () = sleep_until(next) => {
                    if Instant::now() < next_tick { Look::Lines } else { Look::All }
                }
            };
        }
    }

    /// Gives back the places of a post that has ended, and of all that did meanwhile.
    fn all_ended(&mut self, first: (Line, i64)) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut next = Some(first);
        while let Some((line, id)) = next {
            self.lines.give_back(&line, id);
            if !lines.contains(&line) {
                lines.push(line);
            }
            next = self.ended.try_recv().ok();
        }
        lines
    }

    /// When to look again: once the next post is due, and at the next tick anyhow.
    fn next_look(&self, next_tick: Instant) -> Instant {
        let now = self.postman.clock.now();
        let wait = |due: UnixMillis| Duration::from_millis(u64::try_from(due.0 - now.0).unwrap_or(0));
        self.due.map_or(next_tick, |due| next_tick.min(Instant::now() + wait(due).min(TICK)))
    }

    async fn look(&mut self, look: Look) -> Result<(), StoreError> {
        let lines = match look {
            Look::All => {
                self.give_up_overdue().await?;
                self.due = None;
                self.lines.with_places()
            }
            Look::Lines => {
                self.due = None;
                self.lines.with_places()
            }
            Look::Some(lines) => lines,
        };
        if lines.is_empty() {
            return Ok(());
        }
        let waiting = self.postman.store.outbox(&lines, PER_LINE + 1).await?;
        let now = self.postman.clock.now();
        if waiting.iter().any(|post| post.good_until <= now) {
            // They stand before others; the next look finds those.
            self.wake.notify_one();
        }
        let turns = self.turns(waiting, now);
        self.begin(turns).await
    }

    /// Those whose turn it is, each with its place taken.
    fn turns(&mut self, mut waiting: Vec<Waiting>, now: UnixMillis) -> Vec<Waiting> {
        waiting.retain(|post| !self.lines.is_under_way(&post.line, post.id));
        let mut elsewhere: HashMap<Line, usize> = HashMap::new();
        for post in waiting.iter().filter(|post| post.is_claimed) {
            *elsewhere.entry(post.line.clone()).or_default() += 1;
        }
        waiting.retain(|post| {
            if post.good_until <= now || post.is_claimed {
                return false;
            }
            if post.due_at > now {
                self.due = Some(self.due.map_or(post.due_at, |due| due.min(post.due_at)));
                return false;
            }
            self.lines.take(&post.line, post.id, elsewhere.get(&post.line).copied().unwrap_or(0))
        });
        waiting
    }

    /// Begins those that no other node was quicker to claim.
    async fn begin(&mut self, turns: Vec<Waiting>) -> Result<(), StoreError> {
        let claimed = self.postman.store.claim(&turns).await;
        let is_ours = |post: &Waiting| claimed.as_ref().is_ok_and(|claimed| claimed.contains(&post.id));
        for post in turns {
            if is_ours(&post) {
                self.spawn(post);
            } else {
                self.lines.give_back(&post.line, post.id);
            }
        }
        claimed.map(|_| ())
    }

    fn spawn(&self, post: Waiting) {
        let place = Place { line: post.line.clone(), id: post.id, ends: self.ends.clone() };
        let postman = Arc::clone(&self.postman);
        self.postman.tasks.spawn(async move {
            postman.deliver(post).await;
            drop(place);
        });
    }

    async fn give_up_overdue(&self) -> Result<(), StoreError> {
        self.give_up_issuer_ends().await?;
        let now = self.postman.clock.now();
        let state = self.postman.store.outbox_state().await?;
        self.postman.metrics.outbox_depth(state.depth);
        if state.first_end.is_none_or(|end| end > now) {
            return Ok(());
        }
        let given_up = self.postman.store.give_up_overdue(now).await?;
        self.postman.metrics.deliveries_given_up(given_up);
        if given_up > 0 {
            tracing::warn!(posts = given_up, "gave up telling back ends: the time for it has run out");
        }
        Ok(())
    }

    /// Also of issuers that have no Management API configured any more.
    async fn give_up_issuer_ends(&self) -> Result<(), StoreError> {
        let (now, store) = (self.postman.clock.now(), &self.postman.store);
        let state = store.issuer_ends_state().await?;
        self.postman.metrics.issuer_ends_waiting(state.depth);
        if state.first_end.is_some_and(|end| end <= now) {
            let given_up = store.give_up_issuer_ends(now).await?;
            self.postman.metrics.issuer_ends_given_up(given_up);
            tracing::warn!(
                sessions = given_up,
                code = "management_given_up",
                "gave up ending sessions at their issuer"
            );
        }
        Ok(())
    }
}
