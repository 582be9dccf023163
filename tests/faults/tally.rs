//! What callers saw of each fault, and the table at the end.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::history::{Answer, Entry, Event};
use crate::strikes::Outcome;
use crate::table::{FAULTS, Seen};

/// What a caller saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// It was acknowledged.
    Heard,
    /// It is to try again.
    Seen(Seen),
    /// It was called wrong.
    Refused,
}

/// The time that a fault took, and the answers to what was sent and answered within it.
#[derive(Debug, PartialEq, Eq)]
pub struct Spell<'a> {
    pub fault: &'a str,
    pub calls: Vec<Call>,
}

/// Every fault of a history.
pub fn spells(entries: &[Entry]) -> Vec<Spell<'_>> {
    let (mut spells, mut open) = (Vec::new(), None);
    let mut sent = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        match &entry.event {
            Event::Broken { what } => open = Some((at, Spell { fault: what, calls: Vec::new() })),
            Event::Mended { .. } => spells.extend(open.take().map(|(_, spell)| spell)),
            Event::Reporting { report, .. } => {
                sent.insert(*report, at);
            }
            Event::Reported { report, answer } => {
                if let Some((begun, spell)) = &mut open
                    && sent.get(report) > Some(begun)
                {
                    spell.calls.push(call(answer));
                }
            }
            _ => {}
        }
    }
    spells
}

fn call(answer: &Answer) -> Call {
    match answer {
        Answer::Acknowledged { .. } => Call::Heard,
        Answer::Refused { .. } => Call::Refused,
        Answer::Unknown { why } if why == "status 503" => Call::Seen(Seen::Unavailable),
        // No other status is one that a hub in trouble answers with.
        Answer::Unknown { why } if why.starts_with("status") => Call::Refused,
        Answer::Unknown { .. } => Call::Seen(Seen::Cut),
    }
}

/// The table: fault, how often, what callers saw, whether it was survived.
pub fn table(entries: &[Entry], outcomes: &[(&'static str, Outcome)]) -> String {
    let spells = spells(entries);
    let mut text = format!("{:<24} {:>5}  {:<38} {}\n", "fault", "times", "callers saw", "survived");
    for fault in FAULTS {
        let of_it: Vec<&Outcome> =
            outcomes.iter().filter(|(name, _)| *name == fault.name).map(|(_, outcome)| outcome).collect();
        if of_it.is_empty() {
            continue;
        }
        let calls: Vec<Call> =
            spells.iter().filter(|spell| spell.fault == fault.name).flat_map(|spell| spell.calls.clone()).collect();
        let times = of_it.iter().filter(|outcome| !matches!(outcome, Outcome::LeftOut(_))).count();
        let _ = writeln!(text, "{:<24} {times:>5}  {:<38} {}", fault.name, seen(&calls), verdict(&of_it));
    }
    text
}

fn seen(calls: &[Call]) -> String {
    let names = [
        (Call::Heard, "acknowledged"),
        (Call::Seen(Seen::Unavailable), "503"),
        (Call::Seen(Seen::Cut), "cut off"),
        (Call::Refused, "REFUSED"),
    ];
    let counts = names.map(|(call, name)| (calls.iter().filter(|one| **one == call).count(), name));
    let words: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}")).collect();
    words.join(", ")
}

fn verdict(outcomes: &[&Outcome]) -> String {
    let broke = outcomes.iter().find_map(|outcome| match outcome {
        Outcome::Broke(why) => Some(format!("NO: {why}")),
        _ => None,
    });
    let last = outcomes.last().map(|outcome| match outcome {
        Outcome::Survived(detail) if detail.is_empty() => "yes".to_owned(),
        Outcome::Survived(detail) => format!("yes ({detail})"),
        Outcome::LeftOut(why) => format!("left out: {why}"),
        Outcome::Broke(why) => format!("NO: {why}"),
    });
    broke.or(last).unwrap_or_default()
}

/// What was acknowledged, and what was told.
pub fn sum(entries: &[Entry]) -> String {
    let count = |is: fn(&Event) -> bool| entries.iter().filter(|entry| is(&entry.event)).count();
    let heard = count(|event| matches!(event, Event::Reported { answer: Answer::Acknowledged { .. }, .. }));
    let told = count(|event| matches!(event, Event::Told { .. }));
    let fed = count(|event| matches!(event, Event::Fed { .. }));
    let logged = count(|event| matches!(event, Event::Logged { .. }));
    format!("{heard} reports acknowledged as {logged} logouts, told {told} times to tabs and {fed} times to back ends")
}
