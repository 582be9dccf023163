//! What every edge needs: who is calling, what they sent, how they are told no.

pub mod body;
pub mod caller;
pub mod cookie;
pub mod failures;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzed;
pub mod navigation;
pub mod pace;
pub mod params;
pub mod problem;
pub mod respond;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;

use crate::hub::Hub;
use crate::listener::gate::Gate;
use failures::Failures;
use ipnet::IpNet;
use pace::Paces;

/// How long a caller waits at most for an answer: issuers give up after five seconds,
/// and some never ask again.
pub const ANSWER_WITHIN: Duration = Duration::from_millis(2_800);

/// What handlers share.
#[derive(Clone)]
pub struct Edge {
    /// The verbs.
    pub hub: Arc<Hub>,
    /// How many channels may be open.
    pub gate: Gate,
    /// Who has sent how much that failed.
    pub failures: Failures,
    /// Who has brought how many codes of an issuer's that came to nothing. Only the issuer can
    /// tell, so these hold back what is still to be tried.
    pub codes: Failures,
    /// Who has sent how much that was right.
    pub paces: Paces,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Arc<[IpNet]>,
    /// How long a socket may take to subscribe.
    pub subscribe_timeout: Duration,
}

impl FromRef<Edge> for Arc<Hub> {
    fn from_ref(edge: &Edge) -> Self {
        Self::clone(&edge.hub)
    }
}

impl FromRef<Edge> for Paces {
    fn from_ref(edge: &Edge) -> Self {
        edge.paces.clone()
    }
}
