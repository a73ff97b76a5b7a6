//! Derivatives by differences, with an estimate of their own error.

use crate::tensor::Tensor;

/// A derivative along a direction, as differences give it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Estimate {
    /// The derivative.
    pub(crate) slope: f64,
    /// How far it may be off.
    pub(crate) error: f64,
    /// The step that it comes from, in units of the direction.
    pub(crate) step: f64,
    /// Whether the slopes on both sides disagree, however small the step.
    pub(crate) kink: bool,
}

/// Halvings of the step: from a sixteenth of the direction down to where rounding has taken over.
const LEVELS: usize = 26;
/// Beyond so many it is rounding that raises doubts.
const MOST_DOUBTED: usize = 16;

/// Moves every input by `t` along its direction.
fn moved(inputs: &[Tensor], direction: &[Tensor], t: f64) -> Vec<Tensor> {
    let shift = |(x, d): (&Tensor, &Tensor)| Tensor::from_fn(x.shape(), |i| x.as_slice()[i] + t * d.as_slice()[i]);
    inputs.iter().zip(direction).map(shift).collect()
}

/// The derivative of each result along a direction, and the direction's length where it has a single element (1
/// otherwise, where the direction is the unit): central differences at halved steps, extrapolated twice (Richardson),
/// the best by estimated error. Truncation shows as the difference between neighbouring extrapolations, rounding as
/// the size of the results over the step.
pub(crate) fn along(
    f: &impl Fn(&[Tensor]) -> Vec<f64>,
    inputs: &[Tensor],
    base: &[f64],
    direction: &[Tensor],
) -> (Vec<Estimate>, f64) {
    let elements: Vec<f64> = direction.iter().flat_map(Tensor::to_vec).filter(|d| *d != 0.0).collect();
    let length = if let [one] = elements[..] { one } else { 1.0 };
    let start = Estimate { slope: f64::NAN, error: f64::INFINITY, step: 0.0, kink: false };
    let mut best = vec![start; base.len()];
    // Per result: central differences so far, and how far the one-sided slopes disagree.
    let mut central: Vec<Vec<f64>> = vec![Vec::new(); base.len()];
    let mut jumps: Vec<Vec<f64>> = vec![Vec::new(); base.len()];
    let mut before = vec![start; base.len()];
    let grain = grain_of(f, inputs, base, direction);
    let mut worse = 0;
    for level in 0..LEVELS {
        let t = 0.0625 * 0.5_f64.powi(level as i32);
        let (above, below) = (f(&moved(inputs, direction, t)), f(&moved(inputs, direction, -t)));
        let mut improved = false;
        for (r, best) in best.iter_mut().enumerate() {
            let (high, low, here) = (above[r], below[r], base[r]);
            central[r].push((high - low) / (2.0 * t));
            jumps[r].push(((high - here) - (here - low)) / t);
            let [.., a, b, c] = central[r][..] else { continue };
            let (ab, bc) = (b + (b - a) / 3.0, c + (c - b) / 3.0);
            let slope = bc + (bc - ab) / 15.0;
            let rounding = (4.0 * f64::EPSILON * (high.abs() + low.abs())).max(2.0 * grain[r]);
            let error = (slope - bc).abs() + rounding / t;
            let now = Estimate { slope, error, step: t, kink: false };
            let last = std::mem::replace(&mut before[r], now);
            // A derivative that is doubted is asked for once more.
            improved |= apart(best, &now) && level < MOST_DOUBTED;
            if error < best.error || is_refuted(best, [&last, &now]) {
                improved = true;
                *best = now;
            }
        }
        worse = if improved { 0 } else { worse + 1 };
        if worse > 4 && level > 8 {
            break;
        }
    }
    for ((best, jumps), central) in best.iter_mut().zip(&jumps).zip(&central) {
        best.kink = is_kink(jumps, best) || is_jump(central);
    }
    (best, length)
}

/// Whether two estimates of smaller steps agree on another derivative. Large steps may meet a function that oscillates within them in
/// places which agree by chance.
fn is_refuted(best: &Estimate, [last, now]: [&Estimate; 2]) -> bool {
    let agree = (last.slope - now.slope).abs() <= last.error + now.error;
    best.step > last.step && agree && apart(best, last) && apart(best, now)
}

