//! Boxes of arrays: an operand that is a part of its result's rows, or whose rows are parts of it.

mod fill;
mod pieces;

pub(super) use pieces::Pieces;

use super::apart;
use super::strided::collapse;
use smallvec::{SmallVec, smallvec};
use std::fmt;

/// Shorter rows are read by steps of their own.
const SHORTEST: usize = 8;

/// Which elements of a result are elements of an operand, and which; the others are 0. All is counted in rows of neighbours.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Window {
    /// The dimensions of rows.
    outer: SmallVec<[Outer; 3]>,
    /// The elements of a row of the result, and from which on how many elements of the operand are among them.
    width: usize,
    from: usize,
    len: usize,
    /// How far these are from each other: in the operand, or, where there are zeros between them, in the result.
    step: isize,
    /// The first element of the operand that is there.
    offset: usize,
    /// How many of the last elements of a row of the operand are the first ones of the result.
    turn: usize,
    /// Whether elements are added to zeros: a negative zero loses its sign.
    is_sum: bool,
}

/// A dimension of rows: how many there are, from which on how many of them are there, and how far these are from each other in the
/// operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Outer {
    n: usize,
    from: usize,
    count: usize,
    stride: isize,
}

impl fmt::Debug for Window {
    /// For a listing: the dimensions of the result.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.outer.iter().try_for_each(|dim| write!(f, "{} × ", dim.n))?;
        write!(f, "{}", self.width)
    }
}

impl Window {
    /// That of a read by strides, if its rows are near each other in the operand and long enough, or it is of one element.
    pub(crate) fn read(sizes: &[usize], offset: usize, strides: &[isize]) -> Option<Self> {
        let dims = collapse(sizes, [strides]);
        let is_single = dims.is_empty();
        let (&(width, [step]), outer) = dims.split_last().unwrap_or((&(1, [1]), &[]));
        let outer = outer.iter().map(|&(n, [stride])| Outer { n, from: 0, count: n, stride }).collect();
        let is_near = step.abs() == 1 || apart::can_space(step);
        (is_single || is_near && width >= SHORTEST).then_some(Self {
            outer,
            width,
            from: 0,
            len: width,
            step,
            offset,
            turn: 0,
            is_sum: false,
        })
    }

    /// That of rows which each begin with so many of their last elements, if they are long enough.
    pub(crate) fn rolled(rows: usize, width: usize, turn: usize) -> Option<Self> {
        let outer = smallvec![Outer { n: rows, from: 0, count: rows, stride: width as isize }];
        (width >= SHORTEST).then_some(Self {
            outer,
            width,
            from: 0,
            len: width,
            step: 1,
            offset: 0,
            turn,
            is_sum: false,
        })
    }

    /// That of an operand of these sizes which is put at strides into zeros of those sizes, if it is a box of them, with zeros between the
    /// elements of a row or not, and rows are long enough.
    pub(crate) fn put(sizes: &[usize], into: &[usize], offset: usize, strides: &[isize], is_sum: bool) -> Option<Self> {
        if sizes.len() != into.len() || sizes.contains(&0) || into.contains(&0) {
            return None;
        }
        // One column of a few is a row with zeros between its elements.
        if let ([sizes @ .., 1], [before @ .., rows, n], [strides @ .., _]) = (sizes, into, strides)
            && apart::can_space(*n as isize)
            && strides.last() == Some(&(*n as isize))
        {
            let into: SmallVec<[usize; 4]> = before.iter().copied().chain([rows * n]).collect();
            return Self::put(sizes, &into, offset, strides, is_sum);
        }
        // How far elements of the last dimension are from each other in the result.
        let every = match (sizes, strides) {
            (&[.., count], &[.., stride]) if count > 1 && apart::can_space(stride) => stride,
            _ => 1,
        };
        // From the last dimension on; whole ones are one with the next.
        let mut dims: SmallVec<[Outer; 3]> = SmallVec::new();
        let (mut own, mut step, mut gap, mut start) = (1, 1, every as usize, 0);
        for ((&n, &count), &stride) in into.iter().zip(sizes).zip(strides).rev() {
            let from = offset / step % n;
            let is_back = count > 1 && count == n && stride == -(step as isize);
            let fits = if is_back { from + 1 == n } else { from + (count - 1) * (gap / step) < n };
            if !fits || !(is_back || count == 1 || stride == gap as isize) {
                return None;
            }
            match dims.last_mut() {
                _ if is_back => {
                    dims.push(Outer { n, from: 0, count, stride: -own });
                    start += (n - 1) * own as usize;
                }
                Some(Outer { n: whole, from: inner, count: all, stride: 1.. }) if all == whole && every == 1 => {
                    (*inner, *all) = (from * *whole, count * *whole);
                    *whole *= n;
                }
                _ => dims.push(Outer { n, from, count, stride: own }),
            }
            (own, step) = (own * count as isize, step * n);
            gap = step;
        }
        let mut outer: SmallVec<[Outer; 3]> = dims.into_iter().rev().collect();
        let Outer { n: width, from, count: len, stride } = outer.pop()?;
        let step = if stride < 0 { -1 } else { every };
        (width >= SHORTEST).then_some(Self { outer, width, from, len, step, offset: start, turn: 0, is_sum })
    }

