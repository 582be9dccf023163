//! How things stand, for the metrics: read when somebody asks for them.

use std::time::Duration;

use super::Hub;
use super::overview::{GIVEN_UP_SECONDS, UNCONFIRMED_SECONDS};
use crate::domain::clock::UnixMillis;
use crate::store::{Backlog, StoreError};

/// What is in the store is read anew at most so often, however many ask.
const FRESH: Duration = Duration::from_secs(5);

impl Hub {
    /// Brings up to date what is not counted as it happens. A store that cannot be read is
    /// said; its figures then stay as they were.
    pub async fn read_metrics(&self) {
        let readings = self.metrics.readings();
        readings.writer(self.store.writer_counters());
        let health = self.keys.health();
        let ages: Vec<_> = health.iter().map(|issuer| issuer.keys_age).collect();
        let (ok, failed) =
            health.iter().fold((0, 0), |(ok, failed), issuer| (ok + issuer.fetches_ok, failed + issuer.fetches_failed));
        readings.keys(&ages, ok, failed);
        if readings.are_due(self.clock.uptime(), FRESH) {
            let read = self.read_store().await;
            readings.store_is_up(read.is_ok());
        }
    }

    async fn read_store(&self) -> Result<(), StoreError> {
        let (readings, now) = (self.metrics.readings(), self.clock.now());
        let unconfirmed = self.store.unconfirmed_since(now.plus_seconds(-UNCONFIRMED_SECONDS)).await?;
        let [posts, ends] = self.store.backlogs(now.plus_seconds(-GIVEN_UP_SECONDS)).await?;
        readings.unconfirmed(unconfirmed.iter().flat_map(|app| {
            let lines = [("pending", app.pending), ("failed", app.failed), ("delivered", app.unanswered)];
            lines.into_iter().map(|(status, count)| (app.client_id.as_str(), status, count))
        }));
        readings.waiting(waited(&posts, now), waited(&ends, now));
        Ok(())
    }
}

/// How long the oldest has waited.
fn waited(backlog: &Backlog, now: UnixMillis) -> Option<Duration> {
    backlog.oldest.map(|at| Duration::from_millis(u64::try_from(now.0 - at.0).unwrap_or(0)))
}
