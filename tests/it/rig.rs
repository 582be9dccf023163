//! Verification by itself: issuers whose every answer is scripted, and what stands
//! between them and a verified token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use slo_hub::domain::app::{App, BackchannelToken, Directory, HubClient, IssuerSettings, SigningAlg};
use slo_hub::domain::clock::{Clock, HandClock, UnixMillis};
use slo_hub::domain::ids::{ClientId, Issuer};
use slo_hub::domain::secret::Secret;
use slo_hub::oidc::fault::VerifyError;
use slo_hub::oidc::fetch::Fetcher;
use slo_hub::oidc::id_token::{IdToken, RawIdToken};
use slo_hub::oidc::keys::{Arrival, IssuerHealth, IssuerKeys};
use slo_hub::oidc::logout_token::{LogoutToken, RawLogoutToken};
use slo_hub::oidc::verifier::{TokenRules, Verifier};
use slo_hub::tasks::Tasks;
use tokio::sync::Semaphore;

use crate::support::token::{SigningKey, TokenBuilder};
use crate::wait::until;

/// What the clock of every rig shows at first, in seconds.
pub const START: i64 = 1_800_000_000;

/// Where issuers publish their metadata, and here their keys.
pub const METADATA: &str = "/.well-known/openid-configuration";
pub const KEYS: &str = "/jwks";

/// What a scripted issuer answers.
#[derive(Clone)]
pub enum Reply {
    Json(Value),
    Text(u16, String),
    Redirect(&'static str),
    /// As [`Reply::Json`], once the semaphore lets it.
    Held(Arc<Semaphore>, Value),
    Never,
}

/// An issuer that says what a test has told it to, path by path.
pub struct ScriptedIssuer {
    pub url: String,
    script: Arc<Script>,
}

#[derive(Default)]
struct Script {
    replies: Mutex<HashMap<&'static str, Reply>>,
    asked: Mutex<Vec<String>>,
}

impl ScriptedIssuer {
    /// An issuer on this machine, known by that host name, that publishes this key.
    pub async fn start(host: &str, key: &SigningKey) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{host}:{}/", listener.local_addr().unwrap().port());
        let script = Arc::new(Script::default());
        let routes = Router::new().fallback(answer).with_state(Arc::clone(&script));
        Tasks::default().spawn(async move { axum::serve(listener, routes).await.unwrap() });
        let issuer = Self { url, script };
        issuer.answers(METADATA, Reply::Json(issuer.metadata(KEYS)));
        issuer.answers(KEYS, Reply::Json(key_set(&[key])));
        issuer
    }

    pub fn metadata(&self, keys: &str) -> Value {
        let url = self.url.trim_end_matches('/');
        json!({ "issuer": self.url, "jwks_uri": format!("{url}{keys}"), "end_session_endpoint": format!("{url}/end") })
    }

    pub fn answers(&self, path: &'static str, reply: Reply) {
        self.script.replies.lock().unwrap().insert(path, reply);
    }

    /// How often it was asked for that.
    pub fn asked(&self, path: &str) -> usize {
        self.script.asked.lock().unwrap().iter().filter(|asked| *asked == path).count()
    }
}

async fn answer(State(script): State<Arc<Script>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let reply = script.replies.lock().unwrap().get(path.as_str()).cloned();
    script.asked.lock().unwrap().push(path);
    match reply {
        Some(Reply::Json(document)) => document.to_string().into_response(),
        Some(Reply::Text(status, text)) => (StatusCode::from_u16(status).unwrap(), text).into_response(),
        Some(Reply::Redirect(to)) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Some(Reply::Held(gate, document)) => {
            gate.acquire().await.unwrap().forget();
            document.to_string().into_response()
        }
        Some(Reply::Never) => std::future::pending().await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

pub fn key_set(keys: &[&SigningKey]) -> Value {
    json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() })
}

pub fn p256(kid: &str) -> Arc<SigningKey> {
    Arc::new(SigningKey::p256(kid.to_owned()))
}

/// Two apps, `notes` and `shop`, at one scripted issuer; at a second, if there is one,
/// `notes` alone. The hub's own client is `hub`.
pub struct Rig {
    pub issuer: ScriptedIssuer,
    pub key: Arc<SigningKey>,
    pub clock: Arc<HandClock>,
    pub keys: Arc<IssuerKeys>,
    pub directory: Arc<Directory>,
    pub verifier: Verifier,
}

impl Rig {
    /// Nothing has been fetched yet.
    pub async fn start() -> Self {
        Self::at("localhost").await
    }

    pub async fn at(host: &str) -> Self {
        let key = p256("first");
        let issuer = ScriptedIssuer::start(host, &key).await;
        Self::with(issuer, key, None)
    }

