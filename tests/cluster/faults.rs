//! What breaks: a seed says what and in which order; when exactly is the machine's to say.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use crate::cluster::NODES;
use crate::history::Event;
use crate::luck::Luck;
use crate::relay::Mode;
use crate::world::World;

/// How long nothing breaks at first.
const CALM_LASTS: Duration = Duration::from_secs(3);
/// How long things break then.
const FAULTS_LAST: Duration = Duration::from_secs(20);

/// One thing that breaks, and for how long.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// `kill -9` of a node.
    KillNode(usize),
    /// `kill -STOP` of a node: it answers nobody, and its clock jumps when it wakes.
    FreezeNode(usize),
    /// PostgreSQL ends without a checkpoint; its clients are told.
    StopDatabase,
    /// `kill -9` of PostgreSQL.
    KillDatabase,
    /// A node's connections to the database break, once.
    CutBack(usize),
    /// A node does not reach the database.
    RefuseBack(usize),
    /// Nothing goes over a node's connections to the database; nobody is told.
    StallBack(usize),
    /// The same, for all nodes at once.
    StallBacks,
    /// A node's connections to its clients break, once.
    CutFront(usize),
    /// Nothing goes over them; nobody is told.
    StallFront(usize),
    /// All that the balancer carries breaks, once.
    CutBalancer,
}

impl Fault {
    fn any(luck: &mut Luck) -> Self {
        let node = luck.below(NODES);
        match luck.below(16) {
            0..=3 => Self::KillNode(node),
            4 | 5 => Self::FreezeNode(node),
            // Seldom: it takes long to come back on a busy disk, and nothing else happens then.
            6 => [Self::StopDatabase, Self::KillDatabase][luck.below(2)],
            7 | 8 => Self::CutBack(node),
            9 | 10 => Self::RefuseBack(node),
            11 | 12 => Self::StallBack(node),
            13 => [Self::StallBacks, Self::CutBalancer][luck.below(2)],
            14 => Self::CutFront(node),
            _ => Self::StallFront(node),
        }
    }

    async fn strike(self, world: &World, lasts: Duration) {
        let cluster = &world.cluster;
        match self {
            Self::KillNode(number) => {
                cluster.nodes[number].lock().await.kill();
                sleep(lasts.min(Duration::from_secs(1))).await;
                cluster.run(number).await;
            }
            Self::FreezeNode(number) => {
                // Held: nobody else has to do with it meanwhile.
                let node = cluster.nodes[number].lock().await;
                node.signal(Signal::STOP);
                sleep(lasts).await;
                node.signal(Signal::CONT);
            }
            Self::StopDatabase | Self::KillDatabase => {
                let signal = if matches!(self, Self::KillDatabase) { Signal::KILL } else { Signal::QUIT };
                let mut postgres = cluster.postgres.lock().await;
                postgres.stop(signal);
                sleep(lasts.min(Duration::from_millis(1_500))).await;
                postgres.run().await;
            }
            Self::CutBack(number) => cluster.backs[number].cut(),
            Self::CutFront(number) => cluster.fronts[number].cut(),
            Self::CutBalancer => cluster.balancer.cut(),
            Self::RefuseBack(number) => cluster.backs[number].fails(Mode::Refuse, lasts).await,
            Self::StallBack(number) => cluster.backs[number].fails(Mode::Stall, lasts).await,
            Self::StallFront(number) => cluster.fronts[number].fails(Mode::Stall, lasts).await,
            Self::StallBacks => {
                let [one, two, three] = [0, 1, 2].map(|number| cluster.backs[number].fails(Mode::Stall, lasts));
                tokio::join!(one, two, three);
            }
        }
    }
}

/// Breaks one thing after the other until time is up; the last is mended by then.
pub async fn strike(world: Arc<World>, mut luck: Luck) {
    sleep(CALM_LASTS).await;
    let end = Instant::now() + FAULTS_LAST;
    while Instant::now() < end {
        sleep(luck.millis(100, 1_200)).await;
        let most = if luck.one_in(3) { 6_000 } else { 1_500 };
        let lasts = luck.millis(100, most);
        let fault = Fault::any(&mut luck);
        world.history.note(Event::Broken { what: format!("{fault:?} for {} ms", lasts.as_millis()) });
        fault.strike(&world, lasts).await;
        world.history.note(Event::Mended { what: format!("{fault:?}") });
    }
}
