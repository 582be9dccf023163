//! The faults, as a table: what is done, how it is healed, what callers may see of it.

use crate::attackers::Attack;

/// One fault.
#[derive(Debug)]
pub struct Fault {
    pub name: &'static str,
    /// In words, for the table in `docs/faults.md`.
    pub how: &'static str,
    pub healed: &'static str,
    /// What may be answered to a report that is sent and answered while it lasts. That it is
    /// acknowledged is right always.
    pub seen: &'static [Seen],
    pub strike: Strike,
}

/// What a caller sees that is no acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    /// 503.
    Unavailable,
    /// No answer, or half of one.
    Cut,
}

/// How it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strike {
    Kill,
    PowerLoss,
    Terminate,
    FullDisk,
    Locked,
    ReadOnly,
    IssuerAtStart(AtStart),
    KeysRotate,
    KeyWithdrawn,
    ClockSteps,
    Harm(Attack),
    /// All attackers at once, and SIGTERM.
    TerminateUnderAll,
}

/// How the issuer is while the hub starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtStart {
    Down,
    Slow,
    Garbage,
}

const NOTHING: &[Seen] = &[];
const TRY_LATER: &[Seen] = &[Seen::Unavailable];
const AWAY: &[Seen] = &[Seen::Unavailable, Seen::Cut];

/// All of them.
pub const FAULTS: &[Fault] = &[
    Fault {
        name: "kill -9",
        how: "the process is killed at a random moment",
        healed: "started again",
        seen: AWAY,
        strike: Strike::Kill,
    },
    Fault {
        name: "power loss",
        how: "the process is killed, and what strace saw written since the last sync of its file is overwritten, all of it or each write by chance",
        healed: "started again",
        seen: AWAY,
        strike: Strike::PowerLoss,
    },
    Fault {
        name: "SIGTERM",
        how: "the process is told to end, and has ten seconds",
        healed: "started again",
        seen: AWAY,
        strike: Strike::Terminate,
    },
    Fault {
        name: "full disk",
        how: "a file beside the database takes all that is left",
        healed: "the file is removed",
        seen: TRY_LATER,
        strike: Strike::FullDisk,
    },
    Fault {
        name: "locked database",
        how: "another process holds the database's write lock",
        healed: "it lets go",
        seen: TRY_LATER,
        strike: Strike::Locked,
    },
    Fault {
        name: "read-only file",
        how: "the hub is started with a database that it may not write",
        healed: "it may, and the hub is started again",
        seen: AWAY,
        strike: Strike::ReadOnly,
    },
    Fault {
        name: "issuer down at start",
        how: "the hub is started while its issuer answers 503",
        healed: "the issuer is well",
        seen: AWAY,
        strike: Strike::IssuerAtStart(AtStart::Down),
    },
    Fault {
        name: "keys slow",
        how: "the hub is started while its issuer takes a minute to answer",
        healed: "the issuer is well",
        seen: AWAY,
        strike: Strike::IssuerAtStart(AtStart::Slow),
    },
    Fault {
        name: "keys garbage",
        how: "the hub is started while its issuer answers 200 and nonsense",
        healed: "the issuer is well",
        seen: AWAY,
        strike: Strike::IssuerAtStart(AtStart::Garbage),
    },
    Fault {
        name: "keys rotating",
        how: "the issuer signs with a new key from now on; the hub may ask for it every 30 s",
        healed: "by itself, within 30 s; in the short run by a restart",
        seen: AWAY,
        strike: Strike::KeysRotate,
    },
    Fault {
        name: "key withdrawn",
        how: "a second key of the issuer's is withdrawn, and whoever has it reports a living session",
        healed: "it stays so: the token is refused, and nobody is told",
        seen: AWAY,
        strike: Strike::KeyWithdrawn,
    },
    Fault {
        name: "clock steps",
        how: "the hub's clock is put forward by 25 s, then back by 50 s",
        healed: "it is right again",
        seen: NOTHING,
        strike: Strike::ClockSteps,
    },
    Fault {
        name: "silent readers",
        how: "pipelined requests and feeds of the whole log, of which nothing is ever read",
        healed: "they leave",
        seen: NOTHING,
        strike: Strike::Harm(Attack::Silent),
    },
    Fault {
        name: "slow readers",
        how: "the same, read by a byte every 50 ms",
        healed: "they leave",
        seen: NOTHING,
        strike: Strike::Harm(Attack::Slow),
    },
    Fault {
        name: "fragment flood",
        how: "messages that never end, in fragments of a byte or of none, as fast as they are taken",
        healed: "they leave",
        seen: NOTHING,
        strike: Strike::Harm(Attack::Fragments),
    },
    Fault {
        name: "never subscribe",
        how: "10,000 sockets that never say who they are (1,000 in the short run)",
        healed: "they leave",
        seen: NOTHING,
        strike: Strike::Harm(Attack::NeverSubscribes),
    },
    Fault {
        name: "slowloris",
        how: "heads and bodies that come a byte at a time",
        healed: "they leave",
        seen: NOTHING,
        strike: Strike::Harm(Attack::Slowloris),
    },
    Fault {
        name: "SIGTERM under all of it",
        how: "every kind of attacker at once, and the process is told to end",
        healed: "started again",
        seen: AWAY,
        strike: Strike::TerminateUnderAll,
    },
];
