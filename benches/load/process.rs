//! A server that is measured, in a process of its own.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::param::clock_ticks_per_second;

use crate::Failure;
use crate::machine::Cores;

/// A child process; it is killed when this is dropped.
pub struct Process(Child);

/// What a process holds of the machine's memory, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Pages that are its own and were written to (`Private_Dirty`).
    pub private: i64,
    /// The same, with its share of what others map too (`Pss`).
    pub proportional: i64,
}

impl Process {
    /// Starts a command line on the server's core.
    pub fn start(cores: Cores, words: &[String], stdout: Stdio) -> Result<Self, Failure> {
        let (program, arguments) = words.split_first().ok_or("no command")?;
        let mut command = Command::new(program);
        command.args(arguments).env("SLO_HUB_LOG", "error");
        command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::inherit());
        Ok(Self(cores.spawn(&mut command)?))
    }

    /// What it says on standard output, once.
    pub fn take_stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.0.stdout.take()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// `kill -9`, and waits for the end.
    pub fn kill(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }

    /// What it holds now.
    pub fn memory(&self) -> Result<Memory, Failure> {
        let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.0.id()))?;
        let field = |name: &str| -> Result<i64, Failure> {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such field in smaps_rollup")?;
            let kilobytes: i64 = line.trim().trim_end_matches(" kB").parse()?;
            Ok(kilobytes * 1024)
        };
        Ok(Memory { private: field("Private_Dirty:")?, proportional: field("Pss:")? })
    }

    /// The processor time it has taken, its ended threads' too, in steps of the
    /// system's tick (10 ms as a rule).
    pub fn cpu(&self) -> Result<Duration, Failure> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        // The name may hold blanks; what follows its bracket does not.
        let (_, fields) = text.rsplit_once(')').ok_or("no process name")?;
        let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
        let ticks = |at: usize| -> Result<u64, Failure> { Ok(fields.get(at).ok_or("no processor time")?.parse()?) };
        let ticks = ticks(11)? + ticks(12)?;
        Ok(Duration::from_micros(ticks * 1_000_000 / clock_ticks_per_second()))
    }

    /// What it has taken since then.
    pub fn cpu_since(&self, before: Duration) -> Result<Duration, Failure> {
        Ok(self.cpu()?.saturating_sub(before))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
