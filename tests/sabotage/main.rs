//! A suite that cannot fail proves nothing. So the hub is broken on purpose, in a copy, one
//! way after the other, and each way must be caught by the row or the test that is named for
//! it in `ways.yaml`.
//!
//! `make sabotage` runs it; `SLO_HUB_WAYS=none-is-an-algorithm,any-secret` runs some.

#![expect(unreachable_pub, reason = "a test binary has no outside; its modules are public to one another")]
#![expect(clippy::unwrap_used, reason = "a copy that cannot be made is a failed test")]

mod tree;
mod ways;

use tree::{Ended, Tree};
use ways::Way;

/// What catches it.
enum Catcher<'a> {
    Row { group: String, row: &'a str },
    Test(&'a str),
    Unit(&'a str),
}

impl Way {
    fn catcher(&self) -> Catcher<'_> {
        match (&self.row, &self.test, &self.unit) {
            (Some(row), ..) => {
                let (file, _) = row.split_once('/').unwrap();
                Catcher::Row { group: format!("attacks::{}", file.replace('-', "_")), row }
            }
            (_, Some(test), _) => Catcher::Test(test),
            (_, _, Some(unit)) => Catcher::Unit(unit),
            (None, None, None) => panic!("{} names nothing that catches it", self.id),
        }
    }
}

impl Catcher<'_> {
    fn run(&self, tree: &Tree) -> Ended {
        match self {
            Self::Row { group, .. } => tree.test(&["--test", "it"], &["--exact", group]),
            Self::Test(name) => tree.test(&["--test", "it"], &[&format!("::{name}")]),
            Self::Unit(name) => tree.test(&["--lib"], &[&format!("::{name}")]),
        }
    }

    /// Whether that end is its doing.
    fn has_caught(&self, ended: &Ended) -> bool {
        match self {
            Self::Row { row, .. } => ended.output.contains(&format!("\n{row}: ")),
            Self::Test(name) | Self::Unit(name) => ended.output.contains(&format!("{name} ... FAILED")),
        }
    }
}

#[test]
#[ignore = "half an hour: `make sabotage`"]
fn the_hub_broken_in_any_way_is_caught_by_what_is_named_for_it() {
    let ways = wanted();
    let tree = Tree::copied();
    let mut uncaught = Vec::new();
    for way in &ways {
        tree.put(&way.file, &way.applied().unwrap());
        let ended = way.catcher().run(&tree);
        tree.restore(&way.file);
        let verdict = match (ended.is_built, way.catcher().has_caught(&ended)) {
            (false, _) => "it does not compile",
            (true, false) => "NOT CAUGHT",
            (true, true) => "caught",
        };
        println!("{verdict:>20}  {:<36} {}", way.id, way.breaks);
        if verdict != "caught" {
            println!("{}", ended.tail());
            uncaught.push(way.id.clone());
        }
    }
    assert!(uncaught.is_empty(), "not caught: {uncaught:?}");
    // What catches everything because it always fails has caught nothing.
    let faulty: Vec<_> = ways.iter().filter(|way| !way.catcher().run(&tree).is_ok).map(|way| &way.id).collect();
    assert!(faulty.is_empty(), "with the hub whole they fail too: {faulty:?}");
    println!("{} ways to break the hub, {} caught", ways.len(), ways.len());
}

fn wanted() -> Vec<Way> {
    let Ok(names) = std::env::var("SLO_HUB_WAYS") else { return ways::all() };
    let chosen: Vec<_> = ways::all().into_iter().filter(|way| names.split(',').any(|name| name == way.id)).collect();
    assert!(!chosen.is_empty(), "no such way: {names}");
    chosen
}
