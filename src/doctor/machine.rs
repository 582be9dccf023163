//! The machine: what its settings allow, beside what the configuration asks for.
//!
//! Linux only, by what stands in `/proc`; elsewhere there is nothing to look at.

use std::fs;
use std::path::Path;

use super::finding::{Chapter, Finding};
use crate::config::Config;
use crate::listener::BACKLOG;

/// Files that a hub has open beside its channels: the store's, connections to issuers and to
/// back ends, and requests that come and go.
const OTHER_FILES: u64 = 600;

/// What one open channel takes, in bytes: the hub's own share, and the kernel's for the
/// connection.
const BYTES_PER_CHANNEL: u64 = 2_300 + 4_100;
/// What it takes beside that where the hub speaks TLS itself.
const BYTES_FOR_TLS: u64 = 9_200;

/// What the machine allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Machine {
    /// The process that was looked at: a running hub, or else this one.
    pid: Option<u32>,
    open_files: Option<u64>,
    open_files_of_all: Option<u64>,
    backlog: Option<u64>,
    half_open: Option<u64>,
    tracked: Option<u64>,
    memory_bytes: Option<u64>,
}

/// What of the configuration a machine has to bear.
struct Wanted {
    channels: u64,
    is_port_shared: bool,
    is_store_a_file: bool,
    is_by_tls: bool,
}

/// Looks at the machine that this runs on.
pub(super) fn examine(config: &Config) -> Option<Chapter> {
    let wanted = Wanted {
        channels: config.limits.max_connections as u64,
        is_port_shared: config.server.reuse_port,
        is_store_a_file: config.store.url.file().is_some(),
        is_by_tls: config.server.tls.is_some(),
    };
    let machine = Machine::read(Path::new("/proc"))?;
    Some(Chapter { title: "This machine".to_owned(), findings: findings(&machine, &wanted) })
}

impl Machine {
    /// `None` where there is no such folder.
    fn read(proc: &Path) -> Option<Self> {
        let pid = running_hub(proc);
        let process = proc.join(pid.map_or_else(|| "self".to_owned(), |pid| pid.to_string()));
        let limits = fs::read_to_string(process.join("limits")).ok()?;
        let number = |name: &str| fs::read_to_string(proc.join("sys").join(name)).ok()?.trim().parse().ok();
        Some(Self {
            pid,
            open_files: open_files(&limits),
            open_files_of_all: number("fs/file-max"),
            backlog: number("net/core/somaxconn"),
            half_open: number("net/ipv4/tcp_max_syn_backlog"),
            tracked: number("net/netfilter/nf_conntrack_max"),
            memory_bytes: fs::read_to_string(proc.join("meminfo")).ok().and_then(|text| memory(&text)),
        })
    }
}

/// A hub that runs on this machine, where one can be seen.
fn running_hub(proc: &Path) -> Option<u32> {
    let own = std::process::id();
    let pids = fs::read_dir(proc).ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| *pid != own).find(|pid| {
        let words = fs::read(proc.join(pid.to_string()).join("cmdline")).unwrap_or_default();
        let mut words = words.split(|byte| *byte == 0);
        let is_hub = words.next().is_some_and(|program| program.ends_with(b"slo-hub"));
        is_hub && words.all(|word| word != b"doctor")
    })
}

