//! The audit trail: what is in it, and that it is one chain.

use serde_json::{Value, json};

use super::*;
use crate::domain::app::BackchannelToken;
use crate::domain::audit::{AuditRow, Broken, Fault, NotedHead, TrailCheck, Verified};
use crate::domain::digest::hex;
use crate::domain::logout::Reason;
use crate::domain::signing_key::{PrivateKey, SigningKey};
use crate::domain::sweep::{Reach, Sweep};
use crate::domain::via::Via;
use crate::store::{
    Attempt, AttemptEnd, AuditTrail, BackEnd, DeliveryKey, DeliveryNews, EndAttempt, EndAttemptEnd, Line, SWEEP_PAGE,
    SweepStep, TrailError,
};
use crate::telemetry::LogHash;

const AT: UnixMillis = UnixMillis(2_000_000);

impl TestStore {
    pub(super) async fn trail(&self) -> Vec<AuditRow> {
        let mut trail = AuditTrail::open(&self.url, 1).await.unwrap();
        let mut rows = Vec::new();
        loop {
            let page = trail.next_page().await.unwrap();
            if page.is_empty() {
                return rows;
            }
            rows.extend(page);
        }
    }

    /// What rows of a kind say.
    pub(super) async fn says(&self, kind: &str) -> Vec<Value> {
        let rows = self.trail().await;
        rows.iter().filter(|row| row.kind == kind).map(|row| serde_json::from_str(&row.body).unwrap()).collect()
    }

    pub(super) async fn verified(&self, noted: Option<NotedHead>) -> Result<Verified, Broken> {
        let mut check = TrailCheck::with(noted);
        self.trail().await.iter().try_for_each(|row| check.take(row))?;
        check.end(true)
    }

    /// What the log and the trail call somebody.
    pub(super) async fn hash_of(&self, name: &str) -> String {
        let key = self.secret("log_hash", UnixMillis(0)).await.unwrap();
        LogHash::new(key).of(&[acme().as_str(), name])
    }
}

fn to(id: LogoutId, app: &str, session: &str) -> DeliveryKey {
    DeliveryKey {
        issuer: acme(),
        logout: id,
        client_id: client(app),
        sid: Sid::parse(session).ok(),
        via: Via::WebSocket,
    }
}

#[tokio::test]
async fn an_administrator_who_is_known_by_name_is_in_the_trail_by_their_hash() {
    let store = TestStore::open().await;
    let target = LogoutTarget::Session { key: session("laptop"), sub: None };
    let ordered = Report { source: Source::Admin, operator: Some(ada()), ..report(target, 1000) };
    store.fresh(ordered).await;
    let row = &store.says("logout_recorded").await[0];
    assert_eq!((&row["source"], &row["operator"]), (&json!("admin"), &json!(store.hash_of("ada").await)));
    let row = &store.trail().await[0];
    assert!(!row.body.contains("ada"), "{}", row.body);
}

