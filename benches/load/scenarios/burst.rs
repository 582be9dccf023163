//! Logouts at once, of sessions that have no socket open: verified, recorded, answered.

use super::{micros_each, rate};
use crate::Failure;
use crate::crowd::{Crowd, Pace, send};
use crate::hub::By;
use crate::people::Alg;
use crate::report::Report;
use crate::world::World;

/// How many of each kind.
const LOGOUTS: usize = 6_000;
/// How many requests are under way at a time.
const CALLERS: usize = 128;

pub async fn run(world: &mut World) -> Result<(), Failure> {
    let logouts = LOGOUTS.min(world.sockets);
    let (crowd, report) = world.hub().await?;
    crowd.empty().await;
    for (alg, by, name) in [
        (Alg::Rs256, By::Backchannel, "back-channel logout tokens, RS256"),
        (Alg::Es256, By::Backchannel, "back-channel logout tokens, ES256"),
        (Alg::Es256, By::Report, "POST /api/v1/logouts, ES256"),
    ] {
        measure(crowd, report, (logouts, alg, by), name).await?;
    }
    Ok(())
}

async fn measure(
    crowd: &mut Crowd,
    report: &mut Report,
    (logouts, alg, by): (usize, Alg, By),
    name: &str,
) -> Result<(), Failure> {
    let people = crowd.strangers(logouts, alg);
    let orders = crowd.orders(&people, by);
    let (side, door) = (crowd.server.side(), crowd.server.door());
    let before = crowd.server.process().cpu()?;
    let started = std::time::Instant::now();
    let sent = send(door, orders, Pace::Callers(CALLERS)).await?;
    let took = started.elapsed();
    let processor = crowd.server.process().cpu_since(before)?;
    report.add("burst", &format!("durable logouts: {name}, {CALLERS} at a time"), side, rate(logouts, took), "/s");
    report.add("burst", &format!("CPU a logout: {name}"), side, micros_each(processor, logouts), "µs");
    let answers = sent.iter().map(crate::crowd::Sent::took).collect();
    report.latencies("burst", &format!("request to answer: {name}"), side, answers);
    Ok(())
}
