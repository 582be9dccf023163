//! Posts to back ends and ends at issuers as operators see them: what waits, what was given
//! up, and once more from there.

use super::Store;
use super::batch::Work;
use super::error::StoreError;
use super::outbox::Line;
use super::overview::count;
use super::plan::TRIED_SECONDS;
use super::rows;
use super::sql::{Connection, Query, Row, query};
use crate::domain::clock::UnixMillis;
use crate::domain::ids::{ClientId, Issuer, LogoutId};

/// The most rows that are moved in one transaction, so that nobody waits long.
const STEP: i64 = 500;

/// Something that is to be told to somebody who has not taken it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its place, by which it is tried again.
    pub id: i64,
    /// At which issuer.
    pub issuer: Issuer,
    /// To which app's back end; `None` for an end at the issuer itself.
    pub client_id: Option<ClientId>,
    /// The logout that it is about.
    pub logout: LogoutId,
    /// When that was recorded.
    pub recorded_at: UnixMillis,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, where it still is.
    pub due_at: UnixMillis,
    /// When it is, or was to be, given up.
    pub good_until: UnixMillis,
    /// Why the last attempt came to nothing, in fixed words.
    pub error: Option<String>,
}

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterState {
    /// Those that wait, the first to be given up first.
    Waiting,
    /// Those that were given up or refused, the latest first.
    GivenUp,
}

/// How many wait, how many were given up of late, and how old the oldest is that waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many wait.
    pub waiting: u64,
    /// When the logout of the oldest of them was recorded.
    pub oldest: Option<UnixMillis>,
    /// How many were given up or refused since the moment that was asked about.
    pub given_up: u64,
}

/// What is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retry {
    /// One post.
    Post(i64),
    /// Every post to one app's back end that waits, or was given up since then.
    App {
        /// The app's issuer.
        issuer: Issuer,
        /// The app.
        client_id: ClientId,
        /// What was given up earlier stays so.
        since: UnixMillis,
        /// Whether to take up what was given up; else only what waits.
        takes_up: bool,
    },
    /// One end at an issuer.
    End(i64),
}

/// The columns of [`post`].
macro_rules! posts {
    ($rest:literal) => {
        concat!(
            "select o.id, o.issuer, o.client_id, l.id, l.recorded_at, o.attempts, o.due_at, o.good_until, d.error
             from outbox o
             join logouts l on l.seq = o.logout
             left join deliveries d on d.logout = o.logout and d.client_id = o.client_id and d.sid = o.sid
                and d.via = 'backchannel'
             where ",
            $rest,
            " limit $1"
        )
    };
}

/// The columns of [`end`].
macro_rules! ends {
    ($rest:literal) => {
        concat!(
            "select e.logout, e.issuer, l.id, l.recorded_at, e.attempts, e.due_at, e.good_until, e.error
             from issuer_ends e
             join logouts l on l.seq = e.logout
             where l.is_final = 0 and ",
            $rest,
            " limit $1"
        )
    };
}

/// How many wait, and when the logout of the first was recorded; how many were given up.
macro_rules! backlog {
    ($table:literal) => {
        concat!(
            "select b.waiting, l.recorded_at, (
                select count(*) from ",
            $table,
            " where state = 2 and good_until > $1
             )
             from (select count(*) as waiting, min(logout) as first from ",
            $table,
            " where state = 0) b
             left join logouts l on l.seq = b.first"
        )
    };
}

impl Store {
    /// The posts to back ends in that state, at most so many.
    ///
    /// # Errors
    /// Why they could not be read.
    pub async fn posts(&self, state: LetterState, at_most: u32) -> Result<Vec<Letter>, StoreError> {
        let select = match state {
            LetterState::Waiting => posts!("o.state = 0 order by o.good_until, o.id"),
            LetterState::GivenUp => posts!("o.state = 2 order by o.good_until desc, o.id desc"),
        };
        self.read(async {
            let found = query(select).bind(i64::from(at_most)).fetch_all(&mut *self.reader().await?).await?;
            found.iter().map(post).collect()
        })
        .await
    }

