//! The console opens to who signs in at the hub's issuer and has the configured claim there, and
//! to nobody else.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::account;
use crate::admin::TOKEN;
use crate::browser::{Browser, HUB, is_error_page, param};
use crate::console_visitor::{CONSOLE, ROLES, Visitor, as_operator, hub, settings, with_roles};
use crate::hub::{Answer, TestHub};
use crate::support::issuer::Grant;

#[tokio::test]
async fn an_operator_is_sent_to_the_issuer_with_everything_that_protects_the_way_back_and_let_in() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let mut visitor = Visitor::new(&hub);
    let answer = visitor.opens("/console/sign-in/issuer").await;
    let way = answer.header("set-cookie");
    assert!(way.starts_with("__Host-slo-console-way=") && way.contains("HttpOnly; SameSite=Lax; Secure"), "{way}");
    let asked = account::question(&hub, &answer);
    for (name, value) in [
        ("prompt", ""),
        ("response_type", "code"),
        ("scope", "openid"),
        ("client_id", "slo-hub"),
        ("code_challenge_method", "S256"),
        ("redirect_uri", "https://console.example/console/sign-in/callback"),
    ] {
        assert_eq!(param(&asked, name), value, "{asked}");
    }
    assert!(!param(&asked, "nonce").is_empty(), "{asked}");

    let arrived = visitor.comes_back(&asked, as_operator(&hub, &ada, &asked)).await;
    // A page, not a redirect: the cookie does not come along on the way from another site.
    arrived.shows("You are signed in").shows("<meta http-equiv=\"refresh\" content=\"0; url=/console\">").lacks("ada");
    assert_eq!(arrived.header("referrer-policy"), "no-referrer");
    let cookie = arrived.header("set-cookie");
    assert!(cookie.starts_with("__Host-slo-console=") && cookie.contains("Path=/; Max-Age=14400;"), "{cookie}");
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
    visitor.opens("/console").await.shows("Overview").lacks("ada");
    visitor.opens("/console/sign-in").await.goes_to("/console");
}

#[tokio::test]
async fn the_first_page_offers_what_is_configured() {
    let both = hub().await;
    let mut visitor = Visitor::new(&both);
    let page = visitor.opens("/console/sign-in").await;
    let host = both.issuer.url().trim_start_matches("http://").trim_end_matches('/').split(':').next().unwrap();
    page.shows(&format!("Sign in with {host}")).shows("name=\"admin_token\"").lacks("<script");
    let answer = visitor.posts("/console/sign-in", &[("admin_token", TOKEN)]).await;
    answer.goes_to("/console");
    assert!(visitor.is_in().await, "the token opens the console as before");
    visitor.sends("/console", "/console/sign-out", &[]).await.goes_to("/console/sign-in");

    let login_only = TestHub::start_with(&settings("", "")).await;
    let mut visitor = Visitor::new(&login_only);
    visitor.opens("/console/sign-in").await.shows("Sign in with ").lacks("admin_token");
    for typed in ["", TOKEN] {
        assert_eq!(visitor.posts("/console/sign-in", &[("admin_token", typed)]).await.status, 403);
        assert!(!visitor.is_in().await);
    }
    let ada = login_only.issuer.sign_in("ada");
    assert!(Visitor::of(&login_only, &ada).await.is_in().await);
}

#[tokio::test]
async fn the_claim_is_one_of_the_values_or_a_list_that_holds_one_and_nothing_that_looks_like_it() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada-lovelace");
    let opens = async |roles: Value| {
        let mut visitor = Visitor::new(&hub);
        let asked = visitor.asked().await;
        let answer = visitor.comes_back(&asked, with_roles(&hub, &ada, &asked, roles)).await;
        (answer, visitor.is_in().await, visitor.has("__Host-slo-console"))
    };
    for roles in [json!("slo-admin"), json!("slo-owner"), json!(["slo-owner"]), json!([7, null, "x", "slo-admin"])] {
        let (answer, is_in, _) = opens(roles.clone()).await;
        assert!(answer.status == 200 && is_in, "{roles}: {answer:?}");
    }
    for roles in [
        json!("staff"),
        json!("slo-admins"),
        json!("slo-adm"),
        json!("SLO-ADMIN"),
        json!(" slo-admin"),
        json!("staff slo-admin"),
        json!("staff,slo-admin"),
        json!(""),
        json!(true),
        json!(1),
        json!([]),
        json!(["staff"]),
        json!([["slo-admin"]]),
        json!([{"name": "slo-admin"}]),
        json!({"slo-admin": true}),
        json!({"roles": ["slo-admin"]}),
        json!(null),
    ] {
        let (answer, is_in, has_cookie) = opens(roles.clone()).await;
        answer.is_refusal(403, "no_operator");
        assert!(!is_in && !has_cookie, "{roles}");
        for shown in [ROLES, &format!("{CONSOLE}/console/sign-in/issuer?anew=1")] {
            assert!(answer.text.contains(shown), "{shown} is not in {answer:?}");
        }
        for name in ["ada-lovelace", ada.sid.as_str(), "acme.example&quot;", "@acme", "staff", "slo-admin", "slo-owner"]
        {
            answer.lacks(name);
        }
    }
}