#[tokio::test]
async fn who_caused_a_logout_who_was_told_and_who_confirmed_is_there_after_it() {
    let store = TestStore::open().await;
    for app in ["notes", "shop"] {
        store.sees(&token(app, "laptop", 900)).await;
    }
    let reason = Some(Reason::parse("said \"bye\"").unwrap());
    let target = LogoutTarget::Session { key: session("laptop"), sub: Some(ada().sub) };
    let said = Report { shown: Some([7; 32]), request: Some("R1".to_owned()), reason, ..report(target, 1000) };
    let id = id_of(&store.fresh(by(&token("shop", "laptop", 900), said)).await);
    store.told(to(id, "shop", "laptop"), AT).await.unwrap();
    let news = vec![
        DeliveryNews::told(to(id, "notes", "laptop"), AT),
        DeliveryNews::acknowledged(to(id, "notes", "laptop"), AT),
        DeliveryNews::acknowledged(to(id, "shop", "laptop"), AT),
    ];
    store.note_deliveries(news).await.unwrap();

    let expected = json!({
        "logout": id.to_string(), "issuer": acme().as_str(), "scope": "session", "source": "app", "client_id": "shop",
        "session": store.hash_of("laptop").await, "person": store.hash_of("ada").await, "is_final": false,
        "covers_until": 1000, "occurred_at": 1_000_000, "reason": "said \"bye\"", "request": "R1",
        "token_sha256": hex(&[7; 32]),
    });
    assert_eq!(store.says("logout_recorded").await, [expected]);
    let app = |name: &str| json!({"client_id": name, "logout": id.to_string(), "via": "websocket"});
    assert_eq!(store.says("told").await, [json!({"apps": [app("shop")]}), json!({"apps": [app("notes")]})]);
    assert_eq!(store.says("confirmed").await, [json!({"apps": [app("notes"), app("shop")]})], "one row for a commit");
    let kinds: Vec<_> = store.trail().await.into_iter().map(|row| row.kind).collect();
    assert_eq!(kinds, ["logout_recorded", "told", "told", "confirmed"]);
    assert_eq!(store.verified(None).await.unwrap().rows, 4);
}

#[tokio::test]
async fn who_confirms_once_more_is_not_there_once_more() {
    let store = TestStore::open().await;
    store.sees(&token("notes", "laptop", 900)).await;
    let id = id_of(&store.fresh(ends_everywhere(1000)).await);
    for _ in 0..2 {
        store.acknowledged(to(id, "notes", "laptop"), AT).await.unwrap();
        store.unconfirmed(to(id, "notes", "laptop"), "no answer", AT).await.unwrap();
    }
    let session = store.hash_of("laptop").await;
    let app = json!({"client_id": "notes", "logout": id.to_string(), "session": session, "via": "websocket"});
    assert_eq!(store.says("confirmed").await, [json!({"apps": [app]})], "of a person's logout: in which session");
    assert!(!store.acknowledged(to(next_id(), "notes", "laptop"), AT).await.unwrap());
    assert_eq!(store.trail().await.len(), 2, "a logout that is not known has no place in it");
}

#[tokio::test]
async fn a_repeat_is_no_second_logout_and_is_said_only_where_it_changed_something() {
    let store = TestStore::open().await;
    let id = id_of(&store.fresh(app_ends("laptop", 1000)).await);
    store.repeat(app_ends("laptop", 1000)).await;
    assert_eq!(store.trail().await.len(), 1);
    let issuers = Report { shown: Some([9; 32]), ..with_token("jti", 1, issuer_ends("laptop", 1001)) };
    store.repeat(issuers.clone()).await;
    assert_eq!(store.record(issuers).await.unwrap().outcome, Outcome::SameToken);
    store.repeat(issuer_ends("laptop", 1000)).await;

    assert_eq!(store.says("logout_recorded").await.len(), 1);
    let [raised] = store.says("logout_raised").await.try_into().unwrap();
    let wanted = json!([id.to_string(), true, 1001, "backchannel", hex(&[9; 32])]);
    let members = ["logout", "is_final", "covers_until", "source", "token_sha256"].map(|name| raised[name].clone());
    assert_eq!(json!(members), wanted);
}

