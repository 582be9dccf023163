//! What PostgreSQL holds: durable logouts a second, with more and more nodes listening, and how
//! long it takes until all of them have heard.
//!
//! `make bench-nodes`, or `cargo bench --bench nodes` with a server under
//! `SLO_HUB_TEST_POSTGRES` in which schemas can be made.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use slo_hub::domain::clock::UnixMillis;
use slo_hub::domain::ids::{Issuer, LogoutId, SessionKey, Sid};
use slo_hub::domain::logout::{LogoutTarget, Source};
use slo_hub::store::{News, Report, Store};
use slo_hub::tasks::Tasks;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How many nodes listen, round by round.
const NODES: [usize; 3] = [1, 3, 10];
/// How many logouts a round records, and how many at a time at each node that records.
const LOGOUTS: usize = 20_000;
const AT_A_TIME: usize = 128;
/// How many logouts are recorded one by one, to see when every node has heard of each.
const SINGLE: usize = 200;

type Trouble = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Trouble> {
    let server = std::env::var("SLO_HUB_TEST_POSTGRES").map_err(|_| "SLO_HUB_TEST_POSTGRES names no server")?;
    println!(
        "| nodes that listen | nodes that record | logouts a second | recorded to heard by all, p50 | p99 | max |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: | ---: |");
    for (round, nodes) in NODES.into_iter().enumerate() {
        for recording in [1, nodes].into_iter().take(if nodes == 1 { 1 } else { 2 }) {
            let url = schema(&server, &format!("bench_{round}_{recording}"))?;
            let figures = measure(&url, nodes, recording).await?;
            println!("| {nodes} | {recording} | {figures}");
        }
    }
    Ok(())
}

/// A schema of the round's own.
fn schema(server: &str, name: &str) -> Result<String, Trouble> {
    let statement = format!("drop schema if exists {name} cascade; create schema {name}");
    let made = std::process::Command::new("psql").args(["-q", "-c", &statement, server]).output()?;
    if !made.status.success() {
        return Err(String::from_utf8_lossy(&made.stderr).into());
    }
    Ok(format!("{server}?options=-csearch_path%3D{name}"))
}

async fn measure(url: &str, nodes: usize, recording: usize) -> Result<String, Trouble> {
    let tasks = Tasks::default();
    let mut stores = Vec::new();
    let mut ears = Vec::new();
    for _ in 0..nodes {
        let store = Store::open(url, &tasks).await?;
        ears.push(store.take_news().ok_or("not a server")?);
        stores.push(store);
    }
    let latencies = one_by_one(&stores[0], &mut ears).await?;
    let heard = Arc::new(AtomicUsize::new(0));
    for mut ear in ears {
        let heard = Arc::clone(&heard);
        tasks.spawn(async move {
            while let Some(news) = ear.recv().await {
                heard.fetch_add(usize::from(matches!(news, News::Logout(_))), Relaxed);
            }
        });
    }
    let began = Instant::now();
    let rushes = stores.iter().take(recording).map(|store| rush(store, LOGOUTS / recording));
    for done in futures_util::future::join_all(rushes).await {
        done?;
    }
    let many = u32::try_from(LOGOUTS / recording * recording)?;
    let rate = f64::from(many) / began.elapsed().as_secs_f64();
    // Everything that was recorded is heard at every other node.
    let expected = LOGOUTS / recording * recording * (nodes - 1);
    while heard.load(Relaxed) < expected {
        if began.elapsed() > Duration::from_secs(120) {
            return Err(format!("{} of {expected} were heard", heard.load(Relaxed)).into());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for store in &stores {
        store.close().await;
    }
    let at = |percent: usize| latencies[(latencies.len() - 1) * percent / 100].as_secs_f64() * 1000.0;
    let last = if nodes == 1 {
        "— | — | — |".to_owned()
    } else {
        format!("{:.2} ms | {:.2} ms | {:.2} ms |", at(50), at(99), at(100))
    };
    Ok(format!("{rate:.0} | {last}"))
}

/// Logouts one after the other, each waited for until every other node has heard of it.
async fn one_by_one(recorder: &Store, ears: &mut [mpsc::Receiver<News>]) -> Result<Vec<Duration>, Trouble> {
    let mut latencies = Vec::with_capacity(SINGLE);
    for _ in 0..SINGLE {
        recorder.record(report()).await?;
        let committed = Instant::now();
        for ear in &mut ears[1..] {
            while !matches!(ear.recv().await, Some(News::Logout(_)) | None) {}
        }
        latencies.push(committed.elapsed());
    }
    latencies.sort();
    Ok(latencies)
}

async fn rush(store: &Store, many: usize) -> Result<(), Trouble> {
    let mut under_way = FuturesUnordered::new();
    for _ in 0..many {
        if under_way.len() == AT_A_TIME
            && let Some(done) = under_way.next().await
        {
            let _recorded: slo_hub::store::Recorded = done?;
        }
        under_way.push(store.record(report()));
    }
    while let Some(done) = under_way.next().await {
        done?;
    }
    Ok(())
}

/// The end of a session that nobody has reported before.
fn report() -> Report {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    let number = NEXT.fetch_add(1, Relaxed);
    let now = UnixMillis(1_700_000_000_000);
    let issuer = Issuer::parse("https://acme.example/").expect("an issuer");
    let sid = Sid::parse(&format!("session-{number}-of-the-bench")).expect("a sid");
    let target = LogoutTarget::Session { key: SessionKey { issuer, sid }, sub: None };
    let id = LogoutId::new(now, number as u128);
    Report { source: Source::Backchannel, is_final: true, ..Report::new(id, target, now, 600) }
}
