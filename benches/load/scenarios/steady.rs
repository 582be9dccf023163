//! Logouts at a steady rate, by both ways in, whether or not the last was answered.

use std::time::Duration;

use super::micros_each;
use crate::Failure;
use crate::crowd::Pace;
use crate::hub::By;
use crate::world::World;

/// 200 a second.
const APART: Duration = Duration::from_millis(5);
/// For five seconds.
const LOGOUTS: usize = 1_000;

pub async fn run(world: &mut World) -> Result<(), Failure> {
    let (crowd, report) = world.full_hub().await?;
    let some = LOGOUTS.min(crowd.people.len() / 2);
    let people = crowd.draw(some);
    let (reported, posted) = people.split_at(some / 2);
    let mut orders = crowd.orders(reported, By::Report).into_iter();
    let mut mixed = Vec::with_capacity(some);
    for order in crowd.orders(posted, By::Backchannel) {
        mixed.extend(orders.next());
        mixed.push(order);
    }
    let (side, count) = (crowd.server.side(), mixed.len());
    let before = crowd.server.process().cpu()?;
    let ended = crowd.end(mixed, Pace::Every(APART)).await?;
    let spent = crowd.server.process().cpu_since(before)?;
    report.latencies("steady", "request to the last of four frames", side, ended.latencies);
    report.add(
        "steady",
        "CPU a logout, four deliveries and acknowledgements included",
        side,
        micros_each(spent, count),
        "µs",
    );
    Ok(())
}
