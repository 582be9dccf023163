//! The two orders that the promise rests on: *commit, then push, then answer*; and
//! *register, then read the facts, then answer*.

use serde_json::json;

use crate::hub::{NOTES, TestHub};
use crate::records::Records;
use crate::stories::{id_token, logout_token};
use crate::tab::Tab;

/// Rounds of a race that one wrong order loses within a few.
const ROUNDS: usize = 120;

#[tokio::test]
async fn a_logout_that_could_not_be_written_is_told_to_nobody() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let (mut tab, _) = Tab::live(&hub, NOTES, &token).await;

    let lock = Records::locked(hub.folder.path()).await;
    let answer = hub.receives(&logout_token(&hub, &ada, "notes")).await;
    answer.refused(503, "temporarily_unavailable", "store_unavailable");
    lock.let_go().await;

    tab.heard_nothing(&token).await;
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    tab.logged_out().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_subscribes_just_as_the_session_ends_is_told() {
    let hub = TestHub::start().await;
    for round in 0..ROUNDS {
        let ada = hub.issuer.sign_in("ada");
        let token = id_token(&hub, &ada, "notes");
        let mut tab = Tab::open(&hub, Some(NOTES)).await;
        let report = hub.desk_reports(json!({ "sid": ada.sid }));
        let subscribe = async {
            // Sooner or later within the time that a commit takes.
            for _ in 0..round % 40 {
                tokio::task::yield_now().await;
            }
            tab.subscribe(&token).await;
            let first = tab.frame().await;
            if first["type"] == "subscribed" {
                tab.logged_out().await;
            } else {
                assert_eq!(first["type"], "slo-event", "{first}");
            }
        };
        let (answer, ()) = tokio::join!(report, subscribe);
        answer.expect(201);
    }
}
