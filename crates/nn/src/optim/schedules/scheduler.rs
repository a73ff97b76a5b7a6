//! What follows a schedule.
#![allow(clippy::wildcard_enum_match_arm, reason = "most schedules leave the rate as it is at most steps")]

use super::group::Group;
use super::{Plateau, Schedule};
use crate::error::{Error, Kind};
use crate::optim::Rule;
use autograd::Float;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// A schedule under way: the rate, and the momentum, of the next step.
///
/// ```
/// use autograd::Tensor;
/// use nn::optim::{Optimiser, Schedule, Scheduler, Sgd};
/// let (mut w, mut sgd) = (Tensor::from([1.0, 2.0]), Sgd::new(0.1));
/// let mut scheduler = Scheduler::of(Schedule::Exponential { factor: 0.5 }, &sgd);
/// for _ in 0..3 {
///     scheduler.apply(&mut sgd);
///     let gradient = w.map(|w| 2.0 * w);
///     sgd.step(&mut w, &gradient);
///     scheduler.step();
/// }
/// assert_eq!(scheduler.rate(), 0.1 * 0.125);
/// ```
#[derive(Clone, Debug)]
pub struct Scheduler {
    group: Group,
    node: Node,
}

/// Where a [`Scheduler`] stands, as plain data for a [`Checkpoint`](crate::file::Checkpoint).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SchedulerState {
    group: Group,
    /// The schedule, and those within it, each before its own.
    nodes: Vec<Place>,
}

/// Where a schedule stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Place {
    base: f64,
    /// `last_epoch`.
    t: i64,
    /// Where a cosine with restarts stands, and how long it is.
    within: (u64, u64),
    wait: Wait,
}

/// A schedule with where it stands.
#[derive(Clone, Debug)]
struct Node {
    schedule: Schedule,
    children: Vec<Node>,
    at: Place,
}

/// What a plateau has seen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Wait {
    #[serde(with = "crate::any_number")]
    best: f64,
    bad: u32,
    rest: u32,
}

impl Scheduler {
    /// A schedule from a base rate, and a momentum where there is one, before the first step.
    ///
    /// # Panics
    /// Where the schedule has a number out of its range, moves a momentum that is not there, or a [`Plateau`] stands inside of another one.
    #[track_caller]
    pub fn new(schedule: Schedule, rate: f64, momentum: Option<f64>) -> Self {
        assert!(rate.is_finite() && rate >= 0.0, "Scheduler::new: a finite rate of 0 or more is needed, not {rate}");
        if let Some(wrong) = schedule.wrong(momentum.is_some(), false) {
            panic!("Scheduler::new: {wrong}");
        }
        let mut group =
            Group { rate, momentum, initial: None, most: rate, least: rate, max_momentum: 0.0, base_momentum: 0.0 };
        let node = Node::new(schedule, &mut group);
        Self { group, node }
    }

    /// A schedule from the rate and the momentum of a rule.
    ///
    /// # Panics
    /// As [`Scheduler::new`].
    #[track_caller]
    pub fn of<T: Float>(schedule: Schedule, rule: &impl Rule<T>) -> Self {
        Self::new(schedule, rule.rate(), rule.momentum())
    }

    /// The rate of the next step.
    pub fn rate(&self) -> f64 {
        self.group.rate
    }

    /// The momentum, or `β₁`, of the next step.
    pub fn momentum(&self) -> Option<f64> {
        self.group.momentum
    }

    /// Gives a rule the rate and the momentum of the next step.
    pub fn apply<T: Float>(&self, rule: &mut impl Rule<T>) {
        rule.set_rate(self.group.rate);
        if let Some(momentum) = self.group.momentum {
            rule.set_momentum(momentum);
        }
    }

    /// Where it stands.
    ///
    /// ```
    /// use nn::optim::{Schedule, Scheduler};
    /// let mut scheduler = Scheduler::new(Schedule::Step { every: 2, factor: 0.5 }, 1.0, None);
    /// (0..3).for_each(|_| scheduler.step());
    /// let mut resumed = Scheduler::new(Schedule::Step { every: 2, factor: 0.5 }, 1.0, None);
    /// resumed.restore(&scheduler.state())?;
    /// resumed.step();
    /// assert_eq!(resumed.rate(), 0.25);
    /// # Ok::<(), nn::Error>(())
    /// ```
    pub fn state(&self) -> SchedulerState {
        let mut nodes = Vec::new();
        self.node.visit(&mut |node| nodes.push(node.at));
        SchedulerState { group: self.group.clone(), nodes }
    }

    /// Goes to where another one stood that was made as this one.
    ///
    /// # Errors
    /// Where that follows another number of schedules; nothing is changed then.
    pub fn restore(&mut self, state: &SchedulerState) -> Result<(), Error> {
        let mut count = 0;
        self.node.visit(&mut |_| count += 1);
        if count != state.nodes.len() {
            let text = format!("a state of {} schedules is not one of {count}", state.nodes.len());
            return Err(Error::of(Kind::Data(text)));
        }
        let mut places = state.nodes.iter();
        self.node.visit_mut(&mut |node| node.at = places.next().copied().unwrap_or(node.at));
        self.group = state.group.clone();
        Ok(())
    }

