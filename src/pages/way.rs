//! The legs of a browser's way: where it comes in again, and where it goes next.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Pages;
use super::navigation::Navigated;
use super::page::{DonePage, Policy, render};
use super::trouble::stuck;
use crate::hub::ask_who::Reply;
use crate::hub::end_session::{FLIGHT_TTL_SECONDS, Next, Stuck};

/// `GET /logout/continue`: where a page goes on after its own report.
pub(super) async fn go_on(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Navigated(mut params): Navigated,
) -> Response {
    let browser = pages.browser_cookie().read_or_new(&headers);
    let next = match params.take("ticket") {
        Some(ticket) => pages.edge.hub.continue_flight(&ticket, &browser).await,
        None => Err(Stuck::NoFlight),
    };
    pages.leave(next, &browser)
}

/// `GET /logout/signed-in`: back from the issuer, which was asked who is signed in.
pub(super) async fn told_who(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Navigated(mut params): Navigated,
) -> Response {
    let Some(browser) = pages.browser_cookie().read(&headers) else { return stuck(Stuck::NotThisBrowsers) };
    let Some(state) = params.take("state") else { return stuck(Stuck::NotThisBrowsers) };
    // Whatever went wrong at the issuer: there is nobody then whom the hub could name.
    let code = params.take("code").filter(|_| !params.has("error"));
    let reply = Reply { state, code, iss: params.take("iss") };
    pages.leave(pages.edge.hub.told_who(reply, &browser).await, &browser)
}

/// `GET /logout/onward`: from the page that shows the apps signing out.
pub(super) async fn onward(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Navigated(mut params): Navigated,
) -> Response {
    let browser = pages.browser_cookie().read_or_new(&headers);
    let next = match params.take("ticket") {
        Some(ticket) => pages.edge.hub.go_on(&ticket, &browser).await,
        None => Err(Stuck::NoFlight),
    };
    pages.leave(next, &browser)
}

/// `GET /logout/chain`: back from an app of the redirect chain.
pub(super) async fn back_from_chain(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Navigated(mut params): Navigated,
) -> Response {
    let Some(browser) = pages.browser_cookie().read(&headers) else { return stuck(Stuck::NotThisBrowsers) };
    let next = match params.take("state") {
        Some(state) => pages.edge.hub.back_from_chain(&state, &browser).await,
        None => Err(Stuck::NotThisBrowsers),
    };
    pages.leave(next, &browser)
}

/// `GET /logout/callback`: back from the issuer, which has ended its session.
pub(super) async fn come_back(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Navigated(mut params): Navigated,
) -> Response {
    let browser = pages.browser_cookie().read_or_new(&headers);
    // Auth0's /v2/logout returns no state; the cookie then says which flight it was.
    let flight = params.take("state").or_else(|| pages.flight_cookie().read(&headers));
    let next = match flight {
        Some(flight) => pages.edge.hub.return_from_issuer(&flight, &browser).await,
        None => Err(Stuck::NoFlight),
    };
    pages.leave(next, &browser)
}

impl Pages {
    /// Sends the browser on.
    pub(super) fn leave(&self, next: Result<Next, Stuck>, browser: &str) -> Response {
        match next {
            Ok(Next::Issuer { url, flight }) => {
                let mut response = see_other(url.as_str());
                if let Some(cookie) = self.flight_cookie().set(&flight, FLIGHT_TTL_SECONDS) {
                    response.headers_mut().append(header::SET_COOKIE, cookie);
                }
                response
            }
            Ok(Next::Elsewhere(url)) => self.see_other_and_back(url.as_str(), browser),
            Ok(Next::Page(name)) => {
                self.see_other_and_back(&self.own(&format!("/logout/signing-out?ticket={name}")), browser)
            }
            Ok(Next::Receipt(id, name)) => see_other(&self.own(&format!("/logout/receipt/{id}?key={name}"))),
            Ok(Next::App(url)) => see_other(&url),
            Ok(Next::Done) => render(&DonePage, StatusCode::OK, &Policy::plain()),
            Err(why) => stuck(why),
        }
    }

    /// Sends the browser where only this very one can go on from.
    pub(super) fn see_other_and_back(&self, url: &str, browser: &str) -> Response {
        let mut response = see_other(url);
        if let Some(cookie) = self.browser_cookie().set(browser, FLIGHT_TTL_SECONDS) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }

    /// An address of the hub's own.
    pub(super) fn own(&self, path: &str) -> String {
        format!("{}{path}", self.edge.hub.rules.public_url.as_str())
    }
}

pub(super) fn see_other(url: &str) -> Response {
    let headers = [(header::LOCATION, url.to_owned()), (header::CACHE_CONTROL, "no-store".to_owned())];
    (StatusCode::SEE_OTHER, headers).into_response()
}
