//! A person sees where they are signed in, and ends what they want.

use std::time::Duration;

use serde_json::json;

use crate::account::{LAPTOP, PHONE, altered, count, field, hub, list, opens_list, presses, proves, row, uses};
use crate::browser::{Browser, HUB, is_error_page, location, param, refresh, state_of};
use crate::hub::{NOTES, SHOP};
use crate::stories::{id_token, logout_token};
use crate::tab::Tab;

const LONG_AGO: i64 = 7_200;

#[tokio::test]
async fn the_list_shows_every_session_of_the_person_and_nobody_elses() {
    let hub = hub().await;
    let (laptop, phone, bob) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("ada"), hub.issuer.sign_in("bob"));
    uses(&hub, &laptop, LAPTOP, &["notes", "shop", "desk"]).await;
    uses(&hub, &phone, PHONE, &["notes"]).await;
    uses(&hub, &bob, "Mozilla/5.0 (Windows NT 10.0; rv:143.0) Gecko/20100101 Firefox/143.0", &["notes"]).await;
    hub.advance(Duration::from_secs(3 * 3600));

    let mut browser = Browser::called(&hub, LAPTOP);
    let page = opens_list(&hub, &mut browser, &laptop, LONG_AGO).await;

    assert_eq!(count(&page), 2, "{page:?}");
    assert!(!page.text.contains("Firefox"), "{page:?}");
    assert!(page.text.find("Chrome on macOS") < page.text.find("Chrome on Android"), "the current one first");
    let own = row(&page, "Chrome on macOS");
    assert!(own.contains("Current") && own.contains("Active now") && own.contains("Desk, Notes, Shop"), "{own}");
    let other = row(&page, "Chrome on Android");
    assert!(!other.contains("Current") && other.contains("3 hours ago</time>") && other.contains("Notes"), "{other}");
    assert!(other.contains("127.0.0.1") && other.contains("<time datetime=\""), "{other}");
    assert!(other.contains("Sign out<span class=\"unseen\"> Chrome on Android</span>"), "{other}");
    assert!(page.text.contains("1 session on 1 device, 1 app"), "{page:?}");
    assert!(!page.text.contains(&phone.sid), "a sid stands nowhere on the page");
}

#[tokio::test]
async fn the_session_that_asks_is_shown_before_any_app_of_it_was_seen() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let page = opens_list(&hub, &mut Browser::called(&hub, PHONE), &ada, 0).await;
    assert_eq!(count(&page), 1);
    assert!(row(&page, "Chrome on Android").contains("Current"), "{page:?}");
    assert!(page.text.contains("You are signed in nowhere else."), "{page:?}");
}

#[tokio::test]
async fn a_session_that_is_over_is_on_the_list_no_more() {
    let hub = hub().await;
    let (laptop, phone) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("ada"));
    uses(&hub, &phone, PHONE, &["notes"]).await;
    hub.receives(&logout_token(&hub, &phone, "notes")).await.expect(200);
    let page = opens_list(&hub, &mut Browser::new(&hub), &laptop, 0).await;
    assert_eq!(count(&page), 1, "{page:?}");
}

#[tokio::test]
async fn a_button_ends_that_session_in_every_app_and_no_other() {
    let hub = hub().await;
    let (laptop, phone) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("ada"));
    let laptop_notes = id_token(&hub, &laptop, "notes");
    uses(&hub, &phone, PHONE, &["desk"]).await;
    let (notes_here, _) = Tab::live(&hub, NOTES, &laptop_notes).await;
    let (mut notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &phone, "notes")).await;
    let (mut shop, _) = Tab::live(&hub, SHOP, &id_token(&hub, &phone, "shop")).await;
    let mut browser = Browser::called(&hub, LAPTOP);
    let page = opens_list(&hub, &mut browser, &laptop, 0).await;

    let answer = presses(&mut browser, &page, "Chrome on Android").await;

    let event = notes.logged_out().await;
    assert_eq!((event["source"].as_str(), event["sid"].as_str()), (Some("session_api"), Some(phone.sid.as_str())));
    assert_eq!(event["reason"], "You signed out from another device");
    let (url, ended) = browser.lands(&answer).await;
    assert!(ended.text.contains("Chrome on Android") && ended.text.contains("Signed out in 0 of 3 apps"), "{ended:?}");
    assert_eq!((state_of(&ended, "notes"), state_of(&ended, "desk")), ("signing-out".into(), "later".into()));

    notes.ack(&event).await;
    let other = shop.logged_out().await;
    shop.ack(&other).await;
    hub.until_receipt(event["id"].as_str().unwrap(), "acknowledged by two", |receipt| {
        receipt["deliveries"].as_array().unwrap().iter().filter(|row| row["status"] == "acknowledged").count() == 2
    })
    .await;
    let again = browser.opens(&refresh(&ended)).await;
    assert!(again.text.contains("Signed out in 2 of 3 apps"), "{again:?}");
    assert_eq!(state_of(&again, "desk"), "later", "Desk was closed: it will be told when it opens");

    let _still_open = notes_here;
    assert_eq!(hub.gets("/api/v1/session", &laptop_notes).await.expect(200)["active"], true);
    assert_eq!(count(&list(&mut browser).await), 1);
    let feed = format!("/sessions/progress?ticket={}", param(&url, "ticket"));
    for mut stranger in [Browser::new(&hub), Browser::called(&hub, PHONE)] {
        is_error_page(&stranger.opens(url.as_str()).await, 400, "foreign_link");
        stranger.opens(&format!("{HUB}{feed}")).await.refused(404, "not_found", "not_found");
        opens_list(&hub, &mut stranger, &laptop, 0).await;
    }
}

