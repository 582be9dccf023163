//! One person has every socket open, in as many sessions; one logout ends them all. One
//! verification and one fsync: what is left is the fan-out itself.

use std::time::Duration;

use super::{micros_each, millis, rate, settle};
use crate::crowd::{AT_ONCE, Crowd, end_all};
use crate::fleet::Manner;
use crate::report::Report;
use crate::world::World;
use crate::{APPS, Failure};

pub async fn run(world: &mut World) -> Result<(), Failure> {
    let sockets = world.sockets;
    let (crowd, report) = world.hub().await?;
    measure(crowd, report, sockets).await
}

/// Ends one person's sockets at either server.
pub async fn measure(crowd: &mut Crowd, report: &mut Report, sockets: usize) -> Result<(), Failure> {
    crowd.empty().await;
    let (seats, request) = crowd.one_person(sockets / APPS)?;
    let sessions: Vec<usize> = seats.iter().step_by(APPS).map(|seat| seat.session).collect();
    let count = seats.len();
    crowd.fleet.open(seats, Manner::Listens, AT_ONCE).await?.all()?;
    settle().await;
    let before = crowd.server.process().cpu()?;
    let ended = end_all(&mut crowd.fleet, crowd.server.door(), request, sessions).await?;
    // What is noted of them is part of it; that they are closed, in five seconds, is not.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let processor = crowd.server.process().cpu_since(before)?;
    let side = crowd.server.side();
    report.add("fanout", "sockets that were told by one logout", side, count as f64, "");
    report.add("fanout", "request to the last frame of all", side, millis(ended), "ms");
    report.add("fanout", "deliveries a second", side, rate(count, ended), "/s");
    report.add("fanout", "CPU a delivery", side, micros_each(processor, count), "µs");
    crowd.empty().await;
    Ok(())
}
