//! Forgetting, a little at a time.

use super::Store;
use super::batch::Work;
use super::error::StoreError;
use super::news;
use super::sql::{Connection, query};
use super::trail;
use crate::domain::clock::UnixMillis;
use crate::domain::signing_key::PUBLISHED_AFTER_SECONDS;

impl Store {
    /// Forgets the logouts and the sessions that were last of use before a
    /// moment, and whatever else has expired; cuts old addresses short. Says how many
    /// rows went, or were cut.
    ///
    /// In small steps, between which others write.
    ///
    /// # Errors
    /// Why it stopped. What went so far is gone.
    pub async fn forget(&self, before: UnixMillis, now: UnixMillis) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            match self.write(Forget { before, now }).await? {
                0 => return Ok(gone),
                step => gone += step,
            }
        }
    }
}

/// The most rows of one table that go in one step, so that nobody waits long.
const STEP: i64 = 500;

/// How long a session's address is kept after it was last seen there; then it is cut to
/// its network.
pub const ADDRESS_DAYS: i64 = 30;

/// How long a parked token may wait.
const PARKED_SECONDS: i64 = 24 * 3600;

/// How long a refused token's verdict is remembered.
const VERDICT_SECONDS: i64 = 3600;

const SESSIONS: &str = "
    delete from sessions where (issuer, sid) in (
        select issuer, sid from sessions where last_seen_at < $1 order by last_seen_at limit $2
    )";

const ADDRESSES: &str = "
    update sessions set address = null where (issuer, sid) in (
        select issuer, sid from sessions where address is not null and last_seen_at < $1
        order by last_seen_at limit $2
    )";

/// Forgets at most [`STEP`] rows of each kind.
pub(super) struct Forget {
    pub(super) before: UnixMillis,
    pub(super) now: UnixMillis,
}

impl Work for Forget {
    /// How many rows went.
    type Answer = u64;

    async fn apply(connection: &mut Connection, work: &[Self]) -> Result<Vec<u64>, StoreError> {
        let mut answers = Vec::with_capacity(work.len());
        for forget in work {
            answers.push(forget.step(connection).await?);
        }
        Ok(answers)
    }
}

impl Forget {
    async fn step(&self, connection: &mut Connection) -> Result<u64, StoreError> {
        // A logout's deliveries go with it, and the ends of sessions that it answers
        // for. One that a repeat has moved on stays, and so does one with such an end.
        let logouts = "
            delete from logouts where seq in (
                select seq from logouts l where recorded_at < $1 and covers_until < $1 / 1000
                    and not exists (
                        select 1 from session_ends e where e.logout = l.seq and e.covers_until >= $1 / 1000
                    )
                order by recorded_at limit $2
            )";
        let seen_tokens = "
            delete from seen_tokens where (issuer, sid, sub, client_id, auth_time) in (
                select issuer, sid, sub, client_id, auth_time from seen_tokens
                where last_seen_at < $1 order by last_seen_at limit $2
            )";
        let logout_tokens = "
            delete from logout_tokens where (issuer, jti) in (
                select issuer, jti from logout_tokens where expires_at < $1 order by expires_at limit $2
            )";
        let tickets = "
            delete from tickets where digest in (
                select digest from tickets where expires_at <= $1 order by expires_at limit $2
            )";
        let waiting = "
            delete from parked_tokens where digest in (
                select digest from parked_tokens where verdict is null and arrived_at < $1 limit $2
            )";
        let judged = "
            delete from parked_tokens where digest in (
                select digest from parked_tokens where verdict is not null and judged_at < $1 limit $2
            )";
        let signing_keys = "
            delete from signing_keys where kid in (
                select kid from signing_keys where signs_until <= $1 limit $2
            )";
        // By then nothing that it could end is kept either.
        let sweeps = "
            delete from sweeps where seq in (
                select seq from sweeps where stage = 'done' and ordered_at < $1 order by seq limit $2
            )";
        let steps = [
            (SESSIONS, self.before.0),
            (ADDRESSES, self.now.plus_seconds(-ADDRESS_DAYS * 24 * 3600).0),
            (logouts, self.before.0),
            (sweeps, self.before.0),
            (seen_tokens, self.before.floor().0),
            (logout_tokens, self.now.floor().0),
            (tickets, self.now.0),
            (waiting, self.now.plus_seconds(-PARKED_SECONDS).0),
            (judged, self.now.plus_seconds(-VERDICT_SECONDS).0),
            (signing_keys, self.now.floor().plus(-PUBLISHED_AFTER_SECONDS).0),
        ];
        let mut gone = 0;
        for (statement, cut) in steps {
            let done = query(statement).bind(cut).bind(STEP).execute(&mut *connection).await?;
            gone += done.rows_affected();
        }
        Ok(gone + self.rest(connection).await?)
    }

    /// What is forgotten by more than one statement.
    async fn rest(&self, connection: &mut Connection) -> Result<u64, StoreError> {
        let news = if connection.is_postgres() { news::forget(connection, STEP).await? } else { 0 };
        Ok(news + trail::forget(connection, self.before, self.now, STEP).await?)
    }
}
