//! Every logout has a receipt: which apps were told, and which confirmed.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use slo_hub::domain::clock::Clock as _;
use slo_hub::domain::ids::{ClientId, Issuer, LogoutId};
use slo_hub::domain::via::Via;
use slo_hub::store::DeliveryKey;

use crate::hub::{Answer, NOTES, SHOP, TestHub};
use crate::stories::{id_token, logout_token};
use crate::tab::Tab;

fn row<'a>(receipt: &'a Value, client_id: &str) -> &'a Value {
    let rows = receipt["deliveries"].as_array().unwrap();
    rows.iter().find(|row| row["client_id"] == client_id).unwrap_or_else(|| panic!("no {client_id} in {receipt}"))
}

/// Waits until an app's row says so: rows are written behind the answer.
async fn until(hub: &TestHub, id: &str, client_id: &str, status: &str) -> Value {
    hub.until_receipt(id, &format!("{client_id} {status}"), |receipt| row(receipt, client_id)["status"] == status).await
}

#[tokio::test]
async fn the_receipt_shows_who_was_told_and_who_confirmed() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let (shop, welcome) = Tab::live(&hub, SHOP, &id_token(&hub, &ada, "shop")).await;
    shop.leave().await;

    let done = hub.reports(&id_token(&hub, &ada, "notes"), NOTES, json!({})).await.expect(201);
    let id = done["id"].as_str().unwrap();

    let event = notes.logged_out().await;
    let receipt = until(&hub, id, "notes", "delivered").await;
    let (to_notes, to_shop) = (row(&receipt, "notes"), row(&receipt, "shop"));
    assert_eq!((to_notes["via"].as_str(), to_notes["name"].as_str()), (Some("websocket"), Some("Notes")));
    assert_eq!((to_shop["via"].as_str(), to_shop["status"].as_str()), (Some("websocket"), Some("pending")));
    assert_eq!(to_shop["attempts"], 0);

    notes.ack(&event).await;
    until(&hub, id, "notes", "acknowledged").await;
    let mut shop = Tab::open(&hub, Some(SHOP)).await;
    shop.subscribe(welcome["resume"].as_str().unwrap()).await;
    let event = shop.logged_out().await;
    shop.ack(&event).await;
    until(&hub, id, "shop", "acknowledged").await;
}

#[tokio::test]
async fn what_an_app_was_told_just_before_the_hub_stopped_stands_in_the_receipt() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let done = hub.reports(&id_token(&hub, &ada, "notes"), NOTES, json!({})).await.expect(201);
    notes.logged_out().await;

    let hub = hub.restart().await;

    let receipt = hub.receipt(done["id"].as_str().unwrap()).await;
    assert_eq!(row(&receipt, "notes")["status"], "delivered", "{receipt}");
}

#[tokio::test]
async fn apps_that_confirm_at_the_same_time_share_a_write() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let person = hub.running.hub.person(&token).await.unwrap();
    let done = hub.reports(&token, NOTES, json!({})).await.expect(201);
    let id = LogoutId::parse(done["id"].as_str().unwrap()).unwrap();
    let before = hub.running.hub.store.writer_counters().commands;

    let acks = (0..200).map(|_| hub.running.hub.write_ack(id, &person.sign_in, Via::WebSocket));
    assert!(join_all(acks).await.into_iter().all(|ack| ack.is_ok()));

    let written = hub.running.hub.store.writer_counters().commands - before;
    assert!(written < 20, "{written} writes for 200 acknowledgements");
    assert_eq!(row(&hub.receipt(&id.to_string()).await, "notes")["status"], "acknowledged");
}

#[tokio::test]
async fn one_device_that_confirms_does_not_confirm_for_another() {
    let hub = TestHub::start().await;
    let (laptop, phone) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("ada"));
    let (mut on_laptop, _) = Tab::live(&hub, NOTES, &id_token(&hub, &laptop, "notes")).await;
    let (on_phone, _) = Tab::live(&hub, NOTES, &id_token(&hub, &phone, "notes")).await;
    on_phone.leave().await;
    let done = hub.desk_reports(json!({"scope": "user", "sub": "ada"})).await.expect(201);

    let event = on_laptop.logged_out().await;
    on_laptop.ack(&event).await;
    assert_eq!(on_laptop.closed().await.0, 4510);

    let receipt = hub.receipt(done["id"].as_str().unwrap()).await;
    assert_eq!(row(&receipt, "notes")["status"], "pending", "the phone is still away");
}

