//! `/console/end`: an operator ends sessions. First it is counted what would end; then the
//! count is typed back, and it is done. Whom it is about stays with the hub in between, and
//! stands in no page.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, NaiveDateTime};

use super::Console;
use super::page::{Refusal, Shell, go, show};
use super::receipt::counts;
use super::sessions::{DryRun, Operator};
use super::words::{exact, grouped};
use crate::domain::clock::UnixMillis;
use crate::domain::ids::{ClientId, Issuer, Sid, Subject};
use crate::domain::logout::{Reason, SignIn};
use crate::hub::admin_logout::{Order, Whom};
use crate::hub::denied::{Denied, RequestFault};
use crate::web::params::Params;

#[derive(Template)]
#[template(path = "end.html")]
struct AskPage {
    shell: Shell,
    issuers: Vec<Named>,
    apps: Vec<Named>,
    /// What is wrong with what was sent.
    fault: Option<&'static str>,
}

struct Named {
    id: String,
    name: String,
}

#[derive(Template)]
#[template(path = "end_confirm.html")]
struct ConfirmPage {
    shell: Shell,
    whose: String,
    before: Option<String>,
    reason: Option<String>,
    /// The dry run's own name.
    counted: String,
    counts: String,
    /// What is to be typed.
    sessions: u64,
    sessions_in_words: String,
    is_wrong: bool,
}

/// `GET /console/end`.
pub(super) async fn ask(State(console): State<Console>, operator: Operator) -> Response {
    ask_again(&console, &operator, None)
}

fn ask_again(console: &Console, operator: &Operator, fault: Option<RequestFault>) -> Response {
    let directory = &console.hub.directory;
    let mut issuers: Vec<_> = directory.issuers().map(|it| &it.issuer).collect();
    issuers.sort();
    let mut apps: Vec<Named> = Vec::new();
    for app in directory.apps() {
        let id = app.client_id.as_str();
        if !apps.iter().any(|own| own.id == id) {
            apps.push(Named { id: id.to_owned(), name: app.name.clone() });
        }
    }
    let page = AskPage {
        shell: console.shell(operator, "/console/end"),
        issuers: issuers.into_iter().map(|it| Named { id: it.as_str().to_owned(), name: it.host() }).collect(),
        apps,
        fault: fault.map(RequestFault::description),
    };
    show(&page, if fault.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK })
}

/// `POST /console/end`: counts, and ends nothing.
pub(super) async fn dry_run(State(console): State<Console>, request: Request) -> Result<Response, Refusal> {
    let (operator, form) = console.form(request).await?;
    let order = match read_order(form) {
        Ok(order) => order,
        Err(fault) => return Ok(ask_again(&console, &operator, Some(fault))),
    };
    let counts = match console.hub.foretell(&order).await {
        Ok(counts) => counts,
        Err(Denied::Request(fault)) => return Ok(ask_again(&console, &operator, Some(fault))),
        Err(denied) => return Err(denied.into()),
    };
    console.sessions.keep(&operator, order, counts);
    Ok(go("/console/end/confirm"))
}

/// `GET /console/end/confirm`: what would end.
pub(super) async fn confirm(State(console): State<Console>, operator: Operator) -> Response {
    match console.sessions.kept(&operator) {
        Some(dry_run) => confirm_page(&console, &operator, &dry_run, false),
        None => go("/console/end"),
    }
}

/// `POST /console/end/confirm`: ends what was counted, where the count was typed back.
pub(super) async fn end(State(console): State<Console>, request: Request) -> Result<Response, Refusal> {
    let (operator, mut form) = console.form(request).await?;
    let counted = form.take("counted").unwrap_or_default();
    // What another window has counted since is shown, and not ended.
    let Some(dry_run) = console.sessions.kept(&operator).filter(|it| it.name == counted) else {
        return Ok(go("/console/end/confirm"));
    };
    let typed = form.take("sessions").unwrap_or_default();
    let typed: String = typed.chars().filter(|letter| !letter.is_whitespace() && *letter != ',').collect();
    if typed != dry_run.counts.sessions.to_string() {
        return Ok(confirm_page(&console, &operator, &dry_run, true));
    }
    if !console.sessions.take(&operator, &dry_run) {
        return Ok(go("/console/end/confirm"));
    }
    let by = operator.who.as_ref().map(SignIn::subject);
    let ordered = console.hub.order_logout_as(dry_run.order, by).await?;
    Ok(go(&format!("/console/logouts/{}", ordered.id)))
}

