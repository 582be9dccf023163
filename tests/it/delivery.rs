//! What is posted to which back end, and what the receipt says of it.

use serde_json::{Value, json};
use slo_hub::domain::ids::{Issuer, LogoutId};

use crate::hub::{Answer, NOTES, SHOP, TestHub};
use crate::own_tokens::part;
use crate::receiver::{Receiver, Says, app};
use crate::stories::{everywhere, id_token, logout_token};
use crate::tab::Tab;

/// A hub with Crm, which takes the issuer's tokens, and Mail, which takes the hub's.
pub struct Office {
    pub hub: TestHub,
    pub crm: Receiver,
    pub mail: Receiver,
}

impl Office {
    pub async fn open() -> Self {
        let (crm, mail) = (Receiver::start().await, Receiver::start().await);
        let hub = TestHub::start_with(&(crm.app("crm", "issuer") + &mail.app("mail", "hub"))).await;
        Self { hub, crm, mail }
    }

    /// The id of the last logout that was recorded.
    pub async fn last_id(&self) -> String {
        last_id(&self.hub).await
    }

    /// Ada's session ends, by Notes; says the logout's id.
    pub async fn ends_by_notes(&self) -> String {
        let ada = self.hub.issuer.sign_in("ada");
        let done = self.hub.reports(&id_token(&self.hub, &ada, "notes"), NOTES, json!({})).await.expect(201);
        done["id"].as_str().unwrap().to_owned()
    }

    pub async fn until(&self, id: &str, client_id: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        until(&self.hub, id, client_id, what, is_so).await
    }

    /// Waits until a back end has confirmed.
    pub async fn until_done(&self, id: &str, client_id: &str) -> Value {
        self.until(id, client_id, "acknowledged", |row| row["status"] == "acknowledged").await
    }

    /// Waits until so many attempts are written down.
    pub async fn until_tried(&self, id: &str, client_id: &str, attempts: u64) -> Value {
        self.until(id, client_id, "tried", |row| row["attempts"] == attempts).await
    }
}

async fn last_id(hub: &TestHub) -> String {
    let issuer = Issuer::parse(hub.issuer.url()).unwrap();
    let log = hub.running.hub.store.logouts_after(&issuer, 0, 1_000).await.unwrap();
    log.last().unwrap().1.id.to_string()
}

/// The receipt's row of an app's back end.
fn row(receipt: &Value, client_id: &str) -> Option<Value> {
    let mut rows = receipt["deliveries"].as_array().unwrap().iter();
    rows.find(|row| row["client_id"] == client_id && row["via"] == "backchannel").cloned()
}

/// Waits until an app's row of the receipt is as it should be.
pub async fn until(hub: &TestHub, id: &str, client_id: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let what = format!("{client_id} {what}");
    let receipt = hub.until_receipt(id, &what, |receipt| row(receipt, client_id).is_some_and(|row| is_so(&row))).await;
    row(&receipt, client_id).unwrap()
}

#[tokio::test]
async fn the_issuers_token_reaches_the_app_it_was_made_for_byte_for_byte_and_no_other() {
    let (crm, erp) = (Receiver::start().await, Receiver::start().await);
    let hub = TestHub::start_with(&(crm.app("crm", "issuer") + &erp.app("erp", "issuer"))).await;
    let ada = hub.issuer.sign_in("ada");
    let token = logout_token(&hub, &ada, "crm");
    hub.receives(&token).await.expect(200);

    let post = crm.post().await;
    assert_eq!(post.body, format!("logout_token={token}"));
    assert_eq!(post.path, "/slo?of=crm", "the query is the app's own");
    assert_eq!(post.headers["content-type"], "application/x-www-form-urlencoded");
    let id = last_id(&hub).await;
    let done = until(&hub, &id, "crm", "acknowledged", |row| row["status"] == "acknowledged").await;
    assert_eq!((done["attempts"].as_u64(), done["error"].as_str()), (Some(1), None));

    let own = logout_token(&hub, &ada, "erp");
    hub.receives(&own).await.expect(200);
    assert_eq!(erp.post().await.token(), own, "a repeat of the logout, and the first of this app");
    until(&hub, &id, "erp", "acknowledged", |row| row["status"] == "acknowledged").await;
    crm.has_nothing_more();
    erp.has_nothing_more();
}

#[tokio::test]
async fn a_token_for_several_apps_goes_to_each_of_them() {
    let (crm, erp) = (Receiver::start().await, Receiver::start().await);
    let hub = TestHub::start_with(&(crm.app("crm", "issuer") + &erp.app("erp", "issuer"))).await;
    let ada = hub.issuer.sign_in("ada");
    let token = hub.issuer.logout_token(&ada, "crm").with("aud", json!(["erp", "notes", "crm"])).sign();
    hub.receives(&token).await.expect(200);
    assert_eq!((crm.post().await.token(), erp.post().await.token()), (token.as_str(), token.as_str()));
}

