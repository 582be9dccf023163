//! The registry, written: every session that was seen, and the clocks that end sessions.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::Store;
use super::batch::Work;
use super::error::StoreError;
use super::rows::{self, NO_AUTH_TIME};
use super::sessions::over;
use super::sql::{Connection, query};
use crate::domain::clock::UnixMillis;
use crate::domain::device::Device;
use crate::domain::ids::{SessionId, SessionKey, Sid};
use crate::domain::logout::SignIn;
use crate::domain::session_life::millis;

/// What is to be written of one session.
#[derive(Clone, Debug)]
pub struct SessionNote {
    /// The sign-in that was seen, of an app of the session. One without `sid` names no
    /// session, and nothing is written.
    pub sign_in: SignIn,
    /// The public name, should the session be new.
    pub id: SessionId,
    /// When it was seen.
    pub seen_at: UnixMillis,
    /// When its person last did something, where that is news.
    pub active_at: Option<UnixMillis>,
    /// What it was seen on, where that is known.
    pub device: Option<Arc<Device>>,
    /// What that means for its clock.
    pub clock: Clock,
}

/// What becomes of the clock of a session that was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// It stays as it is: nothing ends by itself.
    #[default]
    Stays,
    /// It runs: the session is alive. One that had stopped begins anew. A session that has
    /// ended since it was seen, by a logout that is on disk, stays ended.
    Runs,
    /// It stops: the session is being ended.
    Stops,
}

impl SessionNote {
    /// Takes on what a later note of the same session says.
    pub fn merge(&mut self, later: Self) {
        let begins_anew = self.clock == Clock::Stops && later.clock == Clock::Runs;
        let active_at = self.active_at.max(later.active_at).max(begins_anew.then_some(later.seen_at));
        let clock = if later.clock == Clock::Stays { self.clock } else { later.clock };
        let device = later.device.clone().or_else(|| self.device.take());
        let auth_time = self.sign_in.auth_time.max(later.sign_in.auth_time);
        let sign_in = SignIn { auth_time, ..later.sign_in };
        *self = Self { sign_in, active_at, device, clock, ..later };
    }
}

impl Store {
    /// Writes down what was seen of sessions, each named at most once.
    ///
    /// # Errors
    /// Why nothing of it was written down.
    pub async fn note_sessions(&self, notes: Vec<SessionNote>) -> Result<(), StoreError> {
        if notes.is_empty() { Ok(()) } else { self.write(SessionNotes(notes)).await }
    }

    /// Changes the clocks of sessions, a page with each commit: others write in between.
    ///
    /// # Errors
    /// Why it was not done, or not to its end. It can be done again.
    pub async fn change_clocks(&self, change: ClockChange) -> Result<(), StoreError> {
        while self.write(change.clone()).await? {}
        Ok(())
    }
}

/// What was seen, on its way into the registry.
pub(super) struct SessionNotes(Vec<SessionNote>);

/// One note as the statements take it.
#[derive(Serialize)]
struct NoteRow<'a> {
    issuer: &'a str,
    sid: &'a str,
    id: &'a str,
    sub: &'a str,
    auth_time: i64,
    iat: i64,
    seen_at: i64,
    active_at: i64,
    clock: u8,
    user_agent: Option<&'a str>,
    address: Option<String>,
    network: Option<String>,
}

impl<'a> NoteRow<'a> {
    fn of(note: &'a SessionNote, over: &HashSet<SessionKey>) -> Option<Self> {
        let now = note.seen_at.floor().0;
        // A sign-in in the future is one by an issuer whose clock is ahead.
        let auth_time = note.sign_in.auth_time.map_or(NO_AUTH_TIME, |at| at.0.min(now));
        let device = note.device.as_deref();
        let is_over = note.clock == Clock::Runs && note.sign_in.session().is_some_and(|key| over.contains(&key));
        let clock = if is_over { Clock::Stops } else { note.clock };
        Some(Self {
            issuer: note.sign_in.issuer.as_str(),
            sid: note.sign_in.sid.as_ref()?.as_str(),
            id: note.id.as_str(),
            sub: note.sign_in.sub.as_str(),
            auth_time,
            iat: note.sign_in.issued_at.0.min(now),
            seen_at: note.seen_at.0,
            active_at: note.active_at.map_or(0, |at| at.0),
            clock: clock as u8,
            user_agent: device.and_then(|device| device.user_agent.as_deref()),
            address: device.map(|device| device.address.to_string()),
            network: device.map(Device::network),
        })
    }
}

