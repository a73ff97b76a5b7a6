//! Scores about the likely class, the adjoint, and the gradients of softmax that are made of these, along the middle of
//! `[outer, n, inner]`.

use super::columns::AREA;
use crate::kernels::beside::{NARROW, load, store};
use crate::kernels::in_turn::zmul;
use crate::kernels::order::{ROWS, with_zeros};
use crate::kernels::reduce;
use crate::number::Number;
use crate::number::level::{Kernel, Level};

/// What is made of numbers `x` with probabilities `p`, of which `t` is the class of one above ½, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// `x − x[t]`, which is what adding a number to all scores does not change; `x` without such a class.
    About,
    /// The adjoint: `x`, but for `−Σ x` of the other classes at `t`.
    Balance,
    /// `p ∘ (x′ − Σ p ∘ x′)`, where `x′` is `x` about the likely class: the Jacobian of softmax times `x`.
    Softmax,
    /// `x − p · Σ x`, balanced: the transposed Jacobian of the logarithm of softmax times `x`.
    LogSoftmax,
}

/// `out` of `x` and `p`, as [`By`] tells.
pub(crate) fn by_likely<T: Number>(by: By, x: &[T], p: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    if x.is_empty() {
        return;
    }
    assert!(p.len() == x.len() && out.len() == x.len(), "scores, probabilities and result of one shape");
    let all = Likely { by, x, p, n, inner, out, tiles: &mut [] };
    // Columns of many terms have sums of blocks.
    let levels = n.div_ceil(ROWS).ilog2() as usize + 1;
    let sums = if n > ROWS { levels * WIDE } else { 0 };
    let tiles = if all.is_tiled() { 3 * AREA } else { 0 };
    with_zeros(sums + tiles, |tiles| Level::best().run(Likely { tiles, ..all }));
}

struct Likely<'a, T> {
    by: By,
    x: &'a [T],
    p: &'a [T],
    n: usize,
    inner: usize,
    out: &'a mut [T],
    /// Memory for three tiles, where there are few neighbours, and for sums of blocks.
    tiles: &'a mut [T],
}

/// Columns that are worked on together: those of a thousand rows stay in the second-level cache.
const WIDE: usize = 64;

/// Where the first probability above ½ is.
#[inline(always)]
fn likely<T: Number>(p: &[T]) -> Option<usize> {
    let half = T::of(0.5);
    // Most rows have none, which is seen in vectors.
    let chunk = p.chunks(32).position(|p| p.iter().fold(false, |any, &p| any | (p > half)))?;
    p[chunk * 32..].iter().position(|&p| p > half).map(|at| chunk * 32 + at)
}

impl<T: Number> Likely<'_, T> {
    /// Whether short rows, and those with few neighbours, are worked on in a tile, as columns.
    fn is_tiled(&self) -> bool {
        self.inner < NARROW && self.n <= AREA / NARROW && !self.is_in_rows()
    }

    fn is_in_rows(&self) -> bool {
        self.inner == 1 && self.n >= 16
    }
}

impl<T: Number> Kernel for Likely<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let (is_tiled, is_in_rows) = (self.is_tiled(), self.is_in_rows());
        let Self { by, x, p, n, inner, out, tiles } = self;
        if is_in_rows {
            for ((x, p), out) in x.chunks_exact(n).zip(p.chunks_exact(n)).zip(out.chunks_exact_mut(n)) {
                row(by, x, p, out);
            }
            return;
        }
        let rows = x.len() / n;
        let (tiles, sums) = tiles.split_at_mut(if is_tiled { 3 * AREA } else { 0 });
        let mut row = 0;
        while row < rows {
            // A part of the columns as they lie, or a tile of several.
            let widest = if is_tiled { WIDE.min(AREA / n) / inner * inner } else { WIDE.min(inner - row % inner) };
            let count = widest.min(rows - row);
            if is_tiled {
                let (xs, rest) = tiles.split_at_mut(AREA);
                let (ps, outs) = rest.split_at_mut(AREA);
                load(x, (row, count, count), (0, n), (n, inner), xs);
                load(p, (row, count, count), (0, n), (n, inner), ps);
                Columns { n, start: 0, step: count, width: count }.run(by, (xs, ps), sums, outs);
                store(outs, (row, count, count), (0, n), (n, inner), out);
            } else {
                let start = row / inner * n * inner + row % inner;
                Columns { n, start, step: inner, width: count }.run(by, (x, p), sums, out);
            }
            row += count;
        }
    }
}

