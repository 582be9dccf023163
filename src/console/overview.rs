//! `GET /console`: how the hub is. What is wrong comes first, in words.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::Console;
use super::logouts::Row;
use super::page::{Shell, show};
use super::sessions::Operator;
use super::words::{Moment, clock, counted, grouped, span};
use crate::domain::clock::UnixMillis;
use crate::hub::Hub;
use crate::hub::overview::{Overview, Records};
use crate::oidc::keys::IssuerHealth;
use crate::store::{Backlog, Unconfirmed};

/// How long something may wait before that is worth a word.
const LONG_WAIT: Duration = Duration::from_secs(5 * 60);
/// How long a commit may take before that is worth a word.
const SLOW_COMMIT: Duration = Duration::from_millis(500);
/// How many logouts are shown.
const LATEST: usize = 6;

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    shell: Shell,
    troubles: Vec<Trouble>,
    figures: Vec<Figure>,
    unconfirmed: Vec<AppLine>,
    latest: Vec<Row>,
}

/// Something that is not as it should be.
pub(super) struct Trouble {
    /// `wrong` where logouts are missed, else `careful`.
    pub(super) mark: &'static str,
    pub(super) what: String,
    pub(super) detail: String,
    pub(super) href: &'static str,
}

struct Figure {
    name: &'static str,
    value: String,
    note: String,
    href: &'static str,
}

/// An app that has not confirmed everything.
struct AppLine {
    name: String,
    client_id: String,
    pending: String,
    unanswered: String,
    failed: String,
}

pub(super) async fn overview(State(console): State<Console>, operator: Operator) -> Response {
    let hub = &console.hub;
    let seen = hub.overview().await;
    let latest = match &seen.records {
        Ok(_) => hub.log_page(None, None).await.ok(),
        Err(_) => None,
    };
    let latest = latest.into_iter().flat_map(|page| page.entries).take(LATEST);
    let records = seen.records.as_ref().ok();
    let page = OverviewPage {
        shell: console.shell(&operator, "/console"),
        troubles: troubles(hub, &seen),
        figures: figures(&seen),
        unconfirmed: records.map_or_else(Vec::new, |it| lines(hub, &it.unconfirmed)),
        latest: latest.map(|entry| Row::of(entry, seen.at)).collect(),
    };
    show(&page, StatusCode::OK)
}

fn troubles(hub: &Hub, seen: &Overview) -> Vec<Trouble> {
    let mut found = Vec::new();
    match &seen.records {
        Err(error) => found.push(Trouble {
            mark: "wrong",
            what: "The store cannot be used".to_owned(),
            detail: format!("{error}. No logout is acknowledged until it can."),
            href: "/console/checks",
        }),
        Ok(records) => of_records(hub, records, seen.at, &mut found),
    }
    found.extend(seen.issuers.iter().filter_map(of_issuer));
    // What is wrong before what is doubtful; the rest in the order in which it was found.
    found.sort_by_key(|it| it.mark != "wrong");
    found
}

fn of_records(hub: &Hub, records: &Records, now: UnixMillis, found: &mut Vec<Trouble>) {
    let given_up = records.posts.given_up + records.ends.given_up;
    if given_up > 0 {
        found.push(Trouble {
            mark: "wrong",
            what: format!("{} given up", counted(given_up, "delivery")),
            detail: "An app or an issuer was never told. See why, and try again.".to_owned(),
            href: "/console/deliveries",
        });
    }
    for (backlog, to) in [(&records.posts, "back ends"), (&records.ends, "issuers")] {
        let waits = backlog.oldest.map(|at| Duration::from_millis(at.0.abs_diff(now.0)));
        if let Some(waits) = waits.filter(|waits| *waits > LONG_WAIT) {
            found.push(Trouble {
                mark: "careful",
                what: format!("{} waiting for {to}", grouped(backlog.waiting)),
                detail: format!("The oldest has waited for {}.", span(waits)),
                href: "/console/deliveries",
            });
        }
    }
    for app in records.unconfirmed.iter().filter(|app| app.failed > 0) {
        let name = hub.name_of(&app.issuer, &app.client_id);
        found.push(Trouble {
            mark: "careful",
            what: format!("{name} was told in vain"),
            detail: format!("{} of the last hour did not reach it.", counted(app.failed, "logout")),
            href: "/console/apps",
        });
    }
    if records.commit > SLOW_COMMIT {
        found.push(Trouble {
            mark: "careful",
            what: "The store is slow".to_owned(),
            detail: format!("A trial commit took {}.", span(records.commit)),
            href: "/console/checks",
        });
    }
}

