//! The line search of strong Wolfe conditions.

use super::flat::{Evaluate, add, all_finite, dot};
use autograd::Float;

/// A point on a line: how far along the direction it lies, and what the function is like there.
#[derive(Clone, Debug)]
pub(super) struct Point<T> {
    pub(super) step: f64,
    /// Infinite where the loss or the gradient is not finite.
    pub(super) loss: f64,
    pub(super) gradient: Vec<T>,
    /// The derivative along the direction.
    pub(super) slope: f64,
}

impl<T: Float> Point<T> {
    pub(super) fn new(step: f64, loss: f64, gradient: Vec<T>, direction: &[T]) -> Self {
        let slope = dot(&gradient, direction);
        Self { step, loss, gradient, slope }
    }
}

/// Sufficient decrease and curvature: `f(t) ≤ f(0) + C1 t f′(0)` and `|f′(t)| ≤ C2 |f′(0)|`.
const C1: f64 = 1e-4;
const C2: f64 = 0.9;

/// What bounds a search.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// The largest magnitude of the direction.
    pub(super) direction: f64,
    /// A bracket whose ends differ by less in each parameter is not searched.
    pub(super) tolerance: f64,
    /// How often the point may be moved after the first evaluation.
    pub(super) most: usize,
}

/// What became of a walk along a direction.
pub(super) struct Walked<T> {
    pub(super) point: Point<T>,
    pub(super) evaluations: usize,
    /// False where the walk went nowhere, and a loss or gradient on the way was not finite.
    pub(super) is_good: bool,
}

/// Moves `x` along a direction to where a search leads, from a first length of the step.
pub(super) fn walk<T: Float>(
    x: &mut [T],
    direction: &[T],
    start: Point<T>,
    first: f64,
    bounds: Bounds,
    evaluate: &mut Evaluate<T>,
) -> Walked<T> {
    let (mut is_broken, mut trial) = (false, x.to_vec());
    let (point, evaluations) = search(start, first, bounds, &mut |step| {
        trial.copy_from_slice(x);
        add(&mut trial, step, direction);
        let (loss, gradient) = evaluate(&trial);
        if loss.is_finite() && all_finite(&gradient) {
            return Point::new(step, loss, gradient, direction);
        }
        is_broken = true;
        Point { step, loss: f64::INFINITY, gradient, slope: f64::NAN }
    });
    add(x, point.step, direction);
    let is_good = !(is_broken && point.step == 0.0);
    Walked { point, evaluations, is_good }
}

/// A point that satisfies the conditions, or the lowest that was found, and how many were evaluated: the search of minFunc (M.
/// Schmidt, 2005), after Nocedal and Wright, "Numerical Optimization", 2006, algorithms 3.5 and 3.6, step by step as in
/// PyTorch's `torch/optim/lbfgs.py`.
pub(super) fn search<T: Float>(
    start: Point<T>,
    first: f64,
    bounds: Bounds,
    evaluate: &mut dyn FnMut(f64) -> Point<T>,
) -> (Point<T>, usize) {
    let (loss, slope) = (start.loss, start.slope);
    let rises = |point: &Point<T>| point.loss > loss + C1 * point.step * slope;
    let is_flat = |point: &Point<T>| point.slope.abs() <= -C2 * slope;
    let mut new = evaluate(first);
    let (mut evaluations, mut moves) = (1, 0);
    // A bracket around a point that satisfies the conditions.
    let mut previous = start.clone();
    let mut bracket = loop {
        if moves >= bounds.most {
            break [start, new];
        }
        if rises(&new) || (moves > 1 && new.loss >= previous.loss) {
            break [previous, new];
        }
        if is_flat(&new) {
            return (new, evaluations);
        }
        if new.slope >= 0.0 {
            break [previous, new];
        }
        let range = (new.step + 0.01 * (new.step - previous.step), new.step * 10.0);
        let next = interpolated(&previous, &new, range);
        previous = std::mem::replace(&mut new, evaluate(next));
        (evaluations, moves) = (evaluations + 1, moves + 1);
    };
    // It is refined.
    let mut is_near_an_end = false;
    let mut low = usize::from(bracket[0].loss > bracket[1].loss);
    while moves < bounds.most {
        let [a, b] = &bracket;
        let (least, most) = if a.step <= b.step { (a.step, b.step) } else { (b.step, a.step) };
        if (most - least) * bounds.direction < bounds.tolerance {
            break;
        }
        let mut step = interpolated(a, b, (least, most));
        let margin = 0.1 * (most - least);
        if (most - step).min(step - least) < margin {
            if is_near_an_end || step >= most || step <= least {
                step = if (step - most).abs() < (step - least).abs() { most - margin } else { least + margin };
                is_near_an_end = false;
            } else {
                is_near_an_end = true;
            }
        } else {
            is_near_an_end = false;
        }
        let new = evaluate(step);
        (evaluations, moves) = (evaluations + 1, moves + 1);
        let high = 1 - low;
        if rises(&new) || new.loss >= bracket[low].loss {
            bracket[high] = new;
            low = usize::from(bracket[0].loss > bracket[1].loss);
        } else {
            let is_done = is_flat(&new);
            if !is_done && new.slope * (bracket[high].step - bracket[low].step) >= 0.0 {
                bracket[high] = bracket[low].clone();
            }
            bracket[low] = new;
            if is_done {
                break;
            }
        }
    }
    let [a, b] = bracket;
    (if low == 0 { a } else { b }, evaluations)
}

