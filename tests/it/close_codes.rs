//! Every close code of `slo.v1`, each brought about for real.

use std::time::Duration;

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::hub::{DESK_SECRET, NOTES, SHOP, TestHub};
use crate::stories::{id_token, logout_token};
use crate::tab::Tab;

#[tokio::test]
async fn a_socket_that_does_not_subscribe_in_time_is_closed_with_4002() {
    let hub = TestHub::start_with("[limits]\nsubscribe_timeout_seconds = 1").await;
    let mut tab = Tab::open(&hub, Some(NOTES)).await;
    tab.refused("subscribe_timeout", 4002).await;
}

#[tokio::test]
async fn what_is_no_message_is_closed_with_4500() {
    let hub = TestHub::start().await;
    for (text, code) in [
        ("hello".to_owned(), "bad_json"),
        ("[]".to_owned(), "bad_json"),
        ("{}".to_owned(), "unknown_type"),
        (json!({"type": "publish"}).to_string(), "unknown_type"),
        (r#"{"type":"subscribe","type":"subscribe"}"#.to_owned(), "duplicate_member"),
        (json!({"type": "subscribe"}).to_string(), "bad_subscribe"),
        (json!({"type": "ack", "id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}).to_string(), "subscribe_first"),
        (json!({"type": "activity"}).to_string(), "subscribe_first"),
        (json!({"type": "subscribe", "token": "x".repeat(17_000)}).to_string(), "too_large"),
    ] {
        let mut tab = Tab::open(&hub, Some(NOTES)).await;
        tab.send_raw(Message::text(text)).await;
        tab.refused(code, 4500).await;
    }
    let mut tab = Tab::open(&hub, Some(NOTES)).await;
    tab.send_raw(Message::binary(b"{}".to_vec())).await;
    tab.refused("bad_message", 4500).await;
}

#[tokio::test]
async fn a_bad_message_after_the_end_of_the_session_is_said_to_be_one() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut tab, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    tab.logged_out().await;
    tab.send_raw(Message::binary(b"{}".to_vec())).await;
    tab.refused("bad_message", 4500).await;
}

#[tokio::test]
async fn a_bad_message_on_a_live_channel_closes_it_too() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut tab, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    tab.send(&json!({"type": "later", "x": 1})).await;
    tab.refused("unknown_type", 4500).await;
}

#[tokio::test]
async fn a_token_that_breaks_a_rule_is_closed_with_4501() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let mut tab = Tab::open(&hub, Some(NOTES)).await;
    tab.subscribe("not.a.token").await;
    tab.refused("bad_base64", 4501).await;
    let mut tab = Tab::open(&hub, Some(NOTES)).await;
    tab.subscribe(&logout_token(&hub, &ada, "notes")).await;
    tab.refused("not_an_id_token", 4501).await;
    let (live, welcome) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    drop(live);
    let forged = welcome["resume"].as_str().unwrap().replacen(|c: char| c.is_ascii_lowercase(), "A", 9);
    let mut tab = Tab::open(&hub, Some(NOTES)).await;
    tab.subscribe(&forged).await;
    let frame = tab.frame().await;
    assert_eq!(frame["error"], "invalid_token", "{frame}");
    assert_eq!(tab.closed().await.0, 4501);
}

#[tokio::test]
async fn an_origin_or_a_client_that_may_not_is_closed_with_4503() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let mut tab = Tab::open(&hub, Some(SHOP)).await;
    tab.subscribe(&id_token(&hub, &ada, "notes")).await;
    tab.refused("invalid_origin", 4503).await;
    let mut tab = Tab::open(&hub, None).await;
    tab.subscribe(&id_token(&hub, &ada, "notes")).await;
    tab.refused("invalid_origin", 4503).await;
    let mut tab = Tab::back_end(&hub, "desk", "wrong", None).await;
    tab.refused("invalid_client", 4503).await;
    let mut tab = Tab::open(&hub, Some(NOTES)).await;
    tab.send(&json!({"type": "subscribe", "client_id": "desk", "secret": DESK_SECRET})).await;
    tab.refused("invalid_origin", 4503).await;
}

#[tokio::test]
async fn a_second_subscribe_for_another_session_is_closed_with_4509() {
    let hub = TestHub::start().await;
    let (laptop, phone) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("ada"));
    let (mut tab, _) = Tab::live(&hub, NOTES, &id_token(&hub, &laptop, "notes")).await;
    tab.subscribe(&id_token(&hub, &phone, "notes")).await;
    tab.refused("other_session", 4509).await;
}

#[tokio::test]
async fn too_many_channels_of_one_session_are_closed_with_4004() {
    let hub = TestHub::start_with("[limits]\nmax_connections_per_session = 2").await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let (first, _) = Tab::live(&hub, NOTES, &token).await;
    let (_second, _) = Tab::live(&hub, NOTES, &token).await;
    let mut third = Tab::open(&hub, Some(NOTES)).await;
    third.subscribe(&token).await;
    third.refused("too_many", 4004).await;
    first.leave().await;
    hub.until("the first has left", || hub.metric("slo_hub_sockets{via=\"websocket\"}") < 2.0).await;
    Tab::live(&hub, NOTES, &token).await;
}

#[tokio::test]
async fn too_many_channels_from_one_address_or_in_all_are_closed_with_4004() {
    for limit in ["max_connections_per_ip = 1", "max_connections = 1"] {
        let hub = TestHub::start_with(&format!("[limits]\n{limit}")).await;
        let ada = hub.issuer.sign_in("ada");
        let (_first, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
        let mut second = Tab::open(&hub, Some(NOTES)).await;
        second.refused("too_many", 4004).await;
    }
}

#[tokio::test]
async fn a_session_that_is_over_is_closed_with_4510_once_acknowledged() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut tab, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    let event = tab.logged_out().await;
    tab.ack(&event).await;
    assert_eq!(tab.closed().await, (4510, "logged_out".to_owned()));
}

#[tokio::test]
async fn a_session_that_is_over_is_closed_with_4510_after_five_seconds_without_an_acknowledgement() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    let mut tab = Tab::open(&hub, Some(NOTES)).await;
    tab.subscribe(&id_token(&hub, &ada, "notes")).await;
    tab.logged_out().await;
    tokio::time::pause();
    assert_eq!(tab.closed().await.0, 4510);
}

#[tokio::test]
async fn without_the_issuers_keys_it_is_4005() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    hub.issuer.rotate_keys();
    hub.issuer.fail_with(503);
    let mut tab = Tab::open(&hub, Some(NOTES)).await;
    tab.subscribe(&id_token(&hub, &ada, "notes")).await;
    tab.refused("keys_unavailable", 4005).await;
}

#[tokio::test]
async fn an_unknown_cursor_is_an_error_and_4500() {
    let hub = TestHub::start().await;
    for cursor in ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "rubbish"] {
        let mut feed = Tab::back_end(&hub, "desk", DESK_SECRET, Some(cursor)).await;
        feed.refused("unknown_cursor", 4500).await;
    }
}

#[tokio::test]
async fn a_hub_that_restarts_says_1012_to_everyone() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut live, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let mut fresh = Tab::open(&hub, Some(NOTES)).await;
    let mut feed = Tab::back_end(&hub, "desk", DESK_SECRET, None).await;
    feed.frame().await;
    hub.running.hub.tasks.stop();
    for tab in [&mut live, &mut fresh, &mut feed] {
        assert_eq!(tab.closed().await, (1012, "restarting".to_owned()));
    }
    tokio::time::timeout(Duration::from_secs(10), hub.running.stop()).await.expect("it ends within ten seconds");
}
