//! `slo-hub healthcheck`: one line, and an exit status that Docker and systemd understand.

use std::process::{Command, Output};

use tempfile::TempDir;
use tokio::task::spawn_blocking;

use crate::hub::Answer;
use crate::process::{HubProcess, config, free_port};
use crate::records::{Records, file_url};
use crate::support::issuer::TestIssuer;

async fn healthcheck(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slo-hub"));
    command.arg("healthcheck").args(words);
    spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[track_caller]
fn says(output: &Output, code: i32, line: &str) {
    let said = [output.stdout.clone(), output.stderr.clone()].concat();
    let said = String::from_utf8(said).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(line) && said.lines().count() == 1, "{line} is not the one line: {said}");
}

#[tokio::test]
async fn a_hub_that_works_is_healthy_and_one_that_is_gone_is_not() {
    let (issuer, folder) = (TestIssuer::start().await, TempDir::new().unwrap());
    let mut hub = HubProcess::start(&issuer, folder.path()).await;
    let path = folder.path().join("slo-hub.toml");
    let with_file = ["--config", path.to_str().unwrap()];
    says(&healthcheck(&with_file).await, 0, "ready");
    says(&healthcheck(&["--url", &hub.admin_url("/readyz")]).await, 0, "ready");
    says(&healthcheck(&["--url", &hub.url("/readyz")]).await, 1, "answers 404 Not Found, and not as a hub does");
    hub.terminate().await;
    says(&healthcheck(&with_file).await, 1, "nobody listens on http://127.0.0.1:");
}

#[tokio::test]
async fn a_hub_that_cannot_write_is_not_healthy() {
    let (issuer, folder) = (TestIssuer::start().await, TempDir::new().unwrap());
    let hub = HubProcess::start(&issuer, folder.path()).await;
    let lock = Records::locked(folder.path()).await;
    says(&healthcheck(&["--url", &hub.admin_url("/readyz")]).await, 1, "not ready: store");
    lock.let_go().await;
    says(&healthcheck(&["--url", &hub.admin_url("/readyz")]).await, 0, "ready");
}

#[tokio::test]
async fn a_hub_without_its_issuers_keys_is_healthy_and_says_so() {
    let folder = TempDir::new().unwrap();
    let nobody = format!("http://127.0.0.1:{}/", free_port());
    let from = |port, admin_port| config(&nobody, port, admin_port);
    let hub = HubProcess::start_at(&file_url(folder.path()), folder.path(), from).await;
    let ready = Answer::of(hub.http.get(hub.admin_url("/readyz"))).await.expect(200);
    assert_eq!(ready["issuers_without_keys"][0], nobody);
    let output = healthcheck(&["--url", &hub.admin_url("/readyz")]).await;
    says(&output, 0, &format!("ready; no keys yet of {nobody}"));
}
