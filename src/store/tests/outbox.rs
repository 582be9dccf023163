//! What is posted to back ends, and what the receipt says of it.

use super::*;
use crate::domain::app::BackchannelToken;
use crate::domain::via::Via;
use crate::oidc::logout_token::RawLogoutToken;
use crate::store::{Attempt, AttemptEnd, BackEnd, DeliveryStatus, Line, PassOn, Waiting};

const DAY: i64 = 24 * 3600;

/// Desk takes the issuer's tokens, Mail the hub's.
fn with_back_ends(report: Report) -> Report {
    let desk = BackEnd { client_id: client("desk"), token: BackchannelToken::Issuer };
    let mail = BackEnd { client_id: client("mail"), token: BackchannelToken::Hub };
    Report { back_ends: [desk, mail].into(), ..report }
}

/// The issuer's report by a token for these apps.
fn brought_by(token: &str, audiences: &[&str], report: Report) -> Report {
    let audiences = audiences.iter().map(|app| client(app)).collect();
    let good_until = report.covers_until.plus(120).into();
    let pass_on = PassOn { token: RawLogoutToken::new(token), audiences, good_until };
    Report { pass_on: Some(pass_on), is_final: true, source: Source::Backchannel, ..with_back_ends(report) }
}

fn line_of(app: &str) -> Line {
    Line { issuer: acme(), client_id: client(app) }
}

async fn waiting(store: &Store, app: &str) -> Vec<Waiting> {
    store.outbox(&[line_of(app)], 10).await.unwrap()
}

async fn tokens(store: &Store, app: &str) -> Vec<Option<String>> {
    let waiting = waiting(store, app).await;
    waiting.into_iter().map(|one| one.token.map(|token| token.as_str().to_owned())).collect()
}

/// The receipt: app, way, status, attempts, error.
async fn receipt(store: &Store, id: LogoutId) -> Vec<(String, Via, DeliveryStatus, u32, Option<String>)> {
    let lines = store.deliveries(id).await.unwrap();
    lines.into_iter().map(|d| (d.client_id.as_str().to_owned(), d.via, d.status, d.attempts, d.error)).collect()
}

fn pending(app: &str, via: Via) -> (String, Via, DeliveryStatus, u32, Option<String>) {
    (app.to_owned(), via, DeliveryStatus::Pending, 0, None)
}

fn ended(one: &Waiting, number: u32, end: AttemptEnd) -> Attempt {
    Attempt { id: one.id, number, end, at: UnixMillis(1_500_000) }
}

#[tokio::test]
async fn a_back_end_that_takes_the_hubs_tokens_is_posted_every_logout() {
    let store = TestStore::open().await;
    let id = id_of(&store.fresh(with_back_ends(app_ends("laptop", 1000))).await);
    let everywhere = id_of(&store.fresh(with_back_ends(ends_everywhere(1000))).await);

    let posts = waiting(&store, "mail").await;
    assert_eq!(posts.iter().map(|one| one.logout.id).collect::<Vec<_>>(), [id, everywhere]);
    assert!(posts.iter().all(|one| one.token.is_none() && one.due_at == UnixMillis(1_000_000)));
    assert!(posts.iter().all(|one| one.good_until == UnixMillis((1000 + DAY) * 1000)));
    assert_eq!(receipt(&store, id).await, [pending("mail", Via::Backchannel)]);
    assert_eq!(waiting(&store, "desk").await.len(), 0, "the issuer has sent nothing");

    store.repeat(with_back_ends(app_ends("laptop", 1001))).await;
    assert_eq!(waiting(&store, "mail").await.len(), 2, "a repeat is no logout of its own");
}

#[tokio::test]
async fn the_issuers_token_waits_for_its_audience_byte_for_byte_and_for_nobody_else() {
    let store = TestStore::open().await;
    let foreign = store.fresh(brought_by("a.b.c", &["notes", "mail"], app_ends("phone", 1000))).await;
    assert_eq!(tokens(&store, "desk").await, [] as [Option<String>; 0]);
    assert_eq!(tokens(&store, "mail").await, [None], "the hub's own, not the issuer's");

    let own = store.fresh(brought_by("d.e.f", &["desk"], app_ends("laptop", 1000))).await;
    assert_eq!(tokens(&store, "desk").await, [Some("d.e.f".to_owned())]);
    assert_eq!(waiting(&store, "desk").await[0].good_until, UnixMillis(1_120_000));
    assert_eq!(receipt(&store, id_of(&foreign)).await, [pending("mail", Via::Backchannel)]);
    let both = [pending("desk", Via::Backchannel), pending("mail", Via::Backchannel)];
    assert_eq!(receipt(&store, id_of(&own)).await, both);
}

