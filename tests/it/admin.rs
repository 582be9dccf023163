//! An administrator ends sessions: one, a person's, an app's, everyone's.

use std::time::Duration;

use serde_json::{Value, json};
use slo_hub::domain::clock::Clock;

use crate::account::{LAPTOP, PHONE, uses};
use crate::hub::{Answer, DESK_SECRET, NOTES, SHOP, TestHub};
use crate::receiver::Receiver;
use crate::stories::{everywhere, id_token};
use crate::tab::Tab;
use crate::wait::until;

/// What administrators show.
pub const TOKEN: &str = "an-administrators-token";
const MINUTE: Duration = Duration::from_secs(60);

/// A hub that has an administrator.
pub async fn governed() -> TestHub {
    TestHub::start_with(&format!("admin_token = \"{TOKEN}\"")).await
}

/// The administrator orders a logout at the first issuer.
pub async fn orders(hub: &TestHub, mut body: Value) -> Answer {
    body["issuer"] = hub.issuer.url().into();
    let request = hub.http.post(hub.admin_url("/api/v1/admin/logouts")).bearer_auth(TOKEN);
    Answer::of(request.header("content-type", "application/json").body(body.to_string())).await
}

/// What a logout would end: sessions, people, devices, apps.
pub async fn would_end(hub: &TestHub, mut body: Value) -> [u64; 4] {
    body["dry_run"] = true.into();
    let said = orders(hub, body).await.expect(200);
    assert_eq!((&said["dry_run"], said.get("id")), (&json!(true), None));
    counts(&said)
}

pub fn counts(said: &Value) -> [u64; 4] {
    ["sessions", "people", "devices", "apps"].map(|name| said[name].as_u64().unwrap())
}

pub async fn record(hub: &TestHub, id: &Value) -> Value {
    let path = format!("/api/v1/admin/logouts/{}", id.as_str().unwrap());
    Answer::of(hub.http.get(hub.admin_url(&path)).bearer_auth(TOKEN)).await.expect(200)
}

/// The record of a sweep, once it is done.
pub async fn until_done(hub: &TestHub, id: &Value) -> Value {
    until("the sweep is done", async || Some(record(hub, id).await).filter(|sweep| sweep["state"] == "done")).await
}

/// Whether a token's session is alive.
pub async fn is_active(hub: &TestHub, token: &str) -> bool {
    hub.gets("/api/v1/session", token).await.expect(200)["active"].as_bool().unwrap()
}

#[tokio::test]
async fn sessions_of_one_browser_are_on_one_device() {
    let hub = governed().await;
    for user_agent in [LAPTOP, LAPTOP, PHONE] {
        uses(&hub, &hub.issuer.sign_in("ada"), user_agent, &["notes"]).await;
    }
    uses(&hub, &hub.issuer.sign_in("eve"), LAPTOP, &["notes"]).await;
    hub.advance(MINUTE);
    assert_eq!(would_end(&hub, json!({"sub": "ada"})).await, [3, 1, 2, 1]);
    assert_eq!(would_end(&hub, json!({"everyone": true})).await, [4, 2, 3, 1], "Eve's laptop is not Ada's");

    let ended = orders(&hub, json!({"everyone": true})).await.expect(201);
    assert_eq!(counts(&until_done(&hub, &ended["id"]).await["expected"]), [4, 2, 3, 1]);
}

#[tokio::test]
async fn one_session_ends_in_every_app_at_once() {
    let hub = governed().await;
    let (laptop, phone) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("ada"));
    let (notes, shop) = (id_token(&hub, &laptop, "notes"), id_token(&hub, &laptop, "shop"));
    let other = id_token(&hub, &phone, "notes");
    let (mut in_notes, _) = Tab::live(&hub, NOTES, &notes).await;
    let (mut in_shop, _) = Tab::live(&hub, SHOP, &shop).await;
    let (mut on_phone, _) = Tab::live(&hub, NOTES, &other).await;
    hub.advance(MINUTE);
    let body = json!({"sid": laptop.sid});
    assert_eq!(would_end(&hub, body.clone()).await, [1, 1, 1, 2]);
    in_notes.heard_nothing(&notes).await;

    let answer = orders(&hub, body.clone()).await;
    let said = answer.expect(201);
    assert_eq!((counts(&said), &said["state"], &said["dry_run"]), ([1, 1, 1, 2], &json!("done"), &json!(false)));
    assert_eq!(answer.header("location"), format!("/api/v1/admin/logouts/{}", said["id"].as_str().unwrap()));
    for event in [in_notes.logged_out().await, in_shop.logged_out().await] {
        assert_eq!((&event["source"], &event["id"]), (&json!("admin"), &said["id"]));
        assert_eq!(event["reason"], "You were signed out by an administrator");
    }
    on_phone.heard_nothing(&other).await;
    assert_eq!(record(&hub, &said["id"]).await["deliveries"].as_array().unwrap().len(), 2, "its receipt");
    let again = orders(&hub, body).await.expect(200);
    assert_eq!((counts(&again), &again["id"]), ([0; 4], &said["id"]), "it was over already");
}

