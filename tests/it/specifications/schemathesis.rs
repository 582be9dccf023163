//! Requests made of the documents by schemathesis, to a hub as its operator runs it. It is
//! another reader of the documents than the rest of these tests, and asks what nobody here
//! would think of.

use std::path::Path;
use std::process::ExitStatus;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use serde_json::{Value, json};
use slo_hub::tasks::Tasks;
use tempfile::TempDir;
use tokio::process::Command;

use super::{ADMIN_OPENAPI, OPENAPI, read};
use crate::process::{HubProcess, config};
use crate::support::issuer::TestIssuer;

const PROGRAM: &str = "target/schemathesis/bin/schemathesis";
const ADMIN_TOKEN: &str = "admin-token-0123456789";
const DESK_SECRET: &str = "desk-secret-0123456789";

/// What is asked in one go, and as whom.
struct Round {
    name: &'static str,
    document: &'static str,
    /// The bodies of a report that this caller may send, of those in the document.
    reports: std::ops::Range<usize>,
    /// The examples of it that this caller may send.
    examples: &'static [&'static str],
    args: Vec<String>,
    /// Whether every request comes with a token of its own.
    signs_in: bool,
}

fn round(name: &'static str, document: &'static str, args: &[&str]) -> Round {
    let args = args.iter().map(|&arg| arg.to_owned()).collect();
    Round { name, document, reports: 0..1, examples: &["own", "everywhere"], args, signs_in: false }
}

fn rounds() -> Vec<Round> {
    let bearer = format!("Authorization: Bearer {ADMIN_TOKEN}");
    let basic = format!("desk:{DESK_SECRET}");
    // A stream that is let in has no end. Each request is by another session, which has no
    // receipt of what the one before it has ended.
    let but_streams = "^/(api/v1/events|.well-known/slo-hub/stream)$";
    let by_token = ["--exclude-path-regex", but_streams, "--exclude-checks", "ensure_resource_availability"];
    let by_secret = ["--include-path-regex", "^/api/v1/logouts", "--auth", &basic];
    let strangers = ["--include-path-regex", "/(events|stream)$", "--phases", "examples,coverage"];
    vec![
        Round { signs_in: true, ..round("by token", OPENAPI, &by_token) },
        Round { reports: 1..3, examples: &["back_end"], ..round("by secret", OPENAPI, &by_secret) },
        round("streams, by strangers", OPENAPI, &strangers),
        round("administrators", ADMIN_OPENAPI, &["--header", &bearer]),
    ]
}

#[tokio::test]
#[ignore = "needs schemathesis; see make specs"]
async fn the_hub_answers_as_its_documents_say() {
    let (issuer, folder) = (Arc::new(TestIssuer::start().await), TempDir::new().unwrap());
    let hub = HubProcess::start_from(folder.path(), |port, admin| settings(issuer.url(), port, admin)).await;
    let sign_in = sign_ins(&issuer).await;
    let mut failed = Vec::new();
    for round in rounds() {
        println!("\n== {} ==", round.name);
        let document = folder.path().join("openapi.json");
        std::fs::write(&document, narrowed(&round, issuer.url()).to_string()).unwrap();
        if !play(&round, &document, &hub, &sign_in).await.success() {
            failed.push(round.name);
        }
    }
    assert!(failed.is_empty(), "not as documented: {failed:?}");
}

/// The document of this very hub, for this very caller. What a schema cannot know (which
/// issuers and apps there are, what time it is, who asks) is said in it, so that whatever it
/// admits has to be taken, and whatever it does not has to be refused.
fn narrowed(round: &Round, issuer: &str) -> Value {
    let mut document = read(round.document);
    let schemas = document["components"]["schemas"].as_object_mut().unwrap();
    for (name, value) in [("Issuer", issuer), ("KnownIssuer", issuer), ("ClientId", "notes")] {
        if let Some(schema) = schemas.get_mut(name) {
            *schema = json!({"type": "string", "enum": if name == "ClientId" { json!([value, "desk"]) } else { json!([value]) }});
        }
    }
    if let Some(before) = schemas.get_mut("OrderedBefore") {
        before["enum"] = json!(["2020-01-31T12:00:00Z", "2020-02-29T23:59:59.999+01:00"]);
    }
    if let Some(report) = schemas.get_mut("Report") {
        report["anyOf"] = report["anyOf"].as_array().unwrap()[round.reports.clone()].into();
        let body = &mut document["paths"]["/api/v1/logouts"]["post"]["requestBody"];
        body["required"] = (round.name == "by secret").into();
        let examples = body["content"]["application/json"]["examples"].as_object_mut().unwrap();
        examples.retain(|name, _| round.examples.contains(&name.as_str()));
    }
    document
}

async fn play(round: &Round, document: &Path, hub: &HubProcess, sign_in: &str) -> ExitStatus {
    let setting = |name: &str, otherwise: &str| std::env::var(name).unwrap_or_else(|_| otherwise.to_owned());
    let url = if round.document == ADMIN_OPENAPI { hub.admin_url("") } else { hub.url("") };
    let mut command = Command::new(PROGRAM);
    command.args(["--no-color", "--config-file", "tests/schemathesis/schemathesis.toml"]);
    command.args(["run", "--checks", "all", "--url", &url]);
    // The same requests each time, until somebody asks for others.
    command.args(["--seed", &setting("SLO_HUB_SEED", "1"), "--max-examples", &setting("SLO_HUB_EXAMPLES", "50")]);
    command.args(&round.args).arg(document).env("SLO_HUB_SIGN_IN", sign_in);
    if round.signs_in {
        command.env("SCHEMATHESIS_HOOKS", "tests.schemathesis.hooks");
    }
    command.status().await.expect("make specs installs it")
}

/// The address that signs somebody in to Notes, anew each time, and says the ID token.
async fn sign_ins(issuer: &Arc<TestIssuer>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let issuer = Arc::clone(issuer);
    let sign_in = move || async move {
        // Somebody else each time: one who signs out everywhere does so until the second ends.
        let sid = issuer.sign_in("ada").sid;
        let who = issuer.session(&format!("ada-{sid}"), &sid);
        issuer.id_token(&who, "notes").with("auth_time", json!(issuer.now())).sign()
    };
    let routes = Router::new().route("/", get(sign_in));
    Tasks::default().spawn(async move { axum::serve(listener, routes).await.unwrap() });
    url
}

/// Notes' requests come from no page, and whoever fails a thousand times is still answered.
fn settings(issuer: &str, port: u16, admin_port: u16) -> String {
    let settings = config(issuer, port, admin_port)
        .replace("[store]", &format!("admin_token = \"{ADMIN_TOKEN}\"\n[store]"))
        .replace("[[apps]]", "client_id = \"hub\"\nclient_secret = \"hub-secret-0123456789\"\n[[apps]]");
    format!(
        r#"{settings}
allow_no_origin = true
post_logout_redirect_uris = ["https://notes.example/bye"]
[[apps]]
client_id = "desk"
name = "Desk"
allow_no_origin = true
secret = "{DESK_SECRET}"
[limits]
invalid_requests_per_minute_per_ip = 100000000
"#
    )
}
