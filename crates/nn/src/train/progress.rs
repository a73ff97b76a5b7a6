//! How far it is, for whoever draws it.

use std::time::{Duration, Instant};

/// Tells how far training is, ten times a second at most, and looks at the clock seldom, so that it may be asked
/// after each step. It draws nothing.
///
/// ```
/// use nn::train::Progress;
/// let mut progress = Progress::new(500);
/// for step in 1..=500 {
///     // … a step of training …
///     if let Some(report) = progress.at(step) {
///         eprint!("\r{:3.0} %, {:.0} steps a second, {:.0?} left", 100.0 * report.share, report.rate, report.left);
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Progress {
    /// How many steps there will be.
    pub total: u64,
    /// The least time between two reports: a tenth of a second.
    pub interval: Duration,
    started: Option<Instant>,
    reported: Option<Instant>,
    /// The step at which the clock is looked at next: a step may take less time than a look.
    next_look: u64,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// Steps done.
    pub done: u64,
    /// Their share of all.
    pub share: f64,
    /// The time since the first question.
    pub elapsed: Duration,
    /// Steps a second; NaN before any time has passed.
    pub rate: f64,
    /// How long it will take from here at this rate.
    pub left: Duration,
}

impl Progress {
    /// Of so many steps, from now on.
    pub fn new(total: u64) -> Self {
        Self {
            total,
            interval: Duration::from_millis(100),
            started: Some(Instant::now()),
            reported: None,
            next_look: 0,
        }
    }

    /// How far it is after so many steps; nothing where the last report is too young, unless these are all steps.
    pub fn at(&mut self, done: u64) -> Option<Report> {
        if done < self.next_look && done < self.total {
            return None;
        }
        let now = Instant::now();
        let elapsed = now.saturating_duration_since(*self.started.get_or_insert(now));
        // At the rate so far, eight times within the interval.
        let steps = done as f64 * self.interval.as_secs_f64() / elapsed.as_secs_f64().max(1e-9) / 8.0;
        self.next_look = done + (steps as u64).clamp(1, done.max(1));
        self.at_time(done, now)
    }

    fn at_time(&mut self, done: u64, now: Instant) -> Option<Report> {
        let started = *self.started.get_or_insert(now);
        let young = |last: Instant| now.saturating_duration_since(last) < self.interval;
        if done < self.total && young(self.reported.unwrap_or(started)) {
            return None;
        }
        self.reported = Some(now);
        let elapsed = now.saturating_duration_since(started);
        let share = if self.total == 0 { 1.0 } else { done as f64 / self.total as f64 };
        let rate = done as f64 / elapsed.as_secs_f64();
        let left = self.total.saturating_sub(done) as f64 / rate;
        let left = Duration::try_from_secs_f64(left).unwrap_or(Duration::ZERO);
        Some(Report { done, share, elapsed, rate, left })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reports_ten_times_a_second_at_most_and_at_the_end() {
        let mut progress = Progress::new(1000);
        let start = progress.started.unwrap();
        let reports: Vec<Report> = (1..=1000)
            .filter_map(|step| progress.at_time(step, start + Duration::from_millis(step))) // a step a millisecond
            .collect();
        assert_eq!(reports.len(), 10);
        let half = reports[4];
        assert_eq!((half.done, half.share, half.elapsed), (500, 0.5, Duration::from_millis(500)));
        assert!((half.rate - 1000.0).abs() < 1e-9 && half.left.abs_diff(half.elapsed) < Duration::from_micros(1));
        assert_eq!(reports[9].left, Duration::ZERO);
    }
}
