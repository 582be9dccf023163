//! The runs: one short, or several long ones after each other.

use std::time::Duration;

use slo_hub::tasks::Tasks;
use tokio::time::{Instant, timeout};

use crate::run::{Scale, Verdict, run};

/// Which seed alone is run, where one is.
const SEED: &str = "SLO_HUB_SEED";
/// How many are, from 1, where not two.
const SEEDS: &str = "FAULTS_SEEDS";

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it takes minutes: make faults"]
async fn a_hub_at_work_survives_every_fault_and_nothing_is_lost() {
    let seeds = number(SEED).map_or_else(|| (1..=number(SEEDS).unwrap_or(2)).collect(), |seed| vec![seed]);
    judged(&seeds, Scale::LONG, Duration::from_secs(600), "make faults").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it takes most of a minute: make faults-short"]
async fn a_hub_at_work_survives_every_fault_for_a_moment() {
    judged(&[number(SEED).unwrap_or(1)], Scale::SHORT, Duration::from_secs(240), "make faults-short").await;
}

async fn judged(seeds: &[u64], scale: Scale, within: Duration, again: &str) {
    let mut broken = Vec::new();
    for &seed in seeds {
        println!("seed {seed}:");
        let began = Instant::now();
        // In a task of its own: its panic is no reason to end the others.
        let ended = Tasks::default().spawn(async move { timeout(within, run(seed, scale)).await }).await;
        let is_kept = match ended {
            Ok(Ok(verdict)) => say(seed, &verdict, began.elapsed()),
            Ok(Err(_)) => no_end(seed, "it never ends"),
            Err(_) => no_end(seed, "it panicked; why is said above"),
        };
        if !is_kept {
            broken.push(seed);
        }
    }
    let again = broken.first().map(|seed| format!("{SEED}={seed} {again}"));
    assert!(broken.is_empty(), "promises were broken with seeds {broken:?}; one again: {}", again.unwrap());
}

fn no_end(seed: u64, why: &str) -> bool {
    println!("seed {seed}: NOT FINISHED ({why})");
    false
}

/// Whether every promise was kept.
fn say(seed: u64, verdict: &Verdict, took: Duration) -> bool {
    let Verdict { table, sum, violations, written } = verdict;
    println!("{table}");
    for violation in violations {
        println!("BROKEN: {violation}");
    }
    if let Some(path) = written {
        println!("history: {}; the hub's log is beside it", path.display());
    }
    let end = if violations.is_empty() { "nothing lost" } else { "PROMISES BROKEN" };
    println!("seed {seed}: {sum}; {end} ({} s)", took.as_secs());
    violations.is_empty()
}
