//! One request to the API, bounded in every way, and what its answer means.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Map, Value};
use url::Url;

use super::fault::{ManagementFault, Scope};
use crate::domain::clock::UnixMillis;
use crate::domain::json::read_object;
use crate::domain::retry_after::retry_after;
use crate::oidc::fetch::outbound;
use crate::oidc::guard::{Guarded, Lookup, NoAddress, no_address};
use crate::telemetry::spans::answered;

/// How long one request may take, its body included.
pub const DEADLINE: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// How long the API is left alone after a 429 that does not say how long.
const WAIT_UNSAID: Duration = Duration::from_secs(10);
/// The longest that it may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Sends requests: no redirects, no proxies, no private addresses behind public names.
#[derive(Clone)]
pub(super) struct Wire(Client);

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    /// How long to leave the API alone, where it says so.
    wait: Option<Duration>,
    body: Vec<u8>,
}

/// What an answer means, where it is one.
pub(super) enum Heard {
    /// Done. The body, where it is a JSON document.
    Done(Vec<u8>),
    /// The endpoint is there, and what it was asked about is not.
    Missing,
    /// No such endpoint.
    NoEndpoint,
}

impl Wire {
    pub(super) fn new(lookup: Arc<dyn Lookup>, deadline: Duration) -> Result<Self, reqwest::Error> {
        Ok(Self(outbound(Guarded(lookup), deadline).build()?))
    }

    pub(super) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.0.request(method, url).header("accept", "application/json")
    }

    pub(super) async fn send(&self, request: RequestBuilder, now: UnixMillis) -> Result<Answer, ManagementFault> {
        let mut answer = request.send().await.map_err(|failure| unavailable(&failure))?;
        answered(answer.status().as_u16());
        let (status, wait) = (answer.status().as_u16(), asked_wait(answer.headers(), now));
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|failure| unavailable(&failure))? {
            if body.len() + chunk.len() > MAX_BODY_BYTES {
                return Err(ManagementFault::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, wait, body })
    }
}

fn unavailable(failure: &reqwest::Error) -> ManagementFault {
    ManagementFault::Unavailable(match no_address(failure) {
        Some(NoAddress::None) => "the issuer's name has no address",
        Some(NoAddress::NotPublic) => "the issuer's name leads to a private address",
        None if failure.is_connect() => "the issuer's Management API cannot be connected to",
        None if failure.is_timeout() => "the issuer's Management API did not answer within 5 seconds",
        None => "the connection to the issuer's Management API broke",
    })
}

/// `Retry-After`, else the moment at which Auth0 says that its limit starts anew.
fn asked_wait(headers: &HeaderMap, now: UnixMillis) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let reset = || {
        let at: i64 = text("x-ratelimit-reset")?.trim().parse().ok()?;
        Some(Duration::from_secs(u64::try_from(at.saturating_sub(now.floor().0)).unwrap_or(0)))
    };
    text(RETRY_AFTER.as_str()).and_then(|value| retry_after(value, now)).or_else(reset)
}

impl Answer {
    /// How long a 429 asks for, within bounds.
    pub(super) fn wait(&self) -> Duration {
        self.wait.unwrap_or(WAIT_UNSAID).clamp(Duration::from_secs(1), LONGEST_WAIT)
    }

    pub(super) fn object(&self) -> Option<Map<String, Value>> {
        read_object(&self.body).ok()
    }

    /// What the answer means to a call that needs this scope.
    ///
    /// # Errors
    /// Every [`ManagementFault`] that an answer can be.
    pub(super) fn heard(self, scope: Scope, now: UnixMillis) -> Result<Heard, ManagementFault> {
        match self.status {
            200..=299 => Ok(Heard::Done(self.body)),
            401 => Err(ManagementFault::Unauthorized),
            403 if self.names_a_scope() => Err(ManagementFault::Forbidden(scope.into())),
            403 => Err(ManagementFault::NotAllowed),
            404 if self.names_what_is_missing() => Ok(Heard::Missing),
            404 | 405 | 501 => Ok(Heard::NoEndpoint),
            429 => {
                let wait = i64::try_from(self.wait().as_millis()).unwrap_or(0);
                Err(ManagementFault::RateLimited { until: UnixMillis(now.0.saturating_add(wait)) })
            }
            500..=599 => Err(ManagementFault::Unavailable("the issuer's Management API answered with a 5xx")),
            400..=499 => Err(ManagementFault::Rejected),
            _ => Err(ManagementFault::Strange("the issuer's Management API answered with an unexpected status")),
        }
    }

