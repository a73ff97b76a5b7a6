//! From a schedule with its buffers to the steps that run.

mod chains;
mod tasks;

use super::graph::{Graph, Node};
use super::memory::Places;
use super::operation::{HiddenLayer, Operation, Then};
use super::passes::hidden_layer::sizes;
use super::schedule::{Run, Schedule, Work};
use super::steps::chain::{Chain, Register};
use super::steps::fused::FusedStep;
use super::steps::{Listed, OpStep, Operand, Step};
use crate::float::Float;
use crate::kernels::finish::Rate;
use crate::kernels::perceptron::{Buffers, Planned};
use crate::tape::Tape;
use crate::tensor::error::Error;
use crate::tensor::memory::{self, OutOfMemory};

/// Steps, how many of them the guards need, and registers for their chains.
pub(super) struct Lowered<T: Float> {
    pub(super) steps: Vec<Step<T>>,
    pub(super) guarded: usize,
    pub(super) registers: Vec<Register<T>>,
}

/// What lowering asks all the time.
pub(super) struct Lowering<'a, T: Float> {
    pub(super) graph: &'a Graph<T>,
    pub(super) places: &'a Places,
    pub(super) tape: &'a Tape<T>,
}

impl<T: Float> Lowering<'_, T> {
    /// The steps of a schedule. What they need beside the values gets buffers behind those that there are.
    ///
    /// # Errors
    /// Where there is no memory for that.
    pub(super) fn steps(&self, schedule: &Schedule, buffers: &mut Vec<Vec<T>>) -> Result<Lowered<T>, Error> {
        let (mut steps, mut guarded): (Vec<Step<T>>, Option<usize>) = (Vec::new(), None);
        let mut runs = schedule.runs.iter().peekable();
        let mut time = 0;
        while time < schedule.work.len() {
            if time == schedule.guarded {
                guarded = Some(steps.len());
            }
            if let Some(run) = runs.next_if(|run| run.range.start == time) {
                steps.push(self.group(run, &schedule.work, buffers)?);
                time = run.range.end;
            } else {
                steps.push(self.step(&schedule.work[time], buffers)?);
                time += 1;
            }
        }
        let chains = || steps.iter().filter_map(Step::chain);
        let registers = chains().map(Chain::all_registers).max().unwrap_or(0);
        let tile = chains().map(|chain| chain.tile.min(chain.len)).max().unwrap_or(0);
        let registers: Result<_, OutOfMemory> = (0..registers).map(|_| Register::new(tile)).collect();
        let last = schedule.work.last().map_or(0, |work| work.results[0]);
        let registers = registers.map_err(|lack| self.lacks(last, lack))?;
        let guarded = guarded.unwrap_or(steps.len());
        Ok(Lowered { steps, guarded, registers })
    }

    /// The place of a value.
    pub(super) fn operand(&self, value: u32) -> Operand {
        let shape = self.graph.shape(value).clone();
        Operand { buffer: self.places.buffer(value), len: shape.numel(), shape }
    }

    fn operands<L: FromIterator<Operand>>(&self, values: &[u32]) -> L {
        values.iter().map(|&value| self.operand(value)).collect()
    }

    fn lacks(&self, value: u32, lack: OutOfMemory) -> Error {
        self.tape.nodes.lacks(self.graph.on_tape(value), lack)
    }

    fn step(&self, work: &Work, buffers: &mut Vec<Vec<T>>) -> Result<Step<T>, Error> {
        if work.is_chain {
            return Ok(Step::Chain(Box::new(chains::chain(self.graph, work, &|value| self.operand(value)))));
        }
        let node = &self.graph.nodes[work.members[0] as usize];
        let Node { operation, args, results, .. } = node;
        Ok(match operation {
            Operation::Single(kind) => {
                let location = self.tape.nodes[self.graph.on_tape(results[0])].origin.location;
                let (kind, result) = (kind.clone(), self.operand(results[0]));
                Step::Op(Box::new(OpStep { kind, args: self.operands(args), result, location }))
            }
            Operation::Fused(fused) => {
                Step::Fused(Box::new(FusedStep::new(*fused, self.operands(args), self.operands(results))))
            }
            Operation::HiddenLayer(net) => {
                let planned = self.hidden_layer(*net, node, buffers);
                let planned = planned.map_err(|lack| self.lacks(results[0], lack))?;
                let (operands, results) = (self.operands(args), self.operands(results));
                Step::HiddenLayer(Box::new((planned, Listed { name: net.name(), operands, results })))
            }
            Operation::Copy => Step::Copy(Box::new([self.operand(args[0]), self.operand(results[0])])),
        })
    }

    fn group(&self, run: &Run, work: &[Work], buffers: &mut Vec<Vec<T>>) -> Result<Step<T>, Error> {
        let nodes: Vec<u32> = work[run.range.clone()].iter().map(|work| work.members[0]).collect();
        let group = tasks::group(self.graph, self.places, &nodes, run.blocks.as_ref(), buffers);
        let blamed = self.graph.nodes[nodes[0] as usize].results[0];
        let group = group.map_err(|lack| self.lacks(blamed, lack))?;
        let listed = |&node: &u32| {
            let Node { operation, args, results, .. } = &self.graph.nodes[node as usize];
            let Operation::Fused(fused) = operation else { unreachable!("runs are of fused work") };
            FusedStep::new(*fused, self.operands(args), self.operands(results))
        };
        Ok(Step::Group(Box::new((group, nodes.iter().map(listed).collect()))))
    }

    /// A net on the buffers of its values; its scratch memory gets one behind those that there are.
    fn hidden_layer(
        &self,
        net: HiddenLayer,
        node: &Node<T>,
        buffers: &mut Vec<Vec<T>>,
    ) -> Result<Planned<T>, OutOfMemory> {
        let at = |value: u32| self.places.buffer(value);
        let sizes = sizes(self.graph, &node.args);
        let rate = match net.then {
            Then::Descend(rate) => Some(Rate::new(rate, || at(node.args[7]))),
            Then::Keep | Then::Bias(()) | Then::BiasRelu(()) | Then::Gate(()) => None,
        };
        buffers.push(memory::zeros(sizes.scratch::<T>())?);
        let buffers = Buffers {
            x: at(node.args[0]),
            params: std::array::from_fn(|k| at(node.args[1 + k])),
            labels: at(node.args[5]),
            cotangent: at(node.args[6]),
            loss: at(node.results[0]),
            results: std::array::from_fn(|k| at(node.results[1 + k])),
            rate,
            scratch: buffers.len() - 1,
        };
        Ok(Planned::new(sizes, net.mean, buffers))
    }
}
