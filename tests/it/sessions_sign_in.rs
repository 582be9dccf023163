//! The hub signs a person in to its own pages.

use std::time::Duration;

use serde_json::json;
use slo_hub::domain::ids::Issuer;
use slo_hub::hub::admin_logout::{Order, Whom};

use crate::account::{CLIENT, LAPTOP, PHONE, comes_back, granted, hub, list, opens_list, presses, question, uses};
use crate::browser::{Browser, HUB, is_error_page, location, param};
use crate::hub::TestHub;
use crate::stories::{everywhere, logout_token};
use crate::support::issuer::{Grant, TestIssuer};

#[tokio::test]
async fn who_is_not_signed_in_is_sent_to_the_issuer_with_everything_that_protects_the_way_back() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let mut browser = Browser::new(&hub);
    let question = question(&hub, &browser.opens(&format!("{HUB}/sessions")).await);
    for (name, value) in [
        ("prompt", ""),
        ("response_type", "code"),
        ("scope", "openid"),
        ("client_id", "slo-hub"),
        ("code_challenge_method", "S256"),
        ("redirect_uri", "https://logout.example/sessions/callback"),
    ] {
        assert_eq!(param(&question, name), value, "{question}");
    }
    assert!(!param(&question, "nonce").is_empty() && !param(&question, "max_age").is_empty(), "{question}");

    let grant = granted(&hub, &ada, &question, hub.issuer.now());
    let answer = comes_back(&hub, &mut browser, &question, grant).await;
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-slo-session="), "{cookie}");
    for part in ["; HttpOnly", "; Secure", "; SameSite=Lax", "; Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    list(&mut browser).await;
}

#[tokio::test]
async fn an_answer_signs_in_once_and_in_the_browser_that_asked() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut browser, mut stranger) = (Browser::new(&hub), Browser::new(&hub));
    let asked = question(&hub, &browser.opens(&format!("{HUB}/sessions")).await);
    question(&hub, &stranger.opens(&format!("{HUB}/sessions")).await);
    let code = hub.issuer.grant(granted(&hub, &ada, &asked, 0));
    let state = param(&asked, "state");
    let query = [("code", code.as_str()), ("state", state.as_str())];
    for other in [&mut stranger, &mut Browser::new(&hub)] {
        is_error_page(&other.gets("/sessions/callback", &query).await, 403, "foreign_link");
    }
    let altered = format!("x{state}");
    let altered = browser.gets("/sessions/callback", &[("code", &code), ("state", &altered)]).await;
    is_error_page(&altered, 403, "foreign_link");
    let elsewhere = [("code", code.as_str()), ("state", "of.another.question")];
    is_error_page(&browser.gets("/sessions/callback", &elsewhere).await, 403, "foreign_link");

    assert_eq!(location(&browser.gets("/sessions/callback", &query).await).path(), "/sessions");
    is_error_page(&browser.gets("/sessions/callback", &query).await, 403, "foreign_link");
}

#[tokio::test]
async fn a_thousand_visits_of_nobody_write_nothing() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    question(&hub, &Browser::new(&hub).opens(&format!("{HUB}/sessions")).await);
    let written = || hub.running.hub.store.writer_counters().commands;
    let before = written();
    for _ in 0..500 {
        let mut browser = Browser::new(&hub);
        let asked = question(&hub, &browser.opens(&format!("{HUB}/sessions")).await);
        question(&hub, &browser.gets("/sessions/sign-in", &[]).await);
        let query = [("code", "made up"), ("state", &param(&asked, "state"))];
        is_error_page(&browser.gets("/sessions/callback", &query).await, 503, "issuer_unreachable");
    }
    assert_eq!(written() - before, 0);

    let mut browser = Browser::new(&hub);
    let asked = question(&hub, &browser.opens(&format!("{HUB}/sessions")).await);
    comes_back(&hub, &mut browser, &asked, granted(&hub, &ada, &asked, 0)).await;
    assert_eq!(written() - before, 2, "that it was taken, and who is signed in");
}

