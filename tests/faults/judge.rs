//! Whether a run has kept every promise: the history's own checker, and what the receipts, the
//! trail, the log and the answers during each fault say. Pure functions.

use std::collections::{BTreeMap, BTreeSet};

use crate::checker;
use crate::evidence::{Evidence, Receipt, Trail};
use crate::history::{Entry, Event};
use crate::table::FAULTS;
use crate::tally::{Call, spells};

/// For how long after a fault what is told may be missing in a receipt, in microseconds.
const TROUBLE_LINGERS: u64 = 3_000_000;

/// Every promise that was broken, in words.
pub fn judge(entries: &[Entry], evidence: &Evidence) -> Vec<String> {
    let mut found: Vec<String> = checker::check(entries).iter().map(ToString::to_string).collect();
    found.extend(receipts(entries, &evidence.receipts));
    found.extend(trail(entries, &evidence.trail));
    found.extend(evidence.log.iter().cloned());
    found.extend(answers(entries));
    found
}

/// A receipt says that an app has confirmed only if somebody there was told; and who was told
/// while nothing was broken stands in it.
pub fn receipts(entries: &[Entry], receipts: &BTreeMap<String, Option<Receipt>>) -> Vec<String> {
    let (all, calm) = told(entries);
    let mut found = Vec::new();
    for (id, receipt) in receipts {
        match receipt {
            None => found.push(format!("logout {id} has no receipt")),
            Some(receipt) if receipt.is_acknowledged && !all.contains(id.as_str()) => {
                found.push(format!("the receipt of {id} says that it was confirmed, and nobody had been told"));
            }
            Some(receipt) if receipt.attempts == 0 && calm.contains(id.as_str()) => {
                found.push(format!("the receipt of {id} says that nobody was told, and somebody was"));
            }
            Some(_) => {}
        }
    }
    found
}

/// The logouts that tabs were told of, and those of them that were told while nothing was
/// broken, nor had been for a while.
fn told(entries: &[Entry]) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let (mut all, mut calm) = (BTreeSet::new(), BTreeSet::new());
    let (mut broken, mut calm_from) = (0, 0);
    for entry in entries {
        match &entry.event {
            Event::Broken { .. } => broken += 1,
            Event::Mended { .. } => (broken, calm_from) = (broken - 1, entry.at + TROUBLE_LINGERS),
            Event::Told { logout, .. } => {
                all.insert(logout.id.as_str());
                if broken == 0 && entry.at >= calm_from {
                    calm.insert(logout.id.as_str());
                }
            }
            _ => {}
        }
    }
    (all, calm)
}

/// The trail is whole, and has every logout of the log, in its order, and no other.
fn trail(entries: &[Entry], trail: &Trail) -> Vec<String> {
    let mut found: Vec<String> =
        trail.complaint.iter().map(|complaint| format!("the trail does not verify: {complaint}")).collect();
    let logged: Vec<&str> = entries.iter().filter_map(logged).collect();
    if logged != trail.recorded {
        let places = logged.iter().zip(&trail.recorded).take_while(|(one, other)| **one == other.as_str());
        let (of_log, of_trail, at) = (logged.len(), trail.recorded.len(), places.count());
        found.push(format!("the log has {of_log} logouts, the trail {of_trail}; they differ from place {at} on"));
    }
    found
}

/// The name of the logout, where the entry is one of the log's.
pub fn logged(entry: &Entry) -> Option<&str> {
    match &entry.event {
        Event::Logged { logout } => Some(&logout.id),
        _ => None,
    }
}

/// While a fault lasts, callers see what the table says, and nothing worse.
fn answers(entries: &[Entry]) -> Vec<String> {
    let mut found = Vec::new();
    for spell in spells(entries) {
        let Some(fault) = FAULTS.iter().find(|fault| fault.name == spell.fault) else { continue };
        let is_wrong = |call: &&Call| match call {
            Call::Heard => false,
            Call::Seen(seen) => !fault.seen.contains(seen),
            Call::Refused => true,
        };
        let wrong = spell.calls.iter().filter(is_wrong).count();
        if let Some(first) = spell.calls.iter().find(is_wrong) {
            found.push(format!("during {:?} callers saw {first:?}, {wrong} times", fault.name));
        }
    }
    found
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