#[tokio::test]
async fn an_app_is_passed_the_issuers_token_once_for_each_logout() {
    let office = Office::open().await;
    let ada = office.hub.issuer.sign_in("ada");
    let first = logout_token(&office.hub, &ada, "crm");
    for token in [first.clone(), first.clone(), logout_token(&office.hub, &ada, "crm")] {
        office.hub.receives(&token).await.expect(200);
    }
    let id = office.last_id().await;
    assert_eq!(office.crm.post().await.token(), first);
    office.until_done(&id, "crm").await;
    office.hub.receives(&logout_token(&office.hub, &ada, "crm")).await.expect(200);
    assert_eq!(office.mail.post().await.txn(), id);
    office.until_done(&id, "mail").await;
    office.crm.has_nothing_more();
    office.mail.has_nothing_more();
}

#[tokio::test]
async fn an_app_that_used_the_session_waits_for_its_token_from_the_moment_of_the_logout() {
    let office = Office::open().await;
    let hub = &office.hub;
    let ada = hub.issuer.sign_in("ada");
    hub.gets("/api/v1/session", &id_token(hub, &ada, "crm")).await.expect(200);
    hub.reports(&id_token(hub, &ada, "notes"), NOTES, json!({})).await.expect(201);
    let id = office.last_id().await;
    let receipt = hub.receipt(&id).await;
    assert_eq!(row(&receipt, "crm").unwrap()["status"], "pending");
    let ways: Vec<_> = receipt["deliveries"].as_array().unwrap().iter().map(|row| row["via"].as_str()).collect();
    assert_eq!(ways, [Some("backchannel"), Some("backchannel"), Some("websocket")], "crm, mail, notes: {receipt}");

    let token = logout_token(hub, &ada, "crm");
    hub.receives(&token).await.expect(200);
    assert_eq!(office.crm.post().await.token(), token);
    office.until_done(&id, "crm").await;
    assert_eq!(hub.receipt(&id).await["final"], true);
}

#[tokio::test]
async fn an_app_that_has_listened_is_waited_for_on_its_channel_as_well() {
    let office = Office::open().await;
    let hub = &office.hub;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(hub, &ada, "mail");
    hub.gets("/api/v1/session", &token).await.expect(200);
    let mut app = Tab::open(hub, None).await;
    app.subscribe(&token).await;
    assert_eq!(app.frame().await["type"], "subscribed");
    app.leave().await;
    hub.receives(&logout_token(hub, &ada, "notes")).await.expect(200);

    let id = office.last_id().await;
    office.until_done(&id, "mail").await;
    let receipt = hub.receipt(&id).await;
    let rows = receipt["deliveries"].as_array().unwrap();
    let states: Vec<_> = rows.iter().map(|row| (row["via"].as_str(), row["status"].as_str())).collect();
    let expected = [(Some("backchannel"), Some("acknowledged")), (Some("websocket"), Some("pending"))];
    assert_eq!(states, expected, "{receipt}");
    assert_eq!(receipt["notified"], 0, "a post is no channel");
}

#[tokio::test]
async fn a_token_at_the_very_end_of_its_life_is_still_passed_on() {
    let office = Office::open().await;
    let ada = office.hub.issuer.sign_in("ada");
    let token = office.hub.issuer.logout_token(&ada, "crm").moved("exp", -125).sign();
    office.hub.receives(&token).await.expect(200);
    assert_eq!(office.crm.post().await.token(), token, "taken because clocks differ, so worth an attempt");
}

#[tokio::test]
async fn the_hubs_own_token_tells_of_every_logout_from_wherever_it_came() {
    let office = Office::open().await;
    let hub = &office.hub;
    let names = ["page", "issuer", "back end", "link"].map(|_| hub.issuer.sign_in("ada"));
    let [page, issuer, back_end, link] = &names;
    hub.reports(&id_token(hub, page, "notes"), NOTES, json!({})).await.expect(201);
    told(&office, Some(&page.sid)).await;
    hub.receives(&logout_token(hub, issuer, "shop")).await.expect(200);
    told(&office, Some(&issuer.sid)).await;
    hub.desk_reports(json!({"sid": back_end.sid, "sub": "ada"})).await.expect(201);
    told(&office, Some(&back_end.sid)).await;
    let path = hub.url(&format!("/logout?id_token_hint={}", id_token(hub, link, "shop")));
    Answer::of(hub.http.get(path).header("sec-fetch-mode", "navigate")).await;
    told(&office, Some(&link.sid)).await;

    hub.reports(&id_token(hub, &hub.issuer.sign_in("ada"), "shop"), SHOP, json!({"scope": "user"})).await.expect(201);
    told(&office, None).await;
    hub.advance(std::time::Duration::from_secs(3600));
    let grace = hub.issuer.sign_in("ada");
    hub.receives(&everywhere(hub, &grace, "notes")).await.expect(200);
    told(&office, None).await;
    office.mail.has_nothing_more();
    office.crm.has_nothing_more();
}