#[tokio::test]
async fn a_token_that_repeats_a_logout_is_passed_on_once_under_that_logouts_id() {
    let store = TestStore::open().await;
    let id = id_of(&store.fresh(with_back_ends(app_ends("laptop", 1000))).await);
    assert_eq!(store.repeat(brought_by("1.1.1", &["desk"], app_ends("laptop", 1001))).await, id);
    assert_eq!(store.repeat(brought_by("2.2.2", &["desk"], app_ends("laptop", 1002))).await, id);
    let posts = waiting(&store, "desk").await;
    assert_eq!(posts.iter().map(|one| one.logout.id).collect::<Vec<_>>(), [id]);
    assert_eq!(tokens(&store, "desk").await, [Some("1.1.1".to_owned())], "it has had its own");

    store.tried(ended(&posts[0], 1, AttemptEnd::Acknowledged)).await.unwrap();
    store.repeat(brought_by("3.3.3", &["desk"], app_ends("laptop", 1003))).await;
    assert_eq!(waiting(&store, "desk").await.len(), 0, "also after it was posted");
}

#[tokio::test]
async fn a_token_without_effect_is_not_passed_on() {
    let store = TestStore::open().await;
    let first = with_token("j", 1, app_ends("laptop", 1000));
    store.fresh(first.clone()).await;
    let same = store.record(brought_by("s.a.m", &["desk"], first)).await.unwrap();
    assert_eq!(same.outcome, Outcome::SameToken);
    let fraud = with_token("j", 2, app_ends("laptop", 1000));
    let fraud = store.record(brought_by("f.a.k", &["desk"], fraud)).await.unwrap();
    assert_eq!(fraud.outcome, Outcome::JtiReused);
    assert_eq!(waiting(&store, "desk").await.len(), 0);
}

#[tokio::test]
async fn an_app_known_to_have_used_the_session_has_its_line_before_its_token_comes() {
    let store = TestStore::open().await;
    store.sees(&token("desk", "laptop", 900)).await;
    store.see_listening(&token("mail", "laptop", 900), UnixMillis(900_000)).await.unwrap();
    store.sees(&token("notes", "laptop", 900)).await;
    let id = id_of(&store.fresh(with_back_ends(app_ends("laptop", 1000))).await);
    let expected = [
        pending("desk", Via::Backchannel),
        pending("mail", Via::Backchannel),
        pending("mail", Via::WebSocket),
        pending("notes", Via::WebSocket),
    ];
    assert_eq!(receipt(&store, id).await, expected);
    assert_eq!(waiting(&store, "desk").await.len(), 0);

    store.repeat(brought_by("1.1.1", &["desk"], app_ends("laptop", 1001))).await;
    assert_eq!(receipt(&store, id).await, expected, "the token fills the line that was there");
    assert_eq!(waiting(&store, "desk").await.len(), 1);
}

#[tokio::test]
async fn an_app_that_has_once_listened_is_waited_for_on_a_channel_too() {
    let store = TestStore::open().await;
    store.see_listening(&token("desk", "laptop", 900), UnixMillis(900_000)).await.unwrap();
    store.sees(&token("desk", "laptop", 950)).await;
    assert!(store.standing(&token("desk", "laptop", 950)).await.unwrap().has_listened, "once is for good");
    let reported = by(&token("desk", "laptop", 960), app_ends("laptop", 1000));
    let id = id_of(&store.fresh(with_back_ends(reported)).await);
    let lines = receipt(&store, id).await;
    assert!(lines.contains(&pending("desk", Via::WebSocket)), "{lines:?}");
    assert!(lines.contains(&pending("desk", Via::Backchannel)), "{lines:?}");
}

