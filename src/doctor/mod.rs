//! Looks at everything around the hub that a logout depends on, and says what is wrong
//! with it, why, and what would mend it. Signs nobody out.

mod apps;
pub mod auth0;
pub mod finding;
mod issuer;
mod machine;
mod public_url;
mod secrets;
mod store;
mod tls;

use std::sync::Arc;

use reqwest::Client;

use crate::config::Config;
use crate::domain::clock::Clock;
use crate::oidc::fetch::{FetchError, client};
use crate::oidc::guard::{Lookup, SystemLookup};
use crate::oidc::management::{ManagementFault, Managements};
use auth0::Fix;
use finding::{Chapter, Mark, worst};

/// Looks at what one configuration names.
pub struct Doctor<'a> {
    config: &'a Config,
    clock: Arc<dyn Clock>,
    http: Client,
    managements: Managements,
}

/// What was found, and what could be mended from here.
#[derive(Debug, Default)]
pub struct Visit {
    /// What was found.
    pub chapters: Vec<Chapter>,
    /// Changes of the issuers' settings that would mend some of it.
    pub fixes: Vec<Fix>,
}

impl<'a> Doctor<'a> {
    /// # Errors
    /// [`FetchError::Request`] when the system has no certificates to trust.
    pub fn new(config: &'a Config, clock: Arc<dyn Clock>) -> Result<Self, FetchError> {
        let lookup: Arc<dyn Lookup> = Arc::new(SystemLookup);
        let managements = Managements::of(&config.directory(), &lookup, &clock)?;
        Ok(Self { config, clock, http: client()?, managements })
    }

    /// Looks at everything, one after the other: the server of its records, the issuers, this
    /// machine, the hub's own certificates and public address, every app's logout addresses.
    pub async fn examine(&self) -> Visit {
        let mut visit = Visit::default();
        visit.chapters.extend(store::examine(self).await);
        for settings in &self.config.issuers {
            visit.chapters.push(issuer::examine(self, settings).await);
            let management = self.managements.at(&settings.issuer);
            if let Some((chapter, fixes)) = auth0::examine(self, settings, management).await {
                visit.chapters.push(chapter);
                visit.fixes.extend(fixes);
            }
        }
        visit.chapters.extend(machine::examine(self.config));
        visit.chapters.extend(secrets::examine(&self.config.secret_files));
        visit.chapters.extend(tls::examine(self));
        visit.chapters.push(public_url::examine(self).await);
        for app in &self.config.apps {
            visit.chapters.extend(apps::examine(self, app).await);
        }
        visit
    }

    /// Makes a change at the issuer. Needs the scope `update:clients`.
    ///
    /// # Errors
    /// [`ManagementFault`]; then nothing has changed, or nobody knows.
    pub async fn mend(&self, fix: &Fix) -> Result<(), ManagementFault> {
        let management = self.managements.at(&fix.issuer).ok_or(ManagementFault::NoSuchEndpoint)?;
        let changed = management.patch_client(&fix.client_id, &fix.body).await?;
        changed.map(|_| ()).ok_or(ManagementFault::Rejected)
    }
}

impl Visit {
    /// The worst of it all.
    #[must_use]
    pub fn worst(&self) -> Mark {
        worst(&self.chapters)
    }

    /// How it ends, in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let findings = || self.chapters.iter().flat_map(|chapter| &chapter.findings);
        let count = |mark| findings().filter(|it| it.mark == mark).count();
        match self.worst() {
            Mark::Fine => format!("everything is as it should be: {} checks", count(Mark::Fine)),
            Mark::Careful | Mark::Wrong => {
                format!("{} fine, {} to look at, {} wrong", count(Mark::Fine), count(Mark::Careful), count(Mark::Wrong))
            }
        }
    }
}
