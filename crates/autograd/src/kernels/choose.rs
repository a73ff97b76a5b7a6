//! A choice between two operands by a third, with NumPy broadcasting through strides of 0.

use super::map::{LANES, level};
use super::strided::{Dim, Odometer, collapse};
use crate::number::Number;
use crate::number::level::Kernel;

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
            let from = at.offsets();
            let (blocks, rest) = row.as_chunks_mut::<LANES>();
            let first = LANES * blocks.len();
            for (k, block) in blocks.iter_mut().enumerate() {
                let at = |j: usize| &args[j][from[j] + k * LANES * steps[j]..];
                let mask = lanes(at(0), steps[0]);
                let (a, b) = (lanes(at(1), steps[1]), lanes(at(2), steps[2]));
                for i in 0..LANES {
                    block[i] = if mask[i] == T::ZERO { b[i] } else { a[i] };
                }
            }
            for (i, o) in (first..).zip(rest) {
                let [mask, a, b] = [0, 1, 2].map(|j| args[j][from[j] + i * steps[j]]);
                *o = if mask == T::ZERO { b } else { a };
            }
            at.step();
        }
    }
}

/// The first elements, one number for all, or some that are apart.
#[inline(always)]
fn lanes<T: Number>(x: &[T], step: usize) -> [T; LANES] {
    match step {
        0 => [x[0]; LANES],
        1 => *x.first_chunk().expect("a vector lies within a row"),
        step => {
            let mut y = [T::ZERO; LANES];
            for i in 0..LANES {
                y[i] = x[i * step];
            }
            y
        }
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
