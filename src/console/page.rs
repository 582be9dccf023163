//! The pages themselves: what is around each, and those that say no.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::sessions::Operator;
use super::words::clock;
use crate::domain::clock::UnixMillis;
use crate::hub::denied::{Denied, RequestFault};
use crate::web::problem::{Problem, refused_page};

/// What is around every page: where one is, and what its forms carry.
pub(super) struct Shell {
    /// The page's place in the menu.
    pub(super) here: &'static str,
    /// What every form carries.
    pub(super) csrf: String,
    /// When the page was made, for people.
    pub(super) made: String,
    pub(super) places: &'static [Place],
}

/// A place in the menu.
pub(super) struct Place {
    pub(super) href: &'static str,
    pub(super) name: &'static str,
}

/// The menu.
const PLACES: [Place; 7] = [
    Place { href: "/console", name: "Overview" },
    Place { href: "/console/logouts", name: "Logouts" },
    Place { href: "/console/apps", name: "Apps" },
    Place { href: "/console/deliveries", name: "Deliveries" },
    Place { href: "/console/issuers", name: "Issuers and keys" },
    Place { href: "/console/checks", name: "Checks" },
    Place { href: "/console/end", name: "End sessions" },
];

impl Shell {
    pub(super) fn of(operator: &Operator, here: &'static str, now: UnixMillis) -> Self {
        Self { here, csrf: operator.csrf.clone(), made: clock(now), places: &PLACES }
    }
}

/// A page.
pub(super) fn show(page: &impl Template, status: StatusCode) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(_) => Problem::internal().into_response(),
    }
}

/// On to another page of the console: by GET, whatever came.
pub(super) fn go(to: &str) -> Response {
    Redirect::to(to).into_response()
}

/// Why the console does not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No administrator's token is configured.
    NoToken,
    /// The request was meant for another host.
    BadHost,
    /// The form was sent by another site's page.
    ForeignPage,
    /// The form has no token of this session.
    ForeignForm,
    /// Nobody is signed in; nothing was done.
    NotIn,
    /// The session that the operator signed in from is over; nothing was done.
    Over,
    /// Something else than a person's browser goes to sign in.
    NotANavigation,
    /// The answer is to no question of this browser's, or has been taken.
    ForeignLink,
    /// The person did not sign in at the issuer.
    Declined,
    /// The issuer cannot be asked, or gave no answer that holds.
    IssuerUnreachable,
    /// No sign-in at an issuer is configured.
    NoLogin,
    /// Too many wrong tokens, or codes.
    SlowDown,
    /// There is no such thing.
    NotFound,
    /// Too many ask for the same.
    Busy,
    /// The store is in trouble.
    Store,
    /// The form makes no sense.
    Form(RequestFault),
}

#[derive(Template)]
#[template(path = "refused.html")]
struct RefusedPage {
    title: &'static str,
    text: &'static str,
    code: &'static str,
    back: Option<(&'static str, &'static str)>,
}

impl Refusal {
    fn page(self) -> (StatusCode, RefusedPage) {
        let home = Some(("/console", "Back to the overview"));
        let sign_in = Some(("/console/sign-in", "Sign in"));
        let of = |title, text, code, back| RefusedPage { title, text, code, back };
        match self {
            Self::NoToken => (
                StatusCode::FORBIDDEN,
                of(
                    "The console is locked",
                    "Set server.admin_token, or server.admin_token_file, in the configuration and restart the hub. Then sign in here with that token.",
                    "no_admin_token",
                    None,
                ),
            ),
            Self::BadHost => (
                StatusCode::MISDIRECTED_REQUEST,
                of(
                    "This is not the console’s address",
                    "Call it by its address or as localhost, or set server.console.url to the origin that browsers call it by.",
                    "bad_host",
                    None,
                ),
            ),
            Self::ForeignPage => (
                StatusCode::FORBIDDEN,
                of(
                    "Nothing was done",
                    "That form did not come from a page of this console. Behind a proxy, set server.console.url to the origin that browsers call it by.",
                    "invalid_origin",
                    home,
                ),
            ),
            Self::ForeignForm => (
                StatusCode::FORBIDDEN,
                of(
                    "Nothing was done",
                    "That form belongs to another sign-in, perhaps an older one of yours. Open the page again and send it once more.",
                    "foreign_form",
                    home,
                ),
            ),
            Self::NotIn => (
                StatusCode::FORBIDDEN,
                of(
                    "Please sign in again",
                    "You were not here for a while, so nothing was done.",
                    "not_signed_in",
                    sign_in,
                ),
            ),
            Self::SlowDown => (
                StatusCode::TOO_MANY_REQUESTS,
                of(
                    "A moment, please",
                    "Too many attempts to sign in from your address have failed. Wait a minute, then try again.",
                    "slow_down",
                    sign_in,
                ),
            ),
            _ => self.page_of_login(),
        }
    }

