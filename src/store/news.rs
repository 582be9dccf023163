//! What other nodes have committed, read from the table: the bell is never believed.

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::error::StoreError;
use super::facts::Facts;
use super::leases;
use super::record::read_about;
use super::report::{Outcome, Recorded};
use super::rows::{self, logout_columns};
use super::sql::{Connection, query};
use crate::domain::clock::UnixSeconds;
use crate::domain::ids::{SessionKey, Sid};
use crate::domain::logout::{Logout, LogoutTarget};

/// The most that is read at a time.
const PAGE: i64 = 512;

/// How much of what this node wrote itself is remembered, to not be read once more.
const OWN_MAX: usize = 65_536;

/// Something that this node has to tell its channels, or to do.
#[derive(Debug)]
pub enum News {
    /// A logout that another node recorded, or one that became final or later.
    Logout(Box<Recorded>),
    /// The end of a session that a logout of its person answers for.
    SessionEnd {
        /// The logout that answers for it, which is what apps are told of.
        answered: Box<Logout>,
        /// The end, as the logout of the session that it would be.
        end: Box<Logout>,
    },
    /// There is a sweep to be worked off.
    SweepOrdered,
    /// A sweep is done, or so much has happened unheard that it cannot be told one by one: every
    /// open channel is to be looked at.
    LookAtAll,
    /// What another node said, by [`super::Store::say`].
    Said(String),
}

/// The places in the log of what this node wrote, until the news of it come round.
#[derive(Default)]
pub(super) struct Own {
    places: Mutex<BTreeSet<i64>>,
    /// Whether news were passed over as this node's own, and then nobody here told of them.
    is_untold: AtomicBool,
}

impl Own {
    pub(super) fn add(&self, positions: impl IntoIterator<Item = i64>) {
        let mut own = self.places();
        own.extend(positions);
        while own.len() > OWN_MAX {
            own.pop_first();
        }
    }

    /// What was to be written there has failed, as far as is known: should it be there after
    /// all, its news are to be told like another node's.
    pub(super) fn disown(&self, positions: &[i64]) {
        let mut own = self.places();
        if positions.iter().filter(|position| !own.remove(position)).count() > 0 {
            // They have come round already.
            self.is_untold.store(true, Relaxed);
        }
    }

    /// Whether every channel is to be looked at, because something was passed over. Once.
    pub(super) fn take_untold(&self) -> bool {
        self.is_untold.swap(false, Relaxed)
    }

    fn take(&self, position: i64) -> bool {
        self.places().remove(&position)
    }

