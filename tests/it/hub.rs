//! A hub to test: the real app on a free port, a real database, a clock moved by hand.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use slo_hub::app::{self, Running, Surroundings};
use slo_hub::config::Config;
use slo_hub::delivery::Lookup;
use slo_hub::domain::clock::{Clock, HandClock, SystemClock};
use tempfile::TempDir;

use crate::receiver::Intranet;
use crate::records;
use crate::support::issuer::TestIssuer;
use crate::wait::until;

/// The origin of Notes' pages.
pub const NOTES: &str = "https://notes.example";
/// The origin of Shop's pages.
pub const SHOP: &str = "https://shop.example";
/// Desk's secret.
pub const DESK_SECRET: &str = "desk-secret-0123456789";

/// A hub with its issuer.
pub struct TestHub {
    pub running: Running,
    pub issuer: TestIssuer,
    pub other: TestIssuer,
    pub clock: Arc<HandClock>,
    pub http: reqwest::Client,
    pub folder: Arc<TempDir>,
    extra: String,
    lookup: Arc<dyn Lookup>,
}

impl TestHub {
    /// Two issuers; Notes, Shop and Desk at the first, Notes at the second as well.
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// The same, with more configuration.
    pub async fn start_with(extra: &str) -> Self {
        let hub = Self::prepared(extra, |_| {}).await;
        hub.until_keys_are_there().await;
        hub
    }

    /// The same, where back ends' names are found by `lookup`. Nobody waits for keys:
    /// some of the issuers in `extra` may have none.
    pub async fn start_found_by(extra: &str, lookup: Arc<dyn Lookup>) -> Self {
        Self::prepared_with(extra, |_| {}, lookup).await
    }

    /// The same, with a token for the admin listener.
    pub async fn start_with_admin_token(token: &str) -> Self {
        Self::prepared(&format!("admin_token = \"{token}\""), |_| {}).await
    }

    /// A hub whose issuers are down.
    pub async fn start_without_keys() -> Self {
        Self::prepared("", |issuer| issuer.fail_with(503)).await
    }

    /// A hub whose issuer has no `end_session_endpoint`, as older Auth0 tenants.
    pub async fn start_without_end_session() -> Self {
        let hub = Self::prepared("", TestIssuer::without_end_session_endpoint).await;
        hub.until_keys_are_there().await;
        hub
    }

    /// A hub with more settings of its first issuer.
    pub async fn start_with_issuer(settings: &str) -> Self {
        let hub = Self::prepared(&format!("# issuer\n{settings}"), |_| {}).await;
        hub.until_keys_are_there().await;
        hub
    }

    /// A hub whose records are at that address.
    pub async fn start_at(url: &str) -> Self {
        let hub = Self::prepared(&format!("# store {url}"), |_| {}).await;
        hub.until_keys_are_there().await;
        hub
    }

    /// A hub whose issuers were changed before it first asked them.
    pub async fn start_prepared(prepare: impl Fn(&TestIssuer)) -> Self {
        Self::prepared("", prepare).await
    }

    /// The same, with more configuration.
    pub async fn start_prepared_with(extra: &str, prepare: impl Fn(&TestIssuer)) -> Self {
        Self::prepared(extra, prepare).await
    }

    async fn prepared(extra: &str, prepare: impl Fn(&TestIssuer)) -> Self {
        Self::prepared_with(extra, prepare, Arc::new(Intranet)).await
    }

    async fn prepared_with(extra: &str, prepare: impl Fn(&TestIssuer), lookup: Arc<dyn Lookup>) -> Self {
        let (issuer, other) = (TestIssuer::start().await, TestIssuer::start().await);
        prepare(&issuer);
        prepare(&other);
        let now = SystemClock::start().now();
        issuer.stop_clock(now);
        other.stop_clock(now);
        let clock = Arc::new(HandClock::at(now));
        Self::run(issuer, other, clock, Arc::new(TempDir::new().unwrap()), extra.to_owned(), lookup).await
    }

