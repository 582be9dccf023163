//! A logout that brings no token: the hub asks the issuer who is signed in.

use serde_json::json;
use url::Url;

use crate::browser::{Browser, is_error_page, location, param};
use crate::hub::{Answer, NOTES, SHOP, TestHub};
use crate::stories::id_token;
use crate::support::issuer::{Grant, TestSession};
use crate::tab::Tab;

const CLIENT: &str = "client_id = \"slo-hub\"\nclient_secret = \"hub secret\"";
const BASIC: &str = "Basic c2xvLWh1YjpodWIrc2VjcmV0";

/// A hub with a client of its own at its first issuer.
async fn hub() -> TestHub {
    TestHub::start_with_issuer(CLIENT).await
}

/// A person follows a plain link on one of Shop's pages.
async fn follows_link(hub: &TestHub, browser: &mut Browser<'_>) -> Url {
    let query = [("client_id", "shop"), ("post_logout_redirect_uri", "https://shop.example/bye"), ("state", "s")];
    let question = location(&browser.asks_from(SHOP, "/logout", &query).await);
    assert!(question.as_str().starts_with(&format!("{}authorize?", hub.issuer.url())), "{question}");
    question
}

/// What the issuer grants to whoever asked that question.
fn granted(hub: &TestHub, who: &TestSession, question: &Url) -> Grant {
    let token = hub.issuer.id_token(who, "slo-hub").with("nonce", json!(param(question, "nonce")));
    Grant { id_token: token.sign(), challenge: param(question, "code_challenge"), client: BASIC.to_owned() }
}

/// The issuer sends the browser back with a code for that.
async fn comes_back(hub: &TestHub, browser: &mut Browser<'_>, question: &Url, grant: Grant) -> Answer {
    let (code, state) = (hub.issuer.grant(grant), param(question, "state"));
    browser.gets("/logout/signed-in", &[("code", &code), ("state", &state)]).await
}

/// The browser is on its way to end the session at the issuer.
#[track_caller]
fn is_leaving(hub: &TestHub, answer: &Answer) {
    let url = location(answer);
    assert!(url.as_str().starts_with(&format!("{}oidc/logout?client_id=shop", hub.issuer.url())), "{url}");
}

#[tokio::test]
async fn a_plain_link_signs_out_whoever_is_signed_in_at_the_issuer() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let mut browser = Browser::new(&hub);

    let question = follows_link(&hub, &mut browser).await;
    for (name, value) in [
        ("prompt", "none"),
        ("response_type", "code"),
        ("scope", "openid"),
        ("client_id", "slo-hub"),
        ("code_challenge_method", "S256"),
        ("redirect_uri", "https://logout.example/logout/signed-in"),
    ] {
        assert_eq!(param(&question, name), value, "{question}");
    }
    let grant = granted(&hub, &ada, &question);
    let answer = comes_back(&hub, &mut browser, &question, grant).await;

    let event = notes.logged_out().await;
    assert_eq!((event["source"].as_str(), event["sid"].as_str()), (Some("redirect"), Some(ada.sid.as_str())));
    let (_, page) = browser.lands(&answer).await;
    assert!(page.text.contains("Signing you out") && page.text.contains("Notes"), "{page:?}");
    let receipt = hub.receipt(event["id"].as_str().unwrap()).await;
    assert_eq!(receipt["client_id"], "shop", "the app whose link it was");
    assert_eq!(receipt["deliveries"].as_array().unwrap().len(), 1, "the hub's own client is no app: {receipt}");
}

#[tokio::test]
async fn where_nobody_is_signed_in_it_goes_straight_on() {
    let hub = hub().await;
    let mut browser = Browser::new(&hub);
    for error in ["login_required", "interaction_required", "server_error"] {
        let question = follows_link(&hub, &mut browser).await;
        let state = param(&question, "state");
        is_leaving(&hub, &browser.gets("/logout/signed-in", &[("error", error), ("state", &state)]).await);
    }
    assert_eq!(hub.recorded().await, 0);
}

