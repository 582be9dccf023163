//! The store's promises, on real files.

mod algebra;
mod claims;
mod console;
mod decisions;
mod deliveries;
mod durability;
mod issuer_ends;
mod logouts;
mod migrate;
mod nodes;
mod opening;
mod outbox;
mod parked;
mod repeats;
mod retention;
mod sessions;
mod sharing;
mod signing_keys;
mod standing;
mod sweeps;
mod tickets;
mod trail;
mod trail_kept;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tempfile::TempDir;

use super::database::Database;
use super::sql::{Connection, Row, query};
use super::{Outcome, Recorded, Report, Store, StoreError, TokenUse};
use crate::domain::clock::{UnixMillis, UnixSeconds};
use crate::domain::ids::{ClientId, Issuer, Jti, LogoutId, SessionKey, Sid, Subject, SubjectKey};
use crate::domain::logout::{LogoutTarget, SignIn, Source};
use crate::tasks::Tasks;

/// How much later a report may still be about the same logout, in these tests.
const WINDOW: i64 = 60;

/// A database of the test's own: a file; or, where there is a server for tests, a schema.
fn store_url(directory: &Path) -> String {
    let Ok(server) = std::env::var("SLO_HUB_TEST_POSTGRES") else {
        return format!("sqlite://{}", directory.join("hub.db").display());
    };
    let schema: String =
        directory.display().to_string().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let made = std::process::Command::new("psql")
        .args(["-q", "-c", &format!("create schema if not exists \"{schema}\""), &server])
        .status();
    assert!(made.is_ok_and(|status| status.success()), "psql makes a schema");
    format!("{server}?options=-csearch_path%3D\"{schema}\"")
}

/// A store of its own.
struct TestStore {
    directory: TempDir,
    url: String,
    tasks: Tasks,
    store: Store,
}

impl std::ops::Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl TestStore {
    async fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = store_url(directory.path());
        Self::at(directory, &url, None).await
    }

    /// Not on a server, wherever the others are.
    async fn in_a_file() -> Self {
        Self::bounded(None).await
    }

    /// A file of at most that many pages.
    async fn bounded(max_pages: Option<u32>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("hub.db").display());
        Self::at(directory, &url, max_pages).await
    }

    async fn at(directory: TempDir, url: &str, max_pages: Option<u32>) -> Self {
        let tasks = Tasks::default();
        let store = Store::open_bounded(url, &tasks, max_pages).await.unwrap();
        Self { directory, url: url.to_owned(), tasks, store }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("hub.db")
    }

    /// Another process at the same database.
    async fn stranger(&self) -> Connection {
        Database::at(&self.url, None).unwrap().connect().await.unwrap()
    }

    /// What a `kill -9` at this moment would leave, opened by a new hub.
    async fn after_a_crash(&self) -> Self {
        let directory = tempfile::tempdir().unwrap();
        if !self.path().exists() {
            // What a server was told does not depend on who told it.
            return Self::at(directory, &self.url, None).await;
        }
        for name in ["hub.db", "hub.db-wal"] {
            std::fs::copy(self.directory.path().join(name), directory.path().join(name)).unwrap();
        }
        let url = format!("sqlite://{}", directory.path().join("hub.db").display());
        Self::at(directory, &url, None).await
    }

    async fn fresh(&self, report: Report) -> Recorded {
        let recorded = self.record(report).await.unwrap();
        assert_eq!(recorded.outcome, Outcome::Fresh);
        recorded
    }

    /// The id that a repeat is answered with.
    async fn repeat(&self, report: Report) -> LogoutId {
        let recorded = self.record(report).await.unwrap();
        assert_eq!(recorded.outcome, Outcome::Repeat);
        recorded.logout.unwrap().id
    }

    /// Sees a token in the second it was issued in.
    async fn sees(&self, sign_in: &SignIn) {
        self.see(sign_in, sign_in.issued_at.into()).await.unwrap();
    }

    async fn ended_by(&self, sign_in: &SignIn) -> Option<LogoutId> {
        self.standing(sign_in).await.unwrap().ended_by.map(|logout| logout.id)
    }
}

fn id_of(recorded: &Recorded) -> LogoutId {
    recorded.logout.as_ref().unwrap().id
}

fn acme() -> Issuer {
    Issuer::parse("https://acme.example/").unwrap()
}

fn client(name: &str) -> ClientId {
    ClientId::parse(name).unwrap()
}

fn sid(name: &str) -> Sid {
    Sid::parse(name).unwrap()
}

fn next_id() -> LogoutId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    LogoutId::new(UnixMillis(1_000_000), NEXT.fetch_add(1, Relaxed).into())
}

/// Ada's token for `app`, from her session `sid` ('' for none).
fn token(app: &str, session: &str, iat: i64) -> SignIn {
    SignIn {
        issuer: acme(),
        client_id: client(app),
        sub: Subject::parse("ada").unwrap(),
        sid: Sid::parse(session).ok(),
        issued_at: UnixSeconds(iat),
        auth_time: None,
    }
}

fn ada() -> SubjectKey {
    SubjectKey { issuer: acme(), sub: Subject::parse("ada").unwrap() }
}

fn session(name: &str) -> SessionKey {
    SessionKey { issuer: acme(), sid: sid(name) }
}

fn report(target: LogoutTarget, covers_until: i64) -> Report {
    Report::new(next_id(), target, UnixSeconds(covers_until).into(), WINDOW)
}

/// An app says that the session has ended.
fn app_ends(name: &str, covers_until: i64) -> Report {
    report(LogoutTarget::Session { key: session(name), sub: None }, covers_until)
}

/// The issuer says so.
fn issuer_ends(name: &str, covers_until: i64) -> Report {
    Report { is_final: true, source: Source::Backchannel, ..app_ends(name, covers_until) }
}

/// Ada signs out everywhere.
fn ends_everywhere(covers_until: i64) -> Report {
    report(LogoutTarget::User(ada()), covers_until)
}

fn by(reporter: &SignIn, report: Report) -> Report {
    Report { seen: Some(reporter.clone()), client_id: Some(reporter.client_id.clone()), ..report }
}

fn with_token(jti: &str, digest: u8, report: Report) -> Report {
    let token =
        TokenUse { jti: Jti::parse(jti).unwrap(), digest: [digest; 32], expires_at: report.covers_until.plus(120) };
    Report { token: Some(token), ..report }
}
