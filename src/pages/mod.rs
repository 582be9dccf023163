//! What people see: the common logout redirect endpoint and its pages, and the list of
//! one's own sessions.
//!
//! Every page works without JavaScript. Where one shows apps signing out, a script has it
//! fed live. Each page's policy allows nothing but what is on it.

mod assets;
mod confirm;
mod feed;
mod live;
mod logout;
mod navigation;
mod page;
mod request;
mod sessions;
mod trouble;
mod way;

use axum::Router;
use axum::extract::FromRef;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::web::Edge;
use crate::web::cookie::OwnCookie;

/// What the pages' handlers share.
#[derive(Clone)]
pub struct Pages {
    edge: Edge,
}

impl FromRef<Pages> for Edge {
    fn from_ref(pages: &Pages) -> Self {
        pages.edge.clone()
    }
}

impl Pages {
    /// A secret of the browser's own: what leads back here is good in that browser only.
    fn browser_cookie(&self) -> OwnCookie {
        OwnCookie::named("slo-browser", self.is_secure())
    }

    /// The flight of a browser that is at an issuer which returns no `state`.
    fn flight_cookie(&self) -> OwnCookie {
        OwnCookie::named("slo-flight", self.is_secure())
    }

    /// Who is signed in to the pages about a person.
    fn session_cookie(&self) -> OwnCookie {
        OwnCookie::named("slo-session", self.is_secure())
    }

    fn is_secure(&self) -> bool {
        self.edge.hub.rules.public_url.as_str().starts_with("https:")
    }
}

/// The pages' routes.
pub fn routes(edge: Edge) -> Router {
    let pages = Pages { edge };
    Router::new()
        .route("/logout", get(logout::get).post(logout::post).head(logout::head))
        .route("/logout/continue", get(way::go_on).head(page::head_not_allowed))
        .route("/logout/signed-in", get(way::told_who).head(page::head_not_allowed))
        .route("/logout/signing-out", get(live::signing_out).head(page::head_not_allowed))
        .route("/logout/onward", get(way::onward).head(page::head_not_allowed))
        .route("/logout/chain", get(way::back_from_chain).head(page::head_not_allowed))
        .route("/logout/callback", get(way::come_back).head(page::head_not_allowed))
        .route("/logout/progress", get(live::progress).head(page::head_not_allowed))
        .route("/logout/frames", post(live::frame_says))
        .route("/logout/receipt/{id}", get(live::receipt))
        .merge(sessions::routes())
        .route("/assets/pages.css", get(assets::style_sheet))
        .route("/assets/signing-out.js", get(assets::signing_out_script))
        .route("/assets/sessions.css", get(assets::sessions_style_sheet))
        .route("/assets/sessions.js", get(assets::sessions_script))
        .method_not_allowed_fallback(page::method_not_allowed)
        .layer(from_fn_with_state(pages.edge.clone(), page::hold_back_failures))
        .with_state(pages)
}
