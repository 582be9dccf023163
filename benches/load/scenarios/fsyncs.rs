//! How often the disk is waited for, counted by strace at a hub of its own: being traced
//! costs time, so nothing else is measured here.

use std::path::Path;
use std::time::Duration;

use super::settle;
use crate::Failure;
use crate::crowd::{Crowd, Pace, Server, send};
use crate::fleet::Manner;
use crate::hub::{By, Hub, Node};
use crate::people::Alg;
use crate::report::Side;
use crate::world::World;

/// How many logouts come at once.
const AT_ONCE: usize = 2_000;
/// How many come one by one.
const ONE_BY_ONE: usize = 50;

pub async fn run(world: &mut World) -> Result<(), Failure> {
    world.retire().await;
    let folder = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
    let trace = folder.path().join("trace");
    let Some(launcher) = strace(&trace) else {
        println!("strace is not here, or may not trace: fsyncs are not counted");
        return Ok(());
    };
    let node = Node { behind: launcher, ..Node::default() };
    let hub = Hub::start_node(node, &world.program, &world.issuers, world.cores).await?;
    let mut crowd = Crowd::new(Server::Hub(hub), std::sync::Arc::clone(&world.issuers), world.seed);

    let single = count(&mut crowd, &trace, ONE_BY_ONE, Pace::Callers(1)).await?;
    let batched = count(&mut crowd, &trace, AT_ONCE.min(world.sockets), Pace::Callers(128)).await?;
    let told = with_apps(&mut crowd, &trace).await?;
    let mut add = |name: &str, value: f64| world.report.add("fsyncs", name, Side::Hub, value, "");
    add("fsyncs a logout, one by one", single);
    add("fsyncs a logout that four apps acknowledge, 20 a second", told);
    add("fsyncs a logout, 128 at a time", batched);
    add("logouts an fsync, 128 at a time", 1.0 / batched);
    Ok(())
}

/// How often the log was synced for each of so many logouts that reach no socket. What
/// moves the log into the database, every thousand pages, is no part of a commit.
async fn count(crowd: &mut Crowd, trace: &Path, logouts: usize, pace: Pace) -> Result<f64, Failure> {
    let people = crowd.strangers(logouts, Alg::Es256);
    let orders = crowd.orders(&people, By::Backchannel);
    settle().await;
    let before = syncs(trace)?;
    send(crowd.server.door(), orders, pace).await?;
    settle().await;
    Ok((syncs(trace)? - before) as f64 / logouts as f64)
}

/// The same where four apps are told and acknowledge.
async fn with_apps(crowd: &mut Crowd, trace: &Path) -> Result<f64, Failure> {
    let (people, seats) = crowd.newcomers(ONE_BY_ONE, Alg::Es256);
    crowd.join(people, seats, Manner::Acknowledges, 16).await?;
    settle().await;
    let people = crowd.draw(ONE_BY_ONE);
    let orders = crowd.orders(&people, By::Backchannel);
    let before = syncs(trace)?;
    crowd.end(orders, Pace::Every(Duration::from_millis(50))).await?;
    settle().await;
    Ok((syncs(trace)? - before) as f64 / ONE_BY_ONE as f64)
}

fn syncs(trace: &Path) -> Result<usize, Failure> {
    let text = std::fs::read_to_string(trace)?;
    Ok(text.lines().filter(|line| line.contains("sync(") && line.contains("hub.db-wal")).count())
}

/// What a command line that is traced starts with; none where that is not allowed. Only
/// the calls in question stop the hub.
fn strace(trace: &Path) -> Option<Vec<String>> {
    let file = trace.to_str()?;
    let words = ["strace", "-D", "-f", "-qq", "-y", "--seccomp-bpf", "-e", "trace=fsync,fdatasync", "-o", file];
    let tried = std::process::Command::new(words[0]).args(&words[1..]).arg("true").output();
    tried.is_ok_and(|tried| tried.status.success()).then(|| words.map(str::to_owned).into())
}
