//! What the hub has seen of each session, and how a sign-in stands.

use serde::Serialize;

use super::Store;
use super::batch::Work;
use super::error::StoreError;
use super::report::Standing;
use super::rows::{self, NO_AUTH_TIME, logout_columns};
use super::sql::{Connection, Row, query};
use super::sweeps::swept_by;
use crate::domain::clock::{UnixMillis, UnixSeconds};
use crate::domain::ids::{ClientId, Issuer, LogoutId, Sid, Subject};
use crate::domain::logout::SignIn;

impl Store {
    /// Writes down that a token was seen, and says how it stands after that.
    ///
    /// Believe this answer rather than an earlier [`Store::standing`]: a logout
    /// that came in between did not yet know of the token.
    ///
    /// # Errors
    /// Why it was not written down.
    pub async fn see(&self, sign_in: &SignIn, at: UnixMillis) -> Result<Standing, StoreError> {
        self.write(Sighting { sign_in: sign_in.clone(), at, listens: false }).await
    }

    /// The same, of an app that has just opened a channel with the token: it is to
    /// be waited for there.
    ///
    /// # Errors
    /// Why it was not written down.
    pub async fn see_listening(&self, sign_in: &SignIn, at: UnixMillis) -> Result<Standing, StoreError> {
        self.write(Sighting { sign_in: sign_in.clone(), at, listens: true }).await
    }

    /// How a sign-in stands, by every logout that is on disk. Needs no room there.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn standing(&self, sign_in: &SignIn) -> Result<Standing, StoreError> {
        let found = self.read(async { standings(&mut *self.reader().await?, &[sign_in]).await }).await?;
        found.into_iter().next().map(|(standing, _)| standing).ok_or(StoreError::Damaged)
    }
}

/// All tokens the hub has seen that differ in `iat` alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SeenToken {
    pub(super) sub: Subject,
    pub(super) client_id: ClientId,
    pub(super) auth_time: Option<UnixSeconds>,
    pub(super) earliest_iat: UnixSeconds,
    pub(super) latest_iat: UnixSeconds,
    pub(super) first_seen_at: UnixSeconds,
    /// Whether the app has opened a channel with one of them.
    pub(super) has_listened: bool,
}

impl SeenToken {
    /// The newest of these tokens: where that one is logged out, all are.
    pub(super) fn newest(&self, issuer: &Issuer, sid: Option<&Sid>) -> SignIn {
        SignIn {
            issuer: issuer.clone(),
            client_id: self.client_id.clone(),
            sub: self.sub.clone(),
            sid: sid.cloned(),
            issued_at: self.latest_iat,
            auth_time: self.auth_time,
        }
    }

    pub(super) fn is_same_but_for_iat(&self, sign_in: &SignIn) -> bool {
        self.sub == sign_in.sub && self.client_id == sign_in.client_id && self.auth_time == sign_in.auth_time
    }
}

/// The hub has verified an app's token.
pub(super) struct Sighting {
    pub(super) sign_in: SignIn,
    pub(super) at: UnixMillis,
    /// Whether it opened a channel.
    pub(super) listens: bool,
}

impl Work for Sighting {
    type Answer = Standing;

    async fn apply(connection: &mut Connection, work: &[Self]) -> Result<Vec<Standing>, StoreError> {
        see(connection, work.iter().map(|sighting| (&sighting.sign_in, sighting.at, sighting.listens))).await?;
        let sign_ins: Vec<_> = work.iter().map(|sighting| &sighting.sign_in).collect();
        let standings = standings(connection, &sign_ins).await?;
        Ok(standings.into_iter().map(|(standing, _)| standing).collect())
    }
}

/// One row on its way into `seen_tokens`.
#[derive(Serialize)]
struct SeenRow<'a> {
    issuer: &'a str,
    sid: &'a str,
    sub: &'a str,
    client_id: &'a str,
    auth_time: i64,
    iat: i64,
    at: i64,
    listens: u8,
}

/// Writes down that these tokens were seen. A row grows to span all their `iat`s.
pub(super) async fn see<'a>(
    connection: &mut Connection,
    seen: impl Iterator<Item = (&'a SignIn, UnixMillis, bool)>,
) -> Result<(), StoreError> {
    let seen: Vec<_> = seen
        .map(|(sign_in, at, listens)| SeenRow {
            issuer: sign_in.issuer.as_str(),
            sid: sign_in.sid.as_ref().map_or("", Sid::as_str),
            sub: sign_in.sub.as_str(),
            client_id: sign_in.client_id.as_str(),
            auth_time: sign_in.auth_time.map_or(NO_AUTH_TIME, |at| at.0),
            iat: sign_in.issued_at.0,
            at: at.floor().0,
            listens: listens.into(),
        })
        .collect();
    if seen.is_empty() {
        return Ok(());
    }
    let insert = "
        insert into seen_tokens
            (issuer, sid, sub, client_id, auth_time, earliest_iat, latest_iat, first_seen_at, last_seen_at,
             has_listened)
        select value ->> 'issuer', value ->> 'sid', value ->> 'sub', value ->> 'client_id', cast(value ->> 'auth_time' as bigint),
               cast(value ->> 'iat' as bigint), cast(value ->> 'iat' as bigint), cast(value ->> 'at' as bigint), cast(value ->> 'at' as bigint), cast(value ->> 'listens' as bigint)
        from jsonb_each($1)
        where true -- or `on` would be read as a join's
        on conflict (issuer, sid, sub, client_id, auth_time) do update set
            earliest_iat = min(seen_tokens.earliest_iat, excluded.earliest_iat),
            latest_iat = max(seen_tokens.latest_iat, excluded.latest_iat),
            first_seen_at = min(seen_tokens.first_seen_at, excluded.first_seen_at),
            last_seen_at = max(seen_tokens.last_seen_at, excluded.last_seen_at),
            has_listened = max(seen_tokens.has_listened, excluded.has_listened)";
    let key = |row: &SeenRow<'a>| (row.issuer, row.sid, row.sub, row.client_id, row.auth_time);
    for seen in rows::rounds(seen, key) {
        query(insert).bind(rows::json(&seen)?).execute(connection).await?;
    }
    Ok(())
}

