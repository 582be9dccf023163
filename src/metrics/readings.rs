//! What is not counted as it happens, but read when somebody asks: how things stand.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::ByOutcome;
use crate::domain::clock::UnixSeconds;
use crate::store::WriterCounters;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByApp {
    client_id: String,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByListener {
    listener: &'static str,
}

/// Seconds that are no whole ones.
type Seconds = Gauge<f64, AtomicU64>;

/// How things stand, as last read.
pub struct Readings {
    commands: Counter,
    commits: Counter,
    failures: Counter,
    busy: Counter<f64, AtomicU64>,
    store_up: Gauge,
    unconfirmed: Family<ByApp, Gauge>,
    outbox_oldest: Seconds,
    issuer_ends_oldest: Seconds,
    key_fetches: Family<ByOutcome, Counter>,
    keys_age: Seconds,
    issuers_without_keys: Gauge,
    turned_away: Family<ByListener, Counter>,
    certificate_until: Family<ByListener, Gauge>,
    /// When the store was last asked, by the hub's uptime.
    asked: Mutex<Option<Duration>>,
}

impl Readings {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let own = Self {
            commands: Counter::default(),
            commits: Counter::default(),
            failures: Counter::default(),
            busy: Counter::default(),
            store_up: Gauge::default(),
            unconfirmed: Family::default(),
            outbox_oldest: Gauge::default(),
            issuer_ends_oldest: Gauge::default(),
            key_fetches: Family::default(),
            keys_age: Gauge::default(),
            issuers_without_keys: Gauge::default(),
            turned_away: Family::default(),
            certificate_until: Family::default(),
            asked: Mutex::default(),
        };
        own.register_store(registry);
        own.register_rest(registry);
        own
    }

    fn register_store(&self, registry: &mut Registry) {
        registry.register("store_writes", "Writes that the store was asked for", self.commands.clone());
        registry.register("store_commits", "Transactions committed for them", self.commits.clone());
        registry.register("store_commit_failures", "Transactions that failed", self.failures.clone());
        let help = "Time that the store has spent on writing";
        registry.register_with_unit("store_busy", help, Unit::Seconds, self.busy.clone());
        let help = "1 where the store could be read for these figures, 0 where it could not: then those are old";
        registry.register("store_up", help, self.store_up.clone());
        let help = "Lines of receipts of the last hour that no app has confirmed, by app and how far they came";
        registry.register("unconfirmed", help, self.unconfirmed.clone());
        let help = "How long the oldest post to a back end has waited";
        registry.register_with_unit("outbox_oldest", help, Unit::Seconds, self.outbox_oldest.clone());
        let help = "How long the oldest logout has waited to be ended at its issuer";
        registry.register_with_unit("issuer_ends_oldest", help, Unit::Seconds, self.issuer_ends_oldest.clone());
    }

    fn register_rest(&self, registry: &mut Registry) {
        let help = "Fetches of issuers' metadata and keys, by what came of them";
        registry.register("key_fetches", help, self.key_fetches.clone());
        let help = "How long ago the keys were fetched that are oldest among the issuers'";
        registry.register_with_unit("keys_age", help, Unit::Seconds, self.keys_age.clone());
        let help = "Issuers whose keys were never had";
        registry.register("issuers_without_keys", help, self.issuers_without_keys.clone());
        let help = "Connections closed at once, since as many were open as may be: in all, or from one address";
        registry.register("connections_turned_away", help, self.turned_away.clone());
        let help = "When the certificate expires that new connections are shown, in seconds since 1970";
        registry.register_with_unit(
            "certificate_expiry_timestamp",
            help,
            Unit::Seconds,
            self.certificate_until.clone(),
        );
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "What runs here", version);
    }

    /// The store's writer has done that much since it started.
    pub fn writer(&self, counters: WriterCounters) {
        self.commands.inner().store(counters.commands, Relaxed);
        self.commits.inner().store(counters.commits, Relaxed);
        self.failures.inner().store(counters.failures, Relaxed);
        let busy = Duration::from_micros(counters.busy_micros).as_secs_f64();
        self.busy.inner().store(busy.to_bits(), Relaxed);
    }

    /// Whether it is time to ask the store again; who is told so asks.
    pub fn are_due(&self, uptime: Duration, fresh: Duration) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = asked.is_none_or(|at| uptime.saturating_sub(at) >= fresh);
        if is_due {
            *asked = Some(uptime);
        }
        is_due
    }

    /// Whether the store could be read.
    pub fn store_is_up(&self, is_up: bool) {
        self.store_up.set(i64::from(is_up));
    }

    /// Who has not confirmed what, all of it: `client_id`, how far, how many.
    pub fn unconfirmed<'a>(&self, lines: impl Iterator<Item = (&'a str, &'static str, u64)>) {
        self.unconfirmed.clear();
        for (client_id, status, count) in lines {
            let labels = ByApp { client_id: client_id.to_owned(), status };
            self.unconfirmed.get_or_create(&labels).inc_by(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// How long the oldest post to a back end has waited, and the oldest end at an issuer;
    /// `None` where nothing waits.
    pub fn waiting(&self, post: Option<Duration>, end: Option<Duration>) {
        self.outbox_oldest.set(post.unwrap_or_default().as_secs_f64());
        self.issuer_ends_oldest.set(end.unwrap_or_default().as_secs_f64());
    }

    /// How a listener does: how many connections it has turned away since it began, and when its
    /// certificate expires, where it has one.
    pub fn listener(&self, name: &'static str, turned_away: u64, valid_until: Option<UnixSeconds>) {
        let labels = ByListener { listener: name };
        self.turned_away.get_or_create(&labels).inner().store(turned_away, Relaxed);
        if let Some(until) = valid_until {
            self.certificate_until.get_or_create(&labels).set(until.0);
        }
    }

    /// How issuers' keys are: the age of each issuer's, where it has any; and how many
    /// fetches there were, good and bad.
    pub fn keys(&self, ages: &[Option<Duration>], fetched: u64, failed: u64) {
        let oldest = ages.iter().flatten().max().copied().unwrap_or_default();
        self.keys_age.set(oldest.as_secs_f64());
        let without = ages.iter().filter(|age| age.is_none()).count();
        self.issuers_without_keys.set(i64::try_from(without).unwrap_or(i64::MAX));
        for (outcome, count) in [("ok", fetched), ("failed", failed)] {
            self.key_fetches.get_or_create(&ByOutcome { outcome }).inner().store(count, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Metrics;
    use super::*;

    #[test]
    fn the_stores_own_counts_are_shown_as_they_stand() {
        let metrics = Metrics::new();
        for done in [1, 2] {
            metrics.readings().writer(WriterCounters {
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

    #[test]
    fn an_app_that_has_confirmed_all_is_no_longer_shown() {
        let metrics = Metrics::new();
        metrics.readings().unconfirmed([("notes", "pending", 2), ("shop", "failed", 1)].into_iter());
        metrics.readings().unconfirmed(std::iter::once(("shop", "failed", 1)));
        let text = metrics.encode();
        assert!(text.contains("slo_hub_unconfirmed{client_id=\"shop\",status=\"failed\"} 1\n"), "{text}");
        assert!(!text.contains("client_id=\"notes\""), "{text}");
    }

    #[test]
    fn the_age_shown_is_that_of_the_oldest_keys() {
        let metrics = Metrics::new();
        metrics.readings().keys(&[Some(Duration::from_secs(5)), None, Some(Duration::from_secs(60))], 7, 2);
        let text = metrics.encode();
        for line in ["keys_age_seconds 60.0\n", "issuers_without_keys 1\n", "key_fetches_total{outcome=\"failed\"} 2\n"]
        {
            assert!(text.contains(&format!("slo_hub_{line}")), "{line}: {text}");
        }
    }
}
