//! The yardstick: a bare server does the same, as far as it goes.

use std::sync::Arc;

use super::{connects, fanout, flood, idle, latency};
use crate::Failure;
use crate::crowd::{Crowd, Server};
use crate::peers::{Floor, Peer};
use crate::world::World;

pub async fn run(world: &mut World) -> Result<(), Failure> {
    world.retire().await;
    let floor = Peer::start(&Floor, world.cores)?;
    let mut crowd = Crowd::new(Server::Peer(floor), Arc::clone(&world.issuers), world.seed);
    let (sockets, report) = (world.sockets, &mut world.report);
    idle::measure(&mut crowd, report, sockets).await?;
    latency::bare(&mut crowd, report, sockets).await?;
    flood::measure(&mut crowd, report, sockets).await?;
    fanout::measure(&mut crowd, report, sockets).await?;
    connects::bare(&mut crowd, report, sockets).await
}
