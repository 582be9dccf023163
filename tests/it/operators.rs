//! For who runs the hub: health, readiness, metrics, and what `check` says.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::hub::{Answer, NOTES, TestHub};
use crate::process::HubProcess;
use crate::receiver::{Receiver, Says};
use crate::records::Records;
use crate::stories::{id_token, logout_token};
use crate::support::issuer::TestIssuer;

#[tokio::test]
async fn a_hub_that_can_take_a_logout_is_ready() {
    let hub = TestHub::start().await;
    assert_eq!(Answer::of(hub.http.get(hub.admin_url("/healthz"))).await.expect(200), json!({"status": "ok"}));
    let ready = Answer::of(hub.http.get(hub.admin_url("/readyz"))).await.expect(200);
    assert_eq!((ready["status"].as_str(), &ready["failing"]), (Some("ready"), &json!(null)));
}

#[tokio::test]
async fn a_hub_that_cannot_names_the_failing_part() {
    let hub = TestHub::start().await;
    let _lock = Records::locked(hub.folder.path()).await;
    let answer = Answer::of(hub.http.get(hub.admin_url("/readyz"))).await;
    assert_eq!(answer.expect(503)["failing"], "store");
    assert_eq!(Answer::of(hub.http.get(hub.admin_url("/healthz"))).await.status, 200, "it is alive all the same");
}

#[tokio::test]
async fn an_issuer_that_is_down_is_named_and_keeps_the_hub_from_nothing() {
    let hub = TestHub::start_without_keys().await;
    let ready = Answer::of(hub.http.get(hub.admin_url("/readyz"))).await.expect(200);
    assert_eq!(ready["issuers_without_keys"].as_array().unwrap().len(), 2, "{ready}");
}

#[tokio::test]
async fn health_and_metrics_are_not_on_the_public_listener() {
    let hub = TestHub::start().await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        Answer::of(hub.http.get(hub.url(path))).await.refused(404, "not_found", "not_found");
    }
}

#[tokio::test]
async fn the_metrics_count_and_name_nobody() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada-lovelace");
    let token = logout_token(&hub, &ada, "notes");
    hub.receives(&token).await.expect(200);
    hub.receives(&token).await.expect(200);
    hub.receives("rubbish").await.refused(400, "invalid_request", "not_compact_jws");
    hub.reports(&id_token(&hub, &ada, "notes"), NOTES, json!({})).await.expect(200);
    let text = Answer::of(hub.http.get(hub.admin_url("/metrics"))).await.text;
    for line in [
        r#"slo_hub_logouts_total{source="backchannel",outcome="recorded"} 1"#,
        r#"slo_hub_logouts_total{source="backchannel",outcome="same_token"} 1"#,
        r#"slo_hub_logouts_total{source="app",outcome="repeat"} 1"#,
        r#"slo_hub_rejected_total{endpoint="backchannel_logout",code="not_compact_jws"} 1"#,
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    for name in ["ada-lovelace", ada.sid.as_str(), hub.issuer.url()] {
        assert!(!text.contains(name), "{name} is in\n{text}");
    }
}

#[tokio::test]
async fn a_token_guards_the_metrics_and_not_the_probes() {
    let hub = TestHub::start_with_admin_token("s3cret-admin-token").await;
    let get = |path: &str| hub.http.get(hub.admin_url(path));
    Answer::of(get("/metrics")).await.refused(401, "invalid_token", "not_an_administrator");
    Answer::of(get("/metrics").bearer_auth("wrong")).await.refused(401, "invalid_token", "not_an_administrator");
    assert_eq!(Answer::of(get("/metrics").bearer_auth("s3cret-admin-token")).await.status, 200);
    assert_eq!(Answer::of(get("/readyz")).await.status, 200);
}

