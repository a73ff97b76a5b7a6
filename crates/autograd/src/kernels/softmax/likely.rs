//! Scores about the likely class, and the adjoint, along the middle of `[outer, n, inner]`.

use crate::kernels::reduce;
use crate::number::Number;
use crate::number::level::{Kernel, Level};

/// For probabilities `p`: `out = x − x[t]`, where `t` is the class of a probability
/// above ½, which is what adding a number to all scores does not change. Rows without such a class are copied.
pub(crate) fn about_likely<T: Number>(x: &[T], p: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    if !x.is_empty() {
        Level::best().run(Likely { x, p, n, inner, adjoint: false, out });
    }
}

/// The adjoint of [`about_likely`]: `out = x`, but for `out[t] = −Σ x` of the other classes.
pub(crate) fn balance_likely<T: Number>(x: &[T], p: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    if !x.is_empty() {
        Level::best().run(Likely { x, p, n, inner, adjoint: true, out });
    }
}

struct Likely<'a, T> {
    x: &'a [T],
    p: &'a [T],
    n: usize,
    inner: usize,
    adjoint: bool,
    out: &'a mut [T],
}

/// Columns that are worked on together.
const WIDE: usize = 128;

/// Where the first probability above ½ is.
#[inline(always)]
fn likely<T: Number>(p: &[T]) -> Option<usize> {
    let half = T::of(0.5);
    // Most rows have none, which is seen in vectors.
    let chunk = p.chunks(32).position(|p| p.iter().fold(false, |any, &p| any | (p > half)))?;
    p[chunk * 32..].iter().position(|&p| p > half).map(|at| chunk * 32 + at)
}

impl<T: Number> Kernel for Likely<'_, T> {
    type Output = ();
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) {
        let Self { x, p, n, inner, adjoint, out } = self;
        if inner == 1 {
            for ((x, p), out) in x.chunks_exact(n).zip(p.chunks_exact(n)).zip(out.chunks_exact_mut(n)) {
                let t = likely(p);
                if !adjoint {
                    let origin = t.map_or(T::ZERO, |t| x[t]);
                    out.iter_mut().zip(x).for_each(|(out, &x)| *out = x - origin);
                    continue;
                }
                out.copy_from_slice(x);
                if let Some(t) = t {
                    out[t] = T::ZERO;
                    out[t] = -reduce::sum(out);
                }
            }
            return;
        }
        let half = T::of(0.5);
        for o in 0..x.len() / (n * inner) {
            for i in (0..inner).step_by(WIDE) {
                let width = WIDE.min(inner - i);
                let part = |j: usize| (o * n + j) * inner + i..(o * n + j) * inner + i + width;
                // From the back, so that the first one stays.
                let (mut origins, mut places) = ([T::ZERO; WIDE], [T::from_index(-1); WIDE]);
                for j in (0..n).rev() {
                    let t = T::from_index(j as i64);
                    let classes = origins.iter_mut().zip(&mut places).zip(&x[part(j)]).zip(&p[part(j)]);
                    for (((origin, place), &x), &p) in classes {
                        *origin = if p > half { x } else { *origin };
                        *place = if p > half { t } else { *place };
                    }
                }
                if !adjoint {
                    for j in 0..n {
                        for ((out, &x), &origin) in out[part(j)].iter_mut().zip(&x[part(j)]).zip(&origins) {
                            *out = x - origin;
                        }
                    }
                    continue;
                }
                let others = &mut origins;
                others.fill(T::ZERO);
                for j in 0..n {
                    let t = T::from_index(j as i64);
                    let classes = others.iter_mut().zip(&places).zip(&x[part(j)]).zip(&mut out[part(j)]);
                    for (((others, place), &x), out) in classes {
                        *others += if place.same_bits(t) { T::ZERO } else { x };
                        *out = x;
                    }
                }
                for (k, place) in places[..width].iter().enumerate() {
                    if let Ok(t) = usize::try_from(place.to_index()) {
                        out[part(t).start + k] = -others[k];
                    }
                }
            }
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
                about_likely(&x, &p, (n, inner), &mut y);
                assert_eq!(y, about, "{outer} {n} {inner} {level:?}");
                balance_likely(&x, &p, (n, inner), &mut y);
                assert_eq!(y, balanced, "{outer} {n} {inner} {level:?}");
            });
        }
    }
}