impl Work for SessionNotes {
    type Answer = ();

    async fn apply(connection: &mut Connection, work: &[Self]) -> Result<Vec<()>, StoreError> {
        for SessionNotes(notes) in work {
            let starting = starting(connection, notes).await?;
            let over = over(connection, &starting).await?;
            let notes: Vec<_> = notes.iter().filter_map(|note| NoteRow::of(note, &over)).collect();
            note(connection, &rows::json(&notes)?).await?;
        }
        Ok(vec![(); work.len()])
    }
}

/// Those that would start a session's clock. Between its being seen and written a logout
/// may have ended it; for one whose clock runs that has stopped it already.
async fn starting<'a>(connection: &mut Connection, notes: &'a [SessionNote]) -> Result<Vec<&'a SignIn>, StoreError> {
    let runs: Vec<_> = notes.iter().filter(|note| note.clock == Clock::Runs).map(|note| &note.sign_in).collect();
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<_> = runs.iter().map(|it| (it.issuer.as_str(), it.sid.as_ref().map(Sid::as_str))).collect();
    let select = "
        select k.key from jsonb_each($1) k
        left join sessions s on s.issuer = k.value ->> 0 and s.sid = k.value ->> 1
        where s.clock is null or s.clock <> 1";
    let found = query(select).bind(rows::json(&keys)?).fetch_all(connection).await?;
    let places = found.iter().map(|row| usize::try_from(row.try_get::<i64>(0)?).map_err(|_| StoreError::Damaged));
    let places = places.collect::<Result<Vec<_>, _>>()?;
    Ok(places.into_iter().filter_map(|place| runs.get(place).copied()).collect())
}

/// A session that is new counts as active: somebody has just signed in, or opened an
/// app. After that only what is said to be activity counts, and a sign-in that is newer
/// than the last; and one after the session's end, which begins the session anew.
async fn note(connection: &mut Connection, notes: &str) -> Result<(), StoreError> {
    let insert = "
        insert into sessions (issuer, sid, id, sub, auth_time, started_at, first_seen_at, last_seen_at, active_at,
                              clock, is_sampled, user_agent, address, network)
        select value ->> 'issuer', value ->> 'sid', value ->> 'id', value ->> 'sub', cast(value ->> 'auth_time' as bigint),
               coalesce(nullif(cast(value ->> 'auth_time' as bigint), -1), cast(value ->> 'iat' as bigint)),
               cast(value ->> 'seen_at' as bigint), cast(value ->> 'seen_at' as bigint), cast(value ->> 'seen_at' as bigint), cast(value ->> 'clock' as bigint), 1,
               value ->> 'user_agent', value ->> 'address', value ->> 'network'
        from jsonb_each($1)
        where true -- or `on` would be read as a join's
        on conflict do nothing";
    query(insert).bind(notes).execute(&mut *connection).await?;
    let update = "
        update sessions set
            sub = n.sub,
            auth_time = max(sessions.auth_time, n.auth_time),
            started_at = case
                when sessions.clock = 2 and n.clock = 1 then n.iat
                when n.auth_time > sessions.auth_time then n.auth_time
                when sessions.auth_time > -1 or sessions.clock = 2 then started_at
                else min(started_at, n.iat)
            end,
            last_seen_at = max(last_seen_at, n.seen_at),
            active_at = case
                when sessions.clock <> 1 and n.clock = 1 then max(sessions.active_at, n.seen_at)
                else max(
                    max(sessions.active_at, n.active_at),
                    case when n.auth_time > sessions.auth_time then n.auth_time * 1000 else 0 end
                )
            end,
            clock = case when n.clock > 0 then n.clock else sessions.clock end,
            is_sampled = 1,
            user_agent = coalesce(n.user_agent, sessions.user_agent),
            address = coalesce(n.address, sessions.address),
            network = coalesce(n.network, sessions.network)
        from (
            select value ->> 'issuer' as issuer, value ->> 'sid' as sid, value ->> 'sub' as sub,
                   cast(value ->> 'auth_time' as bigint) as auth_time, cast(value ->> 'iat' as bigint) as iat, cast(value ->> 'seen_at' as bigint) as seen_at,
                   cast(value ->> 'active_at' as bigint) as active_at, cast(value ->> 'clock' as bigint) as clock,
                   value ->> 'user_agent' as user_agent, value ->> 'address' as address,
                   value ->> 'network' as network
            from jsonb_each($1)
        ) n
        where sessions.issuer = n.issuer and sessions.sid = n.sid";
    query(update).bind(notes).execute(connection).await?;
    Ok(())
}

