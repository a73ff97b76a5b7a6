//! Parts of an operand as it is laid over a larger result: rows that are repeated, columns that are stretched, and both in
//! turn. What is repeated is copied in runs, so that no element asks for its place.

use super::map::{LANES, copy, level};
use super::strided::{Dim, collapse};
use crate::number::Number;
use crate::number::level::Kernel;
use smallvec::SmallVec;

/// How a contiguous operand is laid over a result: the dimensions of the result with the operand's step along each, which
/// is 0 where it is repeated. Dimensions that are repeated and such that are not take turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spread(SmallVec<[Dim<usize, 1>; 4]>);

impl Spread {
    /// An operand with these strides, laid over a result of these sizes.
    pub(crate) fn new(sizes: &[usize], strides: &[usize]) -> Self {
        Self(collapse(sizes, [strides]))
    }

    /// These dimensions, of which no two neighbours could be one.
    pub(super) fn of(dims: SmallVec<[Dim<usize, 1>; 4]>) -> Self {
        Self(dims)
    }

    /// After how many elements all comes again, if it does.
    pub(crate) fn period(&self) -> Option<usize> {
        let ((_, [step]), rest) = self.0.split_first()?;
        (*step == 0).then(|| rest.iter().map(|&(n, _)| n).product())
    }

    /// Whether so many parts of the result have elements of their own, one part's behind the other's.
    pub(crate) fn divides(&self, parts: usize) -> bool {
        self.0.first().is_some_and(|&(n, [step])| step != 0 && n.is_multiple_of(parts))
    }

    /// Fills a tile with the elements of the result from `start` on.
    pub(crate) fn fill<T: Number>(&self, data: &[T], start: usize, mut tile: &mut [T]) {
        // The last two dimensions are a plane: of a row that is repeated, or of a column that is stretched.
        let (outer, rows, (n, step)) = match self.0[..] {
            [] => (&[][..], 1, (1, 0)),
            [(n, [step])] => (&[][..], 1, (n, step)),
            [ref outer @ .., (rows, _), (n, [step])] => (outer, rows, (n, step)),
        };
        let plane = rows * n;
        let len = if step == 0 { rows } else { n };
        let (mut at, mut rest) = (start % plane, start / plane);
        let mut index: SmallVec<[usize; 4]> = SmallVec::from_elem(0, outer.len());
        for (i, &(n, _)) in index.iter_mut().zip(outer).rev() {
            (*i, rest) = (rest % n, rest / n);
        }
        while !tile.is_empty() {
            let from: usize = index.iter().zip(outer).map(|(i, (_, [step]))| i * step).sum();
            let (now, later) = tile.split_at_mut((plane - at).min(tile.len()));
            let data = &data[from..from + len];
            if step == 0 {
                stretch(data, n, at, now);
            } else {
                repeat(data, at % n, now);
            }
            (tile, at) = (later, 0);
            for (i, &(n, _)) in index.iter_mut().zip(outer).rev() {
                *i += 1;
                if *i < n {
                    break;
                }
                *i = 0;
            }
        }
    }
}

/// Calls `f` with tile after tile of a result, and of operands that are laid over it; such as have an element for each of the
/// result's are no spread.
pub(crate) fn in_tiles<T: Number, const K: usize>(
    args: [(&[T], Option<Spread>); K],
    out: &mut [T],
    mut f: impl FnMut([&[T]; K], &mut [T]),
) {
    let mut tiles = [[T::ZERO; TILE]; K];
    for (start, out) in (0..).step_by(TILE).zip(out.chunks_mut(TILE)) {
        for (tile, (data, spread)) in tiles.iter_mut().zip(&args) {
            if let Some(spread) = spread {
                spread.fill(data, start, &mut tile[..out.len()]);
            }
        }
        let part =
            |k: usize| if args[k].1.is_some() { &tiles[k][..out.len()] } else { &args[k].0[start..][..out.len()] };
        f(std::array::from_fn(part), out);
    }
}

