//! The door of the operator's console: who is let in, from where, and for how long.

use std::time::Duration;

use reqwest::Method;

use crate::admin::{TOKEN, governed};
use crate::certificates::{HOST, Office};
use crate::console_operator::{Operator, token_of};
use crate::hub::{Answer, NOTES, TestHub};

const PAGES: [&str; 7] = [
    "/console",
    "/console/logouts",
    "/console/apps",
    "/console/deliveries",
    "/console/issuers",
    "/console/checks",
    "/console/end",
];
const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn without_an_administrators_token_the_console_says_what_to_configure_and_nothing_else() {
    let hub = TestHub::start().await;
    let stranger = Operator::stranger(&hub);
    for path in PAGES.into_iter().chain(["/console/sign-in"]) {
        let answer = stranger.opens(path).await;
        answer.is_refusal(403, "no_admin_token");
        assert!(answer.text.contains("server.admin_token"), "{answer:?}");
    }
    stranger.posts("/console/sign-in", &[("admin_token", "")]).await.is_refusal(403, "no_admin_token");
}

#[tokio::test]
async fn every_page_leads_a_stranger_to_the_sign_in_and_opens_to_who_has_the_token() {
    let hub = governed().await;
    let mut operator = Operator::stranger(&hub);
    for path in PAGES {
        operator.opens(path).await.goes_to("/console/sign-in");
        operator.refreshes(path).await.is_refusal(403, "not_signed_in");
    }
    operator.opens("/").await.goes_to("/console");
    operator.signs_in(TOKEN).await.goes_to("/console");
    for path in PAGES {
        let page = operator.opens(path).await;
        page.shows("<nav aria-label=\"Console\">").lacks(operator.cookie.split_once('=').unwrap().1).lacks(TOKEN);
    }
    operator.opens("/console/sign-in").await.goes_to("/console");
    operator.sends("/console", "/console/sign-out", &[]).await.goes_to("/console/sign-in");
    operator.opens("/console").await.goes_to("/console/sign-in");
}

#[tokio::test]
async fn the_cookie_is_for_the_console_alone_and_a_new_one_each_time() {
    let hub = governed().await;
    let mut operator = Operator::of(&hub).await;
    let first = operator.cookie.clone();
    let answer = operator.signs_in(TOKEN).await;
    let line = answer.header("set-cookie");
    assert!(line.starts_with("slo-console=") && line.contains("; HttpOnly; SameSite=Strict"), "{line}");
    assert!(line.contains("Path=/; Max-Age=43200") && !line.contains("Secure"), "http on loopback: {line}");
    assert_ne!(operator.cookie, first);
    for cookie in ["slo-console=", "slo-console=x", &format!("slo-console={}", "A".repeat(43))] {
        operator.cookie = cookie.to_owned();
        operator.opens("/console").await.goes_to("/console/sign-in");
    }
}

#[tokio::test]
async fn behind_a_proxy_with_tls_the_cookie_is_for_https_and_the_pages_have_that_name() {
    let extra = format!("admin_token = \"{TOKEN}\"\n[server.console]\nurl = \"https://console.example\"");
    let hub = TestHub::start_with(&extra).await;
    let mut operator = Operator::stranger(&hub);
    let sign_in = || operator.form("/console/sign-in", &[("admin_token", TOKEN)]);
    let host = "console.example";
    let foreign = sign_in().header("host", host).header("origin", "http://other.example");
    Answer::of(foreign).await.is_refusal(403, "invalid_origin");
    let answer = Answer::of(sign_in().header("host", host).header("origin", "https://console.example")).await;
    answer.goes_to("/console");
    let line = answer.header("set-cookie");
    assert!(line.starts_with("__Host-slo-console=") && line.ends_with("; SameSite=Strict; Secure"), "{line}");
    operator.cookie = line.split(';').next().unwrap().to_owned();
    let page = Answer::of(operator.request(Method::GET, "/console").header("host", host)).await;
    page.shows("Overview");
}

#[tokio::test]
async fn with_a_certificate_of_the_hubs_own_cookie_and_pages_are_of_https() {
    let office = Office::open();
    let hub = TestHub::start_with(&format!("admin_token = \"{TOKEN}\"\n{}", office.table("admin_tls"))).await;
    let (addr, port) = (hub.running.admin_addr, hub.running.admin_addr.port());
    let signs_in = |origin: &str| {
        let request = office.client(addr).post(format!("https://{HOST}:{port}/console/sign-in"));
        let request = request.header("host", format!("127.0.0.1:{port}")).header("origin", origin);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        Answer::of(request.body(format!("admin_token={TOKEN}")))
    };
    signs_in(&format!("http://127.0.0.1:{port}")).await.is_refusal(403, "invalid_origin");
    let answer = signs_in(&format!("https://127.0.0.1:{port}")).await;
    answer.goes_to("/console");
    let line = answer.header("set-cookie");
    assert!(line.starts_with("__Host-slo-console=") && line.ends_with("; Secure"), "{line}");
}

#[tokio::test]
async fn a_wrong_token_opens_nothing_and_thirty_a_minute_are_all_that_are_looked_at() {
    let hub = governed().await;
    let mut operator = Operator::stranger(&hub);
    for _ in 0..30 {
        let answer = operator.signs_in(&TOKEN[1..]).await;
        assert_eq!(answer.status, 403, "{answer:?}");
        assert!(answer.text.contains("That is not the token.") && !answer.headers.contains_key("set-cookie"));
        answer.lacks(&TOKEN[1..]);
    }
    operator.signs_in(TOKEN).await.is_refusal(429, "slow_down");
    hub.advance(MINUTE);
    operator.signs_in(TOKEN).await.goes_to("/console");
}

