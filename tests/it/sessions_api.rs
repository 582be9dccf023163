//! An app's own account page lists and ends its person's sessions, by the API.

use serde_json::{Value, json};

use crate::account::{LAPTOP, PHONE, altered, uses};
use crate::hub::{Answer, NOTES, SHOP, TestHub};
use crate::stories::{id_token, logout_token};
use crate::support::issuer::TestSession;
use crate::tab::Tab;

const ALL: &str = "/api/v1/me/sessions";
const OTHERS: &str = "/api/v1/me/sessions?except=current";

/// Notes' token of somebody who proved who they are so many seconds ago.
fn proved(hub: &TestHub, who: &TestSession, ago: i64) -> String {
    hub.issuer.id_token(who, "notes").with("auth_time", json!(hub.issuer.now() - ago)).sign()
}

async fn lists(hub: &TestHub, token: &str) -> Value {
    let request = hub.http.get(hub.url(ALL)).bearer_auth(token).header("origin", NOTES).header("user-agent", LAPTOP);
    let answer = Answer::of(request).await;
    assert_eq!((answer.header("cache-control"), answer.header("access-control-allow-origin")), ("no-store", NOTES));
    answer.expect(200)["sessions"].clone()
}

async fn deletes(hub: &TestHub, path: &str, token: &str, origin: Option<&str>) -> Answer {
    let request = hub.http.delete(hub.url(path)).bearer_auth(token);
    Answer::of(origin.into_iter().fold(request, |request, origin| request.header("origin", origin))).await
}

/// The public name of a session.
async fn id_of(hub: &TestHub, token: &str, device: &str) -> String {
    let sessions = lists(hub, token).await;
    let named = sessions.as_array().unwrap().iter().find(|session| session["device"] == device);
    named.unwrap_or_else(|| panic!("no {device}: {sessions}"))["id"].as_str().unwrap().to_owned()
}

fn path_of(id: &str) -> String {
    format!("{ALL}/{id}")
}

#[tokio::test]
async fn an_app_lists_its_persons_sessions() {
    let hub = TestHub::start().await;
    let (laptop, phone, bob) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("ada"), hub.issuer.sign_in("bob"));
    uses(&hub, &laptop, LAPTOP, &["notes", "shop"]).await;
    uses(&hub, &phone, PHONE, &["notes"]).await;
    uses(&hub, &bob, PHONE, &["notes"]).await;

    let sessions = lists(&hub, &id_token(&hub, &laptop, "notes")).await;

    assert_eq!(sessions.as_array().unwrap().len(), 2, "{sessions}");
    let own = &sessions[0];
    assert_eq!((own["current"].as_bool(), own["device"].as_str()), (Some(true), Some("Chrome on macOS")));
    assert_eq!(own["apps"], json!([{"name": "Notes", "client_id": "notes"}, {"name": "Shop", "client_id": "shop"}]));
    let other = &sessions[1];
    assert_eq!((other["current"].as_bool(), other["active"].as_bool()), (Some(false), Some(true)));
    assert_eq!((other["device"].as_str(), other["address"].as_str()), (Some("Chrome on Android"), Some("127.0.0.1")));
    for time in ["started_at", "last_seen_at"] {
        assert!(other[time].as_str().unwrap().ends_with('Z'), "{other}");
    }
    assert!(!sessions.to_string().contains(&phone.sid), "a sid of another session leaves the hub nowhere");
}

#[tokio::test]
async fn an_app_ends_one_of_them_and_the_others_stay() {
    let hub = TestHub::start().await;
    let (laptop, phone) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("ada"));
    uses(&hub, &phone, PHONE, &["shop"]).await;
    let (mut shop, _) = Tab::live(&hub, SHOP, &id_token(&hub, &phone, "shop")).await;
    let token = proved(&hub, &laptop, 10);
    let id = id_of(&hub, &token, "Chrome on Android").await;

    let ended = deletes(&hub, &path_of(&id), &token, Some(NOTES)).await.expect(200);

    let event = shop.logged_out().await;
    assert_eq!((&event["source"], &event["sid"]), (&json!("session_api"), &json!(phone.sid)));
    assert_eq!(event["reason"], "You signed out from another device");
    assert_eq!((&ended["ended"][0]["session"], &ended["ended"][0]["logout"]["id"]), (&json!(id), &event["id"]));
    assert_eq!(ended["ended"][0]["notified"], 1);
    assert_eq!(lists(&hub, &token).await.as_array().unwrap().len(), 1);
    deletes(&hub, &path_of(&id), &token, Some(NOTES)).await.refused(404, "not_found", "not_found");
    assert_eq!(hub.gets("/api/v1/session", &token).await.expect(200)["active"], true);
}

