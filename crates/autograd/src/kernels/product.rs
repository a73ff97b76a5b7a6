//! Our own matrix products, for sizes where packing and calling the GEMM crate costs more than it brings: tiles whose
//! sums stay in registers, over operands as they lie in memory.
//!
//! Each element of a result is a sum in the [`order`](super::order) of sums; its blocks of `k` are in ascending order, or, in
//! `dots`, in as many lanes as a vector has. What a product computes depends on its sizes alone, not on what becomes of it
//! afterwards, nor on whether it is computed in one piece: a sum may start from what an earlier piece of `k` left.
#![expect(unsafe_code, reason = "vectors by hand take raw pointers")]

mod abreast;
mod rows;
mod thin;
mod columns;
mod dots;
mod piece;
mod small;

pub(crate) use small::products as small_products;

use super::finish::{Raw, SliceFinish};
use super::machine::{NEAR, TURNED};
use super::order::{self, NEIGHBOURS, PRODUCTS, Partial, Sums, with_memory};
use crate::number::Number;
use crate::number::lanes::{Lanes, Portable};
use crate::number::level::{LaneKernel, Level};
use std::mem::MaybeUninit;
use std::ops::Range;

/// The sizes `(m, k, n)` of a product `[m, k] · [k, n]`.
pub(crate) type Sizes = (usize, usize, usize);

/// An operand: its elements, row-major, and whether they are stored transposed.
pub(crate) type Operand<'a, T> = (&'a [T], bool);

/// Which of our own kernels a product is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Vectors along the rows of the result.
    Rows,
    /// Vectors down the columns of a narrow result.
    Columns,
    /// Vectors along `k`, for a few columns.
    Dots,
}

impl Shape {
    /// Our kernel for these sizes, if it is one of ours that is best.
    pub(crate) fn of<T>((m, k, n): Sizes, ta: bool, tb: bool) -> Option<Self> {
        // Shorter sums leave most lanes of a vector empty.
        const SHORT: usize = 8;
        if n <= 4 && k >= SHORT && !ta && (tb || n == 1 || k * n <= TURNED) {
            return Some(Self::Dots);
        }
        if ta && n <= piece::NARROW && m >= 16 && m >= 2 * n {
            return Some(Self::Columns);
        }
        let near = if tb { k * n <= TURNED } else { m <= 8 || k * n * size_of::<T>() <= NEAR };
        near.then_some(Self::Rows)
    }

    /// Whether this kernel wants the right operand turned, and whether it is stored transposed then: `Rows` wants the rows of
    /// `op(b)` contiguous, `Dots` its columns. A single column is contiguous either way.
    pub(crate) fn turns(self, n: usize, tb: bool) -> (bool, bool) {
        match self {
            Self::Rows => (tb, false),
            Self::Dots => (!tb && n > 1, true),
            Self::Columns => (false, tb),
        }
    }

    /// The terms of a block of its sums.
    pub(super) fn block(self) -> usize {
        match self {
            Self::Rows | Self::Columns => PRODUCTS,
            Self::Dots => NEIGHBOURS,
        }
    }

    /// The elements of memory that a product of these sizes takes for its sums.
    pub(crate) fn memory(self, (m, k, n): Sizes, in_pieces: bool) -> usize {
        order::elements(k, m * n, self.block(), in_pieces)
    }

    /// `out = finish(op(a) · op(b))`
    pub(super) fn run<T: Number>(
        self,
        (m, k, n): Sizes,
        (a, ta): Operand<'_, T>,
        (b, tb): Operand<'_, T>,
        out: &mut [T],
        finish: SliceFinish<'_, T>,
    ) {
        let fit = holds(a, m, k) && holds(b, k, n) && holds(out, m, n);
        assert!(fit, "product: an operand is too short");
        if m * n == 0 {
            return;
        }
        let finish = finish.raw(m * n, n);
        let mut turned = MaybeUninit::<[T; TURNED]>::uninit();
        let (mut b, (turns, transposed)) = (b.as_ptr(), self.turns(n, tb));
        if turns {
            assert!(k * n <= TURNED, "product: an operand is too long to turn");
            let to = turned.as_mut_ptr().cast::<T>();
            // SAFETY: `b` has `k·n` elements, as checked above, and so much fits the buffer.
            unsafe { turn(b, if tb { (n, k) } else { (k, n) }, to) };
            b = to;
        }
        let a = Left::with(a.as_ptr(), steps((m, k), ta));
        let b = Left::with(b, steps((k, n), transposed));
        let (level, sizes, out) = (Level::best(), (m, k, n), out.as_mut_ptr());
        let call = Call { shape: self, sizes, a, b, out, finish, partial: Partial::NONE };
        match self.memory(sizes, false) {
            0 => level.run_lanes(&call),
            len => with_memory(len, |memory| call.in_pieces(0..k, k, memory, level)),
        }
    }
}