/// The minimum within a range of the cubic through two points with their slopes (Nocedal and Wright, 2006, equation 3.59), and
/// its middle where there is none, or an end is not finite.
fn interpolated<T>(a: &Point<T>, b: &Point<T>, (least, most): (f64, f64)) -> f64 {
    let middle = f64::midpoint(least, most);
    let (x1, x2, g1, g2) = (a.step, b.step, a.slope, b.slope);
    let d1 = g1 + g2 - 3.0 * (a.loss - b.loss) / (x1 - x2);
    let square = d1 * d1 - g1 * g2;
    if square.is_nan() || square < 0.0 {
        return middle;
    }
    let d2 = square.sqrt();
    let at = if x1 <= x2 {
        x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2.0 * d2))
    } else {
        x1 - (x1 - x2) * ((g1 + d2 - d1) / (g1 - g2 + 2.0 * d2))
    };
    if at.is_nan() { middle } else { at.max(least).min(most) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn along(f: impl Fn(f64) -> (f64, f64), first: f64) -> (Point<f64>, usize) {
        let at = |t: f64| {
            let (loss, slope) = f(t);
            if loss.is_finite() {
                Point::new(t, loss, vec![slope], &[1.0])
            } else {
                Point { step: t, loss: f64::INFINITY, gradient: vec![slope], slope }
            }
        };
        search(at(0.0), first, Bounds { direction: 1.0, tolerance: 1e-9, most: 25 }, &mut |t| at(t))
    }

    #[test]
    fn the_point_found_satisfies_both_conditions() {
        // The functions of Moré and Thuente, 1994, equations 5.1 to 5.3.
        let first = |t: f64| (-t / (t * t + 2.0), (t * t - 2.0) / (t * t + 2.0).powi(2));
        let second = |t: f64| {
            ((t + 0.004).powi(5) - 2.0 * (t + 0.004).powi(4), 5.0 * (t + 0.004).powi(4) - 8.0 * (t + 0.004).powi(3))
        };
        for start in [1e-3, 0.1, 1.0, 10.0] {
            for f in [&first as &dyn Fn(f64) -> (f64, f64), &second] {
                let (point, evaluations) = along(f, start);
                let (loss, slope) = f(0.0);
                assert!(point.loss <= loss + C1 * point.step * slope && point.slope.abs() <= -C2 * slope, "{point:?}");
                assert!(evaluations < 20);
            }
        }
    }

    #[test]
    fn steps_beyond_the_domain_are_shortened() {
        // −2t − ln(1 − t) is lowest at ½, and not defined from 1 on.
        let f = |t: f64| (-2.0 * t - (1.0 - t).ln(), -2.0 + 1.0 / (1.0 - t));
        let (point, _) = along(f, 8.0);
        assert!(point.step > 0.0 && point.step < 1.0 && point.loss < 0.0, "{point:?}");
    }

    #[test]
    fn where_nothing_is_lower_the_start_is_given_back() {
        let (point, evaluations) = along(|t| if t == 0.0 { (1.0, -1.0) } else { (f64::NAN, f64::NAN) }, 1.0);
        assert_eq!((point.step, point.loss, evaluations), (0.0, 1.0, 26));
    }
}
