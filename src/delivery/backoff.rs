//! When to try again.

use std::time::Duration;

use crate::domain::clock::UnixMillis;

/// The longest wait before the second attempt, in milliseconds. It doubles each time.
const FIRST_MS: i64 = 1_000;
/// What it grows to: a quarter of an hour.
const CEILING_MS: i64 = 15 * 60 * 1_000;
/// The longest that a back end may ask to be left alone: an hour.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);
/// How long before a token's end it is tried once more at the latest.
const LAST_CALL_MS: i64 = 10_000;

/// When to try again after attempt `number` (from 1) has failed now. `chance`, from 0
/// up to 1, spreads the waits over their whole range, so that what failed together does
/// not come back together.
///
/// What would only come after the end comes shortly before it instead, whatever
/// the app has asked for: too early is better than never.
pub(super) fn next_try(
    number: u32,
    retry_after: Option<Duration>,
    chance: f64,
    now: UnixMillis,
    good_until: UnixMillis,
) -> UnixMillis {
    let ceiling = FIRST_MS.saturating_mul(1 << (number.saturating_sub(1)).min(20)).min(CEILING_MS);
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "at most a quarter of an hour")]
    let jitter = (ceiling as f64 * chance.clamp(0.0, 1.0)) as i64;
    let asked = retry_after.unwrap_or_default().min(RETRY_AFTER_MAX);
    let due = now.0 + jitter + i64::try_from(asked.as_millis()).unwrap_or(0);
    if due < good_until.0 {
        return UnixMillis(due);
    }
    let last_call = good_until.0 - LAST_CALL_MS;
    UnixMillis(if last_call > now.0 { last_call } else { good_until.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(784_111_777_000);
    const FAR: UnixMillis = UnixMillis(NOW.0 + 24 * 3600 * 1000);

    fn waits(number: u32, asked: Option<u64>, chance: f64) -> i64 {
        next_try(number, asked.map(Duration::from_secs), chance, NOW, FAR).0 - NOW.0
    }

    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour_and_are_spread_over_their_whole_range() {
        let longest: Vec<_> = (1..=12).map(|number| waits(number, None, 1.0) / 1000).collect();
        assert_eq!(longest, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        assert_eq!(waits(u32::MAX, None, 1.0), 900_000);
        assert_eq!(waits(4, None, 0.5), 4_000);
        assert_eq!(waits(4, None, 0.0), 0);
    }

    #[test]
    fn an_app_that_asks_for_time_gets_it_and_the_jitter_on_top_but_not_more_than_an_hour() {
        assert_eq!(waits(1, Some(30), 0.0), 30_000);
        assert_eq!(waits(1, Some(30), 0.5), 30_500);
        assert_eq!(waits(1, Some(86_400), 0.0), 3_600_000);
        assert_eq!(waits(1, Some(u64::MAX), 0.0), 3_600_000);
    }

    #[test]
    fn the_last_attempt_comes_shortly_before_the_end_and_none_comes_after() {
        let end = |seconds: i64| UnixMillis(NOW.0 + seconds * 1000);
        let next = |until| next_try(1, Some(Duration::from_secs(120)), 0.0, NOW, until);
        assert_eq!(next(end(121)), end(120));
        assert_eq!(next(end(120)), end(110));
        assert_eq!(next(end(60)), end(50));
        assert_eq!(next(end(10)), end(10), "there is no time left: it is given up then");
        assert_eq!(next(end(-5)), end(-5));
    }
}
