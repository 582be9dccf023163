//! An exported trail, far from any hub: whatever was done to it is found, by place.

use std::path::{Path, PathBuf};
use std::process::Command;

use slo_hub::domain::audit::AuditRow;
use slo_hub::domain::clock::UnixMillis;
use slo_hub::domain::digest::hex;
use tempfile::TempDir;

use crate::audit::{audit, complains, exported, receives, succeeds};
use crate::process::HubProcess;
use crate::support::issuer::TestIssuer;

/// A folder with a hub's trail of at least nine rows; the hub has gone, with its database.
struct Archive {
    folder: TempDir,
    rows: Vec<AuditRow>,
}

impl Archive {
    async fn made() -> Self {
        let (issuer, source) = (TestIssuer::start().await, TempDir::new().unwrap());
        let hub = HubProcess::start(&issuer, source.path()).await;
        for _ in 0..9 {
            receives(&hub, &issuer.logout_token(&issuer.sign_in("ada"), "notes").sign()).await.expect(200);
        }
        let trail = exported(source.path()).await;
        let rows: Vec<_> = trail.lines().map(|line| AuditRow::from_line(line).unwrap()).collect();
        assert!(rows.len() >= 9);
        Self { folder: TempDir::new().unwrap(), rows }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn written(&self, rows: &[AuditRow]) -> PathBuf {
        let file = self.path().join("trail.jsonl");
        std::fs::write(&file, rows.iter().map(|row| row.to_line() + "\n").collect::<String>()).unwrap();
        file
    }

    async fn check(&self, rows: &[AuditRow], words: &[&str]) -> std::process::Output {
        let file = self.written(rows);
        audit(self.path(), &[&["verify", file.to_str().unwrap()], words].concat()).await
    }

    /// With the row at that place, as it was, noted.
    fn noted(&self, place: i64) -> [String; 4] {
        let row = &self.rows[usize::try_from(place).unwrap() - 1];
        ["--place".to_owned(), place.to_string(), "--head".to_owned(), hex(&row.hash)]
    }
}

#[tokio::test]
async fn whatever_was_done_to_a_file_is_found_by_place() {
    let archive = Archive::made().await;
    let rows = &archive.rows;
    let whole = succeeds(&archive.check(rows, &[]).await);
    let last = rows.last().unwrap();
    assert!(whole.contains(&format!("--place {} --head {}", last.place, hex(&last.hash))), "{whole}");

    let mut changed = rows.clone();
    changed[4].body = changed[4].body.replace("backchannel", "admin");
    complains(&archive.check(&changed, &[]).await, "place 5: it was changed");
    let mut removed = rows.clone();
    removed.remove(4);
    complains(&archive.check(&removed, &[]).await, "place 5: it is missing");
    let mut swapped = rows.clone();
    swapped.swap(4, 5);
    complains(&archive.check(&swapped, &[]).await, "place 5: it is missing");
    let mut inserted = rows.clone();
    inserted.insert(5, AuditRow::next(6, UnixMillis(0), "told", "{}".to_owned(), rows[4].hash));
    complains(&archive.check(&inserted, &[]).await, "place 6: it stands after place 6");
    let file = archive.written(rows);
    let text = std::fs::read_to_string(&file).unwrap().replacen("\"place\":3,", "\"place\": 3,", 1);
    std::fs::write(&file, text).unwrap();
    complains(&audit(archive.path(), &["verify", file.to_str().unwrap()]).await, "place 3: line 3 is not a row");
}

#[tokio::test]
async fn a_noted_head_finds_a_cut_tail_and_a_chain_that_was_written_anew() {
    let archive = Archive::made().await;
    let noted = archive.noted(8);
    let noted: Vec<_> = noted.iter().map(String::as_str).collect();
    let known = succeeds(&archive.check(&archive.rows, &noted).await);
    assert!(known.contains("the row that was noted, place 8, is in it as it was"), "{known}");

    succeeds(&archive.check(&archive.rows[..6], &[]).await);
    complains(&archive.check(&archive.rows[..6], &noted).await, "place 8: it was noted, and the trail ends before it");
    let mut anew: Vec<AuditRow> = archive.rows[..2].to_vec();
    for row in &archive.rows[2..] {
        let body = row.body.replace("backchannel", "admin");
        anew.push(AuditRow::next(row.place, row.at, &row.kind, body, anew.last().unwrap().hash));
    }
    succeeds(&archive.check(&anew, &[]).await);
    complains(&archive.check(&anew, &noted).await, "place 8: it is not the row that was noted");
}

#[tokio::test]
async fn a_part_of_a_trail_is_checked_as_a_part() {
    let archive = Archive::made().await;
    let part = succeeds(&archive.check(&archive.rows[3..], &[]).await);
    assert!(part.contains("what came before is not here"), "{part}");
    complains(&archive.check(&[], &[]).await, "there is no row in it");
}

#[tokio::test]
async fn the_dozen_lines_of_python_in_the_documentation_say_the_same() {
    let text = std::fs::read_to_string("docs/audit.md").unwrap();
    let script = text.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let archive = Archive::made().await;
    let python = |rows: &[AuditRow]| {
        let mut command = Command::new("python3");
        command.args(["-c", script]).arg(archive.written(rows)).output()
    };
    let Ok(whole) = python(&archive.rows) else {
        eprintln!("there is no Python here: its check is not looked at");
        return;
    };
    let last = archive.rows.last().unwrap();
    let expected = format!("whole; the last: --place {} --head {}\n", last.place, hex(&last.hash));
    assert_eq!(succeeds(&whole), expected);
    let mut changed = archive.rows.clone();
    changed[4].body = changed[4].body.replace("backchannel", "admin");
    complains(&python(&changed).unwrap(), "place 5: it was changed");
    let mut removed = archive.rows.clone();
    removed.remove(4);
    complains(&python(&removed).unwrap(), "place 5: it is missing");
}

#[tokio::test]
async fn the_command_line_says_what_it_cannot_do() {
    let (issuer, folder) = (TestIssuer::start().await, TempDir::new().unwrap());
    let mut hub = HubProcess::start_on_a_file(&issuer, folder.path()).await;
    let file = folder.path().join("trail.jsonl");
    let export = ["export", "--from", "1", "--to", file.to_str().unwrap()];
    succeeds(&audit(folder.path(), &export).await);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), exported(folder.path()).await);
    complains(&audit(folder.path(), &export).await, "cannot write: File exists");
    let beyond = audit(folder.path(), &["export", "--from", "99"]).await;
    assert_eq!(succeeds(&beyond), "");
    let head = audit(folder.path(), &["verify", "--head", "12"]).await;
    assert_eq!(head.status.code(), Some(2), "neither a hash nor a place: {head:?}");
    complains(&audit(folder.path(), &["verify", "none.jsonl"]).await, "cannot read none.jsonl");
    hub.terminate().await;
    succeeds(&audit(folder.path(), &["verify"]).await);
    for name in std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()) {
        if name.file_name().unwrap().to_str().unwrap().starts_with("hub.db") {
            std::fs::remove_file(name).unwrap();
        }
    }
    complains(&audit(folder.path(), &["verify"]).await, "there is no database at");
    assert!(!folder.path().join("hub.db").exists(), "and none is made");
}

