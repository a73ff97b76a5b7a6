//! Data sets that are made, to try things on: scikit-learn's (`make_moons` is [`moons`]), and CS231n's spirals.
//!
//! The same seed gives the same numbers on every machine. Rows come in the order of their classes, as scikit-learn's do with
//! `shuffle=False`; splits and batches take them at random anyway, and [`Dataset::shuffle`] mixes them. `noise` is the standard
//! deviation of what is added to each number, in the units of the number.
//!
//! ```
//! use nn::data::synthetic::moons;
//! let data = moons::<f64>(200, 0.1, 0);
//! assert_eq!((data.len(), data.width()), (200, 2));
//! assert_eq!(data, moons(200, 0.1, 0));
//! ```

use crate::data::{Dataset, Sequences, Target};
use crate::random::{Generator, Purpose, stream};
use autograd::{Float, Tensor};
use rand::RngExt;
use rand_distr::StandardNormal;
use std::f64::consts::{PI, TAU};
use std::ops::RangeInclusive;

/// Two half circles that reach into each other, classes `0` (the first half of the rows, above) and `1`; scikit-learn's
/// `make_moons`: `(cos t, sin t)` and `(1 − cos t, ½ − sin t)`, `t` evenly from 0 to π.
///
/// ```
/// let data = nn::data::synthetic::moons::<f64>(5, 0.0, 0);
/// assert_eq!(data.labels(), [0, 0, 1, 1, 1]);
/// assert_eq!(data.features().as_slice()[..2], [1.0, 0.0]);
/// ```
///
/// # Panics
/// Where the noise is negative or not finite.
#[track_caller]
pub fn moons<T: Float>(n: usize, noise: f64, seed: u64) -> Dataset<T> {
    hold_noise("moons", noise);
    let upper = n / 2;
    let point = |i: usize| {
        let (i, count) = if i < upper { (i, upper) } else { (i - upper, n - upper) };
        PI * place(i, count)
    };
    let rows = (0..n).map(|i| {
        let (sin, cos) = libm::sincos(point(i));
        if i < upper { [cos, sin] } else { [1.0 - cos, 0.5 - sin] }
    });
    of_classes(rows.collect(), (0..n).map(|i| usize::from(i >= upper)).collect(), 2, noise, seed)
}

/// A circle of radius 1, class `0`, around one of radius `factor`, class `1`; scikit-learn's `make_circles`.
///
/// ```
/// let data = nn::data::synthetic::circles::<f64>(8, 0.5, 0.0, 0);
/// assert_eq!(data.features().as_slice()[8..10], [0.5, 0.0]);
/// ```
///
/// # Panics
/// Where the factor is not from 0 to below 1, or the noise is negative or not finite.
#[track_caller]
pub fn circles<T: Float>(n: usize, factor: f64, noise: f64, seed: u64) -> Dataset<T> {
    hold_noise("circles", noise);
    assert!((0.0..1.0).contains(&factor), "circles: a factor from 0 to below 1 is needed, not {factor}");
    let outer = n / 2;
    let row = |i: usize| {
        let (i, count, radius) = if i < outer { (i, outer, 1.0) } else { (i - outer, n - outer, factor) };
        let (sin, cos) = libm::sincos(TAU * i as f64 / count as f64);
        [radius * cos, radius * sin]
    };
    of_classes((0..n).map(row).collect(), (0..n).map(|i| usize::from(i >= outer)).collect(), 2, noise, seed)
}

/// Clouds around `k` centres, a class each: normal numbers of this deviation around a point that is drawn from −10 to 10 in each
/// of `d` features; scikit-learn's `make_blobs`. Classes have as many rows as others, the first ones one more.
///
/// ```
/// let data = nn::data::synthetic::blobs::<f64>(7, 3, 4, 1.0, 0);
/// assert_eq!((data.width(), data.labels()), (4, &[0, 0, 0, 1, 1, 2, 2][..]));
/// ```
///
/// # Panics
/// Where there are no classes, or the deviation is negative or not finite.
#[track_caller]
pub fn blobs<T: Float>(n: usize, k: usize, d: usize, std: f64, seed: u64) -> Dataset<T> {
    hold_noise("blobs", std);
    assert!(k > 0, "blobs: 1 class or more is needed, not 0");
    let rng = &mut stream(seed, Purpose::Synthetic);
    let centres: Vec<f64> = (0..k * d).map(|_| rng.random_range(-10.0..10.0)).collect();
    let labels: Vec<usize> = (0..k).flat_map(|class| vec![class; n / k + usize::from(class < n % k)]).collect();
    let features = labels.iter().flat_map(|&class| centres[class * d..(class + 1) * d].to_vec()).collect();
    of_numbers(features, d, labels, k, std, rng)
}

