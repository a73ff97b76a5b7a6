//! The nodes of a tape: recorded once, never changed, and read while others are recorded. When the tape is cleared they stay
//! behind as a structure that is known, with the sweeps among them, and what is recorded next is compared with those that are.

use crate::float::Float;
use crate::tape::grown::Grown;
use crate::tape::nodes::Node;
use crate::tensor::error::Error;
use crate::tensor::memory::OutOfMemory;
use smallvec::SmallVec;
use std::cell::{Cell, RefCell};
use std::ops::Index;

/// How many structures are kept: steps on batches of some sizes, and what is computed between them.
const MOST_KNOWN: usize = 8;
/// How many nodes they have together, or else twice as many as the latest, so that one more as long is kept.
pub(super) const MOST_NODES: usize = 1 << 16;

/// The most nodes that a tape holds: 4 GB of them, more than a step of a small net has by far. A loop that never clears its tape is
/// told so before the memory of the machine is gone.
const MOST: usize = 1 << 25;
const TOO_MANY: &str =
    "as many as a tape holds, and more than a step needs: clear it between steps, or take a new one for each";

/// Marks the structure that was recorded last.
const LATEST: usize = usize::MAX;

/// What was recorded once. No two structures are the same.
struct Known<T: Float> {
    /// A number that no other has, ever.
    id: u64,
    nodes: Vec<Node<T>>,
    /// In the order of their starts.
    sweeps: Vec<Sweep>,
    /// How many nodes it has in common with each other that is known, from the first on, by its number.
    common: Vec<(u64, usize)>,
    /// The step that repeated it last.
    seen: u64,
}

/// A reverse sweep: what it was asked for, and the nodes that it recorded.
#[derive(Clone)]
pub(crate) struct Sweep {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) results: SmallVec<[(u32, u32); 1]>,
    pub(crate) inputs: SmallVec<[u32; 8]>,
    pub(crate) cotangents: SmallVec<[Option<u32>; 8]>,
}

/// A list of nodes that grows behind a shared reference. As long as it repeats one that is known, nothing is written, and it
/// costs a comparison to record a node.
pub(crate) struct Nodes<T: Float> {
    /// The structure that was recorded last, which is likely to come again: it is found without a look at the others.
    latest: Known<T>,
    others: Vec<Known<T>>,
    /// Which of the others this list repeats so far, or [`LATEST`].
    follows: Cell<usize>,
    /// How many of its nodes.
    repeated: Cell<usize>,
    /// How many of its sweeps lie before those, at least.
    passed: Cell<usize>,
    /// Whether this list has left all that is known.
    left: Cell<bool>,
    /// What comes after those that it repeats.
    grown: Grown<T>,
    /// The sweeps of this list that repeat none.
    swept: RefCell<Vec<Sweep>>,
    /// How often the list was cleared.
    steps: u64,
    /// The number of the next structure.
    next_id: u64,
    /// How many nodes it may hold.
    most: usize,
}

impl<T: Float> Default for Nodes<T> {
    fn default() -> Self {
        Self {
            latest: Known { id: 0, nodes: Vec::new(), sweeps: Vec::new(), common: Vec::new(), seen: 0 },
            others: Vec::new(),
            follows: Cell::new(LATEST),
            repeated: Cell::new(0),
            passed: Cell::new(0),
            left: Cell::new(false),
            grown: Grown::default(),
            swept: RefCell::default(),
            steps: 0,
            next_id: 1,
            most: MOST,
        }
    }
}

impl<T: Float> Nodes<T> {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.repeated.get() + self.grown.len.get()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Node<T>> {
        (0..self.len() as u32).map(|i| &self[i])
    }

    /// Which nodes the roots are, or depend on, if what was recorded before `base` depends on nothing.
    #[inline(never)]
    pub(crate) fn needed(&self, roots: &[u32], base: u32) -> Vec<bool> {
        let mut needed = vec![false; self.len()];
        for &root in roots {
            needed[root as usize] = true;
        }
        for i in (base..self.len() as u32).rev() {
            // Operands come before a node, so one pass down marks them all.
            if needed[i as usize] {
                self[i].args.iter().for_each(|&a| needed[a as usize] = true);
            }
        }
        needed
    }

    /// Why a node has no value: the operation, at the line that recorded it.
    #[cold]
    pub(crate) fn lacks(&self, index: u32, memory: OutOfMemory) -> Error {
        let Node { kind, args, shape, origin, .. } = &self[index];
        let shapes = args.iter().map(|&a| self[a].shape.clone()).collect();
        Error::new(kind.name(), memory.for_shape(shape), shapes, origin.location)
    }

    /// The structure that this list repeats so far.
    #[inline]
    fn followed(&self) -> &Known<T> {
        match self.follows.get() {
            LATEST => &self.latest,
            other => &self.others[other],
        }
    }

