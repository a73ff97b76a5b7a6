//! Derivatives from values alone: central differences, extrapolated to step 0.

/// The first step, relative to the coordinate (or to 1, where that is larger).
const FIRST_STEP: f64 = 0.1;
/// How often the step is halved in the extrapolation; the last entry of the tableau has an error of order `2 · LEVELS`.
const LEVELS: usize = 7;
/// How often the first step may be halved to stay within a smooth piece. Below `0.1 / 2¹⁰` rounding spoils differences.
const HALVINGS: usize = 10;

/// The Jacobian `dy/dx` `[outputs, inputs]` of `y = f(x)`, row-major, by Richardson extrapolation of central
/// differences, with the step that each entry's own error estimate is least for (Ridders, 1982).
///
/// A difference means something only within a smooth piece of `f`: `piece` names the piece that a point lies on, and
/// a step is halved until both its ends lie on the piece of `x`. Where a coordinate has no such step, because a kink
/// lies too near, the entries of its column are held back: `None`. Along each coordinate a piece must be an interval.
///
/// ```
/// use softmax_net::finite_differences::jacobian;
/// let f = |x: &[f64]| vec![x[0] * x[1], x[1].max(0.0)];
/// let d = jacobian(&[3.0, 0.1], f, |x| x[1] > 0.0);
/// for (d, want) in d.into_iter().zip([0.1, 3.0, 0.0, 1.0]) {
///     assert!((d.unwrap() - want).abs() < 1e-11);
/// }
/// let d = jacobian(&[3.0, 0.0], f, |x| x[1] > 0.0); // at the kink
/// assert!(d[0].is_some() && d[1].is_none());
/// ```
pub fn jacobian<P: PartialEq>(
    x: &[f64],
    f: impl Fn(&[f64]) -> Vec<f64>,
    piece: impl Fn(&[f64]) -> P,
) -> Vec<Option<f64>> {
    let outputs = f(x).len();
    let home = piece(x);
    let mut result = vec![None; outputs * x.len()];
    for j in 0..x.len() {
        let moved = |by: f64| {
            let mut x = x.to_vec();
            x[j] += by;
            x
        };
        let within = |h: &f64| piece(&moved(*h)) == home && piece(&moved(-*h)) == home;
        let first = FIRST_STEP * x[j].abs().max(1.0);
        let steps = (0..=HALVINGS).map(|i| first / f64::from(1 << i));
        let Some(step) = steps.into_iter().find(within) else { continue };
        let column = extrapolate(step, |h| {
            let (above, below) = (moved(h), moved(-h));
            let width = above[j] - below[j]; // 2h as the coordinate rounds it
            f(&above).iter().zip(f(&below)).map(|(a, b)| (a - b) / width).collect()
        });
        for (i, d) in column.into_iter().enumerate() {
            result[i * x.len() + j] = Some(d);
        }
    }
    result
}

/// The Hessian `d²y/dx²` `[inputs, inputs]` of a smooth scalar function, row-major: the differences of its differences.
///
/// ```
/// use softmax_net::finite_differences::hessian;
/// let d2 = hessian(&[1.0, 2.0], |x| x[0] * x[1] * x[1]);
/// for (d2, want) in d2.into_iter().zip([0.0, 4.0, 4.0, 2.0]) {
///     assert!((d2 - want).abs() < 1e-9);
/// }
/// ```
pub fn hessian(x: &[f64], f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let smooth = |_: &[f64]| ();
    let gradient = |x: &[f64]| jacobian(x, |x| vec![f(x)], smooth).into_iter().flatten().collect();
    jacobian(x, gradient, smooth).into_iter().flatten().collect()
}

/// One entry `d²y/dx_i dx_j` of the Hessian, the bits that [`hessian`] has there, for the time of one.
///
/// ```
/// use softmax_net::finite_differences::{hessian, second};
/// let y = |x: &[f64]| x[0].sin() * x[1].exp();
/// assert_eq!(second(&[0.3, 0.2], y, 0, 1), hessian(&[0.3, 0.2], y)[1]);
/// ```
///
/// # Panics
/// Where there is no such coordinate.
#[track_caller]
pub fn second(x: &[f64], f: impl Fn(&[f64]) -> f64, i: usize, j: usize) -> f64 {
    let len = x.len();
    assert!(i < len && j < len, "second: coordinates {i} and {j} of {len}");
    let along = |x: &mut [f64], of: usize, f: &dyn Fn(&[f64]) -> f64| {
        let at = x[of];
        extrapolate(FIRST_STEP * at.abs().max(1.0), |h| {
            let (above, below) = (at + h, at - h);
            x[of] = above;
            let a = f(x);
            x[of] = below;
            let b = f(x);
            x[of] = at;
            vec![(a - b) / (above - below)]
        })[0]
    };
    let slope = |x: &[f64]| along(&mut x.to_vec(), i, &f);
    along(&mut x.to_vec(), j, &slope)
}

/// Central differences at steps `h, h/2, h/4, …`, extrapolated to 0: each column of the tableau removes one more even
/// power of the step from the error. For each output the entry that differs least from its two parents is taken.
fn extrapolate(first: f64, mut central: impl FnMut(f64) -> Vec<f64>) -> Vec<f64> {
    let mut previous: Vec<Vec<f64>> = Vec::new();
    let mut best: Vec<(f64, f64)> = Vec::new();
    for level in 0..LEVELS {
        let central = central(first / f64::from(1 << level));
        best.resize(central.len(), (f64::INFINITY, f64::NAN));
        let mut row = vec![central];
        for (order, older) in previous.iter().enumerate() {
            let newer = &row[order];
            let factor = 4_f64.powi(order as i32 + 1) - 1.0;
            let extrapolated: Vec<f64> = newer.iter().zip(older).map(|(n, o)| n + (n - o) / factor).collect();
            for (i, (best, &d)) in best.iter_mut().zip(&extrapolated).enumerate() {
                let error = (d - newer[i]).abs().max((d - older[i]).abs());
                if error < best.0 {
                    *best = (error, d);
                }
            }
            row.push(extrapolated);
        }
        previous = row;
    }
    best.into_iter().map(|(_, d)| d).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_of_smooth_functions_have_eleven_digits() {
        let x = [0.3, -1.2, 25.0];
        let f = |x: &[f64]| vec![x[0].exp(), x[1].tanh(), (x[2] / 10.0).sin()];
        let d = jacobian(&x, f, |_| ());
        let want = [x[0].exp(), 1.0 - x[1].tanh().powi(2), (x[2] / 10.0).cos() / 10.0];
        for i in 0..3 {
            for j in 0..3 {
                let want = if i == j { want[i] } else { 0.0 };
                assert!((d[i * 3 + j].unwrap() - want).abs() < 1e-11, "{i} {j}");
            }
        }
    }

    #[test]
    fn a_difference_that_overflows_is_no_number() {
        let d = jacobian(&[709.7], |x| vec![x[0].exp()], |_| ());
        assert!(d[0].is_none_or(|d| !d.is_finite() || d > 1e307));
    }
}
