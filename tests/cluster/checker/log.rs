//! The rules about the log, and about those who follow it.

use std::collections::BTreeMap;

use super::Violation;
use super::view::{Feed, Report, View};
use crate::history::{Answer, Logout, Whom};

pub(super) fn check(view: &View<'_>) -> Vec<Violation> {
    if view.finished.is_none() {
        return Vec::new();
    }
    let mut found = lost(view);
    found.extend(logged(view));
    found.extend(recorded_twice(view));
    found.extend(view.feeds.iter().flat_map(|(follower, feed)| followed(view, *follower, feed)));
    found
}

/// Every acknowledged report has its logout in the log.
fn lost(view: &View<'_>) -> Vec<Violation> {
    let is_there = |report: &Report<'_>| match report.answer {
        Some((_, Answer::Acknowledged { id: Some(id), .. })) => view.log.iter().any(|logout| logout.id == *id),
        _ => view.log.iter().any(|logout| answers_for(view, logout, report.whom)),
    };
    let lost = view.acknowledged().filter(|(report, _)| !is_there(report));
    lost.map(|(report, _)| {
        let id = match report.answer {
            Some((_, Answer::Acknowledged { id, .. })) => id.clone(),
            _ => None,
        };
        Violation::Lost { report: report.number, id }
    })
    .collect()
}

/// Whether a logout is what such a report asks for: the same, or of everything of the
/// person whose session it is.
fn answers_for(view: &View<'_>, logout: &Logout, whom: &Whom) -> bool {
    let of_owner = |sid: &String| match &logout.whom {
        Whom::Person(sub) => view.tabs.values().any(|tab| tab.sid == sid && tab.sub == sub),
        Whom::Session(_) => false,
    };
    logout.whom == *whom || matches!(whom, Whom::Session(sid) if of_owner(sid))
}

/// Every logout stands in the log once, and somebody has reported it.
fn logged(view: &View<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    for (nth, logout) in view.log.iter().enumerate() {
        let id = logout.id.clone();
        if view.log[..nth].iter().any(|before| before.id == id) {
            found.push(Violation::LoggedTwice { id });
            continue;
        }
        let is_refused = |report: &Report<'_>| matches!(report.answer, Some((_, Answer::Refused { .. })));
        if !view.reports.iter().any(|report| *report.whom == logout.whom && !is_refused(report)) {
            found.push(Violation::NobodyReported { id });
        }
    }
    found
}

/// Where a logout has ended every sign-in that a session, or a person, ever had, a later
/// report of the same is a repeat and no logout of its own.
fn recorded_twice(view: &View<'_>) -> Vec<Violation> {
    let newest = |whom: &Whom| {
        let of = |tab: &u32| view.tabs.get(tab).is_some_and(|tab| tab.is_meant(whom));
        match whom {
            Whom::Session(_) => {
                let tokens = view.subscribes.iter().filter(|asked| of(&asked.tab)).map(|asked| asked.iat);
                let shown = view.reports.iter().filter(|report| report.whom == whom).filter_map(|report| report.iat);
                tokens.chain(shown).max()
            }
            Whom::Person(_) => view.tabs.values().filter(|tab| tab.is_meant(whom)).map(|tab| tab.began).max(),
        }
    };
    let ends_all = |logout: &Logout| {
        let is_final = logout.source == "backchannel" && matches!(logout.whom, Whom::Session(_));
        is_final || newest(&logout.whom) <= Some(logout.until)
    };
    let mut found = Vec::new();
    for (nth, logout) in view.log.iter().enumerate() {
        let mut before = view.log[..nth].iter().filter(|before| before.whom == logout.whom && before.id != logout.id);
        if before.any(|before| ends_all(before)) {
            found.push(Violation::RecordedTwice { whom: logout.whom.clone(), id: logout.id.clone() });
        }
    }
    found
}

/// A follower gets every logout from where it began, once, in order, over all of its
/// connections, up to the end.
fn followed(view: &View<'_>, follower: u32, feed: &Feed<'_>) -> Vec<Violation> {
    let places: BTreeMap<&str, usize> =
        view.log.iter().enumerate().map(|(place, logout)| (logout.id.as_str(), place)).collect();
    let mut next = feed.is_from_the_beginning.then_some(0);
    let mut found = Vec::new();
    for (nth, id) in feed.fed.iter().enumerate() {
        let place = places.get(id).copied();
        if feed.fed[..nth].contains(id) {
            found.push(Violation::FedTwice { follower, id: (*id).to_owned() });
            continue;
        }
        let expected = next.or(place);
        if place.is_none() || place != expected {
            let came_next = expected.and_then(|place| view.log.get(place)).map_or("nothing", |logout| &logout.id);
            let instead_of = came_next.to_owned();
            found.push(Violation::Skipped { follower, id: (*id).to_owned(), instead_of });
        }
        next = place.or(expected).map(|place| place + 1);
    }
    let by = view.log.len() - next.unwrap_or(0).min(view.log.len());
    if by > 0 {
        found.push(Violation::Behind { follower, by });
    }
    found
}
