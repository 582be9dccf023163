//! The page on which a person sees their apps signing out, and the receipt it ends as.

use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use crate::browser::{Browser, HUB, is_error_page, location, param, refresh, state_of};
use crate::hub::{Answer, NOTES, SHOP, TestHub};
use crate::stories::{everywhere, id_token};
use crate::support::issuer::TestSession;
use crate::tab::Tab;

/// Ada signs out by Shop's link while Notes is open.
async fn signs_out(hub: &TestHub, browser: &mut Browser<'_>, ada: &TestSession) -> Answer {
    let token = id_token(hub, ada, "shop");
    let query = [("id_token_hint", token.as_str()), ("post_logout_redirect_uri", "https://shop.example/bye")];
    browser.gets("/logout", &[&query[..], &[("state", "a b&c")]].concat()).await
}

/// Somebody signs out by Shop's link while Notes is closed, and lands on the page.
async fn lands_on_the_page(hub: &TestHub, browser: &mut Browser<'_>, who: &TestSession) -> (Url, Answer) {
    Tab::live(hub, NOTES, &id_token(hub, who, "notes")).await.0.leave().await;
    let answer = signs_out(hub, browser, who).await;
    browser.lands(&answer).await
}

/// What the page is fed with, one message after the other.
struct Feed(reqwest::Response, String);

impl Feed {
    async fn of(hub: &TestHub, browser: &Browser<'_>, page: &Url) -> Self {
        let request = hub.http.get(hub.url(&format!("/logout/progress?ticket={}", param(page, "ticket"))));
        let request = request.header("cookie", browser.cookie());
        let response = request.header("accept", "text/event-stream").send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self(response, String::new())
    }

    /// The states of the apps in the next message, by name.
    async fn next(&mut self) -> Vec<(String, String)> {
        while !self.1.contains("\n\n") {
            let chunk = tokio::time::timeout(Duration::from_secs(10), self.0.chunk()).await;
            self.1.push_str(std::str::from_utf8(&chunk.unwrap().unwrap().expect("the feed goes on")).unwrap());
        }
        let rest = self.1.split_off(self.1.find("\n\n").unwrap() + 2);
        let message = std::mem::replace(&mut self.1, rest);
        let said: Value = serde_json::from_str(message.trim_start_matches("data: ")).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        said["apps"].as_array().unwrap().iter().map(|app| (text(&app["name"]), text(&app["state"]))).collect()
    }

    /// Reads on until an app is so far.
    async fn until(&mut self, name: &str, state: &str) {
        while !self.next().await.contains(&(name.to_owned(), state.to_owned())) {}
    }
}

#[tokio::test]
async fn the_page_shows_each_app_signing_out_as_it_happens() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    hub.gets("/api/v1/session", &id_token(&hub, &ada, "desk")).await.expect(200);
    let mut browser = Browser::new(&hub);

    let answer = signs_out(&hub, &mut browser, &ada).await;
    let event = notes.logged_out().await;
    let (url, page) = browser.lands(&answer).await;
    let mut feed = Feed::of(&hub, &browser, &url).await;
    assert!(page.text.find("Shop") < page.text.find("Desk"), "the app that the person came from stands first");
    assert_eq!(state_of(&page, "desk"), "later", "it is closed");
    feed.until("Notes", "signing-out").await;
    notes.ack(&event).await;
    feed.until("Notes", "signed-out").await;
    for secret in [ada.sid.as_str(), "ada", &id_token(&hub, &ada, "shop")] {
        assert!(!page.text.contains(secret) && !url.as_str().contains(secret), "no token, sid or sub");
    }
}

