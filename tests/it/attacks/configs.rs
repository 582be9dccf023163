//! Configurations that are refused: by `slo-hub check`, which names what is wrong, and by
//! `slo-hub serve`, which does not start.

use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use super::corpus::{ConfigChange, Group, Row};

/// A secret in every file, which no line may show.
const SECRET: &str = "desk-secret-0123456789";

/// Plays the group: `check` on each row's file, and `serve` on those that it refuses.
pub async fn run(group: Group) {
    let mut said = Vec::new();
    for row in group.controls.iter().chain(&group.rows).chain(&group.controls) {
        said.extend(fault(row).await.map(|fault| format!("{}/{}: {fault}", group.name, row.id)));
    }
    assert!(said.is_empty(), "\n{}", said.join("\n"));
}

async fn fault(row: &Row) -> Option<String> {
    let folder = TempDir::new().unwrap();
    let change = row.config.as_ref().unwrap();
    std::fs::write(folder.path().join("slo-hub.toml"), text(change)).unwrap();
    let checked = command(&folder, "check", change).await;
    let lines = [checked.stdout.as_slice(), &checked.stderr].map(String::from_utf8_lossy).concat();
    if lines.contains(SECRET) {
        return Some("a secret is shown".to_owned());
    }
    let Some(wanted) = &row.expect.fault else {
        return (!checked.status.success()).then(|| format!("expected to be taken: {lines}"));
    };
    if checked.status.code() != Some(1) || !lines.lines().any(|line| line.trim_start().starts_with(wanted)) {
        return Some(format!("expected {wanted:?}, got {:?}: {lines}", checked.status.code()));
    }
    let served = command(&folder, "serve", change).await;
    let lines = [served.stdout.as_slice(), &served.stderr].map(String::from_utf8_lossy).concat();
    if served.status.success() || served.status.code().is_none() {
        return Some("serve did not refuse it".to_owned());
    }
    if lines.contains(SECRET) {
        return Some("serve shows a secret".to_owned());
    }
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    (files != 1).then(|| "something was written before it was refused".to_owned())
}

async fn command(folder: &TempDir, name: &str, change: &ConfigChange) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slo-hub"));
    command.args([name, "--config", "slo-hub.toml"]).current_dir(folder.path()).envs(&change.env);
    command.kill_on_drop(true).stdin(Stdio::null());
    tokio::time::timeout(Duration::from_secs(20), command.output()).await.expect("it ends").unwrap()
}

/// The row's file: a valid one with the row's change.
fn text(change: &ConfigChange) -> String {
    if let Some(text) = &change.text {
        return text.clone();
    }
    let mut config = json!({
        "server": {"listen": "127.0.0.1:0", "admin_listen": "127.0.0.1:0", "public_url": "https://logout.example"},
        "issuers": [{"issuer": "https://acme.example/"}],
        "apps": [
            {"client_id": "notes", "name": "Notes", "origins": ["https://notes.example"]},
            {"client_id": "desk", "allow_no_origin": true, "secret": SECRET},
        ],
    });
    lay_over(&mut config, change.with.as_ref().unwrap_or(&Value::Null));
    toml::to_string(&config).unwrap()
}

/// Objects member by member, lists item by item; `null` within takes a member away.
fn lay_over(under: &mut Value, over: &Value) {
    match (under, over) {
        (_, Value::Null) => {}
        (Value::Object(under), Value::Object(over)) => {
            for (name, value) in over {
                if value.is_null() {
                    under.remove(name);
                } else if let Some(own) = under.get_mut(name) {
                    lay_over(own, value);
                } else {
                    under.insert(name.clone(), value.clone());
                }
            }
        }
        (Value::Array(under), Value::Array(over)) if over.iter().any(Value::is_object) => {
            for (index, value) in over.iter().enumerate() {
                match under.get_mut(index) {
                    Some(own) => lay_over(own, value),
                    None => under.push(value.clone()),
                }
            }
        }
        (under, over) => under.clone_from(over),
    }
}
