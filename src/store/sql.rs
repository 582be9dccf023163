//! One way to ask either database.
//!
//! Every statement is written once, in words that SQLite and PostgreSQL share. Where
//! PostgreSQL has no such word (`unhex`, `jsonb_each` of a text, `min` and `max` of two
//! numbers), the hub's own schema there gives it one. What differs beyond words, such as how a
//! transaction begins, is [`Connection`]'s.

use std::borrow::Cow;

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Database, Decode, Encode, PgConnection, Postgres, Sqlite, SqliteConnection, Type};

use super::error::StoreError;
use super::trail::Notes;

/// A connection to one of the two.
pub(super) struct Connection {
    link: Link,
    /// Whether a statement was begun and its end is not known: it failed below SQL, or nobody
    /// waited for it.
    is_in_doubt: bool,
    /// What the transaction that writes has to say in the audit trail.
    pub(super) notes: Notes,
}

enum Link {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<PgConnection>),
}

impl From<SqliteConnection> for Connection {
    fn from(connection: SqliteConnection) -> Self {
        Self { link: Link::Sqlite(Box::new(connection)), is_in_doubt: false, notes: Notes::default() }
    }
}

impl From<PgConnection> for Connection {
    fn from(connection: PgConnection) -> Self {
        Self { link: Link::Postgres(Box::new(connection)), is_in_doubt: false, notes: Notes::default() }
    }
}

/// The turn to write, of all nodes whose tables are in one schema. The first number is the word
/// "slo1" in ASCII: any would do that nobody else in that database locks.
const TAKE_TURN: &str = "select pg_advisory_xact_lock(1936486193, hashtext(current_schema()))";

impl Connection {
    /// Begins a transaction that writes. Of all processes one at a time is past this.
    ///
    /// In PostgreSQL a lock sees to that, which is let go by the commit, once everybody sees
    /// what was committed. So the places in the log are in the order of the commits: whoever
    /// has read up to one of them has missed none before it.
    pub(super) async fn begin_writing(&mut self) -> Result<(), StoreError> {
        if self.is_postgres() {
            // Said in full, whatever the server's own custom: each statement sees what was committed
            // before it, so those after the lock see all that its last holder wrote.
            self.run("begin isolation level read committed").await?;
            self.run(TAKE_TURN).await
        } else {
            self.run("begin immediate").await
        }
    }

    /// Begins a transaction that sees all that is committed now, and nothing later.
    pub(super) async fn begin_reading(&mut self) -> Result<(), StoreError> {
        let begin = if self.is_postgres() { "begin isolation level repeatable read read only" } else { "begin" };
        self.run(begin).await?;
        // It begins with the first thing that is read.
        query("select seq from sweeps limit 1").fetch_optional(self).await.map(|_| ())
    }

    /// Runs a statement that takes nothing and returns nothing.
    pub(super) async fn run(&mut self, statement: &'static str) -> Result<(), StoreError> {
        query(statement).execute(self).await.map(|_| ())
    }

    /// Says goodbye; a file is let go when this returns.
    pub(super) async fn close(self) -> Result<(), StoreError> {
        match self.link {
            Link::Sqlite(link) => sqlx::Connection::close(*link).await.map_err(StoreError::from),
            Link::Postgres(link) => sqlx::Connection::close(*link).await.map_err(StoreError::from),
        }
    }

    /// Whether nobody should use it any more.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.is_in_doubt
    }

    pub(super) fn is_postgres(&self) -> bool {
        matches!(self.link, Link::Postgres(_))
    }
}

/// A statement, to be given its parameters `$1`, `$2` and so on, in order.
pub(super) fn query<'q>(statement: &'static str) -> Query<'q> {
    Query { statement, values: Vec::new() }
}

/// See [`query`].
pub(super) struct Query<'q> {
    statement: &'static str,
    values: Vec<Value<'q>>,
}

/// What a parameter can be.
pub(super) enum Value<'q> {
    Number(Option<i64>),
    Text(Option<Cow<'q, str>>),
    Bytes(&'q [u8]),
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

impl<'q> From<&'q str> for Value<'q> {
    fn from(text: &'q str) -> Self {
        Self::Text(Some(Cow::Borrowed(text)))
    }
}

impl<'q> From<Option<&'q str>> for Value<'q> {
    fn from(text: Option<&'q str>) -> Self {
        Self::Text(text.map(Cow::Borrowed))
    }
}

impl<'q> From<&'q String> for Value<'q> {
    fn from(text: &'q String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Some(Cow::Owned(text)))
    }
}

