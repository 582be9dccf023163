//! A back end's channel: every logout of its issuer, in order, from where it left off.

use serde_json::{Value, json};

use crate::hub::{Answer, DESK_SECRET, TestHub};
use crate::tab::Tab;

async fn feed(hub: &TestHub, after: Option<&str>) -> Tab {
    let mut feed = Tab::back_end(hub, "desk", DESK_SECRET, after).await;
    let welcome = feed.frame().await;
    assert_eq!((welcome["type"].as_str(), welcome["client_id"].as_str()), (Some("subscribed"), Some("desk")));
    assert_eq!((welcome.get("sid"), welcome.get("resume")), (None, None));
    feed
}

async fn end(hub: &TestHub, sid: &str) -> Value {
    hub.desk_reports(json!({"sid": sid})).await.expect(201)
}

#[tokio::test]
async fn a_back_end_hears_every_logout_of_its_issuer_from_now_on() {
    let hub = TestHub::start().await;
    end(&hub, "before").await;
    let mut feed = feed(&hub, None).await;
    let elsewhere = hub.other.sign_in("ada");
    hub.receives(&hub.other.logout_token(&elsewhere, "notes").sign()).await.expect(200);
    let (one, two) = (end(&hub, "one").await, end(&hub, "two").await);
    assert_eq!(feed.logged_out().await["id"], one["id"]);
    assert_eq!(feed.logged_out().await["id"], two["id"]);
}

#[tokio::test]
async fn a_back_end_takes_up_where_it_left_off() {
    let hub = TestHub::start().await;
    let mut all = Vec::new();
    for n in 0..150 {
        all.push(end(&hub, &format!("s{n}")).await["id"].clone());
    }
    let mut from_the_beginning = feed(&hub, Some("")).await;
    for id in &all {
        assert_eq!(from_the_beginning.logged_out().await["id"], *id);
    }
    let mut from_the_middle = feed(&hub, all[99].as_str()).await;
    for id in &all[100..] {
        assert_eq!(from_the_middle.logged_out().await["id"], *id);
    }
    let newest = end(&hub, "newest").await;
    assert_eq!(from_the_middle.logged_out().await["id"], newest["id"]);
}

#[tokio::test]
async fn a_back_end_that_was_told_stands_in_the_receipt() {
    let hub = TestHub::start().await;
    let mut feed = feed(&hub, None).await;
    let done = end(&hub, "one").await;
    feed.logged_out().await;
    for _ in 0..2_000 {
        let receipt = hub.receipt(done["id"].as_str().unwrap()).await;
        if receipt["deliveries"][0]["status"] == "delivered" {
            let row = &receipt["deliveries"][0];
            assert_eq!((row["client_id"].as_str(), row["attempts"].as_u64()), (Some("desk"), Some(1)));
            assert_eq!(receipt["notified"], 1);
            return;
        }
    }
    panic!("never delivered");
}

#[tokio::test]
async fn a_back_ends_acknowledgement_stands_in_the_receipt() {
    let hub = TestHub::start().await;
    let mut feed = feed(&hub, None).await;
    let done = end(&hub, "one").await;
    let event = feed.logged_out().await;
    feed.ack(&event).await;
    let confirmed = |receipt: &Value| receipt["deliveries"][0]["status"] == "acknowledged";
    let receipt = hub.until_receipt(done["id"].as_str().unwrap(), "acknowledged", confirmed).await;
    assert_eq!(receipt["deliveries"][0]["client_id"], "desk");
}

#[tokio::test]
async fn a_second_subscribe_on_a_feed_is_a_bad_message() {
    let hub = TestHub::start().await;
    let mut feed = feed(&hub, None).await;
    feed.send(&json!({"type": "subscribe", "token": "x"})).await;
    feed.refused("already_subscribed", 4500).await;
}

#[tokio::test]
async fn a_back_ends_secret_may_come_as_it_is_or_form_encoded() {
    let secret = "aB+c/d%2Be==0123456789";
    let extra = format!(
        "[[apps]]\nclient_id = \"till+1\"\nissuer = \"ISSUER\"\nname = \"Till\"\norigins = []\n\
         allow_no_origin = true\nsecret = \"{secret}\""
    );
    let hub = TestHub::start_with(&extra).await;
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let reports = |name: String, secret: String| {
        let request = hub.http.post(hub.url("/api/v1/logouts")).basic_auth(name, Some(secret));
        Answer::of(request.header("content-type", "application/json").body(r#"{"sid":"laptop"}"#))
    };
    reports("till+1".to_owned(), secret.to_owned()).await.expect(201);
    reports(encode("till+1"), encode(secret)).await.expect(200);
    reports("till+1".to_owned(), "aB c/d+e==0123456789".to_owned()).await.refused(
        401,
        "invalid_client",
        "invalid_client",
    );
}
