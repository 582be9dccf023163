//! What a back end's answer, or its silence, means. Reasons are fixed words: nothing
//! from outside reaches a receipt.

use crate::oidc::guard::{NoAddress, no_address};

/// What one attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The back end took the token, and so has ended its session.
    Taken,
    /// It will not take it, however often it is asked.
    Refused(&'static str),
    /// It may yet.
    Again(&'static str),
}

/// What the status of an answer means.
pub(super) fn of_status(status: u16) -> Verdict {
    match status {
        200 | 204 => Verdict::Taken,
        400 => Verdict::Refused("refused: the app answered 400"),
        401 => Verdict::Refused("refused: the app answered 401"),
        404 => Verdict::Refused("refused: the app answered 404"),
        410 => Verdict::Refused("refused: the app answered 410"),
        415 => Verdict::Refused("refused: the app answered 415"),
        300..=399 => Verdict::Again("the app answered with a redirect, which is not followed"),
        429 => Verdict::Again("the app answered 429: too many requests"),
        _ if status / 100 == 4 => Verdict::Again("the app answered with another 4xx than those that are final"),
        500..=599 => Verdict::Again("the app answered with a 5xx"),
        _ => Verdict::Again("the app answered with neither 200 nor 204"),
    }
}

/// What it means that there was no answer.
pub(super) fn of_failure(failure: &reqwest::Error) -> Verdict {
    Verdict::Again(match no_address(failure) {
        Some(NoAddress::None) => "the app's name has no address",
        Some(NoAddress::NotPublic) => "the app's name leads to a private address",
        None if failure.is_connect() => "the app cannot be connected to",
        None if failure.is_timeout() => "the app did not answer within 5 seconds",
        None => "the connection broke before the app answered",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_statuses_are_success_five_are_final_and_the_rest_is_tried_again() {
        for status in 100..=999 {
            match status {
                200 | 204 => assert_eq!(of_status(status), Verdict::Taken),
                400 | 401 | 404 | 410 | 415 => {
                    assert!(matches!(of_status(status), Verdict::Refused(why) if why.ends_with(&status.to_string())));
                }
                _ => assert!(matches!(of_status(status), Verdict::Again(_)), "{status}"),
            }
        }
    }
}
