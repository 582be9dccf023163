//! What was sent to a back end or to an issuer, and has ended for good: said in the trail once.
//! All of this reads what is there before the statement that changes it.

use std::collections::HashMap;

use super::error::StoreError;
use super::issuer_ends::{EndAttempt, EndAttemptEnd};
use super::rows;
use super::sql::{Connection, query};
use super::trail::{Kind, Notes};
use crate::domain::audit::Body;
use crate::domain::clock::UnixMillis;

/// Why something is given up that had a day's time.
const OVERDUE: SentEnd = SentEnd::GivenUp("time ran out");

/// How it ended.
#[derive(Clone, Copy)]
pub(super) enum SentEnd {
    /// It was taken.
    Taken,
    /// It is not tried any more, and why.
    GivenUp(&'static str),
}

impl SentEnd {
    /// Whether that is news where the state was this (0 waits, 1 done, 2 given up): what is taken after it was given
    /// up is taken all the same.
    fn is_news_after(self, state: i64) -> bool {
        match self {
            Self::Taken => state != 1,
            Self::GivenUp(_) => state == 0,
        }
    }
}

/// Attempts that were the last: each by its place in the outbox, with its number and time.
pub(super) async fn posts(
    connection: &mut Connection,
    ends: impl Iterator<Item = (i64, u32, SentEnd, UnixMillis)>,
) -> Result<(), StoreError> {
    let ends: Vec<_> = ends.collect();
    if ends.is_empty() {
        return Ok(());
    }
    let select = "
        select a.key, l.id, o.client_id, o.state
        from jsonb_each($1) a
        cross join outbox o
        cross join logouts l
        where o.id = cast(a.value ->> 0 as bigint) and l.seq = o.logout
        order by a.key";
    let asked: Vec<_> = ends.iter().map(|(id, ..)| (id,)).collect();
    for row in query(select).bind(rows::json(&asked)?).fetch_all(connection).await? {
        let (_, number, end, at) = *ends.get(rows::index(&row, 0)?).ok_or(StoreError::Damaged)?;
        if end.is_news_after(row.try_get(3)?) {
            let body = Body::default().number("attempts", number.into());
            add(&mut connection.notes, body, row.try_get(1)?, Some(row.try_get(2)?), (end, at));
        }
    }
    Ok(())
}

/// The first few posts whose time has run out.
pub(super) async fn overdue_posts(
    connection: &mut Connection,
    now: UnixMillis,
    at_most: i64,
) -> Result<(), StoreError> {
    let select = "
        select l.id, o.client_id, o.attempts from outbox o
        cross join logouts l
        where o.state = 0 and o.good_until <= $1 and l.seq = o.logout
        order by o.good_until, o.id limit $2";
    for row in query(select).bind(now.0).bind(at_most).fetch_all(connection).await? {
        let body = Body::default().number("attempts", row.try_get(2)?);
        add(&mut connection.notes, body, row.try_get(0)?, Some(row.try_get(1)?), (OVERDUE, now));
    }
    Ok(())
}

/// Attempts to end something at its issuer, of which some were the last.
pub(super) async fn issuer_ends(connection: &mut Connection, attempts: &[EndAttempt]) -> Result<(), StoreError> {
    let select = "
        select a.key, l.id, e.state
        from jsonb_each($1) a
        cross join issuer_ends e
        cross join logouts l
        where e.logout = cast(a.value ->> 0 as bigint) and l.seq = e.logout
        order by a.key";
    let asked: Vec<_> = attempts.iter().map(|attempt| (attempt.position,)).collect();
    // Two attempts of one batch may be about one logout.
    let mut states = HashMap::new();
    for row in query(select).bind(rows::json(&asked)?).fetch_all(connection).await? {
        let attempt = attempts.get(rows::index(&row, 0)?).ok_or(StoreError::Damaged)?;
        let (end, next) = match attempt.end {
            EndAttemptEnd::Ended => (SentEnd::Taken, 1),
            EndAttemptEnd::Refused(why) => (SentEnd::GivenUp(why), 2),
            EndAttemptEnd::Again { .. } => continue,
        };
        let state = states.entry(attempt.position).or_insert(row.try_get::<i64>(2)?);
        if end.is_news_after(*state) {
            *state = next;
            let body = Body::default().number("attempts", attempt.number.into());
            add(&mut connection.notes, body, row.try_get(1)?, None, (end, attempt.at));
        }
    }
    Ok(())
}

/// The first few ends at issuers whose time has run out.
pub(super) async fn overdue_issuer_ends(
    connection: &mut Connection,
    now: UnixMillis,
    at_most: i64,
) -> Result<(), StoreError> {
    let select = "
        select l.id, e.attempts from issuer_ends e
        cross join logouts l
        where e.state = 0 and e.good_until <= $1 and l.seq = e.logout
        order by e.good_until, e.logout limit $2";
    for row in query(select).bind(now.0).bind(at_most).fetch_all(connection).await? {
        let body = Body::default().number("attempts", row.try_get(1)?);
        add(&mut connection.notes, body, row.try_get(0)?, None, (OVERDUE, now));
    }
    Ok(())
}

/// With an app it was its back end that something was sent to, else the issuer.
fn add(notes: &mut Notes, body: Body, logout: &str, app: Option<&str>, (end, at): (SentEnd, UnixMillis)) {
    let to = if app.is_some() { "back_end" } else { "issuer" };
    let body = body.text("logout", logout).maybe("client_id", app).text("to", to);
    match end {
        SentEnd::Taken => notes.add(Kind::Posted, at, body),
        SentEnd::GivenUp(why) => notes.add(Kind::GivenUp, at, body.text("why", why)),
    }
}
