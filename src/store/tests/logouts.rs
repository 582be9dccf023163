//! The log, read by name and by place.

use super::*;
use crate::domain::logout::Reason;

#[tokio::test]
async fn what_was_recorded_is_read_back_whole() {
    let store = TestStore::open().await;
    let full = Report {
        target: LogoutTarget::Session { key: session("läptop"), sub: Some(ada().sub) },
        reason: Some(Reason::parse("left the \"office\" 🚪").unwrap()),
        source: Source::SessionApi,
        ..by(&token("notes", "läptop", 900), issuer_ends("läptop", 1000))
    };
    let recorded = store.fresh(full.clone()).await;
    let found = store.find_logout(full.id).await.unwrap();
    assert_eq!(found, Some((full.as_logout(), recorded.position)));

    let user = ends_everywhere(1001);
    store.fresh(user.clone()).await;
    assert_eq!(store.find_logout(user.id).await.unwrap().unwrap().0, user.as_logout());
    assert_eq!(store.find_logout(next_id()).await.unwrap(), None);
}

#[tokio::test]
async fn a_follower_reads_one_issuers_log_in_order_from_just_after_a_place() {
    let store = TestStore::open().await;
    let first = store.fresh(app_ends("a", 1000)).await;
    let elsewhere = Issuer::parse("https://other.example/").unwrap();
    let key = SessionKey { issuer: elsewhere.clone(), sid: sid("b") };
    let other = store.fresh(report(LogoutTarget::Session { key, sub: None }, 1000)).await;
    let second = store.fresh(app_ends("c", 1000)).await;
    let third = store.fresh(app_ends("d", 1000)).await;

    let ids =
        |found: Vec<(i64, crate::domain::logout::Logout)>| found.into_iter().map(|(_, l)| l.id).collect::<Vec<_>>();
    let all = store.logouts_after(&acme(), 0, 10).await.unwrap();
    assert_eq!(all.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [first.position, second.position, third.position]);
    assert_eq!(ids(all), [id_of(&first), id_of(&second), id_of(&third)]);
    assert_eq!(ids(store.logouts_after(&acme(), first.position, 1).await.unwrap()), [id_of(&second)]);
    assert_eq!(store.last_position(&acme()).await.unwrap(), third.position);
    assert_eq!(store.last_position(&elsewhere).await.unwrap(), other.position);

    assert_eq!(store.position_of(&acme(), id_of(&second)).await.unwrap(), Some(second.position));
    assert_eq!(store.position_of(&acme(), id_of(&other)).await.unwrap(), None, "another issuer's");
    assert_eq!(store.last_position(&Issuer::parse("https://none.example/").unwrap()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_receipt_is_for_whose_session_or_person_it_names() {
    let store = TestStore::open().await;
    let of_session = id_of(&store.fresh(app_ends("laptop", 1000)).await);
    let of_ada = id_of(&store.fresh(ends_everywhere(1000)).await);
    let is_own = async |id, caller: &SignIn| store.find_own_logout(id, caller).await.unwrap().is_some();

    assert!(is_own(of_session, &token("notes", "laptop", 1)).await);
    assert!(!is_own(of_session, &token("notes", "phone", 1)).await);
    assert!(!is_own(of_session, &token("notes", "", 1)).await);
    assert!(is_own(of_ada, &token("notes", "phone", 1)).await);
    let bob = SignIn { sub: Subject::parse("bob").unwrap(), ..token("notes", "phone", 1) };
    assert!(!is_own(of_ada, &bob).await);
    let elsewhere = SignIn { issuer: Issuer::parse("https://other.example/").unwrap(), ..token("notes", "laptop", 1) };
    assert!(!is_own(of_session, &elsewhere).await);
    assert!(!is_own(of_ada, &elsewhere).await);
}
