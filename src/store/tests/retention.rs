//! Forgetting.

use super::*;
use crate::store::NewTicket;

const CUT: UnixMillis = UnixMillis(5_000_000);
const NOW: UnixMillis = UnixMillis(9_000_000);

async fn count(store: &TestStore, table: &str) -> i64 {
    let mut stranger = store.stranger().await;
    let select = format!("select count(*) from {table}").leak();
    query(select).fetch_one(&mut stranger).await.unwrap().try_get(0).unwrap()
}

#[tokio::test]
async fn what_was_last_of_use_before_the_cut_is_forgotten_and_nothing_else() {
    let store = TestStore::open().await;
    store.sees(&token("notes", "old", 1000)).await;
    store.sees(&token("notes", "new", 1000)).await;
    store.see(&token("notes", "new", 1000), CUT).await.unwrap();
    let old = store.fresh(issuer_ends("old", 4999)).await;
    let new = store.fresh(issuer_ends("new", 5000)).await;

    assert_eq!(store.forget(CUT, NOW).await.unwrap(), 3, "a logout with its row in the trail, and a token");
    assert_eq!(store.find_logout(id_of(&old)).await.unwrap(), None);
    assert_eq!(store.ended_by(&token("notes", "new", 1000)).await, Some(id_of(&new)));
    assert!(!store.standing(&token("notes", "old", 1000)).await.unwrap().is_seen);
    assert!(store.standing(&token("notes", "new", 1000)).await.unwrap().is_seen);
    assert_eq!(count(&store, "deliveries").await, 1, "a logout's deliveries go with it");
}

#[tokio::test]
async fn a_place_in_the_log_is_never_given_out_twice() {
    let store = TestStore::open().await;
    let old = store.fresh(issuer_ends("old", 1000)).await;
    store.forget(CUT, NOW).await.unwrap();
    let new = store.fresh(issuer_ends("new", 1000)).await;
    assert!(new.position > old.position);
}

#[tokio::test]
async fn a_logout_that_a_repeat_moved_on_is_still_of_use() {
    let store = TestStore::open().await;
    let old = store.fresh(issuer_ends("old", 1000)).await;
    store.repeat(issuer_ends("old", 5000)).await;
    store.forget(CUT, NOW).await.unwrap();
    assert!(store.find_logout(id_of(&old)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_logout_that_answers_for_the_later_end_of_a_session_is_still_of_use() {
    let store = TestStore::open().await;
    store.sees(&token("notes", "laptop", 900)).await;
    let everywhere = store.fresh(ends_everywhere(1000)).await;
    store.repeat(issuer_ends("laptop", 5000)).await;
    store.forget(CUT, NOW).await.unwrap();
    assert!(store.find_logout(id_of(&everywhere)).await.unwrap().is_some());

    store.forget(UnixMillis(CUT.0 + 1000), NOW).await.unwrap();
    assert_eq!(store.find_logout(id_of(&everywhere)).await.unwrap(), None);
    assert_eq!(count(&store, "session_ends").await, 0, "the end of the session goes with it");
}

#[tokio::test]
async fn used_tokens_and_tickets_go_when_they_have_expired() {
    let store = TestStore::open().await;
    store.fresh(with_token("old", 1, app_ends("a", 1000))).await;
    store.fresh(with_token("new", 1, app_ends("b", 8999))).await;
    for (digest, expires_at) in [(1, NOW), (2, UnixMillis(NOW.0 + 1))] {
        let ticket = NewTicket { digest: [digest; 32], kind: "continue", payload: String::new(), expires_at };
        store.add_ticket(ticket).await.unwrap();
    }
    store.forget(UnixMillis(0), NOW).await.unwrap();
    assert_eq!(count(&store, "logout_tokens").await, 1);
    assert_eq!(count(&store, "tickets").await, 1);
    let again = store.record(with_token("new", 2, app_ends("b", 8999))).await.unwrap();
    assert_eq!(again.outcome, Outcome::JtiReused);
}

#[tokio::test]
async fn much_is_forgotten_in_small_steps_between_which_others_write() {
    let store = TestStore::open().await;
    let reports = (0..1200).map(|number| store.record(app_ends(&format!("s{number}"), 1000)));
    futures_util::future::join_all(reports).await;
    let before = store.writer_counters().commits;
    assert_eq!(store.forget(CUT, NOW).await.unwrap(), 2400, "logouts, and their rows in the trail");
    assert_eq!(store.writer_counters().commits - before, 4, "500, 500, 200, and none");
}
