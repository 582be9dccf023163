//! What is left when a run is over: receipts, the audit trail, the log.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::cluster::{DESK, NOTES};
use crate::crowd::PERSON;
use crate::world::World;

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// What the receipt of each logout says of the tabs' app; none where there is no receipt.
    pub receipts: BTreeMap<String, Option<Receipt>>,
    pub trail: Trail,
    /// Lines of the log that must not be there, each with why.
    pub log: Vec<String>,
}

/// What a receipt says of one app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    pub attempts: u64,
    pub is_acknowledged: bool,
}

/// The audit trail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail {
    /// What `slo-hub audit verify` complains about.
    pub complaint: Option<String>,
    /// The logouts that it says were recorded, in order.
    pub recorded: Vec<String>,
}

/// Asks for the receipts of these logouts.
pub async fn receipts(world: &World, ids: &[String]) -> BTreeMap<String, Option<Receipt>> {
    let mut receipts = BTreeMap::new();
    for id in ids {
        let asked = world.cluster.http.get(format!("http://{}/api/v1/logouts/{id}", world.cluster.door(0)));
        let text = match asked.basic_auth(DESK.0, Some(DESK.1)).send().await {
            Ok(answer) if answer.status() == 200 => answer.text().await.unwrap_or_default(),
            Ok(_) | Err(_) => String::new(),
        };
        receipts.insert(id.clone(), serde_json::from_str(&text).ok().map(|receipt: Value| of_tabs(&receipt)));
    }
    receipts
}

fn of_tabs(receipt: &Value) -> Receipt {
    let rows = receipt["deliveries"].as_array().into_iter().flatten();
    let mut all = Receipt::default();
    for row in rows.filter(|row| row["client_id"] == NOTES.0) {
        all.attempts += row["attempts"].as_u64().unwrap_or_default();
        all.is_acknowledged |= row["status"] == "acknowledged";
    }
    all
}

/// Reads the trail, as its operator does.
pub fn trail(config: &Path) -> Trail {
    let audit = |word: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_slo-hub"));
        command.args(["audit", word, "--config"]).arg(config).stdin(Stdio::null()).output().unwrap()
    };
    let (verified, exported) = (audit("verify"), audit("export"));
    let is_whole = verified.status.success() && exported.status.success();
    let complaint = [verified.stderr, exported.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    let rows = String::from_utf8_lossy(&exported.stdout).into_owned();
    let rows = rows.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let recorded = rows.filter(|row| row["kind"] == "logout_recorded");
    let recorded = recorded.map(|row| row["body"]["logout"].as_str().unwrap_or("nameless").to_owned()).collect();
    Trail { complaint: (!is_whole).then_some(complaint), recorded }
}

/// The lines of a log that must not be there: a panic, a token, somebody's name or session.
pub fn unfit(log: &str, issuer: &str) -> Vec<String> {
    let sid = issuer.trim_end_matches('/').rsplit(':').next().map(|port| format!("sid-{port}-")).unwrap();
    let bad = [("panicked", "a panic"), ("eyJ", "a token"), (PERSON, "a sub"), (&sid, "a sid"), (DESK.1, "a secret")];
    let of_line = |line: &str| {
        let (_, what) = bad.iter().find(|(text, _)| line.contains(text))?;
        // What it says is shown only where it is no secret.
        let shown = if *what == "a panic" { line } else { line.split("\"message\"").next().unwrap_or_default() };
        Some(format!("{what} in the log: {shown}"))
    };
    log.lines().filter_map(of_line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_names_somebody_or_panicked_is_found_and_one_that_does_not_is_not() {
        let issuer = "http://127.0.0.1:4711/";
        let good = "{\"message\":\"logout recorded\",\"via\":\"sid\"}\n{\"message\":\"closed\",\"code\":4510}";
        assert_eq!(unfit(good, issuer), Vec::<String>::new());
        for bad in ["thread 'x' panicked at", "token eyJhbGciOi", "sub-7c41f0-12", "sid-4711-3", DESK.1] {
            assert_eq!(unfit(&format!("{good}\n{bad}"), issuer).len(), 1, "{bad}");
        }
    }
}
