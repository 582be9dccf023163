//! Who sends too much, right or wrong: they are slowed or closed, nobody else is harmed, and
//! no valid logout is ever held back.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::hub::{Answer, DESK_SECRET, NOTES, TestHub};
use crate::stories::{id_token, logout_token};
use crate::tab::Tab;

/// Messages that a socket may send at once.
const BURST: usize = 2_000;

/// Valid logouts at the same moment that docs/limits.md promises to serve.
const BURST_OF_LOGOUTS: usize = 500;

/// Sends so many of the same, and sees that the socket is closed for it, and no other is.
async fn is_closed_for(message: &Message, count: usize) {
    let hub = TestHub::start().await;
    let (ada, grace) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("grace"));
    let (mut other, _) = Tab::live(&hub, NOTES, &id_token(&hub, &grace, "notes")).await;
    let (mut tab, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let mut sent = 0;
    while sent < count && tab.tries(message).await {
        sent += 1;
    }
    let last = loop {
        let frame = tab.frame().await;
        if frame["code"] != "bad_id" {
            break frame;
        }
    };
    assert_eq!((last["error"].as_str(), last["code"].as_str()), (Some("too_many"), Some("slow_down")), "{last}");
    assert_eq!(tab.closed().await, (4004, "too_many".to_owned()));
    hub.receives(&logout_token(&hub, &grace, "notes")).await.expect(200);
    other.logged_out().await;
    // Nor is the flooder's own logout held back: it hears of it when it comes back.
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    let mut back = Tab::open(&hub, Some(NOTES)).await;
    back.subscribe(&id_token(&hub, &ada, "notes")).await;
    back.logged_out().await;
}

#[tokio::test]
async fn a_flood_of_activity_is_closed_with_4004() {
    is_closed_for(&Message::text(json!({"type": "activity"}).to_string()), BURST + 200).await;
}

#[tokio::test]
async fn a_flood_of_acknowledgements_of_nothing_is_closed_with_4004() {
    is_closed_for(&Message::text(json!({"type": "ack", "id": "rubbish"}).to_string()), BURST + 200).await;
}

#[tokio::test]
async fn a_flood_of_pings_is_closed_with_4004() {
    is_closed_for(&Message::Ping(Bytes::from_static(b"there?")), BURST + 200).await;
}

#[tokio::test]
async fn a_flood_of_renewals_is_closed_with_4004_sooner() {
    let hub = TestHub::start().await;
    let token = id_token(&hub, &hub.issuer.sign_in("ada"), "notes");
    let (mut tab, _) = Tab::live(&hub, NOTES, &token).await;
    let renewal = Message::text(json!({"type": "subscribe", "token": token}).to_string());
    let mut renewed = 0;
    let last = loop {
        tab.tries(&renewal).await;
        let frame = tab.frame().await;
        if frame["type"] != "subscribed" {
            break frame;
        }
        renewed += 1;
    };
    assert_eq!(last["code"], "slow_down", "{last}");
    assert_eq!(tab.closed().await.0, 4004);
    assert!((150..220).contains(&renewed), "{renewed}");
}

#[tokio::test]
async fn a_thousand_messages_at_once_are_taken() {
    let hub = TestHub::start().await;
    let token = id_token(&hub, &hub.issuer.sign_in("ada"), "notes");
    let (mut tab, _) = Tab::live(&hub, NOTES, &token).await;
    for _ in 0..1_000 {
        tab.send(&json!({"type": "activity"})).await;
    }
    tab.heard_nothing(&token).await;
}

#[tokio::test]
async fn what_a_back_end_says_of_logouts_that_it_was_told_of_does_not_count() {
    let (hub, told) = (TestHub::start().await, 400);
    let report = |number: usize| hub.desk_reports(json!({"sid": format!("session-{number}")}));
    for answer in join_all((0..told).map(report)).await {
        answer.expect(201);
    }
    let mut feed = Tab::back_end(&hub, "desk", DESK_SECRET, Some("")).await;
    assert_eq!(feed.frame().await["type"], "subscribed");
    let mut last = Value::Null;
    for _ in 0..told {
        last = feed.logged_out().await;
        feed.ack(&last).await;
    }
    let is_done = |receipt: &Value| receipt["deliveries"][0]["status"] == "acknowledged";
    hub.until_receipt(last["id"].as_str().unwrap(), "acknowledged to the last", is_done).await;
    // From then on it has the burst that everyone has, as if it had said nothing yet.
    let ack = Message::text(json!({"type": "ack", "id": "rubbish"}).to_string());
    let mut sent = 0;
    while sent < BURST + 200 && feed.tries(&ack).await {
        sent += 1;
    }
    let mut answered = 0;
    let frame = loop {
        let frame = feed.frame().await;
        if frame["code"] != "bad_id" {
            break frame;
        }
        answered += 1;
    };
    assert!(answered >= BURST, "{answered}");
    assert_eq!((frame["code"].as_str(), feed.closed().await.0), (Some("slow_down"), 4004), "{frame}");
}