    /// A step has been made.
    ///
    /// # Panics
    /// Where the schedule is fed by a metric ([`Scheduler::step_with`]), or a cycle has no further step.
    #[track_caller]
    pub fn step(&mut self) {
        let fed = matches!(self.node.schedule, Schedule::Plateau(_));
        assert!(!fed, "Scheduler::step: Plateau needs a metric: `step_with` gives it one");
        if let Some(steps) = self.node.ended() {
            panic!("Scheduler::step: OneCycle is of {steps} steps, and they are made");
        }
        self.node.step(&mut self.group, false);
    }

    /// A step has been made, and a metric measured; only [`Plateau`] looks at it.
    ///
    /// # Panics
    /// Where a cycle has no further step.
    #[track_caller]
    pub fn step_with(&mut self, metric: f64) {
        if let Schedule::Plateau(plateau) = self.node.schedule {
            self.node.at.wait.see(&plateau, metric, &mut self.group.rate);
        } else {
            self.step();
        }
    }
}

impl Wait {
    fn see(&mut self, plateau: &Plateau, metric: f64, rate: &mut f64) {
        let Plateau { threshold, .. } = *plateau;
        let better = match (plateau.maximize, plateau.absolute) {
            (false, false) => metric < self.best * (1.0 - threshold),
            (false, true) => metric < self.best - threshold,
            (true, false) => metric > self.best * (threshold + 1.0),
            (true, true) => metric > self.best + threshold,
        };
        if better {
            (self.best, self.bad) = (metric, 0);
        } else {
            self.bad += 1;
        }
        if self.rest > 0 {
            self.rest -= 1;
            self.bad = 0;
        }
        if self.bad > plateau.patience {
            let new = (*rate * plateau.factor).max(plateau.least);
            if *rate - new > plateau.epsilon {
                *rate = new;
            }
            (self.rest, self.bad) = (plateau.cooldown, 0);
        }
    }
}

impl Node {
    fn visit(&self, f: &mut dyn FnMut(&Self)) {
        f(self);
        self.children.iter().for_each(|child| child.visit(f));
    }

    fn visit_mut(&mut self, f: &mut dyn FnMut(&mut Self)) {
        f(self);
        self.children.iter_mut().for_each(|child| child.visit_mut(f));
    }

    /// The steps of PyTorch's constructors, which change the group one after the other.
    fn new(schedule: Schedule, group: &mut Group) -> Self {
        let children: Vec<Self> = match &schedule {
            Schedule::Sequential { schedules, .. } | Schedule::Chained(schedules) => {
                schedules.iter().map(|schedule| Self::new(schedule.clone(), group)).collect()
            }
            _ => Vec::new(),
        };
        let best = if matches!(schedule, Schedule::Plateau(Plateau { maximize: true, .. })) { -1.0 } else { 1.0 };
        let wait = Wait { best: best * f64::INFINITY, bad: 0, rest: 0 };
        let mut node = Self { schedule, children, at: Place { base: group.rate, t: -1, within: (0, 0), wait } };
        match &node.schedule {
            Schedule::Plateau(_) => return node,
            Schedule::Chained(_) => {
                node.at.t = 0;
                return node;
            }
            Schedule::Sequential { milestones, .. } => {
                node.at.t = 0;
                group.rate = group.initial.unwrap_or(group.rate);
                let first = milestones.partition_point(|&milestone| milestone == 0);
                node.undo();
                node.children[first].step(group, true);
                return node;
            }
            Schedule::OneCycle(cycle) => {
                let initial = cycle.most / cycle.start_divisor;
                group.initial = Some(initial);
                (group.most, group.least) = (cycle.most, initial / cycle.end_divisor);
                if cycle.cycle_momentum {
                    group.cycle(cycle.base_momentum, cycle.max_momentum);
                }
            }
            Schedule::Cyclic(cycle) => {
                group.rate = cycle.least;
                if cycle.cycle_momentum {
                    group.cycle(cycle.base_momentum, cycle.max_momentum);
                }
            }
            Schedule::CosineRestarts { first, .. } => node.at.within = (0, u64::from(*first)),
            _ => {}
        }
        node.at.base = *group.initial.get_or_insert(group.rate);
        node.step(group, true);
        if let Schedule::Cyclic(cycle) = node.schedule {
            node.at.base = cycle.least;
        }
        node
    }

    fn undo(&mut self) {
        for child in &mut self.children {
            if child.children.is_empty() {
                child.at.t -= 1;
            } else {
                child.undo();
            }
        }
    }

