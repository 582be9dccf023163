//! Everything goes from a file to a server, or nothing does.

use super::*;
use crate::store::migrate_tables::TABLES;
use crate::store::{MoveError, NewTicket, move_to_server};

/// An empty database on the server; `None` where there is no server for tests.
fn elsewhere(directory: &TempDir) -> Option<String> {
    std::env::var_os("SLO_HUB_TEST_POSTGRES")?;
    Some(store_url(directory.path()))
}

async fn numbers(connection: &mut Connection, select: &'static str) -> Vec<i64> {
    query(select).fetch_all(connection).await.unwrap().iter().map(|row| row.try_get(0).unwrap()).collect()
}

fn ticket(number: u32) -> NewTicket {
    let mut digest = [0; 32];
    digest[..4].copy_from_slice(&number.to_be_bytes());
    NewTicket { digest, kind: "k", payload: format!("é\"\\ {number}"), expires_at: UnixMillis(i64::MAX) }
}

#[tokio::test]
async fn every_column_of_every_table_is_moved() {
    let store = TestStore::in_a_file().await;
    let mut file = store.stranger().await;
    let select = "
        select t.name || ': ' || group_concat(c.name, ', ') from sqlite_master t, pragma_table_info(t.name) c
        where t.type = 'table' and t.name not like 'sqlite!_%' escape '!' and t.name not in ('pulse', '_sqlx_migrations')
        group by t.name";
    let sorted = |line: &str| {
        let (table, columns) = line.split_once(": ").unwrap();
        let mut columns: Vec<_> = columns.split(", ").collect();
        columns.sort_unstable();
        format!("{table}: {columns:?}")
    };
    let found = query(select).fetch_all(&mut file).await.unwrap();
    let mut expected: Vec<_> = found.iter().map(|row| sorted(row.try_get(0).unwrap())).collect();
    let columns = |insert: &'static str| insert.split(['(', ')']).nth(1).unwrap();
    let mut moved: Vec<_> =
        TABLES.iter().map(|table| sorted(&format!("{}: {}", table.name, columns(table.insert)))).collect();
    expected.sort_unstable();
    moved.sort_unstable();
    assert_eq!(moved, expected);
}

#[tokio::test]
async fn tables_of_many_pages_arrive_whole_whatever_their_keys_are() {
    let directory = tempfile::tempdir().unwrap();
    let Some(server) = elsewhere(&directory) else { return };
    let old = TestStore::in_a_file().await;
    for number in 0..2_500 {
        let who = token(&format!("app{}", number % 7), &format!("s{}", number / 7), 900 + number);
        let (added, seen) =
            tokio::join!(old.add_ticket(ticket(u32::try_from(number).unwrap())), old.see(&who, UnixMillis(900_000)),);
        added.and(seen).unwrap();
    }
    old.fresh(app_ends("s7", 5_000)).await;
    let secret = old.secret("resume_tickets", UnixMillis(0)).await.unwrap();
    old.close().await;

    let moved = move_to_server(&old.url, &server).await.unwrap();
    let rows = |name: &str| moved.iter().find(|moved| moved.table == name).unwrap().rows;
    assert_eq!((rows("tickets"), rows("seen_tokens"), rows("logouts"), rows("hub_keys")), (2_500, 2_500, 1, 2));
    let new = TestStore::at(directory, &server, None).await;
    assert_eq!(new.secret("resume_tickets", UnixMillis(1)).await.unwrap(), secret);
    for number in [0, 999, 1_000, 1_001, 2_499] {
        let kept = ticket(number);
        let found = new.take_ticket(kept.digest, "k", UnixMillis(1)).await.unwrap().unwrap();
        assert_eq!(found.payload, kept.payload);
    }
    assert!(new.ended_by(&token("app0", "s7", 949)).await.is_some());
    assert!(new.ended_by(&token("app0", "s8", 956)).await.is_none());
}

#[tokio::test]
async fn no_place_that_was_ever_given_out_is_given_out_again() {
    let directory = tempfile::tempdir().unwrap();
    let Some(server) = elsewhere(&directory) else { return };
    let old = TestStore::in_a_file().await;
    let kept = old.fresh(app_ends("laptop", 9_000)).await;
    for name in ["phone", "kiosk"] {
        old.fresh(app_ends(name, 1_000)).await;
    }
    old.forget(UnixMillis(2_000_000), UnixMillis(2_000_000)).await.unwrap();
    let mut file = old.stranger().await;
    assert_eq!(numbers(&mut file, "select seq from logouts").await, [kept.position], "two are forgotten");
    file.close().await.unwrap();
    old.close().await;

    move_to_server(&old.url, &server).await.unwrap();
    let new = TestStore::at(directory, &server, None).await;
    assert_eq!(new.find_logout(id_of(&kept)).await.unwrap().unwrap().1, kept.position);
    assert_eq!(new.fresh(app_ends("tablet", 9_000)).await.position, kept.position + 3);
    assert_eq!(new.repeat(app_ends("laptop", 9_001)).await, id_of(&kept));
}

#[tokio::test]
async fn a_move_that_fails_half_way_has_moved_nothing_and_can_be_begun_anew() {
    let directory = tempfile::tempdir().unwrap();
    let Some(server) = elsewhere(&directory) else { return };
    let old = TestStore::in_a_file().await;
    old.fresh(app_ends("laptop", 1_000)).await;
    old.close().await;
    // A receipt of a logout that is not there, which a server does not take.
    let mut file = old.stranger().await;
    file.run("pragma foreign_keys = off").await.unwrap();
    file.run("insert into deliveries values (99, 'notes', '', 'sse', 0, 0, 0, null)").await.unwrap();
    assert_eq!(move_to_server(&old.url, &server).await, Err(MoveError::InUse), "somebody has the file open");
    file.close().await.unwrap();
    assert_eq!(move_to_server(&old.url, &server).await, Err(MoveError::New(StoreError::Conflict)));

    let mut file = old.stranger().await;
    file.run("delete from deliveries where logout = 99").await.unwrap();
    file.close().await.unwrap();
    assert!(move_to_server(&old.url, &server).await.is_ok());
    let again = move_to_server(&old.url, &server).await;
    assert_eq!(again, Err(MoveError::NotEmpty("hub_keys")), "it is not moved on top of itself");
}

#[tokio::test]
async fn there_must_be_a_file_to_move_from_and_a_server_to_move_to() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("none.db");
    let url = format!("sqlite://{}", path.display());
    assert_eq!(move_to_server(&url, "postgres://localhost/hub").await, Err(MoveError::NoFile(path.clone())));
    assert!(!path.exists(), "and none is made");
    let old = TestStore::in_a_file().await;
    old.close().await;
    assert_eq!(move_to_server(&old.url, &url).await, Err(MoveError::NotAServer));
}
