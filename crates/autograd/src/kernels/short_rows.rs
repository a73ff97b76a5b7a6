//! Views whose rows are a few neighbours: windows of images, pairs, points.

use super::map::copy;
use super::strided::{Dim, Odometer};
use crate::number::Number;
use smallvec::SmallVec;

/// Rows of up to so many neighbours cost less than to look for the next one.
const SHORT: usize = 16;

/// Fewer rows are not worth a loop of their own, if there are more.
const FEW: usize = 8;
/// So many rows go in a loop, at most, where that divides them.
const MANY: usize = 64;

/// Short rows of neighbours, of which those along one dimension go in one loop: windows of images are few elements each, and
/// many.
pub(super) struct ShortRows {
    /// Elements of a row.
    n: usize,
    /// How many rows go in a loop, how far they are from each other in the operand, and how far where all lie together.
    rows: usize,
    apart: [isize; 2],
    others: SmallVec<[Dim<isize, 2>; 4]>,
    /// Whether each is read from its end.
    is_back: bool,
}

impl ShortRows {
    /// The rows of a view with these dimensions, if they are short.
    pub(super) fn of(dims: &[Dim<isize, 1>]) -> Option<Self> {
        let (&(n, [step]), outer) = dims.split_last()?;
        if step.abs() != 1 || n > SHORT || outer.is_empty() {
            return None;
        }
        let mut together = n as isize;
        let mut others: SmallVec<[Dim<isize, 2>; 4]> = SmallVec::new();
        for &(rows, [step]) in outer.iter().rev() {
            others.insert(0, (rows, [step, together]));
            together *= rows as isize;
        }
        // The last dimension that is worth a loop, since its rows are nearest; else the longest.
        let is_worth = |&(rows, _): &Dim<isize, 2>| rows >= FEW;
        let longest = || (0..others.len()).max_by_key(|&k| others[k].0);
        let place = others.iter().rposition(is_worth).or_else(longest)?;
        let (rows, apart) = others.remove(place);
        // What a loop reaches stays in the cache for the next ones.
        let most = (FEW..=MANY).rev().find(|&part| rows.is_multiple_of(part)).filter(|_| rows > MANY).unwrap_or(rows);
        if most < rows {
            others.insert(place, (rows / most, apart.map(|step| step * most as isize)));
        }
        Some(Self { n, rows: most, apart, others, is_back: step < 0 })
    }

    /// Calls `f` with the offsets of the first rows of each loop.
    #[inline(always)]
    fn each(&self, offset: usize, mut f: impl FnMut([usize; 2])) {
        let mut at = Odometer::new(&self.others);
        for _ in 0..self.others.iter().map(|&(n, _)| n).product() {
            let [from, to] = at.offsets();
            f([offset.wrapping_add_signed(from), to as usize]);
            at.step();
        }
    }

    /// `out` in order from `x`, from a place in it on.
    pub(super) fn read<T: Number>(&self, x: &[T], offset: usize, out: &mut [T]) {
        if self.is_back {
            return self.read_back(x, offset, out);
        }
        match self.n {
            2 => self.copy_rows::<T, 2, false>(x, offset, out),
            3 => self.copy_rows::<T, 3, false>(x, offset, out),
            4 => self.copy_rows::<T, 4, false>(x, offset, out),
            5 => self.copy_rows::<T, 5, false>(x, offset, out),
            8 => self.copy_rows::<T, 8, false>(x, offset, out),
            16 => self.copy_rows::<T, 16, false>(x, offset, out),
            n => self.each(offset, |at| {
                for i in 0..self.rows {
                    let [from, to] = self.row(at, i);
                    copy(&x[from..from + n], &mut out[to..to + n]);
                }
            }),
        }
    }

    /// The same of rows that are read from their ends: the offset is that of the first element of the result.
    fn read_back<T: Number>(&self, x: &[T], offset: usize, out: &mut [T]) {
        let offset = offset + 1 - self.n;
        match self.n {
            2 => self.turn_rows::<T, 2>(x, offset, out),
            3 => self.turn_rows::<T, 3>(x, offset, out),
            4 => self.turn_rows::<T, 4>(x, offset, out),
            8 => self.turn_rows::<T, 8>(x, offset, out),
            n => self.each(offset, |at| {
                for i in 0..self.rows {
                    let [from, to] = self.row(at, i);
                    let row = x[from..from + n].iter().rev();
                    out[to..to + n].iter_mut().zip(row).for_each(|(out, &x)| *out = x);
                }
            }),
        }
    }

    fn turn_rows<T: Number, const N: usize>(&self, x: &[T], offset: usize, out: &mut [T]) {
        self.each(offset, |at| {
            for i in 0..self.rows {
                let [from, to] = self.row(at, i);
                let (x, out) = (x[from..].first_chunk::<N>(), out[to..].first_chunk_mut::<N>());
                let lies = "a view lies within what it is of, and rows are all else";
                let (x, out) = (x.expect(lies), out.expect(lies));
                for k in 0..N {
                    out[k] = x[N - 1 - k];
                }
            }
        });
    }