/// `k` spiral arms with a class each, CS231n's "toy spiral data": of each class `n / k` rows `(r sin t, r cos t)`, the radius `r`
/// evenly from 0 to 1, the angle `t` evenly from `4 j` to `4 (j + 1)` radians in class `j`, plus noise (0.2 there). Here the first
/// classes have one row more where `n / k` is not whole.
///
/// ```
/// let data = nn::data::synthetic::spirals::<f64>(300, 3, 0.2, 0); // as CS231n has it
/// assert_eq!((data.len(), data.classes().len()), (300, 3));
/// ```
///
/// # Panics
/// Where there are no classes, or the noise is negative or not finite.
#[track_caller]
pub fn spirals<T: Float>(n: usize, k: usize, noise: f64, seed: u64) -> Dataset<T> {
    hold_noise("spirals", noise);
    assert!(k > 0, "spirals: 1 class or more is needed, not 0");
    let rng = &mut stream(seed, Purpose::Synthetic);
    let (mut features, mut labels) = (Vec::new(), Vec::new());
    for class in 0..k {
        let count = n / k + usize::from(class < n % k);
        for i in 0..count {
            let r = place(i, count);
            let t = 4.0 * (class as f64 + r) + noise * rng.sample::<f64, _>(StandardNormal);
            let (sin, cos) = libm::sincos(t);
            features.extend([r * sin, r * cos]);
            labels.push(class);
        }
    }
    of_numbers(features, 2, labels, k, 0.0, rng)
}

/// A board of `fields` by `fields` squares over the square from −1 to 1, in which points are drawn evenly; the class is that of
/// the square, `0` in the lower left corner, and neighbours differ. Of 2 by 2 fields this is exclusive or: `1` where the signs of
/// the features differ. Noise is added after classes are given.
///
/// ```
/// let data = nn::data::synthetic::checkerboard::<f64>(100, 2, 0.0, 0);
/// for (x, &label) in data.features().as_slice().chunks(2).zip(data.labels()) {
///     assert_eq!(label == 1, (x[0] < 0.0) != (x[1] < 0.0));
/// }
/// ```
///
/// # Panics
/// Where there are no fields, or the noise is negative or not finite.
#[track_caller]
pub fn checkerboard<T: Float>(n: usize, fields: usize, noise: f64, seed: u64) -> Dataset<T> {
    hold_noise("checkerboard", noise);
    assert!(fields > 0, "checkerboard: 1 field or more is needed, not 0");
    let rng = &mut stream(seed, Purpose::Synthetic);
    let features: Vec<f64> = (0..2 * n).map(|_| rng.random_range(-1.0..1.0)).collect();
    let field = |x: f64| (f64::midpoint(x, 1.0) * fields as f64) as usize;
    let labels = features.chunks_exact(2).map(|x| (field(x[0]) + field(x[1])) % 2).collect();
    of_numbers(features, 2, labels, 2, noise, rng)
}

/// Friedman's first problem ("Multivariate adaptive regression splines", 1991), scikit-learn's `make_friedman1`: `d` features
/// evenly from 0 to 1, of which five count: `y = 10 sin(π x₀ x₁) + 20 (x₂ − ½)² + 10 x₃ + 5 x₄ + noise`.
///
/// ```
/// let data = nn::data::synthetic::friedman1::<f64>(100, 10, 1.0, 0);
/// assert_eq!((data.width(), data.target().names()), (10, &["y".to_owned()][..]));
/// ```
///
/// # Panics
/// Where there are fewer than 5 features, or the noise is negative or not finite.
#[track_caller]
pub fn friedman1<T: Float>(n: usize, d: usize, noise: f64, seed: u64) -> Dataset<T> {
    hold_noise("friedman1", noise);
    assert!(d >= 5, "friedman1: 5 features or more are needed, not {d}");
    let rng = &mut stream(seed, Purpose::Synthetic);
    let features: Vec<f64> = (0..n * d).map(|_| rng.random()).collect();
    let y =
        |x: &[f64]| 10.0 * libm::sin(PI * x[0] * x[1]) + 20.0 * (x[2] - 0.5) * (x[2] - 0.5) + 10.0 * x[3] + 5.0 * x[4];
    of_values(features.chunks_exact(d).map(y).collect(), features, d, noise, rng)
}

