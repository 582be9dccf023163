//! `slo-hub migrate`: everything goes from a file to a server.

use std::path::Path;
use std::process::ExitCode;

use super::{block_on, trouble};
use crate::config::{Config, StoreUrl};
use crate::store::{Moved, move_to_server};

pub(super) fn run(path: &Path, to: &str) -> ExitCode {
    let config = match Config::load(path) {
        Ok(config) => config,
        Err(faults) => return super::say_faults(path, &faults),
    };
    let to = match StoreUrl::parse(to, Path::new(".")) {
        Ok(to) => to,
        Err(wrong) => {
            complain!("slo-hub: --to {wrong}");
            return ExitCode::FAILURE;
        }
    };
    match block_on(move_to_server(config.store.url.reveal(), to.reveal())) {
        Ok(Ok(moved)) => {
            print(&moved);
            say!(
                "\nEverything is at the new place. Have store.url name it, and start the hub. The old file is as it \
                 was: keep it as a backup, and start no hub on it, which would not know who signs out from now on."
            );
            ExitCode::SUCCESS
        }
        Ok(Err(error)) => trouble(&error),
        Err(error) => trouble(&error),
    }
}

/// How many rows each table had and has.
fn print(moved: &[Moved]) {
    say!("{:13}  {:>10}", "table", "rows");
    for Moved { table, rows } in moved {
        say!("{table:13}  {rows:>10}");
    }
}
