//! `GET | POST /logout`: where a browser comes in.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::Pages;
use super::navigation::{is_navigation, sender};
use super::request::Sent;
use super::trouble::{bad_request, not_a_navigation, wish_refused};
use crate::hub::Hub;
use crate::hub::denied::RequestFault;
use crate::web::body::form;
use crate::web::params::Params;

/// `GET /logout`: an app's link, or a person's own way here.
pub(super) async fn get(State(pages): State<Pages>, request: Request) -> Response {
    let params = Params::parse(request.uri().query().unwrap_or_default());
    enter(&pages, request.headers(), params).await
}

/// `POST /logout`: an app's form, or the button on our own page.
pub(super) async fn post(State(pages): State<Pages>, request: Request) -> Response {
    let headers = request.headers().clone();
    let query = Params::parse(request.uri().query().unwrap_or_default());
    let params = match (query, form(request).await) {
        (Ok(query), Ok(form)) => query.and(form),
        (Err(fault), _) | (_, Err(fault)) => Err(fault),
    };
    enter(&pages, &headers, params).await
}

async fn enter(pages: &Pages, headers: &HeaderMap, params: Result<Params, RequestFault>) -> Response {
    if !is_navigation(headers) {
        return not_a_navigation();
    }
    let sent = match params.and_then(Sent::read) {
        Ok(sent) => sent,
        Err(fault) => return bad_request(fault),
    };
    let hub = &pages.edge.hub;
    let wish = match hub.understand(sent.asked.clone()).await {
        Ok(wish) => wish,
        Err(fault) => return wish_refused(fault),
    };
    let issuer = match sent.issuer.as_deref() {
        Some(named) => hub.directory.issuer(named).map(|settings| settings.issuer.clone()),
        None => wish.issuer().cloned().or_else(|| hub.only_issuer()),
    };
    let may_go_on = wish.hint.is_some() || came_from_an_app(hub, headers) || pages.is_confirmed(headers, &sent);
    match issuer.filter(|_| may_go_on) {
        Some(issuer) => {
            let browser = pages.browser_cookie().read_or_new(headers);
            pages.leave(hub.end_session(wish, &issuer, &browser).await, &browser)
        }
        None => pages.ask(headers, &sent, &wish),
    }
}

fn came_from_an_app(hub: &Arc<Hub>, headers: &HeaderMap) -> bool {
    sender(headers).is_some_and(|origin| hub.directory.knows_origin(&origin))
}