#[tokio::test]
async fn a_state_signs_in_once_whatever_codes_its_browser_holds() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let mut browser = Browser::new(&hub);
    let asked = question(&hub, &browser.opens(&format!("{HUB}/sessions")).await);
    // The issuer was shown the same address twice.
    let [first, second] = [0, 0].map(|at| granted(&hub, &ada, &asked, at));
    assert_eq!(location(&comes_back(&hub, &mut browser, &asked, first).await).path(), "/sessions");
    is_error_page(&comes_back(&hub, &mut browser, &asked, second).await, 403, "foreign_link");

    let asked = question(&hub, &browser.gets("/sessions/sign-in", &[]).await);
    hub.advance(Duration::from_secs(600));
    let late = granted(&hub, &ada, &asked, 0);
    is_error_page(&comes_back(&hub, &mut browser, &asked, late).await, 403, "foreign_link");
}

#[tokio::test]
async fn an_id_token_that_breaks_a_rule_signs_nobody_in() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let mut browser = Browser::new(&hub);
    for spoil in ["nonce", "audience", "issuer", "expired", "verifier"] {
        let asked = question(&hub, &browser.opens(&format!("{HUB}/sessions")).await);
        let mut grant = granted(&hub, &ada, &asked, hub.issuer.now());
        let nonce = json!(param(&asked, "nonce"));
        let token = hub.issuer.id_token(&ada, "slo-hub").with("nonce", nonce.clone());
        grant.id_token = match spoil {
            "nonce" => token.with("nonce", json!("another")).sign(),
            "audience" => hub.issuer.id_token(&ada, "shop").with("nonce", nonce).sign(),
            "issuer" => hub.other.id_token(&ada, "slo-hub").with("nonce", nonce).sign(),
            "expired" => token.with("exp", json!(hub.issuer.now() - 3600)).sign(),
            _ => grant.id_token,
        };
        if spoil == "verifier" {
            grant.challenge = "another".to_owned();
        }
        is_error_page(&comes_back(&hub, &mut browser, &asked, grant).await, 503, "issuer_unreachable");
        question(&hub, &browser.opens(&format!("{HUB}/sessions")).await);
    }
}

#[tokio::test]
async fn who_does_not_sign_in_at_the_issuer_is_told_so_and_sent_nowhere() {
    let hub = hub().await;
    let mut browser = Browser::new(&hub);
    let asked = question(&hub, &browser.opens(&format!("{HUB}/sessions")).await);
    let query = [("error", "access_denied"), ("state", &param(&asked, "state"))];
    is_error_page(&browser.gets("/sessions/callback", &query).await, 403, "not_signed_in");
}

#[tokio::test]
async fn a_session_that_is_over_sees_no_list() {
    let hub = hub().await;
    for ends in [logout_token as fn(&_, &_, &_) -> String, everywhere] {
        let ada = hub.issuer.sign_in("ada");
        let mut browser = Browser::called(&hub, LAPTOP);
        let page = opens_list(&hub, &mut browser, &ada, 60).await;
        hub.receives(&ends(&hub, &ada, "notes")).await.expect(200);
        is_error_page(&presses(&mut browser, &page, "Chrome on macOS").await, 403, "logged_out");

        let mut browser = Browser::called(&hub, LAPTOP);
        let asked = question(&hub, &browser.opens(&format!("{HUB}/sessions")).await);
        let grant = granted(&hub, &ada, &asked, hub.issuer.now() - 60);
        comes_back(&hub, &mut browser, &asked, grant).await;
        is_error_page(&browser.opens(&format!("{HUB}/sessions")).await, 403, "logged_out");
    }
}

