//! Cross-entropy of rows of scores against labels, and its gradient, from one set of exponentials.
//!
//! Rows of a few classes are taken a block at a time with rows as lanes, so that maxima, exponentials, sums and logarithms are all
//! computed in full vectors.
#![expect(unsafe_code, reason = "vectors by hand take raw pointers")]

mod rows;
#[cfg(test)]
mod tests;

use super::map::LANES;
use super::transpose::transpose;
use crate::number::Number;
use crate::number::lanes::Lanes;
use crate::number::level::{LaneKernel, Level};

/// Rows of more classes than these are computed one after the other.
pub(super) const FEW: usize = 8 * LANES;
/// Fewer rows than these leave most lanes empty: of 16 classes or more, they are computed one after the other, too.
const FEWEST: usize = 4;

/// Where the losses `L_i = ln Σ exp S_i − S_i[y_i]` go.
#[derive(Debug)]
pub(crate) enum Losses<'a, T> {
    /// They are not asked for.
    Dropped,
    /// One for each row.
    Each(&'a mut [T]),
    /// They are added to these sums.
    Sum(&'a mut LaneSums),
}

impl<T: Number> Losses<'_, T> {
    /// Adds the loss of a row, to one of the sums.
    #[inline(always)]
    fn add(&mut self, row: usize, loss: T, lane: usize) {
        match self {
            Losses::Dropped => {}
            Losses::Each(each) => each[row] = loss,
            Losses::Sum(sums) => sums.0[lane] += loss.to_f64(),
        }
    }
}

/// Running sums of losses, one for each row of a block, in `f64`, since a sum of many equal losses in the narrow type
/// drifts: 1 % off after a million in `f32`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LaneSums([f64; LANES]);

impl LaneSums {
    /// Adds the losses of the first `rows` rows of a block.
    ///
    /// # Safety
    /// The CPU has the set of the lanes.
    #[inline(always)]
    pub(super) unsafe fn add<T: Number, L: Lanes<T>>(&mut self, losses: &[T; LANES], rows: usize) {
        // SAFETY: the caller promises the set.
        let there = unsafe { padded::<T, L>(&losses[..rows]) };
        for (sum, loss) in self.0.iter_mut().zip(there) {
            *sum += loss.to_f64();
        }
    }

    /// Their sum.
    pub(crate) fn total(mut self) -> f64 {
        for width in [8, 4, 2, 1] {
            for r in 0..width {
                self.0[r] += self.0[r + width];
            }
        }
        self.0[0]
    }
}

/// What `P − Y` is multiplied by.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Weight<'a, T> {
    /// One number for all rows.
    All(T),
    /// One for each row.
    Each(&'a [T]),
}

/// Where the gradients `(P − Y) · weight` go, shaped as the scores: Eq. 1.3 of the derivation, `dL_i/dS = O2 − Y`. A
/// weight of 0 gives zeros.
pub(crate) type Gradients<'a, T> = Option<(Weight<'a, T>, &'a mut [T])>;

impl<T: Number> Weight<'_, T> {
    #[inline]
    fn of(&self, row: usize) -> T {
        match self {
            Self::All(weight) => *weight,
            Self::Each(weights) => weights[row],
        }
    }
}

/// The losses and the gradients, as far as they are asked for, of rows of `n` scores.
pub(crate) fn cross_entropy<T: Number>(
    scores: &[T],
    labels: &[T],
    n: usize,
    losses: Losses<'_, T>,
    gradients: Gradients<'_, T>,
) {
    if n > FEW {
        return rows::long(scores, labels, n, losses, gradients);
    }
    if !labels.is_empty() {
        Level::best().run_lanes(Narrow { scores, labels, n, losses, gradients });
    }
}

/// Short rows, a block at a time.
struct Narrow<'a, T> {
    scores: &'a [T],
    labels: &'a [T],
    n: usize,
    losses: Losses<'a, T>,
    gradients: Gradients<'a, T>,
}

impl<T: Number> LaneKernel<T> for Narrow<'_, T> {
    #[inline(always)]
    unsafe fn run<L: Lanes<T>>(self) {
        // With a length that is known, the columns of a block are registers, or as many arrays as there are classes.
        // SAFETY: the caller promises the set of the lanes.
        unsafe {
            match self.n {
                n if L::PLAIN => self.blocks::<L, FEW, false>(n),
                2 => self.blocks::<L, 2, true>(2),
                3 => self.blocks::<L, 3, true>(3),
                4 => self.blocks::<L, 4, true>(4),
                10 => self.blocks::<L, 10, true>(10),
                n if n < LANES => self.blocks::<L, { LANES - 1 }, false>(n),
                n => self.blocks::<L, FEW, false>(n),
            }
        }
    }
}

