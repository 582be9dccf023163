//! What is still to be ended at the issuers: logouts that did not come from there.

use std::collections::HashMap;

use serde::Serialize;

use super::Store;
use super::batch::Work;
use super::error::StoreError;
use super::outbox::OutboxState;
use super::plan::{End, Plan};
use super::rows::{self, logout_columns};
use super::sql::{Connection, Row, query};
use super::trail_ends;
use crate::domain::clock::UnixMillis;
use crate::domain::ids::{Issuer, LogoutId};
use crate::domain::logout::Logout;

/// The most rows that are given up in one transaction, so that nobody waits long.
const STEP: i64 = 500;

/// What the receipt says where time ran out before anything was tried.
const NEVER_TRIED: &str = "time ran out before an attempt had ended";

impl Store {
    /// What is to be ended at that issuer, whether or not it is due yet: of what sweeps end
    /// the most urgent `at_most`, and as many of all the rest, which comes first.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn issuer_ends(&self, issuer: &Issuer, at_most: usize) -> Result<Vec<WaitingEnd>, StoreError> {
        self.read(async { waiting(&mut *self.reader().await?, issuer, at_most).await }).await
    }

    /// How many wait, at whatever issuer, and when the time of the first runs out.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn issuer_ends_state(&self) -> Result<OutboxState, StoreError> {
        self.read(async {
            let select = "select count(*), min(good_until) from issuer_ends where state = 0";
            let row = query(select).fetch_one(&mut *self.reader().await?).await?;
            let first_end = row.try_get::<Option<i64>>(1)?.map(UnixMillis);
            Ok(OutboxState { depth: rows::index(&row, 0)?, first_end })
        })
        .await
    }

    /// How the end of a logout's session at its issuer stands; `None` where the hub has not
    /// taken it upon itself.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn issuer_end(&self, id: LogoutId) -> Result<Option<IssuerEnd>, StoreError> {
        Ok(self.issuer_ends_of(&[id]).await?.remove(&id))
    }

    /// The same of logouts, all at once. Those that the hub has not taken upon itself are
    /// left out.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn issuer_ends_of(&self, ids: &[LogoutId]) -> Result<HashMap<LogoutId, IssuerEnd>, StoreError> {
        self.read(async {
            let select = "
                select e.state, e.error, l.is_final, l.id
                from logouts l
                cross join issuer_ends e
                where e.logout = l.seq and l.id in (select value ->> 0 from jsonb_each($1))";
            let query = query(select).bind(rows::logout_ids(ids)?);
            let found = query.fetch_all(&mut *self.reader().await?).await?;
            found.iter().map(|row| Ok((rows::required(LogoutId::parse, row, 3)?, IssuerEnd::read(row)?))).collect()
        })
        .await
    }

    /// An attempt has ended. Saying so twice is saying it once, so ask again after
    /// [`StoreError::TimedOut`]. A logout whose session, or whose every session, has ended
    /// is final.
    ///
    /// # Errors
    /// Why it was not written down.
    pub async fn issuer_end_tried(&self, attempt: EndAttempt) -> Result<(), StoreError> {
        self.write(attempt).await
    }

    /// Gives up every one whose time has run out; says how many. The receipt keeps why the
    /// last attempt failed.
    ///
    /// # Errors
    /// Why it stopped. What it has done so far is done.
    pub async fn give_up_issuer_ends(&self, now: UnixMillis) -> Result<u64, StoreError> {
        let mut given_up = 0;
        loop {
            match self.write(GiveUpEnds { now }).await? {
                0 => return Ok(given_up),
                step => given_up += step,
            }
        }
    }
}

/// Something that is to be ended at its issuer.
#[derive(Clone, Debug)]
pub struct WaitingEnd {
    /// The logout's place in the log, which names it here.
    pub position: i64,
    /// What is to be ended: its target, as far as it goes back to T.
    pub logout: Logout,
    /// Whether a verified token of that very session said whose it is.
    pub is_vouched: bool,
    /// Whether a sweep ends it: one of very many, none of them more urgent than what
    /// somebody has just asked for.
    pub is_swept: bool,
    /// How often it was tried.
    pub attempts: u32,
    /// Not to be tried before.
    pub due_at: UnixMillis,
    /// Given up from then on.
    pub good_until: UnixMillis,
}

