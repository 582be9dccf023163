//! What people see: the common logout redirect endpoint and its pages.
//!
//! Every page works without JavaScript and has none; its policy allows nothing but
//! its own style sheet.

mod confirm;
mod logout;
mod navigation;
mod page;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use axum::middleware::from_fn_with_state;
use axum::routing::get;

use crate::web::Edge;
use confirm::ConfirmKey;

/// What the pages' handlers share.
#[derive(Clone)]
pub struct Pages {
    edge: Edge,
    confirm_key: Arc<ConfirmKey>,
}

impl FromRef<Pages> for Edge {
    fn from_ref(pages: &Pages) -> Self {
        pages.edge.clone()
    }
}

/// The pages' routes. `key` signs the confirmation form; every node of one hub has
/// the same.
pub fn routes(edge: Edge, key: [u8; 32]) -> Router {
    let pages = Pages { edge, confirm_key: Arc::new(ConfirmKey::new(key)) };
    Router::new()
        .route("/logout", get(logout::get).post(logout::post).head(page::head_not_allowed))
        .route("/logout/continue", get(logout::go_on).head(page::head_not_allowed))
        .route("/logout/callback", get(logout::come_back).head(page::head_not_allowed))
        .route("/assets/pages.css", get(page::style_sheet))
        .method_not_allowed_fallback(page::method_not_allowed)
        .layer(from_fn_with_state(pages.edge.clone(), page::hold_back_failures))
        .with_state(pages)
}
