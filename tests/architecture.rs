//! The import rule: a module names only modules of the layers below its own, and never
//! a neighbour in the same layer.

#![expect(clippy::unwrap_used, reason = "a source tree that cannot be read is a failed test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up. Neighbours stand in one line and do not know each other.
const LAYERS: &[&[&str]] = &[
    &["domain"],
    &["tasks", "telemetry", "config"],
    &["oidc", "listener"],
    &["store", "channels"],
    &["metrics"],
    &["hub", "delivery", "doctor"],
    &["web"],
    &["http", "ws", "pages", "console"],
    &["app"],
    &["cli"],
    &["fuzzing"],
];

#[test]
fn modules_name_only_what_lies_below_them() {
    let ranks = ranks();
    let mut faults = Vec::new();
    for file in rust_files(Path::new("src")) {
        let Some(own) = module_of(&file) else { continue };
        let own_rank = *ranks.get(own.as_str()).unwrap_or_else(|| panic!("{own} stands in no layer: add it to LAYERS"));
        let text = fs::read_to_string(&file).unwrap();
        for other in named_modules(&text) {
            let Some(rank) = ranks.get(other.as_str()) else { continue };
            if other != own && *rank >= own_rank {
                faults.push(format!("{}: {own} names {other}", file.display()));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn only_the_store_names_the_database() {
    let naming = rust_files(Path::new("src")).into_iter().filter(|file| {
        let is_store = module_of(file).is_some_and(|module| module == "store");
        !is_store && fs::read_to_string(file).unwrap().contains("sqlx")
    });
    assert_eq!(naming.collect::<Vec<_>>(), Vec::<PathBuf>::new());
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let everything = ["src", "tests", "benches", "client-sdk", "demo-apps"].into_iter();
    let long = everything.flat_map(|folder| source_files(Path::new(folder))).filter_map(|file| {
        let lines = fs::read_to_string(&file).ok()?.lines().count();
        (lines > 400).then(|| format!("{}: {lines} lines", file.display()))
    });
    assert_eq!(long.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn every_limit_of_the_documentation_names_tests_that_exist() {
    let text = fs::read_to_string("docs/limits.md").unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| limit")).collect();
    let rows: Vec<&str> = rows.into_iter().filter(|row| !row.starts_with("| ---")).collect();
    let mut faults = Vec::new();
    for row in &rows {
        let named: Vec<(&str, &str)> = row.split('`').filter_map(|word| word.split_once("::")).collect();
        if named.is_empty() {
            faults.push(format!("no test: {row}"));
        }
        let missing = named.into_iter().filter(|(file, name)| !is_tested(file, name));
        faults.extend(missing.map(|(file, name)| format!("{file} has no {name}")));
    }
    assert!(rows.len() > 40, "{} rows", rows.len());
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_limit_of_the_configuration_is_in_the_documentation() {
    let (text, file) = ("docs/limits.md", "src/config.default.toml");
    let (text, file) = (fs::read_to_string(text).unwrap(), fs::read_to_string(file).unwrap());
    let section = file.split("\n[limits]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let keys = section.lines().filter_map(|line| line.split_once(" = ")).map(|(key, _)| key);
    // Tolerances: nobody is turned away for too much by these.
    let tolerances = ["clock_skew_seconds", "logout_token_max_age_seconds"];
    let missing = keys.filter(|key| !tolerances.contains(key) && !text.contains(&format!("`{key}`")));
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&str>::new());
}

/// Whether a file has that test: a function that is marked as one, or a row of the corpus.
fn is_tested(file: &str, name: &str) -> bool {
    let Ok(text) = fs::read_to_string(file) else { return false };
    if Path::new(file).extension().is_none_or(|kind| kind != "rs") {
        return text.contains(&format!("id: {name},"));
    }
    let Some((before, _)) = text.split_once(&format!("fn {name}()")) else { return false };
    before.rsplit("\n\n").next().is_some_and(|head| head.contains("#[test]") || head.contains("#[tokio::test"))
}

fn ranks() -> BTreeMap<&'static str, usize> {
    let with_rank = |(rank, layer): (usize, &&'static [&'static str])| {
        layer.iter().map(move |module| (*module, rank)).collect::<Vec<_>>()
    };
    LAYERS.iter().enumerate().flat_map(with_rank).collect()
}

/// The top-level module that a file belongs to; none for the two roots.
fn module_of(file: &Path) -> Option<String> {
    let first = file.strip_prefix("src").unwrap().components().next()?;
    let name = first.as_os_str().to_str()?.trim_end_matches(".rs").to_owned();
    (name != "lib" && name != "main").then_some(name)
}

/// Every top-level module that a text names as `crate::module`.
fn named_modules(text: &str) -> Vec<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: String = code.collect::<Vec<_>>().join("\n");
    let after = code.split("crate::").skip(1);
    after.map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()).collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    source_files(folder).into_iter().filter(|file| file.extension().is_some_and(|it| it == "rs")).collect()
}

fn source_files(folder: &Path) -> Vec<PathBuf> {
    const KINDS: [&str; 6] = ["rs", "ts", "tsx", "mjs", "js", "css"];
    const NOT_OURS: [&str; 6] = ["node_modules", "dist", "dist-iife", "target", "build", ".next"];
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && !NOT_OURS.contains(&name.as_str()) {
            files.extend(source_files(&path));
        } else if path.extension().and_then(|it| it.to_str()).is_some_and(|it| KINDS.contains(&it)) {
            files.push(path);
        }
    }
    files
}
