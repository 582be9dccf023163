//! Who else on this machine may read what only the hub should know, or write it.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::finding::{Chapter, Finding};

/// A file's mode: others may read it.
const OTHERS_READ: u32 = 0o004;
/// The same: the group, or others, may write it.
const OTHERS_WRITE: u32 = 0o022;

/// Where no secret is in a file, there is nothing to say.
pub(super) fn examine(files: &[PathBuf]) -> Option<Chapter> {
    let findings: Vec<_> = files.iter().filter_map(|file| judge(file)).collect();
    (!findings.is_empty()).then(|| Chapter { title: "Files with secrets".to_owned(), findings })
}

fn judge(file: &Path) -> Option<Finding> {
    // One that cannot be read was complained of already.
    let mode = std::fs::metadata(file).ok()?.mode() & 0o777;
    let path = file.display();
    Some(if mode & OTHERS_WRITE != 0 {
        let why = "whoever may write it chooses who is an administrator, or who speaks for an app";
        Finding::wrong(format!("{path} can be written by others (mode {mode:o})"), why, format!("chmod go-w {path}"))
    } else if mode & OTHERS_READ != 0 {
        let why = "whoever has an account here knows the secret; in a container of the hub's own that is nobody";
        Finding::careful(format!("{path} is readable by everyone (mode {mode:o})"), why, format!("chmod o= {path}"))
    } else {
        Finding::fine(format!("{path} is not readable by everyone"))
    })
}
