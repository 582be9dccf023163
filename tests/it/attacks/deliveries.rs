//! Back ends that misbehave: one logout is told to all of them at once, and the receipt
//! says of each what the row expects.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use slo_hub::delivery::{Found, Lookup};
use slo_hub::tasks::Tasks;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::corpus::{BackEnd, Group, Row};
use super::log::Log;
use super::words::Words;
use crate::hub::{Answer, NOTES, TestHub};
use crate::stories::id_token;
use crate::support::issuer::TestSession;
use crate::tab::Tab;

/// A back end that does what its row says, and what was posted to it.
struct Place {
    row: Row,
    uri: String,
    posts: Arc<Mutex<Vec<String>>>,
}

/// Finds each back end where its row says.
struct Names(BTreeMap<String, Vec<IpAddr>>);

impl Lookup for Names {
    fn lookup<'a>(&'a self, name: &'a str) -> Found<'a> {
        let found = self.0.get(name).cloned().ok_or_else(|| io::ErrorKind::NotFound.into());
        Box::pin(std::future::ready(found))
    }
}

/// Plays the group: a logout that is told to all, and one that is told to the controls.
pub async fn run(group: Group) {
    let log = Log::open();
    let mut places = Vec::new();
    let controls: BTreeSet<_> = group.controls.iter().map(|row| row.id.clone()).collect();
    for row in group.controls.into_iter().chain(group.rows) {
        places.push(Place::start(row).await);
    }
    let names = places.iter().map(Place::name).collect();
    let tables: String = places.iter().map(Place::table).collect();
    let hub = TestHub::start_found_by(&tables, Arc::new(Names(names))).await;
    let mut said = Vec::new();
    let everyone: Vec<_> = places.iter().collect();
    let (ada, grace) = (unique(&hub, "ada"), unique(&hub, "grace"));
    let token = id_token(&hub, &grace, "notes");
    let (mut tab, _) = Tab::live(&hub, NOTES, &token).await;
    said.extend(told(&hub, &ada, &everyone).await);
    // Whatever the back ends did: the hub lives, nobody else was signed out, and the next
    // logout is pushed, and told to whoever takes it.
    Answer::of(hub.http.get(hub.admin_url("/healthz"))).await.expect(200);
    tab.heard_nothing(&token).await;
    let again: Vec<_> = places.iter().filter(|place| controls.contains(&place.row.id)).collect();
    said.extend(told(&hub, &grace, &again).await);
    tab.logged_out().await;
    if hub.recorded().await != 2 {
        said.push("another logout was recorded".to_owned());
    }
    let posts = places.iter().flat_map(|place| place.posts.lock().unwrap().clone());
    let tokens = posts.filter_map(|post| Some(post.split_once("logout_token=")?.1.to_owned()));
    let tokens = tokens.flat_map(|token| token.split('.').skip(1).map(str::to_owned).collect::<Vec<_>>());
    let secrets: Vec<_> = tokens.chain([ada.sid, ada.sub, grace.sid, grace.sub]).collect();
    let metrics = hub.running.hub.metrics.encode();
    for (what, text) in [("log tells", log.since(0)), ("metrics tell", metrics)] {
        let told = secrets.iter().filter(|secret| text.contains(secret.as_str()));
        said.extend(told.map(|secret| format!("the {what} {secret}")));
    }
    assert!(said.is_empty(), "\n{}", said.join("\n"));
}

fn unique(hub: &TestHub, name: &str) -> TestSession {
    let chance = ulid::Ulid::generate();
    hub.issuer.session(&format!("sub-{name}-{chance}"), &format!("sid-{name}-{chance}"))
}

/// One logout, and what is wrong with how each of these was told.
async fn told(hub: &TestHub, who: &TestSession, places: &[&Place]) -> Vec<String> {
    let done = hub.reports(&id_token(hub, who, "notes"), NOTES, json!({})).await.expect(201);
    let id = done["id"].as_str().unwrap();
    let is_tried = |receipt: &Value| {
        let tried = |place: &&Place| place.delivery(receipt).is_some_and(|row| row["attempts"] != 0);
        places.iter().all(tried)
    };
    let receipt = hub.until_receipt(id, "every back end was tried", is_tried).await;
    places.iter().filter_map(|place| place.fault(&receipt)).collect()
}

impl Place {
    async fn start(row: Row) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let back_end = row.back_end.clone().unwrap();
        let mut words = Words::default();
        words.set("port", listener.local_addr().unwrap().port());
        let uri = words.text(&back_end.uri);
        let posts = Arc::new(Mutex::new(Vec::new()));
        let answers = back_end.answers.as_ref().map(|text| words.text(text));
        let taken = Arc::clone(&posts);
        Tasks::default().spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                Tasks::default().spawn(serve(stream, Arc::clone(&taken), answers.clone(), back_end.then_silence));
            }
        });
        Self { row, uri, posts }
    }

    fn back_end(&self) -> &BackEnd {
        self.row.back_end.as_ref().unwrap()
    }

    fn name(&self) -> (String, Vec<IpAddr>) {
        let name = Url::parse(&self.uri).unwrap().host_str().unwrap().to_owned();
        (name, self.back_end().found_at.iter().map(|addr| addr.parse().unwrap()).collect())
    }

    fn table(&self) -> String {
        format!(
            "[[apps]]\nclient_id = \"{}\"\nissuer = \"ISSUER\"\nbackchannel_logout_uri = \"{}\"\n\
             backchannel_logout_token = \"hub\"\n",
            self.row.id, self.uri
        )
    }

    fn delivery(&self, receipt: &Value) -> Option<Value> {
        let mut rows = receipt["deliveries"].as_array().unwrap().iter();
        rows.find(|row| row["client_id"] == self.row.id.as_str() && row["via"] == "backchannel").cloned()
    }

    fn fault(&self, receipt: &Value) -> Option<String> {
        let delivery = self.delivery(receipt).unwrap();
        let (status, why) = self.row.expect.delivery.as_ref().unwrap();
        let said = delivery["error"].as_str().unwrap_or_default();
        let is_so = delivery["status"] == status.as_str() && why.as_deref().is_none_or(|why| said.contains(why));
        let is_called = !self.posts.lock().unwrap().is_empty();
        if is_so && is_called == self.back_end().is_called {
            return None;
        }
        Some(format!("deliveries/{}: expected {status} {why:?}, got {delivery}, called: {is_called}", self.row.id))
    }
}

/// Takes one post, answers as the row says, and then closes, or says nothing more.
async fn serve(mut stream: TcpStream, posts: Arc<Mutex<Vec<String>>>, answers: Option<String>, then_silence: bool) {
    let mut taken = Vec::new();
    let mut piece = [0; 4096];
    // The hub's posts are small, and their body is the last of them.
    while !String::from_utf8_lossy(&taken).contains("logout_token=") {
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => break,
            Ok(length) => taken.extend_from_slice(&piece[..length]),
        }
    }
    posts.lock().unwrap().push(String::from_utf8_lossy(&taken).into_owned());
    if let Some(answers) = answers {
        stream.write_all(answers.as_bytes()).await.ok();
    }
    if then_silence {
        std::future::pending::<()>().await;
    }
}
