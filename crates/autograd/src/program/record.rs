//! Recording a program: from a tape to a graph, through the passes, to steps.

use super::error::Call;
use super::graph::{Graph, Source};
use super::ids::IdSet;
use super::inputs::Slot;
use super::lower::{Lowered, Lowering};
use super::memory::Plan;
use super::schedule::Schedule;
use super::state::part;
use super::steps::{Operand, Step};
use super::{
    Captured, Guard, InputRecorder, Inputs, Optimisations, Program, ProgramError, ProgramErrorKind, State, StateSlot,
    memory, passes,
};
use crate::float::Float;
use crate::kernels::lent::Lent;
use crate::kernels::place::Base;
use crate::ops::table::Kind as NodeKind;
use crate::tape::Tape;
use crate::tape::pool;
use crate::tape::tree::Tree;
use crate::tape::var::Var;
use crate::tensor::error::{Error, Kind};
use crate::tensor::memory::zeros;

/// A function of the leaves of two structures of one shape, in order: an update of parameters by their gradients.
///
/// # Panics
/// Where the structures differ in their number of leaves.
#[track_caller]
pub fn update<'t, T: Float, A, B>(a: &A, b: &B, f: impl FnMut(Var<'t, T>, Var<'t, T>) -> Var<'t, T>) -> Vec<Var<'t, T>>
where
    A: Tree<Leaf = Var<'t, T>> + ?Sized,
    B: Tree<Leaf = Var<'t, T>> + ?Sized,
{
    let mut f = f;
    let (a, b) = (a.leaves(), b.leaves());
    if a.len() != b.len() {
        let text = format!("{} leaves do not pair with {}", a.len(), b.len());
        Error::of_call("update", Kind::Shape, text).raise();
    }
    a.into_iter().zip(b).map(|(a, b)| f(*a, *b)).collect()
}

impl<T: Float> Program<T> {
    /// Records a function of a state and inputs. It is given variables with the values of both, and returns the state's
    /// next values, in the order of its leaves (or none, where the state does not change), and the outputs.
    ///
    /// A state of one leaf has the name `""`; a program without state takes `()`. A number among
    /// the inputs is written with its type, `0.25_f64`, where that of the tensors is inferred (see [`Inputs`]).
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
        I: Inputs<T>,
    {
        let recorded = Self::record_with(Optimisations::default(), state, inputs, f);
        recorded.map_err(|error| error.of("Program::record"))
    }

