//! What a tape remembers of the step before it was cleared, so that a step that repeats it costs little: a sweep that was
//! recorded is not walked again, and values that were asked for together are computed by a program.
//!
//! Whether a step repeats the one before is found node by node, as it is recorded (see
//! [`Nodes`](crate::tape::nodes::Nodes)); any difference ends what is remembered from there on.

use crate::float::Float;
use crate::program::Program;
use crate::tape::Tape;
use crate::tape::nodes::{NONE, Nodes};
use crate::tape::values::State;
use crate::tape::var::Var;
use crate::tensor::error::Error;
use smallvec::SmallVec;

/// Leaves of more bytes than this are not worth copying into a program.
const MOST_BYTES: usize = 64 * 1024;
/// A program of more bytes than this, with results in recycled buffers, gains little beside its arithmetic, and the memory
/// would be needed twice.
const MOST_MEMORY: usize = 1024 * 1024;
/// How many times the same values are asked for before a program is made for them.
const PATIENCE: usize = 2;
/// A program that ran so often was worth making: to make one costs as much as some ten steps of a small net.
const WORTH: usize = 64;

/// What is remembered.
pub(crate) struct Memory<T: Float> {
    sweeps: Vec<Sweep>,
    /// How many sweeps this step has repeated or recorded.
    swept: usize,
    asked: Option<Asked<T>>,
    /// How many times values are asked for before a program is made.
    patience: usize,
    /// Leaves of this step whose values went right into the program, and nowhere else.
    ahead: Vec<u32>,
}

impl<T: Float> Default for Memory<T> {
    fn default() -> Self {
        Self { sweeps: Vec::new(), swept: 0, asked: None, patience: PATIENCE, ahead: Vec::new() }
    }
}

/// A reverse sweep: what it was asked for, and the nodes that it recorded.
struct Sweep {
    start: usize,
    end: usize,
    results: SmallVec<[(u32, u32); 1]>,
    inputs: SmallVec<[u32; 8]>,
    cotangents: SmallVec<[Option<u32>; 8]>,
}

/// Values that were asked for together, and how many nodes there were then.
struct Asked<T: Float> {
    len: usize,
    roots: SmallVec<[u32; 16]>,
    /// How many steps in a row have asked.
    times: usize,
    way: Way<T>,
}

/// How they are computed.
enum Way<T: Float> {
    /// A program is made when they have been asked for often enough.
    Unmade,
    Program {
        program: Box<Program<T>>,
        leaves: Leaves,
        outputs: Vec<u32>,
    },
    /// Leaves and values are so large that the usual way is as fast.
    Usual,
}

/// The leaves that a program takes, in the order of its inputs, and the input of each node that is one.
struct Leaves {
    in_order: Vec<u32>,
    input_of: Vec<u32>,
}

impl<T: Float> Memory<T> {
    /// Forgets what the step that ends did not repeat, and what lies behind the nodes that are kept of it.
    pub(crate) fn clear(&mut self, repeated: usize, kept: usize) {
        self.sweeps.truncate(std::mem::take(&mut self.swept));
        self.sweeps.truncate(self.sweeps.partition_point(|sweep| sweep.end <= kept));
        self.ahead.clear();
        if self.asked.as_ref().is_some_and(|asked| asked.len > repeated.min(kept)) {
            self.forget();
        }
    }

    /// Forgets what was asked for. A program that was not worth making makes the next one wait longer.
    fn forget(&mut self) {
        let Some(Asked { times, way, .. }) = self.asked.take() else { return };
        if times >= WORTH {
            self.patience = PATIENCE;
        } else if !matches!(way, Way::Unmade) {
            self.patience = self.patience.saturating_mul(4);
        }
    }

    fn settle(&mut self, nodes: &Nodes<T>, state: &mut State<T>) -> Result<(), Error> {
        let Some(Asked { way: Way::Program { program, leaves, .. }, .. }) = &self.asked else { return Ok(()) };
        while let Some(&leaf) = self.ahead.last() {
            let value = program.input(leaves.input_of[leaf as usize] as usize);
            state.fill(leaf, value).map_err(|memory| nodes.lacks(leaf, memory))?;
            self.ahead.pop();
        }
        Ok(())
    }
}

