//! An administrator ends every session at an issuer, with one request.

use std::time::Instant;

use super::{millis, rate};
use crate::hub::sweep_request;
use crate::people::Alg;
use crate::world::World;
use crate::{APPS, Failure};

pub async fn run(world: &mut World) -> Result<(), Failure> {
    // A sweep ends what the hub has ever seen: here it has seen these alone.
    world.fresh_hub().await?;
    let request = sweep_request(world.issuers.url(Alg::Es256));
    let (crowd, report) = world.full_hub().await?;
    let mut caller = crowd.hub()?.admin();
    let people = crowd.draw(usize::MAX);
    let asked = Instant::now();
    let sessions = people.iter().map(|person| person.session);
    let (answer, told) = tokio::join!(caller.succeed(&request), crowd.fleet.told(sessions));
    answer?;
    let last = told?.values().max().copied().unwrap_or(asked) - asked;
    let side = crowd.server.side();
    report.add("sweep", "sockets that were told", side, (people.len() * APPS) as f64, "");
    report.add("sweep", "request to the last frame of all", side, millis(last), "ms");
    report.add("sweep", "deliveries a second", side, rate(people.len() * APPS, last), "/s");
    // Whoever signs in within this very second may be covered too.
    world.retire().await;
    Ok(())
}
