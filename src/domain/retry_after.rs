//! A server's wish to be left alone for a while.

use std::time::{Duration, UNIX_EPOCH};

use super::clock::UnixMillis;

/// What a `Retry-After` says (RFC 9110, section 10.2.3): seconds, or a date. `None` for
/// what is neither.
#[must_use]
pub fn retry_after(value: &str, now: UnixMillis) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number has are a long time all the same.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let now = Duration::from_millis(u64::try_from(now.0).unwrap_or(0));
    Some(date.duration_since(UNIX_EPOCH + now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(784_111_777_000);

    #[test]
    fn retry_after_is_seconds_or_a_date_in_any_of_its_three_spellings() {
        let seconds = |value: &str| retry_after(value, NOW).map(|wait| wait.as_secs());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds(" 0 "), Some(0));
        assert_eq!(seconds("99999999999999999999999"), Some(u64::MAX));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
        assert_eq!(seconds("Sunday, 06-Nov-94 08:50:37 GMT"), Some(60));
        assert_eq!(seconds("Sun Nov  6 08:50:37 1994"), Some(60));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0), "past");
        for neither in ["", "-1", "1.5", "soon", "120s", "\u{661}"] {
            assert_eq!(seconds(neither), None, "{neither}");
        }
    }
}
