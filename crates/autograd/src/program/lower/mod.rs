//! From a schedule with its buffers to the steps that run.

mod chains;
mod rows;
mod tasks;

use super::graph::{Graph, Node};
use super::memory::Places;
use super::operation::{Function, HiddenLayer, Operation};
use super::passes::Optimisations;
use super::passes::hidden_layer::sizes;
use super::schedule::{Phase, Schedule, Work};
use super::steps::fused::FusedStep;
use super::steps::{Listed, OpStep, Operand, Step, What};
use crate::float::Float;
use crate::kernels::finish::Rate;
use crate::kernels::jit::{Pages, WithCode};
use crate::kernels::numbers::are_few;
use crate::kernels::perceptron::{Activation, Kernels, Planned, Spots};
use crate::kernels::place::Spot;
use crate::ops::table::Kind;
use crate::ops::with_slope::Pair;
use crate::tape::Tape;
use crate::tape::op::Arity;
use crate::tensor::error::Error;
use crate::tensor::memory::{self, OutOfMemory};
use smallvec::{SmallVec, smallvec};
use tasks::Tiles;

/// Copies of so many elements, from where and to where.
type Copies = SmallVec<[(usize, Spot, Spot); 4]>;

/// Steps, and how many of them the guards need.
pub(super) struct Lowered<T: Float> {
    pub(super) steps: Vec<Step<T>>,
    pub(super) guarded: usize,
}

/// What lowering asks all the time.
pub(super) struct Lowering<'a, T: Float> {
    pub(super) graph: &'a Graph<T>,
    pub(super) places: &'a Places,
    pub(super) tape: &'a Tape<T>,
    pub(super) with: Optimisations,
}

/// Code for the cheap operations of steps, all of it in one piece of memory.
fn write_code<T: Float>(steps: &mut [Step<T>]) {
    let mut tasks: Vec<&mut dyn WithCode> = Vec::new();
    for step in steps {
        if let Step::Group(group) = step {
            tasks.extend(group.0.with_code());
        }
    }
    let mut pages = Pages::default();
    for task in &mut tasks {
        task.write_code(&mut pages);
    }
    if let Some(memory) = pages.executable() {
        for task in &mut tasks {
            task.bind_code(&memory);
        }
    }
}

