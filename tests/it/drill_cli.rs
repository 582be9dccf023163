//! `slo-hub drill`: from the command line, through the hub that runs.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use futures_util::future::join;
use tempfile::TempDir;

use crate::admin::{TOKEN, governed};
use crate::hub::{NOTES, TestHub};
use crate::process::{HubProcess, config, free_port};
use crate::stories::id_token;
use crate::support::issuer::TestIssuer;
use crate::tab::Tab;

/// Runs the command with that on its standard input.
async fn drill(folder: &Path, words: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slo-hub"));
    command.args(["drill", "--config"]).arg(folder.join("slo-hub.toml")).args(words);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap()
}

/// A hub with an administrator, and the configuration by which the command finds it.
async fn office() -> (TestHub, TempDir) {
    let (hub, folder) = (governed().await, TempDir::new().unwrap());
    looks_at(hub.running.admin_addr.port(), &hub, folder.path());
    (hub, folder)
}

/// From now on the command looks for the hub at that port.
fn looks_at(admin_port: u16, hub: &TestHub, folder: &Path) {
    let text = config(hub.issuer.url(), free_port(), admin_port);
    let text = text.replace("[store]", &format!("admin_token = \"{TOKEN}\"\n[store]"));
    std::fs::write(folder.join("slo-hub.toml"), text).unwrap();
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test]
async fn a_table_says_who_acknowledged_and_how_fast_and_names_no_session() {
    let (hub, folder) = office().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let (mut tab, _) = Tab::live(&hub, NOTES, &token).await;
    let answers = async {
        let frame = tab.frame().await;
        hub.advance(std::time::Duration::from_millis(7));
        tab.ack(&frame).await;
        tab.heard_nothing(&token).await;
    };
    let words = ["--issuer", hub.issuer.url(), "--sid", "-"];
    let (output, ()) = join(drill(folder.path(), &words, &ada.sid), answers).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(said(&output), "Notes  acknowledged      7 ms\n1 of 1 open app acknowledged. Nobody was signed out.\n");
}

#[tokio::test]
async fn it_fails_where_an_app_was_silent_or_none_was_open() {
    let (hub, folder) = office().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut tab, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let hangs_up = async {
        tab.frame().await;
        tab.leave().await;
    };
    let words = ["--issuer", hub.issuer.url(), "--sub", "ada"];
    let (output, ()) = join(drill(folder.path(), &words, ""), hangs_up).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(said(&output).starts_with("Notes  silent\n0 of 1 open app acknowledged."), "{output:?}");
    assert!(!said(&output).contains("ada"), "{output:?}");

    for nobody in [["--sid", "nobody"], ["--sid", "-sid"], ["--sub", "-sub"]] {
        let output = drill(folder.path(), &[&["--issuer", hub.issuer.url()], &nobody[..]].concat(), "").await;
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(said(&output).contains("nothing was rehearsed"), "{output:?}");
    }
}

#[tokio::test]
async fn a_command_line_that_makes_no_sense_and_a_hub_that_is_down_are_named() {
    let (hub, folder) = office().await;
    let both = drill(folder.path(), &["--sid", "s", "--sub", "ada"], "").await;
    assert_eq!(both.status.code(), Some(2), "{both:?}");
    assert_eq!(drill(folder.path(), &[], "").await.status.code(), Some(2));
    let unknown = drill(folder.path(), &["--sid", "s", "--issuer", "https://other.example/"], "").await;
    assert_eq!(unknown.status.code(), Some(1), "{unknown:?}");
    assert!(said(&unknown).contains("issuer must be one of"), "{unknown:?}");
    let empty = drill(folder.path(), &["--sid", "-"], "\n").await;
    assert!(said(&empty).contains("standard input holds no line"), "{empty:?}");
    looks_at(free_port(), &hub, folder.path());
    let down = drill(folder.path(), &["--sid", "s"], "").await;
    assert_eq!(down.status.code(), Some(1), "{down:?}");
    assert!(said(&down).contains("no hub answers on 127.0.0.1:"), "{down:?}");
}

#[tokio::test]
async fn the_log_tells_of_a_drill_and_names_nobody() {
    let (issuer, folder) = (TestIssuer::start().await, TempDir::new().unwrap());
    let mut hub = HubProcess::start_with_admin_token(&issuer, folder.path(), TOKEN).await;
    let ada = issuer.sign_in("ada");
    for words in [["--sid", &ada.sid], ["--sub", "ada"]] {
        let output = drill(folder.path(), &words, "").await;
        assert!(said(&output).contains("nothing was rehearsed"), "{output:?}");
    }
    hub.terminate().await;
    let log = std::fs::read_to_string(folder.path().join("hub.log")).unwrap();
    assert_eq!(log.matches("an administrator rehearsed a logout").count(), 2, "{log}");
    for secret in [TOKEN, "\"ada\"", "=ada", &ada.sid] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}
