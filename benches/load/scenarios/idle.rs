//! Memory of idle, subscribed sockets: opened once, and left alone.

use super::settle;
use crate::crowd::{AT_ONCE, Crowd};
use crate::fleet::Manner;
use crate::people::Alg;
use crate::report::Report;
use crate::world::World;
use crate::{APPS, Failure};

pub async fn run(world: &mut World) -> Result<(), Failure> {
    world.fresh_hub().await?;
    let sockets = world.sockets;
    let (crowd, report) = world.hub().await?;
    measure(crowd, report, sockets).await
}

/// Fills an empty server, and says what each socket added to its memory.
pub async fn measure(crowd: &mut Crowd, report: &mut Report, sockets: usize) -> Result<(), Failure> {
    let fresh = crowd.server.process().memory()?;
    // The first tenth pays for what grows once: caches, pools, the allocator's own.
    let first = sockets / APPS / 10;
    open(crowd, first).await?;
    let warm = crowd.server.process().memory()?;
    let rest = sockets / APPS - first;
    open(crowd, rest).await?;
    let full = crowd.server.process().memory()?;

    let all = (first + rest) * APPS;
    let side = crowd.server.side();
    let mut add = |name: &str, bytes: i64, over: usize| {
        report.add("idle", name, side, bytes as f64 / over as f64, "B");
    };
    add("private memory a socket (Private_Dirty), past the first tenth", full.private - warm.private, rest * APPS);
    add("private memory a socket (Private_Dirty), from the start", full.private - fresh.private, all);
    add("proportional memory a socket (Pss), from the start", full.proportional - fresh.proportional, all);
    add("private memory before the first socket", fresh.private, 1);
    Ok(())
}

async fn open(crowd: &mut Crowd, sessions: usize) -> Result<(), Failure> {
    let (people, seats) = crowd.newcomers(sessions, Alg::Es256);
    crowd.join(people, seats, Manner::Acknowledges, AT_ONCE).await?;
    settle().await;
    Ok(())
}
