//! Choices that are the same for the same seed.

use std::time::Duration;

use crate::chance::Chance;

pub struct Luck(Chance);

impl Luck {
    /// Of one actor among those of a seed.
    pub fn of(seed: u64, actor: u64) -> Self {
        Self(Chance::new(seed.wrapping_mul(1_000_003).wrapping_add(actor)))
    }

    /// For somebody who then chooses alone.
    pub fn another(&mut self) -> Self {
        Self(Chance::new(self.below(usize::MAX) as u64))
    }

    /// One below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0.below(bound)
    }

    /// True once in so many times.
    pub fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    /// A time of so many milliseconds at least, and below so many.
    pub fn millis(&mut self, least: usize, below: usize) -> Duration {
        Duration::from_millis(u64::try_from(least + self.below(below - least)).unwrap())
    }
}
