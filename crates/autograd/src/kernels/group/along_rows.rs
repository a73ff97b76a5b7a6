//! Operations along rows as tasks.
#![expect(unsafe_code, reason = "operands and results are found by pointers")]

use super::{PerRow, RowOp};
use crate::kernels::place::Place;
use crate::number::Number;
use smallvec::SmallVec;

/// # Safety
/// `at` gives pointers to so many rows of the operands and of the results, which overlap nothing else, and nobody else uses them.
#[inline(never)]
pub(super) unsafe fn along_rows<T: Number>(
    op: &dyn RowOp<T>,
    args: &[PerRow],
    outs: &[PerRow],
    rows: usize,
    at: impl Fn(Place) -> *mut T,
) {
    // SAFETY: as the caller promises.
    let arg =
        |&(place, per_row): &PerRow| unsafe { std::slice::from_raw_parts(at(place).cast_const(), per_row * rows) };
    let args: SmallVec<[&[T]; 3]> = args.iter().map(arg).collect();
    let out = |k: usize| match outs.get(k) {
        // SAFETY: as the caller promises.
        Some(&(place, per_row)) => unsafe { std::slice::from_raw_parts_mut(at(place), per_row * rows) },
        None => &mut [],
    };
    op.run(rows, &args, out(0), out(1));
}
