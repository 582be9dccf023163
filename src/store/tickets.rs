//! Tickets that are good for a short time; most of them once.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;

use super::Store;
use super::batch::Work;
use super::error::StoreError;
use super::rows;
use super::sql::{Connection, Row, query};
use crate::domain::clock::UnixMillis;
use crate::domain::ids::LogoutId;

impl Store {
    /// Keeps a ticket.
    ///
    /// # Errors
    /// Why it is not kept.
    pub async fn add_ticket(&self, ticket: NewTicket) -> Result<(), StoreError> {
        self.write(ticket).await
    }

    /// Takes a ticket. It is gone then, whoever else asks for it, and one that
    /// has expired is never given out.
    ///
    /// # Errors
    /// Why it could not be taken. It may be gone all the same.
    pub async fn take_ticket(
        &self,
        digest: [u8; 32],
        kind: &'static str,
        now: UnixMillis,
    ) -> Result<Option<Ticket>, StoreError> {
        self.write(TakeTicket { digest, kind, now }).await
    }

    /// Uses a name up that was never kept: true for whoever comes first, false for everyone
    /// after that, until the mark expires. The mark opens nothing.
    ///
    /// # Errors
    /// Why it is not known. It may be used up all the same.
    pub async fn use_up(&self, mark: NewTicket) -> Result<bool, StoreError> {
        self.write(UseUp(mark)).await
    }

    /// Looks at a ticket that is good for more than one use, and leaves it.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn peek_ticket(
        &self,
        digest: [u8; 32],
        kind: &'static str,
        now: UnixMillis,
    ) -> Result<Option<Ticket>, StoreError> {
        self.read(async { peek(&mut *self.reader().await?, digest, kind, now).await }).await
    }

    /// Has a ticket be good for longer. One that is gone, or has expired, stays so.
    ///
    /// # Errors
    /// Why it was not done.
    pub async fn extend_ticket(
        &self,
        digest: [u8; 32],
        kind: &'static str,
        now: UnixMillis,
        expires_at: UnixMillis,
    ) -> Result<(), StoreError> {
        self.write(ExtendTicket { digest, kind, now, expires_at }).await
    }
}

/// A ticket to be kept. The ticket itself stays with whoever it is for.
#[derive(Clone)]
pub struct NewTicket {
    /// SHA-256 of the ticket.
    pub digest: [u8; 32],
    /// What it is good for. It is good for nothing else.
    pub kind: &'static str,
    /// What whoever takes it will need.
    pub payload: String,
    /// When it stops being good.
    pub expires_at: UnixMillis,
}

/// A ticket that has just been taken.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket {
    /// What was kept with it.
    pub payload: String,
    /// The logout that was answered along with it, where it came with one.
    pub logout: Option<LogoutId>,
    /// When it stops being good.
    pub expires_at: UnixMillis,
}

/// What a ticket opens never reaches a log, not even by `{:?}`.
impl fmt::Debug for NewTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewTicket({}, …)", self.kind)
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({:?}, …)", self.logout)
    }
}

/// Takes a ticket, once.
pub(super) struct TakeTicket {
    pub(super) digest: [u8; 32],
    pub(super) kind: &'static str,
    pub(super) now: UnixMillis,
}

/// Uses a name up.
pub(super) struct UseUp(NewTicket);

/// Has a ticket be good for longer.
pub(super) struct ExtendTicket {
    pub(super) digest: [u8; 32],
    pub(super) kind: &'static str,
    pub(super) now: UnixMillis,
    pub(super) expires_at: UnixMillis,
}

/// One ticket on its way in.
#[derive(Serialize)]
struct TicketRow<'a> {
    digest: String,
    kind: &'static str,
    payload: &'a str,
    logout_id: Option<String>,
    expires_at: i64,
}

