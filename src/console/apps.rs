//! `GET /console/apps`: who is registered, who listens, how each is reached, what failed.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use url::Url;

use super::Console;
use super::page::{Refusal, Shell, show};
use super::sessions::Operator;
use super::words::{Moment, grouped};
use crate::domain::app::{App, BackchannelToken};
use crate::domain::clock::UnixMillis;
use crate::hub::denied::Denied;
use crate::hub::overview::AppState;

#[derive(Template)]
#[template(path = "registered.html")]
struct AppsPage {
    shell: Shell,
    apps: Vec<Row>,
    channels: String,
}

struct Row {
    name: String,
    client_id: String,
    host: String,
    channels: String,
    has_channels: bool,
    last_seen: Option<Moment>,
    ways: Vec<Way>,
    failed: u64,
    unanswered: u64,
    pending: u64,
}

/// A way that the app is reached by.
struct Way {
    name: &'static str,
    address: String,
}

pub(super) async fn apps(State(console): State<Console>, operator: Operator) -> Result<Response, Refusal> {
    let (apps, now) = (console.hub.apps_state().await.map_err(Denied::from)?, console.hub.clock.now());
    let channels: usize = apps.iter().map(|app| app.channels).sum();
    let page = AppsPage {
        shell: console.shell(&operator, "/console/apps"),
        apps: apps.into_iter().map(|app| row(&app, now)).collect(),
        channels: grouped(channels as u64),
    };
    Ok(show(&page, StatusCode::OK))
}

fn row(state: &AppState, now: UnixMillis) -> Row {
    let unconfirmed = state.unconfirmed.as_ref();
    Row {
        name: state.app.name.clone(),
        client_id: state.app.client_id.as_str().to_owned(),
        host: state.app.issuer.host(),
        channels: grouped(state.channels as u64),
        has_channels: state.channels > 0,
        last_seen: state.last_seen.map(|at| Moment::of(at.into(), now)),
        ways: ways(&state.app),
        failed: unconfirmed.map_or(0, |it| it.failed),
        unanswered: unconfirmed.map_or(0, |it| it.unanswered),
        pending: unconfirmed.map_or(0, |it| it.pending),
    }
}

fn ways(app: &App) -> Vec<Way> {
    let mut ways: Vec<_> =
        app.origins.iter().map(|origin| Way { name: "Pages", address: origin.as_str().to_owned() }).collect();
    if app.allow_no_origin {
        ways.push(Way { name: "Native", address: "no origin needed".to_owned() });
    }
    let token = match app.backchannel_logout_token {
        BackchannelToken::Issuer => "Back end, the issuer’s token",
        BackchannelToken::Hub => "Back end, the hub’s token",
    };
    let addresses = [
        (token, &app.backchannel_logout_uri),
        ("Frame", &app.frontchannel_logout_uri),
        ("Redirect", &app.chain_logout_uri),
    ];
    for (name, url) in addresses {
        ways.extend(url.as_ref().map(|url| Way { name, address: without_query(url) }));
    }
    ways
}

/// A query may hold what was meant to be a secret.
fn without_query(url: &Url) -> String {
    url[..url::Position::AfterPath].to_owned()
}