#[tokio::test]
async fn the_receipt_of_what_was_ended_is_the_persons_to_read_and_nobody_elses() {
    let hub = TestHub::start().await;
    let (laptop, phone, bob) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("ada"), hub.issuer.sign_in("bob"));
    let (_tab, subscribed) = Tab::live(&hub, NOTES, &id_token(&hub, &laptop, "notes")).await;
    uses(&hub, &phone, PHONE, &["shop"]).await;
    let token = proved(&hub, &laptop, 0);
    let ended = deletes(&hub, OTHERS, &token, Some(NOTES)).await.expect(200);
    let path = format!("/api/v1/logouts/{}", ended["ended"][0]["logout"]["id"].as_str().unwrap());

    let receipt = hub.gets(&path, &token).await.expect(200);
    assert_eq!((&receipt["sid"], &receipt["deliveries"][0]["client_id"]), (&json!(phone.sid), &json!("shop")));
    for other in [&id_token(&hub, &bob, "notes"), subscribed["resume"].as_str().unwrap()] {
        hub.gets(&path, other).await.refused(404, "not_found", "not_found");
    }
    // What an app, or the issuer, has ended elsewhere stays that session's own.
    let tablet = hub.issuer.sign_in("ada");
    let done = hub.reports(&id_token(&hub, &tablet, "notes"), NOTES, json!({})).await.expect(201);
    let path = format!("/api/v1/logouts/{}", done["id"].as_str().unwrap());
    hub.gets(&path, &token).await.refused(404, "not_found", "not_found");
}

#[tokio::test]
async fn a_token_without_a_session_lists_and_ends_others_but_names_none_of_its_own() {
    let hub = TestHub::start().await;
    let (ada, phone) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("ada"));
    uses(&hub, &phone, PHONE, &["notes"]).await;
    let token = hub.issuer.id_token(&ada, "notes").without("sid").with("auth_time", json!(hub.issuer.now())).sign();
    assert_eq!(lists(&hub, &token).await[0]["id"], "current");
    let current = deletes(&hub, &path_of("current"), &token, Some(NOTES)).await;
    current.refused(400, "invalid_request", "bad_scope");
    assert_eq!(deletes(&hub, OTHERS, &token, Some(NOTES)).await.expect(200)["ended"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_app_ends_all_but_the_one_that_asks() {
    let hub = TestHub::start().await;
    let sessions: Vec<_> = (0..3).map(|_| hub.issuer.sign_in("ada")).collect();
    for session in &sessions {
        uses(&hub, session, PHONE, &["notes"]).await;
    }
    let token = proved(&hub, &sessions[0], 0);
    for path in [ALL, "/api/v1/me/sessions?except=", "/api/v1/me/sessions?except=none"] {
        deletes(&hub, path, &token, Some(NOTES)).await.refused(400, "invalid_request", "bad_except");
    }
    assert_eq!(hub.recorded().await, 0);
    let ended = deletes(&hub, OTHERS, &token, Some(NOTES)).await.expect(200);
    assert_eq!(ended["ended"].as_array().unwrap().len(), 2);
    assert_eq!(deletes(&hub, OTHERS, &token, Some(NOTES)).await.expect(200)["ended"], json!([]), "none is left");
    assert_eq!(hub.recorded().await, 2);
}

#[tokio::test]
async fn an_app_ends_the_session_that_asks_by_its_own_name_or_as_the_current_one() {
    let hub = TestHub::start().await;
    for by_name in [true, false] {
        let ada = hub.issuer.sign_in("ada");
        uses(&hub, &ada, LAPTOP, &["notes"]).await;
        let token = proved(&hub, &ada, 0);
        let id = if by_name { id_of(&hub, &token, "Chrome on macOS").await } else { "current".to_owned() };
        let ended = deletes(&hub, &path_of(&id), &token, Some(NOTES)).await.expect(200);
        assert_eq!(ended["ended"][0]["logout"]["sid"], json!(ada.sid));
        let again = Answer::of(hub.http.get(hub.url(ALL)).bearer_auth(&token)).await;
        again.refused(401, "invalid_token", "logged_out");
    }
}

#[tokio::test]
async fn ending_takes_a_sign_in_of_the_last_five_minutes() {
    let hub = TestHub::start().await;
    let (laptop, phone) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("ada"));
    uses(&hub, &phone, PHONE, &["notes"]).await;
    let id = id_of(&hub, &proved(&hub, &laptop, 0), "Chrome on Android").await;
    for token in [proved(&hub, &laptop, 330), proved(&hub, &laptop, -3600), id_token(&hub, &laptop, "notes")] {
        for path in [path_of(&id), path_of("unknown"), OTHERS.to_owned()] {
            let answer = deletes(&hub, &path, &token, Some(NOTES)).await;
            answer.refused(401, "insufficient_user_authentication", "insufficient_user_authentication");
            let challenge = answer.header("www-authenticate");
            assert!(challenge.contains("error=\"insufficient_user_authentication\", max_age=300"), "{challenge}");
        }
    }
    assert_eq!(hub.recorded().await, 0);
    deletes(&hub, &path_of(&id), &proved(&hub, &laptop, 270), Some(NOTES)).await.expect(200);
}

#[tokio::test]
async fn another_persons_session_is_not_there_however_it_is_spelt() {
    let hub = TestHub::start().await;
    let (ada, bob) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("bob"));
    // The same person's name at another issuer is another person.
    let namesake = hub.other.sign_in("ada");
    uses(&hub, &bob, PHONE, &["notes"]).await;
    let elsewhere = hub.other.id_token(&namesake, "notes").with("auth_time", json!(hub.other.now())).sign();
    let bobs = id_of(&hub, &proved(&hub, &bob, 0), "Chrome on macOS").await;
    let token = proved(&hub, &ada, 0);
    let altered = altered(&bobs);
    let encoded = format!("..%2F{bobs}");
    let mut answers = Vec::new();
    for id in [bobs.as_str(), &altered, &encoded, &bob.sid, "00000000000000000000000000000000", "%ff", "%00"] {
        let answer = deletes(&hub, &path_of(id), &token, Some(NOTES)).await;
        answer.refused(404, "not_found", "not_found");
        answers.push(answer.text);
    }
    deletes(&hub, &path_of(&bobs), &elsewhere, Some(NOTES)).await.refused(404, "not_found", "not_found");
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    assert_eq!(hub.recorded().await, 0);
}

