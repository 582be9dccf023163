//! An administrator ends every session that began by some moment.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::domain::logout::Reason;
use crate::domain::sweep::{Reach, Sweep};
use crate::store::{Expected, Moment, SWEEP_PAGE, SweepStep};

fn sweep(reach: Reach, covers_until: i64) -> Sweep {
    Sweep {
        id: next_id(),
        issuer: acme(),
        reach,
        covers_until: UnixSeconds(covers_until),
        reason: Reason::parse("Maintenance").unwrap(),
        ordered_at: UnixMillis(20_000),
    }
}

fn step(sweep: &Sweep) -> SweepStep {
    SweepStep {
        sweep: sweep.clone(),
        ids: (0..SWEEP_PAGE).map(|_| next_id()).collect(),
        back_ends: Arc::default(),
        at: UnixMillis(20_000),
        end_at_issuer: None,
        repeat_window_seconds: WINDOW,
    }
}

impl TestStore {
    /// Starts a sweep; what it is expected to end.
    async fn starts(&self, sweep: &Sweep) -> Expected {
        let known = self.moment().await.unwrap();
        self.start_sweep(sweep, None).await.unwrap();
        self.counts(sweep, known).await
    }

    async fn counts(&self, sweep: &Sweep, known: Moment) -> Expected {
        let expected = self.foretell_sweep(&step(sweep), known).await.unwrap();
        self.sweep_counted(sweep.id, expected).await.unwrap();
        expected
    }

    /// Whom a sweep covers comes with a token, and is told.
    async fn comes_back(&self, sign_in: &SignIn, sweep: &Sweep) {
        let (target, covers_until) = sweep.end_of(sign_in);
        let end = Report { sweep: Some(sweep.id), source: Source::Admin, ..report(target, covers_until.0) };
        self.fresh(by(sign_in, end)).await;
    }

    /// Takes every step that is left; how many logouts that recorded.
    async fn sweeps_on(&self, sweep: &Sweep) -> usize {
        let mut recorded = 0;
        loop {
            let swept = self.sweep_on(step(sweep)).await.unwrap();
            recorded += swept.recorded.len();
            if swept.is_done {
                return recorded;
            }
        }
    }

    async fn swept_by(&self, sign_in: &SignIn) -> Option<LogoutId> {
        self.standing(sign_in).await.unwrap().swept_by
    }

    /// So many sessions of as many people, in Notes.
    async fn is_crowded(&self, sessions: usize) {
        let one = |number: usize| SignIn {
            sub: Subject::parse(&format!("person {number}")).unwrap(),
            ..token("notes", &format!("session {number}"), 10)
        };
        let seen = (0..sessions).map(async |number| self.sees(&one(number)).await);
        futures_util::future::join_all(seen).await;
    }
}

#[tokio::test]
async fn a_sweep_ends_each_session_that_began_by_its_time_and_no_later_one() {
    let store = TestStore::open().await;
    let (old, new) = (token("notes", "laptop", 900), token("notes", "phone", 1001));
    let elsewhere = SignIn { issuer: Issuer::parse("https://other.example/").unwrap(), ..old.clone() };
    for seen in [&old, &token("shop", "laptop", 950), &new, &elsewhere] {
        store.sees(seen).await;
    }
    let everyone = sweep(Reach::Everyone, 1000);

    assert_eq!(store.starts(&everyone).await, Expected { sessions: 1, people: 1, devices: 1, apps: 2 });
    assert_eq!(store.sweeps_on(&everyone).await, 1);

    let logout = store.standing(&old).await.unwrap().ended_by.unwrap();
    assert_eq!((logout.source, logout.reason.as_ref().unwrap().as_str()), (Source::Admin, "Maintenance"));
    assert_eq!(store.ended_by(&new).await, None);
    assert_eq!(store.ended_by(&elsewhere).await, None);
    assert_eq!((store.swept_by(&new).await, store.swept_by(&elsewhere).await), (None, None));
}

