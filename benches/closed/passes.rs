//! The passes between matrix products, each fused from all that can be done while a row is at hand.

use crate::closed::level::Kernel;
use crate::closed::number::Number;
use crate::closed::softmax::Losses;

/// `z ← max(z + b, 0)` for each row.
pub(crate) struct BiasRelu<'a, T> {
    /// Rows as long as `b`.
    pub(crate) z: &'a mut [T],
    /// The bias.
    pub(crate) b: &'a [T],
}

impl<T: Number> Kernel for BiasRelu<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for row in self.z.chunks_exact_mut(self.b.len()) {
            for (z, &b) in row.iter_mut().zip(self.b) {
                let sum = *z + b;
                *z = if sum > T::ZERO { sum } else { T::ZERO };
            }
        }
    }
}

/// `dz ← dz ∘ f′(z)` for f = ReLU, of which the output `o` is enough, and `db`, its column sums.
pub(crate) struct MaskSum<'a, T> {
    /// Rows as long as `db`.
    pub(crate) dz: &'a mut [T],
    /// The layer's output, of the same shape.
    pub(crate) o: &'a [T],
    /// The gradient of the bias.
    pub(crate) db: &'a mut [T],
}

impl<T: Number> Kernel for MaskSum<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Self { dz, o, db } = self;
        let n = db.len();
        db.fill(T::ZERO);
        for (dz, o) in dz.chunks_exact_mut(n).zip(o.chunks_exact(n)) {
            for ((dz, &o), db) in dz.iter_mut().zip(o).zip(db.iter_mut()) {
                *dz = if o > T::ZERO { *dz } else { T::ZERO };
                *db += *dz;
            }
        }
    }
}

/// `p ← p − rate · dp`
pub(crate) struct Descend<'a, T> {
    /// Parameters.
    pub(crate) params: &'a mut [T],
    /// Their gradients.
    pub(crate) grads: &'a [T],
    /// The step size.
    pub(crate) rate: T,
}

impl<T: Number> Kernel for Descend<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (p, &dp) in self.params.iter_mut().zip(self.grads) {
            *p = (-self.rate).multiply_add::<FMA>(dp, *p);
        }
    }
}

/// The mean of `−ln softmax(s + b)[y]` over the rows; `ds`, its gradient `(O2 − Y) / N` (Eq. 1.3); `db`, the column sums.
pub(crate) struct SoftmaxCrossEntropy<'a, T, const K: usize> {
    /// Scores without the bias, rows of `K`.
    pub(crate) s: &'a [T],
    /// The bias.
    pub(crate) b: &'a [T],
    /// One class for each row.
    pub(crate) labels: &'a [usize],
    /// The gradient of the scores.
    pub(crate) ds: &'a mut [T],
    /// The gradient of the bias.
    pub(crate) db: &'a mut [T],
}

/// Rows that the softmax takes at a time: enough for the exponentials of a block to fill registers.
const ROWS: usize = 8;

impl<T: Number, const K: usize> Kernel for SoftmaxCrossEntropy<'_, T, K> {
    type Output = T;

    #[inline(always)]
    fn run<const FMA: bool>(self) -> T {
        let Self { s, b, labels, ds, db } = self;
        let scale = T::ONE / T::of_count(labels.len());
        let b: [T; K] = b.try_into().expect("there is a bias for each class");
        let mut sums = [T::ZERO; K];
        let mut losses = Losses::default();
        let blocks = s.chunks(ROWS * K).zip(ds.chunks_mut(ROWS * K)).zip(labels.chunks(ROWS));
        for ((s, ds), labels) in blocks {
            for ((s, ds), &y) in s.as_chunks::<K>().0.iter().zip(ds.as_chunks_mut::<K>().0).zip(labels) {
                let mut row = [T::ZERO; K];
                for k in 0..K {
                    row[k] = s[k] + b[k];
                }
                let top = row.iter().fold(row[0], |a, &s| if s > a { s } else { a });
                losses.at_label += row[y] - top;
                for k in 0..K {
                    ds[k] = row[k] - top;
                }
            }
            for ds in ds.iter_mut() {
                *ds = ds.fast_exp::<FMA>();
            }
            for (ds, &y) in ds.as_chunks_mut::<K>().0.iter_mut().zip(labels) {
                let sum = ds.iter().fold(T::ZERO, |sum, &u| sum + u);
                losses.multiply(sum);
                let factor = scale / sum;
                for u in ds.iter_mut() {
                    *u *= factor;
                }
                ds[y] -= scale;
                for k in 0..K {
                    sums[k] += ds[k];
                }
            }
        }
        db.copy_from_slice(&sums);
        losses.total() * scale
    }
}
