//! What a fuzzer may throw at the configuration, and what must hold of what it is told.

use std::path::Path;

use toml::{Table, Value};

use super::{Config, ConfigFaults};

/// Laid over every configuration; nothing that is said may hold it.
const TOKEN: &str = "hunter2-of-the-environment";
/// Stands for a secret in the file.
const IN_FILE: &str = "hunter2-of-the-file";

/// A configuration file. It is taken, or each fault is one line that names a key or a place
/// in the file, and shows no secret.
pub(crate) fn configuration(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    // A fuzzer that guides itself by comparisons learns it, and puts it into names.
    if text.contains(TOKEN) {
        return;
    }
    let table = text.parse::<Table>();
    // Files of this machine are not to be read.
    if table.as_ref().is_ok_and(|table| table.iter().any(|(name, value)| names_a_file(name, value))) {
        return;
    }
    let env = [("SLO_HUB__SERVER__ADMIN_TOKEN".to_owned(), TOKEN.to_owned())];
    match Config::parse(text, env.into_iter(), Path::new("/nowhere")) {
        Ok(config) => {
            let shown = format!("{config:?}");
            assert!(!shown.contains(TOKEN), "a secret is shown");
            let directory = config.directory();
            for app in directory.apps() {
                assert!(directory.issuer(app.issuer.as_str()).is_some(), "an app of nobody's");
                assert!(app.origins.iter().all(|origin| directory.knows_origin(origin.as_str())));
            }
            assert!(config.server.public_url.as_str().starts_with("http"));
        }
        Err(faults) => {
            // Where it stands once, and that is where a secret goes.
            let holds_secret = text.matches(IN_FILE).count() == 1 && table.as_ref().is_ok_and(has_secret);
            says_where(&faults, table.is_ok(), if holds_secret { &[TOKEN, IN_FILE] } else { &[TOKEN] });
        }
    }
}

fn says_where(faults: &ConfigFaults, is_toml: bool, secrets: &[&str]) {
    assert!(!faults.lines().is_empty(), "it is refused without a word");
    for line in faults.lines() {
        assert!(!line.contains(char::is_control), "a fault is one line of text: {line:?}");
        let place = line.strip_prefix("not TOML: line ").and_then(|rest| rest.split_once(", column "));
        let is_place = place.is_some_and(|(line, rest)| {
            let column = rest.split(':').next().unwrap_or_default();
            [line, column].iter().all(|number| number.parse::<u32>().is_ok_and(|number| number > 0))
        });
        let key = line.split_once(": ").map(|(key, _)| key);
        assert!(if is_toml { key.is_some_and(|key| !key.is_empty()) } else { is_place }, "it says nowhere: {line}");
        assert!(!secrets.iter().any(|secret| line.contains(secret)), "a secret is said");
    }
}

fn names_a_file(name: &str, value: &Value) -> bool {
    name.ends_with("_file")
        || match value {
            Value::Table(table) => table.iter().any(|(name, value)| names_a_file(name, value)),
            Value::Array(items) => items.iter().any(|item| names_a_file("", item)),
            _ => false,
        }
}

/// Whether the file's secret stands where secrets go.
fn has_secret(table: &Table) -> bool {
    table.iter().any(|(name, value)| match value {
        Value::String(text) => is_secret(name) && text.contains(IN_FILE),
        Value::Table(inner) => has_secret(inner),
        Value::Array(items) => items.iter().any(|item| item.as_table().is_some_and(has_secret)),
        _ => false,
    })
}

fn is_secret(name: &str) -> bool {
    ["secret", "client_secret", "admin_token"].contains(&name)
}
