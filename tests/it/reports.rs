//! An app reports a logout: who may, and how they are told no.

use std::time::Duration;

use serde_json::json;

use crate::hub::{Answer, DESK_SECRET, NOTES, SHOP, TestHub};
use crate::stories::{id_token, logout_token};
use crate::tab::Tab;

#[tokio::test]
async fn a_report_is_answered_with_what_was_recorded() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let answer = hub.reports(&id_token(&hub, &ada, "notes"), NOTES, json!({"reason": "Enough"})).await;
    let body = answer.expect(201);
    let id = body["id"].as_str().unwrap();
    assert_eq!(answer.header("location"), format!("/api/v1/logouts/{id}"));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(id.len(), 26);
    assert_eq!(body["issuer"], hub.issuer.url());
    assert_eq!((body["sid"].as_str(), body["sub"].as_str()), (Some(ada.sid.as_str()), Some("ada")));
    assert_eq!((body["source"].as_str(), body["client_id"].as_str()), (Some("app"), Some("notes")));
    assert_eq!((body["reason"].as_str(), body["scope"].as_str()), (Some("Enough"), Some("session")));
    for time in ["occurred_at", "recorded_at"] {
        let text = body[time].as_str().unwrap();
        assert!(text.len() == 24 && text.ends_with('Z') && text.as_bytes()[19] == b'.', "{text}");
    }
    let link = body["continue_url"].as_str().unwrap();
    assert!(link.starts_with("https://logout.example/logout/continue?ticket="), "{link}");
}

#[tokio::test]
async fn no_body_means_this_session() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let request = hub.http.post(hub.url("/api/v1/logouts")).header("origin", NOTES);
    let body = Answer::of(request.bearer_auth(id_token(&hub, &ada, "notes"))).await.expect(201);
    assert_eq!(body["scope"], "session");
}

#[tokio::test]
async fn a_page_of_another_app_or_of_nobody_may_not_report() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    for origin in [SHOP, "https://evil.example", "null"] {
        hub.reports(&token, origin, json!({})).await.refused(403, "invalid_origin", "invalid_origin");
    }
    let without = hub.http.post(hub.url("/api/v1/logouts")).bearer_auth(&token);
    Answer::of(without).await.refused(403, "invalid_origin", "invalid_origin");
    assert_eq!(hub.recorded().await, 0);
}

#[tokio::test]
async fn a_native_app_reports_without_an_origin_where_it_is_allowed_to() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let request = hub.http.post(hub.url("/api/v1/logouts")).bearer_auth(id_token(&hub, &ada, "desk"));
    Answer::of(request).await.expect(201);
}

#[tokio::test]
async fn signing_out_does_not_fail_because_a_token_is_old_unless_it_is_very_old() {
    let hub = TestHub::start().await;
    let (ada, grace) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("grace"));
    let (adas, graces) = (id_token(&hub, &ada, "notes"), id_token(&hub, &grace, "notes"));
    hub.advance(Duration::from_secs(2 * 24 * 3600));
    hub.reports(&adas, NOTES, json!({})).await.expect(201);
    hub.reports(&graces, NOTES, json!({"scope": "user"})).await.refused(401, "invalid_token", "token_expired");
    hub.advance(Duration::from_secs(3 * 24 * 3600));
    hub.reports(&graces, NOTES, json!({})).await.refused(401, "invalid_token", "token_expired");
}

#[tokio::test]
async fn a_resume_ticket_ends_its_own_session_and_nothing_else() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (_tab, welcome) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let ticket = welcome["resume"].as_str().unwrap();
    let refused = hub.reports(ticket, NOTES, json!({"scope": "user"})).await;
    refused.refused(403, "insufficient_scope", "insufficient_scope");
    assert_eq!(hub.reports(ticket, NOTES, json!({})).await.expect(201)["sid"], ada.sid.as_str());
}

#[tokio::test]
async fn a_resume_ticket_outlives_its_token_but_not_its_own_time() {
    let hub = TestHub::start_with("[session]\nresume_ttl_seconds = 3600").await;
    let ada = hub.issuer.sign_in("ada");
    let (_tab, welcome) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    hub.advance(Duration::from_secs(3599));
    let mut tab = Tab::open(&hub, Some(NOTES)).await;
    tab.subscribe(welcome["resume"].as_str().unwrap()).await;
    let again = tab.frame().await;
    assert_eq!(again["type"], "subscribed");

    hub.advance(Duration::from_secs(3599));
    let mut tab = Tab::open(&hub, Some(NOTES)).await;
    tab.subscribe(again["resume"].as_str().unwrap()).await;
    assert_eq!(tab.frame().await["type"], "subscribed", "each answer brings a ticket with a whole life");
    hub.advance(Duration::from_secs(3601));
    let mut tab = Tab::open(&hub, Some(NOTES)).await;
    tab.subscribe(again["resume"].as_str().unwrap()).await;
    tab.refused("token_expired", 4003).await;
}

