//! What the documents say is there: pages, links, anchors, configuration keys, codes and
//! paths. Nobody reads a reference twice that was wrong once.

#![expect(clippy::unwrap_used, reason = "a source tree that cannot be read is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// The sections of the configuration, as the documents write them before a key.
const SECTIONS: [&str; 7] = ["server", "store", "session", "limits", "traces", "issuers", "apps"];

/// An attribute of spans that looks like a key of the configuration.
const OF_OPENTELEMETRY: &str = "server.address";

#[test]
fn every_page_is_in_the_book_and_the_book_has_no_other() {
    let listed: BTreeSet<_> = links(&read("docs/SUMMARY.md")).into_iter().map(|link| link.target).collect();
    let pages: BTreeSet<_> = documents()
        .into_iter()
        .filter_map(|page| Some(page.strip_prefix("docs").ok()?.to_str()?.to_owned()))
        .filter(|page| page != "SUMMARY.md")
        .collect();
    assert_eq!(listed, pages, "docs/SUMMARY.md on the left, docs/ on the right");
}

#[test]
fn every_link_leads_to_a_file_and_every_anchor_to_a_heading() {
    let mut faults = Vec::new();
    for page in documents() {
        let text = read(&page);
        for Link { line, target } in links(&text) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let file = if path.is_empty() { page.clone() } else { beside(&page, path) };
            if !root().join(&file).exists() {
                faults.push(format!("{}:{line}: {target}: no such file", page.display()));
            } else if !anchor.is_empty() && !anchors(&read(&file)).contains(anchor) {
                faults.push(format!("{}:{line}: {target}: no such heading", page.display()));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn in_the_book_a_link_to_a_file_beside_it_leads_to_the_repository_or_is_none() {
    let pages: Vec<_> =
        documents().into_iter().filter_map(|page| page.strip_prefix("docs").ok().map(Path::to_owned)).collect();
    let leads_out = |link: &Link| link.target.starts_with("../");
    let out: usize =
        pages.iter().map(|page| links(&read(beside_docs(page))).iter().filter(|it| leads_out(it)).count()).sum();
    assert!(out > 10, "only {out} links lead out of the book: has their form changed?");
    for (url, expected) in [(None, 0), (Some("https://git.example/hub"), out)] {
        let mut repository = Vec::new();
        for (page, text) in pages.iter().zip(as_in_the_book(&pages, url)) {
            let found = links(&text);
            assert_eq!(found.iter().find(|it| leads_out(it)).map(|it| &it.target), None, "{}", page.display());
            let places = found
                .into_iter()
                .filter_map(|it| it.target.strip_prefix(url?)?.strip_prefix("/blob/HEAD/").map(str::to_owned));
            repository.extend(places);
        }
        assert_eq!(repository.len(), expected);
        let missing: Vec<_> =
            repository.iter().filter(|it| !root().join(it.split('#').next().unwrap()).exists()).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}

fn beside_docs(page: &Path) -> PathBuf {
    Path::new("docs").join(page)
}

/// The pages as mdBook is handed them by `scripts/book-links.mjs`.
fn as_in_the_book(pages: &[PathBuf], repository: Option<&str>) -> Vec<String> {
    let chapter =
        |page: &PathBuf| json!({"Chapter": {"path": page, "content": read(beside_docs(page)), "sub_items": []}});
    let book = json!({ "items": pages.iter().map(chapter).collect::<Vec<_>>() });
    let html = repository.map_or_else(|| json!({}), |url| json!({ "git-repository-url": url }));
    let handed = json!([{ "config": { "output": { "html": html } } }, book]).to_string();
    let mut node = Command::new("node")
        .arg(root().join("scripts/book-links.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = node.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(handed.as_bytes()).unwrap());
    let answer = node.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(answer.status.success(), "{answer:?}");
    let book: Value = serde_json::from_slice(&answer.stdout).unwrap();
    let items = book["items"].as_array().unwrap().iter();
    items.map(|item| item["Chapter"]["content"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_configuration_key_that_a_document_names_exists() {
    let known = configuration_keys(&read("src/config.default.toml"));
    let exists = |key: &str| {
        key == OF_OPENTELEMETRY || known.contains(key) || known.contains(key.strip_suffix("_file").unwrap_or(key))
    };
    let mut faults = Vec::new();
    for page in documents() {
        let text = read(&page);
        let named = spans(&text).into_iter().filter_map(|span| key_of(&span));
        let shown = blocks(&text, "toml").into_iter().flat_map(|block| configuration_keys(&block));
        for key in named.chain(shown).collect::<BTreeSet<_>>() {
            if !exists(&key) {
                faults.push(format!("{}: {key}", page.display()));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn every_code_in_a_table_of_codes_is_in_the_sources() {
    let sources = everything_below("src");
    let mut faults = Vec::new();
    for page in ["docs/protocol.md", "docs/troubleshooting.md"] {
        let codes = codes_in_tables(&read(page));
        assert!(codes.len() > 20, "{page} has hardly any table whose first column is headed `code`");
        faults.extend(codes.into_iter().filter(|code| !is_said(&sources, code)).map(|code| format!("{page}: {code}")));
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn the_reference_has_every_code_that_the_hub_says() {
    let reference: BTreeSet<_> = codes_in_tables(&read("docs/protocol.md"));
    // A line of a table of faults: a name, a code, a text.
    let faults = said_after(&read("src/oidc/fault.rs"), of_a_table);
    let wrongs = said_after(&read("src/hub/denied.rs"), of_a_table);
    let problems = said_after(&read("src/web/problem.rs"), |line| line.split_once("code: ").map(|(_, rest)| rest));
    let closes = said_after(&read("src/ws/close_code.rs"), |line| line.split_once("=> ").map(|(_, rest)| rest));
    for (what, codes, least) in
        [("faults", faults, 30), ("wrongs", wrongs, 20), ("problems", problems, 5), ("closes", closes, 12)]
    {
        assert!(codes.len() >= least, "only {codes:?} of the {what} were found: has the source changed its form?");
        let missing: Vec<_> = codes.difference(&reference).collect();
        assert!(missing.is_empty(), "docs/protocol.md lacks {missing:?}");
    }
}

fn of_a_table(line: &str) -> Option<&str> {
    let (name, rest) = line.split_once(' ')?;
    (name.starts_with(char::is_uppercase) && rest.starts_with('"')).then_some(rest)
}

#[test]
fn the_reference_has_every_close_number_and_every_path() {
    let reference = read("docs/protocol.md");
    let numbers: Vec<_> = read("src/ws/close_code.rs")
        .lines()
        .filter_map(|line| Some(line.trim().strip_suffix(',')?.split_once(" = ")?.1.to_owned()))
        .filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        .collect();
    assert!(numbers.len() >= 12, "only {numbers:?}: has the source changed its form?");
    let sources = everything_below("src/http") + &everything_below("src/ws");
    let paths: BTreeSet<_> = sources.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(paths.len() >= 10, "only {paths:?}");
    let paths = paths.into_iter().filter(|path| !path.contains("{*")).map(str::to_owned);
    let missing: Vec<_> = numbers.into_iter().chain(paths).filter(|word| !reference.contains(word.as_str())).collect();
    assert_eq!(missing, Vec::<String>::new(), "docs/protocol.md lacks them");
}

#[test]
fn the_page_about_traces_has_every_attribute_and_every_span() {
    let page = read("docs/traces.md");
    let cells: BTreeSet<_> = page.lines().filter(|line| line.starts_with("| `")).flat_map(spans).collect();
    let list = read("src/telemetry/spans.rs");
    let list = list.split("pub const ATTRIBUTES").nth(1).unwrap().split("];").next().unwrap();
    let attributes: Vec<_> = list.split('"').skip(1).step_by(2).collect();
    assert!(attributes.len() > 10, "only {attributes:?}: has the source changed its form?");
    let sources = everything_below("src");
    let made = ["span!(", "step!("].into_iter().flat_map(|made| sources.split(made).skip(1));
    let names = made.filter_map(|rest| rest.split(')').next()?.split('"').nth(1)).filter(|name| !name.contains("otel"));
    // Those two are named when they are made, after the route or the document.
    let names: BTreeSet<_> = names.filter(|name| !["request", "issuer"].contains(name)).collect();
    assert!(names.len() > 8, "only {names:?}: has the source changed its form?");
    let missing = attributes.into_iter().chain(names).filter(|name| !cells.contains(*name));
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&str>::new(), "docs/traces.md lacks them");
}

/// A link of a document, and the line it stands in.
struct Link {
    line: usize,
    target: String,
}

fn root() -> PathBuf {
    PathBuf::from(option_env!("CARGO_MANIFEST_DIR").unwrap_or("."))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The project's own page, and everything below `docs`.
fn documents() -> Vec<PathBuf> {
    let mut found: Vec<_> = files_below("docs").into_iter().filter(|file| has_extension(file, "md")).collect();
    found.push("README.md".into());
    found
}

fn files_below(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

fn has_extension(file: &Path, extension: &str) -> bool {
    file.extension().is_some_and(|own| own == extension)
}

fn everything_below(folder: &str) -> String {
    files_below(folder).into_iter().filter(|file| has_extension(file, "rs")).map(read).collect()
}

/// The file that a link in `page` means.
fn beside(page: &Path, link: &str) -> PathBuf {
    let mut path = page.parent().unwrap_or(Path::new("")).to_path_buf();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    path
}

/// The text with its comments blanked, line for line.
fn without_comments(text: &str) -> String {
    let mut pieces = text.split("<!--");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |kept, piece| {
        let (comment, rest) = piece.split_once("-->").unwrap_or((piece, ""));
        kept + &"\n".repeat(comment.matches('\n').count()) + rest
    })
}

/// Every line that is no code, with its number.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut is_code = false;
    let mut kept = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            kept.push((index + 1, line));
        }
    }
    kept
}

/// The fenced blocks of that language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(says), None) => open = Some(if says == language { String::new() } else { "\0".to_owned() }),
            (None, Some(block)) => block.extend([line.trim_start(), "\n"]),
            (None, None) => {}
        }
    }
    found.retain(|block| !block.starts_with('\0'));
    found
}

/// A line in pieces: outside of code, within code, outside, …
fn pieces(line: &str) -> impl Iterator<Item = (bool, &str)> {
    line.split('`').enumerate().map(|(index, piece)| (index % 2 == 1, piece))
}

fn spans(text: &str) -> Vec<String> {
    let lines = prose(text);
    let spans = lines.iter().flat_map(|(_, line)| pieces(line));
    spans.filter(|(is_code, _)| *is_code).map(|(_, span)| span.to_owned()).collect()
}

fn links(text: &str) -> Vec<Link> {
    let mut found = Vec::new();
    for (line, content) in prose(&without_comments(text)) {
        // What stands in code is no link, but the code may stand in a link's text.
        let plain: String = pieces(content).map(|(is_code, piece)| if is_code { "code" } else { piece }).collect();
        let targets = plain.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
        found.extend(targets.map(|target| Link { line, target: target.to_owned() }));
    }
    found
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let lines = prose(text);
    let headings = lines.iter().filter_map(|(_, line)| {
        let title = line.trim_start_matches('#');
        (title.len() < line.len()).then(|| title.strip_prefix(' ')).flatten()
    });
    let slugs = headings.map(|title| {
        let kept = title.trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        let slug: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let count = seen.entry(slug.clone()).or_default();
        *count += 1;
        if *count == 1 { slug } else { format!("{slug}-{}", *count - 1) }
    });
    slugs.collect()
}

/// The keys of a configuration, `section.key`; those that are commented out too. What
/// belongs to another program's file is passed over.
fn configuration_keys(text: &str) -> BTreeSet<String> {
    let mut section = None;
    let mut keys = BTreeSet::new();
    for line in text.lines() {
        let line = line.trim_start_matches(['#', ' ']);
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            let name = name.trim_start_matches('[');
            section = SECTIONS.contains(&name.split('.').next().unwrap_or_default()).then(|| name.to_owned());
            keys.extend(section.clone());
        } else if let (Some(section), Some((key, _))) = (&section, line.split_once(" = "))
            && is_word(key)
        {
            keys.insert(format!("{section}.{key}"));
        }
    }
    keys
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The key that a piece of code names, written `server.listen`, `apps[].name` or
/// `SLO_HUB__SERVER__LISTEN`.
fn key_of(span: &str) -> Option<String> {
    if let Some(name) = span.strip_prefix("SLO_HUB__") {
        let name = name.split('=').next()?.to_lowercase();
        let parts = name.split("__").filter(|part| part.parse::<usize>().is_err());
        return Some(parts.collect::<Vec<_>>().join("."));
    }
    let key = span.replace("[]", "");
    let (section, rest) = key.split_once('.')?;
    (SECTIONS.contains(&section) && rest.split('.').all(is_word)).then_some(key)
}

/// The first cells, where they are code, of every table whose first column is `code`.
fn codes_in_tables(text: &str) -> BTreeSet<String> {
    let mut is_of_codes = false;
    let mut found = BTreeSet::new();
    for (_, line) in prose(text) {
        let Some(cell) = line.strip_prefix('|').and_then(|rest| rest.split('|').next()) else {
            is_of_codes = false;
            continue;
        };
        if !is_of_codes {
            is_of_codes = cell.trim() == "code";
            continue;
        }
        found.extend(pieces(cell).filter(|(is_code, _)| *is_code).map(|(_, code)| code.to_owned()));
    }
    found
}

/// Whether the sources hold that text whole, or that number.
fn is_said(sources: &str, code: &str) -> bool {
    sources.contains(&format!("\"{code}\"")) || (code.parse::<u16>().is_ok() && sources.contains(&format!("= {code},")))
}

/// The texts of one word that begin where `after` says, in every line.
fn said_after(source: &str, after: impl Fn(&str) -> Option<&str>) -> BTreeSet<String> {
    let texts = source.lines().filter_map(|line| after(line.trim())?.strip_prefix('"')?.split('"').next());
    texts.filter(|text| is_word(text)).map(str::to_owned).collect()
}
