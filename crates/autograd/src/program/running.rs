//! A loop that runs: the program of a step, whose state is what is carried on and what is added up.

use super::graph::Graph;
use super::inputs::Slot;
use super::passes::Optimisations;
use super::steps::Step;
use super::{Program, move_on};
use crate::float::Float;
use crate::kernels::group::Passing;
use crate::kernels::lent::{StandIns, Standing};
use crate::kernels::map::copy;
use crate::kernels::place::Base;
use crate::scan::body::{Body, Results};
use crate::scan::op::{Group, Spec};
use crate::tape::Tape;
use crate::tape::op::View;
use crate::tape::var::Var;
use crate::tensor::Tensor;
use crate::tensor::memory::{self, OutOfMemory};
use crate::tensor::shape::Shape;
use std::sync::Arc;

/// The program of the steps of a body.
pub struct Running<T: Float> {
    program: Program<T>,
    /// What stands in buffers in all steps, and what in one.
    constants: StandIns<T>,
    passing: StandIns<T>,
    /// The lengths of what is carried and added up, and of slices and what each step leaves.
    carries: usize,
    /// What the steps beyond the last whole group add up to.
    rest: Vec<Vec<T>>,
    slices: Vec<usize>,
    stacked: Vec<usize>,
}

impl<T: Float> Running<T> {
    /// # Errors
    /// Where there is no memory for the buffers.
    pub(super) fn new(body: &Body<T>) -> Result<Self, OutOfMemory> {
        let (ports, Results { next, sums, stacked }) = (&body.ports, &body.results);
        let tape = Tape::<T>::default();
        let list = |shapes: &[Shape]| {
            let leaf = |shape: &Shape| {
                memory::zeros(shape.numel()).map(|zeros| tape.var(&Tensor::from_parts(shape.clone(), Arc::new(zeros))))
            };
            shapes.iter().map(leaf).collect::<Result<Vec<Var<'_, T>>, OutOfMemory>>()
        };
        let of = |values: &[u32]| values.iter().map(|&value| body.shape(value).clone()).collect::<Vec<Shape>>();
        let (carries, totals) = (list(&ports.carries)?, list(&of(sums))?);
        let (slices, constants) = (list(&ports.slices)?, list(&ports.constants)?);
        let values = body.replay(&tape, &[&carries[..], &slices, &constants].concat());
        let value = |&value: &u32| values[value as usize];
        let added = totals.iter().zip(sums).map(|(&total, sum)| total + value(sum));
        let after: Vec<Var<'_, T>> = next.iter().map(value).chain(added).collect();
        let outputs: Vec<Var<'_, T>> = stacked.iter().map(value).collect();
        let state: Vec<u32> = carries.iter().chain(&totals).map(Var::index).collect();
        let inputs: Vec<Slot> = constants.iter().chain(&slices).map(|&var| Slot::new(var, None)).collect();
        let refused = || OutOfMemory::of::<T>(tape.nodes.iter().map(|node| node.len).sum());
        // A body reads no value, so its graph is complete.
        let mut graph = Graph::new(&tape, &inputs, &state, &after, &outputs).map_err(|_| refused())?;
        graph.exact = true;
        let names = vec![String::new(); state.len()];
        let program = Program::of_graph(graph, Optimisations::default(), &tape, inputs, names);
        let mut program = program.map_err(|_| refused())?;
        let lengths = |shapes: &[Shape]| shapes.iter().map(Shape::numel).collect::<Vec<usize>>();
        // Where buffers are in every other step is put beside where they are in the others.
        program.bases.resize(2 * program.bases.len(), Base::default());
        Ok(Self {
            constants: StandIns::with_capacity(constants.len()),
            passing: StandIns::with_capacity(slices.len() + stacked.len()),
            program,
            carries: carries.len(),
            rest: totals.iter().map(|total| memory::zeros(total.numel())).collect::<Result<_, OutOfMemory>>()?,
            slices: lengths(&ports.slices),
            stacked: lengths(&of(stacked)),
        })
    }

