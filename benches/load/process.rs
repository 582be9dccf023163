//! A server that is measured, in a process of its own; some have workers below it, which
//! are counted with it.

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::param::clock_ticks_per_second;
use rustix::process::{Pid, Signal, kill_process};

use crate::Failure;
use crate::machine::Cores;

/// A child process; it, and what it started, is killed when this is dropped.
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

    /// The same, with all that it says in a file.
    pub fn start_into(cores: Cores, words: &[String], log: &File) -> Result<Self, Failure> {
        let (program, arguments) = words.split_first().ok_or("no command")?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
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

    /// `kill -9`, its workers' too, and waits for the end.
    pub fn kill(&mut self) {
        // The first one first: it would start the others anew.
        let workers = self.family().split_off(1);
        self.0.kill().ok();
        self.0.wait().ok();
        for worker in workers {
            if let Some(pid) = i32::try_from(worker).ok().and_then(Pid::from_raw) {
                kill_process(pid, Signal::KILL).ok();
            }
        }
    }

    /// What it and its workers hold now.
    pub fn memory(&self) -> Result<Memory, Failure> {
        let mut sum = Memory { private: 0, proportional: 0 };
        for pid in self.family() {
            let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
            let field = |name: &str| -> Result<i64, Failure> {
                let line = text.lines().find_map(|line| line.strip_prefix(name));
                let line = line.ok_or("no such field in smaps_rollup")?;
                let kilobytes: i64 = line.trim().trim_end_matches(" kB").parse()?;
                Ok(kilobytes * 1024)
            };
            sum.private += field("Private_Dirty:")?;
            sum.proportional += field("Pss:")?;
        }
        Ok(sum)
    }

    /// The processor time that it and its workers have taken, their ended threads' too,
    /// in steps of the system's tick (10 ms as a rule).
    pub fn cpu(&self) -> Result<Duration, Failure> {
        let mut sum = 0;
        for pid in self.family() {
            let stat = Stat::of(pid).ok_or_else(|| format!("process {pid} is gone"))?;
            sum += stat.ticks;
        }
        Ok(Duration::from_micros(sum * 1_000_000 / clock_ticks_per_second()))
    }

    /// Its id and those of all below it, itself first.
    fn family(&self) -> Vec<u32> {
        let mut family = vec![self.0.id()];
        let all: Vec<Stat> = everybody().into_iter().filter_map(Stat::of).collect();
        let mut at = 0;
        while at < family.len() {
            let parent = family[at];
            family.extend(all.iter().filter(|stat| stat.parent == parent).map(|stat| stat.pid));
            at += 1;
        }
        family
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

/// What `/proc/PID/stat` says of a process.
struct Stat {
    pid: u32,
    parent: u32,
    /// User's and system's time.
    ticks: u64,
}

impl Stat {
    /// Nothing where the process has ended.
    fn of(pid: u32) -> Option<Self> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name may hold blanks; what follows its bracket does not.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(Self { pid, parent: u32::try_from(number(1)?).ok()?, ticks: number(11)? + number(12)? })
    }
}

/// The ids of all processes.
fn everybody() -> Vec<u32> {
    let folders = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    folders.filter_map(|folder| folder.file_name().to_str()?.parse().ok()).collect()
}
