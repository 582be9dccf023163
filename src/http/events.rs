//! `GET /api/v1/events`: the channel as server-sent events, for apps whose network
//! lets no WebSocket through.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use tokio::time::{Instant, sleep, sleep_until};

use super::layers::in_time;
use crate::channels::{Heard, Notice};
use crate::domain::via::Via;
use crate::hub::Hub;
use crate::hub::denied::{Denied, RequestFault};
use crate::hub::event::Welcome;
use crate::hub::subscribe::{Live, Subscribed};
use crate::listener::gate::Pass;
use crate::metrics::OpenSocket;
use crate::web::Edge;
use crate::web::caller::{ClientAddr, Credential, FromDevice, FromOrigin};
use crate::web::problem::Problem;
use crate::web::respond::event_stream;

/// How long a stream stays open after its `slo-event`, so that nothing of it is lost
/// in a proxy's buffer.
const LINGER: Duration = Duration::from_secs(5);

/// One stream and what it holds open.
struct Stream {
    hub: Arc<Hub>,
    live: Option<Live>,
    next_beat: Instant,
    heartbeat: Duration,
    ends_at: Option<Instant>,
    pending: Option<Bytes>,
    _pass: Pass,
    _open: OpenSocket,
}

/// Opens the stream. Everything that can be refused is refused before it begins.
pub(super) async fn stream(
    State(edge): State<Edge>,
    addr: ClientAddr,
    origin: FromOrigin,
    device: FromDevice,
    headers: HeaderMap,
    credential: Credential,
) -> Result<Response, Problem> {
    if !accepts_events(&headers) {
        return Err(Problem::request(RequestFault::NotAcceptable));
    }
    let Credential::Bearer(token) = credential else { return Err(Denied::NoCredentials.into()) };
    let hub = Arc::clone(&edge.hub);
    let pass = edge.gate.enter(addr.0).ok_or(Denied::TooMany)?;
    let subscribed = in_time(hub.subscribe(token.reveal(), origin.as_deref(), Via::Sse, Some(device.0))).await?;
    let heartbeat = crate::hub::event::heartbeat();
    let open = hub.metrics.socket(Via::Sse);
    let mut stream = Stream {
        live: None,
        next_beat: Instant::now() + heartbeat,
        heartbeat,
        ends_at: None,
        pending: None,
        _pass: pass,
        _open: open,
        hub,
    };
    match subscribed {
        Subscribed::Live(live) => {
            let idle_timeout = stream.hub.life.timeouts().idle;
            let welcome = Welcome::of(live.subscription.sign_in(), &live.resume, heartbeat, idle_timeout);
            stream.pending = Some(event("subscribed", &welcome.encode()));
            stream.live = Some(live);
        }
        Subscribed::Over(over) => stream.say_over(&over.notice, &over.sign_in),
    }
    Ok(event_stream(stream::unfold(stream, async |mut stream| Some((stream.next().await?, stream)))))
}

impl Stream {
    fn say_over(&mut self, notice: &Notice, sign_in: &crate::domain::logout::SignIn) {
        self.pending = Some(event("slo-event", &notice.event));
        self.ends_at = Some(Instant::now() + LINGER);
        self.hub.note_told(notice.logout.id, sign_in, Via::Sse);
        self.live = None;
    }

    /// The next piece of the stream; `None` ends it.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(chunk) = self.pending.take() {
                return Some(chunk);
            }
            if let Some(ends_at) = self.ends_at {
                tokio::select! {
                    () = sleep_until(ends_at) => {}
                    () = self.hub.tasks.stopping() => {}
                }
                return None;
            }
            let live = self.live.as_ref()?;
            let heard = tokio::select! {
                heard = live.subscription.heard() => Some(heard),
                () = sleep(self.next_beat.saturating_duration_since(Instant::now())) => None,
                () = self.hub.tasks.stopping() => return None,
            };
            match heard {
                Some(Heard::LoggedOut(notice)) => {
                    let sign_in = live.subscription.sign_in().clone();
                    self.say_over(&notice, &sign_in);
                }
                Some(Heard::Idle(signal)) => self.pending = Some(event(signal.name(), &signal.encode())),
                None => {
                    self.next_beat = Instant::now() + self.heartbeat;
                    self.pending = Some(Bytes::from_static(b":\n\n"));
                }
            }
        }
    }
}

fn accepts_events(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*");
    let mut ranges = accept.split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
    ranges.any(|range| ["text/event-stream", "text/*", "*/*"].iter().any(|own| own.eq_ignore_ascii_case(range)))
}

/// One event. The data is one line of JSON, so it needs no escaping.
fn event(name: &str, data: &[u8]) -> Bytes {
    let mut text = format!("event: {name}\ndata: ").into_bytes();
    text.extend_from_slice(data);
    text.extend_from_slice(b"\n\n");
    text.into()
}
