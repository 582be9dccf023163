//! Single logouts, one after the other, while all other sockets are idle.

use std::time::Duration;

use crate::Failure;
use crate::crowd::{Crowd, Pace};
use crate::hub::By;
use crate::report::Report;
use crate::world::World;

/// How many of each kind.
const LOGOUTS: usize = 200;
/// Far enough apart that one is over before the next.
const APART: Duration = Duration::from_millis(10);

pub async fn run(world: &mut World) -> Result<(), Failure> {
    let (crowd, report) = world.full_hub().await?;
    measure(crowd, report, By::Report, "POST /api/v1/logouts to the last of four frames").await?;
    measure(crowd, report, By::Backchannel, "back-channel logout token to the last of four frames").await
}

/// The same of a server with one way in.
pub async fn bare(crowd: &mut Crowd, report: &mut Report, sockets: usize) -> Result<(), Failure> {
    crowd.fill(sockets).await?;
    measure(crowd, report, By::Report, "POST /api/v1/logouts to the last of four frames").await
}

async fn measure(crowd: &mut Crowd, report: &mut Report, by: By, name: &str) -> Result<(), Failure> {
    let some = LOGOUTS.min(crowd.people.len() / 5);
    let people = crowd.draw(some);
    let ended = crowd.end(crowd.orders(&people, by), Pace::Every(APART)).await?;
    report.latencies("latency", name, crowd.server.side(), ended.latencies);
    Ok(())
}
