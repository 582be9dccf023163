//! The pure decisions: the order of what is known does not matter.

use proptest::prelude::*;

use super::*;
use crate::store::facts::Facts;

fn facts_with(seen: &[SignIn]) -> Facts {
    let mut facts = Facts::default();
    for sign_in in seen {
        facts.see(sign_in, sign_in.issued_at.into());
    }
    facts
}

fn is_over(facts: &Facts, sign_in: &SignIn) -> bool {
    facts.logouts.iter().any(|held| held.logout.covers(sign_in, facts.earliest_known_of(sign_in)))
}

fn some_token() -> impl Strategy<Value = SignIn> {
    (0..2usize, 0..3usize, 0..10i64)
        .prop_map(|(app, sid, iat)| token(["notes", "shop"][app], ["", "laptop", "phone"][sid], iat))
}

fn some_report() -> impl Strategy<Value = Report> {
    (0..3usize, any::<bool>(), 0..10i64).prop_map(|(whom, is_final, at)| {
        let report = vec![app_ends("laptop", at), app_ends("phone", at), ends_everywhere(at)].swap_remove(whom);
        Report { is_final, repeat_window_seconds: 2, ..report }
    })
}

proptest! {
    #[test]
    fn a_seen_token_is_over_exactly_if_one_of_the_reports_ends_it_in_whatever_order_they_came(
        seen in proptest::collection::vec(some_token(), 0..6),
        reports in proptest::collection::vec(some_report(), 0..6),
        order in any::<prop::sample::Index>(),
    ) {
        let mut forwards = facts_with(&seen);
        for report in &reports { forwards.take(report); }

        let mut turned = reports.clone();
        turned.reverse();
        if !turned.is_empty() {
            let by = order.index(turned.len());
            turned.rotate_left(by);
        }
        let mut backwards = facts_with(&seen);
        for report in &turned { backwards.take(report); }

        for sign_in in &seen {
            let earliest = forwards.earliest_known_of(sign_in);
            let by_any = reports.iter().any(|report| report.as_logout().covers(sign_in, earliest));
            prop_assert_eq!(is_over(&forwards, sign_in), by_any);
            prop_assert_eq!(is_over(&backwards, sign_in), by_any);
        }
    }

    #[test]
    fn the_same_report_again_is_always_a_repeat_that_changes_nothing(
        seen in proptest::collection::vec(some_token(), 0..6),
        report in some_report(),
    ) {
        // What is seen only after the logout is a sign-in of its own.
        let seen: Vec<_> = seen.into_iter().filter(|one| one.issued_at <= report.covers_until).collect();
        let mut facts = facts_with(&seen);
        prop_assert_eq!(facts.take(&report).outcome, Outcome::Fresh);
        prop_assert_eq!(facts.take(&report).outcome, Outcome::Repeat);
        prop_assert_eq!(facts.logouts.len(), 1);
        prop_assert!(!facts.logouts[0].is_raised);
    }
}

#[test]
fn a_session_nobody_had_ended_is_ended_for_every_app_that_used_it() {
    // The shop's clock is ahead: its token is younger than the logout.
    let mut facts = facts_with(&[token("notes", "laptop", 5), token("shop", "laptop", 12), token("desk", "phone", 5)]);
    let decision = facts.take(&app_ends("laptop", 10));
    let expected = [("notes", "laptop"), ("shop", "laptop")];
    assert_eq!(decision.newly_ended, expected.map(|(app, session)| (client(app), Some(sid(session)))).into());
}

#[test]
fn a_second_logout_of_a_session_is_only_for_who_came_after_the_first() {
    let mut facts = facts_with(&[token("notes", "laptop", 5)]);
    facts.take(&app_ends("laptop", 10));
    facts.see(&token("shop", "laptop", 12), UnixMillis(12_000));
    let decision = facts.take(&app_ends("laptop", 15));
    assert_eq!(decision.newly_ended, [(client("shop"), Some(sid("laptop")))].into());
}

#[test]
fn signing_out_everywhere_is_for_whoever_is_still_signed_in() {
    let seen = [token("notes", "laptop", 5), token("notes", "phone", 6), token("desk", "", 7), token("shop", "tv", 99)];
    let mut facts = facts_with(&seen);
    facts.take(&issuer_ends("laptop", 8));
    let decision = facts.take(&ends_everywhere(10));
    let expected = [(client("notes"), Some(sid("phone"))), (client("desk"), None)];
    assert_eq!(decision.newly_ended, expected.into());
    let starts = [("laptop", 5), ("phone", 6), ("tv", 99)];
    assert_eq!(decision.session_starts, starts.map(|(name, at)| (sid(name), UnixSeconds(at))));
}

#[test]
fn another_persons_token_in_the_session_is_not_ended_by_a_user_logout() {
    let bob = SignIn { sub: Subject::parse("bob").unwrap(), ..token("notes", "kiosk", 5) };
    let mut facts = facts_with(&[bob, token("shop", "kiosk", 6)]);
    let decision = facts.take(&ends_everywhere(10));
    assert_eq!(decision.newly_ended, [(client("shop"), Some(sid("kiosk")))].into());
}

#[test]
fn an_earlier_logout_still_counts_after_a_later_one_that_ends_less() {
    let mut facts = facts_with(&[token("notes", "laptop", 15)]);
    facts.take(&app_ends("laptop", 20));
    facts.see(&token("shop", "laptop", 25), UnixMillis(25_000));
    assert_eq!(facts.take(&app_ends("laptop", 10)).outcome, Outcome::Fresh, "about the shop, for all the hub knows");
    assert_eq!(facts.take(&app_ends("laptop", 30)).newly_ended, [(client("shop"), Some(sid("laptop")))].into());
}

#[test]
fn what_a_repeat_has_raised_counts_for_the_next_report() {
    let mut facts = Facts::default();
    facts.take(&app_ends("laptop", 10));
    facts.take(&app_ends("laptop", 12));
    facts.see(&token("notes", "laptop", 11), UnixMillis(11_000));
    assert_eq!(facts.take(&app_ends("laptop", 13)).outcome, Outcome::Repeat);
}

#[test]
fn a_report_of_just_now_reaches_what_was_seen_before_it_though_its_nodes_clock_is_behind() {
    let mut facts = facts_with(&[token("notes", "laptop", 30)]);
    let behind = Report { means_now: true, ..app_ends("laptop", 10) };
    assert_eq!(facts.take(&behind).newly_ended, [(client("notes"), Some(sid("laptop")))].into());
    assert_eq!(facts.logouts[0].logout.covers_until, UnixSeconds(30));
    facts.see(&token("notes", "laptop", 31), UnixMillis(31_000));
    assert!(!is_over(&facts, &token("notes", "laptop", 31)), "who signs in after it is signed in");
}
