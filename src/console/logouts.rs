//! `GET /console/logouts`: the log, the newest first; and the search, which is a form, so that
//! what is looked for is in no address.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::Console;
use super::page::{Refusal, Shell, go, show};
use super::sessions::Operator;
use super::words::{Moment, scope, source, span, status};
use crate::domain::clock::UnixMillis;
use crate::domain::ids::ClientId;
use crate::hub::denied::RequestFault;
use crate::hub::log_book::{Entry, Found, Line, Reached};
use crate::store::DeliveryStatus;
use crate::web::params::Params;

#[derive(Template)]
#[template(path = "logouts.html")]
struct LogPage {
    shell: Shell,
    rows: Vec<Row>,
    apps: Vec<Choice>,
    /// Where the next page begins.
    next: Option<String>,
    /// Whether this is the newest page, which is kept fresh.
    is_newest: bool,
    /// Whether this is what a search has found, and by what names the log has it.
    found: Option<String>,
}

/// An app that the log can be narrowed to.
struct Choice {
    client_id: String,
    name: String,
    is_chosen: bool,
}

/// A logout in a list.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) recorded: Moment,
    pub(super) scope: &'static str,
    pub(super) whom: String,
    pub(super) host: String,
    pub(super) source: String,
    pub(super) reason: Option<String>,
    pub(super) is_final: bool,
    /// "3 of 4 confirmed".
    pub(super) reached: String,
    /// `good` where all confirmed, `wrong` where one was told in vain, else `open`.
    pub(super) mark: &'static str,
    pub(super) chips: Vec<Chip>,
}

/// An app, by one way, in a list.
pub(super) struct Chip {
    pub(super) name: String,
    pub(super) state: &'static str,
    pub(super) words: &'static str,
    /// How long after the logout it confirmed, or for how long it has not.
    pub(super) after: String,
}

impl Row {
    pub(super) fn of(entry: Entry, now: UnixMillis) -> Self {
        let reached = entry.reached();
        let reporter = entry.reported_by.as_deref().unwrap_or(source(entry.source));
        Self {
            id: entry.id.to_string(),
            recorded: Moment::of(entry.recorded_at, now),
            scope: scope(entry.scope),
            source: reporter.to_owned(),
            is_final: entry.is_final,
            reached: in_words(reached),
            mark: mark(reached),
            chips: entry.receipt.iter().map(|line| Chip::of(line, entry.recorded_at, now)).collect(),
            whom: entry.whom,
            host: entry.issuer.host(),
            reason: entry.reason,
        }
    }
}

impl Chip {
    pub(super) fn of(line: &Line, recorded_at: UnixMillis, now: UnixMillis) -> Self {
        let delivery = &line.delivery;
        let until = if delivery.status == DeliveryStatus::Pending { now } else { delivery.updated_at };
        Self {
            name: line.name.clone(),
            state: delivery.status.as_str(),
            words: status(delivery.status),
            after: after(recorded_at, until),
        }
    }
}

/// How long after something was recorded that was.
pub(super) fn after(recorded_at: UnixMillis, at: UnixMillis) -> String {
    let millis = u64::try_from(at.0.saturating_sub(recorded_at.0)).unwrap_or(0);
    span(std::time::Duration::from_millis(millis))
}

pub(super) fn in_words(reached: Reached) -> String {
    let Reached { apps, confirmed, .. } = reached;
    match apps {
        0 => "no app to tell".to_owned(),
        1 if confirmed == 1 => "confirmed".to_owned(),
        _ => format!("{confirmed} of {apps} confirmed"),
    }
}

pub(super) fn mark(reached: Reached) -> &'static str {
    match reached {
        Reached { failed, .. } if failed > 0 => "wrong",
        Reached { apps, confirmed, .. } if apps == confirmed => "good",
        _ => "open",
    }
}

/// The log from a place on, or from its end; all of it or of one app.
pub(super) async fn log(
    State(console): State<Console>,
    operator: Operator,
    request: Request,
) -> Result<Response, Refusal> {
    let mut query = Params::parse(request.uri().query().unwrap_or_default())?;
    let before = query.take("before").map(|text| text.parse::<i64>()).transpose();
    let before = before.map_err(|_| RequestFault::UnknownCursor)?;
    let app = query.take("app").map(|text| ClientId::parse(&text)).transpose();
    let app = app.map_err(|_| RequestFault::UnknownApp)?;
    let page = console.hub.log_page(before, app.as_ref()).await?;
    let now = console.hub.clock.now();
    let page = LogPage {
        shell: console.shell(&operator, "/console/logouts"),
        rows: page.entries.into_iter().map(|entry| Row::of(entry, now)).collect(),
        apps: choices(&console, app.as_ref()),
        next: page.next.map(|place| address(place, app.as_ref())),
        is_newest: before.is_none(),
        found: None,
    };
    Ok(show(&page, StatusCode::OK))
}

/// `POST /console/logouts/search`. What was looked for is not shown again.
pub(super) async fn search(State(console): State<Console>, request: Request) -> Result<Response, Refusal> {
    let (operator, mut form) = console.form(request).await?;
    let text = form.take("text").unwrap_or_default();
    let text = text.trim();
    if text.is_empty() {
        return Ok(go("/console/logouts"));
    }
    let entries = match console.hub.search_log(text).await? {
        Found::Logout(id) => return Ok(go(&format!("/console/logouts/{id}"))),
        Found::App(client_id) => return Ok(go(&of_app(&client_id))),
        Found::Whom(entries) => entries,
    };
    let now = console.hub.clock.now();
    let names = console.hub.directory.issuers().map(|it| console.hub.log_name(&it.issuer, text));
    let page = LogPage {
        shell: console.shell(&operator, "/console/logouts"),
        rows: entries.into_iter().map(|entry| Row::of(entry, now)).collect(),
        apps: choices(&console, None),
        next: None,
        is_newest: false,
        found: Some(names.collect::<Vec<_>>().join(", ")),
    };
    Ok(show(&page, StatusCode::OK))
}

fn choices(console: &Console, chosen: Option<&ClientId>) -> Vec<Choice> {
    let mut choices: Vec<Choice> = Vec::new();
    for app in console.hub.directory.apps() {
        let client_id = app.client_id.as_str();
        // Two issuers may have an app of one name; the log is narrowed by the name.
        if let Some(same) = choices.iter_mut().find(|it| it.client_id == client_id) {
            same.name = format!("{}, {}", same.name, app.name);
            continue;
        }
        let is_chosen = chosen == Some(&app.client_id);
        choices.push(Choice { client_id: client_id.to_owned(), name: app.name.clone(), is_chosen });
    }
    choices
}

fn of_app(client_id: &ClientId) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("app", client_id.as_str()).finish();
    format!("/console/logouts?{query}")
}

fn address(place: i64, app: Option<&ClientId>) -> String {
    match app {
        Some(app) => format!("{}&before={place}", of_app(app)),
        None => format!("/console/logouts?before={place}"),
    }
}
