//! Who is signed out by what, and who is not.

use std::time::Duration;

use serde_json::json;
use slo_hub::domain::clock::Clock as _;

use crate::hub::{DESK_SECRET, NOTES, SHOP, TestHub};
use crate::stories::{everywhere, id_token, logout_token};
use crate::tab::Tab;

#[tokio::test]
async fn a_logout_in_shop_signs_notes_out() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let (mut shop, _) = Tab::live(&hub, SHOP, &id_token(&hub, &ada, "shop")).await;

    let answer = hub.reports(&id_token(&hub, &ada, "shop"), SHOP, json!({"reason": "Bye"})).await.expect(201);

    let (to_notes, to_shop) = (notes.logged_out().await, shop.logged_out().await);
    assert_eq!(to_notes, to_shop);
    assert_eq!(to_notes["id"], answer["id"]);
    assert_eq!((answer["notified"].as_u64(), answer["final"].as_bool()), (Some(2), Some(false)));
    assert_eq!((to_notes["source"].as_str(), to_notes["reason"].as_str()), (Some("app"), Some("Bye")));
    notes.ack(&to_notes).await;
    assert_eq!(notes.closed().await, (4510, "logged_out".to_owned()));
}

#[tokio::test]
async fn the_issuers_own_end_of_a_session_signs_both_out_once() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let (mut shop, _) = Tab::live(&hub, SHOP, &id_token(&hub, &ada, "shop")).await;

    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    hub.receives(&logout_token(&hub, &ada, "shop")).await.expect(200);

    let id = notes.logged_out().await["id"].clone();
    assert_eq!(shop.logged_out().await["id"], id);
    assert_eq!(hub.recorded().await, 1);
}

#[tokio::test]
async fn the_same_logout_by_an_app_and_by_the_issuer_is_one_logout_told_once() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "shop");
    let (mut notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;

    let first = hub.reports(&token, SHOP, json!({})).await.expect(201);
    let again = hub.reports(&token, SHOP, json!({})).await.expect(200);
    for client in ["notes", "shop"] {
        hub.receives(&logout_token(&hub, &ada, client)).await.expect(200);
    }

    assert_eq!(again["id"], first["id"]);
    assert_eq!((again["notified"].as_u64(), hub.recorded().await), (Some(0), 1));
    let event = notes.logged_out().await;
    notes.ack(&event).await;
    assert_eq!(notes.closed().await.0, 4510, "nothing came between the one event and the close");
    let receipt = hub.receipt(first["id"].as_str().unwrap()).await;
    assert_eq!(receipt["final"], true, "the issuer has confirmed it");
}

#[tokio::test]
async fn the_same_logout_token_twice_has_no_second_effect() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = logout_token(&hub, &ada, "notes");
    let first = hub.receives(&token).await;
    let second = hub.receives(&token).await;
    assert_eq!((first.status, second.status), (200, 200));
    assert_eq!((first.text.as_str(), second.text.as_str()), ("", ""));
    assert_eq!(first.header("cache-control"), "no-store");
    assert_eq!(hub.recorded().await, 1);
}

#[tokio::test]
async fn a_jti_with_other_content_is_refused() {
    let hub = TestHub::start().await;
    let (ada, grace) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("grace"));
    let named = |who| hub.issuer.logout_token(who, "notes").with("jti", json!("one")).sign();
    hub.receives(&named(&ada)).await.expect(200);
    hub.receives(&named(&grace)).await.refused(400, "invalid_request", "jti_reused");
    assert_eq!(hub.recorded().await, 1);
}

