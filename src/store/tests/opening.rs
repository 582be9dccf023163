//! Making and opening the file.

use std::os::unix::fs::PermissionsExt;

use sqlx::{ConnectOptions, Row, SqliteConnection};

use super::*;

async fn refusal(url: &str) -> StoreError {
    Store::open(url, &Tasks::default()).await.err().unwrap()
}

#[tokio::test]
async fn only_a_file_or_a_server_can_be_named() {
    for url in ["", "hub.db", "sqlite:hub.db", "sqlite://", "sqlite://:memory:", "sqlite://x?mode=ro", "mysql://x"] {
        assert_eq!(refusal(url).await, StoreError::BadUrl, "{url}");
    }
}

#[tokio::test]
async fn why_a_server_cannot_be_used_is_told_apart() {
    let Ok(server) = std::env::var("SLO_HUB_TEST_POSTGRES") else { return };
    for (url, cause) in [
        (format!("{}/nowhere", server.trim_end_matches("/postgres")), StoreError::Refused),
        (format!("{server}?sslmode=require"), StoreError::NoTrust),
        (format!("{server}?options=-csearch_path%3Dnowhere"), StoreError::Refused),
        (format!("{server}?options=-cdefault_transaction_read_only%3Don"), StoreError::ReadOnly),
        ("postgres://postgres@127.0.0.1:9/postgres".to_owned(), StoreError::Unreachable),
    ] {
        assert_eq!(refusal(&url).await, cause, "{url}");
    }
}

#[tokio::test]
async fn a_missing_directory_is_named_as_the_cause() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/nowhere/hub.db", directory.path().display());
    assert_eq!(refusal(&url).await, StoreError::NoDirectory);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hub.db");
    std::fs::write(&path, "dear diary, ".repeat(100)).unwrap();
    assert_eq!(refusal(&format!("sqlite://{}", path.display())).await, StoreError::Damaged);
    assert_eq!(std::fs::read(&path).unwrap(), "dear diary, ".repeat(100).as_bytes());
}

async fn stranger(store: &TestStore) -> SqliteConnection {
    super::super::file::options(&store.path(), None).connect().await.unwrap()
}

#[tokio::test]
async fn a_newer_versions_database_is_not_touched() {
    let store = TestStore::in_a_file().await;
    store.close().await;
    let mut stranger = stranger(&store).await;
    let newer = "
        insert into _sqlx_migrations (version, description, success, checksum, execution_time)
        values (9999, 'from the future', true, x'00', 0)";
    sqlx::query(newer).execute(&mut stranger).await.unwrap();
    assert_eq!(refusal(&format!("sqlite://{}", store.path().display())).await, StoreError::Newer);
}

#[tokio::test]
async fn the_file_and_its_companions_are_their_owners_alone() {
    let store = TestStore::in_a_file().await;
    store.fresh(app_ends("laptop", 1000)).await;
    for name in ["hub.db", "hub.db-wal", "hub.db-shm"] {
        let mode = store.directory.path().join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn the_writer_waits_for_the_disk() {
    let store = TestStore::in_a_file().await;
    store.close().await;
    let mut connection = stranger(&store).await;
    for (pragma, expected) in [("pragma synchronous", 2), ("pragma foreign_keys", 1), ("pragma busy_timeout", 1500)] {
        let value: i64 = sqlx::query(pragma).fetch_one(&mut connection).await.unwrap().get(0);
        assert_eq!(value, expected, "{pragma}");
    }
    let mode: String = sqlx::query("pragma journal_mode").fetch_one(&mut connection).await.unwrap().get(0);
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn every_table_is_strict_and_every_constraint_has_a_name() {
    let store = TestStore::in_a_file().await;
    let mut stranger = stranger(&store).await;
    let tables = "select name, strict from pragma_table_list where schema = 'main' and type = 'table'";
    let mut ours = 0;
    for row in sqlx::query(tables).fetch_all(&mut stranger).await.unwrap() {
        let (name, strict): (String, bool) = (row.get(0), row.get(1));
        if !name.starts_with("sqlite_") && name != "_sqlx_migrations" {
            assert!(strict, "{name}");
            ours += 1;
        }
    }
    assert_eq!(ours, 15);

    let sql = "select sql from sqlite_schema where type = 'table' and name not like '\\_%' escape '\\'";
    for row in sqlx::query(sql).fetch_all(&mut stranger).await.unwrap() {
        let sql: String = row.get(0);
        let constraints = sql.lines().filter(|line| line.trim_start().starts_with("constraint")).count();
        let rules =
            ["check (", "unique (", "foreign key ("].map(|rule| sql.matches(rule).count()).iter().sum::<usize>()
                + sql.matches("_key primary key (").count();
        assert_eq!(constraints, rules, "{sql}");
    }
}

#[tokio::test]
async fn the_store_survives_a_second_opening_while_it_is_open() {
    let store = TestStore::in_a_file().await;
    store.fresh(app_ends("laptop", 1000)).await;
    let tasks = Tasks::default();
    let second = Store::open(&format!("sqlite://{}", store.path().display()), &tasks).await.unwrap();
    assert_eq!(second.record(app_ends("laptop", 1000)).await.unwrap().outcome, Outcome::Repeat);
    store.fresh(app_ends("phone", 1000)).await;
}
