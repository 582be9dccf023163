//! Who may end other people's sessions, and what makes no sense to ask for.

use serde_json::{Value, json};

use crate::admin::{TOKEN, governed, orders};
use crate::hub::{Answer, NOTES, TestHub};

const PATH: &str = "/api/v1/admin/logouts";
/// A logout that is as good as a name.
const SOME_ID: &str = "/api/v1/admin/logouts/01ARZ3NDEKTSV4RRFFQ69G5FAV";

fn posts(hub: &TestHub) -> reqwest::RequestBuilder {
    hub.http.post(hub.admin_url(PATH)).header("content-type", "application/json").body(r#"{"everyone":true}"#)
}

#[tokio::test]
async fn a_hub_without_an_administrators_token_has_no_administrators() {
    let hub = TestHub::start().await;
    for request in [posts(&hub), posts(&hub).bearer_auth(""), hub.http.get(hub.admin_url(SOME_ID)).bearer_auth("x")] {
        let answer = Answer::of(request).await;
        answer.refused(403, "access_denied", "no_admin_token");
        assert!(answer.text.contains("server.admin_token"), "{answer:?}");
    }
}

#[tokio::test]
async fn only_who_shows_the_token_is_an_administrator_on_loopback_too() {
    let hub = governed().await;
    let wrong = [TOKEN.to_uppercase(), TOKEN[1..].to_owned(), format!("{TOKEN}x"), String::new()];
    Answer::of(posts(&hub)).await.refused(401, "invalid_token", "not_an_administrator");
    Answer::of(posts(&hub).basic_auth("admin", Some(TOKEN))).await.refused(
        401,
        "invalid_token",
        "not_an_administrator",
    );
    for token in wrong {
        let answer = Answer::of(posts(&hub).bearer_auth(&token)).await;
        answer.refused(401, "invalid_token", "not_an_administrator");
        let answer = Answer::of(hub.http.get(hub.admin_url(SOME_ID)).bearer_auth(&token)).await;
        answer.refused(401, "invalid_token", "not_an_administrator");
    }
    assert_eq!(hub.recorded().await, 0);
    assert!(hub.running.hub.store.unfinished_sweep().await.unwrap().is_none());
}

#[tokio::test]
async fn a_page_is_refused_even_with_the_token() {
    let hub = governed().await;
    for origin in [NOTES, "null", "http://127.0.0.1:8081"] {
        let answer = Answer::of(posts(&hub).bearer_auth(TOKEN).header("origin", origin)).await;
        answer.refused(403, "invalid_origin", "invalid_origin");
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{answer:?}");
    }
    let preflight = hub.http.request(reqwest::Method::OPTIONS, hub.admin_url(PATH)).header("origin", NOTES);
    let answer = Answer::of(preflight.header("access-control-request-method", "POST")).await;
    assert!(answer.status >= 400 && !answer.headers.contains_key("access-control-allow-origin"), "{answer:?}");
}

#[tokio::test]
async fn it_is_not_on_the_public_listener() {
    let hub = governed().await;
    let request = hub.http.post(hub.url(PATH)).bearer_auth(TOKEN).body(r#"{"everyone":true}"#);
    Answer::of(request).await.refused(404, "not_found", "not_found");
}

#[tokio::test]
async fn an_order_names_exactly_one_target_and_nothing_unknown() {
    let hub = governed().await;
    let faults: [(Value, &str); 19] = [
        (json!({}), "bad_target"),
        (json!({"everyone": false}), "bad_target"),
        (json!({"sid": "s", "sub": "ada"}), "bad_target"),
        (json!({"sub": "ada", "everyone": true}), "bad_target"),
        (json!({"client_id": "notes", "sub": "ada"}), "bad_target"),
        (json!({"everyone": "yes"}), "bad_flag"),
        (json!({"everyone": true, "dry_run": 1}), "bad_flag"),
        (json!({"sid": ""}), "sid_invalid"),
        (json!({"sid": 1}), "sid_invalid"),
        (json!({"sub": "a\nb"}), "sub_invalid"),
        (json!({"client_id": "nobody"}), "unknown_app"),
        (json!({"everyone": true, "before": "yesterday"}), "bad_before"),
        (json!({"everyone": true, "before": 1_700_000_000}), "bad_before"),
        (json!({"everyone": true, "before": "2999-01-01T00:00:00Z"}), "bad_before"),
        (json!({"sid": "s", "before": "2026-01-01T00:00:00Z"}), "bad_before"),
        (json!({"sub": "ada", "reason": "x".repeat(201)}), "bad_reason"),
        (json!({"sub": "ada", "reason": ""}), "bad_reason"),
        (json!({"sub": "ada", "scope": "user"}), "unexpected_member"),
        (json!({"sub": "ada", "dry": true}), "unexpected_member"),
    ];
    for (body, code) in faults {
        orders(&hub, body).await.refused(400, "invalid_request", code);
    }
    assert_eq!(hub.recorded().await, 0);
    assert!(hub.running.hub.store.unfinished_sweep().await.unwrap().is_none());
}

#[tokio::test]
async fn a_body_that_can_be_read_in_two_ways_is_refused() {
    let hub = governed().await;
    let issuer = hub.issuer.url();
    let post = |kind: &'static str, text: String| {
        let request = hub.http.post(hub.admin_url(PATH)).bearer_auth(TOKEN).header("content-type", kind);
        Answer::of(request.body(text))
    };
    let twice = format!(r#"{{"issuer":"{issuer}","sub":"ada","dry_run":true,"dry_run":false}}"#);
    post("application/json", twice).await.refused(400, "invalid_request", "duplicate_member");
    post("application/json", "[]".to_owned()).await.refused(400, "invalid_request", "bad_json");
    let good = format!(r#"{{"issuer":"{issuer}","sub":"ada"}}"#);
    post("text/plain", good.clone()).await.refused(415, "invalid_request", "bad_content_type");
    post("application/json", good + &" ".repeat(65_536)).await.refused(413, "invalid_request", "too_large");
}

#[tokio::test]
async fn where_there_are_several_issuers_one_must_be_named() {
    let hub = governed().await;
    let post = |body: Value| {
        let request = hub.http.post(hub.admin_url(PATH)).bearer_auth(TOKEN).header("content-type", "application/json");
        Answer::of(request.body(body.to_string()))
    };
    let unknown = format!("{}x", hub.issuer.url());
    for body in [json!({"sub": "ada"}), json!({"sub": "ada", "issuer": unknown}), json!({"sub": "ada", "issuer": 1})] {
        post(body).await.refused(400, "invalid_request", "unknown_issuer");
    }
}

#[tokio::test]
async fn what_was_never_ordered_has_no_record() {
    let hub = governed().await;
    for path in [SOME_ID, "/api/v1/admin/logouts/x"] {
        let answer = Answer::of(hub.http.get(hub.admin_url(path)).bearer_auth(TOKEN)).await;
        answer.refused(404, "not_found", "not_found");
    }
}
