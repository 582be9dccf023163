//! The messages of the protocol `slo.v1`: what comes in is read strictly, what goes
//! out is one JSON object a text frame.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

use super::close_code::CloseCode;
use crate::domain::ids::LogoutId;
use crate::domain::json::{JsonFault, read_object};
use crate::domain::secret::Secret;
use crate::hub::denied::Denied;
use crate::web::problem::Problem;

/// The largest message, in bytes.
pub const MESSAGE_MAX_BYTES: usize = 16 * 1024;

/// What a client says.
#[derive(Debug)]
pub enum Incoming {
    /// A person's app wants to hear of the end of its session.
    Subscribe {
        /// An ID token or a resume ticket.
        token: Secret,
    },
    /// A back end wants every logout of its issuer.
    Follow {
        /// Its `client_id`.
        client_id: String,
        /// Its secret.
        secret: Secret,
        /// The logout after which to begin.
        after: Option<String>,
    },
    /// The app has ended its local session for that logout; `None` where it names none.
    Ack(Option<LogoutId>),
    /// The person did something.
    Activity,
}

/// Why a message is none: a finer code for the error frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadMessage(pub &'static str);

impl Incoming {
    /// Reads one text message. Unknown members are ignored, repeated ones are not.
    ///
    /// # Errors
    /// [`BadMessage`] with a finer code.
    pub fn read(text: &[u8]) -> Result<Self, BadMessage> {
        if text.len() > MESSAGE_MAX_BYTES {
            return Err(BadMessage("too_large"));
        }
        let members = read_object(text).map_err(|fault| match fault {
            JsonFault::NotAnObject => BadMessage("bad_json"),
            JsonFault::DuplicateMember => BadMessage("duplicate_member"),
        })?;
        match members.get("type").and_then(Value::as_str) {
            Some("subscribe") => subscribe(&members),
            Some("ack") => {
                let id = members.get("id").and_then(Value::as_str);
                Ok(Self::Ack(id.and_then(|id| LogoutId::parse(id).ok())))
            }
            Some("activity") => Ok(Self::Activity),
            Some(_) | None => Err(BadMessage("unknown_type")),
        }
    }
}

fn subscribe(members: &Map<String, Value>) -> Result<Incoming, BadMessage> {
    let text = |name: &str| match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(BadMessage("bad_subscribe")),
    };
    match (text("token")?, text("client_id")?, text("secret")?) {
        // A person's channel knows no `after`, so that is a member like any unknown one.
        (Some(token), None, None) => Ok(Incoming::Subscribe { token: Secret::new(token) }),
        (None, Some(client_id), Some(secret)) => Ok(Incoming::Follow {
            client_id: client_id.to_owned(),
            secret: Secret::new(secret),
            after: text("after")?.map(str::to_owned),
        }),
        _ => Err(BadMessage("bad_subscribe")),
    }
}

#[derive(Serialize)]
struct ErrorFrame {
    r#type: &'static str,
    error: &'static str,
    code: &'static str,
    error_description: &'static str,
}

/// An `error` frame: the close code's name, and the finer code.
#[must_use]
pub fn error(close: CloseCode, code: &'static str, description: &'static str) -> Bytes {
    let frame = ErrorFrame { r#type: "error", error: close.name(), code, error_description: description };
    serde_json::to_vec(&frame).unwrap_or_default().into()
}

/// The `error` frame for an acknowledgement that names no logout. It harms nobody, so
/// the socket goes on.
#[must_use]
pub fn no_such_id() -> Bytes {
    error(CloseCode::BadMessage, "bad_id", "Acknowledge a logout by the id that its slo-event had.")
}

/// The `error` frame for a refusal of the hub.
#[must_use]
pub fn refusal(denied: Denied) -> (CloseCode, Bytes) {
    let close = match &denied {
        Denied::Request(fault) if fault.code() == "unknown_cursor" => CloseCode::BadMessage,
        other => CloseCode::from(other),
    };
    let problem = Problem::from(denied);
    (close, error(close, problem.code, problem.description))
}

/// What a close frame carries.
#[must_use]
pub fn close(code: CloseCode) -> Vec<u8> {
    [&code.number().to_be_bytes(), code.name().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_message_says_why() {
        let code_of = |text: &str| Incoming::read(text.as_bytes()).unwrap_err().0;
        assert_eq!(code_of("hello"), "bad_json");
        assert_eq!(code_of("[]"), "bad_json");
        assert_eq!(code_of(r#"{"type":"ack","type":"ack"}"#), "duplicate_member");
        assert_eq!(code_of("{}"), "unknown_type");
        assert_eq!(code_of(r#"{"type":7}"#), "unknown_type");
        assert_eq!(code_of(r#"{"type":"publish"}"#), "unknown_type");
        assert_eq!(code_of(r#"{"type":"subscribe"}"#), "bad_subscribe");
        assert_eq!(code_of(r#"{"type":"subscribe","token":7}"#), "bad_subscribe");
        assert_eq!(code_of(r#"{"type":"subscribe","token":"t","client_id":"a","secret":"b"}"#), "bad_subscribe");
        assert_eq!(code_of(r#"{"type":"subscribe","client_id":"a"}"#), "bad_subscribe");
        assert_eq!(code_of(r#"{"type":"subscribe","client_id":"a","secret":"b","after":7}"#), "bad_subscribe");
        assert_eq!(code_of(&format!(r#"{{"type":"activity","x":"{}"}}"#, "x".repeat(MESSAGE_MAX_BYTES))), "too_large");
    }

    #[test]
    fn unknown_members_are_ignored() {
        assert!(matches!(Incoming::read(br#"{"type":"activity","later":[1]}"#), Ok(Incoming::Activity)));
        for after in ["\"\"", "null", "7"] {
            let message = format!(r#"{{"type":"subscribe","token":"t","after":{after}}}"#);
            assert!(matches!(Incoming::read(message.as_bytes()), Ok(Incoming::Subscribe { .. })), "{after}");
        }
    }

    #[test]
    fn a_token_does_not_show_in_debug_output() {
        let message = Incoming::read(br#"{"type":"subscribe","token":"ey.secret"}"#).unwrap();
        assert!(!format!("{message:?}").contains("secret\""));
        assert!(!format!("{message:?}").contains("ey."));
    }
}
