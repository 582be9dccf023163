//! Those who say that a session is over: apps, back ends, and the issuer.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::cluster::{DESK, NODES, NOTES};
use crate::history::{Answer, Event, Way, Whom};
use crate::luck::Luck;
use crate::socket::until;
use crate::support::issuer::TestSession;
use crate::world::World;

/// Who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A page, with the person's ID token.
    Page,
    /// An app's back end, with its secret.
    BackEnd,
    /// The issuer, with a logout token.
    Issuer,
}

pub struct Reporter {
    pub world: Arc<World>,
    pub luck: Luck,
    pub who: TestSession,
    /// When the session began.
    pub began: i64,
    pub by: By,
    /// Every session of the person's, or the one.
    pub everywhere: bool,
    /// How often it tries to be heard.
    pub tries: usize,
}

impl Reporter {
    /// Reports until it is heard, or gives up: to any node, and to another with each try.
    pub async fn report(self) -> Option<Answer> {
        self.report_to(None).await
    }

    /// The same, to one node.
    pub async fn report_to(mut self, node: Option<usize>) -> Option<Answer> {
        // Made once: a retry sends the same.
        let token = self.token();
        for _ in 0..self.tries {
            let at = self.world.cluster.door(node.unwrap_or_else(|| self.luck.below(2 * NODES)));
            let answer = self.try_once(at, &token).await;
            if !matches!(answer, Answer::Unknown { .. }) {
                return Some(answer);
            }
            sleep(self.luck.millis(50, 800)).await;
        }
        None
    }

    /// What it shows, and the `iat` of that.
    fn token(&self) -> (String, Option<i64>) {
        match self.by {
            By::BackEnd => (String::new(), None),
            By::Page => {
                let (token, iat) = self.world.id_token(&self.who, self.began, true);
                (token, Some(iat))
            }
            By::Issuer => {
                let iat = self.world.issuer.now();
                let token = self.world.issuer.logout_token(&self.who, NOTES.0).with("iat", json!(iat));
                let token = if self.everywhere { token.without("sid") } else { token };
                (token.sign(), Some(iat))
            }
        }
    }

    async fn try_once(&self, at: SocketAddr, (token, iat): &(String, Option<i64>)) -> Answer {
        let report = self.world.next_report();
        let TestSession { sub, sid } = self.who.clone();
        let whom = if self.everywhere { Whom::Person(sub) } else { Whom::Session(sid) };
        let way = if self.by == By::Issuer { Way::Backchannel } else { Way::App };
        self.world.history.note(Event::Reporting { report, whom, way, iat: *iat });
        let answer = ask(self.request(at, token), *iat).await;
        self.world.history.note(Event::Reported { report, answer: answer.clone() });
        answer
    }

    fn request(&self, at: SocketAddr, token: &str) -> RequestBuilder {
        let http = &self.world.cluster.http;
        let logouts = http.post(format!("http://{at}/api/v1/logouts")).header("content-type", "application/json");
        let TestSession { sub, sid } = &self.who;
        match self.by {
            By::Page => {
                let scope = if self.everywhere { "user" } else { "session" };
                let logouts = logouts.bearer_auth(token).header("origin", NOTES.1);
                logouts.body(json!({ "scope": scope }).to_string())
            }
            By::BackEnd => {
                let logouts = logouts.basic_auth(DESK.0, Some(DESK.1));
                let everywhere = json!({"scope": "user", "sub": sub});
                let one = json!({"scope": "session", "sid": sid, "sub": sub});
                logouts.body(if self.everywhere { everywhere } else { one }.to_string())
            }
            By::Issuer => {
                let form = http.post(format!("http://{at}/backchannel-logout"));
                let form = form.header("content-type", "application/x-www-form-urlencoded");
                form.body(format!("logout_token={token}"))
            }
        }
    }
}

/// Sends it, and says what came of it. A logout token's own `iat` is its T.
async fn ask(request: RequestBuilder, iat: Option<i64>) -> Answer {
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) => {
            return Answer::Unknown { why: if error.is_timeout() { "no answer" } else { "broken" }.to_owned() };
        }
    };
    let status = answer.status().as_u16();
    let Ok(text) = answer.text().await else { return Answer::Unknown { why: "half an answer".to_owned() } };
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    match (status, body["id"].as_str()) {
        (200 | 201, Some(id)) => Answer::Acknowledged { id: Some(id.to_owned()), until: until(&body) },
        (200, None) => Answer::Acknowledged { id: None, until: iat.unwrap_or_default() },
        (400..500, _) => Answer::Refused { status, code: body["code"].as_str().unwrap_or_default().to_owned() },
        _ => Answer::Unknown { why: format!("status {status}") },
    }
}