#[tokio::test]
async fn the_trail_of_a_backup_is_checked_and_the_backup_stays_as_it_was() {
    let (issuer, folder) = (TestIssuer::start().await, TempDir::new().unwrap());
    let hub = HubProcess::start_on_a_file(&issuer, folder.path()).await;
    receives(&hub, &issuer.logout_token(&issuer.sign_in("ada"), "notes").sign()).await.expect(200);
    let vault = TempDir::new().unwrap();
    let copy = vault.path().join("slo-hub.db");
    let config = folder.path().join("slo-hub.toml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_slo-hub"));
    let output = command.arg("backup").arg("--to").arg(&copy).arg("--config").arg(&config).output().unwrap();
    assert!(output.status.success(), "{output:?}");

    let kept = std::fs::read(&copy).unwrap();
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(
        vault.path().join("slo-hub.toml"),
        text.replace("/hub.db", "/slo-hub.db").replace(folder.path().to_str().unwrap(), vault.path().to_str().unwrap()),
    )
    .unwrap();
    let whole = succeeds(&audit(vault.path(), &["verify"]).await);
    assert!(whole.contains("the trail is whole"), "{whole}");
    assert_eq!(exported(vault.path()).await, exported(folder.path()).await);
    assert!(std::fs::read(&copy).unwrap() == kept, "not a byte of it has changed");
}
