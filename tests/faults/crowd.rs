//! People who come all the time, each with a session or two and some tabs, and who ends them.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::history::Answer;
use crate::luck::Luck;
use crate::reporter::{By, Reporter};
use crate::support::issuer::TestSession;
use crate::tab::Tab;
use crate::world::World;

/// What no person's name has in common with any other word: a log that has it names somebody.
pub const PERSON: &str = "sub-7c41f0-";

/// How long before it comes an old session began, in seconds.
const OLD: i64 = 3_600;

/// Everything that is under way.
#[derive(Default)]
pub struct Crowd {
    pub tabs: JoinSet<()>,
    pub reporters: JoinSet<()>,
    people: u32,
    tab: u32,
}

/// Lets people come until the doors are closed; then these are all.
pub async fn arrive(
    world: Arc<World>,
    (least, below): (usize, usize),
    mut luck: Luck,
    mut closed: watch::Receiver<bool>,
) -> Crowd {
    let mut crowd = Crowd::default();
    loop {
        let next = luck.millis(least, below);
        tokio::select! {
            _ = closed.wait_for(|is_closed| *is_closed) => return crowd,
            () = sleep(next) => crowd.person(&world, &mut luck),
        }
    }
}

impl Crowd {
    fn person(&mut self, world: &Arc<World>, luck: &mut Luck) {
        let name = format!("{PERSON}{}", self.people);
        self.people += 1;
        for _ in 0..=luck.below(2) {
            self.session(world, &world.issuer.sign_in(&name), luck);
        }
    }

    fn session(&mut self, world: &Arc<World>, who: &TestSession, luck: &mut Luck) {
        let began = world.issuer.now() - if luck.one_in(2) { OLD } else { 0 };
        for _ in 0..=luck.below(3) {
            let (world, who, number) = (Arc::clone(world), who.clone(), self.tab);
            let (later, luck) = (luck.millis(0, 500), luck.another());
            self.tab += 1;
            self.tabs.spawn(async move {
                sleep(later).await;
                Tab::new(&world, luck, number, who, began).live().await;
            });
        }
        // Some sessions outlast the run.
        if luck.one_in(8) {
            return;
        }
        let ends = luck.millis(300, 5_000);
        // What several say at once is one logout, or one of each kind.
        for _ in 0..if luck.one_in(3) { 2 } else { 1 } {
            let reporter = reporter(world, who, began, luck);
            let at = ends + luck.millis(0, 200);
            self.reporters.spawn(async move {
                sleep(at).await;
                let _: Option<Answer> = reporter.report().await;
            });
        }
    }
}

fn reporter(world: &Arc<World>, who: &TestSession, began: i64, luck: &mut Luck) -> Reporter {
    let by = [By::Page, By::Page, By::BackEnd, By::Issuer, By::Issuer][luck.below(5)];
    let everywhere = luck.one_in(8);
    // Some give up after the first try: then nobody knows, and both are right.
    let tries = if luck.one_in(6) { 1 } else { 1_000 };
    Reporter { world: Arc::clone(world), luck: luck.another(), who: who.clone(), began, by, everywhere, tries }
}
