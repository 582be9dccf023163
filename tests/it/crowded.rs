//! A session that has as many channels open as it may have.

use serde_json::json;

use crate::hub::{Answer, NOTES, SHOP, TestHub};
use crate::stories::{id_token, logout_token};
use crate::tab::Tab;

async fn crowded(at_most: usize) -> TestHub {
    TestHub::start_with(&format!("[limits]\nmax_connections_per_session = {at_most}")).await
}

#[tokio::test]
async fn whoever_comes_after_the_logout_is_told_though_every_seat_is_taken() {
    let hub = crowded(1).await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let (mut first, _) = Tab::live(&hub, NOTES, &token).await;
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    // Told, and not yet closed: it keeps its seat while it may still acknowledge.
    let event = first.logged_out().await;

    let mut second = Tab::open(&hub, Some(SHOP)).await;
    second.subscribe(&id_token(&hub, &ada, "shop")).await;
    assert_eq!(second.logged_out().await["id"], event["id"]);
    let stream = hub.http.get(hub.url("/api/v1/events")).bearer_auth(&token);
    assert_eq!(Answer::of(stream).await.status, 200, "by events too");
}

#[tokio::test]
async fn an_expired_token_of_a_crowded_session_is_asked_for_a_fresh_one() {
    let hub = crowded(1).await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let (_first, _) = Tab::live(&hub, NOTES, &token).await;
    hub.advance(std::time::Duration::from_secs(3 * 24 * 3600));
    let mut second = Tab::open(&hub, Some(NOTES)).await;
    second.subscribe(&token).await;
    second.refused("token_expired", 4003).await;
}

#[tokio::test]
async fn a_channel_is_renewed_though_every_seat_is_taken() {
    let hub = crowded(2).await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let (mut first, _) = Tab::live(&hub, NOTES, &token).await;
    let (mut second, _) = Tab::live(&hub, NOTES, &token).await;
    first.heard_nothing(&token).await;
    second.heard_nothing(&token).await;

    let mut third = Tab::open(&hub, Some(NOTES)).await;
    third.subscribe(&token).await;
    third.refused("too_many", 4004).await;
    let done = hub.reports(&token, NOTES, json!({})).await.expect(201);
    assert_eq!(done["notified"], 2);
    first.logged_out().await;
    second.logged_out().await;
}
