//! Which database, and how it is opened.

use std::path::PathBuf;

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection as _};

use super::error::StoreError;
use super::sql::Connection;
use super::{file, server};
use crate::config::is_of_a_server;

/// What `store.url` names.
#[derive(Clone)]
pub(super) enum Database {
    /// A file of this machine's.
    Sqlite(SqliteConnectOptions),
    /// A server that several nodes share.
    Postgres(PgConnectOptions),
}

impl Database {
    /// `sqlite://<path>` or `postgres://…`. A file is made where there is none, and holds at
    /// most `max_pages`, where given.
    pub(super) fn at(url: &str, max_pages: Option<u32>) -> Result<Self, StoreError> {
        if is_of_a_server(url) {
            return server::options(url).map(Self::Postgres);
        }
        let path: PathBuf = file::path_of(url)?;
        file::create_private(&path)?;
        Ok(Self::Sqlite(file::options(&path, max_pages)))
    }

    /// A connection that may write.
    pub(super) async fn connect(&self) -> Result<Connection, StoreError> {
        match self {
            Self::Sqlite(options) => Ok(options.connect().await?.into()),
            Self::Postgres(options) => Ok(Box::pin(server::connect(options)).await?.into()),
        }
    }

    /// A connection that only reads. Of a server it is one to the primary like any other, so
    /// that what was committed is seen.
    pub(super) async fn connect_to_read(&self) -> Result<Connection, StoreError> {
        match self {
            Self::Sqlite(options) => Ok(file::options_to_read(options.get_filename()).connect().await?.into()),
            Self::Postgres(_) => self.connect().await,
        }
    }

    /// Brings the schema up to date; a connection that may write.
    pub(super) async fn open(&self) -> Result<Connection, StoreError> {
        match self {
            Self::Sqlite(options) => {
                let mut connection = options.connect().await?;
                file::migrate(&mut connection).await?;
                Ok(connection.into())
            }
            Self::Postgres(options) => {
                // Of its own: it may take longer over a statement than any other.
                let mut connection = server::connect(options).await?;
                server::migrate(&mut connection).await?;
                connection.close().await?;
                self.connect().await
            }
        }
    }

    /// How many connections read at the same time. Those of a file wait for each other's
    /// processor time only; those of a server for the network.
    pub(super) fn readers(&self) -> usize {
        match self {
            Self::Sqlite(_) => 2,
            Self::Postgres(_) => 8,
        }
    }
}
