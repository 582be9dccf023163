//! The log of logouts as operators read it: from its end, page by page, and by whom it names.

use super::Store;
use super::error::StoreError;
use super::rows::{self, logout_columns};
use super::sql::{Row, query};
use crate::domain::ids::{ClientId, SessionKey, SubjectKey};
use crate::domain::logout::Logout;

/// How many places of the log are looked at for the logouts of one app. It may have had none
/// for weeks, and no page may take longer than the others for that.
const LOOKED_AT: i64 = 20_000;

/// A page of the log, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPage {
    /// The logouts, each with its place.
    pub logouts: Vec<(i64, Logout)>,
    /// The place before which the next page begins; `None` at the log's beginning.
    pub next: Option<i64>,
}

impl Store {
    /// The newest `at_most` logouts before a place in the log; all places, where none is named.
    /// With an app, those that it reported or is told of: then a page may be short, or empty,
    /// and still have a next one.
    ///
    /// # Errors
    /// Why they could not be read.
    pub async fn newest_logouts(
        &self,
        before: Option<i64>,
        app: Option<&ClientId>,
        at_most: u32,
    ) -> Result<LogPage, StoreError> {
        self.read(async {
            let mut reader = self.reader().await?;
            let last = query("select coalesce(max(seq), 0) from logouts").fetch_one(&mut reader).await?;
            let last: i64 = last.try_get(0)?;
            let before = before.unwrap_or(i64::MAX).min(last.saturating_add(1));
            let earliest = if app.is_some() { before.saturating_sub(LOOKED_AT) } else { 0 };
            let query = match app {
                None => query(concat!(
                    "select ",
                    logout_columns!(),
                    " from logouts l where l.seq < $1 and l.seq >= $2 order by l.seq desc limit $3"
                )),
                Some(_) => query(concat!(
                    "select ",
                    logout_columns!(),
                    " from logouts l where l.seq < $1 and l.seq >= $2 and (l.client_id = $4 or exists (
                        select 1 from deliveries d where d.logout = l.seq and d.client_id = $4
                    )) order by l.seq desc limit $3"
                )),
            };
            let query = query.bind(before).bind(earliest).bind(i64::from(at_most));
            let query = match app {
                None => query,
                Some(app) => query.bind(app.as_str()),
            };
            let found = query.fetch_all(&mut reader).await?;
            let logouts = placed(&found)?;
            let is_full = logouts.len() >= usize::try_from(at_most).unwrap_or(usize::MAX);
            let last_shown = logouts.last().map(|(place, _)| *place);
            let next = if is_full { last_shown } else { Some(earliest) };
            Ok(LogPage { logouts, next: next.filter(|place| *place > 1) })
        })
        .await
    }

    /// The newest `at_most` logouts of one session.
    ///
    /// # Errors
    /// Why they could not be read.
    pub async fn logouts_of_session(&self, key: &SessionKey, at_most: u32) -> Result<Vec<(i64, Logout)>, StoreError> {
        let select = concat!(
            "select ",
            logout_columns!(),
            " from logouts l where l.scope = 'session' and l.issuer = $1 and l.sid = $2 order by l.seq desc limit $3"
        );
        self.read(async {
            let query = query(select).bind(key.issuer.as_str()).bind(key.sid.as_str()).bind(i64::from(at_most));
            placed(&query.fetch_all(&mut *self.reader().await?).await?)
        })
        .await
    }

    /// The newest `at_most` logouts of one person: of all their sessions at once, or of one
    /// that the hub has seen.
    ///
    /// # Errors
    /// Why they could not be read.
    pub async fn logouts_of_person(&self, key: &SubjectKey, at_most: u32) -> Result<Vec<(i64, Logout)>, StoreError> {
        let all_at_once = concat!(
            "select ",
            logout_columns!(),
            " from logouts l where l.scope = 'user' and l.issuer = $1 and l.sub = $2 order by l.seq desc limit $3"
        );
        let one_by_one = concat!(
            "select ",
            logout_columns!(),
            " from logouts l where l.scope = 'session' and l.issuer = $1 and l.sid in (
                select s.sid from seen_tokens s where s.issuer = $1 and s.sub = $2 and s.sid <> ''
            ) order by l.seq desc limit $3"
        );
        self.read(async {
            let mut reader = self.reader().await?;
            let mut found = Vec::new();
            for select in [all_at_once, one_by_one] {
                let query = query(select).bind(key.issuer.as_str()).bind(key.sub.as_str()).bind(i64::from(at_most));
                found.extend(placed(&query.fetch_all(&mut reader).await?)?);
            }
            found.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
            found.truncate(usize::try_from(at_most).unwrap_or(usize::MAX));
            Ok(found)
        })
        .await
    }
}

fn placed(found: &[Row]) -> Result<Vec<(i64, Logout)>, StoreError> {
    found.iter().map(|row| rows::logout(row, 0).map(|(logout, place)| (place, logout))).collect()
}
