//! `/sessions/end`: what is about to end, and the button that ends it.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::super::Pages;
use super::super::confirm::form_action;
use super::super::navigation::{Navigated, is_navigation, sender};
use super::super::page::{ErrorPage, Policy, render};
use super::super::trouble::{bad_request, not_a_navigation, stuck};
use super::super::way::see_other;
use super::list::more;
use super::our_trouble;
use super::view::EndPage;
use super::words::{counted, query, reach, sealed_text, which};
use crate::hub::end_session::Stuck;
use crate::hub::my_sessions::{OwnSession, Reach, Which};
use crate::hub::own_sign_in::SignedIn;
use crate::hub::seal::Purpose;
use crate::web::body::form;
use crate::web::caller::FromDevice;

/// Whose sessions are meant, and which.
struct Meant {
    who: SignedIn,
    chosen: Vec<OwnSession>,
    /// Whether the issuer could not be asked for more.
    is_issuer_silent: bool,
}

/// How long the tokens of a page's buttons are good, in seconds.
const TOKEN_SECONDS: i64 = 3600;

/// `GET /sessions/end`: asks. Nothing ends by it.
pub(in crate::pages) async fn ask(
    State(pages): State<Pages>,
    device: FromDevice,
    headers: HeaderMap,
    Navigated(mut params): Navigated,
) -> Response {
    let Some(which) = which(&mut params) else { return see_other(&pages.own("/sessions")) };
    match pages.chosen(&headers, device, &which).await {
        Ok(meant) => pages.ask_to_end(&which, meant),
        Err(refusal) => refusal,
    }
}

/// `POST /sessions/end`: the button of a row, or of the page that asked.
pub(in crate::pages) async fn end(State(pages): State<Pages>, device: FromDevice, request: Request) -> Response {
    let headers = request.headers().clone();
    if !is_navigation(&headers) || !pages.is_own_form(&headers) {
        return not_a_navigation();
    }
    let mut params = match form(request).await {
        Ok(params) => params,
        Err(fault) => return bad_request(fault),
    };
    let (Some(which), token) = (which(&mut params), params.take("token")) else {
        return see_other(&pages.own("/sessions"));
    };
    let meant = match pages.chosen(&headers, device, &which).await {
        Ok(meant) => meant,
        Err(refusal) => return refusal,
    };
    let Meant { who, chosen, .. } = &meant;
    let hub = &pages.edge.hub;
    let now = hub.clock.now().floor();
    let is_sealed = |token: &str| hub.seal.holds(token, Purpose::EndSessions, who.browser(), &sealed_text(&which), now);
    if !token.as_deref().is_some_and(is_sealed) {
        return foreign_form();
    }
    let browser = pages.browser_cookie().read_or_new(&headers);
    if let [this] = chosen.as_slice()
        && this.is_current
    {
        let next = hub.end_this(who, this, &browser).await;
        return pages.forgetting(pages.leave(next, &browser));
    }
    if !hub.is_fresh(&who.sign_in) {
        return pages.ask_to_end(&which, meant);
    }
    match hub.end_and_show(who, chosen, &browser).await {
        Ok(name) => pages.see_other_and_back(&pages.own(&format!("/sessions/ended?ticket={name}")), &browser),
        Err(Stuck::Hub(denied)) => our_trouble(&denied),
        Err(why) => stuck(why),
    }
}

impl Pages {
    /// The sessions that are meant, of the person who is signed in. A session that is
    /// not theirs, is over, or never was, is all the same.
    async fn chosen(&self, headers: &HeaderMap, device: FromDevice, which: &Which) -> Result<Meant, Response> {
        let who = self.signed_in(headers).await.map_err(|why| self.not_in(why))?;
        let found = self.edge.hub.own_sessions(&who.sign_in, Some(&device.0)).await;
        let found = found.map_err(|denied| our_trouble(&denied))?;
        let chosen = which.of(&found.sessions);
        let is_issuer_silent = found.is_issuer_silent;
        if chosen.is_empty() { Err(nothing_there()) } else { Ok(Meant { who, chosen, is_issuer_silent }) }
    }

    fn ask_to_end(&self, which: &Which, meant: Meant) -> Response {
        let hub = &self.edge.hub;
        let Meant { who, chosen, is_issuer_silent } = meant;
        let is_all = *which == Which::Others;
        let is_current = chosen.iter().all(|session| session.is_current);
        let must_prove = !is_current && !hub.is_fresh(&who.sign_in);
        let device = matches!(which, Which::One(_)).then(|| chosen[0].device.clone());
        let button = match &device {
            Some(device) => format!("Sign out {device}"),
            None => format!("Sign out {}", counted(chosen.len(), "session")),
        };
        let page = EndPage {
            device,
            is_current,
            reach: reach(Reach::of(&chosen)),
            button,
            field: match which {
                Which::One(id) => ("session", id.clone()),
                Which::Others => ("others", "1".to_owned()),
            },
            token: self.end_token(&who, which),
            silent: (is_all && is_issuer_silent).then(|| who.sign_in.issuer.host()),
            prove: must_prove.then(|| format!("/sessions/prove?{}", query(which))),
            more: more(&chosen),
            rows: self.rows(&who, &chosen),
        };
        let policy = Policy::form(form_action(hub, false)).with_script();
        render(&page, StatusCode::OK, &policy)
    }

    /// The token of a button that ends those.
    pub(super) fn end_token(&self, who: &SignedIn, which: &Which) -> String {
        let hub = &self.edge.hub;
        let until = hub.clock.now().floor().plus(TOKEN_SECONDS);
        hub.seal.put(Purpose::EndSessions, who.browser(), &sealed_text(which), until)
    }

    /// Whether a form was sent by a page of ours, as far as the browser says.
    fn is_own_form(&self, headers: &HeaderMap) -> bool {
        sender(headers).is_none_or(|origin| origin == self.edge.hub.rules.public_url.as_str())
    }
}

fn nothing_there() -> Response {
    let text = "It may have ended in the meantime. Nothing was done.";
    let page = ErrorPage::of("That session is not there", text, "no_such_session");
    ErrorPage { retry: Some("/sessions".to_owned()), ..page }.with_status(StatusCode::NOT_FOUND)
}

fn foreign_form() -> Response {
    let text = "The button that was pressed is not one of your own page, or the page is too old. Nothing was done.";
    let page = ErrorPage::of("Nobody was signed out", text, "foreign_form");
    ErrorPage { retry: Some("/sessions".to_owned()), ..page }.with_status(StatusCode::FORBIDDEN)
}