#[inline(always)]
fn row<T: Number>(by: By, x: &[T], p: &[T], out: &mut [T]) {
    let t = likely(p);
    match by {
        By::About | By::Softmax => {
            let origin = t.map_or(T::ZERO, |t| x[t]);
            if by == By::About {
                return out.iter_mut().zip(x).for_each(|(out, &x)| *out = x - origin);
            }
            out.iter_mut().zip(x).zip(p).for_each(|((out, &x), &p)| *out = zmul(x - origin, p));
            let sum = reduce::sum(out);
            out.iter_mut().zip(x).zip(p).for_each(|((out, &x), &p)| *out = zmul((x - origin) - sum, p));
        }
        By::Balance | By::LogSoftmax => {
            if by == By::Balance {
                out.copy_from_slice(x);
            } else {
                let sum = reduce::sum(x);
                out.iter_mut().zip(x).zip(p).for_each(|((out, &x), &p)| *out = x - zmul(sum, p));
            }
            if let Some(t) = t {
                out[t] = T::ZERO;
                out[t] = -reduce::sum(out);
            }
        }
    }
}

/// Columns beside each other: so many terms from a start on, and how far these are from each other.
#[derive(Clone, Copy)]
struct Columns {
    n: usize,
    start: usize,
    step: usize,
    width: usize,
}

impl Columns {
    #[inline(always)]
    fn run<T: Number>(self, by: By, (x, p): (&[T], &[T]), memory: &mut [T], out: &mut [T]) {
        let Self { n, start, step, width } = self;
        let part = |j: usize| start + j * step..start + j * step + width;
        let half = T::of(0.5);
        let is_about = matches!(by, By::About | By::Softmax);
        let any = (0..n).fold(false, |any, j| any | p[part(j)].iter().fold(false, |any, &p| any | (p > half)));
        let (mut origins, mut places) = ([T::ZERO; WIDE], [T::from_index(-1); WIDE]);
        // From the back, so that the first one stays.
        for j in (0..n).rev().filter(|_| any) {
            let t = T::from_index(j as i64);
            let classes = origins.iter_mut().zip(&mut places).zip(&x[part(j)]).zip(&p[part(j)]);
            for (((origin, place), &x), &p) in classes {
                *origin = if is_about & (p > half) { x } else { *origin };
                *place = if p > half { t } else { *place };
            }
        }
        let mut sums = [T::ZERO; WIDE];
        match by {
            By::Softmax => add_columns(n, memory, &mut sums, |j, sums| {
                for (((sum, &x), &p), &origin) in sums.iter_mut().zip(&x[part(j)]).zip(&p[part(j)]).zip(&origins) {
                    *sum += zmul(x - origin, p);
                }
            }),
            By::LogSoftmax => add_columns(n, memory, &mut sums, |j, sums| {
                sums.iter_mut().zip(&x[part(j)]).for_each(|(sum, &x)| *sum += x);
            }),
            By::About | By::Balance => {}
        }
        for j in 0..n {
            let terms = out[part(j)].iter_mut().zip(&x[part(j)]).zip(&p[part(j)]).zip(origins.iter().zip(&sums));
            match by {
                By::About => terms.for_each(|(((out, &x), _), (&origin, _))| *out = x - origin),
                By::Balance => terms.for_each(|(((out, &x), _), _)| *out = x),
                By::Softmax => {
                    terms.for_each(|(((out, &x), &p), (&origin, &sum))| *out = zmul((x - origin) - sum, p));
                }
                By::LogSoftmax => terms.for_each(|(((out, &x), &p), (_, &sum))| *out = x - zmul(sum, p)),
            }
        }
        if is_about || !any {
            return;
        }
        let mut others = [T::ZERO; WIDE];
        add_columns(n, memory, &mut others, |j, others| {
            let t = T::from_index(j as i64);
            for ((others, place), &x) in others.iter_mut().zip(&places).zip(&out[part(j)]) {
                *others += if place.same_bits(t) { T::ZERO } else { x };
            }
        });
        for (k, place) in places[..width].iter().enumerate() {
            if let Ok(t) = usize::try_from(place.to_index()) {
                out[part(t).start + k] = -others[k];
            }
        }
    }
}

