//! Sweeps are worked off in the background, page by page, also after a restart; and
//! whoever a sweep covers is told when they come, whether or not it has reached them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard, Notify, Semaphore, SemaphorePermit};
use tokio::time::sleep;

use super::Hub;
use super::denied::Denied;
use crate::domain::logout::{Logout, SignIn, Source};
use crate::domain::sweep::Sweep;
use crate::metrics::LogoutOutcome;
use crate::store::{Report, Standing, StoreError};

/// How long the hub waits after trouble with the store before it goes on.
const AFTER_TROUBLE: Duration = Duration::from_secs(1);
/// How many dry runs may be counted or wait for that; and how many sweeps, each of which
/// holds on to a [`crate::store::Moment`] meanwhile.
const COUNTS_MAX: usize = 8;

/// What those who order sweeps share with the one who works them off.
pub struct Sweeping {
    bell: Notify,
    counting: Mutex<()>,
    dry_runs: Semaphore,
    sweeps: Semaphore,
}

impl Default for Sweeping {
    fn default() -> Self {
        let (dry_runs, sweeps) = (Semaphore::new(COUNTS_MAX), Semaphore::new(COUNTS_MAX));
        Self { bell: Notify::new(), counting: Mutex::default(), dry_runs, sweeps }
    }
}

impl Sweeping {
    /// There is a new sweep.
    pub(super) fn wake(&self) {
        self.bell.notify_one();
    }

    /// A count reads all that was seen: one at a time. Whoever holds this keeps every
    /// other count waiting.
    pub async fn counting(&self) -> MutexGuard<'_, ()> {
        self.counting.lock().await
    }

    /// A place among the dry runs that wait; `None` where too many do.
    pub(super) fn dry_run(&self) -> Option<SemaphorePermit<'_>> {
        self.dry_runs.try_acquire().ok()
    }

    /// A place among the sweeps that wait to be counted; `None` where too many do.
    pub(super) fn sweep(&self) -> Option<SemaphorePermit<'_>> {
        self.sweeps.try_acquire().ok()
    }
}

impl Hub {
    /// Works off every sweep that is not done, and then each new one.
    pub(super) async fn sweep_as_ordered(self: &Arc<Self>) {
        loop {
            match self.sweep_all().await {
                Ok(()) => self.sweeping.bell.notified().await,
                Err(error) => {
                    tracing::warn!(error = %error, "a sweep is held up; it goes on when the store does");
                    sleep(AFTER_TROUBLE).await;
                }
            }
        }
    }

    async fn sweep_all(self: &Arc<Self>) -> Result<(), StoreError> {
        while let Some(progress) = self.store.unfinished_sweep().await? {
            let sweep = progress.sweep;
            while !self.take_step(&sweep).await? {}
            while let Err(error) = self.tell_the_unseen(&sweep).await {
                tracing::warn!(error = %error, "a sweep cannot reach everyone; it tries again");
                sleep(AFTER_TROUBLE).await;
            }
            let ended = self.store.find_sweep(sweep.id).await?.map_or(0, |done| done.sessions_ended);
            tracing::info!(sweep.id = %sweep.id, sessions = ended, "a sweep is done");
        }
        Ok(())
    }

    /// One page: commit, then push. True when it was the last.
    async fn take_step(self: &Arc<Self>, sweep: &Sweep) -> Result<bool, StoreError> {
        let (hub, step) = (Arc::clone(self), self.sweep_step(sweep.clone()));
        let work = self.tasks.spawn(async move {
            let swept = hub.store.sweep_on(step).await?;
            for recorded in &swept.recorded {
                hub.push_recorded(recorded);
                hub.metrics.logout(Source::Admin, LogoutOutcome::from(recorded.outcome));
            }
            Ok(swept.is_done)
        });
        work.await.map_err(|_| StoreError::Stopped)?
    }

    /// Whoever listens with a token that was never written down, because there was no room
    /// on the disk, was on none of the pages.
    async fn tell_the_unseen(self: &Arc<Self>, sweep: &Sweep) -> Result<(), StoreError> {
        for sign_in in self.channels.untold(|sign_in| sweep.covers(sign_in, None)) {
            match self.end_swept(&sign_in, sweep).await {
                Ok(_) => {}
                Err(Denied::Store(error)) => return Err(error),
                Err(error) => tracing::error!(error = %error, "a sweep could not end a session"),
            }
        }
        Ok(())
    }

    /// A sign-in that a sweep covers and no logout has ended yet: it ends here and now, and
    /// has its receipt. Where that cannot be written down it is told all the same.
    ///
    /// # Errors
    /// [`Denied::Store`] when the sweep cannot be read.
    pub(super) async fn heeding_sweeps(
        self: &Arc<Self>,
        sign_in: &SignIn,
        standing: Standing,
    ) -> Result<Standing, Denied> {
        let Some(id) = standing.swept_by.filter(|_| standing.ended_by.is_none()) else { return Ok(standing) };
        // It may have been forgotten just now.
        let Some(progress) = self.store.find_sweep(id).await? else { return Ok(standing) };
        let logout = match self.told_before(sign_in, &progress.sweep).await? {
            Some(logout) => logout,
            None => self.told_now(sign_in, &progress.sweep).await,
        };
        Ok(Standing { ended_by: Some(logout), ..standing })
    }

    /// A token that was merely refreshed since its session ended has no logout of its own.
    async fn told_before(&self, sign_in: &SignIn, sweep: &Sweep) -> Result<Option<Logout>, Denied> {
        let Some(key) = sign_in.session() else { return Ok(None) };
        Ok(self.store.end_by_sweep(&key, sweep).await?)
    }

    async fn told_now(self: &Arc<Self>, sign_in: &SignIn, sweep: &Sweep) -> Logout {
        match self.end_swept(sign_in, sweep).await {
            Ok(logout) => logout,
            Err(error) => {
                tracing::warn!(error = %error, "could not note the end of a session that a sweep covers");
                // What is not on disk goes by the sweep's own name.
                Report { id: sweep.id, ..self.end_by_sweep(sign_in, sweep) }.as_logout()
            }
        }
    }

    async fn end_swept(self: &Arc<Self>, sign_in: &SignIn, sweep: &Sweep) -> Result<Logout, Denied> {
        let report = Report { seen: Some(sign_in.clone()), ..self.end_by_sweep(sign_in, sweep) };
        Ok(self.recorded(report).await?.logout)
    }

    fn end_by_sweep(&self, sign_in: &SignIn, sweep: &Sweep) -> Report {
        let (target, covers_until) = sweep.end_of(sign_in);
        let report = self.report(target, Source::Admin, None, Some(sweep.reason.clone()));
        Report { covers_until, occurred_at: sweep.ordered_at, sweep: Some(sweep.id), ..report }
    }
}
