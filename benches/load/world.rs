//! What scenarios share: the issuers, the hub with its crowd, the figures.

use std::path::PathBuf;
use std::sync::Arc;

use crate::Failure;
use crate::crowd::{Crowd, Server};
use crate::hub::Hub;
use crate::machine::Cores;
use crate::options::Plan;
use crate::people::Issuers;
use crate::report::Report;

/// A run in progress.
pub struct World {
    /// How many sockets are open at a time.
    pub sockets: usize,
    /// What chance is drawn from.
    pub seed: u64,
    /// What two nodes share.
    pub store: Option<String>,
    /// The hub's program.
    pub program: PathBuf,
    /// Who runs where.
    pub cores: Cores,
    /// The issuers.
    pub issuers: Arc<Issuers>,
    /// What was measured.
    pub report: Report,
    crowd: Option<Crowd>,
}

impl World {
    /// Starts the issuers.
    pub async fn new(plan: Plan, cores: Cores, report: Report) -> Self {
        let issuers = Arc::new(Issuers::start(plan.seed).await);
        let Plan { sockets, hub: program, seed, store, floods: _, scenarios: _ } = plan;
        Self { sockets, seed, store, program, cores, issuers, report, crowd: None }
    }

    /// A hub that nobody has spoken to yet, in place of the one before.
    pub async fn fresh_hub(&mut self) -> Result<(), Failure> {
        self.retire().await;
        let hub = Hub::start(&self.program, &self.issuers, self.cores).await?;
        self.crowd = Some(Crowd::new(Server::Hub(hub), Arc::clone(&self.issuers), self.seed));
        Ok(())
    }

    /// Ends the hub, and closes its sockets: their files are needed.
    pub async fn retire(&mut self) {
        if let Some(mut crowd) = self.crowd.take() {
            crowd.empty().await;
        }
    }

    /// The hub that runs, or a fresh one; with the report.
    pub async fn hub(&mut self) -> Result<(&mut Crowd, &mut Report), Failure> {
        if self.crowd.is_none() {
            self.fresh_hub().await?;
        }
        let crowd = self.crowd.as_mut().ok_or("there is no hub")?;
        Ok((crowd, &mut self.report))
    }

    /// The same, with as many idle sockets as the plan says.
    pub async fn full_hub(&mut self) -> Result<(&mut Crowd, &mut Report), Failure> {
        let sockets = self.sockets;
        let (crowd, report) = self.hub().await?;
        crowd.fill(sockets).await?;
        Ok((crowd, report))
    }
}
