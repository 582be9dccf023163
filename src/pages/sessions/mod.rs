//! "Active sessions": a person sees where they are signed in, and ends what they want.
//!
//! The page is for people who are signed in to it, by the hub's own client at their
//! issuer. Reading takes that; ending another session than one's own takes a sign-in of
//! the last few minutes. Every button is a form with a token of its own.

mod end;
mod ended;
mod list;
mod sign_in;
mod view;
mod words;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::get;

use super::Pages;
use super::page::{ErrorPage, head_not_allowed};
use super::trouble::stuck;
use crate::hub::denied::Denied;
use crate::hub::end_session::Stuck;
use crate::hub::own_sign_in::{NotIn, SignedIn};

/// The routes of the list.
pub(super) fn routes() -> Router<Pages> {
    Router::new()
        .route("/sessions", get(list::list).head(head_not_allowed))
        .route("/sessions/sign-in", get(sign_in::sign_in).head(head_not_allowed))
        .route("/sessions/prove", get(sign_in::prove).head(head_not_allowed))
        .route("/sessions/callback", get(sign_in::come_back).head(head_not_allowed))
        .route("/sessions/end", get(end::ask).post(end::end).head(head_not_allowed))
        .route("/sessions/ended", get(ended::ended).head(head_not_allowed))
        .route("/sessions/progress", get(ended::progress).head(head_not_allowed))
}

impl Pages {
    /// Who is signed in to the pages about a person.
    async fn signed_in(&self, headers: &HeaderMap) -> Result<SignedIn, NotIn> {
        let cookie = self.session_cookie().read(headers).ok_or(NotIn::Nobody)?;
        self.edge.hub.signed_in(&cookie).await
    }

    /// An answer that has the browser forget who was signed in.
    fn forgetting(&self, mut response: Response) -> Response {
        if let Some(cookie) = self.session_cookie().set("", 0) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }

    /// What a person who is not signed in is told, where going to the issuer by itself
    /// would lose what they were about.
    fn not_in(&self, why: NotIn) -> Response {
        match why {
            NotIn::Nobody => {
                let text = "You were not here for a while, so nothing was done. Sign in, and try once more.";
                let page = try_again_by_sign_in("Please sign in again", text, "not_signed_in");
                self.forgetting(page.with_status(StatusCode::FORBIDDEN))
            }
            NotIn::Over => {
                let text = "The session that you opened this page from has ended: you signed out, or were signed out.";
                let page = try_again_by_sign_in("You are signed out", text, "logged_out");
                self.forgetting(page.with_status(StatusCode::FORBIDDEN))
            }
            NotIn::Hub(denied) => our_trouble(&denied),
        }
    }
}

fn try_again_by_sign_in(title: &'static str, text: &'static str, code: &'static str) -> ErrorPage {
    ErrorPage { retry: Some("/sessions/sign-in".to_owned()), ..ErrorPage::of(title, text, code) }
}

fn our_trouble(denied: &Denied) -> Response {
    if matches!(denied, Denied::KeysUnavailable) {
        return stuck(Stuck::IssuerUnreachable);
    }
    let text = "We could not read or write our records just now. It is our fault, not yours. Try again in a moment.";
    let page = ErrorPage::of("That did not work", text, "store_unavailable");
    ErrorPage { retry: Some("/sessions".to_owned()), ..page }.with_status(StatusCode::SERVICE_UNAVAILABLE)
}
