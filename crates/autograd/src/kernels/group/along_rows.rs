//! Operations along rows as tasks.
#![expect(unsafe_code, reason = "operands and results are found by pointers")]

use super::{OfRows, RowOp};
use crate::kernels::place::Place;
use crate::number::Number;
use smallvec::SmallVec;

/// # Safety
/// `at` gives pointers to so many rows of the operands and of the results, which overlap nothing else, and nobody else uses them.
#[inline(never)]
pub(super) unsafe fn along_rows<T: Number>(
    op: &dyn RowOp<T>,
    args: &[OfRows],
    outs: &[OfRows],
    rows: usize,
    at: impl Fn(Place) -> *mut T,
) {
    let arg = |arg: &OfRows| {
        let (place, len) = arg.of(rows);
        // SAFETY: as the caller promises.
        unsafe { std::slice::from_raw_parts(at(place).cast_const(), len) }
    };
    let args: SmallVec<[&[T]; 3]> = args.iter().map(arg).collect();
    let out = |k: usize| {
        let Some((place, len)) = outs.get(k).map(|out| out.of(rows)) else { return &mut [][..] };
        // SAFETY: as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(at(place), len) }
    };
    op.run(rows, &args, out(0), out(1));
}
