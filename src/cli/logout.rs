//! `slo-hub logout`: ends sessions, by way of the hub that runs, so that open apps hear
//! of it at once.

use std::io::{IsTerminal, Write, stderr, stdin};
use std::process::ExitCode;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::sleep;

use super::running_hub::{HubTrouble, RunningHub, unless_dash};
use super::{ConfigFile, block_on, trouble};
use crate::config::Config;

/// Where the hub takes orders.
const PATH: &str = "/api/v1/admin/logouts";
/// How often it is asked how far it is.
const ASK_EVERY: Duration = Duration::from_millis(200);

#[derive(Debug, clap::Args)]
pub(super) struct Logout {
    #[command(flatten)]
    pub(super) file: ConfigFile,
    /// At which issuer; may be left out where one is configured.
    #[arg(long)]
    issuer: Option<String>,
    #[command(flatten)]
    whom: Whom,
    /// Only sessions that began at or before this time (RFC 3339); without it, by now.
    #[arg(long, value_name = "TIME", conflicts_with = "sid")]
    before: Option<String>,
    /// What people are told; at most 200 characters.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Say what would end, and end nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask first.
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Whom {
    // Names are the issuer's: many are chance in base64url, and one in 64 of those begins with a hyphen.
    /// One session. `-` reads it from standard input, so that no list of processes shows it.
    #[arg(long, allow_hyphen_values = true)]
    sid: Option<String>,
    /// Every session of one person. `-` as above.
    #[arg(long, allow_hyphen_values = true)]
    sub: Option<String>,
    /// Every session in which this app was used, in all its apps.
    #[arg(long, allow_hyphen_values = true)]
    client_id: Option<String>,
    /// Every session at the issuer.
    #[arg(long)]
    everyone: bool,
}

/// Why nothing was ended, or it is not known how it went on.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("{0}; ask again with --dry-run to see what is left")]
    BrokeOff(HubTrouble),
    #[error(transparent)]
    Hub(HubTrouble),
    #[error("standard input is no terminal, so nobody can be asked: add --yes, or --dry-run")]
    NobodyToAsk,
    #[error("nothing was ended")]
    Declined,
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl From<HubTrouble> for Trouble {
    fn from(trouble: HubTrouble) -> Self {
        if matches!(trouble, HubTrouble::BrokeOff(_)) { Self::BrokeOff(trouble) } else { Self::Hub(trouble) }
    }
}

/// What the hub says that an order reaches.
#[derive(Clone, Copy, Deserialize)]
struct Counts {
    sessions: u64,
    people: u64,
    devices: u64,
    apps: u64,
}

#[derive(Deserialize)]
struct Ordered {
    /// Missing for a sweep that could not be counted.
    #[serde(flatten)]
    counts: Option<Counts>,
    id: String,
    state: String,
}

#[derive(Deserialize)]
struct Progress {
    state: String,
    sessions_ended: u64,
}

pub(super) fn run(wish: &Logout) -> ExitCode {
    let config = match Config::load(&wish.file.config) {
        Ok(config) => config,
        Err(faults) => return super::say_faults(&wish.file.config, &faults),
    };
    match block_on(carry_out(wish, &config)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => trouble(&error),
        Err(error) => trouble(&error),
    }
}

async fn carry_out(wish: &Logout, config: &Config) -> Result<(), Trouble> {
    let hub = RunningHub::of(config)?;
    let mut order = order(wish)?;
    order.insert("dry_run".to_owned(), true.into());
    let counts: Counts = hub.post(PATH, &order).await?;
    say!("{} would end", in_words(counts));
    if wish.dry_run {
        return Ok(());
    }
    if !wish.yes {
        ask()?;
    }
    order.insert("dry_run".to_owned(), false.into());
    let ordered: Ordered = hub.post(PATH, &order).await?;
    match ordered.counts {
        Some(counts) if ordered.state != "running" => {
            say!("{} ended; its receipt: {}", in_words(counts), ordered.id);
            return Ok(());
        }
        Some(_) => {}
        None => say!("what it reaches could not be counted; it goes on all the same: {}", ordered.id),
    }
    watch(&hub, &ordered.id).await
}

fn order(wish: &Logout) -> Result<Map<String, Value>, Trouble> {
    let whom = &wish.whom;
    let members = [
        ("issuer", wish.issuer.clone()),
        ("sid", whom.sid.as_deref().map(|sid| unless_dash(sid, "the sid")).transpose()?),
        ("sub", whom.sub.as_deref().map(|sub| unless_dash(sub, "the sub")).transpose()?),
        ("client_id", whom.client_id.clone()),
        ("before", wish.before.clone()),
        ("reason", wish.reason.clone()),
    ];
    let said = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))));
    let everyone = whom.everyone.then(|| ("everyone".to_owned(), Value::from(true)));
    Ok(said.chain(everyone).collect())
}

fn ask() -> Result<(), Trouble> {
    if !stdin().is_terminal() {
        return Err(Trouble::NobodyToAsk);
    }
    eprint!("End them? [y/N] ");
    stderr().flush()?;
    let mut line = String::new();
    stdin().read_line(&mut line)?;
    let is_yes = matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes");
    if is_yes { Ok(()) } else { Err(Trouble::Declined) }
}

/// Waits until a sweep is done. The hub goes on whether or not anybody waits.
async fn watch(hub: &RunningHub, id: &str) -> Result<(), Trouble> {
    loop {
        let progress: Progress = hub.get(&format!("{PATH}/{id}")).await?;
        if progress.state == "done" {
            say!("{} ended; its record: {id}", counted(progress.sessions_ended, "session", "sessions"));
            return Ok(());
        }
        sleep(ASK_EVERY).await;
    }
}

fn in_words(counts: Counts) -> String {
    let Counts { sessions, people, devices, apps } = counts;
    if sessions == 0 {
        return "No session that the hub has seen".to_owned();
    }
    format!(
        "{} of {} on {} in {}",
        counted(sessions, "session", "sessions"),
        counted(people, "person", "people"),
        counted(devices, "device", "devices"),
        counted(apps, "app", "apps"),
    )
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_said_in_words() {
        let counts = |sessions, people, devices, apps| in_words(Counts { sessions, people, devices, apps });
        assert_eq!(counts(3, 1, 2, 5), "3 sessions of 1 person on 2 devices in 5 apps");
        assert_eq!(counts(1, 1, 1, 1), "1 session of 1 person on 1 device in 1 app");
        assert_eq!(counts(0, 0, 0, 0), "No session that the hub has seen");
    }
}
