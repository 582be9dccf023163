//! Changes of what is known to be interesting, the same again for the same seed.

/// `SplitMix64`: small, and good enough to choose.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Less than `most`; 0 where that is 0.
    pub(super) fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most.max(1) as u64).unwrap_or(0)
    }

    pub(super) fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.below(all.len()))
    }
}

/// What longer inputs are cut to, in bytes: a short run is short.
const MAX_BYTES: usize = 4096;

/// One of the corpus, changed in a few places, with words of the dictionary and parts of
/// others among what is put in.
pub(super) fn changed(chance: &mut Chance, corpus: &[Vec<u8>], words: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = chance.one_of(corpus).cloned().unwrap_or_default();
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len() + 1);
        let end = at + chance.below((bytes.len() - at).min(16) + 1);
        match chance.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
            1 if at < bytes.len() => bytes[at] = u8::try_from(chance.below(256)).unwrap_or(0),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            4 => {
                let word = chance.one_of(words).cloned().unwrap_or_default();
                bytes.splice(at..end, word);
            }
            5 => {
                let word = chance.one_of(words).cloned().unwrap_or_default();
                bytes.splice(at..at, word);
            }
            6 => {
                let other = chance.one_of(corpus).cloned().unwrap_or_default();
                let from = chance.below(other.len() + 1);
                bytes.splice(at.., other[from..].iter().copied());
            }
            _ => bytes.insert(at, b"\0\n\r\"'.%&=+-_0A{[}]\x7f\x80\xff"[chance.below(21)]),
        }
    }
    bytes.truncate(MAX_BYTES);
    bytes
}
