//! When is a report a repeat? Each rule by name.

use super::*;

#[tokio::test]
async fn the_first_report_is_a_logout_of_its_own_even_of_a_session_nobody_has_seen() {
    let store = TestStore::open().await;
    let report = app_ends("laptop", 1000);
    let recorded = store.fresh(report.clone()).await;
    assert_eq!(recorded.logout, Some(report.as_logout()));
    assert_eq!(recorded.position, 1);
}

#[tokio::test]
async fn after_a_final_logout_every_report_of_that_session_is_a_repeat() {
    let store = TestStore::open().await;
    let first = store.fresh(issuer_ends("laptop", 1000)).await;
    assert_eq!(store.repeat(app_ends("laptop", 90_000)).await, id_of(&first));
    assert_eq!(store.repeat(issuer_ends("laptop", 5)).await, id_of(&first));
}

#[tokio::test]
async fn an_app_and_then_the_issuer_reporting_one_logout_make_one_final_logout() {
    let store = TestStore::open().await;
    store.sees(&token("notes", "laptop", 900)).await;
    let first = store.fresh(app_ends("laptop", 1000)).await;

    let recorded = store.record(issuer_ends("laptop", 1002)).await.unwrap();
    assert_eq!(recorded.outcome, Outcome::Repeat);
    let logout = recorded.logout.unwrap();
    assert_eq!((logout.id, logout.is_final, logout.covers_until), (id_of(&first), true, UnixSeconds(1002)));
    assert_eq!(store.find_logout(logout.id).await.unwrap(), Some((logout, first.position)), "as it stands on disk");
}

#[tokio::test]
async fn a_repeat_never_lowers_what_a_logout_covers() {
    let store = TestStore::open().await;
    let first = store.fresh(issuer_ends("laptop", 1000)).await;
    store.repeat(app_ends("laptop", 500)).await;
    let (logout, _) = store.find_logout(id_of(&first)).await.unwrap().unwrap();
    assert_eq!((logout.is_final, logout.covers_until), (true, UnixSeconds(1000)));
}

#[tokio::test]
async fn a_new_sign_in_in_the_same_session_makes_the_next_report_a_logout_of_its_own() {
    let store = TestStore::open().await;
    let first = store.fresh(app_ends("laptop", 1000)).await;
    let again = token("notes", "laptop", 1010);
    store.sees(&again).await;
    let second = store.fresh(by(&again, app_ends("laptop", 1020))).await;
    assert_ne!(id_of(&first), id_of(&second));
    assert_eq!(store.ended_by(&again).await, Some(id_of(&second)));
}

#[tokio::test]
async fn the_reporters_own_token_counts_as_seen() {
    let store = TestStore::open().await;
    store.fresh(app_ends("laptop", 1000)).await;
    // Never seen before this very report.
    store.fresh(by(&token("notes", "laptop", 1010), app_ends("laptop", 1020))).await;
}

#[tokio::test]
async fn a_report_much_later_than_a_provisional_logout_may_be_about_an_unseen_sign_in() {
    let store = TestStore::open().await;
    let first = store.fresh(app_ends("laptop", 1000)).await;
    assert_eq!(store.repeat(app_ends("laptop", 1000 + WINDOW)).await, id_of(&first));
    // The repeat moved T on, and the window with it.
    store.fresh(app_ends("laptop", 1000 + 2 * WINDOW + 1)).await;
}

#[tokio::test]
async fn a_tab_that_wakes_much_later_and_reports_with_its_old_token_repeats() {
    let store = TestStore::open().await;
    let old = token("notes", "laptop", 900);
    let first = store.fresh(by(&old, app_ends("laptop", 1000))).await;
    assert_eq!(store.repeat(by(&old, app_ends("laptop", 90_000))).await, id_of(&first));

    let phone = token("notes", "phone", 90_001);
    let everywhere = store.fresh(by(&phone, ends_everywhere(91_000))).await;
    assert_eq!(store.repeat(by(&phone, ends_everywhere(180_000))).await, id_of(&everywhere));
}

#[tokio::test]
async fn after_signing_out_everywhere_the_sessions_own_reports_are_repeats() {
    let store = TestStore::open().await;
    store.sees(&token("notes", "laptop", 900)).await;
    let everywhere = store.fresh(ends_everywhere(1000)).await;
    assert_eq!(store.repeat(issuer_ends("laptop", 5000)).await, id_of(&everywhere));
    let (logout, _) = store.find_logout(id_of(&everywhere)).await.unwrap().unwrap();
    assert_eq!(logout.covers_until, UnixSeconds(1000), "a session's report does not widen a user's logout");
    assert!(!logout.is_final);
}

#[tokio::test]
async fn an_unseen_session_may_have_begun_after_signing_out_everywhere() {
    let store = TestStore::open().await;
    store.fresh(ends_everywhere(1000)).await;
    store.fresh(issuer_ends("phone", 1001)).await;
}