#[tokio::test]
async fn each_session_that_a_persons_logout_ended_gets_its_own_token_passed_on() {
    let store = TestStore::open().await;
    store.sees(&token("desk", "laptop", 900)).await;
    store.sees(&token("desk", "phone", 900)).await;
    let id = id_of(&store.fresh(with_back_ends(ends_everywhere(1000))).await);
    for (raw, session) in [("1.1.1", "laptop"), ("2.2.2", "phone"), ("3.3.3", "phone")] {
        assert_eq!(store.repeat(brought_by(raw, &["desk"], app_ends(session, 1001))).await, id);
    }
    let expected = [Some("1.1.1".to_owned()), Some("2.2.2".to_owned())];
    assert_eq!(tokens(&store, "desk").await, expected);

    let posts = waiting(&store, "desk").await;
    store.tried(ended(&posts[0], 1, AttemptEnd::Acknowledged)).await.unwrap();
    let line = receipt(&store, id).await.into_iter().find(|line| line.0 == "desk").unwrap();
    assert_eq!(line.2, DeliveryStatus::Pending, "the phone's session is not confirmed");
    store.tried(ended(&posts[1], 1, AttemptEnd::Acknowledged)).await.unwrap();
    let line = receipt(&store, id).await.into_iter().find(|line| line.0 == "desk").unwrap();
    assert_eq!(line.2, DeliveryStatus::Acknowledged);
}

#[tokio::test]
async fn one_token_for_all_of_a_persons_sessions_confirms_them_all() {
    let store = TestStore::open().await;
    store.sees(&token("desk", "laptop", 900)).await;
    store.sees(&token("desk", "phone", 900)).await;
    let id = id_of(&store.fresh(with_back_ends(ends_everywhere(1000))).await);
    store.repeat(brought_by("1.1.1", &["desk"], ends_everywhere(1001))).await;
    let posts = waiting(&store, "desk").await;
    assert_eq!(posts.len(), 1);
    store.tried(ended(&posts[0], 1, AttemptEnd::Acknowledged)).await.unwrap();
    let line = receipt(&store, id).await.into_iter().find(|line| line.0 == "desk").unwrap();
    assert_eq!((line.2, line.3), (DeliveryStatus::Acknowledged, 1));
}

#[tokio::test]
async fn every_attempt_stands_in_the_receipt_and_saying_so_twice_is_saying_it_once() {
    let store = TestStore::open().await;
    let id = id_of(&store.fresh(with_back_ends(app_ends("laptop", 1000))).await);
    let post = waiting(&store, "mail").await.remove(0);
    let again = AttemptEnd::Again { why: "busy", due_at: UnixMillis(1_600_000) };
    for _ in 0..2 {
        store.tried(ended(&post, 1, again)).await.unwrap();
    }
    let line = |status, attempts, error: Option<&str>| {
        [("mail".to_owned(), Via::Backchannel, status, attempts, error.map(str::to_owned))]
    };
    assert_eq!(receipt(&store, id).await, line(DeliveryStatus::Pending, 1, Some("busy")));
    let post = waiting(&store, "mail").await.remove(0);
    assert_eq!((post.attempts, post.due_at), (1, UnixMillis(1_600_000)));

    store.tried(ended(&post, 2, AttemptEnd::Acknowledged)).await.unwrap();
    assert_eq!(receipt(&store, id).await, line(DeliveryStatus::Acknowledged, 2, None));
    store.tried(ended(&post, 1, again)).await.unwrap();
    assert_eq!(receipt(&store, id).await, line(DeliveryStatus::Acknowledged, 2, None), "late news do no harm");
    assert_eq!((waiting(&store, "mail").await.len(), store.outbox_state().await.unwrap().depth), (0, 0));
}

#[tokio::test]
async fn what_is_refused_for_good_is_closed_with_its_reason() {
    let store = TestStore::open().await;
    let id = id_of(&store.fresh(brought_by("1.1.1", &["desk"], app_ends("laptop", 1000))).await);
    let post = waiting(&store, "desk").await.remove(0);
    store.tried(ended(&post, 1, AttemptEnd::Refused("answered 400"))).await.unwrap();
    assert_eq!(waiting(&store, "desk").await.len(), 0);
    let line = receipt(&store, id).await.remove(0);
    assert_eq!((line.2, line.4.as_deref()), (DeliveryStatus::Failed, Some("answered 400")));
}

#[tokio::test]
async fn what_is_out_of_time_is_given_up_and_says_why_it_last_failed() {
    let store = TestStore::open().await;
    let id = id_of(&store.fresh(brought_by("1.1.1", &["desk"], app_ends("laptop", 1000))).await);
    let post = waiting(&store, "mail").await.remove(0);
    let due_at = UnixMillis(1_600_000);
    store.tried(ended(&post, 1, AttemptEnd::Again { why: "busy", due_at })).await.unwrap();
    assert_eq!(store.give_up_overdue(UnixMillis(1_119_999)).await.unwrap(), 0);
    assert_eq!(store.give_up_overdue(UnixMillis(1_120_000)).await.unwrap(), 1, "the issuer's token has expired");
    assert_eq!(store.give_up_overdue(UnixMillis((1000 + DAY) * 1000)).await.unwrap(), 1);
    let lines = receipt(&store, id).await;
    let why = |app: &str| lines.iter().find(|line| line.0 == app).and_then(|line| line.4.as_deref());
    assert_eq!((why("desk"), why("mail")), (Some("time ran out before an attempt had ended"), Some("busy")));
    assert!(lines.iter().all(|line| line.2 == DeliveryStatus::Failed));

    store.tried(ended(&post, 2, AttemptEnd::Acknowledged)).await.unwrap();
    let line = receipt(&store, id).await.remove(1);
    assert_eq!((line.2, line.4), (DeliveryStatus::Acknowledged, None), "an answer that came after all counts");
}