    fn names_a_scope(&self) -> bool {
        let Some(said) = self.object() else { return false };
        let says = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        says("errorCode") == "insufficient_scope" || says("message").contains("scope")
    }

    /// Auth0 answers 404 both for a session that is not there and for an address that it
    /// does not know. Only the first says what it is that does not exist.
    fn names_what_is_missing(&self) -> bool {
        let Some(said) = self.object() else { return false };
        let says = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        let message = says("message");
        let names_it = ["session", "user", "client"].iter().any(|what| message.contains(what));
        says("errorCode").starts_with("inexistent_") || (names_it && message.contains("does not exist"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(784_111_777_000);

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, wait: None, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_session_that_is_not_there_is_told_from_an_address_that_is_not() {
        let missing = |body: &str| matches!(answer(404, body).heard(Scope::DeleteSessions, NOW), Ok(Heard::Missing));
        assert!(missing(r#"{"statusCode":404,"error":"Not Found","message":"The session does not exist."}"#));
        assert!(missing(r#"{"statusCode":404,"errorCode":"inexistent_session"}"#));
        for route in [
            r#"{"statusCode":404,"error":"Not Found","message":"Not Found"}"#,
            r#"{"message":"This address does not exist."}"#,
            "",
            "<html>",
            "[]",
            "null",
        ] {
            assert!(!missing(route), "{route}");
            assert!(matches!(answer(404, route).heard(Scope::DeleteSessions, NOW), Ok(Heard::NoEndpoint)));
        }
    }

    #[test]
    fn a_missing_scope_is_told_from_a_missing_feature() {
        let fault = |body: &str| answer(403, body).heard(Scope::ReadSessions, NOW).err();
        let scope =
            r#"{"message":"Insufficient scope, expected any of: read:sessions","errorCode":"insufficient_scope"}"#;
        assert_eq!(fault(scope), Some(ManagementFault::Forbidden(Scope::ReadSessions.into())));
        assert_eq!(fault(r#"{"message":"Not available in your plan"}"#), Some(ManagementFault::NotAllowed));
        assert_eq!(fault("<html>"), Some(ManagementFault::NotAllowed));
    }

    #[test]
    fn how_long_to_wait_is_what_it_says_first_within_an_hour() {
        let asked = |pairs: &[(&'static str, &str)]| {
            let headers = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
            Answer { status: 429, wait: asked_wait(&headers, NOW), body: vec![] }.wait().as_secs()
        };
        assert_eq!(asked(&[("retry-after", "7"), ("x-ratelimit-reset", "784111797")]), 7);
        assert_eq!(asked(&[("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT")]), 60);
        assert_eq!(asked(&[("x-ratelimit-reset", "784111797")]), 20);
        assert_eq!(asked(&[("retry-after", "99999999")]), 3600);
        assert_eq!(asked(&[("retry-after", "0")]), 1);
        assert_eq!(asked(&[("x-ratelimit-reset", "1")]), 1, "past");
        assert_eq!(asked(&[]), 10);
    }

    #[test]
    fn every_status_has_a_meaning() {
        for status in 100..=999 {
            let heard = answer(status, "").heard(Scope::ReadSessions, NOW);
            match status {
                200..=299 => assert!(matches!(heard, Ok(Heard::Done(_)))),
                404 | 405 | 501 => assert!(matches!(heard, Ok(Heard::NoEndpoint))),
                _ => assert!(heard.is_err(), "{status}"),
            }
        }
    }
}
