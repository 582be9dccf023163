//! An app's back end that answers as a test has told it to, and shows what it was posted.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use slo_hub::delivery::{Found, Lookup};
use slo_hub::tasks::Tasks;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

use crate::own_tokens::part;

/// How a back end answers a post.
#[derive(Clone)]
pub enum Says {
    Status(u16),
    With(u16, &'static str, String),
    /// That status, once the semaphore lets it.
    Held(Arc<Semaphore>, u16),
    Never,
}

/// What a back end was posted.
#[derive(Debug)]
pub struct Post {
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Post {
    pub fn token(&self) -> &str {
        self.body.strip_prefix("logout_token=").unwrap_or_else(|| panic!("{self:?}"))
    }

    /// A claim of the token.
    pub fn claim(&self, name: &str) -> Value {
        part(self.token(), 1)[name].clone()
    }

    /// The id of the logout that the hub's own token is about.
    pub fn txn(&self) -> String {
        self.claim("txn").as_str().unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }
}

/// A back end on this machine. It stops when the test ends.
pub struct Receiver {
    pub port: u16,
    script: Arc<Script>,
    posts: tokio::sync::Mutex<mpsc::UnboundedReceiver<Post>>,
}

struct Script {
    next: Mutex<VecDeque<Says>>,
    otherwise: Mutex<Says>,
    posts: mpsc::UnboundedSender<Post>,
}

impl Receiver {
    /// One that takes everything.
    pub async fn start() -> Self {
        Self::listen_on(tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// The same, on that listener.
    pub fn listen_on(listener: tokio::net::TcpListener) -> Self {
        let port = listener.local_addr().unwrap().port();
        let (sender, posts) = mpsc::unbounded_channel();
        let script = Script { next: Mutex::default(), otherwise: Mutex::new(Says::Status(204)), posts: sender };
        let script = Arc::new(script);
        let routes = Router::new().fallback(take).with_state(Arc::clone(&script));
        Tasks::default().spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { port, script, posts: posts.into() }
    }

    /// Its table in the hub's configuration.
    pub fn app(&self, client_id: &str, token: &str) -> String {
        app(client_id, &format!("http://{client_id}.localhost:{}/slo?of={client_id}", self.port), token)
    }

    /// How it answers from now on, where [`Receiver::then`] says nothing else.
    pub fn says(&self, says: Says) {
        *self.script.otherwise.lock().unwrap() = says;
    }

    /// How it answers the next post, once.
    pub fn then(&self, says: Says) {
        self.script.next.lock().unwrap().push_back(says);
    }

    /// The next post; fails after ten seconds.
    pub async fn post(&self) -> Post {
        let next = async { self.posts.lock().await.recv().await.unwrap() };
        timeout(Duration::from_secs(10), next).await.expect("the back end is posted to")
    }

    /// Fails if there was a post that nobody has looked at.
    #[track_caller]
    pub fn has_nothing_more(&self) {
        let next = self.posts.try_lock().unwrap().try_recv();
        assert!(next.is_err(), "{next:?}");
    }
}

async fn take(State(script): State<Arc<Script>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let post =
        Post { path: head.uri.to_string(), headers: head.headers, body: String::from_utf8(body.into()).unwrap() };
    let next = script.next.lock().unwrap().pop_front();
    let says = next.unwrap_or_else(|| script.otherwise.lock().unwrap().clone());
    script.posts.send(post).ok();
    let status = |status| StatusCode::from_u16(status).unwrap();
    match says {
        Says::Status(code) => status(code).into_response(),
        Says::With(code, header, value) => (status(code), [(header, value)]).into_response(),
        Says::Held(gate, code) => {
            gate.acquire().await.unwrap().forget();
            status(code).into_response()
        }
        Says::Never => std::future::pending().await,
    }
}

/// A table for the hub's configuration.
pub fn app(client_id: &str, uri: &str, token: &str) -> String {
    format!(
        "[[apps]]\nclient_id = \"{client_id}\"\nissuer = \"ISSUER\"\nallow_no_origin = true\n\
         backchannel_logout_uri = \"{uri}\"\nbackchannel_logout_token = \"{token}\"\n"
    )
}

/// A name server that finds every name on a private machine: no test asks the real one.
pub struct Intranet;

impl Lookup for Intranet {
    fn lookup<'a>(&'a self, _: &'a str) -> Found<'a> {
        let addr: IpAddr = [10, 1, 2, 3].into();
        Box::pin(std::future::ready(Ok(vec![addr])))
    }
}
