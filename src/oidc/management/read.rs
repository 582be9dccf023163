//! What the API tells of sessions and clients. Members that are not known are passed
//! over; what is needed and not there, or of another shape, makes the answer a strange one.

use std::fmt;

use chrono::DateTime;
use serde_json::{Map, Value};

use super::fault::ManagementFault;
use crate::domain::clock::{UnixMillis, UnixSeconds};
use crate::domain::ids::{ClientId, Sid, Subject};

/// The longest text of a device that is kept, in characters.
const MAX_TEXT_CHARS: usize = 512;

/// A session as its issuer knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerSession {
    /// Its name: the `sid` of its tokens.
    pub sid: Sid,
    /// Whose it is, where said.
    pub sub: Option<Subject>,
    /// When it began.
    pub created_at: Option<UnixMillis>,
    /// When the person last proved who they are in it.
    pub authenticated_at: Option<UnixMillis>,
    /// When it was last used.
    pub last_interacted_at: Option<UnixMillis>,
    /// When it ends, used or not.
    pub expires_at: Option<UnixMillis>,
    /// When it ends if it is not used.
    pub idle_expires_at: Option<UnixMillis>,
    /// Where it was used from.
    pub device: Device,
    /// The apps that it was used for.
    pub clients: Vec<ClientId>,
}

/// Where a session was used from. All of it as browsers and networks say, so nothing to
/// rely on; and about a person, so nothing to log: `{:?}` says nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Device {
    /// The browser that began it.
    pub initial_user_agent: Option<String>,
    /// The browser that used it last.
    pub last_user_agent: Option<String>,
    /// The address that it was last used from.
    pub last_ip: Option<String>,
    /// The number of the network that it was last used from (its autonomous system).
    pub last_asn: Option<u32>,
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Device(…)")
    }
}

impl IssuerSession {
    /// When its sign-in was, as tokens count it (`auth_time`): the last proof of who it
    /// is, else its beginning.
    #[must_use]
    pub fn signed_in_at(&self) -> Option<UnixSeconds> {
        self.authenticated_at.or(self.created_at).map(UnixMillis::floor)
    }

    /// Whether a logout with this T ends it: it is not known to have begun later.
    #[must_use]
    pub fn is_ended_by(&self, covers_until: UnixSeconds) -> bool {
        self.signed_in_at().is_none_or(|at| at <= covers_until)
    }

    /// Whether its time at the issuer is up, by the ends that it names.
    #[must_use]
    pub fn is_over(&self, now: UnixMillis) -> bool {
        [self.expires_at, self.idle_expires_at].into_iter().flatten().any(|end| end <= now)
    }

    pub(super) fn read(value: &Value) -> Result<Self, ManagementFault> {
        let said = value.as_object().ok_or(STRANGE)?;
        let id = said.get("id").and_then(Value::as_str).ok_or(STRANGE)?;
        let sub = match said.get("user_id") {
            None | Some(Value::Null) => None,
            Some(sub) => Some(Subject::parse(sub.as_str().ok_or(STRANGE)?).map_err(|_| STRANGE)?),
        };
        let empty = Map::new();
        let device = said.get("device").and_then(Value::as_object).unwrap_or(&empty);
        Ok(Self {
            sid: Sid::parse(id).map_err(|_| STRANGE)?,
            sub,
            created_at: time(said, "created_at"),
            authenticated_at: time(said, "authenticated_at"),
            last_interacted_at: time(said, "last_interacted_at"),
            expires_at: time(said, "expires_at"),
            idle_expires_at: time(said, "idle_expires_at"),
            device: Device {
                initial_user_agent: text(device, "initial_user_agent"),
                last_user_agent: text(device, "last_user_agent"),
                last_ip: text(device, "last_ip"),
                last_asn: text(device, "last_asn").and_then(|text| asn(&text)),
            },
            clients: clients(said),
        })
    }
}

const STRANGE: ManagementFault =
    ManagementFault::Strange("the issuer's Management API answered with no sessions that can be read");
const STRANGE_CLIENT: ManagementFault =
    ManagementFault::Strange("the issuer's Management API answered with no client that can be read");

/// A page of a list of sessions, and where the next one begins.
pub(super) fn sessions_page(
    body: &Map<String, Value>,
) -> Result<(Vec<IssuerSession>, Option<String>), ManagementFault> {
    let sessions = body.get("sessions").and_then(Value::as_array).ok_or(STRANGE)?;
    let sessions = sessions.iter().map(IssuerSession::read).collect::<Result<_, _>>()?;
    let next = match body.get("next") {
        None | Some(Value::Null) => None,
        Some(next) => Some(next.as_str().ok_or(STRANGE)?).filter(|next| !next.is_empty()),
    };
    Ok((sessions, next.map(str::to_owned)))
}

