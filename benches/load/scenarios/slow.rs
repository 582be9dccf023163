//! Apps that never read, a back end that reads slowly and one that never does; and
//! whether anybody else notices.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::settle;
use crate::Failure;
use crate::crowd::{AT_ONCE, Crowd, Pace, end_in, send};
use crate::fleet::{Fleet, Manner};
use crate::hub::{BACK_END, BACK_END_SECRET, By};
use crate::people::Alg;
use crate::socket::Socket;
use crate::world::World;

/// Sessions of which no app reads.
const SILENT: usize = 100;
/// Healthy ones, ended while the others are stuck.
const HEALTHY: usize = 200;
/// Logouts that back ends are to hear of: more than the system's own buffers hold.
const FED: usize = 24_000;
/// How long the slow back end takes for each.
const SLOWLY: Duration = Duration::from_millis(20);
/// After so long without room to write the hub has given a socket up: its deadline is ten
/// seconds.
const GIVEN_UP: Duration = Duration::from_secs(12);

pub async fn run(world: &mut World) -> Result<(), Failure> {
    // Room for the silent ones.
    let sockets = world.sockets.saturating_sub(SILENT * crate::APPS);
    let fed = FED.min(world.sockets * 3);
    let (crowd, report) = world.hub().await?;
    let too_many = crowd.people.len().saturating_sub(sockets / crate::APPS);
    let leaving = crowd.draw(too_many);
    send(crowd.server.door(), crowd.orders(&leaving, By::Report), Pace::Callers(8)).await?;
    crowd.fleet.told(leaving.iter().map(|person| person.session)).await?;
    crowd.fill(sockets).await?;

    let mut silent = Fleet::new(crowd.server.addr(), crowd.server.dialect());
    let (stuck, seats) = crowd.newcomers(SILENT, Alg::Es256);
    silent.open(seats, Manner::Silent, AT_ONCE).await?.all()?;
    let (mut never, mut back_ends) = (follow(crowd).await?, JoinSet::new());
    let mut slowly = follow(crowd).await?;
    back_ends.spawn(async move {
        let mut read = 0_usize;
        while let Ok(Some(_)) = slowly.frame().await {
            read += 1;
            sleep(SLOWLY).await;
        }
        read
    });
    settle().await;

    let strangers = crowd.strangers(fed, Alg::Es256);
    let healthy_people = crowd.draw(HEALTHY.min(sockets / 20));
    let healthy = crowd.orders(&healthy_people, By::Report);
    let rest = [crowd.orders(&strangers, By::Backchannel), crowd.orders(&stuck, By::Report)].into_iter().flatten();
    let (door, side) = (crowd.server.door(), crowd.server.side());
    let before = crowd.server.process().memory()?;
    let (sent, ended) = tokio::join!(
        send(door, rest.collect(), Pace::Callers(64)),
        end_in(&mut crowd.fleet, door, healthy, Pace::Every(Duration::from_millis(10))),
    );
    let (_, ended) = (sent?, ended?);
    let after = crowd.server.process().memory()?;
    report.latencies("slow", "meanwhile: POST /api/v1/logouts to the last of four frames", side, ended.latencies);
    let grown = (after.private - before.private) as f64 / 1024.0;
    report.add("slow", "private memory grown by, with all of it unread", side, grown, "KiB");

    sleep(GIVEN_UP).await;
    let mut frames = 0_usize;
    let closed = timeout(Duration::from_secs(5), async {
        while let Ok(Some(_)) = never.frame().await {
            frames += 1;
        }
    });
    let dropped = closed.await.is_ok();
    back_ends.shutdown().await;
    report.add("slow", "logouts a back end that never reads could have read", side, frames as f64, "");
    report.add("slow", "and it was given up (1) or not (0)", side, f64::from(u8::from(dropped)), "");
    Ok(())
}

/// A back end's socket that follows every logout of its issuer.
async fn follow(crowd: &Crowd) -> Result<Socket, Failure> {
    let mut socket = Socket::connect_narrow(crowd.server.addr(), 0).await?;
    socket.say(&json!({"type": "subscribe", "client_id": BACK_END, "secret": BACK_END_SECRET})).await?;
    socket.frame().await?.ok_or("the back end's socket was closed")?;
    Ok(socket)
}
