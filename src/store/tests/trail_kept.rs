//! What becomes of the audit trail when rows are old enough, when a disk is full, when a hub
//! dies and when it moves.

use super::*;
use crate::domain::audit::{AuditRow, BEFORE_THE_FIRST, Broken, Fault, NotedHead};
use crate::store::sql::Connection;
use crate::store::{AuditTrail, MoveError, move_to_server};

const CUT: UnixMillis = UnixMillis(5_000_000);
const NOW: UnixMillis = UnixMillis(9_000_000);

fn noted(row: &AuditRow) -> NotedHead {
    NotedHead { place: row.place, hash: row.hash }
}

/// So many logouts before the cut, and two after it.
async fn aged(old: usize) -> TestStore {
    let store = TestStore::open().await;
    let reports = (0..old).map(|number| store.record(app_ends(&format!("s{number}"), 1000)));
    for recorded in futures_util::future::join_all(reports).await {
        recorded.unwrap();
    }
    for name in ["new", "newer"] {
        store.fresh(app_ends(name, 5000)).await;
    }
    store
}

#[tokio::test]
async fn what_is_old_enough_is_forgotten_and_the_rest_can_still_be_verified() {
    let store = aged(3).await;
    let before = store.trail().await;
    store.forget(CUT, NOW).await.unwrap();

    let whole = store.verified(Some(noted(&before[4]))).await.unwrap();
    assert_eq!((whole.first, whole.rows, whole.has_beginning), (4, 3, true));
    let [row] = store.says("forgotten").await.try_into().unwrap();
    assert_eq!((row["up_to"].as_i64(), row["rows"].as_i64()), (Some(3), Some(3)));
    assert!(store.verified(Some(noted(&before[2]))).await.is_ok(), "the last one's hash is kept");
    let forgotten = store.verified(Some(noted(&before[1]))).await;
    assert_eq!(forgotten, Err(Broken { place: 2, fault: Fault::HeadForgotten { first: 4 } }));
    let mut stranger = store.stranger().await;
    assert!(stranger.run("delete from audit where place = 4").await.is_err(), "and no more than that goes");
    store.fresh(app_ends("next", 6000)).await;
    assert_eq!(store.trail().await.last().unwrap().place, 7);
}

#[tokio::test]
async fn much_is_forgotten_in_steps_and_then_nothing_more() {
    let store = aged(1200).await;
    store.forget(CUT, NOW).await.unwrap();
    let whole = store.verified(None).await.unwrap();
    assert_eq!((whole.first, whole.rows), (1201, 5), "two logouts, and what was forgotten in three steps");
    for _ in 0..3 {
        assert_eq!(store.forget(CUT, NOW).await.unwrap(), 0);
    }
    // Rows that only say what was forgotten are no reason to forget again.
    store.forget(UnixMillis(5_000_001), UnixMillis(NOW.0 + 1)).await.unwrap();
    assert_eq!(store.trail().await.len(), 4);
    store.forget(UnixMillis(i64::MAX), NOW).await.unwrap();
    assert_eq!(store.verified(None).await.unwrap().rows, 4);
}

#[tokio::test]
async fn a_clock_that_was_ahead_for_a_while_keeps_nothing_for_ever() {
    let store = TestStore::open().await;
    store.fresh(app_ends("future", 999_999)).await;
    store.fresh(app_ends("old", 1000)).await;
    store.fresh(app_ends("new", 5000)).await;
    store.forget(CUT, NOW).await.unwrap();
    assert_eq!(store.verified(None).await.unwrap().first, 3);
}

#[tokio::test]
async fn a_full_disk_leaves_as_many_logouts_in_the_trail_as_are_acknowledged() {
    let store = TestStore::bounded(Some(96)).await;
    let mut acknowledged = 0;
    for number in 0..10_000 {
        match store.record(app_ends(&format!("s{number}"), 1000)).await {
            Ok(_) => acknowledged += 1,
            Err(refusal) => {
                assert_eq!(refusal, StoreError::Full);
                break;
            }
        }
    }
    assert_eq!(store.says("logout_recorded").await.len(), acknowledged);
    let next = store.after_a_crash().await;
    assert_eq!(next.logouts_after(&acme(), 0, u32::MAX).await.unwrap().len(), acknowledged);
    assert_eq!(next.verified(None).await.unwrap().rows, i64::try_from(acknowledged).unwrap());
}

