//! The configuration: one TOML file, with the environment laid over it. It fails
//! whole, at start, in one message.

mod apps;
mod console;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzed;
mod reader;
mod store_url;
pub mod tls;
mod traces;
mod url;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use toml::Table;

use crate::domain::app::{App, Directory, IssuerSettings};
use crate::domain::clock::{Clock as _, SystemClock, UnixSeconds};
use crate::domain::secret::Secret;
use crate::domain::session_life::Timeouts;
pub use console::{ConsoleLogin, ConsoleSettings};
pub use reader::ConfigFaults;
use reader::{Reader, Section};
pub use store_url::{StoreUrl, is_of_a_server};
use tls::{TlsFiles, tls};
pub use traces::Traces;
pub use url::PublicUrl;

/// The documented configuration: every key with its default. Parsed in a test.
pub const DEFAULT_FILE: &str = include_str!("../config.default.toml");

const DAY: u64 = 24 * 3600;
/// No duration may be longer: a hundred years.
const AGES: u64 = 36_500 * DAY;

/// A valid configuration.
#[derive(Debug)]
pub struct Config {
    /// `[server]`.
    pub server: Server,
    /// `[store]`.
    pub store: Store,
    /// `[session]`.
    pub session: Session,
    /// `[limits]`.
    pub limits: Limits,
    /// `[[issuers]]`.
    pub issuers: Vec<IssuerSettings>,
    /// `[[apps]]`.
    pub apps: Vec<App>,
    /// `[traces]`, where it is there.
    pub traces: Option<Traces>,
    /// What may be meant so, and probably is not: a line each, with its key.
    pub cautions: Vec<String>,
    /// The files that hold a secret in the clear, the configuration's own among them where it does.
    pub secret_files: Vec<PathBuf>,
}

/// Where the hub listens, and what it is called.
#[derive(Debug)]
pub struct Server {
    /// The public listener.
    pub listen: SocketAddr,
    /// What browsers and issuers call this hub.
    pub public_url: PublicUrl,
    /// Health, readiness and metrics.
    pub admin_listen: SocketAddr,
    /// What callers of the admin listener must show.
    pub admin_token: Option<Secret>,
    /// `[server.console]`.
    pub console: ConsoleSettings,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether other nodes on this machine listen on the same public port.
    pub reuse_port: bool,
    /// The public listener's certificate, where no proxy stands before it.
    pub tls: Option<TlsFiles>,
    /// The admin listener's.
    pub admin_tls: Option<TlsFiles>,
}

/// Where facts are kept.
#[derive(Debug)]
pub struct Store {
    /// A file of this machine's, or a server that several nodes share.
    pub url: StoreUrl,
    /// How long.
    pub retention: Duration,
}

/// How long things about a session last.
#[derive(Debug)]
pub struct Session {
    /// The life of a resume ticket.
    pub resume_ttl: Duration,
    /// When sessions end by themselves.
    pub timeouts: Timeouts,
}

/// What one caller, or all of them, may use.
#[derive(Debug)]
pub struct Limits {
    /// Channels in all.
    pub max_connections: usize,
    /// Channels from one address.
    pub max_connections_per_ip: usize,
    /// Channels of one session.
    pub max_connections_per_session: usize,
    /// How long a socket may take to subscribe.
    pub subscribe_timeout: Duration,
    /// How far clocks may be apart.
    pub clock_skew: Duration,
    /// How old a logout token may be.
    pub logout_token_max_age: Duration,
    /// Requests from one address that may fail in a minute.
    pub invalid_requests_per_minute_per_ip: u32,
}

impl Config {
    /// Reads a file, and lays the process' environment over it.
    ///
    /// # Errors
    /// [`ConfigFaults`]: every problem at once.
    pub fn load(path: &Path) -> Result<Self, ConfigFaults> {
        Self::load_at(path, None)
    }

    /// The same for who is about to serve with it: the files of `[server.tls]` are looked at too.
    ///
    /// # Errors
    /// [`ConfigFaults`]: every problem at once.
    pub fn load_to_serve(path: &Path) -> Result<Self, ConfigFaults> {
        Self::load_at(path, Some(SystemClock::start().now().floor()))
    }

