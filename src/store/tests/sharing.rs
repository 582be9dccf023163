//! Group commit: who waits together is committed together, and fails alone.

use crate::domain::via::Via;
use futures_util::future::join_all;

use super::*;
use crate::store::{DeliveryKey, NewTicket};

#[tokio::test]
async fn a_thousand_logouts_at_once_take_a_few_commits() {
    let store = TestStore::open().await;
    let reports = (0..1000).map(|number| store.record(issuer_ends(&format!("s{number}"), 1000)));
    assert!(join_all(reports).await.into_iter().all(|recorded| recorded.unwrap().outcome == Outcome::Fresh));
    let counters = store.writer_counters();
    assert_eq!(counters.commands, 1000);
    assert!(counters.commits <= 3, "{counters:?}");
}

#[tokio::test]
async fn each_of_a_batch_gets_its_own_answer() {
    let store = TestStore::open().await;
    let reports: Vec<_> = (0..200).map(|number| issuer_ends(&format!("s{number}"), 1000)).collect();
    let recorded = join_all(reports.iter().map(|report| store.record(report.clone()))).await;
    for (report, recorded) in reports.iter().zip(recorded) {
        let recorded = recorded.unwrap();
        assert_eq!(id_of(&recorded), report.id);
        assert_eq!(store.find_logout(report.id).await.unwrap().unwrap(), (report.as_logout(), recorded.position));
    }
}

#[tokio::test]
async fn a_command_that_fails_leaves_nothing_and_does_its_neighbours_no_harm() {
    let store = TestStore::open().await;
    let taken = store.fresh(app_ends("first", 1000)).await;
    let seen = token("notes", "second", 900);
    // A name that is taken already, so that writing the row fails.
    let bad = Report { id: id_of(&taken), ..by(&seen, with_token("j", 1, app_ends("second", 1000))) };
    let ticket = NewTicket { digest: [7; 32], kind: "k", payload: String::new(), expires_at: UnixMillis(1) };
    let key = DeliveryKey {
        issuer: acme(),
        logout: id_of(&taken),
        client_id: client("notes"),
        sid: None,
        via: Via::WebSocket,
    };

    let (before, bad, after, ticket, told) = tokio::join!(
        store.record(app_ends("third", 1000)),
        store.record(bad),
        store.record(app_ends("fourth", 1000)),
        store.add_ticket(ticket),
        store.told(key, UnixMillis(1)),
    );
    assert_eq!(bad, Err(StoreError::Conflict));
    assert_eq!(before.unwrap().outcome, Outcome::Fresh);
    assert_eq!(after.unwrap().outcome, Outcome::Fresh);
    ticket.and(told).unwrap();

    assert_eq!(store.logouts_after(&acme(), 0, 10).await.unwrap().len(), 3);
    assert!(!store.standing(&seen).await.unwrap().is_seen);
    let again = store.record(with_token("j", 2, app_ends("second", 1000))).await.unwrap();
    assert_eq!(again.outcome, Outcome::Fresh, "the failed one did not use up its token");
}

#[tokio::test]
async fn a_failing_command_alone_leaves_the_writer_well() {
    let store = TestStore::open().await;
    let taken = store.fresh(app_ends("first", 1000)).await;
    let bad = Report { id: id_of(&taken), ..app_ends("second", 1000) };
    assert_eq!(store.record(bad).await, Err(StoreError::Conflict));
    store.fresh(app_ends("second", 1000)).await;
}

#[tokio::test]
async fn a_logout_whose_reporter_has_gone_is_handed_to_whoever_takes_late_ones() {
    let store = TestStore::open().await;
    let mut late = store.take_late_logouts().unwrap();
    assert!(store.take_late_logouts().is_none());
    let mut stranger = store.stranger().await;
    stranger.begin_writing().await.unwrap();

    let report = app_ends("laptop", 1000);
    {
        let asking = std::pin::pin!(store.record(report.clone()));
        // Asked, and given up before there was an answer.
        assert!(futures_util::poll!(asking).is_pending());
    }
    stranger.run("rollback").await.unwrap();
    assert_eq!(late.recv().await.unwrap().logout, Some(report.as_logout()));
}

#[tokio::test]
async fn a_node_that_stops_in_the_middle_of_a_write_keeps_the_others_waiting_for_seconds_only() {
    let store = TestStore::open().await;
    let mut stopped = store.stranger().await;
    if !stopped.is_postgres() {
        return; // On one machine whoever stops it can see to that.
    }
    stopped.begin_writing().await.unwrap();
    let mut refusals = 0;
    while let Err(refusal) = store.record(app_ends("laptop", 1000)).await {
        assert_eq!(refusal, StoreError::Locked);
        refusals += 1;
        assert!(refusals < 5, "the lock was never let go");
    }
    assert_eq!(stopped.run("commit").await, Err(StoreError::Unreachable), "it hears that it came too late");
    assert!(stopped.is_in_doubt(), "and uses that connection no more");
}
