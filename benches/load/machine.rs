//! The machine: what it is, how many files may be open, who runs where.

use std::process::{Child, Command};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::Failure;

/// Open files that are not sockets of the crowd: callers, SQLite's, libraries.
const OTHER_FILES: u64 = 600;

/// Lets this process open as many files as it may at all, and says how many. What it
/// starts may too.
pub fn raise_open_files() -> Result<u64, Failure> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}

/// Says so where the sockets do not fit.
pub fn fits(sockets: usize, open_files: u64) -> Result<(), Failure> {
    let most = open_files.saturating_sub(OTHER_FILES);
    if sockets as u64 <= most {
        return Ok(());
    }
    let fault = format!(
        "{sockets} sockets do not fit: a process may open {open_files} files here (the hard limit of RLIMIT_NOFILE), \
         and {OTHER_FILES} are needed for other things. At most {most} sockets; more take more nodes, or a higher limit."
    );
    Err(fault.into())
}

/// Who runs on which core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cores {
    /// Wherever the system puts them.
    Shared,
    /// The measured server on the first, the generator on the second.
    Split {
        /// The server's.
        server: usize,
        /// The generator's.
        generator: usize,
    },
}

impl Cores {
    /// Splits the machine where it has two cores that this process may use, and takes
    /// the generator's for the thread that calls, and for all it starts from then on.
    pub fn split() -> Result<Self, Failure> {
        let may = sched_getaffinity(None)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| may.is_set(*core));
        let (Some(server), Some(generator)) = (cores.next(), cores.next()) else { return Ok(Self::Shared) };
        sched_setaffinity(None, &only(generator))?;
        Ok(Self::Split { server, generator })
    }

    /// Starts a server on its core: a process begins where the thread is that starts it.
    pub fn spawn(self, command: &mut Command) -> Result<Child, Failure> {
        let Self::Split { server, generator } = self else { return Ok(command.spawn()?) };
        sched_setaffinity(None, &only(server))?;
        let child = command.spawn();
        sched_setaffinity(None, &only(generator))?;
        Ok(child?)
    }

    fn words(self) -> String {
        match self {
            Self::Shared => "server and generator share all cores".to_owned(),
            Self::Split { server, generator } => format!("server on core {server}, generator on core {generator}"),
        }
    }
}

fn only(core: usize) -> CpuSet {
    let mut set = CpuSet::new();
    set.set(core);
    set
}

/// The line that figures stand under.
pub fn describe(cores: Cores, open_files: u64) -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':')).map_or("unknown".to_owned(), |(_, value)| value.trim().to_owned())
    };
    let (cpu, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned();
    let count = cpu.lines().filter(|line| line.starts_with("processor")).count();
    format!(
        "slo-hub {}; {count} × {}; {} memory; Linux {}; {open_files} open files a process; {}; load {load} at the start",
        env!("CARGO_PKG_VERSION"),
        field(&cpu, "model name"),
        field(&memory, "MemTotal"),
        kernel.trim(),
        cores.words(),
    )
}