#[tokio::test]
async fn everywhere_else_ends_all_but_the_one_that_asks_after_saying_what_it_ends() {
    let hub = hub().await;
    let sessions: Vec<_> = (0..3).map(|_| hub.issuer.sign_in("ada")).collect();
    uses(&hub, &sessions[0], LAPTOP, &["notes"]).await;
    uses(&hub, &sessions[1], PHONE, &["notes", "shop"]).await;
    uses(&hub, &sessions[2], PHONE, &["desk"]).await;
    let mut browser = Browser::called(&hub, LAPTOP);
    opens_list(&hub, &mut browser, &sessions[0], 0).await;

    let asks = browser.gets("/sessions/end", &[("others", "1")]).await;
    assert!(asks.text.contains("This ends 2 sessions on 1 device, 3 apps. You stay signed in here."), "{asks:?}");
    assert_eq!(hub.recorded().await, 0, "asking ends nothing");
    let token = field(&asks.text, "token");
    let answer = browser.posts_from(HUB, "/sessions/end", &[("others", "1"), ("token", &token)]).await;

    let (_, ended) = browser.lands(&answer).await;
    assert!(ended.text.contains("<h1 tabindex=\"-1\">2 sessions ended</h1>"), "{ended:?}");
    assert_eq!(hub.recorded().await, 2, "as many as it said");
    for (session, is_active) in sessions.iter().zip([true, false, false]) {
        let state = hub.gets("/api/v1/session", &id_token(&hub, session, "notes")).await.expect(200);
        assert_eq!(state["active"], is_active);
    }
    assert_eq!(count(&list(&mut browser).await), 1);
}

#[tokio::test]
async fn who_signed_in_long_ago_proves_it_once_more_and_then_ends_what_they_wanted() {
    let hub = hub().await;
    let (laptop, phone) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("ada"));
    uses(&hub, &phone, PHONE, &["notes"]).await;
    let mut browser = Browser::called(&hub, LAPTOP);
    let page = opens_list(&hub, &mut browser, &laptop, LONG_AGO).await;

    let asks = presses(&mut browser, &page, "Chrome on Android").await;
    assert_eq!((asks.status, hub.recorded().await), (200, 0));
    assert!(asks.text.contains("Continue to sign in") && !asks.text.contains("<button"), "{asks:?}");
    let back = proves(&hub, &mut browser, &laptop, &asks).await;
    assert_eq!(location(&back).path(), "/sessions/end");
    let (_, asks) = browser.lands(&back).await;
    assert_eq!(hub.recorded().await, 0, "proving who one is ends nothing");
    let answer = presses_the_button(&mut browser, &asks.text).await;
    browser.lands(&answer).await;
    assert_eq!(hub.recorded().await, 1);

    hub.advance(Duration::from_secs(330));
    let another = hub.issuer.sign_in("ada");
    uses(&hub, &another, PHONE, &["notes"]).await;
    let page = list(&mut browser).await;
    let asks = presses(&mut browser, &page, "Chrome on Android").await;
    assert!(asks.text.contains("Continue to sign in"), "five minutes later it is asked again: {asks:?}");
}

async fn presses_the_button(browser: &mut Browser<'_>, page: &str) -> crate::hub::Answer {
    let (session, token) = (field(page, "session"), field(page, "token"));
    browser.posts_from(HUB, "/sessions/end", &[("session", &session), ("token", &token)]).await
}

