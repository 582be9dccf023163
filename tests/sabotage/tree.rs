//! A copy of the source that may be broken.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use super::ways::root;

/// The copy. It is built in a folder of its own, so that no broken hub lies where a whole one is
/// looked for.
pub struct Tree {
    folder: PathBuf,
}

/// How a run of tests ended.
pub struct Ended {
    pub is_built: bool,
    pub is_ok: bool,
    pub output: String,
}

impl Ended {
    /// The last that was said.
    pub fn tail(&self) -> String {
        let lines: Vec<_> = self.output.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Tree {
    /// Copies every file that git knows of, or would.
    pub fn copied() -> Self {
        let folder = root().join("target/sabotage");
        // What is no longer in the source must not be in the copy.
        fs::remove_dir_all(folder.join("src")).ok();
        fs::remove_dir_all(folder.join("tests")).ok();
        let listed = git(&["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        for file in String::from_utf8(listed.stdout).unwrap().split('\0').filter(|file| !file.is_empty()) {
            let (from, to) = (root().join(file), folder.join(file));
            let Ok(bytes) = fs::read(&from) else { continue };
            // What did not change keeps its time, so that it is not built again.
            if fs::read(&to).is_ok_and(|old| old == bytes) {
                continue;
            }
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(&from, &to).unwrap();
        }
        // Files of the SDK that the hub serves are built, not in git.
        let tree = Self { folder };
        tree.copy_built();
        tree
    }

    fn copy_built(&self) {
        let listed = git(&["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "client-sdk"]);
        for file in String::from_utf8(listed.stdout).unwrap().split('\0') {
            if file.contains("/dist/") && !file.contains("node_modules") {
                let to = self.folder.join(file);
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::copy(root().join(file), to).unwrap();
            }
        }
    }

    /// Puts another text in a file's place.
    pub fn put(&self, file: &str, text: &str) {
        fs::write(self.folder.join(file), text).unwrap();
    }

    /// Puts the file back as it is.
    pub fn restore(&self, file: &str) {
        self.put(file, &fs::read_to_string(root().join(file)).unwrap());
    }

    /// Builds what holds the tests of that target, and runs those of that name.
    pub fn test(&self, target: &[&str], filter: &[&str]) -> Ended {
        let built = self.cargo(&[&["test", "--quiet", "--no-run"], target].concat());
        if !built.status.success() {
            return Ended { is_built: false, is_ok: false, output: text_of(&built) };
        }
        let ran = self.cargo(&[&["test"], target, &["--"], filter].concat());
        Ended { is_built: true, is_ok: ran.status.success(), output: text_of(&ran) }
    }

    fn cargo(&self, arguments: &[&str]) -> Output {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(arguments).current_dir(&self.folder).stdin(Stdio::null());
        cargo.env("CARGO_TARGET_DIR", root().join("target/sabotage-build")).env("CARGO_PROFILE_DEV_DEBUG", "0");
        cargo.env("RUST_BACKTRACE", "0");
        cargo.output().unwrap()
    }
}

fn git(arguments: &[&str]) -> Output {
    Command::new("git").args(arguments).current_dir(root()).output().unwrap()
}

fn text_of(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
