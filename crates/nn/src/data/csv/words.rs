//! Each text once, in the order in which they come.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

/// Words by their places. The hash only finds them: the order is that of coming.
#[derive(Default)]
pub(super) struct Words {
    list: Vec<String>,
    /// Half a hash, and a place from 1; 0 is free. A power of two, at most half full.
    slots: Vec<(u32, u32)>,
    /// The place of the word before, which many come after themselves.
    last: u32,
}

/// By which no text can be made to collide with others.
static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));

impl Words {
    pub(super) fn all(&self) -> &[String] {
        &self.list
    }

    pub(super) fn into_all(self) -> Vec<String> {
        self.list
    }

    /// The place of a word, where it is known.
    pub(super) fn find(&self, word: &str) -> Option<u32> {
        if self.slots.is_empty() { None } else { self.slot(Self::half(word), word).1 }
    }

    /// The place of a word, and whether it is new.
    pub(super) fn place(&mut self, word: &str) -> (u32, bool) {
        if self.list.get(self.last as usize).is_some_and(|last| last == word) {
            return (self.last, false);
        }
        if 2 * self.list.len() >= self.slots.len() {
            self.grow();
        }
        let half = Self::half(word);
        let (slot, known) = self.slot(half, word);
        if let Some(place) = known {
            self.last = place;
            return (place, false);
        }
        self.list.push(word.to_owned());
        self.slots[slot] = (half, self.list.len() as u32);
        self.last = self.list.len() as u32 - 1;
        (self.last, true)
    }

    /// Half a hash: eight bytes at a time, multiplied to 128 bits and folded.
    fn half(word: &str) -> u32 {
        let fold = |hash: u64, bytes: u64| {
            let wide = u128::from(hash ^ bytes) * u128::from(0x9e37_79b9_7f4a_7c15_u64);
            (wide >> 64) as u64 ^ wide as u64
        };
        let (eights, rest) = word.as_bytes().as_chunks::<8>();
        let hash = eights.iter().fold(*SEED ^ word.len() as u64, |hash, eight| fold(hash, u64::from_le_bytes(*eight)));
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        let hash = fold(hash, u64::from_le_bytes(last));
        (hash ^ hash >> 32) as u32
    }

    /// The slot of a word, or the free one for it.
    fn slot(&self, half: u32, word: &str) -> (usize, Option<u32>) {
        let mask = self.slots.len() - 1;
        let mut slot = half as usize & mask;
        loop {
            match self.slots[slot] {
                (_, 0) => return (slot, None),
                (known, place) if known == half && self.list[place as usize - 1] == word => {
                    return (slot, Some(place - 1));
                }
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    fn grow(&mut self) {
        let old = std::mem::take(&mut self.slots);
        self.slots = vec![(0, 0); (2 * old.len()).max(16)];
        let mask = self.slots.len() - 1;
        for (half, place) in old.into_iter().filter(|&(_, place)| place > 0) {
            let mut slot = half as usize & mask;
            while self.slots[slot].1 > 0 {
                slot = (slot + 1) & mask;
            }
            self.slots[slot] = (half, place);
        }
    }
}

impl FromIterator<String> for Words {
    fn from_iter<I: IntoIterator<Item = String>>(words: I) -> Self {
        let mut all = Self::default();
        for word in words {
            all.place(&word);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_word_has_the_place_of_its_first_coming(texts in prop::collection::vec("[a-c]{0,3}", 0..200)) {
            let (mut words, mut seen) = (Words::default(), Vec::<String>::new());
            for text in &texts {
                let known = seen.iter().position(|word| word == text);
                prop_assert_eq!(words.find(text), known.map(|place| place as u32));
                if known.is_none() {
                    seen.push(text.clone());
                }
                let place = seen.iter().position(|word| word == text).unwrap() as u32;
                prop_assert_eq!(words.place(text), (place, known.is_none()));
            }
            prop_assert_eq!(words.into_all(), seen);
        }
    }
}
