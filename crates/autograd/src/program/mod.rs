//! Replay: record once, run many times, without allocation.
//!
//! A [`Program`] is recorded from a function of a state (parameters, optimiser state), which lives in the program and is
//! updated in place, and of inputs, which are given anew at each run. Recording optimises: what nothing asks for is
//! dropped, what does not change is computed once, what is written twice is computed once, element-wise chains run
//! tile by tile, and buffers are planned so that a run allocates nothing.

mod error;
mod inputs;
mod state;
mod graph;
mod passes;
mod fuse;
mod nets;
mod segment;
mod chain;
mod region;
mod weave;
mod plan;
mod by_shape;
pub(crate) mod repeated;

pub use by_shape::Programs;
pub use error::{ProgramError, ProgramErrorKind};
pub use inputs::{Binder, Feed, Slots};
pub use passes::Passes;
pub use state::State;

use crate::float::Float;
use crate::kernels::map::copy;
use crate::tape::Tape;
use crate::tape::op::{View, ViewMut, eval};
use crate::tape::pool;
use crate::tape::recording::Condition;
use crate::tape::tree::Tree;
use crate::tape::var::Var;
use crate::tensor::Tensor;
use crate::tensor::error::{Error, Kind, Reason};
use crate::tensor::memory;
use chain::Register;
use error::Call;
use graph::Graph;
use inputs::Slot;
use plan::{Operand, Plan, Step, list};
use std::fmt;
use std::panic::Location;

/// A recorded function that runs again and again on new inputs, and keeps its state between runs. The inputs have the
/// recorded shapes; [`Programs`] record anew where shapes are new.
///
/// ```
/// use autograd::{grad, tree, zip, Program, Tape, Tensor};
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
///     (zip(&net, &grads, |p, g| p - g * rate), vec![loss])
/// })?;
/// let first = step.run(&(x, labels, 0.5))?.item(0);
/// for _ in 0..100 {
///     step.run(&(x, labels, 0.5))?;
/// }
/// assert!(step.run(&(x, labels, 0.0))?.item(0) < 0.1 * first);
/// assert_eq!(step.state("w").unwrap().shape()[..], [2, 2]);
/// # Ok::<(), autograd::ProgramError>(())
/// ```
pub struct Program<T: Float = f64> {
    inputs: Vec<Slot>,
    state: Vec<StateSlot>,
    outputs: Vec<Operand>,
    /// Conditions that held when this was recorded.
    guards: Vec<Guard>,
    steps: Vec<Step<T>>,
    /// The steps that the guards need come first.
    guarded: usize,
    buffers: Vec<Vec<T>>,
    /// Registers of the element-wise chains.
    registers: Vec<Register<T>>,
}

/// A part of the state: where it lives, and where a run leaves its next value.
struct StateSlot {
    name: String,
    now: Operand,
    next: Option<Operand>,
}

/// A part of the state in words: of one leaf it has no name.
fn part(name: &str) -> String {
    if name.is_empty() { "the state".into() } else { format!("the state's {name}") }
}

/// What must hold as it did while recording.
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

/// What a run gave, borrowed from the program until its next run.
pub struct Outputs<'p, T: Float> {
    program: &'p Program<T>,
}

impl<T: Float> Outputs<'_, T> {
    /// How many outputs there are.
    pub fn len(&self) -> usize {
        self.program.outputs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An output's elements in row-major order, in the order in which the outputs were recorded.
    ///
    /// # Panics
    /// Where there is no such output.
    #[track_caller]
    pub fn slice(&self, output: usize) -> &[T] {
        self.program.slice(self.output("slice", output))
    }

    /// The one element of an output that has one.
    ///
    /// # Panics
    /// Where there is no such output, or it has more or fewer elements.
    #[track_caller]
    pub fn item(&self, output: usize) -> T {
        let operand = self.output("item", output);
        let [x] = self.program.slice(operand) else {
            let reason = Reason::shape(format!("output {output} is needed to have one element"));
            Error::new("item", reason, vec![operand.shape.clone()], Location::caller()).raise()
        };
        *x
    }

    /// An output as a tensor of its own, to keep.
    ///
    /// # Panics
    /// Where there is no such output.
    #[track_caller]
    pub fn tensor(&self, output: usize) -> Tensor<T> {
        let operand = self.output("tensor", output);
        self.program.tensor(operand)
    }

    #[track_caller]
    fn output(&self, function: &str, output: usize) -> &Operand {
        let Some(operand) = self.program.outputs.get(output) else {
            let text = format!("there is no output {output} among {}", self.len());
            Error::of_call(function, Kind::Index, text).raise()
        };
        operand
    }
}

