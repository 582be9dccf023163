//! Logs: text on a terminal, JSON lines otherwise. No token, no `sid`, no `sub`. And traces,
//! where they are asked for: of those even less.

mod export;
pub mod spans;
pub mod traces;

use std::fmt::Write as _;
use std::io::{IsTerminal, stderr};

use aws_lc_rs::hmac;
use tracing::Subscriber;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, registry};

pub use export::Export;
use traces::Traces;

/// The variable that says how much is logged, in `tracing`'s own notation.
pub const LOG_VARIABLE: &str = "SLO_HUB_LOG";

/// Begins to log to standard error. `SLO_HUB_LOG`, or `RUST_LOG`, says how much; `info`
/// unless one does. Spans are made where there are `traces`; the log shows none.
pub fn start(traces: Option<&Traces>) {
    let wanted = std::env::var(LOG_VARIABLE).or_else(|_| std::env::var("RUST_LOG"));
    let filter = wanted.ok().and_then(|text| EnvFilter::try_new(text).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new("info"));
    // Whoever set a logger before, an embedding program say, keeps it.
    let started = match traces {
        None => registry().with(filter).with(log()).try_init(),
        Some(traces) => {
            let spans = tracing_opentelemetry::layer()
                .with_tracer(traces.tracer.clone())
                .with_location(false)
                .with_threads(false)
                .with_target(false)
                .with_tracked_inactivity(false)
                .with_context_activation(false)
                .with_filter(filter_fn(|it| it.is_span() && it.target() == spans::TARGET));
            let log = log().with_filter(filter.and(filter_fn(|it| it.target() != spans::TARGET)));
            registry().with(log).with(spans).try_init().inspect(|()| spans::switch_on())
        }
    };
    drop(started);
}

/// A line that cannot be written, because the log's disk is full too, is lost in silence:
/// complaining about it would panic in the middle of a request.
fn log<S>() -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let logs = tracing_subscriber::fmt::layer().with_writer(stderr).log_internal_errors(false);
    if stderr().is_terminal() {
        logs.compact().boxed()
    } else {
        logs.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
    }
}

tokio::task_local! {
    /// What the request is called that is being answered.
    static REQUEST: String;
}

/// Answers a request of that name: whatever is written down meanwhile can say which it was.
pub async fn in_request<T>(id: String, answering: impl Future<Output = T>) -> T {
    REQUEST.scope(id, answering).await
}

/// Goes on with this request's work in another task.
pub fn within_request<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    let id = request();
    async move { if let Some(id) = id { in_request(id, work).await } else { work.await } }
}

/// What the request is called that is being answered, where one is.
#[must_use]
pub fn request() -> Option<String> {
    REQUEST.try_with(Clone::clone).ok()
}

/// Names a session or a person in logs without showing them: lines about the same one
/// carry the same hash, and nobody without the key can tell whose it is.
pub struct LogHash(hmac::Key);

impl LogHash {
    /// Takes the hub's own key for this.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &key))
    }

    /// The hash of a name in parts, such as an issuer and a `sid`: 16 hex digits.
    #[must_use]
    pub fn of(&self, parts: &[&str]) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&part.len().to_be_bytes());
            context.update(part.as_bytes());
        }
        let tag = context.sign();
        let first = tag.as_ref().iter().take(8);
        first.fold(String::with_capacity(16), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_the_same_for_the_same_name_and_key_only() {
        let hash = LogHash::new([1; 32]);
        assert_eq!(hash.of(&["https://a/", "sid"]), hash.of(&["https://a/", "sid"]));
        assert_ne!(hash.of(&["https://a/", "sid"]), hash.of(&["https://a/s", "id"]));
        assert_ne!(hash.of(&["https://a/", "sid"]), LogHash::new([2; 32]).of(&["https://a/", "sid"]));
        assert_eq!(hash.of(&["x"]).len(), 16);
    }
}
