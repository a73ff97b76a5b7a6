//! The order of sums, for all kernels: what a sum's bits depend on, beside its terms, is their number alone.
//!
//! ```text
//! up to a block of terms    one after the other, or in lanes that are then added up
//! more                      the sum of the first 2^j blocks, plus the sum of the others, by the same rule;
//!                           2^j is the largest power of two below the number of blocks
//! ```
//!
//! So a rounding error grows with the length of a block and with the logarithm of the number of blocks, not with the number
//! of terms. Blocks start at multiples of their length, counted from the first term, so terms may come in pieces of any size.
//! A sum that is finished block by block keeps for each bit of the number of blocks so far the sum of as many blocks, as a
//! binary counter does.
#![expect(unsafe_code, reason = "sums in work are kept where pointers say")]

use crate::number::Number;
use crate::number::lanes::Lanes;
use crate::tensor::memory;
use std::mem::MaybeUninit;
use std::ops::Range;

/// The terms of a block of a sum along neighbours, which are taken in lanes: at most 64 in a row.
pub(super) const NEIGHBOURS: usize = 1024;
/// Those of a sum of rows, such as the columns of a matrix: one after the other. At most 64 roundings are off by less than
/// 1e-6 in `f32`.
pub(super) const ROWS: usize = 64;
/// Those of an element of a matrix product, of products one after the other: 256 are off by less than 4e-6 in `f32`, and
/// starting anew costs little.
pub(super) const PRODUCTS: usize = 256;
/// Sums of `2^j` blocks of any of these, for every `j` that a slice can have.
const LEVELS: usize = usize::BITS as usize - ROWS.ilog2() as usize;

/// A sum that is given block by block.
pub(super) struct Blocks<T> {
    /// For each bit of the number of blocks, from the highest on, the sum of as many blocks; beyond these there is anything. Zeros
    /// there would take longer than a short sum.
    sums: [MaybeUninit<T>; LEVELS],
    count: usize,
}

impl<T: Number> Blocks<T> {
    #[inline]
    pub(super) const fn new() -> Self {
        Self { sums: [const { MaybeUninit::uninit() }; LEVELS], count: 0 }
    }

    /// Adds the sum of the next block.
    #[inline]
    pub(super) fn push(&mut self, mut sum: T) {
        let mut depth = self.count.count_ones() as usize;
        for _ in 0..self.count.trailing_ones() {
            depth -= 1;
            // SAFETY: each bit of the number of blocks so far has its sum.
            sum = unsafe { self.sums[depth].assume_init() } + sum;
        }
        self.sums[depth].write(sum);
        self.count += 1;
    }

    /// The sum of all blocks, 0 where there are none.
    #[inline]
    pub(super) fn total(&self) -> T {
        let parts = &self.sums[..self.count.count_ones() as usize];
        // SAFETY: each bit of the number of blocks has its sum.
        let parts = parts.iter().rev().map(|part| unsafe { part.assume_init() });
        parts.reduce(|right, left| left + right).unwrap_or(T::ZERO)
    }
}

/// Many sums beside each other, as vectors, whose terms come in pieces; what is between the pieces is kept in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sums<T> {
    /// All terms.
    pub(super) terms: usize,
    /// How many sums there are.
    pub(super) count: usize,
    /// [`elements`] with anything in them, or null where these are none.
    pub(super) memory: *mut T,
}

/// The elements of memory that sums take: for a block in work, and for sums of `2^j` blocks. None where all is one block and
/// one piece.
pub(super) fn elements(terms: usize, count: usize, block: usize, in_pieces: bool) -> usize {
    if terms > block {
        // All blocks but the last are put there, which are less than 2^levels.
        let levels = usize::BITS - ((terms - 1) / block).leading_zeros();
        count * (1 + levels as usize)
    } else if in_pieces {
        count
    } else {
        0
    }
}

/// What a kernel does with vectors of sums before and after it adds some of their terms.
#[derive(Clone, Copy, Debug)]
pub(super) struct Partial<T> {
    /// What they start from; null for zeros.
    pub(super) from: *const T,
    /// The last of the sums of earlier blocks that are added to them afterwards, one after the other, to the left.
    last: *const T,
    /// How many these are.
    left: usize,
    /// How far these are from each other.
    count: usize,
    /// Where they go; null for the result.
    pub(super) to: *mut T,
}