#[tokio::test]
async fn a_session_begun_after_signing_out_everywhere_is_a_logout_of_its_own() {
    let store = TestStore::open().await;
    store.fresh(ends_everywhere(1000)).await;
    store.sees(&token("notes", "phone", 1001)).await;
    store.fresh(app_ends("phone", 1002)).await;
}

#[tokio::test]
async fn signing_out_everywhere_covers_a_session_that_was_ended_and_entered_again() {
    let store = TestStore::open().await;
    store.fresh(app_ends("laptop", 1000)).await;
    store.sees(&token("notes", "laptop", 1500)).await;
    store.fresh(ends_everywhere(2000)).await;
    // Late for the session's own logout, but all that was seen of it is over.
    let (logout, _) = store.find_logout(store.repeat(app_ends("laptop", 2001)).await).await.unwrap().unwrap();
    assert_eq!(logout.covers_until, UnixSeconds(2001));
}

#[tokio::test]
async fn signing_out_everywhere_twice_is_one_logout_until_somebody_signs_in_again() {
    let store = TestStore::open().await;
    store.sees(&token("notes", "laptop", 900)).await;
    let first = store.fresh(ends_everywhere(1000)).await;
    assert_eq!(store.repeat(ends_everywhere(1010)).await, id_of(&first));

    store.sees(&token("notes", "phone", 1020)).await;
    store.fresh(ends_everywhere(1030)).await;
    store.fresh(ends_everywhere(1030 + WINDOW + 1)).await;
}

#[tokio::test]
async fn signing_out_everywhere_after_each_session_ended_by_itself_is_still_a_logout_of_its_own() {
    let store = TestStore::open().await;
    store.sees(&token("notes", "laptop", 900)).await;
    store.fresh(issuer_ends("laptop", 1000)).await;
    store.fresh(ends_everywhere(1010)).await;
    // By now every token is over, by one logout or the other.
    store.repeat(ends_everywhere(1011)).await;
}

#[tokio::test]
async fn a_token_without_a_session_counts_for_signing_out_everywhere() {
    let store = TestStore::open().await;
    store.fresh(ends_everywhere(1000)).await;
    store.sees(&token("notes", "", 1005)).await;
    store.fresh(ends_everywhere(1010)).await;
}

#[tokio::test]
async fn the_id_answered_is_that_of_the_earliest_logout_of_the_reporters_own_token() {
    let store = TestStore::open().await;
    let old = token("notes", "laptop", 900);
    let first = store.fresh(by(&old, app_ends("laptop", 1000))).await;
    let new = token("shop", "laptop", 1010);
    let second = store.fresh(by(&new, app_ends("laptop", 1020))).await;

    assert_eq!(store.repeat(by(&old, app_ends("laptop", 1021))).await, id_of(&first));
    assert_eq!(store.repeat(by(&new, app_ends("laptop", 1021))).await, id_of(&second));
    assert_eq!(store.repeat(app_ends("laptop", 1021)).await, id_of(&second), "else the one it was merged into");
}

#[tokio::test]
async fn the_same_names_at_another_issuer_are_other_people() {
    let store = TestStore::open().await;
    store.fresh(issuer_ends("laptop", 1000)).await;
    store.fresh(ends_everywhere(1000)).await;
    let elsewhere = Issuer::parse("https://other.example/").unwrap();
    let key = SessionKey { issuer: elsewhere.clone(), sid: sid("laptop") };
    store.fresh(report(LogoutTarget::Session { key, sub: None }, 1000)).await;
    store.fresh(report(LogoutTarget::User(SubjectKey { issuer: elsewhere, ..ada() }), 1000)).await;
}

#[tokio::test]
async fn a_logout_token_used_twice_has_one_effect() {
    let store = TestStore::open().await;
    store.fresh(with_token("jti-1", 1, app_ends("laptop", 1000))).await;
    let again = store.record(with_token("jti-1", 1, issuer_ends("phone", 2000))).await.unwrap();
    assert_eq!(again, Recorded::without_effect(Outcome::SameToken));
    assert_eq!(store.last_position(&acme()).await.unwrap(), 1);
}

#[tokio::test]
async fn another_logout_token_under_a_used_jti_has_no_effect() {
    let store = TestStore::open().await;
    store.fresh(with_token("jti-1", 1, app_ends("laptop", 1000))).await;
    let report = by(&token("notes", "phone", 900), with_token("jti-1", 2, issuer_ends("phone", 2000)));
    let reused = store.record(report).await.unwrap();
    assert_eq!(reused, Recorded::without_effect(Outcome::JtiReused));
    assert!(!store.standing(&token("notes", "phone", 900)).await.unwrap().is_seen);
}

