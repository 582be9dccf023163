//! The HTTP edge: forms of refusal, limits, CORS, documents.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::hub::{Answer, NOTES, TestHub};
use crate::stories::{id_token, logout_token};

#[tokio::test]
async fn a_path_or_a_method_that_is_not_there_is_refused_in_the_same_form() {
    let hub = TestHub::start().await;
    Answer::of(hub.http.get(hub.url("/nothing"))).await.refused(404, "not_found", "not_found");
    for (method, path) in [
        ("GET", "/backchannel-logout"),
        ("PUT", "/backchannel-logout"),
        ("GET", "/api/v1/logouts"),
        ("DELETE", "/api/v1/session"),
        ("POST", "/api/v1/events"),
        ("POST", "/ws"),
        ("POST", "/logout/callback"),
    ] {
        let answer = Answer::of(hub.http.request(method.parse().unwrap(), hub.url(path))).await;
        answer.refused(405, "invalid_request", "method_not_allowed");
        assert!(!answer.header("allow").is_empty(), "{answer:?}");
    }
    for path in ["/api/v1/session", "/api/v1/events", "/logout", "/logout/callback", "/logout/continue"] {
        assert_eq!(Answer::of(hub.http.head(hub.url(path))).await.status, 405, "HEAD {path}");
    }
    assert_eq!(Answer::of(hub.http.head(hub.url("/logout"))).await.header("allow"), "GET,POST");
}

#[tokio::test]
async fn every_answer_has_a_request_id_of_its_own() {
    let hub = TestHub::start().await;
    let mut ids = std::collections::HashSet::new();
    let public = ["/nothing", "/.well-known/slo-hub", "/logout", "/api/v1/session"].map(|path| hub.url(path));
    for url in public.into_iter().chain(["/healthz", "/readyz", "/metrics"].map(|path| hub.admin_url(path))) {
        let answer = Answer::of(hub.http.get(url).header("x-request-id", "mine")).await;
        assert_eq!(answer.header("x-request-id").len(), 26, "{answer:?}");
        assert!(ids.insert(answer.header("x-request-id").to_owned()));
    }
}

#[tokio::test]
async fn a_back_channel_request_of_the_wrong_form_is_refused() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = logout_token(&hub, &ada, "notes");
    let post = |content_type: &'static str, query: &str, body: String| {
        let request = hub.http.post(hub.url(&format!("/backchannel-logout{query}")));
        Answer::of(request.header("content-type", content_type).body(body))
    };
    let form = "application/x-www-form-urlencoded";
    post(form, "", String::new()).await.refused(400, "invalid_request", "missing_token");
    post(form, "", "logout_token=".into()).await.refused(400, "invalid_request", "missing_token");
    let twice = format!("logout_token={token}&logout_token={token}");
    post(form, "", twice).await.refused(400, "invalid_request", "duplicate_parameter");
    let in_query = format!("?logout_token={token}");
    post(form, &in_query, String::new()).await.refused(400, "invalid_request", "duplicate_parameter");
    post(form, &in_query, format!("logout_token={token}")).await.refused(400, "invalid_request", "duplicate_parameter");
    let json = json!({ "logout_token": token }).to_string();
    post("application/json", "", json).await.refused(415, "invalid_request", "bad_content_type");
    post("text/plain", "", format!("logout_token={token}")).await.refused(415, "invalid_request", "bad_content_type");
    let large = format!("logout_token={}", "x".repeat(17 * 1024));
    post(form, "", large).await.refused(400, "invalid_request", "too_large");
    let huge = format!("logout_token={}", "x".repeat(65 * 1024));
    post(form, "", huge).await.refused(413, "invalid_request", "too_large");
    assert_eq!(hub.recorded().await, 0);
    let with_others = format!("other=1&logout_token={token}&more=2");
    post("Application/X-WWW-Form-Urlencoded; charset=UTF-8", "", with_others).await.expect(200);
}

#[tokio::test]
async fn a_body_that_nothing_is_made_of_is_bounded_too() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    for path in ["/api/v1/logouts/01ARZ3NDEKTSV4RRFFQ69G5FAV/acks", "/api/v1/session/activity"] {
        let post = hub.http.post(hub.url(path)).bearer_auth(&token).header("origin", NOTES);
        Answer::of(post.body("x".repeat(65 * 1024))).await.refused(413, "invalid_request", "too_large");
    }
}

#[tokio::test]
async fn a_repeated_query_parameter_is_refused_everywhere() {
    let hub = TestHub::start().await;
    for path in ["/api/v1/session?a=1&a=2", "/.well-known/slo-hub?a&a"] {
        Answer::of(hub.http.get(hub.url(path))).await.refused(400, "invalid_request", "duplicate_parameter");
    }
}

