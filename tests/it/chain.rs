//! The redirect chain: apps that can only be signed out in a window of their own.

use std::time::Duration;

use serde_json::Value;
use url::Url;

use crate::browser::{Browser, HUB, is_error_page, location, param, state_of};
use crate::hub::{Answer, TestHub};
use crate::stories::id_token;
use crate::support::issuer::TestSession;
use crate::tab::Tab;

const CHAIN: &str = r#"
[[apps]]
client_id = "first"
issuer = "ISSUER"
name = "First"
origins = ["https://first.example"]
chain_logout_uri = "https://first.example/logout?from=hub"
[[apps]]
client_id = "second"
issuer = "ISSUER"
name = "Second"
chain_logout_uri = "https://second.example/logout"
"#;

async fn page_of(hub: &TestHub, browser: &mut Browser<'_>, who: &TestSession) -> (Url, Answer) {
    let token = id_token(hub, who, "shop");
    let query = [("id_token_hint", token.as_str()), ("post_logout_redirect_uri", "https://shop.example/bye")];
    let answer = browser.gets("/logout", &[&query[..], &[("state", "s")]].concat()).await;
    browser.lands(&answer).await
}

/// The address at the hub that an app of the chain was given to come back to.
fn return_to(app: &Url) -> String {
    let back = param(app, "return_to");
    assert!(back.starts_with(&format!("{HUB}/logout/chain?state=")), "{back}");
    back
}

async fn row(hub: &TestHub, client_id: &str) -> Value {
    let issuer = slo_hub::domain::ids::Issuer::parse(hub.issuer.url()).unwrap();
    let logouts = hub.running.hub.store.logouts_after(&issuer, 0, 10).await.unwrap();
    let receipt = hub.receipt(&logouts.last().unwrap().1.id.to_string()).await;
    let rows = receipt["deliveries"].as_array().unwrap();
    let found = rows.iter().find(|row| row["client_id"] == client_id && row["via"] == "chain");
    found.cloned().unwrap_or_default()
}

#[tokio::test]
async fn each_app_is_visited_and_comes_back_and_then_the_issuer_and_then_the_app() {
    let hub = TestHub::start_with(CHAIN).await;
    let ada = hub.issuer.sign_in("ada");
    let mut browser = Browser::new(&hub);
    let (page, text) = page_of(&hub, &mut browser, &ada).await;
    assert_eq!((state_of(&text, "first").as_str(), state_of(&text, "second").as_str()), ("next", "next"));

    let first = location(&browser.goes_on(&page).await);
    assert!(first.as_str().starts_with("https://first.example/logout?from=hub&return_to="), "{first}");
    assert_eq!(row(&hub, "first").await["status"], "pending");
    assert!(!first.as_str().contains(&ada.sid), "no sid in its URL");
    let second = location(&browser.opens(&return_to(&first)).await);
    assert!(second.as_str().starts_with("https://second.example/logout?return_to="), "{second}");
    assert_eq!(row(&hub, "first").await["status"], "acknowledged");
    let issuer = location(&browser.opens(&return_to(&second)).await);
    assert!(issuer.as_str().starts_with(hub.issuer.url()), "{issuer}");
    assert_eq!(row(&hub, "second").await["status"], "acknowledged");
    let back = browser.gets("/logout/callback", &[("state", &param(&issuer, "state"))]).await;
    assert_eq!(location(&back).as_str(), "https://shop.example/bye?state=s");
}

#[tokio::test]
async fn an_app_that_keeps_the_person_does_not_lose_the_others() {
    let hub = TestHub::start_with(CHAIN).await;
    let ada = hub.issuer.sign_in("ada");
    let mut browser = Browser::new(&hub);
    let (page, _) = page_of(&hub, &mut browser, &ada).await;
    let first = location(&browser.goes_on(&page).await);
    assert_eq!(hub.recorded().await, 1, "the logout stands whatever the app does");

    // The person presses Back, and is on the page again.
    let again = browser.opens(page.as_str()).await;
    assert_eq!(again.status, 200);
    let second = location(&browser.goes_on(&page).await);
    assert!(second.as_str().starts_with("https://second.example/"), "{second}");
    let skipped = row(&hub, "first").await;
    assert_eq!((skipped["status"].as_str(), skipped["attempts"].as_u64()), (Some("failed"), Some(1)));
    assert_eq!(skipped["error"], "the browser did not come back from the app");

    // It comes back after all, in another tab: that counts, and the way goes on.
    let on = location(&browser.opens(&return_to(&first)).await);
    assert!(on.as_str().starts_with(hub.issuer.url()), "{on}");
    assert_eq!(row(&hub, "first").await["status"], "acknowledged");
    is_error_page(&browser.opens(&return_to(&second)).await, 400, "used_link");
}

