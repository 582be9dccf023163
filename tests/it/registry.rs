//! The registry: whose sessions there are, on what, and how they stand.

use std::time::Duration;

use serde_json::json;
use slo_hub::domain::clock::Clock;
use slo_hub::domain::device::name_of;
use slo_hub::domain::ids::{ClientId, Issuer, Sid, Subject, SubjectKey};
use slo_hub::domain::logout::SignIn;
use slo_hub::hub::sessions::Sight;
use slo_hub::store::SessionRecord;

use crate::hub::{Answer, NOTES, SHOP, TestHub};
use crate::stories::{everywhere, id_token};
use crate::support::issuer::TestSession;
use crate::tab::Tab;

const FIREFOX: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0";
const DAY: u64 = 24 * 3600;

fn person(hub: &TestHub, sub: &str) -> SubjectKey {
    SubjectKey { issuer: Issuer::parse(hub.issuer.url()).unwrap(), sub: Subject::parse(sub).unwrap() }
}

async fn sessions_of(hub: &TestHub, sub: &str) -> Vec<SessionRecord> {
    hub.running.hub.look_after_sessions().await;
    let person = person(hub, sub);
    hub.running.hub.sessions_of(&person.issuer, &person.sub).await.unwrap()
}

async fn only_session(hub: &TestHub, who: &TestSession) -> SessionRecord {
    let mut sessions = sessions_of(hub, &who.sub).await;
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    sessions.remove(0)
}

/// Notes asks how its session stands, from Firefox.
async fn asks(hub: &TestHub, token: &str) -> u16 {
    let request = hub.http.get(hub.url("/api/v1/session")).bearer_auth(token).header("user-agent", FIREFOX);
    Answer::of(request.header("origin", NOTES)).await.status
}

#[tokio::test]
async fn a_session_is_known_with_its_apps_its_device_and_its_times() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    assert_eq!(asks(&hub, &id_token(&hub, &ada, "notes")).await, 200);
    let first = only_session(&hub, &ada).await;
    hub.advance(Duration::from_secs(600));
    let (shop, _) = Tab::live(&hub, SHOP, &id_token(&hub, &ada, "shop")).await;

    let session = only_session(&hub, &ada).await;
    let mut apps: Vec<_> = session.apps.iter().map(ClientId::as_str).collect();
    apps.sort_unstable();
    assert_eq!(apps, ["notes", "shop"]);
    assert_eq!(name_of(session.user_agent.as_deref()), "Firefox on Windows");
    assert_eq!(session.user_agent.as_deref(), Some(FIREFOX), "as it was sent; the shop's socket said nothing");
    assert_eq!(session.address.as_deref(), Some("127.0.0.1"));
    assert_eq!((session.sub.as_str(), session.key.sid.as_str()), ("ada", ada.sid.as_str()));
    assert_eq!(session.first_seen_at, first.first_seen_at);
    assert_eq!(session.last_seen_at.0 - session.first_seen_at.0, 600_000);
    assert_eq!(session.ended_by, None);
    assert!(hub.running.hub.is_open(&session.key));
    shop.leave().await;
    hub.until("the channel is closed", || !hub.running.hub.is_open(&session.key)).await;
}

#[tokio::test]
async fn a_back_end_that_asks_is_not_what_the_person_sits_at() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    assert_eq!(asks(&hub, &token).await, 200);
    hub.advance(Duration::from_secs(600));
    let request = hub.http.get(hub.url("/api/v1/session")).bearer_auth(&token).header("user-agent", "node");
    Answer::of(request).await.expect(200);

    let session = only_session(&hub, &ada).await;
    assert_eq!(session.last_seen_at.0 - session.first_seen_at.0, 600_000, "it was seen");
    assert_eq!(name_of(session.user_agent.as_deref()), "Firefox on Windows");
}

#[tokio::test]
async fn a_session_has_a_public_name_that_says_nothing_and_stays() {
    let hub = TestHub::start().await;
    let (ada, other) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("ada"));
    asks(&hub, &id_token(&hub, &ada, "notes")).await;
    let first = only_session(&hub, &ada).await;
    assert_eq!(first.id.as_str().len(), 32);
    assert!(!first.id.as_str().contains(&ada.sid));
    hub.advance(Duration::from_secs(600));
    asks(&hub, &id_token(&hub, &ada, "notes")).await;
    assert_eq!(only_session(&hub, &ada).await.id, first.id);

    asks(&hub, &id_token(&hub, &other, "notes")).await;
    let both = sessions_of(&hub, "ada").await;
    assert_eq!(both.len(), 2);
    assert_ne!(both[0].id, both[1].id);

    let verbs = &hub.running.hub;
    let sid = Sid::parse(&ada.sid).unwrap();
    assert_eq!(verbs.session(&first.key.issuer, &sid).await.unwrap().unwrap().id, first.id);
}