#[tokio::test]
async fn an_answer_is_taken_once_and_in_the_browser_that_asked() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut browser, mut stranger) = (Browser::new(&hub), Browser::new(&hub));
    let question = follows_link(&hub, &mut browser).await;
    let state = param(&question, "state");
    let code = hub.issuer.grant(granted(&hub, &ada, &question));

    follows_link(&hub, &mut stranger).await;
    let query = [("code", code.as_str()), ("state", state.as_str())];
    is_error_page(&stranger.gets("/logout/signed-in", &query).await, 400, "foreign_link");
    is_error_page(&Browser::new(&hub).gets("/logout/signed-in", &query).await, 400, "foreign_link");
    let altered = format!("x{state}");
    is_error_page(
        &browser.gets("/logout/signed-in", &[("code", &code), ("state", &altered)]).await,
        400,
        "foreign_link",
    );
    is_error_page(&browser.gets("/logout/signed-in", &[("code", &code)]).await, 400, "foreign_link");
    let other = [("code", code.as_str()), ("state", state.as_str()), ("iss", hub.other.url())];
    let refused = browser.gets("/logout/signed-in", &other).await;
    is_error_page(&refused, 400, "foreign_link");
    assert_eq!(hub.recorded().await, 0, "an answer that another issuer gave (RFC 9207)");

    let question = follows_link(&hub, &mut browser).await;
    let grant = granted(&hub, &ada, &question);
    let code = hub.issuer.grant(grant);
    let query = [("code", code.as_str()), ("state", &param(&question, "state")), ("iss", hub.issuer.url())];
    is_leaving(&hub, &browser.gets("/logout/signed-in", &query).await);
    assert_eq!(hub.recorded().await, 1);
    is_error_page(&browser.gets("/logout/signed-in", &query).await, 400, "used_link");
}

#[tokio::test]
async fn an_id_token_that_breaks_a_rule_names_nobody() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let mut browser = Browser::new(&hub);
    for spoil in ["nonce", "no nonce", "audience", "azp", "expired", "issuer", "key", "verifier", "client", "type"] {
        let question = follows_link(&hub, &mut browser).await;
        let mut grant = granted(&hub, &ada, &question);
        let nonce = json!(param(&question, "nonce"));
        let token = hub.issuer.id_token(&ada, "slo-hub").with("nonce", nonce.clone());
        grant.id_token = match spoil {
            "nonce" => token.with("nonce", json!("another")).sign(),
            "no nonce" => token.without("nonce").sign(),
            "audience" => hub.issuer.id_token(&ada, "shop").with("nonce", nonce).sign(),
            "azp" => token.with("azp", json!("shop")).sign(),
            "expired" => token.with("exp", json!(hub.issuer.now() - 3600)).sign(),
            "issuer" => hub.other.id_token(&ada, "slo-hub").with("nonce", nonce).sign(),
            "key" => token.kid(hub.other.kid()).sign(),
            "type" => token.header("typ", json!("at+jwt")).sign(),
            _ => grant.id_token,
        };
        if spoil == "verifier" {
            grant.challenge = "another".to_owned();
        }
        if spoil == "client" {
            grant.client = "Basic bm9ib2R5".to_owned();
        }
        is_leaving(&hub, &comes_back(&hub, &mut browser, &question, grant).await);
        assert_eq!(hub.recorded().await, 0, "{spoil}");
    }
    let recorded = hub.metric("slo_hub_logouts_total{source=\"redirect\",outcome=\"recorded\"}");
    assert!(recorded < 1.0, "at the other issuer neither");
}

#[tokio::test]
async fn a_client_that_is_registered_for_the_form_is_served_too() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let mut browser = Browser::new(&hub);
    let question = follows_link(&hub, &mut browser).await;
    let grant = Grant { client: "slo-hub:hub secret".to_owned(), ..granted(&hub, &ada, &question) };
    is_leaving(&hub, &comes_back(&hub, &mut browser, &question, grant).await);
    assert_eq!(hub.recorded().await, 1);
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_keeps_nobody_from_signing_out_there() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let mut browser = Browser::new(&hub);
    let question = follows_link(&hub, &mut browser).await;
    let grant = granted(&hub, &ada, &question);
    hub.issuer.fail_with(503);
    is_leaving(&hub, &comes_back(&hub, &mut browser, &question, grant).await);
    assert_eq!(hub.recorded().await, 0);
}

#[tokio::test]
async fn without_a_client_of_the_hubs_own_it_goes_straight_on() {
    let hub = TestHub::start().await;
    let answer = Browser::new(&hub).asks_from(SHOP, "/logout", &[("client_id", "shop")]).await;
    is_leaving(&hub, &answer);
}
