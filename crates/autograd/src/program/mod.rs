//! Replay: record once, run many times, without allocation.
//!
//! A [`Program`] is recorded from a function of a state (parameters, optimiser state), which lives in the program and is
//! updated in place, and of inputs, which are given anew at each run. Recording optimises: what nothing asks for is
//! dropped, what does not change is computed once, what is written twice is computed once, element-wise chains run
//! tile by tile, and buffers are planned so that a run allocates nothing.

mod error;
mod inputs;
mod state;
mod ids;
mod operation;
mod graph;
mod layout;
mod zeros;
mod passes;
mod schedule;
mod memory;
mod lower;
mod steps;
mod record;
mod outputs;
mod by_shape;
mod running;
mod on_tape;
mod questions;
pub(crate) mod repeated;

pub use by_shape::Programs;
pub use error::{ProgramError, ProgramErrorKind};
pub use inputs::{InputRecorder, InputWriter, Inputs};
pub use outputs::Outputs;
pub use passes::Optimisations;
pub use record::update;
pub use state::State;

use crate::float::Float;
use crate::kernels::lent::Lent;
use crate::kernels::map::copy;
use crate::kernels::place::Base;
use crate::tape::recording::Condition;
use crate::tensor::Tensor;
use crate::tensor::apart::Apart;
use crate::tensor::error::Error;
use crate::tensor::shape::Shape;
use error::Call;
use inputs::Slot;
use memory::Borrowed;
use std::fmt;
use std::hint::black_box;
use std::ops::Range;
use std::panic::Location;
use steps::{Operand, Step};

/// A recorded function that runs again and again on new inputs, and keeps its state between runs. The inputs have the
/// recorded shapes; [`Programs`] record anew where shapes are new.
///
/// ```
/// use autograd::{grad, tree, update, Program, Tape, Tensor};
///
/// struct Net<V> {
///     w: V,
///     b: V,
/// }
/// tree!(Net { w, b });
///
/// let net = Net { w: Tensor::zeros([2, 2]), b: Tensor::zeros([2]) };
/// let (x, labels) = (&Tensor::from_rows([[0.0, 1.0], [1.0, 0.0]]), &[0, 1]);
/// let mut step = Program::record(&net, &(x, labels, 0.5_f64), |_, net, (x, labels, rate)| {
///     let loss = (x.matmul(net.w) + net.b).cross_entropy(&labels);
///     let grads = grad(loss, &net);
///     (update(&net, &grads, |p, g| p - g * rate), vec![loss])
/// })?;
/// let first = step.run(&(x, labels, 0.5))?.item(0);
/// for _ in 0..100 {
///     step.run(&(x, labels, 0.5))?;
/// }
/// assert!(step.run(&(x, labels, 0.0))?.item(0) < 0.1 * first);
/// assert_eq!(step.state("w").unwrap().shape()[..], [2, 2]);
/// # Ok::<(), autograd::ProgramError>(())
/// ```
#[derive(Clone)]
pub struct Program<T: Float = f64> {
    inputs: Vec<Slot>,
    state: Vec<StateSlot>,
    /// The buffers of parts of the state, and of their next values that are not written over them.
    moves: Vec<(usize, usize)>,
    outputs: Vec<Operand>,
    /// Conditions that held when this was recorded.
    guards: Vec<Guard>,
    steps: Apart<Vec<Step<T>>>,
    /// The steps that the guards need come first.
    guarded: usize,
    buffers: Vec<Vec<T>>,
    /// Which of them are lent to each run.
    borrowed: Vec<Borrowed>,
    /// Inputs that a run reads where they are.
    lent: Lent<T>,
    /// Where the buffers of a step are while it runs.
    bases: Vec<Base<T>>,
    captured: Vec<Captured>,
    /// What each pass made of the graph, where that was asked for.
    trace: Option<String>,
}

/// A value that the recorded function brought along.
#[derive(Clone)]
struct Captured {
    shape: Shape,
    location: &'static Location<'static>,
}

/// A part of the state, where it lives.
#[derive(Clone)]
struct StateSlot {
    name: String,
    now: Operand,
}

/// Puts the next values in the place of the present ones.
fn move_on<T>(moves: &[(usize, usize)], buffers: &mut [Vec<T>]) {
    for &(now, next) in moves {
        buffers.swap(now, next);
    }
}

/// What must hold as it did while recording.
#[derive(Clone)]
struct Guard {
    value: Operand,
    condition: Condition,
}

impl Guard {
    /// Why a run cannot go on where this does not hold.
    #[cold]
    fn error(&self) -> ProgramErrorKind {
        let Condition { held, location, mean } = self.condition;
        mean.map_or(ProgramErrorKind::Branch { held, location }, |op| ProgramErrorKind::Empty { op, location })
    }
}

/// What [`shared`](crate::shared) names of programs.
pub(crate) fn shared<T: Float>() {
    black_box((Program::<T>::of_tape as fn(_, _, _, _, _, _) -> _, Program::<T>::execute as fn(_, _) -> _));
    black_box((Program::<T>::state as fn(_, _) -> _, Program::<T>::set_state as fn(_, _, _) -> _));
    black_box((Program::<T>::set_state_numbers as fn(_, _) -> _, Program::<T>::tensor as fn(_, _) -> _));
}

