//! The slo-hub server. Everything is in the library; this is its door.

use std::process::ExitCode;

fn main() -> ExitCode {
    slo_hub::cli::run()
}
