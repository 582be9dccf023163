//! The hub's own secrets, and the proof that it can still write.

use super::Store;
use super::batch::Work;
use super::error::StoreError;
use super::rows;
use super::sql::{Connection, query};
use crate::domain::clock::UnixMillis;

impl Store {
    /// The hub's own secret of that name, made by whoever asks first.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn secret(&self, name: &str, at: UnixMillis) -> Result<[u8; 32], StoreError> {
        // Most starts find it, and a full disk does not keep them from it.
        if let Some(secret) = self.read(async { find(&mut *self.reader().await?, name).await }).await? {
            return Ok(secret);
        }
        self.write(KeepSecret { name: name.to_owned(), proposed: random()?, at }).await
    }

    /// Proves that a logout could be committed, by a commit of that size.
    ///
    /// # Errors
    /// Why none can.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.write(Beat).await
    }
}

/// A secret, in case there is none of that name yet.
pub(super) struct KeepSecret {
    pub(super) name: String,
    pub(super) proposed: [u8; 32],
    pub(super) at: UnixMillis,
}

impl Work for KeepSecret {
    /// The one that all nodes use from now on.
    type Answer = [u8; 32];

    async fn apply(connection: &mut Connection, work: &[Self]) -> Result<Vec<[u8; 32]>, StoreError> {
        let mut answers = Vec::with_capacity(work.len());
        for Self { name, proposed, at } in work {
            propose(connection, name, proposed, *at).await?;
            answers.push(find(connection, name).await?.ok_or(StoreError::Damaged)?);
        }
        Ok(answers)
    }
}

/// Makes the secret of that name, inside the open transaction, unless there is one.
pub(super) async fn make(connection: &mut Connection, name: &str, at: UnixMillis) -> Result<(), StoreError> {
    propose(connection, name, &random()?, at).await
}

fn random() -> Result<[u8; 32], StoreError> {
    let mut proposed = [0; 32];
    aws_lc_rs::rand::fill(&mut proposed).map_err(|_| StoreError::NoRandomness)?;
    Ok(proposed)
}

async fn propose(
    connection: &mut Connection,
    name: &str,
    proposed: &[u8; 32],
    at: UnixMillis,
) -> Result<(), StoreError> {
    let insert = "
        insert into hub_keys (name, secret, created_at) values ($1, $2, $3)
        on conflict (name) do nothing";
    query(insert).bind(name).bind(&proposed[..]).bind(at.0).execute(connection).await.map(|_| ())
}

/// Proves that a logout could be committed, by a commit of that size.
pub(super) struct Beat;

/// What a lone logout adds to SQLite's WAL, and somewhat more.
const BALLAST_BYTES: i64 = 56 * 1024;

impl Work for Beat {
    type Answer = ();

    async fn apply(connection: &mut Connection, work: &[Self]) -> Result<Vec<()>, StoreError> {
        let done = if connection.is_postgres() {
            query("update pulse set beats = beats + 1").execute(connection).await?
        } else {
            // Random, because SQLite does not write pages that stay the same.
            let update = "update pulse set beats = beats + 1, ballast = randomblob($1)";
            query(update).bind(BALLAST_BYTES).execute(connection).await?
        };
        if done.rows_affected() == 1 { Ok(vec![(); work.len()]) } else { Err(StoreError::Damaged) }
    }
}

/// Whether a secret of that name is there.
pub(super) async fn find(connection: &mut Connection, name: &str) -> Result<Option<[u8; 32]>, StoreError> {
    let select = "select secret from hub_keys where name = $1";
    let row = query(select).bind(name).fetch_optional(connection).await?;
    row.map(|row| rows::digest(&row, 0)).transpose()
}
