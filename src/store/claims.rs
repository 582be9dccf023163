//! Which node works at what. Nodes that share a server share the outbox: each post is tried
//! by one of them at a time, and each issuer's line is worked by one.
//!
//! A claim is a lease. It is given back when the work ends, and is over by itself
//! [`LEASE`] after it was taken, where its node has died. The server's clock decides, never a
//! node's. A file has one node, which needs no claims: there they cost nothing.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::Store;
use super::database::Database;
use super::error::StoreError;
use super::nodes::Nodes;
use super::outbox::Waiting;
use super::sql::{Connection, query};
use super::{leases, rows};
use crate::domain::ids::Issuer;
use crate::domain::session_life::millis;

/// How long a claim lasts that nobody gives back. Four times what a back end may take, so
/// that the end of the attempt is written down before; issuers' lines are claimed anew every
/// second while they are worked.
pub const LEASE: Duration = Duration::from_secs(20);

/// This process among those that share a server.
pub(super) struct Claims {
    database: Database,
    nodes: Arc<Nodes>,
    /// One of its own, as it promises less than the others. `None` until it is needed, and
    /// after it broke.
    connection: Mutex<Option<Connection>>,
}

impl Claims {
    pub(super) fn of(nodes: Arc<Nodes>, database: Database) -> Self {
        Self { database, nodes, connection: Mutex::new(None) }
    }

    /// Has `work` done by the connection, which is kept only if nothing is in doubt then.
    async fn ask<T>(&self, work: impl AsyncFnOnce(&mut Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut kept = self.connection.lock().await;
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let answer = work(&mut connection).await;
        if !connection.is_in_doubt() {
            *kept = Some(connection);
        }
        answer
    }

    /// A claim that a crash of the server forgets costs a second attempt, which may come at
    /// any time anyhow. So it is not waited for until it is on disk.
    async fn connect(&self) -> Result<Connection, StoreError> {
        let mut connection = self.database.connect().await?;
        connection.run("set synchronous_commit = off").await?;
        Ok(connection)
    }
}

impl Store {
    /// Of these posts, the places of those that this node may try: nobody else does before
    /// the attempt is written down, or given back, or [`LEASE`] is over. One that has been
    /// tried since it was read is not among them.
    ///
    /// # Errors
    /// Why nothing is known to be claimed.
    pub async fn claim(&self, posts: &[Waiting]) -> Result<HashSet<i64>, StoreError> {
        let Some(claims) = self.0.claims.as_ref().filter(|_| !posts.is_empty()) else {
            return Ok(posts.iter().map(|post| post.id).collect());
        };
        let posts = rows::json(&posts.iter().map(|post| (post.id, post.attempts)).collect::<Vec<_>>())?;
        // What somebody else claims at this moment is theirs, and not waited for. What is
        // written at this moment can be claimed a moment later.
        let update = "
            with free as materialized (
                select o.id from jsonb_each($1) a
                cross join outbox o
                where o.id = cast(a.value ->> 0 as bigint) and o.attempts = cast(a.value ->> 1 as bigint) and o.state = 0
                    and (o.claimed_for > o.attempts and o.claimed_until > database_time()) is not true
                for update of o skip locked
            )
            update outbox as o set
                claimed_by = $2, claimed_for = o.attempts + 1, claimed_until = database_time() + $3
            from free
            where o.id = free.id
            returning o.id";
        let claim = claims.ask(async |connection| {
            let claim = query(update).bind(posts).bind(&claims.nodes.name).bind(millis(LEASE));
            claim.fetch_all(connection).await?.iter().map(|row| row.try_get(0)).collect()
        });
        self.read(claim).await
    }

    /// A claimed post is not tried after all: another node may at once.
    ///
    /// # Errors
    /// Why not. Then it may when [`LEASE`] is over.
    pub async fn give_back(&self, post: &Waiting) -> Result<(), StoreError> {
        let Some(claims) = &self.0.claims else { return Ok(()) };
        let update = "update outbox set claimed_until = 0 where id = $1 and claimed_by = $2";
        let give_back = claims.ask(async |connection| {
            query(update).bind(post.id).bind(&claims.nodes.name).execute(connection).await.map(|_| ())
        });
        self.read(give_back).await
    }

    /// Takes an issuer's line, or keeps it; says whether it is this node's now, for [`LEASE`].
    ///
    /// # Errors
    /// Why nothing is known of it.
    pub async fn hold_issuer_line(&self, issuer: &Issuer) -> Result<bool, StoreError> {
        let Some(claims) = &self.0.claims else { return Ok(true) };
        let hold = claims.ask(async |connection| {
            let held = leases::take(connection, &[&line_of(issuer)], &claims.nodes.name, LEASE).await?;
            Ok(!held.is_empty())
        });
        self.read(hold).await
    }

    /// Lets another node have an issuer's line at once.
    ///
    /// # Errors
    /// Why not. Then it has it when [`LEASE`] is over.
    pub async fn let_issuer_line_go(&self, issuer: &Issuer) -> Result<(), StoreError> {
        let Some(claims) = &self.0.claims else { return Ok(()) };
        let let_go =
            claims.ask(async |connection| leases::let_go(connection, &line_of(issuer), &claims.nodes.name).await);
        self.read(let_go).await
    }
}

/// What the lease of an issuer's line is called.
fn line_of(issuer: &Issuer) -> String {
    format!("issuer {}", issuer.as_str())
}
