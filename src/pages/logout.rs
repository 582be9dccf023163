//! `GET | POST /logout`: where a browser comes in.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::Pages;
use super::navigation::{is_navigation, sender};
use super::request::Sent;
use super::trouble::{bad_request, not_a_navigation, stuck, wish_refused};
use crate::domain::ids::Issuer;
use crate::hub::Hub;
use crate::hub::denied::{Denied, RequestFault};
use crate::hub::end_session::Stuck;
use crate::store::StoreError;
use crate::web::ANSWER_WITHIN;
use crate::web::body::form;
use crate::web::params::Params;
use crate::web::problem::Problem;

/// `GET /logout`: an app's link, or a person's own way here.
pub(super) async fn get(State(pages): State<Pages>, request: Request) -> Response {
    let params = Params::parse(request.uri().query().unwrap_or_default());
    in_time(enter(&pages, request.headers(), params.map(without_confirmation))).await
}

/// `POST /logout`: an app's form, or the button on our own page.
pub(super) async fn post(State(pages): State<Pages>, request: Request) -> Response {
    let headers = request.headers().clone();
    let query = Params::parse(request.uri().query().unwrap_or_default());
    let params = match (query, form(request).await) {
        (Ok(query), Ok(form)) => without_confirmation(query).and(form),
        (Err(fault), _) | (_, Err(fault)) => Err(fault),
    };
    in_time(enter(&pages, &headers, params)).await
}

/// A confirmation is the button's, and comes in a form's body. In an address it could
/// be handed on, or lie in a history, so there it is none.
fn without_confirmation(mut query: Params) -> Params {
    query.take("confirm");
    query
}

/// axum answers HEAD where it answers GET; here both methods sign people out.
pub(super) async fn head() -> impl IntoResponse {
    ([(header::ALLOW, "GET,POST")], Problem::method_not_allowed())
}

/// Within the time that a caller waits at most: what takes longer is our trouble.
async fn in_time(answer: impl Future<Output = Response>) -> Response {
    let late = || stuck(Stuck::Hub(Denied::Store(StoreError::TimedOut)));
    timeout(ANSWER_WITHIN, answer).await.unwrap_or_else(|_| late())
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
    // What the person chose counts only where neither an app nor a hint says whose it is.
    let chosen = || hub.directory.issuer(sent.issuer.as_deref()?).map(|settings| settings.issuer.clone());
    let issuer = wish.issuer().cloned().or_else(chosen).or_else(|| hub.only_issuer());
    let may_go_on =
        wish.hint.is_some() || came_from_an_app(hub, headers, issuer.as_ref()) || pages.is_confirmed(headers, &sent);
    match issuer.filter(|_| may_go_on) {
        Some(issuer) => {
            let browser = pages.browser_cookie().read_or_new(headers);
            pages.leave(hub.end_session(wish, &issuer, &browser).await, &browser)
        }
        None => pages.ask(headers, &sent, &wish),
    }
}

/// Whether a page of an app of that issuer has sent the person. Another issuer's apps
/// have no say in whose session ends.
fn came_from_an_app(hub: &Arc<Hub>, headers: &HeaderMap, issuer: Option<&Issuer>) -> bool {
    let Some(origin) = sender(headers) else { return false };
    let mut apps = hub.directory.apps().iter().filter(|app| issuer.is_none_or(|issuer| app.issuer == *issuer));
    apps.any(|app| app.admits_origin(Some(&origin)))
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_page_that_takes_too_long_says_in_time_that_it_is_not_the_persons_fault() {
        let began = Instant::now();
        let answer = in_time(std::future::pending()).await;
        assert_eq!((answer.status().as_u16(), began.elapsed()), (503, ANSWER_WITHIN));
        assert!(answer.headers().contains_key(header::RETRY_AFTER));
    }
}
