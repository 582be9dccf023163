//! Idle sign-out when the hub restarts, crashes, or its clock is set.

use std::time::Duration;

use serde_json::json;

use crate::hub::{NOTES, SHOP, TestHub};
use crate::records;
use crate::stories::id_token;
use crate::tab::Tab;

const IDLE: &str = "[session]\nidle_timeout_seconds = 900";

async fn warned(tab: &mut Tab) -> u64 {
    let frame = tab.frame().await;
    assert_eq!(frame["type"], "idle-warning", "{frame}");
    frame["seconds_left"].as_u64().unwrap()
}

/// A restart, after which the app comes back. Its socket is a new one.
async fn restarted(hub: TestHub, token: &str) -> (TestHub, Tab) {
    let hub = hub.restart().await;
    hub.passes(0).await;
    let (tab, _) = Tab::live(&hub, NOTES, token).await;
    (hub, tab)
}

#[tokio::test]
async fn a_restart_in_the_middle_changes_little() {
    let hub = TestHub::settled(IDLE).await;
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    hub.passes(0).await;
    hub.passes(700).await;
    notes.send(&json!({"type": "activity"})).await;
    notes.heard_nothing(&id_token(&hub, &ada, "notes")).await;
    hub.passes(300).await;
    let token = id_token(&hub, &ada, "notes");
    let (hub, mut notes) = restarted(hub, &token).await;
    // Active 300 s ago; or up to a minute later, for all the new process knows.
    hub.passes(539).await;
    notes.heard_nothing(&id_token(&hub, &ada, "notes")).await;
    hub.passes(61).await;
    assert_eq!(warned(&mut notes).await, 60);
    hub.passes(59).await;
    assert_eq!(hub.recorded().await, 0);
    hub.passes(1).await;
    assert_eq!(notes.logged_out().await["source"], "idle");
}

#[tokio::test]
async fn a_restart_while_people_are_warned_warns_them_anew() {
    let hub = TestHub::settled(IDLE).await;
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    hub.passes(0).await;
    hub.passes(840).await;
    assert_eq!(warned(&mut notes).await, 60);
    hub.passes(50).await;
    let token = id_token(&hub, &ada, "notes");
    let (hub, mut notes) = restarted(hub, &token).await;
    hub.passes(20).await;
    notes.heard_nothing(&token).await;
    assert_eq!(hub.recorded().await, 0, "apps are still coming back");
    hub.passes(40).await;
    assert_eq!(warned(&mut notes).await, 60);
    hub.passes(60).await;
    assert_eq!(notes.logged_out().await["source"], "idle");
}

/// Notes and Shop, on two sites, are warned; then the hub restarts, and both come back and
/// are warned anew.
async fn warned_over_a_restart() -> (TestHub, [Tab; 2]) {
    let hub = TestHub::settled(IDLE).await;
    let ada = hub.issuer.sign_in("ada");
    let (in_notes, in_shop) = (id_token(&hub, &ada, "notes"), id_token(&hub, &ada, "shop"));
    let (mut notes, _) = Tab::live(&hub, NOTES, &in_notes).await;
    let (mut shop, _) = Tab::live(&hub, SHOP, &in_shop).await;
    hub.passes(0).await;
    hub.passes(840).await;
    assert_eq!((warned(&mut notes).await, warned(&mut shop).await), (60, 60));
    hub.passes(30).await;
    let (hub, mut notes) = restarted(hub, &in_notes).await;
    let (mut shop, _) = Tab::live(&hub, SHOP, &in_shop).await;
    hub.passes(29).await;
    for (tab, token) in [(&mut notes, &in_notes), (&mut shop, &in_shop)] {
        tab.heard_nothing(token).await;
    }
    hub.passes(1).await;
    assert_eq!((warned(&mut notes).await, warned(&mut shop).await), (60, 60));
    hub.passes(59).await;
    assert_eq!(hub.recorded().await, 0, "the new warning runs to its end");
    (hub, [notes, shop])
}

#[tokio::test]
async fn to_stay_in_one_app_after_a_restart_calms_the_app_on_the_other_site() {
    let (hub, [mut notes, mut shop]) = warned_over_a_restart().await;
    shop.send(&json!({"type": "activity"})).await;
    for tab in [&mut notes, &mut shop] {
        assert_eq!(tab.frame().await, json!({"type": "idle-cancelled"}));
    }
    hub.passes(1).await;
    hub.passes(838).await;
    assert_eq!(hub.recorded().await, 0);
    hub.passes(1).await;
    assert_eq!((warned(&mut notes).await, warned(&mut shop).await), (60, 60), "as ever, from there");
}

#[tokio::test]
async fn where_nobody_stays_after_a_restart_both_apps_sign_out_by_one_logout() {
    let (hub, [mut notes, mut shop]) = warned_over_a_restart().await;
    hub.passes(1).await;
    let (event, same) = (notes.logged_out().await, shop.logged_out().await);
    assert_eq!((&event["source"], &event["scope"]), (&json!("idle"), &json!("session")), "{event}");
    assert_eq!(event["id"], same["id"]);
    assert_eq!(hub.recorded().await, 1);
}