/// A linear relation: as many standard normal features as coefficients, `y = Σ wᵢ xᵢ + intercept + noise`. scikit-learn's
/// `make_regression` draws the coefficients; here they are told, so that they are known.
///
/// ```
/// let data = nn::data::synthetic::regression::<f64>(50, &[2.0, -1.0], 0.5, 0.1, 0);
/// assert_eq!((data.len(), data.width()), (50, 2));
/// ```
///
/// # Panics
/// Where a coefficient or the intercept is not finite, or the noise is negative or not finite.
#[track_caller]
pub fn regression<T: Float>(n: usize, coefficients: &[f64], intercept: f64, noise: f64, seed: u64) -> Dataset<T> {
    hold_noise("regression", noise);
    let finite = coefficients.iter().chain([&intercept]).all(|x| x.is_finite());
    assert!(finite, "regression: finite coefficients are needed, not {coefficients:?} and {intercept}");
    let (d, rng) = (coefficients.len(), &mut stream(seed, Purpose::Synthetic));
    let features: Vec<f64> = (0..n * d).map(|_| rng.sample(StandardNormal)).collect();
    let y = |i: usize| {
        coefficients.iter().zip(&features[i * d..(i + 1) * d]).fold(intercept, |sum, (weight, x)| sum + weight * x)
    };
    of_values((0..n).map(y).collect(), features, d, noise, rng)
}

/// A wave: one feature evenly from 0 to 2π, `y = sin x + noise`.
///
/// ```
/// let data = nn::data::synthetic::sine::<f64>(3, 0.0, 0);
/// assert_eq!(data.features().as_slice()[1], std::f64::consts::PI);
/// ```
///
/// # Panics
/// Where the noise is negative or not finite.
#[track_caller]
pub fn sine<T: Float>(n: usize, noise: f64, seed: u64) -> Dataset<T> {
    hold_noise("sine", noise);
    let x: Vec<f64> = (0..n).map(|i| TAU * place(i, n)).collect();
    of_values(x.iter().map(|&x| libm::sin(x)).collect(), x, 1, noise, &mut stream(seed, Purpose::Synthetic))
}

/// Waves of different lengths to continue: each of the `n` sequences is `sin(phase + ω t) + noise` at `t = 0, 1, …`, with a phase
/// from 0 to 2π, an `ω` from 0.2 to 0.8 radians a step and a length from this range, all drawn evenly. The target of each step is
/// the number of the next one, `next`.
///
/// ```
/// let data = nn::data::synthetic::sine_waves::<f64>(10, 5..=20, 0.0, 0);
/// assert!(data.lengths().iter().all(|steps| (5..=20).contains(steps)));
/// ```
///
/// # Panics
/// Where the range of lengths is empty or begins at 0, or the noise is negative or not finite.
#[track_caller]
pub fn sine_waves<T: Float>(n: usize, lengths: RangeInclusive<usize>, noise: f64, seed: u64) -> Sequences<T> {
    hold_noise("sine_waves", noise);
    let fits = !lengths.is_empty() && *lengths.start() > 0;
    assert!(fits, "sine_waves: a range of lengths from 1 on is needed, not {lengths:?}");
    let rng = &mut stream(seed, Purpose::Synthetic);
    let (mut rows, mut next) = (Vec::new(), Vec::new());
    // Drawn as u64: a usize is drawn otherwise on machines of 32 bits.
    let (shortest, longest) = (*lengths.start() as u64, *lengths.end() as u64);
    for _ in 0..n {
        let (steps, phase) = (rng.random_range(shortest..=longest) as usize, rng.random_range(0.0..TAU));
        let speed = rng.random_range(0.2..0.8);
        let mut wave =
            |t: usize| T::of(libm::sin(phase + speed * t as f64) + noise * rng.sample::<f64, _>(StandardNormal));
        let wave: Vec<T> = (0..=steps).map(&mut wave).collect();
        rows.push(Tensor::new([steps, 1], wave[..steps].to_vec()));
        next.extend_from_slice(&wave[1..]);
    }
    Sequences::per_step(&rows, Target::value("next", &next))
}