impl<T: Number> Partial<T> {
    /// All terms at once.
    pub(super) const NONE: Self =
        Self { from: std::ptr::null(), last: std::ptr::null(), left: 0, count: 0, to: std::ptr::null_mut() };

    /// Whether this is all terms at once.
    pub(super) fn is_none(&self) -> bool {
        self.from.is_null() && self.to.is_null() && self.left == 0
    }

    /// Whether there are no sums of earlier blocks to add.
    #[inline(always)]
    pub(super) fn is_first(&self) -> bool {
        self.left == 0
    }

    /// Puts the sums of earlier blocks before these, which are those from `at` on.
    ///
    /// # Safety
    /// The CPU has the set of the lanes, and the elements of the mask lie within the sums.
    #[inline(always)]
    pub(super) unsafe fn after<L: Lanes<T>>(&self, at: usize, mask: L::Mask, mut sums: L::Vector) -> L::Vector {
        for k in 0..self.left {
            let left = self.last.wrapping_sub(k * self.count).wrapping_add(at);
            // SAFETY: the caller promises the set and the elements.
            sums = unsafe { L::add(L::load(left, mask), sums) };
        }
        sums
    }

    /// The same of one number.
    ///
    /// # Safety
    /// The element lies within the sums.
    #[inline(always)]
    pub(super) unsafe fn after_one(&self, at: usize, mut sum: T) -> T {
        for k in 0..self.left {
            // SAFETY: the caller promises the element.
            sum = unsafe { *self.last.wrapping_sub(k * self.count).wrapping_add(at) } + sum;
        }
        sum
    }
}

impl<T: Number> Sums<T> {
    /// The pieces of these terms, none of which reaches over the end of a block, and what to do with each.
    #[inline(always)]
    pub(super) fn pieces(self, terms: Range<usize>, block: usize) -> impl Iterator<Item = (Range<usize>, Partial<T>)> {
        let mut next = Some(terms.start);
        std::iter::from_fn(move || {
            let start = next?;
            // There is a piece of a sum of no terms, too.
            let end = terms.end.min(start - start % block + block);
            next = (end < terms.end).then_some(end);
            Some((start..end, self.piece(start, end, block)))
        })
    }

    /// What to do with the piece from `start` to `end`, which lies within a block.
    #[inline(always)]
    pub(super) fn piece(self, start: usize, end: usize, block: usize) -> Partial<T> {
        if start == 0 && end == self.terms {
            return Partial::NONE;
        }
        let Self { terms, count, memory } = self;
        // The block in work comes first, then the sums of many blocks, of fewer, and so on.
        let level = |depth: usize| memory.wrapping_add((1 + depth) * count);
        let blocks = start / block;
        let depth = blocks.count_ones() as usize;
        let from = if start.is_multiple_of(block) { std::ptr::null() } else { memory.cast_const() };
        let (left, to) = if end == terms {
            (depth, std::ptr::null_mut())
        } else if end.is_multiple_of(block) {
            let left = blocks.trailing_ones() as usize;
            (left, level(depth - left))
        } else {
            (0, memory)
        };
        Partial { from, last: memory.wrapping_add(depth * count), left, count, to }
    }
}

/// Many sums beside each other that are given block by block, each block in memory of its own.
pub(super) struct LargeBlocks<T> {
    sums: Vec<Vec<T>>,
    count: usize,
}

impl<T: Number> LargeBlocks<T> {
    pub(super) fn new() -> Self {
        Self { sums: Vec::new(), count: 0 }
    }

    /// Adds the sums of the next block.
    pub(super) fn push(&mut self, mut block: Vec<T>) {
        for _ in 0..self.count.trailing_ones() {
            add_to_right(&self.sums.pop().expect("each bit of the number of blocks is a sum"), &mut block);
        }
        self.sums.push(block);
        self.count += 1;
    }

    /// The sums of all blocks; empty where there are none.
    pub(super) fn total(mut self) -> Vec<T> {
        let mut total = self.sums.pop().unwrap_or_default();
        while let Some(left) = self.sums.pop() {
            add_to_right(&left, &mut total);
        }
        total
    }
}

