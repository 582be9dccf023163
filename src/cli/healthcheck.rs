//! `slo-hub healthcheck`: whether the hub on this machine could record a logout now.
//! For what restarts or reports it: Docker, systemd, a cron job.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use reqwest::redirect;
use serde_json::Value;

use super::block_on;
use super::running_hub::Way;
use crate::config::Config;

/// The hub gives its own store 2.5 s, and answers then.
const DEADLINE: Duration = Duration::from_secs(4);

pub(super) fn run(path: &Path, url: Option<&str>) -> ExitCode {
    let (http, url) = match way(path, url) {
        Ok(way) => way,
        Err(said) => return said,
    };
    let answered = block_on(ask(&http, &url)).unwrap_or_else(|error| Err(error.to_string()));
    match answered {
        Ok(said) => {
            say!("{said}");
            ExitCode::SUCCESS
        }
        Err(said) => {
            complain!("slo-hub: {said}");
            ExitCode::FAILURE
        }
    }
}

/// Whom to ask, and how.
fn way(path: &Path, url: Option<&str>) -> Result<(reqwest::Client, String), ExitCode> {
    let http = reqwest::Client::builder().no_proxy().redirect(redirect::Policy::none()).timeout(DEADLINE);
    if let Some(url) = url {
        let http = http.build().map_err(|error| super::trouble(&error))?;
        return Ok((http, url.to_owned()));
    }
    let config = Config::load(path).map_err(|faults| super::say_faults(path, &faults))?;
    let way = Way::of(&config, http).map_err(|error| super::trouble(&error))?;
    let url = way.url("/readyz");
    Ok((way.http, url))
}

/// One line either way.
async fn ask(http: &reqwest::Client, url: &str) -> Result<String, String> {
    let answer = http.get(url).send().await.map_err(|error| why(url, &error))?;
    let status = answer.status();
    let said = answer.text().await.map_err(|error| why(url, &error))?;
    let said = serde_json::from_str::<Value>(&said).unwrap_or_default();
    match (status.as_u16(), said["status"].as_str(), said["failing"].as_str()) {
        (200, Some("ready"), _) => Ok(ready(&said["issuers_without_keys"])),
        (_, _, Some(failing)) => Err(format!("not ready: {failing}")),
        _ => Err(format!("{url} answers {status}, and not as a hub does")),
    }
}

fn why(url: &str, error: &reqwest::Error) -> String {
    match (error.is_connect(), error.is_timeout()) {
        (_, true) => format!("no answer of {url} within {} s", DEADLINE.as_secs()),
        (true, false) => format!("nobody listens on {url}"),
        (false, false) => format!("{url} is no address, or broke off"),
    }
}

/// Its keys may be missing, and it does all else.
fn ready(without_keys: &Value) -> String {
    let names: Vec<_> = without_keys.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if names.is_empty() { "ready".to_owned() } else { format!("ready; no keys yet of {}", names.join(", ")) }
}
