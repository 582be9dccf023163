//! `slo-hub completions` and `slo-hub man`: made of the commands themselves, so they name
//! what this very program takes.

use std::io::{Write, stdout};
use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::aot::{Shell, generate};

use super::{Cli, trouble};

/// The shells whose completions are tried.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum OfShell {
    Bash,
    Zsh,
    Fish,
}

pub(super) fn completions(shell: OfShell) -> ExitCode {
    let shell = match shell {
        OfShell::Bash => Shell::Bash,
        OfShell::Zsh => Shell::Zsh,
        OfShell::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "slo-hub", &mut script);
    match stdout().write_all(&script) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => trouble(&error),
    }
}

pub(super) fn man(to: &Path) -> ExitCode {
    match clap_mangen::generate_to(Cli::command(), to) {
        Ok(()) => {
            say!("{}: slo-hub.1 and a page for every command", to.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain!("slo-hub: {}: {error}", to.display());
            ExitCode::FAILURE
        }
    }
}
