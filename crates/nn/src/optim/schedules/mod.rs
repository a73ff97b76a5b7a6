//! Schedules: how the learning rate, and the momentum with it, move from step to step, as `torch.optim.lr_scheduler` defines them.

mod group;
mod scheduler;
mod wrong;

pub use scheduler::{Scheduler, SchedulerState};

/// How a learning rate moves from its base, the rate before the first step, as plain data; a [`Scheduler`] follows it. `t` is the
/// number of steps made. Each is the class of the same kind in `torch.optim.lr_scheduler`, step by step: those that scale the rate of the step before do so
/// in a chain, too.
///
/// ```
/// use nn::optim::{Schedule, Scheduler};
/// let warm_up = Schedule::Linear { start: 0.1, end: 1.0, steps: 10 };
/// let fall = Schedule::Cosine { steps: 90, least: 0.0 };
/// let schedule = Schedule::Sequential { schedules: vec![warm_up, fall], milestones: vec![10] };
/// let mut scheduler = Scheduler::new(schedule, 0.2, None);
/// assert!((scheduler.rate() - 0.02).abs() < 1e-15);
/// for _ in 0..10 {
///     scheduler.step();
/// }
/// assert_eq!(scheduler.rate(), 0.2);
/// ```
#[derive(Clone, Debug)]
pub enum Schedule {
    /// The rate stays.
    Constant,
    /// Times `factor` after each `every` steps (`StepLR`).
    Step {
        /// The number of steps between two changes, 1 or more.
        every: u32,
        /// `gamma`.
        factor: f64,
    },
    /// Times `factor` at each of these steps (`MultiStepLR`).
    MultiStep {
        /// The steps, in any order; one that stands there twice counts twice.
        milestones: Vec<u32>,
        /// `gamma`.
        factor: f64,
    },
    /// Times `factor` at each step (`ExponentialLR`).
    Exponential {
        /// `gamma`.
        factor: f64,
    },
    /// `least + (base − least) (1 + cos(π t / steps)) / 2` (`CosineAnnealingLR`; Loshchilov and Hutter, "SGDR", 2017, without restarts).
    Cosine {
        /// Half a period, `T_max`; 1 or more.
        steps: u32,
        /// `eta_min`.
        least: f64,
    },
    /// The same, from the base again after `first`, then `first · growth`, … steps (`CosineAnnealingWarmRestarts`).
    CosineRestarts {
        /// `T_0`, 1 or more.
        first: u32,
        /// `T_mult`, 1 or more.
        growth: u32,
        /// `eta_min`.
        least: f64,
    },
    /// From `start · base` to `end · base` in equal steps, then constant (`LinearLR`).
    Linear {
        /// The factor at first, above 0.
        start: f64,
        /// The factor at the end.
        end: f64,
        /// `total_iters`, 1 or more.
        steps: u32,
    },
    /// `factor · base` for some steps, then the base (`ConstantLR`).
    ConstantFactor {
        /// The factor, above 0.
        factor: f64,
        /// `total_iters`.
        steps: u32,
    },
    /// `base · (1 − t / steps)^power`, then constant (`PolynomialLR`).
    Polynomial {
        /// `total_iters`, 1 or more.
        steps: u32,
        /// The exponent.
        power: f64,
    },
    /// Up and down once, with the momentum against it (`OneCycleLR`).
    OneCycle(OneCycle),
    /// Up and down again and again (`CyclicLR`).
    Cyclic(Cyclic),
    /// Times `factor` where a metric no longer gets better (`ReduceLROnPlateau`).
    Plateau(Plateau),
    /// `base · f(t)` (`LambdaLR`).
    Lambda(fn(u32) -> f64),
    /// The rate of the step before times `f(t)` (`MultiplicativeLR`).
    Multiplicative(fn(u32) -> f64),
    /// One after the other: the next begins at each milestone (`SequentialLR`).
    Sequential {
        /// The schedules.
        schedules: Vec<Schedule>,
        /// The steps at which the next one begins, rising: one less than schedules.
        milestones: Vec<u32>,
    },
    /// All at once, each on the rate that the one before leaves (`ChainedScheduler`).
    Chained(Vec<Schedule>),
}

