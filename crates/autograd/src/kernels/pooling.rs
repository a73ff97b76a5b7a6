//! Largest elements of windows that move over planes.

use super::extreme::wins;
use super::map::{LANES, level};
use crate::number::Number;
use crate::number::elementary::select;
use crate::number::level::Kernel;
use crate::tensor::memory::{OutOfMemory, collected};
use std::ops::Range;

/// Windows that move over planes of `h · w` elements, beyond their borders too. Each holds some element of the plane.
#[derive(Clone, Copy)]
pub(crate) struct Windows {
    pub(crate) plane: [usize; 2],
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) padding: [usize; 2],
    /// How many there are.
    pub(crate) places: [usize; 2],
}

impl Windows {
    /// What a window takes of an axis of the plane.
    fn within(&self, axis: usize, place: usize) -> Range<usize> {
        let (start, padding) = (place * self.stride[axis], self.padding[axis]);
        let end = start.saturating_add(self.kernel[axis]).saturating_sub(padding).min(self.plane[axis]);
        start.saturating_sub(padding)..end
    }

    /// Most of an axis that a window takes.
    fn most(&self, axis: usize) -> usize {
        (0..self.places[axis]).map(|place| self.within(axis, place).len()).max().unwrap_or(0)
    }

    /// The places along an axis of so many windows at once, block after block, as distances in the plane. Windows that take less
    /// repeat their last place, and those behind the last window do as it does.
    fn places_of_blocks(&self, axis: usize, most: usize) -> Result<Vec<[usize; LANES]>, OutOfMemory> {
        let [rows, columns] = self.places;
        let apart = [self.plane[1], 1][axis];
        let place = |block: usize, step: usize, lane: usize| {
            let window = (block * LANES + lane).min(rows * columns - 1);
            let within = self.within(axis, [window / columns, window % columns][axis]);
            (within.start + step).min(within.end - 1) * apart
        };
        let blocks = (rows * columns).div_ceil(LANES);
        let lanes = |k: usize| std::array::from_fn(|lane| place(k / most, k % most, lane));
        collected(blocks * most, (0..blocks * most).map(lanes))
    }
}

/// Where in its plane the largest element of each window stands: the first of equal ones, a NaN before all. What lies beyond
/// the border is no element.
///
/// # Errors
/// Where there is no memory for the places of the windows.
pub(crate) fn largest_in_windows<T: Number>(x: &[T], windows: Windows, out: &mut [T]) -> Result<(), OutOfMemory> {
    if out.is_empty() {
        return Ok(());
    }
    let most = [0, 1].map(|axis| windows.most(axis));
    let [down, right] = [0, 1].map(|axis| windows.places_of_blocks(axis, most[axis]));
    let (down, right) = (&down?[..], &right?[..]);
    level(x.len()).run(Largest { x, windows, most, down, right, out });
    Ok(())
}

struct Largest<'a, T> {
    x: &'a [T],
    windows: Windows,
    most: [usize; 2],
    /// Where the rows of the windows of each block begin, and their columns.
    down: &'a [[usize; LANES]],
    right: &'a [[usize; LANES]],
    out: &'a mut [T],
}

