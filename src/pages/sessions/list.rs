//! `GET /sessions`: the list.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::super::Pages;
use super::super::confirm::form_action;
use super::super::navigation::Navigated;
use super::super::page::{Policy, render};
use super::view::{Row, SessionsPage};
use super::{our_trouble, words};
use crate::hub::my_sessions::{OwnSession, OwnSessions, Reach, Which, listed};
use crate::hub::own_sign_in::{NotIn, SignedIn};
use crate::web::caller::FromDevice;

/// Who is not signed in goes to the issuer, and comes back here.
pub(in crate::pages) async fn list(
    State(pages): State<Pages>,
    device: FromDevice,
    headers: HeaderMap,
    Navigated(_): Navigated,
) -> Response {
    let who = match pages.signed_in(&headers).await {
        Ok(who) => who,
        Err(NotIn::Nobody) => return pages.to_issuer(&headers, None).await,
        Err(why) => return pages.not_in(why),
    };
    match pages.edge.hub.own_sessions(&who.sign_in, Some(&device.0)).await {
        Ok(own) => pages.show_list(&who, own),
        Err(denied) => our_trouble(&denied),
    }
}

impl Pages {
    fn show_list(&self, who: &SignedIn, own: OwnSessions) -> Response {
        let OwnSessions { sessions, is_issuer_silent } = own;
        let others = Reach::of(&Which::Others.of(&sessions));
        let page = SessionsPage {
            host: who.sign_in.issuer.host(),
            others: (others.sessions > 0).then(|| words::alive(others)),
            lapsed: (others.lapsed > 0).then(|| words::lapsed(others.lapsed)),
            more: more(&sessions),
            is_issuer_silent,
            rows: self.rows(who, &sessions),
        };
        // A button may lead to the issuer, to end this browser's session there.
        let policy = Policy::form(form_action(&self.edge.hub, false)).with_script();
        render(&page, StatusCode::OK, &policy)
    }

    /// Each session that is listed, with the token of its button.
    pub(super) fn rows(&self, who: &SignedIn, sessions: &[OwnSession]) -> Vec<Row> {
        let now = self.edge.hub.clock.now();
        let row = |session: &OwnSession| {
            let token = self.end_token(who, &Which::One(session.id.clone()));
            Row::of(session.clone(), now, token)
        };
        listed(sessions).iter().map(row).collect()
    }
}

/// How many sessions are alive beside those that are listed.
pub(super) fn more(sessions: &[OwnSession]) -> usize {
    Reach::of(sessions).sessions - listed(sessions).len()
}
