//! Elements that lie a few apart: columns of narrow matrices, every second element, rows from the back. Up to four apart, vectors
//! are read and written with all that lies between, and the compiler knows how to pick from them.

use super::map::level;
use crate::number::Number;
use crate::number::level::Kernel;

/// `out[i] = x[start + i · step]`
pub(super) fn read<T: Number>(x: &[T], start: usize, step: isize, out: &mut [T]) {
    let Some(last) = out.len().checked_sub(1) else { return };
    let (end, level) = (start.wrapping_add_signed(step * last as isize), level(out.len()));
    match step {
        -1 => level.run(Back { x: &x[end..=start], out }),
        2 => level.run(Read::<T, 2> { x: &x[start..=end], out }),
        3 => level.run(Read::<T, 3> { x: &x[start..=end], out }),
        4 => level.run(Read::<T, 4> { x: &x[start..=end], out }),
        _ => (0..).zip(out).for_each(|(i, out)| *out = x[start.wrapping_add_signed(step * i)]),
    }
}

struct Back<'a, T> {
    x: &'a [T],
    out: &'a mut [T],
}

impl<T: Number> Kernel for Back<'_, T> {
    type Output = ();
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) {
        self.out.iter_mut().zip(self.x.iter().rev()).for_each(|(out, &x)| *out = x);
    }
}

/// The first of every `N` elements.
struct Read<'a, T, const N: usize> {
    x: &'a [T],
    out: &'a mut [T],
}

impl<T: Number, const N: usize> Kernel for Read<'_, T, N> {
    type Output = ();
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) {
        pick::<T, N>(self.x, 0, self.out);
        // Behind the last one there need be no others.
        if let ([.., out], [.., x]) = (self.out, self.x) {
            *out = *x;
        }
    }
}

/// The `k`-th of every `N` elements, as many as are whole.
#[inline(always)]
pub(super) fn pick<T: Number, const N: usize>(x: &[T], k: usize, out: &mut [T]) {
    for (out, x) in out.iter_mut().zip(x.as_chunks::<N>().0) {
        *out = x[k];
    }
}

/// The elements of columns of one length in turn, if these are two to four.
pub(super) fn join<T: Number>(columns: &[&[T]], out: &mut [T]) -> bool {
    let level = level(out.len());
    match *columns {
        [a, b] => level.run(Join { columns: [a, b], out }),
        [a, b, c] => level.run(Join { columns: [a, b, c], out }),
        [a, b, c, d] => level.run(Join { columns: [a, b, c, d], out }),
        _ => return false,
    }
    true
}

struct Join<'a, T, const N: usize> {
    columns: [&'a [T]; N],
    out: &'a mut [T],
}

impl<T: Number, const N: usize> Kernel for Join<'_, T, N> {
    type Output = ();
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) {
        in_turn(self.columns, self.out);
    }
}

/// The elements of columns in turn.
#[inline(always)]
pub(super) fn in_turn<T: Number, const N: usize>(columns: [&[T]; N], out: &mut [T]) {
    let (out, _) = out.as_chunks_mut::<N>();
    let columns = columns.map(|column| &column[..out.len()]);
    for (i, out) in out.iter_mut().enumerate() {
        for k in 0..N {
            out[k] = columns[k][i];
        }
    }
}

/// Whether [`space`] has vectors for this step.
pub(super) fn can_space(step: isize) -> bool {
    (2..=4).contains(&step)
}

/// `out[i · step] = x[i]`, or as a sum with 0, and zeros between, up to the last one. A zero that is no sum keeps its sign.
pub(super) fn space<T: Number>(x: &[T], step: isize, is_sum: bool, out: &mut [T]) {
    let level = level(x.len());
    match step {
        2 => level.run(Space::<T, 2> { x, is_sum, out }),
        3 => level.run(Space::<T, 3> { x, is_sum, out }),
        4 => level.run(Space::<T, 4> { x, is_sum, out }),
        _ => unreachable!("asked before"),
    }
}

struct Space<'a, T, const N: usize> {
    x: &'a [T],
    is_sum: bool,
    out: &'a mut [T],
}

impl<T: Number, const N: usize> Kernel for Space<'_, T, N> {
    type Output = ();
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) {
        let Self { x, is_sum, out } = self;
        // It is −0 that leaves a zero its sign.
        let zero = if is_sum { T::ZERO } else { -T::ZERO };
        for (out, &x) in out.as_chunks_mut::<N>().0.iter_mut().zip(x) {
            *out = [T::ZERO; N];
            out[0] = x + zero;
        }
        if let ([.., last], [.., out]) = (x, out) {
            *out = *last + zero;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::level::tests::at_every_level;

    const LENGTHS: [usize; 7] = [1, 2, 3, 16, 63, 64, 201];

    fn numbers(n: usize) -> Vec<f32> {
        (0..n).map(|i| if i % 5 == 0 { -0.0 } else { i as f32 }).collect()
    }

    fn bits(x: &[f32]) -> Vec<u32> {
        x.iter().map(|x| x.to_bits()).collect()
    }

    #[test]
    fn elements_a_few_apart_are_read() {
        for n in LENGTHS {
            for step in [-5, -2, -1, 1, 2, 3, 4, 5_isize] {
                let x = numbers(5 * n + 2);
                let start = if step < 0 { x.len() - 1 } else { x.len() - 1 - (n - 1) * step as usize };
                let want: Vec<f32> = (0..n as isize).map(|i| x[start.wrapping_add_signed(i * step)]).collect();
                at_every_level(|level| {
                    let mut out = vec![f32::NAN; n];
                    read(&x, start, step, &mut out);
                    assert_eq!(bits(&out), bits(&want), "{n} by {step}, {level:?}");
                });
            }
        }
    }

    #[test]
    fn columns_are_joined_and_elements_spaced() {
        for n in LENGTHS {
            for width in 2..=4 {
                let x = numbers(n * width);
                let columns: Vec<&[f32]> = x.chunks_exact(n).collect();
                let want: Vec<f32> = (0..x.len()).map(|i| columns[i % width][i / width]).collect();
                at_every_level(|level| {
                    let mut out = vec![f32::NAN; x.len()];
                    assert!(join(&columns, &mut out));
                    assert_eq!(bits(&out), bits(&want), "{n} by {width}, {level:?}");
                    for is_sum in [false, true] {
                        let mut out = vec![f32::NAN; (n - 1) * width + 1];
                        space(columns[0], width as isize, is_sum, &mut out);
                        let element = |i: usize| if is_sum { 0.0 + columns[0][i] } else { columns[0][i] };
                        let spaced = |i: usize| if i.is_multiple_of(width) { element(i / width) } else { 0.0 };
                        let want: Vec<f32> = (0..out.len()).map(spaced).collect();
                        assert_eq!(bits(&out), bits(&want), "{n} by {width}, {is_sum}, {level:?}");
                    }
                });
            }
        }
    }
}
