//! Logout tokens that wait for their issuer's keys.

use std::collections::HashMap;

use super::Store;
use super::batch::Work;
use super::error::StoreError;
use super::rows;
use super::sql::{Connection, query};
use crate::domain::clock::UnixMillis;
use crate::domain::ids::Issuer;

impl Store {
    /// Keeps a logout token until its issuer's keys can be had.
    ///
    /// # Errors
    /// Why it is not kept.
    pub async fn park(&self, token: ParkedToken) -> Result<Parked, StoreError> {
        self.write(Park { token }).await
    }

    /// The tokens that wait, for one issuer or for all, first come first.
    ///
    /// # Errors
    /// Why they could not be read.
    pub async fn parked(&self, issuer: Option<&Issuer>) -> Result<Vec<ParkedToken>, StoreError> {
        self.read(async { waiting(&mut *self.reader().await?, issuer).await }).await
    }

    /// A waiting token has been judged: taken, or refused with that code, which a
    /// retry of the same token is told for an hour.
    ///
    /// # Errors
    /// Why that was not written down.
    pub async fn settle_parked(
        &self,
        digest: [u8; 32],
        verdict: Option<&str>,
        at: UnixMillis,
    ) -> Result<(), StoreError> {
        self.write(SettleParked { digest, verdict: verdict.map(str::to_owned), at }).await
    }
}

/// The most tokens that may wait for one issuer, so that strangers who invent
/// key ids for one cannot keep out the tokens of another.
pub const PARKED_MAX_PER_ISSUER: i64 = 1_000;

/// The most tokens that may wait in all.
pub const PARKED_MAX: i64 = 10_000;

/// A logout token that waits.
#[derive(Clone, PartialEq, Eq)]
pub struct ParkedToken {
    /// The issuer it says it is from. Nothing of it is verified.
    pub issuer: Issuer,
    /// SHA-256 of the token.
    pub digest: [u8; 32],
    /// The token, as it came.
    pub token: String,
    /// When it came. It is judged as of then.
    pub arrived_at: UnixMillis,
}

/// What became of a token that could not be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parked {
    /// It waits now.
    Kept,
    /// It was waiting already.
    AlreadyParked {
        /// Since when.
        arrived_at: UnixMillis,
    },
    /// It has waited and was refused, for this reason (a code).
    Judged(String),
    /// Too many are waiting.
    Full,
}

/// A token is to wait.
pub(super) struct Park {
    pub(super) token: ParkedToken,
}

/// A token has been judged.
pub(super) struct SettleParked {
    pub(super) digest: [u8; 32],
    /// Why it was refused; `None` where it was taken.
    pub(super) verdict: Option<String>,
    pub(super) at: UnixMillis,
}

impl Work for Park {
    type Answer = Parked;

    async fn apply(connection: &mut Connection, work: &[Self]) -> Result<Vec<Parked>, StoreError> {
        let mut known = known(connection, work).await?;
        let mut places = Places::taken(connection).await?;
        let mut new = Vec::new();
        let answers = work.iter().map(|Self { token }| {
            if let Some(known) = known.get(&token.digest) {
                return known.clone();
            }
            if !places.take(&token.issuer) {
                return Parked::Full;
            }
            known.insert(token.digest, Parked::AlreadyParked { arrived_at: token.arrived_at });
            new.push((rows::hex(&token.digest), token.issuer.as_str(), token.token.as_str(), token.arrived_at.0));
            Parked::Kept
        });
        let answers = answers.collect();
        keep(connection, &new).await?;
        Ok(answers)
    }
}

/// Those of the tokens that came before.
async fn known(connection: &mut Connection, work: &[Park]) -> Result<HashMap<[u8; 32], Parked>, StoreError> {
    let digests: Vec<_> = work.iter().map(|Park { token }| (rows::hex(&token.digest),)).collect();
    let select = "
        select digest, verdict, arrived_at from parked_tokens
        where digest in (select unhex(value ->> 0) from jsonb_each($1))";
    let found = query(select).bind(rows::json(&digests)?).fetch_all(connection).await?;
    let known = found.iter().map(|row| {
        let (verdict, arrived_at): (Option<String>, _) = (row.try_get(1)?, UnixMillis(row.try_get(2)?));
        Ok((rows::digest(row, 0)?, verdict.map_or(Parked::AlreadyParked { arrived_at }, Parked::Judged)))
    });
    known.collect()
}

/// How many tokens wait, by issuer.
struct Places(HashMap<String, i64>);

impl Places {
    async fn taken(connection: &mut Connection) -> Result<Self, StoreError> {
        let select = "select issuer, count(*) from parked_tokens where verdict is null group by issuer";
        let found = query(select).fetch_all(connection).await?;
        let taken: Result<_, StoreError> = found.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect();
        taken.map(Self)
    }

    /// False where there is none left.
    fn take(&mut self, issuer: &Issuer) -> bool {
        let in_all: i64 = self.0.values().sum();
        let of_issuer = self.0.entry(issuer.as_str().to_owned()).or_default();
        let is_free = *of_issuer < PARKED_MAX_PER_ISSUER && in_all < PARKED_MAX;
        *of_issuer += i64::from(is_free);
        is_free
    }
}

async fn keep(connection: &mut Connection, new: &[(String, &str, &str, i64)]) -> Result<(), StoreError> {
    if new.is_empty() {
        return Ok(());
    }
    let insert = "
        insert into parked_tokens (digest, issuer, token, arrived_at)
        select unhex(value ->> 0), value ->> 1, value ->> 2, cast(value ->> 3 as bigint) from jsonb_each($1)";
    query(insert).bind(rows::json(new)?).execute(connection).await?;
    Ok(())
}

impl Work for SettleParked {
    type Answer = ();

    async fn apply(connection: &mut Connection, work: &[Self]) -> Result<Vec<()>, StoreError> {
        for Self { digest, verdict, at } in work {
            let query = match verdict {
                None => query("delete from parked_tokens where digest = $1").bind(&digest[..]),
                Some(code) => {
                    let update = "
                        update parked_tokens set token = null, verdict = $2, judged_at = $3
                        where digest = $1 and verdict is null";
                    query(update).bind(&digest[..]).bind(code.as_str()).bind(at.0)
                }
            };
            query.execute(&mut *connection).await?;
        }
        drop_oldest_verdicts(connection).await?;
        Ok(vec![(); work.len()])
    }
}

/// Verdicts are bounded too. Without one, a retry is judged again.
async fn drop_oldest_verdicts(connection: &mut Connection) -> Result<(), StoreError> {
    let delete = "
        delete from parked_tokens where digest in (
            select digest from parked_tokens where verdict is not null
            order by judged_at desc limit 9223372036854775807 offset $1
        )";
    query(delete).bind(PARKED_MAX).execute(connection).await?;
    Ok(())
}

/// The tokens that wait, for one issuer or for all, first come first.
pub(super) async fn waiting(
    connection: &mut Connection,
    issuer: Option<&Issuer>,
) -> Result<Vec<ParkedToken>, StoreError> {
    let select = "
        select issuer, digest, token, arrived_at from parked_tokens
        where verdict is null and ($1 is null or issuer = $1)
        order by arrived_at";
    let found = query(select).bind(issuer.map(Issuer::as_str)).fetch_all(connection).await?;
    let token = |row| {
        Ok(ParkedToken {
            issuer: rows::required(Issuer::parse, row, 0)?,
            digest: rows::digest(row, 1)?,
            token: row.try_get(2)?,
            arrived_at: UnixMillis(row.try_get(3)?),
        })
    };
    found.iter().map(token).collect()
}