#[tokio::test]
async fn whoever_was_never_seen_is_covered_from_the_commit_on() {
    let store = TestStore::open().await;
    let everyone = sweep(Reach::Everyone, 1000);
    store.starts(&everyone).await;
    let old = token("notes", "laptop", 1000);
    let proved_again = SignIn { auth_time: Some(UnixSeconds(1001)), ..token("notes", "laptop", 1002) };
    let refreshed = SignIn { auth_time: Some(UnixSeconds(999)), ..token("notes", "laptop", 5000) };
    assert_eq!(store.swept_by(&old).await, Some(everyone.id));
    assert_eq!(store.swept_by(&refreshed).await, Some(everyone.id));
    assert_eq!(store.swept_by(&proved_again).await, None);
    let seen = store.see(&old, UnixMillis(1_000_000)).await.unwrap();
    assert_eq!(seen.swept_by, Some(everyone.id), "also by the answer to a sighting");
}

#[tokio::test]
async fn a_sweep_of_an_app_ends_its_sessions_in_every_app_and_no_others() {
    let store = TestStore::open().await;
    let (notes, shop) = (token("notes", "laptop", 900), token("shop", "laptop", 910));
    let other = token("shop", "phone", 900);
    for seen in [&notes, &shop, &other] {
        store.sees(seen).await;
    }
    let of_notes = sweep(Reach::App(client("notes")), 1000);

    assert_eq!(store.starts(&of_notes).await, Expected { sessions: 1, people: 1, devices: 1, apps: 2 });
    assert_eq!(store.swept_by(&shop).await, Some(of_notes.id), "before it was worked off");
    assert_eq!(store.sweeps_on(&of_notes).await, 1);
    assert!(store.ended_by(&notes).await.is_some() && store.ended_by(&shop).await.is_some());
    assert_eq!((store.ended_by(&other).await, store.swept_by(&other).await), (None, None));
}

#[tokio::test]
async fn a_sweep_that_was_killed_goes_on_where_it_was_and_ends_each_session_once() {
    let store = TestStore::open().await;
    let crowd = 2 * SWEEP_PAGE + 7;
    store.is_crowded(crowd).await;
    let everyone = sweep(Reach::Everyone, 1000);
    let expected = store.starts(&everyone).await;
    assert_eq!(expected, Expected { sessions: crowd as u64, people: crowd as u64, devices: crowd as u64, apps: 1 });
    let first = store.sweep_on(step(&everyone)).await.unwrap();
    assert_eq!((first.recorded.len(), first.is_done), (SWEEP_PAGE, false));

    let store = store.after_a_crash().await;
    let found = store.unfinished_sweep().await.unwrap().unwrap();
    assert_eq!((&found.sweep, found.sessions_ended), (&everyone, SWEEP_PAGE as u64));
    assert_eq!(store.sweeps_on(&found.sweep).await, crowd - SWEEP_PAGE);

    let done = store.find_sweep(everyone.id).await.unwrap().unwrap();
    assert_eq!((done.sessions_ended, done.logouts_recorded), (expected.sessions, expected.sessions));
    assert!(done.finished_at.is_some() && store.unfinished_sweep().await.unwrap().is_none());
    let logouts = store.logouts_after(&acme(), 0, 10_000).await.unwrap();
    let sids: BTreeSet<_> = logouts.iter().map(|(_, logout)| logout.target.sid().unwrap().clone()).collect();
    assert_eq!((logouts.len(), sids.len()), (crowd, crowd));
}

#[tokio::test]
async fn what_a_sweep_ends_before_it_is_counted_is_counted_once_all_the_same() {
    let store = TestStore::open().await;
    let crowd = SWEEP_PAGE + 7;
    store.is_crowded(crowd).await;
    let bob = |session: &str| SignIn { sub: Subject::parse("bob").unwrap(), ..token("shop", session, 20) };
    let (early, late, unknown) = (token("notes", "session 3", 10), bob("x"), token("desk", "y", 30));
    for seen in [&late, &bob("")] {
        store.sees(seen).await;
    }
    let everyone = sweep(Reach::Everyone, 1000);
    let known = store.moment().await.unwrap();
    store.start_sweep(&everyone, None).await.unwrap();
    assert_eq!(store.find_sweep(everyone.id).await.unwrap().unwrap().expected, None);

    store.comes_back(&SignIn { sub: Subject::parse("person 3").unwrap(), ..early }, &everyone).await;
    store.comes_back(&unknown, &everyone).await;
    store.sweep_on(step(&everyone)).await.unwrap();
    let expected = store.counts(&everyone, known).await;
    store.comes_back(&bob(""), &everyone).await;
    store.sweeps_on(&everyone).await;

    let sessions = crowd as u64 + 2;
    assert_eq!(expected, Expected { sessions, people: sessions - 1, devices: sessions, apps: 2 });
    let done = store.find_sweep(everyone.id).await.unwrap().unwrap();
    assert_eq!((done.expected, done.sessions_ended), (Some(expected), sessions + 1), "and one that nobody knew");
}

