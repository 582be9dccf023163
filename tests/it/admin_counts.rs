//! What an order reaches is counted for whoever gave it; nobody's logout waits for that.

use std::time::Duration;

use futures_util::FutureExt;
use serde_json::json;
use slo_hub::domain::ids::Issuer;
use slo_hub::hub::admin_logout::{Order, Whom};

use crate::account::{LAPTOP, uses};
use crate::admin::{governed, is_active, orders, until_done, would_end};
use crate::hub::TestHub;
use crate::records::Records;
use crate::stories::id_token;
use crate::wait::until;

const MINUTE: Duration = Duration::from_secs(60);
/// How many dry runs, and how many sweeps, may wait to be counted.
const WAIT_AT_MOST: usize = 8;

fn everyone(hub: &TestHub) -> Order {
    let issuer = Some(Issuer::parse(hub.issuer.url()).unwrap());
    Order { issuer, whom: Whom::Everyone, before: None, reason: None }
}

/// Waits until so many sweeps are on disk.
async fn until_ordered(hub: &TestHub, sweeps: i64) {
    let mut records = Records::of(hub.folder.path()).await;
    let are_there = async || (records.number("select count(*) from sweeps").await == sweeps).then_some(());
    until(&format!("there are {sweeps} sweeps"), are_there).await;
}

#[tokio::test]
async fn whoever_a_sweep_covers_is_signed_out_before_it_is_counted() {
    let hub = governed().await;
    let (ada, eve) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("eve"));
    let (known, unseen) = (id_token(&hub, &ada, "notes"), id_token(&hub, &eve, "notes"));
    assert!(is_active(&hub, &known).await);
    hub.advance(MINUTE);
    let no_count = hub.running.hub.sweeping.counting().await;
    let mut order = Box::pin(hub.running.hub.order_logout(everyone(&hub)));
    assert!(order.as_mut().now_or_never().is_none());
    until_ordered(&hub, 1).await;
    assert!(!is_active(&hub, &unseen).await);
    assert!(!is_active(&hub, &known).await);
    assert!(order.as_mut().now_or_never().is_none(), "it is not counted yet");
    drop(no_count);
    let ordered = order.await.unwrap();
    assert_eq!(ordered.counts.map(|counts| counts.sessions), Some(1), "who was known when it took effect");
    assert_eq!(until_done(&hub, &json!(ordered.id.to_string())).await["sessions_ended"], 2);
}

#[tokio::test]
async fn a_sweep_that_cannot_be_counted_is_acknowledged_and_ends_everyone() {
    let hub = governed().await;
    let ada = hub.issuer.sign_in("ada");
    uses(&hub, &ada, LAPTOP, &["notes"]).await;
    hub.advance(MINUTE);
    assert_eq!(would_end(&hub, json!({"everyone": true})).await, [1; 4]);
    // A count asks what Ada's browser is called; no logout does.
    let mut records = Records::of(hub.folder.path()).await;
    let damage = match records {
        Records::File(_) => "update sessions set user_agent = cast(x'ff' as text)",
        // A server takes no text that is none: there the column itself is another.
        Records::Schema(_) => "alter table sessions alter column user_agent type bytea using '\\xff'",
    };
    records.run(damage).await;
    let dry_run = orders(&hub, json!({"everyone": true, "dry_run": true})).await;
    dry_run.refused(503, "temporarily_unavailable", "store_unavailable");

    let answer = orders(&hub, json!({"everyone": true})).await;
    let said = answer.expect(201);
    let members: Vec<_> = said.as_object().unwrap().keys().collect();
    assert_eq!(members, ["dry_run", "id", "state"]);
    assert_eq!(answer.header("location"), format!("/api/v1/admin/logouts/{}", said["id"].as_str().unwrap()));
    let done = until_done(&hub, &said["id"]).await;
    assert_eq!((&done["sessions_ended"], done.get("expected")), (&json!(1), None));
}

#[tokio::test]
async fn a_dry_run_is_of_when_its_turn_comes_and_only_so_many_wait_for_theirs() {
    let hub = governed().await;
    let no_count = hub.running.hub.sweeping.counting().await;
    let order = everyone(&hub);
    let mut waiting: Vec<_> = (0..WAIT_AT_MOST).map(|_| Box::pin(hub.running.hub.foretell(&order))).collect();
    assert!(waiting.iter_mut().all(|dry_run| dry_run.as_mut().now_or_never().is_none()));
    let one_more = orders(&hub, json!({"everyone": true, "dry_run": true})).await;
    one_more.refused(503, "temporarily_unavailable", "busy");

    assert!(is_active(&hub, &id_token(&hub, &hub.issuer.sign_in("ada"), "notes")).await);
    drop(no_count);
    for counts in futures_util::future::join_all(waiting).await {
        assert_eq!(counts.unwrap().sessions, 1);
    }
    assert_eq!(would_end(&hub, json!({"everyone": true})).await, [1; 4], "there is room again");
}

#[tokio::test]
async fn where_too_many_sweeps_wait_to_be_counted_one_more_stands_without() {
    let hub = governed().await;
    let no_count = hub.running.hub.sweeping.counting().await;
    let mut waiting: Vec<_> =
        (0..WAIT_AT_MOST).map(|_| Box::pin(hub.running.hub.order_logout(everyone(&hub)))).collect();
    assert!(waiting.iter_mut().all(|order| order.as_mut().now_or_never().is_none()));
    until_ordered(&hub, 8).await;
    let one_more = orders(&hub, json!({"everyone": true})).await.expect(201);
    assert_eq!((one_more.get("sessions"), &one_more["state"]), (None, &json!("running")));
    drop(no_count);
    for ordered in futures_util::future::join_all(waiting).await {
        assert!(ordered.unwrap().counts.is_some());
    }
}
