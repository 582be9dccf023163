//! The checker is only worth what it finds: a history that keeps every promise, and one
//! that breaks each.

use super::{Violation, check, untold};
use crate::history::{Answer, End, Entry, Event, Logout, Way, Whom};

const LAPTOP: &str = "laptop";
const ADA: &str = "ada";

fn session() -> Whom {
    Whom::Session(LAPTOP.to_owned())
}

fn logout(id: &str, whom: Whom) -> Logout {
    Logout { id: id.to_owned(), whom, source: "app".to_owned(), until: 100 }
}

fn opened(tab: u32, sid: &str, sub: &str) -> Event {
    Event::Opened { tab, sid: sid.to_owned(), sub: sub.to_owned(), began: 50 }
}

fn subscribing(tab: u32, connection: u32) -> Event {
    Event::Subscribing { tab, connection, iat: 50, by: "token".to_owned() }
}

fn subscribed(tab: u32, connection: u32) -> Event {
    Event::Subscribed { tab, connection }
}

fn told(tab: u32, connection: u32, id: &str) -> Event {
    Event::Told { tab, connection, logout: logout(id, session()) }
}

fn gone(tab: u32, connection: u32, end: End) -> Event {
    Event::Gone { tab, connection, end, code: None }
}

fn reporting(report: u32, whom: Whom) -> Event {
    Event::Reporting { report, whom, way: Way::App, iat: None }
}

fn acknowledged(report: u32, id: &str) -> Event {
    Event::Reported { report, answer: Answer::Acknowledged { id: Some(id.to_owned()), until: 100 } }
}

fn following(follower: u32, after: &str) -> Event {
    Event::Following { follower, after: Some(after.to_owned()) }
}

fn fed(follower: u32, id: &str) -> Event {
    Event::Fed { follower, logout: logout(id, session()) }
}

fn logged(id: &str, whom: Whom) -> Event {
    Event::Logged { logout: logout(id, whom) }
}

/// Ada's laptop has two tabs; one is told by a push, the other as it comes back. Her phone
/// lives on. A follower is cut off between two logouts.
fn kept() -> Vec<Event> {
    vec![
        opened(1, LAPTOP, ADA),
        opened(2, LAPTOP, ADA),
        opened(3, "phone", ADA),
        following(9, ""),
        subscribing(1, 10),
        subscribed(1, 10),
        subscribing(2, 20),
        subscribed(2, 20),
        subscribing(3, 30),
        subscribed(3, 30),
        gone(2, 20, End::Left),
        reporting(5, session()),
        Event::Reported { report: 5, answer: Answer::Unknown { why: "no answer".to_owned() } },
        reporting(6, session()),
        told(1, 10, "A"),
        acknowledged(6, "A"),
        gone(1, 10, End::Closed(4510)),
        fed(9, "A"),
        Event::Unfed { follower: 9, end: End::Broken, code: None },
        Event::Healed,
        Event::Settled,
        subscribing(2, 21),
        told(2, 21, "A"),
        gone(2, 21, End::Closed(4510)),
        reporting(7, Whom::Session("the-end".to_owned())),
        acknowledged(7, "B"),
        following(9, "A"),
        fed(9, "B"),
        logged("A", session()),
        logged("B", Whom::Session("the-end".to_owned())),
        Event::Finished,
    ]
}

fn entries(events: Vec<Event>) -> Vec<Entry> {
    events.into_iter().zip(0..).map(|(event, at)| Entry { at, event }).collect()
}

fn verdict(events: Vec<Event>) -> Vec<Violation> {
    check(&entries(events))
}

/// The history with one event put in the place of another.
fn with(instead_of: &Event, events: &[Event]) -> Vec<Violation> {
    let mut history = kept();
    let place = history.iter().position(|event| event == instead_of).expect("the history has it");
    history.splice(place..=place, events.iter().cloned());
    verdict(history)
}

/// The history without an event.
fn without(event: &Event) -> Vec<Violation> {
    with(event, &[])
}

#[test]
fn a_history_that_keeps_every_promise_has_no_fault() {
    assert_eq!(verdict(kept()), []);
}

#[test]
fn a_tab_that_is_connected_has_to_be_told_without_coming_back() {
    // Its socket is still there when the faults are over; told later on does not count.
    let mut history = kept();
    history.retain(|event| *event != gone(2, 20, End::Left));
    assert_eq!(verdict(history), [Violation::LiveButUntold { tab: 2, connection: 20, report: 6 }]);
}

#[test]
fn a_tab_that_was_not_told_while_things_broke_may_still_be_waiting() {
    let history: Vec<_> = kept().into_iter().take_while(|event| *event != Event::Healed).collect();
    assert_eq!(untold(&entries(history.clone())), []);
    let waiting: Vec<_> = history.into_iter().filter(|event| *event != told(1, 10, "A")).collect();
    let waiting: Vec<_> = waiting.into_iter().filter(|event| *event != gone(1, 10, End::Closed(4510))).collect();
    assert_eq!(untold(&entries(waiting)), [Violation::LiveButUntold { tab: 1, connection: 10, report: 6 }]);
}

