//! What a socket and a logout cost: the hub in a process of its own, with real SQLite and
//! issuers with real keys, and a load generator here. `make bench` runs it;
//! `docs/performance.md` says what each figure is.
//!
//! Beside the hub stands a yardstick, the floor: a bare WebSocket server that verifies,
//! records and recovers nothing. Machines differ, and are noisy; the ratio of the two, in
//! one run, less so.

#![expect(unreachable_pub, reason = "a bench has no outside; its modules are public to one another")]
#![expect(clippy::disallowed_methods, reason = "measuring takes the machine's own clock")]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "figures for people, far from any type's end"
)]

#[path = "../../tests/support/mod.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "the issuer serves the tests as well")]
mod support;

mod chance;
mod crowd;
mod dialect;
mod fleet;
mod floor_server;
mod generator;
mod http;
mod hub;
mod machine;
mod options;
mod peers;
mod people;
mod process;
mod profiles;
mod report;
mod scenarios;
mod socket;
mod wire;
mod world;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use machine::Cores;
use options::{Options, Plan};
use peers::{Contest, Table};
use report::Report;
use world::World;

/// How many apps a session has open.
const APPS: usize = 4;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("load: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Failure> {
    if options.list {
        list();
        return Ok(());
    }
    let open_files = machine::raise_open_files()?;
    if options.floor_server {
        return runtime()?.block_on(floor_server::serve());
    }
    if let Some(hub) = options.generator {
        return runtime()?.block_on(generator::serve(hub));
    }
    let plan = options.plan()?;
    machine::fits(plan.sockets_a_process(), open_files)?;
    // Before the runtime starts its threads, which stay where this one is.
    let cores = if options.no_pin { Cores::Shared } else { Cores::split()? };
    let machine = machine::describe(cores, open_files);
    println!("{machine}\n{} sockets, {APPS} a session, seed {}", plan.sockets, plan.seed);
    let (text, markdown, json) = runtime()?.block_on(async {
        if let Some(names) = options.peers.clone() {
            let table = contest(plan, names, cores, Table::new(machine, command())).await?;
            return Ok::<_, Failure>((table.text(), table.markdown(), table.json()));
        }
        let report = measure(plan, cores, Report::new(machine, command())).await?;
        Ok((report.table(), report.markdown(), report.json()))
    })?;
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_string_pretty(&json)? + "\n")?;
    }
    if let Some(path) = &options.markdown {
        std::fs::write(path, markdown)?;
    }
    println!("\n{text}");
    Ok(())
}

async fn contest(plan: Plan, names: Vec<String>, cores: Cores, table: Table) -> Result<Table, Failure> {
    let Plan { sockets, floods, hub: program, seed, store: _, scenarios: _ } = plan;
    peers::run(&Contest { names, sockets, floods, seed, program, cores }, table).await
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

async fn measure(plan: Plan, cores: Cores, report: Report) -> Result<Report, Failure> {
    let scenarios = plan.scenarios.clone();
    let mut world = World::new(plan, cores, report).await;
    for scenario in scenarios {
        let started = Instant::now();
        (scenario.run)(&mut world).await.map_err(|fault| format!("{}: {fault}", scenario.name))?;
        println!("{:<10} {:>5.1} s  {}", scenario.name, started.elapsed().as_secs_f64(), scenario.about);
    }
    Ok(world.report)
}

fn command() -> String {
    let mut words = vec!["cargo bench --bench load --".to_owned()];
    words.extend(std::env::args().skip(1).filter(|word| word != "--bench"));
    words.join(" ").trim_end_matches(" --").to_owned()
}

fn list() {
    for profile in profiles::PROFILES {
        println!(
            "{:<10} {}: {} sockets; {}",
            profile.name,
            profile.about,
            profile.sockets,
            profile.scenarios.join(", ")
        );
    }
    println!();
    for scenario in scenarios::ALL {
        println!("{:<10} {}", scenario.name, scenario.about);
    }
}
