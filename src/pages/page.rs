//! The pages themselves, and the headers they go out with.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};

use crate::hub::progress::AppProgress;
use crate::hub::signing_out::Frame;
use crate::web::Edge;
use crate::web::caller::ClientAddr;
use crate::web::problem::{Problem, Refused, refused_page};

/// Asks before signing out.
#[derive(Template)]
#[template(path = "confirm.html")]
pub(super) struct ConfirmPage {
    /// The app that the person came from, where known.
    pub(super) from: Option<String>,
    /// Whose sessions can be ended; with more than one the person chooses.
    pub(super) issuers: Vec<IssuerChoice>,
    /// What the form sends along.
    pub(super) fields: Vec<(String, String)>,
    /// Whether every device is meant.
    pub(super) everywhere: bool,
    /// Where "Stay signed in" leads, where there is a place.
    pub(super) back: Option<String>,
}

/// An issuer and its apps, for people.
pub(super) struct IssuerChoice {
    pub(super) issuer: String,
    pub(super) host: String,
    pub(super) apps: Vec<String>,
}

/// The apps signing out, as it happens.
#[derive(Template)]
#[template(path = "signing_out.html")]
pub(super) struct SigningOutPage {
    pub(super) apps: Vec<AppProgress>,
    /// All of them, for the script.
    pub(super) frames: String,
    /// Those of this turn, for browsers without scripts.
    pub(super) plain_frames: Vec<Frame>,
    /// Where the script goes on to.
    pub(super) onward: String,
    /// Where a browser without scripts goes on to.
    pub(super) refresh: String,
    /// The page's name.
    pub(super) ticket: String,
}

/// What was ended, where, when.
#[derive(Template)]
#[template(path = "receipt.html")]
pub(super) struct ReceiptPage {
    pub(super) apps: Vec<AppProgress>,
    pub(super) everywhere: bool,
    /// Whose session ended: the issuer's host.
    pub(super) host: String,
    /// When, for people and for machines.
    pub(super) time: String,
    pub(super) datetime: String,
    pub(super) is_final: bool,
    /// Whether some app has not confirmed.
    pub(super) has_doubts: bool,
    /// This page again, where something may still come.
    pub(super) again: Option<String>,
}

/// The end, where no app is to be gone back to.
#[derive(Template)]
#[template(path = "done.html")]
pub(super) struct DonePage;

/// Something is wrong, and the browser is sent nowhere.
#[derive(Template)]
#[template(path = "error.html")]
pub(super) struct ErrorPage {
    pub(super) title: &'static str,
    pub(super) text: &'static str,
    /// What a developer needs to mend it.
    pub(super) code: &'static str,
    /// An address of the hub to try again.
    pub(super) retry: Option<String>,
}

impl ErrorPage {
    pub(super) fn of(title: &'static str, text: &'static str, code: &'static str) -> Self {
        Self { title, text, code, retry: None }
    }

    pub(super) fn with_status(&self, status: StatusCode) -> Response {
        refused_page(render(self, status, &Policy::plain()), self.code)
    }
}

/// What a page may do, beyond using our own style sheet.
#[derive(Debug, Default)]
pub(super) struct Policy {
    form_action: Option<String>,
    script: bool,
    frames: Vec<String>,
}

impl Policy {
    /// Nothing more.
    pub(super) fn plain() -> Self {
        Self::default()
    }

    /// Its form may lead to these origins: browsers hold redirects after a form to that
    /// list too.
    pub(super) fn form(form_action: String) -> Self {
        Self { form_action: Some(form_action), ..Self::default() }
    }

    /// Our own script runs on it, and it loads these addresses in frames.
    pub(super) fn live(frames: Vec<String>) -> Self {
        Self { script: true, frames, ..Self::default() }
    }

    /// The same, and our own script runs on it.
    pub(super) fn with_script(self) -> Self {
        Self { script: true, ..self }
    }

    fn header(&self) -> HeaderValue {
        let script = if self.script { " script-src 'self'; connect-src 'self';" } else { "" };
        // What separates a policy's parts cannot stand in an address of it.
        let escaped = |url: &String| url.replace(';', "%3B").replace(',', "%2C");
        let frames: Vec<_> = self.frames.iter().map(escaped).collect();
        let frames = if frames.is_empty() { String::new() } else { format!(" frame-src {};", frames.join(" ")) };
        let form_action = self.form_action.as_deref().unwrap_or("'none'");
        let policy = format!(
            "default-src 'none'; style-src 'self'; img-src data:;{script}{frames} base-uri 'none'; \
             frame-ancestors 'none'; form-action {form_action}"
        );
        HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
    }
}

/// A page with its headers.
pub(super) fn render(page: &impl Template, status: StatusCode, policy: &Policy) -> Response {
    let Ok(html) = page.render() else { return Problem::internal().into_response() };
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy.header()),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        // The form on the page has to show where it comes from, to us only.
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ];
    (status, headers, Html(html)).into_response()
}

/// A page for people, for what a browser should not have tried.
pub(super) async fn method_not_allowed() -> Problem {
    Problem::method_not_allowed()
}

/// axum answers HEAD where it answers GET; here a GET has effects.
pub(super) async fn head_not_allowed() -> impl IntoResponse {
    ([(header::ALLOW, "GET")], Problem::method_not_allowed())
}

/// Answers 429 instead of the refusal once an address has had too many refusals this
/// minute.
pub(super) async fn hold_back_failures(
    State(edge): State<Edge>,
    addr: ClientAddr,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    let is_failure = response.status().is_client_error() && response.extensions().get::<Refused>().is_some();
    if !is_failure || edge.failures.allow(addr.0) {
        return response;
    }
    slow_down()
}

/// An address has had too much that failed this minute.
pub(super) fn slow_down() -> Response {
    let text = "Too many requests from your network could not be served. Wait a minute, then try again.";
    ErrorPage::of("A moment, please", text, "slow_down").with_status(StatusCode::TOO_MANY_REQUESTS)
}
