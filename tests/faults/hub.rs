//! The hub: a process that can be killed, traced and told to end, with a clock that can be set.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::time::{Instant, sleep};

/// What strace writes down: what reaches the records, and what makes it stay.
const CALLS: &str = "trace=pwrite64,ftruncate,fsync,fdatasync";
/// A sync takes 20 ms, as on a slow disk: it is then that most deaths strike.
const SLOW_SYNC: &str = "inject=fsync,fdatasync:delay_enter=20000";

pub struct Hub {
    folder: PathBuf,
    records: PathBuf,
    child: Option<Child>,
    at: Option<Listening>,
}

/// Where a hub that is up listens.
#[derive(Clone, Copy, Debug)]
pub struct Listening {
    pub public: SocketAddr,
    pub admin: SocketAddr,
}

/// A hub that ended instead of beginning.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub said: String,
}

impl Hub {
    /// A hub with that configuration; it does not run yet.
    pub fn new(folder: &Path, records: &Path, config: &str) -> Self {
        std::fs::write(folder.join("slo-hub.toml"), config).unwrap();
        let hub = Self { folder: folder.to_owned(), records: records.to_owned(), child: None, at: None };
        hub.sets_clock(0);
        hub
    }

    /// Where it listened when it was last up.
    ///
    /// # Panics
    /// Before it was ever up.
    pub fn at(&self) -> Listening {
        self.at.expect("it has been started")
    }

    /// Where its records are.
    pub fn records(&self) -> &Path {
        &self.records
    }

    /// Puts its clock so many seconds ahead of the issuer's, be it up or not. It may take a
    /// second until it notices.
    pub fn sets_clock(&self, ahead: i64) {
        std::fs::write(self.folder.join("clock"), format!("{ahead:+}s\n")).unwrap();
    }

    /// Starts it, and waits until it listens.
    pub async fn start(&mut self, is_traced: bool) -> Result<Listening, Ended> {
        self.kill();
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        let from = usize::try_from(log.metadata().unwrap().len()).unwrap();
        self.child = Some(self.spawn(log, is_traced));
        for _ in 0..1_000 {
            let log = std::fs::read(self.log()).unwrap();
            let said = String::from_utf8_lossy(&log[from..]).into_owned();
            if let Some(at) = said.lines().find_map(listening) {
                self.at = Some(at);
                return Ok(at);
            }
            if let Some(status) = self.child.as_mut().unwrap().try_wait().unwrap() {
                return Err(Ended { status, said });
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("the hub neither begins nor ends:\n{}", self.last_words());
    }

    fn spawn(&self, log: File, is_traced: bool) -> Child {
        // It ends with the test, also where that is killed.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]);
        if is_traced {
            // The hub stays our own child (-D): what is killed is the hub, not strace.
            command.args([
                "strace",
                "-D",
                "-f",
                "-q",
                "-y",
                "-s",
                "0",
                "--seccomp-bpf",
                "-e",
                CALLS,
                "-e",
                SLOW_SYNC,
                "-o",
            ]);
            command.arg(self.trace());
        }
        command.arg("env").arg(format!("LD_PRELOAD={}", faketime().display()));
        command.arg(format!("FAKETIME_TIMESTAMP_FILE={}", self.folder.join("clock").display()));
        // Timeouts count by the monotonic clock, which nobody can set.
        command.args(["FAKETIME_CACHE_DURATION=1", "FAKETIME_DONT_FAKE_MONOTONIC=1", "SLO_HUB_LOG=slo_hub=debug"]);
        command.args([env!("CARGO_BIN_EXE_slo-hub"), "serve", "--config"]).arg(self.config());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        child.kill().ok();
        child.wait().ok();
        self.forget_clock(child.id());
    }

    /// `kill -9` of one that is traced: what it had written, and what of it was to stay.
    pub async fn kill_traced(&mut self) -> String {
        let pid = self.child.as_ref().expect("it runs").id();
        self.kill();
        let last = format!("{pid} ");
        for _ in 0..500 {
            let trace = std::fs::read_to_string(self.trace()).unwrap_or_default();
            if trace.lines().rev().any(|line| line.starts_with(&last) && line.contains("+++ killed by SIGKILL")) {
                return trace;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("strace does not say that the hub was killed");
    }

    /// `kill`, and how long it took the process to end with success; none where it did not,
    /// or not within so long.
    pub async fn terminate(&mut self, within: Duration) -> Option<Duration> {
        let mut child = self.child.take()?;
        let began = Instant::now();
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        while began.elapsed() < within {
            if let Some(status) = child.try_wait().unwrap() {
                return status.success().then(|| began.elapsed());
            }
            sleep(Duration::from_millis(10)).await;
        }
        self.child = Some(child);
        self.kill();
        None
    }

    /// What libfaketime leaves behind.
    #[expect(clippy::unused_self, reason = "reads as the hub's own")]
    fn forget_clock(&self, pid: u32) {
        for name in ["faketime_shm_", "sem.faketime_sem_"] {
            let _ = std::fs::remove_file(format!("/dev/shm/{name}{pid}"));
        }
    }

    pub fn config(&self) -> PathBuf {
        self.folder.join("slo-hub.toml")
    }

    /// Everything it has said, in all of its lives.
    pub fn log(&self) -> PathBuf {
        self.folder.join("hub.log")
    }

    fn trace(&self) -> PathBuf {
        self.folder.join("trace")
    }

    pub fn last_words(&self) -> String {
        let text = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Hub {
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

/// Where Debian has libfaketime, which shifts the time of day.
fn faketime() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut found = folders.map(|folder| folder.path().join("faketime/libfaketime.so.1")).filter(|path| path.exists());
    found.next().expect("libfaketime is missing: scripts/need libfaketime")
}
