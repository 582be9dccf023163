//! The receipt: whom a logout was to reach, and how far it came.

use std::collections::HashMap;

use super::Store;
use super::error::StoreError;
use super::progress::Progress;
use super::rows;
use super::sql::{Connection, Row, query};
use crate::domain::clock::UnixMillis;
use crate::domain::ids::{ClientId, Issuer, LogoutId, Sid};
use crate::domain::via::Via;

impl Store {
    /// An app is being told of a logout, by a way that says itself how it went.
    ///
    /// # Errors
    /// Why it was not written down.
    pub async fn telling(&self, key: DeliveryKey, at: UnixMillis) -> Result<(), StoreError> {
        let telling = DeliveryNews { key, status: DeliveryStatus::Pending, is_attempt: true, error: None, at };
        self.write(Progress(vec![telling])).await.map(|_| ())
    }

    /// An app has just been told of a logout. Where it was expected on a
    /// WebSocket and came by events, its row says so.
    ///
    /// # Errors
    /// Why it was not written down.
    pub async fn told(&self, key: DeliveryKey, at: UnixMillis) -> Result<(), StoreError> {
        self.note_deliveries(vec![DeliveryNews::told(key, at)]).await.map(|_| ())
    }

    /// An app says that it has ended its session. `false` where that issuer has
    /// no such logout.
    ///
    /// # Errors
    /// Why it was not written down.
    pub async fn acknowledged(&self, key: DeliveryKey, at: UnixMillis) -> Result<bool, StoreError> {
        self.note_deliveries(vec![DeliveryNews::acknowledged(key, at)]).await
    }

    /// What has happened to many deliveries, in one commit. `false` where none of their
    /// logouts is known; news of one that is not are dropped.
    ///
    /// # Errors
    /// Why nothing of it was written down.
    pub async fn note_deliveries(&self, news: Vec<DeliveryNews>) -> Result<bool, StoreError> {
        if news.is_empty() { Ok(false) } else { self.write(Progress(news)).await }
    }

    /// An app that was being told has not confirmed; `why` is for people. It may still.
    ///
    /// # Errors
    /// Why it was not written down.
    pub async fn unconfirmed(&self, key: DeliveryKey, why: &'static str, at: UnixMillis) -> Result<(), StoreError> {
        let failed = DeliveryNews { key, status: DeliveryStatus::Failed, is_attempt: false, error: Some(why), at };
        self.write(Progress(vec![failed])).await.map(|_| ())
    }

    /// The receipt of a logout: one line for each app and way it is reached by.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn deliveries(&self, id: LogoutId) -> Result<Vec<Delivery>, StoreError> {
        Ok(self.deliveries_of(&[id]).await?.remove(&id).unwrap_or_default())
    }

    /// The receipts of logouts, all at once. One that is not known, or reaches nobody, has
    /// none.
    ///
    /// # Errors
    /// Why they could not be read.
    pub async fn deliveries_of(&self, ids: &[LogoutId]) -> Result<HashMap<LogoutId, Vec<Delivery>>, StoreError> {
        self.read(async { receipts(&mut *self.reader().await?, ids).await }).await
    }
}

/// How far a delivery came, from least to most done. It never goes back, but that what
/// failed is pending once an operator has it tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DeliveryStatus {
    /// Not yet told.
    Pending,
    /// Told in vain.
    Failed,
    /// Told; no word from the app.
    Delivered,
    /// The app says that it has ended its session.
    Acknowledged,
}

impl DeliveryStatus {
    const ALL: [Self; 4] = [Self::Pending, Self::Failed, Self::Delivered, Self::Acknowledged];

    /// The word for it, on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Acknowledged => "acknowledged",
        }
    }
}

/// One app, reached by one way: a line of the receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The app.
    pub client_id: ClientId,
    /// How it is reached.
    pub via: Via,
    /// Of all its sessions that the logout ends, the least done.
    pub status: DeliveryStatus,
    /// How often it was told, over all of them.
    pub attempts: u32,
    /// When that last changed.
    pub updated_at: UnixMillis,
    /// Why telling it failed, where it did.
    pub error: Option<String>,
    /// Whether any of it is about a session of the app's. A back end that follows the
    /// log of its issuer hears of every logout, its own or not.
    pub is_of_session: bool,
}

/// One delivery of one logout: to an app's session, or to an app's back end.
#[derive(Clone, Debug)]
pub struct DeliveryKey {
    /// Whose logout it is; under another issuer's name it is not found.
    pub issuer: Issuer,
    /// The logout.
    pub logout: LogoutId,
    /// The app.
    pub client_id: ClientId,
    /// The session it was told of; `None` for a back end, told once for all.
    pub sid: Option<Sid>,
    /// How.
    pub via: Via,
}

/// What has happened to a delivery.
#[derive(Clone, Debug)]
pub struct DeliveryNews {
    pub(super) key: DeliveryKey,
    pub(super) status: DeliveryStatus,
    /// Whether the app was told just now.
    pub(super) is_attempt: bool,
    pub(super) error: Option<&'static str>,
    pub(super) at: UnixMillis,
}

impl DeliveryNews {
    /// As [`Store::told`].
    #[must_use]
    pub fn told(key: DeliveryKey, at: UnixMillis) -> Self {
        Self { key, status: DeliveryStatus::Delivered, is_attempt: true, error: None, at }
    }

    /// As [`Store::acknowledged`].
    #[must_use]
    pub fn acknowledged(key: DeliveryKey, at: UnixMillis) -> Self {
        Self { key, status: DeliveryStatus::Acknowledged, is_attempt: false, error: None, at }
    }
}

/// The receipts of logouts: one line for each app and way.
async fn receipts(
    connection: &mut Connection,
    ids: &[LogoutId],
) -> Result<HashMap<LogoutId, Vec<Delivery>>, StoreError> {
    let select = "
        select d.client_id, d.via, min(d.status), cast(sum(d.attempts) as bigint), max(d.updated_at), max(d.error),
               count(nullif(d.sid, '')), l.id
        from logouts l
        cross join deliveries d
        where d.logout = l.seq and l.id in (select value ->> 0 from jsonb_each($1))
        group by d.logout, l.id, d.client_id, d.via
        order by d.logout, d.client_id, d.via";
    let lines = query(select).bind(rows::logout_ids(ids)?).fetch_all(connection).await?;
    let mut receipts: HashMap<_, Vec<_>> = HashMap::with_capacity(ids.len());
    for line in &lines {
        receipts.entry(rows::required(LogoutId::parse, line, 7)?).or_default().push(delivery(line)?);
    }
    Ok(receipts)
}

fn delivery(row: &Row) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        client_id: rows::required(ClientId::parse, row, 0)?,
        via: Via::from_word(row.try_get(1)?).ok_or(StoreError::Damaged)?,
        status: *DeliveryStatus::ALL.get(rows::index(row, 2)?).ok_or(StoreError::Damaged)?,
        attempts: row.try_get::<i64>(3)?.try_into().unwrap_or(u32::MAX),
        updated_at: UnixMillis(row.try_get(4)?),
        error: row.try_get(5)?,
        is_of_session: row.try_get::<i64>(6)? != 0,
    })
}
