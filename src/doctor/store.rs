//! The server that keeps the records: whether it can be used, and by one node more.

use super::Doctor;
use super::finding::{Chapter, Finding};
use crate::store::{ServerState, Store, StoreError};

/// The connections of one node: it writes with one, reads with eight, and one is for long work.
const ONE_NODE: i64 = 10;
/// The oldest version that its makers still mend.
const OLDEST: i64 = 14;

/// `None` where the records are in a file: the hub makes that itself.
pub(super) async fn examine(doctor: &Doctor<'_>) -> Option<Chapter> {
    let url = &doctor.config.store.url;
    if url.file().is_some() {
        return None;
    }
    let findings = match Store::look_at_server(url.reveal()).await {
        Ok(state) => findings(&state),
        Err(cause) => vec![Finding::wrong("it cannot be used", cause.to_string(), remedy(cause))],
    };
    Some(Chapter { title: url.to_string(), findings })
}

fn findings(state: &ServerState) -> Vec<Finding> {
    let mut findings = vec![Finding::fine("it answers, and is the primary")];
    if state.version < OLDEST {
        let why = format!("it is version {}; security fixes end with its successors", state.version);
        findings.push(Finding::careful("it is old", why, format!("upgrade to {OLDEST} or newer")));
    }
    if !state.may_make_tables {
        findings.push(Finding::wrong(
            "the hub may make no tables there",
            "there is no schema in its search_path in which it may create",
            "create schema slo_hub authorization <user>, and ?options=-csearch_path%3Dslo_hub in store.url",
        ));
    }
    findings.push(if state.connections_left < ONE_NODE {
        Finding::careful(
            format!("{} connections are left", state.connections_left),
            format!("a node uses up to {ONE_NODE}; one that gets none answers 503"),
            "raise max_connections: so many for each node, and some for yourself",
        )
    } else {
        Finding::fine(format!("{} connections are left; a node uses up to {ONE_NODE}", state.connections_left))
    });
    findings
}

fn remedy(cause: StoreError) -> &'static str {
    match cause {
        StoreError::Unreachable => "start it; check the host and the port in store.url, and the way there",
        StoreError::Refused => {
            "check the user, the password and the database in store.url, and the server's pg_hba.conf"
        }
        StoreError::NoTrust => "check sslmode and sslrootcert in store.url against the server's certificate",
        StoreError::ReadOnly => "name the primary in store.url: a standby cannot take logouts",
        StoreError::Crowded => "raise max_connections",
        _ => "see the server's log",
    }
}