/// Stops the clocks of sessions that are over, with the logout that ended them: whoever is
/// seen in one after that has signed in, and begins anew.
pub(super) async fn stop(
    connection: &mut Connection,
    over: impl Iterator<Item = &SessionKey>,
) -> Result<(), StoreError> {
    let over: Vec<_> = over.map(|key| (key.issuer.as_str(), key.sid.as_str())).collect();
    if over.is_empty() {
        return Ok(());
    }
    let update = "
        update sessions set clock = 2 from jsonb_each($1) k
        where issuer = k.value ->> 0 and sid = k.value ->> 1 and clock = 1";
    query(update).bind(rows::json(&over)?).execute(connection).await?;
    Ok(())
}

/// What becomes of sessions' clocks.
#[derive(Clone, Debug)]
pub enum ClockChange {
    /// These sessions are over; those that were active after that moment may have begun
    /// again, and run on.
    Stop(Vec<(SessionKey, UnixMillis)>),
    /// The hub starts. What a crash kept from being written is made up for, once, and
    /// nothing is later than now.
    Resume {
        /// How stale what is written may be.
        sample: Duration,
        /// The hub's clock.
        now: UnixMillis,
    },
    /// The time of day went back: nothing is later than that.
    NotAfter(UnixMillis),
    /// No session ends by itself any more.
    StopAll,
}

/// How many sessions a statement changes. With sixty thousand one would take longer than a
/// statement may.
pub(super) const PAGE: u32 = 5_000;

impl Work for ClockChange {
    /// Whether there may be more.
    type Answer = bool;

    async fn apply(connection: &mut Connection, work: &[Self]) -> Result<Vec<bool>, StoreError> {
        let mut answers = Vec::with_capacity(work.len());
        for change in work {
            answers.push(change.make(connection).await? >= u64::from(PAGE));
        }
        Ok(answers)
    }
}

impl ClockChange {
    /// Changes a page, and says how many that were.
    async fn make(&self, connection: &mut Connection) -> Result<u64, StoreError> {
        match self {
            Self::Stop(sessions) => {
                let stopped = sessions.iter().map(|(key, at)| (key.issuer.as_str(), key.sid.as_str(), at.0));
                let stopped = rows::json(&stopped.collect::<Vec<_>>())?;
                let update = "
                    update sessions set clock = 2 from jsonb_each($1) k
                    where issuer = k.value ->> 0 and sid = k.value ->> 1 and active_at <= cast(k.value ->> 2 as bigint)";
                // As many as were named: no more are left.
                query(update).bind(stopped).execute(connection).await.map(|_| 0)
            }
            Self::Resume { sample, now } => {
                let update = "
                    update sessions set active_at = min(active_at + $1, $2), is_sampled = 0
                    where (issuer, sid) in (
                        select issuer, sid from sessions where clock = 1 and is_sampled = 1 limit $3
                    )";
                let sampled = query(update).bind(millis(*sample)).bind(now.0).bind(i64::from(PAGE));
                let sampled = sampled.execute(&mut *connection).await?.rows_affected();
                Ok(sampled.max(not_after(connection, *now).await?))
            }
            Self::NotAfter(now) => not_after(connection, *now).await,
            Self::StopAll => {
                let update = "
                    update sessions set clock = 0
                    where (issuer, sid) in (select issuer, sid from sessions where clock = 1 limit $1)";
                Ok(query(update).bind(i64::from(PAGE)).execute(connection).await?.rows_affected())
            }
        }
    }
}

async fn not_after(connection: &mut Connection, now: UnixMillis) -> Result<u64, StoreError> {
    let active = "
        update sessions set active_at = $1
        where (issuer, sid) in (select issuer, sid from sessions where clock = 1 and active_at > $1 limit $2)";
    let active = query(active).bind(now.0).bind(i64::from(PAGE)).execute(&mut *connection).await?;
    let started = "
        update sessions set started_at = $1
        where (issuer, sid) in (select issuer, sid from sessions where clock = 1 and started_at > $1 limit $2)";
    let started = query(started).bind(now.floor().0).bind(i64::from(PAGE)).execute(connection).await?;
    Ok(active.rows_affected().max(started.rows_affected()))
}
