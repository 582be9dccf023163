//! Sessions that end by themselves: one clock for all apps, on whatever site.

use std::time::Duration;

use serde_json::{Value, json};
use slo_hub::domain::clock::Clock;
use slo_hub::domain::ids::{Issuer, Sid};
use slo_hub::hub::admin_logout::{Order, Whom};

use crate::hub::{Answer, NOTES, SHOP, TestHub};
use crate::stories::{id_token, logout_token};
use crate::support::issuer::TestSession;
use crate::tab::Tab;

const IDLE: &str = "[session]\nidle_timeout_seconds = 900";
const ABSOLUTE: &str = "[session]\nabsolute_timeout_seconds = 28800";

impl TestHub {
    /// So long passes, and the hub looks at its clock.
    pub async fn passes(&self, seconds: u64) {
        self.advance(Duration::from_secs(seconds));
        self.running.hub.look_after_sessions().await;
    }

    /// A hub of that configuration that has been up for so long that nothing waits for
    /// apps to come back.
    pub async fn settled(extra: &str) -> Self {
        let hub = Self::start_with(extra).await;
        hub.passes(40).await;
        hub
    }

    async fn session_of(&self, token: &str) -> Value {
        let request = self.http.get(self.url("/api/v1/session")).bearer_auth(token).header("origin", NOTES);
        Answer::of(request).await.expect(200)
    }

    async fn reports_activity(&self, token: &str, origin: &str) -> Answer {
        let request = self.http.post(self.url("/api/v1/session/activity")).bearer_auth(token).header("origin", origin);
        Answer::of(request).await
    }
}

/// Notes and Shop, on two sites, open in one session.
async fn two_apps(hub: &TestHub, ada: &TestSession) -> (Tab, Tab) {
    let (notes, welcome) = Tab::live(hub, NOTES, &id_token(hub, ada, "notes")).await;
    assert_eq!(welcome["idle_timeout_seconds"], 900, "{welcome}");
    let (shop, _) = Tab::live(hub, SHOP, &id_token(hub, ada, "shop")).await;
    hub.running.hub.look_after_sessions().await;
    (notes, shop)
}

async fn warned(tab: &mut Tab) -> u64 {
    let frame = tab.frame().await;
    assert_eq!(frame["type"], "idle-warning", "{frame}");
    frame["seconds_left"].as_u64().unwrap()
}

async fn calmed(tab: &mut Tab) {
    let frame = tab.frame().await;
    assert_eq!(frame, json!({"type": "idle-cancelled"}));
}

/// The person does something; the hub has heard it once it answers what comes next.
async fn acts(hub: &TestHub, tab: &mut Tab) {
    tab.send(&json!({"type": "activity"})).await;
    tab.send(&json!({"type": "ack", "id": "nothing"})).await;
    let frame = tab.frame().await;
    assert_eq!(frame["code"], "bad_id", "{frame}");
    hub.running.hub.look_after_sessions().await;
}

#[tokio::test]
async fn while_one_app_is_used_no_app_on_another_site_is_signed_out() {
    let hub = TestHub::settled(IDLE).await;
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, mut shop) = two_apps(&hub, &ada).await;
    for _ in 0..6 {
        hub.passes(600).await;
        acts(&hub, &mut notes).await;
    }
    let token = id_token(&hub, &ada, "shop");
    shop.heard_nothing(&token).await;
    assert_eq!(hub.recorded().await, 0);
}

#[tokio::test]
async fn when_nobody_does_anything_both_apps_count_down_and_sign_out() {
    let hub = TestHub::settled(IDLE).await;
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, mut shop) = two_apps(&hub, &ada).await;
    hub.passes(839).await;
    notes.heard_nothing(&id_token(&hub, &ada, "notes")).await;
    hub.passes(1).await;
    assert_eq!((warned(&mut notes).await, warned(&mut shop).await), (60, 60));

    hub.passes(59).await;
    assert_eq!(hub.recorded().await, 0, "not a second early");
    hub.passes(1).await;
    let (event, same) = (notes.logged_out().await, shop.logged_out().await);
    assert_eq!(event["id"], same["id"]);
    assert_eq!((&event["source"], &event["scope"]), (&json!("idle"), &json!("session")), "{event}");
    assert_eq!(event["reason"], "Signed out after 15 minutes without activity");

    notes.ack(&event).await;
    assert_eq!(notes.closed().await.0, 4510);
    let receipt = hub.receipt(event["id"].as_str().unwrap()).await;
    assert_eq!(receipt["reason"], event["reason"]);
    let rows = receipt["deliveries"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "{receipt}");

    hub.passes(3600).await;
    assert_eq!(hub.recorded().await, 1, "a session ends once");
}

#[tokio::test]
async fn to_stay_in_one_app_calms_all_of_them() {
    let hub = TestHub::settled(IDLE).await;
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, mut shop) = two_apps(&hub, &ada).await;
    hub.passes(850).await;
    assert_eq!((warned(&mut notes).await, warned(&mut shop).await), (60, 60));
    hub.passes(30).await;
    shop.send(&json!({"type": "activity"})).await;
    calmed(&mut notes).await;
    calmed(&mut shop).await;

    hub.passes(839).await;
    shop.heard_nothing(&id_token(&hub, &ada, "shop")).await;
    hub.passes(1).await;
    assert_eq!(warned(&mut notes).await, 60, "the whole time counts anew");
    assert_eq!(hub.recorded().await, 0);
}