fn add_to_right<T: Number>(left: &[T], right: &mut [T]) {
    for (right, &left) in right.iter_mut().zip(left) {
        *right = left + *right;
    }
}

/// Zeros to add to.
///
/// # Panics
/// Where there is no memory for them.
pub(super) fn zeros<T: Number>(len: usize) -> Vec<T> {
    memory::zeros(len).unwrap_or_else(|refused| panic!("sums of many terms: {refused}"))
}

/// Elements that a kernel keeps on its stack.
const NEAR: usize = 4096;

/// Calls `f` with memory for so many elements, with anything in them: on the stack where they are few.
#[inline(never)]
pub(super) fn with_memory<T: Number>(len: usize, f: impl FnOnce(*mut T)) {
    if len <= NEAR {
        let mut memory = MaybeUninit::<[T; NEAR]>::uninit();
        f(memory.as_mut_ptr().cast());
    } else {
        f(zeros(len).as_mut_ptr());
    }
}

/// As [`with_memory`], with zeros.
pub(super) fn with_zeros<T: Number>(len: usize, f: impl FnOnce(&mut [T])) {
    with_memory(len, |memory: *mut T| {
        for k in 0..len {
            // SAFETY: the memory has so many elements.
            unsafe { memory.add(k).write(T::ZERO) };
        }
        // SAFETY: so many elements were written, and nobody else knows of them.
        f(unsafe { std::slice::from_raw_parts_mut(memory, len) });
    });
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The rule, as it is meant, for what is done with a block.
    pub(in crate::kernels) fn by_halves<T: Number>(n: usize, block: usize, of: &dyn Fn(Range<usize>) -> T) -> T {
        fn range<T: Number>(terms: Range<usize>, block: usize, of: &dyn Fn(Range<usize>) -> T) -> T {
            if terms.len() <= block {
                return of(terms);
            }
            let middle = terms.start + block * (terms.len().div_ceil(block).next_power_of_two() / 2);
            range(terms.start..middle, block, of) + range(middle..terms.end, block, of)
        }
        range(0..n, block, of)
    }

    #[test]
    fn blocks_are_added_by_halves() {
        for n in 1..100 {
            let x = |i: usize| 1.0 / (i as f32 + 0.3);
            let mut blocks = Blocks::new();
            (0..n).for_each(|i| blocks.push(x(i)));
            let want = by_halves(n, 1, &|r| x(r.start));
            assert_eq!(blocks.total().to_bits(), want.to_bits(), "{n}");
            let mut blocks = LargeBlocks::new();
            (0..n).for_each(|i| blocks.push(vec![x(i), -x(i)]));
            assert_eq!(blocks.total(), [want, -want], "{n}");
        }
    }

    #[test]
    fn pieces_end_where_blocks_do_and_know_what_is_left_of_them() {
        // A sum of ones whose memory is looked at as the kernels do.
        for (terms, step) in [(1, 1), (64, 64), (65, 65), (1000, 1000), (1000, 16), (1000, 100), (129, 7), (640, 320)] {
            let mut memory = vec![f64::NAN; elements(terms, 1, ROWS, true)];
            let sums = Sums { terms, count: 1, memory: memory.as_mut_ptr() };
            let mut total = None;
            for start in (0..terms).step_by(step) {
                for (piece, partial) in sums.pieces(start..terms.min(start + step), ROWS) {
                    assert!(total.is_none() && piece.start / ROWS == (piece.end - 1) / ROWS);
                    let place = |p: *const f64| (p as usize).wrapping_sub(memory.as_ptr() as usize) / 8;
                    let mut sum = if partial.from.is_null() { 0.0 } else { memory[place(partial.from)] };
                    sum += piece.len() as f64;
                    for k in 0..partial.left {
                        sum += memory[place(partial.last) - k];
                    }
                    if partial.to.is_null() {
                        total = Some(sum);
                    } else {
                        let to = place(partial.to);
                        memory[to] = sum;
                    }
                }
            }
            assert_eq!(total, Some(terms as f64), "{terms} by {step}");
        }
    }
}