#[test]
fn a_tab_that_comes_back_has_to_be_told_at_once() {
    let let_in = [subscribed(2, 21), told(2, 21, "A")];
    let found = with(&told(2, 21, "A"), &let_in);
    assert_eq!(found, [Violation::LetInAfterLogout { tab: 2, connection: 21, report: 6 }]);
}

#[test]
fn a_tab_that_asks_while_its_logout_is_on_the_way_may_be_let_in() {
    let mut history = kept();
    let place = history.iter().position(|event| *event == acknowledged(6, "A")).unwrap();
    history.splice(place..place, [subscribing(2, 22)]);
    let place = history.iter().position(|event| *event == Event::Healed).unwrap();
    history.splice(place..place, [subscribed(2, 22), told(2, 22, "A"), gone(2, 22, End::Left)]);
    assert_eq!(verdict(history), []);
}

#[test]
fn everybody_has_to_be_told_in_the_end() {
    let found = with(&told(2, 21, "A"), &[gone(2, 21, End::Broken)]);
    assert!(found.contains(&Violation::NeverTold { tab: 2, report: 6 }), "{found:?}");
    assert!(found.contains(&Violation::NeverBack { tab: 2 }), "{found:?}");
}

#[test]
fn a_tab_has_to_get_an_answer_once_nothing_is_broken() {
    let found = with(&subscribed(3, 30), &[gone(3, 30, End::Broken)]);
    assert_eq!(found, [Violation::NeverBack { tab: 3 }]);
}

#[test]
fn a_sign_in_by_a_later_clock_is_covered_where_it_was_let_in_before_the_report() {
    let later = Event::Subscribing { tab: 2, connection: 20, iat: 120, by: "token".to_owned() };
    let mut history = kept();
    let place = history.iter().position(|event| *event == subscribing(2, 20)).unwrap();
    history[place] = later;
    history.retain(|event| *event != gone(2, 20, End::Left));
    assert_eq!(verdict(history), [Violation::LiveButUntold { tab: 2, connection: 20, report: 6 }]);
}

#[test]
fn a_sign_in_by_a_later_clock_that_could_not_be_written_down_may_live_on() {
    let later = Event::Subscribing { tab: 2, connection: 20, iat: 120, by: "token".to_owned() };
    let broken = Event::Broken { what: "the database".to_owned() };
    let mended = Event::Mended { what: "the database".to_owned() };
    let mut history = kept();
    let place = history.iter().position(|event| *event == subscribing(2, 20)).unwrap();
    history.splice(place..=place, [broken, later, mended]);
    history.retain(|event| *event != gone(2, 20, End::Left));
    assert_eq!(verdict(history), []);
}

#[test]
fn a_sign_in_after_the_logout_is_nobodys_to_end() {
    let again = Event::Subscribing { tab: 2, connection: 21, iat: 120, by: "token".to_owned() };
    let mut history = kept();
    let place = history.iter().position(|event| *event == subscribing(2, 21)).unwrap();
    history.splice(place..=place + 1, [again, subscribed(2, 21)]);
    history.retain(|event| *event != gone(2, 21, End::Closed(4510)));
    assert_eq!(verdict(history), []);
}

#[test]
fn the_issuers_word_ends_later_sign_ins_too() {
    let again = Event::Subscribing { tab: 2, connection: 21, iat: 120, by: "token".to_owned() };
    let mut history = kept();
    let place = history.iter().position(|event| *event == subscribing(2, 21)).unwrap();
    history.splice(place..=place + 1, [again, subscribed(2, 21), gone(2, 21, End::Left)]);
    let place = history.iter().position(|event| *event == reporting(6, session())).unwrap();
    history[place] = Event::Reporting { report: 6, whom: session(), way: Way::Backchannel, iat: Some(60) };
    let found = verdict(history);
    assert!(found.contains(&Violation::LetInAfterLogout { tab: 2, connection: 21, report: 6 }), "{found:?}");
    assert!(found.contains(&Violation::NeverTold { tab: 2, report: 6 }), "{found:?}");
}

#[test]
fn an_event_has_to_be_on_record() {
    let found = without(&logged("A", session()));
    let of_nothing = |tab, connection| Violation::ToldOfNothing { tab, connection, id: "A".to_owned() };
    assert!(found.contains(&of_nothing(1, 10)) && found.contains(&of_nothing(2, 21)), "{found:?}");
    assert!(found.contains(&Violation::Lost { report: 6, id: Some("A".to_owned()) }), "{found:?}");
}

#[test]
fn an_event_before_anybody_reported_it_is_made_up() {
    let found = with(&gone(2, 20, End::Left), &[told(2, 20, "A"), gone(2, 20, End::Left)]);
    assert_eq!(found, [Violation::NobodyReported { id: "A".to_owned() }]);
}

#[test]
fn an_event_has_to_be_the_tabs_own() {
    let found = with(&Event::Healed, &[told(3, 30, "A"), Event::Healed]);
    assert_eq!(found, [Violation::OtherSession { tab: 3, connection: 30, id: "A".to_owned() }]);
}