#[tokio::test]
async fn who_signs_in_often_is_not_held_back() {
    let hub = governed().await;
    let mut operator = Operator::stranger(&hub);
    for _ in 0..45 {
        operator.signs_in(TOKEN).await.goes_to("/console");
    }
}

#[tokio::test]
async fn half_an_hour_without_a_visit_ends_the_session_and_a_page_that_refreshes_is_no_visit() {
    let hub = governed().await;
    let operator = Operator::of(&hub).await;
    hub.advance(29 * MINUTE);
    operator.opens("/console/apps").await.shows("Apps");
    hub.advance(29 * MINUTE);
    operator.refreshes("/console/apps").await.shows("Apps");
    hub.advance(MINUTE);
    operator.refreshes("/console/apps").await.is_refusal(403, "not_signed_in");
    operator.opens("/console/apps").await.goes_to("/console/sign-in");
}

#[tokio::test]
async fn a_form_without_the_token_of_this_very_session_does_nothing() {
    let hub = governed().await;
    let (operator, other) = (Operator::of(&hub).await, Operator::of(&hub).await);
    let others = token_of(&other.opens("/console").await);
    let whom = ("whom", "everyone");
    for fields in [vec![whom], vec![whom, ("token", "")], vec![whom, ("token", others.as_str())]] {
        for action in ["/console/end", "/console/end/confirm", "/console/deliveries/retry", "/console/checks"] {
            operator.posts(action, &fields).await.is_refusal(403, "foreign_form");
        }
    }
    let own = token_of(&operator.opens("/console").await);
    let stranger = Operator::stranger(&hub);
    stranger.posts("/console/end", &[whom, ("token", &own)]).await.is_refusal(403, "not_signed_in");
    assert_eq!(hub.recorded().await, 0);
}

#[tokio::test]
async fn a_form_from_another_sites_page_does_nothing_even_with_the_token() {
    let hub = governed().await;
    let operator = Operator::of(&hub).await;
    let token = token_of(&operator.opens("/console").await);
    let own = format!("http://{}", hub.running.admin_addr);
    let form = || operator.form("/console/checks", &[("token", &token)]);
    for request in [
        form(),
        form().header("origin", NOTES),
        form().header("origin", "null"),
        form().header("origin", format!("https://{}", hub.running.admin_addr)),
        form().header("origin", &own).header("origin", NOTES),
        form().header("origin", &own).header("sec-fetch-site", "same-site"),
        form().header("sec-fetch-site", "cross-site"),
        form().header("sec-fetch-site", "none"),
    ] {
        Answer::of(request).await.is_refusal(403, "invalid_origin");
    }
    Answer::of(form().header("origin", &own)).await.goes_to("/console/checks");
}

#[tokio::test]
async fn a_name_that_was_bent_to_this_address_is_not_the_consoles() {
    let hub = governed().await;
    let operator = Operator::of(&hub).await;
    let port = hub.running.admin_addr.port();
    let calls =
        |host: &str| operator.request(Method::GET, "/console").header("host", host.replace("PORT", &port.to_string()));
    for host in ["evil.example", "evil.example:PORT", "localhost.evil.example:PORT", "127.0.0.1.evil.example"] {
        let answer = Answer::of(calls(host)).await;
        answer.is_refusal(421, "bad_host");
    }
    for host in ["localhost:PORT", "hub.localhost:PORT", "127.0.0.1:PORT", "127.0.0.1:9", "[::1]:PORT", "10.1.2.3"] {
        Answer::of(calls(host)).await.shows("Overview");
    }
}

#[tokio::test]
async fn every_answer_allows_its_own_style_and_script_and_nothing_else() {
    let hub = governed().await;
    let operator = Operator::of(&hub).await;
    let assets = ["pages.css", "console.css", "console.js"].map(|name| format!("/console/assets/{name}"));
    let paths = PAGES.into_iter().chain(["/console/sign-in", "/console/logouts/none"]).map(str::to_owned).chain(assets);
    for path in paths {
        let answer = operator.opens(&path).await;
        let policy = answer.header("content-security-policy");
        for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'self'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(["no-store", "private, no-cache"].contains(&answer.header("cache-control")), "{path}: {answer:?}");
        for inline in ["<style", " style=", "<script>", " onclick=", "javascript:"] {
            answer.lacks(inline);
        }
    }
}

#[tokio::test]
async fn the_console_is_not_on_the_public_listener_and_its_cookie_opens_no_api() {
    let hub = governed().await;
    let operator = Operator::of(&hub).await;
    for path in ["/console", "/console/sign-in", "/console/assets/console.css"] {
        Answer::of(hub.http.get(hub.url(path))).await.refused(404, "not_found", "not_found");
    }
    let api = operator.request(Method::POST, "/api/v1/admin/logouts").body(r#"{"everyone":true}"#);
    Answer::of(api.header("content-type", "application/json")).await.refused(
        401,
        "invalid_token",
        "not_an_administrator",
    );
    let metrics = Answer::of(operator.request(Method::GET, "/metrics")).await;
    assert_eq!(metrics.status, 401, "{metrics:?}");
}
