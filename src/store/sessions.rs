//! The registry, read: people's own sessions, and those whose time has come.

use std::collections::{HashMap, HashSet};

use super::Store;
use super::error::StoreError;
use super::rows;
use super::seen_tokens::standings;
use super::sql::{Connection, Row, query};
use crate::domain::clock::{UnixMillis, UnixSeconds};
use crate::domain::ids::{ClientId, Issuer, SessionId, SessionKey, Sid, Subject, SubjectKey};
use crate::domain::logout::{Logout, SignIn};
use crate::domain::session_life::Window;

/// A session as the registry knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// Its public name.
    pub id: SessionId,
    /// Its name at the issuer.
    pub key: SessionKey,
    /// Whose it is.
    pub sub: Subject,
    /// The apps that were seen to use it.
    pub apps: Vec<ClientId>,
    /// When it began: the latest sign-in that the tokens tell of.
    pub started_at: UnixSeconds,
    /// When the hub first saw it.
    pub first_seen_at: UnixMillis,
    /// When the hub last saw it, to the minute.
    pub last_seen_at: UnixMillis,
    /// When its person last did something, to the minute. Where sessions have no idle
    /// time-out no app reports that, and this is when it was first seen.
    pub active_at: UnixMillis,
    /// What the client calls itself; [`crate::domain::device::name_of`] has a name for that.
    pub user_agent: Option<String>,
    /// The address it was last seen at; after [`super::ADDRESS_DAYS`] only its network, as
    /// `203.0.113.0/24`.
    pub address: Option<String>,
    /// The logout that ended it; `None` while any of its tokens lives.
    pub ended_by: Option<Logout>,
}

impl SessionRecord {
    /// When it was last seen by whatever told of it: an app that asked, or its person.
    #[must_use]
    pub fn last_seen(&self) -> UnixMillis {
        self.last_seen_at.max(self.active_at)
    }
}

/// A session whose clock is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedSession {
    /// The session.
    pub key: SessionKey,
    /// Whose it is.
    pub sub: Subject,
    /// When its person last did something, as far as is written.
    pub active_at: UnixMillis,
    /// When it began.
    pub started_at: UnixSeconds,
    /// The latest `iat` that was seen of it. Where clocks differ, or ours was set back,
    /// that may be later than now.
    pub latest_iat: Option<UnixSeconds>,
    /// Whether it is over already, by whatever logout: one that came when nobody knew yet
    /// that this session is its person's stopped no clock.
    pub is_over: bool,
}

/// Which of a session's times a clock goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimedBy {
    /// The last activity.
    Activity,
    /// The start.
    Start,
}

impl Store {
    /// Every session of one person that the registry knows, the one last seen first;
    /// those that are over too.
    ///
    /// # Errors
    /// Why they could not be read.
    pub async fn sessions_of(&self, person: &SubjectKey) -> Result<Vec<SessionRecord>, StoreError> {
        let select = session_columns!("where s.issuer = $1 and s.sub = $2 order by s.last_seen_at desc, s.sid");
        self.read(async {
            let mut reader = self.reader().await?;
            let query = query(select).bind(person.issuer.as_str()).bind(person.sub.as_str());
            let found = query.fetch_all(&mut reader).await?;
            records(&mut reader, &found).await
        })
        .await
    }

    /// One session.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn session(&self, key: &SessionKey) -> Result<Option<SessionRecord>, StoreError> {
        let select = session_columns!("where s.issuer = $1 and s.sid = $2");
        self.read(async {
            let mut reader = self.reader().await?;
            let query = query(select).bind(key.issuer.as_str()).bind(key.sid.as_str());
            let found = query.fetch_all(&mut reader).await?;
            Ok(records(&mut reader, &found).await?.pop())
        })
        .await
    }

    /// The sessions with running clocks whose time lies in a window, each with that time.
    ///
    /// # Errors
    /// Why they could not be read.
    pub async fn sessions_timed_in(
        &self,
        window: Window,
        by: TimedBy,
    ) -> Result<Vec<(SessionKey, UnixMillis)>, StoreError> {
        let (select, unit) = match by {
            TimedBy::Activity => (
                "select issuer, sid, active_at from sessions
                 where clock = 1 and active_at > $1 and active_at <= $2 order by active_at",
                1,
            ),
            TimedBy::Start => (
                "select issuer, sid, started_at from sessions
                 where clock = 1 and started_at > $1 and started_at <= $2 order by started_at",
                1000,
            ),
        };
        self.read(async {
            let (after, through) = (window.after.0.div_euclid(unit), window.through.0.div_euclid(unit));
            let query = query(select).bind(after).bind(through);
            let found = query.fetch_all(&mut *self.reader().await?).await?;
            found.iter().map(|row| Ok((key(row)?, UnixMillis(row.try_get::<i64>(2)? * unit)))).collect()
        })
        .await
    }

    /// How these sessions are; those whose clocks do not run are left out.
    ///
    /// # Errors
    /// Why they could not be read.
    pub async fn timed_sessions(&self, keys: &[SessionKey]) -> Result<Vec<TimedSession>, StoreError> {
        let select = "
            select s.issuer, s.sid, s.sub, s.active_at, s.started_at
            from jsonb_each($1) k
            cross join sessions s
            where s.issuer = k.value ->> 0 and s.sid = k.value ->> 1 and s.clock = 1
            order by k.key";
        self.read(async {
            let mut reader = self.reader().await?;
            let found = query(select).bind(rows::json(&pairs(keys))?).fetch_all(&mut reader).await?;
            let keys = found.iter().map(key).collect::<Result<Vec<_>, _>>()?;
            let uses = uses(&mut reader, &keys).await?;
            found.iter().zip(keys).map(|(row, key)| timed(row, key, &uses)).collect()
        })
        .await
    }
}

