//! What is asked for on the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;

use crate::Failure;
use crate::profiles::{self, Profile};
use crate::scenarios::{self, Scenario};

/// The load generator: real hub, real SQLite, real keys, many sockets.
#[derive(Parser)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line, each on its own")]
#[command(name = "load", about, bin_name = "cargo bench --bench load --")]
pub struct Options {
    /// Which profile; `--list` names them.
    #[arg(long, default_value = "two-cores")]
    profile: String,
    /// How many sockets are open at a time, four a session; the profile's own number
    /// where it is not said.
    #[arg(long)]
    sockets: Option<usize>,
    /// These scenarios only, separated by commas.
    #[arg(long, value_delimiter = ',')]
    scenario: Vec<String>,
    /// Compares the hub with what one would use instead, all or those that are named,
    /// separated by commas; no scenarios are run.
    #[arg(long, value_delimiter = ',', num_args = 0.., conflicts_with = "scenario")]
    pub peers: Option<Vec<String>>,
    /// Which sessions are picked, and in which order, is drawn from this number.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The store that the nodes of the scenario two-nodes share: an empty PostgreSQL
    /// database. The others have a SQLite file of their own.
    #[arg(long)]
    store: Option<String>,
    /// Writes all figures there, as JSON.
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Writes the table there, as Markdown.
    #[arg(long)]
    pub markdown: Option<PathBuf>,
    /// The hub to be measured, where it is not the one of this build: to compare two.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_slo-hub"), hide_default_value = true)]
    pub hub: PathBuf,
    /// Lets the system place hub and generator; else the hub has the first core to
    /// itself, and the generator the second.
    #[arg(long)]
    pub no_pin: bool,
    /// Says which profiles and scenarios there are.
    #[arg(long)]
    pub list: bool,
    /// What cargo says to every bench.
    #[arg(long, hide = true)]
    bench: bool,
    /// Be the yardstick's server, and nothing else.
    #[arg(long, hide = true)]
    pub floor_server: bool,
    /// Be another generator's hands at that hub, and nothing else.
    #[arg(long, hide = true)]
    pub generator: Option<SocketAddr>,
}

/// What a run does.
pub struct Plan {
    /// How many sockets are open at a time.
    pub sockets: usize,
    /// The hub's program.
    pub hub: PathBuf,
    /// How many times a contest with peers floods each.
    pub floods: usize,
    /// What two nodes share.
    pub store: Option<String>,
    /// In this order.
    pub scenarios: Vec<&'static Scenario>,
    /// What chance is drawn from.
    pub seed: u64,
}

impl Options {
    /// What they come to.
    pub fn plan(&self) -> Result<Plan, Failure> {
        let profile: &Profile = profiles::named(&self.profile)?;
        let wanted: Vec<&str> = match self.scenario.as_slice() {
            [] => profile.scenarios.to_vec(),
            named => named.iter().map(String::as_str).collect(),
        };
        let scenarios = wanted.into_iter().map(scenarios::named).collect::<Result<_, _>>()?;
        let sockets = self.sockets.unwrap_or(profile.sockets);
        if sockets < profiles::FEWEST_SOCKETS {
            return Err(format!("--sockets: at least {}", profiles::FEWEST_SOCKETS).into());
        }
        let (hub, store) = (self.hub.clone(), self.store.clone());
        Ok(Plan { sockets, floods: profile.floods, hub, store, scenarios, seed: self.seed })
    }
}

impl Plan {
    /// How many sockets a process has open at a time.
    pub fn sockets_a_process(&self) -> usize {
        let one_has_all = self.scenarios.iter().any(|scenario| scenario.name != "two-nodes");
        if one_has_all { self.sockets } else { self.sockets.div_ceil(2) }
    }
}
