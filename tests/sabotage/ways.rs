//! The ways to break the hub, as `ways.yaml` lists them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// One change to one file that must not go unnoticed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Way {
    pub id: String,
    /// What is broken by it.
    pub breaks: String,
    pub file: String,
    /// What stands there, once.
    pub find: String,
    /// What is put in its place.
    pub put: String,
    /// `file/id` of the attack that catches it.
    pub row: Option<String>,
    /// The test of the whole hub that does.
    pub test: Option<String>,
    /// The test of one part that does.
    pub unit: Option<String>,
}

impl Way {
    /// The sabotaged file.
    pub fn applied(&self) -> Result<String, String> {
        let text = fs::read_to_string(root().join(&self.file)).map_err(|error| format!("{}: {error}", self.file))?;
        match text.matches(&self.find).count() {
            1 => Ok(text.replacen(&self.find, &self.put, 1)),
            count => Err(format!("{}: what it changes stands in {} {count} times", self.id, self.file)),
        }
    }
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn all() -> Vec<Way> {
    let text = fs::read_to_string(root().join("tests/sabotage/ways.yaml")).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("ways.yaml: {error}"))
}

#[test]
fn every_way_still_fits_the_source_and_names_one_that_catches_it() {
    let ways = all();
    assert!(ways.iter().map(|way| &way.id).collect::<BTreeSet<_>>().len() == ways.len(), "an id stands twice");
    let (whole, parts) = (sources("tests/it"), sources("src"));
    let mut faults: Vec<_> = ways.iter().filter_map(|way| way.applied().err()).collect();
    for way in &ways {
        let is_there = match (&way.row, &way.test, &way.unit) {
            (Some(row), None, None) => has_row(row),
            (None, Some(test), None) => whole.contains(&format!("fn {test}(")),
            (None, None, Some(unit)) => parts.contains(&format!("fn {unit}(")),
            _ => false,
        };
        if !is_there {
            faults.push(format!("{}: what should catch it is not there", way.id));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn has_row(row: &str) -> bool {
    let Some((file, id)) = row.split_once('/') else { return false };
    let text = fs::read_to_string(root().join(format!("tests/attacks/{file}.yaml"))).unwrap_or_default();
    let begins = [format!("- {{id: {id},"), format!("- id: {id}\n")];
    begins.iter().any(|begin| text.contains(begin))
}

/// All Rust under a folder, in one text.
fn sources(folder: &str) -> String {
    let mut text = String::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            if root().join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text += &fs::read_to_string(root().join(path)).unwrap();
            }
        }
    }
    text
}