    fn load_at(path: &Path, serving_at: Option<UnixSeconds>) -> Result<Self, ConfigFaults> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigFaults::one(&format!("{}: cannot read the file: {error}", path.display())))?;
        let base = path.parent().unwrap_or(Path::new("."));
        // A name or value that is not UTF-8 cannot be one of ours.
        let env =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let mut config = Self::parse_at(&text, env, base, serving_at)?;
        for file in config.secret_files.iter_mut().filter(|file| file.as_os_str().is_empty()) {
            path.clone_into(file);
        }
        Ok(config)
    }

    /// Reads a text, with an environment laid over it. Relative paths start at `base`.
    ///
    /// # Errors
    /// [`ConfigFaults`]: every problem at once.
    pub fn parse(text: &str, env: impl Iterator<Item = (String, String)>, base: &Path) -> Result<Self, ConfigFaults> {
        Self::parse_at(text, env, base, None)
    }

    /// The same for who is about to serve with it at that time, where one is given.
    ///
    /// # Errors
    /// [`ConfigFaults`]: every problem at once.
    pub fn parse_at(
        text: &str,
        env: impl Iterator<Item = (String, String)>,
        base: &Path,
        serving_at: Option<UnixSeconds>,
    ) -> Result<Self, ConfigFaults> {
        let mut table: Table = text.parse().map_err(|error| ConfigFaults::one(&not_toml(text, &error)))?;
        let mut reader = Reader::new(base, serving_at);
        reader.lay_over(&mut table, env);
        let config = read(&reader, table);
        reader.result(config)
    }

    /// Everyone who is registered.
    #[must_use]
    pub fn directory(&self) -> Directory {
        Directory::new(self.issuers.clone(), self.apps.clone())
    }
}

/// Where the text is no TOML, and why. Never the line itself, which the error would
/// show: a secret may stand there.
fn not_toml(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("not TOML: line {line}, column {column}: {}", error.message())
}

fn read(reader: &Reader, table: Table) -> Option<Config> {
    let mut root = Section::root(reader, table);
    let mut server_section = root.section("server");
    let console = console::written(server_section.section("console"));
    let server = server(server_section);
    let session = session(root.section("session"));
    let store = store(root.section("store"), &session);
    let limits = limits(root.section("limits"));
    let issuers = apps::issuers(&mut root);
    let apps = apps::apps(&mut root, &issuers);
    let traces = traces::traces(&mut root);
    let console = console.read(reader, &issuers);
    root.finish();
    let server = server.map(|server| Server { console, ..server });
    if let Some(server) = &server {
        caution_of_plain_http(reader, server);
    }
    let (cautions, secret_files) = (reader.cautions(), reader.secret_files());
    Some(Config { server: server?, store: store?, session, limits, issuers, apps, traces, cautions, secret_files })
}

fn caution_of_plain_http(reader: &Reader, server: &Server) {
    let is_guarded = server.admin_tls.is_some() || server.console.url.as_ref().is_some_and(PublicUrl::is_https);
    if !server.admin_listen.ip().is_loopback() && !is_guarded {
        let text = "is not a loopback address and speaks plain HTTP: who can listen on that network reads the admin token; \
                    set [server.admin_tls], or see that nothing but this machine or container reaches it";
        reader.caution("server.admin_listen", text);
    }
}

fn server(mut section: Section<'_>) -> Option<Server> {
    let listen = address(&mut section, "listen", SocketAddr::from(([127, 0, 0, 1], 8080)));
    let admin_listen = address(&mut section, "admin_listen", SocketAddr::from(([127, 0, 0, 1], 8081)));
    let admin_token = section.secret("admin_token", "admin_token_file");
    let public_url = section.required_text("public_url").and_then(|text| {
        let url = PublicUrl::parse(&text);
        url.map_err(|wrong| section.fault("public_url", wrong)).ok()
    });
    if !admin_listen.ip().is_loopback() && admin_token.is_none() {
        section.fault("admin_token", "is needed, because admin_listen is not a loopback address");
    }
    if listen == admin_listen && listen.port() != 0 {
        section.fault("admin_listen", "is the same address as listen; choose another port");
    }
    let trusted_proxies = trusted_proxies(&mut section);
    let reuse_port = section.flag("reuse_port", false);
    let tls_files = tls(&mut section, "tls", public_url.as_ref().map(PublicUrl::host));
    let admin_tls = tls(&mut section, "admin_tls", None);
    if tls_files.is_some() && public_url.as_ref().is_some_and(|url| !url.is_https()) {
        section.fault("public_url", "must begin with https://, because [server.tls] is there");
    }
    if let Some(token) = &admin_token {
        section.caution_if_short("admin_token", token);
    }
    section.finish();
    Some(Server {
        listen,
        public_url: public_url?,
        admin_listen,
        admin_token,
        console: ConsoleSettings::default(),
        trusted_proxies,
        reuse_port,
        tls: tls_files,
        admin_tls,
    })
}