#[tokio::test]
async fn one_command_that_fails_leaves_no_row_and_takes_nobodys_along() {
    let store = TestStore::open().await;
    let id = next_id();
    store.fresh(Report { id, ..app_ends("first", 1000) }).await;
    // The same name twice is one command's fault: the batch is written one by one.
    let again = Report { id, ..app_ends("second", 1000) };
    let (again, third) = tokio::join!(store.record(again), store.record(app_ends("third", 1000)));
    assert_eq!((again, third.is_ok()), (Err(StoreError::Conflict), true));
    assert_eq!(store.says("logout_recorded").await.len(), 2);
    assert_eq!(store.verified(None).await.unwrap().rows, 2);
}

#[tokio::test]
async fn a_hub_that_moves_to_a_server_takes_its_trail_along_and_goes_on_with_it() {
    let directory = tempfile::tempdir().unwrap();
    if std::env::var_os("SLO_HUB_TEST_POSTGRES").is_none() {
        return;
    }
    let server = store_url(directory.path());
    let old = TestStore::in_a_file().await;
    for number in 0..40 {
        old.fresh(app_ends(&format!("s{number}"), if number < 20 { 1000 } else { 5000 })).await;
    }
    old.forget(CUT, NOW).await.unwrap();
    let trail = old.trail().await;
    let (head, name) = (trail.last().map(noted), old.hash_of("laptop").await);
    old.close().await;
    let moved: Result<_, MoveError> = move_to_server(&old.url, &server).await;
    assert!(moved.unwrap().iter().any(|table| table.table == "audit" && table.rows == 21));

    let new = TestStore::at(directory, &server, None).await;
    assert_eq!(new.trail().await, trail, "byte for byte");
    assert_eq!(new.hash_of("laptop").await, name, "and the same session has the same name in it");
    new.fresh(app_ends("laptop", 5000)).await;
    assert_eq!(new.verified(head).await.unwrap().head.place, head.unwrap().place + 1);
}

#[tokio::test]
async fn an_empty_trail_is_whole() {
    let store = TestStore::open().await;
    let empty = store.verified(Some(NotedHead { place: 0, hash: BEFORE_THE_FIRST })).await.unwrap();
    assert_eq!((empty.rows, empty.first), (0, 0));
}

/// Somebody who owns the database, and has taken the lock off the trail.
async fn vandal(store: &TestStore) -> Connection {
    let mut connection = store.stranger().await;
    let drop = if connection.is_postgres() {
        "drop trigger audit_is_forgotten_by_the_hub_alone on audit"
    } else {
        "drop trigger audit_is_forgotten_by_the_hub_alone"
    };
    connection.run(drop).await.unwrap();
    connection
}

#[tokio::test]
async fn a_trail_that_was_cut_or_emptied_lacks_logouts_of_the_database() {
    let store = TestStore::open().await;
    for number in 0..5 {
        store.fresh(app_ends(&format!("s{number}"), 1000)).await;
    }
    let lacks = async || AuditTrail::open(&store.url, 1).await.unwrap().missing_logouts().await.unwrap();
    assert_eq!(lacks().await, 0);
    let mut stranger = vandal(&store).await;
    stranger.run("delete from audit where place > 3").await.unwrap();
    assert_eq!(lacks().await, 2, "the chain itself is whole");
    // The hub goes on after the cut, and what was cut off is missed all the same.
    store.fresh(app_ends("later", 1000)).await;
    assert_eq!(lacks().await, 2);
    stranger.run("delete from audit").await.unwrap();
    assert_eq!(lacks().await, 6);
}

#[tokio::test]
async fn logouts_from_before_there_was_a_trail_are_not_missed() {
    let store = TestStore::open().await;
    store.fresh(app_ends("early", 1000)).await;
    let mut stranger = vandal(&store).await;
    stranger.run("delete from audit").await.unwrap();
    store.fresh(app_ends("late", 1000)).await;
    assert_eq!(AuditTrail::open(&store.url, 1).await.unwrap().missing_logouts().await.unwrap(), 0);
}
