//! What is to be ended at an issuer is kept with its logout, until it is.

use super::*;
use crate::store::{EndAttempt, EndAttemptEnd, IssuerEnd, WaitingEnd};

const DAY_MS: i64 = 24 * 3600 * 1000;

fn with_end(report: Report) -> Report {
    Report { end_at_issuer: Some(report.recorded_at.plus_seconds(30)), ..report }
}

async fn waiting(store: &TestStore) -> Vec<WaitingEnd> {
    store.issuer_ends(&acme(), 10).await.unwrap()
}

async fn tries(store: &TestStore, position: i64, number: u32, end: EndAttemptEnd) {
    store.issuer_end_tried(EndAttempt { position, number, at: UnixMillis(200_000), end }).await.unwrap();
}

#[tokio::test]
async fn it_is_there_as_soon_as_the_logout_is_whatever_then_happens() {
    let store = TestStore::open().await;
    let seen = token("notes", "laptop", 90);
    let recorded = store.fresh(by(&seen, with_end(app_ends("laptop", 100)))).await;
    let store = store.after_a_crash().await;
    let [end] = waiting(&store).await.try_into().unwrap();
    assert_eq!((end.position, end.logout.id), (recorded.position, id_of(&recorded)));
    assert_eq!((end.due_at, end.good_until), (UnixMillis(130_000), UnixMillis(100_000 + DAY_MS)));
    assert!(end.is_vouched, "the session's own token said so");
    assert_eq!(store.issuer_end(id_of(&recorded)).await.unwrap(), Some(IssuerEnd::Pending(None)));
}

#[tokio::test]
async fn how_many_logouts_stand_at_their_issuer_is_read_at_once() {
    let store = TestStore::open().await;
    let laptop = store.fresh(with_end(app_ends("laptop", 100))).await;
    let phone = store.fresh(with_end(app_ends("phone", 100))).await;
    let tablet = store.fresh(app_ends("tablet", 100)).await;
    tries(&store, laptop.position, 1, EndAttemptEnd::Ended).await;
    tries(&store, phone.position, 1, EndAttemptEnd::Refused("not allowed")).await;

    let [laptop, phone, tablet] = [laptop, phone, tablet].map(|recorded| id_of(&recorded));
    let ends = store.issuer_ends_of(&[tablet, phone, laptop, phone]).await.unwrap();

    let stands = [IssuerEnd::Ended, IssuerEnd::Failed("not allowed".to_owned())];
    assert_eq!(ends, [laptop, phone].into_iter().zip(stands).collect());
}

#[tokio::test]
async fn only_a_token_of_that_very_session_vouches_for_it() {
    let store = TestStore::open().await;
    store.fresh(with_end(app_ends("laptop", 100))).await;
    store.fresh(by(&token("notes", "phone", 90), with_end(app_ends("tablet", 100)))).await;
    let key = session("desk");
    let bobs = LogoutTarget::Session { key, sub: Some(Subject::parse("bob").unwrap()) };
    store.fresh(by(&token("notes", "desk", 90), with_end(report(bobs, 100)))).await;
    store.fresh(by(&token("notes", "pad", 90), with_end(ends_everywhere(100)))).await;
    assert_eq!(waiting(&store).await.iter().map(|end| end.is_vouched).collect::<Vec<_>>(), [false; 4]);
}

#[tokio::test]
async fn what_the_issuer_has_ended_waits_for_nothing_and_a_repeat_asks_once() {
    let store = TestStore::open().await;
    store.fresh(issuer_ends("laptop", 100)).await;
    store.repeat(with_end(app_ends("laptop", 101))).await;
    assert!(waiting(&store).await.is_empty());

    let id = id_of(&store.fresh(app_ends("phone", 100)).await);
    assert_eq!(store.issuer_end(id).await.unwrap(), None);
    store.repeat(with_end(app_ends("phone", 101))).await;
    store.repeat(with_end(app_ends("phone", 102))).await;
    let [end] = waiting(&store).await.try_into().unwrap();
    assert_eq!((end.logout.id, end.due_at), (id, UnixMillis(131_000)));
}