/// Adds up `n` rows in the order of sums over rows.
#[inline(always)]
fn add_columns<T: Number>(n: usize, memory: &mut [T], sums: &mut [T; WIDE], add: impl Fn(usize, &mut [T; WIDE])) {
    let (levels, _) = memory.as_chunks_mut::<WIDE>();
    for (blocks, from) in (0..n).step_by(ROWS).enumerate() {
        *sums = [T::ZERO; WIDE];
        (from..n.min(from + ROWS)).for_each(|j| add(j, sums));
        if n <= ROWS {
            return;
        }
        let mut depth = blocks.count_ones() as usize;
        let is_last = from + ROWS >= n;
        for _ in 0..if is_last { depth } else { blocks.trailing_ones() as usize } {
            depth -= 1;
            sums.iter_mut().zip(&levels[depth]).for_each(|(sum, &left)| *sum = left + *sum);
        }
        if !is_last {
            levels[depth] = *sums;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::beside::tests::SHAPES;
    use crate::number::level::tests::at_every_level;

    #[test]
    fn scores_are_told_from_the_likely_class_and_the_adjoint_is_that() {
        for [outer, n, inner] in SHAPES {
            let len = outer * n * inner;
            // A row has a likely class unless its number is a multiple of three.
            let (row, class) = (|at: usize| at / (n * inner) * inner + at % inner, |at: usize| at / inner % n);
            let is_likely = |at: usize| row(at) % 3 != 0 && class(at) == row(at) * 5 % n;
            let p: Vec<f64> = (0..len).map(|at| if is_likely(at) { 0.75 } else { 0.01 }).collect();
            let x: Vec<f64> = (0..len).map(|at| ((at * 37) % 101) as f64).collect();
            let (mut about, mut balanced) = (x.clone(), x.clone());
            for at in (0..len).filter(|&at| is_likely(at)) {
                let mut others = 0.0;
                for j in 0..n {
                    let other = at - class(at) * inner + j * inner;
                    about[other] = x[other] - x[at];
                    others += if other == at { 0.0 } else { x[other] };
                }
                balanced[at] = -others;
            }
            at_every_level(|level| {
                let mut y = vec![f64::NAN; len];
                by_likely(By::About, &x, &p, (n, inner), &mut y);
                assert_eq!(y, about, "{outer} {n} {inner} {level:?}");
                by_likely(By::Balance, &x, &p, (n, inner), &mut y);
                assert_eq!(y, balanced, "{outer} {n} {inner} {level:?}");
            });
        }
    }

    #[test]
    fn gradients_of_softmax_have_the_bits_of_their_parts() {
        fn check<T: Number>(any_likely: bool) {
            for [outer, n, inner] in SHAPES {
                let len = outer * n * inner;
                let (row, class) = (|at: usize| at / (n * inner) * inner + at % inner, |at: usize| at / inner % n);
                let is_likely = |at: usize| any_likely && row(at) % 3 != 0 && class(at) == row(at) * 5 % n;
                let p: Vec<T> =
                    (0..len).map(|at| T::of(if is_likely(at) { 0.75 } else { 0.3 / (1 + at % 7) as f64 })).collect();
                let x: Vec<T> = (0..len).map(|at| T::of(((at * 37) % 101) as f64 / 7.0)).collect();
                at_every_level(|level| {
                    let made = |by: By, x: &[T]| {
                        let mut y = vec![T::NAN; len];
                        by_likely(by, x, &p, (n, inner), &mut y);
                        y
                    };
                    let sums = |x: &[T]| {
                        let mut sums = vec![T::ZERO; outer * inner];
                        reduce::sums(x, (n, inner), &mut sums);
                        (0..len).map(|at| sums[row(at)]).collect::<Vec<T>>()
                    };
                    let of = |a: &[T], b: &[T], f: fn(T, T) -> T| -> Vec<T> {
                        a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect()
                    };
                    let about = made(By::About, &x);
                    let sum = sums(&of(&about, &p, zmul));
                    let want = of(&of(&about, &sum, |x, sum| x - sum), &p, zmul);
                    assert_eq!(made(By::Softmax, &x), want, "{outer} {n} {inner} {level:?}");
                    let lessened = of(&x, &of(&sums(&x), &p, zmul), |x, y| x - y);
                    let want = made(By::Balance, &lessened);
                    assert_eq!(made(By::LogSoftmax, &x), want, "{outer} {n} {inner} {level:?}");
                });
            }
        }
        for any_likely in [false, true] {
            check::<f32>(any_likely);
            check::<f64>(any_likely);
        }
    }

    #[test]
    fn what_balances_a_likely_class_is_a_sum_in_blocks_along_any_axis() {
        let n = 100_000;
        for inner in [1, 2, 16, 70] {
            let p: Vec<f32> = (0..n * inner).map(|at| if at / inner == 7 { 0.75 } else { 1e-9 }).collect();
            let mut y = vec![f32::NAN; n * inner];
            by_likely(By::Balance, &vec![0.1; n * inner], &p, (n, inner), &mut y);
            let want = -f64::from(0.1_f32) * (n - 1) as f64;
            for &y in &y[7 * inner..8 * inner] {
                assert!((f64::from(y) / want - 1.0).abs() < 1e-6, "{y}, not {want}, of {inner}");
            }
        }
    }
}
