//! What the pages of the list show.

use askama::Template;

use super::words::Moment;
use crate::domain::clock::UnixMillis;
use crate::hub::ended_sessions::EndedSession;
use crate::hub::my_sessions::OwnSession;

/// Where to sign in.
#[derive(Template)]
#[template(path = "sessions_sign_in.html")]
pub(super) struct SignInPage {
    pub(super) choices: Vec<SignInChoice>,
}

/// An issuer.
pub(super) struct SignInChoice {
    pub(super) host: String,
    pub(super) href: String,
}

/// The list.
#[derive(Template)]
#[template(path = "sessions.html")]
pub(super) struct SessionsPage {
    /// Whose sessions: the issuer's host.
    pub(super) host: String,
    pub(super) rows: Vec<Row>,
    /// What "Sign out everywhere else" would end, in words; none where there is nothing.
    pub(super) others: Option<String>,
    /// Whether the issuer, which may know of more, could not be asked.
    pub(super) is_issuer_silent: bool,
}

/// One session.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) device: String,
    /// The picture beside it: `phone`, `tablet` or `computer`.
    pub(super) kind: &'static str,
    pub(super) is_current: bool,
    pub(super) is_active: bool,
    pub(super) active: Moment,
    pub(super) started: Moment,
    pub(super) address: Option<String>,
    pub(super) apps: String,
    /// The token of its button.
    pub(super) token: String,
}

impl Row {
    pub(super) fn of(session: OwnSession, now: UnixMillis, token: String) -> Self {
        Self {
            kind: kind(&session.device),
            active: Moment::ago(session.last_seen_at, now),
            started: Moment::on_day(session.started_at),
            apps: listed(&session),
            id: session.id,
            device: session.device,
            is_current: session.is_current,
            is_active: session.is_active,
            address: session.address,
            token,
        }
    }
}

/// Asks before something is ended.
#[derive(Template)]
#[template(path = "sessions_end.html")]
pub(super) struct EndPage {
    /// The device, where it is about one session.
    pub(super) device: Option<String>,
    pub(super) is_current: bool,
    /// What it reaches, in words.
    pub(super) reach: String,
    pub(super) rows: Vec<Row>,
    /// The label of the button.
    pub(super) button: String,
    /// What the form sends along.
    pub(super) field: (&'static str, String),
    pub(super) token: String,
    /// Where the person proves who they are first, where that is needed.
    pub(super) prove: Option<String>,
    /// The issuer's host, where it could not say which sessions it knows of.
    pub(super) silent: Option<String>,
}

/// What becomes of it.
#[derive(Template)]
#[template(path = "sessions_ended.html")]
pub(super) struct EndedPage {
    pub(super) sessions: Vec<EndedSession>,
    /// How many, in words.
    pub(super) count: String,
    /// The page's name.
    pub(super) ticket: String,
    /// Whether the script has it fed live.
    pub(super) is_live: bool,
    /// Where a browser without scripts goes on to; none once nothing is waited for.
    pub(super) refresh: Option<String>,
}

/// "Desk, Notes, Shop".
fn listed(session: &OwnSession) -> String {
    session.apps.iter().map(|app| app.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn kind(device: &str) -> &'static str {
    let is_on = |system: &str| device.ends_with(&format!(" on {system}"));
    if is_on("iPhone") || is_on("Android") || is_on("iPod") {
        "phone"
    } else if is_on("iPad") {
        "tablet"
    } else {
        "computer"
    }
}
