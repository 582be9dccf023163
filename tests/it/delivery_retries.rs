//! Back ends that are not there, or busy, or slow: told again, until time is up.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use slo_hub::domain::clock::{Clock, UnixMillis};
use slo_hub::domain::ids::{ClientId, Issuer};
use slo_hub::store::{Line, Waiting};
use tokio::sync::Semaphore;

use crate::delivery::Office;
use crate::hub::TestHub;
use crate::receiver::{Receiver, Says, app};
use crate::stories::logout_token;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// What waits for a back end.
async fn waiting(hub: &TestHub, client_id: &str) -> Vec<Waiting> {
    let issuer = Issuer::parse(hub.issuer.url()).unwrap();
    let line = Line { issuer, client_id: ClientId::parse(client_id).unwrap() };
    hub.running.hub.store.outbox(&[line], 100).await.unwrap()
}

/// How long the hub means to wait, in seconds, by its own clock.
async fn wait_of(hub: &TestHub, client_id: &str) -> i64 {
    let [post] = &waiting(hub, client_id).await[..] else { panic!("one post waits") };
    (post.due_at.0 - hub.clock.now().0) / 1000
}

fn error(row: &Value) -> &str {
    row["error"].as_str().unwrap()
}

#[tokio::test]
async fn whatever_is_neither_success_nor_final_is_tried_again_with_a_fresh_token() {
    let office = Office::open().await;
    for status in [500, 502, 503, 504, 403, 405, 408, 409, 429, 201, 202, 206, 599] {
        office.mail.then(Says::Status(status));
        let id = office.ends_by_notes().await;
        let first = office.mail.post().await;
        let row = office.until_tried(&id, "mail", 1).await;
        assert_eq!(row["status"], "pending", "{status}: {row}");

        office.hub.advance(Duration::from_secs(1));
        let second = office.mail.post().await;
        assert_eq!((first.txn(), second.txn()), (id.clone(), id.clone()));
        assert_ne!(first.claim("jti"), second.claim("jti"));
        assert!(second.claim("exp").as_i64() > first.claim("exp").as_i64());
        let row = office.until_done(&id, "mail").await;
        assert_eq!((row["attempts"].as_u64(), row["error"].as_str()), (Some(2), None), "{status}");
    }
    office.mail.has_nothing_more();
}