/// How an attempt to end something at its issuer ended.
#[derive(Clone, Debug)]
pub struct EndAttempt {
    /// The logout's place in the log.
    pub position: i64,
    /// Which attempt it was, from 1.
    pub number: u32,
    /// When it ended.
    pub at: UnixMillis,
    /// How it ended.
    pub end: EndAttemptEnd,
}

/// How an attempt ended. Reasons are fixed words, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndAttemptEnd {
    /// It is over at the issuer.
    Ended,
    /// It will not be ended, and why.
    Refused(&'static str),
    /// Not this time.
    Again {
        /// Why not.
        why: &'static str,
        /// When to try again.
        due_at: UnixMillis,
    },
}

/// How the end at the issuer stands, for the receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssuerEnd {
    /// Still to come; why the last attempt failed, where one did.
    Pending(Option<String>),
    /// Over there, whoever has ended it.
    Ended,
    /// The hub has given up, and why.
    Failed(String),
}

impl IssuerEnd {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let (state, is_final) = (row.try_get::<i64>(0)?, row.try_get::<i64>(2)? != 0);
        let error = row.try_get::<Option<String>>(1)?;
        Ok(match state {
            // The issuer itself may have said so before the hub's turn came, or after it.
            _ if is_final => Self::Ended,
            0 => Self::Pending(error),
            1 => Self::Ended,
            _ => Self::Failed(error.unwrap_or_else(|| NEVER_TRIED.to_owned())),
        })
    }
}

/// One of them on its way in.
#[derive(Serialize)]
struct EndRow<'a> {
    logout: i64,
    issuer: &'a str,
    is_vouched: u8,
    is_swept: u8,
    due_at: i64,
    good_until: i64,
}

impl<'a> EndRow<'a> {
    fn of(end: &End<'a>) -> Self {
        Self {
            logout: end.position,
            issuer: end.issuer,
            is_vouched: end.is_vouched.into(),
            is_swept: end.is_swept.into(),
            due_at: end.due_at.0,
            good_until: end.good_until.0,
        }
    }
}

/// Writes down what is to be ended. A logout that is known already keeps its row; it is
/// the sweep's no longer once somebody has asked for the same.
pub(super) async fn put(connection: &mut Connection, plan: &Plan<'_>) -> Result<(), StoreError> {
    if plan.ends.is_empty() {
        return Ok(());
    }
    let ends: Vec<_> = plan.ends.iter().map(EndRow::of).collect();
    let insert = "
        insert into issuer_ends (logout, issuer, is_vouched, is_swept, state, attempts, due_at, good_until)
        select cast(value ->> 'logout' as bigint), value ->> 'issuer', cast(value ->> 'is_vouched' as bigint), cast(value ->> 'is_swept' as bigint), 0, 0,
               cast(value ->> 'due_at' as bigint), cast(value ->> 'good_until' as bigint)
        from jsonb_each($1)
        where true -- or `on` would be read as a join's
        on conflict (logout) do update set is_swept = min(issuer_ends.is_swept, excluded.is_swept)";
    for ends in rows::rounds(ends, |row| row.logout) {
        query(insert).bind(rows::json(&ends)?).execute(connection).await?;
    }
    Ok(())
}

async fn waiting(connection: &mut Connection, issuer: &Issuer, at_most: usize) -> Result<Vec<WaitingEnd>, StoreError> {
    let select = concat!(
        "select e.is_vouched, e.is_swept, e.attempts, e.due_at, e.good_until, ",
        logout_columns!(),
        "
        from issuer_ends e
        cross join logouts l
        where l.seq = e.logout and e.state = 0 and e.issuer = $1 and e.is_swept = $2
        order by e.due_at, e.logout
        limit $3"
    );
    let mut waiting = Vec::new();
    for is_swept in [false, true] {
        let query = query(select).bind(issuer.as_str()).bind(i64::from(is_swept));
        let found = query.bind(i64::try_from(at_most).unwrap_or(i64::MAX)).fetch_all(&mut *connection).await?;
        for row in &found {
            waiting.push(one_waiting(row)?);
        }
    }
    Ok(waiting)
}

