//! Who may post now: a line for each back end, and places to post from.
//!
//! Each line has a place of its own, so that no other line can hold it up, however many
//! of them hang. More places, for a line that has much to post, come out of a pool that
//! all share.

use std::collections::{HashMap, HashSet};

use crate::store::Line;

/// The most posts of one line at a time, of all nodes together.
pub(super) const PER_LINE: usize = 8;
/// How many places are shared, beside the one that each line has.
const SHARED: usize = 56;

/// The lines, and what is under way in each.
pub(super) struct Lines {
    all: Vec<Line>,
    under_way: HashMap<Line, HashSet<i64>>,
    shared_taken: usize,
}

impl Lines {
    pub(super) fn new(all: Vec<Line>) -> Self {
        Self { all, under_way: HashMap::new(), shared_taken: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Every line that has a place left.
    pub(super) fn with_places(&self) -> Vec<Line> {
        self.all.iter().filter(|line| self.has_place(line)).cloned().collect()
    }

    /// Takes a place for a post; false where there is none, or it is under way already, or
    /// other nodes have `elsewhere` posts of that line under way and the line may have no more.
    pub(super) fn take(&mut self, line: &Line, id: i64, elsewhere: usize) -> bool {
        if !self.has_place(line) {
            return false;
        }
        let under_way = self.under_way.entry(line.clone()).or_default();
        if under_way.len() + elsewhere >= PER_LINE || !under_way.insert(id) {
            return false;
        }
        self.shared_taken += usize::from(under_way.len() > 1);
        true
    }

    /// A post has ended.
    pub(super) fn give_back(&mut self, line: &Line, id: i64) {
        let Some(under_way) = self.under_way.get_mut(line) else { return };
        if !under_way.remove(&id) {
            return;
        }
        if under_way.is_empty() {
            self.under_way.remove(line);
        } else {
            self.shared_taken -= 1;
        }
    }

    /// Whether a post is under way.
    pub(super) fn is_under_way(&self, line: &Line, id: i64) -> bool {
        self.under_way.get(line).is_some_and(|under_way| under_way.contains(&id))
    }

    fn has_place(&self, line: &Line) -> bool {
        match self.under_way.get(line).map_or(0, HashSet::len) {
            0 => true,
            taken => taken < PER_LINE && self.shared_taken < SHARED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{ClientId, Issuer};

    fn line(number: usize) -> Line {
        let issuer = Issuer::parse("https://acme.example/").unwrap();
        Line { issuer, client_id: ClientId::parse(&format!("app{number}")).unwrap() }
    }

    #[test]
    fn a_line_posts_a_few_at_a_time_and_the_same_once() {
        let mut lines = Lines::new(vec![line(0)]);
        assert!(lines.take(&line(0), 1, 0));
        assert!(!lines.take(&line(0), 1, 0));
        assert_eq!((2..100).filter(|id| lines.take(&line(0), *id, 0)).count(), PER_LINE - 1);
        assert!(lines.with_places().is_empty());
        lines.give_back(&line(0), 1);
        lines.give_back(&line(0), 1);
        assert_eq!((2..100).filter(|id| lines.take(&line(0), 100 + *id, 0)).count(), 1);
    }

    #[test]
    fn lines_that_hang_take_all_that_is_shared_and_leave_every_other_line_its_own_place() {
        let mut lines = Lines::new((0..100).map(line).collect());
        for hanging in 0..99 {
            assert!((0..100).filter(|id| lines.take(&line(hanging), *id, 0)).count() >= 1, "its own");
        }
        assert_eq!(lines.shared_taken, SHARED);
        assert_eq!(lines.with_places(), [line(99)]);
        assert!(lines.take(&line(99), 1, 0));
        assert!(!lines.take(&line(99), 2, 0));

        let under_way: Vec<_> = lines.under_way.iter().map(|(line, ids)| (line.clone(), ids.clone())).collect();
        for (line, ids) in under_way {
            for id in ids {
                lines.give_back(&line, id);
            }
        }
        assert_eq!((lines.shared_taken, lines.under_way.len()), (0, 0));
    }
}
