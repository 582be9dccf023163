//! A logout that did not come from the issuer ends the session there as well.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use serde_json::{Value, json};
use slo_hub::domain::clock::Clock as _;
use tokio::sync::Semaphore;

use crate::account::{self, LAPTOP, uses};
use crate::browser::Browser;
use crate::hub::{NOTES, TestHub};
use crate::management_fake::{FakeApi, SECRET, Says};
use crate::receiver::Receiver;
use crate::stories::{id_token, logout_token};
use crate::support::issuer::TestSession;
use crate::tab::Tab;

/// A hub that may ask its issuer's Management API.
pub struct Bureau {
    pub hub: TestHub,
    pub api: FakeApi,
}

impl Bureau {
    pub async fn open() -> Self {
        Self::open_with("").await
    }

    /// The same, with more tables in the configuration.
    pub async fn open_with(apps: &str) -> Self {
        Self::open_as("", apps).await
    }

    /// One whose hub signs people in to its own pages, too.
    pub async fn open_with_pages() -> Self {
        Self::open_as(account::CLIENT, "").await
    }

    async fn open_as(own: &str, apps: &str) -> Self {
        let management = format!("client_id = \"hub-m2m\"\nclient_secret = \"{SECRET}\"");
        let table = format!("{own}\n[issuers.auth0_management]\n{management}\n{apps}");
        let (hub, api) = (TestHub::start_with_issuer(&table).await, FakeApi::default());
        hub.issuer.also_serves(api.routes());
        Self { hub, api }
    }

    /// A person signs in, now.
    pub fn signs_in(&self, sub: &str) -> TestSession {
        self.catch_up();
        let who = self.hub.issuer.sign_in(sub);
        let now = DateTime::from_timestamp(self.hub.clock.now().floor().0, 0).unwrap();
        self.api.has(&who.sid, sub, &now.to_rfc3339());
        who
    }

    /// The issuer's clock runs by itself: the hub's is not to be behind it.
    fn catch_up(&self) {
        let behind = self.hub.issuer.now() * 1000 - self.hub.clock.now().0;
        self.hub.clock.advance(Duration::from_millis(u64::try_from(behind).unwrap_or(0)));
    }

    /// Notes reports that the session has ended; says the logout's id.
    pub async fn ends(&self, who: &TestSession, body: Value) -> String {
        let token = id_token(&self.hub, who, "notes");
        self.catch_up();
        let done = self.hub.reports(&token, NOTES, body).await.expect(201);
        done["id"].as_str().unwrap().to_owned()
    }

    pub async fn desk_ends(&self, body: Value) -> String {
        self.hub.desk_reports(body).await.expect(201)["id"].as_str().unwrap().to_owned()
    }

    /// Waits until the receipt says so of the session at the issuer.
    pub async fn until(&self, id: &str, status: &str) -> Value {
        self.hub.until_receipt(id, status, |receipt| receipt["issuer_session"]["status"] == status).await
    }

    /// Waits until an attempt has failed, and says how.
    pub async fn until_failing(&self, id: &str) -> String {
        let failing = |receipt: &Value| receipt["issuer_session"]["error"].is_string();
        let receipt = self.hub.until_receipt(id, "failing", failing).await;
        receipt["issuer_session"]["error"].as_str().unwrap().to_owned()
    }

    /// Waits until the API was asked that so often.
    pub async fn until_asked(&self, kind: &str, times: usize) {
        self.hub.until(kind, || self.api.count(kind) == times).await;
    }

    fn advance(&self, seconds: u64) {
        self.hub.advance(Duration::from_secs(seconds));
    }

    pub fn counted(&self, outcome: &str) -> f64 {
        self.hub.metric(&format!("slo_hub_issuer_ends_total{{outcome=\"{outcome}\"}}"))
    }
}

