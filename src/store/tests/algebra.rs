//! The algebra of logouts: merging is commutative, associative and idempotent, in memory
//! and on disk, and nothing that is learnt later revives who was signed out.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::store::facts::Facts;

/// Few people, sessions, apps and times, so that they meet.
fn some_token() -> impl Strategy<Value = SignIn> {
    let auth_time = proptest::option::weighted(0.3, 0..10i64);
    (0..2usize, 0..3usize, any::<bool>(), 0..10i64, auth_time).prop_map(|(app, sid, is_ada, iat, auth_time)| SignIn {
        sub: person(is_ada).sub,
        auth_time: auth_time.map(UnixSeconds),
        ..token(["notes", "shop"][app], ["", "laptop", "phone"][sid], iat)
    })
}

fn person(is_ada: bool) -> SubjectKey {
    SubjectKey { issuer: acme(), sub: Subject::parse(if is_ada { "ada" } else { "bob" }).unwrap() }
}

fn some_report() -> impl Strategy<Value = Report> {
    let flags = any::<[bool; 3]>();
    (0..4usize, flags, 0..10i64, 0..4i64).prop_map(|(whom, [is_final, means_now, is_ada], at, window)| {
        let report = match whom {
            0 => app_ends("laptop", at),
            1 => app_ends("phone", at),
            // As a back end's own report of one session of somebody's, after another of all.
            2 => Report { goes_with: Some(person(is_ada)), ..app_ends("laptop", at) },
            _ => report(LogoutTarget::User(person(is_ada)), at),
        };
        Report { is_final, means_now, repeat_window_seconds: window, ..report }
    })
}

fn tokens(most: usize) -> impl Strategy<Value = Vec<SignIn>> {
    proptest::collection::vec(some_token(), 0..most)
}

fn reports(most: usize) -> impl Strategy<Value = Vec<Report>> {
    proptest::collection::vec(some_report(), 0..most)
}

/// Reports, and the same ones in another order.
fn shuffled(most: usize) -> impl Strategy<Value = (Vec<Report>, Vec<Report>)> {
    reports(most).prop_flat_map(|reports| (Just(reports.clone()), Just(reports).prop_shuffle()))
}

fn facts_of(seen: &[SignIn], reports: &[Report]) -> Facts {
    let mut facts = Facts::default();
    for sign_in in seen {
        facts.see(sign_in, sign_in.issued_at.into());
    }
    for report in reports {
        facts.take(report);
    }
    facts
}

/// Every session and person that there is here, whether seen or not.
fn everyone() -> Vec<SignIn> {
    let sids = ["", "laptop", "phone"];
    let all = sids.iter().flat_map(|sid| [true, false].map(|is_ada| (sid, is_ada)));
    all.map(|(sid, is_ada)| SignIn { sub: person(is_ada).sub, ..token("notes", sid, 0) }).collect()
}

fn ends(facts: &Facts) -> Vec<[Option<(bool, UnixSeconds)>; 2]> {
    everyone().iter().map(|who| facts.ends_of(who)).collect()
}

proptest! {
    #[test]
    fn logouts_merge_to_the_same_in_any_order(seen in tokens(6), (reports, others) in shuffled(7)) {
        prop_assert_eq!(ends(&facts_of(&seen, &reports)), ends(&facts_of(&seen, &others)));
    }

    #[test]
    fn logouts_that_come_twice_merge_to_the_same(seen in tokens(6), reports in reports(7), again in reports(1)) {
        let once: Vec<_> = reports.iter().chain(&again).cloned().collect();
        let twice: Vec<_> = once.iter().chain(&once).cloned().collect();
        let each_twice: Vec<_> = once.iter().flat_map(|one| [one.clone(), one.clone()]).collect();
        let expected = ends(&facts_of(&seen, &once));
        prop_assert_eq!(&ends(&facts_of(&seen, &twice)), &expected);
        prop_assert_eq!(&ends(&facts_of(&seen, &each_twice)), &expected);
    }

    #[test]
    fn nothing_learnt_later_revives_who_was_signed_out(
        seen in tokens(6), before in reports(5), later in tokens(4), after in reports(4), who in tokens(12),
    ) {
        let mut facts = facts_of(&seen, &before);
        let over: Vec<_> = who.into_iter().filter(|one| facts.covers(one)).collect();
        for sign_in in &later {
            facts.see(sign_in, sign_in.issued_at.into());
            prop_assert!(over.iter().all(|one| facts.covers(one)), "a sign-in was seen");
        }
        for report in &after {
            facts.take(report);
            prop_assert!(over.iter().all(|one| facts.covers(one)), "a logout was reported");
        }
    }
}