#[tokio::test]
async fn a_session_that_is_over_says_by_which_logout() {
    let hub = TestHub::start().await;
    let (laptop, phone) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("ada"));
    asks(&hub, &id_token(&hub, &laptop, "notes")).await;
    asks(&hub, &id_token(&hub, &phone, "notes")).await;
    let done = hub.reports(&id_token(&hub, &phone, "shop"), SHOP, json!({})).await.expect(201);
    let ends = |sessions: Vec<SessionRecord>| -> Vec<_> {
        let end = |session: SessionRecord| {
            let logout = session.ended_by.map(|logout| logout.id.to_string());
            (session.key.sid.as_str().to_owned(), logout)
        };
        let mut ends: Vec<_> = sessions.into_iter().map(end).collect();
        ends.sort();
        ends
    };
    let by_phone = done["id"].as_str().map(str::to_owned);
    let both = ends(sessions_of(&hub, "ada").await);
    assert_eq!(both, [(laptop.sid.clone(), None), (phone.sid.clone(), by_phone.clone())]);

    hub.receives(&everywhere(&hub, &laptop, "notes")).await.expect(200);
    let both = ends(sessions_of(&hub, "ada").await);
    assert!(both[0].1.is_some() && both[0].1 != by_phone, "{both:?}");
    assert_eq!(both[1].1, by_phone, "the first that ended it");
}

#[tokio::test]
async fn a_session_that_is_first_heard_of_when_it_ends_is_known_too() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let done = hub.reports(&id_token(&hub, &ada, "shop"), SHOP, json!({})).await.expect(201);
    let ended_by = only_session(&hub, &ada).await.ended_by.unwrap();
    assert_eq!(done["id"], ended_by.id.to_string());
}

#[tokio::test]
async fn a_token_that_names_no_session_makes_none() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = hub.issuer.id_token(&ada, "notes").without("sid").sign();
    Tab::live(&hub, NOTES, &token).await;
    assert_eq!(sessions_of(&hub, "ada").await, []);
}

#[tokio::test]
async fn however_often_a_session_is_seen_it_is_written_about_once_a_minute() {
    let hub = TestHub::start_with("[session]\nidle_timeout_seconds = 900").await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let (mut notes, _) = Tab::live(&hub, NOTES, &token).await;
    hub.running.hub.look_after_sessions().await;
    let before = hub.running.hub.store.writer_counters().commands;
    for _ in 0..4 {
        for _ in 0..14 {
            hub.advance(Duration::from_secs(4));
            notes.send(&json!({"type": "activity"})).await;
            notes.heard_nothing(&token).await;
            asks(&hub, &token).await;
            Tab::live(&hub, NOTES, &token).await.0.leave().await;
            hub.running.hub.look_after_sessions().await;
        }
        hub.advance(Duration::from_secs(4));
        hub.running.hub.look_after_sessions().await;
    }
    let written = hub.running.hub.store.writer_counters().commands - before;
    assert!((4..=6).contains(&written), "{written} writes in four minutes, for 224 sights");
}

#[tokio::test]
async fn an_address_is_cut_short_after_a_month_and_a_session_is_forgotten_with_the_rest() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    asks(&hub, &id_token(&hub, &ada, "notes")).await;
    only_session(&hub, &ada).await;
    let after = async |days: u64| {
        hub.advance(Duration::from_secs(days * DAY));
        hub.running.hub.forget_old().await;
        sessions_of(&hub, "ada").await.pop().map(|session| session.address)
    };
    assert_eq!(after(29).await, Some(Some("127.0.0.1".to_owned())));
    assert_eq!(after(2).await, Some(Some("127.0.0.0/24".to_owned())));
    assert_eq!(after(368).await, Some(Some("127.0.0.0/24".to_owned())));
    assert_eq!(after(2).await, None);
}

#[tokio::test]
async fn a_crowd_that_went_home_is_signed_out_together() {
    const CROWD: usize = 700;
    let hub = TestHub::settled("[session]\nidle_timeout_seconds = 900").await;
    let verbs = &hub.running.hub;
    let sign_in = |number: usize| SignIn {
        issuer: Issuer::parse(hub.issuer.url()).unwrap(),
        client_id: ClientId::parse("notes").unwrap(),
        sub: Subject::parse("ada").unwrap(),
        sid: Some(Sid::parse(&format!("sid-{number}")).unwrap()),
        issued_at: hub.clock.now().floor(),
        auth_time: None,
    };
    let before = verbs.store.writer_counters();
    for number in 0..CROWD {
        verbs.note_session(&sign_in(number), None, Sight::Used);
    }
    hub.passes(0).await;
    hub.passes(840).await;
    hub.passes(60).await;
    assert_eq!(hub.recorded().await, CROWD);
    let after = verbs.store.writer_counters();
    let commits = after.commits - before.commits;
    assert!(commits < 40, "{commits} commits for {CROWD} sessions");
    hub.passes(3600).await;
    assert_eq!(hub.recorded().await, CROWD, "once each");
}
