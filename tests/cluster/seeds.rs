//! Many seeds, several at a time.

use std::time::Duration;

use slo_hub::tasks::Tasks;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::history;
use crate::run::{Verdict, run};

/// Which seed alone is run, where one is.
const SEED: &str = "SLO_HUB_SEED";
/// How many are, from 1, where not ten.
const SEEDS: &str = "SLO_HUB_SEEDS";
/// How many run at a time: each leaves two cores idle most of the time.
const AT_A_TIME: &str = "SLO_HUB_SEEDS_AT_A_TIME";
/// No seed takes that long.
const OVER_WITHIN: Duration = Duration::from_secs(240);

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it takes minutes: make jepsen"]
async fn three_nodes_keep_every_promise_while_everything_around_them_breaks() {
    let mut waiting = match number(SEED) {
        Some(seed) => vec![seed],
        None => (1..=number(SEEDS).unwrap_or(10)).rev().collect(),
    };
    let at_a_time = usize::try_from(number(AT_A_TIME).unwrap_or(4)).unwrap();
    let (mut running, mut broken) = (JoinSet::new(), Vec::new());
    loop {
        while running.len() < at_a_time
            && let Some(seed) = waiting.pop()
        {
            running.spawn(async move { (seed, ended(seed).await) });
        }
        let Some((seed, verdict)) = running.join_next().await.transpose().unwrap() else { break };
        match &verdict {
            Ok(verdict) => say(seed, verdict),
            Err(fault) => println!("seed {seed}: NOT FINISHED ({fault}); what panicked is said above"),
        }
        if !verdict.is_ok_and(|verdict| verdict.violations.is_empty()) {
            broken.push(seed);
        }
    }
    broken.sort_unstable();
    assert!(
        broken.is_empty(),
        "promises were broken with seeds {broken:?}; one again: {SEED}={} make jepsen",
        broken[0]
    );
}

/// Runs a seed in a task of its own: its panic is no reason to end the others.
async fn ended(seed: u64) -> Result<Verdict, &'static str> {
    let task = Tasks::default().spawn(async move { timeout(OVER_WITHIN, run(seed)).await });
    task.await.map_err(|_| "it panicked")?.map_err(|_| "it never ends")
}

fn say(seed: u64, verdict: &Verdict) {
    let Verdict { summary, violations, written } = verdict;
    let kept = if violations.is_empty() { "every promise kept" } else { "PROMISES BROKEN" };
    println!("seed {seed}: {kept} ({summary})");
    for violation in violations {
        println!("  {violation}");
    }
    if let Some(path) = written {
        println!("  history: {}", path.display());
    }
}

/// For whoever looks into a history that was kept: the verdict over it, without a run.
#[test]
#[ignore = "it judges the history that SLO_HUB_HISTORY names"]
fn a_kept_history_is_judged_again() {
    let path = std::env::var("SLO_HUB_HISTORY").expect("SLO_HUB_HISTORY names a history");
    let violations = crate::checker::check(&history::read(path.as_ref()).unwrap());
    let words: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(words.is_empty(), "\n{}", words.join("\n"));
}
