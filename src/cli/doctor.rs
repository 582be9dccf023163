//! `slo-hub doctor`: is everything around the hub as logouts need it?

use std::path::Path;
use std::process::ExitCode;

use tokio::runtime::Builder;

use super::trouble;
use crate::config::Config;
use crate::doctor::{self, finding};
use crate::domain::clock::SystemClock;

pub(super) fn run(path: &Path) -> ExitCode {
    let config = match Config::load(path) {
        Ok(config) => config,
        Err(faults) => return super::say_faults(path, &faults),
    };
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return trouble(&error),
    };
    let chapters = match runtime.block_on(doctor::examine(&config, &SystemClock::start())) {
        Ok(chapters) => chapters,
        Err(error) => return trouble(&error),
    };
    for chapter in &chapters {
        println!("{}", chapter.text());
    }
    println!("{}", doctor::summary(&chapters));
    if finding::worst(&chapters) == finding::Mark::Wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