#[tokio::test]
async fn nobody_else_hears_it() {
    let hub = TestHub::start().await;
    let laptop = hub.issuer.sign_in("ada");
    let phone = hub.issuer.sign_in("ada");
    let grace = hub.issuer.sign_in("grace");
    let elsewhere = hub.other.session("ada", &laptop.sid);
    let mut others = Vec::new();
    for (issuer, who) in [(&hub.issuer, &phone), (&hub.issuer, &grace), (&hub.other, &elsewhere)] {
        let token = issuer.id_token(who, "notes").sign();
        others.push((Tab::live(&hub, NOTES, &token).await.0, token));
    }

    hub.receives(&logout_token(&hub, &laptop, "notes")).await.expect(200);
    hub.reports(&id_token(&hub, &laptop, "shop"), SHOP, json!({})).await.expect(200);

    for (tab, token) in &mut others {
        tab.heard_nothing(token).await;
    }
}

#[tokio::test]
async fn a_session_that_the_hub_never_saw_is_recorded_and_told_to_whoever_comes_with_it() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);

    let mut tab = Tab::open(&hub, Some(NOTES)).await;
    tab.subscribe(&id_token(&hub, &ada, "notes")).await;
    assert_eq!(tab.logged_out().await["source"], "backchannel");
}

#[tokio::test]
async fn after_a_final_logout_even_a_fresh_token_of_that_session_is_logged_out() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    hub.advance(Duration::from_secs(600));

    let mut tab = Tab::open(&hub, Some(NOTES)).await;
    tab.subscribe(&id_token(&hub, &ada, "notes")).await;
    tab.logged_out().await;
}

#[tokio::test]
async fn a_person_may_sign_in_again_while_the_issuers_session_lives() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let old = id_token(&hub, &ada, "notes");
    hub.reports(&old, NOTES, json!({})).await.expect(201);
    hub.advance(Duration::from_secs(2));

    let fresh = id_token(&hub, &ada, "notes");
    let (mut tab, _) = Tab::live(&hub, NOTES, &fresh).await;
    let mut sleeper = Tab::open(&hub, Some(NOTES)).await;
    sleeper.subscribe(&old).await;

    sleeper.logged_out().await;
    tab.heard_nothing(&fresh).await;
    let second = hub.reports(&fresh, NOTES, json!({})).await.expect(201);
    assert_eq!(tab.logged_out().await["id"], second["id"], "a logout of its own");
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_that_began_before_and_no_later_one() {
    let hub = TestHub::start().await;
    let (laptop, phone) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("ada"));
    let (mut on_laptop, _) = Tab::live(&hub, NOTES, &id_token(&hub, &laptop, "notes")).await;
    let (mut on_phone, _) = Tab::live(&hub, SHOP, &id_token(&hub, &phone, "shop")).await;

    let done = hub.reports(&id_token(&hub, &laptop, "notes"), NOTES, json!({"scope": "user"})).await.expect(201);

    assert_eq!((done["scope"].as_str(), done.get("sid")), (Some("user"), None));
    let event = on_laptop.logged_out().await;
    assert_eq!((event["scope"].as_str(), event.get("sid")), (Some("user"), None));
    on_phone.logged_out().await;

    hub.advance(Duration::from_secs(3600));
    let refreshed = id_token(&hub, &phone, "shop");
    let mut tab = Tab::open(&hub, Some(SHOP)).await;
    tab.subscribe(&refreshed).await;
    tab.logged_out().await;
    let again = hub.issuer.sign_in("ada");
    Tab::live(&hub, SHOP, &id_token(&hub, &again, "shop")).await;
}

#[tokio::test]
async fn a_logout_token_with_a_sub_alone_means_every_session_of_that_person() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut tab, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    hub.receives(&everywhere(&hub, &ada, "notes")).await.expect(200);
    assert_eq!(tab.logged_out().await["scope"], "user");
}

#[tokio::test]
async fn what_happened_while_a_tab_slept_is_told_when_it_returns() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (tab, welcome) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    tab.leave().await;
    let done = hub.reports(&id_token(&hub, &ada, "shop"), SHOP, json!({})).await.expect(201);
    hub.advance(Duration::from_secs(2 * 24 * 3600));

    let hub = hub.restart().await;
    let mut tab = Tab::open(&hub, Some(NOTES)).await;
    tab.subscribe(welcome["resume"].as_str().unwrap()).await;

    assert_eq!(tab.logged_out().await["id"], done["id"]);
}

