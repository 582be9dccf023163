//! The hub that is measured, in a process of its own.

use std::fmt::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;

use crate::http::{Caller, request};
use crate::machine::Cores;
use crate::people::{Alg, Issuers, Person};
use crate::process::Process;
use crate::{APPS, Failure};

/// What administrators show.
const ADMIN_TOKEN: &str = "a-token-of-the-load-generators-own-0123456789";
/// What the back end of the first app shows.
pub const BACK_END_SECRET: &str = "5b0c3c0e2f4d4b7a9b1e6d8f7a2c4e6091a3b5c7d9e1f203";
/// The back end's app.
pub const BACK_END: &str = "es0";

/// A hub on SQLite, in a folder of its own.
pub struct Hub {
    process: Process,
    command: Vec<String>,
    cores: Cores,
    port: u16,
    admin_port: u16,
    /// Removed with the hub.
    _folder: TempDir,
}

/// In what one hub differs from another.
pub struct Node<'url> {
    /// Where it stores.
    pub store: &'url str,
    /// What stands in front of its command line.
    pub behind: Vec<String>,
}

impl Default for Node<'_> {
    fn default() -> Self {
        Self { store: "sqlite://hub.db", behind: Vec::new() }
    }
}

impl Hub {
    /// Starts a hub and waits until it is ready.
    pub async fn start(program: &Path, issuers: &Issuers, cores: Cores) -> Result<Self, Failure> {
        Self::start_node(Node::default(), program, issuers, cores).await
    }

    /// The same, not as every hub is.
    pub async fn start_node(node: Node<'_>, program: &Path, issuers: &Issuers, cores: Cores) -> Result<Self, Failure> {
        // On the project's own disk: what an fsync costs is part of the answer.
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
        let (port, admin_port) = (free_port()?, free_port()?);
        let path = folder.path().join("slo-hub.toml");
        std::fs::write(&path, config(issuers, node.store, port, admin_port)?)?;
        let path = path.to_str().ok_or("the target folder's name is not UTF-8")?;
        let program = program.to_str().ok_or("the hub's name is not UTF-8")?;
        let own = [program, "serve", "--config", path].map(str::to_owned);
        let command: Vec<String> = node.behind.into_iter().chain(own).collect();
        let process = Process::start(cores, &command, Stdio::null())?;
        let mut hub = Self { process, command, cores, port, admin_port, _folder: folder };
        hub.until_ready().await?;
        Ok(hub)
    }

    /// `kill -9`, and a start in the same folder.
    pub async fn crash(&mut self) -> Result<(), Failure> {
        self.process.kill();
        self.process = Process::start(self.cores, &self.command, Stdio::null())?;
        self.until_ready().await
    }

    async fn until_ready(&mut self) -> Result<(), Failure> {
        let ready = request("GET", "/readyz", &[], "");
        for _ in 0..6_000 {
            if !self.process.is_running() {
                return Err("the hub ended before it was ready".into());
            }
            if Caller::new(self.admin_addr()).ask(&ready).await.is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Err("the hub never became ready".into())
    }

    /// Its public listener.
    pub fn addr(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Its process.
    pub const fn process(&self) -> &Process {
        &self.process
    }

    /// Its admin listener.
    pub fn admin_addr(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.admin_port))
    }
}

/// How a session is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// An app reports it.
    Report,
    /// The issuer says so over the back channel.
    Backchannel,
}

/// The request that ends a session, signed beforehand: what is measured is the server.
pub fn end_request(issuers: &Issuers, person: &Person, by: By) -> Bytes {
    match by {
        By::Report => {
            let token = format!("Bearer {}", issuers.id_token(person, 0));
            let headers = [("authorization", token.as_str()), ("origin", &person.origin(0))];
            request("POST", "/api/v1/logouts", &headers, "")
        }
        By::Backchannel => {
            let form = ("content-type", "application/x-www-form-urlencoded");
            request("POST", "/backchannel-logout", &[form], &format!("logout_token={}", issuers.logout_token(person)))
        }
    }
}

/// The request that ends all of a person's sessions.
pub fn end_everywhere_request(issuers: &Issuers, person: &Person) -> Bytes {
    let (token, origin) = (format!("Bearer {}", issuers.id_token(person, 0)), person.origin(0));
    let json = ("content-type", "application/json");
    let headers = [("authorization", token.as_str()), ("origin", &origin), json];
    request("POST", "/api/v1/logouts", &headers, r#"{"scope":"user"}"#)
}

/// The request by which an administrator ends every session at an issuer.
pub fn sweep_request(issuer: &str) -> Bytes {
    let token = format!("Bearer {ADMIN_TOKEN}");
    let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
    let body = serde_json::json!({"everyone": true, "issuer": issuer});
    request("POST", "/api/v1/admin/logouts", &headers, &body.to_string())
}

/// A port that nobody listens on.
pub fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn config(issuers: &Issuers, store: &str, port: u16, admin_port: u16) -> Result<String, Failure> {
    let mut text = format!(
        "[server]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"http://localhost:{port}\"\n\
         admin_listen = \"127.0.0.1:{admin_port}\"\nadmin_token = \"{ADMIN_TOKEN}\"\n\
         [store]\nurl = \"{store}\"\n"
    );
    for alg in [Alg::Rs256, Alg::Es256] {
        let (issuer, name) = (issuers.url(alg), alg.name());
        write!(text, "[[issuers]]\nissuer = \"{issuer}\"\nsigning_algs = [\"{name}\"]\n")?;
    }
    for alg in [Alg::Rs256, Alg::Es256] {
        let (issuer, prefix) = (issuers.url(alg), alg.prefix());
        for app in 0..APPS {
            let id = format!("{prefix}{app}");
            write!(
                text,
                "[[apps]]\nclient_id = \"{id}\"\nissuer = \"{issuer}\"\nname = \"{id}\"\norigins = [\"https://{id}.example\"]\n"
            )?;
            if id == BACK_END {
                writeln!(text, "secret = \"{BACK_END_SECRET}\"")?;
            }
        }
    }
    Ok(text)
}
