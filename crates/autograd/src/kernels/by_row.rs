//! Elements along the middle of `[outer, n, inner]`, each with two numbers of its row.

use super::map::level;
use super::order::with_zeros;
use super::spread::{repeat, stretch};
use crate::number::Number;
use crate::number::level::Kernel;

/// Numbers of shorter rows, or of fewer rows beside each other, are laid beside their elements, for many at a time.
pub(crate) const LONG: usize = 64;
/// The elements of these.
const TILE: usize = 512;

/// `out[o, j, i] = f(x[o, j, i], [a[o, i], b[o, i]])`
pub(super) fn by_row<T: Number>(
    x: &[T],
    of: [&[T]; 2],
    (n, inner): (usize, usize),
    out: &mut [T],
    f: impl Fn(T, [T; 2]) -> T,
) {
    if out.is_empty() {
        return;
    }
    let is_short = if inner == 1 { n < LONG } else { inner < LONG };
    let len = if is_short { TILE.min(out.len()) } else { 0 };
    with_zeros(2 * len, |tiles: &mut [T]| {
        let (a, b) = tiles.split_at_mut(len);
        level(out.len()).run(ByRow { x, of, n, inner, tiles: [a, b], out, f });
    });
}

struct ByRow<'a, T, F> {
    x: &'a [T],
    of: [&'a [T]; 2],
    n: usize,
    inner: usize,
    /// For each of the numbers, empty where rows are long.
    tiles: [&'a mut [T]; 2],
    out: &'a mut [T],
    f: F,
}

impl<T: Number, F: Fn(T, [T; 2]) -> T> Kernel for ByRow<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { x, of, n, inner, tiles: [a, b], out, f } = self;
        let len = a.len();
        if inner == 1 && len == 0 {
            let rows = x.chunks_exact(n).zip(out.chunks_exact_mut(n));
            for ((x, out), (&a, &b)) in rows.zip(of[0].iter().zip(of[1])) {
                for (out, &x) in out.iter_mut().zip(x) {
                    *out = f(x, [a, b]);
                }
            }
            return;
        }
        if inner == 1 {
            let rows = (len / n).max(1);
            for (k, (x, out)) in x.chunks(rows * n).zip(out.chunks_mut(rows * n)).enumerate() {
                let (a, b) = (&mut a[..x.len()], &mut b[..x.len()]);
                stretch(&of[0][k * rows..], n, 0, a);
                stretch(&of[1][k * rows..], n, 0, b);
                beside(x, [a, b], out, &f);
            }
            return;
        }
        let rows = (len / inner).max(1);
        for (o, (x, out)) in x.chunks_exact(n * inner).zip(out.chunks_exact_mut(n * inner)).enumerate() {
            let mut of = of.map(|of| &of[o * inner..(o + 1) * inner]);
            if len > 0 {
                let (a, b) = (&mut a[..rows * inner], &mut b[..rows * inner]);
                repeat(of[0], 0, a);
                repeat(of[1], 0, b);
                of = [a, b];
            }
            for (x, out) in x.chunks(rows * inner).zip(out.chunks_mut(rows * inner)) {
                beside(x, of, out, &f);
            }
        }
    }
}

#[inline(always)]
fn beside<T: Number>(x: &[T], [a, b]: [&[T]; 2], out: &mut [T], f: impl Fn(T, [T; 2]) -> T) {
    for ((out, &x), (&a, &b)) in out.iter_mut().zip(x).zip(a.iter().zip(b)) {
        *out = f(x, [a, b]);
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
