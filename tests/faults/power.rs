//! The power goes: of what the hub had written, what it had not synced is lost.
//!
//! strace says in which order the process wrote and synced. What was written to a file after
//! that file's last completed sync may be on the disk or not, in any part. A kernel that only
//! loses its process keeps all of it; here it is taken away again, by overwriting it: with
//! that, more is lost than a disk would lose, since what stood there before is gone as well.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::luck::Luck;

/// What may be lost of each file: the ranges written since it was last synced.
pub type Unsynced = BTreeMap<String, Vec<Range<u64>>>;

/// Reads what `strace -f -y` wrote.
pub fn unsynced(trace: &str) -> Unsynced {
    let mut unsynced = Unsynced::new();
    // A sync that has begun covers what was written before it began, once it has ended.
    let mut syncing: BTreeMap<&str, (String, usize)> = BTreeMap::new();
    for line in trace.lines() {
        let Some((pid, call)) = line.split_once(' ').map(|(pid, call)| (pid, call.trim_start())) else { continue };
        let written = |file: &str| unsynced.get(file).map_or(0, Vec::len);
        if call.starts_with("<... f") && call.contains("sync resumed") {
            if let Some((file, covers)) = syncing.remove(pid).filter(|_| has_succeeded(call)) {
                forget(&mut unsynced, &file, covers);
            }
        } else if let Some(file) = sync_of(call) {
            let covers = written(file);
            if call.contains("<unfinished") {
                syncing.insert(pid, (file.to_owned(), covers));
            } else if has_succeeded(call) {
                forget(&mut unsynced, file, covers);
            }
        } else if let Some((file, range)) = write_of(call).filter(|(file, _)| !file.ends_with("-shm")) {
            // What is shared between processes is in memory alone, whatever the folder says.
            unsynced.entry(file.to_owned()).or_default().push(range);
        }
    }
    unsynced.retain(|_, ranges| !ranges.is_empty());
    unsynced
}

/// Whether anything that was logged ahead was synced.
pub fn has_synced(trace: &str) -> bool {
    trace.lines().any(|line| line.contains("sync(") && line.contains("hub.db-wal"))
}

/// A range that another thread's sync has covered meanwhile stays in its place, empty: places
/// are what syncs that are under way count by.
fn forget(unsynced: &mut Unsynced, file: &str, covers: usize) {
    if let Some(ranges) = unsynced.get_mut(file) {
        for range in ranges.iter_mut().take(covers) {
            range.end = range.start;
        }
    }
}

/// Also where strace says behind it that it held the call up.
fn has_succeeded(call: &str) -> bool {
    call.trim_end_matches(" (DELAYED)").ends_with("= 0")
}

fn sync_of(call: &str) -> Option<&str> {
    let of = call.strip_prefix("fdatasync(").or_else(|| call.strip_prefix("fsync("))?;
    file_of(of)
}

fn file_of(arguments: &str) -> Option<&str> {
    let (_, rest) = arguments.split_once('<')?;
    rest.split_once('>').map(|(file, _)| file)
}

/// Where `pwrite64(fd<file>, ""..., count, offset)` writes, be it finished or not.
fn write_of(call: &str) -> Option<(&str, Range<u64>)> {
    let arguments = call.strip_prefix("pwrite64(")?;
    let file = file_of(arguments)?;
    let (_, rest) = arguments.split_once("..., ")?;
    let mut numbers = rest.split([',', ')', ' ']).filter(|word| !word.is_empty()).map(str::parse::<u64>);
    let (count, offset) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    Some((file, offset..offset + count))
}

/// Takes from the files in that folder what may be lost: all of it, or each write or not.
/// How many bytes were.
pub fn lose(unsynced: &Unsynced, folder: &Path, luck: &mut Luck) -> u64 {
    let (mut lost, loses_all) = (0, luck.one_in(2));
    for (file, ranges) in unsynced {
        let Ok(path) = Path::new(file).strip_prefix(folder).map(|name| folder.join(name)) else { continue };
        let Ok(open) = File::options().write(true).open(&path) else { continue };
        let length = open.metadata().unwrap().len();
        for range in ranges {
            let end = range.end.min(length);
            if range.start < end && (loses_all || luck.one_in(2)) {
                let count = end - range.start;
                open.write_all_at(&vec![0; usize::try_from(count).unwrap()], range.start).unwrap();
                lost += count;
            }
        }
    }
    let _ = fs::remove_file(folder.join("hub.db-shm"));
    lost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_after_the_last_sync_may_be_lost_and_nothing_else() {
        let trace = r#"7  pwrite64(9</x/hub.db-wal>, ""..., 24, 0) = 24
8  pwrite64(9</x/hub.db-wal>, ""..., 4096, 24) = 4096
8  fdatasync(9</x/hub.db-wal>) = 0
8  pwrite64(3</x/hub.db>, ""..., 4096, 8192) = 4096
7  pwrite64(9</x/hub.db-wal>, ""..., 100, 4120 <unfinished ...>
"#;
        let lost = unsynced(trace);
        let of = |file: &str| {
            let ranges = lost[file].iter().filter(|range| !range.is_empty());
            ranges.map(|range| (range.start, range.end)).collect::<Vec<_>>()
        };
        assert_eq!((of("/x/hub.db-wal"), of("/x/hub.db")), (vec![(4120, 4220)], vec![(8192, 12288)]));
    }

    #[test]
    fn a_sync_that_has_not_ended_keeps_nothing_and_one_that_has_keeps_what_came_before_it_began() {
        let begun = "7  pwrite64(9</x/w>, \"\"..., 10, 0) = 10\n7  fdatasync(9</x/w> <unfinished ...>\n\
                     8  pwrite64(9</x/w>, \"\"..., 10, 10) = 10\n";
        let full = |trace: &str| unsynced(trace)["/x/w"].iter().filter(|range| !range.is_empty()).count();
        assert_eq!(full(begun), 2);
        assert_eq!(full(&format!("{begun}7  <... fdatasync resumed>) = -1 EIO (Input/output error)\n")), 2);
        assert_eq!(full(&format!("{begun}7  <... fdatasync resumed>) = 0\n")), 1);
        assert_eq!(full(&format!("{begun}7  <... fdatasync resumed>) = 0 (DELAYED)\n")), 1);
    }
}
