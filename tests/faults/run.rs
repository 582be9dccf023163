//! One run of a seed: one fault after the other, then peace, then everybody comes back; its
//! history, and the verdict.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use slo_hub::tasks::Tasks;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::checker;
use crate::cluster::Cluster;
use crate::crowd::{self, Crowd};
use crate::disk::SmallDisk;
use crate::evidence::{self, Evidence};
use crate::follower::{Follower, read_log};
use crate::history::{self, Answer, Entry, Event, History};
use crate::judge;
use crate::luck::Luck;
use crate::reporter::{By, Reporter};
use crate::strikes::{self, Outcome};
use crate::support::issuer::TestIssuer;
use crate::table::{FAULTS, Fault, Strike};
use crate::tally;
use crate::world::{Phase, World};

/// How many back ends follow the log through the faults.
const FOLLOWERS: u32 = 2;
/// How long whoever is connected may take to be told once everything works.
const TOLD_WITHIN: Duration = Duration::from_secs(15);
/// How long everybody may take to come back, and every follower to catch up.
const BACK_WITHIN: Duration = Duration::from_secs(30);
/// How long receipts, which are written behind, may take.
const WRITTEN_WITHIN: Duration = Duration::from_secs(5);

/// How much of everything there is.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// How often each fault comes.
    pub rounds: usize,
    /// How long it lasts at least, and below, in milliseconds.
    pub lasts: (usize, usize),
    /// How long after one person the next one comes, at least, and below, in milliseconds.
    pub arrivals: (usize, usize),
    /// How long a caller pauses between two reports, in milliseconds.
    pub pause: u64,
    /// How many sockets never subscribe.
    pub never_subscribe: usize,
    /// Whether a rotation is waited out, where the short run starts the hub again.
    pub waits_for_keys: bool,
    /// The records are on a disk that can be filled.
    pub has_small_disk: bool,
}

impl Scale {
    pub const SHORT: Self = Self {
        rounds: 1,
        lasts: (200, 500),
        arrivals: (100, 600),
        pause: 250,
        never_subscribe: 1_000,
        waits_for_keys: false,
        has_small_disk: false,
    };
    pub const LONG: Self = Self {
        rounds: 2,
        lasts: (800, 3_000),
        arrivals: (300, 1_200),
        pause: 1_000,
        never_subscribe: 10_000,
        waits_for_keys: true,
        has_small_disk: false,
    };
}

/// What became of a seed.
pub struct Verdict {
    pub table: String,
    pub sum: String,
    /// In words; none where every promise was kept.
    pub violations: Vec<String>,
    /// Where the history and the log are, where there were some.
    pub written: Option<PathBuf>,
}

/// Runs a seed and judges it.
pub async fn run(seed: u64, mut scale: Scale) -> Verdict {
    let (folder, records) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let disk = SmallDisk::mount(records.path());
    scale.has_small_disk = disk.is_some();
    let (entries, outcomes, evidence) = live(seed, &scale, folder.path(), records.path()).await;
    let mut violations = judge::judge(&entries, &evidence);
    violations.extend(outcomes.iter().filter_map(|(name, outcome)| match outcome {
        Outcome::Broke(why) => Some(format!("{name}: {why}")),
        _ => None,
    }));
    let keep = |_| {
        let to = PathBuf::from(format!("target/faults/seed-{seed}.jsonl"));
        history::write(&entries, &to).unwrap();
        std::fs::copy(folder.path().join("hub.log"), to.with_extension("log")).unwrap();
        to
    };
    let written = violations.first().map(keep);
    Verdict { table: tally::table(&entries, &outcomes), sum: tally::sum(&entries), violations, written }
}