/// A function of the leaves of two structures of one shape, in order: an update of parameters by their gradients.
///
/// # Panics
/// Where the structures differ in their number of leaves.
#[track_caller]
pub fn zip<'t, T: Float, A, B>(a: &A, b: &B, f: impl FnMut(Var<'t, T>, Var<'t, T>) -> Var<'t, T>) -> Vec<Var<'t, T>>
where
    A: Tree<Leaf = Var<'t, T>> + ?Sized,
    B: Tree<Leaf = Var<'t, T>> + ?Sized,
{
    let mut f = f;
    let (a, b) = (a.leaves(), b.leaves());
    if a.len() != b.len() {
        let text = format!("{} leaves do not pair with {}", a.len(), b.len());
        Error::of_call("zip", Kind::Shape, text).raise();
    }
    a.into_iter().zip(b).map(|(a, b)| f(*a, *b)).collect()
}

impl<T: Float> Program<T> {
    /// Records a function of a state and inputs. It is given variables with the values of both, and returns the state's
    /// next values, in the order of its leaves (or none, where the state does not change), and the outputs.
    ///
    /// A state of one leaf has the name `""`; a program without state takes `()`. A number among
    /// the inputs is written with its type, `0.25_f64`, where that of the tensors is inferred (see [`Feed`]).
    ///
    /// The function must not depend on values: [`Var::holds`] records a branch, which each run checks; reading a value
    /// in another way is an error, since a run could not notice that it would have been another one.
    ///
    /// # Errors
    /// Where the function read a value, the next state does not have the shape of the state, a variable of another tape
    /// comes out of the function, or there is no memory for the buffers.
    #[track_caller]
    pub fn record<S, I>(
        state: &S,
        inputs: &I,
        f: impl for<'t> FnOnce(&'t Tape<T>, S::Vars<'t>, I::Traced<'t>) -> (Vec<Var<'t, T>>, Vec<Var<'t, T>>),
    ) -> Result<Self, ProgramError>
    where
        S: State<T> + ?Sized,
        I: Feed<T>,
    {
        Self::record_as(Call::of("Program::record"), Passes::default(), state, inputs, f)
    }

    /// As [`Program::record`], with some of the optimisations switched off.
    ///
    /// # Errors
    /// As [`Program::record`].
    #[track_caller]
    pub fn record_with<S, I>(
        passes: Passes,
        state: &S,
        inputs: &I,
        f: impl for<'t> FnOnce(&'t Tape<T>, S::Vars<'t>, I::Traced<'t>) -> (Vec<Var<'t, T>>, Vec<Var<'t, T>>),
    ) -> Result<Self, ProgramError>
    where
        S: State<T> + ?Sized,
        I: Feed<T>,
    {
        Self::record_as(Call::of("Program::record_with"), passes, state, inputs, f)
    }

    fn record_as<S, I>(
        call: Call,
        passes: Passes,
        state: &S,
        inputs: &I,
        f: impl for<'t> FnOnce(&'t Tape<T>, S::Vars<'t>, I::Traced<'t>) -> (Vec<Var<'t, T>>, Vec<Var<'t, T>>),
    ) -> Result<Self, ProgramError>
    where
        S: State<T> + ?Sized,
        I: Feed<T>,
    {
        let tape = Tape::<T>::default();
        let (mut states, names) = (Vec::new(), state.tensor_names());
        let mut slots = Slots::default();
        let (vars, traced) = {
            // The leaves stand at the line of the call.
            let nothing: [Var<'_, T>; 0] = [];
            let _whole = tape.composite_at(call.location(), "Program::record", nothing);
            let vars = state.vars(&mut |value| {
                let var = tape.var(value);
                states.push(var.index());
                var
            });
            (vars, inputs.trace(&tape, &mut slots))
        };
        tape.start_recording();
        let (next, outputs) = f(&tape, vars, traced);
        slots.note_readers(&tape);
        let stranger = |vars: &[Var<'_, T>]| vars.iter().position(|var| !std::ptr::eq(var.tape(), &raw const tape));
        let strange = slots.stranger(&tape).map(|k| format!("input {k}"));
        let strange = strange.or_else(|| stranger(&next).map(|k| format!("the next value {k} of the state")));
        if let Some(what) = strange.or_else(|| stranger(&outputs).map(|k| format!("output {k}"))) {
            return Err(call.error(ProgramErrorKind::Tape { what }));
        }
        if !next.is_empty() && next.len() != states.len() {
            return Err(call.error(ProgramErrorKind::State { expected: states.len(), found: next.len() }));
        }
        for (next, (&now, name)) in next.iter().zip(states.iter().zip(&names)) {
            let shape = Var::new(&tape, now).shape();
            if next.shape() != shape {
                let (what, found) = (format!("the next value of {}", part(name)), next.shape());
                return Err(call.error(ProgramErrorKind::Shape { what, expected: shape, found }));
            }
        }
        if tape.is_watched() {
            let roots: Vec<u32> = next.iter().chain(&outputs).map(Var::index).collect();
            tape.refuse_outer(&roots);
        }
        let graph = Graph::new(&tape, &slots.slots, &states, &next, &outputs).map_err(|kind| call.error(kind))?;
        let optimised = graph.optimise(passes, &tape).map_err(|error| call.error(error.into()))?;
        let program = Plan::new(optimised, passes).into_program(&tape, slots.slots, names);
        program.map_err(|error| call.error(error.into()))
    }

    /// Runs on new inputs, and moves the state on.
    ///
    /// # Errors
    /// Where an input's shape is not the recorded one, a label is out of range, a mean would have nothing to average, or a
    /// recorded branch would have gone the other way. The state is then what it was, and the program can run again; so it is
    /// after a panic of an operation of a user's.
    #[track_caller]
    pub fn run<I: Feed<T>>(&mut self, inputs: &I) -> Result<Outputs<'_, T>, ProgramError> {
        self.run_as(Call::of("Program::run"), inputs)
    }

    fn run_as<I: Feed<T>>(&mut self, call: Call, inputs: &I) -> Result<Outputs<'_, T>, ProgramError> {
        let mut binder = Binder::new(call, &self.inputs, &mut self.buffers);
        inputs.bind(&mut binder)?;
        binder.finish()?;
        for index in 0..self.guarded {
            self.execute(index).map_err(|error| call.error(error.into()))?;
        }
        for guard in &self.guards {
            if (self.slice(&guard.value)[0] != T::ZERO) != guard.condition.held {
                return Err(call.error(guard.error()));
            }
        }
        for index in self.guarded..self.steps.len() {
            self.execute(index).map_err(|error| call.error(error.into()))?;
        }
        for slot in &self.state {
            if let Some(next) = &slot.next {
                self.buffers.swap(slot.now.buffer, next.buffer);
            }
        }
        Ok(Outputs { program: self })
    }

    /// A program of what was recorded on a tape already: of leaves, which are its inputs, and outputs, whose buffers have the
    /// length of those of a tape.
    pub(crate) fn of_nodes(tape: &Tape<T>, leaves: &[u32], outputs: &[u32]) -> Option<Self> {
        let slot = |&node: &u32| Slot::new(Var::new(tape, node), None);
        let inputs: Vec<Slot> = leaves.iter().map(slot).collect();
        let outputs: Vec<Var<'_, T>> = outputs.iter().map(|&output| Var::new(tape, output)).collect();
        let mut graph = Graph::new(tape, &inputs, &[], &[], &outputs).ok()?;
        graph.exact = true;
        let passes = Passes::default();
        let graph = graph.optimise(passes, tape).ok()?;
        let mut program = Plan::new(graph, passes).into_program(tape, inputs, Vec::new()).ok()?;
        for output in &program.outputs {
            program.buffers[output.buffer] = memory::zeros(pool::length(output.len)).ok()?;
        }
        Some(program)
    }

    /// Gives an input, whatever is in it, from the start of a buffer.
    pub(crate) fn fill(&mut self, input: usize, data: &[T]) {
        let to = &mut self.buffers[self.inputs[input].buffer][..];
        let len = to.len();
        copy(&data[..len], to);
    }

    /// An input's elements.
    pub(crate) fn input(&self, input: usize) -> &[T] {
        &self.buffers[self.inputs[input].buffer]
    }

    /// Runs every step.
    pub(crate) fn compute(&mut self) -> Result<(), Error> {
        (0..self.steps.len()).try_for_each(|index| self.execute(index))
    }

    /// The buffer of an output, which may be exchanged for another of its length.
    pub(crate) fn output(&mut self, output: usize) -> &mut Vec<T> {
        &mut self.buffers[self.outputs[output].buffer]
    }

    fn execute(&mut self, index: usize) -> Result<(), Error> {
        match &self.steps[index] {
            Step::Net(net, _) => T::run_net(net, &mut self.buffers),
            Step::Group(group, _) => T::run_group(group, &mut self.buffers),
            Step::Op { kind, args, result, location } => {
                let op = kind.op().expect("steps are operations");
                let done = into(&mut self.buffers, result, |buffers, data| {
                    let view = |k: usize| View { shape: &args[k].shape, data: args[k].of(buffers) };
                    eval(op, args.len(), view, ViewMut { shape: &result.shape, data })
                });
                return done.map_err(|memory| {
                    let shapes = args.iter().map(|arg| arg.shape.clone()).collect();
                    Error::new(op.name(), memory.for_shape(&result.shape), shapes, location)
                });
            }
            Step::Fused(fused) => into(&mut self.buffers, &fused.result, |buffers, data| match fused.beside.first() {
                Some(second) => into(buffers, second, |buffers, second| fused.run(buffers, data, second)),
                None => fused.run(buffers, data, &mut []),
            }),
            Step::Chain(chain) => chain.run(&mut self.buffers, &mut self.registers),
            Step::Copy { from, result } => {
                into(&mut self.buffers, result, |buffers, data| data.copy_from_slice(from.of(buffers)));
            }
        }
        Ok(())
    }

    fn slice(&self, operand: &Operand) -> &[T] {
        operand.of(&self.buffers)
    }

    /// A copy of a value.
    #[track_caller]
    fn tensor(&self, operand: &Operand) -> Tensor<T> {
        Tensor::copied(&operand.shape, self.slice(operand))
    }

    /// The names of the parts of the state.
    pub fn state_names(&self) -> impl Iterator<Item = &str> {
        self.state.iter().map(|slot| &slot.name[..])
    }

    /// A part of the state by name, as it is after the last run.
    #[track_caller]
    pub fn state(&self, name: &str) -> Option<Tensor<T>> {
        let slot = self.state.iter().find(|slot| slot.name == name)?;
        Some(self.tensor(&slot.now))
    }

    /// Replaces a part of the state by name.
    ///
    /// # Errors
    /// Where there is no such part, or the shape is another.
    #[track_caller]
    pub fn set_state(&mut self, name: &str, value: &Tensor<T>) -> Result<(), ProgramError> {
        let call = Call::of("Program::set_state");
        let Some(slot) = self.state.iter().find(|slot| slot.name == name) else {
            return Err(call.error(ProgramErrorKind::NoState { name: name.to_owned() }));
        };
        if slot.now.shape != *value.shape() {
            let (expected, found) = (slot.now.shape.clone(), value.shape().clone());
            return Err(call.error(ProgramErrorKind::Shape { what: part(name), expected, found }));
        }
        self.buffers[slot.now.buffer][..slot.now.len].copy_from_slice(value.as_slice());
        self.forget_copies();
        Ok(())
    }

    /// What the steps have copied of the state is out of date.
    fn forget_copies(&mut self) {
        for step in &self.steps {
            if let Step::Net(net, _) = step
                && let Some(buffer) = net.copy_buffer()
            {
                self.buffers[buffer][0] = T::ZERO;
            }
        }
    }

    /// Copies the whole state into a structure like the one that was recorded.
    ///
    /// # Errors
    /// Where the structure has another number of leaves, or one has another shape.
    #[track_caller]
    pub fn store_state<S: State<T> + ?Sized>(&self, into: &mut S) -> Result<(), ProgramError> {
        let call = Call::of("Program::store_state");
        let leaves = into.tensors_mut();
        if leaves.len() != self.state.len() {
            return Err(call.error(ProgramErrorKind::State { expected: self.state.len(), found: leaves.len() }));
        }
        // All of them fit, or none is written.
        for (leaf, slot) in leaves.iter().zip(&self.state) {
            if *leaf.shape() != slot.now.shape {
                let (expected, found) = (slot.now.shape.clone(), leaf.shape().clone());
                return Err(call.error(ProgramErrorKind::Shape { what: part(&slot.name), expected, found }));
            }
        }
        for (leaf, slot) in leaves.into_iter().zip(&self.state) {
            leaf.as_mut_slice().copy_from_slice(self.slice(&slot.now));
        }
        Ok(())
    }

    /// The bytes of all buffers: what running needs, all of it allocated when the program was recorded.
    pub fn bytes(&self) -> usize {
        let buffers: usize = self.buffers.iter().map(Vec::capacity).sum();
        let registers: usize = self.registers.iter().map(Register::capacity).sum();
        (buffers + registers) * size_of::<T>()
    }
}