#[tokio::test]
async fn a_step_that_is_taken_after_the_last_does_nothing() {
    let store = TestStore::open().await;
    store.sees(&token("notes", "laptop", 900)).await;
    let everyone = sweep(Reach::Everyone, 1000);
    store.starts(&everyone).await;
    store.sweeps_on(&everyone).await;
    store.sees(&token("notes", "late", 900)).await;
    let again = store.sweep_on(step(&everyone)).await.unwrap();
    assert!(again.is_done && again.recorded.is_empty());
}

#[tokio::test]
async fn a_sweep_is_forgotten_once_nothing_that_it_ends_can_be_left() {
    let store = TestStore::open().await;
    let (done, going) = (sweep(Reach::Everyone, 10), sweep(Reach::Person(ada().sub), 10));
    for sweep in [&done, &going] {
        store.starts(sweep).await;
    }
    store.sweeps_on(&done).await;
    store.forget(UnixMillis(20_000), UnixMillis(30_000)).await.unwrap();
    assert!(store.find_sweep(done.id).await.unwrap().is_some(), "it is not older than the cut");
    store.forget(UnixMillis(20_001), UnixMillis(30_000)).await.unwrap();
    assert!(store.find_sweep(done.id).await.unwrap().is_none());
    assert!(store.find_sweep(going.id).await.unwrap().is_some(), "there is still work to do");
}