    /// Runs a loop over these operands, whose result goes to `y`.
    ///
    /// # Errors
    /// Where there is no memory that an operation needs for itself.
    pub(super) fn run(&mut self, spec: &Spec<T>, args: &[View<'_, T>], y: &mut [T]) -> Result<(), OutOfMemory> {
        let (carried, given) = args.split_at(self.carries);
        let (sliced, constant) = given.split_at(self.slices.len());
        let how = spec.how;
        let Program { state, moves, inputs, outputs, buffers, steps, bases, .. } = &mut self.program;
        for (slot, first) in state.iter().zip(carried) {
            copy(first.data, slot.now.of_mut(buffers));
        }
        for slot in &state[self.carries..] {
            slot.now.of_mut(buffers).fill(T::ZERO);
        }
        let (of_constants, of_slices) = inputs.split_at(constant.len());
        let mut standing = self.constants.begin(buffers);
        for (input, view) in of_constants.iter().zip(constant) {
            give(&mut standing, input, view.data);
        }
        let buffers = standing.buffers();
        let (single, stacked) = y.split_at_mut(spec.parts.get(spec.first_stacked()).map_or(y.len(), |p| p.offset));
        let mut rows = in_rows(stacked, self.stacked.iter().map(|len| len * how.steps));
        let (carry_parts, sum_parts) = spec.parts[..spec.first_stacked()].split_at(self.carries);
        for part in sum_parts {
            single[part.range()].fill(T::ZERO);
        }
        let at = |step: usize| if how.reverse { how.steps - 1 - step } else { step };
        let group = match &steps[..] {
            [Step::Group(group)] if of_slices.iter().all(|input| input.is_only_read) => Some(&group.0),
            _ => None,
        };
        let slices = || of_slices.iter().zip(sliced).zip(&self.slices).zip(&spec.offsets);
        let mut passing = Vec::new();
        if group.is_some() {
            passing.extend(slices().map(|(((input, view), &len), &offset)| {
                Passing::read(input.buffer, len, &view.data[offset..][..len * how.steps])
            }));
            let rows = outputs.iter().zip(rows.drain(..)).zip(&self.stacked);
            passing.extend(rows.map(|((output, row), &len)| Passing::written(output.buffer, len, row)));
        }
        let mut step = 0;
        while step < how.steps {
            let first = step;
            step += 1;
            if let Some(group) = group {
                // What is added up is taken away where a group of steps ends.
                while step < how.steps && (sum_parts.is_empty() || how.group_that_ends(at(step - 1)).is_none()) {
                    step += 1;
                }
                let parts = if how.reverse { at(step - 1)..at(first) + 1 } else { first..step };
                T::run_steps(group, buffers, bases, &passing, moves, (parts, how.reverse));
            } else {
                let at = at(first);
                let mut standing = self.passing.begin(buffers);
                for (((input, view), &len), offset) in slices() {
                    give(&mut standing, input, &view.data[offset + at * len..][..len]);
                }
                for ((output, row), &len) in outputs.iter().zip(&mut rows).zip(&self.stacked) {
                    standing.write(output.buffer, &mut row[at * len..][..len]);
                }
                let run = |step: &Step<T>| step.run(standing.buffers(), bases);
                steps.iter().try_for_each(run).map_err(|_| OutOfMemory::of::<T>(spec.total().numel()))?;
                drop(standing);
                move_on(moves, buffers);
            }
            let Some(group) = how.group_that_ends(at(step - 1)) else { continue };
            for ((slot, part), rest) in state[self.carries..].iter().zip(sum_parts).zip(&mut self.rest) {
                let sum = slot.now.of_mut(buffers);
                match group {
                    Group::Rest => copy(sum, rest),
                    Group::Whole => add(sum, &mut single[part.range()]),
                }
                sum.fill(T::ZERO);
            }
        }
        if how.has_rest() {
            sum_parts.iter().zip(&self.rest).for_each(|(part, rest)| add(rest, &mut single[part.range()]));
        }
        for (slot, part) in state.iter().zip(carry_parts) {
            copy(slot.now.of(buffers), &mut single[part.range()]);
        }
        Ok(())
    }
}

/// Gives an input, which is read where it is unless it comes out again or is written over.
fn give<'d, T: Float>(standing: &mut Standing<'_, 'd, T>, input: &Slot, data: &'d [T]) {
    if input.is_only_read {
        standing.read(input.buffer, data);
    } else {
        copy(data, &mut standing.buffers()[input.buffer][..data.len()]);
    }
}

/// Memory as parts of these lengths.
fn in_rows<T>(mut memory: &mut [T], lens: impl Iterator<Item = usize>) -> Vec<&mut [T]> {
    let mut rows = Vec::new();
    for len in lens {
        let (row, others) = memory.split_at_mut(len);
        rows.push(row);
        memory = others;
    }
    rows
}

fn add<T: Float>(from: &[T], to: &mut [T]) {
    to.iter_mut().zip(from).for_each(|(to, &from)| *to += from);
}