    /// The structure that all that is recorded repeats, by its number, if there is one.
    #[inline]
    pub(crate) fn structure(&self) -> Option<u64> {
        if self.left.get() { None } else { Some(self.followed().id) }
    }

    /// The node that comes next where the structure that is repeated goes on.
    pub(crate) fn expected(&self) -> Option<&Node<T>> {
        if self.left.get() { None } else { self.followed().nodes.get(self.repeated.get()) }
    }

    /// The next node of a structure that is known, if that is what is recorded next.
    #[inline]
    pub(crate) fn repeat(&self, is_next: impl Fn(&Node<T>) -> bool) -> Option<u32> {
        if self.left.get() {
            return None;
        }
        let next = self.repeated.get();
        let goes_on = |known: &Known<T>| known.nodes.get(next).is_some_and(&is_next);
        if !goes_on(self.followed()) && !self.turn(&goes_on) {
            return None; // What does not fit its operands is no node, and what comes after it may be known.
        }
        self.repeated.set(next + 1);
        Some(next as u32)
    }

    /// Follows another structure that begins with what is recorded, and of which this holds.
    #[cold]
    #[inline(never)]
    fn turn(&self, goes_on: &dyn Fn(&Known<T>) -> bool) -> bool {
        let (len, followed) = (self.repeated.get(), self.followed().id);
        let fits = |known: &Known<T>| known.common_with(followed) >= len && goes_on(known);
        let other = self.others.iter().position(&fits).or_else(|| fits(&self.latest).then_some(LATEST));
        if let Some(other) = other {
            self.follows.set(other);
            self.passed.set(0);
        }
        other.is_some()
    }

    /// A sweep that a known structure goes on with, whose nodes are then repeated, too.
    #[inline]
    pub(crate) fn repeat_sweep(
        &self,
        results: impl Iterator<Item = (u32, u32)> + Clone,
        inputs: &[u32],
    ) -> Option<&Sweep> {
        if self.left.get() {
            return None;
        }
        let start = self.repeated.get();
        let same = |sweep: &Sweep| {
            sweep.start == start && sweep.inputs[..] == *inputs && sweep.results.iter().copied().eq(results.clone())
        };
        let place = |known: &Known<T>| {
            let first = known.sweeps.partition_point(|sweep| sweep.start < start);
            let mut here = known.sweeps[first..].iter().take_while(|sweep| sweep.start == start);
            here.position(&same).map(|at| first + at)
        };
        // Most often it is the next one.
        let passed = self.passed.get();
        let next = self.followed().sweeps.get(passed).is_some_and(same).then_some(passed);
        let at = next.or_else(|| place(self.followed()));
        let at =
            at.or_else(|| if self.turn(&|other| place(other).is_some()) { place(self.followed()) } else { None })?;
        self.passed.set(at + 1);
        let sweep = &self.followed().sweeps[at];
        self.repeated.set(sweep.end);
        Some(sweep)
    }

    /// Remembers a sweep that was recorded now.
    pub(crate) fn remember_sweep(&self, sweep: Sweep) {
        self.swept.borrow_mut().push(sweep);
    }

    /// Appends a node that repeats none.
    #[inline]
    pub(crate) fn push(&self, node: Node<T>) -> u32 {
        let len = self.len();
        assert!(len < self.most, "{len} nodes are {TOO_MANY}, at {}", node.origin.location);
        self.left.set(true);
        let i = self.grown.push(node);
        self.repeated.get() as u32 + i
    }

    /// Forgets the list, but for what the next one may repeat: its nodes up to the first that can never be repeated, since
    /// only its user knows what it does. Whether structures that were known are no longer.
    #[inline(never)]
    pub(crate) fn clear(&mut self) -> bool {
        self.steps += 1;
        self.passed.set(0);
        self.left.set(false);
        let repeated = self.repeated.take();
        let follows = self.follows.replace(LATEST);
        if follows != LATEST {
            std::mem::swap(&mut self.latest, &mut self.others[follows]);
        }
        let mut swept = self.swept.take();
        if self.grown.len.get() == 0 && swept.is_empty() {
            self.latest.seen = self.steps;
            return false;
        }
        let mut new = Vec::with_capacity(self.grown.len.get());
        let mut keeps = true;
        self.grown.drain(|node| {
            keeps = keeps && node.kind.can_repeat();
            if keeps {
                new.push(node);
            }
        });
        let kept = repeated + new.len();
        swept.retain(|sweep| sweep.end <= kept);
        if new.is_empty() || repeated == self.latest.nodes.len() {
            self.latest.nodes.append(&mut new);
            self.latest.add_sweeps(swept);
            self.latest.seen = self.steps;
        } else {
            self.add(repeated, new, swept);
        }
        self.forget_oldest()
    }

