//! `slo-hub logout`: ends sessions, by way of the hub that runs, so that open apps hear
//! of it at once.

use std::io::{IsTerminal, Write, stderr, stdin};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use reqwest::{RequestBuilder, redirect};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::runtime::Builder;
use tokio::time::sleep;

use super::{ConfigFile, trouble};
use crate::config::Config;
use crate::domain::secret::Secret;

/// How long the hub may take to be reached.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// How long it may take to answer: it counts every session first.
const ANSWER_DEADLINE: Duration = Duration::from_secs(300);
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
    /// One session. `-` reads it from standard input, so that no list of processes shows it.
    #[arg(long)]
    sid: Option<String>,
    /// Every session of one person. `-` as above.
    #[arg(long)]
    sub: Option<String>,
    /// Every session in which this app was used, in all its apps.
    #[arg(long)]
    client_id: Option<String>,
    /// Every session at the issuer.
    #[arg(long)]
    everyone: bool,
}

/// Why nothing was ended, or it is not known how it went on.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("server.admin_token is not set: ending sessions needs one, in the configuration of the hub that runs")]
    NoToken,
    #[error("server.admin_listen has port 0, so nobody knows where the hub listens: give it a port")]
    NoPort,
    #[error("no hub answers on {0}: is it running, with this configuration?")]
    NoHub(SocketAddr),
    #[error("the hub on {0} broke off; ask again with --dry-run to see what is left")]
    BrokeOff(SocketAddr),
    #[error("{0}")]
    Refused(String),
    #[error("standard input is no terminal, so nobody can be asked: add --yes, or --dry-run")]
    NobodyToAsk,
    #[error("standard input holds no line to read {0} from")]
    NoInput(&'static str),
    #[error("nothing was ended")]
    Declined,
    #[error("cannot set up a client: {0}")]
    Client(#[from] reqwest::Error),
    #[error("{0}")]
    Io(#[from] std::io::Error),
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
    #[serde(flatten)]
    counts: Counts,
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
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return trouble(&error),
    };
    match runtime.block_on(carry_out(wish, &config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => trouble(&error),
    }
}

async fn carry_out(wish: &Logout, config: &Config) -> Result<(), Trouble> {
    let hub = RunningHub::of(config)?;
    let mut order = order(wish)?;
    order.insert("dry_run".to_owned(), true.into());
    let counts: Counts = hub.post(&order).await?;
    println!("{} would end", in_words(counts));
    if wish.dry_run {
        return Ok(());
    }
    if !wish.yes {
        ask()?;
    }
    order.insert("dry_run".to_owned(), false.into());
    let ordered: Ordered = hub.post(&order).await?;
    if ordered.state == "running" {
        return hub.watch(&ordered.id).await;
    }
    println!("{} ended; its receipt: {}", in_words(ordered.counts), ordered.id);
    Ok(())
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

/// What was said, or the first line of standard input for `-`.
fn unless_dash(said: &str, what: &'static str) -> Result<String, Trouble> {
    if said != "-" {
        return Ok(said.to_owned());
    }
    let mut line = String::new();
    stdin().read_line(&mut line)?;
    let line = line.trim_end_matches(['\r', '\n']);
    if line.is_empty() { Err(Trouble::NoInput(what)) } else { Ok(line.to_owned()) }
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

/// The hub that runs with this configuration.
struct RunningHub {
    http: reqwest::Client,
    addr: SocketAddr,
    token: Secret,
}

impl RunningHub {
    fn of(config: &Config) -> Result<Self, Trouble> {
        let token = config.server.admin_token.clone().ok_or(Trouble::NoToken)?;
        let mut addr = config.server.admin_listen;
        if addr.port() == 0 {
            return Err(Trouble::NoPort);
        }
        match addr.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => addr.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => addr.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        let http = reqwest::Client::builder().no_proxy().redirect(redirect::Policy::none());
        let http = http.connect_timeout(CONNECT_DEADLINE).timeout(ANSWER_DEADLINE).build()?;
        Ok(Self { http, addr, token })
    }

    async fn post<T: for<'a> Deserialize<'a>>(&self, order: &Map<String, Value>) -> Result<T, Trouble> {
        let request = self.http.post(self.url("")).header("content-type", "application/json");
        self.answer(request.body(Value::from(order.clone()).to_string())).await
    }

    /// Waits until a sweep is done. The hub goes on whether or not anybody waits.
    async fn watch(&self, id: &str) -> Result<(), Trouble> {
        loop {
            let progress: Progress = self.answer(self.http.get(self.url(&format!("/{id}")))).await?;
            if progress.state == "done" {
                println!("{} ended; its record: {id}", counted(progress.sessions_ended, "session", "sessions"));
                return Ok(());
            }
            sleep(ASK_EVERY).await;
        }
    }

    fn url(&self, rest: &str) -> String {
        format!("http://{}/api/v1/admin/logouts{rest}", self.addr)
    }

    async fn answer<T: for<'a> Deserialize<'a>>(&self, request: RequestBuilder) -> Result<T, Trouble> {
        let sent = request.bearer_auth(self.token.reveal()).send().await;
        let answer =
            sent.map_err(
                |error| {
                    if error.is_connect() { Trouble::NoHub(self.addr) } else { Trouble::BrokeOff(self.addr) }
                },
            )?;
        let is_success = answer.status().is_success();
        let text = answer.text().await.map_err(|_| Trouble::BrokeOff(self.addr))?;
        if is_success {
            return serde_json::from_str(&text).map_err(|_| Trouble::NoHub(self.addr));
        }
        let said = serde_json::from_str::<Value>(&text).ok();
        let said = said.as_ref().and_then(|said| said["error_description"].as_str());
        Err(said.map_or(Trouble::NoHub(self.addr), |said| Trouble::Refused(said.to_owned())))
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
