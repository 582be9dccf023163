//! sockudo, which speaks Pusher's protocol.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use bytes::Bytes;
use md5::{Digest, Md5};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::{Adapter, Launch, Peer, configured, local};
use crate::Failure;
use crate::dialect::{Dialect, Heard, Opening, event, event_of};
use crate::http::request;
use crate::hub::free_port;

/// The version that `scripts/need` builds, and where.
const BUILT: (&str, &str) = ("5.2.0", concat!(env!("CARGO_MANIFEST_DIR"), "/target/peers/sockudo-5.2.0/bin/sockudo"));
/// As its configuration says.
const KEY: &str = "bench-key";
const SECRET: &[u8] = b"bench-secret";
const EVENTS: &str = "/apps/bench/events";

/// A channel is a public one of Pusher's.
pub struct Sockudo;

impl Adapter for Sockudo {
    fn name(&self) -> &'static str {
        "sockudo"
    }

    fn version(&self) -> Result<String, String> {
        let (version, program) = BUILT;
        let missing = || format!("sockudo {version} is not built (scripts/need sockudo)");
        std::path::Path::new(program).is_file().then(|| version.to_owned()).ok_or_else(missing)
    }

    fn start(&self, launch: Launch) -> Result<Peer, Failure> {
        let port = free_port()?;
        let (folder, path) = configured("sockudo.toml", &[("PORT", &*port.to_string())])?;
        launch.run(folder, &[BUILT.1, "--config", &path], local(port), local(port))
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &Self
    }

    /// Signed as Pusher's API wants it, with a secret that both sides know.
    fn publish(&self, channel: &str) -> Bytes {
        let body = json!({"name": "slo-event", "channel": channel, "data": event(channel)}).to_string();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let body_md5 = hex(&Md5::digest(&body));
        let query = format!("auth_key={KEY}&auth_timestamp={now}&auth_version=1.0&body_md5={body_md5}");
        let signed = format!("POST\n{EVENTS}\n{query}");
        let signature = hex(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), signed.as_bytes()).as_ref());
        let path = format!("{EVENTS}?{query}&auth_signature={signature}");
        request("POST", &path, &[("content-type", "application/json")], &body)
    }

    fn otherwise(&self) -> &'static str {
        "lets a socket into a private channel by a signature of one's own server; version 2 of its protocol resumes from a \
         buffer in memory, and history can be kept in PostgreSQL and other databases"
    }
}

impl Dialect for Sockudo {
    fn path(&self, _channel: &str) -> String {
        format!("/app/{KEY}?protocol=7&client=slo-hub-load&version=1.0")
    }

    fn opening(&self, _channel: &str) -> Opening {
        Opening::Wait
    }

    fn hear<'frame>(&self, frame: &'frame Message, channel: &str) -> Heard<'frame> {
        let Message::Text(text) = frame else { return Heard::Fault("expected text".to_owned()) };
        // The event is a string within the frame's JSON.
        if let Some((_, rest)) = text.split_once(r#"\"id\":\""#) {
            return event_of(rest.split('\\').next().unwrap_or_default(), channel);
        }
        let says = |what: &str| text.contains(what);
        if says("pusher:connection_established") {
            Heard::Answer(Message::text(json!({"event": "pusher:subscribe", "data": {"channel": channel}}).to_string()))
        } else if says("pusher_internal:subscription_succeeded") {
            Heard::Subscribed(String::new())
        } else if says("pusher:ping") {
            Heard::Answer(Message::text(r#"{"event":"pusher:pong","data":{}}"#))
        } else {
            Heard::Fault(format!("unexpected: {text}"))
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
