//! The command line: one command a file.

/// A line to standard output. Whoever has closed it wants no more, which is no trouble.
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($words)*);
    }};
}

/// The same to standard error.
macro_rules! complain {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($words)*);
    }};
}

mod audit;
mod backup;
mod check;
mod doctor;
mod drill;
mod healthcheck;
mod init;
mod keys;
mod logout;
mod migrate;
mod papers;
mod running_hub;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::runtime::Builder;

use crate::hub::signing_keys::Rotation;
use doctor::Mend;

/// One logout, and every app on every domain signs out.
#[derive(Debug, Parser)]
#[command(name = "slo-hub", version, about, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a configuration for an Auth0 tenant, after three questions.
    Init(init::Init),
    /// Run the hub until it is told to stop (SIGTERM or Ctrl-C).
    Serve(ConfigFile),
    /// Say everything that is wrong with a configuration; exit 1 if anything is.
    Check(ConfigFile),
    /// Look at the issuers, the hub's public address and every app's logout addresses; exit 1 if something is wrong.
    Doctor {
        #[command(flatten)]
        file: ConfigFile,
        /// Change at the issuer what can be changed there, by Auth0's Management API; asks before each change.
        #[arg(long)]
        fix: bool,
        /// Do not ask.
        #[arg(long, requires = "fix")]
        yes: bool,
    },
    /// End sessions: one, a person's, those of an app, everyone's. Through the hub that runs.
    Logout(logout::Logout),
    /// Rehearse a logout with every open app of a session, and say who answered, how fast. It signs nobody out.
    Drill(drill::Drill),
    /// Look after the keys that sign the hub's own logout tokens. Works while it runs.
    #[command(subcommand)]
    Keys(Keys),
    /// Ask the hub on this machine whether it could record a logout now; exit 1 if not. For Docker and systemd.
    Healthcheck {
        #[command(flatten)]
        file: ConfigFile,
        /// Ask there, and read no configuration: `http://127.0.0.1:8081/readyz`.
        #[arg(long)]
        url: Option<String>,
    },
    /// Copy the SQLite file while the hub runs, look through the copy, and say what is in it.
    Backup {
        #[command(flatten)]
        file: ConfigFile,
        /// The new file. It must not be there yet, and its folder must be.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// The audit trail: every logout, who caused it, who was told and who confirmed. Works while the hub runs.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Move every record from the SQLite file that store.url names to an empty PostgreSQL database. Stop the hub first.
    Migrate {
        #[command(flatten)]
        file: ConfigFile,
        /// The new database. It holds a password: the variable keeps that from the list of processes.
        #[arg(long, value_name = "POSTGRES_URL", env = "SLO_HUB_MIGRATE_TO", hide_env_values = true)]
        to: String,
    },
    /// Print completions for a shell: source <(slo-hub completions bash).
    Completions {
        /// The shell.
        shell: papers::OfShell,
    },
    /// Write the manual's pages, one for each command.
    Man {
        /// The folder to write them into; it must be there.
        #[arg(long, value_name = "FOLDER", default_value = ".")]
        to: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum Keys {
    /// Show every key: its name, what it does, and its times. Nothing secret.
    List(ConfigFile),
    /// Make a new key. It signs once everyone can know it, in 13 minutes.
    Rotate {
        #[command(flatten)]
        file: ConfigFile,
        /// For a key in wrong hands: every other key goes, and the new one signs at once.
        #[arg(long)]
        now: bool,
    },
}

#[derive(Debug, clap::Args)]
struct ConfigFile {
    /// The configuration; see config.default.toml for every key.
    #[arg(long, value_name = "FILE", env = "SLO_HUB_CONFIG", default_value = "slo-hub.toml")]
    config: PathBuf,
}

/// Runs the command that the words name. 0 is success; 1 is trouble, said on standard
/// error; 2 is a command line that makes no sense.
#[must_use]
pub fn run() -> ExitCode {
    match Cli::parse().command {
        Command::Init(wish) => init::run(&wish),
        Command::Serve(file) => serve::run(&file.config),
        Command::Check(file) => check::run(&file.config),
        Command::Doctor { file, fix: false, .. } => doctor::run(&file.config, Mend::Nothing),
        Command::Doctor { file, yes: false, .. } => doctor::run(&file.config, Mend::AfterAsking),
        Command::Doctor { file, .. } => doctor::run(&file.config, Mend::All),
        Command::Logout(wish) => logout::run(&wish),
        Command::Drill(wish) => drill::run(&wish),
        Command::Healthcheck { file, url } => healthcheck::run(&file.config, url.as_deref()),
        Command::Backup { file, to } => backup::run(&file.config, &to),
        Command::Completions { shell } => papers::completions(shell),
        Command::Man { to } => papers::man(&to),
        Command::Audit(wish) => audit::run(&wish),
        Command::Migrate { file, to } => migrate::run(&file.config, &to),
        Command::Keys(Keys::List(file)) => keys::list(&file.config),
        Command::Keys(Keys::Rotate { file, now: true }) => keys::rotate(&file.config, Rotation::Now),
        Command::Keys(Keys::Rotate { file, now: false }) => keys::rotate(&file.config, Rotation::WithOverlap),
    }
}

/// Says what is wrong, a line each, and how it ends.
fn say_faults(path: &std::path::Path, faults: &crate::config::ConfigFaults) -> ExitCode {
    let count = faults.lines().len();
    let problems = if count == 1 { "problem" } else { "problems" };
    complain!("{}: {count} {problems}", path.display());
    for line in faults.lines() {
        complain!("  {line}");
    }
    ExitCode::FAILURE
}

/// Runs a command's work to its end.
fn block_on<T>(work: impl Future<Output = T>) -> std::io::Result<T> {
    Ok(Builder::new_current_thread().enable_all().build()?.block_on(work))
}

/// Says what went wrong.
fn trouble(error: &dyn std::error::Error) -> ExitCode {
    complain!("slo-hub: {error}");
    ExitCode::FAILURE
}