/// A buffer taken out of the list, and put back at the end, also where a panic passes.
struct Taken<'b, T> {
    buffers: &'b mut [Vec<T>],
    place: usize,
    buffer: Vec<T>,
}

impl<T> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        std::mem::swap(&mut self.buffers[self.place], &mut self.buffer);
    }
}

/// Gives a function a result's elements to write, and the buffers to read, where the result's own is missing meanwhile.
fn into<T, R>(buffers: &mut [Vec<T>], result: &Operand, f: impl FnOnce(&mut [Vec<T>], &mut [T]) -> R) -> R {
    let buffer = std::mem::take(&mut buffers[result.buffer]);
    let mut taken = Taken { buffers, place: result.buffer, buffer };
    f(&mut *taken.buffers, &mut taken.buffer[..result.len])
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
            let one = |result: &Operand| list([result]);
            match step {
                Step::Op { kind, args, result, .. } => {
                    writeln!(f, "{} = {}({})", one(result), kind.name(), list(args))?;
                }
                Step::Fused(fused) => writeln!(f, "{fused}")?,
                Step::Net(_, net) => writeln!(f, "{net}")?,
                Step::Group(group, steps) => {
                    writeln!(f, "{group}")?;
                    steps.iter().try_for_each(|step| writeln!(f, "  {step}"))?;
                }
                Step::Chain(chain) => writeln!(f, "{} = {chain}", list(&chain.all_results()))?,
                Step::Copy { from, result } => writeln!(f, "{} = copy(b{})", one(result), from.buffer)?,
            }
        }
        for slot in self.state.iter().filter(|slot| slot.next.is_some()) {
            writeln!(f, "state {} moves on", slot.name)?;
        }
        Ok(())
    }
}
