//! The same work for each: open sockets, leave them alone, publish one by one, publish to
//! every channel at once.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::table::{Outcome, Row};
use super::{ALL, Adapter, Peer, Table};
use crate::crowd::{AT_ONCE, Crowd, Pace, Server, send};
use crate::fleet::Manner;
use crate::http::Caller;
use crate::hub::{By, Hub};
use crate::machine::Cores;
use crate::people::{Alg, Issuers, by_ticket};
use crate::process::Memory;
use crate::scenarios::{micros_each, rate, settle};
use crate::{APPS, Failure};

/// How many are published one by one, and how far apart.
const SINGLE: usize = 400;
const APART: Duration = Duration::from_millis(10);
/// How many publishes are under way at a time in a flood.
const CALLERS: Pace = Pace::Callers(128);
/// How many publishes that nobody hears show what the rest of a publish costs.
const UNHEARD: usize = 4_000;
/// What comes after the last frame and belongs to the publish: notes, garbage. The hub
/// closes sockets that say nothing later than this.
const AFTERMATH: Duration = Duration::from_millis(500);
/// The hub, where names are asked for.
const HUB: &str = "slo-hub";

/// Who takes part, and in what.
pub struct Contest {
    /// Names; all where there are none.
    pub names: Vec<String>,
    /// How many sockets each holds.
    pub sockets: usize,
    /// How many times every channel is published to at once; the median counts.
    pub floods: usize,
    /// What chance is drawn from.
    pub seed: u64,
    /// The hub's program.
    pub program: PathBuf,
    /// Who runs where.
    pub cores: Cores,
}

/// Measures each in its turn. What is not installed is named with the reason; what is
/// installed and fails ends the run.
pub async fn run(contest: &Contest, mut table: Table) -> Result<Table, Failure> {
    let known = || ALL.iter().map(|adapter| adapter.name()).chain([HUB]);
    if let Some(stranger) = contest.names.iter().find(|name| known().all(|known| known != name.as_str())) {
        let known: Vec<_> = known().collect();
        return Err(format!("there is no peer {stranger}; there are {}", known.join(", ")).into());
    }
    let issuers = Arc::new(Issuers::start(contest.seed).await);
    let wanted = |name: &str| contest.names.is_empty() || contest.names.iter().any(|wanted| wanted == name);
    if wanted(HUB) {
        let hub = Hub::start(&contest.program, &issuers, contest.cores).await?;
        let outcome = contest.measure(HUB, Server::Hub(hub), &issuers).await?;
        table.add(Row { name: HUB, version: env!("CARGO_PKG_VERSION").to_owned(), otherwise: None, outcome });
    }
    for adapter in ALL.iter().copied().filter(|adapter| wanted(adapter.name())) {
        table.add(contest.try_out(adapter, &issuers).await?);
    }
    Ok(table)
}

/// What was measured of one.
#[derive(Debug)]
pub struct Figures {
    /// Bytes an idle socket past the first tenth, and before the first socket.
    pub socket: f64,
    pub empty: f64,
    /// Microseconds of processor a connect with subscribe; by resume ticket, at the hub.
    pub connect: f64,
    pub again: Option<f64>,
    /// From a publish to the last of four frames: median, 99th of a hundred, longest.
    pub latency: [Duration; 3],
    /// Publishes a second to all channels at once; four deliveries each.
    pub publishes: f64,
    /// Microseconds of processor a publish that nobody hears, and a delivery with its
    /// share of the publish.
    pub unheard: f64,
    pub delivery: f64,
}

impl Contest {
    async fn try_out(&self, adapter: &'static dyn Adapter, issuers: &Arc<Issuers>) -> Result<Row, Failure> {
        let name = adapter.name();
        let (version, outcome) = match adapter.version() {
            Err(reason) => {
                println!("{name:<10} skipped: {reason}");
                (String::new(), Outcome::Skipped(reason))
            }
            Ok(version) => {
                let peer = Peer::start(adapter, self.cores)?;
                (version, self.measure(name, Server::Peer(peer), issuers).await?)
            }
        };
        Ok(Row { name, version, otherwise: Some(adapter.otherwise()), outcome })
    }

    async fn measure(&self, name: &str, server: Server, issuers: &Arc<Issuers>) -> Result<Outcome, Failure> {
        let started = Instant::now();
        let mut crowd = Crowd::new(server, Arc::clone(issuers), self.seed);
        let figures = self.figures(&mut crowd).await.map_err(|fault| format!("{name}: {fault}"))?;
        println!("{name:<10} {:>5.1} s", started.elapsed().as_secs_f64());
        Ok(Outcome::Measured(figures))
    }

