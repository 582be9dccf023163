//! What systemd hears of a hub that is a service of `Type=notify`.

use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::task::spawn_blocking;

use crate::process::{config, free_port};
use crate::support::issuer::TestIssuer;

#[tokio::test]
async fn systemd_hears_that_the_hub_is_ready_once_it_listens_and_that_it_stops() {
    let (issuer, folder) = (TestIssuer::start().await, TempDir::new().unwrap());
    let (port, path) = (free_port(), folder.path().join("slo-hub.toml"));
    std::fs::write(&path, config(issuer.url(), port, free_port())).unwrap();
    let socket = folder.path().join("notify");
    let systemd = UnixDatagram::bind(&socket).unwrap();
    systemd.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_slo-hub"));
    command.args(["serve", "--config"]).arg(&path).env("NOTIFY_SOCKET", &socket).stderr(Stdio::null());
    let heard = spawn_blocking(move || {
        let mut hub = command.spawn().unwrap();
        let hear = || {
            let mut text = [0; 64];
            let length = systemd.recv(&mut text)?;
            std::io::Result::Ok(String::from_utf8_lossy(&text[..length]).into_owned())
        };
        let ready = hear();
        let is_open = std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
        Command::new("kill").arg(hub.id().to_string()).status().unwrap();
        let stopping = hear();
        hub.kill().ok();
        let ended = hub.wait().unwrap();
        (ready.unwrap(), is_open, stopping.unwrap(), ended)
    });
    let (ready, is_open, stopping, _) = heard.await.unwrap();
    assert_eq!((ready.as_str(), is_open, stopping.as_str()), ("READY=1", true, "STOPPING=1"));
}
