//! A sweep reaches whoever was away, whoever the hub had never seen, and everyone else
//! after whatever crash.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use slo_hub::domain::clock::{Clock, SystemClock, UnixSeconds};
use slo_hub::domain::ids::{ClientId, Issuer, Sid, Subject};
use slo_hub::domain::logout::SignIn;
use slo_hub::hub::admin_logout::{Order, Whom};
use slo_hub::store::Store;
use slo_hub::tasks::Tasks;
use tempfile::TempDir;
use tokio::sync::Semaphore;

use crate::admin::{TOKEN, counts, governed, is_active, orders, record, until_done, would_end};
use crate::hub::{Answer, NOTES, SHOP, TestHub};
use crate::issuer_ends::Bureau;
use crate::management_fake::Says;
use crate::process::HubProcess;
use crate::records::{self, Records};
use crate::stories::id_token;
use crate::support::issuer::TestIssuer;
use crate::tab::Tab;

const MINUTE: Duration = Duration::from_secs(60);

/// Opens a tab that must hear at once that its session is over.
async fn comes_back(hub: &TestHub, origin: &str, token: &str) -> Value {
    let mut tab = Tab::open(hub, Some(origin)).await;
    tab.subscribe(token).await;
    tab.logged_out().await
}

#[tokio::test]
async fn a_tab_that_slept_through_a_sweep_is_told_when_it_comes_back() {
    let hub = governed().await;
    let ada = hub.issuer.sign_in("ada");
    let (tab, welcome) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    tab.leave().await;
    hub.advance(MINUTE);
    let said = orders(&hub, json!({"everyone": true, "reason": "We were broken into"})).await.expect(201);
    until_done(&hub, &said["id"]).await;
    let hub = hub.restart().await;
    let heard = comes_back(&hub, NOTES, welcome["resume"].as_str().unwrap()).await;
    assert_eq!((&heard["reason"], &heard["source"]), (&json!("We were broken into"), &json!("admin")));
    let told = |receipt: &Value| receipt["deliveries"][0]["status"] == "delivered";
    let receipt = hub.until_receipt(heard["id"].as_str().unwrap(), "told Notes", told).await;
    assert_eq!(receipt["sid"], json!(ada.sid));
}

#[tokio::test]
async fn a_session_that_the_hub_had_never_seen_is_over_all_the_same() {
    let hub = governed().await;
    let (ada, eve) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("eve"));
    let (notes, shop, evas) =
        (id_token(&hub, &ada, "notes"), id_token(&hub, &ada, "shop"), id_token(&hub, &eve, "shop"));
    hub.advance(MINUTE);
    let body = json!({"client_id": "notes"});
    let said = orders(&hub, body).await.expect(201);
    assert_eq!(counts(&said), [0; 4]);
    until_done(&hub, &said["id"]).await;

    // Shop comes first: that this session was used in Notes nobody knows yet.
    let (mut in_shop, _) = Tab::live(&hub, SHOP, &shop).await;
    let heard = comes_back(&hub, NOTES, &notes).await;
    assert_eq!(in_shop.logged_out().await["id"], heard["id"], "now it is known, and Shop is told");
    assert_eq!(record(&hub, &heard["id"]).await["deliveries"].as_array().unwrap().len(), 2);
    assert!(is_active(&hub, &evas).await, "another session, in another app");

    hub.advance(MINUTE);
    let again = id_token(&hub, &hub.issuer.sign_in("ada"), "notes");
    assert!(is_active(&hub, &again).await, "whoever signs in later is let in");
}

