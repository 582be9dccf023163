//! What is counted, for Prometheus. Labels are fixed words: no user data, ever.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::domain::logout::Source;
use crate::domain::via::Via;
use crate::store::{Outcome, WriterCounters};

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

/// One hub's counts. No globals, so several hubs can live in one process.
pub struct Metrics {
    registry: Registry,
    logouts: Family<ByLogout, Counter>,
    rejected: Family<ByRefusal, Counter>,
    push_seconds: Histogram,
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
    writer: Writer,
}

/// What the store counts itself; copied when somebody asks.
#[derive(Default)]
struct Writer {
    commands: Counter,
    commits: Counter,
    failures: Counter,
    busy: Counter<f64, AtomicU64>,
}

impl Writer {
    fn registered(registry: &mut Registry) -> Self {
        let own = Self::default();
        registry.register("store_writes", "Writes that the store was asked for", own.commands.clone());
        registry.register("store_commits", "Transactions committed for them", own.commits.clone());
        registry.register("store_commit_failures", "Transactions that failed", own.failures.clone());
        let help = "Time that the store has spent on writing";
        registry.register_with_unit("store_busy", help, Unit::Seconds, own.busy.clone());
        own
    }
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
        let push_seconds = Histogram::new(exponential_buckets(0.000_5, 2.0, 14));
        let help = "Time from a verified report to the push of its event, the commit included";
        registry.register("push_seconds", help, push_seconds.clone());
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
        let writer = Writer::registered(&mut registry);
        Self {
            registry,
            logouts,
            rejected,
            push_seconds,
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
            writer,
        }
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

    /// An app confirmed that it has ended its session.
    pub fn acknowledged(&self, via: Via) {
        self.acknowledged.get_or_create(&ByVia { via: via.as_str() }).inc();
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

    /// The store's writer has done that much since it started.
    pub fn writer(&self, counters: WriterCounters) {
        self.writer.commands.inner().store(counters.commands, Relaxed);
        self.writer.commits.inner().store(counters.commits, Relaxed);
        self.writer.failures.inner().store(counters.failures, Relaxed);
        let busy = Duration::from_micros(counters.busy_micros).as_secs_f64();
        self.writer.busy.inner().store(busy.to_bits(), Relaxed);
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
    fn counters_are_named_as_prometheus_names_them() {
        let metrics = Metrics::new();
        metrics.logout(Source::App, LogoutOutcome::Repeat);
        metrics.closed(4510);
        let text = metrics.encode();
        assert!(text.contains("slo_hub_logouts_total{source=\"app\",outcome=\"repeat\"} 1\n"), "{text}");
        assert!(text.contains("slo_hub_socket_closes_total{code=\"4510\"} 1\n"), "{text}");
    }

    #[test]
    fn the_stores_own_counts_are_shown_as_they_stand() {
        let metrics = Metrics::new();
        for done in [1, 2] {
            metrics.writer(WriterCounters {
                commands: 40 * done,
                commits: 3 * done,
                failures: 0,
                busy_micros: 250_000 * done,
            });
        }
        let text = metrics.encode();
        for line in ["writes_total 80\n", "commits_total 6\n", "commit_failures_total 0\n", "busy_seconds_total 0.5\n"]
        {
            assert!(text.contains(&format!("slo_hub_store_{line}")), "{line}: {text}");
        }
    }
}