    /// Whose a post is, and how it stands; `None` where there is none of that place, or it was
    /// taken.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn post(&self, id: i64) -> Result<Option<(Line, LetterState)>, StoreError> {
        self.read(async {
            let select = "select issuer, client_id, state from outbox where id = $1 and state in (0, 2)";
            let found = query(select).bind(id).fetch_optional(&mut *self.reader().await?).await?;
            let Some(row) = found else { return Ok(None) };
            let line = Line {
                issuer: rows::required(Issuer::parse, &row, 0)?,
                client_id: rows::required(ClientId::parse, &row, 1)?,
            };
            let is_waiting = row.try_get::<i64>(2)? == 0;
            Ok(Some((line, if is_waiting { LetterState::Waiting } else { LetterState::GivenUp })))
        })
        .await
    }

    /// The ends at issuers in that state, at most so many. One that has ended otherwise in the
    /// meantime is left out.
    ///
    /// # Errors
    /// Why they could not be read.
    pub async fn ends(&self, state: LetterState, at_most: u32) -> Result<Vec<Letter>, StoreError> {
        let select = match state {
            LetterState::Waiting => ends!("e.state = 0 order by e.good_until, e.logout"),
            LetterState::GivenUp => ends!("e.state = 2 order by e.good_until desc, e.logout desc"),
        };
        self.read(async {
            let found = query(select).bind(i64::from(at_most)).fetch_all(&mut *self.reader().await?).await?;
            found.iter().map(end).collect()
        })
        .await
    }

    /// How the posts to back ends stand, and the ends at issuers, with what was given up since
    /// then.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn backlogs(&self, since: UnixMillis) -> Result<[Backlog; 2], StoreError> {
        self.read(async {
            let mut reader = self.reader().await?;
            let mut read = [Backlog::default(); 2];
            for (own, select) in read.iter_mut().zip([backlog!("outbox"), backlog!("issuer_ends")]) {
                let row = query(select).bind(since.0).fetch_one(&mut reader).await?;
                let oldest = row.try_get::<Option<i64>>(1)?.map(UnixMillis);
                *own = Backlog { waiting: count(&row, 0)?, oldest, given_up: count(&row, 2)? };
            }
            Ok(read)
        })
        .await
    }

    /// Tries again now: what waits is due at once, and what was given up waits again for as
    /// long as a new one would. Says how many that are.
    ///
    /// # Errors
    /// Why it stopped. What it has done so far is done.
    pub async fn retry(&self, retry: Retry, now: UnixMillis) -> Result<u64, StoreError> {
        let goes_on = matches!(retry, Retry::App { .. });
        let mut moved = 0;
        loop {
            let step = self.write(RetryStep { retry: retry.clone(), now }).await?;
            moved += step;
            if step == 0 || !goes_on {
                return Ok(moved);
            }
        }
    }
}

fn post(row: &Row) -> Result<Letter, StoreError> {
    let client_id = Some(rows::required(ClientId::parse, row, 2)?);
    letter(row, [0, 1, 3], client_id)
}

fn end(row: &Row) -> Result<Letter, StoreError> {
    letter(row, [0, 1, 2], None)
}

/// The place, the issuer and the logout stand where `heads` says; the rest follows on the last.
fn letter(row: &Row, heads: [usize; 3], client_id: Option<ClientId>) -> Result<Letter, StoreError> {
    let [id, issuer, logout] = heads;
    Ok(Letter {
        id: row.try_get(id)?,
        issuer: rows::required(Issuer::parse, row, issuer)?,
        client_id,
        logout: rows::required(LogoutId::parse, row, logout)?,
        recorded_at: UnixMillis(row.try_get(logout + 1)?),
        attempts: row.try_get::<i64>(logout + 2)?.try_into().unwrap_or(u32::MAX),
        due_at: UnixMillis(row.try_get(logout + 3)?),
        good_until: UnixMillis(row.try_get(logout + 4)?),
        error: row.try_get(logout + 5)?,
    })
}