/// Where the `i`th of some numbers lies that go evenly from 0 to 1.
fn place(i: usize, count: usize) -> f64 {
    if count > 1 { i as f64 / (count - 1) as f64 } else { 0.0 }
}

#[track_caller]
fn hold_noise(function: &str, noise: f64) {
    assert!(noise.is_finite() && noise >= 0.0, "{function}: noise of 0 or more is needed, not {noise}");
}

fn of_classes<T: Float>(rows: Vec<[f64; 2]>, labels: Vec<usize>, k: usize, noise: f64, seed: u64) -> Dataset<T> {
    of_numbers(rows.concat(), 2, labels, k, noise, &mut stream(seed, Purpose::Synthetic))
}

/// Examples of classes that are called by their numbers, with noise on the features.
#[track_caller]
fn of_numbers<T: Float>(
    mut features: Vec<f64>,
    d: usize,
    labels: Vec<usize>,
    k: usize,
    noise: f64,
    rng: &mut Generator,
) -> Dataset<T> {
    for x in &mut features {
        *x += noise * rng.sample::<f64, _>(StandardNormal);
    }
    let features = features.into_iter().map(T::of).collect();
    Dataset::new(Tensor::new([labels.len(), d], features), labels, (0..k).map(|class| class.to_string()).collect())
}

