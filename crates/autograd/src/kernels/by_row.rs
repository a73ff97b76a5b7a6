//! Elements along the middle of `[outer, n, inner]`, each with the numbers of its row.

use super::map::level;
use super::order::with_zeros;
use super::spread::{repeat, stretch};
use crate::number::Number;
use crate::number::level::Kernel;
use std::array::from_fn;

/// Numbers of shorter rows are laid beside their elements, for many rows at a time.
const LONG: usize = 64;
/// The elements of these.
pub(super) const TILE: usize = 512;

/// `out[o, j, i] = f(x[o, j, i], of[k][o, i] for each k)`
pub(super) fn by_row<T: Number, const K: usize>(
    x: &[T],
    of: [&[T]; K],
    (n, inner): (usize, usize),
    out: &mut [T],
    f: impl Fn(T, [T; K]) -> T,
) {
    if out.is_empty() {
        return;
    }
    let is_short = if inner == 1 { n < LONG } else { inner < LONG };
    let len = if is_short { TILE.min(out.len()) } else { 0 };
    with_zeros(K * len, |tiles: &mut [T]| level(out.len()).run(ByRow { x, of, n, inner, tiles, len, out, f }));
}

struct ByRow<'a, T, const K: usize, F> {
    x: &'a [T],
    of: [&'a [T]; K],
    n: usize,
    inner: usize,
    /// So many elements for each of the numbers, or none where rows are long.
    tiles: &'a mut [T],
    len: usize,
    out: &'a mut [T],
    f: F,
}

impl<T: Number, const K: usize, F: Fn(T, [T; K]) -> T> Kernel for ByRow<'_, T, K, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { x, of, n, inner, tiles, len, out, f } = self;
        if inner == 1 && len == 0 {
            for (r, (x, out)) in x.chunks_exact(n).zip(out.chunks_exact_mut(n)).enumerate() {
                let numbers = of.map(|of| of[r]);
                for (out, &x) in out.iter_mut().zip(x) {
                    *out = f(x, numbers);
                }
            }
            return;
        }
        if inner == 1 {
            let rows = (len / n).max(1);
            for (k, (x, out)) in x.chunks(rows * n).zip(out.chunks_mut(rows * n)).enumerate() {
                for (tile, of) in tiles.chunks_mut(len).zip(of) {
                    stretch(&of[k * rows..], n, 0, &mut tile[..x.len()]);
                }
                beside(x, parts(tiles, len), out, &f);
            }
            return;
        }
        let rows = (len / inner).max(1);
        for (o, (x, out)) in x.chunks_exact(n * inner).zip(out.chunks_exact_mut(n * inner)).enumerate() {
            let mut of = of.map(|of| &of[o * inner..(o + 1) * inner]);
            if len > 0 {
                for (tile, of) in tiles.chunks_mut(len).zip(of) {
                    repeat(of, 0, &mut tile[..rows * inner]);
                }
                of = parts(tiles, len);
            }
            for (x, out) in x.chunks(rows * inner).zip(out.chunks_mut(rows * inner)) {
                beside(x, of, out, &f);
            }
        }
    }
}

/// Parts of so many elements.
#[inline(always)]
fn parts<T, const K: usize>(tiles: &[T], len: usize) -> [&[T]; K] {
    from_fn(|k| &tiles[k * len..(k + 1) * len])
}

/// Iterators, not places: with these the compiler makes worse loops.
#[inline(always)]
fn beside<T: Number, const K: usize>(x: &[T], of: [&[T]; K], out: &mut [T], f: impl Fn(T, [T; K]) -> T) {
    match K {
        1 => {
            for ((out, &x), &a) in out.iter_mut().zip(x).zip(of[0]) {
                *out = f(x, [a; K]);
            }
        }
        2 => {
            for ((out, &x), (&a, &b)) in out.iter_mut().zip(x).zip(of[0].iter().zip(of[1])) {
                *out = f(x, from_fn(|k| [a, b][k]));
            }
        }
        _ => {
            for (i, (out, &x)) in out.iter_mut().zip(x).enumerate() {
                *out = f(x, of.map(|of| of[i]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_has_the_numbers_of_its_row() {
        for (outer, n, inner) in [
            (1, 1, 1),
            (3, 2, 1),
            (1000, 3, 1),
            (9, 63, 1),
            (5, 64, 1),
            (2, 1000, 1),
            (2, 5, 3),
            (3, 400, 4),
            (2, 7, 63),
            (2, 7, 64),
            (2, 3, 1000),
            (0, 3, 2),
            (3, 0, 1),
        ] {
            let x: Vec<f64> = (0..outer * n * inner).map(|e| e as f64).collect();
            let a: Vec<f64> = (0..outer * inner).map(|r| r as f64 * 0.25).collect();
            let b: Vec<f64> = a.iter().map(|a| 3.0 - a).collect();
            let mut out = vec![f64::NAN; x.len()];
            by_row(&x, [&a, &b], (n, inner), &mut out, |x, [a, b]| x * 1e-3 + a * b);
            for (e, &got) in out.iter().enumerate() {
                let r = e / (n * inner) * inner + e % inner;
                assert_eq!(got, x[e] * 1e-3 + a[r] * b[r], "{e} of {:?}", (outer, n, inner));
            }
        }
    }
}