impl<T: Number> Narrow<'_, T> {
    /// Rows of `n` classes, at most `N`, or just those if they are known: the compiler transposes them then.
    ///
    /// # Safety
    /// The CPU has the set of the lanes.
    #[inline(always)]
    unsafe fn blocks<L: Lanes<T>, const N: usize, const KNOWN: bool>(self, n: usize) {
        let Self { scores, labels, mut losses, mut gradients, .. } = self;
        // Class after class; rows that are not there are zero.
        let mut e = [[T::ZERO; LANES]; N];
        for (block, labels) in labels.chunks(LANES).enumerate() {
            let (first, rows) = (block * LANES, labels.len());
            if n >= LANES && rows < FEWEST {
                for row in first..first + rows {
                    let label = labels[row - first].to_index() as usize;
                    let gradient = gradients.as_mut().map(|(weight, out)| (weight.of(row), &mut out[row * n..][..n]));
                    // SAFETY: the caller promises the set of the lanes.
                    let loss = unsafe { rows::row::<T, L>(&scores[row * n..][..n], label, gradient) };
                    losses.add(row, loss, row - first);
                }
                continue;
            }
            // SAFETY: the caller promises the set of the lanes.
            let label = unsafe { padded::<T, L>(labels) };
            let there = &scores[first * n..][..rows * n];
            if rows < LANES {
                e[..n].fill([T::ZERO; LANES]);
            }
            if KNOWN {
                turn(there, &mut e[..n]);
            } else {
                transpose(there, n, (rows, n), e.as_flattened_mut(), LANES);
            }
            let weight = gradients.as_ref().map(|(weights, _)| match weights {
                Weight::All(weight) => [*weight; LANES],
                // SAFETY: as above.
                Weight::Each(weights) => unsafe { padded::<T, L>(&weights[first..][..rows]) },
            });
            let asked = !matches!(losses, Losses::Dropped);
            // SAFETY: the caller promises the set of the lanes.
            let loss = unsafe {
                let width = rows.next_multiple_of(L::COUNT);
                of_columns::<T, L>(&mut e[..n], &label, weight.as_ref(), asked, width)
            };
            if let Some((_, out)) = &mut gradients {
                let out = &mut out[first * n..][..rows * n];
                if KNOWN {
                    turn_back(&e[..n], out);
                } else {
                    transpose(e.as_flattened(), LANES, (n, rows), out, n);
                }
            }
            if let Some(loss) = loss {
                match &mut losses {
                    Losses::Dropped => {}
                    Losses::Each(each) => each[first..][..rows].copy_from_slice(&loss[..rows]),
                    // SAFETY: the caller promises the set of the lanes.
                    Losses::Sum(sums) => unsafe { sums.add::<T, L>(&loss, rows) },
                }
            }
        }
    }
}

/// A block of up to `width` rows of scores, class after class: their losses, if they are asked for, and in place of the scores,
/// if there is a weight, the gradients. The width is a whole number of vectors.
///
/// # Safety
/// The CPU has the set of the lanes.
#[inline(always)]
pub(super) unsafe fn of_columns<T: Number, L: Lanes<T>>(
    e: &mut [[T; LANES]],
    label: &[T; LANES],
    weight: Option<&[T; LANES]>,
    losses: bool,
    width: usize,
) -> Option<[T; LANES]> {
    debug_assert!(width.is_multiple_of(L::COUNT) && width <= LANES, "of_columns: {width} rows");
    let (mut at_label, mut sum, mut rest) = ([T::ZERO; LANES], [T::ZERO; LANES], [T::ZERO; LANES]);
    // SAFETY: the caller promises the set; vectors lie within the arrays, whose length is a multiple of theirs.
    unsafe {
        let all = L::first(L::COUNT);
        let load = |x: &[T; LANES], v: usize| L::load(x.as_ptr().add(v), all);
        for v in (0..width).step_by(L::COUNT) {
            let mut top = load(&e[0], v);
            for e in &e[1..] {
                // A NaN that this loses comes back with the exponentials.
                top = L::larger(top, load(e, v));
            }
            let label = load(label, v);
            let zero = L::splat(T::ZERO);
            let (mut found, mut total, mut others) = (zero, zero, zero);
            for (j, e) in e.iter_mut().enumerate() {
                let class = L::splat(T::from_index(j as i64));
                let shifted = L::sub(load(e, v), top);
                found = L::choose(label, class, shifted, found);
                let exp = T::exp_of_shifted::<L>(shifted);
                total = L::add(total, exp);
                others = L::add(others, L::choose(label, class, zero, exp));
                L::store(e.as_mut_ptr().add(v), all, exp);
            }
            if e.len() >= LANES {
                [total, others] = in_lanes::<T, L>(e, label, v);
            }
            L::store(at_label.as_mut_ptr().add(v), all, found);
            L::store(sum.as_mut_ptr().add(v), all, total);
            L::store(rest.as_mut_ptr().add(v), all, others);
        }
        for v in (0..width).step_by(L::COUNT) {
            let (label, zero) = (load(label, v), L::splat(T::ZERO));
            let (total, others) = (load(&sum, v), load(&rest, v));
            // Where the label has the largest score, the others are the rest of the sum.
            let known = L::choose(load(&at_label, v), zero, others, total);
            L::store(rest.as_mut_ptr().add(v), all, known);
            let Some(weight) = weight else { continue };
            let weight = load(weight, v);
            // One division serves all classes, as in the softmax. `P − 1` is minus the sum of the others: it does not cancel.
            let share = L::div(L::splat(T::ONE), total);
            let truth = L::sub(zero, L::mul(others, share));
            for (j, e) in e.iter_mut().enumerate() {
                let class = L::splat(T::from_index(j as i64));
                let gradient = L::mul(L::choose(label, class, truth, L::mul(load(e, v), share)), weight);
                L::store(e.as_mut_ptr().add(v), all, L::unless_zero(gradient, weight));
            }
        }
        if !losses {
            return None;
        }
        let mut loss = sum;
        // A loop of constant length becomes vectors.
        let chunks = loss.as_chunks_mut::<{ LANES / 2 }>().0.iter_mut().zip(rest.as_chunks::<{ LANES / 2 }>().0);
        for (x, rest) in chunks.take(width.div_ceil(LANES / 2)) {
            for i in 0..LANES / 2 {
                x[i] = T::ln_of_sum(x[i], rest[i]);
            }
        }
        for v in (0..width).step_by(L::COUNT) {
            L::store(loss.as_mut_ptr().add(v), all, L::sub(load(&loss, v), load(&at_label, v)));
        }
        Some(loss)
    }
}