/// Whether a buffer holds a matrix. The number of its elements may be no number.
pub(super) fn holds<T>(data: &[T], rows: usize, cols: usize) -> bool {
    rows.checked_mul(cols).is_some_and(|elements| elements <= data.len())
}

/// Rows and columns of a block of a matrix that is transposed.
const SIDE: usize = 4;

/// Writes the transpose of a row-major matrix.
///
/// # Safety
/// Both have room for all elements, and do not overlap.
#[inline(never)]
pub(super) unsafe fn turn<T: Copy>(x: *const T, (rows, cols): (usize, usize), to: *mut T) {
    // SAFETY: the caller promises the elements; blocks lie within the rows and the columns.
    unsafe {
        match cols {
            // A short inner loop is as long as its body if its length is known.
            2 => turn_of(x, (rows, 2), to),
            3 => turn_of(x, (rows, 3), to),
            _ if rows < SIDE || cols < SIDE => turn_of(x, (rows, cols), to),
            _ => {
                for i in starts(rows) {
                    for j in starts(cols) {
                        turn_block(x.add(i * cols + j), cols, to.add(j * rows + i), rows);
                    }
                }
            }
        }
    }
}

/// Where blocks begin. The last one ends with all, and does again what it shares with the one before: there are no ends.
#[inline(always)]
fn starts(all: usize) -> impl Iterator<Item = usize> {
    (0..all.div_ceil(SIDE)).map(move |block| (block * SIDE).min(all - SIDE))
}

/// # Safety
/// Both have a block, whose rows lie so far from each other.
#[inline(always)]
unsafe fn turn_block<T: Copy>(x: *const T, cols: usize, to: *mut T, rows: usize) {
    // SAFETY: the caller promises the elements.
    unsafe {
        let [a, b, c, d]: [[T; SIDE]; SIDE] =
            std::array::from_fn(|i| x.add(i * cols).cast::<[T; SIDE]>().read_unaligned());
        for j in 0..SIDE {
            to.add(j * rows).cast::<[T; SIDE]>().write_unaligned([a[j], b[j], c[j], d[j]]);
        }
    }
}

#[inline(always)]
unsafe fn turn_of<T: Copy>(x: *const T, (rows, cols): (usize, usize), to: *mut T) {
    for i in 0..rows {
        for j in 0..cols {
            // SAFETY: the caller promises `rows · cols` elements in both.
            unsafe { to.add(j * rows + i).write(x.add(i * cols + j).read()) };
        }
    }
}

/// A matrix that is read element by element, by its strides.
#[derive(Clone, Copy)]
pub(super) struct Left<T> {
    data: *const T,
    row: usize,
    col: usize,
}

/// The elements from a row of a matrix to the next, and from a column to the next.
pub(crate) type Steps = (usize, usize);

/// The steps of `rows × cols`, row-major, or stored transposed.
#[inline]
pub(crate) fn steps((rows, cols): (usize, usize), transposed: bool) -> Steps {
    if transposed { (1, rows) } else { (cols, 1) }
}

impl<T: Copy> Left<T> {
    #[inline]
    pub(super) fn with(data: *const T, (row, col): Steps) -> Self {
        Self { data, row, col }
    }

    /// # Safety
    /// The element is there.
    #[inline(always)]
    unsafe fn at(&self, i: usize, p: usize) -> T {
        // SAFETY: the caller promises it.
        unsafe { *self.data.add(i * self.row + p * self.col) }
    }
}

