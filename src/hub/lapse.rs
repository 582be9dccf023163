//! Which sessions are probably over although no logout says so: a browser was closed for
//! good, or the issuer let the session run out. They are in no list of active sessions.
//!
//! That is a guess about what to show, and no more. Nothing is recorded of it, and "sign
//! out everywhere else" ends these as well.

use std::time::Duration;

use super::my_sessions::Standing;
use crate::domain::clock::UnixMillis;
use crate::domain::session_life::{Timeouts, millis};
use crate::store::SessionRecord;

/// A session seen so short a while ago is not given up, whatever else is known: times are
/// written to the minute, and the issuer's list may lag behind a sign-in.
const GRACE: Duration = Duration::from_secs(2 * 60);

/// A session that was not seen for so long is taken to be over, where the issuer does not
/// say that it lasts.
const UNSEEN: Duration = Duration::from_secs(30 * 24 * 3600);

/// A session that has ended at its issuer is taken to be over after so long unseen. Its
/// apps do not end by that: one that was rendered on a server a while ago may go on, and
/// the person wants its button.
const UNSEEN_SINCE_GONE: Duration = Duration::from_secs(3 * 24 * 3600);

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

/// How a session stands that is not the one that asks. One that an app has open is not
/// given up.
pub(super) fn standing(
    record: &SessionRecord,
    says: IssuerSays,
    is_open: bool,
    timeouts: Timeouts,
    now: UnixMillis,
) -> Standing {
    if !is_open && has_lapsed(record, says, timeouts, now) {
        Standing::Lapsed
    } else if says == IssuerSays::IsGone && is_past(record.last_seen(), GRACE, now) {
        Standing::EndedAtIssuer
    } else {
        Standing::Lasts
    }
}

fn has_lapsed(record: &SessionRecord, says: IssuerSays, timeouts: Timeouts, now: UnixMillis) -> bool {
    let last_seen_at = record.last_seen();
    // The hub ends what is due by itself: it goes first.
    let is_out =
        |since: UnixMillis, timeout: Option<Duration>| timeout.is_some_and(|most| is_past(since, most + GRACE, now));
    let unseen = match says {
        IssuerSays::Lasts => return false,
        IssuerSays::IsGone => UNSEEN_SINCE_GONE,
        IssuerSays::Nothing => UNSEEN,
    };
    let is_due = is_out(record.active_at, timeouts.idle) || is_out(record.started_at.into(), timeouts.absolute);
    is_past(last_seen_at, unseen, now) || (is_past(last_seen_at, GRACE, now) && is_due)
}

fn is_past(since: UnixMillis, span: Duration, now: UnixMillis) -> bool {
    now.0.saturating_sub(since.0) >= millis(span)
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
    fn a_session_that_has_ended_at_the_issuer_is_given_up_after_three_days_unseen() {
        let never = Timeouts::default();
        for (seen, is_given_up) in [(2 * MINUTE, false), (DAY, false), (3 * DAY - 1, false), (3 * DAY, true)] {
            let session = session(seen + HOUR, seen, seen);
            assert_eq!(lapsed(&session, IssuerSays::IsGone, never), is_given_up, "{seen}");
            assert!(!lapsed(&session, IssuerSays::Nothing, never), "{seen}");
        }
        assert!(!lapsed(&session(9 * DAY, 9 * DAY, DAY), IssuerSays::IsGone, never), "an app has asked since");
        let old = session(300 * DAY, 200 * DAY, 200 * DAY);
        let strict = Timeouts { idle: Some(Duration::from_secs(900)), absolute: Some(Duration::from_secs(3600)) };
        assert!(!lapsed(&old, IssuerSays::Lasts, strict), "whoever holds that browser may sign in by it");
    }

    #[test]
    fn that_it_has_ended_there_counts_unless_it_was_seen_just_now() {
        use Standing::{EndedAtIssuer, Lapsed, Lasts};
        for (seen, closed, open) in [
            (-MINUTE, Lasts, Lasts),
            (2 * MINUTE - 1, Lasts, Lasts),
            (2 * MINUTE, EndedAtIssuer, EndedAtIssuer),
            (3 * DAY, Lapsed, EndedAtIssuer),
        ] {
            let session = session(9 * DAY, seen, seen);
            let says = |says, is_open| standing(&session, says, is_open, Timeouts::default(), NOW.into());
            let gone = [false, true].map(|is_open| says(IssuerSays::IsGone, is_open));
            assert_eq!(gone, [closed, open], "{seen}");
            assert_eq!([says(IssuerSays::Nothing, false), says(IssuerSays::Lasts, false)], [Lasts, Lasts], "{seen}");
        }
    }

    #[test]
    fn without_it_a_session_is_given_up_after_thirty_days_unseen() {
        let never = Timeouts::default();
        assert!(!lapsed(&session(99 * DAY, 30 * DAY - 1, 30 * DAY - 1), IssuerSays::Nothing, never));
        assert!(lapsed(&session(99 * DAY, 30 * DAY, 30 * DAY), IssuerSays::Nothing, never));
        assert!(!lapsed(&session(99 * DAY, 40 * DAY, 5 * DAY), IssuerSays::Nothing, never), "it was used since");
    }

    #[test]
    fn a_session_beyond_a_time_out_is_given_up_once_the_hub_had_time_to_end_it() {
        let idle = Timeouts { idle: Some(Duration::from_secs(900)), absolute: None };
        let absolute = Timeouts { idle: None, absolute: Some(Duration::from_secs(8 * 3600)) };
        for says in [IssuerSays::Nothing, IssuerSays::IsGone] {
            assert!(!lapsed(&session(DAY, 1019, 300), says, idle), "{says:?}");
            assert!(lapsed(&session(DAY, 1020, 300), says, idle), "apps that ask are no activity: {says:?}");
            assert!(!lapsed(&session(DAY, 1020, 119), says, idle), "one has asked just now: {says:?}");
            assert!(!lapsed(&session(8 * HOUR + 119, 300, 300), says, absolute), "{says:?}");
            assert!(lapsed(&session(8 * HOUR + 120, 300, 300), says, absolute), "{says:?}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_gives_nobody_up() {
        assert!(!lapsed(&session(-DAY, -DAY, -DAY), IssuerSays::IsGone, Timeouts::default()));
    }
}
