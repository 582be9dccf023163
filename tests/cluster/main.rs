//! Three nodes of the hub on one PostgreSQL, while nodes, the database and the cables
//! between them break: whatever happens, the promises hold. `docs/testing-several-nodes.md`
//! says how, and how to run a seed again.

#![expect(unreachable_pub, reason = "a test binary has no outside; its modules are public to one another")]
#![expect(clippy::unwrap_used, reason = "a helper that panics shows the whole exchange")]

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "the issuer serves the other tests as well")]
mod support;

#[path = "../../benches/load/chance.rs"]
#[expect(clippy::cast_possible_truncation, reason = "a choice below a usize fits one")]
mod chance;
#[path = "../support/relay.rs"]
mod relay;

mod checker;
mod cluster;
mod faults;
mod follower;
mod history;
mod luck;
mod node;
mod people;
mod postgres;
mod reporter;
mod run;
mod seeds;
mod socket;
mod tab;
mod world;
