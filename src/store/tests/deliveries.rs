//! The receipt.

use super::*;
use crate::domain::via::Via;
use crate::store::{Delivery, DeliveryKey, DeliveryNews, DeliveryStatus};

fn to(id: LogoutId, app: &str, session: &str, via: Via) -> DeliveryKey {
    DeliveryKey { issuer: acme(), logout: id, client_id: client(app), sid: Sid::parse(session).ok(), via }
}

const AT: UnixMillis = UnixMillis(2_000_000);

/// A laptop session in notes and shop has just ended.
async fn ended(store: &TestStore) -> LogoutId {
    store.sees(&token("notes", "laptop", 900)).await;
    store.sees(&token("shop", "laptop", 900)).await;
    id_of(&store.fresh(app_ends("laptop", 1000)).await)
}

async fn receipt(store: &TestStore, id: LogoutId) -> Vec<(String, Via, DeliveryStatus, u32)> {
    let lines = store.deliveries(id).await.unwrap();
    lines.into_iter().map(|d| (d.client_id.as_str().to_owned(), d.via, d.status, d.attempts)).collect()
}

fn line(app: &str, via: Via, status: DeliveryStatus, attempts: u32) -> (String, Via, DeliveryStatus, u32) {
    (app.to_owned(), via, status, attempts)
}

#[tokio::test]
async fn every_app_of_the_session_waits_for_its_row_to_move_on() {
    let store = TestStore::open().await;
    let id = ended(&store).await;
    let pending = |app: &str| Delivery {
        client_id: client(app),
        via: Via::WebSocket,
        status: DeliveryStatus::Pending,
        attempts: 0,
        updated_at: UnixMillis(1_000_000),
        error: None,
        is_of_session: true,
    };
    assert_eq!(store.deliveries(id).await.unwrap(), [pending("notes"), pending("shop")]);

    store.told(to(id, "notes", "laptop", Via::WebSocket), AT).await.unwrap();
    let told = Delivery { status: DeliveryStatus::Delivered, attempts: 1, updated_at: AT, ..pending("notes") };
    assert_eq!(store.deliveries(id).await.unwrap(), [told, pending("shop")]);
}