#[tokio::test]
async fn a_logout_that_an_app_reports_ends_the_session_there_and_needs_no_redirect_to_be_final() {
    let bureau = Bureau::open().await;
    let (ada, other) = (bureau.signs_in("auth0|ada"), bureau.signs_in("auth0|ada"));
    let id = bureau.ends(&ada, json!({})).await;
    let receipt = bureau.until(&id, "ended").await;
    assert_eq!((receipt["final"].as_bool(), receipt["issuer_session"].get("error")), (Some(true), None));
    assert_eq!((bureau.api.revoked(), bureau.api.lasting()), (vec![ada.sid.clone()], vec![other.sid.clone()]));
    assert_eq!(bureau.api.kinds(), ["token", "revoke"], "the token itself said whose session it is");

    bureau.hub.receives(&logout_token(&bureau.hub, &ada, "notes")).await.expect(200);
    assert_eq!(bureau.hub.recorded().await, 1, "what the issuer says of it is a repeat");
    assert!((bureau.counted("revoked") - 1.0).abs() < 0.1);
}

#[tokio::test]
async fn a_token_that_the_issuer_sends_before_it_answers_is_a_repeat_too() {
    let bureau = Bureau::open().await;
    let ada = bureau.signs_in("auth0|ada");
    let gate = Arc::new(Semaphore::new(0));
    bureau.api.then("revoke", Says::Held(Arc::clone(&gate)));
    let id = bureau.ends(&ada, json!({})).await;
    bureau.until_asked("revoke", 1).await;
    assert_eq!(bureau.hub.receipt(&id).await["issuer_session"], json!({"status": "pending"}));
    bureau.hub.receives(&logout_token(&bureau.hub, &ada, "notes")).await.expect(200);
    gate.add_permits(1);
    bureau.until(&id, "ended").await;
    assert_eq!(bureau.hub.recorded().await, 1);

    let [laptop, phone] = ["auth0|bob"; 2].map(|sub| bureau.signs_in(sub));
    bureau.api.then("revoke", Says::Status(202));
    bureau.api.then("revoke", Says::Held(Arc::clone(&gate)));
    let id = bureau.ends(&laptop, json!({"scope": "user"})).await;
    bureau.until_asked("revoke", 3).await;
    bureau.hub.receives(&logout_token(&bureau.hub, &phone, "notes")).await.expect(200);
    gate.add_permits(1);
    bureau.until(&id, "ended").await;
    assert_eq!(bureau.hub.recorded().await, 2, "also of a session that the hub has never seen");
}

#[tokio::test]
async fn a_logout_that_comes_from_the_issuer_asks_it_nothing() {
    let bureau = Bureau::open().await;
    let ada = bureau.signs_in("auth0|ada");
    bureau.hub.receives(&logout_token(&bureau.hub, &ada, "notes")).await.expect(200);
    let again = bureau.hub.desk_reports(json!({"sid": ada.sid})).await.expect(200);
    let receipt = bureau.hub.receipt(again["id"].as_str().unwrap()).await;
    assert_eq!((receipt.get("issuer_session"), receipt["final"].as_bool()), (None, Some(true)));
    bureau.advance(60);
    bureau.ends(&bureau.signs_in("auth0|bob"), json!({})).await;
    bureau.until_asked("revoke", 1).await;
    assert_eq!(bureau.api.lasting(), [ada.sid], "Bob's was the first that anybody asked about");
}

#[tokio::test]
async fn without_the_management_api_a_receipt_says_nothing_of_it() {
    let hub = TestHub::start().await;
    let done = hub.desk_reports(json!({"sid": "laptop"})).await.expect(201);
    let receipt = hub.receipt(done["id"].as_str().unwrap()).await;
    assert_eq!((receipt.get("issuer_session"), receipt["final"].as_bool()), (None, Some(false)));
}

