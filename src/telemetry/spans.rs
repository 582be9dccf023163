//! What a trace is made of. A span is made by `span!` or `step!` and no other way: only
//! what has their target is exported, and of that only [`ATTRIBUTES`].
//!
//! Where no traces are asked for, a span costs the reading of a flag: nothing is allocated,
//! no field is looked at.
//!
//! A span that outlives its parent is its child by [`Origin`], not by `tracing`'s own
//! nesting: a parent ends there with the last of its children.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{SpanContext, TraceContextExt as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::domain::ids::LogoutId;

/// The target of every span that may leave the hub. Logs never show it.
pub const TARGET: &str = "slo_hub::traces";

/// Every attribute that may leave the hub; docs/traces.md says what each one means. No
/// token, `sid`, `sub` or address of a person is among them, and none that may hold one.
pub const ATTRIBUTES: &[&str] = &[
    "error.type",
    "http.request.method",
    "http.request.resend_count",
    "http.response.status_code",
    "http.route",
    "server.address",
    "slo_hub.app.client_id",
    "slo_hub.channels",
    "slo_hub.commands",
    "slo_hub.issuer",
    "slo_hub.logout.id",
    "slo_hub.logout.outcome",
    "slo_hub.logout.scope",
    "slo_hub.logout.source",
    "slo_hub.request.id",
];

/// A span that may begin a trace; with `root` it has no parent but one that it is given.
/// None where no traces are asked for.
macro_rules! span {
    (root, $($span:tt)*) => { $crate::telemetry::spans::span!(@ [parent: None,] $($span)*) };
    (@ [$($parent:tt)*] $name:expr $(, $($fields:tt)*)?) => {
        if $crate::telemetry::spans::is_on() {
            tracing::info_span!(
                target: $crate::telemetry::spans::TARGET,
                $($parent)*
                $name,
                error.type = tracing::field::Empty,
                otel.status_code = tracing::field::Empty
                $(, $($fields)*)?
            )
        } else {
            tracing::Span::none()
        }
    };
    ($($span:tt)*) => { $crate::telemetry::spans::span!(@ [] $($span)*) };
}
pub(crate) use span;

/// A span of a trace that is under way; none where there is no such trace.
macro_rules! step {
    ($($span:tt)*) => {
        if $crate::telemetry::spans::is_in_trace() {
            $crate::telemetry::spans::span!($($span)*)
        } else {
            tracing::Span::none()
        }
    };
}
pub(crate) use step;

static IS_ON: AtomicBool = AtomicBool::new(false);

/// From now on spans are made.
pub(super) fn switch_on() {
    IS_ON.store(true, Ordering::Relaxed);
}

/// Whether spans are made.
#[must_use]
pub fn is_on() -> bool {
    IS_ON.load(Ordering::Relaxed)
}

/// Whether what is being done now belongs to a trace.
#[must_use]
pub fn is_in_trace() -> bool {
    is_on() && !Span::current().is_none()
}

/// The span's work has failed. `code` is one of a fixed list, never a text of somebody else's.
pub fn failed(span: &Span, code: &'static str) {
    span.record("error.type", code);
    span.record("otel.status_code", "ERROR");
}

/// What was answered to what is being asked in the span of now.
pub fn answered(status: u16) {
    if is_in_trace() {
        Span::current().record("http.response.status_code", status);
    }
}

/// A place in a trace. Nothing where there is none.
#[derive(Clone, Debug, Default)]
pub struct Origin(Option<SpanContext>);

impl Origin {
    /// What is being done now.
    #[must_use]
    pub fn here() -> Self {
        if is_in_trace() { Self::of(&Span::current()) } else { Self(None) }
    }

    /// That span.
    #[must_use]
    pub fn of(span: &Span) -> Self {
        if span.is_none() { Self(None) } else { Self::valid(&span.context()) }
    }