/// The bits of a network's prefix, at least: none of one's own is larger than `10.0.0.0/8`, or `fd00::/8`.
const LEAST_PREFIX: u8 = 8;

fn trusted_proxies(section: &mut Section<'_>) -> Vec<IpNet> {
    let proxies = section.texts("trusted_proxies").unwrap_or_default();
    let trusted_proxies = proxies.iter().enumerate().filter_map(|(index, text)| {
        let net = text.parse::<IpNet>().ok().or_else(|| text.parse().ok().map(|addr: IpAddr| addr.into()));
        let key = format!("trusted_proxies[{index}]");
        if net.is_none() {
            section.fault(&key, "must be an address or a network such as 10.0.0.0/8");
        }
        if net.is_some_and(|net| net.prefix_len() < LEAST_PREFIX) {
            section.fault(&key, "would believe everybody, or nearly; name your own proxies");
        }
        net
    });
    trusted_proxies.collect()
}

fn address(section: &mut Section<'_>, name: &'static str, default: SocketAddr) -> SocketAddr {
    let Some(text) = section.text(name) else { return default };
    text.parse().unwrap_or_else(|_| {
        section.fault(name, "must be an address with a port, such as 127.0.0.1:8080 or [::1]:8080");
        default
    })
}

fn store(mut section: Section<'_>, session: &Session) -> Option<Store> {
    let url = section.secret("url", "url_file");
    let url = url.as_ref().map_or("sqlite://slo-hub.db", Secret::reveal);
    let days = section.number("retention_days", 400, 1, 36_500);
    let retention = Duration::from_secs(days * DAY);
    let Timeouts { idle, absolute } = session.timeouts;
    let longest = [Some(session.resume_ttl), idle, absolute].into_iter().flatten().max();
    if longest.is_some_and(|longest| retention < longest) {
        let text = "must not be shorter than any time-out of [session]";
        section.fault("retention_days", text);
    }
    let url = StoreUrl::parse(url, section.reader.base()).map_err(|wrong| section.fault("url", wrong)).ok();
    section.finish();
    Some(Store { url: url?, retention })
}

fn session(mut section: Section<'_>) -> Session {
    let resume_ttl = Duration::from_secs(section.number("resume_ttl_seconds", 3 * DAY, 60, AGES));
    let idle = section.number("idle_timeout_seconds", 0, 0, AGES);
    let absolute = section.number("absolute_timeout_seconds", 0, 0, AGES);
    section.finish();
    let unless_off = |seconds| (seconds > 0).then(|| Duration::from_secs(seconds));
    Session { resume_ttl, timeouts: Timeouts { idle: unless_off(idle), absolute: unless_off(absolute) } }
}

fn limits(mut section: Section<'_>) -> Limits {
    const MANY: u64 = 100_000_000;
    let mut count = |name, default| usize::try_from(section.number(name, default, 1, MANY)).unwrap_or(usize::MAX);
    let max_connections = count("max_connections", 200_000);
    let max_connections_per_ip = count("max_connections_per_ip", 1_000);
    let max_connections_per_session = count("max_connections_per_session", 50);
    let mut seconds = |name, default, least, most| Duration::from_secs(section.number(name, default, least, most));
    let limits = Limits {
        max_connections,
        max_connections_per_ip,
        max_connections_per_session,
        subscribe_timeout: seconds("subscribe_timeout_seconds", 5, 1, 300),
        clock_skew: seconds("clock_skew_seconds", 60, 0, 600),
        logout_token_max_age: seconds("logout_token_max_age_seconds", 600, 1, DAY),
        invalid_requests_per_minute_per_ip: u32::try_from(section.number(
            "invalid_requests_per_minute_per_ip",
            600,
            1,
            MANY,
        ))
        .unwrap_or(u32::MAX),
    };
    section.finish();
    limits
}

#[cfg(test)]
mod tests;
