//! Passes over the graph, each small and each to be switched off alone.

use super::graph::{Graph, Source};
use crate::float::Float;
use crate::ops::table::Kind;
use crate::tape::Tape;
use crate::tensor::error::Error;
use std::collections::HashMap;

/// Which optimisations a program is recorded with; all of them, by default. None changes a bit of a
/// result, but for the update of parameters by a large matrix product, which `fusion` rounds once less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each switches one pass")]
pub struct Passes {
    /// Drop what nothing asks for.
    pub dead: bool,
    /// Compute what does not depend on inputs or state when recording.
    pub constants: bool,
    /// Compute equal expressions once.
    pub common: bool,
    /// Compute products together with what follows them, and losses together with their gradients.
    pub fusion: bool,
    /// Compute a step of a net of one hidden layer, few features and few classes in one sweep; a part of `fusion`, which
    /// needs `dead`.
    pub nets: bool,
    /// Take rows through runs of products, losses and sums block by block, where that keeps them in the first-level cache.
    pub blocks: bool,
    /// Run chains of element-wise operations tile by tile.
    pub chains: bool,
    /// Let values share buffers that are not needed at the same time.
    pub memory: bool,
}

impl Default for Passes {
    fn default() -> Self {
        Self {
            dead: true,
            constants: true,
            common: true,
            fusion: true,
            nets: true,
            blocks: true,
            chains: true,
            memory: true,
        }
    }
}

impl Passes {
    /// No optimisation at all.
    pub const NONE: Self = Self {
        dead: false,
        constants: false,
        common: false,
        fusion: false,
        nets: false,
        blocks: false,
        chains: false,
        memory: false,
    };

    /// All passes, all but one for each of them, and none: what a test of a program runs through.
    ///
    /// ```
    /// use autograd::Passes;
    /// assert!(Passes::choices().contains(&Passes { fusion: false, ..Passes::default() }));
    /// ```
    pub fn choices() -> Vec<Self> {
        let all = Self::default();
        vec![
            all,
            Self { dead: false, ..all },
            Self { constants: false, ..all },
            Self { common: false, ..all },
            Self { fusion: false, ..all },
            Self { nets: false, ..all },
            Self { blocks: false, ..all },
            Self { chains: false, ..all },
            Self { memory: false, ..all },
            Self::NONE,
        ]
    }
}

impl<T: Float> Graph<T> {
    /// Replaces what does not depend on inputs or state by its value.
    pub(super) fn fold_constants(&mut self, tape: &Tape<T>) -> Result<(), Error> {
        let dynamic = self.dynamic();
        let needed = self.needed();
        let fixed: Vec<u32> = (0..self.nodes.len() as u32)
            .filter(|&i| !dynamic[i as usize] && needed[i as usize])
            .filter(|&i| matches!(self.nodes[i as usize].source, Source::Op(_)))
            .collect();
        tape.compute_nodes(&fixed, true)?;
        for i in fixed {
            let node = &mut self.nodes[i as usize];
            node.source = Source::Constant(i);
            node.args.clear();
        }
        Ok(())
    }

    /// Makes equal operations on equal operands one. Leaves are never merged, nor what a user wrote or what is to be
    /// computed anew.
    pub(super) fn merge_common(&mut self) {
        let mut seen: HashMap<String, u32> = HashMap::new();
        let mut stands_for: Vec<u32> = (0..self.nodes.len() as u32).collect();
        for i in 0..self.nodes.len() {
            for a in &mut self.nodes[i].args {
                *a = stands_for[*a as usize];
            }
            let node = &self.nodes[i];
            let Source::Op(kind) = &node.source else { continue };
            if node.keep_apart || matches!(kind, Kind::Custom(_)) {
                continue;
            }
            // The debug form of an operation shows all of its options, numbers to the last digit.
            let key = format!("{kind:?} {:?} {}", node.args, node.shape);
            stands_for[i] = *seen.entry(key).or_insert(i as u32);
        }
        let replace = |list: &mut Vec<u32>| list.iter_mut().for_each(|i| *i = stands_for[*i as usize]);
        replace(&mut self.next);
        replace(&mut self.outputs);
        for guard in &mut self.guards {
            guard.0 = stands_for[guard.0 as usize];
        }
    }

    /// What the roots are computed from.
    pub(super) fn needed(&self) -> Vec<bool> {
        self.reached_from(self.roots())
    }

    pub(super) fn reached_from(&self, roots: impl Iterator<Item = u32>) -> Vec<bool> {
        let mut reached = vec![false; self.nodes.len()];
        let mut open: Vec<u32> = roots.collect();
        // A result beside another may stand before what computes it, so one walk down would not do.
        while let Some(i) = open.pop() {
            if !std::mem::replace(&mut reached[i as usize], true) {
                open.extend(&self.nodes[i as usize].args);
            }
        }
        reached
    }
}