    pub fn with(issuer: ScriptedIssuer, key: Arc<SigningKey>, second: Option<&ScriptedIssuer>) -> Self {
        let clock = Arc::new(HandClock::at(UnixMillis(START * 1000)));
        let mut issuers = vec![settings(&issuer)];
        let mut apps = vec![app("notes", &issuer), app("shop", &issuer)];
        if let Some(second) = second {
            issuers.push(settings(second));
            apps.push(app("notes", second));
        }
        let directory = Arc::new(Directory::new(issuers, apps));
        let shared = Arc::clone(&clock) as Arc<dyn Clock>;
        let fetcher = Fetcher::new().unwrap();
        let keys = Arc::new(IssuerKeys::new(Arc::clone(&directory), fetcher, shared, Tasks::default()));
        let rules = TokenRules { clock_skew_seconds: 60, logout_token_max_age_seconds: 600 };
        let verifier = Verifier::new(Arc::clone(&directory), Arc::clone(&keys), rules);
        Self { issuer, key, clock, keys, directory, verifier }
    }

    pub fn id(&self) -> Issuer {
        Issuer::parse(&self.issuer.url).unwrap()
    }

    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn now(&self) -> i64 {
        self.clock.now().floor().0
    }

    /// A logout token, right in every way, signed by that key.
    pub fn logout_token_by(&self, key: &Arc<SigningKey>) -> TokenBuilder {
        let now = self.now();
        let claims = json!({
            "iss": self.issuer.url, "aud": "notes", "sub": "ada", "sid": "laptop", "jti": "1", "iat": now,
            "exp": now + 120, "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        });
        TokenBuilder::new(Arc::clone(key), claims)
    }

    pub fn logout_token(&self) -> TokenBuilder {
        self.logout_token_by(&self.key)
    }

    /// An ID token, right in every way.
    pub fn id_token(&self) -> TokenBuilder {
        let now = self.now();
        let claims = json!({
            "iss": self.issuer.url, "aud": "notes", "sub": "ada", "sid": "laptop", "iat": now, "exp": now + 3600,
        });
        TokenBuilder::new(Arc::clone(&self.key), claims)
    }

    pub async fn verify(&self, token: &TokenBuilder) -> Result<LogoutToken, VerifyError> {
        self.verify_as_of(&token.sign(), self.keys.arrival()).await
    }

    pub async fn verify_as_of(&self, token: &str, arrival: Arrival) -> Result<LogoutToken, VerifyError> {
        RawLogoutToken::new(token).verify(&self.verifier, arrival).await
    }

    pub async fn verify_id(&self, token: &TokenBuilder) -> Result<IdToken, VerifyError> {
        RawIdToken::new(&token.sign()).verify(&self.verifier, self.keys.arrival()).await
    }

    /// The code that a logout token is refused with; `None` when it is taken.
    pub async fn code(&self, token: &TokenBuilder) -> Option<&'static str> {
        code_of(&self.verify(token).await)
    }

    pub async fn id_code(&self, token: &TokenBuilder) -> Option<&'static str> {
        code_of(&self.verify_id(token).await)
    }

    pub fn health(&self) -> IssuerHealth {
        self.keys.health().into_iter().find(|one| one.issuer == self.id()).unwrap()
    }

    /// Waits until something is true; fails after ten seconds.
    pub async fn until(&self, what: &str, is_true: impl Fn(&Self) -> bool) {
        until(what, async || is_true(self).then_some(())).await;
    }
}

fn code_of<T>(verdict: &Result<T, VerifyError>) -> Option<&'static str> {
    match verdict {
        Ok(_) => None,
        Err(VerifyError::Refused(fault)) => Some(fault.code()),
        Err(VerifyError::KeysUnavailable) => Some("keys_unavailable"),
    }
}

fn settings(issuer: &ScriptedIssuer) -> IssuerSettings {
    let client =
        HubClient { client_id: ClientId::parse("hub").unwrap(), client_secret: Secret::new("hub-secret-0123456789") };
    IssuerSettings {
        issuer: Issuer::parse(&issuer.url).unwrap(),
        signing_algs: SigningAlg::ALL.to_vec(),
        require_logout_jwt_typ: false,
        allow_missing_exp: false,
        client: Some(client),
        management: None,
    }
}

fn app(client_id: &str, issuer: &ScriptedIssuer) -> App {
    App {
        client_id: ClientId::parse(client_id).unwrap(),
        issuer: Issuer::parse(&issuer.url).unwrap(),
        name: client_id.to_owned(),
        origins: vec![],
        allow_no_origin: false,
        post_logout_redirect_uris: vec![],
        secret: None,
        frontchannel_logout_uri: None,
        backchannel_logout_uri: None,
        backchannel_logout_token: BackchannelToken::Issuer,
        chain_logout_uri: None,
    }
}
