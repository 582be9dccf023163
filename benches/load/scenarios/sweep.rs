//! An administrator ends every session at an issuer, with one request.

use super::{millis, rate};
use crate::crowd::end_all;
use crate::hub::sweep_request;
use crate::people::Alg;
use crate::world::World;
use crate::{APPS, Failure};

pub async fn run(world: &mut World) -> Result<(), Failure> {
    // A sweep ends what the hub has ever seen: here it has seen these alone.
    world.fresh_hub().await?;
    let request = sweep_request(world.issuers.url(Alg::Es256));
    let (crowd, report) = world.full_hub().await?;
    let addr = crowd.hub()?.admin_addr();
    let people = crowd.draw(usize::MAX);
    let sessions = people.iter().map(|person| person.session).collect();
    let last = end_all(&mut crowd.fleet, addr.into(), request, sessions).await?;
    let side = crowd.server.side();
    report.add("sweep", "sockets that were told", side, (people.len() * APPS) as f64, "");
    report.add("sweep", "request to the last frame of all", side, millis(last), "ms");
    report.add("sweep", "deliveries a second", side, rate(people.len() * APPS, last), "/s");
    // Whoever signs in within this very second may be covered too.
    world.retire().await;
    Ok(())
}