#[tokio::test]
async fn waits_grow_as_a_back_end_stays_away() {
    let office = Office::open().await;
    office.mail.says(Says::Status(500));
    let id = office.ends_by_notes().await;
    let mut waits = Vec::new();
    for attempt in 1..=12 {
        office.mail.post().await;
        office.until_tried(&id, "mail", attempt).await;
        let wait = wait_of(&office.hub, "mail").await;
        waits.push(wait);
        office.hub.advance(Duration::from_secs(wait.unsigned_abs()));
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
}

#[tokio::test]
async fn a_back_end_that_asks_for_time_gets_it() {
    let office = Office::open().await;
    office.mail.then(Says::With(503, "retry-after", "30".to_owned()));
    let id = office.ends_by_notes().await;
    office.mail.post().await;
    office.until_tried(&id, "mail", 1).await;
    assert_eq!(wait_of(&office.hub, "mail").await, 31, "what was asked for, and the jitter");

    let at = chrono::DateTime::from_timestamp_millis(office.hub.clock.now().0 + 31_000 + 600_000).unwrap();
    let date = at.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    office.mail.then(Says::With(429, "retry-after", date));
    office.hub.advance(Duration::from_secs(31));
    office.mail.post().await;
    office.until_tried(&id, "mail", 2).await;
    let wait = wait_of(&office.hub, "mail").await;
    assert!((601..=602).contains(&wait), "a date has no finer unit than a second: {wait}");

    office.mail.then(Says::With(503, "retry-after", "9999999999".to_owned()));
    office.hub.advance(Duration::from_secs(602));
    office.mail.post().await;
    office.until_tried(&id, "mail", 3).await;
    assert_eq!(wait_of(&office.hub, "mail").await, 3604, "an hour at the most");
    office.hub.advance(Duration::from_secs(3604));
    office.mail.post().await;
    office.until_done(&id, "mail").await;
}

#[tokio::test]
async fn after_a_day_the_hub_gives_up_and_says_why() {
    let office = Office::open().await;
    office.mail.says(Says::Status(503));
    let id = office.ends_by_notes().await;
    office.mail.post().await;
    office.until_tried(&id, "mail", 1).await;
    office.hub.advance(Duration::from_secs(24 * 3600 - 60));
    office.mail.post().await;
    office.until_tried(&id, "mail", 2).await;

    office.hub.advance(Duration::from_secs(60));
    let row = office.until(&id, "mail", "failed", |row| row["status"] == "failed").await;
    assert_eq!((error(&row), row["attempts"].as_u64()), ("the app answered with a 5xx", Some(2)));
    assert_eq!(waiting(&office.hub, "mail").await.len(), 0);
    office.mail.has_nothing_more();
    office.hub.until("it is counted", || office.hub.metric("slo_hub_deliveries_given_up_total") > 0.5).await;
}

#[tokio::test]
async fn an_issuers_token_is_tried_until_it_expires_and_not_once_after() {
    let office = Office::open().await;
    let hub = &office.hub;
    office.crm.says(Says::With(503, "retry-after", "300".to_owned()));
    let ada = hub.issuer.sign_in("ada");
    let token = logout_token(hub, &ada, "crm");
    hub.receives(&token).await.expect(200);
    let id = office.last_id().await;
    office.crm.post().await;
    office.until_tried(&id, "crm", 1).await;
    let [post] = &waiting(hub, "crm").await[..] else { panic!("one post waits") };
    let exp = UnixMillis(crate::own_tokens::part(&token, 1)["exp"].as_i64().unwrap() * 1000);
    assert_eq!((post.good_until, post.due_at), (exp, UnixMillis(exp.0 - 10_000)), "one more try before the end");

    hub.advance(Duration::from_millis((exp.0 - hub.clock.now().0).unsigned_abs()));
    let row = office.until(&id, "crm", "failed", |row| row["status"] == "failed").await;
    assert_eq!(error(&row), "the app answered with a 5xx");
    assert_eq!(waiting(hub, "crm").await.len(), 0);
    office.crm.has_nothing_more();
}

#[tokio::test]
async fn an_issuers_token_without_exp_is_tried_for_as_long_as_it_would_be_taken() {
    let crm = Receiver::start().await;
    // Settings of the first issuer, and then a table for the app.
    let hub = TestHub::start_with_issuer(&format!("allow_missing_exp = true\n{}", crm.app("crm", "issuer"))).await;
    crm.says(Says::Status(503));
    let ada = hub.issuer.sign_in("ada");
    let token = hub.issuer.logout_token(&ada, "crm").without("exp").sign();
    hub.receives(&token).await.expect(200);
    crm.post().await;
    let iat = crate::own_tokens::part(&token, 1)["iat"].as_i64().unwrap();
    assert_eq!(waiting(&hub, "crm").await[0].good_until, UnixMillis((iat + 600) * 1000));
}

#[tokio::test]
async fn a_hub_that_is_started_again_goes_on_where_it_was() {
    let office = Office::open().await;
    office.mail.says(Says::Status(500));
    office.crm.says(Says::Status(500));
    let ada = office.hub.issuer.sign_in("ada");
    let token = logout_token(&office.hub, &ada, "crm");
    office.hub.receives(&token).await.expect(200);
    let id = office.last_id().await;
    office.mail.post().await;
    office.crm.post().await;
    office.until_tried(&id, "mail", 1).await;
    office.until_tried(&id, "crm", 1).await;

    let Office { hub, crm, mail } = office;
    let hub = hub.restart().await;
    mail.says(Says::Status(200));
    crm.says(Says::Status(200));
    hub.advance(Duration::from_secs(1));
    assert_eq!((mail.post().await.txn(), crm.post().await.token()), (id.clone(), token.as_str()));
    let office = Office { hub, crm, mail };
    assert_eq!(office.until_done(&id, "mail").await["attempts"], 2);
    assert_eq!(office.until_done(&id, "crm").await["attempts"], 2);
}

#[tokio::test]
async fn what_is_left_for_an_app_that_is_gone_waits_for_its_return_and_is_given_up_in_the_end() {
    let office = Office::open().await;
    office.mail.says(Says::Status(503));
    let (first, tables) = (office.ends_by_notes().await, office.mail.app("mail", "hub"));
    office.until_tried(&first, "mail", 1).await;
    office.mail.post().await;

    let Office { hub, crm, mail } = office;
    let hub = hub.restart_with("").await;
    hub.advance(Duration::from_secs(600));
    mail.says(Says::Status(204));
    let office = Office { hub: hub.restart_with(&tables).await, crm, mail };
    assert_eq!(office.mail.post().await.txn(), first);
    office.until_done(&first, "mail").await;

    office.mail.says(Says::Status(503));
    let second = office.ends_by_notes().await;
    office.until_tried(&second, "mail", 1).await;
    let Office { hub, crm, mail } = office;
    let office = Office { hub: hub.restart_with("").await, crm, mail };
    office.hub.advance(DAY);
    office.until(&second, "mail", "failed", |row| row["status"] == "failed").await;
}

#[tokio::test]
async fn a_hub_that_stops_while_a_back_end_thinks_does_not_wait_for_it_and_asks_again() {
    let office = Office::open().await;
    office.mail.then(Says::Never);
    let id = office.ends_by_notes().await;
    let first = office.mail.post().await;
    let Office { hub, crm, mail } = office;
    let hub = tokio::time::timeout(Duration::from_secs(4), hub.restart()).await.expect("in time");
    let second = mail.post().await;
    assert_eq!((first.txn(), second.txn()), (id.clone(), id.clone()));
    assert_ne!(first.claim("jti"), second.claim("jti"));
    Office { hub, crm, mail }.until_done(&id, "mail").await;
}

#[tokio::test]
async fn a_back_end_that_is_down_is_told_when_it_is_up() {
    // Bound, and so nobody else's; but nobody listens.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    let hub = TestHub::start_with(&app("mail", &format!("http://127.0.0.1:{port}/slo"), "hub")).await;
    let ada = hub.issuer.sign_in("ada");
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    let id = waiting(&hub, "mail").await[0].logout.id.to_string();
    let row = crate::delivery::until(&hub, &id, "mail", "tried", |row| row["attempts"] == 1).await;
    assert_eq!(error(&row), "the app cannot be connected to");

    let mail = Receiver::listen_on(socket.listen(16).unwrap());
    hub.advance(Duration::from_secs(1));
    assert_eq!(mail.post().await.txn(), id);
    crate::delivery::until(&hub, &id, "mail", "acknowledged", |row| row["status"] == "acknowledged").await;
}

#[tokio::test]
async fn an_answer_that_is_on_its_way_when_time_runs_out_still_counts() {
    let office = Office::open().await;
    let gate = Arc::new(Semaphore::new(0));
    office.mail.then(Says::Held(Arc::clone(&gate), 200));
    let id = office.ends_by_notes().await;
    office.mail.post().await;
    office.hub.advance(DAY);
    let row = office.until(&id, "mail", "failed", |row| row["status"] == "failed").await;
    assert_eq!(error(&row), "time ran out before an attempt had ended");
    gate.add_permits(1);
    let row = office.until_done(&id, "mail").await;
    assert_eq!(row["error"], Value::Null);
    office.mail.has_nothing_more();
}
