//! A PostgreSQL server of the test's own, on a real disk, that can be killed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// Where it keeps its socket, by PostgreSQL's own naming.
const SOCKET: &str = ".s.PGSQL.5432";

pub struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
    child: Option<Child>,
}

impl Postgres {
    /// Makes a server in that folder and starts it. It listens on a socket only.
    pub async fn start(folder: &Path) -> Self {
        let programs = programs();
        std::fs::create_dir(folder).unwrap();
        if is_root() {
            succeed(Command::new("chown").arg("postgres").arg(folder));
        }
        let data = folder.join("data");
        let mut initdb = as_owner(&programs.join("initdb"));
        succeed(initdb.current_dir(folder).arg("-D").arg(data).args(["-U", "postgres", "-A", "trust", "-E", "UTF8"]));
        let mut server = Self { programs, folder: folder.to_owned(), child: None };
        server.run().await;
        server
    }

    /// The path of its socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.join(SOCKET)
    }

    /// Starts it again, until it stays: what is left of the one before may be in the way
    /// for a moment.
    pub async fn run(&mut self) {
        for _ in 0..600 {
            let child = self.child.get_or_insert_with(|| spawn(&self.programs, &self.folder));
            if child.try_wait().unwrap().is_some() {
                self.child = None;
            } else if is_ready(&self.programs, &self.folder) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let log = std::fs::read_to_string(self.folder.join("server.log")).unwrap_or_default();
        panic!("PostgreSQL does not start:\n{log}");
    }

    /// Ends it at once and without a checkpoint. `Signal::QUIT` lets it say so to its
    /// clients, `Signal::KILL` nothing at all.
    pub fn stop(&mut self, signal: Signal) {
        if let Some(mut child) = self.child.take() {
            kill_process(Pid::from_child(&child), signal).unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop(Signal::QUIT);
    }
}

/// Debian keeps the programs by version, and not on the PATH.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
    found.sort();
    found.pop().unwrap_or_default()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// PostgreSQL refuses to run as root: then it runs as the user that its package made.
fn as_owner(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(program);
    command
}

/// As it is installed, but that it leaves nothing outside its folder when it is killed.
fn spawn(programs: &Path, folder: &Path) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(folder.join("server.log")).unwrap();
    let mut command = as_owner(&programs.join("postgres"));
    command.current_dir(folder).arg("-D").arg(folder.join("data")).arg("-k").arg(folder);
    command.args(["-c", "listen_addresses=", "-c", "dynamic_shared_memory_type=mmap", "-c", "fsync=on"]);
    command.args(["-c", "max_connections=200", "-c", "shared_buffers=32MB"]);
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

fn is_ready(programs: &Path, folder: &Path) -> bool {
    let mut command = Command::new(programs.join("pg_isready"));
    command.arg("-q").arg("-h").arg(folder).args(["-U", "postgres"]);
    command.status().is_ok_and(|status| status.success())
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}: scripts/need postgresql"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
