//! The rules about tabs, and about those who report.

use std::collections::BTreeMap;

use super::Violation;
use super::view::{Subscribe, Telling, View};
use crate::history::{Answer, End};

pub(super) fn check(view: &View<'_>) -> Vec<Violation> {
    let mut found = view.settled.map_or_else(Vec::new, |at| live_but_untold(view, at));
    found.extend(let_in_after_logout(view));
    found.extend(never_told(view));
    found.extend(never_back(view));
    found.extend(events(view));
    found.extend(told_once(view));
    found.extend(blamed(view));
    found
}

/// Whoever is connected, and whose logout was acknowledged, has been told by that moment.
pub(super) fn live_but_untold(view: &View<'_>, moment: usize) -> Vec<Violation> {
    let untold = |asked: &Subscribe| {
        let mut heard = view.acknowledged().filter(|(_, at)| *at < moment);
        let (report, _) = heard.find(|(report, _)| view.covers(report, asked.tab, asked.iat))?;
        Some(Violation::LiveButUntold { tab: asked.tab, connection: asked.connection, report: report.number })
    };
    view.live_at(moment).filter_map(untold).collect()
}

/// Whoever asks after a logout of theirs was acknowledged is not let in.
fn let_in_after_logout(view: &View<'_>) -> Vec<Violation> {
    let wrongly = |asked: &Subscribe| {
        asked.let_in?;
        let mut before = view.acknowledged().filter(|(_, at)| *at < asked.asked);
        let (report, _) = before.find(|(report, _)| view.covers(report, asked.tab, asked.iat))?;
        Some(Violation::LetInAfterLogout { tab: asked.tab, connection: asked.connection, report: report.number })
    };
    view.subscribes.iter().filter_map(wrongly).collect()
}

/// Every tab whose last sign-in an acknowledged logout ends has been told, by whichever way.
fn never_told(view: &View<'_>) -> Vec<Violation> {
    let mut last: BTreeMap<u32, &Subscribe> = BTreeMap::new();
    last.extend(view.subscribes.iter().map(|asked| (asked.tab, asked)));
    let untold = last.values().filter(|asked| !view.was_told(asked.tab)).filter_map(|asked| {
        let (report, _) = view.acknowledged().find(|(report, _)| view.covers(report, asked.tab, asked.iat))?;
        Some(Violation::NeverTold { tab: asked.tab, report: report.number })
    });
    untold.collect()
}

/// At the end every tab has been told that it is over, or is live.
fn never_back(view: &View<'_>) -> Vec<Violation> {
    let (Some(settled), Some(finished)) = (view.settled, view.finished) else { return Vec::new() };
    let is_live = |tab: u32| view.live_at(finished).any(|asked| asked.tab == tab);
    let was_let_in = |tab: u32| view.subscribes.iter().any(|asked| asked.tab == tab && asked.let_in > Some(settled));
    let lost = view.tabs.keys().filter(|tab| !view.was_told(**tab) && !is_live(**tab) && !was_let_in(**tab));
    lost.map(|tab| Violation::NeverBack { tab: *tab }).collect()
}

/// Every event is of a logout that is on record, that somebody had reported by then, and
/// that is the tab's own.
fn events(view: &View<'_>) -> Vec<Violation> {
    let wrong = |told: &Telling<'_>| {
        let (tab, connection, id) = (told.tab, told.connection, told.logout.id.clone());
        let is_recorded = view.log.contains(&told.logout);
        let is_reported = view.reports.iter().any(|report| report.sent < told.at && *report.whom == told.logout.whom);
        let is_own = view.tabs.get(&tab).is_some_and(|tab| tab.is_meant(&told.logout.whom));
        [
            (!is_own).then(|| Violation::OtherSession { tab, connection, id: id.clone() }),
            (view.finished.is_some() && !is_recorded).then(|| Violation::ToldOfNothing {
                tab,
                connection,
                id: id.clone(),
            }),
            (!is_reported).then_some(Violation::NobodyReported { id }),
        ]
    };
    view.tellings.iter().flat_map(wrong).flatten().collect()
}

/// One connection carries one event, and it is the last word.
fn told_once(view: &View<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    for (nth, told) in view.tellings.iter().enumerate() {
        let (tab, connection) = (told.tab, told.connection);
        if view.tellings[..nth].iter().any(|before| before.connection == connection) {
            found.push(Violation::ToldTwice { tab, connection, id: told.logout.id.clone() });
        }
        let mut own = view.subscribes.iter().filter(|asked| asked.connection == connection);
        if own.any(|asked| asked.let_in > Some(told.at)) {
            found.push(Violation::Revived { tab, connection });
        }
    }
    found
}

/// Nobody does anything wrong here: 4xx and "stay away" are the hub's own trouble, blamed
/// on its callers.
fn blamed(view: &View<'_>) -> Vec<Violation> {
    let refused = view.reports.iter().filter_map(|report| match report.answer {
        Some((_, Answer::Refused { status, code })) => {
            Some(Violation::Blamed { whom: format!("report {}", report.number), what: format!("{status} {code}") })
        }
        _ => None,
    });
    let closed = view.ends.iter().filter(|(_, (_, end))| is_blame(end)).map(|(connection, (_, end))| {
        Violation::Blamed { whom: format!("the tab of connection {connection}"), what: format!("{end:?}") }
    });
    let unfed = view.feed_ends.iter().filter(|(_, end, _)| is_blame(end)).map(|(follower, end, code)| {
        let what = format!("{end:?} {}", code.unwrap_or_default());
        Violation::Blamed { whom: format!("follower {follower}"), what }
    });
    refused.chain(closed).chain(unfed).collect()
}

/// 4510 is the close after an event, and no blame.
fn is_blame(end: &End) -> bool {
    matches!(end, End::Closed(4500..=4509 | 4511..=4999))
}