#[tokio::test]
async fn a_token_refreshed_within_a_swept_session_stays_over_and_a_new_proof_does_not() {
    let hub = governed().await;
    let ada = hub.issuer.sign_in("ada");
    let proved_at = hub.issuer.now();
    let token = |auth_time: i64| hub.issuer.id_token(&ada, "notes").with("auth_time", json!(auth_time)).sign();
    assert!(is_active(&hub, &token(proved_at)).await);
    hub.advance(MINUTE);
    let said = orders(&hub, json!({"everyone": true})).await.expect(201);
    until_done(&hub, &said["id"]).await;
    let first = hub.gets("/api/v1/session", &token(proved_at)).await.expect(200);
    for _ in 0..2 {
        hub.advance(MINUTE);
        let again = hub.gets("/api/v1/session", &token(proved_at)).await.expect(200);
        assert_eq!((&again["active"], &again["logout"]["id"]), (&json!(false), &first["logout"]["id"]));
    }
    assert_eq!(hub.recorded().await, 1, "told of the same logout");
    assert!(is_active(&hub, &token(hub.issuer.now())).await);
}

#[tokio::test]
async fn people_whose_issuer_names_no_sessions_are_swept_too() {
    let hub = governed().await;
    let token = |sub: &str| hub.issuer.id_token(&hub.issuer.sign_in(sub), "notes").without("sid").sign();
    let (adas, evas) = (token("ada"), token("eve"));
    let (mut of_ada, _) = Tab::live(&hub, NOTES, &adas).await;
    let (of_eve, _) = Tab::live(&hub, NOTES, &evas).await;
    of_eve.leave().await;
    hub.advance(MINUTE);
    let body = json!({"client_id": "notes"});
    assert_eq!(would_end(&hub, body.clone()).await, [2, 2, 2, 1]);
    let said = orders(&hub, body).await.expect(201);
    assert_eq!(of_ada.logged_out().await["scope"], "user");
    assert_eq!(until_done(&hub, &said["id"]).await["sessions_ended"], 2);
    assert!(!is_active(&hub, &evas).await);
}

#[tokio::test]
async fn a_person_as_of_an_earlier_time_keeps_what_began_later() {
    let hub = governed().await;
    let (laptop, phone) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("ada"));
    let (mut on_laptop, _) = Tab::live(&hub, NOTES, &id_token(&hub, &laptop, "notes")).await;
    hub.advance(MINUTE);
    let before = slo_hub::hub::event::rfc3339(hub.clock.now());
    hub.advance(MINUTE);
    let later = id_token(&hub, &phone, "notes");
    let (mut on_phone, _) = Tab::live(&hub, NOTES, &later).await;
    let body = json!({"sub": "ada", "before": before});
    assert_eq!(would_end(&hub, body.clone()).await, [1, 1, 1, 1]);
    let said = orders(&hub, body).await.expect(201);
    assert_eq!(on_laptop.logged_out().await["scope"], "session");
    assert_eq!(until_done(&hub, &said["id"]).await["sub"], "ada");
    on_phone.heard_nothing(&later).await;
}

#[tokio::test]
async fn whoever_is_swept_is_told_also_while_nothing_can_be_written() {
    let hub = governed().await;
    let token = id_token(&hub, &hub.issuer.sign_in("ada"), "notes");
    hub.advance(MINUTE);
    let said = orders(&hub, json!({"everyone": true})).await.expect(201);
    until_done(&hub, &said["id"]).await;
    let lock = Records::locked(hub.folder.path()).await;
    assert_eq!(comes_back(&hub, NOTES, &token).await["id"], said["id"], "the sweep's own name stands in");
    lock.let_go().await;
    assert_ne!(comes_back(&hub, NOTES, &token).await["id"], said["id"], "a logout of its own");
}

#[tokio::test]
async fn other_logouts_are_not_held_up_by_a_sweep() {
    let hub = governed().await;
    fill(&hub.running.hub.store, hub.issuer.url(), 5_000).await;
    let ada = hub.other.sign_in("ada");
    hub.advance(MINUTE);
    let said = orders(&hub, json!({"everyone": true})).await.expect(201);
    hub.receives(&hub.other.logout_token(&ada, "notes").sign()).await.expect(200);
    assert_eq!(record(&hub, &said["id"]).await["state"], "running", "it went past the sweep");
    assert_eq!(until_done(&hub, &said["id"]).await["sessions_ended"], 5_000);
}