    /// As [`Program::record`], with some of the optimisations switched off.
    ///
    /// # Errors
    /// As [`Program::record`].
    #[track_caller]
    pub fn record_with<S, I>(
        with: Optimisations,
        state: &S,
        inputs: &I,
        f: impl for<'t> FnOnce(&'t Tape<T>, S::Vars<'t>, I::Traced<'t>) -> (Vec<Var<'t, T>>, Vec<Var<'t, T>>),
    ) -> Result<Self, ProgramError>
    where
        S: State<T> + ?Sized,
        I: Inputs<T>,
    {
        let call = Call::of("Program::record_with");
        let tape = Tape::<T>::default();
        let (mut states, names) = (Vec::new(), state.tensor_names());
        let mut slots = InputRecorder::default();
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
        let results = f(&tape, vars, traced);
        Self::of_tape(call, with, &tape, slots, (states, names), results)
    }

    /// The program of what a call has recorded: inputs, a state by its nodes and names, its next values, and outputs.
    #[track_caller]
    #[inline(never)]
    pub(super) fn of_tape(
        call: Call,
        with: Optimisations,
        tape: &Tape<T>,
        mut slots: InputRecorder,
        (states, names): (Vec<u32>, Vec<String>),
        (next, outputs): (Vec<Var<'_, T>>, Vec<Var<'_, T>>),
    ) -> Result<Self, ProgramError> {
        slots.note_readers(tape);
        let stranger = |vars: &[Var<'_, T>]| vars.iter().position(|var| !std::ptr::eq(var.tape(), tape));
        let strange = slots.stranger(tape).map(|k| format!("input {k}"));
        let strange = strange.or_else(|| stranger(&next).map(|k| format!("the next value {k} of the state")));
        if let Some(what) = strange.or_else(|| stranger(&outputs).map(|k| format!("output {k}"))) {
            return Err(call.error(ProgramErrorKind::Tape { what }));
        }
        if !next.is_empty() && next.len() != states.len() {
            return Err(call.error(ProgramErrorKind::State { expected: states.len(), found: next.len() }));
        }
        for (next, (&now, name)) in next.iter().zip(states.iter().zip(&names)) {
            let shape = Var::new(tape, now).shape();
            if next.shape() != shape {
                let (what, found) = (format!("the next value of {}", part(name)), next.shape());
                return Err(call.error(ProgramErrorKind::Shape { what, expected: shape, found }));
            }
        }
        let roots: Vec<u32> = next.iter().chain(&outputs).map(Var::index).collect();
        tape.mean_something(roots.iter().copied()).map_err(|error| call.error(error.into()))?;
        if tape.is_watched() {
            tape.refuse_outer(&roots);
        }
        let graph = Graph::new(tape, &slots.slots, &states, &next, &outputs).map_err(|kind| call.error(kind))?;
        // Before a pass computes what is made of them.
        let captured = captured(&graph, tape);
        let program =
            Self::of_graph(graph, with, tape, slots.slots, names).map_err(|error| call.error(error.into()))?;
        Ok(Self { captured, ..program })
    }

    /// The program of a graph, which brought nothing along.
    ///
    /// # Errors
    /// Where there is no memory for its buffers.
    pub(super) fn of_graph(
        mut graph: Graph<T>,
        with: Optimisations,
        tape: &Tape<T>,
        mut inputs: Vec<Slot>,
        names: Vec<String>,
    ) -> Result<Self, Error> {
        let trace = passes::optimise(&mut graph, with, tape)?;
        let schedule = Schedule::new(&graph, with);
        let plan = memory::plan(&graph, &schedule, with.has("memory"), tape, &inputs)?;
        let Plan { places, mut buffers, borrowed } = plan;
        let lowering = Lowering { graph: &graph, places: &places, tape, with };
        let Lowered { steps, guarded } = lowering.steps(&schedule, &mut buffers)?;
        let recording = tape.recording();
        for slot in &mut inputs {
            slot.buffer = places.spot(slot.node).buffer as usize;
            if let Some(labels) = &mut slot.labels {
                labels
                    .extend(recording.limits.iter().filter(|limit| limit.0 == slot.node).map(|limit| limit.1.clone()));
            }
        }
        let operand = |value: u32| lowering.operand(value);
        let slots = names.into_iter().zip(&graph.state);
        let state: Vec<StateSlot> = slots.map(|(name, &now)| StateSlot { name, now: operand(now) }).collect();
        let next: Vec<Operand> = graph.next.iter().copied().map(operand).collect();
        let moved = state.iter().map(|slot| &slot.now).zip(&next).filter(|(now, next)| !now.is_at(next));
        let moves: Vec<(usize, usize)> = moved.map(|(now, next)| (now.buffer, next.buffer)).collect();
        let guards = graph.guards.iter().map(|&(value, condition)| Guard { value: operand(value), condition });
        let guards = guards.collect();
        let outputs: Vec<Operand> = graph.outputs.iter().map(|&value| operand(value)).collect();
        let next = moves.iter().map(|moved| moved.1 as u32);
        let asked: IdSet = outputs.iter().map(|operand| operand.buffer as u32).chain(next).collect();
        for slot in &mut inputs {
            slot.is_only_read = slot.labels.is_none() && !asked.contains(&(slot.buffer as u32));
        }
        let lent = Lent::with_capacity(inputs.len());
        let captured = Vec::new();
        let bases = vec![Base::default(); steps.iter().map(Step::bases).max().unwrap_or(0)];
        let steps = steps.into();
        Ok(Self {
            inputs,
            state,
            moves,
            outputs,
            guards,
            steps,
            guarded,
            buffers,
            borrowed,
            lent,
            bases,
            captured,
            trace,
        })
    }

    /// A program of what was recorded on a tape already: of inputs, and outputs that were recorded from `base` on, as was all
    /// between. Of both, and of what is between, it has those memory for that have fewer elements than `own_below`; outputs
    /// have the length of a tape's buffers.
    pub(super) fn of_nodes(
        tape: &Tape<T>,
        base: u32,
        inputs: &[u32],
        outputs: &[u32],
        own_below: usize,
    ) -> Option<Self> {
        let slot = |&node: &u32| Slot::new(Var::new(tape, node), None);
        let inputs: Vec<Slot> = inputs.iter().map(slot).collect();
        let outputs: Vec<Var<'_, T>> = outputs.iter().map(|&output| Var::new(tape, output)).collect();
        tape.mean_something(outputs.iter().map(Var::index)).ok()?;
        let mut graph = Graph::new(tape, &inputs, &[], &[], &outputs).ok()?;
        // What is not computed has no part in it: nothing may be found to equal that.
        let needed = tape.nodes.needed(&graph.outputs, base);
        graph.nodes.retain(|node| node.results[0] >= base && needed[node.results[0] as usize]);
        (graph.exact, graph.own_below) = (true, own_below);
        let mut program = Self::of_graph(graph, Optimisations::default(), tape, inputs, Vec::new()).ok()?;
        for output in program.outputs.iter().filter(|output| output.len < own_below) {
            program.buffers[output.buffer] = zeros(pool::length(output.len)).ok()?;
        }
        Some(program)
    }
}

/// The values that the function brought along: leaves that are no inputs, on which something depends. The cotangent that
/// a gradient starts from is none.
fn captured<T: Float>(graph: &Graph<T>, tape: &Tape<T>) -> Vec<Captured> {
    let needed = graph.needed_for(graph.roots());
    let mut list = Vec::new();
    for (i, (value, node)) in (0..).zip(graph.values.iter().zip(tape.nodes.iter())) {
        let is_leaf = value.source == Source::Constant(i) && node.kind.op().is_none();
        if is_leaf && needed[i as usize] && !matches!(node.kind, NodeKind::Ones) {
            list.push(Captured { shape: node.shape.clone(), location: node.origin.location });
        }
    }
    list
}
