//! Times functions in turn, each in batches that are long enough for the clock.

use std::time::{Duration, Instant};

/// A function, and the time of a run of it.
pub(crate) struct Clock<F> {
    f: F,
    /// Runs of a batch.
    runs: u32,
    /// Seconds of one run, one entry for each round.
    pub(crate) times: Vec<f64>,
}

impl<F: FnMut()> Clock<F> {
    /// With batches that take this long at least: below some time, the clock and the loop would be a part of what is timed.
    pub(crate) fn new(f: F, shortest: Duration) -> Self {
        let mut clock = Self { f, runs: 1, times: Vec::new() };
        while clock.batch() < shortest {
            clock.runs *= 2;
        }
        clock
    }

    fn batch(&mut self) -> Duration {
        let start = Instant::now();
        for _ in 0..self.runs {
            (self.f)();
        }
        start.elapsed()
    }

    /// Times a batch.
    pub(crate) fn round(&mut self) {
        let time = self.batch().as_secs_f64() / f64::from(self.runs);
        self.times.push(time);
    }

    /// Seconds of one run.
    pub(crate) fn median(&self) -> f64 {
        median(self.times.iter().copied())
    }
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
