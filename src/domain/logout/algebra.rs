//! Covering only ever grows: with a later T, with a wider scope, with what is learnt.

use proptest::prelude::*;

use super::*;
use crate::domain::sweep::{Reach, Sweep};

fn issuer(which: bool) -> Issuer {
    Issuer::parse(if which { "https://acme.example/" } else { "https://other.example/" }).unwrap()
}

/// Few names and times, so that they meet.
fn some_sign_in() -> impl Strategy<Value = SignIn> {
    let auth_time = proptest::option::of(0..20i64);
    (any::<[bool; 3]>(), 0..3usize, 0..20i64, auth_time).prop_map(|([at, app, sub], sid, iat, auth_time)| SignIn {
        issuer: issuer(at),
        client_id: ClientId::parse(if app { "notes" } else { "shop" }).unwrap(),
        sub: Subject::parse(if sub { "ada" } else { "bob" }).unwrap(),
        sid: Sid::parse(["", "laptop", "phone"][sid]).ok(),
        issued_at: UnixSeconds(iat),
        auth_time: auth_time.map(UnixSeconds),
    })
}

fn some_target() -> impl Strategy<Value = LogoutTarget> {
    (any::<[bool; 4]>()).prop_map(|[at, is_user, first, named]| {
        let (issuer, sub) = (issuer(at), Subject::parse(if first { "ada" } else { "bob" }).unwrap());
        if is_user {
            return LogoutTarget::User(SubjectKey { issuer, sub });
        }
        let sid = Sid::parse(if first { "laptop" } else { "phone" }).unwrap();
        LogoutTarget::Session { key: SessionKey { issuer, sid }, sub: named.then_some(sub) }
    })
}

fn some_logout() -> impl Strategy<Value = Logout> {
    (some_target(), any::<bool>(), 0..20i64).prop_map(|(target, is_final, at)| logout(target, is_final, at))
}

fn logout(target: LogoutTarget, is_final: bool, covers_until: i64) -> Logout {
    Logout {
        id: LogoutId::new(UnixMillis(0), 1),
        target,
        source: Source::App,
        is_final,
        covers_until: UnixSeconds(covers_until),
        client_id: None,
        reason: None,
        occurred_at: UnixMillis(0),
        recorded_at: UnixMillis(0),
    }
}

fn known() -> impl Strategy<Value = Option<UnixSeconds>> {
    proptest::option::of((0..20i64).prop_map(UnixSeconds))
}

proptest! {
    #[test]
    fn a_later_logout_never_ends_less(logout in some_logout(), who in some_sign_in(), known in known(), by in 0..20i64) {
        let later = Logout { covers_until: logout.covers_until.plus(by), ..logout.clone() };
        prop_assert!(!logout.covers(&who, known) || later.covers(&who, known));
    }

    #[test]
    fn a_final_logout_never_ends_less(logout in some_logout(), who in some_sign_in(), known in known()) {
        let confirmed = Logout { is_final: true, ..logout.clone() };
        prop_assert!(!logout.covers(&who, known) || confirmed.covers(&who, known));
    }

    #[test]
    fn a_session_that_proves_to_be_older_is_never_revived(
        logout in some_logout(), who in some_sign_in(), known in 0..20i64, by in 0..20i64,
    ) {
        let (known, older) = (Some(UnixSeconds(known)), Some(UnixSeconds(known - by)));
        prop_assert!(!logout.covers(&who, known) || logout.covers(&who, older));
    }

    /// No session begins after a token of it.
    #[test]
    fn whom_a_logout_of_one_session_ends_one_of_the_person_ends_too(who in some_sign_in(), known in known(), at in 0..20i64) {
        let who = SignIn { auth_time: who.auth_time.map(|time| time.min(who.issued_at)), ..who };
        let known = known.map(|known| known.min(who.issued_at));
        let Some(key) = who.session() else { return Ok(()) };
        let narrow = logout(LogoutTarget::Session { key, sub: None }, false, at);
        let wide = logout(LogoutTarget::User(who.subject()), false, at);
        prop_assert!(!narrow.covers(&who, known) || wide.covers(&who, known));
    }

    #[test]
    fn a_logout_ends_nobody_whom_it_does_not_concern(logout in some_logout(), who in some_sign_in(), known in known()) {
        prop_assert!(!logout.covers(&who, known) || logout.concerns(&who));
    }

    #[test]
    fn a_sweep_of_everyone_ends_whom_one_of_an_app_or_a_person_ends_and_a_later_one_no_less(
        who in some_sign_in(), known in known(), reach in 0..3usize, at in 0..20i64, by in 0..20i64,
    ) {
        let reach = match reach {
            0 => Reach::Everyone,
            1 => Reach::App(ClientId::parse("notes").unwrap()),
            _ => Reach::Person(Subject::parse("ada").unwrap()),
        };
        let sweep = Sweep {
            id: LogoutId::new(UnixMillis(0), 1),
            issuer: issuer(true),
            reach,
            covers_until: UnixSeconds(at),
            reason: Reason::parse("drill").unwrap(),
            ordered_at: UnixMillis(0),
        };
        let wider = Sweep { reach: Reach::Everyone, ..sweep.clone() };
        let later = Sweep { covers_until: UnixSeconds(at + by), ..sweep.clone() };
        if sweep.covers(&who, known) {
            prop_assert!(wider.covers(&who, known) && later.covers(&who, known));
        }
    }
}