impl<'q> From<&'q [u8]> for Value<'q> {
    fn from(bytes: &'q [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

/// How many rows a statement has written.
pub(super) struct Done(u64);

impl Done {
    pub(super) fn rows_affected(&self) -> u64 {
        self.0
    }
}

impl<'q> Query<'q> {
    /// Gives the next parameter.
    pub(super) fn bind(mut self, value: impl Into<Value<'q>>) -> Self {
        self.values.push(value.into());
        self
    }

    // What PostgreSQL's driver does in one await is large, and stands on the heap: a future that
    // waits for the store is part of every request's.

    /// Runs it.
    pub(super) async fn execute(self, connection: &mut Connection) -> Result<Done, StoreError> {
        let doubt = connection.begin_statement();
        let done = match &mut connection.link {
            Link::Sqlite(link) => self.bound::<Sqlite>().execute(&mut **link).await.map(|done| done.rows_affected()),
            Link::Postgres(link) => {
                Box::pin(self.bound::<Postgres>().execute(&mut **link)).await.map(|done| done.rows_affected())
            }
        };
        connection.end_statement(doubt, done).map(Done)
    }

    /// All that it finds.
    pub(super) async fn fetch_all(self, connection: &mut Connection) -> Result<Vec<Row>, StoreError> {
        let doubt = connection.begin_statement();
        let found = match &mut connection.link {
            Link::Sqlite(link) => self.bound::<Sqlite>().fetch_all(&mut **link).await.map(rows),
            Link::Postgres(link) => Box::pin(self.bound::<Postgres>().fetch_all(&mut **link)).await.map(rows),
        };
        connection.end_statement(doubt, found)
    }

    /// The first that it finds.
    pub(super) async fn fetch_optional(self, connection: &mut Connection) -> Result<Option<Row>, StoreError> {
        let doubt = connection.begin_statement();
        let found = match &mut connection.link {
            Link::Sqlite(link) => {
                self.bound::<Sqlite>().fetch_optional(&mut **link).await.map(|row| row.map(Row::from))
            }
            Link::Postgres(link) => {
                Box::pin(self.bound::<Postgres>().fetch_optional(&mut **link)).await.map(|row| row.map(Row::from))
            }
        };
        connection.end_statement(doubt, found)
    }

    /// The first that it finds, where it always finds one.
    pub(super) async fn fetch_one(self, connection: &mut Connection) -> Result<Row, StoreError> {
        self.fetch_optional(connection).await?.ok_or(StoreError::Damaged)
    }

    /// The statement as one of the two takes it.
    fn bound<DB: Database>(self) -> sqlx::query::Query<'q, DB, DB::Arguments>
    where
        Option<i64>: Encode<'q, DB> + Type<DB>,
        Option<Cow<'q, str>>: Encode<'q, DB> + Type<DB>,
        &'q [u8]: Encode<'q, DB> + Type<DB>,
    {
        self.values.into_iter().fold(sqlx::query(self.statement), |query, value| match value {
            Value::Number(number) => query.bind(number),
            Value::Text(text) => query.bind(text),
            Value::Bytes(bytes) => query.bind(bytes),
        })
    }
}

impl Connection {
    /// Until the statement has ended nobody knows how it did, also where it is dropped half way.
    fn begin_statement(&mut self) -> bool {
        std::mem::replace(&mut self.is_in_doubt, true)
    }

    fn end_statement<T>(&mut self, was_in_doubt: bool, outcome: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        let is_answered = matches!(outcome, Ok(_) | Err(sqlx::Error::Database(_)));
        let outcome = outcome.map_err(StoreError::from);
        // A server says goodbye in an answer, too.
        let is_over = matches!(outcome, Err(StoreError::Unreachable));
        self.is_in_doubt = was_in_doubt || !is_answered || is_over;
        outcome
    }
}

/// What was found, by either.
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl From<SqliteRow> for Row {
    fn from(row: SqliteRow) -> Self {
        Self::Sqlite(row)
    }
}

impl From<PgRow> for Row {
    fn from(row: PgRow) -> Self {
        Self::Postgres(row)
    }
}

fn rows<R: Into<Row>>(found: Vec<R>) -> Vec<Row> {
    found.into_iter().map(Into::into).collect()
}

impl Row {
    /// What a column holds; an error where that is of another kind.
    pub(super) fn try_get<'r, T>(&'r self, column: usize) -> Result<T, StoreError>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>,
    {
        let found = match self {
            Self::Sqlite(row) => sqlx::Row::try_get(row, column),
            Self::Postgres(row) => sqlx::Row::try_get(row, column),
        };
        found.map_err(StoreError::from)
    }
}