#[tokio::test]
async fn the_receipts_of_many_logouts_are_read_at_once_each_with_its_own_lines() {
    let store = TestStore::open().await;
    let laptop = ended(&store).await;
    store.sees(&token("notes", "phone", 900)).await;
    let phone = id_of(&store.fresh(app_ends("phone", 1000)).await);
    let nobodys = id_of(&store.fresh(app_ends("tablet", 1000)).await);
    store.told(to(phone, "notes", "phone", Via::WebSocket), AT).await.unwrap();

    let all = store.deliveries_of(&[phone, nobodys, laptop, phone]).await.unwrap();

    assert_eq!(all.len(), 2, "whoever reaches nobody has no receipt: {all:?}");
    assert_eq!(all[&laptop], store.deliveries(laptop).await.unwrap());
    let [line] = all[&phone].as_slice() else { panic!("{all:?}") };
    assert_eq!((line.status, line.attempts), (DeliveryStatus::Delivered, 1), "asked for twice, counted once");
    assert!(store.deliveries_of(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_acknowledged_stays_so() {
    let store = TestStore::open().await;
    let id = ended(&store).await;
    let notes = || to(id, "notes", "laptop", Via::WebSocket);
    assert!(store.acknowledged(notes(), AT).await.unwrap());
    store.told(notes(), AT).await.unwrap();
    store.telling(notes(), AT).await.unwrap();
    store.unconfirmed(notes(), "late and wrong", AT).await.unwrap();
    let line = &store.deliveries(id).await.unwrap()[0];
    assert_eq!((line.status, line.attempts, &line.error), (DeliveryStatus::Acknowledged, 2, &None));
}

#[tokio::test]
async fn a_failure_is_forgiven_by_success() {
    let store = TestStore::open().await;
    let id = ended(&store).await;
    let desk = || to(id, "desk", "", Via::Backchannel);
    store.telling(desk(), AT).await.unwrap();
    store.unconfirmed(desk(), "connection refused", AT).await.unwrap();
    let lines = store.deliveries(id).await.unwrap();
    assert_eq!((lines[0].status, lines[0].error.as_deref()), (DeliveryStatus::Failed, Some("connection refused")));
    store.told(desk(), AT).await.unwrap();
    let lines = store.deliveries(id).await.unwrap();
    assert_eq!((lines[0].status, lines[0].attempts, &lines[0].error), (DeliveryStatus::Delivered, 2, &None));
}

#[tokio::test]
async fn a_way_that_nobody_expected_gets_a_row_of_its_own() {
    let store = TestStore::open().await;
    let id = ended(&store).await;
    store.told(to(id, "desk", "", Via::Backchannel), AT).await.unwrap();
    let expected = [
        line("desk", Via::Backchannel, DeliveryStatus::Delivered, 1),
        line("notes", Via::WebSocket, DeliveryStatus::Pending, 0),
        line("shop", Via::WebSocket, DeliveryStatus::Pending, 0),
    ];
    assert_eq!(receipt(&store, id).await, expected);
}

#[tokio::test]
async fn an_app_that_comes_by_events_was_not_waited_for_on_a_socket() {
    let store = TestStore::open().await;
    let id = ended(&store).await;
    store.told(to(id, "notes", "laptop", Via::Sse), AT).await.unwrap();
    store.told(to(id, "shop", "laptop", Via::WebSocket), AT).await.unwrap();
    store.told(to(id, "shop", "laptop", Via::Sse), AT).await.unwrap();
    let expected = [
        line("notes", Via::Sse, DeliveryStatus::Delivered, 1),
        line("shop", Via::Sse, DeliveryStatus::Delivered, 1),
        line("shop", Via::WebSocket, DeliveryStatus::Delivered, 1),
    ];
    assert_eq!(receipt(&store, id).await, expected);
}

#[tokio::test]
async fn an_app_has_confirmed_once_all_its_sessions_have() {
    let store = TestStore::open().await;
    store.sees(&token("notes", "laptop", 900)).await;
    store.sees(&token("notes", "phone", 900)).await;
    let id = id_of(&store.fresh(ends_everywhere(1000)).await);
    store.told(to(id, "notes", "laptop", Via::WebSocket), AT).await.unwrap();
    assert_eq!(receipt(&store, id).await, [line("notes", Via::WebSocket, DeliveryStatus::Pending, 1)]);
    store.acknowledged(to(id, "notes", "laptop", Via::WebSocket), AT).await.unwrap();
    store.told(to(id, "notes", "phone", Via::WebSocket), AT).await.unwrap();
    assert_eq!(receipt(&store, id).await, [line("notes", Via::WebSocket, DeliveryStatus::Delivered, 2)]);
    store.acknowledged(to(id, "notes", "phone", Via::WebSocket), AT).await.unwrap();
    assert_eq!(receipt(&store, id).await, [line("notes", Via::WebSocket, DeliveryStatus::Acknowledged, 2)]);
}

#[tokio::test]
async fn nobody_confirms_a_logout_that_their_issuer_does_not_have() {
    let store = TestStore::open().await;
    let id = ended(&store).await;
    let mut key = to(id, "notes", "laptop", Via::WebSocket);
    key.issuer = Issuer::parse("https://other.example/").unwrap();
    assert!(!store.acknowledged(key, AT).await.unwrap());
    assert!(!store.acknowledged(to(next_id(), "notes", "laptop", Via::WebSocket), AT).await.unwrap());
    assert!(receipt(&store, id).await.iter().all(|(_, _, status, _)| *status == DeliveryStatus::Pending));
}

#[tokio::test]
async fn news_of_one_delivery_in_one_batch_add_up() {
    let store = TestStore::open().await;
    let id = ended(&store).await;
    let notes = || to(id, "notes", "laptop", Via::WebSocket);
    let (a, b, c) = tokio::join!(store.acknowledged(notes(), AT), store.told(notes(), AT), store.told(notes(), AT));
    assert!(a.unwrap());
    b.and(c).unwrap();
    assert_eq!(receipt(&store, id).await[0], line("notes", Via::WebSocket, DeliveryStatus::Acknowledged, 2));
}

#[tokio::test]
async fn whoever_watches_receipts_hears_of_every_commit_that_changed_one() {
    let store = TestStore::in_a_file().await;
    let mut receipts = store.receipts_changed();
    let id = ended(&store).await;
    assert!(receipts.has_changed().unwrap(), "a new logout has a new receipt");
    receipts.mark_unchanged();

    store.repeat(app_ends("laptop", 1000)).await;
    store.sees(&token("notes", "phone", 900)).await;
    assert!(!store.acknowledged(to(next_id(), "notes", "laptop", Via::WebSocket), AT).await.unwrap());
    assert!(!receipts.has_changed().unwrap(), "nothing of these stands in a receipt");

    store.told(to(id, "notes", "laptop", Via::WebSocket), AT).await.unwrap();
    assert!(receipts.has_changed().unwrap());
    store.close().await;
    receipts.mark_unchanged();
    assert!(receipts.changed().await.is_err(), "a closed store rings no more");
}

#[tokio::test]
async fn an_app_told_on_a_socket_may_confirm_by_a_request_and_the_other_way_round() {
    use DeliveryStatus::Acknowledged;
    let store = TestStore::open().await;
    let id = ended(&store).await;
    store.told(to(id, "notes", "laptop", Via::WebSocket), AT).await.unwrap();
    store.acknowledged(to(id, "notes", "laptop", Via::Sse), AT).await.unwrap();
    store.told(to(id, "shop", "laptop", Via::Sse), AT).await.unwrap();
    store.acknowledged(to(id, "shop", "laptop", Via::WebSocket), AT).await.unwrap();
    let expected = [line("notes", Via::WebSocket, Acknowledged, 1), line("shop", Via::Sse, Acknowledged, 1)];
    assert_eq!(receipt(&store, id).await, expected);
}

#[tokio::test]
async fn an_acknowledgement_may_be_written_before_the_note_that_its_app_was_told() {
    use DeliveryStatus::{Acknowledged, Pending};
    let store = TestStore::open().await;
    let id = ended(&store).await;
    store.acknowledged(to(id, "notes", "laptop", Via::Sse), AT).await.unwrap();
    store.told(to(id, "notes", "laptop", Via::Sse), AT).await.unwrap();
    let expected = [line("notes", Via::Sse, Acknowledged, 1), line("shop", Via::WebSocket, Pending, 0)];
    assert_eq!(receipt(&store, id).await, expected);
}

#[tokio::test]
async fn an_app_told_and_confirming_in_one_moment_has_the_same_receipt_as_one_that_took_its_time() {
    use DeliveryStatus::Acknowledged;
    let (told, confirms) = (DeliveryNews::told, DeliveryNews::acknowledged);
    for (by, said_by) in [(Via::Sse, Via::WebSocket), (Via::WebSocket, Via::Sse), (Via::Sse, Via::Sse)] {
        for turn in [0, 1] {
            let store = TestStore::open().await;
            let id = ended(&store).await;
            let mut news: Vec<_> = ["notes", "shop"]
                .iter()
                .flat_map(|app| [told(to(id, app, "laptop", by), AT), confirms(to(id, app, "laptop", said_by), AT)])
                .collect();
            news.rotate_left(turn);
            assert!(store.note_deliveries(news).await.unwrap());
            let expected = [line("notes", by, Acknowledged, 1), line("shop", by, Acknowledged, 1)];
            assert_eq!(receipt(&store, id).await, expected, "told by {by:?}, confirmed by {said_by:?}");
        }
    }
}

#[tokio::test]
async fn a_tab_told_earlier_confirms_for_itself_while_another_is_being_told() {
    use DeliveryStatus::{Acknowledged, Delivered, Pending};
    let store = TestStore::open().await;
    let id = ended(&store).await;
    store.told(to(id, "notes", "laptop", Via::WebSocket), AT).await.unwrap();
    let (told, confirms) = (to(id, "notes", "laptop", Via::Sse), to(id, "notes", "laptop", Via::WebSocket));
    let news = vec![DeliveryNews::told(told, AT), DeliveryNews::acknowledged(confirms, AT)];
    assert!(store.note_deliveries(news).await.unwrap());
    let expected = [
        line("notes", Via::Sse, Delivered, 1),
        line("notes", Via::WebSocket, Acknowledged, 1),
        line("shop", Via::WebSocket, Pending, 0),
    ];
    assert_eq!(receipt(&store, id).await, expected);
}

#[tokio::test]
async fn news_of_many_deliveries_are_one_command_and_those_of_unknown_logouts_are_dropped() {
    let store = TestStore::open().await;
    let id = ended(&store).await;
    let before = store.writer_counters();
    let keys = [to(id, "notes", "laptop", Via::WebSocket), to(next_id(), "notes", "laptop", Via::WebSocket)];
    assert!(store.note_deliveries(keys.map(|key| DeliveryNews::told(key, AT)).into()).await.unwrap());
    let unknown = DeliveryNews::told(to(next_id(), "shop", "laptop", Via::WebSocket), AT);
    assert!(!store.note_deliveries(vec![unknown]).await.unwrap());
    let after = store.writer_counters();
    assert_eq!((after.commands - before.commands, after.commits - before.commits), (2, 2));
    assert_eq!(receipt(&store, id).await[0], line("notes", Via::WebSocket, DeliveryStatus::Delivered, 1));
}
