//! The common logout redirect endpoint: from an app's link, by way of the issuer, back
//! to the app. And nowhere else.

use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::json;
use slo_hub::domain::clock::Clock as _;
use url::Url;

use crate::hub::{Answer, NOTES, TestHub};
use crate::stories::{id_token, logout_token};
use crate::tab::Tab;

const BYE: &str = "https://notes.example/bye";

fn get(hub: &TestHub, path: &str, query: &[(&str, &str)]) -> RequestBuilder {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    hub.http.get(hub.url(&format!("{path}?{query}")))
}

fn location(answer: &Answer) -> Url {
    assert_eq!(answer.status, 303, "{answer:?}");
    Url::parse(answer.header("location")).unwrap()
}

fn param(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// An error page: nothing happened, and the browser is sent nowhere.
#[track_caller]
fn is_error_page(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(!answer.headers.contains_key("location"), "{answer:?}");
    assert!(answer.header("content-type").starts_with("text/html"), "{answer:?}");
    assert!(answer.text.contains(&format!("<code>{code}</code>")), "{answer:?}");
}

#[tokio::test]
async fn a_hint_signs_out_at_once_and_the_browser_goes_by_way_of_the_issuer_to_the_app() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut tab, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let token = id_token(&hub, &ada, "notes");
    let state = "a b+c&d=é%20\"#";

    let query = [("id_token_hint", token.as_str()), ("post_logout_redirect_uri", BYE), ("state", state)];
    let to_issuer = location(&Answer::of(get(&hub, "/logout", &query)).await);

    let event = tab.logged_out().await;
    assert_eq!(event["source"], "redirect");
    assert!(to_issuer.as_str().starts_with(hub.issuer.url()), "{to_issuer}");
    assert_eq!(param(&to_issuer, "client_id"), "notes");
    assert_eq!(param(&to_issuer, "post_logout_redirect_uri"), "https://logout.example/logout/callback");
    for secret in [token.as_str(), ada.sid.as_str(), "ada"] {
        assert!(!to_issuer.as_str().contains(secret), "no token, sid or sub stands in a URL");
    }
    let id = event["id"].as_str().unwrap();
    assert_eq!(hub.receipt(id).await["final"], false);

    let back = get(&hub, "/logout/callback", &[("state", &param(&to_issuer, "state"))]);
    let to_app = location(&Answer::of(back).await);
    assert!(to_app.as_str().starts_with("https://notes.example/bye?state="), "{to_app}");
    assert_eq!(param(&to_app, "state"), state);
    assert_eq!(hub.receipt(id).await["final"], true, "the browser has been to the issuer");
}

#[tokio::test]
async fn back_from_the_issuer_this_browsers_session_is_over_for_good_also_when_all_were_signed_out() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let query = [("id_token_hint", token.as_str()), ("scope", "user")];
    let to_issuer = location(&Answer::of(get(&hub, "/logout", &query)).await);
    hub.advance(Duration::from_secs(10));
    let again = hub.issuer.id_token(&ada, "notes");
    let again = again.with("auth_time", json!(hub.clock.now().floor().0)).sign();
    Answer::of(get(&hub, "/logout/callback", &[("state", &param(&to_issuer, "state"))])).await;

    assert_eq!(hub.gets("/api/v1/session", &again).await.expect(200)["active"], false);
    let phone = id_token(&hub, &hub.issuer.sign_in("ada"), "notes");
    assert_eq!(hub.gets("/api/v1/session", &phone).await.expect(200)["active"], true, "a session begun since");
    assert_eq!(hub.recorded().await, 1, "and nobody is told of a second logout");
}

#[tokio::test]
async fn a_state_comes_back_also_when_it_is_empty() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let query = [("id_token_hint", token.as_str()), ("post_logout_redirect_uri", BYE), ("state", "")];
    let to_issuer = location(&Answer::of(get(&hub, "/logout", &query)).await);
    let back = get(&hub, "/logout/callback", &[("state", &param(&to_issuer, "state"))]);
    assert_eq!(location(&Answer::of(back).await).as_str(), "https://notes.example/bye?state=");
}

