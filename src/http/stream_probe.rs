//! `GET /.well-known/slo-hub/stream`: an event stream of less than a second, for who
//! wants to know whether a proxy on the way holds streams back. Says nothing.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use tokio::time::sleep;

use crate::hub::denied::Denied;
use crate::web::Edge;
use crate::web::caller::ClientAddr;
use crate::web::problem::Problem;
use crate::web::respond::event_stream;

/// A comment now, and after each pause.
const PAUSES: u32 = 2;
const PAUSE: Duration = Duration::from_millis(400);

/// The stream. It counts as a channel of its caller's while it lasts.
pub(super) async fn stream(State(edge): State<Edge>, addr: ClientAddr) -> Result<Response, Problem> {
    let pass = edge.gate.enter(addr.0).ok_or(Denied::TooMany)?;
    Ok(event_stream(stream::unfold((0, pass), async |(said, pass)| {
        if said > PAUSES {
            return None;
        }
        if said > 0 {
            sleep(PAUSE).await;
        }
        Some((Bytes::from_static(b":\n\n"), (said + 1, pass)))
    })))
}
