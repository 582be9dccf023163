//! Traces, from the configuration to the last span that is sent.

use std::path::Path;

use super::StartError;
use crate::config::Config;
use crate::oidc::fetch;
use crate::tasks::Tasks;
use crate::telemetry::Export;
use crate::telemetry::traces::{Settings, Traces};

/// Where Linux says what this machine is called.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// What makes spans, where the configuration asks for them.
///
/// # Errors
/// [`StartError::Traces`] when the system has no certificates to trust.
pub fn traces(config: &Config) -> Result<Option<Traces>, StartError> {
    let Some(wanted) = &config.traces else { return Ok(None) };
    let client = fetch::client().map_err(|error| StartError::Traces(error.to_string()))?;
    let node = wanted.node.clone().unwrap_or_else(|| {
        let host = std::fs::read_to_string(Path::new(HOST_NAME)).unwrap_or_default();
        format!("{}:{}", host.trim(), config.server.listen.port())
    });
    let settings =
        Settings { url: wanted.url.clone(), headers: wanted.headers.clone(), sample: wanted.sample, node, client };
    Ok(Some(Traces::new(settings)))
}

/// Spans that are being sent in the background. Tasks of their own: those who are stopping
/// have spans to tell of as well.
pub(super) struct Exporting(Tasks);

impl Exporting {
    pub(super) fn start(export: Export) -> Self {
        let tasks = Tasks::default();
        let stopping = tasks.clone();
        tasks.spawn(export.run(async move { stopping.stopping().await }));
        Self(tasks)
    }

    /// Sends what is left; a collector that is away is not waited for.
    pub(super) async fn finish(self) {
        self.0.stop();
        self.0.ended().await;
    }
}
