//! Softmax, log-softmax and log-sum-exp of columns: rows along the middle of `[outer, n, inner]` whose elements lie apart are
//! lanes beside each other, and each is added up in the order of one that lies together.

use super::total_difference;
use crate::kernels::map::LANES;
use crate::kernels::order::{Blocks, NEIGHBOURS};
use crate::number::Number;
use crate::number::lanes::Lanes;
use crate::number::level::{LaneKernel, Level};

/// Columns that are worked on together.
const WIDE: usize = 64;
/// Terms whose lanes are added up together, as those of a tile of a row.
const TILE: usize = super::TILE;

/// What becomes of the exponentials.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// Their shares in the sum; `total` as in [`softmax`](super::softmax).
    Shares { total: bool },
    /// The logarithms of the shares.
    Logarithms,
    /// The logarithm of their sum, one for each column.
    LogSum,
}

/// Computes what is wanted of each column.
pub(super) fn columns<T: Number>(x: &[T], (n, inner): (usize, usize), want: Want, out: &mut [T]) {
    let rows = if want == Want::LogSum { x.len() / n } else { x.len() };
    assert!(x.len().is_multiple_of(n * inner) && out.len() == rows, "columns of {n} by {inner}: other lengths");
    Level::best().run_lanes(Columns { x, n, inner, want, out });
}

struct Columns<'a, T> {
    x: &'a [T],
    n: usize,
    inner: usize,
    want: Want,
    out: &'a mut [T],
}

/// The sums of the exponentials of a tile, in the lanes that a row would have.
#[derive(Clone, Copy)]
struct Tile<T> {
    lanes: [[T; WIDE]; LANES],
    total: [T; WIDE],
}

impl<T: Number> Tile<T> {
    const ZERO: Self = Self { lanes: [[T::ZERO; WIDE]; LANES], total: [T::ZERO; WIDE] };

    /// Adds term `t` of a tile of `len`.
    #[inline(always)]
    fn add(&mut self, (t, len): (usize, usize), e: &[T]) {
        let width = e.len();
        let (chunk, lane, whole) = (t / LANES, t % LANES, len / LANES);
        if t == 0 {
            self.total[..width].fill(T::ZERO);
        }
        if chunk == 0 && whole > 0 {
            self.lanes[lane][..width].copy_from_slice(e);
        } else if chunk < whole {
            self.lanes[lane].iter_mut().zip(e).for_each(|(sum, &e)| *sum += e);
        } else {
            self.total.iter_mut().zip(e).for_each(|(sum, &e)| *sum += e);
        }
        if whole > 0 && t + 1 == whole * LANES {
            for half in [8, 4, 2, 1] {
                let (low, high) = self.lanes.split_at_mut(half);
                for (low, high) in low.iter_mut().zip(high) {
                    low[..width].iter_mut().zip(high).for_each(|(low, &mut high)| *low += high);
                }
            }
            self.total[..width].copy_from_slice(&self.lanes[0][..width]);
        }
    }
}

/// The sums of columns, tile by tile and block by block.
struct Sums<T> {
    tile: Tile<T>,
    totals: [T; WIDE],
    blocks: Option<[Blocks<T>; WIDE]>,
}

impl<T: Number> Sums<T> {
    #[inline(always)]
    fn new(n: usize) -> Self {
        let blocks = (n > NEIGHBOURS).then(|| [Blocks::new(); WIDE]);
        Self { tile: Tile::ZERO, totals: [T::ZERO; WIDE], blocks }
    }

    #[inline(always)]
    fn add(&mut self, j: usize, n: usize, e: &[T]) {
        let t = j % TILE;
        let len = TILE.min(n - (j - t));
        self.tile.add((t, len), e);
        if t + 1 < len {
            return;
        }
        self.totals.iter_mut().zip(&self.tile.total).for_each(|(sum, &part)| *sum += part);
        if let Some(blocks) = &mut self.blocks
            && (j + 1 == n || (j + 1).is_multiple_of(NEIGHBOURS))
        {
            for (blocks, sum) in blocks.iter_mut().zip(&mut self.totals) {
                blocks.push(std::mem::replace(sum, T::ZERO));
                if j + 1 == n {
                    *sum = blocks.total();
                }
            }
        }
    }
}

impl<T: Number> LaneKernel<T> for Columns<'_, T> {
    #[inline(always)]
    unsafe fn run<L: Lanes<T>>(self) {
        let Self { x, n, inner, want, out } = self;
        let total = want == Want::Shares { total: true };
        for o in 0..x.len() / (n * inner) {
            for i in (0..inner).step_by(WIDE) {
                let width = WIDE.min(inner - i);
                let at = |j: usize| (o * n + j) * inner + i;
                let x = |j: usize| &x[at(j)..at(j) + width];
                let mut tops = [-T::INFINITY; WIDE];
                for j in 0..n {
                    tops.iter_mut().zip(x(j)).for_each(|(top, &x)| *top = top.larger(x));
                }
                let (mut all, mut others) = (Sums::new(n), Sums::new(n));
                let (mut e, mut below) = ([T::ZERO; WIDE], [T::ZERO; WIDE]);
                for j in 0..n {
                    for ((e, &x), &top) in e.iter_mut().zip(x(j)).zip(&tops) {
                        *e = if total { total_difference(x, top) } else { x - top };
                    }
                    for place in e[..width.next_multiple_of(L::COUNT)].chunks_exact_mut(L::COUNT) {
                        // SAFETY: the caller promises the set; a chunk is a vector.
                        unsafe {
                            let whole = L::first(L::COUNT);
                            let y = T::exp_of_shifted::<L>(L::load(place.as_ptr(), whole));
                            L::store(place.as_mut_ptr(), whole, y);
                        }
                    }
                    all.add(j, n, &e[..width]);
                    if matches!(want, Want::Shares { .. }) {
                        out[at(j)..at(j) + width].copy_from_slice(&e[..width]);
                    } else {
                        below.iter_mut().zip(&e[..width]).for_each(|(b, &e)| *b = if e < T::ONE { e } else { T::ZERO });
                        others.add(j, n, &below[..width]);
                    }
                }
                let mut logs = [T::ZERO; WIDE];
                if !matches!(want, Want::Shares { .. }) {
                    for (k, log) in logs.iter_mut().enumerate() {
                        let sum = super::Sum { all: all.totals[k], others: others.totals[k] };
                        *log = T::ln_of_sum(sum.all, if sum.has_one_top() { sum.others } else { sum.all });
                    }
                }
                match want {
                    Want::Shares { .. } => {
                        let mut shares = all.totals;
                        for share in &mut shares {
                            // A sum of 0 is that of a row of −∞ alone, which stays 0.
                            *share = if total && *share == T::ZERO { T::ONE } else { T::ONE / *share };
                        }
                        for j in 0..n {
                            let y = &mut out[at(j)..at(j) + width];
                            y.iter_mut().zip(&shares).for_each(|(y, &share)| *y *= share);
                        }
                    }
                    Want::Logarithms => {
                        for j in 0..n {
                            let y = &mut out[at(j)..at(j) + width];
                            for (((y, &x), &top), &log) in y.iter_mut().zip(x(j)).zip(&tops).zip(&logs) {
                                *y = (x - top) - log;
                            }
                        }
                    }
                    Want::LogSum => {
                        let y = &mut out[o * inner + i..][..width];
                        for ((y, &top), &log) in y.iter_mut().zip(&tops).zip(&logs) {
                            *y = if top == T::INFINITY || top == -T::INFINITY { top } else { top + log };
                        }
                    }
                }
            }
        }
    }
}
