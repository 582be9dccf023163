//! Where a test's hub keeps its records: in a file of its folder or, where there is a
//! server for tests, in a schema of the same name there.

use std::path::Path;
use std::process::Command;

use sqlx::{Connection, PgConnection, SqliteConnection};

/// The server for tests, where there is one.
pub fn server() -> Option<String> {
    std::env::var("SLO_HUB_TEST_POSTGRES").ok()
}

/// `store.url` of the hub whose folder this is, however often it is started there.
pub fn url(folder: &Path) -> String {
    server().map_or_else(|| file_url(folder), |server| schema_url(&server, folder))
}

/// The file, for what is about files.
pub fn file_url(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("hub.db").display())
}

fn schema_url(server: &str, folder: &Path) -> String {
    let schema = schema(folder);
    let made = Command::new("psql")
        .args(["-q", "-c", &format!("create schema if not exists \"{schema}\""), server])
        .env("PGOPTIONS", "-c client_min_messages=warning")
        .status();
    assert!(made.is_ok_and(|status| status.success()), "psql makes a schema");
    format!("{server}?options=-csearch_path%3D%22{schema}%22")
}

fn schema(folder: &Path) -> String {
    // In lower case no program need put it in quotes.
    folder.display().to_string().to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}

/// Somebody else at a hub's records.
pub enum Records {
    File(SqliteConnection),
    Schema(PgConnection),
}

impl Records {
    pub async fn of(folder: &Path) -> Self {
        let url = url(folder);
        if url.starts_with("postgres:") {
            Self::Schema(PgConnection::connect(&url).await.unwrap())
        } else {
            Self::File(SqliteConnection::connect(&url).await.unwrap())
        }
    }

    /// Keeps everyone else from writing, until [`Records::let_go`].
    pub async fn locked(folder: &Path) -> Self {
        let mut records = Self::of(folder).await;
        match &mut records {
            Self::File(file) => {
                sqlx::query("begin immediate").execute(file).await.unwrap();
            }
            Self::Schema(schema) => {
                sqlx::query("begin").execute(&mut *schema).await.unwrap();
                // As another node does that was stopped in the middle.
                let turn = "select pg_advisory_xact_lock(1936486193, hashtext(current_schema()))";
                sqlx::query(turn).execute(&mut *schema).await.unwrap();
            }
        }
        records
    }

    pub async fn let_go(mut self) {
        self.run("rollback").await;
    }

    /// Runs a statement, and says how many rows it changed.
    pub async fn run(&mut self, statement: &'static str) -> u64 {
        match self {
            Self::File(file) => sqlx::query(statement).execute(file).await.unwrap().rows_affected(),
            Self::Schema(schema) => sqlx::query(statement).execute(schema).await.unwrap().rows_affected(),
        }
    }

    /// The number that a statement finds.
    pub async fn number(&mut self, statement: &'static str) -> i64 {
        match self {
            Self::File(file) => sqlx::query_scalar(statement).fetch_one(file).await.unwrap(),
            Self::Schema(schema) => sqlx::query_scalar(statement).fetch_one(schema).await.unwrap(),
        }
    }

    /// Every row's bytes that a statement finds.
    pub async fn bytes(&mut self, statement: &'static str) -> Vec<Vec<u8>> {
        match self {
            Self::File(file) => sqlx::query_scalar(statement).fetch_all(file).await.unwrap(),
            Self::Schema(schema) => sqlx::query_scalar(statement).fetch_all(schema).await.unwrap(),
        }
    }
}

/// Has every lease end that some node holds now: on a server, whose clock decides, a minute
/// passes. A file knows no leases.
pub async fn leases_end(folder: &Path) {
    if let Records::Schema(mut schema) = Records::of(folder).await {
        let later = "
            create or replace function database_time() returns bigint language sql volatile as
            $$ select cast(extract(epoch from clock_timestamp()) * 1000 as bigint) + 60000 $$";
        sqlx::query(later).execute(&mut schema).await.unwrap();
    }
}

/// What a `kill -9` at this moment would leave of one folder's records, as another's.
pub fn copy(from: &Path, to: &Path) {
    let Some(server) = server() else {
        for file in std::fs::read_dir(from).unwrap().map(|file| file.unwrap()) {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
        return;
    };
    let (from, to) = (schema(from), schema(to));
    // Of the dump every name carries its schema, and nothing else in it is called so.
    let copied = Command::new("bash")
        .args(["-c", "set -o pipefail; pg_dump \"$0\" --schema=\"$1\" | sed \"s/$1/$2/g\" | psql -q -v ON_ERROR_STOP=1 \"$0\" >/dev/null"])
        .args([&server, &from, &to])
        .status();
    assert!(copied.is_ok_and(|status| status.success()), "pg_dump copies a schema");
}
