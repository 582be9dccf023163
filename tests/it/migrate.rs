//! `slo-hub migrate`: a hub's records go from a file to a PostgreSQL server, and nobody who
//! was logged out comes back.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use sqlx::Connection as _;
use tempfile::TempDir;

use crate::hub::{Answer, NOTES};
use crate::nodes::{Schema, start_at};
use crate::process::HubProcess;
use crate::receiver::{Receiver, Says};
use crate::records;
use crate::support::issuer::{TestIssuer, TestSession};
use crate::tab::Tab;

fn migrate(folder: &Path, to: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slo-hub"));
    // A password in the list of processes is everybody's.
    command.arg("migrate").arg("--config").arg(folder.join("slo-hub.toml")).env("SLO_HUB_MIGRATE_TO", to);
    command.output().unwrap()
}

#[track_caller]
fn complains(output: &Output, of: &str) {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(complaint.contains(of), "{of} is not in {complaint}");
}

/// What a tab of Notes is told that subscribes with this.
async fn told(hub: &HubProcess, token: &str) -> Value {
    let mut tab = Tab::try_open_at(hub.addr(), Some(NOTES), Some("slo.v1")).await.unwrap();
    tab.subscribe(token).await;
    tab.frame().await
}

/// Somebody with an open tab, and what it can come back with: its ticket, and its ID token.
async fn comes(hub: &HubProcess, issuer: &TestIssuer, sub: &str) -> (TestSession, [String; 2]) {
    let who = issuer.sign_in(sub);
    let token = issuer.id_token(&who, "notes").sign();
    let welcome = told(hub, &token).await;
    (who, [welcome["resume"].as_str().unwrap().to_owned(), token])
}

async fn reports(hub: &HubProcess, issuer: &TestIssuer, who: &TestSession, body: Value) -> String {
    let request = hub.http.post(hub.url("/api/v1/logouts")).bearer_auth(issuer.id_token(who, "notes").sign());
    let request = request.header("origin", NOTES).header("content-type", "application/json").body(body.to_string());
    Answer::of(request).await.expect(201)["id"].as_str().unwrap().to_owned()
}

/// The last places in the log and in the outbox.
async fn last_places(folder: &Path) -> [i64; 2] {
    let mut file = sqlx::SqliteConnection::connect(&records::file_url(folder)).await.unwrap();
    let (log, outbox) = sqlx::query_as("select (select max(seq) from logouts), (select max(id) from outbox)")
        .fetch_one(&mut file)
        .await
        .unwrap();
    file.close().await.unwrap();
    [log, outbox]
}

#[tokio::test]
async fn nobody_who_was_logged_out_comes_back_when_the_records_have_moved() {
    let Some(schema) = Schema::make() else { return };
    let (issuer, mail, folder) = (TestIssuer::start().await, Receiver::start().await, TempDir::new().unwrap());
    mail.says(Says::Status(503));
    let (file, mails) = (records::file_url(folder.path()), mail.app("mail", "hub"));
    let mut hub = start_at(&file, &issuer, "", &mails, folder.path()).await;
    let mut people = Vec::new();
    for sub in ["ada", "grace", "linus", "eve"] {
        people.push(comes(&hub, &issuer, sub).await);
    }
    reports(&hub, &issuer, &people[0].0, json!({})).await;
    reports(&hub, &issuer, &people[1].0, json!({"scope": "user"})).await;
    let body = format!("logout_token={}", issuer.logout_token(&people[2].0, "notes").sign());
    let request = hub.http.post(hub.url("/backchannel-logout"));
    Answer::of(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await.expect(200);
    hub.until_metric("slo_hub_delivery_attempts_total{outcome=\"failed\"", 3.0).await;

    complains(&migrate(folder.path(), &schema.url), "stop the hub first");
    hub.terminate().await;
    let [log, outbox] = last_places(folder.path()).await;
    let done = migrate(folder.path(), &schema.url);
    assert!(done.status.success(), "{done:?}");
    let said = String::from_utf8(done.stdout).unwrap();
    for line in [["logouts", "3"], ["outbox", "3"], ["sessions", "4"], ["hub_keys", "3"], ["signing_keys", "1"]] {
        assert!(said.lines().any(|own| own.split_whitespace().eq(line)), "{line:?} is not in {said}");
    }
    complains(&migrate(folder.path(), &schema.url), "must be an empty one");
    assert_eq!(schema.number("select count(*) from outbox where state = 0").await, 3);

    mail.says(Says::Status(204));
    let hub = start_at(&schema.url, &issuer, "", &mails, folder.path()).await;
    for (who, tokens) in &people[..3] {
        for token in tokens {
            let frame = told(&hub, token).await;
            assert_eq!(frame["type"], "slo-event", "{} is back: {frame}", who.sub);
        }
    }
    let (eve, tokens) = &people[3];
    for token in tokens {
        assert_eq!(told(&hub, token).await["type"], "subscribed");
    }
    hub.until("what waited is told", async || schema.number("select count(*) from outbox where state = 1").await == 3)
        .await;
    reports(&hub, &issuer, eve, json!({})).await;
    assert!(schema.number("select max(seq) from logouts").await > log);
    assert!(schema.number("select max(id) from outbox").await > outbox);
}