#[tokio::test]
async fn an_issuer_that_returns_no_state_is_served_by_the_cookie() {
    let hub = TestHub::start_without_end_session().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let query = [("id_token_hint", token.as_str()), ("returnTo", BYE), ("federated", "")];
    let answer = Answer::of(get(&hub, "/logout", &query)).await;
    let to_issuer = location(&answer);
    assert!(to_issuer.path().ends_with("/v2/logout"), "{to_issuer}");
    assert_eq!(param(&to_issuer, "returnTo"), "https://logout.example/logout/callback");
    assert!(to_issuer.query().unwrap().ends_with("&federated"), "{to_issuer}");
    let cookie = answer.header("set-cookie");
    for part in ["__Host-slo-flight=", "HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let back = hub.http.get(hub.url("/logout/callback")).header("cookie", cookie);
    assert_eq!(location(&Answer::of(back).await).as_str(), BYE);
}

#[tokio::test]
async fn an_expired_hint_is_fine_and_a_forged_one_is_an_error_page() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    hub.advance(Duration::from_secs(30 * 24 * 3600));
    location(&Answer::of(get(&hub, "/logout", &[("id_token_hint", token.as_str())])).await);
    assert_eq!(hub.recorded().await, 1);
    let forged = hub.other.id_token(&ada, "notes").with("iss", json!(hub.issuer.url())).kid(hub.issuer.kid()).sign();
    let answer = Answer::of(get(&hub, "/logout", &[("id_token_hint", forged.as_str())])).await;
    is_error_page(&answer, 400, "bad_signature");
    let answer = Answer::of(get(&hub, "/logout", &[("id_token_hint", token.as_str()), ("scope", "user")])).await;
    is_error_page(&answer, 400, "token_expired");
    assert_eq!(hub.recorded().await, 1);
}

#[tokio::test]
async fn the_browser_is_sent_to_registered_addresses_only() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    for bad in [
        "https://evil.example/",
        "https://notes.example/bye/",
        "https://notes.example/bye?x",
        "https://notes.example/bye#x",
        "https://notes.example/BYE",
        "https://notes.example:443/bye",
        "https://notes.example/../bye",
        "https://notes.example@evil.example/bye",
        "//notes.example/bye",
        "javascript:alert(1)",
        "https://shop.example/bye",
        "https://notes.example/bye\r\nlocation: https://evil.example",
        " https://notes.example/bye",
    ] {
        let query = [("id_token_hint", token.as_str()), ("post_logout_redirect_uri", bad)];
        is_error_page(&Answer::of(get(&hub, "/logout", &query)).await, 400, "redirect_not_allowed");
    }
    assert_eq!(hub.recorded().await, 0);
    let query = [("id_token_hint", token.as_str()), ("post_logout_redirect_uri", "https://notes.example/bye?from=hub")];
    location(&Answer::of(get(&hub, "/logout", &query)).await);
}

#[tokio::test]
async fn a_request_that_contradicts_itself_is_an_error_page() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let long = "x".repeat(2049);
    let cases: [(&[(&str, &str)], &str); 8] = [
        (&[("client_id", "nobody")], "unknown_client"),
        (&[("client_id", "notes")], "ambiguous_client"),
        (&[("client_id", "shop"), ("id_token_hint", &token)], "client_mismatch"),
        (&[("client_id", "shop"), ("client_id", "shop")], "duplicate_parameter"),
        (&[("id_token_hint", &token), ("post_logout_redirect_uri", BYE), ("returnTo", BYE)], "duplicate_parameter"),
        (&[("id_token_hint", &token), ("state", &long)], "bad_state"),
        (&[("id_token_hint", &token), ("scope", "all")], "bad_scope"),
        (&[("id_token_hint", &token), ("state", "1"), ("state", "2")], "duplicate_parameter"),
    ];
    for (query, code) in cases {
        is_error_page(&Answer::of(get(&hub, "/logout", query)).await, 400, code);
    }
    let bytes = hub.http.get(hub.url("/logout?client_id=shop&state=%ff"));
    is_error_page(&Answer::of(bytes).await, 400, "bad_parameter");
    assert_eq!(hub.recorded().await, 0);
}

