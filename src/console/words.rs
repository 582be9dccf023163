//! Times, counts and states, in words for operators.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::clock::UnixMillis;
use crate::domain::logout::{Scope, Source};
use crate::domain::via::Via;
use crate::hub::event::rfc3339;
use crate::store::DeliveryStatus;

/// A moment, for people and for machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) words: String,
    /// In full, with the zone.
    pub(super) exact: String,
    pub(super) datetime: String,
}

impl Moment {
    /// How long ago it was, or how soon it will be.
    pub(super) fn of(at: UnixMillis, now: UnixMillis) -> Self {
        let apart = Duration::from_millis(at.0.abs_diff(now.0));
        let words = match (span(apart), at > now) {
            _ if apart < Duration::from_secs(2) => "just now".to_owned(),
            (span, false) => format!("{span} ago"),
            (span, true) => format!("in {span}"),
        };
        Self { words, exact: exact(at), datetime: rfc3339(at) }
    }

    /// When something is to be done: what is due is due now, however long it has been.
    pub(super) fn due(at: UnixMillis, now: UnixMillis) -> Self {
        let is_due = at <= now.plus_seconds(1);
        Self { words: if is_due { "now".to_owned() } else { Self::of(at, now).words }, ..Self::of(at, now) }
    }
}

/// "14:02:31 UTC".
pub(super) fn clock(at: UnixMillis) -> String {
    utc(at).format("%H:%M:%S UTC").to_string()
}

/// "31 January 2026, 14:02:31 UTC".
pub(super) fn exact(at: UnixMillis) -> String {
    utc(at).format("%-d %B %Y, %H:%M:%S UTC").to_string()
}

fn utc(at: UnixMillis) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.0).unwrap_or_default()
}

/// "3 min", in the largest unit of which there are at least two; below that in seconds.
pub(super) fn span(of: Duration) -> String {
    match of.as_secs() {
        0..1 => format!("{} ms", of.as_millis()),
        1..120 => format!("{} s", of.as_secs()),
        120..7_200 => format!("{} min", of.as_secs() / 60),
        7_200..172_800 => format!("{} h", of.as_secs() / 3_600),
        _ => format!("{} days", of.as_secs() / 86_400),
    }
}

/// "1 session", "2 sessions", "2 deliveries".
pub(super) fn counted(number: u64, noun: &str) -> String {
    let words = match (number, noun.strip_suffix('y')) {
        (1, _) => noun.to_owned(),
        (_, Some(stem)) => format!("{stem}ies"),
        (_, None) => format!("{noun}s"),
    };
    format!("{} {words}", grouped(number))
}

/// "12,345".
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What a logout ends.
pub(super) fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Session => "One session",
        Scope::User => "All of a person’s sessions",
    }
}

/// Who said so.
pub(super) fn source(source: Source) -> &'static str {
    match source {
        Source::App => "An app",
        Source::Backchannel => "The issuer",
        Source::Redirect => "The person, at the logout page",
        Source::SessionApi => "The person, from their sessions",
        Source::Admin => "An administrator",
        Source::Idle => "The hub: nobody was active",
        Source::Absolute => "The hub: the session was too old",
        Source::Signal => "The issuer, by a security event",
    }
}

/// A way to an app.
pub(super) fn via(via: Via) -> &'static str {
    match via {
        Via::WebSocket => "WebSocket",
        Via::Sse => "Event stream",
        Via::Frontchannel => "Frame on the logout page",
        Via::Backchannel => "Post to its back end",
        Via::Chain => "Redirect",
    }
}

/// How far a delivery came.
pub(super) fn status(status: DeliveryStatus) -> &'static str {
    match status {
        DeliveryStatus::Pending => "not told yet",
        DeliveryStatus::Failed => "told in vain",
        DeliveryStatus::Delivered => "told, no answer",
        DeliveryStatus::Acknowledged => "confirmed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_a_unit_that_people_count_in() {
        let now = UnixMillis(1_800_000_000_000);
        let at = |seconds: i64| Moment::of(now.plus_seconds(seconds), now).words;
        let told = [0, -1, -5, -119, -120, -7_199, -7_200, -172_800].map(at);
        assert_eq!(
            told,
            ["just now", "just now", "5 s ago", "119 s ago", "2 min ago", "119 min ago", "2 h ago", "2 days ago"]
        );
        assert_eq!([at(90), at(3_600)], ["in 90 s", "in 60 min"]);
        let due = |seconds: i64| Moment::due(now.plus_seconds(seconds), now).words;
        assert_eq!([due(-90), due(0), due(90)], ["now", "now", "in 90 s"]);
    }

    #[test]
    fn long_numbers_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([counted(1, "app"), counted(2, "app")], ["1 app", "2 apps"]);
        assert_eq!([counted(1, "delivery"), counted(0, "delivery")], ["1 delivery", "0 deliveries"]);
    }
}
