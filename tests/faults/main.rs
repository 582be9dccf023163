//! One hub on a file, at work all the time, while one thing after the other is done to it:
//! whatever it is, the promises hold. `docs/faults.md` says what is done, and how to run a
//! seed again.
//!
//! People, tabs, followers, the history and its checker are those of `tests/cluster`.

#![expect(unreachable_pub, reason = "a test binary has no outside; its modules are public to one another")]
#![expect(clippy::unwrap_used, reason = "a helper that panics shows the whole exchange")]

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "the issuer serves the other tests as well")]
mod support;

#[path = "../../benches/load/chance.rs"]
#[expect(clippy::cast_possible_truncation, reason = "a choice below a usize fits one")]
mod chance;
#[path = "../cluster/checker/mod.rs"]
mod checker;
#[path = "../cluster/follower.rs"]
mod follower;
#[path = "../cluster/history.rs"]
mod history;
#[path = "../cluster/luck.rs"]
mod luck;
#[path = "../support/relay.rs"]
#[expect(dead_code, reason = "the cable between people and the hub never breaks by itself here")]
mod relay;
#[path = "../cluster/reporter.rs"]
mod reporter;
#[path = "../cluster/socket.rs"]
mod socket;
#[path = "../cluster/tab.rs"]
mod tab;
#[path = "../cluster/world.rs"]
mod world;

mod attackers;
mod cluster;
mod crowd;
mod disk;
mod evidence;
mod hub;
mod judge;
mod papers;
mod power;
mod run;
mod seeds;
mod strikes;
mod table;
mod tally;
