//! Power cuts, full disks and locks.

use std::time::Duration;

use tokio::time::Instant;

use super::*;

#[tokio::test]
async fn nothing_acknowledged_is_lost_in_a_crash() {
    let store = TestStore::in_a_file().await;
    let notes = token("notes", "laptop", 900);
    store.sees(&notes).await;
    let mut recorded = Vec::new();
    for number in 0..50 {
        recorded.push(store.fresh(by(&notes, issuer_ends(&format!("s{number}"), 1000))).await);
    }
    let next = store.after_a_crash().await;
    for one in recorded {
        assert_eq!(next.find_logout(id_of(&one)).await.unwrap(), Some((one.logout.unwrap(), one.position)));
    }
    assert!(next.standing(&notes).await.unwrap().is_seen);
}

#[tokio::test]
async fn closing_finishes_what_is_queued_and_leaves_one_file() {
    let store = TestStore::in_a_file().await;
    let report = app_ends("laptop", 1000);
    let (recorded, ()) = tokio::join!(store.record(report.clone()), store.close());
    recorded.unwrap();
    assert_eq!(store.record(app_ends("phone", 1000)).await, Err(StoreError::Stopped));
    assert_eq!(store.standing(&token("notes", "laptop", 1)).await, Err(StoreError::Stopped));
    let left: Vec<_> = store.directory.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["hub.db"]);

    let tasks = Tasks::default();
    let again = Store::open(&format!("sqlite://{}", store.path().display()), &tasks).await.unwrap();
    assert!(again.find_logout(report.id).await.unwrap().is_some());
}

#[tokio::test]
async fn while_the_hub_stops_whoever_is_finishing_can_still_write() {
    let store = TestStore::in_a_file().await;
    store.tasks.stop();
    store.fresh(app_ends("laptop", 1000)).await;
    store.close().await;
    store.tasks.ended().await;
}

#[tokio::test]
async fn the_writer_ends_when_nobody_can_ask_any_more() {
    let TestStore { directory: _directory, tasks, store, .. } = TestStore::in_a_file().await;
    drop(store);
    tasks.stop();
    tasks.ended().await;
}

#[tokio::test]
async fn a_lock_that_another_process_keeps_is_an_error_in_time_and_no_harm_afterwards() {
    let store = TestStore::in_a_file().await;
    let mut stranger = store.stranger().await;
    stranger.begin_writing().await.unwrap();

    let started = Instant::now();
    let (first, second) = tokio::join!(store.record(app_ends("laptop", 1000)), store.check());
    assert_eq!((first, second), (Err(StoreError::Locked), Err(StoreError::Locked)));
    assert!(started.elapsed() < Duration::from_millis(2900), "{:?}", started.elapsed());
    assert!(store.standing(&token("notes", "laptop", 900)).await.is_ok(), "reading goes on");

    stranger.run("rollback").await.unwrap();
    store.fresh(app_ends("laptop", 1000)).await;
    store.check().await.unwrap();
}

#[tokio::test]
async fn who_comes_while_the_writer_waits_for_a_lock_has_an_answer_in_time_too() {
    let store = TestStore::in_a_file().await;
    let mut stranger = store.stranger().await;
    stranger.begin_writing().await.unwrap();

    // The writer takes the first alone; the second then waits for two lock
    // timeouts, which is more than the deadline.
    let started = Instant::now();
    let second = async {
        while store.writer_counters().commands == 0 {
            tokio::task::yield_now().await;
        }
        store.check().await
    };
    let (_, second) = tokio::join!(store.check(), second);
    assert_eq!(second, Err(StoreError::TimedOut));
    assert!(started.elapsed() < Duration::from_millis(2900), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_full_disk_is_an_error_that_ends_when_there_is_room_again() {
    let store = TestStore::bounded(Some(96)).await;
    let mut recorded = Vec::new();
    let refusal = loop {
        let number = recorded.len();
        match store.record(by(&token("notes", &format!("s{number}"), 900), app_ends(&format!("s{number}"), 1000))).await
        {
            Ok(one) => recorded.push(one),
            Err(refusal) => break refusal,
        }
        assert!(number < 10_000, "the disk never fills");
    };
    assert_eq!(refusal, StoreError::Full);
    for one in &recorded {
        assert!(store.find_logout(id_of(one)).await.unwrap().is_some(), "what was acknowledged is there");
    }
    let kept = store.logouts_after(&acme(), 0, u32::MAX).await.unwrap().len();
    assert_eq!(kept, recorded.len(), "and nothing else");

    store.forget(UnixMillis(2_000_000), UnixMillis(2_000_000)).await.unwrap();
    store.fresh(app_ends("again", 3000)).await;
    store.check().await.unwrap();
}

#[tokio::test]
async fn too_many_waiting_writes_are_refused_at_once() {
    let store = TestStore::in_a_file().await;
    let sign_in = token("notes", "laptop", 900);
    // On one thread the writer takes nothing before the first await is over.
    let asked = (0..9000).map(|_| store.see(&sign_in, UnixMillis(0)));
    let answers = futures_util::future::join_all(asked).await;
    let refused = answers.iter().filter(|answer| **answer == Err(StoreError::Overloaded)).count();
    assert_eq!(refused, 9000 - super::super::QUEUE_MAX);
    assert!(store.standing(&sign_in).await.unwrap().is_seen);
}

#[tokio::test]
async fn a_health_check_writes_more_than_a_lone_logout() {
    let store = TestStore::in_a_file().await;
    for app in ["notes", "shop"] {
        store.sees(&token(app, "laptop", 900)).await;
    }
    for number in 0..200 {
        store.fresh(app_ends(&format!("s{number}"), 1000)).await;
    }
    let written = || std::fs::metadata(store.directory.path().join("hub.db-wal")).unwrap().len();
    let (before, report) =
        (written(), by(&token("notes", "laptop", 900), with_token("jti", 1, app_ends("laptop", 1000))));
    store.fresh(report).await;
    let by_logout = written() - before;
    store.check().await.unwrap();
    let by_check = written() - before - by_logout;
    assert!(by_check > by_logout, "a logout has written {by_logout} bytes, a check {by_check}");
}