/// Tries at most [`STEP`] again.
pub(super) struct RetryStep {
    retry: Retry,
    now: UnixMillis,
}

impl Work for RetryStep {
    /// How many there were.
    type Answer = u64;

    async fn apply(connection: &mut Connection, work: &[Self]) -> Result<Vec<u64>, StoreError> {
        let mut answers = Vec::with_capacity(work.len());
        for one in work {
            answers.push(one.step(connection).await?);
        }
        Ok(answers)
    }

    fn changed_a_receipt(&self, moved: &u64) -> bool {
        *moved > 0
    }

    fn filled_the_outbox(&self, moved: &u64) -> bool {
        *moved > 0
    }
}

/// Posts that were given up wait again, and the receipt says so: the statements for the receipt
/// and for the posts. `$1` is now, the last parameter the end of the posts' new time. Not an
/// update from a join: that would be planned as a walk over all receipts.
macro_rules! take_up {
    ($which:literal, $good_until:literal) => {
        [
            concat!(
                "update deliveries as d set status = 0, updated_at = max(d.updated_at, $1)
                 from (select logout, client_id, sid from outbox where state = 2 and ",
                $which,
                ") o
                 where d.logout = o.logout and d.client_id = o.client_id and d.sid = o.sid
                    and d.via = 'backchannel' and d.status = 1"
            ),
            concat!(
                "update outbox set state = 0, due_at = $1, good_until = ",
                $good_until,
                " where id in (select id from outbox where state = 2 and ",
                $which,
                ")"
            ),
        ]
    };
}

impl RetryStep {
    async fn step(&self, connection: &mut Connection) -> Result<u64, StoreError> {
        match &self.retry {
            Retry::Post(id) => {
                let hurry = "update outbox set due_at = $1 where state = 0 and due_at > $1 and id = $2";
                let hurried = query(hurry).bind(self.now.0).bind(*id).execute(connection).await?.rows_affected();
                let with_id = |query: Query<'static>| query.bind(*id);
                Ok(hurried + self.take_up(connection, take_up!("id = $2", "$3"), with_id).await?)
            }
            Retry::App { issuer, client_id, since, takes_up } => {
                let (issuer, client_id) = (issuer.as_str(), client_id.as_str());
                let hurry = "
                    update outbox set due_at = $1 where id in (
                        select id from outbox
                        where state = 0 and due_at > $1 and issuer = $2 and client_id = $3 order by due_at limit $4
                    )";
                let hurry = query(hurry).bind(self.now.0).bind(issuer).bind(client_id).bind(STEP);
                let hurried = hurry.execute(connection).await?.rows_affected();
                if !*takes_up {
                    return Ok(hurried);
                }
                let updates = take_up!(
                    "issuer = $2 and client_id = $3 and good_until > $4 order by good_until, id limit $5",
                    "$6"
                );
                let with_app = |query: Query<'static>| {
                    query.bind(issuer.to_owned()).bind(client_id.to_owned()).bind(since.0).bind(STEP)
                };
                Ok(hurried + self.take_up(connection, updates, with_app).await?)
            }
            Retry::End(place) => {
                let update = "
                    update issuer_ends set
                        good_until = case when state = 2 then $2 else good_until end, state = 0, due_at = $1
                    where logout = $3 and (state = 2 or (state = 0 and due_at > $1))";
                let query = query(update).bind(self.now.0).bind(self.until()).bind(*place);
                Ok(query.execute(connection).await?.rows_affected())
            }
        }
    }

    async fn take_up(
        &self,
        connection: &mut Connection,
        [receipts, posts]: [&'static str; 2],
        which: impl Fn(Query<'static>) -> Query<'static>,
    ) -> Result<u64, StoreError> {
        which(query(receipts).bind(self.now.0)).execute(connection).await?;
        let posts = which(query(posts).bind(self.now.0)).bind(self.until());
        Ok(posts.execute(connection).await?.rows_affected())
    }

    /// Until when it is tried, as if it had come now.
    fn until(&self) -> i64 {
        self.now.plus_seconds(TRIED_SECONDS).0
    }
}