/// Auth0 writes times as RFC 3339, and some of them as objects; those are not read.
fn time(said: &Map<String, Value>, name: &str) -> Option<UnixMillis> {
    let at = DateTime::parse_from_rfc3339(said.get(name)?.as_str()?).ok()?;
    Some(UnixMillis(at.timestamp_millis()))
}

fn text(said: &Map<String, Value>, name: &str) -> Option<String> {
    let text: String = match said.get(name)? {
        Value::String(text) => text.chars().filter(|one| !one.is_control()).take(MAX_TEXT_CHARS).collect(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

/// Auth0 writes the bare number; others write it as people do: "AS64500".
fn asn(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("AS").unwrap_or(text);
    digits.bytes().all(|one| one.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn clients(said: &Map<String, Value>) -> Vec<ClientId> {
    let list = said.get("clients").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|one| ClientId::parse(one.get("client_id")?.as_str()?).ok()).collect()
}

/// A client (an app) as its issuer is set up for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerClient {
    /// Its name there.
    pub client_id: ClientId,
    /// Its name for people.
    pub name: Option<String>,
    /// Where a sign-in may return to.
    pub callbacks: Vec<String>,
    /// Where a sign-out may return to.
    pub allowed_logout_urls: Vec<String>,
    /// Where its logout tokens are posted.
    pub backchannel_logout_urls: Vec<String>,
    /// What makes the issuer post them.
    pub initiators: Initiators,
    /// All that it says of logouts, as it stands, so that a change can keep the rest.
    pub oidc_logout: Map<String, Value>,
}

/// What makes an issuer post logout tokens to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Initiators {
    /// Not said: Auth0's own choice, which is `rp-logout` and `idp-logout`.
    Default,
    /// Whatever ends a session.
    All,
    /// These.
    Custom(Vec<String>),
}

impl IssuerClient {
    pub(super) fn read(value: &Value) -> Result<Self, ManagementFault> {
        let said = value.as_object().ok_or(STRANGE_CLIENT)?;
        let id = said.get("client_id").and_then(Value::as_str).ok_or(STRANGE_CLIENT)?;
        let oidc_logout = match said.get("oidc_logout") {
            None | Some(Value::Null) => Map::new(),
            Some(logout) => logout.as_object().ok_or(STRANGE_CLIENT)?.clone(),
        };
        Ok(Self {
            client_id: ClientId::parse(id).map_err(|_| STRANGE_CLIENT)?,
            name: text(said, "name"),
            callbacks: texts(said.get("callbacks"))?,
            allowed_logout_urls: texts(said.get("allowed_logout_urls"))?,
            backchannel_logout_urls: texts(oidc_logout.get("backchannel_logout_urls"))?,
            initiators: initiators(oidc_logout.get("backchannel_logout_initiators"))?,
            oidc_logout,
        })
    }
}

fn texts(list: Option<&Value>) -> Result<Vec<String>, ManagementFault> {
    match list {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) => {
            list.iter().map(|one| one.as_str().map(str::to_owned).ok_or(STRANGE_CLIENT)).collect()
        }
        Some(_) => Err(STRANGE_CLIENT),
    }
}

fn initiators(said: Option<&Value>) -> Result<Initiators, ManagementFault> {
    let said = match said {
        None | Some(Value::Null) => return Ok(Initiators::Default),
        Some(said) => said.as_object().ok_or(STRANGE_CLIENT)?,
    };
    match said.get("mode").and_then(Value::as_str) {
        Some("all") => Ok(Initiators::All),
        Some("custom") => Ok(Initiators::Custom(texts(said.get("selected_initiators"))?)),
        _ => Err(STRANGE_CLIENT),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn session(more: &Value) -> Result<IssuerSession, ManagementFault> {
        let mut said = json!({"id": "laptop", "user_id": "auth0|ada"});
        said.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        IssuerSession::read(&said)
    }

    #[test]
    fn a_session_is_read_as_auth0_documents_it() {
        let said = json!({
            "created_at": "2026-01-01T10:00:00.500Z", "authenticated_at": "2026-01-01T11:00:00Z",
            "expires_at": "2026-01-04T10:00:00+01:00", "idle_expires_at": null, "last_interacted_at": {"odd": true},
            "device": {"initial_user_agent": "A\u{7}gent", "last_ip": "192.0.2.1", "last_asn": 64500, "new": 1},
            "clients": [{"client_id": "notes"}, {}, 5, {"client_id": ""}], "cookie": {"mode": "persistent"},
        });
        let read = session(&said).unwrap();
        assert_eq!(read.signed_in_at(), Some(UnixSeconds(1_767_265_200)));
        assert_eq!(read.created_at, Some(UnixMillis(1_767_261_600_500)));
        assert_eq!(read.expires_at, Some(UnixMillis(1_767_517_200_000)));
        assert_eq!((read.idle_expires_at, read.last_interacted_at), (None, None));
        assert_eq!(read.device.initial_user_agent.as_deref(), Some("Agent"));
        assert_eq!((read.device.last_ip.as_deref(), read.device.last_asn), (Some("192.0.2.1"), Some(64500)));
        assert_eq!(read.clients, [ClientId::parse("notes").unwrap()]);
        assert!(!format!("{read:?}").contains("192.0.2.1"));
    }

    #[test]
    fn a_networks_number_is_a_number_however_it_is_written() {
        let asn = |said: Value| session(&json!({"device": {"last_asn": said}})).unwrap().device.last_asn;
        for said in [json!("64500"), json!(64500), json!("AS64500")] {
            assert_eq!(asn(said), Some(64500));
        }
        for strange in
            [json!("<b>"), json!("-1"), json!("+5"), json!(""), json!("AS"), json!("99999999999"), json!([1])]
        {
            assert_eq!(asn(strange.clone()), None, "{strange}");
        }
    }

    #[test]
    fn a_session_is_over_at_the_first_of_the_ends_that_it_names() {
        let over = |said: &Value| session(said).unwrap().is_over(UnixMillis(1_767_265_200_000));
        assert!(over(&json!({"expires_at": "2026-01-01T11:00:00Z", "idle_expires_at": "2026-01-02T11:00:00Z"})));
        assert!(over(&json!({"expires_at": "2026-01-04T11:00:00Z", "idle_expires_at": "2026-01-01T10:59:59Z"})));
        assert!(!over(&json!({"expires_at": "2026-01-04T11:00:00Z", "idle_expires_at": "2026-01-01T11:00:01Z"})));
        assert!(!over(&json!({})), "an issuer that names none");
    }

    #[test]
    fn a_logout_ends_sessions_up_to_its_time_and_those_that_do_not_say() {
        let at = |time: &str| session(&json!({"authenticated_at": time})).unwrap();
        let t = UnixSeconds(1_767_265_200);
        assert!(at("2026-01-01T11:00:00.999Z").is_ended_by(t));
        assert!(!at("2026-01-01T11:00:01Z").is_ended_by(t));
        assert!(session(&json!({})).unwrap().is_ended_by(t));
    }

    #[test]
    fn what_is_needed_and_not_there_makes_a_list_strange() {
        let page = |body: Value| sessions_page(body.as_object().unwrap()).map(|(all, next)| (all.len(), next));
        assert_eq!(page(json!({"sessions": [{"id": "a"}], "next": "x"})), Ok((1, Some("x".to_owned()))));
        assert_eq!(page(json!({"sessions": [], "next": null, "total": 5})), Ok((0, None)));
        for strange in [
            json!({}),
            json!({"sessions": null}),
            json!({"sessions": {}}),
            json!({"sessions": [5]}),
            json!({"sessions": [{}]}),
            json!({"sessions": [{"id": 5}]}),
            json!({"sessions": [{"id": ""}]}),
            json!({"sessions": [{"id": "a", "user_id": 5}]}),
            json!({"sessions": [], "next": 5}),
        ] {
            assert_eq!(page(strange.clone()), Err(STRANGE), "{strange}");
        }
    }

    #[test]
    fn a_client_says_where_and_when_it_is_told() {
        let client = IssuerClient::read(&json!({
            "client_id": "notes", "name": "Notes", "callbacks": ["https://notes.example"], "jwt_configuration": {},
            "oidc_logout": {
                "backchannel_logout_urls": ["https://hub.example/backchannel-logout"],
                "backchannel_logout_initiators": {"mode": "custom", "selected_initiators": ["rp-logout"]},
                "backchannel_logout_session_metadata": {"include": false},
            },
        }))
        .unwrap();
        assert_eq!(client.initiators, Initiators::Custom(vec!["rp-logout".to_owned()]));
        assert_eq!(client.backchannel_logout_urls, ["https://hub.example/backchannel-logout"]);
        assert!(client.oidc_logout.contains_key("backchannel_logout_session_metadata"));
        let bare = IssuerClient::read(&json!({"client_id": "shop"})).unwrap();
        assert_eq!((bare.initiators, bare.callbacks.len()), (Initiators::Default, 0));
        for strange in [
            json!(5),
            json!({}),
            json!({"client_id": "a", "callbacks": "https://x"}),
            json!({"client_id": "a", "oidc_logout": []}),
            json!({"client_id": "a", "oidc_logout": {"backchannel_logout_initiators": {"mode": "some"}}}),
        ] {
            assert_eq!(IssuerClient::read(&strange), Err(STRANGE_CLIENT), "{strange}");
        }
    }
}