#[tokio::test]
async fn what_a_back_end_took_and_what_was_given_up_is_said_once() {
    let store = TestStore::open().await;
    let mail = || -> Arc<[BackEnd]> { [BackEnd { client_id: client("mail"), token: BackchannelToken::Hub }].into() };
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.push(id_of(&store.fresh(Report { back_ends: mail(), ..app_ends(name, 1000) }).await).to_string());
    }
    let posts = store.outbox(&[Line { issuer: acme(), client_id: client("mail") }], 9).await.unwrap();
    let tried = |place: usize, number, end| Attempt { id: posts[place].id, number, end, at: AT };
    let again = AttemptEnd::Again { why: "it answered 503", due_at: AT };
    for attempt in [
        tried(0, 1, again),
        tried(0, 2, AttemptEnd::Acknowledged),
        tried(0, 2, AttemptEnd::Acknowledged),
        tried(1, 1, AttemptEnd::Refused("it answered 400")),
        tried(1, 1, AttemptEnd::Refused("it answered 400")),
    ] {
        store.tried(attempt).await.unwrap();
    }
    store.give_up_overdue(UnixMillis(i64::MAX)).await.unwrap();
    store.tried(tried(2, 1, AttemptEnd::Acknowledged)).await.unwrap();

    let post = |logout: &str, attempts: u32| json!({"logout": logout, "client_id": "mail", "to": "back_end", "attempts": attempts});
    let given_up = |logout: &str, attempts: u32, why: &str| {
        let mut post = post(logout, attempts);
        post["why"] = why.into();
        post
    };
    assert_eq!(store.says("posted").await, [post(&ids[0], 2), post(&ids[2], 1)], "also after it was given up");
    let expected = [given_up(&ids[1], 1, "it answered 400"), given_up(&ids[2], 0, "time ran out")];
    assert_eq!(store.says("given_up").await, expected);
}

#[tokio::test]
async fn what_was_ended_at_the_issuer_and_what_was_given_up_there_is_said_once() {
    let store = TestStore::open().await;
    let mut recorded = Vec::new();
    for name in ["a", "b", "c"] {
        recorded.push(store.fresh(Report { end_at_issuer: Some(AT), ..app_ends(name, 1000) }).await);
    }
    let tries = async |place: usize, end| {
        let attempt = EndAttempt { position: recorded[place].position, number: 1, at: AT, end };
        store.issuer_end_tried(attempt.clone()).await.unwrap();
        store.issuer_end_tried(attempt).await.unwrap();
    };
    tries(0, EndAttemptEnd::Again { why: "busy", due_at: AT }).await;
    tries(0, EndAttemptEnd::Ended).await;
    tries(1, EndAttemptEnd::Refused("not allowed")).await;
    store.give_up_issuer_ends(UnixMillis(i64::MAX)).await.unwrap();

    let [a, b, c] = [0, 1, 2].map(|place| id_of(&recorded[place]).to_string());
    assert_eq!(store.says("posted").await, [json!({"logout": a, "to": "issuer", "attempts": 1})]);
    let refused = json!({"logout": b, "to": "issuer", "attempts": 1, "why": "not allowed"});
    let overdue = json!({"logout": c, "to": "issuer", "attempts": 0, "why": "time ran out"});
    assert_eq!(store.says("given_up").await, [refused, overdue]);
}

#[tokio::test]
async fn an_administrators_sweep_is_there_from_order_to_end_and_so_are_new_keys() {
    let store = TestStore::open().await;
    store.sees(&token("notes", "laptop", 10)).await;
    let sweep = Sweep {
        id: next_id(),
        issuer: acme(),
        reach: Reach::Person(ada().sub),
        covers_until: UnixSeconds(20),
        reason: Reason::parse("Stolen").unwrap(),
        ordered_at: AT,
    };
    crate::telemetry::in_request("R2".to_owned(), store.start_sweep(&sweep, Some(&ada()))).await.unwrap();
    let ids = (0..SWEEP_PAGE).map(|_| next_id()).collect();
    let step = SweepStep {
        sweep: sweep.clone(),
        ids,
        back_ends: Arc::default(),
        at: AT,
        end_at_issuer: None,
        repeat_window_seconds: WINDOW,
    };
    while !store.sweep_on(step.clone()).await.unwrap().is_done {}
    assert!(store.sweep_on(step).await.unwrap().is_done, "asked once more");

    let id = sweep.id.to_string();
    let person = store.hash_of("ada").await;
    let ordered = json!({"sweep": id, "issuer": acme().as_str(), "reach": "person", "person": person,
        "covers_until": 20, "reason": "Stolen", "request": "R2", "operator": person});
    assert_eq!(store.says("sweep_ordered").await, [ordered]);
    assert_eq!(store.says("logout_recorded").await[0]["sweep"], json!(id));
    let done = json!({"sweep": id, "sessions_ended": 1, "logouts_recorded": 1});
    assert_eq!(store.says("sweep_done").await, [done]);

    let key = |kid: &str| SigningKey {
        kid: kid.to_owned(),
        private: PrivateKey::new(b"private"),
        made_at: UnixSeconds(10),
        signs_from: UnixSeconds(20),
        signs_until: None,
    };
    store.add_signing_key(key("one"), UnixSeconds(0)).await.unwrap();
    store.add_signing_key(key("two"), UnixSeconds(0)).await.unwrap();
    store.replace_signing_keys(key("three")).await.unwrap();
    let rotated = |kid: &str, all: bool| json!({"kid": kid, "signs_from": 20, "withdraws_others": all});
    assert_eq!(store.says("key_rotated").await, [rotated("one", false), rotated("three", true)], "two came too late");
}