impl<T: Float> Program<T> {
    /// Runs on new inputs, and moves the state on.
    ///
    /// # Errors
    /// Where an input's shape is not the recorded one, a label is out of range, a mean would have nothing to average, or a
    /// recorded branch would have gone the other way. The state is then what it was, and the program can run again; so it is
    /// after a panic of an operation of a user's.
    #[track_caller]
    pub fn run<I: Inputs<T>>(&mut self, inputs: &I) -> Result<Outputs<'_, T>, ProgramError> {
        self.run_as(Call::of("Program::run"), inputs)
    }

    fn run_as<I: Inputs<T>>(&mut self, call: Call, inputs: &I) -> Result<Outputs<'_, T>, ProgramError> {
        {
            let run = Run(self);
            let program = &mut *run.0;
            let mut binder = InputWriter::new(call, &program.inputs, &mut program.buffers, &mut program.lent);
            inputs.bind(&mut binder)?;
            binder.finish()?;
            if program.guarded > 0 {
                program.execute(0..program.guarded).map_err(|error| call.error(error.into()))?;
            }
            for guard in &program.guards {
                if (program.slice(&guard.value)[0] != T::ZERO) != guard.condition.held {
                    return Err(call.error(guard.error()));
                }
            }
            program.execute(program.guarded..program.steps.len()).map_err(|error| call.error(error.into()))?;
        }
        move_on(&self.moves, &mut self.buffers);
        Ok(Outputs { program: self })
    }

    /// Gives an input, whatever is in it, from the start of a buffer.
    #[inline(never)]
    fn fill(&mut self, input: usize, data: &[T]) {
        let to = &mut self.buffers[self.inputs[input].buffer][..];
        let len = to.len();
        copy(&data[..len], to);
    }

    /// An input's elements.
    fn input(&self, input: usize) -> &[T] {
        &self.buffers[self.inputs[input].buffer]
    }

    #[inline(never)]
    fn execute(&mut self, steps: Range<usize>) -> Result<(), Error> {
        self.steps[steps].iter().try_for_each(|step| step.run(&mut self.buffers, &mut self.bases))
    }

    fn slice(&self, operand: &Operand) -> &[T] {
        operand.of(&self.buffers)
    }

    /// A copy of a value.
    #[track_caller]
    #[inline(never)]
    fn tensor(&self, operand: &Operand) -> Tensor<T> {
        Tensor::copied(&operand.shape, self.slice(operand))
    }

    /// The values that the function brought along as it was recorded, by their shapes and the lines that placed them on the tape:
    /// they are the same in each run, so noise that was drawn outside, or a batch that was meant to be an input, shows here.
    ///
    /// ```
    /// use autograd::{Program, Tensor};
    /// let noise = Tensor::from([0.1, -0.3]);
    /// let program = Program::record(&(), &Tensor::zeros([2]), |tape, (), x| (vec![], vec![x + tape.var(&noise)]))?;
    /// let (shape, line) = program.captured().next().unwrap();
    /// assert_eq!((&shape[..], line.line()), (&[2][..], line!() - 2));
    /// # Ok::<(), autograd::ProgramError>(())
    /// ```
    pub fn captured(&self) -> impl Iterator<Item = (&Shape, &'static Location<'static>)> {
        self.captured.iter().map(|captured| (&captured.shape, captured.location))
    }

    /// What was recorded, and what each pass made of it, of a program that was recorded with [`Optimisations::traced`].
    ///
    /// ```
    /// use autograd::{Optimisations, Program, Tensor};
    /// let traced = Optimisations::default().traced();
    /// let program = Program::record_with(traced, &(), &Tensor::<f64>::zeros([2]), |_, (), x| {
    ///     (vec![], vec![x.exp() + x.exp()])
    /// })?;
    /// assert!(program.trace().unwrap().contains("after common"));
    /// # Ok::<(), autograd::ProgramError>(())
    /// ```
    pub fn trace(&self) -> Option<&str> {
        self.trace.as_deref()
    }

    /// The bytes of all buffers: what running needs, all of it allocated when the program was recorded.
    pub fn bytes(&self) -> usize {
        let buffers: usize = self.buffers.iter().map(Vec::capacity).sum();
        buffers * size_of::<T>()
    }
}

/// A program that runs: what it reads where it is has its place until this ends, also by a panic.
struct Run<'p, T: Float>(&'p mut Program<T>);

impl<T: Float> Drop for Run<'_, T> {
    fn drop(&mut self) {
        self.0.lent.give_back(&mut self.0.buffers);
    }
}

impl<T: Float> fmt::Display for Program<T> {
    /// The plan: each step with its operation, operands and shape, and the bytes of the buffers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (steps, buffers) = (self.steps.len(), self.buffers.len());
        writeln!(f, "{steps} steps, {buffers} buffers, {} bytes", self.bytes())?;
        for (i, step) in self.steps.iter().enumerate() {
            if i == self.guarded && !self.guards.is_empty() {
                writeln!(f, "check {} branches", self.guards.len())?;
            }
            write!(f, "{step}")?;
        }
        for Captured { shape, location } in &self.captured {
            writeln!(f, "constant {shape}, the same in each run, from {location}")?;
        }
        let moves = |slot: &&StateSlot| self.moves.iter().any(|&(now, _)| now == slot.now.buffer);
        for slot in self.state.iter().filter(moves) {
            writeln!(f, "state {} moves on", slot.name)?;
        }
        Ok(())
    }
}