    fn page_of_login(self) -> (StatusCode, RefusedPage) {
        let of = |title, text, code| RefusedPage { title, text, code, back: Some(("/console/sign-in", "Sign in")) };
        match self {
            Self::Over => {
                let text = "The session that you opened the console from has ended: you signed out, or were signed \
                            out. Nothing was done.";
                (StatusCode::FORBIDDEN, of("You are signed out", text, "logged_out"))
            }
            Self::NotANavigation => {
                let text = "Open the console in a window of its own, and sign in there.";
                (StatusCode::BAD_REQUEST, of("Nothing was done", text, "not_a_navigation"))
            }
            Self::ForeignLink => {
                let text = "It was used before, has run out, or belongs to another browser. Nothing was done.";
                (StatusCode::FORBIDDEN, of("This link is not right", text, "foreign_link"))
            }
            Self::Declined => {
                let text = "You did not sign in at your provider, so nothing was done.";
                (StatusCode::FORBIDDEN, of("You are not signed in", text, "not_signed_in"))
            }
            Self::NoLogin => {
                let text =
                    "No sign-in by an issuer is set up for this console; see server.console in the configuration.";
                (StatusCode::NOT_FOUND, of("There is no such sign-in", text, "login_not_configured"))
            }
            Self::IssuerUnreachable => {
                let text = "The service that signs you in could not be reached, or gave an answer that does not hold. \
                            Nothing was done. Try again in a moment.";
                (StatusCode::SERVICE_UNAVAILABLE, of("You are not signed in", text, "issuer_unreachable"))
            }
            _ => self.page_of_trouble(),
        }
    }

    fn page_of_trouble(self) -> (StatusCode, RefusedPage) {
        let back = Some(("/console", "Back to the overview"));
        let of = |title, text, code| RefusedPage { title, text, code, back };
        match self {
            Self::NotFound => {
                let text = "It was never there, or is past its retention.";
                (StatusCode::NOT_FOUND, of("There is no such thing", text, "not_found"))
            }
            Self::Busy => {
                let text = "Too many ask for the same just now. Nothing was done; try again in a moment.";
                (StatusCode::SERVICE_UNAVAILABLE, of("A moment, please", text, "busy"))
            }
            Self::Form(fault) => {
                let problem = Problem::request(fault);
                (problem.status, of("That does not make sense here", problem.description, problem.code))
            }
            _ => {
                let text = "The store cannot be read or written just now. It may be done all the same; look at the log before you try again.";
                (StatusCode::SERVICE_UNAVAILABLE, of("The store is in trouble", text, "store_unavailable"))
            }
        }
    }

    pub(super) fn answer(self) -> Response {
        let (status, page) = self.page();
        refused_page(show(&page, status), page.code)
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::NotFound => Self::NotFound,
            Denied::Busy => Self::Busy,
            Denied::Request(fault) => Self::Form(fault),
            _ => Self::Store,
        }
    }
}

impl From<RequestFault> for Refusal {
    fn from(fault: RequestFault) -> Self {
        Self::Form(fault)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.answer()
    }
}
