//! The hub that is measured, in a process of its own.

use std::fmt::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::{APPS, Failure};

pub struct HubProcess {
    child: Child,
    port: u16,
    http: reqwest::Client,
    _folder: TempDir,
}

impl HubProcess {
    pub async fn start(issuer: &str) -> Result<Self, Failure> {
        // On the project's own disk: what an fsync costs is part of the answer.
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
        let (port, admin_port) = (free_port()?, free_port()?);
        let path = folder.path().join("slo-hub.toml");
        std::fs::write(&path, config(issuer, port, admin_port)?)?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_slo-hub"));
        command.args(["serve", "--config"]).arg(path).env("SLO_HUB_LOG", "error");
        let child = command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn()?;
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(256).build()?;
        let hub = Self { child, port, http, _folder: folder };
        for _ in 0..500 {
            let ready = hub.http.get(format!("http://127.0.0.1:{admin_port}/readyz")).send().await;
            if ready.is_ok_and(|answer| answer.status() == 200) {
                return Ok(hub);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err("the hub never became ready".into())
    }

    pub fn addr(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// `VmRSS` of the hub's process.
    pub fn resident_bytes(&self) -> Result<i64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        let kilobytes: i64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1024)
    }

    pub async fn report(&self, token: &str) -> Result<(), Failure> {
        let request = self.http.post(format!("http://{}/api/v1/logouts", self.addr())).bearer_auth(token);
        succeeded(request.header("origin", "https://app0.example")).await
    }

    pub async fn backchannel(&self, token: &str) -> Result<(), Failure> {
        let request = self.http.post(format!("http://{}/backchannel-logout", self.addr()));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        succeeded(request.body(format!("logout_token={token}"))).await
    }
}

async fn succeeded(request: reqwest::RequestBuilder) -> Result<(), Failure> {
    let answer = request.send().await?;
    if answer.status().is_success() {
        Ok(())
    } else {
        Err(format!("{}: {}", answer.status(), answer.text().await?).into())
    }
}

impl Drop for HubProcess {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn config(issuer: &str, port: u16, admin_port: u16) -> Result<String, Failure> {
    let mut text = format!(
        "[server]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"http://localhost:{port}\"\n\
         admin_listen = \"127.0.0.1:{admin_port}\"\n[store]\nurl = \"sqlite://hub.db\"\n\
         [[issuers]]\nissuer = \"{issuer}\"\n"
    );
    for app in 0..APPS {
        write!(
            text,
            "[[apps]]\nclient_id = \"app{app}\"\nname = \"App {app}\"\norigins = [\"https://app{app}.example\"]\n"
        )?;
    }
    Ok(text)
}
