//! Bodies: bounded in size, and in the time they may take to arrive.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::params::Params;
use super::problem::Problem;
use crate::hub::denied::RequestFault;

/// The largest body that is read, in bytes.
pub const BODY_MAX_BYTES: usize = 64 * 1024;
/// How long a body may take to arrive.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// The whole body of a request.
///
/// # Errors
/// [`RequestFault::TooLarge`], [`RequestFault::TooSlow`]; a body that breaks off is
/// too slow as well: its rest never came.
pub async fn whole(body: Body) -> Result<Bytes, RequestFault> {
    let read = Limited::new(body, BODY_MAX_BYTES).collect();
    match tokio::time::timeout(BODY_DEADLINE, read).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(RequestFault::TooLarge),
        Ok(Err(_)) | Err(_) => Err(RequestFault::TooSlow),
    }
}

/// Reads a body that nothing is made of, so that it is bounded all the same.
///
/// # Errors
/// Those of [`whole`].
pub async fn no_flood(request: Request) -> Result<(), Problem> {
    whole(request.into_body()).await.map(|_| ()).map_err(Problem::request)
}

/// Whether the request says that its body is of that type.
#[must_use]
pub fn is_of_type(request: &Request, wanted: &str) -> bool {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(wanted))
}

/// The parameters of a form body.
///
/// # Errors
/// [`RequestFault::BadContentType`] and those of [`whole`] and [`Params::parse`].
pub async fn form(request: Request) -> Result<Params, RequestFault> {
    if !is_of_type(&request, "application/x-www-form-urlencoded") {
        return Err(RequestFault::BadContentType);
    }
    let body = whole(request.into_body()).await?;
    let text = std::str::from_utf8(&body).map_err(|_| RequestFault::BadParameter)?;
    Params::parse(text)
}
