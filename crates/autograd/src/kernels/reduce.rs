//! Reductions and scans along the middle of `[outer, n, inner]`.

use crate::Float;

/// The sum of a row, in 16 running sums over blocks, so that the rounding error grows with `log n`, not with `n`.
pub(crate) fn sum<T: Float>(x: &[T]) -> T {
    const LANES: usize = 16;
    const BLOCK: usize = 1024;
    if x.len() > BLOCK {
        let (left, right) = x.split_at((x.len() / 2).next_multiple_of(LANES));
        return sum(left) + sum(right);
    }
    if x.len() < LANES {
        return x.iter().fold(T::ZERO, |total, &x| total + x);
    }
    let mut lanes = [T::ZERO; LANES];
    let chunks = x.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane += x;
        }
    }
    for width in [8, 4, 2, 1] {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
    }
    rest.iter().fold(lanes[0], |total, &x| total + x)
}

/// Folds the middle of `[outer, n, inner]` from `init`: `out[o, i] = f(… f(init, x[o, 0, i]) …, x[o, n−1, i])`.
pub(crate) fn fold<T: Copy>(x: &[T], n: usize, inner: usize, init: T, out: &mut [T], f: impl Fn(T, T) -> T) {
    out.fill(init);
    if inner == 0 {
        return;
    }
    for (o, out) in out.chunks_exact_mut(inner).enumerate() {
        for row in x[o * n * inner..(o + 1) * n * inner].chunks_exact(inner) {
            for (out, &x) in out.iter_mut().zip(row) {
                *out = f(*out, x);
            }
        }
    }
}

/// Running sums along the middle of `[outer, n, inner]`, from the front or from the back.
pub(crate) fn cumsum<T: Float>(x: &[T], (n, inner): (usize, usize), reverse: bool, out: &mut [T]) {
    walk(x.len(), (n, inner), reverse, |at, before| out[at] = before.map_or(x[at], |b| out[b] + x[at]));
}

/// A linear recurrence along the middle of `[outer, n, inner]`, from the front or from the back:
/// `h_t = b_t + a_t · h_before`, or, where `lagged`, `h_t = b_t + a_before · h_before`; nothing comes before the first.
/// Where `absolute`, an `h` of 0 contributes 0 whatever its factor is.
pub(crate) fn recur<T: Float>(
    (a, b): (&[T], &[T]),
    (n, inner): (usize, usize),
    reverse: bool,
    lagged: bool,
    absolute: bool,
    h: &mut [T],
) {
    walk(b.len(), (n, inner), reverse, |at, before| {
        h[at] = match before {
            Some(before) if !absolute || h[before] != T::ZERO => {
                b[at] + a[if lagged { before } else { at }] * h[before]
            }
            _ => b[at],
        };
    });
}

/// Calls `f(position, position before it)` along the middle of `[outer, n, inner]`, for each row.
fn walk(len: usize, (n, inner): (usize, usize), reverse: bool, mut f: impl FnMut(usize, Option<usize>)) {
    for o in 0..len.checked_div(n * inner).unwrap_or(0) {
        for i in 0..inner {
            let mut before = None;
            for t in 0..n {
                let t = if reverse { n - 1 - t } else { t };
                let at = (o * n + t) * inner + i;
                f(at, before);
                before = Some(at);
            }
        }
    }
}

/// The Euclidean norm along the middle of `[outer, n, inner]`, without overflow or underflow: rows whose sum of squares
/// leaves the normal range are scaled by a power of two first, which rounds nothing.
pub(crate) fn norm<T: Float>(x: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    // 2^-563 in f64, 2^-86 in f32: squares of the largest numbers stay finite, those of the smallest, divided, normal.
    let down = T::MIN_POSITIVE.sqrt() * T::EPSILON;
    for (r, out) in out.iter_mut().enumerate() {
        let (o, i) = (r / inner, r % inner);
        let row = || (0..n).map(move |j| x[(o * n + j) * inner + i]);
        let squares = row().map(|x| x * x).sum::<T>();
        let scaled = |by: T| row().map(|x| (x * by) * (x * by)).sum::<T>().sqrt() / by;
        *out = if squares > T::MIN_POSITIVE / T::EPSILON && squares.is_finite() {
            squares.sqrt()
        } else if squares == T::INFINITY {
            scaled(down)
        } else {
            scaled(down.recip())
        };
    }
}

/// Each element's share of a maximum (or minimum) over the middle of `[outer, n, inner]`: `1/k` for `k` tied
/// elements, 0 for the others; the NaNs share it where there are any.
pub(crate) fn extreme_share<T: Float>(x: &[T], extreme: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    for o in 0..x.len().checked_div(n * inner).unwrap_or(0) {
        for i in 0..inner {
            let top = extreme[o * inner + i];
            let wins = |x: T| if top.is_nan() { x.is_nan() } else { x == top };
            let at = |j: usize| (o * n + j) * inner + i;
            let ties = (0..n).filter(|&j| wins(x[at(j)])).count();
            let share = T::of(1.0 / ties as f64);
            for j in 0..n {
                out[at(j)] = if wins(x[at(j)]) { share } else { T::ZERO };
            }
        }
    }
}
