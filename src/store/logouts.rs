//! The log of logouts, read by name and by place.

use super::Store;
use super::error::StoreError;
use super::rows::{self, logout_columns};
use super::sql::{Connection, query};
use crate::domain::ids::{Issuer, LogoutId};
use crate::domain::logout::{Logout, SignIn};

impl Store {
    /// The logout of that name, and its place in the log.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn find_logout(&self, id: LogoutId) -> Result<Option<(Logout, i64)>, StoreError> {
        self.read(async { find(&mut *self.reader().await?, id).await }).await
    }

    /// The same, if it is the caller's business: their session's or their own.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn find_own_logout(&self, id: LogoutId, caller: &SignIn) -> Result<Option<(Logout, i64)>, StoreError> {
        let found = self.find_logout(id).await?;
        Ok(found.filter(|(logout, _)| concerns(logout, caller)))
    }

    /// At most `limit` logouts of an issuer from just after a place in the log,
    /// in order, each with its own place. 0 is before the first.
    ///
    /// # Errors
    /// Why they could not be read.
    pub async fn logouts_after(
        &self,
        issuer: &Issuer,
        position: i64,
        limit: u32,
    ) -> Result<Vec<(i64, Logout)>, StoreError> {
        self.read(async { after(&mut *self.reader().await?, issuer, position, limit).await }).await
    }

    /// The place of an issuer's most recent logout; 0 where there is none.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn last_position(&self, issuer: &Issuer) -> Result<i64, StoreError> {
        self.read(async { last_position(&mut *self.reader().await?, issuer).await }).await
    }

    /// The place of that issuer's logout of that name.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn position_of(&self, issuer: &Issuer, id: LogoutId) -> Result<Option<i64>, StoreError> {
        self.read(async { position_of(&mut *self.reader().await?, issuer, id).await }).await
    }
}

/// The logout of that name, and its place in the log.
pub(super) async fn find(connection: &mut Connection, id: LogoutId) -> Result<Option<(Logout, i64)>, StoreError> {
    let select = concat!("select ", logout_columns!(), " from logouts l where l.id = $1");
    let row = query(select).bind(id.to_string()).fetch_optional(connection).await?;
    row.map(|row| rows::logout(&row, 0)).transpose()
}

/// What comes after a place in one issuer's log, in order.
pub(super) async fn after(
    connection: &mut Connection,
    issuer: &Issuer,
    position: i64,
    limit: u32,
) -> Result<Vec<(i64, Logout)>, StoreError> {
    let select = concat!(
        "select ",
        logout_columns!(),
        " from logouts l where l.issuer = $1 and l.seq > $2 order by l.seq limit $3"
    );
    let query = query(select).bind(issuer.as_str()).bind(position).bind(i64::from(limit));
    let found = query.fetch_all(connection).await?;
    found.iter().map(|row| rows::logout(row, 0).map(|(logout, position)| (position, logout))).collect()
}

/// The place of an issuer's most recent logout, or 0.
pub(super) async fn last_position(connection: &mut Connection, issuer: &Issuer) -> Result<i64, StoreError> {
    let select = "select coalesce(max(seq), 0) from logouts where issuer = $1";
    query(select).bind(issuer.as_str()).fetch_one(connection).await?.try_get(0)
}

/// The place of one issuer's logout, if that issuer has one of that name.
pub(super) async fn position_of(
    connection: &mut Connection,
    issuer: &Issuer,
    id: LogoutId,
) -> Result<Option<i64>, StoreError> {
    let select = "select seq from logouts where id = $1 and issuer = $2";
    let row = query(select).bind(id.to_string()).bind(issuer.as_str()).fetch_optional(connection).await?;
    row.map(|row| row.try_get(0)).transpose()
}

/// Whether a logout is that caller's business: it names their session, or them.
pub(super) fn concerns(logout: &Logout, sign_in: &SignIn) -> bool {
    let target = &logout.target;
    let names_session = target.sid().is_some() && target.sid() == sign_in.sid.as_ref();
    *target.issuer() == sign_in.issuer && (names_session || target.sub() == Some(&sign_in.sub))
}