#[tokio::test]
async fn after_thirty_wrong_tokens_an_address_is_not_listened_to_until_the_next_minute() {
    let hub = TestHub::start_with_admin_token("s3cret-admin-token").await;
    let metrics = |token: &str| Answer::of(hub.http.get(hub.admin_url("/metrics")).bearer_auth(token));
    let dry_run = |token: &str| {
        let body = json!({ "sub": "ada", "dry_run": true, "issuer": hub.issuer.url() });
        Answer::of(
            hub.http
                .post(hub.admin_url("/api/v1/admin/logouts"))
                .bearer_auth(token)
                .header("content-type", "application/json")
                .body(body.to_string()),
        )
    };
    for guess in 0..15 {
        metrics(&format!("guess-{guess}")).await.refused(401, "invalid_token", "not_an_administrator");
        dry_run(&format!("guess-{guess}")).await.refused(401, "invalid_token", "not_an_administrator");
        Answer::of(hub.http.get(hub.admin_url("/metrics"))).await.refused(401, "invalid_token", "not_an_administrator");
    }
    metrics("s3cret-admin-token").await.refused(429, "slow_down", "slow_down");
    dry_run("s3cret-admin-token").await.refused(429, "slow_down", "slow_down");
    assert_eq!(Answer::of(hub.http.get(hub.admin_url("/readyz"))).await.status, 200, "probes show none");
    hub.advance(Duration::from_secs(60));
    dry_run("s3cret-admin-token").await.expect(200);
    for _ in 0..40 {
        assert_eq!(metrics("s3cret-admin-token").await.status, 200, "the right one is never counted");
    }
}

#[test]
fn check_prints_every_problem_and_serve_refuses_what_check_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slo-hub.toml");
    let text = "[server]\npublic_url = 'http://logout.example'\nlisten = 'here'\n[[issuers]]\nissuer = 'http://acme.example/'\n\
                signing_algs = ['HS256']\n[[apps]]\nclient_id = 'a'\nname = 'A'\norigins = ['https://a.example/']\nsurprise = 1\n";
    std::fs::write(&path, text).unwrap();
    for command in ["check", "serve"] {
        let hub = Command::new(env!("CARGO_BIN_EXE_slo-hub")).args([command, "--config"]).arg(&path).output().unwrap();
        let said = String::from_utf8_lossy(&hub.stderr).into_owned() + &String::from_utf8_lossy(&hub.stdout);
        assert_eq!(hub.status.code(), Some(1), "{said}");
        for key in [
            "server.public_url",
            "server.listen",
            "issuers[0].issuer",
            "issuers[0].signing_algs",
            "apps[0].origins[0]",
            "apps[0].surprise",
        ] {
            assert!(said.contains(key), "{command} does not name {key}:\n{said}");
        }
    }
}

#[test]
fn check_is_content_with_the_default_file_and_says_so() {
    let hub = Command::new(env!("CARGO_BIN_EXE_slo-hub"))
        .args(["check", "--config", "src/config.default.toml"])
        .output()
        .unwrap();
    assert_eq!(hub.status.code(), Some(0), "{}", String::from_utf8_lossy(&hub.stderr));
    assert!(!hub.stdout.is_empty(), "a short summary");
}

#[tokio::test]
async fn sigterm_ends_the_process_in_time_whatever_clients_do() {
    let (issuer, folder) = (TestIssuer::start().await, TempDir::new().unwrap());
    let mut hub = HubProcess::start(&issuer, folder.path()).await;
    let mut clients = Vec::new();
    for said in ["", "GET / HT", "POST /backchannel-logout HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nx"] {
        let mut client = TcpStream::connect(hub.addr()).await.unwrap();
        client.write_all(said.as_bytes()).await.unwrap();
        clients.push(client);
    }
    let events = hub.http.get(hub.url("/api/v1/events")).header("accept", "text/event-stream");
    let token = issuer.id_token(&issuer.sign_in("ada"), "notes").sign();
    let stream = events.bearer_auth(token).send().await.unwrap();
    assert_eq!(stream.status(), 200);
    assert!(hub.terminate().await.success());
}

