//! Whether a trail is whole, and where it is not.

use super::{AuditRow, BEFORE_THE_FIRST};
use crate::domain::digest::hex;

/// A row's place and hash, noted somewhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotedHead {
    /// Its place.
    pub place: i64,
    /// Its hash.
    pub hash: [u8; 32],
}

/// The first thing that is wrong with a trail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("place {place}: {fault}")]
pub struct Broken {
    /// Where.
    pub place: i64,
    /// What.
    pub fault: Fault,
}

/// What can be wrong at a place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A hole.
    #[error("it is missing: place {next} comes next")]
    Missing {
        /// The place that is there instead.
        next: i64,
    },
    /// A place that was there before, or a smaller one.
    #[error("it stands after place {last}: a row was put in, or rows were put in another order")]
    OutOfOrder {
        /// The place before.
        last: i64,
    },
    /// No place.
    #[error("places begin at 1")]
    NoPlace,
    /// Not a kind of row.
    #[error("its kind is not a word")]
    Kind,
    /// The row is not what its hash was made of.
    #[error("it was changed: its hash is not the hash of what it says")]
    Changed,
    /// The row does not go on from the one before.
    #[error("it does not go on from the row before, of which it has another hash: one of the two was changed")]
    Unchained,
    /// There are rows before it that are not here.
    #[error("the rows before it are gone, and the trail does not say that the hub forgot them")]
    NoBeginning,
    /// The noted row is after the end.
    #[error("it was noted, and the trail ends before it, at place {last}")]
    HeadGone {
        /// The last place.
        last: i64,
    },
    /// The noted row is another one now.
    #[error("it is not the row that was noted: its hash is {}, so the trail was written anew", hex(.now))]
    HeadChanged {
        /// Its hash now.
        now: [u8; 32],
    },
    /// The noted row is not here any more.
    #[error("it was noted, and is not here: the trail begins at place {first}")]
    HeadForgotten {
        /// The first place.
        first: i64,
    },
}

/// What a trail that is whole comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many rows.
    pub rows: i64,
    /// The first place; 0 where there is no row.
    pub first: i64,
    /// The last one.
    pub head: NotedHead,
    /// Whether the rows before the first are accounted for: there are none, or the trail says
    /// that the hub forgot them.
    pub has_beginning: bool,
}

/// Checks a trail, row by row.
#[derive(Debug, Default)]
pub struct TrailCheck {
    noted: Option<NotedHead>,
    /// The first place, and the hash before it.
    first: Option<(i64, [u8; 32])>,
    last: Option<NotedHead>,
    /// What the hub says last of what it has forgotten.
    forgotten: Option<(i64, [u8; 32])>,
    /// The hash at the noted place.
    at_noted: Option<[u8; 32]>,
}

impl TrailCheck {
    /// A check that also looks for a row that was noted.
    #[must_use]
    pub fn with(noted: Option<NotedHead>) -> Self {
        Self { noted, ..Self::default() }
    }

    /// The place after which the next row is due; 0 before the first.
    #[must_use]
    pub fn last_place(&self) -> i64 {
        self.last.map_or(0, |last| last.place)
    }

    /// Takes the next row.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn take(&mut self, row: &AuditRow) -> Result<(), Broken> {
        let broken = |place, fault| Err(Broken { place, fault });
        match self.last {
            None if row.place < 1 => return broken(row.place, Fault::NoPlace),
            Some(last) if row.place <= last.place => {
                return broken(row.place, Fault::OutOfOrder { last: last.place });
            }
            Some(last) if row.place > last.place + 1 => {
                return broken(last.place + 1, Fault::Missing { next: row.place });
            }
            _ => {}
        }
        if row.kind.is_empty() || !row.kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
            return broken(row.place, Fault::Kind);
        }
        if row.digest() != row.hash {
            return broken(row.place, Fault::Changed);
        }
        let before = self.last.map(|last| last.hash).or((row.place == 1).then_some(BEFORE_THE_FIRST));
        if before.is_some_and(|before| before != row.previous) {
            return broken(row.place, Fault::Unchained);
        }
        self.first.get_or_insert((row.place, row.previous));
        self.last = Some(NotedHead { place: row.place, hash: row.hash });
        self.forgotten = row.forgets().or(self.forgotten);
        if self.noted.is_some_and(|noted| noted.place == row.place) {
            self.at_noted = Some(row.hash);
        }
        Ok(())
    }

    /// That was all. Whether a missing beginning matters is the caller's to say: a part of a
    /// trail may begin anywhere.
    ///
    /// # Errors
    /// What is wrong with it as a whole.
    pub fn end(self, must_have_beginning: bool) -> Result<Verified, Broken> {
        let (first, before) = self.first.unwrap_or((0, BEFORE_THE_FIRST));
        let head = self.last.unwrap_or(NotedHead { place: 0, hash: BEFORE_THE_FIRST });
        self.find_noted(first, before, head)?;
        let has_beginning = first <= 1 || self.forgotten == Some((first - 1, before));
        if must_have_beginning && !has_beginning {
            return Err(Broken { place: first, fault: Fault::NoBeginning });
        }
        let rows = if first == 0 { 0 } else { head.place - first + 1 };
        Ok(Verified { rows, first, head, has_beginning })
    }

    fn find_noted(&self, first: i64, before: [u8; 32], head: NotedHead) -> Result<(), Broken> {
        let Some(noted) = self.noted else { return Ok(()) };
        let is_just_before = noted.place == first.max(1) - 1;
        let fault = match self.at_noted.or(is_just_before.then_some(before)) {
            Some(now) if now == noted.hash => return Ok(()),
            Some(now) => Fault::HeadChanged { now },
            None if noted.place > head.place => Fault::HeadGone { last: head.place },
            None => Fault::HeadForgotten { first },
        };
        Err(Broken { place: noted.place, fault })
    }
}
