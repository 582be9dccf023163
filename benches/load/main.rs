//! What a socket and a logout cost: a hub in a process of its own, a load generator
//! here. `make bench` runs it.
//!
//! It prints the hub's resident memory a socket, the time from `POST /api/v1/logouts` to
//! the last of a session's four sockets, and how many verified, durable logouts a second
//! the hub takes when they arrive at once.

#![expect(unreachable_pub, reason = "a bench has no outside; its modules are public to one another")]
#![expect(clippy::disallowed_methods, reason = "measuring takes the machine's own clock")]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures for people, far from any type's end"
)]

#[path = "../../tests/support/mod.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "the issuer serves the tests as well")]
mod support;

mod hub;
mod socket;

use std::sync::Arc;
use std::time::{Duration, Instant};

use hub::HubProcess;
use socket::Socket;
use support::issuer::TestIssuer;
use tokio::task::JoinSet;

/// How many sockets are opened, four a session.
const SOCKETS: usize = 5_000;
/// How many apps a session has open.
const APPS: usize = 4;
/// How many sessions are logged out one by one, for the latency.
const LATENCIES: usize = 400;
/// How many logouts arrive at once, for the throughput.
const BURST: usize = 4_000;
/// How many requests are under way at a time in the burst.
const CONCURRENCY: usize = 128;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let issuer = Arc::new(TestIssuer::start().await);
    let hub = Arc::new(HubProcess::start(issuer.url()).await?);
    println!("hub {} on {} cores", env!("CARGO_PKG_VERSION"), std::thread::available_parallelism()?);
    let sessions = sockets(&issuer, &hub).await?;
    latency(&hub, sessions).await?;
    throughput(&issuer, &hub).await
}

/// One person's four open apps, with the token that ends them.
struct Session {
    token: String,
    sockets: Vec<Socket>,
}

async fn sockets(issuer: &Arc<TestIssuer>, hub: &Arc<HubProcess>) -> Result<Vec<Session>, Failure> {
    let before = hub.resident_bytes()?;
    let started = Instant::now();
    let mut opening = JoinSet::new();
    let mut sessions = Vec::new();
    for n in 0..SOCKETS / APPS {
        while opening.len() >= CONCURRENCY / APPS {
            sessions.extend(opening.join_next().await.transpose()?.transpose()?);
        }
        let (issuer, hub) = (Arc::clone(issuer), Arc::clone(hub));
        opening.spawn(async move { open_session(&issuer, &hub, n).await });
    }
    while let Some(opened) = opening.join_next().await {
        sessions.push(opened??);
    }
    let took = started.elapsed().as_secs_f64();
    let count = (sessions.len() * APPS) as f64;
    let each = (hub.resident_bytes()? - before) as f64 / count;
    println!("sockets      {count:>10.0} open, four a session");
    println!("memory       {each:>10.0} bytes a socket, of the hub's resident memory");
    println!("connect      {:>10.0} handshakes with subscribe by a fresh ID token, a second", count / took);
    Ok(sessions)
}

async fn open_session(issuer: &TestIssuer, hub: &HubProcess, n: usize) -> Result<Session, Failure> {
    let who = issuer.sign_in(&format!("person-{n}"));
    let token = issuer.id_token(&who, "app0").sign();
    let mut sockets = Vec::with_capacity(APPS);
    for app in 0..APPS {
        let own = issuer.id_token(&who, &format!("app{app}")).sign();
        sockets.push(Socket::open(hub.addr(), n, &format!("https://app{app}.example"), &own).await?);
    }
    Ok(Session { token, sockets })
}

async fn latency(hub: &HubProcess, sessions: Vec<Session>) -> Result<(), Failure> {
    let mut took = Vec::with_capacity(LATENCIES);
    for session in sessions.into_iter().take(LATENCIES) {
        let started = Instant::now();
        let mut waiting = JoinSet::new();
        for mut socket in session.sockets {
            waiting.spawn(async move {
                socket.event().await?;
                Ok::<_, Failure>((Instant::now(), socket))
            });
        }
        hub.report(&session.token).await?;
        let mut last = started;
        while let Some(told) = waiting.join_next().await {
            let (at, _socket) = told??;
            last = last.max(at);
        }
        took.push(last.duration_since(started));
    }
    took.sort();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    println!("latency      {:>10.2} ms p50, from POST to the last of four sockets, fsync included", millis(at(0.5)));
    println!("             {:>10.2} ms p99", millis(at(0.99)));
    Ok(())
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

async fn throughput(issuer: &TestIssuer, hub: &Arc<HubProcess>) -> Result<(), Failure> {
    // Signed beforehand: what is measured is the hub.
    let tokens: Vec<String> =
        (0..BURST).map(|n| issuer.logout_token(&issuer.sign_in(&format!("burst-{n}")), "app0").sign()).collect();
    let tokens = Arc::new(tokens);
    let started = Instant::now();
    let mut workers = JoinSet::new();
    for worker in 0..CONCURRENCY {
        let (hub, tokens) = (Arc::clone(hub), Arc::clone(&tokens));
        workers.spawn(async move {
            for token in tokens.iter().skip(worker).step_by(CONCURRENCY) {
                hub.backchannel(token).await?;
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(done) = workers.join_next().await {
        done??;
    }
    let rate = BURST as f64 / started.elapsed().as_secs_f64();
    println!("throughput   {rate:>10.0} verified, durable back-channel logouts a second, {CONCURRENCY} at a time");
    Ok(())
}