    /// The length of a cycle that has no further step.
    fn ended(&self) -> Option<u32> {
        match &self.schedule {
            Schedule::OneCycle(cycle) => (self.at.t >= i64::from(cycle.steps)).then_some(cycle.steps),
            Schedule::Chained(_) => self.children.iter().find_map(Self::ended),
            Schedule::Sequential { milestones, .. } => {
                let at = milestones.partition_point(|&milestone| i64::from(milestone) <= self.at.t + 1);
                let begins = at > 0 && i64::from(milestones[at - 1]) == self.at.t + 1;
                if begins { None } else { self.children[at].ended() }
            }
            _ => None,
        }
    }

    /// One step; the first one is made before the first step of the rule.
    fn step(&mut self, group: &mut Group, is_first: bool) {
        self.at.t += 1;
        match &self.schedule {
            Schedule::Chained(_) => self.children.iter_mut().for_each(|child| child.step(group, false)),
            Schedule::Sequential { milestones, .. } => {
                let at = milestones.partition_point(|&milestone| i64::from(milestone) <= self.at.t);
                if at > 0 && i64::from(milestones[at - 1]) == self.at.t {
                    self.children[at].begin(group);
                } else {
                    self.children[at].step(group, false);
                }
            }
            Schedule::CosineRestarts { growth, .. } => {
                let (now, length) = &mut self.at.within;
                if self.at.t <= 0 {
                    *now = 0;
                } else {
                    *now += 1;
                    if *now >= *length {
                        *now %= *length;
                        *length = length.saturating_mul(u64::from(*growth));
                    }
                }
                group.rate = self.next(group, is_first);
            }
            _ => group.rate = self.next(group, is_first),
        }
    }

    /// Its beginning at a milestone: the closed form at 0, where there is one.
    fn begin(&mut self, group: &mut Group) {
        self.at.t = 0;
        let base = self.at.base;
        group.rate = match &self.schedule {
            Schedule::Chained(_) => return self.children.iter_mut().for_each(|child| child.begin(group)),
            Schedule::Sequential { .. } => return self.children[0].begin(group),
            Schedule::Step { .. } | Schedule::Exponential { .. } | Schedule::Polynomial { .. } | Schedule::Constant => {
                base
            }
            Schedule::Cosine { least, .. } => least + (base - least) * 2.0 / 2.0,
            Schedule::MultiStep { milestones, factor } => {
                base * libm::pow(*factor, milestones.iter().filter(|&&milestone| milestone == 0).count() as f64)
            }
            Schedule::ConstantFactor { factor, steps } => {
                base * (factor + f64::from(u8::from(*steps == 0)) * (1.0 - factor))
            }
            Schedule::Linear { start, .. } => base * start,
            _ => self.next(group, false),
        };
    }

    /// PyTorch's `get_lr`: the rate of step `t`, of the rate before.
    fn next(&self, group: &mut Group, is_first: bool) -> f64 {
        let (rate, base, t) = (group.rate, self.at.base, self.at.t as f64);
        match &self.schedule {
            Schedule::Step { every, factor } if self.at.t != 0 && self.at.t % i64::from(*every) == 0 => rate * factor,
            Schedule::MultiStep { milestones, factor } => {
                match milestones.iter().filter(|&&milestone| i64::from(milestone) == self.at.t).count() {
                    0 => rate,
                    count => rate * libm::pow(*factor, count as f64),
                }
            }
            Schedule::Exponential { factor } if !is_first => rate * factor,
            Schedule::Cosine { steps, least } if !is_first => {
                let n = f64::from(*steps);
                if (self.at.t - 1 - i64::from(*steps)).rem_euclid(2 * i64::from(*steps)) == 0 {
                    return rate + (base - least) * (1.0 - libm::cos(PI / n)) / 2.0;
                }
                (1.0 + libm::cos(PI * t / n)) / (1.0 + libm::cos(PI * (t - 1.0) / n)) * (rate - least) + least
            }
            Schedule::CosineRestarts { least, .. } => {
                let at = PI * self.at.within.0 as f64 / self.at.within.1 as f64;
                least + (base - least) * (1.0 + libm::cos(at)) / 2.0
            }
            Schedule::Linear { start, .. } if self.at.t == 0 => rate * start,
            Schedule::Linear { start, end, steps } if !is_first && self.at.t <= i64::from(*steps) => {
                rate * (1.0 + (end - start) / (f64::from(*steps) * start + (t - 1.0) * (end - start)))
            }
            Schedule::ConstantFactor { factor, .. } if self.at.t == 0 => rate * factor,
            Schedule::ConstantFactor { factor, steps } if self.at.t == i64::from(*steps) => rate * (1.0 / factor),
            Schedule::Polynomial { steps, power } if !is_first && self.at.t <= i64::from(*steps) => {
                let n = f64::from(*steps);
                rate * libm::pow((1.0 - t / n) / (1.0 - (t - 1.0) / n), *power)
            }
            Schedule::OneCycle(cycle) => group.one_cycle(cycle, t),
            Schedule::Cyclic(cycle) => group.cyclic(cycle, base, t),
            Schedule::Lambda(f) => base * f(self.at.t.max(0) as u32),
            Schedule::Multiplicative(f) if !is_first => rate * f(self.at.t.max(0) as u32),
            _ => rate,
        }
    }
}
