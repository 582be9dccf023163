//! `slo-hub logout`: from the command line, through the hub that runs.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use slo_hub::tasks::Tasks;
use tempfile::TempDir;

use crate::admin::TOKEN;
use crate::hub::Answer;
use crate::process::{HubProcess, config, free_port};
use crate::support::issuer::{TestIssuer, TestSession};

/// Runs the command; standard input is no terminal.
async fn logout(folder: &Path, words: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slo-hub"));
    command.args(["logout", "--config"]).arg(folder.join("slo-hub.toml")).args(words);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn complains(output: &Output, code: i32, of: &str) {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert!(complaint.contains(of), "{of} is not in {complaint}");
}

/// A hub that runs, with Ada on two devices and Eve on one.
struct Office {
    issuer: TestIssuer,
    folder: TempDir,
    hub: HubProcess,
    tokens: Vec<String>,
    adas: Vec<TestSession>,
}

impl Office {
    async fn open() -> Self {
        let (issuer, folder) = (TestIssuer::start().await, TempDir::new().unwrap());
        let hub = HubProcess::start_with_admin_token(&issuer, folder.path(), TOKEN).await;
        let adas = vec![issuer.sign_in("ada"), issuer.sign_in("ada")];
        let eve = issuer.sign_in("eve");
        let tokens = adas.iter().chain([&eve]).map(|who| issuer.id_token(who, "notes").sign()).collect();
        let office = Self { issuer, folder, hub, tokens, adas };
        assert_eq!(office.alive().await, [true; 3]);
        office
    }

    /// Whose sessions are alive: Ada's two, and Eve's.
    async fn alive(&self) -> Vec<bool> {
        let mut alive = Vec::new();
        for token in &self.tokens {
            let request = self.hub.http.get(self.hub.url("/api/v1/session")).bearer_auth(token);
            alive.push(Answer::of(request).await.expect(200)["active"] == Value::Bool(true));
        }
        alive
    }

    async fn logout(&self, words: &[&str], input: &str) -> Output {
        logout(self.folder.path(), words, input).await
    }
}

#[tokio::test]
async fn a_dry_run_says_what_would_end_and_ends_nothing() {
    let office = Office::open().await;
    let output = office.logout(&["--sub", "ada", "--dry-run"], "").await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(said(&output), "2 sessions of 1 person on 2 devices in 1 app would end\n");
    let output = office.logout(&["--sub", "nobody", "--dry-run"], "").await;
    assert_eq!(said(&output), "No session that the hub has seen would end\n");
    let output = office.logout(&["--everyone", "--dry-run", "--issuer", office.issuer.url()], "").await;
    assert_eq!(said(&output), "3 sessions of 2 people on 3 devices in 1 app would end\n");
    assert_eq!(office.alive().await, [true; 3]);
}

#[tokio::test]
async fn a_person_is_signed_out_by_a_name_that_no_list_of_processes_shows() {
    let office = Office::open().await;
    let output = office.logout(&["--sub", "-", "--yes", "--reason", "Moved on"], "ada\n").await;
    assert!(output.status.success(), "{output:?}");
    let lines = said(&output);
    assert!(lines.contains("2 sessions of 1 person on 2 devices in 1 app ended"), "{lines}");
    assert!(!lines.contains("ada"), "{lines}");
    assert_eq!(office.alive().await, [false, false, true]);
}

#[tokio::test]
async fn one_session_is_ended_by_its_sid() {
    let office = Office::open().await;
    let output = office.logout(&["--sid", "-", "--yes"], &office.adas[0].sid).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(office.alive().await, [false, true, true]);
}

#[tokio::test]
async fn the_command_waits_until_everyone_is_signed_out() {
    let office = Office::open().await;
    let output = office.logout(&["--client-id", "notes", "--yes"], "").await;
    assert!(output.status.success(), "{output:?}");
    assert!(said(&output).contains("3 sessions ended"), "{output:?}");
    assert_eq!(office.alive().await, [false; 3]);
}

#[tokio::test]
async fn names_that_begin_with_a_hyphen_are_names() {
    let office = Office::open().await;
    for whom in [["--sid", "-1sHYPHEN"], ["--sub", "--hyphens"]] {
        let output = office.logout(&[&whom[..], &["--dry-run"]].concat(), "").await;
        assert!(output.status.success(), "{output:?}");
        assert!(said(&output).contains("No session that the hub has seen would end"), "{output:?}");
    }
    complains(&office.logout(&["--client-id", "-app", "--dry-run"], "").await, 1, "client_id");
}

#[tokio::test]
async fn nothing_ends_unless_somebody_can_be_asked_or_has_said_yes() {
    let office = Office::open().await;
    complains(&office.logout(&["--everyone"], "y\n").await, 1, "--yes");
    complains(&office.logout(&["--yes"], "").await, 2, "--sid");
    complains(&office.logout(&["--sub", "ada", "--everyone", "--yes"], "").await, 2, "cannot be used with");
    complains(&office.logout(&["--sub", "-", "--yes"], "\n").await, 1, "standard input");
    complains(&office.logout(&["--everyone", "--before", "today", "--yes"], "").await, 1, "RFC 3339");
    complains(&office.logout(&["--client-id", "nobody", "--yes"], "").await, 1, "client_id");
    assert_eq!(office.alive().await, [true; 3]);
}

#[tokio::test]
async fn a_hub_that_is_down_or_has_no_token_is_named() {
    let folder = TempDir::new().unwrap();
    let write = |text: String| std::fs::write(folder.path().join("slo-hub.toml"), text).unwrap();
    let text = config("https://acme.example/", free_port(), free_port());
    write(text.clone());
    complains(&logout(folder.path(), &["--everyone", "--dry-run"], "").await, 1, "server.admin_token is not set");
    write(text.replace("[store]", &format!("admin_token = \"{TOKEN}\"\n[store]")));
    complains(&logout(folder.path(), &["--everyone", "--dry-run"], "").await, 1, "no hub answers on 127.0.0.1:");
}

/// A hub that can count for a dry run, and not for the order.
async fn hub_that_lost_count() -> u16 {
    let order = async |body: Json<Value>| {
        if body["dry_run"] == true {
            return Json(json!({"dry_run": true, "sessions": 3, "people": 2, "devices": 3, "apps": 1}));
        }
        Json(json!({"dry_run": false, "id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "state": "running"}))
    };
    let sweep = async || Json(json!({"id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "state": "done", "sessions_ended": 4}));
    let routes = Router::new().route("/api/v1/admin/logouts", post(order));
    let routes = routes.route("/api/v1/admin/logouts/01ARZ3NDEKTSV4RRFFQ69G5FAV", get(sweep));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    Tasks::default().spawn(async move { axum::serve(listener, routes).await.unwrap() });
    port
}

#[tokio::test]
async fn a_sweep_that_could_not_be_counted_is_watched_to_its_end() {
    let folder = TempDir::new().unwrap();
    let text = config("https://acme.example/", free_port(), hub_that_lost_count().await);
    let text = text.replace("[store]", &format!("admin_token = \"{TOKEN}\"\n[store]"));
    std::fs::write(folder.path().join("slo-hub.toml"), text).unwrap();
    let output = logout(folder.path(), &["--everyone", "--yes"], "").await;
    assert!(output.status.success(), "{output:?}");
    let lines = said(&output);
    assert!(lines.contains("could not be counted") && lines.contains("4 sessions ended"), "{lines}");
}

#[tokio::test]
async fn the_log_tells_what_was_ordered_and_names_nobody() {
    let mut office = Office::open().await;
    office.logout(&["--sub", "ada", "--yes", "--reason", "secret reason"], "").await;
    office.logout(&["--client-id", "notes", "--yes"], "").await;
    office.hub.terminate().await;
    let log = std::fs::read_to_string(office.folder.path().join("hub.log")).unwrap();
    let asked = "an administrator asked what a logout would end";
    for line in [asked, "an administrator ordered a logout", "a sweep was counted", "a sweep is done"] {
        assert!(log.contains(line), "{line} is not in the log");
    }
    for secret in [TOKEN, "\"ada\"", "=ada", "secret reason", &office.adas[0].sid, &office.tokens[0]] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}