impl<T: Number> Kernel for Largest<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { x, windows: Windows { plane: [h, w], places: [rows, columns], .. }, most, down, right, out } = self;
        for (plane, out) in x.chunks_exact(h * w).zip(out.chunks_exact_mut(rows * columns)) {
            let blocks = down.chunks_exact(most[0]).zip(right.chunks_exact(most[1]));
            for (out, (down, right)) in out.chunks_mut(LANES).zip(blocks) {
                let (mut best, mut at) = ([-T::INFINITY; LANES], [T::from_index(0); LANES]);
                // The places that a window repeats hold what it has, and so do not win.
                for k in 0..LANES {
                    at[k] = T::from_index((down[0][k] + right[0][k]) as i64);
                }
                for down in down {
                    for right in right {
                        // First all reads, whose checks would keep the comparisons from going in vectors.
                        let (mut x, mut places) = ([T::ZERO; LANES], [T::ZERO; LANES]);
                        for k in 0..LANES {
                            x[k] = plane[down[k] + right[k]];
                            places[k] = T::from_index((down[k] + right[k]) as i64);
                        }
                        for k in 0..LANES {
                            at[k] = select(wins(x[k], best[k], |a, b| a > b), places[k], at[k]);
                            best[k] = best[k].larger(x[k]);
                        }
                    }
                }
                out.copy_from_slice(&at[..out.len()]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::level::tests::at_every_level;

    /// What is meant, element by element.
    fn meant<T: Number>(x: &[T], windows: Windows) -> Vec<i64> {
        let Windows { plane: [h, w], kernel, stride, padding, places } = windows;
        let largest = |plane: &[T], window: usize| {
            let [top, left] = [window / places[1] * stride[0], window % places[1] * stride[1]];
            let mut best: Option<(T, usize)> = None;
            for i in (top..top + kernel[0]).filter(|&i| (padding[0]..padding[0] + h).contains(&i)) {
                for j in (left..left + kernel[1]).filter(|&j| (padding[1]..padding[1] + w).contains(&j)) {
                    let place = (i - padding[0]) * w + j - padding[1];
                    if best.is_none_or(|(most, _)| wins(plane[place], most, |a, b| a > b)) {
                        best = Some((plane[place], place));
                    }
                }
            }
            best.map_or(-1, |(_, place)| place as i64)
        };
        x.chunks_exact(h * w).flat_map(|plane| (0..places[0] * places[1]).map(move |k| largest(plane, k))).collect()
    }

    fn check<T: Number>(windows: Windows) {
        let [h, w] = windows.plane;
        // Few values, so that many are equal; some are −∞ and NaN.
        let value = |i: usize| match i * i * 7 % 31 {
            3 => T::NAN,
            5 | 8 => -T::INFINITY,
            k => T::of((k % 5) as f64 - 2.0),
        };
        let x: Vec<T> = (0..3 * h * w).map(value).collect();
        let mut places = vec![T::ZERO; 3 * windows.places[0] * windows.places[1]];
        largest_in_windows(&x, windows, &mut places).expect("there is memory");
        let places: Vec<i64> = places.iter().map(|place| place.to_index()).collect();
        assert_eq!(places, meant(&x, windows), "{:?} in steps of {:?}", windows.kernel, windows.stride);
    }

    #[test]
    fn the_largest_of_windows_of_every_size_step_and_padding_are_found_at_every_level() {
        at_every_level(|_| {
            for plane in [[1, 1], [1, 5], [5, 4], [8, 8], [7, 40]] {
                for (kernel, stride, padding) in [
                    ([1, 1], [1, 1], [0, 0]),
                    ([2, 2], [2, 2], [1, 1]),
                    ([3, 2], [1, 3], [1, 0]),
                    ([1, 4], [2, 1], [0, 2]),
                    ([5, 5], [1, 1], [2, 2]),
                ] {
                    let beyond = |axis: usize| {
                        let room = plane[axis] + 2 * padding[axis];
                        (room >= kernel[axis]).then(|| (room - kernel[axis]) / stride[axis] + 1)
                    };
                    let [Some(rows), Some(columns)] = [beyond(0), beyond(1)] else { continue };
                    let windows = Windows { plane, kernel, stride, padding, places: [rows, columns] };
                    check::<f32>(windows);
                    check::<f64>(windows);
                }
            }
        });
    }

    #[test]
    fn a_window_may_reach_beyond_the_padding() {
        let windows = Windows { plane: [3, 3], kernel: [2, 2], stride: [2, 2], padding: [0, 0], places: [2, 2] };
        check::<f32>(windows);
        check::<f64>(windows);
    }
}