fn at(issuer: &Issuer, sign_in: &SignIn) -> SignIn {
    SignIn { issuer: issuer.clone(), ..sign_in.clone() }
}

/// The report at another issuer, under an id of its own.
fn report_at(issuer: &Issuer, report: &Report) -> Report {
    let mut report = Report { id: next_id(), ..report.clone() };
    match &mut report.target {
        LogoutTarget::Session { key, .. } => key.issuer = issuer.clone(),
        LogoutTarget::User(key) => key.issuer = issuer.clone(),
    }
    if let Some(key) = &mut report.goes_with {
        key.issuer = issuer.clone();
    }
    report
}

/// Records at an issuer of its own, each group in one batch, and says who is over.
async fn standings(store: &TestStore, seen: &[SignIn], groups: &[Vec<Report>], asked: &[SignIn]) -> Vec<bool> {
    let issuer = Issuer::parse(&format!("https://{}.example/", next_id())).unwrap();
    for sign_in in seen {
        store.sees(&at(&issuer, sign_in)).await;
    }
    for group in groups {
        // One after the other into the queue, and taken out together.
        let recorded = group.iter().map(|report| store.record(report_at(&issuer, report)));
        for outcome in futures_util::future::join_all(recorded).await {
            outcome.unwrap();
        }
    }
    let mut over = Vec::new();
    for sign_in in asked {
        over.push(store.standing(&at(&issuer, sign_in)).await.unwrap().is_over());
    }
    over
}

/// All sign-ins of these few names and times.
fn all_sign_ins() -> Vec<SignIn> {
    let times = [0, 3, 6, 9, 12];
    everyone().iter().flat_map(|who| times.map(|iat| SignIn { issued_at: UnixSeconds(iat), ..who.clone() })).collect()
}

/// Runs a property against one store for all its cases.
fn holds_on_disk<T: Clone + std::fmt::Debug>(
    cases: u32,
    inputs: impl Strategy<Value = T>,
    property: &impl AsyncFn(&TestStore, T) -> Result<(), TestCaseError>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime.block_on(TestStore::open());
    // Seeds of failures are kept as those of `proptest!` are.
    let config = Config { source_file: Some(file!()), ..Config::with_cases(cases) };
    let outcome = TestRunner::new(config).run(&inputs, |input| runtime.block_on(property(&store, input)));
    outcome.unwrap();
}

#[test]
fn on_disk_logouts_end_the_same_people_in_any_order_one_by_one_or_together_once_or_twice() {
    holds_on_disk(
        40,
        (tokens(5), shuffled(6), 0..6usize),
        &async |store: &TestStore, (seen, (reports, others), cut)| {
            let asked = all_sign_ins();
            let mut first = reports.clone();
            let rest = first.split_off(cut.min(reports.len()));
            let one_by_one: Vec<_> = reports.iter().map(|one| vec![one.clone()]).collect();
            let expected = standings(store, &seen, &one_by_one, &asked).await;
            for groups in
                [vec![reports.clone()], vec![first, rest], vec![others.clone()], vec![reports.clone(), others.clone()]]
            {
                prop_assert_eq!(&standings(store, &seen, &groups, &asked).await, &expected);
            }
            // The same as in memory, where nothing was written and read again.
            let facts = facts_of(&seen, &reports);
            let in_memory: Vec<_> = asked.iter().map(|who| facts.covers(who)).collect();
            prop_assert_eq!(in_memory, expected);
            Ok(())
        },
    );
}
