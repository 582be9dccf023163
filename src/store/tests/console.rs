//! What operators read, and what they have tried again.

use super::*;
use crate::domain::app::BackchannelToken;
use crate::domain::via::Via;
use crate::store::{
    Attempt, AttemptEnd, BackEnd, Backlog, DeliveryKey, DeliveryStatus, EndAttempt, EndAttemptEnd, Letter, LetterState,
    Pace, Retry,
};

const DAY: i64 = 24 * 3600;
/// The store's clock, for who asks: a second after the logouts of these tests.
const NOW: UnixMillis = UnixMillis(1_001_000);

/// Mail takes the hub's tokens.
fn with_mail(report: Report) -> Report {
    let mail = BackEnd { client_id: client("mail"), token: BackchannelToken::Hub };
    Report { back_ends: [mail].into(), ..report }
}

/// A logout of which Mail is told, and how the first attempt ended.
async fn tried(store: &TestStore, session: &str, end: AttemptEnd) -> (LogoutId, Letter) {
    let id = id_of(&store.fresh(with_mail(app_ends(session, 1000))).await);
    let letter = posts(store, LetterState::Waiting).await.into_iter().find(|it| it.logout == id).unwrap();
    store.tried(Attempt { id: letter.id, number: 1, end, at: NOW }).await.unwrap();
    (id, letter)
}

async fn posts(store: &Store, state: LetterState) -> Vec<Letter> {
    store.posts(state, 10).await.unwrap()
}

async fn status(store: &Store, id: LogoutId) -> (DeliveryStatus, u32) {
    let [delivery] = &store.deliveries(id).await.unwrap()[..] else { panic!("one line") };
    (delivery.status, delivery.attempts)
}

