//! The scenarios, one file each.

mod burst;
mod connects;
mod fanout;
mod flood;
mod floor;
mod fsyncs;
mod idle;
mod latency;
mod list;
mod restart;
mod slow;
mod steady;
mod sweep;
mod two_nodes;

use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::Failure;
use crate::world::World;

/// Something that is done to a hub, and measured.
pub struct Scenario {
    /// What it is called.
    pub name: &'static str,
    /// What is done.
    pub about: &'static str,
    /// Does it.
    pub run: for<'a> fn(&'a mut World) -> BoxFuture<'a, Result<(), Failure>>,
}

/// Every scenario there is.
pub const ALL: &[Scenario] = &[
    Scenario { name: "idle", about: "what an idle, subscribed socket holds", run: |world| Box::pin(idle::run(world)) },
    Scenario {
        name: "connects",
        about: "what a connect and a subscribe cost, by each credential; all at once",
        run: |world| Box::pin(connects::run(world)),
    },
    Scenario {
        name: "latency",
        about: "single logouts while the others are idle",
        run: |world| Box::pin(latency::run(world)),
    },
    Scenario {
        name: "steady",
        about: "200 logouts a second, by both ways in",
        run: |world| Box::pin(steady::run(world)),
    },
    Scenario {
        name: "list",
        about: "\"Sign out\" on the person's list of sessions",
        run: |world| Box::pin(list::run(world)),
    },
    Scenario {
        name: "slow",
        about: "apps and back ends that do not read, or slowly",
        run: |world| Box::pin(slow::run(world)),
    },
    Scenario {
        name: "restart",
        about: "kill -9; all come back at once, while logouts go on",
        run: |world| Box::pin(restart::run(world)),
    },
    Scenario { name: "flood", about: "every session is ended at once", run: |world| Box::pin(flood::run(world)) },
    Scenario {
        name: "fanout",
        about: "one logout of one person who has every socket open",
        run: |world| Box::pin(fanout::run(world)),
    },
    Scenario { name: "sweep", about: "an administrator ends them all", run: |world| Box::pin(sweep::run(world)) },
    Scenario {
        name: "burst",
        about: "logouts at once of sessions without sockets",
        run: |world| Box::pin(burst::run(world)),
    },
    Scenario { name: "fsyncs", about: "how often the disk is waited for", run: |world| Box::pin(fsyncs::run(world)) },
    Scenario {
        name: "two-nodes",
        about: "two hubs on one PostgreSQL database; what one accepts, both tell",
        run: |world| Box::pin(two_nodes::run(world)),
    },
    Scenario { name: "floor", about: "the same of a bare server", run: |world| Box::pin(floor::run(world)) },
];

/// The scenario of that name.
pub fn named(name: &str) -> Result<&'static Scenario, Failure> {
    let found = ALL.iter().find(|scenario| scenario.name == name);
    found.ok_or_else(|| format!("there is no scenario {name}; --list names those there are").into())
}

/// Lets what was begun come to its end: farewells, receipts, checkpoints.
pub async fn settle() {
    tokio::time::sleep(Duration::from_secs(2)).await;
}

/// What so many of something cost each, in microseconds.
pub fn micros_each(spent: Duration, count: usize) -> f64 {
    spent.as_secs_f64() * 1e6 / count as f64
}

/// How many a second.
pub fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// In milliseconds.
pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
