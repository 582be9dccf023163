//! `slo-hub doctor`, run as its operator runs it.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde_json::json;
use slo_hub::tasks::Tasks;
use tempfile::TempDir;

use crate::management_fake::{FakeApi, SECRET, Says as ApiSays};
use crate::process::{HubProcess, config};
use crate::receiver::{Receiver, Says, app};
use crate::records;
use crate::support::issuer::TestIssuer;

/// What the doctor said, and whether all is well.
struct Visit {
    said: String,
    is_well: bool,
}

impl Visit {
    /// Off the runtime's threads: issuer, hub and back ends answer on them.
    async fn to(folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_slo-hub"));
        command.args(["doctor", "--config"]).arg(folder.join("slo-hub.toml"));
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        Self { said, is_well: output.status.success() }
    }

    fn says(&self, line: &str) -> &Self {
        assert!(self.said.contains(line), "{line:?} is not in\n{}", self.said);
        self
    }
}

/// Changes what stands in the configuration.
fn rewrites(folder: &TempDir, from: &str, to: &str) {
    let path = folder.path().join("slo-hub.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from:?} is not in\n{text}");
    std::fs::write(path, text.replace(from, to)).unwrap();
}

fn desk_at(port: u16) -> String {
    app("desk", &format!("http://127.0.0.1:{port}/slo"), "hub")
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_is_well_it_says_so_of_each_thing() {
    let (issuer, folder) = (TestIssuer::start().await, tempfile::tempdir().unwrap());
    let desk = Receiver::start().await;
    desk.says(Says::Status(400));
    let _hub = HubProcess::start_with(&issuer, folder.path(), &desk_at(desk.port)).await;
    let visit = Visit::to(folder.path()).await;
    for line in [
        "✓ it calls itself so, byte for byte",
        "✓ its clock and this machine's agree",
        "✓ a key for RS256",
        "✓ the hub answers there",
        "✓ WebSockets come through",
        "✓ event streams come through unbuffered",
        "/slo refuses what is no logout token",
    ] {
        visit.says(line);
    }
    assert!(visit.is_well, "{}", visit.said);
    let post = desk.post().await;
    assert_eq!(post.body, "", "no token, nobody is signed out");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_is_written_without_its_slash_is_found() {
    let (issuer, folder) = (TestIssuer::start().await, tempfile::tempdir().unwrap());
    let _hub = HubProcess::start(&issuer, folder.path()).await;
    let bare = issuer.url().trim_end_matches('/').to_owned();
    rewrites(&folder, issuer.url(), &bare);
    let visit = Visit::to(folder.path()).await;
    visit.says("✗ it calls itself").says("differ by the slash at the end").says(&format!("“{}”", issuer.url()));
    assert!(!visit.is_well);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_back_end_that_is_not_there_and_one_that_wants_a_login_are_found() {
    let (issuer, folder) = (TestIssuer::start().await, tempfile::tempdir().unwrap());
    let desk = Receiver::start().await;
    let _hub = HubProcess::start_with(&issuer, folder.path(), &desk_at(desk.port)).await;
    for status in [404, 401, 302, 500] {
        desk.says(Says::Status(status));
        let visit = Visit::to(folder.path()).await;
        visit.says("/slo may not take logout tokens").says(&format!("it answered {status}"));
        assert!(!visit.is_well);
    }
    desk.says(Says::Status(200));
    let visit = Visit::to(folder.path()).await;
    visit.says("! ").says("/slo takes anything, so nobody can tell");
    assert!(visit.is_well, "nothing is known to be wrong: {}", visit.said);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_and_a_hub_that_are_down_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut hub = HubProcess::start(&TestIssuer::start().await, folder.path()).await;
    hub.kill();
    let text = std::fs::read_to_string(folder.path().join("slo-hub.toml")).unwrap();
    let own = text.lines().find(|line| line.starts_with("issuer")).unwrap();
    rewrites(&folder, own, "issuer = 'http://127.0.0.1:9/'");
    let visit = Visit::to(folder.path()).await;
    visit.says("✗ it cannot be reached").says("✗ nobody answers there");
    assert!(!visit.is_well);
}

/// A proxy as people put one in front of the hub without reading on: it forwards no
/// upgrade, and every answer whole.
struct CarelessProxy {
    url: String,
    hub: Arc<OnceLock<String>>,
}

impl CarelessProxy {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let hub = Arc::<OnceLock<String>>::default();
        let routes = Router::new().fallback(pass).with_state(Arc::clone(&hub));
        Tasks::default().spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { url, hub }
    }
}

async fn pass(State(hub): State<Arc<OnceLock<String>>>, request: Request) -> (StatusCode, Bytes) {
    let url = format!("{}{}", hub.get().unwrap(), request.uri());
    let answer = reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await.unwrap();
    (StatusCode::from_u16(answer.status().as_u16()).unwrap(), answer.bytes().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_forwards_no_upgrade_and_holds_streams_back_is_found() {
    let (issuer, folder) = (TestIssuer::start().await, tempfile::tempdir().unwrap());
    let proxy = CarelessProxy::start().await;
    let behind_it = |port: u16, admin_port: u16| {
        let text = config(issuer.url(), port, admin_port);
        text.replace(&format!("public_url = \"http://localhost:{port}\""), &format!("public_url = \"{}\"", proxy.url))
    };
    let hub = HubProcess::start_from(folder.path(), behind_it).await;
    proxy.hub.set(hub.url("")).unwrap();
    let visit = Visit::to(folder.path()).await;
    visit
        .says("✓ the hub answers there")
        .says("✗ WebSockets do not come through")
        .says("✗ event streams are held back");
    assert!(!visit.is_well);

    rewrites(&folder, &proxy.url, &hub.url(""));
    Visit::to(folder.path()).await.says("✗ another hub answers there");
}

const GRANTED: &str = "✓ the hub's client for its Management API was granted ";
const LACKS: &str = "✗ the hub's client for its Management API was not granted ";

/// A hub, and the Management API of its issuer.
async fn with_management(issuer: &TestIssuer, folder: &TempDir) -> (FakeApi, HubProcess) {
    let api = FakeApi::default();
    issuer.also_serves(api.routes());
    let hub = HubProcess::start(issuer, folder.path()).await;
    let table = format!("[issuers.auth0_management]\nclient_id = \"hub-m2m\"\nclient_secret = \"{SECRET}\"\n[[apps]]");
    rewrites(folder, "[[apps]]", &table);
    (api, hub)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_that_the_management_client_lacks_is_found_before_anybody_signs_out() {
    let (issuer, folder) = (TestIssuer::start().await, tempfile::tempdir().unwrap());
    let (api, _hub) = with_management(&issuer, &folder).await;

    let visit = Visit::to(folder.path()).await;
    for scope in ["read:sessions", "delete:sessions", "read:clients"] {
        visit.says(&format!("{GRANTED}{scope}"));
    }

    api.grants(&["read:sessions", "read:clients"]);
    let visit = Visit::to(folder.path()).await;
    visit.says(&format!("{GRANTED}read:sessions")).says(&format!("{LACKS}delete:sessions"));
    visit.says("cause:  no logout ends the session there").says("remedy: Auth0: Applications, APIs");
    visit.says("Notes: ").says("restart the hub");
    assert!(!visit.is_well);

    api.grants(&["delete:sessions"]);
    let visit = Visit::to(folder.path()).await;
    visit.says(&format!("{LACKS}read:sessions")).says(&format!("{LACKS}read:clients"));
    assert_eq!(api.count("client"), 2, "who may not read clients does not ask for them");
    for kind in ["list", "get", "revoke", "delete", "patch"] {
        assert_eq!(api.count(kind), 0, "the doctor touches nobody: {kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_token_is_refused_is_said_to_have_no_scope_that_it_lacks() {
    let (issuer, folder) = (TestIssuer::start().await, tempfile::tempdir().unwrap());
    let (api, _hub) = with_management(&issuer, &folder).await;
    let refuses = |status, said: &str| {
        let body = json!({"error": "access_denied", "error_description": said});
        ApiSays::With(status, "content-type", "application/json".to_owned(), body)
    };
    let no_grant = "Client is not authorized to access the API. You might need to create a client-grant.";
    for status in [403, 400] {
        api.always("token", Some(refuses(status, no_grant)));
        let visit = Visit::to(folder.path()).await;
        for scope in ["read:sessions", "delete:sessions", "read:clients"] {
            visit.says(&format!("{LACKS}{scope}"));
        }
        assert!(!visit.is_well && !visit.said.contains(GRANTED), "{}", visit.said);
    }

    api.always("token", None);
    for said in ["Client has not been granted scopes: read:sessions, delete:sessions", ""] {
        api.then("token", refuses(403, said));
        let visit = Visit::to(folder.path()).await;
        visit.says(&format!("{LACKS}read:sessions")).says(&format!("{LACKS}delete:sessions"));
        visit.says("rides in one token with read:sessions").says(&format!("{GRANTED}read:clients"));
        assert!(!visit.is_well && !visit.said.contains(&format!("{GRANTED}read:sessions")), "{}", visit.said);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_keeps_the_records_is_looked_at() {
    let (issuer, folder) = (TestIssuer::start().await, tempfile::tempdir().unwrap());
    let (Some(server), hub) = (records::server(), HubProcess::start(&issuer, folder.path()).await) else { return };
    let visit = Visit::to(folder.path()).await;
    visit.says("✓ it answers, and is the primary").says("connections are left; a node uses up to");
    assert!(visit.is_well, "{}", visit.said);
    drop(hub);
    let port = server.rsplit(':').next().unwrap().split('/').next().unwrap();
    rewrites(&folder, &format!(":{port}/"), ":9/");
    let visit = Visit::to(folder.path()).await;
    visit.says("✗ it cannot be used").says("the database server cannot be reached");
    assert!(!visit.is_well && !visit.said.contains("search_path"), "{}", visit.said);
}