#[tokio::test]
async fn what_is_no_navigation_signs_nobody_out() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let request = || get(&hub, "/logout", &[("id_token_hint", token.as_str())]);
    for (name, value) in [
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("sec-fetch-dest", "image"),
        ("sec-fetch-dest", "iframe"),
        ("sec-fetch-mode", "no-cors"),
        ("sec-fetch-mode", "cors"),
    ] {
        is_error_page(&Answer::of(request().header(name, value)).await, 403, "not_a_navigation");
    }
    let head = hub.http.head(hub.url(&format!("/logout?id_token_hint={token}")));
    assert_eq!(Answer::of(head).await.status, 405);
    assert_eq!(hub.recorded().await, 0);
    let person = request().header("sec-fetch-mode", "navigate").header("sec-fetch-dest", "document");
    location(&Answer::of(person).await);
}

#[tokio::test]
async fn without_a_hint_the_person_is_asked_unless_an_app_sent_them() {
    let hub = TestHub::start().await;
    let query = [("client_id", "shop"), ("post_logout_redirect_uri", "https://shop.example/bye"), ("state", "s<&>")];
    let asked = Answer::of(get(&hub, "/logout", &query)).await;
    assert_eq!(asked.status, 200);
    assert!(asked.text.contains("Shop") && asked.text.contains("Notes"), "the page names the apps");
    assert!(!asked.text.contains("s<&>"), "what came is escaped");
    for (name, part) in [
        ("content-security-policy", "frame-ancestors 'none'"),
        ("content-security-policy", "default-src 'none'"),
        ("x-frame-options", "DENY"),
        ("cache-control", "no-store"),
    ] {
        assert!(asked.header(name).contains(part), "{asked:?}");
    }
    let from = |origin: &str| get(&hub, "/logout", &query).header("referer", format!("{origin}/x"));
    assert_eq!(Answer::of(from("https://evil.example")).await.status, 200);
    location(&Answer::of(from("https://shop.example")).await);
}

#[tokio::test]
async fn the_button_on_the_page_works_in_that_browser_for_that_request_only() {
    let hub = TestHub::start().await;
    let bye = "https://shop.example/bye";
    let query = [("client_id", "shop"), ("post_logout_redirect_uri", bye), ("state", "s")];
    let page = Answer::of(get(&hub, "/logout", &query)).await;
    let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
    let token = page.text.split("name=\"confirm\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let press = |cookie: &str, token: &str, client: &str, state: &str| {
        let fields = [("client_id", client), ("post_logout_redirect_uri", bye), ("state", state), ("confirm", token)];
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = hub.http.post(hub.url("/logout")).header("cookie", cookie).body(body);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        Answer::of(request.header("origin", "https://logout.example"))
    };
    assert_eq!(press("", &token, "shop", "s").await.status, 200, "another browser is asked");
    assert_eq!(press(&cookie, "0.AAAA", "shop", "s").await.status, 200, "a forged token is asked");
    assert_eq!(press(&cookie, &token, "shop", "t").await.status, 200, "another request is asked");
    let fields = [query.as_slice(), &[("confirm", token.as_str())]].concat();
    let in_address = get(&hub, "/logout", &fields).header("cookie", &cookie);
    assert_eq!(Answer::of(in_address).await.status, 200, "a link is no button");
    let to_issuer = location(&press(&cookie, &token, "shop", "s").await);
    let back = Answer::of(get(&hub, "/logout/callback", &[("state", &param(&to_issuer, "state"))])).await;
    assert_eq!(back.header("location"), "https://shop.example/bye?state=s");
}

