//! The same channel as server-sent events.

use std::time::Duration;

use reqwest::Response;
use serde_json::{Value, json};

use crate::hub::{Answer, NOTES, SHOP, TestHub};
use crate::stories::{id_token, logout_token};

pub struct Events {
    response: Response,
    text: String,
}

impl Events {
    pub async fn open(hub: &TestHub, origin: &str, token: &str) -> Self {
        let request = hub.http.get(hub.url("/api/v1/events")).bearer_auth(token).header("origin", origin);
        let response = request.header("accept", "text/event-stream").send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["access-control-allow-origin"], origin);
        Self { response, text: String::new() }
    }

    /// The next event: its name and its data. Comments are passed over.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n").map(|(a, b)| (a.to_owned(), b.to_owned())) {
                self.text = rest;
                if let Some((name, data)) = event.strip_prefix("event: ").and_then(|it| it.split_once("\ndata: ")) {
                    return Some((name.to_owned(), serde_json::from_str(data).unwrap()));
                }
                continue;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(10), self.response.chunk()).await;
            self.text += std::str::from_utf8(&chunk.expect("an event comes in time").unwrap()?).unwrap();
        }
    }
}

#[tokio::test]
async fn an_app_without_a_socket_hears_the_same() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let mut events = Events::open(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let (name, welcome) = events.next().await.unwrap();
    assert_eq!((name.as_str(), welcome["sid"].as_str()), ("subscribed", Some(ada.sid.as_str())));

    let done = hub.reports(&id_token(&hub, &ada, "shop"), SHOP, json!({})).await.expect(201);
    assert_eq!(done["notified"], 1);
    let (name, event) = events.next().await.unwrap();
    assert_eq!((name.as_str(), &event["id"]), ("slo-event", &done["id"]));

    let path = hub.url(&format!("/api/v1/logouts/{}/acks", done["id"].as_str().unwrap()));
    let ticket = welcome["resume"].as_str().unwrap();
    let ack = hub.http.post(path).bearer_auth(ticket).header("origin", NOTES);
    assert_eq!(Answer::of(ack).await.status, 204, "a ticket dies with the logout, but may still acknowledge it");
    let receipt = hub.receipt(done["id"].as_str().unwrap()).await;
    let rows = receipt["deliveries"].as_array().unwrap();
    let notes = rows.iter().find(|row| row["client_id"] == "notes").unwrap();
    assert_eq!((notes["via"].as_str(), notes["status"].as_str()), (Some("sse"), Some("acknowledged")), "{receipt}");
    assert_eq!(rows.iter().filter(|row| row["client_id"] == "notes").count(), 1, "{receipt}");
}

#[tokio::test]
async fn a_session_that_was_over_gets_its_event_first_and_the_stream_ends() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    let mut events = Events::open(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    assert_eq!(events.next().await.unwrap().0, "slo-event");
    tokio::time::pause();
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn what_can_be_refused_is_refused_before_the_stream_begins() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let get = || hub.http.get(hub.url("/api/v1/events")).header("accept", "text/event-stream");
    Answer::of(get()).await.refused(401, "invalid_token", "missing_credentials");
    Answer::of(get().bearer_auth("x.y.z")).await.refused(401, "invalid_token", "bad_base64");
    let elsewhere = get().bearer_auth(&token).header("origin", SHOP);
    Answer::of(elsewhere).await.refused(403, "invalid_origin", "invalid_origin");
    let json = hub.http.get(hub.url("/api/v1/events")).header("accept", "application/json").bearer_auth(&token);
    Answer::of(json).await.refused(406, "invalid_request", "not_acceptable");
    hub.advance(Duration::from_secs(3 * 24 * 3600));
    Answer::of(get().bearer_auth(&token)).await.refused(401, "invalid_token", "token_expired");
}

#[tokio::test]
async fn a_stream_is_open_without_an_origin_for_apps_that_have_none() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let request = hub.http.get(hub.url("/api/v1/events")).bearer_auth(id_token(&hub, &ada, "notes"));
    assert_eq!(request.header("accept", "text/html, Text/Event-Stream;q=0.9").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_hub_that_stops_ends_the_stream_without_an_event() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let mut events = Events::open(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    events.next().await.unwrap();
    hub.running.hub.tasks.stop();
    assert_eq!(events.next().await, None);
}
