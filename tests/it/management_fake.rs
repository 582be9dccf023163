//! A Management API as Auth0's, whose sessions are real and whose failings can be chosen.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use slo_hub::tasks::Tasks;
use tokio::sync::Semaphore;

/// The secret of the hub's client at the API.
pub const SECRET: &str = "management-secret-0123456789";

/// How the API answers one request, instead of as it would.
#[derive(Clone)]
pub enum Says {
    Status(u16),
    /// A status, a header and a body.
    With(u16, &'static str, String, Value),
    Text(String),
    /// That many bytes of JSON text.
    Huge(usize),
    /// As it would, once the semaphore lets it.
    Held(Arc<Semaphore>),
    Never,
}

/// A request that the API was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub method: String,
    /// As it stood in the request, its escapes included.
    pub path: String,
    pub query: String,
    pub body: String,
    pub token: String,
}

/// The API. Clones share it.
#[derive(Clone, Default)]
pub struct FakeApi(Arc<Inner>);

#[derive(Default)]
struct Inner {
    sessions: Mutex<Vec<Value>>,
    revoked: Mutex<Vec<String>>,
    asked: Mutex<Vec<Asked>>,
    tokens: AtomicU64,
    next: Mutex<HashMap<&'static str, VecDeque<Says>>>,
    always: Mutex<HashMap<&'static str, Says>>,
    per_page: Mutex<Option<usize>>,
    lifetime: Mutex<Option<Value>>,
    granted: Mutex<Option<&'static [&'static str]>>,
}

impl FakeApi {
    /// One on an address of its own; says which.
    pub async fn start() -> (Self, String) {
        let api = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let routes = api.routes();
        Tasks::default().spawn(async move { axum::serve(listener, routes).await.unwrap() });
        (api, url)
    }

    pub fn routes(&self) -> Router {
        Router::new().fallback(take).with_state(self.clone())
    }

    /// A session of that person, begun and authenticated at that time.
    pub fn has(&self, sid: &str, sub: &str, at: &str) {
        self.has_as(json!({"id": sid, "user_id": sub, "created_at": at, "authenticated_at": at}));
    }

    pub fn has_as(&self, session: Value) {
        self.0.sessions.lock().unwrap().push(session);
    }

    /// A session has run out there, and nobody was told.
    pub fn forgets(&self, sid: &str) {
        self.0.sessions.lock().unwrap().retain(|session| session["id"] != sid);
    }

    /// Somebody proves anew who they are, in a session that lasts.
    pub fn authenticated(&self, sid: &str, at: &str) {
        let mut sessions = self.0.sessions.lock().unwrap();
        let session = sessions.iter_mut().find(|session| session["id"] == sid).unwrap();
        session["authenticated_at"] = at.into();
    }