fn of_issuer(issuer: &IssuerHealth) -> Option<Trouble> {
    let host = issuer.issuer.host();
    let why = issuer.trouble.as_ref().map(|(at, why)| format!("{}: {why}.", clock(*at)));
    let href = "/console/issuers";
    match (issuer.keys_age, why) {
        (None, why) => Some(Trouble {
            mark: "wrong",
            what: format!("No keys of {host}"),
            detail: match why {
                Some(why) => format!("Its tokens cannot be checked. Last fetch {why}"),
                None => "Its tokens cannot be checked until they are fetched.".to_owned(),
            },
            href,
        }),
        (Some(age), Some(why)) => Some(Trouble {
            mark: "careful",
            what: format!("Keys of {host} could not be fetched again"),
            detail: format!("Last fetch {why} Those from {} ago are used.", span(age)),
            href,
        }),
        (Some(_), None) => None,
    }
}

fn figures(seen: &Overview) -> Vec<Figure> {
    let figure = |name, value, note, href| Figure { name, value, note, href };
    let people = if seen.people == 1 { "person" } else { "people" };
    let mut figures = vec![figure(
        "Open channels",
        grouped(seen.channels as u64),
        format!("of {} {people}", grouped(seen.people as u64)),
        "/console/apps",
    )];
    let Ok(records) = &seen.records else { return figures };
    let pace = &records.pace;
    let latest = pace.latest.map(|at| format!(", latest {}", Moment::of(at, seen.at).words)).unwrap_or_default();
    let note = format!("{} in the last minute{latest}", grouped(pace.last_minute));
    figures.push(figure("Logouts, last hour", grouped(pace.last_hour), note, "/console/logouts"));
    figures.push(figure(
        "Waiting for back ends",
        grouped(records.posts.waiting),
        oldest(&records.posts, seen.at),
        "/console/deliveries",
    ));
    figures.push(figure(
        "Waiting for issuers",
        grouped(records.ends.waiting),
        oldest(&records.ends, seen.at),
        "/console/deliveries",
    ));
    let keys: usize = seen.issuers.iter().map(|issuer| issuer.usable_keys).sum();
    let with_keys = seen.issuers.iter().filter(|issuer| issuer.keys_age.is_some()).count();
    let of_issuers = format!("of {with_keys} of {}", counted(seen.issuers.len() as u64, "issuer"));
    figures.push(figure("Issuers’ keys", grouped(keys as u64), of_issuers, "/console/issuers"));
    let nodes = match records.other_nodes {
        None => "one file, one node".to_owned(),
        Some(0) => "a server, no other node".to_owned(),
        Some(others) => format!("a server, {}", counted(others as u64, "other node")),
    };
    figures.push(figure("Store’s trial commit", span(records.commit), nodes, "/console/checks"));
    figures
}

fn oldest(backlog: &Backlog, now: UnixMillis) -> String {
    backlog.oldest.map_or("nothing waits".to_owned(), |at| format!("the oldest: {}", Moment::of(at, now).words))
}

fn lines(hub: &Hub, unconfirmed: &[Unconfirmed]) -> Vec<AppLine> {
    let line = |app: &Unconfirmed| AppLine {
        name: hub.name_of(&app.issuer, &app.client_id),
        client_id: app.client_id.as_str().to_owned(),
        pending: grouped(app.pending),
        unanswered: grouped(app.unanswered),
        failed: grouped(app.failed),
    };
    unconfirmed.iter().map(line).collect()
}
