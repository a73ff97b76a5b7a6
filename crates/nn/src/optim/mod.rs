//! Optimisers: rules that make new parameters of parameters and gradients, on tensors and inside of programs.
//!
//! On tensors, [`Optimiser::step`] changes parameters in place. Options are public fields, which may change between steps; a
//! schedule of the rate is an assignment, of a formula of one's own, or of a schedule:
//!
//! ```
//! use autograd::Tensor;
//! use nn::{Optimiser, Sgd};
//! let mut w = Tensor::from([1.0, 2.0]);
//! let mut sgd = Sgd { momentum: 0.9, ..Sgd::new(0.1) };
//! for step in 0..10 {
//!     sgd.rate = 0.1 / f64::from(1 + step);
//!     let gradient = w.map(|w| 2.0 * w); // of Σ w²
//!     sgd.step(&mut w, &gradient);
//! }
//! ```
//!
//! In a [`Program`](autograd::Program), [`Rule::update`] records the same step, to the same bits.

/// The methods of a rule that are the same for all: what it is called, rate, momentum (the field that a schedule moves), memory.
macro_rules! held {
    ($name:literal $(, $momentum:ident)?) => {
        fn name(&self) -> &'static str {
            $name
        }
        fn rate(&self) -> f64 {
            self.rate
        }
        fn set_rate(&mut self, rate: f64) {
            self.rate = rate;
        }
        $(
            fn momentum(&self) -> Option<f64> {
                Some(self.$momentum)
            }
            fn set_momentum(&mut self, momentum: f64) {
                self.$momentum = momentum;
            }
        )?
        fn memory(&self) -> &crate::optim::Memory<T> {
            &self.memory
        }
        fn memory_mut(&mut self) -> &mut crate::optim::Memory<T> {
            &mut self.memory
        }
    };
}

/// The methods of a rule around another one that are those of the other one.
macro_rules! inner {
    () => {
        fn name(&self) -> &'static str {
            self.rule.name()
        }
        fn rate(&self) -> f64 {
            self.rule.rate()
        }
        fn set_rate(&mut self, rate: f64) {
            self.rule.set_rate(rate);
        }
        fn momentum(&self) -> Option<f64> {
            self.rule.momentum()
        }
        fn set_momentum(&mut self, momentum: f64) {
            self.rule.set_momentum(momentum);
        }
        fn memory(&self) -> &Memory<T> {
            self.rule.memory()
        }
        fn memory_mut(&mut self) -> &mut Memory<T> {
            self.rule.memory_mut()
        }
    };
}

mod setting;
mod step;
mod rule;
mod memory;
mod sgd;
mod adam;
mod second;
mod adamax;
mod nadam;
mod radam;
mod rmsprop;
mod adagrad;
mod adadelta;
mod rprop;
mod lion;
mod clip;
mod groups;
mod accumulate;
mod average;
mod schedules;

pub use accumulate::Accumulated;
pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamax::Adamax;
pub use average::{Averaged, Weighting};
pub use clip::{Clip, Clipped, clip_norm, clip_value, norm};
pub use groups::{Group, Grouped, freeze};
pub use lion::Lion;
pub use memory::Memory;
pub(crate) use memory::{fixed_settings, has_settings, start};
pub use nadam::NAdam;
pub use radam::RAdam;
pub use rmsprop::RmsProp;
pub use rprop::Rprop;
pub use rule::{Now, Rule, next_state};
pub(crate) use rule::{advance, wrong_setting};
pub use schedules::{Cyclic, CyclicMode, OneCycle, Plateau, Schedule, Scheduler, SchedulerState};
pub use second::{Lbfgs, LevenbergMarquardt, LineSearch, NewtonCg, Report, Stopped};
pub use setting::Setting;
pub use sgd::Sgd;
pub use step::{Leaf, Recall, Step, shortfall, shortfall_by};

use autograd::{Float, Tensor, Tree};

/// A rule that improves parameters step by step, on tensors. Every [`Rule`] is one.
pub trait Optimiser<T: Float> {
    /// Changes the parameters in place, given gradients of the same structure. The first step records the rule as a program; after it,
    /// as long as no setting but rate and momentum changes, a step allocates nothing, if no one else holds the parameters' buffers. Both are
    /// tensors: of gradients that are variables, `tape.values(&grads)` gives them.
    ///
    /// # Panics
    /// Where the structures of parameters and gradients differ, the optimiser has made steps on parameters of
    /// another structure, or a setting is out of its range. Nothing is changed then.
    #[track_caller]
    fn step(&mut self, params: &mut impl Tree<Leaf = Tensor<T>>, grads: &impl Tree<Leaf = Tensor<T>>);
}
