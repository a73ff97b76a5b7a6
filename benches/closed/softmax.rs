//! Softmax and cross-entropy of examples that are lanes, and the sum of a register.

use crate::closed::number::Number;

/// `Σ_i ln sum_i − Σ_i (S[i,y_i] − max S[i])` over examples, `sum_i = Σ_k exp(S[i,k] − max S[i])`, with one logarithm for
/// the product of many sums: each is at least 1 and at most the number of classes.
pub(crate) struct Losses<T> {
    /// `Σ_i (S[i,y_i] − max S[i])`
    pub(crate) at_label: T,
    /// The product of the sums whose logarithm is not taken yet.
    pub(crate) product: T,
    factors: usize,
    logarithms: T,
}

impl<T: Number> Default for Losses<T> {
    fn default() -> Self {
        Self { at_label: T::ZERO, product: T::ONE, factors: 0, logarithms: T::ZERO }
    }
}

impl<T: Number> Losses<T> {
    /// Takes in one sum.
    #[inline(always)]
    pub(crate) fn multiply(&mut self, sum: T) {
        self.product *= sum;
        self.factors += 1;
        if self.factors == T::SUMS_PER_LOG {
            self.logarithms += self.product.ln();
            self.product = T::ONE;
            self.factors = 0;
        }
    }

    /// The sum of the losses.
    #[inline(always)]
    pub(crate) fn total(&self) -> T {
        self.logarithms + self.product.ln() - self.at_label
    }
}

/// The losses of `N` examples from their scores, and the gradient of the scores, `(O2 − Y) · scale` (Eq. 1.3).
/// Classes are rows, so that examples are lanes.
#[inline(always)]
pub(crate) fn softmax<T: Number, const N: usize, const K: usize, const FMA: bool>(
    mut s: [[T; N]; K],
    labels: &[usize; N],
    scale: T,
    losses: &mut Losses<T>,
) -> [[T; N]; K] {
    let mut top = s[0];
    for row in &s[1..] {
        for i in 0..N {
            top[i] = if row[i] > top[i] { row[i] } else { top[i] };
        }
    }
    for i in 0..N {
        losses.at_label += s[labels[i]][i] - top[i];
    }
    let mut sums = [T::ZERO; N];
    for row in &mut s {
        for i in 0..N {
            row[i] = (row[i] - top[i]).fast_exp::<FMA>();
            sums[i] += row[i];
        }
    }
    for sum in &mut sums {
        losses.multiply(*sum);
        *sum = scale / *sum;
    }
    for (k, row) in s.iter_mut().enumerate() {
        for i in 0..N {
            row[i] = row[i] * sums[i] - if labels[i] == k { scale } else { T::ZERO };
        }
    }
    s
}

/// The sum of a row as a tree of halves, which vectorises where a sum in order does not.
#[inline(always)]
pub(crate) fn sum<T: Number, const N: usize>(mut row: [T; N]) -> T {
    let mut n = N;
    while n > 1 {
        let half = n.div_ceil(2);
        for i in 0..n / 2 {
            let upper = row[half + i];
            row[i] += upper;
        }
        n = half;
    }
    row[0]
}