#[tokio::test]
async fn a_post_that_was_given_up_waits_for_another_day_and_its_receipt_says_so() {
    let store = TestStore::open().await;
    let (id, letter) = tried(&store, "laptop", AttemptEnd::Refused("refused")).await;
    assert_eq!(store.backlogs(UnixMillis(0)).await.unwrap()[0], Backlog { given_up: 1, ..Backlog::default() });
    let [given_up] = &posts(&store, LetterState::GivenUp).await[..] else { panic!("one") };
    assert_eq!((given_up.logout, given_up.attempts, given_up.error.as_deref()), (id, 1, Some("refused")));
    assert_eq!(status(&store, id).await, (DeliveryStatus::Failed, 1));

    assert_eq!(store.retry(Retry::Post(letter.id), NOW).await.unwrap(), 1);
    let [waiting] = &posts(&store, LetterState::Waiting).await[..] else { panic!("one") };
    assert_eq!((waiting.due_at, waiting.good_until, waiting.attempts), (NOW, NOW.plus_seconds(DAY), 1));
    assert_eq!(status(&store, id).await, (DeliveryStatus::Pending, 1));
    assert_eq!(store.retry(Retry::Post(letter.id), NOW).await.unwrap(), 0, "it is due already");

    store.tried(Attempt { id: letter.id, number: 2, end: AttemptEnd::Acknowledged, at: NOW }).await.unwrap();
    assert_eq!(status(&store, id).await, (DeliveryStatus::Acknowledged, 2));
    assert_eq!(store.retry(Retry::Post(letter.id), NOW).await.unwrap(), 0, "it was taken");
    assert_eq!(store.post(letter.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_post_that_waits_is_due_at_once_and_is_given_up_no_later() {
    let store = TestStore::open().await;
    let again = AttemptEnd::Again { why: "busy", due_at: NOW.plus_seconds(900) };
    let (_, letter) = tried(&store, "laptop", again).await;
    assert_eq!(store.retry(Retry::Post(letter.id), NOW).await.unwrap(), 1);
    let [waiting] = &posts(&store, LetterState::Waiting).await[..] else { panic!("one") };
    assert_eq!((waiting.due_at, waiting.good_until), (NOW, letter.good_until));
}

#[tokio::test]
async fn all_of_an_app_is_what_waits_and_what_was_given_up_lately() {
    let store = TestStore::open().await;
    let again = AttemptEnd::Again { why: "busy", due_at: NOW.plus_seconds(900) };
    tried(&store, "laptop", again).await;
    let (_, letter) = tried(&store, "phone", AttemptEnd::Refused("refused")).await;
    let all =
        |since, takes_up| store.retry(Retry::App { issuer: acme(), client_id: client("mail"), since, takes_up }, NOW);
    let earlier = UnixMillis(letter.good_until.0 - 1);
    assert_eq!(all(letter.good_until, true).await.unwrap(), 1, "that one was given up too long ago");
    assert_eq!(all(earlier, false).await.unwrap(), 0, "only what waits, and it is due");
    assert_eq!(all(earlier, true).await.unwrap(), 1);
    assert_eq!(posts(&store, LetterState::Waiting).await.len(), 2);
}

#[tokio::test]
async fn an_end_that_was_given_up_is_tried_again_until_it_has_ended() {
    let store = TestStore::open().await;
    let report = Report { end_at_issuer: Some(NOW), ..app_ends("laptop", 1000) };
    let recorded = store.fresh(report).await;
    let attempt = |number, end| EndAttempt { position: recorded.position, number, end, at: NOW };
    store.issuer_end_tried(attempt(1, EndAttemptEnd::Refused("not ours"))).await.unwrap();
    let [given_up] = &store.ends(LetterState::GivenUp, 10).await.unwrap()[..] else { panic!("one") };
    assert_eq!((given_up.client_id.as_ref(), given_up.error.as_deref()), (None, Some("not ours")));

    assert_eq!(store.retry(Retry::End(given_up.id), NOW).await.unwrap(), 1);
    let [waiting] = &store.ends(LetterState::Waiting, 10).await.unwrap()[..] else { panic!("one") };
    assert_eq!((waiting.due_at, waiting.good_until), (NOW, NOW.plus_seconds(DAY)));
    store.issuer_end_tried(attempt(2, EndAttemptEnd::Ended)).await.unwrap();
    assert_eq!(store.retry(Retry::End(given_up.id), NOW).await.unwrap(), 0);
}

#[tokio::test]
async fn the_log_is_read_from_its_end_and_an_apps_log_holds_what_it_is_told_of() {
    let store = TestStore::open().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let report = app_ends(&format!("session {number}"), 1000);
        ids.push(id_of(&store.fresh(if number % 2 == 0 { with_mail(report) } else { report }).await));
    }
    ids.reverse();
    let (mut read, mut before) = (Vec::new(), None);
    loop {
        let page = store.newest_logouts(before, None, 2).await.unwrap();
        read.extend(page.logouts.into_iter().map(|(_, logout)| logout.id));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(read, ids);
    let page = store.newest_logouts(None, Some(&client("mail")), 10).await.unwrap();
    let of_mail: Vec<_> = page.logouts.into_iter().map(|(_, logout)| logout.id).collect();
    assert_eq!((of_mail, page.next), (vec![ids[0], ids[2], ids[4]], None));
}

#[tokio::test]
async fn a_persons_logouts_are_those_of_all_their_sessions_and_of_each_that_was_seen() {
    let store = TestStore::open().await;
    store.sees(&token("notes", "laptop", 900)).await;
    let one = id_of(&store.fresh(app_ends("laptop", 1000)).await);
    store.fresh(app_ends("somebody's", 1000)).await;
    let all = id_of(&store.fresh(ends_everywhere(1100)).await);
    let found = store.logouts_of_person(&ada(), 10).await.unwrap();
    assert_eq!(found.into_iter().map(|(_, logout)| logout.id).collect::<Vec<_>>(), [all, one]);
    let found = store.logouts_of_session(&session("laptop"), 10).await.unwrap();
    assert_eq!(found.into_iter().map(|(_, logout)| logout.id).collect::<Vec<_>>(), [one]);
}

#[tokio::test]
async fn what_was_not_confirmed_is_counted_by_app_and_by_how_far_it_came() {
    let store = TestStore::open().await;
    for app in ["notes", "shop"] {
        store.sees(&token(app, "laptop", 900)).await;
    }
    let id = id_of(&store.fresh(with_mail(app_ends("laptop", 1000))).await);
    let key = |app| DeliveryKey {
        issuer: acme(),
        logout: id,
        client_id: client(app),
        sid: Some(sid("laptop")),
        via: Via::WebSocket,
    };
    store.told(key("notes"), NOW).await.unwrap();
    store.acknowledged(key("shop"), NOW).await.unwrap();
    let unconfirmed = store.unconfirmed_since(UnixMillis(0)).await.unwrap();
    let counts = unconfirmed.iter().map(|it| (it.client_id.as_str(), it.pending, it.unanswered, it.failed));
    assert_eq!(counts.collect::<Vec<_>>(), [("notes", 0, 1, 0), ("mail", 1, 0, 0)]);
    assert_eq!(store.unconfirmed_since(NOW).await.unwrap(), []);

    let latest = Some(UnixMillis(1_000_000));
    assert_eq!(store.pace(NOW).await.unwrap(), Pace { last_minute: 1, last_hour: 1, latest });
    let seen = store.last_sightings().await.unwrap();
    assert!(seen.iter().any(|(_, app, at)| app.as_str() == "notes" && *at == UnixSeconds(900)), "{seen:?}");
}