#[tokio::test]
async fn who_signs_out_while_the_issuer_is_busy_with_a_sweep_does_not_wait_for_it() {
    let bureau = Bureau::open().await;
    let hub = Arc::clone(&bureau.hub.running.hub);
    fill(&hub.store, bureau.hub.issuer.url(), 20).await;
    let ada = bureau.signs_in("auth0|ada");
    let token = id_token(&bureau.hub, &ada, "notes");
    let gate = Arc::new(Semaphore::new(0));
    bureau.api.always("list", Some(Says::Held(Arc::clone(&gate))));
    let issuer = Issuer::parse(bureau.hub.issuer.url()).unwrap();
    let order = Order { issuer: Some(issuer), whom: Whom::Everyone, before: None, reason: None };
    let ordered = hub.order_logout(order).await.unwrap();
    assert_eq!((ordered.counts.map(|counts| counts.sessions), ordered.goes_on), (Some(20), true));
    bureau.until_asked("list", 6).await;

    // Nobody had seen her session: the sweep has none of it.
    let done = bureau.hub.reports(&token, NOTES, json!({})).await.expect(201);
    bureau.until(done["id"].as_str().unwrap(), "ended").await;
    assert_eq!(bureau.api.revoked(), [ada.sid], "the sweep's are still under way");
    assert_eq!(bureau.api.count("list"), 6);

    gate.add_permits(10_000);
    // Where a busy disk has made an attempt fail, its time comes again.
    let are_all_ended = || {
        bureau.hub.advance(Duration::from_secs(1));
        bureau.counted("was_gone") > 19.5
    };
    bureau.hub.until("the sweep's are ended too", are_all_ended).await;
}

/// So many sessions of as many people in Notes, begun an hour ago.
async fn fill(store: &Store, issuer: &str, sessions: usize) {
    let began = SystemClock::start().now().floor().plus(-3600);
    let one = |number: usize| SignIn {
        issuer: Issuer::parse(issuer).unwrap(),
        client_id: ClientId::parse("notes").unwrap(),
        sub: Subject::parse(&format!("person {number}")).unwrap(),
        sid: Some(Sid::parse(&format!("session {number}")).unwrap()),
        issued_at: began,
        auth_time: Some(UnixSeconds(began.0)),
    };
    let seen = (0..sessions).map(async |number| store.see(&one(number), began.into()).await.unwrap());
    futures_util::future::join_all(seen).await;
}

#[tokio::test]
async fn a_sweep_that_was_acknowledged_survives_kill_9_and_ends_everyone_once() {
    const CROWD: u64 = 6_000;
    let (issuer, folder) = (TestIssuer::start().await, TempDir::new().unwrap());
    let url = records::url(folder.path());
    let store = Store::open(&url, &Tasks::default()).await.unwrap();
    fill(&store, issuer.url(), 6_000).await;
    store.close().await;

    let mut hub = HubProcess::start_with_admin_token(&issuer, folder.path(), TOKEN).await;
    let request = hub.http.post(hub.admin_url("/api/v1/admin/logouts")).bearer_auth(TOKEN);
    let request = request.header("content-type", "application/json").body(r#"{"everyone":true}"#);
    let said = Answer::of(request).await.expect(201);
    hub.kill();
    assert_eq!(counts(&said), [CROWD, CROWD, CROWD, 1]);
    let store = Store::open(&url, &Tasks::default()).await.unwrap();
    assert!(store.unfinished_sweep().await.unwrap().is_some(), "it was killed in the middle");
    store.close().await;

    let hub = HubProcess::start_with_admin_token(&issuer, folder.path(), TOKEN).await;
    let path = format!("/api/v1/admin/logouts/{}", said["id"].as_str().unwrap());
    hub.until("the sweep is done", async || {
        let sweep = Answer::of(hub.http.get(hub.admin_url(&path)).bearer_auth(TOKEN)).await.expect(200);
        sweep["state"] == "done"
    })
    .await;
    let sweep = Answer::of(hub.http.get(hub.admin_url(&path)).bearer_auth(TOKEN)).await.expect(200);
    assert_eq!((&sweep["sessions_ended"], &sweep["logouts_recorded"]), (&json!(CROWD), &json!(CROWD)));
}
