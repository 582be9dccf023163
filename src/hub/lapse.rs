//! Which sessions are probably over although no logout says so: a browser was closed for
//! good, or the issuer let the session run out. They are in no list of active sessions.
//!
//! That is a guess about what to show, and no more. Nothing is recorded of it, and "sign
//! out everywhere else" ends these as well.

use std::time::Duration;

use crate::domain::clock::UnixMillis;
use crate::domain::session_life::{Timeouts, millis};
use crate::store::SessionRecord;

/// A session seen so short a while ago is not given up, whatever else is known: times are
/// written to the minute, and the issuer's list may lag behind a sign-in.
const GRACE: Duration = Duration::from_secs(2 * 60);

/// A session that was not seen for so long is taken to be over, where the issuer does not
/// say that it lasts.
const UNSEEN: Duration = Duration::from_secs(30 * 24 * 3600);

/// What the issuer says of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IssuerSays {
    /// It lasts.
    Lasts,
    /// It is not among those that last, and the list was read to its end.
    IsGone,
    /// There is no way to ask, or no answer.
    Nothing,
}

/// Whether a session that no app has open is probably over.
pub(super) fn has_lapsed(record: &SessionRecord, says: IssuerSays, timeouts: Timeouts, now: UnixMillis) -> bool {
    let is_past = |since: UnixMillis, span: Duration| now.0.saturating_sub(since.0) >= millis(span);
    let last_seen_at = record.last_seen_at.max(record.active_at);
    if !is_past(last_seen_at, GRACE) {
        return false;
    }
    // The hub ends what is due by itself: it goes first.
    let is_out =
        |since: UnixMillis, timeout: Option<Duration>| timeout.is_some_and(|most| is_past(since, most + GRACE));
    match says {
        IssuerSays::Lasts => false,
        IssuerSays::IsGone => true,
        IssuerSays::Nothing => {
            is_past(last_seen_at, UNSEEN)
                || is_out(record.active_at, timeouts.idle)
                || is_out(record.started_at.into(), timeouts.absolute)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::UnixSeconds;
    use crate::domain::ids::{Issuer, SessionId, SessionKey, Sid, Subject};

    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

    /// A session with these ages, in seconds.
    fn session(started: i64, active: i64, seen: i64) -> SessionRecord {
        let ago = |seconds: i64| UnixMillis::from(NOW.plus(-seconds));
        SessionRecord {
            id: SessionId::new(7),
            key: SessionKey { issuer: Issuer::parse("https://op.example/").unwrap(), sid: Sid::parse("a").unwrap() },
            sub: Subject::parse("ada").unwrap(),
            apps: Vec::new(),
            started_at: NOW.plus(-started),
            first_seen_at: ago(started),
            last_seen_at: ago(seen),
            active_at: ago(active),
            user_agent: None,
            address: None,
            ended_by: None,
        }
    }

    fn lapsed(session: &SessionRecord, says: IssuerSays, timeouts: Timeouts) -> bool {
        has_lapsed(session, says, timeouts, NOW.into())
    }

    #[test]
    fn the_issuers_word_counts_unless_the_session_was_seen_just_now() {
        let never = Timeouts::default();
        for (seen, is_given_up) in [(0, false), (2 * MINUTE - 1, false), (2 * MINUTE, true), (DAY, true)] {
            let session = session(seen + HOUR, seen, seen);
            assert_eq!(lapsed(&session, IssuerSays::IsGone, never), is_given_up, "{seen}");
            assert!(!lapsed(&session, IssuerSays::Nothing, never), "{seen}");
        }
        let old = session(300 * DAY, 200 * DAY, 200 * DAY);
        let strict = Timeouts { idle: Some(Duration::from_secs(900)), absolute: Some(Duration::from_secs(3600)) };
        assert!(!lapsed(&old, IssuerSays::Lasts, strict), "whoever holds that browser may sign in by it");
    }

    #[test]
    fn without_it_a_session_is_given_up_after_thirty_days_unseen() {
        let never = Timeouts::default();
        assert!(!lapsed(&session(99 * DAY, 30 * DAY - 1, 30 * DAY - 1), IssuerSays::Nothing, never));
        assert!(lapsed(&session(99 * DAY, 30 * DAY, 30 * DAY), IssuerSays::Nothing, never));
        assert!(!lapsed(&session(99 * DAY, 40 * DAY, 5 * DAY), IssuerSays::Nothing, never), "it was used since");
    }

    #[test]
    fn without_it_a_session_beyond_a_time_out_is_given_up_once_the_hub_had_time_to_end_it() {
        let idle = Timeouts { idle: Some(Duration::from_secs(900)), absolute: None };
        assert!(!lapsed(&session(DAY, 1019, 300), IssuerSays::Nothing, idle));
        assert!(lapsed(&session(DAY, 1020, 300), IssuerSays::Nothing, idle), "apps that ask are no activity");
        let absolute = Timeouts { idle: None, absolute: Some(Duration::from_secs(8 * 3600)) };
        assert!(!lapsed(&session(8 * HOUR + 119, 300, 300), IssuerSays::Nothing, absolute));
        assert!(lapsed(&session(8 * HOUR + 120, 300, 300), IssuerSays::Nothing, absolute));
    }

    #[test]
    fn a_clock_that_was_set_back_gives_nobody_up() {
        assert!(!lapsed(&session(-DAY, -DAY, -DAY), IssuerSays::IsGone, Timeouts::default()));
    }
}
