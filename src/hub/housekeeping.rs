//! What the hub does by itself: judge parked tokens, forget what is old enough, keep its
//! signing keys fresh, work off sweeps.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::Hub;

/// How often old facts are looked for.
const FORGET_EVERY: Duration = Duration::from_secs(3600);
/// How often parked tokens ask for their keys again. The keys' own cool-down bounds
/// what that costs the issuer.
const JUDGE_EVERY: Duration = Duration::from_secs(5);
/// How often the signing keys are looked at: often enough to know of a rotation by
/// another process within [`crate::domain::signing_key::NOTICED_WITHIN_SECONDS`].
const REFRESH_KEYS_EVERY: Duration = Duration::from_secs(5);

impl Hub {
    /// Starts the background work. It ends when the hub stops.
    pub fn keep_house(self: &Arc<Self>) {
        let hub = Arc::clone(self);
        self.tasks.spawn(async move {
            tokio::select! {
                () = hub.tasks.stopping() => {}
                () = hub.judge_as_keys_come() => {}
            }
        });
        let hub = Arc::clone(self);
        self.tasks.spawn(async move {
            tokio::select! {
                () = hub.tasks.stopping() => {}
                () = hub.forget_now_and_then() => {}
            }
        });
        let hub = Arc::clone(self);
        self.tasks.spawn(async move {
            tokio::select! {
                () = hub.tasks.stopping() => {}
                () = hub.push_late_logouts() => {}
            }
        });
        let hub = Arc::clone(self);
        self.tasks.spawn(async move {
            tokio::select! {
                () = hub.tasks.stopping() => {}
                () = hub.hear_other_nodes() => {}
            }
        });
        let hub = Arc::clone(self);
        self.tasks.spawn(async move {
            tokio::select! {
                () = hub.tasks.stopping() => {}
                () = hub.keep_signing_keys_fresh() => {}
            }
        });
        let hub = Arc::clone(self);
        self.tasks.spawn(async move {
            tokio::select! {
                () = hub.tasks.stopping() => {}
                () = hub.sweep_as_ordered() => {}
            }
        });
    }

    /// A commit that came too late for its caller is still a logout: it is pushed all
    /// the same, or a retry would find it recorded and nobody would ever be told.
    async fn push_late_logouts(self: &Arc<Self>) {
        let Some(mut late) = self.store.take_late_logouts() else { return };
        while let Some(recorded) = late.recv().await {
            self.push_recorded(&recorded);
        }
    }

    async fn judge_as_keys_come(self: &Arc<Self>) {
        let mut fetched = self.keys.fetched();
        let mut tick = interval(JUDGE_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                changed = fetched.changed() => if changed.is_err() { return },
            }
            self.judge_parked().await;
        }
    }

    async fn keep_signing_keys_fresh(&self) {
        let mut tick = interval(REFRESH_KEYS_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut trouble = None;
        loop {
            tick.tick().await;
            let found = self.refresh_signing_keys().await.err();
            // Said once, not every few seconds for as long as it lasts.
            if let Some(error) = found.filter(|_| found != trouble) {
                tracing::warn!(error = %error, "could not look after the signing keys; those from before are used");
            }
            trouble = found;
        }
    }

    async fn forget_now_and_then(self: &Arc<Self>) {
        let mut tick = interval(FORGET_EVERY);
        loop {
            tick.tick().await;
            if self.store.leads() {
                self.forget_old().await;
            }
        }
    }

    /// Forgets facts older than the retention, and tickets and token names that can no
    /// longer be used.
    pub async fn forget_old(&self) {
        let now = self.clock.now();
        let keep = i64::try_from(self.rules.retention.as_secs()).unwrap_or(i64::MAX);
        match self.store.forget(now.plus_seconds(-keep), now).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "forgot what is past its retention"),
            Err(error) => tracing::warn!(error = %error, "could not forget what is past its retention"),
        }
    }
}