#[tokio::test]
async fn nobody_is_named_in_it() {
    let store = TestStore::open().await;
    store.sees(&token("notes", "laptop-sid", 900)).await;
    let everywhere = id_of(&store.fresh(by(&token("notes", "laptop-sid", 900), ends_everywhere(1000))).await);
    store.fresh(app_ends("phone-sid", 1000)).await;
    store.acknowledged(to(everywhere, "notes", "laptop-sid"), AT).await.unwrap();
    let lines: String = store.trail().await.iter().map(AuditRow::to_line).collect();
    for name in ["laptop-sid", "phone-sid", "\"ada\""] {
        assert!(!lines.contains(name), "{name} is in {lines}");
    }
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_a_row_or_to_let_it_go() {
    let store = TestStore::open().await;
    store.fresh(app_ends("laptop", 1000)).await;
    for statement in ["update audit set at = 0", "delete from audit", "delete from audit where place = 1"] {
        let refused = query(statement).execute(&mut store.stranger().await).await;
        assert!(refused.is_err(), "{statement}");
    }
    assert_eq!(store.verified(None).await.unwrap().rows, 1);
}

#[tokio::test]
async fn writers_at_one_database_write_one_chain_of_any_length() {
    let store = TestStore::open().await;
    let elsewhere = Store::open(&store.url, &store.tasks).await.unwrap();
    let reports = (0..1200).map(|number| {
        let hub: &Store = if number % 2 == 0 { &store } else { &elsewhere };
        async move {
            for session in [format!("s{number}"), format!("t{number}")] {
                // A file's writers may keep each other waiting for longer than one asks.
                while hub.record(app_ends(&session, 1000)).await.is_err() {}
            }
        }
    });
    futures_util::future::join_all(reports).await;
    assert_eq!(store.says("logout_recorded").await.len(), 2400);
    assert_eq!(store.verified(None).await.unwrap().rows, 2400);
    elsewhere.close().await;
}

#[tokio::test]
async fn a_change_in_the_database_is_found_by_place() {
    let store = TestStore::open().await;
    for number in 0..9 {
        store.fresh(app_ends(&format!("s{number}"), 1000)).await;
    }
    let mut stranger = store.stranger().await;
    let drop = if stranger.is_postgres() {
        "drop trigger audit_is_never_changed on audit"
    } else {
        "drop trigger audit_is_never_changed"
    };
    stranger.run(drop).await.unwrap();
    stranger.run("update audit set at = at + 1 where place = 5").await.unwrap();
    assert_eq!(store.verified(None).await, Err(Broken { place: 5, fault: Fault::Changed }));
}

#[tokio::test]
async fn a_database_of_an_earlier_version_has_no_trail_and_none_is_made_by_looking() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", directory.path().join("hub.db").display());
    let mut empty = Database::at(&url, None).unwrap().connect().await.unwrap();
    empty.run("create table other (n integer)").await.unwrap();
    assert_eq!(AuditTrail::open(&url, 1).await.err(), Some(TrailError::None));
}
