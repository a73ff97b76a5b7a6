//! What schedules change, and how cycles do.

use super::{Cyclic, CyclicMode, OneCycle};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// What schedules change: a parameter group of PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) rate: f64,
    pub(super) momentum: Option<f64>,
    /// `initial_lr`, once a schedule has set it.
    pub(super) initial: Option<f64>,
    /// Highest and lowest rate, highest and lowest momentum of a cycle.
    pub(super) most: f64,
    pub(super) least: f64,
    pub(super) max_momentum: f64,
    pub(super) base_momentum: f64,
}

impl Group {
    /// The momentum from which a cycle begins.
    pub(super) fn cycle(&mut self, base: f64, max: f64) {
        (self.momentum, self.base_momentum, self.max_momentum) = (Some(max), base, max);
    }

    pub(super) fn one_cycle(&mut self, cycle: &OneCycle, t: f64) -> f64 {
        let initial = self.initial.unwrap_or(self.rate);
        let (most, least, low, high) = (self.most, self.least, self.base_momentum, self.max_momentum);
        let n = f64::from(cycle.steps);
        // The end of each phase, with rates and momenta at its ends.
        let rise = (cycle.rise * n - 1.0, (initial, most), (high, low));
        let phases = if cycle.three_phase {
            let fall = (2.0 * cycle.rise * n - 2.0, (most, initial), (low, high));
            vec![rise, fall, (n - 1.0, (initial, least), (high, high))]
        } else {
            vec![rise, (n - 1.0, (most, least), (low, high))]
        };
        let at = phases.iter().position(|phase| t <= phase.0).unwrap_or(phases.len() - 1);
        let begin = if at == 0 { 0.0 } else { phases[at - 1].0 };
        let (end, rates, momenta) = phases[at];
        // A phase of one step is at its beginning.
        let share = if end == begin { 0.0 } else { (t - begin) / (end - begin) };
        let between = |(a, b): (f64, f64)| {
            if cycle.linear { (b - a) * share + a } else { b + (a - b) / 2.0 * (libm::cos(PI * share) + 1.0) }
        };
        if cycle.cycle_momentum {
            self.momentum = Some(between(momenta));
        }
        between(rates)
    }

    pub(super) fn cyclic(&mut self, cycle: &Cyclic, base: f64, t: f64) -> f64 {
        let (up, total) = (f64::from(cycle.up), f64::from(cycle.up) + f64::from(cycle.down));
        let turn = up / total;
        let number = (1.0 + t / total).floor();
        let x = 1.0 + t / total - number;
        let height = if x <= turn { x / turn } else { (x - 1.0) / (turn - 1.0) };
        let scale = match cycle.mode {
            CyclicMode::Even => 1.0,
            CyclicMode::Halved => 1.0 / libm::pow(2.0, number - 1.0),
            CyclicMode::Exponential(factor) => libm::pow(factor, t),
        };
        if cycle.cycle_momentum {
            let range = (cycle.max_momentum - cycle.base_momentum) * height;
            self.momentum = Some(cycle.max_momentum - range * scale);
        }
        base + (cycle.most - base) * height * scale
    }
}
