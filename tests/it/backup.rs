//! `slo-hub backup`: a copy of the records, made while logouts arrive.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use slo_hub::tasks::Tasks;
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use crate::hub::Answer;
use crate::process::{HubProcess, config, free_port};
use crate::records::file_url;
use crate::support::issuer::{TestIssuer, TestSession};

fn backup(folder: &Path, to: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slo-hub"));
    command.arg("backup").arg("--config").arg(folder.join("slo-hub.toml")).arg("--to").arg(to).output().unwrap()
}

#[track_caller]
fn complains(output: &Output, of: &str) {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(complaint.contains(of), "{of} is not in {complaint}");
}

/// The issuer tells the hub that somebody's session has ended.
async fn ends(http: &reqwest::Client, hub: &str, issuer: &TestIssuer) -> Option<TestSession> {
    let who = issuer.sign_in("ada");
    let body = format!("logout_token={}", issuer.logout_token(&who, "notes").sign());
    let request = http.post(hub).header("content-type", "application/x-www-form-urlencoded").body(body);
    request.send().await.ok().filter(|answer| answer.status() == 200).map(|_| who)
}

#[tokio::test]
async fn a_backup_taken_in_a_burst_of_logouts_knows_every_one_acknowledged_before_it_began() {
    let (issuer, folder, other) =
        (Arc::new(TestIssuer::start().await), TempDir::new().unwrap(), TempDir::new().unwrap());
    let hub = HubProcess::start_on_a_file(&issuer, folder.path()).await;
    let (http, url) = (hub.http.clone(), hub.url("/backchannel-logout"));
    let mut before = Vec::new();
    for _ in 0..100 {
        before.push(ends(&http, &url, &issuer).await.expect("acknowledged"));
    }
    let (enough, tasks) = (Arc::new(AtomicBool::new(false)), Tasks::default());
    let burst = {
        let (issuer, enough) = (Arc::clone(&issuer), Arc::clone(&enough));
        tasks.spawn(async move {
            let mut ended = 0;
            while !enough.load(Ordering::SeqCst) {
                ends(&http, &url, &issuer).await.expect("a backup keeps no logout waiting for long");
                ended += 1;
            }
            ended
        })
    };
    hub.until_metric("slo_hub_logouts_total", 110.0).await;
    let (from, to) = (folder.path().to_owned(), other.path().join("hub.db"));
    let copy = to.clone();
    let done = spawn_blocking(move || backup(&from, &copy)).await.unwrap();
    enough.store(true, Ordering::SeqCst);
    let meanwhile = burst.await.unwrap();
    assert!(done.status.success() && meanwhile >= 10, "{done:?}, {meanwhile} logouts");

    let size = fs::metadata(&to).unwrap();
    assert_eq!(size.permissions().mode() & 0o777, 0o600);
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(said.starts_with(&format!("{}: {} bytes, whole; logouts: 1", to.display(), size.len())), "{said}");
    let left: Vec<_> = fs::read_dir(other.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["hub.db"], "no draft is left");

    let restored = HubProcess::start_on_a_file(&issuer, other.path()).await;
    for who in &before {
        let request = restored.http.get(restored.url("/api/v1/session"));
        let request = request.bearer_auth(issuer.id_token(who, "notes").sign());
        assert_eq!(Answer::of(request).await.expect(200)["active"], false, "a logout is not in the backup");
    }
}

#[tokio::test]
async fn a_backup_takes_no_other_files_place_and_keeps_nothing_that_failed() {
    let (issuer, folder) = (TestIssuer::start().await, TempDir::new().unwrap());
    let mut hub = HubProcess::start_on_a_file(&issuer, folder.path()).await;
    ends(&hub.http, &hub.url("/backchannel-logout"), &issuer).await.expect("acknowledged");
    let there = folder.path().join("there.db");
    fs::write(&there, "somebody else's").unwrap();
    complains(&backup(folder.path(), &there), "is there already");
    assert_eq!(fs::read_to_string(&there).unwrap(), "somebody else's");
    complains(&backup(folder.path(), Path::new("/nowhere/hub.db")), "/nowhere/hub.db: No such file");

    hub.terminate().await;
    let copies = folder.path().join("copies");
    fs::create_dir(&copies).unwrap();
    assert!(backup(folder.path(), &copies.join("stopped.db")).status.success(), "of a hub that is stopped");
    let database = folder.path().join("hub.db");
    let mut bytes = fs::read(&database).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0x5a);
    fs::write(&database, bytes).unwrap();
    complains(&backup(folder.path(), &copies.join("damaged.db")), "damaged");
    let left: Vec<_> = fs::read_dir(&copies).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["stopped.db"]);
}

#[test]
fn where_there_is_no_file_it_is_said_what_to_do() {
    let folder = TempDir::new().unwrap();
    let write = |url: &str| {
        let text = config("https://acme.example/", free_port(), free_port()).replace("sqlite://hub.db", url);
        fs::write(folder.path().join("slo-hub.toml"), text).unwrap();
    };
    write(&file_url(folder.path()));
    complains(&backup(folder.path(), Path::new("copy.db")), "there is no database at");
    write("postgres://hub:hunter2@localhost/hub");
    let output = backup(folder.path(), Path::new("copy.db"));
    complains(&output, "pg_dump --format=custom --file='copy.db' 'postgres://hub@localhost/hub'");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("hunter2"));
}
