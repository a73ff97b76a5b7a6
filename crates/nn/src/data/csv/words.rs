//! Each text once, in the order in which they come.

use std::hash::{BuildHasher, RandomState};

/// Words by their places. The hash only finds them: the order is that of coming.
#[derive(Default)]
pub(super) struct Words {
    list: Vec<String>,
    /// Half a hash, and a place from 1; 0 is free. A power of two, at most half full.
    slots: Vec<(u32, u32)>,
    hasher: RandomState,
}

impl Words {
    pub(super) fn all(&self) -> &[String] {
        &self.list
    }

    pub(super) fn into_all(self) -> Vec<String> {
        self.list
    }

    /// The place of a word, where it is known.
    pub(super) fn find(&self, word: &str) -> Option<u32> {
        if self.slots.is_empty() { None } else { self.slot(self.half(word), word).1 }
    }

    /// The place of a word, and whether it is new.
    pub(super) fn place(&mut self, word: &str) -> (u32, bool) {
        if 2 * self.list.len() >= self.slots.len() {
            self.grow();
        }
        let half = self.half(word);
        let (slot, known) = self.slot(half, word);
        if let Some(place) = known {
            return (place, false);
        }
        self.list.push(word.to_owned());
        self.slots[slot] = (half, self.list.len() as u32);
        (self.list.len() as u32 - 1, true)
    }

    fn half(&self, word: &str) -> u32 {
        self.hasher.hash_one(word) as u32
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
