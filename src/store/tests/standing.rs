//! How a sign-in stands.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::domain::logout::Logout;
use crate::store::Standing;

#[tokio::test]
async fn a_token_never_seen_stands_by_itself() {
    let store = TestStore::open().await;
    let standing = store.standing(&token("notes", "laptop", 1000)).await.unwrap();
    let never = Standing {
        ended_by: None,
        swept_by: None,
        earliest_known: None,
        is_seen: false,
        last_seen_at: None,
        has_listened: false,
    };
    assert_eq!(standing, never);
}

#[tokio::test]
async fn seeing_answers_how_the_token_stands_after_that() {
    let store = TestStore::open().await;
    let logout = store.fresh(app_ends("laptop", 1000)).await;
    let standing = store.see(&token("notes", "laptop", 990), UnixMillis(1_005_000)).await.unwrap();
    assert_eq!(standing.ended_by, logout.logout);
    assert_eq!(standing.earliest_known, Some(UnixSeconds(990)));
    assert_eq!(standing.last_seen_at, Some(UnixSeconds(1005)));
    assert!(standing.is_seen);
}

#[tokio::test]
async fn a_row_stands_for_every_token_between_its_earliest_and_latest() {
    let store = TestStore::open().await;
    store.sees(&token("notes", "laptop", 1000)).await;
    store.sees(&token("notes", "laptop", 2000)).await;
    let mut is_seen = Vec::new();
    for iat in [999, 1000, 1500, 2000, 2001] {
        is_seen.push(store.standing(&token("notes", "laptop", iat)).await.unwrap().is_seen);
    }
    assert_eq!(is_seen, [false, true, true, true, false]);
    assert!(!store.standing(&token("shop", "laptop", 1500)).await.unwrap().is_seen, "another app");
    assert!(!store.standing(&token("notes", "", 1500)).await.unwrap().is_seen, "no session");
}

#[tokio::test]
async fn a_session_is_as_old_as_the_earliest_that_any_app_showed_of_it() {
    let store = TestStore::open().await;
    store.see(&token("notes", "laptop", 1000), UnixMillis(1_500_000)).await.unwrap();
    store.see(&token("shop", "laptop", 1200), UnixMillis(900_999)).await.unwrap();
    let standing = store.standing(&token("desk", "laptop", 5000)).await.unwrap();
    assert_eq!(standing.earliest_known, Some(UnixSeconds(900)));
    let standing = store.standing(&token("desk", "laptop", 800)).await.unwrap();
    assert_eq!(standing.earliest_known, Some(UnixSeconds(800)), "this token shows it to be older");
}

#[tokio::test]
async fn a_token_refreshed_after_signing_out_everywhere_stays_logged_out() {
    let store = TestStore::open().await;
    store.sees(&token("notes", "laptop", 900)).await;
    let everywhere = store.fresh(ends_everywhere(1000)).await;
    assert_eq!(store.ended_by(&token("notes", "laptop", 5000)).await, Some(id_of(&everywhere)));
    assert_eq!(store.ended_by(&token("notes", "phone", 5000)).await, None);
}

#[tokio::test]
async fn the_earliest_recorded_logout_is_named() {
    let store = TestStore::open().await;
    let notes = token("notes", "laptop", 900);
    store.sees(&notes).await;
    let session = store.fresh(app_ends("laptop", 1000)).await;
    store.fresh(ends_everywhere(1001)).await;
    assert_eq!(store.ended_by(&notes).await, Some(id_of(&session)));
}

fn some_token() -> impl Strategy<Value = SignIn> {
    let auth_time = proptest::option::of(0..12i64);
    (0..2usize, 0..2usize, 0..3usize, 0..12i64, auth_time).prop_map(|(app, sub, sid, iat, auth_time)| SignIn {
        sub: Subject::parse(["ada", "bob"][sub]).unwrap(),
        auth_time: auth_time.map(UnixSeconds),
        ..token(["notes", "shop"][app], ["", "laptop", "phone"][sid], iat)
    })
}

/// The ends of sessions that are no logouts of their own, each as the logout that it
/// would be, at the place of the one that answers for it.
async fn session_ends(store: &TestStore, issuer: &Issuer, logouts: &[(i64, Logout)]) -> Vec<(i64, Logout)> {
    let select = "select sid, logout, is_final, covers_until from session_ends where issuer = $1";
    let rows = query(select).bind(issuer.as_str()).fetch_all(&mut store.stranger().await).await.unwrap();
    let end = |row: &Row| {
        let key = SessionKey { issuer: issuer.clone(), sid: sid(row.try_get(0).unwrap()) };
        let (place, target) = (row.try_get(1).unwrap(), LogoutTarget::Session { key, sub: None });
        let (_, answers) = logouts.iter().find(|(own, _)| *own == place).unwrap();
        let (is_final, covers_until) = (row.try_get::<i64>(2).unwrap() != 0, UnixSeconds(row.try_get(3).unwrap()));
        (place, Logout { target, is_final, covers_until, ..answers.clone() })
    };
    rows.iter().map(end).collect()
}

fn some_report() -> impl Strategy<Value = Report> {
    (any::<bool>(), any::<bool>(), any::<bool>(), 0..12i64).prop_map(|(is_user, first, is_final, covers_until)| {
        let sub = Subject::parse(if first { "ada" } else { "bob" }).unwrap();
        let target = if is_user {
            LogoutTarget::User(SubjectKey { issuer: acme(), sub })
        } else {
            LogoutTarget::Session { key: session(if first { "laptop" } else { "phone" }), sub: None }
        };
        Report { is_final, repeat_window_seconds: 2, ..report(target, covers_until) }
    })
}

/// The rule stands twice, in `Logout::covers` and in SQL; it is one rule.
#[test]
fn the_database_and_the_domain_agree_which_logout_ends_a_token() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime.block_on(TestStore::open());
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(40) });
    let facts = (
        proptest::collection::vec((some_token(), 0..12i64), 0..5),
        proptest::collection::vec(some_report(), 0..5),
        proptest::collection::vec(some_token(), 1..12),
    );
    let outcome = runner.run(&facts, |(seen, reports, asked)| {
        runtime.block_on(async {
            // Each case has an issuer of its own, so that all share one file.
            let issuer = Issuer::parse(&format!("https://{}.example/", next_id())).unwrap();
            let of_issuer = |sign_in: SignIn| SignIn { issuer: issuer.clone(), ..sign_in };
            for (sign_in, at) in seen {
                store.see(&of_issuer(sign_in), UnixSeconds(at).into()).await.unwrap();
            }
            for mut report in reports {
                match &mut report.target {
                    LogoutTarget::Session { key, .. } => key.issuer = issuer.clone(),
                    LogoutTarget::User(key) => key.issuer = issuer.clone(),
                }
                store.record(Report { id: next_id(), ..report }).await.unwrap();
            }
            let logouts = store.logouts_after(&issuer, 0, 100).await.unwrap();
            let ends = session_ends(&store, &issuer, &logouts).await;
            for sign_in in asked.into_iter().map(of_issuer) {
                let standing = store.standing(&sign_in).await.unwrap();
                let covers = |fact: &Logout| fact.covers(&sign_in, standing.earliest_known);
                let ended_by = logouts.iter().chain(&ends).filter(|(_, fact)| covers(fact)).min_by_key(|(at, _)| *at);
                let by_rule = ended_by.and_then(|(at, _)| logouts.iter().find(|(own, _)| own == at));
                prop_assert_eq!(standing.ended_by.as_ref(), by_rule.map(|(_, logout)| logout));
            }
            Ok(())
        })
    });
    outcome.unwrap();
}