/// The elements of a tile of [`in_tiles`].
const TILE: usize = 512;

/// Fills a tile with a row, repeated, from a place in it on.
pub(super) fn repeat<T: Number>(row: &[T], from: usize, tile: &mut [T]) {
    let (head, rest) = tile.split_at_mut((row.len() - from).min(tile.len()));
    copy(&row[from..from + head.len()], head);
    if row.len() >= LANES {
        return level(rest.len()).run(Repeat { row, tile: rest });
    }
    // Short rows are doubled until they are long ones.
    let mut filled = row.len().min(rest.len());
    copy(&row[..filled], &mut rest[..filled]);
    while filled < rest.len() {
        let more = filled.min(rest.len() - filled);
        if filled >= LANES && more > filled / 2 {
            let (row, tile) = rest.split_at_mut(filled);
            return level(tile.len()).run(Repeat { row, tile });
        }
        let (row, rest) = rest.split_at_mut(filled);
        copy(&row[..more], &mut rest[..more]);
        filled += more;
    }
}

/// Copies a row of a vector or more to a tile, again and again: without a call for each, and from where nothing was just stored, since a
/// load that reaches over two stores waits for both.
struct Repeat<'a, T> {
    row: &'a [T],
    tile: &'a mut [T],
}

impl<T: Number> Kernel for Repeat<'_, T> {
    type Output = ();
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) {
        let Self { row, tile } = self;
        for run in tile.chunks_mut(row.len()) {
            let row = &row[..run.len()];
            for (to, from) in run.as_chunks_mut::<LANES>().0.iter_mut().zip(row.as_chunks().0) {
                *to = *from;
            }
            match (run.last_chunk_mut::<LANES>(), row.last_chunk()) {
                (Some(to), Some(from)) => *to = *from,
                _ => copy(row, run),
            }
        }
    }
}

/// Fills a tile with the elements of a column, each `n` times, from a place among all these on.
pub(super) fn stretch<T: Number>(column: &[T], n: usize, from: usize, tile: &mut [T]) {
    level(tile.len()).run(Stretch { column, n, from, tile });
}

struct Stretch<'a, T> {
    column: &'a [T],
    n: usize,
    from: usize,
    tile: &'a mut [T],
}

impl<T: Number> Kernel for Stretch<'_, T> {
    type Output = ();
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) {
        let Self { column, n, from, tile } = self;
        let first = from / n;
        let (head, rest) = tile.split_at_mut((n - from % n).min(tile.len()));
        head.fill(column[first]);
        let column = &column[first + 1..];
        match n {
            2 => stretch_pairs(column, rest),
            1 | 3 | 4 => stretch_short::<T, 4>(column, n, rest),
            5..=8 => stretch_short::<T, 8>(column, n, rest),
            9..=16 => stretch_short::<T, 16>(column, n, rest),
            17..=WIDE => stretch_wide(column, n, rest),
            _ => stretch_long(column, n, rest),
        }
    }
}

/// Runs of up to so many are written in vectors of the level, without a call.
const WIDE: usize = 8 * LANES;

/// For more times each than a vector has: the last one overlaps those before it.
#[inline(always)]
fn stretch_wide<T: Number>(column: &[T], n: usize, tile: &mut [T]) {
    for (run, &x) in tile.chunks_mut(n).zip(column) {
        for vector in run.as_chunks_mut().0 {
            *vector = [x; LANES];
        }
        match run.last_chunk_mut() {
            Some(last) => *last = [x; LANES],
            None => run.fill(x),
        }
    }
}

#[inline(always)]
fn stretch_pairs<T: Number>(column: &[T], tile: &mut [T]) {
    let (pairs, last) = tile.as_chunks_mut::<2>();
    for (pair, &x) in pairs.iter_mut().zip(column) {
        *pair = [x; 2];
    }
    if let ([last], Some(&x)) = (last, column.get(pairs.len())) {
        *last = x;
    }
}

