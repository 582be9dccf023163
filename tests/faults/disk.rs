//! Disks that are small, and files that cannot be written: where the system lets us.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A disk of sixty-four megabytes.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None where nothing may be mounted.
    pub fn mount(at: &Path) -> Option<Self> {
        did(Command::new("mount").args(["-t", "tmpfs", "-o", "size=64m", "tmpfs"]).arg(at)).then(|| Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        did(Command::new("umount").arg("-l").arg(&self.0));
    }
}

/// A file that nobody can open for writing, until this is dropped.
pub struct ReadOnly {
    file: PathBuf,
    /// An administrator writes whatever the mode says: then it is mounted read-only.
    is_mounted: bool,
}

impl ReadOnly {
    /// None where neither its mode nor a mount keeps us from writing.
    pub fn make(file: &Path) -> Option<Self> {
        set_mode(file, 0o444);
        let made = |is_mounted| Some(Self { file: file.to_owned(), is_mounted });
        if !is_writable(file) {
            return made(false);
        }
        if did(Command::new("mount").arg("--bind").args([file, file]))
            && did(Command::new("mount").args(["-o", "remount,ro,bind"]).arg(file))
        {
            return made(true);
        }
        set_mode(file, 0o644);
        None
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        if self.is_mounted {
            did(Command::new("umount").arg("-l").arg(&self.file));
        }
        set_mode(&self.file, 0o644);
    }
}

fn is_writable(file: &Path) -> bool {
    std::fs::File::options().write(true).open(file).is_ok()
}

fn set_mode(file: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    // A mount that is read-only does not let it be changed; then it does not matter.
    let _ = std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode));
}

fn did(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}
