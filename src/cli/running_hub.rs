//! The hub that runs, as commands reach it: on its admin listener, with the administrators'
//! token from the configuration that it runs with.

use std::io::stdin;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::{Certificate, ClientBuilder, RequestBuilder, redirect};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::config::Config;
use crate::config::tls::{TlsFault, TlsFiles, a_name, certificates};
use crate::domain::secret::Secret;

/// How long the hub may take to be reached.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// How long it may take to answer: for some it counts every session first.
const ANSWER_DEADLINE: Duration = Duration::from_secs(300);

/// Why the hub did not do it, or it is not known whether it did.
#[derive(Debug, thiserror::Error)]
pub(super) enum HubTrouble {
    #[error("server.admin_token is not set: administrators need one, in the configuration of the hub that runs")]
    NoToken,
    #[error("server.admin_listen has port 0, so nobody knows where the hub listens: give it a port")]
    NoPort,
    #[error("no hub answers on {0}: is it running, with this configuration?")]
    NoHub(SocketAddr),
    #[error(
        "no hub answers on {0} by TLS: is it running, with this configuration? Its cert_file must hold the certificates up to one that this machine trusts, or the root itself"
    )]
    NoTlsHub(SocketAddr),
    #[error("server.admin_tls.{0}")]
    Certificate(#[from] TlsFault),
    #[error("the hub on {0} broke off")]
    BrokeOff(SocketAddr),
    #[error("{0}")]
    Refused(String),
    #[error("standard input holds no line to read {0} from")]
    NoInput(&'static str),
    #[error("cannot set up a client: {0}")]
    Client(#[from] reqwest::Error),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// The way to the admin listener, by TLS or not, as the configuration says.
pub(super) struct Way {
    pub(super) http: reqwest::Client,
    addr: SocketAddr,
    /// What its certificate is for, where it speaks TLS.
    tls_name: Option<String>,
}

impl Way {
    pub(super) fn of(config: &Config, http: ClientBuilder) -> Result<Self, HubTrouble> {
        let addr = here(config.server.admin_listen).ok_or(HubTrouble::NoPort)?;
        let (http, tls_name) = match &config.server.admin_tls {
            Some(files) => by_tls(http, files, addr)?,
            None => (http, None),
        };
        Ok(Self { http: http.build()?, addr, tls_name })
    }

    pub(super) fn url(&self, path: &str) -> String {
        match &self.tls_name {
            Some(name) => format!("https://{name}:{}{path}", self.addr.port()),
            None => format!("http://{}{path}", self.addr),
        }
    }
}

/// The hub that runs with this configuration.
pub(super) struct RunningHub {
    way: Way,
    token: Secret,
}

impl RunningHub {
    pub(super) fn of(config: &Config) -> Result<Self, HubTrouble> {
        let token = config.server.admin_token.clone().ok_or(HubTrouble::NoToken)?;
        let http = reqwest::Client::builder().no_proxy().redirect(redirect::Policy::none());
        let way = Way::of(config, http.connect_timeout(CONNECT_DEADLINE).timeout(ANSWER_DEADLINE))?;
        Ok(Self { way, token })
    }

    pub(super) async fn post<T: for<'a> Deserialize<'a>>(
        &self,
        path: &str,
        body: &Map<String, Value>,
    ) -> Result<T, HubTrouble> {
        let request = self.way.http.post(self.way.url(path)).header("content-type", "application/json");
        self.answer(request.body(Value::from(body.clone()).to_string())).await
    }

    pub(super) async fn get<T: for<'a> Deserialize<'a>>(&self, path: &str) -> Result<T, HubTrouble> {
        self.answer(self.way.http.get(self.way.url(path))).await
    }

    async fn answer<T: for<'a> Deserialize<'a>>(&self, request: RequestBuilder) -> Result<T, HubTrouble> {
        let sent = request.bearer_auth(self.token.reveal()).send().await;
        let answer = sent.map_err(|error| match (error.is_connect(), &self.way.tls_name) {
            (true, None) => HubTrouble::NoHub(self.way.addr),
            (true, Some(_)) => HubTrouble::NoTlsHub(self.way.addr),
            (false, _) => HubTrouble::BrokeOff(self.way.addr),
        })?;
        let is_success = answer.status().is_success();
        let text = answer.text().await.map_err(|_| HubTrouble::BrokeOff(self.way.addr))?;
        if is_success {
            return serde_json::from_str(&text).map_err(|_| HubTrouble::NoHub(self.way.addr));
        }
        let said = serde_json::from_str::<Value>(&text).ok();
        let said = said.as_ref().and_then(|said| said["error_description"].as_str());
        Err(said.map_or(HubTrouble::NoHub(self.way.addr), |said| HubTrouble::Refused(said.to_owned())))
    }
}

/// Where who listens on this is reached from this machine; `None` where the system chose the port.
fn here(mut listen: SocketAddr) -> Option<SocketAddr> {
    match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => listen.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => listen.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    (listen.port() != 0).then_some(listen)
}

/// A client that trusts what the configuration says the hub shows, and the name to call it by.
fn by_tls(
    http: ClientBuilder,
    files: &TlsFiles,
    addr: SocketAddr,
) -> Result<(ClientBuilder, Option<String>), HubTrouble> {
    let chain = certificates(&files.cert_file)?;
    let name = chain.first().and_then(a_name).unwrap_or_else(|| match addr {
        SocketAddr::V4(addr) => addr.ip().to_string(),
        SocketAddr::V6(addr) => format!("[{}]", addr.ip()),
    });
    let trusted: Result<Vec<_>, _> = chain.iter().map(|cert| Certificate::from_der(cert)).collect();
    Ok((http.tls_certs_merge(trusted?).resolve(&name, addr), Some(name)))
}

/// What was said, or the first line of standard input for `-`.
pub(super) fn unless_dash(said: &str, what: &'static str) -> Result<String, HubTrouble> {
    if said != "-" {
        return Ok(said.to_owned());
    }
    let mut line = String::new();
    stdin().read_line(&mut line)?;
    let line = line.trim_end_matches(['\r', '\n']);
    if line.is_empty() { Err(HubTrouble::NoInput(what)) } else { Ok(line.to_owned()) }
}
