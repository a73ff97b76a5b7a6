//! The sums of the columns of a matrix: the gradient of a bias.
#![expect(unsafe_code, reason = "vectors by hand take raw pointers")]

use super::finish::{Apply, Finish, Raw, each_kind};
use super::lanes::Lanes;
use super::product::Partial;
use super::simd::{LaneKernel, Level};
use crate::Float;

/// `out[j] = finish(Σ_i x[i, j])` for rows as long as `out`, each sum in ascending order.
pub(crate) fn column_sums<T: Float>(x: &[T], out: &mut [T], finish: Finish<'_, T>) {
    let n = out.len();
    if n == 0 {
        return;
    }
    assert!(x.len().is_multiple_of(n), "column sums: {} elements are not rows of {n}", x.len());
    let (finish, partial) = (finish.raw(n, n), Partial::NONE);
    let call = ColumnSums { x: x.as_ptr(), rows: x.len() / n, n, out: out.as_mut_ptr(), finish, partial };
    Level::best().run_lanes(call);
}

/// Sums of columns by pointers: `out = finish(partial.from + Σ_i x[i, ·])`.
///
/// Whoever makes one promises that `x` holds `rows · n` elements, and `out` and what the finish and the partial sums point
/// to `n`.
#[derive(Clone, Copy)]
pub(super) struct ColumnSums<T> {
    pub(super) x: *const T,
    pub(super) rows: usize,
    pub(super) n: usize,
    pub(super) out: *mut T,
    pub(super) finish: Raw<T>,
    pub(super) partial: Partial<T>,
}

impl<T: Float> LaneKernel<T> for ColumnSums<T> {
    #[inline(always)]
    unsafe fn run<L: Lanes<T>>(self) {
        let mut j = 0;
        // SAFETY: the caller promises the set of the lanes; `j < n`.
        unsafe {
            while j < self.n {
                if self.n - j > L::COUNT {
                    self.columns::<L, 4>(j);
                    j += 4 * L::COUNT;
                } else {
                    self.columns::<L, 1>(j);
                    j += L::COUNT;
                }
            }
        }
    }
}

impl<T: Float> ColumnSums<T> {
    /// `C` vectors of columns from `j` on; the last ones may be empty, and then lie beyond the end.
    #[inline(always)]
    unsafe fn columns<L: Lanes<T>, const C: usize>(&self, j: usize) {
        let Self { x, rows, n, out, partial, .. } = *self;
        // SAFETY: the caller promises the set of the lanes; the masks end at `n`.
        unsafe {
            let mut masks = [L::first(n - j); C];
            for (c, mask) in masks.iter_mut().enumerate().skip(1) {
                *mask = L::first((n - j).saturating_sub(c * L::COUNT));
            }
            let mut sums = [L::splat(T::ZERO); C];
            if !partial.from.is_null() {
                for c in 0..C {
                    sums[c] = L::load(partial.from.wrapping_add(j + c * L::COUNT), masks[c]);
                }
            }
            for i in 0..rows {
                for c in 0..C {
                    sums[c] = L::add(sums[c], L::load(x.wrapping_add(i * n + j + c * L::COUNT), masks[c]));
                }
            }
            if !partial.to.is_null() {
                for c in 0..C {
                    L::store(partial.to.wrapping_add(j + c * L::COUNT), masks[c], sums[c]);
                }
                return;
            }
            each_kind!(self.finish, |finish| {
                for c in 0..C {
                    let j = j + c * L::COUNT;
                    let y = finish.apply::<L>(sums[c], out, j, j, masks[c]);
                    L::store(out.wrapping_add(j), masks[c], y);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::simd::tests::at_every_level;

    #[test]
    fn every_path_equals_the_definition_at_every_level() {
        for (rows, n) in
            [(0, 3), (1, 1), (5, 3), (5, 10), (31, 16), (32, 1), (47, 3), (300, 16), (40, 17), (9, 100), (3, 130)]
        {
            let x: Vec<f32> = (0..rows * n).map(|i| ((i * 7) % 23) as f32 - 11.0).collect();
            let sum = |j: usize| (0..rows).map(|i| x[i * n + j]).sum::<f32>();
            let before: Vec<f32> = (0..n).map(|j| j as f32).collect();
            at_every_level(|level| {
                let mut out = before.clone();
                column_sums(&x, &mut out, Finish::Keep);
                assert_eq!(out, (0..n).map(sum).collect::<Vec<_>>(), "{rows} {n} {level:?}");
                out.copy_from_slice(&before);
                column_sums(&x, &mut out, Finish::Descend(0.5));
                let want: Vec<f32> = (0..n).map(|j| before[j] - 0.5 * sum(j)).collect();
                assert_eq!(out, want, "{rows} {n} {level:?}");
            });
        }
    }
}