#[tokio::test]
async fn activity_and_acknowledgements_over_http_have_a_pace_and_logouts_have_none() {
    let hub = TestHub::start().await;
    let (ada, grace) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("grace"));
    let (token, others) = (id_token(&hub, &ada, "notes"), id_token(&hub, &grace, "notes"));
    let post = |path: &str, token: &str| {
        let request = hub.http.post(hub.url(path)).bearer_auth(token).header("origin", NOTES);
        Answer::of(request)
    };
    for _ in 0..12 {
        for answer in join_all((0..100).map(|_| post("/api/v1/session/activity", &token))).await {
            assert_eq!(answer.status, 204, "{answer:?}");
        }
    }
    post("/api/v1/session/activity", &token).await.refused(429, "slow_down", "slow_down");
    let ack = "/api/v1/logouts/01ARZ3NDEKTSV4RRFFQ69G5FAV/acks";
    post(ack, &token).await.refused(429, "slow_down", "slow_down");
    assert_eq!(post("/api/v1/session/activity", &others).await.status, 204, "another person");
    assert_eq!(hub.gets("/api/v1/session", &token).await.expect(200)["active"], true);
    hub.advance(Duration::from_secs(60));
    assert_eq!(post("/api/v1/session/activity", &token).await.status, 204, "a minute later");
    hub.reports(&token, NOTES, json!({})).await.expect(201);
}

#[tokio::test]
async fn every_valid_logout_is_served_while_its_address_is_held_back_for_what_fails() {
    let hub = TestHub::start_with("[limits]\ninvalid_requests_per_minute_per_ip = 5").await;
    for _ in 0..6 {
        hub.receives("rubbish").await;
    }
    hub.receives("rubbish").await.refused(429, "slow_down", "slow_down");
    let people: Vec<_> = (0..BURST_OF_LOGOUTS).map(|number| hub.issuer.sign_in(&format!("person-{number}"))).collect();
    let (by_issuer, rest) = people.split_at(BURST_OF_LOGOUTS / 2);
    let (by_app, by_back_end) = rest.split_at(BURST_OF_LOGOUTS / 4);
    let tokens: Vec<String> = by_issuer.iter().map(|person| logout_token(&hub, person, "notes")).collect();
    let own: Vec<String> = by_app.iter().map(|person| id_token(&hub, person, "notes")).collect();
    // What fails and what verifies, all at once, by every way in.
    let (posted, reported, ordered, refused) = tokio::join!(
        join_all(tokens.iter().map(|token| hub.receives(token))),
        join_all(own.iter().map(|token| hub.reports(token, NOTES, json!({})))),
        join_all(by_back_end.iter().map(|person| hub.desk_reports(json!({"sid": person.sid})))),
        join_all((0..200).map(|_| hub.receives("rubbish"))),
    );
    let statuses = |answers: &[Answer]| answers.iter().map(|answer| answer.status).collect::<BTreeSet<_>>();
    assert_eq!(statuses(&posted), BTreeSet::from([200]), "not one is to be 503");
    assert_eq!(statuses(&reported), BTreeSet::from([201]), "not one is to be 503");
    assert_eq!(statuses(&ordered), BTreeSet::from([201]), "not one is to be 503");
    assert_eq!(statuses(&refused), BTreeSet::from([429]));
    assert_eq!(hub.recorded().await, BURST_OF_LOGOUTS);
    let asked = id_token(&hub, &hub.issuer.sign_in("ada"), "notes");
    hub.reports(&asked, NOTES, json!({})).await.expect(201);
    hub.desk_reports(json!({"sid": "any"})).await.expect(201);
    Tab::live(&hub, NOTES, &id_token(&hub, &hub.issuer.sign_in("grace"), "notes")).await;
}