impl<T: Float> Lowering<'_, T> {
    /// The steps of a schedule. What they need beside the values gets buffers behind those that there are.
    ///
    /// # Errors
    /// Where there is no memory for that.
    pub(super) fn steps(&self, schedule: &Schedule, buffers: &mut Vec<Vec<T>>) -> Result<Lowered<T>, Error> {
        let (mut steps, mut guarded): (Vec<Step<T>>, Option<usize>) = (Vec::new(), None);
        let mut runs = schedule.runs.iter().peekable();
        let mut phases = schedule.phases.iter().peekable();
        let mut tiles = Tiles::default();
        let mut time = 0;
        while time < schedule.work.len() {
            let known = steps.len();
            if time == schedule.guarded {
                guarded = Some(known);
            }
            if let Some(run) = runs.next_if(|run| run.start == time) {
                let phases: Vec<&Phase> =
                    std::iter::from_fn(|| phases.next_if(|phase| phase.range.start < run.end)).collect();
                let work = &schedule.work[run.clone()];
                let group = tasks::group(self.graph, self.places, (work, &phases), &mut tiles, buffers);
                let group = group.map_err(|lack| self.lacks(work[0].results[0], lack))?;
                steps.push(Step::Group(Box::new(group)));
                time = run.end;
            } else if let Some(Step::Group(group)) = steps.last_mut()
                && guarded != Some(known)
                && let Some((copies, listed)) = self.moves(&schedule.work[time], group.0.ends_in_numbers())
            {
                // A loop whose step is a group goes from step to step without a look at its buffers.
                for (len, from, to) in copies {
                    group.0.then_copy(len, from, to);
                }
                group.1.push(listed);
                time += 1;
            } else {
                steps.extend(self.step(&schedule.work[time], buffers)?);
                time += 1;
            }
        }
        let last = schedule.work.last().map_or(0, |work| work.results[0]);
        if let Some(buffer) = tiles.buffer {
            buffers[buffer] = memory::zeros(tiles.len).map_err(|lack| self.lacks(last, lack))?;
        }
        if self.with.has("code") {
            write_code(&mut steps);
        }
        let guarded = guarded.unwrap_or(steps.len());
        Ok(Lowered { steps, guarded })
    }

    /// The copies that some work is; where few numbers cost nothing to copy, also if it only puts these elsewhere.
    #[allow(clippy::wildcard_enum_match_arm, reason = "few of a large table")]
    fn moves(&self, work: &Work, of_numbers: bool) -> Option<(Copies, Listed)> {
        let node = &self.graph.nodes[work.members[0] as usize];
        let result = self.operand(node.results[0]);
        let name = match &node.operation {
            Operation::Copy => "copy",
            Operation::Single(kind) if of_numbers && are_few::<T>(result.len) => {
                let is_move = match kind {
                    Kind::Reshape(_) => !self.operand(node.args[0]).is_at(&result),
                    Kind::Concat(op) => {
                        let parts = node.args.iter().map(|&a| (a, self.graph.numel(a)));
                        op.joins_wholes(&result.shape) && !self.places.are_joined(parts, node.results[0])
                    }
                    _ => false,
                };
                Some(kind.name()).filter(|_| is_move)?
            }
            _ => return None,
        };
        let operands: SmallVec<_> = self.operands(&node.args);
        let copies = operands.iter().scan(result.spot(), |to, operand: &Operand| {
            let start = *to;
            to.start += operand.len as u32;
            Some((operand.len, operand.spot(), start))
        });
        let copies: Copies = copies.filter(|&(len, ..)| len > 0).collect();
        let are_apart = copies.iter().all(|&(len, from, _)| !from.meets(len, result.spot(), result.len));
        are_apart.then(|| (copies, Listed { what: What::Rows(name), operands, results: smallvec![result] }))
    }

    /// The place of a value.
    pub(super) fn operand(&self, value: u32) -> Operand {
        Operand::new(self.graph, self.places, value)
    }

    fn operands<L: FromIterator<Operand>>(&self, values: &[u32]) -> L {
        values.iter().map(|&value| self.operand(value)).collect()
    }

    fn lacks(&self, value: u32, lack: OutOfMemory) -> Error {
        self.tape.nodes.lacks(self.graph.on_tape(value), lack)
    }

    /// The step of some work, unless all of it is that a value has another shape where it is, or that values are joined there.
    fn step(&self, work: &Work, buffers: &mut Vec<Vec<T>>) -> Result<Option<Step<T>>, Error> {
        let node = &self.graph.nodes[work.members[0] as usize];
        let Node { operation, args, results, .. } = node;
        Ok(Some(match operation {
            Operation::Single(Kind::Reshape(_)) if self.places.spot(args[0]) == self.places.spot(results[0]) => {
                return Ok(None);
            }
            Operation::Single(Kind::Concat(op))
                if op.joins_wholes(self.graph.shape(results[0]))
                    && self.places.are_joined(args.iter().map(|&a| (a, self.graph.numel(a))), results[0]) =>
            {
                return Ok(None);
            }
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
                let listed = Listed { what: What::HiddenLayer(*net), operands, results };
                Step::HiddenLayer(Box::new((planned, listed)))
            }
            Operation::Copy => Step::Copy(Box::new([self.operand(args[0]), self.operand(results[0])])),
        }))
    }

    /// A net on the buffers of its values; its scratch memory gets one behind those that there are.
    fn hidden_layer(
        &self,
        net: HiddenLayer,
        node: &Node<T>,
        buffers: &mut Vec<Vec<T>>,
    ) -> Result<Planned<T>, OutOfMemory> {
        let at = |value: u32| self.places.spot(value);
        let sizes = sizes(self.graph, &node.args, net.turned);
        let rate = Rate::new(net.rate, || at(*node.args.last().expect("a net has operands")));
        let activation = net.activation.map(|Function { value, slope, selects }| {
            let alone =
                |function| T::tile_op(&Kind::Unary(Arity(function))).expect("functions of one number go by tiles");
            let both = Pair::of(value, slope).map(|pair| Kernels::Both(T::pair(pair)));
            let kernels = both.unwrap_or_else(|| Kernels::Each([alone(value), alone(slope)]));
            Activation { kernels, selects }
        });
        buffers.push(memory::zeros(sizes.scratch::<T>(activation.as_ref()))?);
        let spots = Spots {
            x: at(node.args[0]),
            params: std::array::from_fn(|k| at(node.args[1 + k])),
            labels: at(node.args[5]),
            cotangent: at(node.args[6]),
            loss: at(node.results[0]),
            results: std::array::from_fn(|k| at(node.results[1 + k])),
            rate,
            descends: net.descends,
            scratch: buffers.len() as u32 - 1,
        };
        Ok(Planned::new(sizes, activation, (net.mean, net.turned), spots))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::level::tests::at_every_level;
    use crate::program::Program;
    use crate::tensor::Tensor;

    #[test]
    fn a_selection_is_code_where_a_level_has_vectors_for_it() {
        let codes = |elements: usize, with| {
            let x = Tensor::<f32>::zeros([elements]);
            let program = Program::record_with(with, &(), &x, |_, (), x| {
                let size = x.abs();
                (vec![], vec![size.lt(0.5).select(x * x, size - 0.25)])
            });
            let mut steps = program.expect("the program is right").steps;
            let groups =
                steps.iter_mut().filter_map(|step| if let Step::Group(group) = step { Some(group) } else { None });
            groups.flat_map(|group| group.0.with_code()).map(|task| task.codes()).sum::<usize>()
        };
        at_every_level(|level| {
            for elements in [1, 100] {
                let all = Optimisations::default();
                assert_eq!(codes(elements, all), usize::from(level.vector_bytes() > 16), "{elements}, {level:?}");
                assert_eq!(codes(elements, all.without("code")), 0);
            }
        });
    }
}
