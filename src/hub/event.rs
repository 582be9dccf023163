//! How a logout looks to apps.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat};
use serde::Serialize;

use super::report_logout::random;
use crate::channels::{IdleSignal, Notice};
use crate::domain::app::App;
use crate::domain::clock::UnixMillis;
use crate::domain::ids::{Sid, Subject};
use crate::domain::logout::{Logout, Reason, SignIn};

/// RFC 3339, UTC, milliseconds: how every time is written.
#[must_use]
pub fn rfc3339(at: UnixMillis) -> String {
    DateTime::from_timestamp_millis(at.0).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The `slo-event` frame of the protocol `slo.v1`. Absent members are left out.
#[derive(Serialize)]
struct SloEvent<'a> {
    r#type: &'static str,
    id: String,
    issuer: &'a str,
    scope: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    occurred_at: String,
}

impl Notice {
    /// Encodes the event of a logout, once for every channel.
    #[must_use]
    pub fn of(logout: Logout) -> Self {
        let target = &logout.target;
        let event = SloEvent {
            r#type: "slo-event",
            id: logout.id.to_string(),
            issuer: target.issuer().as_str(),
            scope: target.scope().as_str(),
            sid: target.sid().map(Sid::as_str),
            sub: target.sub().map(Subject::as_str),
            source: logout.source.as_str(),
            reason: logout.reason.as_ref().map(Reason::as_str),
            occurred_at: rfc3339(logout.occurred_at),
        };
        let event = Bytes::from(serde_json::to_vec(&event).unwrap_or_default());
        Self { logout, event }
    }
}

/// A logout as the API tells of it.
#[derive(Serialize)]
pub struct LogoutView {
    id: String,
    issuer: String,
    scope: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    source: &'static str,
    r#final: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    occurred_at: String,
    recorded_at: String,
}

impl From<&Logout> for LogoutView {
    fn from(logout: &Logout) -> Self {
        let target = &logout.target;
        Self {
            id: logout.id.to_string(),
            issuer: target.issuer().as_str().to_owned(),
            scope: target.scope().as_str(),
            sid: target.sid().map(|sid| sid.as_str().to_owned()),
            sub: target.sub().map(|sub| sub.as_str().to_owned()),
            source: logout.source.as_str(),
            r#final: logout.is_final,
            client_id: logout.client_id.as_ref().map(|id| id.as_str().to_owned()),
            reason: logout.reason.as_ref().map(|reason| reason.as_str().to_owned()),
            occurred_at: rfc3339(logout.occurred_at),
            recorded_at: rfc3339(logout.recorded_at),
        }
    }
}

/// The `subscribed` frame of the protocol `slo.v1`. Absent members are left out.
#[derive(Serialize)]
pub struct Welcome<'a> {
    r#type: &'static str,
    issuer: &'a str,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resume: Option<&'a str>,
    heartbeat_seconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_timeout_seconds: Option<u64>,
}

impl<'a> Welcome<'a> {
    /// What an app is told whose channel is live, and when its session ends by itself
    /// if nobody does anything.
    #[must_use]
    pub fn of(sign_in: &'a SignIn, resume: &'a str, heartbeat: Duration, idle_timeout: Option<Duration>) -> Self {
        Self {
            r#type: "subscribed",
            issuer: sign_in.issuer.as_str(),
            client_id: sign_in.client_id.as_str(),
            sid: sign_in.sid.as_ref().map(Sid::as_str),
            sub: Some(sign_in.sub.as_str()),
            resume: Some(resume),
            heartbeat_seconds: heartbeat.as_secs(),
            // Who has no session to be kept alive need not report activity.
            idle_timeout_seconds: idle_timeout.filter(|_| sign_in.sid.is_some()).map(|span| span.as_secs()),
        }
    }

    /// What a back end is told whose feed is open.
    #[must_use]
    pub fn of_back_end(app: &'a App, heartbeat: Duration) -> Self {
        Self {
            r#type: "subscribed",
            issuer: app.issuer.as_str(),
            client_id: app.client_id.as_str(),
            sid: None,
            sub: None,
            resume: None,
            heartbeat_seconds: heartbeat.as_secs(),
            idle_timeout_seconds: None,
        }
    }

    /// The frame's text.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        Bytes::from(serde_json::to_vec(self).unwrap_or_default())
    }
}

/// The `idle-warning` and `idle-cancelled` frames of the protocol `slo.v1`.
#[derive(Serialize)]
struct IdleFrame {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds_left: Option<u64>,
}

impl IdleSignal {
    /// The frame's type, and the event's name in an event stream.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Warning { .. } => "idle-warning",
            Self::Cancelled => "idle-cancelled",
        }
    }

    /// The frame's text.
    #[must_use]
    pub fn encode(self) -> Bytes {
        let seconds_left = match self {
            Self::Warning { seconds_left } => Some(seconds_left),
            Self::Cancelled => None,
        };
        let frame = IdleFrame { r#type: self.name(), seconds_left };
        Bytes::from(serde_json::to_vec(&frame).unwrap_or_default())
    }
}

/// How often the hub lets a channel know that it is there: 25 to 30 seconds, spread so
/// that a restart does not make all of them beat together.
#[must_use]
pub fn heartbeat() -> Duration {
    let [chance] = random::<1>();
    Duration::from_secs(25 + u64::from(chance) % 6)
}
