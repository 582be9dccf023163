//! `GET /console/deliveries`: what waits for back ends and issuers, what was given up, and the
//! buttons that have it tried again.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::Console;
use super::page::{Refusal, Shell, go, show};
use super::sessions::Operator;
use super::words::{Moment, counted};
use crate::domain::clock::UnixMillis;
use crate::domain::ids::{ClientId, Issuer};
use crate::hub::Hub;
use crate::hub::denied::RequestFault;
use crate::hub::letters::{Again, Chance, SHOWN};
use crate::store::Letter;
use crate::web::params::Params;

#[derive(Template)]
#[template(path = "deliveries.html")]
struct DeliveriesPage {
    shell: Shell,
    waiting: List,
    given_up: List,
    /// What an operator has just had tried again, in words.
    done: Option<String>,
}

/// Those that wait, or those that were given up.
struct List {
    rows: Vec<Row>,
    apps: Vec<AppButton>,
    /// Whether there are more than are shown.
    is_cut: bool,
}

struct Row {
    /// What the button sends: the field and its value.
    field: (&'static str, i64),
    to: String,
    kind: &'static str,
    logout: String,
    recorded: Moment,
    attempts: u32,
    due: Moment,
    until: Moment,
    error: Option<String>,
    can_be_tried: bool,
    why_not: &'static str,
}

/// A button for all of one app.
struct AppButton {
    issuer: String,
    client_id: String,
    name: String,
}

pub(super) async fn deliveries(
    State(console): State<Console>,
    operator: Operator,
    request: Request,
) -> Result<Response, Refusal> {
    let mut query = Params::parse(request.uri().query().unwrap_or_default())?;
    let done = query.take("again").and_then(|number| number.parse::<u64>().ok());
    let (letters, now) = (console.hub.letters().await?, console.hub.clock.now());
    let page = DeliveriesPage {
        shell: console.shell(&operator, "/console/deliveries"),
        waiting: list(&console.hub, &letters.waiting, now),
        given_up: list(&console.hub, &letters.given_up, now),
        done: done.map(|number| match number {
            0 => "Nothing was left to be tried again.".to_owned(),
            _ => format!("{} tried again now.", counted(number, "delivery")),
        }),
    };
    Ok(show(&page, StatusCode::OK))
}

/// `POST /console/deliveries/retry`.
pub(super) async fn retry(State(console): State<Console>, request: Request) -> Result<Response, Refusal> {
    let (_, mut form) = console.form(request).await?;
    let again = again(&mut form)?;
    let number = console.hub.try_again(again).await?;
    Ok(go(&format!("/console/deliveries?again={number}")))
}

fn again(form: &mut Params) -> Result<Again, RequestFault> {
    let number = |text: Option<String>| text.map(|text| text.parse::<i64>()).transpose();
    let bad = |_| RequestFault::BadTarget;
    let (post, end) = (number(form.take("post")).map_err(bad)?, number(form.take("end")).map_err(bad)?);
    let issuer = form.take("issuer").and_then(|text| Issuer::parse(&text).ok());
    let client_id = form.take("client_id").and_then(|text| ClientId::parse(&text).ok());
    match (post, end, issuer.zip(client_id)) {
        (Some(id), None, None) => Ok(Again::Post(id)),
        (None, Some(place), None) => Ok(Again::End(place)),
        (None, None, Some((issuer, client_id))) => Ok(Again::App(issuer, client_id)),
        _ => Err(RequestFault::BadTarget),
    }
}

fn list(hub: &Hub, letters: &[(Letter, Chance)], now: UnixMillis) -> List {
    let mut apps: Vec<AppButton> = Vec::new();
    for (letter, chance) in letters {
        let Some(client_id) = letter.client_id.as_ref().filter(|_| *chance == Chance::Open) else { continue };
        let (issuer, id) = (letter.issuer.as_str(), client_id.as_str());
        if !apps.iter().any(|app| app.issuer == issuer && app.client_id == id) {
            let name = hub.name_of(&letter.issuer, client_id);
            apps.push(AppButton { issuer: issuer.to_owned(), client_id: id.to_owned(), name });
        }
    }
    let posts = letters.iter().filter(|(letter, _)| letter.client_id.is_some()).count();
    let most = usize::try_from(SHOWN).unwrap_or(usize::MAX);
    List {
        rows: letters.iter().map(|(letter, chance)| row(hub, letter, *chance, now)).collect(),
        apps,
        is_cut: posts >= most || letters.len() - posts >= most,
    }
}

fn row(hub: &Hub, letter: &Letter, chance: Chance, now: UnixMillis) -> Row {
    let (field, to, kind) = match &letter.client_id {
        Some(client_id) => ("post", hub.name_of(&letter.issuer, client_id), "Back end"),
        None => ("end", letter.issuer.host(), "Issuer"),
    };
    Row {
        field: (field, letter.id),
        to,
        kind,
        logout: letter.logout.to_string(),
        recorded: Moment::of(letter.recorded_at, now),
        attempts: letter.attempts,
        due: Moment::due(letter.due_at, now),
        until: Moment::of(letter.good_until, now),
        error: letter.error.clone(),
        can_be_tried: chance == Chance::Open,
        why_not: match chance {
            Chance::Open => "",
            Chance::TokenGone => "Its token was the issuer’s, and has expired: only the issuer can send another.",
            Chance::NoAddress => "It is not configured any more.",
        },
    }
}