    /// A structure of what it repeats of the latest one, and more; it is the latest from now on.
    #[inline(never)]
    fn add(&mut self, repeated: usize, mut new: Vec<Node<T>>, swept: Vec<Sweep>) {
        let Known { id, nodes, sweeps, common, .. } = &self.latest;
        new.splice(0..0, nodes[..repeated].iter().cloned());
        let sweeps = sweeps.iter().filter(|sweep| sweep.end <= repeated).cloned().collect();
        // One that goes on as this does would have been followed.
        let mut common: Vec<(u64, usize)> =
            common.iter().map(|&(other, common)| (other, common.min(repeated))).collect();
        common.push((*id, repeated));
        let id = self.next_id;
        self.next_id += 1;
        let mut known = Known { id, nodes: new, sweeps, common, seen: self.steps };
        known.add_sweeps(swept);
        let before = std::mem::replace(&mut self.latest, known);
        self.others.push(before);
        for other in &mut self.others {
            other.common.push((id, self.latest.common_with(other.id)));
        }
    }

    /// Forgets structures until there are few enough; the latest stays.
    #[inline(never)]
    fn forget_oldest(&mut self) -> bool {
        let before = self.others.len();
        while !self.others.is_empty() {
            let nodes = self.others.iter().chain([&self.latest]).map(|known| known.nodes.len()).sum::<usize>();
            if self.others.len() < MOST_KNOWN && nodes <= MOST_NODES.max(2 * self.latest.nodes.len()) {
                break;
            }
            let Some(oldest) = (0..self.others.len()).min_by_key(|&k| self.others[k].seen) else { break };
            let gone = self.others.swap_remove(oldest).id;
            for known in self.others.iter_mut().chain([&mut self.latest]) {
                known.common.retain(|&(id, _)| id != gone);
            }
        }
        self.others.len() < before
    }

    /// Forgets all structures of a list that is empty, and gives their memory back.
    #[inline(never)]
    pub(crate) fn forget(&mut self) {
        let (steps, next_id, most) = (self.steps, self.next_id, self.most);
        *self = Self { steps, next_id: next_id + 1, most, ..Self::default() };
        self.latest.id = next_id;
    }

    /// Whether a structure is known, by its number.
    pub(crate) fn knows(&self, structure: u64) -> bool {
        self.latest.id == structure || self.others.iter().any(|known| known.id == structure)
    }
}

impl<T: Float> Known<T> {
    /// How many nodes it has in common with another that is known.
    fn common_with(&self, id: u64) -> usize {
        self.common.iter().find(|&&(other, _)| other == id).map_or(0, |&(_, common)| common)
    }

    #[inline(never)]
    fn add_sweeps(&mut self, swept: Vec<Sweep>) {
        // The same sweep may be asked for in ever other orders.
        let room = (self.nodes.len() + MOST_KNOWN).saturating_sub(self.sweeps.len());
        self.sweeps.extend(swept.into_iter().take(room));
        self.sweeps.sort_by_key(|sweep| sweep.start);
    }
}

impl<T: Float> Index<u32> for Nodes<T> {
    type Output = Node<T>;
    #[inline]
    fn index(&self, i: u32) -> &Node<T> {
        let (i, repeated) = (i as usize, self.repeated.get());
        if i < repeated { &self.followed().nodes[i] } else { self.grown.at(i - repeated) }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Tape, Tensor, grad};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn a_loop_that_never_clears_its_tape_is_told() {
        let mut tape: Tape = Tape::new();
        tape.nodes.most = 1000;
        let x = tape.var(&Tensor::from([1.0, 2.0]));
        let endless = || {
            loop {
                let _ = grad((x * x).sum(), &x);
            }
        };
        let panic = catch_unwind(AssertUnwindSafe(endless)).unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(text.contains("1000 nodes") && text.contains("clear it") && text.contains("list.rs"), "{text}");
    }

    #[test]
    fn structures_are_forgotten_oldest_first_and_the_latest_stays() {
        let mut tape: Tape = Tape::new();
        for size in 0..20 {
            tape.clear();
            tape.var(&Tensor::zeros([1 + size])).exp().sum().item();
        }
        tape.clear();
        assert_eq!(tape.nodes.others.len(), super::MOST_KNOWN - 1);
        assert_eq!(tape.nodes.latest.nodes[0].len, 20);
        assert!(tape.nodes.others.iter().all(|known| known.nodes[0].len > 20 - super::MOST_KNOWN));
        tape.shrink();
        assert!(tape.nodes.others.is_empty() && tape.nodes.latest.nodes.is_empty());
    }
    #[test]
    fn two_long_structures_in_turn_are_both_known() {
        let mut tape: Tape = Tape::new();
        let mut known = Vec::new();
        for i in 0..4 {
            tape.clear();
            let mut x = tape.var(&Tensor::zeros([1 + i % 2]));
            for _ in 0..super::MOST_NODES {
                x = x + x;
            }
            known.push(tape.nodes.structure().is_some());
        }
        assert_eq!(known, [false, false, true, true]);
    }
}
