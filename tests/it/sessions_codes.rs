//! Made-up codes at the hub's own sign-in: the issuer is not asked about each of them.

use std::time::Duration;

use url::Url;

use crate::account::{CLIENT, comes_back, granted, hub, list, question};
use crate::browser::{Browser, is_error_page, location, param};
use crate::hub::{Answer, TestHub};

async fn asked(hub: &TestHub, browser: &mut Browser<'_>) -> Url {
    question(hub, &browser.gets("/sessions/sign-in", &[]).await)
}

async fn brings(browser: &mut Browser<'_>, asked: &Url, code: &str) -> Answer {
    browser.gets("/sessions/callback", &[("code", code), ("state", &param(asked, "state"))]).await
}

#[tokio::test]
async fn hundreds_of_made_up_codes_for_one_state_cost_three_requests_and_no_row() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let mut browser = Browser::new(&hub);
    let first = asked(&hub, &mut browser).await;
    let written = hub.running.hub.store.writer_counters().commands;
    for number in 0..300 {
        let answer = brings(&mut browser, &first, &format!("made up {number}")).await;
        match number {
            0..3 => is_error_page(&answer, 503, "issuer_unreachable"),
            _ => is_error_page(&answer, 403, "foreign_link"),
        }
    }
    assert_eq!((hub.issuer.redemptions(), hub.running.hub.store.writer_counters().commands), (3, written));
    // Nor has the rest of its ten minutes any more of them.
    hub.advance(Duration::from_secs(590));
    is_error_page(&brings(&mut browser, &first, "made up").await, 403, "foreign_link");
    is_error_page(&comes_back(&hub, &mut browser, &first, granted(&hub, &ada, &first, 0)).await, 403, "foreign_link");
    assert_eq!(hub.issuer.redemptions(), 3);

    let anew = asked(&hub, &mut browser).await;
    let answer = comes_back(&hub, &mut browser, &anew, granted(&hub, &ada, &anew, 0)).await;
    assert_eq!(location(&answer).path(), "/sessions");
    list(&mut browser).await;
}

#[tokio::test]
async fn a_code_that_holds_signs_in_after_one_that_did_not() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let mut browser = Browser::new(&hub);
    let asked = asked(&hub, &mut browser).await;
    is_error_page(&brings(&mut browser, &asked, "made up").await, 503, "issuer_unreachable");
    let answer = comes_back(&hub, &mut browser, &asked, granted(&hub, &ada, &asked, 0)).await;
    assert_eq!(location(&answer).path(), "/sessions");
}

#[tokio::test]
async fn made_up_codes_over_many_states_are_held_back_by_their_address_and_sign_ins_are_not_counted() {
    let config = format!("{CLIENT}\n[limits]\ninvalid_requests_per_minute_per_ip = 5");
    let hub = TestHub::start_with_issuer(&config).await;
    let ada = hub.issuer.sign_in("ada");
    for _ in 0..10 {
        let mut browser = Browser::new(&hub);
        let asked = asked(&hub, &mut browser).await;
        comes_back(&hub, &mut browser, &asked, granted(&hub, &ada, &asked, 0)).await;
        list(&mut browser).await;
    }
    let before = hub.issuer.redemptions();
    for number in 0..50 {
        let mut browser = Browser::new(&hub);
        let asked = asked(&hub, &mut browser).await;
        let answer = brings(&mut browser, &asked, "made up").await;
        match number {
            0..5 => is_error_page(&answer, 503, "issuer_unreachable"),
            _ => is_error_page(&answer, 429, "slow_down"),
        }
    }
    assert_eq!(hub.issuer.redemptions() - before, 5);

    hub.advance(Duration::from_secs(60));
    let mut browser = Browser::new(&hub);
    let asked = asked(&hub, &mut browser).await;
    comes_back(&hub, &mut browser, &asked, granted(&hub, &ada, &asked, 0)).await;
    list(&mut browser).await;
}