#[tokio::test]
async fn nothing_but_an_id_token_from_a_page_of_its_app_opens_the_list() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = proved(&hub, &ada, 0);
    let (_tab, subscribed) = Tab::live(&hub, NOTES, &token).await;
    let ticket = subscribed["resume"].as_str().unwrap();
    let expired = hub.issuer.id_token(&ada, "notes").with("exp", json!(hub.issuer.now() - 600)).sign();
    for (method, path) in [("GET", ALL), ("DELETE", OTHERS), ("DELETE", "/api/v1/me/sessions/current")] {
        let request = || hub.http.request(method.parse().unwrap(), hub.url(path)).header("origin", NOTES);
        let with = async |token: &str| Answer::of(request().bearer_auth(token)).await;
        with(ticket).await.refused(403, "insufficient_scope", "insufficient_scope");
        with(&expired).await.refused(401, "invalid_token", "token_expired");
        with(&logout_token(&hub, &ada, "notes")).await.refused(401, "invalid_token", "not_an_id_token");
        Answer::of(request()).await.refused(401, "invalid_token", "missing_credentials");
        let foreign = hub.http.request(method.parse().unwrap(), hub.url(path)).bearer_auth(&token);
        let foreign = Answer::of(foreign.header("origin", SHOP)).await;
        foreign.refused(403, "invalid_origin", "invalid_origin");
        let secret = request().basic_auth("desk", Some(crate::hub::DESK_SECRET));
        Answer::of(secret).await.refused(401, "invalid_token", "missing_credentials");
    }
    deletes(&hub, OTHERS, &token, None).await.refused(403, "invalid_origin", "invalid_origin");
    assert_eq!(hub.recorded().await, 0);
}

#[tokio::test]
async fn a_page_of_a_registered_origin_may_send_a_delete() {
    let hub = TestHub::start().await;
    let ask = |origin: &'static str| {
        let request = hub.http.request("OPTIONS".parse().unwrap(), hub.url("/api/v1/me/sessions/current"));
        let request = request.header("origin", origin).header("access-control-request-method", "DELETE");
        Answer::of(request.header("access-control-request-headers", "authorization"))
    };
    let allowed = ask(NOTES).await;
    assert!(allowed.header("access-control-allow-methods").contains("DELETE"), "{allowed:?}");
    assert_eq!(allowed.header("access-control-allow-origin"), NOTES);
    assert_eq!(ask("https://evil.example").await.header("access-control-allow-origin"), "");
}