    /// What a caller's `traceparent` names (W3C Trace Context). Its `tracestate` is not
    /// taken: it may hold anything, and would be passed on.
    #[must_use]
    pub fn from_traceparent(value: &str) -> Self {
        struct Only<'a>(&'a str);
        impl Extractor for Only<'_> {
            fn get(&self, key: &str) -> Option<&str> {
                (key == "traceparent").then_some(self.0)
            }
            fn keys(&self) -> Vec<&str> {
                vec!["traceparent"]
            }
        }
        // The reader below would take a part of one.
        if value.len() < TRACEPARENT_BYTES {
            return Self(None);
        }
        Self::valid(&TraceContextPropagator::new().extract_with_context(&Context::new(), &Only(value)))
    }

    fn valid(context: &Context) -> Self {
        let span = context.span();
        Self(Some(span.span_context()).filter(|it| it.is_valid()).cloned())
    }

    /// Whether there is one.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.0.is_some()
    }

    /// That span becomes a child of this place, which it may outlive. It must not have been
    /// entered yet.
    #[must_use]
    pub fn parent_of(&self, span: Span) -> Span {
        if let Some(parent) = &self.0 {
            // A span that is disabled has no parent, and needs none.
            span.set_parent(Context::new().with_remote_span_context(parent.clone())).ok();
        }
        span
    }

    /// That span, of another trace, came of this place too.
    pub fn link_to(&self, span: &Span) {
        if let Some(other) = &self.0 {
            span.add_link(other.clone());
        }
    }
}

/// How long a `traceparent` is at least: that is what version 00 has.
const TRACEPARENT_BYTES: usize = 55;
/// How many logouts' places are kept at most.
const KEPT: usize = 4096;

#[derive(Default)]
struct Places {
    of: HashMap<LogoutId, SpanContext>,
    in_order: VecDeque<LogoutId>,
}

static PLACES: Mutex<Option<Places>> = Mutex::new(None);

/// Keeps where a logout was recorded, for what is done for it later in this process. The
/// oldest goes where there are too many.
pub fn keep(logout: LogoutId, origin: &Origin) {
    let Some(place) = &origin.0 else { return };
    let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
    let Places { of, in_order } = places.get_or_insert_default();
    if of.insert(logout, place.clone()).is_none() {
        in_order.push_back(logout);
    }
    while in_order.len() > KEPT {
        if let Some(oldest) = in_order.pop_front() {
            of.remove(&oldest);
        }
    }
}

/// Where a logout was recorded. Nothing after a restart, on another node, or long after.
#[must_use]
pub fn kept(logout: LogoutId) -> Origin {
    if !is_on() {
        return Origin(None);
    }
    let places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
    Origin(places.as_ref().and_then(|places| places.of.get(&logout)).cloned())
}

/// That span, of work for a logout, in the logout's own trace where that is known. What is
/// tried again, maybe hours later, is in a trace of its own that names the first.
#[must_use]
pub fn of_logout(span: Span, logout: LogoutId, tried: u32) -> Span {
    let origin = kept(logout);
    if tried == 0 {
        return origin.parent_of(span);
    }
    origin.link_to(&span);
    span
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_one_place_or_none() {
        let whole = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let Origin(Some(place)) = Origin::from_traceparent(whole) else { panic!("it is whole") };
        assert_eq!(place.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(place.is_sampled() && place.is_remote());
        let zeros = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
        for text in ["", "rubbish", zeros, &whole[..54], "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"] {
            assert!(!Origin::from_traceparent(text).is_known(), "{text}");
        }
    }

    #[test]
    fn no_attribute_is_named_after_who_is_signed_in() {
        for name in ATTRIBUTES {
            let words: Vec<&str> = name.split(['.', '_']).collect();
            let secret = ["sid", "sub", "token", "state", "email", "ip", "url", "query", "path"];
            assert!(secret.iter().all(|word| !words.contains(word)), "{name}");
        }
    }
}