#[test]
fn one_connection_carries_one_event() {
    let found = with(&told(1, 10, "A"), &[told(1, 10, "A"), told(1, 10, "A")]);
    assert_eq!(found, [Violation::ToldTwice { tab: 1, connection: 10, id: "A".to_owned() }]);
}

#[test]
fn who_comes_again_is_told_again() {
    let again = [gone(1, 10, End::Left), subscribing(1, 11), told(1, 11, "A"), gone(1, 11, End::Closed(4510))];
    assert_eq!(with(&gone(1, 10, End::Closed(4510)), &again), []);
}

#[test]
fn nobody_is_let_in_after_the_event_on_the_same_connection() {
    let found = with(&told(2, 21, "A"), &[told(2, 21, "A"), subscribed(2, 21)]);
    assert!(found.contains(&Violation::Revived { tab: 2, connection: 21 }), "{found:?}");
}

#[test]
fn what_is_recorded_was_reported() {
    let found = with(&Event::Finished, &[logged("C", Whom::Person("eve".to_owned())), Event::Finished]);
    assert!(found.contains(&Violation::NobodyReported { id: "C".to_owned() }), "{found:?}");
}

#[test]
fn what_was_ended_is_not_recorded_again() {
    let twice = [logged("A", session()), logged("C", session())];
    let found = with(&logged("A", session()), &twice);
    assert!(found.contains(&Violation::RecordedTwice { whom: session(), id: "C".to_owned() }), "{found:?}");
}

#[test]
fn the_log_has_each_logout_once() {
    let found = with(&logged("A", session()), &[logged("A", session()), logged("A", session())]);
    assert!(found.contains(&Violation::LoggedTwice { id: "A".to_owned() }), "{found:?}");
}

#[test]
fn an_acknowledged_report_by_the_issuer_is_in_the_log_as_the_session_or_as_its_person() {
    let mut history = kept();
    let place = history.iter().position(|event| *event == Event::Finished).unwrap();
    let answer = Answer::Acknowledged { id: None, until: 60 };
    let phone = Whom::Session("phone".to_owned());
    let heard = [
        Event::Reporting { report: 8, whom: phone, way: Way::Backchannel, iat: Some(60) },
        Event::Reported { report: 8, answer },
    ];
    history.splice(place..place, heard);
    history.insert(place, gone(3, 30, End::Left));
    let lost = Violation::Lost { report: 8, id: None };
    assert!(verdict(history.clone()).contains(&lost));
    let everywhere = [reporting(4, Whom::Person(ADA.to_owned())), logged("B2", Whom::Person(ADA.to_owned()))];
    history.splice(place..place, everywhere);
    assert!(!verdict(history).contains(&lost));
}

#[test]
fn a_follower_misses_nothing() {
    let found = without(&fed(9, "A"));
    assert_eq!(found, [Violation::Skipped { follower: 9, id: "B".to_owned(), instead_of: "A".to_owned() }]);
}

#[test]
fn a_follower_gets_nothing_twice() {
    let found = with(&fed(9, "B"), &[fed(9, "A"), fed(9, "B")]);
    assert_eq!(found, [Violation::FedTwice { follower: 9, id: "A".to_owned() }]);
}

#[test]
fn a_follower_gets_the_log_in_its_order() {
    let mut history = kept();
    let (one, two) = (fed(9, "A"), fed(9, "B"));
    let places = [&one, &two].map(|fed| history.iter().position(|event| event == fed).unwrap());
    history.swap(places[0], places[1]);
    assert!(matches!(verdict(history)[..], [Violation::Skipped { .. }, ..]));
}

#[test]
fn a_follower_gets_to_the_end() {
    assert_eq!(without(&fed(9, "B")), [Violation::Behind { follower: 9, by: 1 }]);
}

#[test]
fn nobody_is_blamed_for_the_hubs_trouble() {
    let refused = Answer::Refused { status: 401, code: "kid_invalid".to_owned() };
    let unknown = Event::Reported { report: 5, answer: Answer::Unknown { why: "no answer".to_owned() } };
    assert!(matches!(
        with(&unknown, &[Event::Reported { report: 5, answer: refused }])[..],
        [Violation::Blamed { .. }]
    ));
    let away = gone(2, 20, End::Closed(4501));
    assert!(matches!(with(&gone(2, 20, End::Left), &[away])[..], [Violation::Blamed { .. }]));
    let unfed = Event::Unfed { follower: 9, end: End::Broken, code: None };
    let blamed = Event::Unfed { follower: 9, end: End::Closed(4500), code: Some("unknown_cursor".to_owned()) };
    assert!(matches!(with(&unfed, &[blamed])[..], [Violation::Blamed { .. }]));
}

#[test]
fn a_history_is_the_same_after_it_was_written_and_read() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("kept/seed-1.jsonl");
    crate::history::write(&entries(kept()), &path).unwrap();
    assert_eq!(crate::history::read(&path).unwrap(), entries(kept()));
}
