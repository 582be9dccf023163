use super::*;
use crate::history::{Answer, Logout, Way, Whom};
use crate::table::Seen;

const LONG: u64 = 10_000_000;

fn logout(id: &str) -> Logout {
    Logout { id: id.to_owned(), whom: Whom::Session("s".to_owned()), source: "app".to_owned(), until: 1 }
}

fn history(events: Vec<Event>) -> Vec<Entry> {
    (0..).zip(events).map(|(at, event)| Entry { at: at * LONG, event }).collect()
}

fn told(id: &str) -> Event {
    Event::Told { tab: 1, connection: 1, logout: logout(id) }
}

fn says(id: &str, attempts: u64, is_acknowledged: bool) -> BTreeMap<String, Option<Receipt>> {
    BTreeMap::from([(id.to_owned(), Some(Receipt { attempts, is_acknowledged }))])
}

#[test]
fn a_receipt_that_confirms_what_nobody_heard_is_found() {
    assert_eq!(receipts(&history(vec![told("a")]), &says("a", 1, true)), Vec::<String>::new());
    assert_eq!(receipts(&history(vec![told("b")]), &says("a", 1, true)).len(), 1);
}

#[test]
fn a_receipt_that_misses_who_was_told_is_found_where_nothing_was_broken() {
    let (broken, mended) = (Event::Broken { what: "x".to_owned() }, Event::Mended { what: "x".to_owned() });
    let calm = history(vec![told("a")]);
    let trouble = history(vec![broken.clone(), told("a"), mended.clone()]);
    let after = history(vec![broken, mended, told("a")]);
    assert_eq!([&calm, &trouble, &after].map(|history| receipts(history, &says("a", 0, false)).len()), [1, 0, 1]);
    assert_eq!(receipts(&calm, &BTreeMap::from([("a".to_owned(), None)])).len(), 1, "there is none");
}

#[test]
fn a_trail_that_misses_a_logout_or_has_one_more_or_another_order_is_found() {
    let log = history(vec![Event::Logged { logout: logout("a") }, Event::Logged { logout: logout("b") }]);
    let of =
        |recorded: &[&str]| Trail { complaint: None, recorded: recorded.iter().map(|&id| id.to_owned()).collect() };
    assert_eq!(trail(&log, &of(&["a", "b"])), Vec::<String>::new());
    for wrong in [&["a"][..], &["b", "a"], &["a", "b", "c"], &[]] {
        assert_eq!(trail(&log, &of(wrong)).len(), 1, "{wrong:?}");
    }
    let complaint = Trail { complaint: Some("place 2 was changed".to_owned()), ..of(&["a", "b"]) };
    assert_eq!(trail(&log, &complaint).len(), 1);
}

/// What a fault makes of one answer.
fn found(fault: &str, answer: Answer) -> usize {
    let whom = Whom::Session("s".to_owned());
    let what = fault.to_owned();
    answers(&history(vec![
        Event::Broken { what: what.clone() },
        Event::Reporting { report: 1, whom, way: Way::App, iat: None },
        Event::Reported { report: 1, answer },
        Event::Mended { what },
    ]))
    .len()
}

#[test]
fn callers_may_see_what_the_table_says_and_nothing_worse() {
    let unknown = |why: &str| Answer::Unknown { why: why.to_owned() };
    let refused = Answer::Refused { status: 400, code: "bad_signature".to_owned() };
    for (fault, answer, broken) in [
        ("locked database", Answer::Acknowledged { id: None, until: 1 }, 0),
        ("locked database", unknown("status 503"), 0),
        ("locked database", unknown("broken"), 1),
        ("locked database", unknown("status 500"), 1),
        ("locked database", refused, 1),
        ("kill -9", unknown("no answer"), 0),
        ("slowloris", unknown("status 503"), 1),
    ] {
        assert_eq!(found(fault, answer.clone()), broken, "{fault}: {answer:?}");
    }
}

#[test]
fn what_was_sent_before_a_fault_is_not_laid_to_its_charge() {
    let whom = Whom::Session("s".to_owned());
    let reported = Event::Reported { report: 1, answer: Answer::Unknown { why: "broken".to_owned() } };
    let entries = history(vec![
        Event::Reporting { report: 1, whom, way: Way::App, iat: None },
        Event::Broken { what: "slowloris".to_owned() },
        reported,
        Event::Mended { what: "slowloris".to_owned() },
    ]);
    assert_eq!(spells(&entries).len(), 1);
    assert_eq!(answers(&entries), Vec::<String>::new());
}

#[test]
fn every_fault_has_a_name_of_its_own_and_whoever_attacks_harms_nobody() {
    let names: BTreeSet<&str> = FAULTS.iter().map(|fault| fault.name).collect();
    assert_eq!(names.len(), FAULTS.len());
    for fault in FAULTS.iter().filter(|fault| matches!(fault.strike, crate::table::Strike::Harm(_))) {
        assert_eq!(fault.seen, &[] as &[Seen], "{}", fault.name);
    }
}
