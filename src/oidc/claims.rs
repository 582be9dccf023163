//! A strict reader for claims, and the rules that ID tokens and logout tokens share.
//!
//! A claim of a wrong JSON type is a fault, not an absence. `null` is a wrong type:
//! read into an `Option` it would look as if the claim were not there.

use serde_json::{Map, Value};

use super::fault::TokenFault;
use crate::domain::clock::UnixSeconds;
use crate::domain::ids::{Sid, Subject};

/// The moment a token is judged at, by a clock that may differ from its issuer's.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    /// The hub's time.
    pub(super) now: UnixSeconds,
    /// How far the clocks may be apart, in seconds.
    pub(super) skew: i64,
}

impl Moment {
    /// Whether that time has surely not come yet, on any clock.
    pub(super) fn is_before(self, time: UnixSeconds) -> bool {
        time > self.now.plus(self.skew)
    }

    /// Whether that time is surely over, on every clock. A token is good up to its
    /// `exp`, and not at it (RFC 7519, section 4.1.4).
    pub(super) fn is_after(self, time: UnixSeconds) -> bool {
        time.plus(self.skew) <= self.now
    }
}

/// Claims, each read with the type it must have.
#[derive(Clone, Copy)]
pub(super) struct Claims<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Claims<'a> {
    /// Whether there is such a claim, of whatever value.
    pub(super) fn has(self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The claim as it stands.
    pub(super) fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name)
    }

    /// A claim that is a text.
    pub(super) fn text(self, name: &str) -> Result<Option<&'a str>, TokenFault> {
        self.0.get(name).map(|value| value.as_str().ok_or(TokenFault::ClaimType)).transpose()
    }

    /// A claim that is a time: a number, of which the whole seconds count.
    pub(super) fn time(self, name: &str) -> Result<Option<UnixSeconds>, TokenFault> {
        self.0.get(name).map(|value| numeric_date(value).ok_or(TokenFault::ClaimType)).transpose()
    }

    /// `iss`, a text.
    pub(super) fn issuer(self) -> Result<&'a str, TokenFault> {
        self.text("iss")?.ok_or(TokenFault::IssMissing)
    }

    /// `aud`, a text or a non-empty array of texts.
    pub(super) fn audiences(self) -> Result<Vec<&'a str>, TokenFault> {
        match self.0.get("aud") {
            None => Err(TokenFault::AudMissing),
            Some(Value::String(one)) => Ok(vec![one]),
            Some(Value::Array(list)) if list.is_empty() => Err(TokenFault::AudMissing),
            Some(Value::Array(list)) => list.iter().map(|one| one.as_str().ok_or(TokenFault::ClaimType)).collect(),
            Some(_) => Err(TokenFault::ClaimType),
        }
    }

    /// `iat`, which must not lie in the future.
    pub(super) fn issued_at(self, at: Moment) -> Result<UnixSeconds, TokenFault> {
        let iat = self.time("iat")?.ok_or(TokenFault::IatMissing)?;
        if at.is_before(iat) { Err(TokenFault::IatFuture) } else { Ok(iat) }
    }

    /// `nbf`, where present, must not lie in the future.
    pub(super) fn is_valid_already(self, at: Moment) -> Result<(), TokenFault> {
        match self.time("nbf")? {
            Some(nbf) if at.is_before(nbf) => Err(TokenFault::NbfFuture),
            _ => Ok(()),
        }
    }

    /// `sid`, where present.
    pub(super) fn session(self) -> Result<Option<Sid>, TokenFault> {
        self.text("sid")?.map(|sid| Sid::parse(sid).map_err(|_| TokenFault::SidInvalid)).transpose()
    }

    /// `sub`, where present.
    pub(super) fn subject(self) -> Result<Option<Subject>, TokenFault> {
        self.text("sub")?.map(|sub| Subject::parse(sub).map_err(|_| TokenFault::SubInvalid)).transpose()
    }
}

/// Seconds since 1970, whole or with a fraction (RFC 7519, section 2).
fn numeric_date(value: &Value) -> Option<UnixSeconds> {
    let number = value.as_number()?;
    if let Some(seconds) = number.as_i64() {
        return Some(UnixSeconds(seconds));
    }
    if number.is_u64() {
        return Some(UnixSeconds(i64::MAX));
    }
    let seconds = number.as_f64()?.floor();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float beyond i64 becomes the nearest i64, which is as far off"
    )]
    Some(UnixSeconds(seconds as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_time_is_a_number_whole_or_not() {
        let read = |value: Value| numeric_date(&value).map(|at| at.0);
        assert_eq!(read(json!(1_700_000_000)), Some(1_700_000_000));
        assert_eq!(read(json!(1_700_000_000.9)), Some(1_700_000_000));
        assert_eq!(read(json!(1.7e9)), Some(1_700_000_000));
        assert_eq!(read(json!(-1.5)), Some(-2));
        assert_eq!(read(json!(u64::MAX)), Some(i64::MAX));
        assert_eq!(read(json!(1e300)), Some(i64::MAX));
        for bad in [json!("1700000000"), json!(null), json!(true), json!([1]), json!({})] {
            assert_eq!(read(bad), None);
        }
    }

    #[test]
    fn clocks_may_be_apart_by_the_skew_and_no_more() {
        let at = Moment { now: UnixSeconds(1000), skew: 60 };
        assert!(!at.is_before(UnixSeconds(1060)) && at.is_before(UnixSeconds(1061)));
        assert!(!at.is_after(UnixSeconds(941)) && at.is_after(UnixSeconds(940)));
        assert!(at.is_before(UnixSeconds(i64::MAX)) && at.is_after(UnixSeconds(i64::MIN)));
    }
}