#[tokio::test]
async fn the_log_names_no_token_no_session_and_no_person() {
    let (issuer, folder) = (TestIssuer::start().await, TempDir::new().unwrap());
    let (mail, crm) = (Receiver::start().await, Receiver::start().await);
    mail.says(Says::Status(503));
    let tables = mail.app("mail", "hub") + &crm.app("crm", "issuer");
    let hub = HubProcess::start_with(&issuer, folder.path(), &tables).await;
    let ada = issuer.sign_in("ada-lovelace");
    let id = issuer.id_token(&ada, "notes").sign();
    let good = issuer.logout_token(&ada, "notes").with("aud", json!(["notes", "crm"])).sign();
    let bad = issuer.logout_token(&ada, "notes").with("nonce", json!("n")).sign();
    for token in [&bad, &good, &good] {
        let request = hub.http.post(hub.url("/backchannel-logout")).body(format!("logout_token={token}"));
        Answer::of(request.header("content-type", "application/x-www-form-urlencoded")).await;
    }
    for path in ["/api/v1/session", "/api/v1/logouts/nothing", "/nothing"] {
        Answer::of(hub.http.get(hub.url(path)).bearer_auth(&id)).await;
    }
    Answer::of(hub.http.post(hub.url("/api/v1/logouts")).bearer_auth(&id).header("origin", NOTES)).await;
    Answer::of(hub.http.get(hub.url(&format!("/logout?id_token_hint={id}&state=secret-state")))).await;
    Answer::of(hub.http.get(hub.url(&format!("/logout?id_token_hint={bad}")))).await;
    let (posted, passed_on) = (mail.post().await, crm.post().await);
    assert_eq!(passed_on.token(), good);
    let mut hub = hub;
    hub.until_metric("slo_hub_delivery_attempts_total", 2.0).await;
    hub.terminate().await;

    let log = std::fs::read_to_string(folder.path().join("hub.log")).unwrap();
    assert!(log.contains("logout recorded") && log.contains("nonce_present"), "{log}");
    assert!(log.contains("a back end was told") && log.contains("a back end was not told"), "{log}");
    let tokens = [id.as_str(), good.as_str(), bad.as_str(), posted.token()];
    for secret in tokens.into_iter().chain([ada.sid.as_str(), ada.sub.as_str(), "secret-state", "of=mail"]) {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

#[tokio::test]
async fn a_hub_without_certificates_that_is_told_to_reload_says_that_there_is_nothing_to_and_lives_on() {
    let (issuer, folder) = (TestIssuer::start().await, TempDir::new().unwrap());
    let hub = HubProcess::start(&issuer, folder.path()).await;
    hub.hangs_up();
    let log = || std::fs::read_to_string(folder.path().join("hub.log")).unwrap();
    hub.until("it says so", async || log().contains("nothing else is read anew")).await;
    assert_eq!(Answer::of(hub.http.get(hub.admin_url("/readyz"))).await.status, 200);
}

#[test]
fn a_command_whose_reader_has_gone_ends_without_a_panic() {
    for words in [&["check", "--config", "src/config.default.toml"][..], &["--help"], &["completions", "bash"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_slo-hub"));
        let mut child = command.args(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(!complaint.contains("panicked"), "{words:?}: {complaint}");
    }
}

#[test]
fn the_doctor_says_who_else_may_read_or_write_a_file_with_a_secret() {
    let folder = TempDir::new().unwrap();
    let (config, token) = (folder.path().join("slo-hub.toml"), folder.path().join("token"));
    let text = "[server]\npublic_url = 'https://logout.invalid'\nadmin_token_file = 'token'\n\
                [[issuers]]\nissuer = 'https://acme.invalid/'\n\
                [[apps]]\nclient_id = 'desk'\nname = 'Desk'\nsecret = 'a-secret-of-the-desk'\n";
    std::fs::write(&config, text).unwrap();
    std::fs::write(&token, "a-token-of-sixteen-bytes-and-more").unwrap();
    let says = |of_config: u32, of_token: u32| {
        for (file, mode) in [(&config, of_config), (&token, of_token)] {
            std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let output = Command::new(env!("CARGO_BIN_EXE_slo-hub")).args(["doctor", "--config"]).arg(&config).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    let open = says(0o644, 0o662);
    assert!(open.contains("slo-hub.toml is readable by everyone (mode 644)"), "{open}");
    assert!(open.contains("token can be written by others (mode 662)"), "{open}");
    let tight = says(0o640, 0o600);
    assert_eq!(tight.matches("is not readable by everyone").count(), 2, "{tight}");
}

#[tokio::test]
async fn who_keeps_sending_what_is_refused_does_not_fill_the_log() {
    let (issuer, folder) = (TestIssuer::start().await, TempDir::new().unwrap());
    let limits = "[limits]\ninvalid_requests_per_minute_per_ip = 5\n";
    let hub = HubProcess::start_with(&issuer, folder.path(), limits).await;
    let mut answers = Vec::new();
    for _ in 0..60 {
        let request = hub.http.post(hub.url("/backchannel-logout")).body("logout_token=rubbish");
        answers.push(Answer::of(request.header("content-type", "application/x-www-form-urlencoded")).await.status);
    }
    assert!(answers.contains(&429), "{answers:?}");
    let refused = answers.iter().filter(|status| **status == 400).count();
    let log = std::fs::read_to_string(folder.path().join("hub.log")).unwrap();
    assert_eq!(
        log.matches("\"level\":\"WARN\",\"message\":\"refused\"").count(),
        refused,
        "those that were told why, and no more: {log}"
    );
    let minutes = log.matches("as many refusals as it may in a minute").count();
    assert!((1..=2).contains(&minutes), "said once a minute: {log}");
}
