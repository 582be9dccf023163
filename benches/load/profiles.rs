//! Which scenarios run together, and how large.

use crate::Failure;

/// What every scenario can work with.
pub const FEWEST_SOCKETS: usize = 400;

/// Scenarios that are run together.
pub struct Profile {
    /// What it is called.
    pub name: &'static str,
    /// What it is good for.
    pub about: &'static str,
    /// How many sockets are open at a time.
    pub sockets: usize,
    /// How many times a contest with peers floods each of them.
    pub floods: usize,
    /// In this order.
    pub scenarios: &'static [&'static str],
}

const EVERYTHING: &[&str] = &[
    "idle", "connects", "latency", "steady", "list", "slow", "restart", "flood", "fanout", "sweep", "burst", "fsyncs",
    "floor",
];

/// Every profile there is.
pub const PROFILES: &[Profile] = &[
    Profile {
        name: "two-cores",
        about: "everything, on two cores, within five minutes",
        sockets: 10_000,
        floods: 3,
        scenarios: EVERYTHING,
    },
    Profile {
        name: "large",
        about: "what a process with 20,000 open files can hold",
        sockets: 18_000,
        floods: 3,
        scenarios: &["idle", "latency", "restart", "flood", "fanout", "sweep", "floor"],
    },
    Profile {
        name: "two-nodes",
        about: "more sockets than one process may open; needs --store postgres://…",
        sockets: 36_000,
        floods: 1,
        scenarios: &["two-nodes"],
    },
    Profile {
        name: "smoke",
        about: "everything, small: does the tool work",
        sockets: 400,
        floods: 1,
        scenarios: EVERYTHING,
    },
];

/// The profile of that name.
pub fn named(name: &str) -> Result<&'static Profile, Failure> {
    let found = PROFILES.iter().find(|profile| profile.name == name);
    found.ok_or_else(|| format!("there is no profile {name}; --list names those there are").into())
}
