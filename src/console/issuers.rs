//! `GET /console/issuers`: whose tokens the hub takes, how it has their keys, and its own keys.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::Console;
use super::page::{Refusal, Shell, show};
use super::sessions::Operator;
use super::words::{Moment, counted, grouped, span};
use crate::domain::clock::{UnixMillis, UnixSeconds};
use crate::domain::signing_key::SigningKey;
use crate::hub::denied::Denied;
use crate::oidc::keys::IssuerHealth;

#[derive(Template)]
#[template(path = "issuers.html")]
struct IssuersPage {
    shell: Shell,
    issuers: Vec<IssuerCard>,
    keys: Vec<KeyRow>,
}

struct IssuerCard {
    issuer: String,
    host: String,
    /// `good`, `careful` or `wrong`.
    mark: &'static str,
    state: String,
    keys: usize,
    fetched: Option<String>,
    fetches_ok: String,
    fetches_failed: String,
    trouble: Option<(Moment, String)>,
    has_metadata: bool,
    algs: String,
    apps: String,
    has_client: bool,
    has_management: bool,
}

struct KeyRow {
    kid: String,
    state: &'static str,
    made: Moment,
    signs_from: Moment,
    signs_until: Option<Moment>,
}

pub(super) async fn issuers(State(console): State<Console>, operator: Operator) -> Result<Response, Refusal> {
    let now = console.hub.clock.now();
    let keys = console.hub.own_keys().await.map_err(Denied::from)?;
    let page = IssuersPage {
        shell: console.shell(&operator, "/console/issuers"),
        issuers: console.hub.issuers_health().into_iter().map(|health| card(&console, health, now)).collect(),
        keys: keys.iter().map(|key| key_row(key, now)).collect(),
    };
    Ok(show(&page, StatusCode::OK))
}

fn card(console: &Console, health: IssuerHealth, now: UnixMillis) -> IssuerCard {
    let directory = &console.hub.directory;
    let settings = directory.issuer(health.issuer.as_str());
    let (mark, state) = match (health.keys_age, &health.trouble) {
        (None, _) => ("wrong", "No keys: its tokens cannot be checked"),
        (Some(_), Some(_)) => ("careful", "The last fetch failed; older keys are used"),
        (Some(_), None) => ("good", "Keys at hand"),
    };
    let algs = settings.map_or_else(Vec::new, |it| it.signing_algs.iter().map(|alg| alg.as_str()).collect());
    IssuerCard {
        host: health.issuer.host(),
        mark,
        state: state.to_owned(),
        keys: health.usable_keys,
        fetched: health.keys_age.map(|age| format!("{} ago", span(age))),
        fetches_ok: grouped(health.fetches_ok),
        fetches_failed: grouped(health.fetches_failed),
        trouble: health.trouble.map(|(at, why)| (Moment::of(at, now), why)),
        has_metadata: health.has_metadata,
        algs: algs.join(", "),
        apps: counted(directory.apps_of(&health.issuer).count() as u64, "app"),
        has_client: settings.is_some_and(|it| it.client.is_some()),
        has_management: settings.is_some_and(|it| it.management.is_some()),
        issuer: health.issuer.as_str().to_owned(),
    }
}

fn key_row(key: &SigningKey, now: UnixMillis) -> KeyRow {
    let at = |seconds: UnixSeconds| Moment::of(seconds.into(), now);
    KeyRow {
        kid: key.kid.clone(),
        state: key.state(now.floor()).as_str(),
        made: at(key.made_at),
        signs_from: at(key.signs_from),
        signs_until: key.signs_until.map(at),
    }
}
