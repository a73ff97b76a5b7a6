//! A function that is recorded anew for inputs of new shapes.

use super::error::Call;
use super::inputs::{Inputs, fits};
use super::{Optimisations, Outputs, Program, ProgramError, State};
use crate::float::Float;
use crate::kernels::map::copy;
use crate::tape::Tape;
use crate::tape::var::Var;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// A function with a [`Program`] for each combination of its inputs' shapes that was met, and one state that moves on
/// with every run, whichever of them runs: a step of training whose last batch is smaller.
///
/// A run whose shapes are new records the function again, once; with shapes that were met before, it allocates nothing.
/// As with `jax.jit`, nothing is forgotten unasked: [`Programs::len`] tells how often shapes were new, and where they
/// are without end, pad them, set a bound with [`Programs::keep_at_most`], or [`Programs::forget`] from time to time. Only
/// kinds and shapes decide. A branch on values that would go another way is reported, not recorded.
///
/// The type names the state, the inputs without borrows ([`Inputs::Owned`]) and the number type: a struct holds the
/// program below as `Programs<Net<Tensor>, (Tensor, Vec<usize>, f64)>`, and one for `f32` as
/// `Programs<Net<Tensor<f32>>, (Tensor<f32>, Vec<usize>, f32), f32>`.
///
/// ```
/// use autograd::{grad, tree, update, Programs, Tensor};
///
/// struct Net<V> {
///     w: V,
///     b: V,
/// }
/// tree!(Net { w, b });
///
/// let net = Net { w: Tensor::zeros([2, 2]), b: Tensor::zeros([2]) };
/// let batches = [
///     (Tensor::from_rows([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), vec![0, 1, 1]),
///     (Tensor::from_rows([[0.0, 2.0]]), vec![0]), // a smaller one
/// ];
/// let mut step = Programs::record(net, &(&batches[0].0, &batches[0].1, 0.5_f64), |_, net, (x, labels, rate)| {
///     let loss = (x.matmul(net.w) + net.b).cross_entropy(&labels);
///     (update(&net, &grad(loss, &net), |p, g| p - g * rate), vec![loss])
/// })?;
/// for _ in 0..100 {
///     for (x, labels) in &batches {
///         step.run(&(x, labels, 0.5))?;
///     }
/// }
/// assert_eq!(step.len(), 2);
/// let net = step.into_state();
/// assert!(net.w.as_slice()[0] < 0.0);
/// # Ok::<(), autograd::ProgramError>(())
/// ```
pub struct Programs<S: State<T>, I: Inputs<T>, T: Float = f64> {
    function: Box<Function<S, I, T>>,
    with: Optimisations,
    /// The structure of the state; its numbers are those of the program that ran last.
    state: S,
    /// At least one.
    recorded: Vec<Recorded<T>>,
    /// The program that ran last. The states of the others are out of date.
    last: usize,
    /// How many runs there were.
    runs: u64,
    /// How many programs are kept.
    most: usize,
}

/// A program, and the run that it ran last in.
struct Recorded<T: Float> {
    program: Program<T>,
    ran: u64,
}

/// What is recorded: of the state and the inputs, to the next state and the outputs.
type Function<S, I, T> = dyn for<'t> Fn(
        &'t Tape<T>,
        <S as State<T>>::Vars<'t>,
        <I as Inputs<T>>::Traced<'t>,
    ) -> (Vec<Var<'t, T>>, Vec<Var<'t, T>>)
    + Send
    + Sync;