#[tokio::test]
async fn registered_origins_may_read_answers_and_refusals_and_others_may_not() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let ok = hub.reports(&id_token(&hub, &ada, "notes"), NOTES, json!({})).await;
    let refused = hub.reports("rubbish", NOTES, json!({})).await;
    let gets = |path: &str| Answer::of(hub.http.get(hub.url(path)).header("origin", NOTES));
    let twice = gets("/api/v1/session?a=1&a=2").await;
    twice.refused(400, "invalid_request", "duplicate_parameter");
    let nowhere = [gets("/api/v1/nothing").await, gets("/api/v1/logouts/x/y/z").await, gets("/api/v2").await];
    for answer in &nowhere {
        answer.refused(404, "not_found", "not_found");
    }
    for answer in nowhere.into_iter().chain([ok, refused, twice]) {
        assert_eq!(answer.header("access-control-allow-origin"), NOTES, "{answer:?}");
        assert!(answer.header("vary").to_lowercase().contains("origin"), "{answer:?}");
        assert!(!answer.headers.contains_key("access-control-allow-credentials"));
    }
    let stranger = hub.reports("rubbish", "https://evil.example", json!({})).await;
    assert!(!stranger.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn a_preflight_is_answered_for_registered_origins_only() {
    let hub = TestHub::start().await;
    let ask = |origin: &'static str| {
        let request = hub.http.request("OPTIONS".parse().unwrap(), hub.url("/api/v1/logouts")).header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        Answer::of(request.header("access-control-request-headers", "authorization,content-type"))
    };
    let ours = ask(NOTES).await;
    assert_eq!(ours.header("access-control-allow-origin"), NOTES);
    let headers = ours.header("access-control-allow-headers").to_lowercase();
    assert!(headers.contains("authorization") && headers.contains("content-type"), "{headers}");
    assert!(!ask("https://evil.example").await.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn too_much_that_fails_is_told_to_slow_down_and_what_verifies_is_not() {
    let hub = TestHub::start_with("[limits]\ninvalid_requests_per_minute_per_ip = 3").await;
    let (ada, grace) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("grace"));
    for _ in 0..3 {
        hub.receives("rubbish").await.refused(400, "invalid_request", "not_compact_jws");
    }
    hub.receives("rubbish").await.refused(429, "slow_down", "slow_down");
    let held_back = hub.reports("rubbish", NOTES, json!({})).await;
    held_back.refused(429, "slow_down", "slow_down");
    assert_eq!(held_back.header("access-control-allow-origin"), NOTES, "the page may read it");
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    hub.reports(&id_token(&hub, &grace, "notes"), NOTES, json!({})).await.expect(201);
    hub.advance(std::time::Duration::from_secs(60));
    hub.receives("rubbish").await.refused(400, "invalid_request", "not_compact_jws");
}

#[tokio::test]
async fn whatever_fails_counts_wherever_it_went() {
    let hub = TestHub::start_with("[limits]\ninvalid_requests_per_minute_per_ip = 3").await;
    let gets = |path: &str| Answer::of(hub.http.get(hub.url(path)));
    for path in ["/nothing", "/api/v1/nothing", "/.well-known/slo-hub?a=1&a=2"] {
        assert!((400..=404).contains(&gets(path).await.status), "{path}");
    }
    for path in ["/nothing", "/api/v1/nothing", "/.well-known/slo-hub?a=1&a=2", "/ws"] {
        gets(path).await.refused(429, "slow_down", "slow_down");
    }
    gets("/.well-known/slo-hub").await.expect(200);
}

#[tokio::test]
async fn a_body_that_stops_half_way_is_cut() {
    let hub = TestHub::start().await;
    let mut stream = TcpStream::connect(hub.addr()).await.unwrap();
    let head = "POST /backchannel-logout HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\
                content-type: application/x-www-form-urlencoded\r\n\r\nlogout_token=";
    stream.write_all(head.as_bytes()).await.unwrap();
    hub.until("the request is under way", || true).await;
    let mut answer = Vec::new();
    tokio::time::timeout(std::time::Duration::from_secs(15), stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn the_documents_say_what_is_here() {
    let hub = TestHub::start().await;
    let about = Answer::of(hub.http.get(hub.url("/.well-known/slo-hub"))).await.expect(200);
    assert_eq!(about["channel_endpoint"], "wss://logout.example/ws");
    assert_eq!(about["backchannel_logout_uri"], "https://logout.example/backchannel-logout");
    assert_eq!(about["protocols"], json!(["slo.v1"]));
}

#[tokio::test]
async fn the_sdk_is_for_pages_of_any_origin_and_is_sent_again_only_when_it_has_changed() {
    let hub = TestHub::start().await;
    for (path, holds) in [("/sdk/slo-hub.js", "SloHub"), ("/sdk/slo-hub-elements.js", "slo-signed-out")] {
        let sdk = Answer::of(hub.http.get(hub.url(path))).await;
        assert_eq!(sdk.header("content-type"), "text/javascript; charset=utf-8");
        assert_eq!(sdk.header("access-control-allow-origin"), "*");
        assert!(sdk.text.contains(holds), "{path}: {}", sdk.text.len());
        let again = Answer::of(hub.http.get(hub.url(path)).header("if-none-match", sdk.header("etag"))).await;
        assert_eq!((again.status, again.header("access-control-allow-origin")), (304, "*"));
    }
}
