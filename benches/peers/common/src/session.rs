//! One run of one peer: what it is asked to do, the check of its results, the clock, the lines that it prints.
//!
//! A line has four fields between tabs: `time`, peer, column, µs of one run; or `wrong`, peer, column, why. The table
//! is made of them.

use crate::problem::{Number, Problem, elements, formula, slope};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Below this, the clock and the loop would be a part of what is timed.
const SHORTEST: Duration = Duration::from_micros(500);

/// A median needs a few, however long they take.
const FEWEST_ROUNDS: usize = 5;

/// How many times a loss's tolerance the mean of a million numbers has: not everyone sums them in blocks.
const MEAN_TOLERANCE: f64 = 10.0;

/// How far an element of the element-wise map may be from the formula in `f64`; the values are within 2.
const ELEMENT_TOLERANCE: f64 = 1e-5;

/// The name of what all others are measured against.
pub const CLOSED_FORM: &str = "closed form by hand";

/// One run of one peer.
#[derive(Clone, Debug)]
pub struct Session {
    peer: String,
    seconds: f64,
    filter: String,
}

impl Session {
    /// A session of a peer, with what the environment asks for: `PEERS_SECONDS` for each measurement, and only columns
    /// whose name contains `PEERS_FILTER`.
    ///
    /// # Panics
    /// Where `PEERS_SECONDS` is not a number.
    pub fn new(peer: impl Into<String>) -> Self {
        let seconds = std::env::var("PEERS_SECONDS").map_or(0.5, |text| {
            text.parse().unwrap_or_else(|error| panic!("PEERS_SECONDS is {text:?}, not a number of seconds: {error}"))
        });
        Self { peer: peer.into(), seconds, filter: std::env::var("PEERS_FILTER").unwrap_or_default() }
    }

    /// A session of a crate from the registry, with the version that the lock file has of its package.
    pub fn of_crate(peer: &str, package: &str) -> Self {
        Self::new(format!("{peer} {}", locked_version(package)))
    }

    /// Compares the losses of a peer's first steps with the closed form's; times the steps that follow.
    pub fn train<T: Number>(&self, problem: &Problem<T>, mut step: impl FnMut() -> f64) {
        let column = format!("{}/{}", problem.name, T::NAME);
        if !column.contains(&self.filter) {
            return;
        }
        for (k, &expected) in problem.losses.iter().enumerate() {
            let loss = step();
            // A NaN is not within any tolerance.
            let agrees = (loss - expected).abs() <= T::TOLERANCE * expected.abs();
            if !agrees {
                return self.wrong(&column, &format!("loss {loss} instead of {expected} in step {}", k + 1));
            }
        }
        let time = self.time(&mut step);
        let last = step();
        if !last.is_finite() {
            return self.wrong(&column, &format!("a loss of {last} after the last step"));
        }
        self.print("time", &column, &time);
    }

    /// Compares a peer's mean of the element-wise formula and its gradient with the formulas; times both together. `run`
    /// computes them with what it needs, `read` copies them out and is not timed.
    pub fn gradient<T: Number, S, Y>(
        &self,
        mut with: S,
        run: impl Fn(&mut S) -> Y,
        read: impl Fn(&mut S, Y) -> (f64, Vec<T>),
    ) {
        let column = format!("elementwise/{}", T::NAME);
        if !column.contains(&self.filter) {
            return;
        }
        let result = run(&mut with);
        let (mean, gradient) = read(&mut with, result);
        let x: Vec<f64> = elements::<T>().into_iter().map(T::into).collect();
        if gradient.len() != x.len() {
            return self.wrong(&column, &format!("{} slopes instead of {}", gradient.len(), x.len()));
        }
        let count = x.len() as f64;
        let expected = x.iter().map(|&x| formula(x)).sum::<f64>() / count;
        let agrees = (mean - expected).abs() <= MEAN_TOLERANCE * T::TOLERANCE * expected.abs();
        if !agrees {
            return self.wrong(&column, &format!("a mean of {mean} instead of {expected}"));
        }
        for (x, dx) in x.into_iter().zip(gradient) {
            // Slopes are within 1.
            let dx = dx.into() * count;
            let agrees = (dx - slope(x)).abs() <= T::TOLERANCE;
            if !agrees {
                return self.wrong(&column, &format!("a slope of {dx} instead of {} at {x}", slope(x)));
            }
        }
        let time = self.time(|| run(&mut with));
        self.print("time", &column, &time);
    }

    /// Compares the results of a peer's element-wise map with the formula; times the map. `run` computes all elements
    /// with what it needs, `read` copies them out and is not timed.
    pub fn map<S, Y>(&self, mut with: S, run: impl Fn(&mut S) -> Y, read: impl Fn(&mut S, Y) -> Vec<f32>) {
        let column = "elementwise forward/f32";
        if !column.contains(&self.filter) {
            return;
        }
        let result = run(&mut with);
        let (x, y) = (elements::<f32>(), read(&mut with, result));
        if x.len() != y.len() {
            return self.wrong(column, &format!("{} elements instead of {}", y.len(), x.len()));
        }
        for (&x, &y) in x.iter().zip(&y) {
            let expected = formula(f64::from(x));
            let agrees = (f64::from(y) - expected).abs() <= ELEMENT_TOLERANCE;
            if !agrees {
                return self.wrong(column, &format!("{y} instead of {expected} at {x}"));
            }
        }
        let time = self.time(|| run(&mut with));
        self.print("time", column, &time);
    }

    /// The median time of one run, in µs, of repeated batches of runs after a warm-up.
    fn time<Y>(&self, mut run: impl FnMut() -> Y) -> String {
        let mut batch = |runs: u32| {
            let start = Instant::now();
            for _ in 0..runs {
                black_box(run());
            }
            start.elapsed()
        };
        let start = Instant::now();
        let mut runs = 1;
        while batch(runs) < SHORTEST {
            runs *= 2;
        }
        while start.elapsed().as_secs_f64() < 0.2 * self.seconds {
            batch(runs);
        }
        let start = Instant::now();
        let mut times = Vec::new();
        while times.len() < FEWEST_ROUNDS || start.elapsed().as_secs_f64() < self.seconds {
            times.push(batch(runs).as_secs_f64() / f64::from(runs));
        }
        times.sort_by(f64::total_cmp);
        format!("{}", 1e6 * times[times.len() / 2])
    }

    fn wrong(&self, column: &str, why: &str) {
        self.print("wrong", column, why);
    }

    fn print(&self, kind: &str, column: &str, what: &str) {
        println!("{kind}\t{}\t{column}\t{what}", self.peer);
    }
}

/// The version of a package from the registry in this workspace's lock file.
///
/// # Panics
/// Where there is none.
fn locked_version(package: &str) -> &'static str {
    let name = format!("name = \"{package}\"\n");
    let mut packages = include_str!("../../Cargo.lock").split("[[package]]\n");
    // Our own crate has the name of one of the peers, but no source.
    let found = packages.find(|entry| entry.starts_with(&name) && entry.contains("\nsource = "));
    let version = found.and_then(|entry| entry.split('"').nth(3));
    version.unwrap_or_else(|| panic!("the lock file has no {package} from a registry"))
}
