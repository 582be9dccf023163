//! The keys that sign the hub's own logout tokens. Who may add one is decided inside
//! the transaction: of two processes with the same thought, one makes the key.

use super::Store;
use super::batch::Work;
use super::error::StoreError;
use super::sql::{Connection, Row, query};
use super::trail_notes;
use crate::domain::clock::UnixSeconds;
use crate::domain::signing_key::{PrivateKey, SigningKey};

impl Store {
    /// Every key that is kept, in the order in which they sign.
    ///
    /// # Errors
    /// Why they could not be read.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        self.read(async { all(&mut *self.reader().await?).await }).await
    }

    /// Adds a key that takes over from the newest one when its time comes, unless
    /// another is there that signs from a moment later than `unless_later_than`. The
    /// answer is every key that is kept then.
    ///
    /// # Errors
    /// Why it is not added.
    pub async fn add_signing_key(
        &self,
        proposed: SigningKey,
        unless_later_than: UnixSeconds,
    ) -> Result<Vec<SigningKey>, StoreError> {
        self.write(AddKey { proposed, mode: Mode::UnlessLaterThan(unless_later_than) }).await
    }

    /// Puts a key in the place of all others, which are forgotten. The answer is every
    /// key that is kept then: that one.
    ///
    /// # Errors
    /// Why nothing has changed.
    pub async fn replace_signing_keys(&self, proposed: SigningKey) -> Result<Vec<SigningKey>, StoreError> {
        self.write(AddKey { proposed, mode: Mode::InsteadOfAll }).await
    }
}

/// A key to be kept.
pub(super) struct AddKey {
    proposed: SigningKey,
    mode: Mode,
}

/// What becomes of the others.
enum Mode {
    UnlessLaterThan(UnixSeconds),
    InsteadOfAll,
}

impl Work for AddKey {
    /// The keys that all nodes use from now on.
    type Answer = Vec<SigningKey>;

    async fn apply(connection: &mut Connection, work: &[Self]) -> Result<Vec<Vec<SigningKey>>, StoreError> {
        let mut answers = Vec::with_capacity(work.len());
        for add in work {
            add.apply_one(connection).await?;
            answers.push(all(connection).await?);
        }
        Ok(answers)
    }
}

impl AddKey {
    async fn apply_one(&self, connection: &mut Connection) -> Result<(), StoreError> {
        match self.mode {
            Mode::InsteadOfAll => {
                query("delete from signing_keys").execute(&mut *connection).await?;
            }
            Mode::UnlessLaterThan(limit) => {
                let select = "select exists (select 1 from signing_keys where signs_from > $1)";
                let row = query(select).bind(limit.0).fetch_one(&mut *connection).await?;
                if row.try_get(0)? {
                    return Ok(());
                }
            }
        }
        let retire = "update signing_keys set signs_until = $1 where signs_until is null";
        query(retire).bind(self.proposed.signs_from.0).execute(&mut *connection).await?;
        let insert = "
            insert into signing_keys (kid, private_key, made_at, signs_from, signs_until)
            values ($1, $2, $3, $4, null)";
        let query = query(insert).bind(self.proposed.kid.as_str()).bind(self.proposed.private.reveal());
        query.bind(self.proposed.made_at.0).bind(self.proposed.signs_from.0).execute(&mut *connection).await?;
        let withdraws_others = matches!(self.mode, Mode::InsteadOfAll);
        trail_notes::key_rotated(&mut connection.notes, &self.proposed, withdraws_others);
        Ok(())
    }
}

async fn all(connection: &mut Connection) -> Result<Vec<SigningKey>, StoreError> {
    let select = "select kid, private_key, made_at, signs_from, signs_until from signing_keys order by signs_from, kid";
    let rows = query(select).fetch_all(connection).await?;
    rows.iter().map(key).collect()
}

fn key(row: &Row) -> Result<SigningKey, StoreError> {
    Ok(SigningKey {
        kid: row.try_get(0)?,
        private: PrivateKey::new(row.try_get(1)?),
        made_at: UnixSeconds(row.try_get(2)?),
        signs_from: UnixSeconds(row.try_get(3)?),
        signs_until: row.try_get::<Option<i64>>(4)?.map(UnixSeconds),
    })
}
