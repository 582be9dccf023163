//! Signing in by name: to the issuer and back, for who has the configured claim there.
//!
//! The console's cookie is for requests from the console's own pages only, and a browser that
//! the issuer sends back is on its way from another site, through every redirect. So the way
//! back ends on a page, and it is that page which goes on to the console.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::page::{Refusal, go, show};
use super::sessions::LONGEST_BY_NAME;
use super::sign_in::with_cookie;
use super::{Console, Peer};
use crate::config::ConsoleLogin;
use crate::domain::logout::SignIn;
use crate::hub::ask_who::Reply;
use crate::hub::console_sign_in::Comer;
use crate::hub::denied::Denied;
use crate::hub::own_questions::SignInFault;
use crate::web::navigation::is_navigation;
use crate::web::params::Params;
use crate::web::problem::{Problem, Refused};

/// How long a browser may take at the issuer, in seconds.
const WAY_SECONDS: i64 = 600;

/// The first page after a sign-in.
#[derive(Template)]
#[template(path = "arrived.html")]
struct ArrivedPage;

/// Somebody who is signed in at the issuer, and no operator. Nothing of them is shown, nor which
/// values make an operator: with some claims those name people.
#[derive(Template)]
#[template(path = "stranger.html")]
struct StrangerPage<'a> {
    host: String,
    claim: &'a str,
    again: String,
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOutPage {
    host: String,
    /// The hub's own page for that.
    everywhere: String,
}

/// For a page that has gone to sign in, or comes from there: by GET alone.
pub(super) async fn head_not_allowed() -> Response {
    ([(header::ALLOW, "GET")], Problem::method_not_allowed()).into_response()
}

/// `GET /console/sign-in/issuer`: to the issuer. With `?anew=1` it asks who it is though
/// somebody is signed in there.
pub(super) async fn to_issuer(
    State(console): State<Console>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Refusal> {
    let login = console.login.as_ref().ok_or(Refusal::NoLogin)?;
    if !is_navigation(&headers) {
        return Err(Refusal::NotANavigation);
    }
    let is_another = Params::parse(uri.query().unwrap_or_default())?.has("anew");
    let cookie = console.way_cookie();
    let browser = cookie.read_or_new(&headers);
    let url = console.hub.begin_console_sign_in(login, &browser, is_another).await.map_err(refusal)?;
    let mut response = go(url.as_str());
    if let Some(line) = cookie.set(&browser, WAY_SECONDS) {
        response.headers_mut().append(header::SET_COOKIE, line);
    }
    Ok(response)
}

/// `GET /console/sign-in/callback`: back from the issuer.
pub(super) async fn come_back(
    State(console): State<Console>,
    Peer(peer): Peer,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Refusal> {
    let login = console.login.as_ref().ok_or(Refusal::NoLogin)?;
    if !is_navigation(&headers) {
        return Err(Refusal::NotANavigation);
    }
    let mut params = Params::parse(uri.query().unwrap_or_default())?;
    let (Some(browser), Some(state)) = (console.way_cookie().read(&headers), params.take("state")) else {
        return Err(Refusal::ForeignLink);
    };
    let code = params.take("code").filter(|_| !params.has("error"));
    let reply = Reply { state, code, iss: params.take("iss") };
    // Counted first: so many at once are no way around it.
    if !console.codes.allow(peer) {
        return Err(Refusal::SlowDown);
    }
    let came = console.hub.finish_console_sign_in(login, reply, &browser).await;
    if !matches!(came, Err(SignInFault::Issuer)) {
        console.codes.forgive(peer);
    }
    match came.map_err(refusal)? {
        Comer::Operator(who) => Ok(console.let_in(who, &headers)),
        Comer::Stranger => Ok(no_operator(login)),
        Comer::Over => Err(Refusal::Over),
    }
}

/// `GET /console/signed-out`: the console is left; the issuer, and the apps, are not.
pub(super) async fn signed_out(State(console): State<Console>) -> Result<Response, Refusal> {
    let login = console.login.as_ref().ok_or(Refusal::NoLogin)?;
    let everywhere = format!("{}/logout", console.hub.rules.public_url);
    Ok(show(&SignedOutPage { host: login.issuer.host(), everywhere }, StatusCode::OK))
}

impl Console {
    fn let_in(&self, who: SignIn, headers: &HeaderMap) -> Response {
        let before = self.cookie().read(headers).and_then(|cookie| self.sessions.find(&cookie, false));
        if let Some(before) = before {
            self.sessions.end(&before);
        }
        let name = self.hub.log_name(&who.issuer, who.sub.as_str());
        tracing::info!(operator.hash = name, "an operator has signed in to the console by name");
        let lasts = i64::try_from(LONGEST_BY_NAME.as_secs()).unwrap_or(i64::MAX);
        let page = show(&ArrivedPage, StatusCode::OK);
        let mut response = with_cookie(page, self, &self.sessions.begin(Some(who)), lasts);
        // The page's own address holds the code.
        response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        response
    }
}

fn no_operator(login: &ConsoleLogin) -> Response {
    tracing::warn!("somebody without the configured claim has tried to sign in to the console");
    let again = format!("{}?anew=1", login.begin_url());
    let page = StrangerPage { host: login.issuer.host(), claim: &login.claim, again };
    let mut response = show(&page, StatusCode::FORBIDDEN);
    response.extensions_mut().insert(Refused("no_operator"));
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn refusal(fault: SignInFault) -> Refusal {
    match fault {
        SignInFault::Hub(Denied::KeysUnavailable) | SignInFault::Issuer => Refusal::IssuerUnreachable,
        SignInFault::Hub(denied) => denied.into(),
        SignInFault::Declined => Refusal::Declined,
        SignInFault::NotThisBrowsers | SignInFault::SomebodyElse | SignInFault::NotFresh => Refusal::ForeignLink,
    }
}
