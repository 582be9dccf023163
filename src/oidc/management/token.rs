//! The hub's access tokens for the API, by client credentials (RFC 6749, section 4.4).
//!
//! One token for each kind of work, with no more scopes than that needs: a tenant that
//! grants the sessions' scopes alone gets tokens for sessions, and whoever steals one of
//! these changes no client.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use tracing::{Instrument as _, field};

use super::fault::{ManagementFault, Scope, Scopes};
use super::path::Base;
use super::wire::{Answer, Heard, Wire};
use crate::domain::app::HubClient;
use crate::domain::clock::Clock;
use crate::telemetry::spans::step;

/// How long before its end a token is not used any more.
const EARLY: Duration = Duration::from_secs(60);
/// How long a token is used that does not say how long it is good for.
const LIFETIME_UNSAID: Duration = Duration::from_secs(300);
/// The largest token that is taken, in bytes: it has to fit into a header.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Sessions,
    ReadClients,
    ChangeClients,
}

impl Access {
    fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Sessions => &[Scope::ReadSessions, Scope::DeleteSessions],
            Self::ReadClients => &[Scope::ReadClients],
            Self::ChangeClients => &[Scope::ReadClients, Scope::UpdateClients],
        }
    }
}

/// A token, and until when it is used, counted by the hub's uptime.
#[derive(Clone)]
pub(super) struct Token {
    text: Arc<str>,
    /// Which of the scopes that it was asked for with it has not.
    lacking: Scopes,
    number: u64,
    good_until: Duration,
}

impl Token {
    pub(super) fn reveal(&self) -> &str {
        &self.text
    }

    pub(super) fn lacking(&self) -> Scopes {
        self.lacking
    }
}

#[derive(Default)]
struct Slot {
    /// How often a token was asked for.
    asked: AtomicU64,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    token: Option<Token>,
    failed: Option<ManagementFault>,
}

/// The tokens of one client at one issuer.
pub(super) struct Tokens {
    client: HubClient,
    base: Base,
    clock: Arc<dyn Clock>,
    slots: [Slot; 3],
}

impl Tokens {
    pub(super) fn new(client: HubClient, base: Base, clock: Arc<dyn Clock>) -> Self {
        Self { client, base, clock, slots: Default::default() }
    }

    /// A token for that work: the one at hand, or a new one. Whoever waits while another
    /// asks takes what that one gets, a failure too.
    ///
    /// # Errors
    /// [`ManagementFault`].
    pub(super) async fn get(&self, wire: &Wire, access: Access) -> Result<Token, ManagementFault> {
        let slot = &self.slots[access as usize];
        let asked_before = slot.asked.load(SeqCst);
        let mut held = slot.held.lock().await;
        if let Some(token) = held.token.as_ref().filter(|token| self.clock.uptime() < token.good_until) {
            return Ok(token.clone());
        }
        if let Some(fault) = held.failed.filter(|_| slot.asked.load(SeqCst) != asked_before) {
            return Err(fault);
        }
        let outcome = self.fetch(wire, access, slot.asked.load(SeqCst)).await;
        slot.asked.fetch_add(1, SeqCst);
        (held.token, held.failed) = (outcome.clone().ok(), outcome.as_ref().err().copied());
        outcome
    }

    /// That token is not taken any more.
    pub(super) async fn drop_token(&self, access: Access, token: &Token) {
        let mut held = self.slots[access as usize].held.lock().await;
        // Another may have been fetched meanwhile.
        held.token.take_if(|own| own.number == token.number);
    }

    async fn fetch(&self, wire: &Wire, access: Access, number: u64) -> Result<Token, ManagementFault> {
        let mut answer = self.ask(wire, access, false).await?;
        if answer.status == 401 {
            // A client may be registered to authenticate by the header only.
            answer = self.ask(wire, access, true).await?;
        }
        let answered_at = self.clock.uptime();
        let first = access.scopes()[0];
        match answer.status {
            200..=299 => {
                let said = answer.object().ok_or(ManagementFault::Strange(NO_TOKEN))?;
                let (text, lifetime) = read(&said).ok_or(ManagementFault::Strange(NO_TOKEN))?;
                // One that is not good for long is used for half its time.
                let used = lifetime.saturating_sub(EARLY).max(lifetime / 2);
                Ok(Token { text, lacking: lacking(&said, access), number, good_until: answered_at + used })
            }
            // RFC 6749, section 5.2: a client that is unknown or may not have this token.
            400 | 401 if says(&answer, "invalid_client") || answer.status == 401 => Err(ManagementFault::Unauthorized),
            400 | 403 if says(&answer, "access_denied") || answer.status == 403 => {
                Err(ManagementFault::Forbidden(missing(&answer, access)))
            }
            404 => Err(ManagementFault::NoSuchEndpoint),
            _ => match answer.heard(first, self.clock.now())? {
                Heard::Done(_) | Heard::Missing | Heard::NoEndpoint => Err(ManagementFault::NoSuchEndpoint),
            },
        }
    }

