//! The post's slips, to be put back into the closed forms.

use super::{Derivation, closed_form};

/// One of the post's five slips. Put back, it stands in the closed form of each line that it touches; tape and differences know
/// nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slip {
    /// 1: the program's factor `−1/N`, for the gradient of the sum and of the mean alike.
    Sign,
    /// 2: `dL_by_dS = O_2` is a second name: after Eq. 1.3 `O2` holds `O2 − Y`, and what reads it again is wrong.
    Alias,
    /// 3: the sum over examples starts at 0. Where they are counted from 1 its first term is looked up at −1, which in the
    /// post's language is the last example once more.
    Range,
    /// 4: the square in Eq. 1.2.2 belongs to each `U[i,p]`, not to their sum.
    Square,
    /// 5: probabilities are `exp(S)` over its sum, without the largest score taken off.
    Overflow,
}

impl Slip {
    /// All five, in the order in which they are counted.
    pub const ALL: [Self; 5] = [Self::Sign, Self::Alias, Self::Range, Self::Square, Self::Overflow];

    /// Its number, from 1.
    pub fn number(self) -> usize {
        1 + self as usize
    }

    /// The slip of this number.
    ///
    /// ```
    /// use softmax_net::derivation::Slip;
    /// assert_eq!(Slip::numbered(4), Some(Slip::Square));
    /// assert_eq!(Slip::numbered(0), None);
    /// ```
    pub fn numbered(number: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|slip| slip.number() == number)
    }

    /// What is written where it stands, and what holds.
    pub fn words(self) -> [&'static str; 2] {
        match self {
            Self::Sign => ["dL/dW2 = −1/N O1ᵀ(O2 − Y)", "the sum has the factor 1, the mean 1/N, neither a minus"],
            Self::Alias => ["dL_by_dS = O_2, then 1 is taken off in place", "a copy: O2 stays the probabilities"],
            Self::Range => ["L = Σ L_i from i = 0 to N", "N terms: i from 1 to N"],
            Self::Square => ["Eq. 1.2.2 over Σ_p U[i,p]²", "over (Σ_p U[i,p])²: the square is of the whole sum"],
            Self::Overflow => ["O2 = exp(S) / Σ exp(S)", "the largest score is taken off first"],
        }
    }
}

/// `U / Σ U` as it stands.
pub(super) fn unshifted(u: &[f64], k: usize) -> Vec<f64> {
    let row = |u: &[f64]| {
        let sum: f64 = u.iter().sum();
        u.iter().map(move |u| u / sum).collect::<Vec<_>>()
    };
    u.chunks_exact(k.max(1)).flat_map(row).collect()
}

/// The closed forms that a slip can touch.
impl Derivation<'_> {
    /// Rows of `width`, one for each term of a sum over the examples.
    pub(super) fn summed(&self, rows: &[f64], width: usize) -> Vec<f64> {
        let mut rows = rows.to_vec();
        if self.has(Slip::Range) {
            let last = rows[rows.len() - width..].to_vec();
            rows.extend(last);
        }
        rows
    }

    /// How many terms a sum over the examples has.
    fn terms(&self) -> usize {
        self.sizes.n + usize::from(self.has(Slip::Range))
    }

    /// `O2 − Y`, as the lines after Eq. 1.3 compute it.
    pub(super) fn scores_later(&self) -> Vec<f64> {
        closed_form::dl_ds(&self.later, self.labels, self.sizes.k)
    }

    /// `O1ᵀ (O2 − Y)` over the divisor of the loss.
    pub(super) fn closed_dw2(&self, divisor: f64) -> Vec<f64> {
        let [_, h, k] = self.layer_2();
        let divisor = if self.has(Slip::Sign) { -(self.sizes.n as f64) } else { divisor };
        let scores: Vec<f64> = self.scores_later().into_iter().map(|g| g / divisor).collect();
        closed_form::dl_dw([self.terms(), h, k], &self.summed(&self.forward.o1, h), &self.summed(&scores, k))
    }

    pub(super) fn closed_dw1(&self) -> Vec<f64> {
        let (d, h) = (self.sizes.d, self.sizes.h);
        closed_form::dl_dw([self.terms(), d, h], &self.summed(self.x, d), &self.summed(&self.gradients.z1, h))
    }

    pub(super) fn closed_2nd_w2(&self) -> Vec<f64> {
        let [_, h, k] = self.layer_2();
        closed_form::d2l_dw2([self.terms(), h, k], &self.summed(&self.forward.o1, h), &self.summed(&self.later, k))
    }

    /// Eq. 1.2.1 and 1.2.2 `[N, K]`.
    pub(super) fn rows_at_label(&self) -> Vec<f64> {
        let k = self.sizes.k;
        let mut rows = closed_form::do2_at_label_ds(&self.forward.o2, self.labels, k);
        if self.has(Slip::Square) {
            for (e, entry) in rows.iter_mut().enumerate().filter(|(e, _)| e % k != self.labels[e / k]) {
                *entry = self.squared_each(e / k, self.labels[e / k], e % k);
            }
        }
        rows
    }

    /// `−U[i,j] U[i,k] / Σ_p U[i,p]²`
    fn squared_each(&self, i: usize, j: usize, k: usize) -> f64 {
        let u = &self.forward.u[i * self.sizes.k..][..self.sizes.k];
        -u[j] * u[k] / u.iter().map(|u| u * u).sum::<f64>()
    }

    pub(super) fn closed_1_2(&self) -> Vec<f64> {
        let k = self.sizes.k;
        let mut jacobian = closed_form::do2_ds(&self.forward.o2, k);
        if self.has(Slip::Square) {
            for (e, entry) in jacobian.iter_mut().enumerate().filter(|(e, _)| e / k % k != e % k) {
                *entry = self.squared_each(e / (k * k), e / k % k, e % k);
            }
        }
        jacobian
    }

    /// Eq. 1, the product of Eq. 1.1 and what stands for Eq. 1.2.
    pub(super) fn closed_1(&self) -> Vec<f64> {
        if !self.has(Slip::Square) {
            return closed_form::dl_ds_by_chain_rule(&self.forward.o2, self.labels, self.sizes.k);
        }
        let outer = closed_form::dl_do2_at_label(&self.forward.o2, self.labels, self.sizes.k);
        self.rows_at_label().into_iter().enumerate().map(|(e, inner)| outer[e / self.sizes.k] * inner).collect()
    }
}