fn confirm_page(console: &Console, operator: &Operator, dry_run: &DryRun, is_wrong: bool) -> Response {
    let DryRun { order, counts: counted, name, .. } = dry_run;
    let page = ConfirmPage {
        shell: console.shell(operator, "/console/end"),
        whose: whose(console, order),
        before: order.before.map(exact),
        reason: order.reason.as_ref().map(|reason| reason.as_str().to_owned()),
        counted: name.clone(),
        counts: counts(counted),
        sessions: counted.sessions,
        sessions_in_words: grouped(counted.sessions),
        is_wrong,
    };
    show(&page, if is_wrong { StatusCode::BAD_REQUEST } else { StatusCode::OK })
}

/// Whom an order is about, as the log names them.
fn whose(console: &Console, order: &Order) -> String {
    let only = || console.hub.directory.issuers().next().map(|it| it.issuer.clone());
    let Some(issuer) = order.issuer.clone().or_else(only) else { return String::new() };
    let host = issuer.host();
    match &order.whom {
        Whom::Session(sid) => {
            format!("the session that the log calls {}, at {host}", console.hub.log_name(&issuer, sid.as_str()))
        }
        Whom::Person(sub) => {
            format!("the person that the log calls {}, at {host}", console.hub.log_name(&issuer, sub.as_str()))
        }
        Whom::App(client_id) => {
            format!("everyone who used {}, in all their apps at {host}", console.hub.name_of(&issuer, client_id))
        }
        Whom::Everyone => format!("everyone at {host}"),
    }
}

fn read_order(mut form: Params) -> Result<Order, RequestFault> {
    let issuer = form.take("issuer").map(|text| Issuer::parse(&text)).transpose();
    let issuer = issuer.map_err(|_| RequestFault::UnknownIssuer)?;
    let name = form.take("name").map(|name| name.trim().to_owned()).unwrap_or_default();
    let app = form.take("client_id").unwrap_or_default();
    let whom = match form.take("whom").as_deref() {
        Some("session") => Whom::Session(Sid::parse(&name).map_err(|_| RequestFault::SidInvalid)?),
        Some("person") => Whom::Person(Subject::parse(&name).map_err(|_| RequestFault::SubInvalid)?),
        Some("app") => Whom::App(ClientId::parse(&app).map_err(|_| RequestFault::UnknownApp)?),
        Some("everyone") => Whom::Everyone,
        _ => return Err(RequestFault::BadTarget),
    };
    let before = form.take("before").map(|text| moment(&text).ok_or(RequestFault::BadBefore)).transpose()?;
    let reason = form.take("reason").map(|text| Reason::parse(text.trim())).transpose();
    Ok(Order { issuer, whom, before, reason: reason.map_err(|_| RequestFault::BadReason)? })
}

/// A time as browsers send it, which is meant in UTC; or with its own zone.
fn moment(text: &str) -> Option<UnixMillis> {
    if let Ok(with_zone) = DateTime::parse_from_rfc3339(text) {
        return Some(UnixMillis(with_zone.timestamp_millis()));
    }
    let forms = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"];
    let read = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?;
    Some(UnixMillis(read.and_utc().timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_a_zone_is_utc() {
        let noon = Some(UnixMillis(1_769_860_800_000));
        for text in ["2026-01-31T12:00", "2026-01-31T12:00:00", "2026-01-31T12:00:00Z", "2026-01-31T13:00:00+01:00"] {
            assert_eq!(moment(text), noon, "{text}");
        }
        assert_eq!(moment("yesterday"), None);
    }
}
