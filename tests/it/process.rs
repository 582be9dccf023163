//! A hub as its operator runs it: a process of its own, on the real clock.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use crate::records;
use crate::support::issuer::TestIssuer;

pub struct HubProcess {
    child: Child,
    port: u16,
    admin_port: u16,
    pub http: reqwest::Client,
}

impl HubProcess {
    /// Starts a hub and waits until it is ready.
    pub async fn start(issuer: &TestIssuer, folder: &Path) -> Self {
        Self::start_with(issuer, folder, "").await
    }

    /// A hub whose administrators show this token.
    pub async fn start_with_admin_token(issuer: &TestIssuer, folder: &Path, token: &str) -> Self {
        let server = format!("admin_token = \"{token}\"\n[store]");
        let with_it = |port, admin_port| config(issuer.url(), port, admin_port).replace("[store]", &server);
        Self::start_from(folder, with_it).await
    }

    /// The same, with more tables in its configuration, in which `ISSUER` is the issuer.
    pub async fn start_with(issuer: &TestIssuer, folder: &Path, tables: &str) -> Self {
        let tables = tables.replace("ISSUER", issuer.url());
        Self::start_from(folder, |port, admin_port| config(issuer.url(), port, admin_port) + &tables).await
    }

    /// A hub whose records are in a file, wherever the others' are.
    pub async fn start_on_a_file(issuer: &TestIssuer, folder: &Path) -> Self {
        let on_a_file = |port, admin_port| config(issuer.url(), port, admin_port);
        Self::start_at(&records::file_url(folder), folder, on_a_file).await
    }

    /// The same, with the configuration that is written for those ports.
    pub async fn start_from(folder: &Path, config: impl Fn(u16, u16) -> String) -> Self {
        Self::start_at(&records::url(folder), folder, config).await
    }

    /// The same, with its records at that address.
    pub async fn start_at(url: &str, folder: &Path, config: impl Fn(u16, u16) -> String) -> Self {
        let config = |port, admin_port| config(port, admin_port).replace("sqlite://hub.db", url);
        Self::start_among(&[], folder, config).await
    }

    /// A hub of that very configuration, with these variables in its environment.
    pub async fn start_among(env: &[(&str, &str)], folder: &Path, config: impl Fn(u16, u16) -> String) -> Self {
        // Somebody else may take a free port before the hub does; then it takes others.
        for _ in 0..5 {
            if let Some(hub) = Self::try_start(env, folder, &config).await {
                return hub;
            }
        }
        panic!("the hub does not start: {}", std::fs::read_to_string(folder.join("hub.log")).unwrap());
    }

    /// `None` where the hub ended before it was ready.
    async fn try_start(env: &[(&str, &str)], folder: &Path, config: &impl Fn(u16, u16) -> String) -> Option<Self> {
        let (port, admin_port) = (free_port(), free_port());
        let path = folder.join("slo-hub.toml");
        std::fs::write(&path, config(port, admin_port)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_slo-hub"));
        // As talkative as it gets: what it says is read by a test.
        let log = std::fs::File::create(folder.join("hub.log")).unwrap();
        command.args(["serve", "--config"]).arg(path).env("SLO_HUB_LOG", "debug");
        command.envs(env.iter().copied());
        command.stdout(Stdio::null()).stderr(log);
        let child = command.spawn().unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut hub = Self { child, port, admin_port, http };
        for _ in 0..3_000 {
            let ready = hub.http.get(hub.admin_url("/readyz")).send().await;
            if ready.is_ok_and(|answer| answer.status() == 200) {
                return Some(hub);
            }
            if hub.child.try_wait().unwrap().is_some() {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the hub is never ready");
    }

    pub fn addr(&self) -> std::net::SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn admin_url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.admin_port)
    }

    /// The sum of a metric's lines just now; 0 where nobody answers.
    pub async fn metric(&self, name: &str) -> f64 {
        let Ok(answer) = self.http.get(self.admin_url("/metrics")).send().await else { return 0.0 };
        let text = answer.text().await.unwrap_or_default();
        let lines = text.lines().filter(|line| line.starts_with(name));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// Waits until the sum of a metric's lines has reached a value.
    pub async fn until_metric(&self, name: &str, least: f64) {
        self.until(name, async || self.metric(name).await >= least).await;
    }

    /// Waits until something is true; fails after half a minute.
    pub async fn until(&self, what: &str, is_true: impl AsyncFn() -> bool) {
        for _ in 0..3_000 {
            if is_true().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("never happened: {what}");
    }

    /// The memory that is its own and was written to, in bytes.
    pub fn private_bytes(&self) -> i64 {
        let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("Private_Dirty:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<i64>().unwrap() * 1024
    }

    /// Has strace write this process' calls to a file; false where that is not allowed.
    pub async fn trace(&self, calls: &str, to: &Path) -> bool {
        let pid = self.child.id().to_string();
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-y", "-s", "16", "-e", calls, "-p", &pid, "-o"]).arg(to).stderr(Stdio::null());
        let Ok(mut strace) = strace.spawn() else { return false };
        let threads = format!("/proc/{pid}/task");
        let is_traced = || {
            let tasks = std::fs::read_dir(&threads).into_iter().flatten().flatten();
            let mut states = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("status")).ok());
            states.all(|state| !state.contains("TracerPid:\t0\n"))
        };
        for _ in 0..500 {
            if is_traced() {
                return true;
            }
            if strace.try_wait().is_ok_and(|ended| ended.is_some()) {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }

    /// `kill`, and how the process ended.
    pub async fn terminate(&mut self) -> ExitStatus {
        Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        for _ in 0..1_000 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the hub is still there ten seconds after SIGTERM");
    }

    /// `kill -HUP`.
    pub fn hangs_up(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for HubProcess {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A port on which nobody listens, nor will: it is below what the system hands out by itself
/// (from 32768 on Linux), and tests that run at a time begin to look at different places.
pub fn free_port() -> u16 {
    const FIRST: u16 = 10_000;
    const SO_MANY: u16 = 9_000;
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let here = u16::try_from(std::process::id() % 900).unwrap() * 10;
    let ports = (0..SO_MANY).map(|_| FIRST + (here + TAKEN.fetch_add(1, Ordering::Relaxed)) % SO_MANY);
    let mut free = ports.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.next().expect("one port of thousands is free")
}

pub fn config(issuer: &str, port: u16, admin_port: u16) -> String {
    format!(
        r#"
[server]
listen = "127.0.0.1:{port}"
public_url = "http://localhost:{port}"
admin_listen = "127.0.0.1:{admin_port}"
[store]
url = "sqlite://hub.db"
[[issuers]]
issuer = "{issuer}"
[[apps]]
client_id = "notes"
name = "Notes"
origins = ["https://notes.example"]
"#
    )
}