#[inline(always)]
fn stretch_long<T: Number>(column: &[T], n: usize, tile: &mut [T]) {
    for (run, &x) in tile.chunks_mut(n).zip(column) {
        run.fill(x);
    }
}

/// For up to `W` times each: whole vectors are written, of which the next one overwrites what is too much.
#[inline(always)]
fn stretch_short<T: Number, const W: usize>(column: &[T], n: usize, tile: &mut [T]) {
    let whole = (tile.len().saturating_sub(W - 1)).div_ceil(n).min(column.len());
    for (i, &x) in column[..whole].iter().enumerate() {
        if let Some(run) = tile[i * n..].first_chunk_mut::<W>() {
            *run = [x; W];
        }
    }
    let at = (whole * n).min(tile.len());
    stretch_long(&column[whole..], n, &mut tile[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_hold_what_each_operand_has_there() {
        let (rows, cols) = (70, 30);
        let [a, row, column] = [rows * cols, cols, rows].map(|n| (0..n).map(|i| i as f64).collect::<Vec<_>>());
        let args = [
            (&a[..], None),
            (&row, Some(Spread::new(&[rows, cols], &[0, 1]))),
            (&column, Some(Spread::new(&[rows, cols], &[1, 0]))),
        ];
        let mut out = vec![0.0; rows * cols];
        in_tiles(args, &mut out, |[a, row, column], out| {
            for (i, out) in out.iter_mut().enumerate() {
                *out = a[i] + 1e4 * row[i] + 1e6 * column[i];
            }
        });
        for (i, &y) in out.iter().enumerate() {
            assert_eq!(y, i as f64 + 1e4 * (i % cols) as f64 + 1e6 * (i / cols) as f64);
        }
    }

    #[test]
    fn each_part_of_a_result_has_the_elements_that_its_indices_name() {
        let shapes: [&[(usize, bool)]; 12] = [
            &[(7, true)],
            &[(7, false)],
            &[(5, false), (3, true)],
            &[(5, true), (3, false)],
            &[(50, true), (40, false)],
            &[(50, false), (40, true)],
            &[(40, true), (11, false)],
            &[(3, true), (5, false), (4, true)],
            &[(3, false), (5, true), (4, false)],
            &[(3, true), (2, false), (4, true), (20, false)],
            &[(2, false), (3, true), (2, false), (18, true)],
            &[(2, true), (3, true), (1, false), (4, false), (2, true)],
        ];
        for shape in shapes {
            let sizes: Vec<usize> = shape.iter().map(|dim| dim.0).collect();
            let (mut step, mut strides) = (1, vec![0; sizes.len()]);
            for (i, &(n, kept)) in shape.iter().enumerate().rev().filter(|(_, dim)| dim.1) {
                assert!(kept);
                strides[i] = step;
                step *= n;
            }
            let data: Vec<f32> = (100..100 + step).map(|i| i as f32).collect();
            let len = sizes.iter().product::<usize>();
            let element = |mut i: usize| {
                let mut from = 0;
                for (n, stride) in sizes.iter().zip(&strides).rev() {
                    from += i % n * stride;
                    i /= n;
                }
                data[from]
            };
            let spread = Spread::new(&sizes, &strides);
            for start in (0..len).step_by(1 + len / 40) {
                for n in [1, 2, 3, 15, 16, 17, 64, len].map(|n| n.min(len - start)) {
                    let mut tile = vec![0.0; n];
                    spread.fill(&data, start, &mut tile);
                    let want: Vec<f32> = (start..start + n).map(element).collect();
                    assert_eq!(tile, want, "{shape:?} from {start}");
                }
            }
            if let Some(period) = spread.period() {
                assert!((0..len - period).all(|i| element(i) == element(i + period)), "{shape:?}");
            }
        }
    }
}
