//! Parts of a result filled from an operand that is not read where it lies.

use super::super::apart;
use super::super::map::{LANES, copy, level};
use super::Window;
use crate::number::Number;
use crate::number::level::Kernel;
use smallvec::{SmallVec, smallvec};
use std::array::from_fn;

impl Window {
    /// Fills a part of the result from an element on.
    pub(crate) fn fill<T: Number>(&self, x: &[T], start: usize, out: &mut [T]) {
        level(out.len()).run(Filling { window: self, x, start, out });
    }

    /// Fills whole rows along the last dimension of them, which are all there or none, without a look at the others; how many elements, if
    /// these are several rows, of which the index then is that of the last.
    #[inline(always)]
    fn fill_rows<T: Number>(&self, x: &[T], masks: Option<&Masks>, index: &mut [usize], out: &mut [T]) -> usize {
        let (Some(dim), Some(&first)) = (self.outer.last(), index.last()) else { return 0 };
        let ends = [dim.from, dim.from + dim.count, dim.n].into_iter().find(|&end| end > first).unwrap_or(dim.n);
        let rows = (ends - first).min(out.len() / self.width);
        if rows < 2 {
            return 0;
        }
        match self.row(index) {
            None => out[..rows * self.width].fill(T::ZERO),
            Some(at) if self.len == self.width && !self.is_sum => {
                for (r, out) in out.chunks_exact_mut(self.width).take(rows).enumerate() {
                    copy_row(&x[at.wrapping_add_signed(r as isize * dim.stride)..][..self.width], out);
                }
            }
            Some(at) => self.put_rows(x, masks, (at, dim.stride, rows), out),
        }
        if let Some(i) = index.last_mut() {
            *i += rows - 1;
        }
        rows * self.width
    }

    /// Fills rows that are turned: all of them are one piece of the operand, but for the shorter part of each.
    #[inline(always)]
    fn fill_rolled<T: Number>(&self, x: &[T], start: usize, out: &mut [T]) {
        let Self { width, turn, .. } = *self;
        let is_short = turn <= width - turn;
        // How far the elements of the longer parts move, and which columns the shorter ones are, and from where they come.
        let by = if is_short { -(turn as isize) } else { (width - turn) as isize };
        let (short, from) = if is_short { (0..turn, width - turn) } else { (turn..width, 0) };
        let end = start + out.len();
        let (first, last) = ((-by).max(start as isize) as usize, end.min(x.len().saturating_add_signed(-by)));
        if first < last {
            copy(
                &x[first.wrapping_add_signed(by)..last.wrapping_add_signed(by)],
                &mut out[first - start..last - start],
            );
        }
        for row in (start / width * width..end).step_by(width) {
            let part = (row + short.start).max(start)..(row + short.end).min(end);
            if part.start < part.end {
                let at = part.start - short.start + from;
                copy(&x[at..at + part.len()], &mut out[part.start - start..part.end - start]);
            }
        }
    }

    /// Fills rows with zeros before and after the elements of the operand. Short ones go in vectors that reach into the next row, which
    /// is written after them, and from which what is no element is blanked by the masks that these have.
    #[inline(always)]
    fn put_rows<T: Number>(
        &self,
        x: &[T],
        masks: Option<&Masks>,
        (at, stride, rows): (usize, isize, usize),
        out: &mut [T],
    ) {
        let vectors = self.width.div_ceil(LANES);
        for r in 0..rows {
            let (at, start) = (at.wrapping_add_signed(r as isize * stride), r * self.width);
            let to = out.get_mut(start..start + vectors * LANES);
            let from = at.checked_sub(self.from).and_then(|at| x.get(at..at + vectors * LANES));
            let (Some(to), Some(from), Some(masks)) = (to, from, masks) else {
                self.fill_row(&x[at..at + self.len], 0, &mut out[start..start + self.width]);
                continue;
            };
            for ((to, from), mask) in to.as_chunks_mut::<LANES>().0.iter_mut().zip(from.as_chunks().0).zip(masks) {
                *to = if self.is_sum { blanked(from.map(|x: T| T::ZERO + x), mask) } else { blanked(*from, mask) };
            }
        }
    }

    /// Where in the vectors of a row elements of the operand are.
    fn masks(&self) -> Masks {
        let is_there = |column: usize| (self.from..self.from + self.len).contains(&column);
        from_fn(|k| from_fn(|lane| is_there(k * LANES + lane)))
    }