    fn places(&self) -> MutexGuard<'_, BTreeSet<i64>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of the latest news, and of the first that is kept; 0 where there are none.
pub(super) async fn ends(connection: &mut Connection) -> Result<(i64, i64), StoreError> {
    let select = "select coalesce(min(n), 0), coalesce(max(n), 0) from news";
    let row = query(select).fetch_one(connection).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

/// Forgets what every node has heard that is not deaf for days, and nodes that are gone; the
/// latest news stay, so that one which was can tell.
pub(super) async fn forget(connection: &mut Connection, at_most: i64) -> Result<u64, StoreError> {
    let delete = "
        delete from news where n in (
            select n from news
            where at < clock_timestamp() - interval '1 day' and n < (select max(n) from news)
            order by n limit $1
        )";
    let forgotten = query(delete).bind(at_most).execute(&mut *connection).await?.rows_affected();
    Ok(forgotten + leases::forget(connection).await?)
}

/// What was found when reading on.
pub(super) enum Page {
    /// Nothing new.
    End,
    /// What came next was forgotten before it was read, up to there.
    Torn(i64),
    /// News, and the place of the last of them.
    Read(Vec<News>, i64),
}

/// The news after a place.
pub(super) async fn after(connection: &mut Connection, place: i64, own: &Own) -> Result<Page, StoreError> {
    let select = "select n, logout, sid from news where n > $1 order by n limit $2";
    let found = query(select).bind(place).bind(PAGE).fetch_all(connection).await?;
    let (Some(first), Some(last)) = (found.first(), found.last()) else { return Ok(Page::End) };
    let first: i64 = first.try_get(0)?;
    // A hole is what a failed commit leaves; or it is what was forgotten, and so is all before.
    if place > 0 && first > place + 1 && ends(connection).await?.0 == first {
        return Ok(Page::Torn(first - 1));
    }
    let place = last.try_get(0)?;
    let (mut logouts, mut ends) = (BTreeSet::new(), BTreeSet::new());
    for row in &found {
        let (logout, sid): (i64, String) = (row.try_get(1)?, row.try_get(2)?);
        if !sid.is_empty() {
            ends.insert((logout, sid));
        } else if !own.take(logout) {
            logouts.insert(logout);
        }
    }
    let mut news = recorded(connection, &logouts).await?;
    news.extend(session_ends(connection, &ends).await?);
    Ok(Page::Read(news, place))
}

async fn recorded(connection: &mut Connection, positions: &BTreeSet<i64>) -> Result<Vec<News>, StoreError> {
    if positions.is_empty() {
        return Ok(Vec::new());
    }
    let asked: Vec<_> = positions.iter().map(|position| (position,)).collect();
    let select = concat!(
        "select ",
        logout_columns!(),
        " from logouts l where l.seq in (select cast(value ->> 0 as bigint) from jsonb_each($1)) order by l.seq"
    );
    let found = query(select).bind(rows::json(&asked)?).fetch_all(connection).await?;
    let logouts = found.iter().map(|row| rows::logout(row, 0)).collect::<Result<Vec<_>, _>>()?;
    let (mut sessions, mut people) = (HashSet::new(), HashSet::new());
    for (logout, _) in &logouts {
        match &logout.target {
            LogoutTarget::Session { key, .. } => sessions.insert(key.clone()),
            LogoutTarget::User(key) => people.insert(key.clone()),
        };
    }
    let facts = read_about(connection, sessions, people, HashSet::new()).await?;
    Ok(logouts.into_iter().map(|(logout, position)| of_another_node(logout, position, &facts)).collect())
}

fn of_another_node(logout: Logout, position: i64, facts: &Facts) -> News {
    let session_starts = match &logout.target {
        LogoutTarget::Session { .. } => Vec::new(),
        LogoutTarget::User(key) => facts.session_starts(key),
    };
    let sessions_over = facts.sessions_over(&logout.target);
    let outcome = Outcome::Fresh;
    News::Logout(Box::new(Recorded { outcome, logout: Some(logout), position, session_starts, sessions_over }))
}

async fn session_ends(connection: &mut Connection, ends: &BTreeSet<(i64, String)>) -> Result<Vec<News>, StoreError> {
    if ends.is_empty() {
        return Ok(Vec::new());
    }
    let asked: Vec<_> = ends.iter().collect();
    let select = concat!(
        "select e.sid, e.is_final, e.covers_until, ",
        logout_columns!(),
        " from jsonb_each($1) a
        cross join session_ends e
        cross join logouts l
        where e.logout = cast(a.value ->> 0 as bigint) and e.sid = a.value ->> 1 and l.seq = e.logout"
    );
    let mut news = Vec::with_capacity(ends.len());
    for row in query(select).bind(rows::json(&asked)?).fetch_all(connection).await? {
        let (answered, _) = rows::logout(&row, 3)?;
        let key = SessionKey { issuer: answered.target.issuer().clone(), sid: rows::required(Sid::parse, &row, 0)? };
        let target = LogoutTarget::Session { key, sub: answered.target.sub().cloned() };
        let (is_final, covers_until) = (row.try_get::<i64>(1)? != 0, UnixSeconds(row.try_get(2)?));
        let end = Logout { target, is_final, covers_until, ..answered.clone() };
        news.push(News::SessionEnd { answered: Box::new(answered), end: Box::new(end) });
    }
    Ok(news)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_node_wrote_is_passed_over_once_and_what_it_may_not_have_written_is_told() {
        let own = Own::default();
        own.add([1, 2, 3]);
        assert!(own.take(1) && !own.take(1), "what makes it later comes round like any other");
        own.disown(&[2]);
        assert!(!own.take(2), "its news are told");
        assert!(!own.take_untold());
        assert!(own.take(3));
        own.disown(&[3]);
        assert!(own.take_untold() && !own.take_untold(), "it was passed over: every channel is looked at, once");
    }
}