    /// The sessions that last still.
    pub fn lasting(&self) -> Vec<String> {
        let sessions = self.0.sessions.lock().unwrap();
        sessions.iter().map(|session| session["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Those that were ended with their refresh tokens.
    pub fn revoked(&self) -> Vec<String> {
        self.0.revoked.lock().unwrap().clone()
    }

    /// How it answers the next request of that kind (`token`, `list`, `get`, `revoke`,
    /// `delete`, `client`), once.
    pub fn then(&self, kind: &'static str, says: Says) {
        self.0.next.lock().unwrap().entry(kind).or_default().push_back(says);
    }

    /// How it answers every request of that kind from now on; `None` is as it would.
    pub fn always(&self, kind: &'static str, says: Option<Says>) {
        let mut always = self.0.always.lock().unwrap();
        match says {
            Some(says) => always.insert(kind, says),
            None => always.remove(kind),
        };
    }

    pub fn pages_of(&self, sessions: usize) {
        *self.0.per_page.lock().unwrap() = Some(sessions);
    }

    /// How long its tokens are good for, in seconds.
    pub fn tokens_last(&self, seconds: Value) {
        *self.0.lifetime.lock().unwrap() = Some(seconds);
    }

    /// The scopes that its client was granted; all, unless said.
    pub fn grants(&self, scopes: &'static [&'static str]) {
        *self.0.granted.lock().unwrap() = Some(scopes);
    }

    /// What it was asked, in order, each by its kind.
    pub fn kinds(&self) -> Vec<&'static str> {
        self.0.asked.lock().unwrap().iter().map(kind_of).collect()
    }

    /// How often it was asked that.
    pub fn count(&self, kind: &str) -> usize {
        self.kinds().iter().filter(|own| **own == kind).count()
    }

    /// The requests of that kind.
    pub fn asked(&self, kind: &str) -> Vec<Asked> {
        self.0.asked.lock().unwrap().iter().filter(|asked| kind_of(asked) == kind).cloned().collect()
    }

    fn said(&self, kind: &'static str) -> Option<Says> {
        let next = self.0.next.lock().unwrap().get_mut(kind).and_then(VecDeque::pop_front);
        next.or_else(|| self.0.always.lock().unwrap().get(kind).cloned())
    }

    fn answer(&self, kind: &str, asked: &Asked) -> Response {
        let part = |at: usize| {
            let part = asked.path.split('/').nth(at).unwrap_or_default();
            percent_encoding::percent_decode_str(part).decode_utf8().unwrap().into_owned()
        };
        match kind {
            "token" => self.token(asked),
            "list" => self.list(&part(4), asked),
            "get" => self.get(&part(4)),
            "revoke" | "delete" => self.end(&part(4), kind == "revoke"),
            "client" | "patch" => json(200, &json!({"client_id": part(4), "oidc_logout": {}})),
            _ => json(404, &json!({"statusCode": 404, "error": "Not Found", "message": "Not Found"})),
        }
    }

    fn token(&self, asked: &Asked) -> Response {
        let fields: HashMap<_, _> = form_urlencoded::parse(asked.body.as_bytes()).into_owned().collect();
        if fields.get("client_secret").map(String::as_str) != Some(SECRET) {
            return json(401, &json!({"error": "invalid_client"}));
        }
        let number = self.0.tokens.fetch_add(1, SeqCst);
        let lifetime = self.0.lifetime.lock().unwrap().clone().unwrap_or_else(|| json!(86400));
        let granted = *self.0.granted.lock().unwrap();
        let asked = fields.get("scope").map_or("", String::as_str).split(' ');
        let scope: Vec<_> = asked.filter(|own| granted.is_none_or(|granted| granted.contains(own))).collect();
        json(
            200,
            &json!({"access_token": format!("t{number}"), "token_type": "Bearer", "expires_in": lifetime,
            "scope": scope.join(" ")}),
        )
    }

    fn list(&self, sub: &str, asked: &Asked) -> Response {
        let sessions = self.0.sessions.lock().unwrap();
        let theirs: Vec<_> = sessions.iter().filter(|session| session["user_id"] == sub).cloned().collect();
        let query: HashMap<_, _> = form_urlencoded::parse(asked.query.as_bytes()).into_owned().collect();
        let from: usize = query.get("from").map_or(0, |from| from.parse().unwrap());
        let per_page = self.0.per_page.lock().unwrap().unwrap_or(usize::MAX);
        let page: Vec<_> = theirs.iter().skip(from).take(per_page).collect();
        let next = (from + page.len() < theirs.len()).then(|| (from + page.len()).to_string());
        json(200, &json!({"sessions": page, "next": next}))
    }

    fn get(&self, sid: &str) -> Response {
        let sessions = self.0.sessions.lock().unwrap();
        sessions.iter().find(|session| session["id"] == sid).map_or_else(missing, |session| json(200, session))
    }

    fn end(&self, sid: &str, is_revoked: bool) -> Response {
        let mut sessions = self.0.sessions.lock().unwrap();
        let before = sessions.len();
        sessions.retain(|session| session["id"] != sid);
        if sessions.len() == before {
            return missing();
        }
        if is_revoked {
            self.0.revoked.lock().unwrap().push(sid.to_owned());
        }
        StatusCode::ACCEPTED.into_response()
    }
}

/// Auth0's words for a session that is not there.
pub fn missing() -> Response {
    let said = json!({"statusCode": 404, "error": "Not Found", "message": "The session does not exist."});
    json(404, &said)
}

fn kind_of(asked: &Asked) -> &'static str {
    let parts: Vec<_> = asked.path.split('/').skip(1).collect();
    match (asked.method.as_str(), parts.as_slice()) {
        ("POST", ["oauth", "token"]) => "token",
        ("GET", ["api", "v2", "users", _, "sessions"]) => "list",
        ("GET", ["api", "v2", "sessions", _]) => "get",
        ("POST", ["api", "v2", "sessions", _, "revoke"]) => "revoke",
        ("DELETE", ["api", "v2", "sessions", _]) => "delete",
        ("GET", ["api", "v2", "clients", _]) => "client",
        ("PATCH", ["api", "v2", "clients", _]) => "patch",
        _ => "unknown",
    }
}

async fn take(State(api): State<FakeApi>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let token = head.headers.get(header::AUTHORIZATION).map_or("", |value| value.to_str().unwrap());
    let asked = Asked {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        token: token.to_owned(),
        body: String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().into()).unwrap(),
    };
    let kind = kind_of(&asked);
    api.0.asked.lock().unwrap().push(asked.clone());
    match api.said(kind) {
        None => api.answer(kind, &asked),
        Some(Says::Status(status)) => status_of(status).into_response(),
        Some(Says::With(status, name, value, body)) => {
            (status_of(status), [(name, value)], body.to_string()).into_response()
        }
        Some(Says::Text(text)) => text.into_response(),
        Some(Says::Huge(bytes)) => Body::from(format!("{{\"sessions\":\"{}\"}}", "x".repeat(bytes))).into_response(),
        Some(Says::Held(gate)) => {
            gate.acquire().await.unwrap().forget();
            api.answer(kind, &asked)
        }
        Some(Says::Never) => std::future::pending().await,
    }
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap()
}

fn json(status: u16, body: &Value) -> Response {
    (status_of(status), [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
