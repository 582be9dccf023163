//! The table in `docs/faults.md` is made of the table that is run.

use std::fmt::Write as _;

use crate::table::{FAULTS, Fault, Seen};

const PAGE: &str = "docs/faults.md";
const BEGIN: &str = "<!-- faults: made by `make fault-papers` -->\n";
const END: &str = "<!-- end -->\n";

fn table() -> String {
    let mut text =
        "\n| Fault | What is done | How it is healed | What callers may see |\n|---|---|---|---|\n".to_owned();
    for fault @ Fault { name, how, healed, .. } in FAULTS {
        let _ = writeln!(text, "| {name} | {how} | {healed} | {} |", seen(fault));
    }
    text + "\n"
}

fn seen(fault: &Fault) -> String {
    let words = fault.seen.iter().map(|seen| match seen {
        Seen::Unavailable => "503",
        Seen::Cut => "no answer, or a broken connection",
    });
    let words: Vec<&str> = words.collect();
    if words.is_empty() { "nothing: every report is acknowledged".to_owned() } else { words.join("; ") }
}

#[test]
fn the_page_has_the_table_that_is_run() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has a place for the table");
    let (_, after) = rest.split_once(END).expect("which ends");
    let right = [before, BEGIN, &table(), END, after].concat();
    if std::env::var_os("WRITE_FAULT_PAPERS").is_some() {
        std::fs::write(PAGE, right).unwrap();
        return;
    }
    assert!(page == right, "the table in {PAGE} is old: make fault-papers");
}
