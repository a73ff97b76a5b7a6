//! A program of a tape's: what it is asked for again and again. Small leaves go into it as they are recorded, large ones are read where
//! they are; and what is large of what it computes lies in buffers that the tape has for all its programs, and for what it computes
//! without one.

use super::Program;
use super::questions::Nodes;
use crate::float::Float;
use crate::kernels::lent::StandIns;
use crate::tape::Tape;
use crate::tape::nodes::{NONE, Node};
use crate::tape::values::State;
use crate::tensor::error::Error;
use crate::tensor::memory::OutOfMemory;
use std::mem::take;

/// Elements of at least so many bytes are worth more than telling where they are.
const LARGE: usize = 4096;
/// A program has small buffers of its own alone. One that needs more than these for itself, and more than the nodes that it is made
/// of, is not worth them.
const MOST_BYTES: usize = 1024 * 1024;

/// What of a tape a program computes: some nodes, from leaves and from nodes that were recorded before others.
pub(super) struct Part {
    pub(super) base: u32,
    pub(super) roots: Nodes,
}

impl Part {
    /// What it starts from: leaves, and nodes before its base.
    fn inputs<T: Float>(&self, tape: &Tape<T>) -> Vec<u32> {
        let needed = tape.nodes.needed(&self.roots, self.base);
        let is_input = |&index: &u32| needed[index as usize] && !self.computes(tape, index);
        (0..tape.len() as u32).filter(is_input).collect()
    }

    fn computes<T: Float>(&self, tape: &Tape<T>, node: u32) -> bool {
        node >= self.base && tape.nodes[node].kind.op().is_some()
    }
}

/// A program, with the nodes that are its inputs and outputs.
pub(super) struct OnTape<T: Float> {
    program: Program<T>,
    /// The nodes that are copied, with their inputs.
    copied: Vec<(u32, usize)>,
    /// The input of each node that is copied.
    input_of: Vec<u32>,
    /// The nodes that are read where they are.
    read: Vec<Read>,
    stand_ins: StandIns<T>,
    outputs: Vec<u32>,
    /// How many elements are few.
    small: usize,
}

/// A node that is read where it is, in the place of a buffer.
struct Read {
    node: u32,
    buffer: usize,
    len: usize,
}

impl<T: Float> OnTape<T> {
    /// What computes a part of a tape, if a program can that has little memory of its own.
    pub(super) fn new(tape: &Tape<T>, part: Part) -> Option<Self> {
        let inputs = part.inputs(tape);
        let mut outputs: Vec<u32> = part.roots.iter().copied().filter(|&root| part.computes(tape, root)).collect();
        outputs.sort_unstable();
        outputs.dedup();
        let small = LARGE / size_of::<T>();
        let program = Program::of_nodes(tape, part.base, &inputs, &outputs, small)
            .filter(|program| program.bytes() <= MOST_BYTES.max(tape.len() * size_of::<Node<T>>()))?;
        let (mut copied, mut input_of, mut read) = (Vec::new(), vec![NONE; tape.len()], Vec::new());
        for (input, (&node, slot)) in inputs.iter().zip(&program.inputs).enumerate() {
            let len = tape.nodes[node].len;
            if len >= small {
                debug_assert!(slot.is_only_read, "what stands in its place is not written");
                read.push(Read { node, buffer: slot.buffer, len });
            } else {
                copied.push((node, input));
                input_of[node as usize] = input as u32;
            }
        }
        let stand_ins = StandIns::with_capacity(read.len());
        Some(Self { program, copied, input_of, read, stand_ins, outputs, small })
    }

    /// How many leaves may go ahead.
    pub(super) fn leaves(&self) -> usize {
        self.copied.len()
    }

    #[inline]
    fn input(&self, leaf: u32) -> Option<usize> {
        self.input_of.get(leaf as usize).filter(|&&input| input != NONE).map(|&input| input as usize)
    }

    /// Takes the value of a leaf, if it is one of those that are copied.
    #[inline]
    pub(super) fn accept(&mut self, leaf: u32, value: &[T]) -> bool {
        let Some(input) = self.input(leaf) else { return false };
        self.program.fill(input, value);
        true
    }

    /// The value of a leaf that it has taken.
    pub(super) fn taken(&self, leaf: u32) -> &[T] {
        self.program.input(self.input(leaf).expect("what went ahead is one of its leaves"))
    }

    /// Computes, from leaves that it has taken or that have their values on the tape, and gives the outputs to the tape.
    pub(super) fn compute(&mut self, tape: &Tape<T>, state: &mut State<T>) -> Result<(), Error> {
        let Self { program, copied, read, stand_ins, outputs, small, .. } = self;
        for &(leaf, input) in &*copied {
            if let Some(value) = state.buffer(leaf) {
                program.fill(input, value);
            }
        }
        let Program { buffers, borrowed, steps, bases, outputs: results, .. } = program;
        for large in &*borrowed {
            let buffer = state.pool.take(large.len);
            buffers[large.buffer] = buffer.map_err(|memory| tape.nodes.lacks(large.of, memory))?;
        }
        let mut standing = stand_ins.begin(buffers);
        for Read { node, buffer, len } in &*read {
            let value = state.buffer(*node).expect("what no program takes has its value on the tape");
            standing.read(*buffer, &value[..*len]);
        }
        steps.iter().try_for_each(|step| step.run(standing.buffers(), bases))?;
        drop(standing);
        for (&output, result) in outputs.iter().zip(results) {
            let buffer = &mut buffers[result.buffer];
            let lacks = |memory: OutOfMemory| tape.nodes.lacks(output, memory);
            if result.len < *small {
                state.exchange(output, buffer).map_err(lacks)?;
            } else {
                state.give(output, take(buffer));
            }
        }
        for large in &*borrowed {
            let buffer = take(&mut buffers[large.buffer]);
            if !buffer.is_empty() {
                state.pool.give(buffer);
            }
        }
        Ok(())
    }
}
