//! Rows one after the other: long ones, and a few of 16 classes or more, with the bits that they have as lanes beside others.
#![expect(unsafe_code, reason = "vectors by hand may run only where the CPU has them")]

use super::{FEW, Gradients, Losses};
use crate::kernels::reduce::block;
use crate::kernels::softmax::{Ask, Rows, exponentials, largest_number};
use crate::number::Number;
use crate::number::lanes::Lanes;

/// Long rows.
pub(super) fn long<T: Number>(
    scores: &[T],
    labels: &[T],
    n: usize,
    mut losses: Losses<'_, T>,
    gradients: Gradients<'_, T>,
) {
    let label = |row: usize| labels[row].to_index() as usize;
    let ask = if matches!(losses, Losses::Dropped) { Ask::Others } else { Ask::Log };
    let (weight, out) = gradients.map_or((None, &mut [][..]), |(weight, out)| (Some(weight), out));
    exponentials(Rows::new(scores, n), out, ask, false, &mut |row, top, (sum, log_sum), out| {
        let label = label(row.index);
        let loss = log_sum - (scores[row.start..][..n][label] - top);
        losses.add(row.index, loss, 0);
        let Some(weight) = weight.map(|weight| weight.of(row.index)) else { return };
        let out = &mut out[row.start..][..n];
        if weight == T::ZERO {
            return out.fill(T::ZERO);
        }
        let share = T::ONE / sum.all;
        let e = out[label];
        // Where the label is the likely class, `P − 1` from the others does not cancel.
        let truth = if e == T::ONE && sum.has_one_top() { -(sum.others * share) } else { e * share - T::ONE } * weight;
        for e in &mut *out {
            *e = *e * share * weight;
        }
        out[label] = truth;
    });
}

/// The loss of a row of up to [`FEW`] classes; its gradient goes to where there is one, times a weight.
///
/// # Safety
/// The CPU has the set of the lanes.
#[inline(always)]
pub(super) unsafe fn row<T: Number, L: Lanes<T>>(scores: &[T], label: usize, gradient: Option<(T, &mut [T])>) -> T {
    let n = scores.len();
    // Where one is NaN, all is, whatever the largest of the others may be.
    // SAFETY: the caller promises the set.
    let top = unsafe { largest_number::<T, L>(scores) };
    let at_label = scores[label] - top;
    let mut e = [T::ZERO; FEW];
    for from in (0..n).step_by(L::COUNT) {
        // SAFETY: the caller promises the set; the mask ends with the row, and the array has room for whole vectors.
        unsafe {
            let shifted = L::sub(L::load(scores.as_ptr().add(from), L::first(n - from)), L::splat(top));
            L::store(e.as_mut_ptr().add(from), L::first(L::COUNT), T::exp_of_shifted::<L>(shifted));
        }
    }
    // SAFETY: as above. (A closure would be compiled apart, without the set.)
    let total = unsafe { block::<T, L, false>(&e[..n]) };
    let likelihood = std::mem::replace(&mut e[label], T::ZERO);
    // SAFETY: as above.
    let others = unsafe { block::<T, L, false>(&e[..n]) };
    e[label] = likelihood;
    if let Some((weight, out)) = gradient {
        let share = T::ONE / total;
        if weight == T::ZERO {
            out.fill(T::ZERO);
        } else {
            for (out, &e) in out.iter_mut().zip(&e) {
                *out = e * share * weight;
            }
            out[label] = (T::ZERO - others * share) * weight;
        }
    }
    T::ln_of_sum(total, if at_label == T::ZERO { others } else { total }) - at_label
}