/// The soft limit of open files, as `/proc/PID/limits` tells of it.
fn open_files(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

fn memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

fn findings(machine: &Machine, wanted: &Wanted) -> Vec<Finding> {
    let looked_at = [
        files(machine, wanted.channels),
        of_all(machine, wanted.channels),
        backlog(machine),
        half_open(machine),
        tracked(machine, wanted.channels),
        memory_for(machine, wanted),
        hidden(machine),
        shared_port(wanted),
    ];
    looked_at.into_iter().flatten().collect()
}

fn files(machine: &Machine, channels: u64) -> Option<Finding> {
    let allowed = machine.open_files?;
    let room = allowed.saturating_sub(OTHER_FILES);
    let whose = machine.pid.map_or_else(|| "a process started here".to_owned(), |pid| format!("the hub (pid {pid})"));
    let what = format!("{whose} may have {allowed} files open: room for {room} channels");
    if room >= channels {
        return Some(Finding::fine(what));
    }
    let needed = channels + OTHER_FILES;
    Some(Finding::careful(
        what,
        format!("limits.max_connections is {channels}; connections beyond the room are refused without a word"),
        format!("systemd: LimitNOFILE={needed}\nDocker: --ulimit nofile={needed}\na shell: ulimit -n {needed}"),
    ))
}

fn of_all(machine: &Machine, channels: u64) -> Option<Finding> {
    let allowed = machine.open_files_of_all?;
    let needed = 2 * (channels + OTHER_FILES);
    if allowed >= needed {
        return Some(Finding::fine("the system has files enough for all its processes"));
    }
    Some(Finding::careful(
        format!("all processes together may have {allowed} files open"),
        format!("limits.max_connections alone is {channels}"),
        format!("sysctl -w fs.file-max={needed}"),
    ))
}

fn backlog(machine: &Machine) -> Option<Finding> {
    let allowed = machine.backlog?;
    let wanted = u64::from(BACKLOG.unsigned_abs());
    if allowed >= wanted {
        return Some(Finding::fine(format!("{wanted} connections may wait to be accepted")));
    }
    Some(Finding::careful(
        format!("{allowed} connections may wait to be accepted; the hub asks for {wanted}"),
        "when all apps come back at once, after a restart, some are turned away and come back later",
        format!("sysctl -w net.core.somaxconn={wanted}"),
    ))
}

fn half_open(machine: &Machine) -> Option<Finding> {
    let allowed = machine.half_open?;
    let wanted = u64::from(BACKLOG.unsigned_abs());
    (allowed < wanted).then(|| {
        Finding::careful(
            format!("{allowed} connections may be half open"),
            "in a rush of reconnects some take a second longer",
            format!("sysctl -w net.ipv4.tcp_max_syn_backlog={wanted}"),
        )
    })
}

fn tracked(machine: &Machine, channels: u64) -> Option<Finding> {
    let allowed = machine.tracked?;
    let needed = channels + channels / 2;
    (allowed < needed).then(|| {
        Finding::careful(
            format!("the firewall tracks {allowed} connections"),
            format!("limits.max_connections is {channels}, and every channel is one for as long as it is open"),
            format!("sysctl -w net.netfilter.nf_conntrack_max={needed}, or a rule with NOTRACK for the hub's port"),
        )
    })
}

fn memory_for(machine: &Machine, wanted: &Wanted) -> Option<Finding> {
    let (bytes, channels) = (machine.memory_bytes?, wanted.channels);
    let each = BYTES_PER_CHANNEL + if wanted.is_by_tls { BYTES_FOR_TLS } else { 0 };
    let needed = channels.saturating_mul(each);
    let mebibytes = |bytes: u64| bytes / (1024 * 1024);
    if needed <= bytes / 4 * 3 {
        return Some(Finding::fine(format!("{channels} channels take about {} MiB of memory", mebibytes(needed))));
    }
    Some(Finding::careful(
        format!("{channels} channels take about {} MiB; there are {}", mebibytes(needed), mebibytes(bytes)),
        "about 2.3 KB of each are the hub's, 9 more where it speaks TLS itself, and 4 the kernel's for the connection",
        "lower limits.max_connections, so that whoever is too many is told so; or add memory or nodes",
    ))
}

/// What could not be looked at is said, or its silence would pass for health. A machine that
/// tracks no connections has no setting for it.
fn hidden(machine: &Machine) -> Option<Finding> {
    let settings = [
        ("open files", machine.open_files),
        ("fs.file-max", machine.open_files_of_all),
        ("net.core.somaxconn", machine.backlog),
        ("net.ipv4.tcp_max_syn_backlog", machine.half_open),
        ("memory", machine.memory_bytes),
    ];
    let unseen: Vec<_> = settings.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| *name).collect();
    (!unseen.is_empty()).then(|| {
        Finding::careful(
            format!("not visible from here: {}", unseen.join(", ")),
            "the hub may see only a part of /proc: so it is in a sandbox, or under the systemd unit (ProcSubset=pid)",
            "run slo-hub doctor in a shell of the machine itself",
        )
    })
}

