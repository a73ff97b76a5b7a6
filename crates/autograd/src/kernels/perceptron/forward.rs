//! The hidden layer of a block of rows, and its scores without their bias.
#![expect(unsafe_code, reason = "vectors by hand take raw pointers")]
#![expect(clippy::needless_range_loop, reason = "registers are numbered alike in all arrays")]

use super::{Block, FEATURES, Sizes};
use crate::kernels::map::LANES;
use crate::number::Number;
use crate::number::lanes::Lanes;

/// What is done of some rows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// All, with relu.
    Whole,
    /// What the function of the hidden nodes is of.
    Affine,
    /// What comes after that function.
    Scores,
}

impl<T: Number, const SMALL: bool> Block<'_, T, SMALL> {
    /// # Safety
    /// The CPU has the set of the lanes, and there are `K` classes.
    #[inline(always)]
    pub(super) unsafe fn forward<L: Lanes<T>, const K: usize>(&self) {
        let features = self.step.sizes.features;
        let parts: &[Part] =
            if self.step.activation.is_some() { &[Part::Affine, Part::Scores] } else { &[Part::Whole] };
        for &part in parts {
            // SAFETY: the caller promises the set and the classes.
            unsafe {
                if part == Part::Scores {
                    self.activate();
                }
                match features {
                    2 => self.tiles::<L, K, 2>(part),
                    _ => self.tiles::<L, K, FEATURES>(part),
                }
            }
        }
    }

    /// The function of the hidden nodes, and its slopes.
    ///
    /// # Safety
    /// There is one, and what it is of is there.
    #[inline(always)]
    unsafe fn activate(&self) {
        let len = self.rows * self.width();
        let activation = self.step.activation.expect("the caller promises one");
        // SAFETY: scratch memory holds three arrays of the nodes of a block.
        unsafe {
            let affine = std::slice::from_raw_parts(self.affine, len);
            let [nodes, slopes] = [self.hidden, self.slopes].map(|to| std::slice::from_raw_parts_mut(to, len));
            activation.kernels.run(affine, nodes, slopes);
        }
    }

    /// All rows of the block, of [`Block::features`].
    #[inline(always)]
    unsafe fn tiles<L: Lanes<T>, const K: usize, const D: usize>(&self, part: Part) {
        let mut i = 0;
        // SAFETY: the caller promises the set, the features and the classes; tiles lie within the rows of the block.
        unsafe {
            while self.rows - i >= 4 {
                self.tile::<L, K, D, 4>(i, part);
                i += 4;
            }
            while i < self.rows {
                self.tile::<L, K, D, 1>(i, part);
                i += 1;
            }
        }
    }

    /// Copies the parameters as the sweep reads them: in whole vectors, `W2` transposed.
    ///
    /// # Safety
    /// The CPU has the set of the lanes, and there are `K` classes.
    #[inline(always)]
    pub(super) unsafe fn copy<L: Lanes<T>, const K: usize>(&self) {
        let Sizes { features, hidden, .. } = self.step.sizes;
        let [w1, b1, w2, b2] = self.step.params;
        let mut h = 0;
        // SAFETY: the caller promises the set and the classes; masks end with the hidden nodes, and with the elements of
        // `W2`.
        unsafe {
            while h < self.width() {
                let mask = L::first(hidden.saturating_sub(h));
                let store = |row: usize, x| L::store(self.params.add(row * self.width() + h), L::first(L::COUNT), x);
                store(features, L::load(b1.wrapping_add(h), mask));
                if self.step.turned {
                    for k in 0..K {
                        store(features + 1 + k, L::load(w2.wrapping_add(k * hidden + h), mask));
                    }
                } else {
                    for d in 0..features {
                        store(d, L::load(w1.wrapping_add(d * hidden + h), mask));
                    }
                    let mut rows = [L::splat(T::ZERO); K];
                    for (k, row) in rows.iter_mut().enumerate() {
                        let at = h * K + k * L::COUNT;
                        *row = L::load(w2.wrapping_add(at), L::first((hidden * K).saturating_sub(at)));
                    }
                    for (k, column) in L::columns(rows).into_iter().enumerate() {
                        store(features + 1 + k, column);
                    }
                }
                h += L::COUNT;
            }
            if self.step.turned {
                for d in 0..features {
                    let row = self.params.add(d * self.width());
                    for h in 0..self.width() {
                        *row.add(h) = if h < hidden { *w1.add(h * features + d) } else { T::ZERO };
                    }
                }
            }
            for k in 0..K {
                *self.params.add(self.behind::<K>() + k) = *b2.add(k);
            }
        }
    }

    /// `R` rows from row `i` of the block on.
    #[inline(always)]
    unsafe fn tile<L: Lanes<T>, const K: usize, const D: usize, const R: usize>(&self, i: usize, part: Part) {
        let (hidden, features) = (self.step.sizes.hidden, self.features::<D>());
        // SAFETY: the caller promises the set, the features, the classes and the rows; scratch memory has whole vectors.
        unsafe {
            let all = L::first(L::COUNT);
            let param = |row: usize, h: usize| L::load(self.params.add(row * self.width() + h), all);
            let x = self.step.x.add((self.start + i) * features);
            let mut scores = [[L::splat(T::ZERO); 4]; K];
            let mut h = 0;
            while h < hidden {
                let mask = L::first(hidden - h);
                let at = |r: usize| (i + r) * self.width() + h;
                let mut z = [L::splat(T::ZERO); R];
                if part == Part::Scores {
                    for r in 0..R {
                        // The function of the zeros beyond the mask may be infinite.
                        z[r] = L::keep(L::load(self.hidden.add(at(r)), all), mask);
                    }
                } else {
                    for d in 0..D {
                        if d < features {
                            let w = param(d, h);
                            for r in 0..R {
                                z[r] = L::mul_add(L::splat(*x.add(r * features + d)), w, z[r]);
                            }
                        }
                    }
                    let bias = param(features, h);
                    let (to, is_whole) = if part == Part::Whole { (self.hidden, true) } else { (self.affine, false) };
                    for r in 0..R {
                        z[r] = L::add(z[r], bias);
                        if is_whole {
                            z[r] = L::relu(z[r]);
                        }
                        // A feature that is not finite makes NaN of the zeros beyond the mask.
                        z[r] = L::keep(z[r], mask);
                        L::store(to.add(at(r)), all, z[r]);
                    }
                }
                h += L::COUNT;
                if part == Part::Affine {
                    continue;
                }
                for k in 0..K {
                    let w = param(features + 1 + k, h - L::COUNT);
                    for r in 0..R {
                        scores[k][r] = L::mul_add(z[r], w, scores[k][r]);
                    }
                }
            }
            if part == Part::Affine {
                return;
            }
            let to = self.score::<K>(i);
            if R == 1 {
                // One row's scores of all classes are summed together.
                let mut row = [L::splat(T::ZERO); 4];
                for k in 0..K {
                    row[k] = scores[k][0];
                }
                let totals = L::totals(row);
                for k in 0..K {
                    to.add(k * LANES).write(totals[k]);
                }
            } else {
                for k in 0..K {
                    let totals = L::totals(scores[k]);
                    for r in 0..R {
                        to.add(k * LANES + r).write(totals[r]);
                    }
                }
            }
        }
    }
}
