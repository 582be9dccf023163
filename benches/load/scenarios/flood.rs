//! Every open session is ended at once: what a delivery costs, and how many there are in
//! a second.

use std::time::Duration;

use super::{micros_each, millis, rate, settle};
use crate::crowd::{AT_ONCE, Crowd, Pace, send};
use crate::fleet::Manner;
use crate::hub::By;
use crate::people::Alg;
use crate::report::Report;
use crate::world::World;
use crate::{APPS, Failure};

/// How many requests are under way at a time.
const CALLERS: Pace = Pace::Callers(128);
/// How many logouts that reach nobody show what the rest of a logout costs.
const STRANGERS: usize = 2_000;

pub async fn run(world: &mut World) -> Result<(), Failure> {
    let sockets = world.sockets;
    let (crowd, report) = world.full_hub().await?;
    measure(crowd, report, sockets).await
}

/// Ends all sessions of a full server.
pub async fn measure(crowd: &mut Crowd, report: &mut Report, sockets: usize) -> Result<(), Failure> {
    crowd.fill(sockets).await?;
    let alone = unheard(crowd, STRANGERS.min(sockets)).await?;
    let side = crowd.server.side();

    let people = crowd.draw(usize::MAX);
    let (sessions, orders) = (people.len(), crowd.orders(&people, By::Backchannel));
    let before = crowd.server.process().cpu()?;
    let ended = crowd.end(orders, CALLERS).await?;
    settle().await;
    let acknowledged = crowd.server.process().cpu_since(before)?;
    report.add("flood", "sockets that were told", side, (sessions * APPS) as f64, "");
    report.add("flood", "first request to the last answer", side, millis(ended.answered), "ms");
    report.add("flood", "first request to the last frame of all", side, millis(ended.told), "ms");
    report.add("flood", "logouts a second, four deliveries each", side, rate(sessions, ended.told), "/s");
    report.add("flood", "deliveries a second", side, rate(sessions * APPS, ended.told), "/s");
    report.latencies("flood", "request to the last of four frames", side, ended.latencies);

    let told = listeners(crowd, sessions.min(1_000)).await?;
    let delivery = |with: f64| (with - alone) / APPS as f64;
    let acknowledged = micros_each(acknowledged, sessions);
    report.add("flood", "CPU a logout that nobody listens for", side, alone, "µs");
    report.add("flood", "CPU a delivery: frame written", side, delivery(told), "µs");
    report.add(
        "flood",
        "CPU a delivery: frame written, acknowledged, socket closed",
        side,
        delivery(acknowledged),
        "µs",
    );
    report.add("flood", "CPU a delivery, all of its logout's work included", side, told / APPS as f64, "µs");
    Ok(())
}

/// What a logout costs that reaches no socket.
async fn unheard(crowd: &mut Crowd, logouts: usize) -> Result<f64, Failure> {
    let people = crowd.strangers(logouts, Alg::Es256);
    let orders = crowd.orders(&people, By::Backchannel);
    let before = crowd.server.process().cpu()?;
    send(crowd.server.door(), orders, CALLERS).await?;
    Ok(micros_each(crowd.server.process().cpu_since(before)?, logouts))
}

/// What a logout costs whose four apps are told, and say nothing.
async fn listeners(crowd: &mut Crowd, sessions: usize) -> Result<f64, Failure> {
    let (people, seats) = crowd.newcomers(sessions, Alg::Es256);
    crowd.join(people, seats, Manner::Listens, AT_ONCE).await?;
    settle().await;
    let people = crowd.draw(usize::MAX);
    let orders = crowd.orders(&people, By::Backchannel);
    let before = crowd.server.process().cpu()?;
    crowd.end(orders, CALLERS).await?;
    // What was noted down of them is part of it; that they are closed, in five seconds, is not.
    tokio::time::sleep(Duration::from_millis(300)).await;
    Ok(micros_each(crowd.server.process().cpu_since(before)?, sessions))
}
