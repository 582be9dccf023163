//! The outbox: what is still to be posted to apps' back ends.

use serde::Serialize;
use tokio::sync::watch;

use super::Store;
use super::batch::Work;
use super::error::StoreError;
use super::plan::{Plan, Post};
use super::rows::{self, logout_columns};
use super::sql::{Connection, Row, query};
use super::trail_ends::{self, SentEnd};
use crate::domain::clock::UnixMillis;
use crate::domain::ids::{ClientId, Issuer, Sid};
use crate::domain::logout::Logout;
use crate::oidc::logout_token::RawLogoutToken;

/// The most rows that are given up in one transaction, so that nobody waits long.
const STEP: i64 = 500;

/// What the receipt says of a post whose time ran out untried.
const NEVER_TRIED: &str = "time ran out before an attempt had ended";

impl Store {
    /// The first `at_most` of what waits for each of these back ends, the most
    /// urgent first, whether or not it is due yet.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn outbox(&self, lines: &[Line], at_most: usize) -> Result<Vec<Waiting>, StoreError> {
        self.read(async { waiting(&mut *self.reader().await?, lines, at_most).await }).await
    }

    /// How the outbox stands, whether or not the apps are still configured.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn outbox_state(&self) -> Result<OutboxState, StoreError> {
        self.read(async {
            let select = "select count(*), min(good_until) from outbox where state = 0";
            let row = query(select).fetch_one(&mut *self.reader().await?).await?;
            let first_end = row.try_get::<Option<i64>>(1)?.map(UnixMillis);
            Ok(OutboxState { depth: rows::index(&row, 0)?, first_end })
        })
        .await
    }

    /// An attempt has ended. Saying so twice is saying it once, so ask again after
    /// [`StoreError::TimedOut`].
    ///
    /// # Errors
    /// Why it was not written down.
    pub async fn tried(&self, attempt: Attempt) -> Result<(), StoreError> {
        self.write(attempt).await
    }

    /// Gives up every post whose time has run out; says how many. The receipt keeps
    /// why the last attempt failed.
    ///
    /// # Errors
    /// Why it stopped. What it has done so far is done.
    pub async fn give_up_overdue(&self, now: UnixMillis) -> Result<u64, StoreError> {
        let mut given_up = 0;
        loop {
            match self.write(GiveUp { now }).await? {
                0 => return Ok(given_up),
                step => given_up += step,
            }
        }
    }

    /// Changes after every commit that may have put something into the outbox. It
    /// ends when the store is closed.
    #[must_use]
    pub fn outbox_rung(&self) -> watch::Receiver<()> {
        self.0.outbox.clone()
    }
}

/// One app's back end, whose posts wait in a line of their own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Line {
    /// The app's issuer.
    pub issuer: Issuer,
    /// The app.
    pub client_id: ClientId,
}

/// How the outbox stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxState {
    /// How many posts wait.
    pub depth: usize,
    /// When the time of the first of them runs out.
    pub first_end: Option<UnixMillis>,
}

/// A post that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Its place in the outbox, never given out twice.
    pub id: i64,
    /// Whose it is.
    pub line: Line,
    /// What it is about.
    pub logout: Logout,
    /// The issuer's own token, byte for byte; `None` where the hub is to make one.
    pub token: Option<RawLogoutToken>,
    /// How often it was tried.
    pub attempts: u32,
    /// Not to be tried before.
    pub due_at: UnixMillis,
    /// Of no use from then on.
    pub good_until: UnixMillis,
    /// Whether some node is trying it just now, be it this one ([`Store::claim`]). Never so in
    /// a file, where this one knows by itself.
    pub is_claimed: bool,
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The post's place in the outbox.
    pub id: i64,
    /// Which attempt of that post it was, from 1.
    pub number: u32,
    /// How it ended.
    pub end: AttemptEnd,
    /// When.
    pub at: UnixMillis,
}

/// How an attempt ended. Reasons are fixed words, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptEnd {
    /// The back end has taken the token.
    Acknowledged,
    /// It will never take it.
    Refused(&'static str),
    /// Not this time.
    Again {
        /// Why not.
        why: &'static str,
        /// When to try again.
        due_at: UnixMillis,
    },
}

/// Rows of the outbox on their way in.
#[derive(Serialize)]
struct PostRow<'a> {
    logout: i64,
    issuer: &'a str,
    client_id: &'a str,
    sid: &'a str,
    token: Option<&'a str>,
    at: i64,
    good_until: i64,
}

