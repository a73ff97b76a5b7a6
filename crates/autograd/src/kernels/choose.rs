//! A choice between two operands by a third, with NumPy broadcasting through strides of 0.

use super::map::{copy, level};
use super::strided::{Dim, Odometer, collapse};
use crate::number::Number;
use crate::number::elementary::select;
use crate::number::level::Kernel;
use std::iter::repeat;

/// `out[i] = mask[i] != 0 ? a[i] : b[i]`, all three broadcast to `sizes` by their strides.
pub(crate) fn choose<T: Number>(sizes: &[usize], args: [(&[T], &[usize]); 3], out: &mut [T]) {
    let mut outer = collapse(sizes, args.map(|(_, strides)| strides));
    let (len, steps) = outer.pop().unwrap_or((1, [0; 3]));
    let args = args.map(|(data, _)| data);
    level(out.len()).run(Choose { args, len, steps, outer: &outer, out });
}

struct Choose<'a, T> {
    args: [&'a [T]; 3],
    /// Elements of a row, and what an operand goes on by from one to the next.
    len: usize,
    steps: [usize; 3],
    outer: &'a [Dim<usize, 3>],
    out: &'a mut [T],
}

impl<T: Number> Kernel for Choose<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { args, len, steps, outer, out } = self;
        let mut at = Odometer::new(outer);
        for row in out.chunks_exact_mut(len.max(1)) {
            let [m, a, b] = at.offsets();
            match steps {
                [1, 1, 1] => row_of(row, &args[0][m..m + len], args[1][a..a + len].iter(), args[2][b..b + len].iter()),
                [1, 1, 0] => row_of(row, &args[0][m..m + len], args[1][a..a + len].iter(), repeat(&args[2][b])),
                [1, 0, 1] => row_of(row, &args[0][m..m + len], repeat(&args[1][a]), args[2][b..b + len].iter()),
                [1, 0, 0] => row_of(row, &args[0][m..m + len], repeat(&args[1][a]), repeat(&args[2][b])),
                // One choice for the whole row.
                [0, sa @ (0 | 1), sb @ (0 | 1)] => {
                    let chosen = if args[0][m] == T::ZERO { (&args[2][b..], sb) } else { (&args[1][a..], sa) };
                    match chosen {
                        (of, 0) => row.fill(of[0]),
                        (of, _) => copy(&of[..len], row),
                    }
                }
                [sm, sa, sb] => {
                    for (i, o) in row.iter_mut().enumerate() {
                        let [mask, a, b] = [args[0][m + i * sm], args[1][a + i * sa], args[2][b + i * sb]];
                        *o = if mask == T::ZERO { b } else { a };
                    }
                }
            }
            at.step();
        }
    }
}

/// A row with a mask for each element.
#[inline(always)]
fn row_of<'a, T: Number>(row: &mut [T], mask: &[T], a: impl Iterator<Item = &'a T>, b: impl Iterator<Item = &'a T>) {
    for (((o, &mask), &a), &b) in row.iter_mut().zip(mask).zip(a).zip(b) {
        *o = select(mask == T::ZERO, b, a);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::level::tests::at_every_level;

    #[test]
    fn a_choice_broadcasts_by_strides_at_every_level() {
        let sizes = [5, 37];
        let data = |k: usize| -> Vec<f32> { (0..5 * 37).map(|i| ((i * (k + 3)) % 7) as f32 - 3.0).collect() };
        let (mask, a, b) = (data(0), data(1), data(2));
        let ways: [&[usize]; 5] = [&[37, 1], &[0, 1], &[1, 0], &[0, 0], &[1, 2]];
        at_every_level(|level| {
            for mask_strides in ways {
                for a_strides in ways {
                    for b_strides in ways {
                        let mut out = [f32::NAN; 5 * 37];
                        let args = [(&mask[..], mask_strides), (&a[..], a_strides), (&b[..], b_strides)];
                        choose(&sizes, args, &mut out);
                        for (i, &o) in out.iter().enumerate() {
                            let at = |strides: &[usize]| (i / 37) * strides[0] + (i % 37) * strides[1];
                            let want = if mask[at(mask_strides)] == 0.0 { b[at(b_strides)] } else { a[at(a_strides)] };
                            assert_eq!(o, want, "{mask_strides:?} {a_strides:?} {b_strides:?} at {level:?}");
                        }
                    }
                }
            }
        });
    }

    #[test]
    fn a_mask_of_nan_or_of_minus_zero_is_as_any_number() {
        let mut out = [0.0; 3];
        choose(&[3], [(&[f64::NAN, -0.0, 0.5], &[1]), (&[1.0], &[0]), (&[2.0], &[0])], &mut out);
        assert_eq!(out, [1.0, 2.0, 1.0]);
    }
}