fn shared_port(wanted: &Wanted) -> Option<Finding> {
    (wanted.is_port_shared && wanted.is_store_a_file).then(|| {
        Finding::wrong(
            "server.reuse_port is on, and the store is a file",
            "several hubs would share the port, but not what is listened to: logouts reach some of the apps",
            "turn it off, or give all of them one PostgreSQL database",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Mark;

    const LARGE: Machine = Machine {
        pid: Some(7),
        open_files: Some(250_000),
        open_files_of_all: Some(u64::MAX),
        backlog: Some(4096),
        half_open: Some(4096),
        tracked: None,
        memory_bytes: Some(8 << 30),
    };

    fn marks(machine: &Machine, wanted: &Wanted) -> Vec<(Mark, String)> {
        let found = findings(machine, wanted);
        found.into_iter().filter(|it| it.mark != Mark::Fine).map(|it| (it.mark, it.what)).collect()
    }

    fn alone(channels: u64) -> Wanted {
        Wanted { channels, is_port_shared: false, is_store_a_file: true, is_by_tls: false }
    }

    #[test]
    fn a_machine_that_bears_what_is_asked_of_it_is_fine() {
        assert_eq!(marks(&LARGE, &alone(200_000)), []);
    }

    #[test]
    fn each_setting_that_is_too_small_is_named_with_what_would_do() {
        let small = [
            (Machine { open_files: Some(1024), ..LARGE }, "room for 424 channels", "LimitNOFILE=200600"),
            (Machine { open_files_of_all: Some(1000), ..LARGE }, "all processes", "fs.file-max=401200"),
            (Machine { backlog: Some(128), ..LARGE }, "wait to be accepted", "net.core.somaxconn=4096"),
            (Machine { half_open: Some(128), ..LARGE }, "half open", "tcp_max_syn_backlog=4096"),
            (Machine { tracked: Some(65_536), ..LARGE }, "firewall", "nf_conntrack_max=300000"),
            (Machine { memory_bytes: Some(1 << 30), ..LARGE }, "1220 MiB; there are 1024", "max_connections"),
        ];
        for (machine, what, remedy) in small {
            let found = findings(&machine, &alone(200_000));
            let careful: Vec<_> = found.iter().filter(|it| it.mark == Mark::Careful).collect();
            assert_eq!(careful.len(), 1, "{what}");
            assert!(careful[0].what.contains(what), "{}", careful[0].what);
            assert!(careful[0].why_and_remedy.as_ref().unwrap().1.contains(remedy), "{what}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_said() {
        let sandboxed =
            Machine { open_files_of_all: None, backlog: None, half_open: None, memory_bytes: None, ..LARGE };
        let what = "not visible from here: fs.file-max, net.core.somaxconn, net.ipv4.tcp_max_syn_backlog, memory";
        assert_eq!(marks(&sandboxed, &alone(200_000)), [(Mark::Careful, what.to_owned())]);
    }

    #[test]
    fn channels_by_tls_take_more_memory() {
        let machine = Machine { memory_bytes: Some(3 << 30), ..LARGE };
        assert_eq!(marks(&machine, &alone(200_000)), []);
        let found = marks(&machine, &Wanted { is_by_tls: true, ..alone(200_000) });
        assert!(found[0].1.contains("2975 MiB; there are 3072"), "{found:?}");
    }

    #[test]
    fn hubs_that_share_a_port_and_not_their_facts_are_wrong() {
        let shared = Wanted { is_port_shared: true, ..alone(1000) };
        assert_eq!(marks(&LARGE, &shared)[0].0, Mark::Wrong);
        assert_eq!(marks(&LARGE, &Wanted { is_store_a_file: false, ..shared }), []);
    }

    #[test]
    fn it_is_read_from_the_running_hub_where_there_is_one() {
        let proc = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = proc.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let limits = |files: &str| format!("Limit Soft Limit Hard Limit Units\nMax open files {files} 9999 files\n");
        write("self/limits", &limits("1024"));
        write("meminfo", "MemTotal:        2048 kB\nMemFree: 1 kB\n");
        write("sys/net/core/somaxconn", "128\n");
        let own = Machine::read(proc.path()).unwrap();
        assert_eq!((own.pid, own.open_files, own.backlog), (None, Some(1024), Some(128)));
        assert_eq!((own.memory_bytes, own.tracked), (Some(2 << 20), None));
        write("77/limits", &limits("unlimited"));
        write("77/cmdline", "/usr/bin/slo-hub\0--config\0hub.toml\0");
        write("78/cmdline", "/usr/bin/slo-hub\0doctor\0");
        let hub = Machine::read(proc.path()).unwrap();
        assert_eq!((hub.pid, hub.open_files), (Some(77), Some(u64::MAX)));
    }
}