#[tokio::test]
async fn a_claim_that_is_not_there_or_elsewhere_or_nearly_named_so_lets_nobody_in() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    for name in ["roles", "https://acme.example/roles/", "https://acme.example/Roles", "https://acme"] {
        let mut visitor = Visitor::new(&hub);
        let asked = visitor.asked().await;
        let token = hub.issuer.id_token(&ada, "slo-hub").with("nonce", json!(param(&asked, "nonce")));
        let nested = json!({"example/roles": ["slo-admin"], "roles": "slo-admin"});
        let token =
            if name == "https://acme" { token.with(name, nested) } else { token.with(name, json!("slo-admin")) };
        let grant = Grant { id_token: token.sign(), ..as_operator(&hub, &ada, &asked) };
        visitor.comes_back(&asked, grant).await.is_refusal(403, "no_operator");
        assert!(!visitor.is_in().await, "{name}");
    }
}

#[tokio::test]
async fn who_is_no_operator_may_sign_in_as_someone_else_and_is_asked_anew() {
    let hub = hub().await;
    let mut visitor = Visitor::new(&hub);
    let asked = account::question(&hub, &visitor.opens("/console/sign-in/issuer?anew=1").await);
    assert_eq!((param(&asked, "prompt").as_str(), param(&asked, "max_age").as_str()), ("login", "0"));
    let grace = hub.issuer.sign_in("grace");
    visitor.comes_back(&asked, as_operator(&hub, &grace, &asked)).await.shows("You are signed in");
    assert!(visitor.is_in().await);
}

#[tokio::test]
async fn an_id_token_that_breaks_a_rule_opens_nothing() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    for spoil in ["nonce", "no nonce", "audience", "audiences", "issuer", "expired", "signature", "verifier"] {
        let mut visitor = Visitor::new(&hub);
        let asked = visitor.asked().await;
        let mut grant = as_operator(&hub, &ada, &asked);
        let nonce = json!(param(&asked, "nonce"));
        let roles = json!("slo-admin");
        let token = |aud: &str| hub.issuer.id_token(&ada, aud).with(ROLES, roles.clone()).with("nonce", nonce.clone());
        match spoil {
            "nonce" => grant.id_token = token("slo-hub").with("nonce", json!("another")).sign(),
            "no nonce" => grant.id_token = token("slo-hub").without("nonce").sign(),
            "audience" => grant.id_token = token("notes").sign(),
            "audiences" => grant.id_token = token("x").with("aud", json!(["slo-hub", "notes"])).sign(),
            "issuer" => {
                let other = hub.other.id_token(&ada, "slo-hub").with(ROLES, roles.clone()).with("nonce", nonce.clone());
                grant.id_token = other.sign();
            }
            "expired" => grant.id_token = token("slo-hub").with("exp", json!(hub.issuer.now() - 3600)).sign(),
            "signature" => {
                let stranger = with_roles(&hub, &ada, &asked, json!("staff")).id_token;
                let (claims, signature) =
                    (grant.id_token.rsplit_once('.').unwrap().0, stranger.rsplit_once('.').unwrap().1);
                grant.id_token = format!("{claims}.{signature}");
            }
            _ => grant.challenge = "another".to_owned(),
        }
        visitor.comes_back(&asked, grant).await.is_refusal(503, "issuer_unreachable");
        assert!(!visitor.is_in().await && !visitor.has("__Host-slo-console"), "{spoil}");
    }
}

