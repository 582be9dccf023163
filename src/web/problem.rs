//! How a caller is told no: the only place that turns the hub's refusals outward.
//!
//! Every text here is fixed. Nothing from a token, a path or an internal error gets
//! out; our own trouble is a 503 that says when to come back.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::hub::denied::{Denied, RequestFault};
use crate::hub::own_sign_in::FRESH_SECONDS;
use crate::oidc::fault::TokenFault;

/// An error answer: a status, an OAuth error, a finer code, and what would be right.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// The OAuth error (RFC 6749, section 5.2; RFC 6750, section 3.1).
    pub error: &'static str,
    /// The finer, stable code.
    pub code: &'static str,
    /// What is wrong, what would be right.
    pub description: &'static str,
}

#[derive(Serialize)]
struct Body {
    error: &'static str,
    code: &'static str,
    error_description: &'static str,
}

/// The error of RFC 9470, section 3: the person has to sign in once more.
const NOT_FRESH: &str = "insufficient_user_authentication";

/// Seconds after which a caller may try again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("2");
/// The same for a person with a page before them.
const TRY_AGAIN: HeaderValue = HeaderValue::from_static("5");
/// The same for who has sent too much that failed: the count starts anew each minute.
const SLOW_DOWN: HeaderValue = HeaderValue::from_static("60");