    async fn ask(&self, wire: &Wire, access: Access, by_header: bool) -> Result<Answer, ManagementFault> {
        let asking = step!(
            "token endpoint",
            otel.kind = "client",
            http.request.method = "POST",
            http.response.status_code = field::Empty,
        );
        wire.send(self.request(wire, access, by_header)?, self.clock.now()).instrument(asking).await
    }

    fn request(&self, wire: &Wire, access: Access, by_header: bool) -> Result<RequestBuilder, ManagementFault> {
        let (id, secret) = (self.client.client_id.as_str(), self.client.client_secret.reveal());
        let scopes: Vec<_> = access.scopes().iter().map(|scope| scope.as_str()).collect();
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        form.append_pair("audience", &self.base.audience()).append_pair("scope", &scopes.join(" "));
        let mut request = wire.request(Method::POST, self.base.token()?);
        if by_header {
            request = with_basic(request, id, secret);
        } else {
            form.append_pair("client_id", id).append_pair("client_secret", secret);
        }
        Ok(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.finish()))
    }
}

const NO_TOKEN: &str = "the issuer's token endpoint answered with no token that can be used";

/// RFC 6749, section 2.3.1: both parts are form-encoded first.
fn with_basic(request: RequestBuilder, id: &str, secret: &str) -> RequestBuilder {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    request.basic_auth(encoded(id), Some(encoded(secret)))
}

fn read(said: &Map<String, Value>) -> Option<(Arc<str>, Duration)> {
    let text = said.get("access_token")?.as_str()?;
    let fits = (1..=MAX_TOKEN_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    let is_bearer =
        said.get("token_type").is_none_or(|kind| kind.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")));
    let lifetime = match said.get("expires_in") {
        None => LIFETIME_UNSAID,
        Some(seconds) => Duration::from_secs(seconds.as_u64()?),
    };
    (fits && is_bearer).then(|| (text.into(), lifetime))
}

/// What was not granted of what was asked for. All was, where the answer does not say
/// (RFC 6749, section 5.1).
fn lacking(said: &Map<String, Value>, access: Access) -> Scopes {
    let Some(granted) = said.get("scope").and_then(Value::as_str) else { return Scopes::default() };
    let is_lacking = |scope: &Scope| granted.split_ascii_whitespace().all(|own| own != scope.as_str());
    access.scopes().iter().copied().filter(is_lacking).collect()
}

fn says(answer: &Answer, error: &str) -> bool {
    answer.object().is_some_and(|said| said.get("error").and_then(Value::as_str) == Some(error))
}

/// What was not granted, where there is no token. Auth0 names the scopes; a client that has
/// no grant at all is named none, and then it is all that was asked for.
fn missing(answer: &Answer, access: Access) -> Scopes {
    let said = answer.object();
    let text = said.as_ref().and_then(|said| said.get("error_description")?.as_str()).unwrap_or_default();
    let is_of_a_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, ':' | '_' | '-');
    let is_named = |scope: &Scope| text.split(|letter| !is_of_a_name(letter)).any(|word| word == scope.as_str());
    let asked = || access.scopes().iter().copied();
    let named: Scopes = asked().filter(is_named).collect();
    if named.is_empty() { asked().collect() } else { named }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn taken(said: &Value) -> Option<(String, u64)> {
        read(said.as_object().unwrap()).map(|(text, lifetime)| (text.to_string(), lifetime.as_secs()))
    }

    #[test]
    fn a_token_lacks_what_its_answer_does_not_name_and_nothing_where_it_names_none() {
        let lacks = |said: Value| lacking(said.as_object().unwrap(), Access::Sessions);
        for all in [json!({}), json!({"scope": 5}), json!({"scope": "delete:sessions  read:sessions read:clients"})] {
            assert!(lacks(all).is_empty());
        }
        assert_eq!(lacks(json!({"scope": "read:sessions_all read:sessions"})), Scope::DeleteSessions.into());
        assert_eq!(lacks(json!({"scope": ""})), [Scope::ReadSessions, Scope::DeleteSessions].into_iter().collect());
    }

    #[test]
    fn a_token_is_visible_text_of_a_kind_that_is_known() {
        let good = json!({"access_token": "a.b.c", "expires_in": 86400, "token_type": "bearer", "scope": "x"});
        assert_eq!(taken(&good), Some(("a.b.c".to_owned(), 86400)));
        assert_eq!(taken(&json!({"access_token": "a"})), Some(("a".to_owned(), 300)));
        for bad in [
            json!({}),
            json!({"access_token": 5}),
            json!({"access_token": ""}),
            json!({"access_token": "a\r\nx: y"}),
            json!({"access_token": "x".repeat(MAX_TOKEN_BYTES + 1)}),
            json!({"access_token": "a", "token_type": "mac"}),
            json!({"access_token": "a", "token_type": null}),
            json!({"access_token": "a", "expires_in": "soon"}),
            json!({"access_token": "a", "expires_in": -1}),
        ] {
            assert_eq!(taken(&bad), None, "{bad}");
        }
    }
}