/// The statement that reads whole rows, as [`records`] takes them.
macro_rules! session_columns {
    ($which:literal) => {
        concat!(
            "select s.issuer, s.sid, s.id, s.sub, s.started_at, s.first_seen_at, s.last_seen_at, s.active_at,
                    s.user_agent, coalesce(s.address, s.network)
             from sessions s ",
            $which
        )
    };
}
use session_columns;

/// Who uses a session, and how that stands.
#[derive(Default)]
struct Uses {
    apps: Vec<ClientId>,
    /// The end of its newest token, and whether every other has one too.
    ended_by: Option<Logout>,
    is_over: bool,
    latest_iat: Option<UnixSeconds>,
}

fn key(row: &Row) -> Result<SessionKey, StoreError> {
    Ok(SessionKey { issuer: rows::required(Issuer::parse, row, 0)?, sid: rows::required(Sid::parse, row, 1)? })
}

fn pairs(keys: &[SessionKey]) -> Vec<(&str, &str)> {
    keys.iter().map(|key| (key.issuer.as_str(), key.sid.as_str())).collect()
}

fn timed(row: &Row, key: SessionKey, uses: &HashMap<SessionKey, Uses>) -> Result<TimedSession, StoreError> {
    let uses = uses.get(&key);
    Ok(TimedSession {
        latest_iat: uses.and_then(|uses| uses.latest_iat),
        is_over: uses.is_some_and(|uses| uses.is_over),
        key,
        sub: rows::required(Subject::parse, row, 2)?,
        active_at: UnixMillis(row.try_get(3)?),
        started_at: UnixSeconds(row.try_get(4)?),
    })
}

async fn records(connection: &mut Connection, found: &[Row]) -> Result<Vec<SessionRecord>, StoreError> {
    let keys = found.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    let mut uses = uses(connection, &keys).await?;
    let records = found.iter().zip(keys).map(|(row, key)| {
        let uses = uses.remove(&key).unwrap_or_default();
        Ok(SessionRecord {
            id: rows::required(SessionId::parse, row, 2)?,
            key,
            sub: rows::required(Subject::parse, row, 3)?,
            apps: uses.apps,
            started_at: UnixSeconds(row.try_get(4)?),
            first_seen_at: UnixMillis(row.try_get(5)?),
            last_seen_at: UnixMillis(row.try_get(6)?),
            active_at: UnixMillis(row.try_get(7)?),
            user_agent: row.try_get(8)?,
            address: row.try_get(9)?,
            ended_by: uses.ended_by.filter(|_| uses.is_over),
        })
    });
    records.collect()
}

/// Who uses each of these sessions. A session is over when all that was seen of it is.
async fn uses(connection: &mut Connection, keys: &[SessionKey]) -> Result<HashMap<SessionKey, Uses>, StoreError> {
    let select = "
        select t.issuer, t.sid, t.sub, t.client_id, t.auth_time, t.latest_iat
        from jsonb_each($1) k
        cross join seen_tokens t
        where t.issuer = k.value ->> 0 and t.sid = k.value ->> 1
        order by t.latest_iat desc, t.client_id";
    let found = query(select).bind(rows::json(&pairs(keys))?).fetch_all(&mut *connection).await?;
    let newest = found.iter().map(newest_token).collect::<Result<Vec<_>, _>>()?;
    let standings = standings(connection, &newest.iter().collect::<Vec<_>>()).await?;
    let mut uses: HashMap<SessionKey, Uses> = HashMap::with_capacity(keys.len());
    for (token, (standing, _)) in newest.into_iter().zip(standings) {
        let Some(key) = token.session() else { continue };
        let is_over = standing.ended_by.is_some();
        let session = uses.entry(key).or_insert(Uses { is_over: true, ..Uses::default() });
        session.is_over &= is_over;
        session.latest_iat = session.latest_iat.max(Some(token.issued_at));
        session.ended_by = session.ended_by.take().or(standing.ended_by);
        if !session.apps.contains(&token.client_id) {
            session.apps.push(token.client_id);
        }
    }
    Ok(uses)
}

/// The sessions of these sign-ins that are over: the sign-in is, and so is all that was
/// seen of its session.
pub(super) async fn over(connection: &mut Connection, sign_ins: &[&SignIn]) -> Result<HashSet<SessionKey>, StoreError> {
    if sign_ins.is_empty() {
        return Ok(HashSet::new());
    }
    let standings = standings(connection, sign_ins).await?;
    let ended = sign_ins.iter().zip(standings).filter(|(_, (standing, _))| standing.ended_by.is_some());
    let keys: Vec<_> = ended.filter_map(|(sign_in, _)| sign_in.session()).collect();
    let uses = if keys.is_empty() { HashMap::new() } else { uses(connection, &keys).await? };
    Ok(keys.into_iter().filter(|key| uses.get(key).is_none_or(|uses| uses.is_over)).collect())
}

fn newest_token(row: &Row) -> Result<SignIn, StoreError> {
    Ok(SignIn {
        issuer: rows::required(Issuer::parse, row, 0)?,
        sid: rows::sid(row, 1)?,
        sub: rows::required(Subject::parse, row, 2)?,
        client_id: rows::required(ClientId::parse, row, 3)?,
        auth_time: rows::auth_time(row, 4)?,
        issued_at: UnixSeconds(row.try_get(5)?),
    })
}