    /// `x` in order to `out`, from a place in it on, if rows are so short that this helps: to look for the next row costs nothing beside a
    /// write of more than a few elements.
    pub(super) fn write<T: Number>(&self, x: &[T], offset: usize, out: &mut [T]) -> bool {
        match self.n {
            _ if self.is_back => return false,
            2 => self.copy_rows::<T, 2, true>(x, offset, out),
            3 => self.copy_rows::<T, 3, true>(x, offset, out),
            4 => self.copy_rows::<T, 4, true>(x, offset, out),
            _ => return false,
        }
        true
    }

    /// Copies rows out of a view, or into it.
    fn copy_rows<T: Number, const N: usize, const INTO: bool>(&self, x: &[T], offset: usize, out: &mut [T]) {
        self.each(offset, |at| {
            for i in 0..self.rows {
                let [view, row] = self.row(at, i);
                let (from, to) = if INTO { (row, view) } else { (view, row) };
                let (x, out) = (x[from..].first_chunk::<N>(), out[to..].first_chunk_mut::<N>());
                let lies = "a view lies within what it is of, and rows are all else";
                *out.expect(lies) = *x.expect(lies);
            }
        });
    }

    /// `y` in order onto `out`, from a place in it on, unless it is written from the ends of rows.
    pub(super) fn add<T: Number>(&self, y: &[T], offset: usize, out: &mut [T]) -> bool {
        match self.n {
            _ if self.is_back => return false,
            2 => self.add_rows::<T, 2>(y, offset, out),
            3 => self.add_rows::<T, 3>(y, offset, out),
            4 => self.add_rows::<T, 4>(y, offset, out),
            5 => self.add_rows::<T, 5>(y, offset, out),
            n => self.each(offset, |at| {
                for i in 0..self.rows {
                    let [to, from] = self.row(at, i);
                    out[to..to + n].iter_mut().zip(&y[from..from + n]).for_each(|(out, &y)| *out += y);
                }
            }),
        }
        true
    }

    fn add_rows<T: Number, const N: usize>(&self, y: &[T], offset: usize, out: &mut [T]) {
        self.each(offset, |at| {
            for i in 0..self.rows {
                let [to, from] = self.row(at, i);
                let (y, out) = (y[from..].first_chunk::<N>(), out[to..].first_chunk_mut::<N>());
                let (y, out) = (y.expect("rows fill a result"), out.expect("a view lies within its operand"));
                for k in 0..N {
                    out[k] += y[k];
                }
            }
        });
    }

    /// Where a row of a loop begins.
    #[inline(always)]
    fn row(&self, [a, b]: [usize; 2], i: usize) -> [usize; 2] {
        let i = i as isize;
        [a.wrapping_add_signed(self.apart[0] * i), b.wrapping_add_signed(self.apart[1] * i)]
    }
}

#[cfg(test)]
mod tests {
    use crate::kernels::strided::{add, read};

    #[test]
    fn short_rows_are_read_and_added_in_order() {
        // Images, windows of 1 to 17 of a row and 3 rows, in steps of 1 or 2, also from the back.
        for n in 1..18 {
            for (step, back, turned) in
                [(1, false, false), (2, false, false), (1, true, false), (1, true, true), (2, false, true)]
            {
                let (planes, h, w) = (2, 6, 40);
                let (down, right) = (4, (w - n) / step + 1);
                let sizes = [planes, down, right, 3, n];
                let flip = if back { -1 } else { 1 };
                let strides = [h * w, w, step, w, 1].map(|step| step as isize);
                let strides =
                    [strides[0] * flip, strides[1], strides[2] * flip, strides[3], if turned { -1 } else { 1 }];
                let offset = if back { h * w + (right - 1) * step } else { 0 } + if turned { n - 1 } else { 0 };
                let places: Vec<usize> = (0..sizes.iter().product())
                    .map(|mut i| {
                        let mut place = offset as isize;
                        for axis in (0..5).rev() {
                            place += (i % sizes[axis]) as isize * strides[axis];
                            i /= sizes[axis];
                        }
                        place as usize
                    })
                    .collect();
                let x: Vec<f32> = (0..planes * h * w).map(|i| (i as f32 * 0.37).sin()).collect();
                let mut out = vec![f32::NAN; places.len()];
                read(&x, &sizes, offset, &strides, &mut out);
                assert!(out.iter().zip(&places).all(|(&out, &at)| out == x[at]), "{n} {step} {back} {turned}");
                let mut sums = vec![f32::NAN; x.len()];
                add(&out, &sizes, offset, &strides, &mut sums);
                let mut meant = vec![0.0; x.len()];
                places.iter().zip(&out).for_each(|(&at, &y)| meant[at] += y);
                assert_eq!(sums, meant, "{n} {step} {back} {turned}");
            }
        }
    }
}