#[tokio::test]
async fn ended_is_final_said_once_or_twice_and_after_it_was_given_up() {
    let store = TestStore::open().await;
    for is_late in [false, true] {
        let recorded = store.fresh(with_end(app_ends(if is_late { "phone" } else { "laptop" }, 100))).await;
        let (id, position) = (id_of(&recorded), recorded.position);
        let why = "it was away";
        let again = EndAttemptEnd::Again { why, due_at: UnixMillis(200_000) };
        tries(&store, position, 1, again).await;
        tries(&store, position, 1, again).await;
        assert_eq!(waiting(&store).await[0].attempts, 1);
        assert_eq!(store.issuer_end(id).await.unwrap(), Some(IssuerEnd::Pending(Some(why.to_owned()))));
        if is_late {
            let end = UnixMillis(100_000 + DAY_MS);
            assert_eq!(store.issuer_ends_state().await.unwrap().first_end, Some(end));
            assert_eq!(store.give_up_issuer_ends(UnixMillis(end.0 - 1)).await.unwrap(), 0);
            assert_eq!(store.give_up_issuer_ends(end).await.unwrap(), 1);
            assert_eq!(store.issuer_end(id).await.unwrap(), Some(IssuerEnd::Failed(why.to_owned())));
            tries(&store, position, 2, again).await;
            assert_eq!(store.issuer_end(id).await.unwrap(), Some(IssuerEnd::Failed(why.to_owned())), "given up stays");
        }
        tries(&store, position, 2, EndAttemptEnd::Ended).await;
        tries(&store, position, 1, again).await;
        assert_eq!(store.issuer_end(id).await.unwrap(), Some(IssuerEnd::Ended));
        assert!(store.find_logout(id).await.unwrap().unwrap().0.is_final);
        assert_eq!(store.issuer_ends_state().await.unwrap().depth, 0);
    }
}

#[tokio::test]
async fn a_refusal_is_the_end_of_it_and_the_logout_stays_provisional() {
    let store = TestStore::open().await;
    let recorded = store.fresh(with_end(app_ends("laptop", 100))).await;
    tries(&store, recorded.position, 1, EndAttemptEnd::Refused("not allowed")).await;
    let id = id_of(&recorded);
    assert_eq!(store.issuer_end(id).await.unwrap(), Some(IssuerEnd::Failed("not allowed".to_owned())));
    assert!(!store.find_logout(id).await.unwrap().unwrap().0.is_final);
    store.repeat(issuer_ends("laptop", 101)).await;
    assert_eq!(store.issuer_end(id).await.unwrap(), Some(IssuerEnd::Ended), "the issuer said so itself");
}

#[tokio::test]
async fn what_a_sweep_ends_stands_behind_all_the_rest_until_somebody_asks_for_the_same() {
    let store = TestStore::open().await;
    let swept = |sid: &str, at: i64| Report { sweep: Some(next_id()), ..with_end(app_ends(sid, at)) };
    for number in 0..20 {
        store.fresh(swept(&format!("swept {number}"), 100)).await;
    }
    store.fresh(with_end(app_ends("laptop", 500))).await;
    let stands = async |at_most: usize| {
        let waiting = store.issuer_ends(&acme(), at_most).await.unwrap();
        let one = |end: &WaitingEnd| (end.logout.target.sid().unwrap().as_str().to_owned(), end.is_swept);
        waiting.iter().map(one).collect::<Vec<_>>()
    };
    let stand = |sid: &str, is_swept: bool| (sid.to_owned(), is_swept);
    assert_eq!(stands(2).await, [stand("laptop", false), stand("swept 0", true), stand("swept 1", true)]);

    store.repeat(with_end(app_ends("swept 7", 101))).await;
    store.repeat(swept("swept 7", 101)).await;
    store.repeat(swept("laptop", 501)).await;
    assert_eq!(stands(2).await[..3], [stand("swept 7", false), stand("laptop", false), stand("swept 0", true)]);
}