type Outcomes = Vec<(&'static str, Outcome)>;

async fn live(seed: u64, scale: &Scale, folder: &Path, records: &Path) -> (Vec<Entry>, Outcomes, Evidence) {
    let issuer = TestIssuer::start().await;
    let cluster = Cluster::start(folder, records, issuer.url(), scale.never_subscribe + 500).await;
    let world = Arc::new(World::new(History::begin(), issuer, cluster));
    let mut followers = JoinSet::new();
    for number in 0..FOLLOWERS {
        // The first from the beginning, the other from when it comes.
        let after = (number == 0).then(String::new);
        let luck = Luck::of(seed, 100 + u64::from(number));
        followers.spawn(Follower { world: Arc::clone(&world), luck, number, after, only_to: None }.live());
    }
    let doors = watch::Sender::new(false);
    let arriving = crowd::arrive(Arc::clone(&world), scale.arrivals, Luck::of(seed, 1), doors.subscribe());
    let arriving = Tasks::default().spawn(arriving);
    let outcomes = strike_all(&world, scale, Luck::of(seed, 2)).await;
    world.history.note(Event::Healed);
    doors.send_replace(true);
    settle(&world, arriving.await.unwrap()).await;
    finish(&world, &mut followers).await;
    let evidence = gather(&world).await;
    (world.history.entries(), outcomes, evidence)
}

/// Each fault, so many times, in an order of the seed's; at the end of each round SIGTERM under
/// all of it.
async fn strike_all(world: &Arc<World>, scale: &Scale, mut luck: Luck) -> Outcomes {
    let mut outcomes = Vec::new();
    for _ in 0..scale.rounds {
        let mut faults: Vec<&Fault> = FAULTS.iter().collect();
        faults.sort_by_cached_key(|fault| (fault.strike == Strike::TerminateUnderAll, luck.below(1 << 30)));
        for fault in faults.into_iter().filter(|fault| is_wanted(fault)) {
            sleep(luck.millis(200, 600)).await;
            let what = fault.name.to_owned();
            println!("  {what}");
            world.history.note(Event::Broken { what: what.clone() });
            let outcome = strikes::strike(world, scale, fault.strike, &mut luck).await;
            world.history.note(Event::Mended { what });
            outcomes.push((fault.name, outcome));
        }
    }
    outcomes
}

/// `FAULTS_ONLY=power`: those whose names have that word in them.
fn is_wanted(fault: &Fault) -> bool {
    std::env::var("FAULTS_ONLY").map_or(true, |word| fault.name.contains(&word))
}

/// Everybody has reported; who is connected is told; who is away comes back and is told.
async fn settle(world: &Arc<World>, mut crowd: Crowd) {
    let heard = async { while crowd.reporters.join_next().await.transpose().unwrap().is_some() {} };
    assert!(timeout(BACK_WITHIN, heard).await.is_ok(), "reporters are never heard by a hub that is well");
    world.enter(Phase::Settle);
    let told = async {
        while !checker::untold(&world.history.entries()).is_empty() {
            sleep(Duration::from_millis(200)).await;
        }
    };
    // Whoever is not told by then is found by the checker; the same below.
    let _ = timeout(TOLD_WITHIN, told).await;
    world.history.note(Event::Settled);
    world.enter(Phase::Return);
    let back = async { while crowd.tabs.join_next().await.transpose().unwrap().is_some() {} };
    let _ = timeout(BACK_WITHIN, back).await;
}

/// Marks the end of the log, reads the log, and lets every follower come that far: those of
/// the run, and a fresh one.
async fn finish(world: &Arc<World>, followers: &mut JoinSet<()>) {
    let who = world.issuer.sign_in("sub-7c41f0-end");
    let began = world.issuer.now();
    let (here, luck) = (Arc::clone(world), Luck::of(0, 0));
    let end = Reporter { world: here, luck, who, began, by: By::BackEnd, everywhere: false, tries: 20 };
    let last = match end.report().await {
        Some(Answer::Acknowledged { id: Some(id), .. }) => id,
        other => panic!("a hub that is well takes logouts: {other:?}"),
    };
    world.ends_with(&last);
    for logout in read_log(world.cluster.door(0), &[last]).await {
        world.history.note(Event::Logged { logout });
    }
    let (after, luck) = (Some(String::new()), Luck::of(0, 0));
    followers.spawn(Follower { world: Arc::clone(world), luck, number: FOLLOWERS, after, only_to: None }.live());
    let caught_up = async { while followers.join_next().await.transpose().unwrap().is_some() {} };
    let _ = timeout(BACK_WITHIN, caught_up).await;
    world.history.note(Event::Finished);
}

/// The receipts, once they say what they are to say or have had the time to; then the trail
/// and the log of a hub that has ended.
async fn gather(world: &World) -> Evidence {
    let entries = world.history.entries();
    let ids: Vec<String> = entries.iter().filter_map(judge::logged).map(str::to_owned).collect();
    let mut receipts = evidence::receipts(world, &ids).await;
    let written = async {
        while !judge::receipts(&entries, &receipts).is_empty() {
            sleep(Duration::from_millis(200)).await;
            receipts = evidence::receipts(world, &ids).await;
        }
    };
    let _ = timeout(WRITTEN_WITHIN, written).await;
    let mut hub = world.cluster.hub.lock().await;
    let ended = hub.terminate(Duration::from_secs(10)).await;
    let mut log = evidence::unfit(&std::fs::read_to_string(hub.log()).unwrap(), world.issuer.url());
    if ended.is_none() {
        log.push("told to end with nothing to do, it did not end well".to_owned());
    }
    Evidence { receipts, trail: evidence::trail(&hub.config()), log }
}