    async fn run(
        issuer: TestIssuer,
        other: TestIssuer,
        clock: Arc<HandClock>,
        folder: Arc<TempDir>,
        extra: String,
        lookup: Arc<dyn Lookup>,
    ) -> Self {
        let text = config(&issuer, &other, &folder, &extra);
        let running = started(&text, &folder, &clock, &lookup).await;
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { running, issuer, other, clock, http, folder, extra, lookup }
    }

    /// Another node: the same configuration, records and clock.
    pub async fn another_node(&self) -> Running {
        let text = config(&self.issuer, &self.other, &self.folder, &self.extra);
        let node = started(&text, &self.folder, &self.clock, &self.lookup).await;
        let has_all = || node.hub.directory.issuers().all(|it| node.hub.keys.has_keys(&it.issuer));
        self.until("every issuer's keys are at the other node", has_all).await;
        node
    }

    async fn until_keys_are_there(&self) {
        let hub = &self.running.hub;
        let has_all = || hub.directory.issuers().all(|it| hub.keys.has_keys(&it.issuer));
        self.until("every issuer's keys are there", has_all).await;
    }

    /// Stops this hub and starts another on the same records.
    pub async fn restart(self) -> Self {
        self.running.stop().await;
        let hub = Self::run(self.issuer, self.other, self.clock, self.folder, self.extra, self.lookup).await;
        hub.until_keys_are_there().await;
        hub
    }

    /// The same, on the records in another folder.
    pub async fn restart_in(mut self, folder: TempDir) -> Self {
        self.running.stop().await;
        self.folder = Arc::new(folder);
        self.restart().await
    }

    /// The same, with other tables in its configuration.
    pub async fn restart_with(mut self, tables: &str) -> Self {
        tables.clone_into(&mut self.extra);
        self.restart().await
    }

    /// Waits until something is true; fails after ten seconds.
    pub async fn until(&self, what: &str, is_true: impl Fn() -> bool) {
        until(what, async || is_true().then_some(())).await;
    }

    pub fn addr(&self) -> SocketAddr {
        self.running.public_addr
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr())
    }

    pub fn admin_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.admin_addr)
    }

    /// Moves the clock on. The issuer's tokens are made by the same clock.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.issuer.advance(by);
        self.other.advance(by);
        self.running.deliveries.wake();
    }

    /// An issuer posts a logout token.
    pub async fn receives(&self, token: &str) -> Answer {
        let body = format!("logout_token={token}");
        let request = self.http.post(self.url("/backchannel-logout"));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        Answer::of(request).await
    }

    /// A page of `origin` reports a logout with `token`.
    pub async fn reports(&self, token: &str, origin: &str, body: Value) -> Answer {
        let request = self.http.post(self.url("/api/v1/logouts")).bearer_auth(token).header("origin", origin);
        Answer::of(request.header("content-type", "application/json").body(body.to_string())).await
    }

    /// Desk's back end reports a logout.
    pub async fn desk_reports(&self, body: Value) -> Answer {
        let request = self.http.post(self.url("/api/v1/logouts")).basic_auth("desk", Some(DESK_SECRET));
        Answer::of(request.header("content-type", "application/json").body(body.to_string())).await
    }

    /// A GET with a Bearer token and no `Origin`.
    pub async fn gets(&self, path: &str, token: &str) -> Answer {
        Answer::of(self.http.get(self.url(path)).bearer_auth(token)).await
    }

    /// The receipt of a logout, as Desk's back end reads it.
    pub async fn receipt(&self, id: &str) -> Value {
        let path = self.url(&format!("/api/v1/logouts/{id}"));
        Answer::of(self.http.get(path).basic_auth("desk", Some(DESK_SECRET))).await.expect(200)
    }

    /// Waits until the receipt is as it should be, looking whenever one changes; fails
    /// after ten seconds.
    pub async fn until_receipt(&self, id: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let mut changed = self.running.hub.store.receipts_changed();
        let look = async {
            loop {
                let receipt = self.receipt(id).await;
                if is_so(&receipt) {
                    return receipt;
                }
                changed.changed().await.unwrap();
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(10), look).await;
        let Ok(receipt) = waited else { panic!("never {what}: {}", self.receipt(id).await) };
        receipt
    }

    /// Everything the hub has recorded for the first issuer, in order.
    pub async fn recorded(&self) -> usize {
        let issuer = slo_hub::domain::ids::Issuer::parse(self.issuer.url()).unwrap();
        self.running.hub.store.logouts_after(&issuer, 0, 1_000).await.unwrap().len()
    }

    /// A metric's value, by the start of its line.
    pub fn metric(&self, line: &str) -> f64 {
        let text = self.running.hub.metrics.encode();
        let found = text.lines().find_map(|own| own.strip_prefix(line));
        found.and_then(|rest| rest.trim().parse().ok()).unwrap_or(0.0)
    }
}

