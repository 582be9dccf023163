//! An OpenID provider with real keys on a real socket, whose failings can be chosen.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use slo_hub::domain::clock::{Clock, SystemClock, UnixMillis};
use slo_hub::tasks::Tasks;
use tower::ServiceExt as _;

use super::token::{SigningKey, TokenBuilder};

/// RSA keys of 2048 bits, for tests only: making one takes a moment.
const READY_KEYS: [&[u8]; 2] = [include_bytes!("keys/rsa-1.der"), include_bytes!("keys/rsa-2.der")];

/// A person's browser session at an issuer.
#[derive(Clone, Debug)]
pub struct TestSession {
    pub sub: String,
    pub sid: String,
}

/// A provider that tests can talk to. It stops when the test ends.
pub struct TestIssuer {
    url: String,
    state: Arc<Provider>,
    clock: SystemClock,
    /// Where its clock was stopped, in unix seconds.
    stopped_at: OnceLock<i64>,
    ahead: AtomicI64,
    sessions: AtomicU64,
}

struct Provider {
    url: Mutex<String>,
    key: Mutex<Arc<SigningKey>>,
    /// Keys that are published beside the one that signs.
    others: Mutex<Vec<Value>>,
    status: AtomicU16,
    serving: Mutex<Serving>,
    has_end_session: Mutex<bool>,
    issuer_in_metadata: Mutex<Option<String>>,
    requests: AtomicU64,
    redemptions: AtomicU64,
    made: AtomicU64,
    /// Sign-ins that wait to be redeemed, by code.
    grants: Mutex<HashMap<String, Grant>>,
    /// What else it serves.
    more: Mutex<Option<Router>>,
}

/// How a provider answers, whatever it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    Well,
    /// Rightly, but after so long.
    Late(Duration),
    /// 200, and no word of it makes sense.
    Garbage,
}

/// A person's sign-in for a client, on its way back to it.
#[derive(Clone, Debug)]
pub struct Grant {
    /// What the ID token will be.
    pub id_token: String,
    /// The challenge that the code's redeemer has to meet (RFC 7636).
    pub challenge: String,
    /// What the redeemer authenticates with: `Basic …`, or the form's fields.
    pub client: String,
}