    /// Where the result is in the operand, if all of it are neighbours there.
    pub(crate) fn start(&self) -> Option<u32> {
        let is_whole =
            self.outer.is_empty() && self.len == self.width && self.step == 1 && self.turn == 0 && !self.is_sum;
        u32::try_from(self.offset).ok().filter(|_| is_whole)
    }

    /// Whether each of so many rows of the result is made of as many neighbours of an operand of so many elements.
    pub(crate) fn divides(&self, rows: usize, elements: usize) -> bool {
        let Some(&Outer { n, from: 0, count, stride }) = self.outer.first() else { return false };
        let reach: isize = self.outer[1..].iter().map(|dim| dim.stride * (dim.count as isize - 1)).sum();
        let forward = self.outer[1..].iter().all(|dim| dim.stride >= 0);
        let last = self.offset as isize + reach + self.len as isize;
        (self.step == 1 || self.is_every())
            && count == n
            && n.is_multiple_of(rows)
            && forward
            && stride * n as isize == elements as isize
            && last <= stride
    }

    /// Where in the operand a row begins, if it is there.
    #[inline(always)]
    fn row(&self, index: &[usize]) -> Option<usize> {
        let mut at = self.offset as isize;
        for (&i, dim) in index.iter().zip(&self.outer) {
            let i = i.checked_sub(dim.from).filter(|&i| i < dim.count)?;
            at += i as isize * dim.stride;
        }
        Some(at as usize)
    }

    /// Finds the row and the column of an element.
    #[inline(always)]
    fn locate(&self, start: usize, index: &mut [usize]) -> usize {
        let mut row = start / self.width;
        for (i, dim) in index.iter_mut().zip(&self.outer).rev() {
            (*i, row) = (row % dim.n, row / dim.n);
        }
        start % self.width
    }

    /// Goes on to the next row.
    #[inline(always)]
    fn step_on(&self, index: &mut [usize]) {
        for (i, dim) in index.iter_mut().zip(&self.outer).rev() {
            *i += 1;
            if *i < dim.n {
                break;
            }
            *i = 0;
        }
    }

