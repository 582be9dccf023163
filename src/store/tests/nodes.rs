//! Several nodes on one PostgreSQL: each hears what the others commit. They need a server, see
//! `scripts/with-postgres`.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;
use crate::domain::logout::Logout;
use crate::store::News;
use crate::store::news::{self, Own, Page};

/// Longer than anything here takes: what was missed is read within a second.
const PATIENCE: Duration = Duration::from_secs(20);

/// A node beside another, with what it hears.
async fn beside(first: &TestStore) -> (TestStore, mpsc::Receiver<News>) {
    let store = TestStore::at(tempfile::tempdir().unwrap(), &first.url, None).await;
    let news = store.take_news().expect("a server is needed: scripts/with-postgres");
    (store, news)
}

async fn next(news: &mut mpsc::Receiver<News>) -> News {
    timeout(PATIENCE, news.recv()).await.expect("news in time").expect("the store is open")
}

async fn next_logout(news: &mut mpsc::Receiver<News>) -> Recorded {
    match next(news).await {
        News::Logout(recorded) => *recorded,
        other => panic!("{other:?}"),
    }
}

async fn until(what: impl Fn() -> bool) {
    let waiting = async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("it comes to be in time");
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_logout_is_heard_at_every_other_node_once_and_in_the_order_of_the_log() {
    let here = TestStore::open().await;
    let mut own = here.take_news().unwrap();
    let (_there, mut news) = beside(&here).await;
    let first = here.fresh(app_ends("laptop", 1000)).await;
    let second = here.fresh(app_ends("phone", 1000)).await;
    for recorded in [&first, &second] {
        let heard = next_logout(&mut news).await;
        assert_eq!((heard.logout.as_ref(), heard.position), (recorded.logout.as_ref(), recorded.position));
    }
    here.say("the end").await.unwrap();
    assert!(matches!(next(&mut news).await, News::Said(said) if said == "the end"));
    assert!(own.try_recv().is_err(), "who did it is not told");
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_persons_logout_comes_with_the_beginnings_of_their_sessions() {
    let here = TestStore::open().await;
    here.sees(&token("notes", "laptop", 700)).await;
    here.sees(&token("shop", "laptop", 900)).await;
    here.sees(&token("notes", "phone", 800)).await;
    let (_there, mut news) = beside(&here).await;
    let recorded = here.fresh(ends_everywhere(1000)).await;
    let heard = next_logout(&mut news).await;
    let sorted = |mut starts: Vec<(Sid, UnixSeconds)>| {
        starts.sort();
        starts
    };
    assert_eq!(sorted(heard.session_starts), sorted(recorded.session_starts));
    assert_eq!(heard.sessions_over.len(), 2);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn what_makes_a_logout_later_or_final_is_news_too() {
    let here = TestStore::open().await;
    let (_there, mut news) = beside(&here).await;
    let first = here.fresh(app_ends("laptop", 1000)).await;
    next_logout(&mut news).await;
    here.repeat(issuer_ends("laptop", 1020)).await;
    let raised = next_logout(&mut news).await.logout.unwrap();
    assert_eq!(raised, Logout { is_final: true, covers_until: UnixSeconds(1020), ..first.logout.unwrap() });
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_sessions_end_that_a_persons_logout_answers_for_is_news_of_that_session() {
    let here = TestStore::open().await;
    here.sees(&token("notes", "laptop", 900)).await;
    let (_there, mut news) = beside(&here).await;
    let everywhere = here.fresh(ends_everywhere(1000)).await;
    next_logout(&mut news).await;
    here.repeat(issuer_ends("laptop", 1010)).await;
    match next(&mut news).await {
        News::SessionEnd { answered, end } => {
            assert_eq!(answered.id, id_of(&everywhere));
            assert_eq!(end.target.sid(), Some(&sid("laptop")));
            assert_eq!((end.is_final, end.covers_until), (true, UnixSeconds(1010)));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_node_whose_connections_were_cut_has_missed_nothing() {
    let here = TestStore::open().await;
    let (_there, mut news) = beside(&here).await;
    let mut expected = Vec::new();
    for number in 0..20 {
        if number % 5 == 0 {
            let mut server = here.stranger().await;
            // Those that listen to this schema's bell, and whoever is writing there.
            let cut = "
                select pg_terminate_backend(pid) from pg_stat_activity
                where query like 'LISTEN%' and query like '%' || md5(current_schema()) || '%'
                union all
                select pg_terminate_backend(pid) from pg_locks
                where locktype = 'advisory' and classid = 1936486193
                    and objid = cast(cast(hashtext(current_schema()) as bigint) & 4294967295 as oid)";
            query(cut).fetch_all(&mut server).await.unwrap();
        }
        // A write whose own connection was cut is answered with an error, and asked for again.
        let report = app_ends(&format!("s{number}"), 1000);
        let recorded = loop {
            match here.record(report.clone()).await {
                Ok(recorded) => break recorded,
                Err(StoreError::Unreachable) => {}
                Err(other) => panic!("{other:?}"),
            }
        };
        expected.push(recorded.position);
    }
    let mut heard = Vec::new();
    while heard.len() < expected.len() {
        heard.push(next_logout(&mut news).await.position);
    }
    assert_eq!(heard, expected);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn one_node_leads_and_another_takes_over_when_it_leaves() {
    let here = TestStore::open().await;
    let (there, _news) = beside(&here).await;
    until(|| here.leads() || there.leads()).await;
    assert!(here.leads() != there.leads());
    let (leader, other) = if here.leads() { (here, there) } else { (there, here) };
    leader.close().await;
    until(|| other.leads()).await;
    assert!(!leader.leads());
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn receipts_and_the_outbox_ring_at_every_node() {
    let here = TestStore::open().await;
    here.sees(&token("notes", "laptop", 900)).await;
    let (there, _news) = beside(&here).await;
    let mut receipts = there.receipts_changed();
    until(|| receipts.has_changed().unwrap()).await;
    receipts.mark_unchanged();
    here.fresh(app_ends("laptop", 1000)).await;
    timeout(PATIENCE, receipts.changed()).await.unwrap().unwrap();
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn what_was_forgotten_unread_is_missed_and_what_was_never_committed_is_not() {
    let here = TestStore::open().await;
    for name in ["one", "two", "three", "four"] {
        here.fresh(app_ends(name, 1000)).await;
    }
    let mut server = here.stranger().await;
    let read = async |server: &mut Connection| news::after(server, 1, &Own::default()).await.unwrap();
    server.run("delete from news where n = 2").await.unwrap();
    assert!(matches!(read(&mut server).await, Page::Read(news, 4) if news.len() == 2));
    server.run("delete from news where n = 1").await.unwrap();
    assert!(matches!(read(&mut server).await, Page::Torn(2)));
    assert!(matches!(news::after(&mut server, 4, &Own::default()).await.unwrap(), Page::End));
}