fn one_waiting(row: &Row) -> Result<WaitingEnd, StoreError> {
    let (logout, position) = rows::logout(row, 5)?;
    Ok(WaitingEnd {
        position,
        logout,
        is_vouched: row.try_get::<i64>(0)? != 0,
        is_swept: row.try_get::<i64>(1)? != 0,
        attempts: row.try_get::<i64>(2)?.try_into().unwrap_or(u32::MAX),
        due_at: UnixMillis(row.try_get(3)?),
        good_until: UnixMillis(row.try_get(4)?),
    })
}

/// How an attempt ended, on its way in.
#[derive(Serialize)]
struct AttemptRow {
    logout: i64,
    number: u32,
    state: u8,
    due_at: Option<i64>,
    error: Option<&'static str>,
}

impl AttemptRow {
    fn of(attempt: &EndAttempt) -> Self {
        let (state, due_at, error) = match attempt.end {
            EndAttemptEnd::Ended => (1, None, None),
            EndAttemptEnd::Refused(why) => (2, None, Some(why)),
            EndAttemptEnd::Again { why, due_at } => (0, Some(due_at.0), Some(why)),
        };
        Self { logout: attempt.position, number: attempt.number, state, due_at, error }
    }
}

impl Work for EndAttempt {
    type Answer = ();

    async fn apply(connection: &mut Connection, work: &[Self]) -> Result<Vec<()>, StoreError> {
        let attempts = rows::json(&work.iter().map(AttemptRow::of).collect::<Vec<_>>())?;
        trail_ends::issuer_ends(connection, work).await?;
        // What has ended after it was given up has ended all the same, and stays so.
        let update = "
            update issuer_ends as e set
                state = case
                    when cast(a.value ->> 'state' as bigint) = 1 or e.state = 0 then cast(a.value ->> 'state' as bigint)
                    else e.state
                end,
                error = case
                    when cast(a.value ->> 'state' as bigint) = 1 or e.state = 1 then null
                    else a.value ->> 'error'
                end,
                attempts = max(e.attempts, cast(a.value ->> 'number' as bigint)),
                due_at = coalesce(cast(a.value ->> 'due_at' as bigint), e.due_at)
            from jsonb_each($1) a
            where e.logout = cast(a.value ->> 'logout' as bigint)";
        query(update).bind(attempts.as_str()).execute(&mut *connection).await?;
        let update = "
            update logouts set is_final = 1
            from jsonb_each($1) a
            where seq = cast(a.value ->> 'logout' as bigint) and cast(a.value ->> 'state' as bigint) = 1";
        query(update).bind(attempts).execute(connection).await?;
        Ok(vec![(); work.len()])
    }

    fn changed_a_receipt(&self, (): &()) -> bool {
        true
    }
}

/// Gives up at most [`STEP`] whose time has run out.
pub(super) struct GiveUpEnds {
    now: UnixMillis,
}

impl Work for GiveUpEnds {
    /// How many there were.
    type Answer = u64;

    async fn apply(connection: &mut Connection, work: &[Self]) -> Result<Vec<u64>, StoreError> {
        let update = "
            update issuer_ends set state = 2, error = coalesce(error, $3) where logout in (
                select logout from issuer_ends
                where state = 0 and good_until <= $1 order by good_until, logout limit $2
            )";
        let mut answers = Vec::with_capacity(work.len());
        for one in work {
            trail_ends::overdue_issuer_ends(connection, one.now, STEP).await?;
            let query = query(update).bind(one.now.0).bind(STEP).bind(NEVER_TRIED);
            answers.push(query.execute(&mut *connection).await?.rows_affected());
        }
        Ok(answers)
    }

    fn changed_a_receipt(&self, given_up: &u64) -> bool {
        *given_up > 0
    }
}