/// Whether two estimates are of different derivatives.
fn apart(a: &Estimate, b: &Estimate) -> bool {
    (a.slope - b.slope).abs() > 10.0 * (a.error + b.error)
}

/// How rough each result is over tiny steps: what an expression rounds away inside shows here, and not in the size of
/// its result. The fourth difference of a smooth function vanishes with the fourth power of the step, so what is left
/// of it is the noise, 8 times over (the root of 1 + 16 + 36 + 16 + 1).
fn grain_of(f: &impl Fn(&[Tensor]) -> Vec<f64>, inputs: &[Tensor], base: &[f64], direction: &[Tensor]) -> Vec<f64> {
    let mut grain = vec![0.0_f64; base.len()];
    for t in [1e-6, 1.7e-6, 2.9e-6] {
        let at = |by: f64| f(&moved(inputs, direction, by * t));
        let [a, b, d, e] = [at(-2.0), at(-1.0), at(1.0), at(2.0)];
        for (r, grain) in grain.iter_mut().enumerate() {
            let difference = a[r] - 4.0 * b[r] + 6.0 * base[r] - 4.0 * d[r] + e[r];
            *grain = grain.max(difference.abs() / 8.0);
        }
    }
    grain
}

/// Whether the one-sided slopes disagree by what does not shrink with the step. Over a smooth point the jump halves
/// with the step; over a kink it stays.
fn is_kink(jumps: &[f64], best: &Estimate) -> bool {
    let Some(middle) = jumps.get(jumps.len() / 3) else { return false };
    let (first, last) = (jumps[0].abs(), middle.abs());
    last > 0.2 * first && last > 1e-4 * best.slope.abs() + 10.0 * best.error
}

/// Whether the function itself jumps: the slope over a step doubles each time that the step is halved.
fn is_jump(central: &[f64]) -> bool {
    let doubles = |pair: &[f64]| pair[1].abs() > 1.9 * pair[0].abs() && pair[0] != 0.0;
    central.len() > 6 && central[..6].windows(2).all(doubles)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slope(f: impl Fn(f64) -> f64, x: f64) -> Estimate {
        let g = |at: &[Tensor]| vec![f(at[0].item())];
        let direction = [Tensor::scalar(if x == 0.0 { 1.0 } else { x.abs() })];
        let (estimates, length) = along(&g, &[Tensor::scalar(x)], &[f(x)], &direction);
        Estimate { slope: estimates[0].slope / length, error: estimates[0].error / length, ..estimates[0] }
    }

    #[test]
    fn fast_oscillations_are_not_met_by_chance() {
        for k in (50..4000).step_by(7).map(f64::from) {
            for x in [0.81, 1.3, 2.9] {
                let (got, want) = (slope(|x| (k * x).sin(), x), k * (k * x).cos());
                let off = (got.slope - want).abs();
                assert!(off <= 10.0 * got.error || got.kink, "{k} {x}: {got:?}, not {want}");
            }
        }
    }

    #[test]
    fn ten_digits_of_smooth_functions_at_any_scale() {
        for x in [1e-8, 1e-3, 0.7, 5.0, 1e6] {
            for (got, want) in [
                (slope(|x| x * x * x, x), 3.0 * x * x),
                (slope(f64::ln, x), 1.0 / x),
                (slope(f64::sqrt, x), 0.5 / x.sqrt()),
            ] {
                assert!((got.slope / want - 1.0).abs() < 1e-10, "{x}: {got:?}, not {want}");
                assert!((got.slope - want).abs() <= 3.0 * got.error && !got.kink, "{x}: {got:?}, not {want}");
            }
        }
        let sine = slope(f64::sin, 100.0);
        assert!((sine.slope - 100_f64.cos()).abs() < 1e-9, "{sine:?}");
    }

    #[test]
    fn a_kink_is_seen() {
        assert!(slope(f64::abs, 0.0).kink);
        assert!(slope(|x| x.max(0.3), 0.3).kink && slope(f64::signum, 0.0).kink && slope(f64::ceil, 2.0).kink);
        assert!(!slope(|x| x * x, 0.0).kink && !slope(f64::exp, 1.0).kink && !slope(|x| x.powi(4), 0.0).kink);
    }
}
