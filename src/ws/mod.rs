//! The WebSocket edge, protocol `slo.v1`.

pub mod close_code;
mod follow;
pub mod frame;
mod serve;
mod wire;

use std::future::ready;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;

use crate::domain::via::Via;
use crate::hub::denied::Denied;
use crate::web::Edge;
use crate::web::caller::{ClientAddr, FromDevice, FromOrigin};
use crate::web::problem::Problem;
use serve::{Conversation, Peer};
use wire::Wire;

/// The one subprotocol there is.
pub const PROTOCOL: &str = "slo.v1";

/// Room for reading; most messages are smaller, and larger ones make it grow. The
/// library's own default, 128 KiB a socket, is the greatest part of what a socket costs.
const READ_BUFFER_BYTES: usize = 512;

/// What is read of one message before it is refused as too large. More than the
/// protocol allows, so that the refusal can still be said.
const PARSE_MAX_BYTES: usize = 4 * frame::MESSAGE_MAX_BYTES;

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
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return not_a_handshake(&rejection),
    };
    if let Some(origin) = origin.as_deref()
        && !edge.hub.directory.knows_origin(origin)
    {
        return Problem::from(Denied::Origin).into_response();
    }
    if !offers_protocol(&headers) {
        return protocol_needed().into_response();
    }
    let peer = Peer {
        origin: origin.0.map(String::into_boxed_str),
        addr: addr.0,
        device: Some(device.0),
        failures: edge.failures,
        pass: edge.gate.enter(addr.0),
        subscribe_within: edge.subscribe_timeout,
    };
    let hub = edge.hub;
    // Shutdown waits for the handshake too, whose task is axum's own.
    let token = hub.tasks.token();
    upgrade
        .protocols([PROTOCOL])
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(PARSE_MAX_BYTES)
        .max_frame_size(PARSE_MAX_BYTES)
        .on_upgrade(move |socket| {
            // A task of the hub's own, so that axum's, with all that a handshake holds,
            // ends here.
            let (open, tasks) = (hub.metrics.socket(Via::WebSocket), hub.tasks.clone());
            let mut conversation = Conversation { wire: Wire::new(socket), hub, peer, _open: open };
            tasks.spawn(async move { conversation.run().await });
            drop(token);
            ready(())
        })
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

fn not_a_handshake(rejection: &WebSocketUpgradeRejection) -> Response {
    if matches!(rejection, WebSocketUpgradeRejection::MethodNotGet(_)) {
        let mut response = Problem::method_not_allowed().into_response();
        response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("GET"));
        return response;
    }
    Problem {
        status: StatusCode::BAD_REQUEST,
        error: "invalid_request",
        code: "not_a_websocket",
        description: "This address takes WebSocket handshakes only (RFC 6455), with the subprotocol slo.v1.",
    }
    .into_response()
}
