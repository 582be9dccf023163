//! The short run: what is in the corpora, and some thousand changes of it. The long one,
//! led by coverage, is `make fuzz`.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::mutation::{Chance, changed};
use super::{TARGETS, target};

/// Changes of each target's corpus. `SLO_HUB_FUZZ_RUNS` asks for more.
const RUNS: usize = 4_000;
/// What a corpus may hold in all, in bytes.
const CORPUS_MAX_BYTES: usize = 300_000;

fn folder(of: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(of)
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Every input of a target's corpus, by its file's name.
fn corpus(of: &str) -> Vec<(String, Vec<u8>)> {
    let folder = folder("corpus").join(of);
    let read = |name: String| (name.clone(), std::fs::read(folder.join(name)).unwrap());
    names(&folder).into_iter().map(read).collect()
}

/// The words of a dictionary as libFuzzer reads it: a quoted text a line, with `\xNN`.
fn dictionary(of: &str) -> Vec<Vec<u8>> {
    let text = std::fs::read_to_string(folder("dictionaries").join(format!("{of}.dict"))).unwrap_or_default();
    let quoted = |line: &str| Some(line.trim().strip_prefix('"')?.strip_suffix('"')?.to_owned());
    let words: Vec<_> = text.lines().filter_map(quoted).collect();
    words.iter().map(|word| unescaped(word)).collect()
}

fn unescaped(word: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), word.as_bytes());
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'\\', [b'x', high, low, after @ ..]) => {
                let digits = [*high, *low];
                bytes.push(u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap());
                rest = after;
            }
            (b'\\', [escaped, after @ ..]) => {
                bytes.push(*escaped);
                rest = after;
            }
            _ => bytes.push(first),
        }
    }
    bytes
}

/// The seed of this run: another each time, unless it is given.
fn seed() -> u64 {
    let given = std::env::var("SLO_HUB_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| RandomState::new().hash_one("seed"))
}

fn play(name: &str) {
    let target = target(name);
    let known = corpus(name);
    assert!(!known.is_empty(), "{name} has no corpus");
    for (file, bytes) in &known {
        let outcome = catch_unwind(AssertUnwindSafe(|| target(bytes)));
        assert!(outcome.is_ok(), "fuzz/corpus/{name}/{file}");
    }
    let (known, words) = (known.into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>(), dictionary(name));
    let runs = std::env::var("SLO_HUB_FUZZ_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(RUNS);
    let seed = seed();
    println!("SLO_HUB_FUZZ_SEED={seed}");
    let mut chance = Chance(seed);
    for _ in 0..runs {
        let bytes = changed(&mut chance, &known, &words);
        let outcome = catch_unwind(AssertUnwindSafe(|| target(&bytes)));
        assert!(outcome.is_ok(), "{name} of b\"{}\"", bytes.escape_ascii());
    }
}

/// One test for each, so that they run beside one another.
macro_rules! plays {
    ($($test:ident = $name:literal),+ $(,)?) => {
        $(
            #[test]
            fn $test() {
                play($name);
            }
        )+

        const PLAYED: &[&str] = &[$($name),+];
    };
}

plays! {
    claims_are_of_one_kind_of_token_and_keep_its_rules = "claims",
    a_configuration_is_taken_or_every_fault_says_where_and_shows_no_secret = "config",
    a_forgery_is_worth_nothing = "forged",
    a_form_reads_as_another_reader_reads_it = "forms",
    frames_read_the_same_however_they_are_cut = "frames",
    json_reads_as_another_reader_reads_it = "json",
    a_token_that_is_taken_encodes_to_itself = "jws",
    a_message_carries_what_stands_in_it = "messages",
    what_is_sealed_opens_only_as_it_was_made = "sealed",
}

#[test]
fn every_target_is_played_has_a_binary_and_no_corpus_is_nobodys() {
    let targets: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(PLAYED.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), targets);
    assert_eq!(names(&folder("corpus")), targets);
    let binaries = names(&folder("fuzz_targets"));
    assert_eq!(binaries, targets.iter().map(|name| format!("{name}.rs")).collect());
}

#[test]
fn the_corpora_are_small() {
    let bytes: usize = TARGETS.iter().flat_map(|(name, _)| corpus(name)).map(|(_, bytes)| bytes.len()).sum();
    assert!(bytes <= CORPUS_MAX_BYTES, "{bytes} bytes: minimise them, see docs/testing.md");
}
