//! A browser that signs in to the console by the hub's own login.

use std::collections::BTreeMap;

use url::Url;

use crate::account::{CLIENT, granted, question};
use crate::admin::TOKEN;
use crate::browser::param;
use crate::console_operator::token_of;
use crate::hub::{Answer, TestHub};
use crate::support::issuer::{Grant, TestSession};

/// What browsers call the console.
pub const CONSOLE: &str = "https://console.example";
/// The claim that makes an operator, named as Auth0 demands.
pub const ROLES: &str = "https://acme.example/roles";
const CALLBACK: &str = "/console/sign-in/callback";

/// `[server]` of a console that operators of the first issuer sign in to, and this beside it.
pub fn settings(server: &str, more: &str) -> String {
    format!(
        "{server}\n[server.console]\nurl = \"{CONSOLE}\"\nissuer = \"ISSUER\"\nclaim = \"{ROLES}\"\nvalues = \
         [\"slo-admin\", \"slo-owner\"]\n{more}\n# issuer\n{CLIENT}"
    )
}

/// A hub whose console opens to operators of the first issuer, and to the token.
pub async fn hub() -> TestHub {
    TestHub::start_with(&settings(&format!("admin_token = \"{TOKEN}\""), "")).await
}

pub struct Visitor<'a> {
    hub: &'a TestHub,
    cookies: BTreeMap<String, String>,
}

impl<'a> Visitor<'a> {
    pub fn new(hub: &'a TestHub) -> Self {
        Self { hub, cookies: BTreeMap::new() }
    }

    /// Somebody who has signed in as that operator.
    pub async fn of(hub: &'a TestHub, who: &TestSession) -> Self {
        let mut visitor = Self::new(hub);
        let asked = visitor.asked().await;
        let arrived = visitor.comes_back(&asked, as_operator(hub, who, &asked)).await;
        arrived.shows("You are signed in").shows("content=\"0; url=/console\"");
        visitor
    }

    /// The button of the first page is pressed; what the issuer is asked.
    pub async fn asked(&mut self) -> Url {
        let page = self.opens("/console/sign-in").await;
        page.shows(&format!("href=\"{CONSOLE}/console/sign-in/issuer\""));
        let answer = self.opens("/console/sign-in/issuer").await;
        question(self.hub, &answer)
    }

    /// The issuer sends the browser back with a code for that.
    pub async fn comes_back(&mut self, asked: &Url, grant: Grant) -> Answer {
        let code = self.hub.issuer.grant(grant);
        self.comes_with(&[("code", &code), ("state", &param(asked, "state"))]).await
    }

    /// The browser is sent back with this.
    pub async fn comes_with(&mut self, query: &[(&str, &str)]) -> Answer {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        self.opens(&format!("{CALLBACK}?{query}")).await
    }

    pub async fn opens(&mut self, path: &str) -> Answer {
        let request = self.request(reqwest::Method::GET, path).header("sec-fetch-mode", "navigate");
        self.keeps(Answer::of(request.header("sec-fetch-dest", "document")).await)
    }

    /// The page's script looks for news.
    pub async fn refreshes(&self, path: &str) -> Answer {
        Answer::of(self.request(reqwest::Method::GET, path).header("x-console-refresh", "1")).await
    }

    /// Opens a page, and sends a form of it with these fields to `action`.
    pub async fn sends(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let token = token_of(&self.opens(page).await);
        self.posts(action, &[&[("token", token.as_str())], fields].concat()).await
    }

    pub async fn posts(&mut self, action: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.request(reqwest::Method::POST, action).header("origin", CONSOLE).body(body);
        self.keeps(Answer::of(request.header("content-type", "application/x-www-form-urlencoded")).await)
    }

    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = self.hub.http.request(method, self.hub.admin_url(path)).header("host", "console.example");
        request.header("cookie", cookies.join("; "))
    }

    /// Whether the console is open to this browser.
    pub async fn is_in(&mut self) -> bool {
        self.opens("/console").await.status == 200
    }

    /// The browser has that cookie, wherever it is from.
    pub fn carries(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    /// What the browser keeps of the console's.
    pub fn has(&self, cookie: &str) -> bool {
        self.cookies.contains_key(cookie)
    }

    fn keeps(&mut self, answer: Answer) -> Answer {
        for line in answer.headers.get_all("set-cookie") {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}

/// What the issuer grants to an operator who was asked that.
pub fn as_operator(hub: &TestHub, who: &TestSession, asked: &Url) -> Grant {
    with_roles(hub, who, asked, serde_json::json!(["staff", "slo-admin"]))
}

/// What the issuer grants to somebody with that in the claim.
pub fn with_roles(hub: &TestHub, who: &TestSession, asked: &Url, roles: serde_json::Value) -> Grant {
    let now = hub.issuer.now();
    let token = hub.issuer.id_token(who, "slo-hub").with("nonce", param(asked, "nonce").into());
    let token = token.with("auth_time", now.into()).with("email", format!("{}@acme.example", who.sub).into());
    Grant { id_token: token.with(ROLES, roles).sign(), ..granted(hub, who, asked, now) }
}