#[tokio::test]
async fn a_person_ends_everywhere_with_the_reason_that_was_given() {
    let hub = governed().await;
    let (laptop, phone, eve) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("ada"), hub.issuer.sign_in("eve"));
    let (mut on_laptop, _) = Tab::live(&hub, NOTES, &id_token(&hub, &laptop, "notes")).await;
    let (mut on_phone, _) = Tab::live(&hub, SHOP, &id_token(&hub, &phone, "shop")).await;
    let evas = id_token(&hub, &eve, "notes");
    let (mut of_eve, _) = Tab::live(&hub, NOTES, &evas).await;
    hub.advance(MINUTE);
    let body = json!({"sub": "ada", "reason": "Your account was closed"});
    assert_eq!(would_end(&hub, body.clone()).await, [2, 1, 2, 2]);
    let said = orders(&hub, body).await.expect(201);
    assert_eq!(counts(&said), [2, 1, 2, 2]);
    for event in [on_laptop.logged_out().await, on_phone.logged_out().await] {
        assert_eq!((&event["reason"], &event["scope"]), (&json!("Your account was closed"), &json!("user")));
    }
    of_eve.heard_nothing(&evas).await;
}

#[tokio::test]
async fn everyone_who_used_an_app_is_signed_out_of_all_their_apps() {
    let hub = governed().await;
    let (ada, eve) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("eve"));
    let (mut in_notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let (mut in_shop, _) = Tab::live(&hub, SHOP, &id_token(&hub, &ada, "shop")).await;
    let shopper = id_token(&hub, &eve, "shop");
    let (mut of_eve, _) = Tab::live(&hub, SHOP, &shopper).await;
    hub.advance(MINUTE);
    let body = json!({"client_id": "notes"});
    assert_eq!(would_end(&hub, body.clone()).await, [1, 1, 1, 2]);
    let said = orders(&hub, body).await.expect(201);
    assert_eq!((counts(&said), &said["state"]), ([1, 1, 1, 2], &json!("running")));
    let heard = [in_notes.logged_out().await, in_shop.logged_out().await];
    assert_eq!(heard[0]["id"], heard[1]["id"], "one logout of the session");
    let done = until_done(&hub, &said["id"]).await;
    assert_eq!((&done["sessions_ended"], &done["client_id"]), (&json!(1), &json!("notes")));
    assert_eq!(counts(&done["expected"]), [1, 1, 1, 2]);
    of_eve.heard_nothing(&shopper).await;
}

#[tokio::test]
async fn everyone_before_a_time_leaves_later_logins_and_other_issuers_alone() {
    let hub = governed().await;
    let (ada, eve) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("eve"));
    let (mut of_ada, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let (mut in_shop, _) = Tab::live(&hub, SHOP, &id_token(&hub, &ada, "shop")).await;
    let elsewhere = hub.other.id_token(&hub.other.sign_in("ada"), "notes").sign();
    let (mut at_other, _) = Tab::live(&hub, NOTES, &elsewhere).await;
    // Grace was signed out before, and counts no more.
    let grace = hub.issuer.sign_in("grace");
    Tab::live(&hub, NOTES, &id_token(&hub, &grace, "notes")).await.0.leave().await;
    hub.receives(&everywhere(&hub, &grace, "notes")).await.expect(200);
    hub.advance(MINUTE);
    let before = slo_hub::hub::event::rfc3339(hub.clock.now());
    hub.advance(MINUTE);
    let later = id_token(&hub, &eve, "notes");
    let (mut of_eve, _) = Tab::live(&hub, NOTES, &later).await;

    let body = json!({"everyone": true, "before": before});
    assert_eq!(would_end(&hub, body.clone()).await, [1, 1, 1, 2]);
    let said = orders(&hub, body.clone()).await.expect(201);
    of_ada.logged_out().await;
    in_shop.logged_out().await;
    assert_eq!(until_done(&hub, &said["id"]).await["sessions_ended"], 1);
    of_eve.heard_nothing(&later).await;
    at_other.heard_nothing(&elsewhere).await;
    assert_eq!(would_end(&hub, body).await, [0; 4], "nothing is left");
}

#[tokio::test]
async fn followers_of_the_log_and_back_ends_hear_of_each_session_of_a_sweep() {
    let mail = Receiver::start().await;
    let hub = TestHub::start_with(&format!("admin_token = \"{TOKEN}\"\n{}", mail.app("mail", "hub"))).await;
    let mut feed = Tab::back_end(&hub, "desk", DESK_SECRET, None).await;
    feed.frame().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    Tab::live(&hub, NOTES, &token).await.0.leave().await;
    hub.advance(MINUTE);
    orders(&hub, json!({"everyone": true})).await.expect(201);
    let heard = feed.logged_out().await;
    assert_eq!((&heard["sid"], &heard["source"]), (&json!(ada.sid), &json!("admin")));
    let post = mail.post().await;
    assert_eq!((post.claim("sid"), post.txn()), (json!(ada.sid), heard["id"].as_str().unwrap().to_owned()));
    assert!(!is_active(&hub, &token).await);
}
