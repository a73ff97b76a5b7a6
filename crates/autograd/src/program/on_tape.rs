//! A program of a tape's: what it is asked for again and again. Small leaves go into it as they are recorded, large ones are read where
//! they are; and what is large of what it computes lies in buffers that the tape has for all its programs, and for what it computes
//! without one.

use super::Program;
use crate::float::Float;
use crate::kernels::lent::StandIns;
use crate::tape::Tape;
use crate::tape::nodes::NONE;
use crate::tape::values::State;
use crate::tensor::error::Error;
use crate::tensor::memory::OutOfMemory;
use std::mem::take;

/// Elements of at least so many bytes are worth more than telling where they are.
const LARGE: usize = 4096;
/// A program has small buffers of its own alone. One that needs more than these for itself is not worth them.
const MOST_BYTES: usize = 1024 * 1024;

/// A program, with the nodes that are its inputs and outputs.
pub(super) struct OnTape<T: Float> {
    program: Program<T>,
    /// The leaves that are copied, with their inputs.
    copied: Vec<(u32, usize)>,
    /// The input of each node that is copied.
    input_of: Vec<u32>,
    /// The leaves that are read where they are.
    read: Vec<Read>,
    stand_ins: StandIns<T>,
    outputs: Vec<u32>,
    /// How many elements are few.
    small: usize,
}

/// A leaf that is read where it is, in the place of a buffer.
struct Read {
    leaf: u32,
    buffer: usize,
    len: usize,
}

impl<T: Float> OnTape<T> {
    /// What computes these roots, in the order of the tape, if a program can that has little memory of its own.
    pub(super) fn new(tape: &Tape<T>, roots: &[u32]) -> Option<Self> {
        let needed = tape.nodes.needed(roots);
        let is_leaf = |&index: &u32| needed[index as usize] && tape.nodes[index].kind.op().is_none();
        let leaves: Vec<u32> = (0..tape.len() as u32).filter(is_leaf).collect();
        let is_computed = |&root: &u32| tape.nodes[root].kind.op().is_some();
        let mut outputs: Vec<u32> = roots.iter().copied().filter(is_computed).collect();
        outputs.sort_unstable();
        outputs.dedup();
        let small = LARGE / size_of::<T>();
        let program =
            Program::of_nodes(tape, &leaves, &outputs, small).filter(|program| program.bytes() <= MOST_BYTES)?;
        let (mut copied, mut input_of, mut read) = (Vec::new(), vec![NONE; tape.len()], Vec::new());
        for (input, (&leaf, slot)) in leaves.iter().zip(&program.inputs).enumerate() {
            let len = tape.nodes[leaf].len;
            if len >= small {
                debug_assert!(slot.is_only_read, "what stands in its place is not written");
                read.push(Read { leaf, buffer: slot.buffer, len });
            } else {
                copied.push((leaf, input));
                input_of[leaf as usize] = input as u32;
            }
        }
        let stand_ins = StandIns::with_capacity(read.len());
        Some(Self { program, copied, input_of, read, stand_ins, outputs, small })
    }

    /// How many leaves may go ahead.
    pub(super) fn leaves(&self) -> usize {
        self.copied.len()
    }

    /// The nodes that it computes.
    pub(super) fn outputs(&self) -> &[u32] {
        &self.outputs
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
        for Read { leaf, buffer, len } in &*read {
            let value = state.buffer(*leaf).expect("leaves that no program takes have their values on the tape");
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
        state.note_computed();
        Ok(())
    }
}
