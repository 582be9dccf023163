//! What a connect with a subscribe costs the server, by what proves who it is.

use super::{micros_each, rate, settle};
use crate::crowd::{AT_ONCE, Crowd};
use crate::fleet::{Manner, Seat};
use crate::people::{Alg, Person, by_ticket};
use crate::report::Report;
use crate::world::World;
use crate::{APPS, Failure};

/// Enough for the processor time's ticks, few enough to be signed beforehand.
const MOST_SOCKETS: usize = 4_000;

/// How a socket may prove who it is.
const BY: [&str; 3] = ["resume ticket", "fresh ES256 ID token", "fresh RS256 ID token"];

pub async fn run(world: &mut World) -> Result<(), Failure> {
    let sessions = world.sockets.min(MOST_SOCKETS) / APPS;
    let all_at_once = world.sockets;
    let (crowd, report) = world.hub().await?;
    crowd.fill(all_at_once).await?;
    let mut seen = crowd.empty().await;
    for (alg, by) in [(Alg::Rs256, BY[2]), (Alg::Es256, BY[1])] {
        settle().await;
        let (people, seats) = crowd.newcomers(sessions, alg);
        measure(crowd, report, (people, seats), &[by]).await?;
        seen.extend(crowd.empty().await);
    }
    settle().await;
    let again = seen.split_off(seen.len().saturating_sub(sessions));
    let seats = by_ticket(&again)?;
    measure(crowd, report, (again, seats), &BY[..1]).await?;
    seen.extend(crowd.empty().await);
    settle().await;
    storm(crowd, report, seen, all_at_once).await
}

/// Opens these sockets, so many at a time, and says what each cost.
async fn measure(
    crowd: &mut Crowd,
    report: &mut Report,
    (people, seats): (Vec<Person>, Vec<Seat>),
    by: &[&str],
) -> Result<(), Failure> {
    let (count, side) = (seats.len(), crowd.server.side());
    let before = crowd.server.process().cpu()?;
    let opened = crowd.join(people, seats, Manner::Acknowledges, AT_ONCE).await?;
    let spent = crowd.server.process().cpu_since(before)?;
    for by in by {
        report.add("connects", &format!("CPU a connect and subscribe, by {by}"), side, micros_each(spent, count), "µs");
        let name = format!("connects with subscribe, by {by}, {AT_ONCE} at a time");
        report.add("connects", &name, side, rate(count, opened.took), "/s");
    }
    Ok(())
}

/// The same of a server that asks for no proof: it stands beside each.
pub async fn bare(crowd: &mut Crowd, report: &mut Report, sockets: usize) -> Result<(), Failure> {
    crowd.empty().await;
    settle().await;
    let newcomers = crowd.newcomers(sockets.min(MOST_SOCKETS) / APPS, Alg::Es256);
    measure(crowd, report, newcomers, &BY).await
}

/// Everybody comes back in the same moment.
async fn storm(crowd: &mut Crowd, report: &mut Report, mut all: Vec<Person>, sockets: usize) -> Result<(), Failure> {
    all.truncate(sockets / APPS);
    let seats = by_ticket(&all)?;
    let (count, side) = (seats.len(), crowd.server.side());
    let opened = crowd.join(all, seats, Manner::Acknowledges, count).await?;
    report.add("connects", "sockets that came back at once, by resume ticket", side, count as f64, "");
    report.add("connects", "connects with subscribe, all at once", side, rate(count, opened.took), "/s");
    Ok(())
}