#[tokio::test]
async fn without_scripts_the_page_loads_itself_until_nothing_is_waited_for() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let mut browser = Browser::new(&hub);
    let answer = signs_out(&hub, &mut browser, &ada).await;
    let event = notes.logged_out().await;
    let (url, _) = browser.lands(&answer).await;
    Feed::of(&hub, &browser, &url).await.until("Notes", "signing-out").await;

    let mut page = browser.opens(url.as_str()).await;
    for turn in 1..=3 {
        assert_eq!(state_of(&page, "notes"), "signing-out");
        let next = refresh(&page);
        assert!(next.starts_with(&format!("{HUB}/logout/signing-out?")) && next.ends_with(&format!("turn={turn}")));
        page = browser.opens(&next).await;
    }
    assert_eq!(state_of(&page, "notes"), "unconfirmed", "whoever is late is shown so");
    assert!(refresh(&page).starts_with(&format!("{HUB}/logout/onward?")), "{page:?}");

    notes.ack(&event).await;
    Feed::of(&hub, &browser, &url).await.until("Notes", "signed-out").await;
    let page = browser.opens(url.as_str()).await;
    let to_issuer = browser.until_away(page).await;
    let back = browser.gets("/logout/callback", &[("state", &param(&to_issuer, "state"))]).await;
    let to_app = location(&back);
    assert_eq!((to_app.path(), param(&to_app, "state").as_str()), ("/bye", "a b&c"));
}

#[tokio::test]
async fn a_page_is_left_once() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let mut browser = Browser::new(&hub);
    let (url, _) = lands_on_the_page(&hub, &mut browser, &ada).await;
    assert_eq!(browser.opens(url.as_str()).await.status, 200, "it may be loaded again");
    assert_eq!(browser.opens(&format!("{url}&turn=18446744073709551615")).await.status, 200);
    location(&browser.goes_on(&url).await);
    is_error_page(&browser.goes_on(&url).await, 400, "used_link");
    is_error_page(&browser.opens(url.as_str()).await, 400, "used_link");
    is_error_page(&browser.gets("/logout/signing-out", &[]).await, 400, "used_link");
    let feed = hub.http.get(hub.url(&format!("/logout/progress?ticket={}", param(&url, "ticket"))));
    Answer::of(feed).await.refused(404, "not_found", "not_found");

    let answer = signs_out(&hub, &mut browser, &ada).await;
    let (url, _) = browser.lands(&answer).await;
    hub.advance(Duration::from_secs(601));
    is_error_page(&browser.goes_on(&url).await, 400, "used_link");
}

#[tokio::test]
async fn a_page_is_no_other_browsers() {
    let hub = TestHub::start().await;
    let (ada, eve) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("eve"));
    let (mut browser, mut stranger) = (Browser::new(&hub), Browser::new(&hub));
    lands_on_the_page(&hub, &mut stranger, &eve).await;
    let (url, _) = lands_on_the_page(&hub, &mut browser, &ada).await;
    for other in [&mut stranger, &mut Browser::new(&hub)] {
        is_error_page(&other.opens(url.as_str()).await, 400, "foreign_link");
        is_error_page(&other.goes_on(&url).await, 400, "foreign_link");
        let feed = hub.http.get(hub.url(&format!("/logout/progress?ticket={}", param(&url, "ticket"))));
        Answer::of(feed.header("cookie", other.cookie())).await.refused(404, "not_found", "not_found");
    }
    location(&browser.goes_on(&url).await);
}

#[tokio::test]
async fn what_is_no_navigation_neither_sees_the_page_nor_goes_on() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let mut browser = Browser::new(&hub);
    let (url, _) = lands_on_the_page(&hub, &mut browser, &ada).await;
    let onward = format!("/logout/onward?ticket={}", param(&url, "ticket"));
    for path in [onward.as_str(), &url.as_str()[HUB.len()..]] {
        for (name, value) in [("sec-purpose", "prefetch"), ("sec-fetch-dest", "iframe"), ("sec-fetch-mode", "cors")] {
            let answer = Answer::of(hub.http.get(hub.url(path)).header(name, value)).await;
            is_error_page(&answer, 403, "not_a_navigation");
        }
        assert_eq!(Answer::of(hub.http.head(hub.url(path))).await.status, 405);
    }
    location(&browser.goes_on(&url).await);
}

#[tokio::test]
async fn an_app_alone_sees_no_page() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let to_issuer = location(&signs_out(&hub, &mut Browser::new(&hub), &ada).await);
    assert!(to_issuer.as_str().starts_with(hub.issuer.url()), "{to_issuer}");
}

