//! What everybody in a run shares.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use tokio::sync::watch;

use crate::cluster::{Cluster, NOTES};
use crate::history::History;
use crate::support::issuer::{TestIssuer, TestSession};

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Things break; tabs come and go; sessions end.
    Faults,
    /// Nothing breaks. Who is connected stays, who is away stays away.
    Settle,
    /// Who is away comes back.
    Return,
}

pub struct World {
    pub history: History,
    pub issuer: TestIssuer,
    pub cluster: Cluster,
    phase: watch::Sender<Phase>,
    /// The last logout of all, once it is known.
    last: watch::Sender<Option<String>>,
    connections: AtomicU32,
    reports: AtomicU32,
}

impl World {
    pub fn new(history: History, issuer: TestIssuer, cluster: Cluster) -> Self {
        let (phase, last) = (watch::Sender::new(Phase::Faults), watch::Sender::new(None));
        Self { history, issuer, cluster, phase, last, connections: AtomicU32::new(0), reports: AtomicU32::new(0) }
    }

    pub fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    pub fn enter(&self, phase: Phase) {
        self.phase.send_replace(phase);
    }

    /// Waits until the run has come that far.
    pub async fn until(&self, phase: Phase) {
        let reached = self.phase.subscribe().wait_for(|now| *now >= phase).await.map(drop);
        reached.expect("the world outlives whoever waits");
    }

    /// That logout is the last.
    pub fn ends_with(&self, id: &str) {
        self.last.send_replace(Some(id.to_owned()));
    }

    /// Waits until that logout is known to be the last.
    pub async fn until_last_is(&self, id: Option<&String>) {
        let last = self.last.subscribe().wait_for(|last| last.is_some() && last.as_ref() == id).await.map(drop);
        last.expect("the world outlives whoever waits");
    }

    pub fn next_connection(&self) -> u32 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    pub fn next_report(&self) -> u32 {
        self.reports.fetch_add(1, Ordering::Relaxed)
    }

    /// An ID token of a session that began then; from when it began, or of now. And its `iat`.
    pub fn id_token(&self, who: &TestSession, began: i64, is_fresh: bool) -> (String, i64) {
        let iat = if is_fresh { self.issuer.now() } else { began };
        let token = self.issuer.id_token(who, NOTES.0).with("auth_time", json!(began)).with("iat", json!(iat));
        (token.sign(), iat)
    }
}
