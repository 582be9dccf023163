//! Nothing acknowledged is lost: the process is killed, the disk is full, the database
//! is locked.

use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use slo_hub::tasks::Tasks;
use tempfile::TempDir;

use crate::hub::{Answer, NOTES, TestHub};
use crate::process::{HubProcess, free_port};
use crate::records::Records;
use crate::stories::{id_token, logout_token};
use crate::support::issuer::TestIssuer;
use crate::tab::Tab;

#[tokio::test]
async fn a_hub_killed_in_a_burst_of_logouts_tells_every_acknowledged_one_afterwards() {
    let issuer = Arc::new(TestIssuer::start().await);
    let folder = TempDir::new().unwrap();
    let mut hub = HubProcess::start(&issuer, folder.path()).await;
    let (killed, tasks) = (Arc::new(AtomicBool::new(false)), Tasks::default());
    let burst: Vec<_> = (0..16)
        .map(|_| {
            let (issuer, killed, url) = (Arc::clone(&issuer), Arc::clone(&killed), hub.url("/backchannel-logout"));
            tasks.spawn(async move {
                let http = reqwest::Client::builder().no_proxy().build().unwrap();
                let mut acknowledged = Vec::new();
                while !killed.load(Ordering::SeqCst) {
                    let who = issuer.sign_in("ada");
                    let body = format!("logout_token={}", issuer.logout_token(&who, "notes").sign());
                    let request = http.post(&url).header("content-type", "application/x-www-form-urlencoded");
                    match request.body(body).send().await {
                        Ok(answer) if answer.status() == 200 => acknowledged.push(who),
                        Ok(_) | Err(_) => {}
                    }
                }
                acknowledged
            })
        })
        .collect();
    hub.until_metric("slo_hub_logouts_total", 200.0).await;
    hub.kill();
    killed.store(true, Ordering::SeqCst);

    let hub = HubProcess::start(&issuer, folder.path()).await;
    let mut told = 0;
    for task in burst {
        for who in task.await.unwrap() {
            let request = hub.http.get(hub.url("/api/v1/session")).bearer_auth(issuer.id_token(&who, "notes").sign());
            assert_eq!(Answer::of(request).await.expect(200)["active"], false, "an acknowledged logout was lost");
            told += 1;
        }
    }
    assert!(told >= 150, "only {told} logouts were acknowledged before the kill: no burst");
}

/// About a file everywhere: a server's disk is the server's, and it syncs there before it answers.
#[tokio::test]
async fn the_disk_has_the_logout_before_the_caller_has_the_answer() {
    let issuer = TestIssuer::start().await;
    let folder = TempDir::new().unwrap();
    let hub = HubProcess::start_on_a_file(&issuer, folder.path()).await;
    let trace = folder.path().join("trace");
    if !hub.trace("trace=fsync,fdatasync,write,writev,sendto", &trace).await {
        eprintln!("strace may not run here: the order of fsync and answer is not looked at");
        return;
    }

    let token = issuer.logout_token(&issuer.sign_in("ada"), "notes").sign();
    let request = hub.http.post(hub.url("/backchannel-logout")).body(format!("logout_token={token}"));
    Answer::of(request.header("content-type", "application/x-www-form-urlencoded")).await.expect(200);
    drop(hub);

    let text = std::fs::read_to_string(&trace).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let synced = lines.iter().position(|line| line.contains("sync(") && line.contains("hub.db-wal"));
    let answered = lines.iter().position(|line| line.contains("HTTP/1.1 200"));
    let (synced, answered) = (synced.expect("the log was synced"), answered.expect("the answer was written"));
    assert!(synced < answered, "synced in line {synced}, answered in line {answered}:\n{}", lines.join("\n"));
}

