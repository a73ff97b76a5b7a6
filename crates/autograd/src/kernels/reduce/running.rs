//! A sum whose terms come in pieces.

use super::{AddChunks, LANES};
use crate::kernels::map::level;
use crate::kernels::order::{Blocks, NEIGHBOURS};
use crate::number::Number;

/// A sum of neighbours that grows piece by piece, in the order that [`order`](crate::kernels::order) tells. The lanes of a block are
/// added up in pairs, and then what did not fill them.
pub(crate) struct Running<T> {
    lanes: [T; LANES],
    /// Elements in the lanes.
    filled: usize,
    /// So many elements that come next, which are too few for the lanes.
    waiting: ([T; LANES], usize),
    blocks: Blocks<T>,
}

impl<T: Number> Running<T> {
    pub(crate) fn new() -> Self {
        Self { lanes: [T::ZERO; LANES], filled: 0, waiting: ([T::ZERO; LANES], 0), blocks: Blocks::new() }
    }

    /// Adds elements.
    pub(crate) fn add(&mut self, x: &[T]) {
        self.add_terms::<false>(x, x);
    }

    /// Adds the products of elements of two slices of one length.
    pub(crate) fn add_products(&mut self, x: &[T], y: &[T]) {
        assert_eq!(x.len(), y.len(), "products are of as many elements");
        self.add_terms::<true>(x, y);
    }

    fn add_terms<const PRODUCT: bool>(&mut self, mut x: &[T], mut y: &[T]) {
        let terms = |x: &[T], y: &[T], out: &mut [T]| {
            out.iter_mut().zip(x).zip(y).for_each(|((out, &x), &y)| *out = if PRODUCT { x * y } else { x });
        };
        let (mut full, count) = self.waiting;
        if count > 0 {
            let n = x.len().min(LANES - count);
            terms(&x[..n], &y[..n], &mut full[count..count + n]);
            self.waiting = (full, count + n);
            if self.waiting.1 < LANES {
                return;
            }
            self.waiting.1 = 0;
            self.add(&full);
            (x, y) = (&x[n..], &y[n..]);
        }
        while !x.is_empty() {
            let n = x.len().min(NEIGHBOURS - self.filled);
            let (chunks, rest) = (n / LANES, n % LANES);
            let (first, second, lanes) = (x[..n].as_ptr(), y[..n].as_ptr(), self.lanes.as_mut_ptr());
            level(n).run_lanes(AddChunks::<T, PRODUCT> { x: first, y: second, apart: 0, chunks, lanes });
            self.filled += n - rest;
            terms(&x[n - rest..n], &y[n - rest..n], &mut self.waiting.0[..rest]);
            self.waiting.1 = rest;
            if self.filled == NEIGHBOURS {
                self.close();
            }
            (x, y) = (&x[n..], &y[n..]);
        }
    }

    fn close(&mut self) {
        let (rest, count) = self.waiting;
        self.blocks.push(add_up(&mut self.lanes, &rest[..count]));
        (self.lanes, self.filled, self.waiting.1) = ([T::ZERO; LANES], 0, 0);
    }

    /// The sum of all; nothing is added behind it.
    pub(crate) fn total(&mut self) -> T {
        if self.filled + self.waiting.1 > 0 {
            self.close();
        }
        self.blocks.total()
    }
}

/// Adds up the lanes of a block and what did not fill them.
#[inline(always)]
fn add_up<T: Number>(lanes: &mut [T; LANES], rest: &[T]) -> T {
    for width in [8, 4, 2, 1] {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
    }
    rest.iter().fold(lanes[0], |total, &x| total + x)
}