#[tokio::test]
async fn sign_out_everywhere_revokes_each_session_of_that_time_and_leaves_a_later_one() {
    let bureau = Bureau::open().await;
    let [laptop, phone] = ["auth0|ada"; 2].map(|sub| bureau.signs_in(sub));
    let bob = bureau.signs_in("auth0|bob");
    bureau.api.always("list", Some(Says::Status(503)));
    let id = bureau.ends(&laptop, json!({"scope": "user"})).await;
    bureau.until_failing(&id).await;
    bureau.advance(60);
    let later = bureau.signs_in("auth0|ada");
    bureau.api.always("list", None);
    bureau.advance(60);

    let receipt = bureau.until(&id, "ended").await;
    assert_eq!((receipt["final"].as_bool(), receipt["scope"].as_str()), (Some(true), Some("user")));
    assert_eq!(bureau.api.revoked(), [laptop.sid.clone(), phone.sid.clone()], "their refresh tokens too");
    assert_eq!(bureau.api.lasting(), [bob.sid, later.sid]);
    for ended in [&laptop, &phone] {
        bureau.hub.receives(&logout_token(&bureau.hub, ended, "notes")).await.expect(200);
    }
    assert_eq!(bureau.hub.recorded().await, 1, "also of the phone, which the hub has never seen");
}

#[tokio::test]
async fn what_a_back_end_names_is_looked_for_on_the_persons_own_list() {
    let bureau = Bureau::open().await;
    let (ada, bob) = (bureau.signs_in("auth0|ada"), bureau.signs_in("auth0|bob"));
    let id = bureau.desk_ends(json!({"sid": bob.sid, "sub": "auth0|ada"})).await;
    let receipt = bureau.until(&id, "failed").await;
    assert_eq!(receipt["issuer_session"]["error"], "no session of this person has that id");
    assert_eq!(receipt["final"], false, "Bob is not barred from it");
    assert_eq!(bureau.api.kinds(), ["token", "list", "get"], "nothing but looked at");

    let id = bureau.desk_ends(json!({"sid": ada.sid, "sub": "auth0|ada"})).await;
    bureau.until(&id, "ended").await;
    let id = bureau.desk_ends(json!({"sid": "../users/auth0|bob", "sub": "auth0|ada"})).await;
    assert_eq!(bureau.until(&id, "ended").await["final"], true, "a session that is not there is over");
    assert_eq!(bureau.api.count("revoke"), 1, "and nothing is called to end it");
    let carol = bureau.signs_in("auth0|carol");
    let id = bureau.desk_ends(json!({"sid": carol.sid})).await;
    bureau.until(&id, "ended").await;
    assert_eq!((bureau.api.lasting(), bureau.api.revoked()), (vec![bob.sid], vec![ada.sid, carol.sid]));
}

#[tokio::test]
async fn a_session_that_the_hub_has_seen_of_somebody_else_is_refused_without_a_call() {
    let bureau = Bureau::open().await;
    let [bob, again] = ["auth0|bob"; 2].map(|sub| bureau.signs_in(sub));
    for seen in [&bob, &again] {
        uses(&bureau.hub, seen, LAPTOP, &["notes"]).await;
    }
    let id = bureau.desk_ends(json!({"sid": bob.sid, "sub": "auth0|ada"})).await;
    let receipt = bureau.until(&id, "failed").await;
    let why = "no session of this person has that id";
    assert_eq!(receipt["issuer_session"], json!({"status": "failed", "error": why}));
    assert_eq!((receipt["final"].as_bool(), bureau.api.kinds().len()), (Some(false), 0));

    let id = bureau.desk_ends(json!({"sid": again.sid, "sub": "auth0|bob"})).await;
    bureau.until(&id, "ended").await;
    assert_eq!(bureau.api.kinds(), ["token", "list", "revoke"], "that one is his");
}

#[tokio::test]
async fn a_refusal_is_noted_once_and_the_logout_stands() {
    let scope = json!({"message": "Insufficient scope", "errorCode": "insufficient_scope"});
    let json = |status, body| Says::With(status, "content-type", "application/json".to_owned(), body);
    for (says, why) in [
        (Says::Status(401), "the issuer does not take the hub's client_id and client_secret for its Management API"),
        (json(403, scope), "the hub's client at the issuer lacks the scope delete:sessions"),
        (json(400, json!({})), "the issuer's Management API does not take the request"),
    ] {
        let bureau = Bureau::open().await;
        let ada = bureau.signs_in("auth0|ada");
        bureau.api.always("revoke", Some(says));
        let (mut tab, _) = Tab::live(&bureau.hub, NOTES, &id_token(&bureau.hub, &ada, "notes")).await;
        let id = bureau.ends(&ada, json!({})).await;
        assert_eq!(tab.logged_out().await["id"], id.as_str());
        let receipt = bureau.until(&id, "failed").await;
        assert_eq!(receipt["issuer_session"], json!({"status": "failed", "error": why}));
        assert_eq!(receipt["final"], false);
        let asked = bureau.api.count("revoke");
        bureau.advance(3600);
        bureau.ends(&bureau.signs_in("auth0|bob"), json!({})).await;
        bureau.hub.until("Bob's is refused as well", || bureau.counted("refused") > 1.5).await;
        assert_eq!(bureau.api.count("revoke"), 2 * asked, "Ada's is not asked for again");
    }
}

