//! To the issuer and back, to sign in to the pages about a person.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::super::Pages;
use super::super::navigation::Navigated;
use super::super::page::{ErrorPage, Policy, render, slow_down};
use super::super::way::see_other;
use super::view::{SignInChoice, SignInPage};
use super::words::{query, which};
use super::{our_trouble, try_again_by_sign_in};
use crate::domain::ids::Issuer;
use crate::hub::ask_who::Reply;
use crate::hub::own_questions::SignInFault;
use crate::hub::own_sign_in::OWN_LIFE_SECONDS;
use crate::web::caller::ClientAddr;

/// `GET /sessions/sign-in`: to the issuer; to which one, where there are several, the
/// person says first.
pub(in crate::pages) async fn sign_in(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Navigated(mut params): Navigated,
) -> Response {
    pages.to_issuer(&headers, params.take("issuer").as_deref()).await
}

/// `GET /sessions/prove`: to the issuer, to prove once more who one is. What for comes
/// back with the person.
pub(in crate::pages) async fn prove(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Navigated(mut params): Navigated,
) -> Response {
    let Some(wish) = which(&mut params) else { return see_other(&pages.own("/sessions")) };
    let who = match pages.signed_in(&headers).await {
        Ok(who) => who,
        Err(why) => return pages.not_in(why),
    };
    let browser = pages.browser_cookie().read_or_new(&headers);
    match pages.edge.hub.prove_again(&who, wish, &browser).await {
        Ok(url) => pages.see_other_and_back(url.as_str(), &browser),
        Err(fault) => not_signed_in(fault),
    }
}

/// `GET /sessions/callback`: back from the issuer.
pub(in crate::pages) async fn come_back(
    State(pages): State<Pages>,
    ClientAddr(addr): ClientAddr,
    headers: HeaderMap,
    Navigated(mut params): Navigated,
) -> Response {
    let (Some(browser), Some(state)) = (pages.browser_cookie().read(&headers), params.take("state")) else {
        return not_signed_in(SignInFault::NotThisBrowsers);
    };
    let code = params.take("code").filter(|_| !params.has("error"));
    let reply = Reply { state, code, iss: params.take("iss") };
    let old = pages.session_cookie().read(&headers);
    // Counted first: so many at once are no way around it.
    if !pages.edge.codes.allow(addr) {
        return slow_down();
    }
    let arrived = pages.edge.hub.finish_own_sign_in(reply, &browser, old.as_deref()).await;
    if !matches!(arrived, Err(SignInFault::Issuer)) {
        pages.edge.codes.forgive(addr);
    }
    let arrival = match arrived {
        Ok(arrival) => arrival,
        Err(fault) => return not_signed_in(fault),
    };
    let mut response = match arrival.wish {
        Some(wish) => see_other(&pages.own(&format!("/sessions/end?{}", query(&wish)))),
        None => see_other(&pages.own("/sessions")),
    };
    if let Some(cookie) = pages.session_cookie().set(&arrival.cookie, OWN_LIFE_SECONDS) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

impl Pages {
    /// Sends the browser to the issuer of that name, else to the only one, else asks.
    pub(super) async fn to_issuer(&self, headers: &HeaderMap, wanted: Option<&str>) -> Response {
        let hub = &self.edge.hub;
        let mut issuers = hub.own_issuers();
        if let Some(wanted) = wanted {
            issuers.retain(|issuer| issuer.as_str() == wanted);
        }
        let issuer = match issuers.as_slice() {
            [] => return nowhere_to_sign_in(),
            [only] => only,
            several => return choice(several),
        };
        let browser = self.browser_cookie().read_or_new(headers);
        match hub.begin_own_sign_in(issuer, &browser).await {
            Ok(url) => self.see_other_and_back(url.as_str(), &browser),
            Err(fault) => not_signed_in(fault),
        }
    }
}

fn choice(issuers: &[Issuer]) -> Response {
    let choices = issuers.iter().map(|issuer| {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("issuer", issuer.as_str()).finish();
        SignInChoice { host: issuer.host(), href: format!("/sessions/sign-in?{query}") }
    });
    render(&SignInPage { choices: choices.collect() }, StatusCode::OK, &Policy::plain())
}

fn nowhere_to_sign_in() -> Response {
    let text = "The list of sessions is not set up here: the hub has no client of its own at that service.";
    ErrorPage::of("There is no list here", text, "sessions_not_configured").with_status(StatusCode::NOT_FOUND)
}

fn not_signed_in(fault: SignInFault) -> Response {
    let (title, text, code) = match fault {
        SignInFault::Hub(denied) => return our_trouble(&denied),
        SignInFault::Issuer => {
            let text = "The service that signs you in could not be reached, or gave an answer that does not hold. \
                        Nothing was done. Try again in a moment.";
            let page = try_again_by_sign_in("You are not signed in", text, "issuer_unreachable");
            return page.with_status(StatusCode::SERVICE_UNAVAILABLE);
        }
        SignInFault::NotThisBrowsers => (
            "This link is not right",
            "It was used before, has run out, or belongs to another browser. Nothing was done.",
            "foreign_link",
        ),
        SignInFault::Declined => {
            ("You are not signed in", "You did not sign in at your provider, so nothing was done.", "not_signed_in")
        }
        SignInFault::SomebodyElse => (
            "That is somebody else",
            "You were to confirm that it is you, and signed in as another person. Nothing was done.",
            "other_person",
        ),
        SignInFault::NotFresh => (
            "You were not asked again",
            "The service that signs you in did not ask you to sign in once more, so nothing was done. Signing in to \
             it anew may help.",
            "stale_sign_in",
        ),
    };
    try_again_by_sign_in(title, text, code).with_status(StatusCode::FORBIDDEN)
}
