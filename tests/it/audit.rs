//! The audit trail of a hub that runs: written out and checked from the command line.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use serde_json::{Value, json};
use slo_hub::domain::audit::AuditRow;
use slo_hub::domain::digest::sha256_hex;
use slo_hub::tasks::Tasks;
use tempfile::TempDir;

use crate::hub::{Answer, NOTES, SHOP};
use crate::process::HubProcess;
use crate::receiver::{Receiver, Says};
use crate::records::Records;
use crate::support::issuer::{TestIssuer, TestSession};
use crate::tab::Tab;

/// Shop, beside the Notes that every hub has.
const SHOP_APP: &str = "
[[apps]]
client_id = \"shop\"
issuer = \"ISSUER\"
name = \"Shop\"
origins = [\"https://shop.example\"]
";

pub async fn audit(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slo-hub"));
    command.arg("audit").args(words).env("SLO_HUB_CONFIG", folder.join("slo-hub.toml")).stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// The trail as it is exported.
pub async fn exported(folder: &Path) -> String {
    let output = audit(folder, &["export"]).await;
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
pub fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
pub fn complains(output: &Output, of: &str) {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(complaint.contains(of), "{of} is not in {complaint}");
}

pub async fn receives(hub: &HubProcess, token: &str) -> Answer {
    let request = hub.http.post(hub.url("/backchannel-logout")).body(format!("logout_token={token}"));
    Answer::of(request.header("content-type", "application/x-www-form-urlencoded")).await
}

async fn live(hub: &HubProcess, issuer: &TestIssuer, who: &TestSession, app: &str, origin: &str) -> Tab {
    let mut tab = Tab::try_open_at(hub.addr(), Some(origin), Some("slo.v1")).await.unwrap();
    tab.subscribe(&issuer.id_token(who, app).sign()).await;
    assert_eq!(tab.frame().await["type"], "subscribed");
    tab
}

/// What rows of a kind say.
fn said(trail: &str, kind: &str) -> Vec<Value> {
    let rows = trail.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.filter(|row| row["kind"] == kind).map(|row| row["body"].clone()).collect()
}

/// Each app that rows of a kind name, and of which logout.
fn apps(trail: &str, kind: &str) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rows = said(trail, kind);
    let apps = rows.iter().flat_map(|body| body["apps"].as_array().unwrap());
    apps.map(|app| (text(&app["client_id"]), text(&app["logout"]))).collect()
}

#[tokio::test]
async fn a_logout_is_in_the_trail_from_its_cause_to_every_confirmation_and_names_nobody() {
    let (issuer, mail, folder) = (TestIssuer::start().await, Receiver::start().await, TempDir::new().unwrap());
    mail.says(Says::Status(503));
    let hub = HubProcess::start_with(&issuer, folder.path(), &(SHOP_APP.to_owned() + &mail.app("mail", "hub"))).await;
    let ada = issuer.sign_in("ada-lovelace");
    let mut notes = live(&hub, &issuer, &ada, "notes", NOTES).await;
    let mut shop = live(&hub, &issuer, &ada, "shop", SHOP).await;

    let shown = issuer.id_token(&ada, "notes").sign();
    let request = hub.http.post(hub.url("/api/v1/logouts")).bearer_auth(&shown).header("origin", NOTES);
    let body = json!({"reason": "said \"adieu\", é"}).to_string();
    let answer = Answer::of(request.header("content-type", "application/json").body(body)).await;
    let id = answer.expect(201)["id"].as_str().unwrap().to_owned();
    for tab in [&mut notes, &mut shop] {
        let event = tab.logged_out().await;
        tab.ack(&event).await;
    }
    let token = issuer.logout_token(&ada, "notes").sign();
    receives(&hub, &token).await.expect(200);
    mail.says(Says::Status(200));

    let (whole, folder_path) = (["notes", "shop"].map(|app| (app.to_owned(), id.clone())), folder.path());
    let expected = BTreeSet::from(whole);
    hub.until("all have confirmed, and Mail has it", async || {
        let trail = exported(folder_path).await;
        apps(&trail, "confirmed") == expected && !said(&trail, "posted").is_empty()
    })
    .await;
    let trail = exported(folder.path()).await;
    let [recorded] = said(&trail, "logout_recorded").try_into().unwrap();
    let [raised] = said(&trail, "logout_raised").try_into().unwrap();
    let wanted = |body: &Value| {
        ["logout", "source", "client_id", "is_final", "token_sha256", "request"].map(|name| body[name].clone())
    };
    let request = answer.header("x-request-id");
    let expected_cause = json!([id, "app", "notes", false, sha256_hex(shown.as_bytes()), request]);
    assert_eq!(json!(wanted(&recorded)), expected_cause);
    assert_eq!(recorded["reason"], "said \"adieu\", é");
    assert_eq!(json!(wanted(&raised)[..5]), json!([id, "backchannel", null, true, sha256_hex(token.as_bytes())]));
    assert_eq!(apps(&trail, "told"), expected);
    let [posted] = said(&trail, "posted").try_into().unwrap();
    assert_eq!(
        [&posted["client_id"], &posted["logout"], &posted["to"]],
        [&json!("mail"), &json!(id), &json!("back_end")]
    );
    assert_eq!(said(&trail, "key_rotated").len(), 1);

    for secret in [&*ada.sid, "ada-lovelace", &*token, &*shown] {
        assert!(!trail.contains(secret), "{secret} is in {trail}");
    }
    let whole = succeeds(&audit(folder.path(), &["verify"]).await);
    assert!(whole.contains(&format!("{} rows, places 1 to", trail.lines().count())), "{whole}");
}

#[tokio::test]
async fn a_hub_killed_in_a_burst_has_every_logout_in_its_trail_and_no_other() {
    let (issuer, folder) = (Arc::new(TestIssuer::start().await), TempDir::new().unwrap());
    let mut hub = HubProcess::start(&issuer, folder.path()).await;
    let (is_killed, tasks) = (Arc::new(AtomicBool::new(false)), Tasks::default());
    let burst = (0..16).map(|_| {
        let (issuer, is_killed, url) = (Arc::clone(&issuer), Arc::clone(&is_killed), hub.url("/backchannel-logout"));
        let http = hub.http.clone();
        tasks.spawn(async move {
            while !is_killed.load(Ordering::SeqCst) {
                let body = format!("logout_token={}", issuer.logout_token(&issuer.sign_in("ada"), "notes").sign());
                let request = http.post(&url).header("content-type", "application/x-www-form-urlencoded");
                drop(request.body(body).send().await);
            }
        })
    });
    let burst: Vec<_> = burst.collect();
    hub.until_metric("slo_hub_logouts_total", 150.0).await;
    hub.kill();
    is_killed.store(true, Ordering::SeqCst);
    join_all(burst).await;

    let hub = HubProcess::start(&issuer, folder.path()).await;
    succeeds(&audit(folder.path(), &["verify"]).await);
    let recorded = said(&exported(folder.path()).await, "logout_recorded");
    let ids: BTreeSet<_> = recorded.iter().map(|body| body["logout"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), recorded.len(), "each once");
    let mut records = Records::of(folder.path()).await;
    let facts = records.number("select count(*) from logouts").await;
    assert!(facts >= 150);
    assert_eq!(i64::try_from(ids.len()).unwrap(), facts);
    let both = "select count(*) from logouts l join audit a on a.kind = 'logout_recorded' and a.body like '%\"logout\":\"' || l.id || '\"%'";
    assert_eq!(records.number(both).await, facts);
    drop(hub);
}

#[tokio::test]
async fn an_export_while_logouts_arrive_is_whole_and_the_beginning_of_the_next() {
    let (issuer, folder) = (TestIssuer::start().await, TempDir::new().unwrap());
    let hub = HubProcess::start(&issuer, folder.path()).await;
    let ends = (0..60).map(|_| async {
        receives(&hub, &issuer.logout_token(&issuer.sign_in("ada"), "notes").sign()).await.expect(200);
    });
    let exports = async {
        let mut exports = Vec::new();
        for _ in 0..6 {
            exports.push(exported(folder.path()).await);
        }
        exports
    };
    let (_, mut exports) = tokio::join!(join_all(ends), exports);
    exports.push(exported(folder.path()).await);
    for pair in exports.windows(2) {
        assert!(pair[1].starts_with(&pair[0]), "what was there stays as it was");
    }
    assert_eq!(said(exports.last().unwrap(), "logout_recorded").len(), 60);
    for (number, export) in exports.iter().enumerate() {
        let file = folder.path().join(format!("{number}.jsonl"));
        std::fs::write(&file, export).unwrap();
        succeeds(&audit(folder.path(), &["verify", file.to_str().unwrap()]).await);
        assert!(export.lines().all(|line| AuditRow::from_line(line).is_ok()));
    }
}