/// Examples of a value `y`, with noise on it.
#[track_caller]
fn of_values<T: Float>(y: Vec<f64>, features: Vec<f64>, d: usize, noise: f64, rng: &mut Generator) -> Dataset<T> {
    let y: Vec<T> = y.into_iter().map(|y| T::of(y + noise * rng.sample::<f64, _>(StandardNormal))).collect();
    let features = features.into_iter().map(T::of).collect();
    Dataset::with(Tensor::new([y.len(), d], features), Target::value("y", &y))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean and the standard deviation.
    fn spread(x: &[f64]) -> (f64, f64) {
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        (mean, (x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / x.len() as f64).sqrt())
    }

    fn points(data: &Dataset) -> Vec<([f64; 2], usize)> {
        let rows = data.features().as_slice().chunks_exact(2).map(|x| [x[0], x[1]]);
        rows.zip(data.labels().iter().copied()).collect()
    }

    fn values(data: &Dataset) -> &[f64] {
        match data.target() {
            Target::Values { values, .. } => values.as_slice(),
            other @ (Target::Classes { .. } | Target::Labels { .. }) => panic!("{other:?}"),
        }
    }

    #[test]
    fn moons_are_half_circles_around_two_centres() {
        for (x, class) in points(&moons(31, 0.0, 0)) {
            let (centre, side) = if class == 0 { ([0.0, 0.0], 1.0) } else { ([1.0, 0.5], -1.0) };
            let (dx, dy) = (x[0] - centre[0], x[1] - centre[1]);
            assert!((dx.hypot(dy) - 1.0).abs() < 1e-12 && side * dy > -1e-12, "{x:?}");
        }
    }

    #[test]
    fn circles_have_two_radii() {
        for (x, class) in points(&circles(30, 0.3, 0.0, 0)) {
            assert!((x[0].hypot(x[1]) - [1.0, 0.3][class]).abs() < 1e-12);
        }
    }

    #[test]
    fn blobs_are_normal_around_their_centres() {
        let data = blobs::<f64>(3000, 3, 2, 0.5, 4);
        for class in 0..3 {
            let rows: Vec<[f64; 2]> = points(&data).iter().filter(|row| row.1 == class).map(|row| row.0).collect();
            for feature in 0..2 {
                let (centre, std) = spread(&rows.iter().map(|x| x[feature]).collect::<Vec<_>>());
                assert!((std - 0.5).abs() < 0.05 && centre.abs() < 10.1, "{centre} {std}");
            }
        }
    }

    #[test]
    fn spirals_turn_by_four_radians_while_their_radius_grows() {
        for (i, (x, class)) in points(&spirals(30, 3, 0.0, 0)).into_iter().enumerate() {
            let r = (i % 10) as f64 / 9.0;
            let t = 4.0 * (class as f64 + r);
            assert!((x[0] - r * t.sin()).abs() + (x[1] - r * t.cos()).abs() < 1e-12);
        }
        // Noise turns a point, and leaves its radius.
        let noisy = points(&spirals(30, 3, 0.2, 1));
        assert!(noisy.iter().enumerate().all(|(i, (x, _))| (x[0].hypot(x[1]) - (i % 10) as f64 / 9.0).abs() < 1e-12));
    }

    #[test]
    fn neighbours_on_a_checkerboard_differ() {
        for (x, class) in points(&checkerboard(400, 4, 0.0, 3)) {
            let field = |x: f64| (2.0 * x + 2.0).floor() as i64;
            assert_eq!((field(x[0]) + field(x[1])).rem_euclid(2), class as i64);
            assert!(x.iter().all(|x| (-1.0..1.0).contains(x)));
        }
    }

    #[test]
    fn friedmans_target_is_his_formula_and_noise() {
        let formula =
            |x: &[f64]| 10.0 * (PI * x[0] * x[1]).sin() + 20.0 * (x[2] - 0.5).powi(2) + 10.0 * x[3] + 5.0 * x[4];
        let data = friedman1::<f64>(2000, 7, 2.0, 5);
        let rest: Vec<f64> =
            data.features().as_slice().chunks(7).zip(values(&data)).map(|(x, y)| y - formula(x)).collect();
        let (mean, std) = spread(&rest);
        assert!(mean.abs() < 0.15 && (std - 2.0).abs() < 0.15, "{mean} {std}");
        assert!(data.features().as_slice().iter().all(|x| (0.0..1.0).contains(x)));
    }

    #[test]
    fn a_regression_is_linear_but_for_its_noise() {
        let line = |x: &[f64]| 2.0 * x[0] - x[1] + 0.5;
        for noise in [0.0, 0.3] {
            let data = regression::<f64>(2000, &[2.0, -1.0], 0.5, noise, 6);
            let rest: Vec<f64> =
                data.features().as_slice().chunks(2).zip(values(&data)).map(|(x, y)| y - line(x)).collect();
            let (mean, std) = spread(&rest);
            assert!(mean.abs() < 0.02 && (std - noise).abs() < 0.02, "{mean} {std}");
        }
    }

    #[test]
    fn a_sine_is_one_and_waves_go_on_as_they_began() {
        let data = sine::<f64>(50, 0.0, 0);
        assert!(data.features().as_slice().iter().zip(values(&data)).all(|(x, y)| (x.sin() - y).abs() < 1e-12));
        let waves = sine_waves::<f64>(20, 3..=9, 0.0, 7);
        let Target::Values { values, .. } = waves.target() else { panic!("{:?}", waves.target()) };
        let mut done = 0;
        for (row, &steps) in waves.lengths().iter().enumerate() {
            let x: Vec<f64> = waves.sequence(row).to_vec();
            let next = &values.as_slice()[done..done + steps];
            assert_eq!(x[1..], next[..steps - 1]);
            // Any sine of even steps keeps x[t + 1] + x[t − 1] = 2 cos ω x[t].
            let turn = (next[steps - 1] + x[steps - 2]) / x[steps - 1];
            assert!(turn.abs() <= 2.0 + 1e-9);
            assert!((x[2] + x[0] - turn * x[1]).abs() < 1e-6, "row {row}");
            done += steps;
        }
    }

    #[test]
    fn a_seed_gives_the_same_numbers_anywhere_and_another_one_others() {
        let sets = |seed| {
            [
                moons::<f64>(9, 0.1, seed),
                circles(9, 0.5, 0.1, seed),
                blobs(9, 2, 2, 1.0, seed),
                spirals(9, 2, 0.1, seed),
                checkerboard(9, 3, 0.1, seed),
                friedman1(9, 5, 0.1, seed),
                regression(9, &[1.0], 0.0, 0.1, seed),
                sine(9, 0.1, seed),
            ]
        };
        assert_eq!(sets(1), sets(1));
        assert!(sets(1).iter().zip(&sets(2)).all(|(a, b)| a != b));
        assert_eq!(sine_waves::<f32>(3, 2..=5, 0.1, 1), sine_waves(3, 2..=5, 0.1, 1));
        for n in [0, 1, 2] {
            assert!(moons::<f32>(n, 0.1, 0).len() == n && spirals::<f32>(n, 3, 0.1, 0).len() == n);
            assert!(circles::<f32>(n, 0.5, 0.1, 0).len() == n && sine::<f32>(n, 0.0, 0).len() == n);
        }
    }
}
