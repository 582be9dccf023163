//! More sockets than one process may hold: two hubs on one PostgreSQL database. Every
//! session has two apps at each node, and every logout is accepted by the first.

use std::time::{Duration, SystemTime};

use super::{millis, rate, settle};
use crate::crowd::{Order, Pace, Sent, send};
use crate::generator::Generator;
use crate::hub::{By, Hub, Node, end_request};
use crate::people::{Alg, Person};
use crate::report::Side;
use crate::world::World;
use crate::{APPS, Failure};

/// How many are ended one by one, and how far apart.
const SINGLE: usize = 200;
const APART: Duration = Duration::from_millis(20);
/// How many of a session's apps are at one node.
const EACH: usize = APPS / NODES;
const NODES: usize = 2;

pub async fn run(world: &mut World) -> Result<(), Failure> {
    let Some(store) = world.store.clone().filter(|store| store.starts_with("postgres")) else {
        return Err("needs a PostgreSQL store that both nodes share: --store postgres://…, an empty database".into());
    };
    world.retire().await;
    let mut hubs = Vec::new();
    for _ in 0..NODES {
        let node = Node { store: &store, behind: Vec::new() };
        hubs.push(Hub::start_node(node, &world.program, &world.issuers, world.cores).await?);
    }
    let mut nodes = hubs.iter().map(|hub| Generator::start(hub.addr())).collect::<Result<Vec<_>, _>>()?;
    let mut people: Vec<_> = (0..world.sockets / APPS).map(|_| world.issuers.sign_in(Alg::Es256)).collect();

    let mut took = Duration::ZERO;
    for (number, node) in nodes.iter_mut().enumerate() {
        let apps = number * EACH..(number + 1) * EACH;
        let seats = people
            .iter()
            .flat_map(|person| apps.clone().map(|app| person.seat(app, world.issuers.id_token(person, app))));
        took += node.open(seats.collect()).await?;
    }
    let open = people.len() * APPS;
    world.report.add("two-nodes", "sockets that were open at once, half at each node", Side::Hub, open as f64, "");
    world.report.add(
        "two-nodes",
        "connects with subscribe, one node after the other",
        Side::Hub,
        rate(open, took),
        "/s",
    );
    settle().await;

    let some = people.split_off(people.len().saturating_sub(SINGLE.min(people.len() / 5)));
    let single = end(world, &hubs, &mut nodes, some, Pace::Every(APART)).await?;
    for (node, latencies) in ["at the node that accepted it", "at the other node"].into_iter().zip(single.latencies) {
        let name = format!("a logout's last frame {node}");
        world.report.latencies("two-nodes", &name, Side::Hub, latencies);
    }
    let told = people.len() * APPS;
    let flood = end(world, &hubs, &mut nodes, people, Pace::Callers(128)).await?;
    world.report.add("two-nodes", "sockets that were told, all sessions ended at once", Side::Hub, told as f64, "");
    world.report.add("two-nodes", "first request to the last frame of all", Side::Hub, millis(flood.took), "ms");
    world.report.add("two-nodes", "deliveries a second", Side::Hub, rate(told, flood.took), "/s");
    Ok(())
}

/// What came of logouts that the first node accepted.
struct Told {
    /// From each request to its last frame, by node.
    latencies: Vec<Vec<Duration>>,
    /// From the first request to the last frame anywhere.
    took: Duration,
}

async fn end(
    world: &World,
    hubs: &[Hub],
    nodes: &mut [Generator],
    people: Vec<Person>,
    pace: Pace,
) -> Result<Told, Failure> {
    let order = |person: &Person| Order {
        session: person.session,
        request: end_request(&world.issuers, person, By::Backchannel),
    };
    let orders: Vec<Order> = people.iter().map(order).collect();
    for node in nodes.iter_mut() {
        node.watch(people.iter().map(|person| person.session).collect(), EACH).await?;
    }
    let first = hubs.first().ok_or("no node")?;
    let (clock, started) = (SystemTime::now(), std::time::Instant::now());
    let sent = send(first.addr().into(), orders, pace).await?;
    let asked = |sent: &Sent| (sent.session(), clock + sent.asked().saturating_duration_since(started));
    let asked: std::collections::HashMap<usize, SystemTime> = sent.iter().map(asked).collect();

    let (mut latencies, mut last) = (Vec::new(), clock);
    for node in nodes {
        let mut own = Vec::with_capacity(asked.len());
        for (session, at) in node.told().await? {
            let asked = asked.get(&session).ok_or("told of a session that nobody had ended")?;
            own.push(at.duration_since(*asked).unwrap_or_default());
            last = last.max(at);
        }
        latencies.push(own);
    }
    Ok(Told { latencies, took: last.duration_since(clock).unwrap_or_default() })
}
