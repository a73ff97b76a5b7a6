//! Each text once, in the order in which they come.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

/// Words by their places. The hash only finds them: the order is that of coming.
pub(super) struct Words {
    list: Vec<String>,
    /// A power of two of them, at most half of which hold a word.
    slots: Vec<Slot>,
    /// The slot of the word before, which many come after themselves.
    last: usize,
    seeds: [u64; 2],
}

/// The words of another list by their places there, and their places here, where these are known.
#[derive(Default)]
pub(super) struct Foreign(Vec<(String, Option<u32>)>);

impl Foreign {
    /// Behind so many words of the list come these.
    pub(super) fn learn(&mut self, known: usize, news: Vec<String>) {
        self.0.truncate(known);
        self.0.extend(news.into_iter().map(|word| (word, None)));
    }

    /// The place here of the word of a place there.
    #[inline]
    pub(super) fn place_in(&mut self, words: &mut Words, place: u32) -> u32 {
        let (word, here) = &mut self.0[place as usize];
        *here.get_or_insert_with(|| words.place(word).0)
    }
}

impl Default for Words {
    fn default() -> Self {
        Self { list: Vec::new(), slots: Vec::new(), last: 0, seeds: *SEEDS }
    }
}

/// A word, as it is compared: in this one place of memory, where it is short.
#[derive(Clone, Copy, Default, PartialEq)]
struct Key {
    bytes: [u64; 2],
    length: u32,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    key: Key,
    /// From 1; 0 is free.
    place: u32,
}

/// By which no text can be made to collide with others.
static SEEDS: LazyLock<[u64; 2]> = LazyLock::new(|| {
    let state = RandomState::new();
    [0, 1].map(|i| state.hash_one(i))
});

impl Key {
    /// Of so many bytes at most a word is its key.
    const SHORT: usize = 16;

    /// The first and the last bytes of a short word, which are all of it; of another two hashes.
    #[inline(always)]
    fn of(word: &[u8]) -> Self {
        let four = |bytes: Option<&[u8; 4]>| bytes.map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)));
        let eight = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let bytes = match word {
            [] => [0, 0],
            [one] => [u64::from(*one), 0],
            [one, two] => [u64::from(u16::from_le_bytes([*one, *two])), 0],
            [one, two, three] => [u64::from(u32::from_le_bytes([*one, *two, *three, 0])), 0],
            _ if word.len() <= 8 => [four(word.first_chunk()) | four(word.last_chunk()) << 32, 0],
            _ if word.len() <= Self::SHORT => [eight(word.first_chunk()), eight(word.last_chunk())],
            _ => Self::hashes(word),
        };
        Self { bytes, length: word.len() as u32 }
    }

    #[inline(never)]
    fn hashes(word: &[u8]) -> [u64; 2] {
        let (eights, rest) = word.as_chunks::<8>();
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        let all = eights.iter().chain(std::iter::once(&last));
        let first = all.fold(SEEDS[0], |hash, eight| fold(hash ^ u64::from_le_bytes(*eight), MULTIPLIER));
        [first, 0]
    }

    #[inline(always)]
    fn hash(self, seeds: [u64; 2]) -> usize {
        let [first, last] = self.bytes;
        fold(first ^ seeds[0], last ^ seeds[1] ^ (u64::from(self.length) << 32)) as usize
    }
}

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// A product of 128 bits, folded.
#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    (wide >> 64) as u64 ^ wide as u64
}

impl Words {
    pub(super) fn all(&self) -> &[String] {
        &self.list
    }

    pub(super) fn into_all(self) -> Vec<String> {
        self.list
    }

    /// The place of a word, where it is known.
    #[inline]
    pub(super) fn find(&self, word: &[u8]) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        self.slots[self.slot(Key::of(word), word)].place.checked_sub(1)
    }

    /// Forgets all of them where they are many, and tells how many are left.
    pub(super) fn few(&mut self) -> usize {
        const MOST: usize = if cfg!(test) { 16 } else { 1 << 16 };
        if self.list.len() > MOST {
            *self = Self::default();
        }
        self.list.len()
    }

    /// The place of a word, and whether it is new.
    pub(super) fn place(&mut self, word: &str) -> (u32, bool) {
        match self.known(word.as_bytes()) {
            Ok(place) => (place, false),
            Err(key) => (self.add(key, word), true),
        }
    }

    /// The place of the bytes of a word; `None` where a new one is no text, or has blanks at its ends.
    #[inline]
    pub(super) fn place_plain(&mut self, word: &[u8]) -> Option<u32> {
        match self.known(word) {
            Ok(place) => Some(place),
            Err(key) => {
                let text = std::str::from_utf8(word).ok()?;
                (text.trim().len() == text.len()).then(|| self.add(key, text))
            }
        }
    }

    /// The place of a word, or the key of an unknown one.
    #[inline]
    fn known(&mut self, word: &[u8]) -> Result<u32, Key> {
        let key = Key::of(word);
        if self.slots.is_empty() {
            return Err(key);
        }
        if !self.holds(self.last, key, word) {
            self.last = self.slot(key, word);
        }
        self.slots[self.last].place.checked_sub(1).ok_or(key)
    }

    fn add(&mut self, key: Key, word: &str) -> u32 {
        if 2 * self.list.len() >= self.slots.len() {
            self.grow();
        }
        self.last = self.slot(key, word.as_bytes());
        self.list.push(word.to_owned());
        let place = self.list.len() as u32;
        self.slots[self.last] = Slot { key, place };
        place - 1
    }

    /// Whether a slot holds this word.
    #[inline(always)]
    fn holds(&self, slot: usize, key: Key, word: &[u8]) -> bool {
        let Slot { key: known, place } = self.slots[slot];
        let same = known == key && place > 0;
        same && (word.len() <= Key::SHORT || self.list[place as usize - 1].as_bytes() == word)
    }

    /// The slot of a word, or the free one for it.
    #[inline]
    fn slot(&self, key: Key, word: &[u8]) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = key.hash(self.seeds) & mask;
        while self.slots[slot].place > 0 && !self.holds(slot, key, word) {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        let old = std::mem::take(&mut self.slots);
        self.slots = vec![Slot::default(); (2 * old.len()).max(16)];
        let mask = self.slots.len() - 1;
        for held in old.into_iter().filter(|slot| slot.place > 0) {
            let mut slot = held.key.hash(self.seeds) & mask;
            while self.slots[slot].place > 0 {
                slot = (slot + 1) & mask;
            }
            self.slots[slot] = held;
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
        fn each_word_has_the_place_of_its_first_coming(texts in prop::collection::vec("[a-b]{0,3}|[a-c]{0,20}|x[ab]{14,17}", 0..200)) {
            let (mut words, mut seen) = (Words::default(), Vec::<String>::new());
            for text in &texts {
                let known = seen.iter().position(|word| word == text);
                prop_assert_eq!(words.find(text.as_bytes()), known.map(|place| place as u32));
                if known.is_none() {
                    seen.push(text.clone());
                }
                let place = seen.iter().position(|word| word == text).unwrap() as u32;
                if known.is_some() || text.len() > 1 {
                    prop_assert_eq!(words.place_plain(text.as_bytes()), Some(place));
                    prop_assert_eq!(words.place(text), (place, false));
                } else {
                    prop_assert_eq!(words.place(text), (place, true));
                }
            }
            prop_assert_eq!(words.into_all(), seen);
        }
    }
}