#[tokio::test]
async fn with_nowhere_to_return_to_it_ends_as_a_receipt() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "desk");
    let (mut notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let mut browser = Browser::new(&hub);
    let answer = browser.gets("/logout", &[("id_token_hint", &token)]).await;
    let event = notes.logged_out().await;
    let to_issuer = browser.until_away(answer).await;
    let back = browser.gets("/logout/callback", &[("state", &param(&to_issuer, "state"))]).await;
    let (url, page) = browser.lands(&back).await;

    let id = event["id"].as_str().unwrap();
    assert_eq!(url.path(), format!("/logout/receipt/{id}"));
    assert!(page.text.contains("Not every app has confirmed") && page.text.contains("<time datetime="), "{page:?}");
    assert_eq!((state_of(&page, "desk").as_str(), state_of(&page, "notes").as_str()), ("later", "unconfirmed"));
    assert!(!page.text.contains("has not confirmed it yet"), "the browser has been to the issuer");
    notes.ack(&event).await;
    while state_of(&browser.opens(url.as_str()).await, "notes") != "signed-out" {}
    assert!(browser.opens(url.as_str()).await.text.contains("You are signed out"));

    let key = param(&url, "key");
    for (id, key) in [(id, "made-up"), ("01ARZ3NDEKTSV4RRFFQ69G5FAV", key.as_str()), (id, ""), ("x", key.as_str())] {
        let path = format!("/logout/receipt/{id}");
        is_error_page(&browser.gets(&path, &[("key", key)]).await, 400, "used_link");
    }
    hub.advance(Duration::from_secs(601));
    is_error_page(&browser.opens(url.as_str()).await, 400, "used_link");
}

#[tokio::test]
async fn a_person_signed_out_everywhere_is_told_so_on_the_receipt() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "desk");
    let mut browser = Browser::new(&hub);
    let answer = browser.gets("/logout", &[("id_token_hint", &token), ("scope", "user")]).await;
    let to_issuer = browser.until_away(answer).await;
    let back = || [("state", param(&to_issuer, "state"))];
    let back = browser.gets("/logout/callback", &back().each_ref().map(|(name, value)| (*name, value.as_str()))).await;
    let (url, page) = browser.lands(&back).await;
    assert!(page.text.contains("on every device") && page.text.contains("has not confirmed it yet"), "{page:?}");
    hub.receives(&everywhere(&hub, &ada, "notes")).await.expect(200);
    let page = browser.opens(url.as_str()).await;
    assert!(!page.text.contains("has not confirmed it yet"), "now it has: {page:?}");
}

#[tokio::test]
async fn the_way_from_an_apps_own_report_enters_at_the_page() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let done = hub.reports(&id_token(&hub, &ada, "shop"), SHOP, json!({})).await.expect(201);
    let mut browser = Browser::new(&hub);
    let answer = browser.opens(done["continue_url"].as_str().unwrap()).await;
    let event = notes.logged_out().await;
    let (url, _) = browser.lands(&answer).await;
    notes.ack(&event).await;
    Feed::of(&hub, &browser, &url).await.until("Notes", "signed-out").await;
}

#[tokio::test]
async fn the_pages_own_parts_are_served_and_nothing_else_runs_on_it() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let mut browser = Browser::new(&hub);
    let (_, page) = lands_on_the_page(&hub, &mut browser, &ada).await;
    let policy = page.header("content-security-policy");
    for part in ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("frame-src") && !policy.contains("unsafe"), "{policy}");
    let script = Answer::of(hub.http.get(hub.url("/assets/signing-out.js"))).await;
    assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
    let known = hub.http.get(hub.url("/assets/signing-out.js")).header("if-none-match", script.header("etag"));
    assert_eq!(Answer::of(known).await.status, 304);
}

#[tokio::test]
async fn a_stopping_hub_ends_the_feeds() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let mut browser = Browser::new(&hub);
    let (url, _) = lands_on_the_page(&hub, &mut browser, &ada).await;
    let mut feed = Feed::of(&hub, &browser, &url).await;
    feed.next().await;
    hub.running.stop().await;
    while let Ok(Some(_)) = feed.0.chunk().await {}
}
