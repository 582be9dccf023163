//! Two nodes of one hub: an app at one is an app at the other. They need a server for tests,
//! and have nothing to say without one.

use std::time::Duration;

use serde_json::{Value, json};
use slo_hub::app::Running;

use crate::hub::{Answer, NOTES, SHOP, TestHub};
use crate::records;
use crate::stories::id_token;
use crate::tab::Tab;

const IDLE: &str = "[session]\nidle_timeout_seconds = 900";
const ADMIN: &str = "an-administrators-token-0123456789";

/// Two nodes that have been up for a while, and know of each other.
async fn two_nodes(extra: &str) -> Option<(TestHub, Running)> {
    records::server()?;
    let here = TestHub::start_with(extra).await;
    let there = here.another_node().await;
    let (one, other) = (&here.running.hub.store, &there.hub.store);
    here.until("one of them leads", || one.leads() != other.leads()).await;
    for store in [one, other] {
        crate::wait::until("each knows of the other", async || (store.other_nodes().await == Ok(1)).then_some(()))
            .await;
    }
    Some((here, there))
}

/// A tab of that app, open and subscribed at the other node.
async fn tab_at(node: &Running, origin: &str, token: &str) -> Tab {
    let mut tab = Tab::try_open_at(node.public_addr, Some(origin), Some("slo.v1")).await.unwrap();
    tab.subscribe(token).await;
    assert_eq!(tab.frame().await["type"], "subscribed");
    tab
}

async fn next_is(tab: &mut Tab, kind: &str) -> Value {
    let frame = tab.frame().await;
    assert_eq!(frame["type"], kind, "{frame}");
    frame
}

#[tokio::test]
async fn a_logout_at_one_node_signs_out_the_apps_at_the_other_and_their_receipt_is_one() {
    let Some((here, there)) = two_nodes("").await else { return };
    let ada = here.issuer.sign_in("ada");
    let (notes, shop) = (id_token(&here, &ada, "notes"), id_token(&here, &ada, "shop"));
    let mut in_notes = tab_at(&there, NOTES, &notes).await;
    let (mut in_shop, _) = Tab::live(&here, SHOP, &shop).await;
    let answer = here.reports(&shop, SHOP, json!({})).await.expect(201);
    for tab in [&mut in_notes, &mut in_shop] {
        let event = tab.logged_out().await;
        assert_eq!(event["id"], answer["id"]);
    }
    let id = answer["id"].as_str().unwrap();
    let told = |receipt: &Value| {
        let deliveries = receipt["deliveries"].as_array().unwrap();
        deliveries.iter().filter(|it| it["status"] != "pending").count() == 2
    };
    here.until_receipt(id, "both were told", told).await;
    there.stop().await;
}

#[tokio::test]
async fn who_does_something_at_one_node_is_not_signed_out_at_the_other() {
    let Some((here, there)) = two_nodes(IDLE).await else { return };
    let look = async |seconds: u64| {
        here.advance(Duration::from_secs(seconds));
        for hub in [&here.running.hub, &there.hub] {
            hub.look_after_sessions().await;
        }
    };
    look(40).await;
    let ada = here.issuer.sign_in("ada");
    let (mut in_notes, _) = Tab::live(&here, NOTES, &id_token(&here, &ada, "notes")).await;
    let mut in_shop = tab_at(&there, SHOP, &id_token(&here, &ada, "shop")).await;
    look(0).await;
    look(840).await;
    for tab in [&mut in_notes, &mut in_shop] {
        assert_eq!(next_is(tab, "idle-warning").await["seconds_left"], 60);
    }
    in_shop.send(&json!({"type": "activity"})).await;
    for tab in [&mut in_shop, &mut in_notes] {
        next_is(tab, "idle-cancelled").await;
    }
    look(0).await; // and it is written
    look(70).await;
    assert_eq!(here.recorded().await, 0, "the countdown began anew");
    look(770).await;
    for tab in [&mut in_notes, &mut in_shop] {
        next_is(tab, "idle-warning").await;
    }
    look(60).await;
    look(0).await;
    let event = in_notes.logged_out().await;
    assert_eq!(event["source"], "idle");
    assert_eq!(in_shop.logged_out().await["id"], event["id"]);
    assert_eq!(here.recorded().await, 1, "one node has ended it");
    there.stop().await;
}

#[tokio::test]
async fn a_drill_at_one_node_reaches_the_apps_at_the_other() {
    let Some((here, there)) = two_nodes(&format!("admin_token = \"{ADMIN}\"")).await else { return };
    let ada = here.issuer.sign_in("ada");
    let mut in_notes = tab_at(&there, NOTES, &id_token(&here, &ada, "notes")).await;
    let (mut in_shop, _) = Tab::live(&here, SHOP, &id_token(&here, &ada, "shop")).await;
    let asks = here.http.post(here.admin_url("/api/v1/admin/drills")).bearer_auth(ADMIN);
    let body = json!({"issuer": here.issuer.url(), "sid": ada.sid});
    let asks = Answer::of(asks.header("content-type", "application/json").body(body.to_string()));
    let plays = async {
        for tab in [&mut in_notes, &mut in_shop] {
            let frame = next_is(tab, "rehearsal").await;
            tab.ack(&frame).await;
        }
    };
    let (drill, ()) = tokio::join!(asks, plays);
    let drill = drill.expect(200);
    for app in ["notes", "shop"] {
        let scene = drill["apps"].as_array().unwrap().iter().find(|it| it["client_id"] == app).unwrap();
        assert_eq!((&scene["status"], &scene["channels"]), (&json!("acknowledged"), &json!(1)), "{scene}");
    }
    there.stop().await;
}