/// About a file everywhere: a server's disk cannot be made small from here.
#[tokio::test]
async fn a_full_disk_is_our_trouble_and_keeps_nobody_from_being_told() {
    let issuer = TestIssuer::start().await;
    let folder = TempDir::new().unwrap();
    let Some(_disk) = SmallDisk::mount(&folder) else {
        eprintln!("no small disk may be mounted here: the store's own test fills its pages instead");
        return;
    };
    let hub = HubProcess::start_on_a_file(&issuer, folder.path()).await;
    let ada = issuer.sign_in("ada");
    let post = |token: String| {
        let request = hub.http.post(hub.url("/backchannel-logout")).body(format!("logout_token={token}"));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        async move { tokio::time::timeout(Duration::from_secs(4), Answer::of(request)).await.expect("in time") }
    };
    post(issuer.logout_token(&ada, "notes").sign()).await.expect(200);

    let filler = folder.path().join("filler");
    std::fs::write(&filler, vec![0; 64 << 20]).expect_err("the disk is full now");
    let mut refused = 0;
    for _ in 0..200 {
        let answer = post(issuer.logout_token(&issuer.sign_in("grace"), "notes").sign()).await;
        if answer.status == 503 {
            answer.refused(503, "temporarily_unavailable", "store_unavailable");
            refused += 1;
        }
    }
    assert!(refused > 0, "the disk was never full");
    let session = hub.http.get(hub.url("/api/v1/session")).bearer_auth(issuer.id_token(&ada, "notes").sign());
    assert_eq!(Answer::of(session).await.expect(200)["active"], false, "facts are still told");
    let grace = issuer.sign_in("grace");
    let session = hub.http.get(hub.url("/api/v1/session")).bearer_auth(issuer.id_token(&grace, "notes").sign());
    assert_eq!(Answer::of(session).await.expect(200)["active"], true, "and so is that a session lives");

    std::fs::remove_file(&filler).unwrap();
    post(issuer.logout_token(&grace, "notes").sign()).await.expect(200);
}

#[tokio::test]
async fn a_locked_database_is_503_in_time_and_mends_itself() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let lock = Records::locked(hub.folder.path()).await;

    let token = logout_token(&hub, &ada, "notes");
    let answer = tokio::time::timeout(Duration::from_secs(4), hub.receives(&token)).await.expect("in time");
    answer.refused(503, "temporarily_unavailable", "store_unavailable");

    lock.let_go().await;
    hub.receives(&token).await.expect(200);
    let mut tab = Tab::open(&hub, Some(NOTES)).await;
    tab.subscribe(&id_token(&hub, &ada, "notes")).await;
    tab.logged_out().await;
}

#[tokio::test]
async fn a_caller_that_leaves_early_does_not_keep_the_others_from_being_told() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut tab, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let token = id_token(&hub, &ada, "shop");
    let report = hub.reports(&token, crate::hub::SHOP, json!({}));
    // Long enough for the request to leave, too short for its answer to come, or not:
    // whichever it is, what was recorded has been told.
    let _ = tokio::time::timeout(Duration::from_micros(300), report).await;
    if hub.recorded().await == 0 {
        hub.reports(&token, crate::hub::SHOP, json!({})).await;
    }
    tab.logged_out().await;
}

#[test]
fn a_port_that_is_taken_is_a_clear_message() {
    let folder = TempDir::new().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = crate::process::config("https://acme.example/", taken.local_addr().unwrap().port(), free_port());
    std::fs::write(folder.path().join("slo-hub.toml"), config).unwrap();
    let hub = Command::new(env!("CARGO_BIN_EXE_slo-hub"))
        .args(["serve", "--config"])
        .arg(folder.path().join("slo-hub.toml"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&hub.stderr).into_owned();
    assert_eq!(hub.status.code(), Some(1), "{said}");
    assert!(said.contains("server.listen") && said.contains("127.0.0.1"), "{said}");
}

/// A disk of four megabytes, where the system lets us have one.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(at: &TempDir) -> Option<Self> {
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(at.path()).output();
        mount.is_ok_and(|output| output.status.success()).then(|| Self(at.path().to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.0).spawn();
        drop(unmounted.map(|mut child: Child| child.wait()));
    }
}
