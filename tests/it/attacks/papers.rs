//! What is written about the corpus: the README's count, and `docs/security.md`, requirement
//! by requirement with the rows that show it. Both are made from the corpus;
//! `make attack-papers` writes them, and here it is held that they are as it would.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::corpus;

/// Set, the papers are written instead of compared.
const WRITE: &str = "WRITE_ATTACK_PAPERS";

/// What the page says before its tables.
const INTRODUCTION: &str = "# Security, requirement by requirement

<!-- Made from tests/attacks by `make attack-papers`. Change it there. -->

Every attack that the hub is held against is a row of a file in [`tests/attacks`](../tests/attacks): what is sent,
and how it has to end. Each file is played against the real hub, between controls: valid requests that must be taken
before its rows and after them, so that a hub which refuses everything fails. After each row nothing may have been
recorded, no app may have heard anything, and neither the log (at `debug`, the hub's own at `trace`), nor the metrics,
nor the answer may hold the token, `sid`, `sub` or `state` that was sent. At the end of a file a logout of both people
who listened is the first thing that they hear. The groups on configuration and on deliveries are watched otherwise: a configuration is
refused by `check` and by `serve`, which show no secret and write nothing; a delivery is judged by its receipt, and after all
of them the hub lives, the next logout is pushed and told, and log and metrics hold no token and nobody's name.

The group `post-message` is about the browser, and is played by the SDK's own tests
([`client-sdk/client/test/attacks.test.ts`](../client-sdk/client/test/attacks.test.ts)): whatever else a window or another
tab says, nobody is signed out or in, nothing is stored or asked, no error reaches the page, and what counts is heard
after it as before. Both runners fail when a row is left out.

The tables name, for each requirement, the rows that show it. Where none can, or where a requirement is not the hub's
to meet, the table says so.

";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Standard {
    title: String,
    source: String,
    /// What has to be known beside its table.
    #[serde(default)]
    note: String,
    requirements: Vec<Requirement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirement {
    id: String,
    /// What it is called in its text.
    name: String,
    /// In our words.
    asks: String,
    /// What else shows it, what is not covered, why it does not apply.
    #[serde(default)]
    note: String,
}

/// A way to break the hub, of `tests/sabotage/ways.yaml`.
#[derive(Deserialize)]
struct Way {
    id: String,
    breaks: String,
    row: Option<String>,
    test: Option<String>,
    unit: Option<String>,
}

/// What the page says before the ways to break the hub.
const SABOTAGE: &str = "
## Broken on purpose

A suite that cannot fail proves nothing. So `make sabotage` breaks a copy of the hub, one way after the other, and looks
whether the attack or the test that is named here fails; at the end all of them are run against the whole hub, where
they must not. What is changed for each stands in [`ways.yaml`](../tests/sabotage/ways.yaml).

| way | what is broken | caught by |
| --- | --- | --- |
";

/// The rows that show each requirement, by file.
type Shown = BTreeMap<String, BTreeMap<String, Vec<String>>>;

fn shown() -> Shown {
    let mut shown = Shown::new();
    for name in corpus::names() {
        for row in corpus::group(&name).rows {
            assert!(!row.shows.is_empty(), "{name}/{} shows nothing", row.id);
            for requirement in row.shows.iter().collect::<BTreeSet<_>>() {
                let files = shown.entry(requirement.clone()).or_default();
                files.entry(name.clone()).or_default().push(row.id.clone());
            }
        }
    }
    shown
}

fn standards() -> Vec<Standard> {
    let folder = corpus::folder().join("standards");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |file: &PathBuf| {
        let text = std::fs::read_to_string(file).unwrap();
        serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    };
    files.iter().map(read).collect()
}

fn page() -> String {
    let shown = shown();
    let mut text = INTRODUCTION.to_owned();
    writeln!(text, "There are {} rows in {} files.", count(), corpus::names().len()).unwrap();
    for standard in standards() {
        write!(text, "\n## {}\n\n{}\n\n", standard.title, standard.source).unwrap();
        if !standard.note.is_empty() {
            write!(text, "{}\n\n", standard.note.trim()).unwrap();
        }
        text.push_str("| requirement | asks | shown by |\n| --- | --- | --- |\n");
        for requirement in standard.requirements {
            let rows = shown.get(&requirement.id).map(rows).unwrap_or_default();
            let parts = [rows, requirement.note.trim().to_owned()];
            let shown_by: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            let shown_by = shown_by.join("<br>");
            writeln!(text, "| {} | {} | {shown_by} |", requirement.name, requirement.asks).unwrap();
        }
    }
    text + &sabotage()
}

fn sabotage() -> String {
    let listed =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sabotage/ways.yaml")).unwrap();
    let ways: Vec<Way> = serde_saphyr::from_str(&listed).unwrap();
    let mut table = SABOTAGE.to_owned();
    for Way { id, breaks, row, test, unit } in ways {
        let attack = row.map(|row| format!("attack `{row}`"));
        let test = test.or(unit).map(|name| format!("test `{name}`"));
        writeln!(table, "| {id} | {breaks} | {} |", attack.or(test).unwrap_or_default()).unwrap();
    }
    table
}

/// `file`: `row`, `row`; file by file.
fn rows(files: &BTreeMap<String, Vec<String>>) -> String {
    let line = |(file, rows): (&String, &Vec<String>)| {
        let rows: Vec<_> = rows.iter().map(|row| format!("`{row}`")).collect();
        format!("**{file}** {}", rows.join(", "))
    };
    files.iter().map(line).collect::<Vec<_>>().join("<br>")
}

fn count() -> usize {
    corpus::names().iter().map(|name| corpus::group(name).rows.len()).sum()
}

/// The file holds that text; or is made to.
fn holds(path: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "{} is not as the corpus has it: run `make attack-papers`", path.display());
}