#[tokio::test]
async fn an_answer_opens_the_console_once_and_in_the_browser_that_asked() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut visitor, mut stranger) = (Visitor::new(&hub), Visitor::new(&hub));
    let asked = visitor.asked().await;
    stranger.asked().await;
    let [first, second] = [0, 1].map(|_| hub.issuer.grant(as_operator(&hub, &ada, &asked)));
    let state = param(&asked, "state");
    let query = [("code", first.as_str()), ("state", state.as_str())];
    for other in [&mut stranger, &mut Visitor::new(&hub)] {
        other.comes_with(&query).await.is_refusal(403, "foreign_link");
        assert!(!other.is_in().await);
    }
    let altered = format!("x{state}");
    visitor.comes_with(&[("code", &first), ("state", &altered)]).await.is_refusal(403, "foreign_link");
    visitor.comes_with(&[("code", &first)]).await.is_refusal(403, "foreign_link");
    let mixed_up = [query[0], query[1], ("iss", hub.other.url())];
    visitor.comes_with(&mixed_up).await.is_refusal(403, "foreign_link");
    assert_eq!(hub.issuer.redemptions(), 0, "none of these is the issuer's business");

    visitor.comes_with(&[query[0], query[1], ("iss", hub.issuer.url())]).await.shows("You are signed in");
    for code in [&first, &second] {
        visitor.comes_with(&[("code", code), ("state", &state)]).await.is_refusal(403, "foreign_link");
    }

    let asked = stranger.asked().await;
    hub.advance(Duration::from_secs(600));
    let late = as_operator(&hub, &ada, &asked);
    stranger.comes_back(&asked, late).await.is_refusal(403, "foreign_link");
}

#[tokio::test]
async fn an_answer_for_the_pages_about_a_person_opens_no_console_nor_the_other_way_about() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let mut browser = Browser::new(&hub);
    let asked = account::question(&hub, &browser.opens(&format!("{HUB}/sessions")).await);
    let code = hub.issuer.grant(as_operator(&hub, &ada, &asked));
    let mut visitor = Visitor::new(&hub);
    visitor.carries("__Host-slo-console-way", browser.cookie().split_once('=').unwrap().1);
    let query = [("code", code.as_str()), ("state", &param(&asked, "state"))];
    visitor.comes_with(&query).await.is_refusal(403, "foreign_link");

    let mut visitor = Visitor::new(&hub);
    let asked = visitor.asked().await;
    let code = hub.issuer.grant(as_operator(&hub, &ada, &asked));
    let mut browser = Browser::new(&hub);
    account::question(&hub, &browser.opens(&format!("{HUB}/sessions")).await);
    let query = [("code", code.as_str()), ("state", &param(&asked, "state"))];
    is_error_page(&browser.gets("/sessions/callback", &query).await, 403, "foreign_link");
}

#[tokio::test]
async fn whatever_an_answer_says_a_browser_goes_nowhere_but_to_the_console() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let mut visitor = Visitor::new(&hub);
    let asked = visitor.asked().await;
    let code = hub.issuer.grant(as_operator(&hub, &ada, &asked));
    let elsewhere = "https://evil.example/";
    let names = ["redirect_uri", "return_to", "next", "url", "target_link_uri", "post_logout_redirect_uri"];
    let mut query = vec![("code", code.as_str()), ("state", "")];
    let state = param(&asked, "state");
    query[1].1 = &state;
    query.extend(names.map(|name| (name, elsewhere)));
    let answer = visitor.comes_with(&query).await;
    answer.shows("content=\"0; url=/console\"").lacks("evil");
    assert!(!answer.headers.contains_key("location"), "{answer:?}");
    let begins =
        visitor.opens("/console/sign-in/issuer?return_to=https://evil.example/&anew=https://evil.example/").await;
    assert!(!account::question(&hub, &begins).as_str().contains("evil"), "{begins:?}");
    visitor.opens("/console/sign-in/issuer?anew=1&anew=1").await.is_refusal(400, "duplicate_parameter");
}