/// Keeps tickets, each with the logout it belongs to.
pub(super) async fn insert(
    connection: &mut Connection,
    tickets: impl Iterator<Item = (&NewTicket, Option<LogoutId>)>,
) -> Result<(), StoreError> {
    let tickets: Vec<_> = tickets
        .map(|(ticket, logout)| TicketRow {
            digest: rows::hex(&ticket.digest),
            kind: ticket.kind,
            payload: &ticket.payload,
            logout_id: logout.map(|id| id.to_string()),
            expires_at: ticket.expires_at.0,
        })
        .collect();
    if tickets.is_empty() {
        return Ok(());
    }
    let insert = "
        insert into tickets (digest, kind, payload, logout_id, expires_at)
        select unhex(value ->> 'digest'), value ->> 'kind', value ->> 'payload', value ->> 'logout_id',
               cast(value ->> 'expires_at' as bigint)
        from jsonb_each($1)";
    query(insert).bind(rows::json(&tickets)?).execute(connection).await?;
    Ok(())
}

async fn peek(
    connection: &mut Connection,
    digest: [u8; 32],
    kind: &str,
    now: UnixMillis,
) -> Result<Option<Ticket>, StoreError> {
    let select =
        "select payload, logout_id, expires_at from tickets where digest = $1 and kind = $2 and expires_at > $3";
    let row = query(select).bind(&digest[..]).bind(kind).bind(now.0).fetch_optional(connection).await?;
    let ticket = |row: &Row| {
        Ok(Ticket {
            payload: row.try_get(0)?,
            logout: rows::parsed(LogoutId::parse, row.try_get(1)?)?,
            expires_at: UnixMillis(row.try_get(2)?),
        })
    };
    row.as_ref().map(ticket).transpose()
}

impl Work for NewTicket {
    type Answer = ();

    async fn apply(connection: &mut Connection, tickets: &[Self]) -> Result<Vec<()>, StoreError> {
        insert(connection, tickets.iter().map(|ticket| (ticket, None))).await?;
        Ok(vec![(); tickets.len()])
    }
}

impl Work for TakeTicket {
    type Answer = Option<Ticket>;

    async fn apply(connection: &mut Connection, takes: &[Self]) -> Result<Vec<Option<Ticket>>, StoreError> {
        let asked: Vec<_> = takes.iter().map(|take| (rows::hex(&take.digest), take.kind)).collect();
        let delete = "
            delete from tickets
            where (digest, kind) in (select unhex(value ->> 0), value ->> 1 from jsonb_each($1))
            returning digest, kind, payload, logout_id, expires_at";
        let mut found = HashMap::new();
        for row in query(delete).bind(rows::json(&asked)?).fetch_all(connection).await? {
            let logout = rows::parsed(LogoutId::parse, row.try_get(3)?)?;
            let ticket = Ticket { payload: row.try_get(2)?, logout, expires_at: UnixMillis(row.try_get(4)?) };
            let name: (_, String) = (rows::digest(&row, 0)?, row.try_get(1)?);
            found.insert(name, ticket);
        }
        // Whoever of several comes first has it.
        let give = |take: &Self| {
            let ticket = found.remove(&(take.digest, take.kind.to_owned()))?;
            (ticket.expires_at > take.now).then_some(ticket)
        };
        Ok(takes.iter().map(give).collect())
    }
}

impl Work for UseUp {
    /// Whether it was not used before.
    type Answer = bool;

    async fn apply(connection: &mut Connection, marks: &[Self]) -> Result<Vec<bool>, StoreError> {
        let insert = "
            insert into tickets (digest, kind, payload, expires_at) values ($1, $2, $3, $4)
            on conflict (digest) do nothing";
        let mut answers = Vec::with_capacity(marks.len());
        for Self(mark) in marks {
            let query = query(insert).bind(&mark.digest[..]).bind(mark.kind).bind(&mark.payload);
            let done = query.bind(mark.expires_at.0).execute(&mut *connection).await?;
            answers.push(done.rows_affected() == 1);
        }
        Ok(answers)
    }
}

impl Work for ExtendTicket {
    type Answer = ();

    async fn apply(connection: &mut Connection, work: &[Self]) -> Result<Vec<()>, StoreError> {
        let update = "
            update tickets set expires_at = max(expires_at, $4)
            where digest = $1 and kind = $2 and expires_at > $3";
        for one in work {
            let query = query(update).bind(&one.digest[..]).bind(one.kind);
            query.bind(one.now.0).bind(one.expires_at.0).execute(&mut *connection).await?;
        }
        Ok(vec![(); work.len()])
    }
}
