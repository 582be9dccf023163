//! Many back ends, some of which hang.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use slo_hub::delivery::DEADLINE;
use tokio::time::Instant;

use crate::hub::{NOTES, TestHub};
use crate::receiver::{Receiver, Says};
use crate::stories::{id_token, logout_token};

const APPS: usize = 100;

/// Waits until every app but one has been told of a logout; says how long that took.
async fn until_all_others_are_told(told: &Receiver, id: &str, since: Instant) -> Duration {
    let mut apps = BTreeSet::new();
    while apps.len() < APPS - 1 {
        let post = told.post().await;
        assert_eq!(post.txn(), id);
        apps.insert(post.claim("aud").as_str().unwrap().to_owned());
    }
    since.elapsed()
}

#[tokio::test]
async fn one_hundred_apps_with_one_that_hangs_the_others_are_told_within_a_second() {
    let (told, hanging) = (Receiver::start().await, Receiver::start().await);
    hanging.says(Says::Never);
    let mut apps = hanging.app("hanging", "hub");
    (1..APPS).for_each(|number| apps += &told.app(&format!("app{number}"), "hub"));
    let hub = TestHub::start_with(&apps).await;

    // As many logouts as would fill every place that the one that hangs could take.
    for round in 0..3 {
        let ada = hub.issuer.sign_in("ada");
        let started = Instant::now();
        let done = hub.reports(&id_token(&hub, &ada, "notes"), NOTES, json!({})).await.expect(201);
        let took = until_all_others_are_told(&told, done["id"].as_str().unwrap(), started).await;
        eprintln!("round {round}: ninety-nine back ends were told {took:?} after the report was sent");
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert_eq!(hanging.post().await.claim("aud"), json!("hanging"), "it was asked, and hangs");
    }
    told.has_nothing_more();
}

#[tokio::test]
async fn however_many_hang_each_app_that_answers_is_told() {
    let (told, hanging) = (Receiver::start().await, Receiver::start().await);
    hanging.says(Says::Never);
    let mut apps = told.app("mail", "hub");
    (0..30).for_each(|number| apps += &hanging.app(&format!("hanging{number}"), "hub"));
    let hub = TestHub::start_with(&apps).await;
    let started = Instant::now();
    // Each that hangs has more to do than places to do it in.
    let mut sids = BTreeSet::new();
    for _ in 0..12 {
        let ada = hub.issuer.sign_in("ada");
        hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
        assert_eq!(told.post().await.claim("sid"), json!(ada.sid));
        sids.insert(ada.sid);
    }
    assert_eq!(sids.len(), 12);
    assert!(started.elapsed() < DEADLINE, "none of them had been left by then");
}