#[tokio::test]
async fn an_app_without_a_socket_hears_the_same_and_can_stay_too() {
    let hub = TestHub::settled(IDLE).await;
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, _shop) = two_apps(&hub, &ada).await;
    let mut events = crate::sse::Events::open(&hub, SHOP, &id_token(&hub, &ada, "shop")).await;
    assert_eq!(events.next().await.unwrap().1["idle_timeout_seconds"], 900);
    hub.passes(840).await;
    assert_eq!(warned(&mut notes).await, 60);
    let warning = ("idle-warning".to_owned(), json!({"type": "idle-warning", "seconds_left": 60}));
    assert_eq!(events.next().await.unwrap(), warning);
    assert_eq!(hub.reports_activity(&id_token(&hub, &ada, "shop"), SHOP).await.status, 204);
    calmed(&mut notes).await;
    let calm = ("idle-cancelled".to_owned(), json!({"type": "idle-cancelled"}));
    assert_eq!(events.next().await.unwrap(), calm);
    hub.passes(840).await;
    assert_eq!(events.next().await.unwrap(), warning);
    hub.passes(60).await;
    let (name, event) = events.next().await.unwrap();
    assert_eq!((name.as_str(), &event["source"]), ("slo-event", &json!("idle")));
}

#[tokio::test]
async fn who_comes_while_the_others_are_warned_is_warned_with_the_time_that_is_left() {
    let hub = TestHub::settled(IDLE).await;
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, _shop) = two_apps(&hub, &ada).await;
    hub.passes(840).await;
    warned(&mut notes).await;
    hub.passes(25).await;
    let (mut late, _) = Tab::live(&hub, SHOP, &id_token(&hub, &ada, "shop")).await;
    assert_eq!(warned(&mut late).await, 35, "to come back is no activity");
    hub.passes(35).await;
    assert_eq!(late.logged_out().await["source"], "idle");
}

#[tokio::test]
async fn what_apps_do_by_themselves_is_no_activity() {
    let hub = TestHub::settled(IDLE).await;
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, welcome) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let ticket = welcome["resume"].as_str().unwrap().to_owned();
    for _ in 0..8 {
        hub.passes(100).await;
        let refreshed = id_token(&hub, &ada, "notes");
        notes.heard_nothing(&refreshed).await; // a renewing subscribe with a fresh token
        notes.heard_nothing(&ticket).await;
        Tab::live(&hub, SHOP, &id_token(&hub, &ada, "shop")).await.0.leave().await;
        assert_eq!(hub.session_of(&refreshed).await["active"], true);
    }
    hub.passes(40).await;
    assert_eq!(warned(&mut notes).await, 60);
    hub.passes(60).await;
    assert_eq!(notes.logged_out().await["source"], "idle");
}

#[tokio::test]
async fn a_new_sign_in_is_activity() {
    let hub = TestHub::settled(IDLE).await;
    let ada = hub.issuer.sign_in("ada");
    let signed_in_at = |hub: &TestHub| hub.issuer.now();
    let token = hub.issuer.id_token(&ada, "notes").with("auth_time", json!(signed_in_at(&hub))).sign();
    let (mut notes, _) = Tab::live(&hub, NOTES, &token).await;
    hub.passes(850).await;
    warned(&mut notes).await;
    let again = hub.issuer.id_token(&ada, "shop").with("auth_time", json!(signed_in_at(&hub))).sign();
    let (_shop, _) = Tab::live(&hub, SHOP, &again).await;
    hub.passes(61).await;
    calmed(&mut notes).await;
    assert_eq!(hub.recorded().await, 0);
}

#[tokio::test]
async fn a_session_whose_apps_are_all_closed_expires_too_and_whoever_comes_back_is_told() {
    let hub = TestHub::settled(IDLE).await;
    let ada = hub.issuer.sign_in("ada");
    let (notes, shop) = two_apps(&hub, &ada).await;
    notes.leave().await;
    shop.leave().await;
    let token = id_token(&hub, &ada, "notes");
    hub.passes(840).await;
    assert_eq!(hub.session_of(&token).await["active"], true);
    hub.passes(60).await;
    let over = hub.session_of(&token).await;
    assert_eq!((&over["active"], &over["logout"]["source"]), (&json!(false), &json!("idle")), "{over}");
    let mut back = Tab::open(&hub, Some(NOTES)).await;
    back.subscribe(&token).await;
    assert_eq!(back.logged_out().await["source"], "idle");
}

