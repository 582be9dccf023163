//! Several hubs at one PostgreSQL server, each a process of its own.

use std::path::Path;

use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;

use crate::process::{HubProcess, config};
use crate::records;
use crate::support::issuer::TestIssuer;

/// A schema of a test's own at the server that stands ready for tests.
pub struct Schema {
    pub url: String,
    folder: TempDir,
}

impl Schema {
    /// `None` where there is no server for tests.
    pub fn make() -> Option<Self> {
        records::server()?;
        let folder = TempDir::new().unwrap();
        Some(Self { url: records::url(folder.path()), folder })
    }

    async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap()
    }

    /// Moves the clock that leases go by, so that every lease of now is over.
    pub async fn leases_end(&self) {
        records::leases_end(self.folder.path()).await;
    }

    /// The number that a `select` finds.
    pub async fn number(&self, select: &'static str) -> i64 {
        sqlx::query_scalar(select).fetch_one(&mut self.connect().await).await.unwrap()
    }
}

/// A node, and the folder that holds its configuration and its log.
pub struct Node {
    pub hub: HubProcess,
    _folder: TempDir,
}

impl Node {
    /// A node at that schema. In `tables` and in `first`, settings of the issuer, `ISSUER` is
    /// the issuer.
    pub async fn start(schema: &Schema, issuer: &TestIssuer, first: &str, tables: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let hub = start_at(&schema.url, issuer, first, tables, folder.path()).await;
        Self { hub, _folder: folder }
    }
}

/// A hub whose records are at `store`.
pub async fn start_at(store: &str, issuer: &TestIssuer, first: &str, tables: &str, folder: &Path) -> HubProcess {
    let written = |port, admin_port| {
        let own = config(issuer.url(), port, admin_port);
        own.replace("[[apps]]", &format!("{first}\n[[apps]]")) + &tables.replace("ISSUER", issuer.url())
    };
    HubProcess::start_at(store, folder, written).await
}
