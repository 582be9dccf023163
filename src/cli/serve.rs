//! `slo-hub serve`: the hub itself.

use std::path::Path;
use std::process::ExitCode;

use tokio::runtime::Builder;

use super::trouble;
use crate::config::Config;
use crate::{app, telemetry};

pub(super) fn run(path: &Path) -> ExitCode {
    let config = match Config::load_to_serve(path) {
        Ok(config) => config,
        Err(faults) => return super::say_faults(path, &faults),
    };
    let traces = match app::traces(&config) {
        Ok(traces) => traces,
        Err(error) => return trouble(&error),
    };
    telemetry::start(traces.as_ref());
    for line in &config.cautions {
        tracing::warn!("{line}");
    }
    let runtime = match Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return trouble(&error),
    };
    let ended = runtime.block_on(app::run(config, traces));
    // What did not end within the drain deadline is not waited for again.
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => trouble(&error),
    }
}