#[tokio::test]
async fn an_expired_token_is_told_of_its_logout_and_asked_for_a_fresh_one_otherwise() {
    let hub = TestHub::start().await;
    let (ada, grace) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("grace"));
    let (adas, graces) = (id_token(&hub, &ada, "notes"), id_token(&hub, &grace, "notes"));
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    hub.advance(Duration::from_secs(3 * 24 * 3600));

    let mut tab = Tab::open(&hub, Some(NOTES)).await;
    tab.subscribe(&adas).await;
    tab.logged_out().await;
    let mut tab = Tab::open(&hub, Some(NOTES)).await;
    tab.subscribe(&graces).await;
    tab.refused("token_expired", 4003).await;
}

#[tokio::test]
async fn a_session_that_ends_after_signing_out_everywhere_is_over_for_a_sign_in_the_hub_has_not_seen() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let mut desk = Tab::back_end(&hub, "desk", DESK_SECRET, None).await;
    assert_eq!(desk.frame().await["type"], "subscribed");
    let first = id_token(&hub, &ada, "notes");
    let everywhere = hub.reports(&first, NOTES, json!({"scope": "user"})).await.expect(201);
    hub.advance(Duration::from_secs(10));
    let again = hub.issuer.id_token(&ada, "notes");
    let again = again.with("auth_time", json!(hub.clock.now().floor().0)).sign();

    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);

    let over = hub.gets("/api/v1/session", &again).await.expect(200);
    assert_eq!((over["active"].as_bool(), &over["logout"]["id"]), (Some(false), &everywhere["id"]));
    assert_eq!(hub.recorded().await, 1);
    assert_eq!(desk.logged_out().await["id"], everywhere["id"]);
    let other = hub.desk_reports(json!({"sid": "another"})).await.expect(201);
    assert_eq!(desk.logged_out().await["id"], other["id"], "the feed tells of no second logout in between");
}

#[tokio::test]
async fn whoever_signs_out_at_a_hub_whose_clock_is_behind_is_signed_out_all_the_same() {
    let hub = TestHub::start().await;
    hub.issuer.advance(Duration::from_secs(30));
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, welcome) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;

    hub.reports(&id_token(&hub, &ada, "shop"), SHOP, json!({})).await.expect(201);
    notes.logged_out().await;
    let mut back = Tab::open(&hub, Some(NOTES)).await;
    back.subscribe(welcome["resume"].as_str().unwrap()).await;
    back.logged_out().await;

    hub.issuer.advance(Duration::from_secs(2));
    let (mut again, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    again.heard_nothing(&id_token(&hub, &ada, "notes")).await;
}

#[tokio::test]
async fn signing_out_everywhere_at_a_hub_whose_clock_is_behind_ends_every_session_it_has_seen() {
    let hub = TestHub::start().await;
    hub.issuer.advance(Duration::from_secs(30));
    let (laptop, phone) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("ada"));
    let since = |who| hub.issuer.id_token(who, "notes").with("auth_time", json!(hub.issuer.now())).sign();
    let (mut on_laptop, _) = Tab::live(&hub, NOTES, &since(&laptop)).await;
    let (mut on_phone, _) = Tab::live(&hub, NOTES, &since(&phone)).await;

    hub.reports(&since(&laptop), NOTES, json!({"scope": "user"})).await.expect(201);
    on_laptop.logged_out().await;
    on_phone.logged_out().await;

    hub.issuer.advance(Duration::from_secs(2));
    let desktop = hub.issuer.sign_in("ada");
    let (mut later, _) = Tab::live(&hub, NOTES, &since(&desktop)).await;
    later.heard_nothing(&since(&desktop)).await;
}