#[tokio::test]
async fn a_receipt_is_its_owners() {
    let hub = TestHub::start().await;
    let (ada, grace) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("grace"));
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    let adas = id_token(&hub, &ada, "notes");
    let id = hub.reports(&adas, NOTES, json!({})).await.expect(200)["id"].clone();
    let path = format!("/api/v1/logouts/{}", id.as_str().unwrap());

    assert_eq!(hub.gets(&path, &adas).await.expect(200)["id"], id);
    hub.gets(&path, &id_token(&hub, &grace, "notes")).await.refused(404, "not_found", "not_found");
    let elsewhere = hub.other.session("ada", &ada.sid);
    let foreign = hub.other.id_token(&elsewhere, "notes").sign();
    hub.gets(&path, &foreign).await.refused(404, "not_found", "not_found");
    for unknown in ["/api/v1/logouts/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/api/v1/logouts/x"] {
        hub.gets(unknown, &adas).await.refused(404, "not_found", "not_found");
    }
}

#[tokio::test]
async fn an_acknowledgement_by_post_is_for_ones_own_logout_only() {
    let hub = TestHub::start().await;
    let (ada, grace) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("grace"));
    let token = id_token(&hub, &ada, "notes");
    let id = hub.reports(&token, NOTES, json!({})).await.expect(201)["id"].as_str().unwrap().to_owned();
    let ack = |token: String| {
        let path = hub.url(&format!("/api/v1/logouts/{id}/acks"));
        Answer::of(hub.http.post(path).bearer_auth(token).header("origin", NOTES))
    };
    ack(id_token(&hub, &grace, "notes")).await.refused(404, "not_found", "not_found");
    assert_eq!(ack(token).await.status, 204);
    until(&hub, &id, "notes", "acknowledged").await;
}

#[tokio::test]
async fn an_expired_token_speaks_for_a_session_that_is_over_and_for_no_other() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let old = id_token(&hub, &ada, "notes");
    hub.advance(Duration::from_secs(3 * 24 * 3600));
    // A session that began since; the old token is of another one of hers.
    let phone = hub.issuer.sign_in("ada");
    let phones = id_token(&hub, &phone, "notes");
    let id = hub.reports(&phones, NOTES, json!({})).await.expect(201)["id"].as_str().unwrap().to_owned();
    let posts =
        |path: String, token: String| Answer::of(hub.http.post(path).bearer_auth(token).header("origin", NOTES));
    let (receipt, acks) = (format!("/api/v1/logouts/{id}"), hub.url(&format!("/api/v1/logouts/{id}/acks")));
    let activity = hub.url("/api/v1/session/activity");

    hub.gets(&receipt, &old).await.refused(401, "invalid_token", "token_expired");
    posts(acks.clone(), old.clone()).await.refused(401, "invalid_token", "token_expired");
    posts(activity.clone(), old).await.refused(401, "invalid_token", "token_expired");

    hub.advance(Duration::from_secs(3 * 24 * 3600));
    assert_eq!(hub.gets(&receipt, &phones).await.expect(200)["id"], id.as_str(), "its own session is over");
    assert_eq!(posts(acks, phones.clone()).await.status, 204);
    assert_eq!(posts(activity, phones).await.status, 204, "there is nothing left to put off");
}

#[tokio::test]
async fn a_name_that_is_no_text_names_no_logout() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let ack = || hub.http.post(hub.url("/api/v1/logouts/%ff/acks")).header("origin", NOTES);
    hub.gets("/api/v1/logouts/%ff", "rubbish").await.refused(401, "invalid_token", "not_compact_jws");
    hub.gets("/api/v1/logouts/%ff", &token).await.refused(404, "not_found", "not_found");
    Answer::of(ack()).await.refused(401, "invalid_token", "missing_credentials");
    Answer::of(ack().bearer_auth(token)).await.refused(404, "not_found", "not_found");
}

#[tokio::test]
async fn attempts_at_a_back_end_are_not_counted_as_channels_that_heard() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let done = hub.reports(&id_token(&hub, &ada, "notes"), NOTES, json!({})).await.expect(201);
    let id = done["id"].as_str().unwrap();
    let key = |via| DeliveryKey {
        issuer: Issuer::parse(hub.issuer.url()).unwrap(),
        logout: LogoutId::parse(id).unwrap(),
        client_id: ClientId::parse("shop").unwrap(),
        sid: None,
        via,
    };
    let store = &hub.running.hub.store;
    store.telling(key(Via::Backchannel), hub.clock.now()).await.unwrap();
    store.unconfirmed(key(Via::Backchannel), "no answer", hub.clock.now()).await.unwrap();
    assert_eq!(hub.receipt(id).await["notified"], 0);
    store.told(key(Via::Sse), hub.clock.now()).await.unwrap();
    assert_eq!(hub.receipt(id).await["notified"], 1);
}
