//! Maps and sets of values and nodes, by their numbers.

use crate::kernels::place::Spot;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

pub(super) type IdMap<V> = HashMap<u32, V, BuildHasherDefault<IdHasher>>;
pub(super) type IdSet = HashSet<u32, BuildHasherDefault<IdHasher>>;

/// The same for what is at a spot of the buffers.
pub(super) type SpotMap<V> = HashMap<Spot, V, BuildHasherDefault<IdHasher>>;
pub(super) type SpotSet = HashSet<Spot, BuildHasherDefault<IdHasher>>;

/// Spreads small numbers, which nobody chooses to collide; the standard one takes half of the time of recording a long program.
/// A multiplication by 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming, vol. 3, 6.4).
#[derive(Default)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(byte.into());
        }
    }
    fn write_u32(&mut self, id: u32) {
        // The upper half is the better one, and the map takes from both ends.
        self.0 = (self.0 ^ u64::from(id)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_right(32);
    }
}