    async fn figures(&self, crowd: &mut Crowd) -> Result<Figures, Failure> {
        let (socket, empty) = memory(crowd, self.sockets).await?;
        let latency = one_by_one(crowd).await?;
        let again = come_back(crowd).await?;
        let unheard = unheard(crowd, UNHEARD.min(self.sockets)).await?;
        let mut spent = Spent::default();
        for _ in 0..self.floods {
            flood(crowd, self.sockets, &mut spent).await?;
        }
        let sockets = spent.sockets;
        Ok(Figures {
            socket,
            empty,
            connect: micros_each(spent.connecting, sockets),
            again,
            latency,
            publishes: median(spent.publishes),
            unheard,
            delivery: micros_each(spent.delivering, sockets),
        })
    }
}

/// Bytes a socket past the first tenth, and before the first socket.
async fn memory(crowd: &mut Crowd, sockets: usize) -> Result<(f64, f64), Failure> {
    let empty = held(crowd).await?;
    // The first tenth pays for what grows once.
    let first = sockets / APPS / 10;
    open(crowd, first).await?;
    let warm = held(crowd).await?;
    open(crowd, sockets / APPS - first).await?;
    let full = held(crowd).await?;
    let rest = (sockets / APPS - first) * APPS;
    // Shared pages count too: nchan has its channels there.
    Ok(((full.proportional - warm.proportional) as f64 / rest as f64, empty.proportional as f64))
}

/// New sessions, whose sockets say nothing once they are subscribed: not every server would
/// know what an acknowledgement is.
async fn open(crowd: &mut Crowd, sessions: usize) -> Result<(), Failure> {
    let (people, seats) = crowd.newcomers(sessions, Alg::Es256);
    crowd.join(people, seats, Manner::Listens, AT_ONCE).await?;
    Ok(())
}

async fn held(crowd: &Crowd) -> Result<Memory, Failure> {
    settle().await;
    if let Server::Peer(peer) = &crowd.server
        && let Some(request) = peer.adapter.collect()
    {
        Caller::new(peer.door).succeed(&request).await?;
    }
    crowd.server.process().memory()
}

async fn one_by_one(crowd: &mut Crowd) -> Result<[Duration; 3], Failure> {
    let some = SINGLE.min(crowd.people.len() / 5);
    let people = crowd.draw(some);
    let orders = crowd.orders(&people, By::Backchannel);
    let mut all = crowd.end(orders, Pace::Every(APART)).await?.latencies;
    all.sort();
    let rank = |percent: usize| all.get((all.len() * percent).div_ceil(100).max(1) - 1).copied().ok_or("no latencies");
    Ok([rank(50)?, rank(99)?, rank(100)?])
}

/// What it costs the hub when those who were there come back by their tickets.
async fn come_back(crowd: &mut Crowd) -> Result<Option<f64>, Failure> {
    let people = crowd.empty().await;
    settle().await;
    if matches!(crowd.server, Server::Peer(_)) {
        return Ok(None);
    }
    let seats = by_ticket(&people)?;
    let count = seats.len();
    let before = crowd.server.process().cpu()?;
    crowd.join(people, seats, Manner::Listens, AT_ONCE).await?;
    let spent = crowd.server.process().cpu_since(before)?;
    crowd.empty().await;
    settle().await;
    Ok(Some(micros_each(spent, count)))
}

async fn unheard(crowd: &mut Crowd, publishes: usize) -> Result<f64, Failure> {
    let people = crowd.strangers(publishes, Alg::Es256);
    let orders = crowd.orders(&people, By::Backchannel);
    let before = crowd.server.process().cpu()?;
    send(crowd.server.door(), orders, CALLERS).await?;
    Ok(micros_each(crowd.server.process().cpu_since(before)?, publishes))
}

/// What floods have cost so far.
#[derive(Default)]
struct Spent {
    sockets: usize,
    connecting: Duration,
    delivering: Duration,
    publishes: Vec<f64>,
}

/// New sockets in new channels, and an event to each channel.
async fn flood(crowd: &mut Crowd, sockets: usize, spent: &mut Spent) -> Result<(), Failure> {
    crowd.empty().await;
    settle().await;
    let (people, seats) = crowd.newcomers(sockets / APPS, Alg::Es256);
    let orders = crowd.orders(&people, By::Backchannel);
    spent.sockets += seats.len();

    let before = crowd.server.process().cpu()?;
    crowd.join(people, seats, Manner::Listens, AT_ONCE).await?;
    spent.connecting += crowd.server.process().cpu_since(before)?;
    settle().await;

    let (channels, before) = (orders.len(), crowd.server.process().cpu()?);
    let ended = crowd.end(orders, CALLERS).await?;
    tokio::time::sleep(AFTERMATH).await;
    spent.delivering += crowd.server.process().cpu_since(before)?;
    spent.publishes.push(rate(channels, ended.told));
    Ok(())
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}
