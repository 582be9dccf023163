//! The hub that runs, as commands reach it: on its admin listener, with the administrators'
//! token from the configuration that it runs with.

use std::io::stdin;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::{RequestBuilder, redirect};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::config::Config;
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

/// The hub that runs with this configuration.
pub(super) struct RunningHub {
    http: reqwest::Client,
    addr: SocketAddr,
    token: Secret,
}

impl RunningHub {
    pub(super) fn of(config: &Config) -> Result<Self, HubTrouble> {
        let token = config.server.admin_token.clone().ok_or(HubTrouble::NoToken)?;
        let addr = here(config.server.admin_listen).ok_or(HubTrouble::NoPort)?;
        let http = reqwest::Client::builder().no_proxy().redirect(redirect::Policy::none());
        let http = http.connect_timeout(CONNECT_DEADLINE).timeout(ANSWER_DEADLINE).build()?;
        Ok(Self { http, addr, token })
    }

    pub(super) async fn post<T: for<'a> Deserialize<'a>>(
        &self,
        path: &str,
        body: &Map<String, Value>,
    ) -> Result<T, HubTrouble> {
        let request = self.http.post(self.url(path)).header("content-type", "application/json");
        self.answer(request.body(Value::from(body.clone()).to_string())).await
    }

    pub(super) async fn get<T: for<'a> Deserialize<'a>>(&self, path: &str) -> Result<T, HubTrouble> {
        self.answer(self.http.get(self.url(path))).await
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    async fn answer<T: for<'a> Deserialize<'a>>(&self, request: RequestBuilder) -> Result<T, HubTrouble> {
        let sent = request.bearer_auth(self.token.reveal()).send().await;
        let answer = sent.map_err(|error| {
            if error.is_connect() { HubTrouble::NoHub(self.addr) } else { HubTrouble::BrokeOff(self.addr) }
        })?;
        let is_success = answer.status().is_success();
        let text = answer.text().await.map_err(|_| HubTrouble::BrokeOff(self.addr))?;
        if is_success {
            return serde_json::from_str(&text).map_err(|_| HubTrouble::NoHub(self.addr));
        }
        let said = serde_json::from_str::<Value>(&text).ok();
        let said = said.as_ref().and_then(|said| said["error_description"].as_str());
        Err(said.map_or(HubTrouble::NoHub(self.addr), |said| HubTrouble::Refused(said.to_owned())))
    }
}

/// Where who listens on this is reached from this machine; `None` where the system chose the port.
pub(super) fn here(mut listen: SocketAddr) -> Option<SocketAddr> {
    match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => listen.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => listen.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    (listen.port() != 0).then_some(listen)
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