impl TestIssuer {
    /// Starts a provider on a free port.
    pub async fn start() -> Self {
        static STARTED: AtomicU64 = AtomicU64::new(0);
        let number = STARTED.fetch_add(1, Ordering::SeqCst);
        let ready = READY_KEYS[usize::try_from(number).unwrap() % READY_KEYS.len()];
        let key = SigningKey::rsa(format!("key-{number}"), KeyPair::from_der(ready).unwrap());
        let state = Arc::new(Provider {
            url: Mutex::default(),
            key: Mutex::new(Arc::new(key)),
            others: Mutex::default(),
            status: AtomicU16::new(200),
            serving: Mutex::new(Serving::Well),
            has_end_session: Mutex::new(true),
            issuer_in_metadata: Mutex::default(),
            requests: AtomicU64::new(0),
            redemptions: AtomicU64::new(0),
            made: AtomicU64::new(0),
            grants: Mutex::default(),
            more: Mutex::default(),
        });
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(jwks))
            .route("/oauth/token", post(redeem))
            .fallback(others)
            .layer(middleware::from_fn_with_state(Arc::clone(&state), as_it_serves))
            .with_state(Arc::clone(&state));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        state.url.lock().unwrap().clone_from(&url);
        Tasks::default().spawn(async move { axum::serve(listener, routes).await.unwrap() });
        let (ahead, sessions) = (AtomicI64::new(0), AtomicU64::new(0));
        let (clock, stopped_at) = (SystemClock::start(), OnceLock::new());
        Self { url, state, clock, stopped_at, ahead, sessions }
    }

    /// Its `iss`, with the slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The `kid` of the key that signs now.
    pub fn kid(&self) -> String {
        self.state.key.lock().unwrap().kid.clone()
    }

    /// The key that signs now, as it is published.
    pub fn jwk(&self) -> Value {
        self.state.key.lock().unwrap().jwk()
    }

    /// A new browser session of a person.
    pub fn sign_in(&self, sub: &str) -> TestSession {
        let number = self.sessions.fetch_add(1, Ordering::SeqCst);
        let port = self.url.rsplit(':').next().unwrap().trim_end_matches('/').to_owned();
        self.session(sub, &format!("sid-{port}-{number}"))
    }

    /// A session of that name.
    #[expect(clippy::unused_self, reason = "reads as the issuer's own")]
    pub fn session(&self, sub: &str, sid: &str) -> TestSession {
        TestSession { sub: sub.to_owned(), sid: sid.to_owned() }
    }

    /// An ID token for an app, good for an hour.
    pub fn id_token(&self, who: &TestSession, client_id: &str) -> TokenBuilder {
        let now = self.now();
        self.token(json!({
            "iss": self.url, "aud": client_id, "sub": who.sub, "sid": who.sid, "iat": now, "exp": now + 3600,
        }))
        .header("typ", json!("JWT"))
    }

    /// A logout token for an app, as Auth0 sends it: with `sid` and `sub`, `typ: JWT`.
    pub fn logout_token(&self, who: &TestSession, client_id: &str) -> TokenBuilder {
        let now = self.now();
        let jti = format!("jti-{}", self.state.made.fetch_add(1, Ordering::SeqCst));
        self.token(json!({
            "iss": self.url, "aud": client_id, "sub": who.sub, "sid": who.sid, "jti": jti,
            "iat": now, "exp": now + 120, "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        }))
        .header("typ", json!("JWT"))
    }

    fn token(&self, claims: Value) -> TokenBuilder {
        TokenBuilder::new(Arc::clone(&self.state.key.lock().unwrap()), claims)
    }

    /// The issuer's clock, in whole seconds.
    pub fn now(&self) -> i64 {
        let at = self.stopped_at.get().copied().unwrap_or_else(|| self.clock.now().floor().0);
        at + self.ahead.load(Ordering::SeqCst)
    }

    /// Stops the issuer's clock there: from now on it is moved by hand, as the hub's is, and
    /// a slow machine makes no token later than it.
    pub fn stop_clock(&self, at: UnixMillis) {
        self.stopped_at.set(at.floor().0).expect("it is stopped once");
    }

    /// Moves the issuer's clock on.
    pub fn advance(&self, by: Duration) {
        self.ahead.fetch_add(i64::try_from(by.as_secs()).unwrap(), Ordering::SeqCst);
    }

    /// From now on another key signs, and is the one that is published.
    pub fn rotate_keys(&self) {
        let number = self.state.made.fetch_add(1, Ordering::SeqCst);
        let fresh = SigningKey::rsa(format!("rotated-{number}"), KeyPair::generate(KeySize::Rsa2048).unwrap());
        *self.state.key.lock().unwrap() = Arc::new(fresh);
    }

    /// Signs with P-256 from now on; the RSA key stays published.
    pub fn sign_with_es256(&self) {
        let mut key = self.state.key.lock().unwrap();
        self.state.others.lock().unwrap().push(key.jwk());
        *key = Arc::new(SigningKey::p256("ec-key".to_owned()));
    }

    /// Publishes one more JWK.
    pub fn publish(&self, jwk: Value) {
        self.state.others.lock().unwrap().push(jwk);
    }

    /// No longer publishes the key of that name beside the one that signs.
    pub fn withdraw(&self, kid: &str) {
        self.state.others.lock().unwrap().retain(|jwk| jwk["kid"] != kid);
    }

    /// Answers in that way from now on.
    pub fn serves(&self, how: Serving) {
        *self.state.serving.lock().unwrap() = how;
    }

    /// Answers every request with that status; 200 is as before.
    pub fn fail_with(&self, status: u16) {
        self.state.status.store(status, Ordering::SeqCst);
    }

    /// Metadata without an `end_session_endpoint`, as of older Auth0 tenants.
    pub fn without_end_session_endpoint(&self) {
        *self.state.has_end_session.lock().unwrap() = false;
    }

    /// Metadata that names another issuer.
    pub fn claim_to_be(&self, issuer: &str) {
        *self.state.issuer_in_metadata.lock().unwrap() = Some(issuer.to_owned());
    }

    /// Somebody is signed in: the code that says so.
    pub fn grant(&self, grant: Grant) -> String {
        let code = format!("code-{}", self.state.made.fetch_add(1, Ordering::SeqCst));
        self.state.grants.lock().unwrap().insert(code.clone(), grant);
        code
    }

    /// Serves this as well: tokens by client credentials, and every address it has not.
    pub fn also_serves(&self, routes: Router) {
        *self.state.more.lock().unwrap() = Some(routes);
    }

    /// How often the keys were asked for.
    pub fn key_requests(&self) -> u64 {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// How often somebody came to redeem a code, a good one or not.
    pub fn redemptions(&self) -> u64 {
        self.state.redemptions.load(Ordering::SeqCst)
    }
}

async fn metadata(State(state): State<Arc<Provider>>) -> Response {
    let url = state.url.lock().unwrap().clone();
    let issuer = state.issuer_in_metadata.lock().unwrap().clone().unwrap_or_else(|| url.clone());
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{url}authorize"),
        "token_endpoint": format!("{url}oauth/token"),
        "jwks_uri": format!("{url}jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "A-NEW-ONE"],
        "backchannel_logout_supported": true,
    });
    if *state.has_end_session.lock().unwrap() {
        document["end_session_endpoint"] = format!("{url}oidc/logout").into();
    }
    answer(&state, &document)
}

/// The token endpoint: a code is good once, for the client it was made for, and for
/// whoever knows what its challenge is the digest of.
async fn redeem(State(state): State<Arc<Provider>>, headers: HeaderMap, body: String) -> Response {
    let fields: HashMap<_, _> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    if field("grant_type") == "client_credentials" {
        let mut request = Request::post("/oauth/token").body(body.into()).unwrap();
        *request.headers_mut() = headers;
        return others(State(state), request).await;
    }
    state.redemptions.fetch_add(1, Ordering::SeqCst);
    let basic = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    let client = basic.unwrap_or_else(|| format!("{}:{}", field("client_id"), field("client_secret")));
    let refused = |status: StatusCode, error: &str| (status, json!({ "error": error }).to_string()).into_response();
    let mut grants = state.grants.lock().unwrap();
    let Some(grant) = grants.get(&field("code")).cloned() else {
        return refused(StatusCode::BAD_REQUEST, "invalid_grant");
    };
    if grant.client != client {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    grants.remove(&field("code"));
    drop(grants);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, field("code_verifier").as_bytes());
    if URL_SAFE_NO_PAD.encode(digest) != grant.challenge {
        return refused(StatusCode::BAD_REQUEST, "invalid_grant");
    }
    let tokens = json!({"access_token": "opaque", "token_type": "Bearer", "id_token": grant.id_token});
    answer(&state, &tokens)
}

/// What it does not know itself.
async fn others(State(state): State<Arc<Provider>>, request: Request) -> Response {
    let more = state.more.lock().unwrap().clone();
    match more {
        Some(routes) => routes.oneshot(request).await.into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn as_it_serves(State(state): State<Arc<Provider>>, request: Request, next: Next) -> Response {
    let serving = *state.serving.lock().unwrap();
    match serving {
        Serving::Well => next.run(request).await,
        Serving::Late(by) => {
            tokio::time::sleep(by).await;
            next.run(request).await
        }
        Serving::Garbage => "{\"keys\": [{\"kty\": <html>".into_response(),
    }
}

async fn jwks(State(state): State<Arc<Provider>>) -> Response {
    state.requests.fetch_add(1, Ordering::SeqCst);
    let mut keys = state.others.lock().unwrap().clone();
    keys.push(state.key.lock().unwrap().jwk());
    answer(&state, &json!({ "keys": keys }))
}

fn answer(state: &Provider, document: &Value) -> Response {
    let status = StatusCode::from_u16(state.status.load(Ordering::SeqCst)).unwrap();
    (status, [(header::CONTENT_TYPE, "application/json")], document.to_string()).into_response()
}

/// The RSA key as a JWK.
pub fn rsa_jwk(kid: &str, pair: &KeyPair) -> Value {
    let public = pair.public_key();
    let n = URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero());
    let e = URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero());
    json!({"kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256", "n": n, "e": e})
}