#[tokio::test]
async fn a_body_that_makes_no_sense_is_refused_and_nothing_is_recorded() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    for (body, code) in [
        (r#"{"scope":"device"}"#, "bad_scope"),
        (r#"{"scope":7}"#, "bad_scope"),
        (r#"{"reason":7}"#, "bad_reason"),
        (r#"{"reason":"one\ntwo"}"#, "bad_reason"),
        (r#"{"sid":"x"}"#, "unexpected_member"),
        (r#"{"sub":"x"}"#, "unexpected_member"),
        (r#"{"issuer":"x"}"#, "unexpected_member"),
        (r#"{"surprise":1}"#, "unexpected_member"),
        ("{", "bad_json"),
        ("[]", "bad_json"),
        (r#"{"scope":"session","scope":"user"}"#, "duplicate_member"),
    ] {
        let request = hub.http.post(hub.url("/api/v1/logouts")).bearer_auth(&token).header("origin", NOTES);
        let answer = Answer::of(request.header("content-type", "application/json").body(body)).await;
        answer.refused(400, "invalid_request", code);
    }
    let long = json!({"reason": "x".repeat(201)});
    hub.reports(&token, NOTES, long).await.refused(400, "invalid_request", "bad_reason");
    assert_eq!(hub.recorded().await, 0);
}

#[tokio::test]
async fn an_empty_reason_is_none() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let done = hub.reports(&id_token(&hub, &ada, "notes"), NOTES, json!({"reason": ""})).await.expect(201);
    assert_eq!(done.get("reason"), None);
}

#[tokio::test]
async fn a_token_without_a_sid_names_no_session() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = hub.issuer.id_token(&ada, "notes").without("sid").sign();
    hub.reports(&token, NOTES, json!({})).await.refused(400, "invalid_request", "bad_scope");
    hub.reports(&token, NOTES, json!({"scope": "user"})).await.expect(201);
}

#[tokio::test]
async fn a_back_end_ends_a_session_or_a_person_of_its_issuer() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut tab, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let done = hub.desk_reports(json!({"sid": ada.sid, "issuer": hub.issuer.url()})).await.expect(201);
    assert_eq!(done.get("continue_url"), None);
    assert_eq!(tab.logged_out().await["id"], done["id"]);
    hub.desk_reports(json!({"scope": "user", "sub": "grace"})).await.expect(201);
    for (body, code) in [
        (json!({}), "no_subject"),
        (json!({"scope": "user"}), "no_subject"),
        (json!({"scope": "user", "sub": "a", "sid": "b"}), "unexpected_member"),
        (json!({"sid": ""}), "sid_invalid"),
        (json!({"sid": 7}), "sid_invalid"),
        (json!({"scope": "user", "sub": "a\nb"}), "sub_invalid"),
        (json!({"sid": "x", "issuer": hub.other.url()}), "iss_not_allowed"),
    ] {
        hub.desk_reports(body).await.refused(400, "invalid_request", code);
    }
}

#[tokio::test]
async fn a_wrong_secret_or_a_secret_from_a_page_is_refused() {
    let hub = TestHub::start().await;
    let post = || hub.http.post(hub.url("/api/v1/logouts")).header("content-type", "application/json").body("{}");
    for (client, secret) in [("desk", "wrong"), ("nobody", DESK_SECRET), ("notes", ""), ("desk", "")] {
        Answer::of(post().basic_auth(client, Some(secret))).await.refused(401, "invalid_client", "invalid_client");
    }
    let from_a_page = post().basic_auth("desk", Some(DESK_SECRET)).header("origin", NOTES);
    Answer::of(from_a_page).await.refused(403, "invalid_origin", "invalid_origin");
    Answer::of(post()).await.refused(401, "invalid_token", "missing_credentials");
    Answer::of(post().header("authorization", "Digest x")).await.refused(401, "invalid_token", "missing_credentials");
}

#[tokio::test]
async fn a_session_is_alive_until_it_is_not() {
    let hub = TestHub::start().await;
    let (ada, grace) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("grace"));
    let (adas, graces) = (id_token(&hub, &ada, "notes"), id_token(&hub, &grace, "notes"));
    let alive = hub.gets("/api/v1/session", &adas).await.expect(200);
    assert_eq!(alive, json!({"active": true, "sid": ada.sid, "sub": "ada"}));

    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);

    let over = hub.gets("/api/v1/session", &adas).await.expect(200);
    assert_eq!((over["active"].as_bool(), over["logout"]["source"].as_str()), (Some(false), Some("backchannel")));
    hub.advance(Duration::from_secs(3 * 24 * 3600));
    assert_eq!(hub.gets("/api/v1/session", &adas).await.expect(200)["active"], false);
    hub.gets("/api/v1/session", &graces).await.refused(401, "invalid_token", "token_expired");
    let activity = hub.http.post(hub.url("/api/v1/session/activity")).bearer_auth(&adas).header("origin", NOTES);
    assert_eq!(Answer::of(activity).await.status, 204);
}
