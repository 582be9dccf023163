//! The WebSocket edge, protocol `slo.v1`.

pub mod close_code;
mod follow;
pub mod frame;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzed;
mod handshake;
pub mod rfc6455;
mod serve;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use hyper::upgrade::{OnUpgrade, Upgraded};

use crate::domain::via::Via;
use crate::hub::Hub;
use crate::hub::denied::Denied;
use crate::listener::{self, TimedStream};
use crate::web::Edge;
use crate::web::caller::{ClientAddr, FromDevice, FromOrigin};
use crate::web::problem::Problem;
use handshake::Handshake;
use rfc6455::{Limits, Socket};
use serve::{Conversation, Peer};
use wire::Wire;

/// The one subprotocol there is.
pub const PROTOCOL: &str = "slo.v1";

/// What is read of one message before it is refused as too large. More bytes than the
/// protocol allows, so that the refusal can still be said.
const LIMITS: Limits = Limits { message_bytes: 64 * 1024, fragments: 256 };
const _: () = assert!(LIMITS.message_bytes as usize > frame::MESSAGE_MAX_BYTES, "the refusal can be said");

/// The channel's route.
pub fn routes() -> Router<Edge> {
    Router::new().route("/ws", any(upgrade))
}

/// `GET /ws`. Everything that can be refused without a token is refused here.
async fn upgrade(
    State(edge): State<Edge>,
    addr: ClientAddr,
    origin: FromOrigin,
    device: FromDevice,
    headers: HeaderMap,
    handshake: Handshake,
) -> Response {
    if let Some(origin) = origin.as_deref()
        && !edge.hub.directory.knows_origin(origin)
    {
        return Problem::from(Denied::Origin).into_response();
    }
    if !offers_protocol(&headers) {
        return protocol_needed().into_response();
    }
    let peer = Box::new(Peer {
        origin: origin.0.map(String::into_boxed_str),
        addr: addr.0,
        device: Some(device.0),
        failures: edge.failures,
        pass: edge.gate.enter(addr.0),
        subscribe_within: edge.subscribe_timeout,
    });
    let (response, upgrade) = handshake.answer(PROTOCOL);
    let tasks = edge.hub.tasks.clone();
    tasks.spawn(converse(edge.hub, peer, upgrade));
    response
}

/// Takes the connection out of HTTP, and serves it to its end.
async fn converse(hub: Arc<Hub>, peer: Box<Peer>, upgrade: OnUpgrade) {
    // A peer that left before it was answered is no news.
    let Some(socket) = upgrade.await.ok().and_then(open) else { return };
    let open = hub.metrics.socket(Via::WebSocket);
    let mut conversation = Conversation { wire: Wire::new(socket), hub, peer, _open: open };
    conversation.run().await;
}

fn open(upgraded: Upgraded) -> Option<Socket<TimedStream>> {
    let (stream, early) = listener::take_over(upgraded)?;
    Some(Socket::new(stream, &early, LIMITS))
}

fn offers_protocol(headers: &HeaderMap) -> bool {
    let offers = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let mut names = offers.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    names.any(|name| name.trim() == PROTOCOL)
}

fn protocol_needed() -> Problem {
    Problem {
        status: StatusCode::BAD_REQUEST,
        error: "invalid_request",
        code: "protocol_needed",
        description: "Offer the subprotocol slo.v1 in Sec-WebSocket-Protocol.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_future<A, B, C, F>(_: impl FnOnce(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    /// A count, not a clock: what an idle socket's task holds.
    #[test]
    fn an_idle_socket_stays_small() {
        let bytes = size_of_future(converse);
        assert!(bytes <= 1_000, "{bytes} bytes a socket's task");
    }
}
