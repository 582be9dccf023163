//! Background work that shutdown waits for.

use std::future::Future;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// Every task of one hub. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stopping: CancellationToken,
}

impl Tasks {
    /// Runs `work` to its end, whether or not anyone still waits for its result.
    #[expect(clippy::disallowed_methods, reason = "this is the tracked spawn that others take")]
    pub fn spawn<F>(&self, work: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        tokio::spawn(self.tracker.track_future(work))
    }

    /// Counts work that somebody else spawned, for as long as the token lives.
    pub fn token(&self) -> TaskTrackerToken {
        self.tracker.token()
    }

    /// Resolves when the hub begins to stop. Long-lived tasks end then.
    pub async fn stopping(&self) {
        self.stopping.cancelled().await;
    }

    /// Whether the hub has begun to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    /// Tells every task to end.
    pub fn stop(&self) {
        self.stopping.cancel();
        self.tracker.close();
    }

    /// Waits until every task has ended. Call [`Tasks::stop`] first.
    pub async fn ended(&self) {
        self.tracker.wait().await;
    }
}