impl<'a> PostRow<'a> {
    fn of(post: &Post<'a>) -> Self {
        Self {
            logout: post.position,
            issuer: post.issuer,
            client_id: post.client_id.as_str(),
            sid: post.sid.map_or("", Sid::as_str),
            token: post.token,
            at: post.at.0,
            good_until: post.good_until.0,
        }
    }
}

/// Puts posts into the outbox. An app that has had its own of a logout keeps that.
pub(super) async fn put(connection: &mut Connection, plan: &Plan<'_>) -> Result<(), StoreError> {
    if plan.posts.is_empty() {
        return Ok(());
    }
    let posts: Vec<_> = plan.posts.iter().map(PostRow::of).collect();
    let insert = "
        insert into outbox (logout, issuer, client_id, sid, token, state, attempts, due_at, good_until)
        select cast(value ->> 'logout' as bigint), value ->> 'issuer', value ->> 'client_id', value ->> 'sid', value ->> 'token',
               0, 0, cast(value ->> 'at' as bigint), cast(value ->> 'good_until' as bigint)
        from jsonb_each($1)
        where true -- or `on` would be read as a join's
        order by key
        on conflict (logout, client_id, sid) do nothing";
    query(insert).bind(rows::json(&posts)?).execute(connection).await?;
    Ok(())
}

/// What waits in each line, as [`one_waiting`] reads it.
macro_rules! waiting_columns {
    ($is_claimed:literal, $before_the_first_few:literal, $after_them:literal) => {
        concat!(
            "select o.id, o.issuer, o.client_id, o.token, o.attempts, o.due_at, o.good_until, ",
            $is_claimed,
            ", ",
            logout_columns!(),
            " from jsonb_each($1) a ",
            $before_the_first_few,
            "
                select w.id from outbox w
                where w.state = 0 and w.issuer = a.value ->> 0 and w.client_id = a.value ->> 1
                order by w.due_at, w.id
                limit $2
            ",
            $after_them,
            "l.seq = o.logout order by o.due_at, o.id"
        )
    };
}