impl<T: Float> Tape<T> {
    /// The cotangents of a sweep, if the step before did the same sweep after the same nodes.
    pub(crate) fn repeat_sweep<'t>(
        &'t self,
        results: &[(Var<'t, T>, Var<'t, T>)],
        inputs: &[u32],
    ) -> Option<SmallVec<[Option<Var<'t, T>>; 8]>> {
        let memory = &mut *self.memory.borrow_mut();
        let sweep = memory.sweeps.get(memory.swept)?;
        let asked = results.iter().map(|(y, dy)| (y.index(), dy.index()));
        let same = self.nodes.repeats()
            && self.is_plain()
            && sweep.start == self.len()
            && sweep.inputs[..] == *inputs
            && sweep.results.iter().copied().eq(asked);
        if !same {
            return None;
        }
        self.nodes.repeat_to(sweep.end);
        memory.swept += 1;
        Some(sweep.cotangents.iter().map(|c| c.map(|c| Var::new(self, c))).collect())
    }

    /// Remembers a sweep that was recorded from node `start` on, unless it depends on more than the nodes before.
    pub(crate) fn remember_sweep(
        &self,
        start: usize,
        results: &[(Var<'_, T>, Var<'_, T>)],
        inputs: &[u32],
        cotangents: &[Option<Var<'_, T>>],
    ) {
        let end = self.len();
        let memory = &mut *self.memory.borrow_mut();
        // The values of leaves are not among what is kept.
        let leaf = |index: u32| self.nodes[index].kind.op().is_none();
        if !self.is_plain() || (start as u32..end as u32).any(leaf) {
            return;
        }
        memory.sweeps.truncate(memory.swept);
        memory.swept += 1;
        memory.sweeps.push(Sweep {
            start,
            end,
            results: results.iter().map(|(y, dy)| (y.index(), dy.index())).collect(),
            inputs: inputs.into(),
            cotangents: cotangents.iter().map(|c| c.map(|c| c.index())).collect(),
        });
    }

    /// Computes roots by the program of a step that repeats, if there is one.
    pub(crate) fn repeat_values(&self, roots: &[u32]) -> Result<bool, Error> {
        if roots.is_empty() || self.watch_kinks.get() || !self.nodes.repeats() || !self.state.borrow().is_fresh() {
            return Ok(false);
        }
        if self.is_due(roots)? {
            // Making a program asks the tape, so nothing of it is borrowed meanwhile.
            let made = self.way(roots);
            let memory = &mut *self.memory.borrow_mut();
            if let Way::Program { leaves, .. } = &made {
                memory.ahead.reserve(leaves.in_order.len());
            }
            if let Some(asked) = &mut memory.asked {
                asked.way = made;
            }
        }
        let memory = &mut *self.memory.borrow_mut();
        let Some(Asked { way: Way::Program { program, leaves, outputs }, .. }) = &mut memory.asked else {
            return Ok(false);
        };
        let state = &mut *self.state.borrow_mut();
        for (input, &leaf) in leaves.in_order.iter().enumerate() {
            if let Some(value) = state.buffer(leaf) {
                program.fill(input, value);
            }
        }
        program.compute()?;
        for (k, &output) in outputs.iter().enumerate() {
            state.exchange(output, program.output(k)).map_err(|memory| self.nodes.lacks(output, memory))?;
        }
        state.note_computed();
        if outputs.len() < roots.len() {
            // Some are leaves.
            memory.settle(&self.nodes, state)?;
        }
        Ok(true)
    }

    /// Gives a leaf that repeats one of the step before its value ahead of time, in the program that will ask for it. So
    /// the user's buffer is not shared.
    #[inline]
    pub(crate) fn give_ahead(&self, index: u32, value: &[T]) -> bool {
        let memory = &mut *self.memory.borrow_mut();
        let Some(Asked { way: Way::Program { program, leaves, .. }, .. }) = &mut memory.asked else { return false };
        let input = leaves.input_of.get(index as usize).copied().unwrap_or(NONE);
        if input == NONE || !self.nodes.repeats() || !self.state.borrow().is_fresh() {
            return false;
        }
        program.fill(input as usize, value);
        memory.ahead.push(index);
        true
    }

    /// Gives leaves the values that went ahead, since they are needed here after all.
    pub(crate) fn settle(&self) -> Result<(), Error> {
        self.memory.borrow_mut().settle(&self.nodes, &mut self.state.borrow_mut())
    }

    /// Notes that roots are asked for, and tells whether it is time to make a program for them.
    fn is_due(&self, roots: &[u32]) -> Result<bool, Error> {
        let memory = &mut *self.memory.borrow_mut();
        let patience = memory.patience;
        match &mut memory.asked {
            Some(asked) if asked.len == self.len() && asked.roots[..] == *roots => {
                asked.times += 1;
                let is_due = matches!(asked.way, Way::Unmade) && asked.times >= patience;
                if is_due {
                    asked.way = Way::Usual;
                }
                Ok(is_due)
            }
            _ => {
                memory.settle(&self.nodes, &mut self.state.borrow_mut())?;
                memory.forget();
                memory.asked = Some(Asked { len: self.len(), roots: roots.into(), times: 1, way: Way::Unmade });
                Ok(false)
            }
        }
    }

    /// How values that are asked for again and again are best computed.
    fn way(&self, roots: &[u32]) -> Way<T> {
        let needed = self.nodes.needed(roots);
        let is_leaf = |&index: &u32| needed[index as usize] && self.nodes[index].kind.op().is_none();
        let leaves: Vec<u32> = (0..self.len() as u32).filter(is_leaf).collect();
        let elements: usize = leaves.iter().map(|&leaf| self.nodes[leaf].len).sum();
        if elements * size_of::<T>() > MOST_BYTES {
            return Way::Usual;
        }
        let is_computed = |&root: &u32| self.nodes[root].kind.op().is_some();
        let mut outputs: Vec<u32> = roots.iter().copied().filter(is_computed).collect();
        outputs.sort_unstable();
        outputs.dedup();
        match Program::of_nodes(self, &leaves, &outputs) {
            Some(program) if program.bytes() <= MOST_MEMORY => {
                let mut input_of = vec![NONE; self.len()];
                for (input, &leaf) in leaves.iter().enumerate() {
                    input_of[leaf as usize] = input as u32;
                }
                Way::Program { program: Box::new(program), leaves: Leaves { in_order: leaves, input_of }, outputs }
            }
            _ => Way::Usual,
        }
    }
}
