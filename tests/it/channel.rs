//! The channel: the handshake, the first message, and what keeps it open.

use std::time::Duration;

use serde_json::json;
use tokio_tungstenite::tungstenite::Error;

use crate::hub::{NOTES, TestHub};
use crate::stories::{id_token, logout_token};
use crate::tab::Tab;

fn status(refused: Result<Tab, Error>) -> u16 {
    match refused {
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(other) => panic!("no answer: {other}"),
        Ok(_) => panic!("the handshake went through"),
    }
}

#[tokio::test]
async fn a_page_of_nobodys_is_refused_before_the_upgrade() {
    let hub = TestHub::start().await;
    for origin in ["https://evil.example", "null", "https://notes.example.evil", "https://notes.example:444"] {
        assert_eq!(status(Tab::try_open(&hub, Some(origin), Some("slo.v1")).await), 403, "{origin}");
    }
}

#[tokio::test]
async fn without_the_subprotocol_it_is_a_bad_request() {
    let hub = TestHub::start().await;
    assert_eq!(status(Tab::try_open(&hub, Some(NOTES), None).await), 400);
    assert_eq!(status(Tab::try_open(&hub, Some(NOTES), Some("slo.v2")).await), 400);
    assert!(Tab::try_open(&hub, Some(NOTES), Some("slo.v2, slo.v1")).await.is_ok());
}

#[tokio::test]
async fn a_live_channel_is_told_whose_it_is() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (_tab, welcome) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    assert_eq!(welcome["issuer"], hub.issuer.url());
    assert_eq!((welcome["client_id"].as_str(), welcome["sub"].as_str()), (Some("notes"), Some("ada")));
    assert_eq!(welcome["sid"], ada.sid.as_str());
    assert!((25..=30).contains(&welcome["heartbeat_seconds"].as_u64().unwrap()));
    assert_eq!(welcome.get("idle_timeout_seconds"), None, "idle sign-out is off");
}

#[tokio::test]
async fn a_token_without_a_sid_listens_for_its_person() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = hub.issuer.id_token(&ada, "notes").without("sid").sign();
    let (mut tab, welcome) = Tab::live(&hub, NOTES, &token).await;
    assert_eq!(welcome.get("sid"), None);
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    tab.heard_nothing(&token).await;
    hub.desk_reports(json!({"scope": "user", "sub": "ada"})).await.expect(201);
    tab.logged_out().await;
}

#[tokio::test]
async fn a_live_channel_stays_when_its_token_expires() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut tab, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    hub.advance(Duration::from_secs(30 * 24 * 3600));
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    tab.logged_out().await;
}

#[tokio::test]
async fn a_channel_renewed_with_a_fresh_token_goes_on() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut tab, first) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    hub.advance(Duration::from_secs(100));
    tab.subscribe(&id_token(&hub, &ada, "notes")).await;
    let again = tab.frame().await;
    assert_eq!(again["type"], "subscribed");
    assert_ne!(again["resume"], first["resume"]);
    hub.reports(&id_token(&hub, &ada, "notes"), NOTES, json!({})).await.expect(201);
    tab.logged_out().await;
}

#[tokio::test]
async fn keys_that_cannot_be_had_do_not_close_a_channel_that_is_open() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut tab, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    hub.issuer.rotate_keys();
    hub.issuer.fail_with(503);
    tab.subscribe(&id_token(&hub, &ada, "notes")).await;
    assert_eq!(tab.frame().await["error"], "try_later");
    hub.desk_reports(json!({"sid": ada.sid})).await.expect(201);
    tab.logged_out().await;
}

#[tokio::test]
async fn an_acknowledgement_of_what_is_not_ones_own_is_an_error_and_nothing_more() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let (mut tab, _) = Tab::live(&hub, NOTES, &token).await;
    let graces = hub.desk_reports(json!({"sid": "graces"})).await.expect(201);
    tab.ack(&graces).await;
    assert_eq!(tab.frame().await["code"], "not_found");
    tab.heard_nothing(&token).await;
}

#[tokio::test]
async fn an_acknowledgement_that_names_no_logout_is_an_error_and_nothing_more() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let (mut tab, _) = Tab::live(&hub, NOTES, &token).await;
    for message in [json!({"type": "ack"}), json!({"type": "ack", "id": 7}), json!({"type": "ack", "id": "x"})] {
        tab.send(&message).await;
        let frame = tab.frame().await;
        assert_eq!((frame["error"].as_str(), frame["code"].as_str()), (Some("bad_message"), Some("bad_id")));
    }
    tab.heard_nothing(&token).await;
}

#[tokio::test]
async fn a_tab_is_told_one_heartbeat_however_often_it_renews() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let (mut tab, welcome) = Tab::live(&hub, NOTES, &token).await;
    for _ in 0..20 {
        tab.subscribe(&token).await;
        assert_eq!(tab.frame().await["heartbeat_seconds"], welcome["heartbeat_seconds"]);
    }
}

#[tokio::test]
async fn a_socket_that_answers_no_ping_is_closed_with_4000() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut tab, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    // Nothing on this side reads, so nothing answers the pings; with the clock stopped
    // the heartbeats come at once.
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(90)).await;
    tokio::time::resume();
    assert_eq!(tab.closed().await, (4000, "no_pong".to_owned()));
}

#[tokio::test]
async fn a_socket_that_answers_pings_stays() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let (mut tab, _) = Tab::live(&hub, NOTES, &token).await;
    tokio::time::pause();
    tab.pings(8).await;
    tokio::time::resume();
    tab.heard_nothing(&token).await;
}