/// The sums of exponentials, from row `v` on, and of those without the label, in the order of neighbours: there is a lane's worth or more.
///
/// # Safety
/// The CPU has the set of the lanes; a vector of rows starts there.
#[inline(always)]
unsafe fn in_lanes<T: Number, L: Lanes<T>>(e: &[[T; LANES]], label: L::Vector, v: usize) -> [L::Vector; 2] {
    let whole = e.len() / LANES * LANES;
    // SAFETY: the caller promises the set and the vector; classes are counted to the last.
    unsafe {
        let zero = L::splat(T::ZERO);
        let mut halves = [[zero; 2]; LANES / 2];
        for (i, half) in halves.iter_mut().enumerate() {
            let (mut low, mut high) = ([zero; 2], [zero; 2]);
            for first in (0..whole).step_by(LANES) {
                low = with_class::<T, L>(low, e, label, first + i, v);
                high = with_class::<T, L>(high, e, label, first + i + LANES / 2, v);
            }
            *half = [L::add(low[0], high[0]), L::add(low[1], high[1])];
        }
        for width in [LANES / 4, LANES / 8, LANES / 16] {
            for i in 0..width {
                let ([low, below], [high, above]) = (halves[i], halves[i + width]);
                halves[i] = [L::add(low, high), L::add(below, above)];
            }
        }
        let mut sums = halves[0];
        for j in whole..e.len() {
            sums = with_class::<T, L>(sums, e, label, j, v);
        }
        sums
    }
}

/// These sums, and the exponentials of a class, which the second one takes unless it is the label.
///
/// # Safety
/// As of [`in_lanes`].
#[inline(always)]
unsafe fn with_class<T: Number, L: Lanes<T>>(
    [all, others]: [L::Vector; 2],
    e: &[[T; LANES]],
    label: L::Vector,
    j: usize,
    v: usize,
) -> [L::Vector; 2] {
    // SAFETY: the caller promises the set and the vector.
    unsafe {
        let (e, class) = (L::load(e[j].as_ptr().add(v), L::first(L::COUNT)), L::splat(T::from_index(j as i64)));
        [L::add(all, e), L::add(others, L::choose(label, class, L::splat(T::ZERO), e))]
    }
}

/// A block's numbers, followed by zeros where there are fewer than the block has rows.
///
/// # Safety
/// The CPU has the set of the lanes.
#[inline(always)]
pub(super) unsafe fn padded<T: Number, L: Lanes<T>>(some: &[T]) -> [T; LANES] {
    let mut all = [T::ZERO; LANES];
    for v in (0..LANES).step_by(L::COUNT) {
        // SAFETY: the caller promises the set; masks end with the numbers, and the array is a whole number of vectors.
        unsafe {
            let there = L::load(some.as_ptr().wrapping_add(v), L::first(some.len().saturating_sub(v)));
            L::store(all.as_mut_ptr().add(v), L::first(L::COUNT), there);
        }
    }
    all
}

/// A block of rows as columns. A whole block has a known length, so that the compiler transposes it in registers.
#[inline(always)]
fn turn<T: Copy>(rows: &[T], columns: &mut [[T; LANES]]) {
    let n = columns.len();
    if rows.len() == LANES * n {
        for (j, column) in columns.iter_mut().enumerate() {
            for r in 0..LANES {
                column[r] = rows[r * n + j];
            }
        }
    } else {
        for (r, row) in rows.chunks_exact(n).enumerate() {
            for j in 0..n {
                columns[j][r] = row[j];
            }
        }
    }
}

/// The columns of a block as rows.
#[inline(always)]
fn turn_back<T: Copy>(columns: &[[T; LANES]], rows: &mut [T]) {
    let n = columns.len();
    if rows.len() == LANES * n {
        for (j, column) in columns.iter().enumerate() {
            for r in 0..LANES {
                rows[r * n + j] = column[r];
            }
        }
    } else {
        for (r, row) in rows.chunks_exact_mut(n).enumerate() {
            for j in 0..n {
                row[j] = columns[j][r];
            }
        }
    }
}