#[tokio::test]
async fn what_is_done_or_given_up_keeps_no_token() {
    let store = TestStore::open().await;
    for (number, session) in ["laptop", "phone", "kiosk", "tablet"].into_iter().enumerate() {
        let raw = format!("{number}.{number}.{number}");
        store.fresh(brought_by(&raw, &["desk"], app_ends(session, 1000 + 1000 * i64::from(number == 3)))).await;
    }
    let posts = waiting(&store, "desk").await;
    store.tried(ended(&posts[0], 1, AttemptEnd::Acknowledged)).await.unwrap();
    store.tried(ended(&posts[1], 1, AttemptEnd::Refused("answered 400"))).await.unwrap();
    store.give_up_overdue(UnixMillis(1_120_000)).await.unwrap();
    let mut stranger = store.stranger().await;
    let select = "select token from outbox where client_id = 'desk' order by id";
    let kept = query(select).fetch_all(&mut stranger).await.unwrap();
    let kept: Vec<Option<String>> = kept.iter().map(|row| row.try_get(0).unwrap()).collect();
    assert_eq!(kept, [None, None, None, Some("3.3.3".to_owned())]);
}

#[tokio::test]
async fn the_outbox_outlives_a_crash_and_is_forgotten_with_its_logout() {
    let store = TestStore::open().await;
    let id = id_of(&store.fresh(brought_by("1.1.1", &["desk"], app_ends("laptop", 1000))).await);
    let again = store.after_a_crash().await;
    assert_eq!(tokens(&again, "desk").await, [Some("1.1.1".to_owned())]);
    assert_eq!(waiting(&again, "mail").await[0].logout.id, id);
    again.forget(UnixMillis(2_000_000), UnixMillis(2_000_000)).await.unwrap();
    assert_eq!(again.outbox_state().await.unwrap().depth, 0);
}

#[tokio::test]
async fn the_bell_rings_for_posts_and_for_nothing_else() {
    let store = TestStore::in_a_file().await;
    let mut bell = store.outbox_rung();
    store.fresh(app_ends("laptop", 1000)).await;
    store.fresh(with_back_ends(app_ends("phone", 1000))).await;
    assert!(bell.has_changed().unwrap());
    bell.mark_unchanged();
    store.repeat(with_back_ends(app_ends("phone", 1000))).await;
    store.sees(&token("notes", "kiosk", 900)).await;
    assert!(!bell.has_changed().unwrap());
    store.repeat(brought_by("1.1.1", &["desk"], app_ends("phone", 1000))).await;
    assert!(bell.has_changed().unwrap());
}

#[tokio::test]
async fn two_logouts_in_one_batch_have_a_post_and_a_line_each() {
    let store = TestStore::open().await;
    let first = with_back_ends(app_ends("laptop", 1000));
    let token = brought_by("1.1.1", &["desk"], app_ends("laptop", 1001));
    let second = brought_by("2.2.2", &["desk"], app_ends("phone", 1000));
    let (first, token, second) = tokio::join!(store.record(first), store.record(token), store.record(second));
    let (first, token, second) = (first.unwrap(), token.unwrap(), second.unwrap());
    assert_eq!((token.outcome, id_of(&token)), (Outcome::Repeat, id_of(&first)));
    let posts = waiting(&store, "desk").await;
    let of = |posts: &[Waiting]| posts.iter().map(|one| one.logout.id).collect::<Vec<_>>();
    // The second logout is due first by its own clock.
    assert_eq!(of(&posts), [id_of(&second), id_of(&first)]);
    assert_eq!(waiting(&store, "mail").await.len(), 2);
    for id in [id_of(&first), id_of(&second)] {
        let both = [pending("desk", Via::Backchannel), pending("mail", Via::Backchannel)];
        assert_eq!(receipt(&store, id).await, both);
    }
}
