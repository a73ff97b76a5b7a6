//! A step of gradient descent that touches no more than the rows which were read.

use super::lists::Lists;
use super::put::{MANY, WIDE, each_of_row};
use crate::kernels::map::level;
use crate::number::Number;
use crate::number::level::Kernel;

/// `out[r, i] −= rate · Σ y[j, i]` over the rows that fall on place `r`, added up as [`put`](super::put::put) does: a step of gradient descent of what
/// [`take`](super::take) read rows of. Rows that nothing falls on are left as they are, where taking 0 times the rate away does that.
pub(crate) fn descend<T: Number>(y: &[T], index: &[T], inner: usize, rate: T, out: &mut [T]) {
    let (n, size) = (index.len(), out.len() / inner);
    assert!(u32::try_from(n).is_ok() && y.len() == n * inner, "descend: {n} indices of rows of {inner}");
    level(y.len()).run(Descend { y, lists: Lists::new(index, size), inner, rate, out });
}

struct Descend<'a, T> {
    y: &'a [T],
    lists: Lists,
    inner: usize,
    rate: T,
    out: &'a mut [T],
}

impl<T: Number> Kernel for Descend<'_, T> {
    type Output = ();
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) {
        let Self { y, lists, inner, rate, out } = self;
        let nothing = T::ZERO * rate;
        let (mut sums, mut wide) = ([T::ZERO; WIDE], [0.0_f64; WIDE]);
        for (r, out) in out.chunks_exact_mut(inner).enumerate() {
            let Some(first) = lists.first(r) else {
                if !nothing.same_bits(T::ZERO) {
                    for out in out.iter_mut() {
                        *out -= nothing;
                    }
                }
                continue;
            };
            for (part, out) in out.chunks_mut(WIDE).enumerate() {
                let (sums, wide) = (&mut sums[..out.len()], &mut wide[..out.len()]);
                sums.fill(T::ZERO);
                wide.fill(0.0);
                let mut next = Some(first);
                while let Some(j) = next {
                    let y = &y[j * inner + part * WIDE..][..out.len()];
                    if lists.count() > MANY {
                        each_of_row(wide, y, |sum, y| sum + y.to_f64());
                    } else {
                        each_of_row(sums, y, |sum, y| sum + y);
                    }
                    next = lists.after(j);
                }
                if lists.count() > MANY {
                    each_of_row(out, wide, |out, sum| out - T::of(sum) * rate);
                } else {
                    each_of_row(out, sums, |out, sum| out - sum * rate);
                }
            }
        }
    }
}
