//! Who may try what, of several nodes. The server's clock, which leases go by, is moved by hand.

use super::*;
use crate::domain::app::BackchannelToken;
use crate::store::{Attempt, AttemptEnd, BackEnd, Line, Waiting};

const MINUTE_LATER: &str = "
    create or replace function database_time() returns bigint language sql volatile as
    $$ select cast(extract(epoch from clock_timestamp()) * 1000 as bigint) + 60000 $$";

fn mail() -> Line {
    Line { issuer: acme(), client_id: client("mail") }
}

/// Records a logout of which Mail's back end is to be told.
async fn records(store: &TestStore, name: &str) {
    let back_end = BackEnd { client_id: client("mail"), token: BackchannelToken::Hub };
    store.fresh(Report { back_ends: [back_end].into(), ..app_ends(name, 1000) }).await;
}

async fn waiting(store: &Store) -> Vec<Waiting> {
    store.outbox(&[mail()], 10).await.unwrap()
}

/// The posts that the node got.
async fn claimed(store: &Store, posts: &[Waiting]) -> usize {
    store.claim(posts).await.unwrap().len()
}

fn again(post: &Waiting) -> Attempt {
    let end = AttemptEnd::Again { why: "busy", due_at: UnixMillis(1_000_001) };
    Attempt { id: post.id, number: post.attempts + 1, end, at: UnixMillis(1_000_000) }
}

/// Two nodes at one server; `None` where there is no server for tests.
async fn two_nodes() -> Option<(TestStore, Store)> {
    std::env::var_os("SLO_HUB_TEST_POSTGRES")?;
    let first = TestStore::open().await;
    let second = Store::open(&first.url, &first.tasks).await.unwrap();
    Some((first, second))
}

#[tokio::test]
async fn a_file_has_one_node_and_what_that_claims_costs_no_commit() {
    let store = TestStore::in_a_file().await;
    records(&store, "laptop").await;
    let (posts, before) = (waiting(&store).await, store.writer_counters());
    assert_eq!((claimed(&store, &posts).await, claimed(&store, &posts).await), (1, 1));
    store.give_back(&posts[0]).await.unwrap();
    assert!(store.hold_issuer_line(&acme()).await.unwrap());
    store.let_issuer_line_go(&acme()).await.unwrap();
    assert_eq!(store.writer_counters(), before);
}

#[tokio::test]
async fn a_post_is_one_nodes_until_its_attempt_is_written_down() {
    let Some((first, second)) = two_nodes().await else { return };
    for name in ["laptop", "phone"] {
        records(&first, name).await;
    }
    let posts = waiting(&second).await;
    assert_eq!(claimed(&first, &posts[..1]).await, 1);
    assert_eq!(second.claim(&posts).await.unwrap(), [posts[1].id].into(), "the other is left");
    assert_eq!((claimed(&first, &posts).await, claimed(&second, &posts).await), (0, 0));
    assert!(waiting(&second).await.iter().all(|post| post.is_claimed));

    first.tried(again(&posts[0])).await.unwrap();
    assert_eq!(claimed(&second, &posts).await, 0, "it has been tried since it was read");
    let posts = waiting(&second).await;
    assert_eq!(posts.iter().map(|post| post.is_claimed).collect::<Vec<_>>(), [true, false], "in their order");
    assert_eq!(claimed(&second, &posts).await, 1);
}

#[tokio::test]
async fn of_many_nodes_that_claim_the_same_at_once_each_post_is_one_nodes() {
    let Some((first, second)) = two_nodes().await else { return };
    for number in 0..99 {
        records(&first, &format!("s{number}")).await;
    }
    let posts = first.outbox(&[mail()], 99).await.unwrap();
    let claims = posts.chunks(8).flat_map(|few| [first.claim(few), second.claim(few)]);
    let claimed = futures_util::future::join_all(claims).await;
    let mut ids: Vec<_> = claimed.into_iter().flat_map(Result::unwrap).collect();
    ids.sort_unstable();
    assert_eq!(ids, posts.iter().map(|post| post.id).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_post_that_is_given_back_is_anybodys_and_a_node_gives_back_only_its_own() {
    let Some((first, second)) = two_nodes().await else { return };
    records(&first, "laptop").await;
    let posts = waiting(&first).await;
    assert_eq!(claimed(&first, &posts).await, 1);
    second.give_back(&posts[0]).await.unwrap();
    assert_eq!(claimed(&second, &posts).await, 0);
    first.give_back(&posts[0]).await.unwrap();
    assert_eq!(claimed(&second, &posts).await, 1);
}

#[tokio::test]
async fn what_a_node_that_died_had_claimed_is_taken_over_when_its_lease_is_over() {
    let Some((first, second)) = two_nodes().await else { return };
    records(&first, "laptop").await;
    let posts = waiting(&first).await;
    assert_eq!(claimed(&first, &posts).await, 1);
    assert!(first.hold_issuer_line(&acme()).await.unwrap());
    assert!(!second.hold_issuer_line(&acme()).await.unwrap());

    first.stranger().await.run(MINUTE_LATER).await.unwrap();
    assert!(!waiting(&second).await[0].is_claimed);
    assert_eq!(claimed(&second, &posts).await, 1);
    assert!(second.hold_issuer_line(&acme()).await.unwrap());
    assert_eq!((claimed(&first, &posts).await, first.hold_issuer_line(&acme()).await), (0, Ok(false)));
}

#[tokio::test]
async fn an_issuers_line_is_one_nodes_until_it_lets_it_go() {
    let Some((first, second)) = two_nodes().await else { return };
    let other = Issuer::parse("https://other.example/").unwrap();
    for _ in 0..2 {
        assert!(first.hold_issuer_line(&acme()).await.unwrap());
        assert!(!second.hold_issuer_line(&acme()).await.unwrap());
        assert!(second.hold_issuer_line(&other).await.unwrap());
    }
    second.let_issuer_line_go(&acme()).await.unwrap();
    assert!(!second.hold_issuer_line(&acme()).await.unwrap(), "it was not its own");
    first.let_issuer_line_go(&acme()).await.unwrap();
    assert!(second.hold_issuer_line(&acme()).await.unwrap());
}

#[tokio::test]
async fn a_claim_waits_for_nobody_who_writes_and_takes_nothing_that_is_being_written() {
    let Some((first, second)) = two_nodes().await else { return };
    for name in ["laptop", "phone"] {
        records(&first, name).await;
    }
    let posts = waiting(&first).await;
    let mut writing = first.stranger().await;
    writing.begin_writing().await.unwrap();
    query("update outbox set attempts = 1 where id = $1").bind(posts[0].id).execute(&mut writing).await.unwrap();
    assert_eq!(second.claim(&posts).await.unwrap(), [posts[1].id].into());
    writing.run("commit").await.unwrap();
    let posts = waiting(&first).await;
    assert_eq!(first.claim(&posts).await.unwrap(), [posts[0].id].into());
}