#[tokio::test]
async fn trouble_is_tried_again_and_the_logout_stands_meanwhile() {
    let bureau = Bureau::open().await;
    let limited = Says::With(429, "retry-after", "120".to_owned(), json!({}));
    for (says, why, seconds) in [
        (limited, "the issuer's Management API asks for time: too many requests", 121),
        (Says::Status(502), "the issuer's Management API answered with a 5xx", 1),
        (Says::Status(302), "the issuer's Management API answered with an unexpected status", 1),
        (Says::Huge(1 << 20), "the issuer's Management API answered with more than is read", 1),
    ] {
        let ada = bureau.signs_in("auth0|ada");
        let token = id_token(&bureau.hub, &ada, "notes");
        bureau.api.then("revoke", says);
        let id = bureau.ends(&ada, json!({})).await;
        assert_eq!(bureau.until_failing(&id).await, why);
        let receipt = bureau.hub.receipt(&id).await;
        assert_eq!(
            (receipt["issuer_session"]["status"].as_str(), receipt["final"].as_bool()),
            (Some("pending"), Some(false))
        );
        assert_eq!(bureau.hub.gets("/api/v1/session", &token).await.expect(200)["active"], false);
        let asked = bureau.api.kinds().len();
        bureau.hub.advance(Duration::from_millis(seconds * 1000 - 1));
        assert_eq!(bureau.api.kinds().len(), asked, "{why}: not before its time");
        bureau.hub.advance(Duration::from_millis(1));
        assert_eq!(bureau.until(&id, "ended").await["final"], true);
        assert!(!bureau.api.lasting().contains(&ada.sid));
    }
}

#[tokio::test]
async fn what_never_succeeds_is_given_up_after_a_day_with_its_last_reason() {
    let bureau = Bureau::open().await;
    let ada = bureau.signs_in("auth0|ada");
    bureau.api.always("revoke", Some(Says::Status(503)));
    let id = bureau.ends(&ada, json!({})).await;
    bureau.until_failing(&id).await;
    bureau.advance(24 * 3600 - 1);
    bureau.until_asked("list", 1).await;
    assert_eq!(bureau.hub.receipt(&id).await["issuer_session"]["status"], "pending");
    bureau.advance(1);
    let receipt = bureau.until(&id, "failed").await;
    assert_eq!(receipt["issuer_session"]["error"], "the issuer's Management API answered with a 5xx");
    bureau.hub.until("it is counted", || bureau.counted("given_up") > 0.5).await;
}

#[tokio::test]
async fn what_was_under_way_when_the_hub_stopped_is_done_by_the_next_start() {
    let mut bureau = Bureau::open().await;
    let ada = bureau.signs_in("auth0|ada");
    bureau.api.then("revoke", Says::Never);
    let id = bureau.ends(&ada, json!({})).await;
    bureau.until_asked("revoke", 1).await;
    bureau.hub = bureau.hub.restart().await;
    assert_eq!(bureau.until(&id, "ended").await["final"], true);
    assert_eq!(bureau.api.revoked(), [ada.sid]);
}

#[tokio::test]
async fn a_tab_that_came_back_into_the_session_is_told_when_the_session_ends_there_at_last() {
    let bureau = Bureau::open().await;
    let ada = bureau.signs_in("auth0|ada");
    bureau.api.always("revoke", Some(Says::Status(503)));
    let id = bureau.ends(&ada, json!({})).await;
    bureau.until_failing(&id).await;
    bureau.advance(5);
    let (mut tab, first) = Tab::live(&bureau.hub, NOTES, &id_token(&bureau.hub, &ada, "notes")).await;
    assert_eq!(first["type"], "subscribed", "a login after the logout is not touched");
    bureau.api.always("revoke", None);
    bureau.advance(60);
    tab.logged_out().await;
    bureau.until(&id, "ended").await;
}

