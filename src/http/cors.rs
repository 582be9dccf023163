//! Which pages may read the API's answers: those of registered origins.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header, request::Parts};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::domain::app::Directory;

/// A registered origin is echoed, on errors too; no credentials, because no cookie
/// counts here. Which app an origin may speak for is the verbs' to say.
pub(super) fn for_registered_origins(directory: &Arc<Directory>) -> CorsLayer {
    let directory = Arc::clone(directory);
    let is_registered = move |origin: &HeaderValue, _: &Parts| {
        let origin = origin.to_str().ok();
        origin.is_some_and(|origin| directory.knows_origin(origin))
    };
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(is_registered))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([
            header::LOCATION,
            header::RETRY_AFTER,
            header::WWW_AUTHENTICATE,
            HeaderName::from_static("x-request-id"),
        ])
        .max_age(Duration::from_secs(3600))
}