/// A product by pointers: `out = finish(a · b)`, or a part of its sums.
///
/// Whoever makes one promises that `a` and `b` hold `[m, k]` and `[k, n]`, that `out` and what the finish and the partial
/// sums point to have `m·n` elements (a row has `n`), that `out` overlaps none of the operands, and that the right operand
/// lies as the shape wants it. Partial sums are in the order of the kernel: [`Shape::Columns`] keeps them transposed.
#[derive(Clone, Copy)]
pub(super) struct Call<T> {
    pub(super) shape: Shape,
    pub(super) sizes: Sizes,
    pub(super) a: Left<T>,
    pub(super) b: Left<T>,
    pub(super) out: *mut T,
    pub(super) finish: Raw<T>,
    pub(super) partial: Partial<T>,
}

impl<T: Number> Call<T> {
    /// Runs this, whose `k` are these of all, piece by piece.
    #[inline(always)]
    pub(super) fn in_pieces(self, k: Range<usize>, all: usize, memory: *mut T, level: Level) {
        let (m, _, n) = self.sizes;
        let sums = Sums { terms: all, count: m * n, memory };
        for (piece, partial) in sums.pieces(k.clone(), self.shape.block()) {
            let from = piece.start - k.start;
            let (mut a, mut b) = (self.a, self.b);
            a.data = a.data.wrapping_add(from * a.col);
            b.data = b.data.wrapping_add(from * b.row);
            level.run_lanes(&Part(Self { sizes: (m, piece.len(), n), a, b, partial, ..self }));
        }
    }
}

/// A part of the sums of a product: a kernel of its own, since what it does before and after it adds would take registers from
/// the sums of a whole one.
struct Part<T>(Call<T>);

// By reference: a product is too long to be copied for each call.
impl<T: Number> LaneKernel<T> for &Call<T> {
    #[inline(always)]
    unsafe fn run<L: Lanes<T>>(self) {
        debug_assert!(self.partial.is_none(), "a part of a product is run by itself");
        if L::PLAIN {
            return self.plain();
        }
        // SAFETY: the caller promises the set of the lanes. That there is no partial sum is a constant here.
        unsafe { Call { partial: Partial::NONE, ..*self }.of_shape::<L, true>() }
    }
}

impl<T: Number> LaneKernel<T> for &Part<T> {
    #[inline(always)]
    unsafe fn run<L: Lanes<T>>(self) {
        if L::PLAIN {
            return self.0.plain();
        }
        // SAFETY: the caller promises the set of the lanes.
        unsafe { self.0.of_shape::<L, false>() }
    }
}

impl<T: Number> Call<T> {
    /// By arrays: one copy for whole products and for parts.
    #[inline(never)]
    fn plain(&self) {
        // SAFETY: arrays need no instruction set.
        unsafe { self.of_shape::<Portable, false>() }
    }

    /// A part is of a long sum: it makes do with fewer sizes of tiles, each of which is a copy of much code.
    ///
    /// # Safety
    /// The CPU has the set of the lanes.
    #[inline(always)]
    unsafe fn of_shape<L: Lanes<T>, const WHOLE: bool>(&self) {
        // SAFETY: the caller promises the set of the lanes, and whoever made this the operands: `Shape::run` checked how
        // long they are, and a group how far it reaches into each buffer.
        unsafe {
            match self.shape {
                Shape::Rows if WHOLE && (1..=thin::TERMS).contains(&self.sizes.1) => self.thin::<L>(),
                Shape::Rows => self.rows::<L, WHOLE>(),
                Shape::Columns => self.columns::<L, WHOLE>(),
                Shape::Dots => self.dots::<L>(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transpose_of_any_size_has_every_element_once() {
        for (rows, cols) in (0..14).flat_map(|rows| (0..14).map(move |cols| (rows, cols))) {
            let x: Vec<usize> = (1..=rows * cols).collect();
            let mut to = vec![0; rows * cols];
            // SAFETY: both have all elements.
            unsafe { turn(x.as_ptr(), (rows, cols), to.as_mut_ptr()) };
            let expected: Vec<usize> = (0..cols).flat_map(|j| (0..rows).map(move |i| i * cols + j + 1)).collect();
            assert_eq!(to, expected, "{rows} by {cols}");
        }
    }
}