#[tokio::test]
async fn whoever_signs_out_again_is_not_led_into_the_same_app_again() {
    let hub = TestHub::start_with(CHAIN).await;
    let ada = hub.issuer.sign_in("ada");
    let mut browser = Browser::new(&hub);
    let (page, _) = page_of(&hub, &mut browser, &ada).await;
    location(&browser.goes_on(&page).await);
    let (page, _) = page_of(&hub, &mut browser, &ada).await;
    let second = location(&browser.goes_on(&page).await);
    assert!(second.as_str().starts_with("https://second.example/"), "{second}");
    let (page, _) = page_of(&hub, &mut browser, &ada).await;
    assert!(location(&browser.goes_on(&page).await).as_str().starts_with(hub.issuer.url()), "it ends cleanly");
    assert_eq!(hub.recorded().await, 1, "and it was one logout");
}

#[tokio::test]
async fn only_the_hubs_own_state_leads_on_once_and_in_its_own_browser() {
    let hub = TestHub::start_with(CHAIN).await;
    let ada = hub.issuer.sign_in("ada");
    let (mut browser, mut stranger) = (Browser::new(&hub), Browser::new(&hub));
    let (page, _) = page_of(&hub, &mut browser, &ada).await;
    let back = return_to(&location(&browser.goes_on(&page).await));
    let (others, _) = page_of(&hub, &mut stranger, &hub.issuer.sign_in("eve")).await;
    location(&stranger.goes_on(&others).await);

    is_error_page(&Browser::new(&hub).opens(&back).await, 400, "foreign_link");
    is_error_page(&stranger.opens(&back).await, 400, "foreign_link");
    let state = param(&Url::parse(&back).unwrap(), "state");
    let (name, seal) = state.split_once('.').unwrap();
    let (until, tag) = seal.split_once('.').unwrap();
    let page_name = param(&page, "ticket");
    for altered in [
        String::new(),
        name.to_owned(),
        format!("{name}.{until}"),
        format!("{name}.{until}."),
        format!("{name}.9{until}.{tag}"),
        format!("{page_name}.{seal}"),
        format!("x{state}"),
        format!("{state}x"),
        state.to_uppercase(),
        "https://evil.example/".to_owned(),
        "//evil.example".to_owned(),
    ] {
        is_error_page(&browser.gets("/logout/chain", &[("state", &altered)]).await, 400, "foreign_link");
    }
    is_error_page(&browser.gets("/logout/chain", &[]).await, 400, "foreign_link");
    let twice = [("state", state.as_str()), ("state", state.as_str())];
    is_error_page(&browser.gets("/logout/chain", &twice).await, 400, "duplicate_parameter");
    let elsewhere = [("state", state.as_str()), ("return_to", "https://evil.example/")];
    let on = location(&browser.gets("/logout/chain", &elsewhere).await);
    assert!(on.as_str().starts_with("https://second.example/logout?return_to="), "{on}");
    is_error_page(&browser.opens(&back).await, 400, "used_link");
}

#[tokio::test]
async fn a_state_is_good_for_ten_minutes() {
    let hub = TestHub::start_with(CHAIN).await;
    let ada = hub.issuer.sign_in("ada");
    let mut browser = Browser::new(&hub);
    let (page, _) = page_of(&hub, &mut browser, &ada).await;
    let back = return_to(&location(&browser.goes_on(&page).await));
    hub.advance(Duration::from_secs(601));
    is_error_page(&browser.opens(&back).await, 400, "foreign_link");
    assert_eq!(row(&hub, "first").await["status"], "pending");
}

#[tokio::test]
async fn an_app_that_has_confirmed_by_its_socket_is_spared() {
    let hub = TestHub::start_with(CHAIN).await;
    let ada = hub.issuer.sign_in("ada");
    let (mut first, _) = Tab::live(&hub, "https://first.example", &id_token(&hub, &ada, "first")).await;
    let mut browser = Browser::new(&hub);
    let (page, _) = page_of(&hub, &mut browser, &ada).await;
    let event = first.logged_out().await;
    first.ack(&event).await;
    while state_of(&browser.opens(page.as_str()).await, "first") != "signed-out" {}
    let second = location(&browser.goes_on(&page).await);
    assert!(second.as_str().starts_with("https://second.example/"), "{second}");
}