#[tokio::test]
async fn with_neither_client_nor_hint_the_person_chooses_and_ends_here() {
    let hub = TestHub::start().await;
    let page = Answer::of(hub.http.get(hub.url("/logout?post_logout_redirect_uri=https://evil.example"))).await;
    assert_eq!(page.status, 200);
    let (cookie, text) = (page.header("set-cookie").split(';').next().unwrap().to_owned(), page.text.clone());
    assert_eq!(text.matches("type=\"radio\"").count(), 2, "{text}");
    let token = text.split("name=\"confirm\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let fields =
        [("issuer", hub.issuer.url()), ("confirm", token), ("post_logout_redirect_uri", "https://evil.example")];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = hub.http.post(hub.url("/logout")).header("cookie", cookie).body(body);
    let answer = Answer::of(request.header("content-type", "application/x-www-form-urlencoded")).await;
    let to_issuer = location(&answer);
    let back = Answer::of(get(&hub, "/logout/callback", &[("state", &param(&to_issuer, "state"))])).await;
    assert_eq!(back.status, 200);
    assert!(back.text.contains("You are signed out"), "{back:?}");
}

#[tokio::test]
async fn nobody_chooses_another_issuer_than_the_apps_or_the_hints() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    for query in [
        [("id_token_hint", token.as_str()), ("issuer", hub.other.url())],
        [("client_id", "shop"), ("issuer", hub.other.url())],
    ] {
        let to_issuer =
            location(&Answer::of(get(&hub, "/logout", &query).header("referer", "https://shop.example/")).await);
        assert!(to_issuer.as_str().starts_with(hub.issuer.url()), "{to_issuer}");
    }
}

#[tokio::test]
async fn the_link_of_a_report_is_good_once_and_for_a_minute() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let link = |answer: serde_json::Value| {
        Url::parse(answer["continue_url"].as_str().unwrap()).map(|url| param(&url, "ticket")).unwrap()
    };
    let ticket = link(hub.reports(&token, NOTES, json!({})).await.expect(201));
    let go = |ticket: String| Answer::of(get(&hub, "/logout/continue", &[("ticket", ticket.as_str())]));
    let to_issuer = location(&go(ticket.clone()).await);
    is_error_page(&go(ticket).await, 400, "used_link");
    let state = param(&to_issuer, "state");
    is_error_page(&go(state.clone()).await, 400, "used_link");
    let back = || Answer::of(get(&hub, "/logout/callback", &[("state", state.as_str())]));
    assert_eq!(location(&back().await).as_str(), BYE, "the first of the app's addresses");
    is_error_page(&back().await, 400, "used_link");

    let late = link(hub.reports(&token, NOTES, json!({})).await.expect(200));
    hub.advance(Duration::from_secs(61));
    is_error_page(&go(late).await, 400, "used_link");
    is_error_page(&Answer::of(get(&hub, "/logout/continue", &[])).await, 400, "used_link");
    is_error_page(&Answer::of(get(&hub, "/logout/callback", &[("state", "made-up")])).await, 400, "used_link");
}

#[tokio::test]
async fn an_issuer_that_cannot_be_reached_is_said_and_the_apps_are_told_all_the_same() {
    let hub = TestHub::start_without_keys().await;
    let answer = Answer::of(get(&hub, "/logout", &[("client_id", "shop")]).header("referer", "https://shop.example/"));
    let answer = answer.await;
    is_error_page(&answer, 503, "issuer_unreachable");
    assert!(answer.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn a_post_from_an_apps_own_form_is_like_the_link() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    let body = format!("id_token_hint={}", id_token(&hub, &ada, "notes"));
    let request = hub.http.post(hub.url("/logout")).header("origin", NOTES).body(body);
    let answer = Answer::of(request.header("content-type", "application/x-www-form-urlencoded")).await;
    location(&answer);
    assert_eq!(hub.recorded().await, 1, "signed out there already is success, and no second logout");
    let json = hub.http.post(hub.url("/logout")).header("content-type", "application/json").body("{}");
    is_error_page(&Answer::of(json).await, 415, "bad_content_type");
}
