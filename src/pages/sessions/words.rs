//! Times, counts and choices, in words for people and for addresses.

use chrono::{DateTime, Utc};

use crate::domain::clock::UnixMillis;
use crate::hub::event::rfc3339;
use crate::hub::my_sessions::{Reach, Which};
use crate::web::params::Params;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A moment, for people and for machines.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) words: String,
    /// In full, with the zone.
    pub(super) exact: String,
    pub(super) datetime: String,
}

impl Moment {
    /// How long ago it was.
    pub(super) fn ago(at: UnixMillis, now: UnixMillis) -> Self {
        let seconds = (now.0 - at.0).div_euclid(1000).max(0);
        let words = match seconds {
            0..120 => "a minute ago".to_owned(),
            120..HOUR => format!("{} minutes ago", seconds / MINUTE),
            HOUR..7200 => "an hour ago".to_owned(),
            7200..DAY => format!("{} hours ago", seconds / HOUR),
            DAY..172_800 => "yesterday".to_owned(),
            172_800..2_592_000 => format!("{} days ago", seconds / DAY),
            _ => format!("on {}", day(at)),
        };
        Self { words, exact: exact(at), datetime: rfc3339(at) }
    }

    /// Which day it was.
    pub(super) fn on_day(at: UnixMillis) -> Self {
        Self { words: day(at), exact: exact(at), datetime: rfc3339(at) }
    }
}

fn utc(at: UnixMillis) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.0).unwrap_or_default()
}

fn day(at: UnixMillis) -> String {
    utc(at).format("%-d %B %Y").to_string()
}

fn exact(at: UnixMillis) -> String {
    utc(at).format("%-d %B %Y, %H:%M UTC").to_string()
}

/// All that would end.
pub(super) fn reach(reach: Reach) -> String {
    match reach {
        Reach { lapsed: 0, .. } => alive(reach),
        Reach { sessions: 0, .. } => lapsed(reach.lapsed),
        _ => format!("{}, and {}", alive(reach), lapsed(reach.lapsed)),
    }
}

/// "3 sessions on 2 devices, 5 apps".
pub(super) fn alive(reach: Reach) -> String {
    let Reach { sessions, devices, apps, .. } = reach;
    format!("{} on {}, {}", counted(sessions, "session"), counted(devices, "device"), counted(apps, "app"))
}

/// "4 earlier sessions that are probably over".
pub(super) fn lapsed(number: usize) -> String {
    let are = if number == 1 { "is" } else { "are" };
    format!("{} that {are} probably over", counted(number, "earlier session"))
}

/// "1 session", "2 sessions".
pub(super) fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// What a request names: one session, or all others.
pub(super) fn which(params: &mut Params) -> Option<Which> {
    match (params.take("session"), params.take("others")) {
        (Some(id), None) => Some(Which::One(id)),
        (None, Some(_)) => Some(Which::Others),
        _ => None,
    }
}

/// The same as a query.
pub(super) fn query(which: &Which) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    match which {
        Which::One(id) => query.append_pair("session", id),
        Which::Others => query.append_pair("others", "1"),
    };
    query.finish()
}

/// What the token of a form that ends it is sealed for.
pub(super) fn sealed_text(which: &Which) -> String {
    query(which)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_while_ago_is_said_as_people_say_it() {
        let now = UnixMillis(1_800_000_000_000);
        let said = |seconds: i64| Moment::ago(now.plus_seconds(-seconds), now).words;
        for (seconds, words) in [
            (-30, "a minute ago"),
            (119, "a minute ago"),
            (120, "2 minutes ago"),
            (3599, "59 minutes ago"),
            (3600, "an hour ago"),
            (7200, "2 hours ago"),
            (86_399, "23 hours ago"),
            (86_400, "yesterday"),
            (172_800, "2 days ago"),
            (30 * 86_400, "on 16 December 2026"),
        ] {
            assert_eq!(said(seconds), words, "{seconds}");
        }
        assert_eq!(Moment::on_day(now).exact, "15 January 2027, 08:00 UTC");
        assert_eq!(Moment::on_day(now).datetime, "2027-01-15T08:00:00.000Z");
    }

    #[test]
    fn what_would_end_is_counted_in_words() {
        let said = |sessions, devices, apps, lapsed| reach(Reach { sessions, devices, apps, lapsed });
        assert_eq!(said(3, 2, 5, 0), "3 sessions on 2 devices, 5 apps");
        assert_eq!(said(1, 1, 1, 0), "1 session on 1 device, 1 app");
        assert_eq!(said(1, 1, 2, 4), "1 session on 1 device, 2 apps, and 4 earlier sessions that are probably over");
        assert_eq!(said(0, 0, 0, 1), "1 earlier session that is probably over");
    }

    #[test]
    fn a_request_names_one_session_or_all_others_and_never_both() {
        let read = |text: &str| which(&mut Params::parse(text).unwrap());
        assert_eq!(read("session=a%2Fb"), Some(Which::One("a/b".into())));
        assert_eq!(read("others=1"), Some(Which::Others));
        assert_eq!((read(""), read("session=a&others=1")), (None, None));
        assert_eq!(read(&query(&Which::One("a/b&c".into()))), Some(Which::One("a/b&c".into())));
    }
}