#[tokio::test]
async fn a_hub_that_was_down_for_hours_signs_nobody_out_unwarned() {
    let hub = TestHub::settled(IDLE).await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let (_notes, welcome) = Tab::live(&hub, NOTES, &token).await;
    hub.passes(0).await;
    hub.running.stop().await;
    hub.advance(Duration::from_secs(4 * 3600));
    let (hub, mut notes) = restarted(hub, welcome["resume"].as_str().unwrap()).await;
    hub.passes(29).await;
    notes.heard_nothing(&id_token(&hub, &ada, "notes")).await;
    hub.passes(1).await;
    assert_eq!(warned(&mut notes).await, 60);
    notes.send(&json!({"type": "activity"})).await;
    assert_eq!(notes.frame().await["type"], "idle-cancelled");
    hub.passes(800).await;
    assert_eq!(hub.recorded().await, 0);
}

#[tokio::test]
async fn activity_that_a_crash_kept_from_being_written_still_counts() {
    let hub = TestHub::settled(IDLE).await;
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let act = async |tab: &mut Tab, hub: &TestHub| {
        tab.send(&json!({"type": "activity"})).await;
        tab.heard_nothing(&id_token(hub, &ada, "notes")).await;
        hub.passes(0).await;
    };
    hub.passes(600).await;
    act(&mut notes, &hub).await; // written
    hub.passes(50).await;
    act(&mut notes, &hub).await; // in memory only
    // A crash: another process finds the records as they are, and nobody has tidied up.
    let copy = tempfile::tempdir().unwrap();
    records::copy(hub.folder.path(), copy.path());
    let hub = hub.restart_in(copy).await;
    hub.passes(0).await;
    let (mut notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    hub.passes(839).await;
    notes.heard_nothing(&id_token(&hub, &ada, "notes")).await;
    hub.passes(60).await;
    assert_eq!(hub.recorded().await, 0, "not before 900 s after what was last done");
    assert_eq!(warned(&mut notes).await, 60);
    hub.passes(60).await;
    assert_eq!(notes.logged_out().await["source"], "idle", "and not much later");
}

#[tokio::test]
async fn a_clock_that_is_set_on_signs_nobody_out_before_they_were_warned() {
    let hub = TestHub::settled(IDLE).await;
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    hub.passes(300).await;
    hub.clock.jump(2 * 3600);
    hub.passes(1).await;
    assert_eq!(warned(&mut notes).await, 60);
    hub.passes(59).await;
    assert_eq!(hub.recorded().await, 0);
    notes.send(&json!({"type": "activity"})).await;
    assert_eq!(notes.frame().await["type"], "idle-cancelled");
    hub.passes(840).await;
    assert_eq!(warned(&mut notes).await, 60, "from here on as ever");
    hub.passes(60).await;
    assert_eq!(notes.logged_out().await["source"], "idle");
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_session_last_for_ever() {
    let hub = TestHub::settled(IDLE).await;
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    hub.passes(300).await;
    hub.clock.jump(-30 * 24 * 3600);
    hub.passes(1).await;
    hub.passes(839).await;
    assert_eq!(hub.recorded().await, 0);
    hub.passes(1).await;
    assert_eq!(warned(&mut notes).await, 60);
    hub.passes(60).await;
    assert_eq!(notes.logged_out().await["source"], "idle");
}

#[tokio::test]
async fn a_clock_that_is_set_back_while_people_are_warned_ends_no_warning_early() {
    let hub = TestHub::settled(IDLE).await;
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    hub.passes(0).await;
    hub.passes(840).await;
    assert_eq!(warned(&mut notes).await, 60);
    hub.clock.jump(-3600);
    hub.passes(30).await;
    notes.send(&json!({"type": "activity"})).await;
    assert_eq!(notes.frame().await["type"], "idle-cancelled");
    hub.passes(839).await;
    assert_eq!(hub.recorded().await, 0);
}

#[tokio::test]
async fn a_clock_that_is_soon_right_again_signs_nobody_out_early() {
    let hub = TestHub::settled(IDLE).await;
    let ada = hub.issuer.sign_in("ada");
    let (mut notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    hub.passes(300).await;
    hub.clock.jump(2 * 3600);
    hub.passes(1).await;
    assert_eq!(warned(&mut notes).await, 60);
    hub.clock.jump(-2 * 3600);
    hub.passes(60).await;
    assert_eq!(notes.frame().await["type"], "idle-cancelled");
    hub.passes(480).await;
    assert_eq!(warned(&mut notes).await, 60, "841 s after the last activity");
    hub.passes(60).await;
    assert_eq!(notes.logged_out().await["source"], "idle");
}

#[tokio::test]
async fn the_greatest_age_stands_over_restarts_and_set_clocks() {
    let hub = TestHub::settled("[session]\nabsolute_timeout_seconds = 28800").await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let (notes, welcome) = Tab::live(&hub, NOTES, &token).await;
    hub.passes(7 * 3600).await;
    notes.leave().await;
    let (hub, mut notes) = restarted(hub, welcome["resume"].as_str().unwrap()).await;
    hub.clock.jump(2 * 3600);
    hub.passes(40).await;
    hub.clock.jump(-2 * 3600);
    hub.passes(60).await;
    notes.heard_nothing(&id_token(&hub, &ada, "notes")).await;
    hub.clock.jump(-10 * 3600);
    hub.passes(1).await;
    hub.passes(28_700).await;
    assert_eq!(hub.recorded().await, 0);
    hub.passes(40).await;
    hub.passes(60).await;
    assert_eq!(notes.logged_out().await["source"], "absolute", "at most 8 hours from there");
}