    /// Whether there are zeros between the elements of the operand: its rows are shorter than those of the result.
    #[inline]
    fn is_every(&self) -> bool {
        self.step > 1 && self.len < self.width
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::strided;

    /// Whether parts of any length are those of the whole, and those that lie in pieces are there.
    fn check(window: &Window, x: &[f64], want: &[f64]) {
        for start in [0, 1, want.len() / 3, want.len() - 1] {
            let (mut pieces, mut at) = (Pieces::new(window, start), start);
            while window.step == 1 && at < want.len() {
                let (place, len) = pieces.next();
                let n = len.min(want.len() - at).min(11);
                let piece = place.map_or_else(|| vec![0.0; n], |place| x[place..place + n].to_vec());
                assert_eq!(piece, want[at..at + n], "{window:?} at {at}");
                pieces.skip(n);
                at += n;
            }
        }
        for len in [1, 7, 16, 40, want.len()] {
            let mut out = vec![f64::NAN; want.len()];
            for (k, part) in out.chunks_mut(len).enumerate() {
                window.fill(x, k * len, part);
            }
            let same = out.iter().zip(want).all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(same, "{window:?} in parts of {len}: {out:?}, not {want:?}");
        }
    }

    fn numbers(n: usize) -> Vec<f64> {
        (0..n).map(|i| if i % 5 == 0 { -0.0 } else { i as f64 }).collect()
    }

    #[test]
    fn windows_are_reads_by_strides() {
        let x = numbers(4 * 5 * 20);
        for (sizes, offset, strides) in [
            (&[4, 5, 19][..], 1, &[100, 20, 1][..]),
            (&[4, 4, 20], 20, &[100, 20, 1]),
            (&[4, 5, 20], 80, &[100, -20, 1]),
            (&[3, 8], 7, &[0, 1]),
            (&[2, 2, 10], 310, &[-200, 40, 1]),
            (&[30], 11, &[1]),
            (&[50], 399, &[-1]),
            (&[4, 10], 19, &[100, -1]),
            (&[200], 1, &[2]),
            (&[3, 4, 9], 7, &[100, 20, 2]),
            (&[2, 5, 8], 99, &[200, -10, 3]),
            (&[100], 3, &[4]),
        ] {
            let mut want = vec![0.0; sizes.iter().product()];
            strided::read(&x, sizes, offset, strides, &mut want);
            check(&Window::read(sizes, offset, strides).unwrap(), &x, &want);
        }
        assert_eq!(Window::read(&[4, 7], 0, &[20, 1]), None);
        assert_eq!(Window::read(&[4, 20], 0, &[40, 5]), None);
        assert_eq!(Window::read(&[4, 20], 90, &[40, -2]), None);
    }

    #[test]
    fn rows_are_turned() {
        for (width, turn) in [(20, 1), (20, 7), (20, 10), (20, 13), (20, 19), (8, 5), (400, 399), (400, 3)] {
            // What is read and what is written lie otherwise to each other each time.
            for before in [0, 100, 200, 300, 400, 500] {
                let numbers = numbers(before + 400);
                let x = &numbers[before..];
                let turned = |row: &[f64]| [&row[width - turn..], &row[..width - turn]].concat();
                let want: Vec<f64> = x.chunks_exact(width).flat_map(turned).collect();
                check(&Window::rolled(400 / width, width, turn).unwrap(), x, &want);
            }
        }
    }

    #[test]
    fn windows_are_put_into_zeros() {
        for (sizes, into, offset) in [
            ([2, 3, 19], [4, 5, 20], 101),
            ([4, 5, 20], [4, 5, 20], 0),
            ([4, 2, 20], [4, 5, 20], 60),
            ([1, 1, 1], [4, 5, 20], 399),
            ([1, 5, 20], [4, 5, 20], 300),
            ([4, 5, 1], [4, 5, 8], 7),
            ([2, 3, 64], [2, 3, 65], 1),
            ([2, 3, 99], [2, 3, 100], 0),
            ([2, 3, 98], [2, 3, 129], 15),
            ([2, 3, 98], [2, 3, 129], 16),
            ([2, 3, 98], [2, 3, 129], 31),
            ([2, 3, 79], [2, 3, 80], 1),
            ([1, 4, 200], [2, 5, 211], 1060),
        ] {
            let x = numbers(sizes.iter().product());
            let strides = [into[1] * into[2], into[2], 1].map(|stride| stride as isize);
            let mut want = vec![0.0; into.iter().product()];
            for is_sum in [false, true] {
                let kernel = if is_sum { strided::add } else { strided::place };
                kernel(&x, &sizes, offset, &strides, &mut want);
                check(&Window::put(&sizes, &into, offset, &strides, is_sum).unwrap(), &x, &want);
            }
        }
        for (sizes, into, offset, strides) in [
            ([4, 10], [4, 20], 0, [20, 2]),
            ([4, 10], [4, 20], 1, [20, 2]),
            ([2, 7], [4, 20], 20, [20, 3]),
            ([2, 4], [4, 20], 43, [20, 4]),
            ([1, 1], [4, 20], 43, [20, 4]),
            ([80, 1], [80, 2], 1, [2, 1]),
            ([1, 16], [1, 63], 2, [63, 4]),
            ([4, 20], [4, 20], 19, [20, -1]),
            ([4, 20], [4, 20], 60, [-20, 1]),
            ([4, 20], [4, 20], 79, [-20, -1]),
            ([2, 20], [4, 20], 39, [20, -1]),
        ] {
            let x = numbers(sizes.iter().product());
            let mut want = vec![0.0; into.iter().product()];
            for is_sum in [false, true] {
                let kernel = if is_sum { strided::add } else { strided::place };
                kernel(&x, &sizes, offset, &strides, &mut want);
                check(&Window::put(&sizes, &into, offset, &strides, is_sum).unwrap(), &x, &want);
            }
        }
        // Elements that end with a row, such that come to one place, and rows that go on in the next.
        assert_eq!(Window::put(&[2, 11], &[4, 20], 0, &[20, 2], true), None);
        assert_eq!(Window::put(&[4, 10], &[4, 20], 19, &[20, -1], true), None);
        assert_eq!(Window::put(&[3, 20], &[1, 20], 0, &[0, 1], true), None);
        assert_eq!(Window::put(&[2, 10], &[4, 20], 15, &[20, 1], true), None);
    }

    #[test]
    fn rows_of_a_result_have_rows_of_the_operand() {
        let gates = Window::read(&[6, 8], 16, &[24, 1]).unwrap();
        assert!(gates.divides(6, 144) && gates.divides(3, 144) && !gates.divides(4, 144));
        assert!(!Window::read(&[5, 8], 16, &[24, 1]).unwrap().divides(5, 144));
        assert!(!Window::read(&[6, 8], 120, &[-24, 1]).unwrap().divides(6, 144));
        let put = Window::put(&[6, 8], &[6, 24], 8, &[24, 1], true).unwrap();
        assert!(put.divides(6, 48) && put.divides(2, 48));
        assert!(!Window::put(&[5, 24], &[6, 24], 24, &[24, 1], true).is_some_and(|put| put.divides(6, 120)));
    }
}
