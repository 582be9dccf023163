//! Who lives in a run: people with sessions, each with tabs, and who ends them.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::history::Answer;
use crate::luck::Luck;
use crate::reporter::{By, Reporter};
use crate::support::issuer::TestSession;
use crate::tab::Tab;
use crate::world::World;

/// How many people there are. Each has one to three sessions, with two to four tabs each.
const PEOPLE: u64 = 24;
/// How long before the run an old session began, in seconds.
const OLD: i64 = 3_600;

/// A person's session as it is to go.
struct Story {
    who: TestSession,
    began: i64,
    luck: Luck,
}

/// Everything that is under way.
#[derive(Default)]
pub struct Crowd {
    pub tabs: JoinSet<()>,
    pub reporters: JoinSet<()>,
}

impl Crowd {
    /// Lets everybody of a seed begin.
    pub fn begin(world: &Arc<World>, seed: u64) -> Self {
        let mut crowd = Self::default();
        let mut tab = 0;
        for person in 0..PEOPLE {
            let mut luck = Luck::of(seed, 1_000 + person);
            for session in 0..=luck.below(3) {
                let age = if luck.one_in(2) { OLD } else { 0 };
                let story = Story {
                    who: world.issuer.sign_in(&format!("person-{person}")),
                    began: world.issuer.now() - age,
                    luck: Luck::of(seed, 10_000 + 10 * person + u64::try_from(session).unwrap()),
                };
                crowd.add(world, story, &mut tab);
            }
        }
        crowd
    }

    fn add(&mut self, world: &Arc<World>, mut story: Story, number: &mut u32) {
        let (begins, tabs) = (story.luck.millis(0, 8_000), 2 + story.luck.below(3));
        for _ in 0..tabs {
            let (world, who, began, tab) = (Arc::clone(world), story.who.clone(), story.began, *number);
            let (later, luck) = (story.luck.millis(0, 500), story.luck.another());
            self.tabs.spawn(async move {
                sleep(begins + later).await;
                Tab::new(&world, luck, tab, who, began).live().await;
            });
            *number += 1;
        }
        // Some sessions outlast the run.
        if story.luck.one_in(8) {
            return;
        }
        let ends = begins + story.luck.millis(300, 14_000);
        let many = if story.luck.one_in(3) { 2 } else { 1 };
        for _ in 0..many {
            let reporter = reporter(world, &mut story);
            let at = ends + story.luck.millis(0, 200);
            self.reporters.spawn(async move {
                sleep(at).await;
                let _: Option<Answer> = reporter.report().await;
            });
        }
    }
}

fn reporter(world: &Arc<World>, story: &mut Story) -> Reporter {
    let by = [By::Page, By::Page, By::BackEnd, By::Issuer, By::Issuer][story.luck.below(5)];
    let everywhere = story.luck.one_in(8);
    // Some give up after the first try: then nobody knows, and both are right.
    let tries = if story.luck.one_in(4) { 1 } else { 1_000 };
    let luck = story.luck.another();
    Reporter { world: Arc::clone(world), luck, who: story.who.clone(), began: story.began, by, everywhere, tries }
}
