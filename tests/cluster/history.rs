//! What everyone saw and did, in one order: the only thing that the checker knows.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// One line of a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Microseconds since the history began.
    pub at: u64,
    #[serde(flatten)]
    pub event: Event,
}

/// Whom a report ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// The session of that `sid`.
    Session(String),
    /// Every session of that `sub`.
    Person(String),
}

/// How a logout came to the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// `POST /api/v1/logouts`.
    App,
    /// `POST /backchannel-logout`.
    Backchannel,
}

/// A logout, as an event names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logout {
    pub id: String,
    pub whom: Whom,
    /// The `source` of the event.
    pub source: String,
    /// T as far as the event tells it: when it happened, rounded up, in seconds.
    pub until: i64,
}

/// What became of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// 2xx. `id` and `until` where the answer tells them: those of the logout that counts.
    Acknowledged { id: Option<String>, until: i64 },
    /// 4xx: the caller's own fault, says the hub.
    Refused { status: u16, code: String },
    /// 503, no answer, half an answer: recorded or not.
    Unknown { why: String },
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The hub closed it with that code.
    Closed(u16),
    /// It broke.
    Broken,
    /// The client left.
    Left,
}

/// One thing that happened. Tabs, connections, reports and followers have numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A tab of a session that began at `began` (`auth_time`).
    Opened { tab: u32, sid: String, sub: String, began: i64 },
    /// It says `subscribe`, with a credential of a sign-in at `iat`.
    Subscribing { tab: u32, connection: u32, iat: i64, by: String },
    /// It was told `subscribed`.
    Subscribed { tab: u32, connection: u32 },
    /// It was told that its session is over.
    Told { tab: u32, connection: u32, logout: Logout },
    /// Its connection is over; `code` is of the last error frame.
    Gone { tab: u32, connection: u32, end: End, code: Option<String> },
    /// Somebody sends a report. `iat` is of the reporter's own token, where it shows one;
    /// of a logout token, its own.
    Reporting { report: u32, whom: Whom, way: Way, iat: Option<i64> },
    /// What the hub said to that.
    Reported { report: u32, answer: Answer },
    /// A back end follows the log from just after a logout, or from now on.
    Following { follower: u32, after: Option<String> },
    /// It got the next one.
    Fed { follower: u32, logout: Logout },
    /// Its connection is over.
    Unfed { follower: u32, end: End, code: Option<String> },
    /// A logout of the whole log, as read at the end, in order.
    Logged { logout: Logout },
    /// Something breaks.
    Broken { what: String },
    /// That is over.
    Mended { what: String },
    /// Every fault is over, and every node ready.
    Healed,
    /// Whoever is connected has had the time to be told.
    Settled,
    /// Whoever was away has come back, and every follower has caught up.
    Finished,
}

/// A history in the making. Clones share it.
#[derive(Clone)]
pub struct History {
    began: Instant,
    entries: Arc<Mutex<Vec<Entry>>>,
}

impl History {
    pub fn begin() -> Self {
        Self { began: Instant::now(), entries: Arc::default() }
    }

    /// Writes down that something happens now.
    pub fn note(&self, event: Event) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        // Within the lock: later lines are later.
        let at = u64::try_from(self.began.elapsed().as_micros()).unwrap();
        entries.push(Entry { at, event });
    }

    /// Everything so far.
    pub fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Writes a history, a line an entry.
pub fn write(entries: &[Entry], to: &Path) -> io::Result<()> {
    std::fs::create_dir_all(to.parent().unwrap())?;
    let mut file = BufWriter::new(File::create(to)?);
    for entry in entries {
        writeln!(file, "{}", serde_json::to_string(entry)?)?;
    }
    file.flush()
}

/// Reads what [`write`] has written.
pub fn read(from: &Path) -> io::Result<Vec<Entry>> {
    let text = std::fs::read_to_string(from)?;
    text.lines().map(|line| serde_json::from_str(line).map_err(io::Error::from)).collect()
}
