//! One run of a seed: faults, then peace, then everybody comes back; and its history.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::checker;
use crate::cluster::{Cluster, NODES};
use crate::faults;
use crate::follower::{Follower, read_log};
use crate::history::{self, Answer, Entry, Event, History};
use crate::luck::Luck;
use crate::people::Crowd;
use crate::reporter::{By, Reporter};
use crate::support::issuer::TestIssuer;
use crate::world::{Phase, World};

/// How many back ends follow the log through the faults.
const FOLLOWERS: u32 = 3;
/// How long whoever is connected may take to be told once everything works: many times
/// what it takes, on a machine that has much else to do.
const TOLD_WITHIN: Duration = Duration::from_secs(15);
/// How long everybody may take to come back, and every follower to catch up.
const BACK_WITHIN: Duration = Duration::from_secs(30);

/// What became of a seed.
pub struct Verdict {
    pub summary: String,
    /// In words; none where every promise was kept.
    pub violations: Vec<String>,
    /// Where the history is, where there were some.
    pub written: Option<PathBuf>,
}

/// Runs a seed and judges it.
pub async fn run(seed: u64) -> Verdict {
    let folder = TempDir::new().unwrap();
    let entries = live(seed, &folder).await;
    let violations = checker::check(&entries);
    let keep = |_| {
        let to = PathBuf::from(format!("target/cluster/seed-{seed}.jsonl"));
        history::write(&entries, &to).unwrap();
        for number in 0..NODES {
            let log = folder.path().join(format!("node-{number}/hub.log"));
            std::fs::copy(log, to.with_file_name(format!("seed-{seed}-node-{number}.log"))).unwrap();
        }
        to
    };
    let written = violations.first().map(keep);
    Verdict { summary: summary(&entries), violations: violations.iter().map(ToString::to_string).collect(), written }
}

async fn live(seed: u64, folder: &TempDir) -> Vec<Entry> {
    let issuer = TestIssuer::start().await;
    let cluster = Cluster::start(folder.path(), issuer.url()).await;
    let world = Arc::new(World::new(History::begin(), issuer, cluster));
    let mut followers = JoinSet::new();
    for number in 0..FOLLOWERS {
        // The first from the beginning, the others from when they come.
        let after = (number == 0).then(String::new);
        let luck = Luck::of(seed, 100 + u64::from(number));
        followers.spawn(Follower { world: Arc::clone(&world), luck, number, after, only_to: None }.live());
    }
    let mut crowd = Crowd::begin(&world, seed);
    // Two at a time: what one does to the other is half of the trouble.
    let (one, two) = (Luck::of(seed, 1), Luck::of(seed, 2));
    tokio::join!(faults::strike(Arc::clone(&world), one), faults::strike(Arc::clone(&world), two));

    world.cluster.heal().await;
    world.history.note(Event::Healed);
    let heard = async { while crowd.reporters.join_next().await.transpose().unwrap().is_some() {} };
    assert!(
        timeout(BACK_WITHIN, heard).await.is_ok(),
        "seed {seed}: reporters are never heard by a cluster that is well"
    );
    world.enter(Phase::Settle);
    settle(&world).await;
    world.history.note(Event::Settled);

    world.enter(Phase::Return);
    let back = async { while crowd.tabs.join_next().await.transpose().unwrap().is_some() {} };
    // Whoever is not back by then is found by the checker.
    let _ = timeout(BACK_WITHIN, back).await;
    finish(&world, &mut followers).await;
    world.history.entries()
}

/// Waits until everybody who is connected has been told, or has had the time to be.
async fn settle(world: &World) {
    let told = async {
        while !checker::untold(&world.history.entries()).is_empty() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    let _ = timeout(TOLD_WITHIN, told).await;
}

/// Marks the end of the log through every node, reads the log, and lets every follower
/// come that far: those of the run, and a fresh one at each node.
async fn finish(world: &Arc<World>, followers: &mut JoinSet<()>) {
    let mut last = Vec::new();
    for number in 0..NODES {
        let who = world.issuer.sign_in("the-end");
        let (world, luck) = (Arc::clone(world), Luck::of(0, 0));
        let began = world.issuer.now();
        let end = Reporter { world, luck, who, began, by: By::BackEnd, everywhere: false, tries: 20 };
        match end.report_to(Some(number)).await {
            Some(Answer::Acknowledged { id: Some(id), .. }) => last.push(id),
            other => panic!("a cluster that is well takes logouts: {other:?}"),
        }
    }
    let log = read_log(world.cluster.door(0), &last).await;
    world.ends_with(&log.last().expect("there are the marks at least").id);
    for logout in log {
        world.history.note(Event::Logged { logout });
    }
    for number in 0..NODES {
        let after = Some(String::new());
        let name = FOLLOWERS + u32::try_from(number).unwrap();
        let luck = Luck::of(0, 0);
        let fresh = Follower { world: Arc::clone(world), luck, number: name, after, only_to: Some(number) };
        followers.spawn(fresh.live());
    }
    let caught_up = async { while followers.join_next().await.transpose().unwrap().is_some() {} };
    let _ = timeout(BACK_WITHIN, caught_up).await;
    world.history.note(Event::Finished);
}

/// What there was of everything: a run in which nothing happens keeps every promise.
fn summary(entries: &[Entry]) -> String {
    let count = |is: fn(&Event) -> bool| entries.iter().filter(|entry| is(&entry.event)).count();
    let is_heard = |event: &Event| matches!(event, Event::Reported { answer: Answer::Acknowledged { .. }, .. });
    let is_unknown = |event: &Event| matches!(event, Event::Reported { answer: Answer::Unknown { .. }, .. });
    let is_push = |event: &Event| matches!(event, Event::Told { .. });
    format!(
        "{} faults, {} tabs, {} subscribes, {} reports acknowledged, {} unknown, {} times told, {} logouts",
        count(|event| matches!(event, Event::Broken { .. })),
        count(|event| matches!(event, Event::Opened { .. })),
        count(|event| matches!(event, Event::Subscribing { .. })),
        count(is_heard),
        count(is_unknown),
        count(is_push),
        count(|event| matches!(event, Event::Logged { .. })),
    )
}
