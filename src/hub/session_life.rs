//! Sessions end by themselves: after a time without activity in any of their apps, and
//! at their greatest age. One clock for all apps of a session.
//!
//! Both ends are logouts like any other: recorded, pushed, delivered, with a receipt. A
//! session is ended once: its countdown is called off once the end is on disk, and one
//! that is over already only has its clock stopped.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Mutex;
use tokio::time::{MissedTickBehavior, interval};

use super::Hub;
use super::ledger::Ledger;
use crate::domain::clock::{Clock, UnixMillis};
use crate::domain::ids::SessionKey;
use crate::domain::logout::{LogoutTarget, Reason, Source};
use crate::domain::session_life::{
    Countdowns, Lookout, RunDown, Timeouts, Window, absolute_reason, idle_reason, is_up,
};
use crate::store::{ClockChange, Report, StoreError, TimedBy, TimedSession};

/// How often it is looked which sessions are due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How many sessions are ended at a time: they share a commit, and others come between.
const ENDED_AT_ONCE: usize = 128;

/// What the hub knows of sessions' lives.
pub struct SessionLife {
    timeouts: Timeouts,
    pub(super) ledger: Ledger,
    watch: Mutex<Watch>,
}

/// Where the look-out stands.
struct Watch {
    /// Whether the clocks on disk have been made ready for this run.
    is_ready: bool,
    idle: Option<Lookout>,
    absolute: Option<(Lookout, Countdowns<SessionKey>)>,
}

impl SessionLife {
    /// For a hub that starts now.
    #[must_use]
    pub fn new(timeouts: Timeouts, clock: &dyn Clock) -> Self {
        let (now, uptime) = (clock.now(), clock.uptime());
        let absolute = timeouts.absolute.map(|most| (Lookout::start(most, now, uptime), Countdowns::before(most)));
        let idle = timeouts.idle.map(|span| Lookout::start(span, now, uptime));
        let watch = Mutex::new(Watch { is_ready: false, idle, absolute });
        Self { timeouts, ledger: Ledger::new(timeouts), watch }
    }

    /// When sessions end by themselves.
    #[must_use]
    pub fn timeouts(&self) -> Timeouts {
        self.timeouts
    }
}

/// What is to become of a session whose countdown has run down.
enum Fate {
    /// It ends now.
    Ends(TimedSession),
    /// It is over already.
    IsOver(TimedSession),
    /// It has been active, or begun anew.
    LivesOn,
    /// No clock of it runs any more: it has just been ended, here or at another node, and the
    /// logout says so.
    IsGone,
}

