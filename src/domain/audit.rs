//! The audit trail as anybody can check it: rows in order, each with the hash of the one before.

mod body;
mod check;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use self::body::Body;
pub use self::check::{Broken, Fault, NotedHead, TrailCheck, Verified};
use super::clock::UnixMillis;
use super::digest::{from_hex, hex, sha256};

/// The hash that stands before the first row.
pub const BEFORE_THE_FIRST: [u8; 32] = [0; 32];

/// The kind of row that says up to where the hub itself has forgotten the trail.
pub const FORGOTTEN: &str = "forgotten";

/// What a hash is a hash of: no other program's texts begin like this.
const DOMAIN: &str = "slo-hub audit 1";

/// One row of the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// 1, 2, 3 and so on, without holes.
    pub place: i64,
    /// When it happened, by the clock of the hub that wrote it.
    pub at: UnixMillis,
    /// What kind of thing happened: a word of small letters and `_`.
    pub kind: String,
    /// What happened: a JSON object without spaces, its members in the order of their names.
    pub body: String,
    /// The hash of the row before; [`BEFORE_THE_FIRST`] at place 1.
    pub previous: [u8; 32],
    /// [`AuditRow::digest`] when it was written.
    pub hash: [u8; 32],
}

impl AuditRow {
    /// The next row of a trail that ends with `previous` at `place - 1`.
    #[must_use]
    pub fn next(place: i64, at: UnixMillis, kind: &str, body: String, previous: [u8; 32]) -> Self {
        let row = Self { place, at, kind: kind.to_owned(), body, previous, hash: previous };
        Self { hash: row.digest(), ..row }
    }

    /// SHA-256 over six lines: the domain, place, time, kind, the hash before in hex, the body.
    /// No line but the last can hold a line's end, so no two rows are one text.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let Self { place, at, kind, body, previous, .. } = self;
        sha256(format!("{DOMAIN}\n{place}\n{}\n{kind}\n{}\n{body}", at.0, hex(previous)).as_bytes())
    }

    /// The row as one line of JSON, without the line's end. A body that is no JSON of one line,
    /// which the hub never writes, goes as a text.
    #[must_use]
    pub fn to_line(&self) -> String {
        let body = RawValue::from_string(self.body.clone()).ok().filter(|_| is_object_of_one_line(&self.body));
        let body = body.or_else(|| serde_json::value::to_raw_value(&self.body).ok());
        let (previous, hash) = (hex(&self.previous), hex(&self.hash));
        let line = Line { place: self.place, at: self.at.0, kind: self.kind.clone(), previous, hash, body };
        // Only texts, numbers and checked JSON go in, so this never fails.
        serde_json::to_string(&line).unwrap_or_default()
    }

    /// Reads what [`AuditRow::to_line`] has written.
    ///
    /// # Errors
    /// [`NoRow`] for any other text.
    pub fn from_line(text: &str) -> Result<Self, NoRow> {
        let line: Line = serde_json::from_str(text).map_err(|_| NoRow)?;
        let raw = line.body.as_ref().ok_or(NoRow)?.get();
        let body = if raw.starts_with('"') { serde_json::from_str(raw).map_err(|_| NoRow)? } else { raw.to_owned() };
        let row = Self {
            place: line.place,
            at: UnixMillis(line.at),
            body,
            previous: from_hex(&line.previous).ok_or(NoRow)?,
            hash: from_hex(&line.hash).ok_or(NoRow)?,
            kind: line.kind,
        };
        // What can be written in two ways could be read in two ways.
        if row.to_line() == text { Ok(row) } else { Err(NoRow) }
    }

    /// Where this says that the hub forgot the rows up to a place: that place, and its hash.
    fn forgets(&self) -> Option<(i64, [u8; 32])> {
        if self.kind != FORGOTTEN {
            return None;
        }
        let forgotten: Forgotten = serde_json::from_str(&self.body).ok()?;
        Some((forgotten.up_to, from_hex(&forgotten.hash)?))
    }
}

fn is_object_of_one_line(body: &str) -> bool {
    body.starts_with('{') && !body.contains(['\n', '\r'])
}

/// A row on a line of its own.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    place: i64,
    at: i64,
    kind: String,
    previous: String,
    hash: String,
    body: Option<Box<RawValue>>,
}

/// The part of a `forgotten` row that a check needs.
#[derive(Deserialize)]
struct Forgotten {
    hash: String,
    up_to: i64,
}

/// The line is not as the hub writes a row of the trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a row as `slo-hub audit export` writes it")]
pub struct NoRow;