fn some_token() -> impl Strategy<Value = SignIn> {
    let auth_time = proptest::option::of(0..12i64);
    (0..3usize, 0..3usize, 0..4usize, 0..12i64, auth_time).prop_map(|(app, sub, sid, iat, auth_time)| SignIn {
        sub: Subject::parse(["ada", "bob", "eve"][sub]).unwrap(),
        auth_time: auth_time.map(UnixSeconds),
        ..token(["notes", "shop", "desk"][app], ["", "laptop", "phone", "tablet"][sid], iat)
    })
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

fn some_sweep() -> impl Strategy<Value = Sweep> {
    let reach = prop_oneof![
        Just(Reach::Everyone),
        Just(Reach::App(client("notes"))),
        Just(Reach::App(client("desk"))),
        Just(Reach::Person(ada().sub)),
    ];
    (reach, 0..14i64).prop_map(|(reach, covers_until)| sweep(reach, covers_until))
}

/// What is over now of what was alive before: sessions, people and apps, by asking about
/// the newest of all tokens that differ in `iat` alone.
async fn ended_since(store: &TestStore, newest: &[SignIn], alive: &[bool]) -> Expected {
    let (mut sessions, mut people, mut apps) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (token, was_alive) in newest.iter().zip(alive) {
        if *was_alive && store.ended_by(token).await.is_some() {
            let session = (token.sid.clone(), token.sid.is_none().then(|| token.sub.clone()));
            sessions.insert(session);
            people.insert(token.sub.clone());
            apps.insert(token.client_id.clone());
        }
    }
    Expected {
        sessions: sessions.len() as u64,
        people: people.len() as u64,
        devices: sessions.len() as u64,
        apps: apps.len() as u64,
    }
}

async fn newest_tokens(store: &TestStore, issuer: &Issuer) -> Vec<SignIn> {
    let select = "select sid, sub, client_id, auth_time, latest_iat from seen_tokens where issuer = $1";
    let rows = query(select).bind(issuer.as_str()).fetch_all(&mut store.stranger().await).await.unwrap();
    let one = |row: &Row| SignIn {
        issuer: issuer.clone(),
        client_id: client(row.try_get(2).unwrap()),
        sub: Subject::parse(row.try_get(1).unwrap()).unwrap(),
        sid: Sid::parse(row.try_get(0).unwrap()).ok(),
        issued_at: UnixSeconds(row.try_get(4).unwrap()),
        auth_time: Some(row.try_get(3).unwrap()).filter(|at| *at != -1).map(UnixSeconds),
    };
    rows.iter().map(one).collect()
}

/// An issuer of its own for each case, so that all share one file.
fn new_issuer() -> Issuer {
    Issuer::parse(&format!("https://{}.example/", next_id())).unwrap()
}

fn at(issuer: &Issuer, mut report: Report) -> Report {
    match &mut report.target {
        LogoutTarget::Session { key, .. } => key.issuer = issuer.clone(),
        LogoutTarget::User(key) => key.issuer = issuer.clone(),
    }
    Report { id: next_id(), ..report }
}

#[test]
fn a_dry_run_counts_what_the_real_run_then_ends() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime.block_on(TestStore::open());
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(100) });
    let population = (
        proptest::collection::vec(some_token(), 0..12),
        proptest::collection::vec(some_report(), 0..4),
        proptest::collection::vec(some_token(), 0..4),
        some_sweep(),
    );
    let law = |(early, reports, late, sweep): (Vec<SignIn>, Vec<Report>, Vec<SignIn>, Sweep)| {
        runtime.block_on(async {
            let issuer = new_issuer();
            let sweep = Sweep { id: next_id(), issuer: issuer.clone(), ..sweep };
            for token in early {
                store.sees(&SignIn { issuer: issuer.clone(), ..token }).await;
            }
            for report in reports {
                store.record(at(&issuer, report)).await.unwrap();
            }
            for token in late {
                store.sees(&SignIn { issuer: issuer.clone(), ..token }).await;
            }
            let newest = newest_tokens(&store, &issuer).await;
            let mut alive = Vec::new();
            for token in &newest {
                alive.push(store.ended_by(token).await.is_none());
            }

            let expected = store.starts(&sweep).await;
            store.sweeps_on(&sweep).await;

            prop_assert_eq!(ended_since(&store, &newest, &alive).await, expected);
            let done = store.find_sweep(sweep.id).await.unwrap().unwrap();
            prop_assert_eq!(done.sessions_ended, expected.sessions);
            for token in &newest {
                let standing = store.standing(token).await.unwrap();
                prop_assert!(standing.swept_by.is_none() || standing.ended_by.is_some(), "the sweep left {token:?}");
            }
            Ok(())
        })
    };
    runner.run(&population, law).unwrap();
}

/// The rule stands twice, in `Sweep::covers` and in SQL; it is one rule.
#[test]
fn the_database_and_the_domain_agree_whom_a_sweep_covers() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime.block_on(TestStore::open());
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(60) });
    let facts = (proptest::collection::vec(some_token(), 0..6), some_sweep(), some_token());
    let law = |(seen, sweep, asked): (Vec<SignIn>, Sweep, SignIn)| {
        runtime.block_on(async {
            let issuer = new_issuer();
            let sweep = Sweep { id: next_id(), issuer: issuer.clone(), ..sweep };
            let of_issuer = |token| SignIn { issuer: issuer.clone(), ..token };
            let (seen, asked) = (seen.into_iter().map(of_issuer).collect::<Vec<_>>(), of_issuer(asked));
            for token in &seen {
                store.sees(token).await;
            }
            store.starts(&sweep).await;
            let standing = store.standing(&asked).await.unwrap();
            let of_session = |token: &&SignIn| asked.sid.is_some() && token.sid == asked.sid;
            let mut apps = seen.iter().filter(of_session).map(|token| &token.client_id).chain([&asked.client_id]);
            let is_covered = match &sweep.reach {
                Reach::App(app) => {
                    apps.any(|used| used == app && sweep.reaches_back_to(asked.session_start(standing.earliest_known)))
                }
                Reach::Everyone | Reach::Person(_) => sweep.covers(&asked, standing.earliest_known),
            };
            prop_assert_eq!(standing.swept_by, is_covered.then_some(sweep.id));
            Ok(())
        })
    };
    runner.run(&facts, law).unwrap();
}