#[tokio::test]
async fn a_session_that_was_swept_away_sees_no_list_though_no_app_ever_showed_it() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let mut browser = Browser::called(&hub, LAPTOP);
    opens_list(&hub, &mut browser, &ada, 60).await;
    let issuer = Issuer::parse(hub.issuer.url()).ok();
    let order = Order { issuer, whom: Whom::Everyone, before: None, reason: None };
    let counts = hub.running.hub.order_logout(order).await.unwrap().counts;
    assert_eq!(counts.map(|counts| counts.sessions), Some(0), "the hub knows of none");
    is_error_page(&browser.opens(&format!("{HUB}/sessions")).await, 403, "logged_out");
}

#[tokio::test]
async fn who_is_away_for_half_an_hour_or_eight_hours_is_asked_for_again_at_the_issuer() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let mut browser = Browser::new(&hub);
    opens_list(&hub, &mut browser, &ada, 0).await;
    hub.advance(Duration::from_secs(30 * 60));
    question(&hub, &browser.opens(&format!("{HUB}/sessions")).await);

    opens_list(&hub, &mut browser, &ada, 0).await;
    for _ in 0..16 {
        hub.advance(Duration::from_secs(29 * 60));
        list(&mut browser).await;
    }
    hub.advance(Duration::from_secs(16 * 60));
    question(&hub, &browser.opens(&format!("{HUB}/sessions")).await);
}

#[tokio::test]
async fn proving_who_one_is_takes_the_same_person_and_a_sign_in_of_just_now() {
    let hub = hub().await;
    let (ada, phone, bob) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("ada"), hub.issuer.sign_in("bob"));
    uses(&hub, &phone, PHONE, &["notes"]).await;
    let mut browser = Browser::new(&hub);
    let now = || hub.issuer.now();
    for (who, auth_time, code) in
        [(&bob, now(), "other_person"), (&ada, now() - 330, "stale_sign_in"), (&ada, now() + 3600, "stale_sign_in")]
    {
        opens_list(&hub, &mut browser, &ada, 7_200).await;
        let prove = browser.gets("/sessions/prove", &[("others", "1")]).await;
        let asked = question(&hub, &prove);
        let grant = granted(&hub, who, &asked, auth_time);
        is_error_page(&comes_back(&hub, &mut browser, &asked, grant).await, 403, code);
        let asks = browser.gets("/sessions/end", &[("others", "1")]).await;
        assert!(asks.text.contains("Continue to sign in"), "{code}: {asks:?}");
        browser = Browser::new(&hub);
    }
    opens_list(&hub, &mut browser, &ada, 7_200).await;
    let asked = question(&hub, &browser.gets("/sessions/prove", &[("others", "1")]).await);
    let token = hub.issuer.id_token(&ada, "slo-hub").with("nonce", json!(param(&asked, "nonce")));
    let grant = Grant { id_token: token.sign(), ..granted(&hub, &ada, &asked, now()) };
    is_error_page(&comes_back(&hub, &mut browser, &asked, grant).await, 403, "stale_sign_in");
}

#[tokio::test]
async fn with_several_issuers_the_person_says_which_sign_in_they_mean() {
    let third = TestIssuer::start().await;
    let hub =
        TestHub::start_with_issuer(&format!("{CLIENT}\n[[issuers]]\nissuer = \"{}\"\n{CLIENT}", third.url())).await;
    let mut browser = Browser::new(&hub);
    let choice = browser.opens(&format!("{HUB}/sessions")).await;
    assert!(choice.status == 200 && choice.text.contains("Which sign-in do you want to look at?"), "{choice:?}");
    for issuer in [hub.issuer.url(), third.url()] {
        let asked = location(&browser.gets("/sessions/sign-in", &[("issuer", issuer)]).await);
        assert!(asked.as_str().starts_with(&format!("{issuer}authorize?")), "{asked}");
    }
    let other = browser.gets("/sessions/sign-in", &[("issuer", hub.other.url())]).await;
    is_error_page(&other, 404, "sessions_not_configured");
}

#[tokio::test]
async fn without_a_client_of_the_hubs_own_there_is_no_list() {
    let hub = TestHub::start().await;
    is_error_page(&Browser::new(&hub).opens(&format!("{HUB}/sessions")).await, 404, "sessions_not_configured");
}