    /// Fills a part of a row from a column on, with zeros between elements.
    fn space_row<T: Number>(&self, x: &[T], column: usize, out: &mut [T]) {
        out.fill(T::ZERO);
        let (step, end) = (self.step as usize, column + out.len());
        let before = |column: usize| column.saturating_sub(self.from).div_ceil(step).min(self.len);
        let (first, last) = (before(column), before(end));
        if first < last {
            let place = |i: usize| self.from + i * step - column;
            apart::space(&x[first..last], self.step, self.is_sum, &mut out[place(first)..=place(last - 1)]);
        }
    }

    /// Fills a part of a row from a column on.
    #[inline(always)]
    fn fill_row<T: Number>(&self, x: &[T], column: usize, out: &mut [T]) {
        if !self.is_sum && self.len == self.width {
            return copy_row(&x[column..][..out.len()], out);
        }
        let end = column + out.len();
        let within = |i: usize| i.clamp(column, end) - column;
        let (first, last) = (within(self.from), within(self.from + self.len));
        out[..first].fill(T::ZERO);
        out[last..].fill(T::ZERO);
        if first == last {
            return;
        }
        let x = &x[column + first - self.from..][..last - first];
        if self.is_sum {
            out[first..last].iter_mut().zip(x).for_each(|(out, &x)| *out = T::ZERO + x);
        } else {
            copy_row(x, &mut out[first..last]);
        }
    }
}

/// Rows of up to so many vectors go with zeros around them in vectors alone.
const VECTORS: usize = 4;
type Masks = [[bool; LANES]; VECTORS];

/// Zeros where there is no element.
#[inline(always)]
fn blanked<T: Number>(x: [T; LANES], is_there: &[bool; LANES]) -> [T; LANES] {
    from_fn(|lane| if is_there[lane] { x[lane] } else { T::ZERO })
}

/// Rows of up to so many elements are copied without a call.
const SHORT: usize = 8 * LANES;

/// Copies a part of a row, in vectors of the level that it is inlined to.
#[inline(always)]
fn copy_row<T: Number>(from: &[T], to: &mut [T]) {
    let (Some(last), LANES..=SHORT) = (from.last_chunk::<LANES>(), from.len()) else { return copy(from, to) };
    for (to, from) in to.as_chunks_mut::<LANES>().0.iter_mut().zip(from.as_chunks::<LANES>().0) {
        *to = *from;
    }
    if let Some(to) = to.last_chunk_mut() {
        *to = *last;
    }
}

/// A part of the result from an element on, which is filled.
struct Filling<'a, T> {
    window: &'a Window,
    x: &'a [T],
    start: usize,
    out: &'a mut [T],
}

impl<T: Number> Kernel for Filling<'_, T> {
    type Output = ();
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) {
        let Self { window, x, start, mut out } = self;
        if window.turn > 0 {
            return window.fill_rolled(x, start, out);
        }
        let mut index: SmallVec<[usize; 3]> = smallvec![0; window.outer.len()];
        let mut column = window.locate(start, &mut index);
        let has_rows = |out: &[T]| out.len() >= 2 * window.width;
        let by_rows = window.step == 1 && has_rows(out);
        let in_vectors = by_rows && window.len < window.width && window.width <= VECTORS * LANES;
        let masks = in_vectors.then(|| window.masks());
        while !out.is_empty() {
            if by_rows && column == 0 && has_rows(out) {
                let filled = window.fill_rows(x, masks.as_ref(), &mut index, out);
                if filled > 0 {
                    out = &mut out[filled..];
                    window.step_on(&mut index);
                    continue;
                }
            }
            let (part, rest) = out.split_at_mut(out.len().min(window.width - column));
            match window.row(&index) {
                Some(at) if window.is_every() => window.space_row(&x[at..at + window.len], column, part),
                Some(at) if window.step != 1 => {
                    apart::read(x, at.wrapping_add_signed(window.step * column as isize), window.step, part);
                    if window.is_sum {
                        for out in &mut *part {
                            *out += T::ZERO;
                        }
                    }
                }
                Some(at) => window.fill_row(&x[at..at + window.len], column, part),
                None => part.fill(T::ZERO),
            }
            (out, column) = (rest, 0);
            window.step_on(&mut index);
        }
    }
}
