//! One-time tickets.

use std::collections::HashSet;

use super::*;
use crate::store::{NewTicket, Ticket};

fn ticket(digest: u8) -> NewTicket {
    let expires_at = UnixMillis(60_000);
    NewTicket { digest: [digest; 32], kind: "continue", payload: "{\"x\":\"é\"}".into(), expires_at }
}

#[tokio::test]
async fn a_ticket_is_good_once() {
    let store = TestStore::open().await;
    store.add_ticket(ticket(1)).await.unwrap();
    let taken = store.take_ticket([1; 32], "continue", UnixMillis(59_999)).await.unwrap();
    assert_eq!(taken, Some(Ticket { payload: ticket(1).payload, logout: None, expires_at: UnixMillis(60_000) }));
    assert_eq!(store.take_ticket([1; 32], "continue", UnixMillis(0)).await.unwrap(), None);
}

#[tokio::test]
async fn of_many_who_take_a_ticket_at_once_one_has_it() {
    let store = TestStore::open().await;
    store.add_ticket(ticket(1)).await.unwrap();
    let asked = (0..50).map(|_| store.take_ticket([1; 32], "continue", UnixMillis(0)));
    let taken = futures_util::future::join_all(asked).await;
    assert_eq!(taken.into_iter().filter(|taken| taken.as_ref().unwrap().is_some()).count(), 1);
}

#[tokio::test]
async fn a_name_that_was_never_kept_is_used_up_by_one_of_however_many() {
    let store = TestStore::open().await;
    let asked = (0..50).map(|_| store.use_up(ticket(1)));
    let firsts = futures_util::future::join_all(asked).await;
    assert_eq!(firsts.into_iter().filter(|first| *first.as_ref().unwrap()).count(), 1);
    assert!(!store.use_up(ticket(1)).await.unwrap());
    assert!(store.use_up(ticket(2)).await.unwrap(), "another name");
}

#[tokio::test]
async fn an_expired_ticket_is_never_given_out() {
    let store = TestStore::open().await;
    store.add_ticket(ticket(1)).await.unwrap();
    assert_eq!(store.take_ticket([1; 32], "continue", UnixMillis(60_000)).await.unwrap(), None);
}

#[tokio::test]
async fn a_ticket_can_be_good_for_longer_but_not_come_back() {
    let store = TestStore::open().await;
    store.add_ticket(ticket(1)).await.unwrap();
    let extend = async |now, until| store.extend_ticket([1; 32], "continue", now, until).await.unwrap();
    let is_good = async |now| store.peek_ticket([1; 32], "continue", now).await.unwrap().is_some();
    extend(UnixMillis(59_999), UnixMillis(90_000)).await;
    assert!(is_good(UnixMillis(89_999)).await && !is_good(UnixMillis(90_000)).await);
    extend(UnixMillis(60_000), UnixMillis(70_000)).await;
    assert!(is_good(UnixMillis(89_999)).await, "never for a shorter time");
    extend(UnixMillis(90_000), UnixMillis(120_000)).await;
    assert!(!is_good(UnixMillis(90_000)).await, "it had expired");
}

#[tokio::test]
async fn a_ticket_is_good_for_one_thing_only() {
    let store = TestStore::open().await;
    store.add_ticket(ticket(1)).await.unwrap();
    let (wrong, right) = tokio::join!(
        store.take_ticket([1; 32], "callback", UnixMillis(0)),
        store.take_ticket([1; 32], "continue", UnixMillis(0)),
    );
    assert_eq!(wrong.unwrap(), None);
    assert!(right.unwrap().is_some());
}

#[tokio::test]
async fn a_report_leaves_its_ticket_with_the_logout_that_was_answered() {
    let store = TestStore::open().await;
    let first = store.fresh(Report { ticket: Some(ticket(1)), ..issuer_ends("laptop", 1000) }).await;
    store.repeat(Report { ticket: Some(ticket(2)), ..app_ends("laptop", 1001) }).await;
    let mut named = HashSet::new();
    for digest in [1, 2] {
        let taken = store.take_ticket([digest; 32], "continue", UnixMillis(0)).await.unwrap();
        named.insert(taken.unwrap().logout);
    }
    assert_eq!(named, HashSet::from([Some(id_of(&first))]));
}

#[tokio::test]
async fn the_file_holds_no_ticket_twice() {
    let store = TestStore::open().await;
    store.add_ticket(ticket(1)).await.unwrap();
    assert_eq!(store.add_ticket(ticket(1)).await, Err(StoreError::Conflict));
}
