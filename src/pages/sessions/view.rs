//! What the pages of the list show.

use askama::Template;

use super::words::Moment;
use crate::domain::clock::UnixMillis;
use crate::hub::ended_sessions::EndedSession;
use crate::hub::my_sessions::{OwnSession, Standing};

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
    /// The sessions that are probably over and are ended with them, in words.
    pub(super) lapsed: Option<String>,
    /// How many sessions are not listed because there are too many.
    pub(super) more: usize,
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
    /// The issuer's host, where the sign-in there has ended.
    pub(super) ended_at: Option<String>,
    pub(super) active: Moment,
    pub(super) started: Moment,
    pub(super) address: Option<String>,
    /// The number of the network that the address belongs to.
    pub(super) asn: Option<u32>,
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
            apps: names(&session),
            ended_at: ended_at(&session),
            id: session.id,
            device: session.device,
            is_current: session.is_current,
            is_active: session.is_active,
            address: session.address,
            asn: session.asn,
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
    /// How many more are ended than are listed because there are too many.
    pub(super) more: usize,
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
    /// How many of them are not shown, in words.
    pub(super) beside: Option<String>,
    /// The page's name.
    pub(super) ticket: String,
    /// Whether the script has it fed live.
    pub(super) is_live: bool,
    /// Where a browser without scripts goes on to; none once nothing is waited for.
    pub(super) refresh: Option<String>,
}

/// "Desk, Notes, Shop".
fn names(session: &OwnSession) -> String {
    session.apps.iter().map(|app| app.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// The issuer's host, where the session has ended there.
fn ended_at(session: &OwnSession) -> Option<String> {
    let key = session.key.as_ref().filter(|_| session.standing == Standing::EndedAtIssuer);
    key.map(|key| key.issuer.host())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn row(address: Option<&str>, asn: Option<u32>) -> String {
        let at = UnixMillis(1_800_000_000_000);
        let session = OwnSession {
            id: "a".to_owned(),
            first_id: None,
            key: None,
            device: "Chrome on macOS".to_owned(),
            is_current: false,
            apps: Vec::new(),
            started_at: at,
            last_seen_at: at,
            is_active: false,
            standing: Standing::Lasts,
            address: address.map(str::to_owned),
            asn,
        };
        let page = SessionsPage {
            host: "op.example".to_owned(),
            rows: vec![Row::of(session, at, String::new())],
            others: None,
            lapsed: None,
            more: 0,
            is_issuer_silent: false,
        };
        page.render().unwrap()
    }

    #[test]
    fn the_number_of_the_network_stands_beside_the_address_where_both_are_known() {
        let page = row(Some("203.0.113.7"), Some(64500));
        assert!(page.contains("</span>203.0.113.7, <abbr title=") && page.contains(">AS64500</abbr>"), "{page}");
        assert!(!row(Some("203.0.113.7"), None).contains("<abbr"));
        assert!(!row(None, Some(64500)).contains("<abbr"), "a number alone says nothing to people");
    }
}