#[tokio::test]
async fn reports_in_one_batch_see_each_other() {
    let store = TestStore::open().await;
    store.sees(&token("notes", "laptop", 900)).await;
    let (first, second, third) = tokio::join!(
        store.record(with_token("jti-1", 1, app_ends("laptop", 1000))),
        store.record(with_token("jti-1", 1, app_ends("laptop", 1000))),
        store.record(with_token("jti-2", 2, issuer_ends("laptop", 1001))),
    );
    let outcomes = [&first, &second, &third].map(|recorded| recorded.as_ref().unwrap().outcome);
    assert_eq!(outcomes, [Outcome::Fresh, Outcome::SameToken, Outcome::Repeat]);
    let (logout, _) = store.find_logout(id_of(&first.unwrap())).await.unwrap().unwrap();
    assert!(logout.is_final);
}

#[tokio::test]
async fn a_session_that_ended_by_itself_does_not_make_signing_out_everywhere_a_new_logout() {
    let store = TestStore::open().await;
    let first = store.fresh(ends_everywhere(1000)).await;
    store.sees(&token("notes", "phone", 1005)).await;
    store.fresh(issuer_ends("phone", 1006)).await;
    assert_eq!(store.repeat(ends_everywhere(1010)).await, id_of(&first));
}

#[tokio::test]
async fn a_session_that_its_issuer_ends_after_signing_out_everywhere_is_over_for_later_sign_ins_too() {
    let store = TestStore::open().await;
    store.sees(&token("notes", "laptop", 900)).await;
    let everywhere = store.fresh(ends_everywhere(1000)).await;
    // A new sign-in in the old session, which the hub has not seen yet.
    let again = SignIn { auth_time: Some(UnixSeconds(1500)), ..token("notes", "laptop", 1500) };
    assert_eq!(store.ended_by(&again).await, None);

    assert_eq!(store.repeat(issuer_ends("laptop", 1600)).await, id_of(&everywhere));

    assert_eq!(store.ended_by(&again).await, Some(id_of(&everywhere)));
    let much_later = SignIn { issued_at: UnixSeconds(90_000), auth_time: Some(UnixSeconds(90_000)), ..again };
    assert_eq!(store.ended_by(&much_later).await, Some(id_of(&everywhere)));
    let elsewhere = SignIn { sid: Some(sid("phone")), ..much_later };
    assert_eq!(store.ended_by(&elsewhere).await, None, "another session");
    assert_eq!(store.logouts_after(&acme(), 0, 9).await.unwrap().len(), 1, "followers hear of one logout");
    assert_eq!(store.deliveries(id_of(&everywhere)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_an_app_says_after_signing_out_everywhere_is_provisional_until_the_issuer_confirms() {
    let store = TestStore::open().await;
    store.sees(&token("notes", "laptop", 900)).await;
    let everywhere = store.fresh(ends_everywhere(1000)).await;
    let at = |iat: i64| SignIn { auth_time: Some(UnixSeconds(iat)), ..token("notes", "laptop", iat) };
    store.repeat(app_ends("laptop", 1600)).await;
    assert_eq!(store.ended_by(&at(1600)).await, Some(id_of(&everywhere)));
    assert_eq!(store.ended_by(&at(1601)).await, None);

    store.repeat(issuer_ends("laptop", 1602)).await;
    assert_eq!(store.ended_by(&at(90_000)).await, Some(id_of(&everywhere)));
    // Known to be over for good, so no report is news.
    store.sees(&at(90_001)).await;
    assert_eq!(store.repeat(app_ends("laptop", 90_002)).await, id_of(&everywhere));
}

#[tokio::test]
async fn signing_in_again_after_such_an_end_makes_the_next_report_a_logout_of_its_own() {
    let store = TestStore::open().await;
    store.sees(&token("notes", "laptop", 900)).await;
    store.fresh(ends_everywhere(1000)).await;
    store.repeat(app_ends("laptop", 1600)).await;
    let again = SignIn { auth_time: Some(UnixSeconds(1700)), ..token("notes", "laptop", 1700) };
    store.sees(&again).await;
    let second = store.fresh(app_ends("laptop", 1800)).await;
    assert_eq!(store.ended_by(&again).await, Some(id_of(&second)));
    assert_eq!(store.repeat(issuer_ends("laptop", 1801)).await, id_of(&second));
}

#[tokio::test]
async fn the_end_of_an_unseen_session_that_goes_with_its_persons_logout_is_no_second_one() {
    let store = TestStore::open().await;
    let everywhere = store.fresh(ends_everywhere(1000)).await;
    let report = Report { goes_with: Some(ada()), ..issuer_ends("laptop", 1001) };
    assert_eq!(store.repeat(report).await, id_of(&everywhere));
    let later = SignIn { auth_time: Some(UnixSeconds(5000)), ..token("notes", "laptop", 5000) };
    assert_eq!(store.ended_by(&later).await, Some(id_of(&everywhere)));
}
