//! `GET /console/logouts/{id}`: one logout with each app's delivery; or one sweep, and how far
//! it is.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::Console;
use super::logouts::{after, in_words, mark};
use super::page::{Refusal, Shell, show};
use super::sessions::Operator;
use super::words::{Moment, counted, grouped, source, status, via};
use crate::domain::clock::UnixMillis;
use crate::domain::ids::LogoutId;
use crate::domain::logout::Scope;
use crate::hub::log_book::{Entry, Line, SweepState};
use crate::store::{Expected, IssuerEnd};

#[derive(Template)]
#[template(path = "logout.html")]
struct ReceiptPage {
    shell: Shell,
    id: String,
    is_session: bool,
    whom: String,
    issuer: String,
    source: &'static str,
    reported_by: Option<String>,
    reason: Option<String>,
    is_final: bool,
    occurred: Moment,
    recorded: Moment,
    reached: String,
    mark: &'static str,
    /// How its end at the issuer stands, in words.
    at_issuer: Option<String>,
    lines: Vec<DeliveryLine>,
}

struct DeliveryLine {
    name: String,
    client_id: String,
    via: &'static str,
    state: &'static str,
    words: &'static str,
    attempts: u32,
    updated: Moment,
    after: String,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "sweep.html")]
struct SweepPage {
    shell: Shell,
    id: String,
    whose: String,
    issuer: String,
    reason: String,
    before: Moment,
    ordered: Moment,
    finished: Option<Moment>,
    expected: Option<String>,
    ended: String,
    /// Of a hundred.
    percent: Option<u64>,
}

pub(super) async fn receipt(
    State(console): State<Console>,
    operator: Operator,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id = LogoutId::parse(&id).map_err(|_| Refusal::NotFound)?;
    let (hub, now) = (&console.hub, console.hub.clock.now());
    let shell = console.shell(&operator, "/console/logouts");
    if let Some(sweep) = hub.sweep_state(id).await? {
        return Ok(show(&of_sweep(shell, sweep, now), StatusCode::OK));
    }
    let (entry, end) = hub.log_entry(id).await?;
    Ok(show(&of_logout(shell, entry, end, now), StatusCode::OK))
}

fn of_logout(shell: Shell, entry: Entry, end: Option<IssuerEnd>, now: UnixMillis) -> ReceiptPage {
    let reached = entry.reached();
    ReceiptPage {
        shell,
        id: entry.id.to_string(),
        is_session: entry.scope == Scope::Session,
        source: source(entry.source),
        is_final: entry.is_final,
        occurred: Moment::of(entry.occurred_at, now),
        recorded: Moment::of(entry.recorded_at, now),
        reached: in_words(reached),
        mark: mark(reached),
        at_issuer: end.map(end_in_words),
        lines: entry.receipt.iter().map(|line| delivery_line(line, &entry, now)).collect(),
        whom: entry.whom,
        issuer: entry.issuer.as_str().to_owned(),
        reported_by: entry.reported_by,
        reason: entry.reason,
    }
}

fn delivery_line(line: &Line, entry: &Entry, now: UnixMillis) -> DeliveryLine {
    let delivery = &line.delivery;
    DeliveryLine {
        name: line.name.clone(),
        client_id: delivery.client_id.as_str().to_owned(),
        via: via(delivery.via),
        state: delivery.status.as_str(),
        words: status(delivery.status),
        attempts: delivery.attempts,
        updated: Moment::of(delivery.updated_at, now),
        after: after(entry.recorded_at, delivery.updated_at),
        error: delivery.error.clone(),
    }
}

fn end_in_words(end: IssuerEnd) -> String {
    match end {
        IssuerEnd::Pending(None) => "to be ended there, not tried yet".to_owned(),
        IssuerEnd::Pending(Some(why)) => format!("to be ended there; the last attempt: {why}"),
        IssuerEnd::Ended => "ended there too".to_owned(),
        IssuerEnd::Failed(why) => format!("not ended there: {why}"),
    }
}

fn of_sweep(shell: Shell, sweep: SweepState, now: UnixMillis) -> SweepPage {
    SweepPage {
        shell,
        id: sweep.id.to_string(),
        whose: sweep.whose,
        issuer: sweep.issuer.as_str().to_owned(),
        reason: sweep.reason,
        before: Moment::of(sweep.before, now),
        ordered: Moment::of(sweep.ordered_at, now),
        finished: sweep.finished_at.map(|at| Moment::of(at, now)),
        expected: sweep.expected.as_ref().map(counts),
        percent: sweep
            .expected
            .map(|it| (100 * sweep.sessions_ended.min(it.sessions)).checked_div(it.sessions).unwrap_or(100)),
        ended: format!("{} ended", counted(sweep.sessions_ended, "session")),
    }
}

/// "3 sessions of 2 people on 3 devices, in 4 apps".
pub(super) fn counts(counts: &Expected) -> String {
    let people = if counts.people == 1 { "person" } else { "people" };
    format!(
        "{} of {} {people} on {}, in {}",
        counted(counts.sessions, "session"),
        grouped(counts.people),
        counted(counts.devices, "device"),
        counted(counts.apps, "app")
    )
}