#[tokio::test]
async fn the_session_that_asks_ends_as_by_any_sign_out_link_and_the_list_is_closed_then() {
    let hub = hub().await;
    let laptop = hub.issuer.sign_in("ada");
    let (mut notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &laptop, "notes")).await;
    uses(&hub, &laptop, LAPTOP, &["notes"]).await;
    let mut browser = Browser::called(&hub, LAPTOP);
    let page = opens_list(&hub, &mut browser, &laptop, LONG_AGO).await;

    let answer = presses(&mut browser, &page, "Chrome on macOS").await;

    assert_eq!(notes.logged_out().await["reason"], json!(null), "nobody else did it");
    let away = browser.until_away(answer).await;
    assert!(away.as_str().starts_with(&format!("{}oidc/logout?", hub.issuer.url())), "{away}");
    let again = browser.opens(&format!("{HUB}/sessions")).await;
    assert!(location(&again).as_str().starts_with(hub.issuer.url()), "{again:?}");
}

#[tokio::test]
async fn a_button_is_good_on_the_persons_own_page_only() {
    let hub = hub().await;
    let (laptop, phone, bob) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("ada"), hub.issuer.sign_in("bob"));
    uses(&hub, &phone, PHONE, &["notes"]).await;
    uses(&hub, &bob, PHONE, &["notes"]).await;
    let (mut browser, mut bobs) = (Browser::called(&hub, LAPTOP), Browser::called(&hub, PHONE));
    let page = opens_list(&hub, &mut browser, &laptop, 0).await;
    let bobs_page = opens_list(&hub, &mut bobs, &bob, 0).await;
    let (id, token) =
        (field(row(&page, "Chrome on Android"), "session"), field(row(&page, "Chrome on Android"), "token"));
    let bobs_id = field(row(&bobs_page, "Chrome on Android"), "session");
    let bobs_token = field(row(&bobs_page, "Chrome on Android"), "token");

    let altered = altered(&id);
    let path = format!("../{id}");
    for (session, token, status, code) in [
        (id.as_str(), None, 403, "foreign_form"),
        (&id, Some("0.AAAA"), 403, "foreign_form"),
        (&id, Some(bobs_token.as_str()), 403, "foreign_form"),
        (&bobs_id, Some(&token), 404, "no_such_session"),
        (&bobs_id, Some(&bobs_token), 404, "no_such_session"),
        (&altered, Some(&token), 404, "no_such_session"),
        (&path, Some(&token), 404, "no_such_session"),
        (&phone.sid, Some(&token), 404, "no_such_session"),
    ] {
        let mut fields = vec![("session", session)];
        fields.extend(token.map(|token| ("token", token)));
        is_error_page(&browser.posts_from(HUB, "/sessions/end", &fields).await, status, code);
    }
    let fields = [("session", id.as_str()), ("token", token.as_str())];
    let foreign = browser.posts_from("https://evil.example", "/sessions/end", &fields).await;
    is_error_page(&foreign, 403, "not_a_navigation");
    let everywhere = [("others", "1"), ("token", token.as_str())];
    is_error_page(&browser.posts_from(HUB, "/sessions/end", &everywhere).await, 403, "foreign_form");
    is_error_page(&Browser::new(&hub).posts_from(HUB, "/sessions/end", &fields).await, 403, "not_signed_in");
    is_error_page(&bobs.posts_from(HUB, "/sessions/end", &fields).await, 404, "no_such_session");
    let by_link = browser.gets("/sessions/end", &fields).await;
    assert_eq!(by_link.status, 200, "an address asks, and ends nothing: {by_link:?}");
    assert_eq!(hub.recorded().await, 0);
}

#[tokio::test]
async fn the_page_is_kept_by_nobody_framed_by_nobody_and_runs_nothing_of_anybody_elses() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let mut browser = Browser::called(&hub, "<script>alert(1)</script> Chrome/1");
    let page = opens_list(&hub, &mut browser, &ada, 0).await;
    let policy = page.header("content-security-policy");
    for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!((page.header("cache-control"), page.header("x-frame-options")), ("no-store", "DENY"));
    assert!(!page.text.contains("alert(1)"), "{page:?}");

    let framed = hub.http.get(hub.url("/sessions")).header("cookie", browser.cookie());
    let framed = framed.header("sec-fetch-mode", "navigate").header("sec-fetch-dest", "iframe");
    is_error_page(&crate::hub::Answer::of(framed).await, 403, "not_a_navigation");
}
