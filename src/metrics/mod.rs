//! What is counted, for Prometheus. Labels are fixed words, or an app's `client_id` from the
//! configuration: no user data, ever.

mod readings;

use std::sync::atomic::AtomicI64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::domain::clock::UnixMillis;
use crate::domain::ids::LogoutId;
use crate::domain::logout::Source;
use crate::domain::via::Via;
use crate::store::Outcome;

pub use readings::Readings;

/// What became of a report, for the count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoutOutcome {
    /// A logout of its own.
    Recorded,
    /// Known before.
    Repeat,
    /// The very same logout token again.
    SameToken,
    /// A token's name, seen before with other content.
    JtiReused,
}

impl LogoutOutcome {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Repeat => "repeat",
            Self::SameToken => "same_token",
            Self::JtiReused => "jti_reused",
        }
    }
}

impl From<Outcome> for LogoutOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Fresh => Self::Recorded,
            Outcome::Repeat => Self::Repeat,
            Outcome::SameToken => Self::SameToken,
            Outcome::JtiReused => Self::JtiReused,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByLogout {
    source: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByRefusal {
    endpoint: &'static str,
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByVia {
    via: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOutcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByCode {
    code: u32,
}

/// Who reports logouts. Nothing reports security events yet.
const REPORTERS: [Source; 7] = [
    Source::App,
    Source::Backchannel,
    Source::Redirect,
    Source::SessionApi,
    Source::Admin,
    Source::Idle,
    Source::Absolute,
];

/// One hub's counts. No globals, so several hubs can live in one process.
pub struct Metrics {
    registry: Registry,
    logouts: Family<ByLogout, Counter>,
    rejected: Family<ByRefusal, Counter>,
    commit_seconds: Histogram,
    push_seconds: Histogram,
    acknowledge_seconds: Family<ByVia, Histogram>,
    sockets: Family<ByVia, Gauge>,
    subscribes: Family<ByOutcome, Counter>,
    acknowledged: Family<ByVia, Counter>,
    closes: Family<ByCode, Counter>,
    parked: Gauge,
    outbox_depth: Gauge,
    delivery_attempts: Family<ByOutcome, Counter>,
    given_up: Counter,
    issuer_ends: Family<ByOutcome, Counter>,
    issuer_ends_waiting: Gauge,
    readings: Readings,
}

/// An open channel's place in the count; dropping it takes it out.
pub struct OpenSocket(Gauge<i64, AtomicI64>);

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Everything at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("slo_hub");
        let logouts = Family::default();
        registry.register("logouts", "Reports of logouts, by who reported and what became of it", logouts.clone());
        let rejected = Family::default();
        registry.register("rejected", "Requests refused, by endpoint and code", rejected.clone());
        let commit_seconds = Histogram::new(exponential_buckets(0.000_5, 2.0, 14));
        let help = "Time from a verified report to its commit, as the store answered it";
        registry.register("commit_seconds", help, commit_seconds.clone());
        let push_seconds = Histogram::new(exponential_buckets(0.000_5, 2.0, 14));
        let help = "Time from a verified report to the push of its event, the commit included";
        registry.register("push_seconds", help, push_seconds.clone());
        // From a millisecond to three days: an app that slept confirms late, and should be seen to.
        let acknowledge_seconds: Family<ByVia, Histogram> =
            Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.001, 4.0, 15)));
        let help = "Time from a logout to its confirmation by an app, by the app's channel";
        registry.register("acknowledge_seconds", help, acknowledge_seconds.clone());
        let sockets = Family::default();
        registry.register("sockets", "Channels that are open", sockets.clone());
        let subscribes = Family::default();
        registry.register("subscribes", "Subscribes, by what they were told", subscribes.clone());
        let acknowledged = Family::default();
        registry.register("acknowledged", "Logouts that an app confirmed, by its channel", acknowledged.clone());
        let closes = Family::default();
        registry.register("socket_closes", "WebSockets that the hub closed, by code", closes.clone());
        let parked = Gauge::default();
        registry.register("parked_tokens", "Logout tokens that wait for their issuer's keys", parked.clone());
        let outbox_depth = Gauge::default();
        registry.register("outbox_depth", "Posts that wait for a back end to take them", outbox_depth.clone());
        let delivery_attempts = Family::default();
        registry.register("delivery_attempts", "Posts to back ends, by what came of them", delivery_attempts.clone());
        let given_up = Counter::default();
        registry.register("deliveries_given_up", "Posts whose time ran out", given_up.clone());
        let issuer_ends = Family::default();
        let help = "Sessions to be ended by their issuer's Management API, by what came of it";
        registry.register("issuer_ends", help, issuer_ends.clone());
        let issuer_ends_waiting = Gauge::default();
        let help = "Logouts that wait to be ended at their issuer";
        registry.register("issuer_ends_waiting", help, issuer_ends_waiting.clone());
        let readings = Readings::registered(&mut registry);
        Self {
            registry,
            logouts,
            rejected,
            commit_seconds,
            push_seconds,
            acknowledge_seconds,
            sockets,
            subscribes,
            acknowledged,
            closes,
            parked,
            outbox_depth,
            delivery_attempts,
            given_up,
            issuer_ends,
            issuer_ends_waiting,
            readings,
        }
        .at_zero()
    }

    /// Where a label's words are fixed, each is there before it has counted anything: what is
    /// not there has no rate, and its first event would never be seen.
    fn at_zero(self) -> Self {
        for source in REPORTERS.map(Source::as_str) {
            for outcome in [LogoutOutcome::Recorded, LogoutOutcome::Repeat].map(LogoutOutcome::as_str) {
                drop(self.logouts.get_or_create(&ByLogout { source, outcome }));
            }
        }
        // Only a logout token has a name that can be used twice.
        for outcome in [LogoutOutcome::SameToken, LogoutOutcome::JtiReused].map(LogoutOutcome::as_str) {
            drop(self.logouts.get_or_create(&ByLogout { source: Source::Backchannel.as_str(), outcome }));
        }
        for via in Via::ALL.map(Via::as_str) {
            drop(self.acknowledged.get_or_create(&ByVia { via }));
            drop(self.acknowledge_seconds.get_or_create(&ByVia { via }));
        }
        for via in [Via::WebSocket, Via::Sse].map(Via::as_str) {
            drop(self.sockets.get_or_create(&ByVia { via }));
        }
        for (family, outcomes) in [
            (&self.subscribes, &["live", "over", "denied"][..]),
            (&self.delivery_attempts, &["acknowledged", "refused", "failed"]),
            (&self.issuer_ends, &["revoked", "deleted", "was_gone", "refused", "failed", "given_up"]),
        ] {
            for outcome in outcomes {
                drop(family.get_or_create(&ByOutcome { outcome }));
            }
        }
        self
    }

    /// A report was recorded, or found to be known.
    pub fn logout(&self, source: Source, outcome: LogoutOutcome) {
        let labels = ByLogout { source: source.as_str(), outcome: outcome.as_str() };
        self.logouts.get_or_create(&labels).inc();
    }

    /// A request was refused.
    pub fn rejected(&self, endpoint: &'static str, code: &'static str) {
        self.rejected.get_or_create(&ByRefusal { endpoint, code }).inc();
    }

    /// The store has answered a report, this long after it was verified.
    pub fn committed(&self, after: Duration) {
        self.commit_seconds.observe(after.as_secs_f64());
    }

    /// A logout was committed and pushed, this long after its report was verified.
    pub fn pushed(&self, after: Duration) {
        self.push_seconds.observe(after.as_secs_f64());
    }

    /// A channel opens.
    #[must_use]
    pub fn socket(&self, via: Via) -> OpenSocket {
        let open = self.sockets.get_or_create(&ByVia { via: via.as_str() }).clone();
        open.inc();
        OpenSocket(open)
    }

    /// A subscribe was answered.
    pub fn subscribe(&self, outcome: &'static str) {
        self.subscribes.get_or_create(&ByOutcome { outcome }).inc();
    }

    /// An app has just confirmed that it has ended its session for that logout, whose name
    /// says when it was reported.
    pub fn acknowledged(&self, via: Via, logout: LogoutId, now: UnixMillis) {
        let after = Duration::from_millis(u64::try_from(now.0 - logout.given_at().0).unwrap_or(0));
        let labels = ByVia { via: via.as_str() };
        self.acknowledged.get_or_create(&labels).inc();
        self.acknowledge_seconds.get_or_create(&labels).observe(after.as_secs_f64());
    }

    /// The hub closed a socket.
    pub fn closed(&self, code: u16) {
        self.closes.get_or_create(&ByCode { code: u32::from(code) }).inc();
    }

    /// So many logout tokens wait for keys.
    pub fn parked(&self, count: usize) {
        self.parked.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// So many posts wait for back ends.
    pub fn outbox_depth(&self, posts: usize) {
        self.outbox_depth.set(i64::try_from(posts).unwrap_or(i64::MAX));
    }

    /// A back end was posted to.
    pub fn delivery_attempt(&self, outcome: &'static str) {
        self.delivery_attempts.get_or_create(&ByOutcome { outcome }).inc();
    }

    /// So many posts were given up, because their time ran out.
    pub fn deliveries_given_up(&self, posts: u64) {
        self.given_up.inc_by(posts);
    }

    /// A session was to be ended at its issuer.
    pub fn issuer_end(&self, outcome: &'static str) {
        self.issuer_ends.get_or_create(&ByOutcome { outcome }).inc();
    }

    /// So many were given up, because their time ran out.
    pub fn issuer_ends_given_up(&self, logouts: u64) {
        self.issuer_ends.get_or_create(&ByOutcome { outcome: "given_up" }).inc_by(logouts);
    }

    /// So many logouts wait to be ended at their issuer.
    pub fn issuer_ends_waiting(&self, logouts: usize) {
        self.issuer_ends_waiting.set(i64::try_from(logouts).unwrap_or(i64::MAX));
    }

    /// What is read only when somebody asks for the metrics.
    #[must_use]
    pub fn readings(&self) -> &Readings {
        &self.readings
    }

    /// Everything, in the `OpenMetrics` text format.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = text::encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_closes_leaves_the_count() {
        let metrics = Metrics::new();
        let open = metrics.socket(Via::WebSocket);
        assert!(metrics.encode().contains("slo_hub_sockets{via=\"websocket\"} 1\n"));
        drop(open);
        assert!(metrics.encode().contains("slo_hub_sockets{via=\"websocket\"} 0\n"));
    }

    #[test]
    fn what_has_not_happened_yet_is_shown_as_zero() {
        let text = Metrics::new().encode();
        for line in [
            "logouts_total{source=\"backchannel\",outcome=\"recorded\"} 0",
            "logouts_total{source=\"backchannel\",outcome=\"jti_reused\"} 0",
            "logouts_total{source=\"absolute\",outcome=\"repeat\"} 0",
            "sockets{via=\"sse\"} 0",
            "acknowledged_total{via=\"chain\"} 0",
            "acknowledge_seconds_count{via=\"websocket\"} 0",
            "subscribes_total{outcome=\"denied\"} 0",
            "delivery_attempts_total{outcome=\"failed\"} 0",
            "issuer_ends_total{outcome=\"given_up\"} 0",
            "key_fetches_total{outcome=\"failed\"} 0",
        ] {
            assert!(text.contains(&format!("slo_hub_{line}\n")), "{line}: {text}");
        }
        for line in ["outcome=\"jti_reused\",source=\"app\"", "source=\"app\",outcome=\"jti_reused\"", "signal"] {
            assert!(!text.contains(line), "{line} never is: {text}");
        }
    }

    #[test]
    fn counters_are_named_as_prometheus_names_them() {
        let metrics = Metrics::new();
        metrics.logout(Source::App, LogoutOutcome::Repeat);
        metrics.closed(4510);
        let text = metrics.encode();
        assert!(text.contains("slo_hub_logouts_total{source=\"app\",outcome=\"repeat\"} 1\n"), "{text}");
        assert!(text.contains("slo_hub_socket_closes_total{code=\"4510\"} 1\n"), "{text}");
    }
}
