//! `slo-hub doctor`: is everything around the hub as logouts need it?

use std::io::{IsTerminal, Write, stdin, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::{block_on, trouble};
use crate::config::Config;
use crate::doctor::auth0::Fix;
use crate::doctor::finding::Mark;
use crate::doctor::{Doctor, Visit};
use crate::domain::clock::SystemClock;

/// What is done about what can be mended from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mend {
    /// It is shown.
    Nothing,
    /// Each change is sent after a yes.
    AfterAsking,
    /// Each change is sent.
    All,
}

pub(super) fn run(path: &Path, mend: Mend) -> ExitCode {
    let config = match Config::load(path) {
        Ok(config) => config,
        Err(faults) => return super::say_faults(path, &faults),
    };
    if mend == Mend::AfterAsking && !stdin().is_terminal() {
        complain!("slo-hub: --fix asks before each change, and there is nobody to ask: add --yes");
        return ExitCode::from(2);
    }
    let doctor = match Doctor::new(&config, Arc::new(SystemClock::start())) {
        Ok(doctor) => doctor,
        Err(error) => return trouble(&error),
    };
    let done = block_on(async {
        let visit = doctor.examine().await;
        report(&visit);
        if visit.fixes.is_empty() || mend == Mend::Nothing {
            show(&visit.fixes);
            return verdict(&visit);
        }
        for fix in &visit.fixes {
            say!("{}: {}\n", fix.name, fix.text());
            if mend == Mend::All || is_agreed() {
                match doctor.mend(fix).await {
                    Ok(()) => say!("Done.\n"),
                    Err(fault) => complain!("slo-hub: not changed: {}\n", fault.description()),
                }
            }
        }
        let after = doctor.examine().await;
        report(&after);
        verdict(&after)
    });
    done.unwrap_or_else(|error| trouble(&error))
}

fn report(visit: &Visit) {
    for chapter in &visit.chapters {
        say!("{}", chapter.text());
    }
    say!("{}\n", visit.summary());
}

fn show(fixes: &[Fix]) {
    for fix in fixes {
        say!("{} would be mended by\n{}\n", fix.name, fix.text());
    }
}

fn is_agreed() -> bool {
    print!("Send this? [y/N] ");
    stdout().flush().ok();
    let mut answer = String::new();
    stdin().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

fn verdict(visit: &Visit) -> ExitCode {
    if visit.worst() == Mark::Wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