#[tokio::test]
async fn who_signs_in_again_after_that_begins_anew() {
    let hub = TestHub::settled(IDLE).await;
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, _shop) = two_apps(&hub, &ada).await;
    hub.passes(840).await;
    warned(&mut notes).await;
    hub.passes(60).await;
    notes.logged_out().await;
    hub.advance(Duration::from_secs(2));
    let (mut again, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    hub.passes(0).await;
    hub.passes(839).await;
    again.heard_nothing(&id_token(&hub, &ada, "notes")).await;
    hub.passes(1).await;
    assert_eq!(warned(&mut again).await, 60);
    hub.passes(60).await;
    again.logged_out().await;
    assert_eq!(hub.recorded().await, 2);
}

#[tokio::test]
async fn a_session_that_ended_otherwise_is_not_ended_again() {
    let hub = TestHub::settled(IDLE).await;
    let (ada, grace) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("grace"));
    let (mut adas, _shop) = two_apps(&hub, &ada).await;
    let (mut graces, _) = Tab::live(&hub, NOTES, &id_token(&hub, &grace, "notes")).await;
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    hub.reports(&id_token(&hub, &grace, "shop"), SHOP, json!({})).await.expect(201);
    adas.logged_out().await;
    graces.logged_out().await;
    for _ in 0..4 {
        hub.passes(900).await;
    }
    assert_eq!(hub.recorded().await, 2);
}

#[tokio::test]
async fn whatever_ended_a_session_who_signs_in_to_it_again_begins_anew() {
    let hub = TestHub::settled(IDLE).await;
    let at_issuer = |whom| {
        let issuer = Some(Issuer::parse(hub.issuer.url()).unwrap());
        hub.running.hub.order_logout(Order { issuer, whom, before: None, reason: None })
    };
    for (number, by) in ["page", "back end", "administrator", "sweep"].into_iter().enumerate() {
        let ada = hub.issuer.sign_in("ada");
        let (mut notes, _shop) = two_apps(&hub, &ada).await;
        hub.passes(800).await;
        match by {
            "page" => drop(hub.reports(&id_token(&hub, &ada, "shop"), SHOP, json!({})).await.expect(201)),
            "back end" => drop(hub.desk_reports(json!({"sid": ada.sid})).await.expect(201)),
            "sweep" => drop(at_issuer(Whom::Everyone).await.unwrap()),
            _ => drop(at_issuer(Whom::Session(Sid::parse(&ada.sid).unwrap())).await.unwrap()),
        }
        notes.logged_out().await;
        hub.advance(Duration::from_secs(2));
        let token = match by {
            // A sweep reaches sessions by when they began. By the hub's clock: the issuer's may be
            // ahead by part of a second.
            "sweep" => {
                let auth_time = hub.clock.now().floor().0;
                hub.issuer.id_token(&ada, "notes").with("auth_time", json!(auth_time)).sign()
            }
            _ => id_token(&hub, &ada, "notes"),
        };
        let (mut again, _) = Tab::live(&hub, NOTES, &token).await;
        hub.passes(0).await;
        hub.passes(839).await;
        again.heard_nothing(&token).await;
        hub.passes(1).await;
        assert_eq!(warned(&mut again).await, 60, "{by}");
        hub.passes(60).await;
        again.logged_out().await;
        assert_eq!(hub.recorded().await, 2 * (number + 1), "{by}");
    }
}

#[tokio::test]
async fn a_session_ends_at_its_greatest_age_however_busy_it_is() {
    let hub = TestHub::settled(ABSOLUTE).await;
    let ada = hub.issuer.sign_in("ada");
    let auth_time = hub.clock.now().floor().0 - 3600;
    let token = hub.issuer.id_token(&ada, "notes").with("auth_time", json!(auth_time)).sign();
    let (mut notes, welcome) = Tab::live(&hub, NOTES, &token).await;
    assert_eq!(welcome.get("idle_timeout_seconds"), None, "nothing to report activity for");
    hub.passes(7 * 3600 - 60).await;
    hub.passes(59).await;
    let refreshed = hub.issuer.id_token(&ada, "notes").with("auth_time", json!(auth_time)).sign();
    notes.heard_nothing(&refreshed).await;
    hub.passes(1).await;
    let event = notes.logged_out().await;
    assert_eq!(event["source"], "absolute", "{event}");
    assert_eq!(event["reason"], "Signed out after 8 hours, the longest that a session may last");
}

#[tokio::test]
async fn without_time_outs_nothing_ends_by_itself() {
    let hub = TestHub::settled("").await;
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    notes.send(&json!({"type": "activity"})).await;
    hub.passes(40 * 24 * 3600).await;
    notes.heard_nothing(&id_token(&hub, &ada, "notes")).await;
    assert_eq!(hub.recorded().await, 0);
}

#[tokio::test]
async fn a_token_that_names_no_session_is_not_timed_and_is_told_so() {
    let hub = TestHub::settled(IDLE).await;
    let ada = hub.issuer.sign_in("ada");
    let token = hub.issuer.id_token(&ada, "notes").without("sid").sign();
    let (mut notes, welcome) = Tab::live(&hub, NOTES, &token).await;
    assert_eq!(welcome.get("idle_timeout_seconds"), None, "{welcome}");
    hub.passes(840).await;
    hub.passes(60).await;
    notes.heard_nothing(&token).await;
}
