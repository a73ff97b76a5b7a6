//! The gradients of a block, added to the sums over the blocks before it, and after the last block the results.
#![expect(unsafe_code, reason = "vectors by hand take raw pointers")]
#![expect(clippy::needless_range_loop, reason = "registers are numbered alike in all arrays")]

use super::{Block, FEATURES, Sizes};
use crate::kernels::map::LANES;
use crate::number::Number;
use crate::number::lanes::Lanes;

/// The gradient of what a function is of, from that of what it makes: 0 where that is 0, whatever the slope is; and where `selects`,
/// where the slope is.
///
/// # Safety
/// The CPU has the set of the lanes.
#[inline(always)]
unsafe fn through<T: Number, L: Lanes<T>>(g: L::Vector, slope: L::Vector, selects: bool) -> L::Vector {
    // SAFETY: the caller promises the set.
    unsafe {
        let dz = L::unless_zero(L::mul(g, slope), g);
        if selects { L::unless_zero(dz, slope) } else { dz }
    }
}

/// Sums that stay in registers for a vector of hidden nodes while rows go by.
#[derive(Clone, Copy)]
struct Sums<V, const D: usize, const K: usize> {
    w1: [V; D],
    b1: V,
    w2: [V; K],
}

impl<T: Number, const SMALL: bool> Block<'_, T, SMALL> {
    /// # Safety
    /// The CPU has the set of the lanes, and there are `K` classes.
    #[inline(always)]
    pub(super) unsafe fn backward<L: Lanes<T>, const K: usize>(&self) {
        // SAFETY: the caller promises the set and the classes.
        unsafe {
            self.biases::<K>();
            match self.step.sizes.features {
                2 => self.nodes::<L, 2, K>(),
                _ => self.nodes::<L, FEATURES, K>(),
            }
        }
    }

    /// `db2 = Σ dS`
    #[inline(always)]
    unsafe fn biases<const K: usize>(&self) {
        let (at, partial) = (self.behind::<K>(), self.columns);
        // SAFETY: the caller promises the classes; the sums of the biases lie behind the others.
        unsafe {
            let mut sums = [T::ZERO; K];
            if !partial.from.is_null() {
                sums = partial.from.add(at).cast::<[T; K]>().read();
            }
            for i in 0..self.rows {
                let ds = self.score::<K>(i);
                for k in 0..K {
                    sums[k] += *ds.add(k * LANES);
                }
            }
            for k in 0..K {
                sums[k] = partial.after_one(at + k, sums[k]);
            }
            if !partial.to.is_null() {
                return partial.to.add(at).cast::<[T; K]>().write(sums);
            }
            let param = self.params.add(at);
            for k in 0..K {
                let next = if self.step.descends[3] { *param.add(k) - sums[k] * self.step.rate } else { sums[k] };
                self.step.results[3].add(k).write(next);
                if self.step.keeps {
                    param.add(k).write(next);
                }
            }
        }
    }

    /// All hidden nodes, two vectors of them at a time if the registers hold their sums.
    #[inline(always)]
    unsafe fn nodes<L: Lanes<T>, const D: usize, const K: usize>(&self) {
        let hidden = self.step.sizes.hidden;
        let mut h = 0;
        while h < hidden {
            // SAFETY: the caller promises the set, the features and the classes; `h < hidden`.
            unsafe {
                if L::ROWS == 8 && D + K <= 7 && hidden - h > L::COUNT {
                    self.vectors::<L, D, K, 2>(h);
                    h += 2 * L::COUNT;
                } else {
                    self.vectors::<L, D, K, 1>(h);
                    h += L::COUNT;
                }
            }
        }
    }

    /// `V` vectors of hidden nodes from node `h` on.
    #[inline(always)]
    unsafe fn vectors<L: Lanes<T>, const D: usize, const K: usize, const V: usize>(&self, h: usize) {
        let (width, features) = (self.width(), self.features::<D>());
        // SAFETY: the caller promises the set, the features and the classes; scratch memory has whole vectors.
        unsafe {
            let all = L::first(L::COUNT);
            let zero = L::splat(T::ZERO);
            let mut w2 = [[zero; K]; V];
            for v in 0..V {
                for k in 0..K {
                    w2[v][k] = L::load(self.params.add((features + 1 + k) * width + h + v * L::COUNT), all);
                }
            }
            let mut sums = [Sums { w1: [zero; D], b1: zero, w2: [zero; K] }; V];
            for v in 0..V {
                self.start::<L, D, K>(h + v * L::COUNT, &mut sums[v]);
            }
            let x = self.step.x.add(self.start * features);
            let activation = self.step.activation.map(|activation| activation.selects);
            for i in 0..self.rows {
                let ds = self.score::<K>(i);
                for v in 0..V {
                    let at = i * width + h + v * L::COUNT;
                    let o = L::load(self.hidden.add(at), all);
                    let mut dz = zero;
                    for k in 0..K {
                        let ds = L::splat(*ds.add(k * LANES));
                        dz = L::mul_add(ds, w2[v][k], dz);
                        sums[v].w2[k] = L::mul_add(o, ds, sums[v].w2[k]);
                    }
                    let dz = match activation {
                        None => L::gate(dz, o),
                        Some(selects) => through::<T, L>(dz, L::load(self.slopes.add(at), all), selects),
                    };
                    sums[v].b1 = L::add(sums[v].b1, dz);
                    for d in 0..D {
                        if d < features {
                            sums[v].w1[d] = L::mul_add(L::splat(*x.add(i * features + d)), dz, sums[v].w1[d]);
                        }
                    }
                }
            }
            for v in 0..V {
                let h = h + v * L::COUNT;
                let sums = self.after::<L, D, K>(h, sums[v]);
                if self.products.to.is_null() {
                    self.finish::<L, D, K>(h, sums);
                } else {
                    self.write::<L, D, K>(h, sums);
                }
            }
        }
    }

    /// What the sums of a vector of hidden nodes start from, if that is not zero.
    #[inline(always)]
    unsafe fn start<L: Lanes<T>, const D: usize, const K: usize>(&self, h: usize, sums: &mut Sums<L::Vector, D, K>) {
        let (width, products, columns) = (self.width(), self.products.from, self.columns.from);
        let features = self.features::<D>();
        // SAFETY: the caller promises the set; scratch memory has whole vectors.
        unsafe {
            let all = L::first(L::COUNT);
            if !products.is_null() {
                for d in 0..D {
                    if d < features {
                        sums.w1[d] = L::load(products.add(d * width + h), all);
                    }
                }
                for k in 0..K {
                    sums.w2[k] = L::load(products.add((features + 1 + k) * width + h), all);
                }
            }
            if !columns.is_null() {
                sums.b1 = L::load(columns.add(features * width + h), all);
            }
        }
    }

    /// Puts the sums of blocks before these.
    #[inline(always)]
    unsafe fn after<L: Lanes<T>, const D: usize, const K: usize>(
        &self,
        h: usize,
        mut sums: Sums<L::Vector, D, K>,
    ) -> Sums<L::Vector, D, K> {
        let (width, features) = (self.width(), self.features::<D>());
        // SAFETY: the caller promises the set; scratch memory has whole vectors.
        unsafe {
            let all = L::first(L::COUNT);
            for d in 0..D {
                if d < features {
                    sums.w1[d] = self.products.after::<L>(d * width + h, all, sums.w1[d]);
                }
            }
            sums.b1 = self.columns.after::<L>(features * width + h, all, sums.b1);
            for k in 0..K {
                sums.w2[k] = self.products.after::<L>((features + 1 + k) * width + h, all, sums.w2[k]);
            }
        }
        sums
    }

    #[inline(always)]
    unsafe fn write<L: Lanes<T>, const D: usize, const K: usize>(&self, h: usize, sums: Sums<L::Vector, D, K>) {
        let (width, products, columns) = (self.width(), self.products.to, self.columns.to);
        let features = self.features::<D>();
        // SAFETY: the caller promises the set; scratch memory has whole vectors.
        unsafe {
            let all = L::first(L::COUNT);
            for d in 0..D {
                if d < features {
                    L::store(products.add(d * width + h), all, sums.w1[d]);
                }
            }
            L::store(columns.add(features * width + h), all, sums.b1);
            for k in 0..K {
                L::store(products.add((features + 1 + k) * width + h), all, sums.w2[k]);
            }
        }
    }

    /// The results at a vector of hidden nodes.
    #[inline(always)]
    unsafe fn finish<L: Lanes<T>, const D: usize, const K: usize>(&self, h: usize, sums: Sums<L::Vector, D, K>) {
        let (Sizes { hidden, .. }, features) = (self.step.sizes, self.features::<D>());
        let [to_w1, to_b1, to_w2, _] = self.step.results;
        // SAFETY: the caller promises the set; masks end with the hidden nodes, and with the elements of `W2`.
        unsafe {
            let mask = L::first(hidden - h);
            let [first, bias, second, _] = self.step.descends;
            let mut w1 = sums.w1;
            for d in 0..D {
                if d < features {
                    w1[d] = self.next::<L>((d, h), mask, first, w1[d]);
                }
            }
            L::store(to_b1.add(h), mask, self.next::<L>((features, h), mask, bias, sums.b1));
            let mut w2 = sums.w2;
            for k in 0..K {
                w2[k] = self.next::<L>((features + 1 + k, h), mask, second, w2[k]);
            }
            if self.step.turned {
                self.beside::<L, D>(to_w1, h, w1, features);
                self.apart::<L, K>(to_w2, h, w2, K);
            } else {
                self.apart::<L, D>(to_w1, h, w1, features);
                self.beside::<L, K>(to_w2, h, w2, K);
            }
        }
    }

    /// A vector of the next parameters, or of gradients, from a row and a hidden node on, which goes to a copy that is kept too. The
    /// copy's zeros beyond the mask stay, whatever is not finite.
    ///
    /// # Safety
    /// The CPU has the set of the lanes; the copy has whole vectors.
    #[inline(always)]
    unsafe fn next<L: Lanes<T>>(
        &self,
        (row, h): (usize, usize),
        mask: L::Mask,
        descends: bool,
        dp: L::Vector,
    ) -> L::Vector {
        // SAFETY: as the caller promises.
        unsafe {
            let (place, all) = (self.params.add(row * self.width() + h), L::first(L::COUNT));
            let next = if descends { L::sub(L::load(place, all), L::mul(dp, L::splat(self.step.rate))) } else { dp };
            let next = L::keep(next, mask);
            if self.step.keeps {
                L::store(place, all, next);
            }
            next
        }
    }

    /// Stores so many of the vectors of hidden nodes as rows.
    #[inline(always)]
    unsafe fn apart<L: Lanes<T>, const N: usize>(&self, to: *mut T, h: usize, x: [L::Vector; N], count: usize) {
        let hidden = self.step.sizes.hidden;
        for (k, x) in x.into_iter().enumerate() {
            if k < count {
                // SAFETY: the caller promises the set, and so many rows of the hidden nodes.
                unsafe { L::store(to.add(k * hidden + h), L::first(hidden - h), x) };
            }
        }
    }

    /// Stores so many of the vectors of hidden nodes as columns.
    #[inline(always)]
    unsafe fn beside<L: Lanes<T>, const N: usize>(&self, to: *mut T, h: usize, x: [L::Vector; N], count: usize) {
        let hidden = self.step.sizes.hidden;
        // SAFETY: the caller promises the set, and so many columns of the hidden nodes.
        unsafe {
            if count == N {
                for (k, row) in L::rows(x).into_iter().enumerate() {
                    let at = h * N + k * L::COUNT;
                    L::store(to.wrapping_add(at), L::first((hidden * N).saturating_sub(at)), row);
                }
                return;
            }
            for (k, x) in x.into_iter().enumerate() {
                if k < count {
                    let mut lanes = [T::ZERO; LANES];
                    L::store(lanes.as_mut_ptr(), L::first(L::COUNT), x);
                    for lane in 0..L::COUNT.min(hidden - h) {
                        to.add((h + lane) * count + k).write(lanes[lane]);
                    }
                }
            }
        }
    }
}