#[tokio::test]
async fn a_session_that_somebody_has_signed_in_to_anew_is_left_alone() {
    let bureau = Bureau::open().await;
    let ada = bureau.signs_in("auth0|ada");
    bureau.api.then("revoke", Says::Status(503));
    let id = bureau.ends(&ada, json!({})).await;
    bureau.until_failing(&id).await;
    bureau.api.authenticated(&ada.sid, "2999-01-01T00:00:00Z");
    bureau.advance(10);
    let receipt = bureau.until(&id, "failed").await;
    let why = "somebody has signed in to that session since; it was left alone";
    assert_eq!(receipt["issuer_session"], json!({"status": "failed", "error": why}));
    assert_eq!((receipt["final"].as_bool(), bureau.api.lasting()), (Some(false), vec![ada.sid]));
}

#[tokio::test]
async fn a_browser_on_its_way_to_the_issuer_has_its_turn_first() {
    let bureau = Bureau::open().await;
    let [back, astray] = ["auth0|ada"; 2].map(|sub| bureau.signs_in(sub));
    let mut ids = Vec::new();
    for who in [&back, &astray] {
        let token = id_token(&bureau.hub, who, "notes");
        bureau.catch_up();
        let uri = "https://notes.example/bye";
        let query = [("id_token_hint", token.as_str()), ("post_logout_redirect_uri", uri)];
        Browser::new(&bureau.hub).gets("/logout", &query).await;
        let id = bureau.hub.desk_reports(json!({"sid": who.sid})).await.expect(200);
        ids.push(id["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(bureau.hub.receipt(&ids[1]).await["issuer_session"], json!({"status": "pending"}));
    bureau.hub.receives(&logout_token(&bureau.hub, &back, "notes")).await.expect(200);
    assert_eq!(bureau.hub.receipt(&ids[0]).await["issuer_session"], json!({"status": "ended"}));
    bureau.advance(29);
    assert!(bureau.api.kinds().is_empty());
    bureau.advance(1);
    assert_eq!(bureau.until(&ids[1], "ended").await["final"], true);
    assert_eq!((bureau.api.count("revoke"), bureau.hub.recorded().await), (1, 2));
    assert_eq!(bureau.api.revoked(), [astray.sid]);
}

#[tokio::test]
async fn a_page_whose_browser_brings_apps_the_issuers_own_token_has_its_turn_first_too() {
    let crm = Receiver::start().await;
    let bureau = Bureau::open_with(&crm.app("crm", "issuer")).await;
    let [back, astray] = ["auth0|ada"; 2].map(|sub| bureau.signs_in(sub));
    bureau.ends(&back, json!({})).await;
    let id = bureau.ends(&astray, json!({})).await;
    let token = logout_token(&bureau.hub, &back, "crm");
    bureau.hub.receives(&token).await.expect(200);
    assert_eq!(crm.post().await.token(), token);
    bureau.advance(30);
    bureau.until(&id, "ended").await;
    assert_eq!((bureau.api.revoked(), bureau.api.count("revoke")), (vec![astray.sid], 1));
}

#[tokio::test]
async fn an_issuer_whose_clock_is_ahead_has_its_sessions_ended_all_the_same() {
    let bureau = Bureau::open().await;
    let [laptop, phone] = ["auth0|ada"; 2].map(|sub| bureau.signs_in(sub));
    let ahead = DateTime::from_timestamp(bureau.hub.clock.now().floor().0 + 50, 0).unwrap().to_rfc3339();
    bureau.api.authenticated(&phone.sid, &ahead);
    let id = bureau.ends(&laptop, json!({"scope": "user"})).await;
    bureau.until(&id, "ended").await;
    assert_eq!(bureau.api.revoked(), [laptop.sid, phone.sid]);
}
