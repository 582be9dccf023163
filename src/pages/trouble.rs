//! Pages for when something is wrong: no `Location`, and a code for developers.

use axum::http::StatusCode;
use axum::response::Response;

use super::page::ErrorPage;
use crate::hub::denied::{Denied, RequestFault};
use crate::hub::end_session::Stuck;
use crate::hub::end_session_wish::WishFault;
use crate::oidc::fault::TokenFault;

pub(super) fn not_a_navigation() -> Response {
    let text = "Signing out takes a person who opens this page in a window of their own. A preview, a picture, a frame \
                or a script signs nobody out.";
    ErrorPage::of("Nobody was signed out", text, "not_a_navigation").with_status(StatusCode::FORBIDDEN)
}

pub(super) fn bad_request(fault: RequestFault) -> Response {
    let status = match fault {
        RequestFault::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        RequestFault::BadContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        RequestFault::TooSlow => StatusCode::REQUEST_TIMEOUT,
        _ => StatusCode::BAD_REQUEST,
    };
    ErrorPage::of("This sign-out link is not right", fault.description(), fault.code()).with_status(status)
}

pub(super) fn wish_refused(fault: WishFault) -> Response {
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

pub(super) fn stuck(why: Stuck) -> Response {
    match why {
        Stuck::NoFlight => {
            let text = "This link was used before, or is too old. If you pressed Back: you are where you want to be \
                        already. Otherwise go to the app and sign out once more.";
            ErrorPage::of("This link has been used", text, "used_link").with_status(StatusCode::BAD_REQUEST)
        }
        Stuck::NotThisBrowsers => {
            let text = "This link was changed on its way, has run out, or belongs to another browser. Nobody was signed \
                        out by it. Go to the app and sign out there.";
            ErrorPage::of("This link is not right", text, "foreign_link").with_status(StatusCode::BAD_REQUEST)
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