/// Mail has been told of the last logout: of that session, or of the person.
async fn told(office: &Office, sid: Option<&str>) {
    let (id, post) = (office.last_id().await, office.mail.post().await);
    let header = part(post.token(), 0);
    assert_eq!((header["typ"].as_str(), header["alg"].as_str()), (Some("logout+jwt"), Some("ES256")));
    assert_eq!((post.txn(), post.claim("aud")), (id.clone(), json!("mail")));
    assert_eq!((post.claim("iss"), post.claim("sub")), (json!("https://logout.example"), json!("ada")));
    assert_eq!(post.claim("sid").as_str(), sid);
    assert!(LogoutId::parse(&id).is_ok());
    office.until_done(&id, "mail").await;
}

#[tokio::test]
async fn a_final_answer_closes_the_delivery_with_its_reason() {
    let office = Office::open().await;
    for status in [400, 401, 404, 410, 415] {
        office.mail.then(Says::Status(status));
        let id = office.ends_by_notes().await;
        let row = office.until(&id, "mail", "failed", |row| row["status"] == "failed").await;
        assert_eq!(row["error"], format!("refused: the app answered {status}"));
        assert_eq!(row["attempts"], 1);
        assert_eq!(office.mail.post().await.txn(), id);
    }
    office.hub.advance(std::time::Duration::from_secs(24 * 3600));
    office.ends_by_notes().await;
    assert_eq!(office.mail.post().await.txn(), office.last_id().await, "and the ones before came once");
    assert!((office.hub.metric("slo_hub_delivery_attempts_total{outcome=\"refused\"}") - 5.0).abs() < 0.1);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let office = Office::open().await;
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = format!("http://127.0.0.1:{}/stolen", office.crm.port);
        office.mail.then(Says::With(status, "location", elsewhere));
        let id = office.ends_by_notes().await;
        let row = office.until_tried(&id, "mail", 1).await;
        assert_eq!(row["error"], "the app answered with a redirect, which is not followed");
        assert_eq!(row["status"], "pending");
    }
    office.crm.has_nothing_more();
}

#[tokio::test]
async fn a_back_end_behind_a_public_name_is_not_sought_on_a_private_machine() {
    let hub = TestHub::start_with(&app("wiki", "https://wiki.example/slo", "hub")).await;
    let ada = hub.issuer.sign_in("ada");
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    let id = last_id(&hub).await;
    let row = until(&hub, &id, "wiki", "tried", |row| row["attempts"] == 1).await;
    assert_eq!(
        (row["status"].as_str(), row["error"].as_str()),
        (Some("pending"), Some("the app's name leads to a private address"))
    );
}

#[tokio::test]
async fn logouts_of_one_moment_are_all_posted() {
    let office = Office::open().await;
    let people: Vec<_> = (0..20).map(|_| office.hub.issuer.sign_in("ada")).collect();
    let tokens: Vec<_> = people.iter().map(|who| logout_token(&office.hub, who, "crm")).collect();
    futures_util::future::join_all(tokens.iter().map(async |token| office.hub.receives(token).await.expect(200))).await;
    let (mut passed_on, mut sids) = (Vec::new(), Vec::new());
    for _ in &tokens {
        passed_on.push(office.crm.post().await.token().to_owned());
        sids.push(office.mail.post().await.claim("sid").as_str().unwrap().to_owned());
    }
    let mut expected: Vec<_> = people.into_iter().map(|who| who.sid).collect();
    expected.sort();
    sids.sort();
    passed_on.sort();
    let mut tokens = tokens;
    tokens.sort();
    assert_eq!((passed_on, sids), (tokens, expected));
}

#[tokio::test]
async fn an_app_of_another_issuer_is_told_nothing() {
    let office = Office::open().await;
    let ada = office.hub.other.sign_in("ada");
    let token = office.hub.other.logout_token(&ada, "notes").sign();
    office.hub.receives(&token).await.expect(200);
    let id = office.ends_by_notes().await;
    assert_eq!(office.mail.post().await.txn(), id, "its own issuer's logout is the first it hears of");
    office.until_done(&id, "mail").await;
    office.mail.has_nothing_more();
}