#[tokio::test]
async fn the_public_listener_has_no_way_into_the_console() {
    let hub = hub().await;
    for path in ["/console", "/console/sign-in", "/console/sign-in/issuer", "/console/sign-in/callback?code=x&state=y"]
    {
        let answer = Answer::of(hub.http.get(hub.url(path)).header("host", "console.example")).await;
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn only_a_persons_own_navigation_goes_to_the_issuer_or_comes_back() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let mut visitor = Visitor::new(&hub);
    let asked = visitor.asked().await;
    let code = hub.issuer.grant(as_operator(&hub, &ada, &asked));
    let back = format!("/console/sign-in/callback?code={code}&state={}", param(&asked, "state"));
    for path in ["/console/sign-in/issuer", back.as_str()] {
        for (name, value) in [("sec-fetch-dest", "iframe"), ("sec-purpose", "prefetch"), ("sec-fetch-mode", "cors")] {
            let answer = Answer::of(visitor.request(Method::GET, path).header(name, value)).await;
            answer.is_refusal(400, "not_a_navigation");
        }
        assert_eq!(Answer::of(visitor.request(Method::HEAD, path)).await.status, 405);
        let foreign = visitor.request(Method::GET, path).header("host", "evil.example");
        assert_ne!(Answer::of(foreign).await.status, 200);
    }
    assert_eq!(hub.issuer.redemptions(), 0);
    visitor.opens(&back).await.shows("You are signed in");
}

#[tokio::test]
async fn the_issuers_trouble_is_not_the_operators_fault() {
    let hub = hub().await;
    let mut visitor = Visitor::new(&hub);
    let asked = visitor.asked().await;
    let state = param(&asked, "state");
    let declined = visitor.comes_with(&[("error", "access_denied"), ("state", &state)]).await;
    declined.is_refusal(403, "not_signed_in");
    let ada = hub.issuer.sign_in("ada");
    let code = hub.issuer.grant(as_operator(&hub, &ada, &asked));
    hub.issuer.fail_with(503);
    let query = [("code", code.as_str()), ("state", state.as_str())];
    let answer = visitor.comes_with(&query).await;
    answer.is_refusal(503, "issuer_unreachable");
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
    hub.issuer.fail_with(200);
    // The code was used up on the way.
    visitor.comes_back(&asked, as_operator(&hub, &ada, &asked)).await.shows("You are signed in");
}

#[tokio::test]
async fn codes_that_come_to_nothing_are_held_back_from_the_issuer_by_address_and_by_question() {
    let more = "[limits]\ninvalid_requests_per_minute_per_ip = 2";
    let hub = TestHub::start_with(&settings(&format!("admin_token = \"{TOKEN}\""), more)).await;
    let ada = hub.issuer.sign_in("ada");
    let mut visitor = Visitor::new(&hub);
    for _ in 0..2 {
        let state = param(&visitor.asked().await, "state");
        let made_up = visitor.comes_with(&[("code", "made up"), ("state", &state)]).await;
        made_up.is_refusal(503, "issuer_unreachable");
    }
    let asked = visitor.asked().await;
    let good = hub.issuer.grant(as_operator(&hub, &ada, &asked));
    let query = [("code", good.as_str()), ("state", &param(&asked, "state"))];
    visitor.comes_with(&query).await.is_refusal(429, "slow_down");
    assert_eq!(hub.issuer.redemptions(), 2);
    hub.advance(Duration::from_secs(60));
    visitor.comes_with(&query).await.shows("You are signed in");
    hub.advance(Duration::from_secs(60));

    let mut visitor = Visitor::new(&hub);
    let state = param(&visitor.asked().await, "state");
    for minute in 0..4 {
        let answer = visitor.comes_with(&[("code", "made up"), ("state", &state)]).await;
        let (status, code) = if minute < 3 { (503, "issuer_unreachable") } else { (403, "foreign_link") };
        answer.is_refusal(status, code);
        hub.advance(Duration::from_secs(60));
    }
}

#[tokio::test]
async fn without_a_claim_in_the_configuration_there_is_no_sign_in_by_name() {
    let server =
        format!("admin_token = \"{TOKEN}\"\n[server.console]\nurl = \"{CONSOLE}\"\n# issuer\n{}", account::CLIENT);
    let hub = TestHub::start_with(&server).await;
    let mut visitor = Visitor::new(&hub);
    visitor.opens("/console/sign-in").await.shows("admin_token").lacks("Sign in with <");
    for path in ["/console/sign-in/issuer", "/console/sign-in/callback?code=x&state=y", "/console/signed-out"] {
        visitor.opens(path).await.is_refusal(404, "login_not_configured");
    }
}
