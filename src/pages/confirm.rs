//! Asking the person first, where nobody we know has sent the request.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::Pages;
use super::page::{ConfirmPage, IssuerChoice, Policy, render};
use super::request::Sent;
use crate::domain::ids::Issuer;
use crate::domain::logout::Scope;
use crate::hub::Hub;
use crate::hub::end_session::FLIGHT_TTL_SECONDS;
use crate::hub::end_session_wish::EndSession;
use crate::hub::seal::Purpose;

impl Pages {
    /// Whether a person, in this browser, pressed the button on our own page for this
    /// very request.
    pub(super) fn is_confirmed(&self, headers: &HeaderMap, sent: &Sent) -> bool {
        let Some(token) = &sent.confirm else { return false };
        let Some(browser) = self.browser_cookie().read(headers) else { return false };
        let hub = &self.edge.hub;
        hub.seal.holds(token, Purpose::Confirmation, &browser, &sent.sealed_text(), hub.clock.now().floor())
    }

    /// Asks the person.
    pub(super) fn ask(&self, headers: &HeaderMap, sent: &Sent, wish: &EndSession) -> Response {
        let hub = &self.edge.hub;
        let cookie = self.browser_cookie();
        let browser = cookie.read_or_new(headers);
        let until = hub.clock.now().floor().plus(FLIGHT_TTL_SECONDS);
        let token = hub.seal.put(Purpose::Confirmation, &browser, &sent.sealed_text(), until);
        let mut fields = sent.fields();
        fields.push(("confirm".to_owned(), token));
        let page = ConfirmPage {
            from: wish.app.as_ref().map(|app| app.name.clone()),
            issuers: choices(hub, wish.issuer()),
            fields,
            everywhere: wish.scope == Scope::User,
            back: wish.app.as_ref().and_then(|app| app.origins.first()).map(ToString::to_string),
        };
        let is_federated = sent.asked.pass_on.iter().any(|(name, _)| name == "federated");
        let mut response = render(&page, StatusCode::OK, &Policy::form(form_action(hub, is_federated)));
        if let Some(cookie) = cookie.set(&browser, FLIGHT_TTL_SECONDS) {
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
            let apps = hub.directory.apps_of(issuer);
            IssuerChoice {
                issuer: issuer.as_str().to_owned(),
                host: issuer.host(),
                apps: apps.map(|app| app.name.clone()).collect(),
            }
        })
        .collect();
    choices.sort_by(|a, b| a.host.cmp(&b.host));
    choices
}

/// Where the form may lead: to us, from here to an issuer, and from there to an app.
/// `federated` goes on to providers that only the issuer knows: then anywhere secure.
pub(super) fn form_action(hub: &Hub, is_federated: bool) -> String {
    let mut origins: Vec<String> = vec!["'self'".to_owned()];
    let issuers: Vec<_> = hub.directory.issuers().map(|settings| &settings.issuer).collect();
    // An issuer may have its doors elsewhere.
    for metadata in issuers.iter().filter_map(|issuer| hub.keys.metadata(issuer)) {
        let doors = [
            metadata.authorization_endpoint.as_ref().map(openidconnect::AuthUrl::url),
            metadata.end_session_endpoint.as_ref(),
        ];
        origins.extend(doors.into_iter().flatten().map(|url| url.origin().ascii_serialization()));
    }
    let issuers = issuers.into_iter().map(Issuer::as_str);
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
