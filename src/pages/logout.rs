//! `GET | POST /logout`, `/logout/continue`, `/logout/callback`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use url::Position;

use super::Pages;
use super::confirm::OwnCookie;
use super::navigation::{is_navigation, sender};
use super::page::{ConfirmPage, DonePage, ErrorPage, IssuerChoice, render};
use crate::domain::ids::Issuer;
use crate::hub::Hub;
use crate::hub::denied::{Denied, RequestFault};
use crate::hub::end_session::{FLIGHT_TTL_SECONDS, Next, Stuck};
use crate::hub::end_session_wish::{Asked, EndSession, WishFault};
use crate::oidc::fault::TokenFault;
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
    let asked = params.and_then(Sent::read);
    let sent = match asked {
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
        Some(issuer) => leave(pages, hub.end_session(wish, &issuer).await),
        None => pages.ask(headers, &sent, &wish),
    }
}

/// `GET /logout/continue`: where a page goes on after its own report.
pub(super) async fn go_on(State(pages): State<Pages>, headers: HeaderMap, request: Request) -> Response {
    if !is_navigation(&headers) {
        return not_a_navigation();
    }
    let mut params = match Params::parse(request.uri().query().unwrap_or_default()) {
        Ok(params) => params,
        Err(fault) => return bad_request(fault),
    };
    let Some(ticket) = params.take("ticket") else { return stuck(Stuck::NoFlight) };
    leave(&pages, pages.edge.hub.continue_flight(&ticket).await)
}

/// `GET /logout/callback`: back from the issuer, which has ended its session.
pub(super) async fn come_back(State(pages): State<Pages>, headers: HeaderMap, request: Request) -> Response {
    if !is_navigation(&headers) {
        return not_a_navigation();
    }
    let mut params = match Params::parse(request.uri().query().unwrap_or_default()) {
        Ok(params) => params,
        Err(fault) => return bad_request(fault),
    };
    // Auth0's /v2/logout returns no state; the cookie then says which flight it was.
    let flight = params.take("state").or_else(|| pages.flight_cookie().read(&headers));
    let Some(flight) = flight else { return stuck(Stuck::NoFlight) };
    leave(&pages, pages.edge.hub.return_from_issuer(&flight).await)
}

/// What came with the request.
struct Sent {
    asked: Asked,
    /// The issuer that the person chose on our page.
    issuer: Option<String>,
    /// The token of our own form.
    confirm: Option<String>,
}

impl Sent {
    fn read(mut params: Params) -> Result<Self, RequestFault> {
        // Two spellings of one parameter are that parameter twice.
        if params.has("post_logout_redirect_uri") && params.has("returnTo") {
            return Err(RequestFault::DuplicateParameter);
        }
        let mut pass_on = Vec::new();
        if params.has("federated") {
            pass_on.push(("federated".to_owned(), params.take("federated").unwrap_or_default()));
        }
        for name in ["logout_hint", "ui_locales"] {
            pass_on.extend(params.take(name).map(|value| (name.to_owned(), value)));
        }
        Ok(Self {
            issuer: params.take("issuer"),
            confirm: params.take("confirm"),
            asked: Asked {
                client_id: params.take("client_id"),
                id_token_hint: params.take("id_token_hint"),
                post_logout_redirect_uri: params.take("post_logout_redirect_uri").or_else(|| params.take("returnTo")),
                state: params.take("state"),
                scope: params.take("scope"),
                pass_on,
            },
        })
    }

    /// The request's parameters as our form repeats them.
    fn fields(&self) -> Vec<(String, String)> {
        let asked = &self.asked;
        let named = [
            ("client_id", &asked.client_id),
            ("post_logout_redirect_uri", &asked.post_logout_redirect_uri),
            ("state", &asked.state),
            ("scope", &asked.scope),
        ];
        let named = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
        named.chain(asked.pass_on.iter().cloned()).collect()
    }