async fn started(text: &str, folder: &TempDir, clock: &Arc<HandClock>, lookup: &Arc<dyn Lookup>) -> Running {
    let config = Config::parse(text, std::iter::empty(), folder.path()).unwrap_or_else(|faults| panic!("{faults}"));
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    // The longest wait each time: retries come when a test expects them.
    let surroundings = Surroundings { clock, lookup: Arc::clone(lookup), chance: Arc::new(|| 1.0) };
    app::start(config, surroundings).await.unwrap()
}

/// `extra` is tables of its own, settings of the first issuer, the address of the records, or
/// lines for `[server]` and what is below it, with settings of the first issuer after them or
/// none; `ISSUER` in it is the first issuer.
fn config(issuer: &TestIssuer, other: &TestIssuer, folder: &TempDir, extra: &str) -> String {
    let extra = &extra.replace("ISSUER", issuer.url());
    let url = extra.strip_prefix("# store ").map_or_else(|| records::url(folder.path()), str::to_owned);
    let (server, first, extra) = match extra.as_str() {
        tables if tables.starts_with('[') => ("", "", tables),
        settings if settings.starts_with("# issuer") => ("", settings, ""),
        lines => {
            let (server, first) = lines.split_once("\n# issuer\n").unwrap_or((lines, ""));
            (server, first, "")
        }
    };
    format!(
        r#"
[server]
listen = "127.0.0.1:0"
public_url = "https://logout.example"
admin_listen = "127.0.0.1:0"
{server}
[store]
url = "{url}"
[[issuers]]
issuer = "{issuer}"
signing_algs = ["RS256", "ES256"]
{first}
[[issuers]]
issuer = "{other}"
[[apps]]
client_id = "notes"
issuer = "{issuer}"
name = "Notes"
origins = ["{NOTES}"]
post_logout_redirect_uris = ["https://notes.example/bye", "https://notes.example/bye?from=hub"]
[[apps]]
client_id = "shop"
issuer = "{issuer}"
name = "Shop"
origins = ["{SHOP}"]
post_logout_redirect_uris = ["https://shop.example/bye"]
[[apps]]
client_id = "desk"
issuer = "{issuer}"
name = "Desk"
origins = []
allow_no_origin = true
secret = "{DESK_SECRET}"
[[apps]]
client_id = "notes"
issuer = "{other}"
name = "Notes elsewhere"
origins = ["{NOTES}"]
{extra}
"#,
        issuer = issuer.url(),
        other = other.url(),
    )
}

/// What the hub answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    /// What comes back, which is as the hub's documents say.
    pub async fn of(request: reqwest::RequestBuilder) -> Self {
        let (client, request) = request.build_split();
        let request = request.unwrap();
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = client.execute(request).await.expect("the hub answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let answer = Self { status, headers, text: response.text().await.unwrap() };
        answer.is_as_documented(method.as_str(), &path);
        answer
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The body, which must come with that status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// A refusal, in the form that every refusal has.
    #[track_caller]
    pub fn refused(&self, status: u16, error: &str, code: &str) {
        let body = self.expect(status);
        assert_eq!((body["error"].as_str(), body["code"].as_str()), (Some(error), Some(code)), "{self:?}");
        assert!(body["error_description"].as_str().is_some_and(|text| !text.is_empty()), "{self:?}");
        assert_eq!(self.headers["cache-control"], "no-store", "{self:?}");
        assert_eq!(self.headers.contains_key("www-authenticate"), status == 401, "{self:?}");
        assert_eq!(self.headers.contains_key("retry-after"), status == 503 || status == 429, "{self:?}");
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}