#[test]
fn the_readme_says_how_many_attacks_there_are() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (before, rest) = readme.split_once("A corpus of ").expect("the README speaks of the corpus");
    let (_, after) = rest.split_once(" attacks").expect("the README says how many attacks there are");
    holds("README.md", &format!("{before}A corpus of {} attacks{after}", count()));
}

#[test]
fn the_page_on_security_names_the_rows_that_show_each_requirement() {
    holds("docs/security.md", &page());
}

#[test]
fn every_requirement_is_shown_or_says_why_not_and_every_row_shows_one_that_there_is() {
    let shown = shown();
    let requirements: Vec<_> = standards().into_iter().flat_map(|standard| standard.requirements).collect();
    let ids: BTreeSet<_> = requirements.iter().map(|it| it.id.clone()).collect();
    assert_eq!(ids.len(), requirements.len(), "an id stands twice");
    let unknown: Vec<_> = shown.keys().filter(|id| !ids.contains(*id)).collect();
    assert!(unknown.is_empty(), "rows show what no standard has: {unknown:?}");
    let silent = requirements.iter().filter(|it| !shown.contains_key(&it.id) && it.note.is_empty());
    let silent: Vec<_> = silent.map(|it| &it.id).collect();
    assert!(silent.is_empty(), "neither shown nor explained: {silent:?}");
}

#[test]
fn every_file_that_a_note_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let notes = standards().into_iter().flat_map(|it| it.requirements).map(|it| it.note).collect::<Vec<_>>().concat();
    let code = notes.split('`').skip(1).step_by(2).filter(|it| it.starts_with("tests/") || it.starts_with("src/"));
    let links = notes.split("](").skip(1).filter_map(|rest| rest.split(')').next()).map(|page| format!("docs/{page}"));
    let named: BTreeSet<String> = code.map(str::to_owned).chain(links).collect();
    assert!(named.len() > 20, "only {named:?} were found: are the notes written otherwise now?");
    let missing: Vec<_> = named.iter().filter(|path| !root.join(path).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