    /// What the confirmation is signed for: all of it.
    fn signed_text(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(self.fields()).finish()
    }
}

impl Pages {
    fn is_secure(&self) -> bool {
        self.edge.hub.rules.public_url.as_str().starts_with("https:")
    }

    fn confirm_cookie(&self) -> OwnCookie {
        OwnCookie::named("slo-confirm", self.is_secure())
    }

    fn flight_cookie(&self) -> OwnCookie {
        OwnCookie::named("slo-flight", self.is_secure())
    }

    fn is_confirmed(&self, headers: &HeaderMap, sent: &Sent) -> bool {
        let Some(token) = &sent.confirm else { return false };
        let Some(nonce) = self.confirm_cookie().read(headers) else { return false };
        self.confirm_key.holds(token, &nonce, &sent.signed_text(), self.edge.hub.clock.now().floor())
    }

    /// Asks the person: nobody we know has sent this request.
    fn ask(&self, headers: &HeaderMap, sent: &Sent, wish: &EndSession) -> Response {
        let cookie = self.confirm_cookie();
        let nonce = cookie.read_or_new(headers);
        let now = self.edge.hub.clock.now().floor();
        let mut fields = sent.fields();
        fields.push(("confirm".to_owned(), self.confirm_key.sign(&nonce, &sent.signed_text(), now)));
        let issuers = choices(&self.edge.hub, wish.issuer());
        let page = ConfirmPage {
            from: wish.app.as_ref().map(|app| app.name.clone()),
            issuers,
            fields,
            everywhere: wish.scope == crate::domain::logout::Scope::User,
            back: wish.app.as_ref().and_then(|app| app.origins.first()).map(ToString::to_string),
        };
        let leads_to = form_action(&self.edge.hub, sent);
        let mut response = render(&page, StatusCode::OK, Some(&leads_to));
        if let Some(cookie) = cookie.set(&nonce, FLIGHT_TTL_SECONDS) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
}

/// The issuers whose sessions can be ended, with their apps.
fn choices(hub: &Hub, only: Option<&Issuer>) -> Vec<IssuerChoice> {
    let issuers = hub.directory.issuers().map(|settings| &settings.issuer);
    let wanted = issuers.filter(|issuer| only.is_none_or(|only| only == *issuer));
    let mut choices: Vec<_> = wanted
        .map(|issuer| {
            let url = url::Url::parse(issuer.as_str()).ok();
            let host = url.map(|url| url[Position::BeforeHost..Position::AfterPort].to_owned());
            let apps = hub.directory.apps().iter().filter(|app| app.issuer == *issuer);
            IssuerChoice {
                issuer: issuer.as_str().to_owned(),
                host: host.unwrap_or_else(|| issuer.as_str().to_owned()),
                apps: apps.map(|app| app.name.clone()).collect(),
            }
        })
        .collect();
    choices.sort_by(|a, b| a.host.cmp(&b.host));
    choices
}

/// Where the form may lead: to us, from here to an issuer, and from there to an app.
/// `federated` goes on to providers that only the issuer knows: then anywhere secure.
fn form_action(hub: &Hub, sent: &Sent) -> String {
    let is_federated = sent.asked.pass_on.iter().any(|(name, _)| name == "federated");
    let mut origins: Vec<String> = vec!["'self'".to_owned()];
    let issuers = hub.directory.issuers().map(|settings| settings.issuer.as_str());
    let apps = hub.directory.apps().iter().flat_map(|app| app.post_logout_redirect_uris.iter().map(String::as_str));
    for url in issuers.chain(apps).filter_map(|text| url::Url::parse(text).ok()) {
        origins.push(url.origin().ascii_serialization());
    }
    if is_federated {
        origins.push("https:".to_owned());
    }
    origins.sort();
    origins.dedup();
    origins.join(" ")
}

fn came_from_an_app(hub: &Arc<Hub>, headers: &HeaderMap) -> bool {
    sender(headers).is_some_and(|origin| hub.directory.knows_origin(&origin))
}

fn leave(pages: &Pages, next: Result<Next, Stuck>) -> Response {
    match next {
        Ok(Next::Issuer { url, flight }) => {
            let mut response = see_other(url.as_str());
            if let Some(cookie) = pages.flight_cookie().set(&flight, FLIGHT_TTL_SECONDS) {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Ok(Next::App(url)) => see_other(&url),
        Ok(Next::Done) => render(&DonePage, StatusCode::OK, None),
        Err(why) => stuck(why),
    }
}

fn see_other(url: &str) -> Response {
    let headers = [(header::LOCATION, url.to_owned()), (header::CACHE_CONTROL, "no-store".to_owned())];
    (StatusCode::SEE_OTHER, headers).into_response()
}

fn not_a_navigation() -> Response {
    let text = "Signing out takes a person who opens this page in a window of their own. A preview, a picture, a frame \
                or a script signs nobody out.";
    ErrorPage::of("Nobody was signed out", text, "not_a_navigation").with_status(StatusCode::FORBIDDEN)
}

fn bad_request(fault: RequestFault) -> Response {
    let status = match fault {
        RequestFault::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        RequestFault::BadContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        RequestFault::TooSlow => StatusCode::REQUEST_TIMEOUT,
        _ => StatusCode::BAD_REQUEST,
    };
    ErrorPage::of("This sign-out link is not right", fault.description(), fault.code()).with_status(status)
}

fn wish_refused(fault: WishFault) -> Response {
    let (text, code) = match fault {
        WishFault::UnknownClient => ("The link names an app that is not registered here.", "unknown_client"),
        WishFault::AmbiguousClient => (
            "The link names an app that several providers know; it has to say which, by id_token_hint.",
            "ambiguous_client",
        ),
        WishFault::ClientMismatch => ("The link names one app and carries another app's token.", "client_mismatch"),
        WishFault::RedirectNotRegistered => (
            "The address to return to is not registered for this app, so you were sent nowhere.",
            "redirect_not_allowed",
        ),
        WishFault::StateTooLong => ("The link's state is longer than 2048 bytes.", "bad_state"),
        WishFault::BadScope => ("The link's scope must be session or user.", "bad_scope"),
        WishFault::Hint(fault) => return hint_refused(fault),
        WishFault::Hub(denied) => return stuck(Stuck::Hub(denied)),
    };
    ErrorPage::of("This sign-out link is not right", text, code).with_status(StatusCode::BAD_REQUEST)
}

fn hint_refused(fault: TokenFault) -> Response {
    let title = "This sign-out link is not right";
    ErrorPage::of(title, fault.description(), fault.code()).with_status(StatusCode::BAD_REQUEST)
}

fn stuck(why: Stuck) -> Response {
    match why {
        Stuck::NoFlight => {
            let text = "This link was used before, or is too old. If you pressed Back: you are where you want to be \
                        already. Otherwise go to the app and sign out once more.";
            ErrorPage::of("This link has been used", text, "used_link").with_status(StatusCode::BAD_REQUEST)
        }
        Stuck::Hint(fault) => hint_refused(fault),
        Stuck::IssuerUnreachable => {
            let text = "Your apps have been told. The service that signs you in cannot be reached just now, so your \
                        session there may still be open. Try again in a moment.";
            let page = ErrorPage::of("Almost signed out", text, "issuer_unreachable");
            ErrorPage { retry: Some("/logout".to_owned()), ..page }.with_status(StatusCode::SERVICE_UNAVAILABLE)
        }
        Stuck::Hub(denied) => {
            let code = if matches!(denied, Denied::KeysUnavailable) { "keys_unavailable" } else { "store_unavailable" };
            let text = "We could not record your sign-out just now. It is our fault, not yours. Try again in a moment.";
            let page = ErrorPage::of("Not signed out yet", text, code);
            ErrorPage { retry: Some("/logout".to_owned()), ..page }.with_status(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}