impl Problem {
    /// An error of the caller's request itself.
    #[must_use]
    pub fn request(fault: RequestFault) -> Self {
        let status = match fault {
            RequestFault::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            RequestFault::BadContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            RequestFault::TooSlow => StatusCode::REQUEST_TIMEOUT,
            RequestFault::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        Self { status, error: "invalid_request", code: fault.code(), description: fault.description() }
    }

    /// A Bearer token that the API does not take (RFC 6750, section 3.1).
    #[must_use]
    pub fn bearer(fault: TokenFault) -> Self {
        Self::unauthorized("invalid_token", fault.code(), fault.description())
    }

    /// A logout token that breaks a rule (Back-Channel Logout 1.0, section 2.8).
    #[must_use]
    pub fn logout_token(fault: TokenFault) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error: "invalid_request",
            code: fault.code(),
            description: fault.description(),
        }
    }

    /// There is no such path.
    #[must_use]
    pub fn not_found() -> Self {
        let description = "There is nothing here for you; see /.well-known/slo-hub for what there is.";
        Self { status: StatusCode::NOT_FOUND, error: "not_found", code: "not_found", description }
    }

    /// The path does not take that method.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Self {
            status: StatusCode::METHOD_NOT_ALLOWED,
            error: "invalid_request",
            code: "method_not_allowed",
            description: "This path does not take that method; the Allow header says which it does.",
        }
    }

    /// The request does not say once whom it is for.
    #[must_use]
    pub fn bad_host() -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error: "invalid_request",
            code: "bad_host",
            description: "Send one Host header, with a host and perhaps a port.",
        }
    }

    /// The request's head is too long.
    #[must_use]
    pub fn head_too_large() -> Self {
        Self {
            status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            error: "invalid_request",
            code: "head_too_large",
            description: "The request's first line and headers may have 32 KiB together.",
        }
    }

    /// Nobody is an administrator here.
    #[must_use]
    pub fn no_admin_token() -> Self {
        let description =
            "Administrators need a token: set server.admin_token in the configuration, and send it as Bearer token.";
        Self { code: "no_admin_token", ..Self::forbidden("access_denied", description) }
    }

    /// The caller does not show the administrators' token.
    #[must_use]
    pub fn not_an_administrator() -> Self {
        let description = "Send Authorization: Bearer with the server.admin_token of the configuration.";
        Self::unauthorized("invalid_token", "not_an_administrator", description)
    }

    /// A page calls, which can hold no administrator's token.
    #[must_use]
    pub fn page_on_admin_listener() -> Self {
        Self::forbidden("invalid_origin", "This is for programs, not for pages: send no Origin.")
    }

    /// This address has sent too much that failed.
    #[must_use]
    pub fn slow_down() -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            error: "slow_down",
            code: "slow_down",
            description: "Too many requests from this address failed; wait a minute and mend them first.",
        }
    }

    /// Our own trouble.
    #[must_use]
    pub fn unavailable(code: &'static str, description: &'static str) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, error: "temporarily_unavailable", code, description }
    }

    /// A handler that broke. Ours to mend, so never a 4xx.
    #[must_use]
    pub fn internal() -> Self {
        Self::unavailable("internal", "The hub failed; nothing was acknowledged. Try again.")
    }

    fn unauthorized(error: &'static str, code: &'static str, description: &'static str) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, error, code, description }
    }

    fn forbidden(error: &'static str, description: &'static str) -> Self {
        Self { status: StatusCode::FORBIDDEN, error, code: error, description }
    }

    fn challenge(&self) -> Option<String> {
        if self.status != StatusCode::UNAUTHORIZED {
            return None;
        }
        Some(match self.error {
            "invalid_client" => "Basic realm=\"slo-hub\", charset=\"UTF-8\"".to_owned(),
            NOT_FRESH => format!("Bearer realm=\"slo-hub\", error=\"{NOT_FRESH}\", max_age={FRESH_SECONDS}"),
            _ if self.code == "missing_credentials" => "Bearer realm=\"slo-hub\"".to_owned(),
            error => format!("Bearer realm=\"slo-hub\", error=\"{error}\", error_description=\"{}\"", self.code),
        })
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Token(fault) => Self::bearer(fault),
            Denied::NoCredentials => Self::unauthorized(
                "invalid_token",
                "missing_credentials",
                "Send Authorization: Bearer with an ID token or resume ticket, or Basic with client_id and secret.",
            ),
            Denied::Client => {
                let description = "No app has that client_id and secret.";
                Self::unauthorized("invalid_client", "invalid_client", description)
            }
            Denied::Origin => Self::forbidden(
                "invalid_origin",
                "The request's Origin is not one of this app's origins; a back end's secret is taken from no page.",
            ),
            Denied::Scope => Self::forbidden(
                "insufficient_scope",
                "A resume ticket may end its own session only; scope user takes an unexpired ID token.",
            ),
            Denied::NotFresh => Self::unauthorized(
                NOT_FRESH,
                NOT_FRESH,
                "To end sessions the person has to have signed in within five minutes; sign them in with max_age=300.",
            ),
            Denied::LoggedOut => Self::unauthorized(
                "invalid_token",
                "logged_out",
                "The session of this token is over; GET /api/v1/session says by which logout.",
            ),
            Denied::Request(fault) => Self::request(fault),
            Denied::NotFound => Self::not_found(),
            Denied::TooFast => Self {
                description: "This app sends more messages than it may; slow down. Logouts are not held back.",
                ..Self::slow_down()
            },
            Denied::TooMany => Self {
                code: "too_many",
                description: "This session, address or hub has as many channels open as it may have; close one.",
                ..Self::slow_down()
            },
            Denied::Busy => {
                Self::unavailable("busy", "Too many wait for the same just now; nothing was done. Try again.")
            }
            Denied::KeysUnavailable => Self::unavailable(
                "keys_unavailable",
                "The issuer's keys cannot be had just now, so the token could not be judged. Try again.",
            ),
            Denied::Store(_) => Self::unavailable(
                "store_unavailable",
                "The hub could not write or read its records just now; nothing was acknowledged. Try again.",
            ),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body { error: self.error, code: self.code, error_description: self.description };
        let mut response = (self.status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response();
        let headers = response.headers_mut();
        if let Some(challenge) = self.challenge().and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE => headers.insert(header::RETRY_AFTER, RETRY_AFTER),
            StatusCode::TOO_MANY_REQUESTS => headers.insert(header::RETRY_AFTER, SLOW_DOWN),
            _ => None,
        };
        // For the one line that the edge logs about this answer.
        response.extensions_mut().insert(Refused(self.code));
        response
    }
}

/// The code of an error answer, kept beside it for the log and the metrics.
#[derive(Clone, Copy, Debug)]
pub struct Refused(pub &'static str);

/// Makes a page the answer to a request that was refused: the code for the log and the metrics,
/// and when to try again, which people need a little longer for than programs do.
#[must_use]
pub fn refused_page(mut page: Response, code: &'static str) -> Response {
    page.extensions_mut().insert(Refused(code));
    let again_after = match page.status() {
        StatusCode::SERVICE_UNAVAILABLE => TRY_AGAIN,
        StatusCode::TOO_MANY_REQUESTS => SLOW_DOWN,
        _ => return page,
    };
    page.headers_mut().insert(header::RETRY_AFTER, again_after);
    page
}
