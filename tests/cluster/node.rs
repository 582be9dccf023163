//! One node: a hub in a process of its own, with a clock of its own.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Where Debian has libfaketime. It shifts the time of day and leaves the monotonic
/// clock, by which timeouts count, alone.
const FAKETIME: &str = "/usr/lib/*/faketime/libfaketime.so.1";

pub struct Node {
    folder: PathBuf,
    /// How far its clock is from the issuer's, in seconds.
    offset: i64,
    child: Option<Child>,
    at: Option<Listening>,
}

/// Where a hub that is up listens.
#[derive(Clone, Copy, Debug)]
pub struct Listening {
    pub public: SocketAddr,
    pub admin: SocketAddr,
}

impl Node {
    /// A node with that configuration; it does not run yet.
    pub fn new(folder: PathBuf, config: &str, offset: i64) -> Self {
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("slo-hub.toml"), config).unwrap();
        Self { folder, offset, child: None, at: None }
    }

    /// Where it listened when it was last up.
    pub fn at(&self) -> Option<Listening> {
        self.at
    }

    /// Starts it again and again until it is up, or until that many tries have failed: a
    /// hub that cannot reach its database ends.
    pub async fn start(&mut self, tries: usize) -> Option<Listening> {
        for _ in 0..tries {
            self.kill();
            let log = File::options().create(true).append(true).open(self.log()).unwrap();
            let from = std::fs::metadata(self.log()).unwrap().len();
            self.child = Some(self.spawn(log));
            if let Some(at) = self.until_up(usize::try_from(from).unwrap()).await {
                self.at = Some(at);
                return self.at;
            }
            // The database may be long in coming back, where the machine is busy.
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        None
    }

    fn spawn(&self, log: File) -> Child {
        // It ends with the test, also where that is killed.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", "env"]);
        command.arg(format!("LD_PRELOAD={}", faketime().display())).arg(format!("FAKETIME={:+}s", self.offset));
        command.args(["FAKETIME_DONT_FAKE_MONOTONIC=1", "SLO_HUB_LOG=slo_hub=debug"]);
        command.args([env!("CARGO_BIN_EXE_slo-hub"), "serve", "--config"]).arg(self.folder.join("slo-hub.toml"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    async fn until_up(&mut self, from: usize) -> Option<Listening> {
        for _ in 0..1_000 {
            let log = std::fs::read(self.log()).unwrap_or_default();
            let lines = String::from_utf8_lossy(log.get(from..).unwrap_or_default()).into_owned();
            if let Some(at) = lines.lines().find_map(listening) {
                return Some(at);
            }
            if self.child.as_mut()?.try_wait().unwrap().is_some() {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        None
    }

    /// `kill -STOP`, and `-CONT`.
    pub fn signal(&self, signal: Signal) {
        if let Some(child) = &self.child {
            // It may have ended by itself.
            let _ = kill_process(Pid::from_child(child), signal);
        }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        child.kill().ok();
        child.wait().ok();
        // What libfaketime leaves behind then.
        for name in ["faketime_shm_", "sem.faketime_sem_"] {
            let _ = std::fs::remove_file(format!("/dev/shm/{name}{}", child.id()));
        }
    }

    /// Everything it has said.
    pub fn log(&self) -> PathBuf {
        self.folder.join("hub.log")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The addresses in the line that says that the hub is up.
fn listening(line: &str) -> Option<Listening> {
    let line: Value = serde_json::from_str(line).ok()?;
    let addr = |name: &str| line[name].as_str()?.parse().ok();
    Some(Listening { public: addr("listen")?, admin: addr("admin_listen")? })
}

fn faketime() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut found = folders.map(|folder| folder.path().join("faketime/libfaketime.so.1")).filter(|path| path.exists());
    found.next().unwrap_or_else(|| panic!("{FAKETIME} is missing: scripts/need libfaketime"))
}

/// Whether a node answers that it is ready.
pub async fn is_ready(http: &reqwest::Client, at: Listening) -> bool {
    let asked = http.get(format!("http://{}/readyz", at.admin)).send().await;
    asked.is_ok_and(|answer| answer.status() == 200)
}

/// The last lines of a log.
pub fn tail(log: &Path, lines: usize) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
