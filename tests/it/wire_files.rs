//! The golden frames and close codes in `tests/wire`: the SDK's tests read the same
//! files, so neither side can drift.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use slo_hub::ws::close_code::CloseCode;
use slo_hub::ws::frame::Incoming;

use crate::hub::{NOTES, TestHub};
use crate::stories::id_token;
use crate::tab::Tab;

fn read(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(format!("tests/wire/{name}")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn members(frame: &Value) -> BTreeSet<String> {
    frame.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn the_close_codes_are_the_published_ones() {
    let ours: Vec<_> = CloseCode::ALL
        .into_iter()
        .map(|code| json!({"code": code.number(), "name": code.name(), "return": code.may_return()}))
        .collect();
    let mut golden = read("close-codes.json");
    golden.sort_by_key(|row| row["code"].as_u64());
    assert_eq!(Value::from(golden), Value::from(ours));
}

#[test]
fn every_golden_message_of_a_client_is_understood() {
    let frames = read("frames.json");
    let clients: Vec<_> = frames.iter().filter(|row| row["direction"] == "client").collect();
    assert!(clients.len() >= 5, "{clients:?}");
    for row in clients {
        let understood = Incoming::read(row["frame"].to_string().as_bytes());
        assert!(understood.is_ok(), "{row}: {understood:?}");
    }
}

#[tokio::test]
async fn the_hubs_frames_have_the_golden_members_and_no_others() {
    let golden = read("frames.json");
    let of_type = |name: &str| -> Vec<BTreeSet<String>> {
        let hubs = golden.iter().filter(|row| row["direction"] == "hub" && row["frame"]["type"] == name);
        hubs.map(|row| members(&row["frame"])).collect()
    };
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut tab, welcome) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    assert!(of_type("subscribed").contains(&members(&welcome)), "{welcome}");
    hub.desk_reports(json!({"sid": ada.sid, "sub": "ada", "reason": "Bye"})).await.expect(201);
    let event = tab.logged_out().await;
    assert!(of_type("slo-event").contains(&members(&event)), "{event}");
    let grace = hub.issuer.sign_in("grace");
    let (mut tab, _) = Tab::live(&hub, NOTES, &id_token(&hub, &grace, "notes")).await;
    hub.desk_reports(json!({"scope": "user", "sub": "grace"})).await.expect(201);
    let event = tab.logged_out().await;
    assert!(of_type("slo-event").iter().any(|known| known.is_superset(&members(&event))), "{event}");
    let mut tab = Tab::open(&hub, Some(NOTES)).await;
    tab.send(&json!({})).await;
    let error = tab.frame().await;
    assert!(of_type("error").contains(&members(&error)), "{error}");
}

#[tokio::test]
async fn what_idle_sign_out_says_is_golden_to_the_letter() {
    let hub = TestHub::settled("[session]\nidle_timeout_seconds = 900").await;
    let ada = hub.issuer.sign_in("ada");
    let (mut tab, welcome) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let golden = read("frames.json");
    let of_type = |name: &str| {
        golden.iter().filter(|row| row["frame"]["type"] == name).map(|row| &row["frame"]).collect::<Vec<_>>()
    };
    assert!(of_type("subscribed").iter().any(|frame| members(frame) == members(&welcome)), "{welcome}");
    hub.passes(0).await;
    hub.passes(840).await;
    assert_eq!(of_type("idle-warning"), [&tab.frame().await]);
    tab.send(&json!({"type": "activity"})).await;
    assert_eq!(of_type("idle-cancelled"), [&tab.frame().await]);
}