/// What a sign-in is looked up by: `sid`, `sub` and so on, in the order that
/// the statement takes them.
type Asked<'a> = (&'a str, &'a str, &'a str, &'a str, i64, i64);

/// How each of these stands, with the place of the logout that ends it (or 0),
/// in one statement.
///
/// The rule which logout ends a token is [`Logout::covers`], said again in SQL
/// so that the earliest is found without reading the others; a test holds the
/// two together. The end of a session that a logout of its person answers for
/// ends what a logout of the session would. Beside it stands the sweep that covers the
/// sign-in, which is nobody's logout yet.
///
/// [`Logout::covers`]: crate::domain::logout::Logout::covers
pub(super) async fn standings(
    connection: &mut Connection,
    sign_ins: &[&SignIn],
) -> Result<Vec<(Standing, i64)>, StoreError> {
    if sign_ins.is_empty() {
        return Ok(Vec::new());
    }
    let asked: Vec<Asked<'_>> = sign_ins.iter().copied().map(asked).collect();
    let select = concat!(
        "
        with asked as (
            select key as place, value ->> 0 as issuer, value ->> 1 as sid, value ->> 2 as sub,
                   value ->> 3 as client_id, cast(value ->> 4 as bigint) as auth_time,
                   cast(value ->> 5 as bigint) as iat
            from jsonb_each($1)
        ), known as (
            select a.*, min(a.iat, (
                select min(min(t.first_seen_at, t.earliest_iat))
                from seen_tokens t
                where a.sid <> '' and t.issuer = a.issuer and t.sid = a.sid
            )) as earliest
            from asked a
        )
        select k.place, k.earliest, t.earliest_iat <= k.iat and k.iat <= t.latest_iat, t.last_seen_at, t.has_listened = 1, ",
        swept_by!(),
        ", ",
        logout_columns!(),
        "
        from known k
        left join seen_tokens t
            on t.issuer = k.issuer and t.sid = k.sid and t.sub = k.sub
            and t.client_id = k.client_id and t.auth_time = k.auth_time
        left join logouts l on l.seq = (
            select min(seq) from (
                select s.seq from logouts s
                where s.scope = 'session' and s.issuer = k.issuer and s.sid = k.sid
                    and (s.is_final = 1 or s.covers_until >= k.iat)
                union all
                select e.logout from session_ends e
                where e.issuer = k.issuer and e.sid = k.sid and (e.is_final = 1 or e.covers_until >= k.iat)
                union all
                select u.seq from logouts u
                where u.scope = 'user' and u.issuer = k.issuer and u.sub = k.sub
                    and u.covers_until >= coalesce(nullif(k.auth_time, -1), k.earliest, k.iat)
            ) earliest
        )
        order by k.place"
    );
    let found = query(select).bind(rows::json(&asked)?).fetch_all(connection).await?;
    found.iter().map(standing).collect()
}

fn asked(sign_in: &SignIn) -> Asked<'_> {
    (
        sign_in.issuer.as_str(),
        sign_in.sid.as_ref().map_or("", Sid::as_str),
        sign_in.sub.as_str(),
        sign_in.client_id.as_str(),
        sign_in.auth_time.map_or(NO_AUTH_TIME, |at| at.0),
        sign_in.issued_at.0,
    )
}

fn standing(row: &Row) -> Result<(Standing, i64), StoreError> {
    let is_ended = row.try_get::<Option<i64>>(6)?.is_some();
    let ended_by = is_ended.then(|| rows::logout(row, 6)).transpose()?;
    let position = ended_by.as_ref().map_or(0, |(_, position)| *position);
    let standing = Standing {
        ended_by: ended_by.map(|(logout, _)| logout),
        swept_by: rows::parsed(LogoutId::parse, row.try_get(5)?)?,
        earliest_known: row.try_get::<Option<i64>>(1)?.map(UnixSeconds),
        is_seen: row.try_get::<Option<bool>>(2)?.unwrap_or(false),
        last_seen_at: row.try_get::<Option<i64>>(3)?.map(UnixSeconds),
        has_listened: row.try_get::<Option<bool>>(4)?.unwrap_or(false),
    };
    Ok((standing, position))
}