impl Hub {
    /// Starts the work on sessions: what was seen is written, and those whose time has
    /// come are ended. It ends when the hub stops, after writing what is left.
    pub fn keep_sessions(self: &Arc<Self>) {
        let hub = Arc::clone(self);
        self.tasks.spawn(async move {
            let mut tick = interval(LOOK_EVERY);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    () = hub.tasks.stopping() => return hub.write_what_was_seen().await,
                    () = hub.life.ledger.bell.notified() => hub.write_what_was_seen().await,
                    _ = tick.tick() => hub.look_after_sessions().await,
                }
            }
        });
    }

    /// What is taken from the ledger is on disk before anyone looks there again.
    async fn write_what_was_seen(&self) {
        let _no_look_meanwhile = self.life.watch.lock().await;
        self.write_session_notes().await;
    }

    /// One look at the clock: writes what was seen of sessions, warns those that are about
    /// to end for want of activity, and ends those whose time has come.
    pub async fn look_after_sessions(self: &Arc<Self>) {
        let mut watch = self.life.watch.lock().await;
        self.write_session_notes().await;
        if let Err(error) = self.look(&mut watch).await {
            tracing::warn!(error = %error, "could not look after the sessions' time-outs");
        }
    }

    async fn look(self: &Arc<Self>, watch: &mut Watch) -> Result<(), StoreError> {
        if !watch.is_ready {
            self.ready_clocks().await?;
            watch.is_ready = true;
        }
        let (now, uptime) = (self.clock.now(), self.clock.uptime());
        if let Some(lookout) = &mut watch.idle {
            let look = lookout.look(now, uptime);
            if look.is_thorough {
                self.leave_nothing_in_the_future(now, TimedBy::Activity).await?;
            }
            if let Some(window) = look.window {
                self.warn_idle(window, uptime).await?;
            }
            self.end_idle(now, uptime).await?;
        }
        if let Some((lookout, countdowns)) = &mut watch.absolute {
            let look = lookout.look(now, uptime);
            if look.is_thorough {
                self.leave_nothing_in_the_future(now, TimedBy::Start).await?;
            }
            if let Some(window) = look.window {
                for (key, since) in self.store.sessions_timed_in(window, TimedBy::Start).await? {
                    countdowns.enter(&key, since, uptime);
                }
            }
            self.end_aged(countdowns, now, uptime).await?;
        }
        Ok(())
    }

    /// The clocks as the last run left them are made right for this one.
    async fn ready_clocks(&self) -> Result<(), StoreError> {
        let (timeouts, now) = (self.life.timeouts, self.clock.now());
        if timeouts.any() {
            return self.store.change_clocks(ClockChange::Resume { sample: timeouts.sample(), now }).await;
        }
        let everything = Window { after: UnixMillis(i64::MIN), through: UnixMillis(i64::MAX) };
        let running = self.store.sessions_timed_in(everything, TimedBy::Activity).await?;
        if running.is_empty() { Ok(()) } else { self.store.change_clocks(ClockChange::StopAll).await }
    }

    /// What was noted before the time of day went back counts as of now.
    async fn leave_nothing_in_the_future(&self, now: UnixMillis, by: TimedBy) -> Result<(), StoreError> {
        let future = Window { after: now, through: UnixMillis(i64::MAX) };
        let found = self.store.sessions_timed_in(future, by).await?;
        if found.is_empty() { Ok(()) } else { self.store.change_clocks(ClockChange::NotAfter(now)).await }
    }

    async fn warn_idle(&self, window: Window, uptime: Duration) -> Result<(), StoreError> {
        for (key, since) in self.store.sessions_timed_in(window, TimedBy::Activity).await? {
            if let Some(at) = self.life.ledger.warn(&key, since, uptime, &self.channels) {
                self.say_active(&key, at);
            }
        }
        Ok(())
    }

    async fn end_idle(self: &Arc<Self>, now: UnixMillis, uptime: Duration) -> Result<(), StoreError> {
        let ledger = &self.life.ledger;
        let Some(timeout) = self.life.timeouts.idle else { return Ok(()) };
        let reason = idle_reason(timeout);
        loop {
            let due = ledger.run_down(uptime, ENDED_AT_ONCE);
            let fate = |run_down: &RunDown<SessionKey>, session: TimedSession| {
                let is_active =
                    session.active_at > run_down.since || ledger.was_active_after(&session.key, run_down.since);
                fate_of(session, is_active || !is_up(run_down.since, timeout, now))
            };
            let ended = self.end(&due, Source::Idle, &reason, fate).await?;
            let is_all = ended.len() == due.len();
            for (key, fate) in &ended {
                match fate {
                    Fate::LivesOn => ledger.reprieved(key, &self.channels),
                    Fate::Ends(_) | Fate::IsOver(_) | Fate::IsGone => ledger.ended(key),
                }
            }
            let over = ended.into_iter().filter_map(|(key, fate)| match fate {
                Fate::Ends(session) | Fate::IsOver(session) => Some((key, session.active_at)),
                Fate::LivesOn | Fate::IsGone => None,
            });
            self.stop_clocks(over.collect()).await?;
            if due.len() < ENDED_AT_ONCE || !is_all {
                return Ok(());
            }
        }
    }

    async fn end_aged(
        self: &Arc<Self>,
        countdowns: &mut Countdowns<SessionKey>,
        now: UnixMillis,
        uptime: Duration,
    ) -> Result<(), StoreError> {
        let Some(timeout) = self.life.timeouts.absolute else { return Ok(()) };
        let reason = absolute_reason(timeout);
        loop {
            let due = countdowns.run_down(uptime, ENDED_AT_ONCE);
            let fate = |run_down: &RunDown<SessionKey>, session: TimedSession| {
                let began_anew = UnixMillis::from(session.started_at) > run_down.since;
                fate_of(session, began_anew || !is_up(run_down.since, timeout, now))
            };
            let ended = self.end(&due, Source::Absolute, &reason, fate).await?;
            let is_all = ended.len() == due.len();
            let mut over = Vec::new();
            for (key, fate) in ended {
                countdowns.call_off(&key);
                if matches!(fate, Fate::Ends(_) | Fate::IsOver(_)) {
                    self.life.ledger.ended(&key);
                    over.push((key, now));
                }
            }
            self.stop_clocks(over).await?;
            if due.len() < ENDED_AT_ONCE || !is_all {
                return Ok(());
            }
        }
    }

    /// Records the ends of those sessions that are to end, together, and says what became
    /// of each. One whose end could not be recorded is left out, and stays due.
    async fn end(
        self: &Arc<Self>,
        due: &[RunDown<SessionKey>],
        source: Source,
        reason: &str,
        fate: impl Fn(&RunDown<SessionKey>, TimedSession) -> Fate,
    ) -> Result<Vec<(SessionKey, Fate)>, StoreError> {
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<_> = due.iter().map(|run_down| run_down.key.clone()).collect();
        let found = self.store.timed_sessions(&keys).await?;
        let mut found: HashMap<_, _> = found.into_iter().map(|session| (session.key.clone(), session)).collect();
        let fates = due.iter().map(|run_down| {
            let session = found.remove(&run_down.key);
            (run_down.key.clone(), session.map_or(Fate::IsGone, |session| fate(run_down, session)))
        });
        let recorded = fates.map(|(key, fate)| async {
            if let Fate::Ends(session) = &fate {
                // One node ends it; this one sees then that it is over.
                if !self.store.leads() {
                    return None;
                }
                self.record_end(session, source, reason).await.ok()?;
            }
            Some((key, fate))
        });
        Ok(join_all(recorded).await.into_iter().flatten().collect())
    }

    async fn record_end(self: &Arc<Self>, session: &TimedSession, source: Source, reason: &str) -> Result<(), ()> {
        let target = LogoutTarget::Session { key: session.key.clone(), sub: Some(session.sub.clone()) };
        let report = self.report(target, source, None, Reason::parse(reason).ok());
        let covers_until = report.covers_until.max(session.latest_iat.unwrap_or(report.covers_until));
        self.recorded(Report { covers_until, ..report }).await.map(|_| ()).map_err(|denied| {
            tracing::warn!(error = %denied, logout.source = source.as_str(), "could not end a session; it stays due");
        })
    }

    async fn stop_clocks(&self, over: Vec<(SessionKey, UnixMillis)>) -> Result<(), StoreError> {
        if over.is_empty() { Ok(()) } else { self.store.change_clocks(ClockChange::Stop(over)).await }
    }
}

fn fate_of(session: TimedSession, lives_on: bool) -> Fate {
    match (session.is_over, lives_on) {
        (true, _) => Fate::IsOver(session),
        (false, true) => Fate::LivesOn,
        (false, false) => Fate::Ends(session),
    }
}