async fn waiting(connection: &mut Connection, lines: &[Line], at_most: usize) -> Result<Vec<Waiting>, StoreError> {
    let lines: Vec<_> = lines.iter().map(|line| (line.issuer.as_str(), line.client_id.as_str())).collect();
    // A file knows no claims; and the way to say "the first few of each line" differs.
    let select = if connection.is_postgres() {
        waiting_columns!(
            "case when o.claimed_for > o.attempts and o.claimed_until > database_time() then 1::bigint else 0 end",
            "cross join lateral (",
            ") w cross join outbox o cross join logouts l where o.id = w.id and "
        )
    } else {
        waiting_columns!("0", "cross join outbox o on o.id in (", ") cross join logouts l where ")
    };
    let found = query(select)
        .bind(rows::json(&lines)?)
        .bind(i64::try_from(at_most).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
    found.iter().map(one_waiting).collect()
}

fn one_waiting(row: &Row) -> Result<Waiting, StoreError> {
    Ok(Waiting {
        id: row.try_get(0)?,
        line: Line {
            issuer: rows::required(Issuer::parse, row, 1)?,
            client_id: rows::required(ClientId::parse, row, 2)?,
        },
        token: row.try_get::<Option<&str>>(3)?.map(RawLogoutToken::new),
        attempts: row.try_get::<i64>(4)?.try_into().unwrap_or(u32::MAX),
        due_at: UnixMillis(row.try_get(5)?),
        good_until: UnixMillis(row.try_get(6)?),
        is_claimed: row.try_get::<i64>(7)? != 0,
        logout: rows::logout(row, 8)?.0,
    })
}

/// How an attempt ended, on its way in.
#[derive(Serialize)]
struct AttemptRow {
    id: i64,
    number: u32,
    state: u8,
    status: u8,
    due_at: i64,
    error: Option<&'static str>,
    at: i64,
}

impl AttemptRow {
    fn of(attempt: &Attempt) -> Self {
        // States as in the outbox, statuses as in the receipt.
        let (state, status, due_at, error) = match attempt.end {
            AttemptEnd::Acknowledged => (1, 3, attempt.at, None),
            AttemptEnd::Refused(why) => (2, 1, attempt.at, Some(why)),
            AttemptEnd::Again { why, due_at } => (0, 0, due_at, Some(why)),
        };
        Self { id: attempt.id, number: attempt.number, state, status, due_at: due_at.0, error, at: attempt.at.0 }
    }

    /// Whether it was the last, and how it ended then.
    fn end(&self) -> Option<(i64, u32, SentEnd, UnixMillis)> {
        let end = match self.state {
            1 => SentEnd::Taken,
            2 => SentEnd::GivenUp(self.error?),
            _ => return None,
        };
        Some((self.id, self.number, end, UnixMillis(self.at)))
    }
}

impl Work for Attempt {
    type Answer = ();

    async fn apply(connection: &mut Connection, work: &[Self]) -> Result<Vec<()>, StoreError> {
        for attempts in rows::rounds(work.iter().map(AttemptRow::of).collect(), |row| row.id) {
            trail_ends::posts(connection, attempts.iter().filter_map(AttemptRow::end)).await?;
            write_attempts(connection, &rows::json(&attempts)?).await?;
        }
        Ok(vec![(); work.len()])
    }

    fn changed_a_receipt(&self, (): &()) -> bool {
        true
    }
}

async fn write_attempts(connection: &mut Connection, attempts: &str) -> Result<(), StoreError> {
    // What an app took after it was given up is done all the same.
    let update = "
        update outbox as o set
            state = case
                when cast(a.value ->> 'state' as bigint) = 1 then 1
                else max(o.state, cast(a.value ->> 'state' as bigint))
            end,
            token = case when max(o.state, cast(a.value ->> 'state' as bigint)) = 0 then o.token end,
            attempts = max(o.attempts, cast(a.value ->> 'number' as bigint)),
            due_at = cast(a.value ->> 'due_at' as bigint)
        from jsonb_each($1) a
        where o.id = cast(a.value ->> 'id' as bigint)";
    query(update).bind(attempts).execute(&mut *connection).await?;
    // Not an update from a join: that would be planned as a walk over all receipts.
    let upsert = "
        insert into deliveries (logout, client_id, sid, via, status, attempts, updated_at, error)
        select o.logout, o.client_id, o.sid, 'backchannel', cast(a.value ->> 'status' as bigint), cast(a.value ->> 'number' as bigint),
               cast(a.value ->> 'at' as bigint), a.value ->> 'error'
        from jsonb_each($1) a
        cross join outbox o
        where o.id = cast(a.value ->> 'id' as bigint)
        on conflict (logout, client_id, sid, via) do update set
            error = case
                when excluded.status >= deliveries.status then excluded.error
                else deliveries.error
            end,
            status = max(deliveries.status, excluded.status),
            attempts = max(deliveries.attempts, excluded.attempts),
            updated_at = max(deliveries.updated_at, excluded.updated_at)";
    query(upsert).bind(attempts).execute(connection).await?;
    Ok(())
}

/// Gives up at most [`STEP`] posts whose time has run out.
pub(super) struct GiveUp {
    now: UnixMillis,
}

impl Work for GiveUp {
    /// How many there were.
    type Answer = u64;

    async fn apply(connection: &mut Connection, work: &[Self]) -> Result<Vec<u64>, StoreError> {
        let mut answers = Vec::with_capacity(work.len());
        for one in work {
            answers.push(one.step(connection).await?);
        }
        Ok(answers)
    }

    fn changed_a_receipt(&self, given_up: &u64) -> bool {
        *given_up > 0
    }
}

impl GiveUp {
    async fn step(&self, connection: &mut Connection) -> Result<u64, StoreError> {
        trail_ends::overdue_posts(connection, self.now, STEP).await?;
        let update = "
            update deliveries as d set
                status = 1, error = coalesce(d.error, $3), updated_at = max(d.updated_at, $1)
            from (
                select logout, client_id, sid from outbox
                where state = 0 and good_until <= $1 order by good_until, id limit $2
            ) o
            where d.logout = o.logout and d.client_id = o.client_id and d.sid = o.sid
                and d.via = 'backchannel' and d.status = 0";
        query(update).bind(self.now.0).bind(STEP).bind(NEVER_TRIED).execute(&mut *connection).await?;
        let update = "
            update outbox set state = 2, token = null where id in (
                select id from outbox where state = 0 and good_until <= $1 order by good_until, id limit $2
            )";
        Ok(query(update).bind(self.now.0).bind(STEP).execute(connection).await?.rows_affected())
    }
}
