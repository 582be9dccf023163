//! Who waits only so long for the Management API holds back nobody who has more time.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use slo_hub::domain::clock::{Clock as _, UnixMillis};
use slo_hub::oidc::management::{Ended, FAULTS_IN_A_ROW, FIRST_PAUSE, ManagementFault, Room};
use tokio::sync::Semaphore;

use crate::issuer_ends::Bureau;
use crate::management::{Desk, NOW, ada, sid};
use crate::management_fake::Says;
use crate::sessions_at_issuer::{ALL, asks, proved};

const PATIENCE: Duration = Duration::from_millis(50);

async fn hurried(desk: &Desk) -> Result<usize, ManagementFault> {
    desk.client.sessions_within(&ada(), PATIENCE).await.map(|sessions| sessions.len())
}

async fn give_up(desk: &Desk) {
    for _ in 0..FAULTS_IN_A_ROW {
        assert!(matches!(hurried(desk).await, Err(ManagementFault::Unavailable(_))));
    }
}

fn after(pause: Duration) -> UnixMillis {
    UnixMillis(NOW.0 + i64::try_from(pause.as_millis()).unwrap())
}

#[tokio::test]
async fn who_leaves_without_a_word_says_nothing_of_the_api() {
    let desk = Desk::open().await;
    desk.sids().await.unwrap();
    desk.api.always("list", Some(Says::Never));
    for _ in 0..FAULTS_IN_A_ROW {
        tokio::time::timeout(PATIENCE, desk.client.sessions_within(&ada(), 100 * PATIENCE)).await.unwrap_err();
        tokio::time::timeout(PATIENCE, desk.sids()).await.unwrap_err();
    }
    desk.api.always("list", None);
    assert_eq!((desk.client.room(), hurried(&desk).await), (Room::Free, Ok(2)));
}

#[tokio::test]
async fn an_api_that_is_too_slow_for_the_hurried_is_left_alone_by_them_and_asked_by_all_others() {
    let desk = Desk::open().await;
    desk.sids().await.unwrap();
    desk.api.always("list", Some(Says::Never));
    give_up(&desk).await;
    let asked = desk.api.kinds().len();
    assert_eq!(hurried(&desk).await, Err(ManagementFault::Resting { until: after(FIRST_PAUSE) }));
    assert_eq!((desk.client.room(), desk.api.kinds().len()), (Room::Free, asked));

    // Whoever has the time finds that it is only slow, which makes it no faster.
    let gate = Arc::new(Semaphore::new(0));
    desk.api.always("list", Some(Says::Held(Arc::clone(&gate))));
    let (sids, ()) = tokio::join!(desk.sids(), async {
        tokio::time::sleep(4 * PATIENCE).await;
        gate.add_permits(1);
    });
    assert_eq!((sids.unwrap().len(), desk.client.end_session(&sid("laptop")).await), (2, Ok(Ended::Revoked)));
    assert_eq!(hurried(&desk).await, Err(ManagementFault::Resting { until: after(FIRST_PAUSE) }));

    desk.clock.advance(FIRST_PAUSE);
    assert!(matches!(hurried(&desk).await, Err(ManagementFault::Unavailable(_))), "one of them tries");
    assert_eq!(hurried(&desk).await, Err(ManagementFault::Resting { until: after(3 * FIRST_PAUSE) }));
    assert_eq!(desk.client.room(), Room::Free, "and does not take the others' turn");
    desk.clock.advance(2 * FIRST_PAUSE);
    desk.api.always("list", None);
    assert_eq!(hurried(&desk).await, Ok(1));
}

#[tokio::test]
async fn what_the_api_says_itself_to_the_hurried_is_heeded_by_all() {
    let desk = Desk::open().await;
    desk.api.always("list", Some(Says::Status(503)));
    give_up(&desk).await;
    let resting = ManagementFault::Resting { until: after(FIRST_PAUSE) };
    assert_eq!((desk.client.room(), desk.sids().await), (Room::None { until: after(FIRST_PAUSE) }, Err(resting)));

    // Nor does one of the hurried, where it is the one that tries, lengthen the pause.
    desk.clock.advance(FIRST_PAUSE);
    desk.api.always("list", Some(Says::Never));
    assert!(matches!(hurried(&desk).await, Err(ManagementFault::Unavailable(_))));
    assert_eq!(desk.client.room(), Room::One);
    desk.api.always("list", None);
    assert_eq!((desk.sids().await.unwrap().len(), desk.client.room()), (2, Room::Free));

    desk.api.then("list", Says::With(429, "retry-after", "7".to_owned(), json!({})));
    let until = UnixMillis(desk.clock.now().0 + 7000);
    assert_eq!(hurried(&desk).await, Err(ManagementFault::RateLimited { until }));
    assert_eq!(desk.sids().await, Err(ManagementFault::Resting { until }));
}

#[tokio::test]
async fn a_session_is_ended_at_an_issuer_that_is_too_slow_for_the_pages() {
    let bureau = Bureau::open().await;
    let ada = bureau.signs_in("ada");
    let token = proved(&bureau, &ada);
    bureau.api.always("list", Some(Says::Never));
    let looks = || async { asks(&bureau, "GET", ALL, &token).await.expect(200)["complete"].clone() };
    let looks_at_once = join_all((0..FAULTS_IN_A_ROW).map(|_| looks())).await;
    assert!(looks_at_once.iter().all(|complete| *complete == json!(false)), "{looks_at_once:?}");
    let asked = bureau.api.count("list");
    assert_eq!((looks().await, bureau.api.count("list")), (json!(false), asked), "it is left alone");

    let id = bureau.ends(&ada, json!({})).await;
    bureau.until(&id, "ended").await;
    assert_eq!(bureau.api.revoked(), [ada.sid]);
}
