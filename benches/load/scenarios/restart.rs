//! The hub is killed and started again; all sockets come back in the same moment, and
//! meanwhile single logouts go on.

use std::time::{Duration, Instant};

use super::{millis, rate};
use crate::Failure;
use crate::crowd::{AT_ONCE, Pace, end_in};
use crate::fleet::{Fleet, Manner};
use crate::hub::By;
use crate::people::by_ticket;
use crate::world::World;

/// Sessions that are ended one by one while the others come back.
const WITNESSES: usize = 100;
/// One in so long.
const APART: Duration = Duration::from_millis(20);

pub async fn run(world: &mut World) -> Result<(), Failure> {
    let (crowd, report) = world.full_hub().await?;
    let side = crowd.server.side();
    let some = WITNESSES.min(crowd.people.len() / 10);
    let witnesses = crowd.draw(some);

    let killed = Instant::now();
    crowd.hub()?.crash().await?;
    report.add("restart", "kill -9 to ready again", side, millis(killed.elapsed()), "ms");
    let others = crowd.empty().await;

    let mut witnessing = Fleet::new(crowd.server.addr(), crowd.server.dialect());
    witnessing.open(by_ticket(&witnesses)?, Manner::Acknowledges, AT_ONCE).await?.all()?;
    let orders = crowd.orders(&witnesses, By::Report);
    let door = crowd.server.door();
    let seats = by_ticket(&others)?;
    let count = seats.len();
    let (opened, ended) = tokio::join!(
        crowd.join(others, seats, Manner::Acknowledges, count),
        end_in(&mut witnessing, door, orders, Pace::Every(APART)),
    );
    let (opened, ended) = (opened?, ended?);
    report.add("restart", "sockets that came back at once", side, count as f64, "");
    report.add("restart", "first connect to the last subscribed", side, millis(opened.took), "ms");
    report.add("restart", "reconnects a second", side, rate(count, opened.took), "/s");
    report.add("restart", "the logouts beside it went on for", side, millis(ended.told), "ms");
    report.latencies("restart", "meanwhile: POST /api/v1/logouts to the last of four frames", side, ended.latencies);
    Ok(())
}