/// One cycle (Smith and Topin, "Super-convergence", 2018), as PyTorch's `OneCycleLR`: from `most / start_divisor` up to `most`, then down to the
/// rate at first over `end_divisor`, while the momentum, or `β₁`, falls and rises. Its base is of no effect.
///
/// ```
/// use nn::optim::{OneCycle, Schedule, Scheduler};
/// let mut scheduler = Scheduler::new(Schedule::OneCycle(OneCycle::new(0.25, 100)), 0.1, Some(0.9));
/// assert!((scheduler.rate() - 0.01).abs() < 1e-15 && scheduler.momentum() == Some(0.95));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneCycle {
    /// `max_lr`.
    pub most: f64,
    /// `total_steps`: a step after them is a mistake.
    pub steps: u32,
    /// `pct_start`, the share of steps in which the rate rises.
    pub rise: f64,
    /// Straight lines instead of cosines.
    pub linear: bool,
    /// `cycle_momentum`, whether the momentum moves.
    pub cycle_momentum: bool,
    /// The momentum at the highest rate.
    pub base_momentum: f64,
    /// The momentum at the lowest rate.
    pub max_momentum: f64,
    /// `div_factor`.
    pub start_divisor: f64,
    /// `final_div_factor`.
    pub end_divisor: f64,
    /// Whether the rate falls to where it began as long as it rose, and then further.
    pub three_phase: bool,
}

impl OneCycle {
    /// With PyTorch's defaults.
    pub fn new(most: f64, steps: u32) -> Self {
        Self {
            most,
            steps,
            rise: 0.3,
            linear: false,
            cycle_momentum: true,
            base_momentum: 0.85,
            max_momentum: 0.95,
            start_divisor: 25.0,
            end_divisor: 1e4,
            three_phase: false,
        }
    }
}

/// Cycles (Smith, "Cyclical learning rates", 2017), as PyTorch's `CyclicLR`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cyclic {
    /// `base_lr`, the lowest rate.
    pub least: f64,
    /// `max_lr`, the highest rate.
    pub most: f64,
    /// `step_size_up`, the steps in which the rate rises, 1 or more.
    pub up: u32,
    /// `step_size_down`, the steps in which it falls, 1 or more.
    pub down: u32,
    /// How the height of cycles falls.
    pub mode: CyclicMode,
    /// Whether the momentum moves against the rate.
    pub cycle_momentum: bool,
    /// The momentum at the highest rate.
    pub base_momentum: f64,
    /// The momentum at the lowest rate.
    pub max_momentum: f64,
}

/// How the height of cycles falls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CyclicMode {
    /// Not at all (`triangular`).
    Even,
    /// By half with each cycle (`triangular2`).
    Halved,
    /// By this factor with each step (`exp_range`, its `gamma`).
    Exponential(f64),
}

impl Cyclic {
    /// With PyTorch's defaults: triangles of one height, 2000 steps up and 2000 down.
    pub fn new(least: f64, most: f64) -> Self {
        Self {
            least,
            most,
            up: 2000,
            down: 2000,
            mode: CyclicMode::Even,
            cycle_momentum: true,
            base_momentum: 0.8,
            max_momentum: 0.9,
        }
    }
}

/// Waiting for a metric to get better, as PyTorch's `ReduceLROnPlateau`. [`Scheduler::step_with`] gives it the metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plateau {
    /// Whether the metric is to rise (`mode = "max"`).
    pub maximize: bool,
    /// What the rate is multiplied by, less than 1.
    pub factor: f64,
    /// How many steps without a better metric are borne.
    pub patience: u32,
    /// By how much a better metric is better.
    pub threshold: f64,
    /// Whether that is a difference, not a share of the best (`threshold_mode = "abs"`).
    pub absolute: bool,
    /// For how many steps nothing is counted after a change.
    pub cooldown: u32,
    /// `min_lr`, the lowest rate.
    pub least: f64,
    /// A change by no more than this is not made.
    pub epsilon: f64,
}

impl Default for Plateau {
    /// PyTorch's defaults.
    fn default() -> Self {
        Self {
            maximize: false,
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            absolute: false,
            cooldown: 0,
            least: 0.0,
            epsilon: 1e-8,
        }
    }
}