impl<S: State<T>, I: Inputs<T>, T: Float> Programs<S, I, T> {
    /// Records a function for the shapes of these inputs, as [`Program::record`], and keeps the function to record it
    /// for others. It must own what it uses (`move`). The state moves in; [`Programs::into_state`] gives it back. A number
    /// among the inputs is written with its type, `0.25_f64`, where that of the tensors is inferred (see [`Inputs`]).
    ///
    /// # Errors
    /// As [`Program::record`].
    #[track_caller]
    pub fn record<J, F>(state: S, inputs: &J, function: F) -> Result<Self, ProgramError>
    where
        J: for<'t> Inputs<T, Owned = I, Traced<'t> = I::Traced<'t>>,
        F: for<'t> Fn(&'t Tape<T>, S::Vars<'t>, J::Traced<'t>) -> (Vec<Var<'t, T>>, Vec<Var<'t, T>>)
            + Send
            + Sync
            + 'static,
    {
        Self::record_with(Optimisations::default(), state, inputs, function)
    }

    /// As [`Programs::record`], with some of the optimisations switched off.
    ///
    /// # Errors
    /// As [`Program::record`].
    #[track_caller]
    pub fn record_with<J, F>(with: Optimisations, state: S, inputs: &J, function: F) -> Result<Self, ProgramError>
    where
        J: for<'t> Inputs<T, Owned = I, Traced<'t> = I::Traced<'t>>,
        F: for<'t> Fn(&'t Tape<T>, S::Vars<'t>, J::Traced<'t>) -> (Vec<Var<'t, T>>, Vec<Var<'t, T>>)
            + Send
            + Sync
            + 'static,
    {
        let first = Program::record_with(with, &state, inputs, &function).map_err(|e| e.of("Programs::record"))?;
        let recorded = vec![Recorded { program: first, ran: 0 }];
        Ok(Self { function: Box::new(function), with, state, recorded, last: 0, runs: 0, most: usize::MAX })
    }

    /// From now on keeps so many programs at most, and at least the one that ran last, which holds the state: where shapes
    /// are new, the program that has not run for longest is forgotten. Without this there is no bound.
    ///
    /// ```
    /// use autograd::{Programs, Tensor};
    /// let mut total = Programs::record(Tensor::scalar(0.0), &Tensor::zeros([1]), |_, total, x| {
    ///     (vec![total + x.sum()], vec![])
    /// })?;
    /// total.keep_at_most(2);
    /// for n in 1..=100 {
    ///     total.run(&Tensor::ones([n]))?;
    /// }
    /// assert_eq!((total.len(), total.into_state().item()), (2, 5050.0));
    /// # Ok::<(), autograd::ProgramError>(())
    /// ```
    pub fn keep_at_most(&mut self, programs: usize) {
        self.most = programs.max(1);
        self.forget_oldest();
    }

    /// Forgets programs until there are no more than are kept; the one that ran last stays.
    fn forget_oldest(&mut self) {
        while self.recorded.len() > self.most {
            let others = (0..self.recorded.len()).filter(|&index| index != self.last);
            let Some(oldest) = others.min_by_key(|&index| self.recorded[index].ran) else { return };
            if self.last == self.recorded.len() - 1 {
                self.last = oldest; // where the program that ran last goes
            }
            self.recorded.swap_remove(oldest);
        }
    }

    /// Runs on new inputs, and moves the state on. Where a combination of shapes is new, records the function first,
    /// with these inputs and the state as it is.
    ///
    /// # Errors
    /// As [`Program::record`] where shapes are new; as [`Program::run`] where a label is out of range, a mean would have
    /// nothing to average, or a recorded branch would have gone the other way. The state is then what it was, and so are all programs.
    ///
    /// # Panics
    /// Where the function panics while it is recorded: on shapes that do not fit, or on a label out of range among
    /// inputs whose shapes are new. State and programs are then what they were, too.
    #[track_caller]
    pub fn run<J: for<'t> Inputs<T, Owned = I, Traced<'t> = I::Traced<'t>>>(
        &mut self,
        inputs: &J,
    ) -> Result<Outputs<'_, T>, ProgramError> {
        let call = Call::of("Programs::run");
        match self.position(inputs) {
            Some(next) => {
                if let Ok([last, next]) = self.recorded.get_disjoint_mut([self.last, next]) {
                    next.program.copy_state(&last.program);
                }
                self.last = next;
            }
            None => self.record_anew(inputs).map_err(|error| error.of("Programs::run"))?,
        }
        self.runs += 1;
        let next = &mut self.recorded[self.last];
        next.ran = self.runs;
        next.program.run_as(call, inputs)
    }

    /// Which program takes inputs of these kinds and shapes; the one that ran last is asked first.
    fn position<J: Inputs<T>>(&self, inputs: &J) -> Option<usize> {
        let takes = |&index: &usize| fits(&self.recorded[index].program.inputs, inputs);
        std::iter::once(self.last).chain(0..self.recorded.len()).find(takes)
    }

    #[cold]
    #[track_caller]
    fn record_anew<J: for<'t> Inputs<T, Owned = I, Traced<'t> = I::Traced<'t>>>(
        &mut self,
        inputs: &J,
    ) -> Result<(), ProgramError> {
        self.recorded[self.last].program.store_state(&mut self.state)?;
        let function = &self.function;
        let program =
            Program::record_with(self.with, &self.state, inputs, |tape, state, inputs| function(tape, state, inputs))?;
        self.last = self.recorded.len();
        self.recorded.push(Recorded { program, ran: self.runs });
        self.forget_oldest();
        Ok(())
    }

    /// How many programs there are: one for each combination of shapes that was met and not forgotten.
    #[expect(clippy::len_without_is_empty, reason = "there is always one, which holds the state")]
    pub fn len(&self) -> usize {
        self.recorded.len()
    }

    /// Forgets all programs but the one that ran last, which holds the state. Shapes that were forgotten are new.
    pub fn forget(&mut self) {
        self.recorded.swap(0, self.last);
        self.recorded.truncate(1);
        self.last = 0;
    }

    /// The bytes of the buffers of all programs. Each has a copy of the state among them.
    pub fn bytes(&self) -> usize {
        self.recorded.iter().map(|recorded| recorded.program.bytes()).sum()
    }

    /// The state, as it is after the last run.
    pub fn into_state(mut self) -> S {
        self.recorded[self.last].program.store_state(&mut self.state).expect("the state has its own structure");
        self.state
    }
}

/// The program that ran last, which holds the state: its parts are read and set there by name.
impl<S: State<T>, I: Inputs<T>, T: Float> Deref for Programs<S, I, T> {
    type Target = Program<T>;
    fn deref(&self) -> &Program<T> {
        &self.recorded[self.last].program
    }
}

impl<S: State<T>, I: Inputs<T>, T: Float> DerefMut for Programs<S, I, T> {
    fn deref_mut(&mut self) -> &mut Program<T> {
        &mut self.recorded[self.last].program
    }
}

impl<T: Float> Program<T> {
    /// Takes over the state of a program of the same function.
    fn copy_state(&mut self, other: &Self) {
        for (slot, from) in self.state.iter().zip(&other.state) {
            copy(other.slice(&from.now), slot.now.of_mut(&mut self.buffers));
        }
        self.forget_copies();
    }
}

impl<S: State<T>, I: Inputs<T>, T: Float> fmt::Display for Programs<S, I, T> {
    /// The plans of all programs, each below the shapes of its inputs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Recorded { program, .. } in &self.recorded {
            let shapes: Vec<String> = program.inputs.iter().map(|slot| slot.shape.to_string()).collect();
            write!(f, "inputs {}: {program}", shapes.join(", "))?;
        }
        Ok(())
    }
}
