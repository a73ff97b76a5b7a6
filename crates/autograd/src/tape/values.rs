//! Computing: values of nodes when they are asked for, in index order, in recycled buffers.

use crate::float::Float;
use crate::kernels::map::copy;
use crate::tape::Tape;
use crate::tape::bodies::in_body;
use crate::tape::list::Nodes;
use crate::tape::nodes::Node;
use crate::tape::op::{self, DynOp, View, ViewMut};
use crate::tape::pool::Pool;
use crate::tape::tree::Tree;
use crate::tape::var::Var;
use crate::tensor::Tensor;
use crate::tensor::error::{Error, Kind, Reason};
use crate::tensor::memory::OutOfMemory;
use smallvec::SmallVec;
use std::cell::Ref;
use std::panic::Location;
use std::sync::Arc;

/// What a node's value is stored in.
pub(crate) enum Value<T> {
    /// A buffer of the tape, which may be longer than the value; empty while the value is not computed.
    Own(Vec<T>),
    /// One of the tape's that the user may hold.
    Lent(Arc<Vec<T>>),
    /// The user's own.
    Given(Arc<Vec<T>>),
}

impl<T> Value<T> {
    fn is_computed(&self) -> bool {
        !matches!(self, Self::Own(buffer) if buffer.is_empty())
    }

    /// The whole buffer.
    fn buffer(&self) -> &[T] {
        match self {
            Self::Own(buffer) => buffer,
            Self::Lent(buffer) | Self::Given(buffer) => buffer,
        }
    }
}

/// Where a node's value goes.
struct Slot<T> {
    value: Value<T>,
    /// How many needed nodes still have to read a value that is not there yet; zero between calls of `compute`.
    readers: u32,
    /// Whether it is listed among the slots that were given a value.
    listed: bool,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { value: Value::Own(Vec::new()), readers: 0, listed: false }
    }
}

impl<T> Slot<T> {
    /// Where its value goes; lists it.
    #[inline]
    fn place(&mut self, index: u32, filled: &mut Vec<u32>) -> &mut Value<T> {
        if !std::mem::replace(&mut self.listed, true) {
            filled.push(index);
        }
        &mut self.value
    }

    /// Counts a reader of a value that is not there yet; adds the first one to the number of `pending` nodes.
    fn need(&mut self, pending: &mut usize) {
        if !self.value.is_computed() {
            *pending += usize::from(self.readers == 0);
            self.readers += 1;
        }
    }
}

/// What a tape holds: the nodes, their values as far as they are computed, and memory to recycle.
pub(crate) struct State<T: Float> {
    /// A slot for each node that has a value, at least.
    slots: Vec<Slot<T>>,
    /// The slots that were given a value since the last clear, each once; all others are empty.
    filled: Vec<u32>,
    pub(crate) pool: Pool<T>,
    /// Whether a computation is under way, or did not end.
    computing: bool,
    /// Whether computing looks for values that are not finite.
    pub(crate) watch: bool,
    /// Lists that the sweeps fill, kept for their memory.
    pub(crate) scratch: Vec<Vec<u32>>,
}

impl<T: Float> Default for State<T> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            filled: Vec::new(),
            pool: Pool::default(),
            computing: false,
            watch: false,
            scratch: Vec::new(),
        }
    }
}

impl<T: Float> Tape<T> {
    /// Computes all variables of a structure together. Each intermediate buffer is recycled after its last reader, so
    /// this needs the least memory; [`Var::value`] keeps intermediates for the next question instead.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([3.0]));
    /// let y = (x * x).sum();
    /// let (y, [dx]) = tape.values(&(y, grad(y, &[x])));
    /// assert_eq!((y.item(), dx.item()), (9.0, 6.0));
    /// ```
    ///
    /// # Panics
    /// Where a variable lives on another tape.
    #[track_caller]
    pub fn values<'t, P: Tree<Leaf = Var<'t, T>> + ?Sized>(&'t self, vars: &P) -> P::With<Tensor<T>> {
        self.compute(vars, false);
        vars.map(&mut |var: &Var<'t, T>| self.share(var.index()))
    }

    #[track_caller]
    pub(crate) fn compute<'t, P: Tree<Leaf = Var<'t, T>> + ?Sized>(&'t self, vars: &P, keep: bool) {
        let (mut roots, mut stranger): (SmallVec<[u32; 8]>, _) = (SmallVec::new(), None);
        vars.visit(&mut |var| {
            if !std::ptr::eq(var.tape(), self) {
                stranger = Some(*var);
            }
            roots.push(var.index());
        });
        T::ask(self, &roots, stranger, keep);
    }

    /// Computes what a user asks for, and notes that; compiled in [`Engine`](crate::float::Engine).
    #[track_caller]
    pub(crate) fn asked(&self, roots: &[u32], stranger: Option<Var<'_, T>>, keep: bool) {
        if let Some(var) = stranger {
            let reason = Reason::new(Kind::Tape, format!("{var:?} lives on another tape"));
            self.error("values", reason, &[]).raise();
        }
        let location = Location::caller();
        self.note(|recording| recording.reads.extend(roots.iter().map(|&root| (root, location))));
        self.compute_roots(roots, keep);
    }

    /// Computes a value without noting that it was read.
    #[track_caller]
    pub(crate) fn compute_unnoted(&self, index: u32) {
        self.compute_roots(&[index], true);
    }

    /// Computes roots. Unless `keep`, only they have values afterwards.
    #[track_caller]
    #[inline]
    pub(crate) fn compute_roots(&self, roots: &[u32], keep: bool) {
        T::compute(self, roots, keep);
    }

    /// Computes roots by some way, and tells what is wrong with them, where that is watched.
    #[track_caller]
    pub(crate) fn compute_by(&self, roots: &[u32], way: impl FnOnce() -> Result<Option<u32>, Error>) {
        if self.is_watched() {
            self.refuse_outer(roots);
        }
        match way() {
            Ok(None) => {}
            Ok(Some(broken)) => panic!("{}", self.state.borrow().report(&self.nodes, broken)),
            Err(error) => error.raise(),
        }
        if let Some(kink) = self.watch_kinks.get().then(|| self.kink_below(roots)).flatten() {
            panic!("{kink}");
        }
    }

    /// Computes roots one node after the other, each by its own kernel. Where the tape is watched, returns the first node whose
    /// value broke.
    pub(crate) fn compute_nodes(&self, roots: &[u32], keep: bool) -> Result<Option<u32>, Error> {
        self.state.borrow_mut().compute(&self.nodes, roots, keep)
    }

    /// A computed value, shared with the user.
    #[inline(never)]
    pub(crate) fn share(&self, index: u32) -> Tensor<T> {
        let State { slots, pool, .. } = &mut **self.state.borrow_mut();
        let value = &mut slots[index as usize].value;
        let buffer = match value {
            Value::Lent(buffer) | Value::Given(buffer) => Arc::clone(buffer),
            Value::Own(buffer) => {
                let buffer = pool.share(std::mem::take(buffer));
                *value = Value::Lent(Arc::clone(&buffer));
                buffer
            }
        };
        Tensor::from_parts(self.nodes[index].shape.clone(), buffer)
    }

    /// A computed value, borrowed.
    pub(crate) fn borrow_value(&self, index: u32) -> Ref<'_, [T]> {
        Ref::map(self.state.borrow(), |state| state.slice(&self.nodes, index))
    }
}

impl<T: Float> State<T> {
    /// Where the value of a node goes that has none. What is put there is best made after this was called, so that it is made
    /// in its place and not moved there.
    #[inline]
    pub(crate) fn place(&mut self, index: u32) -> &mut Value<T> {
        if self.slots.len() <= index as usize {
            self.slots.resize_with(index as usize + 1, Slot::default);
        }
        self.slots[index as usize].place(index, &mut self.filled)
    }

    #[inline]
    pub(crate) fn slice(&self, nodes: &Nodes<T>, index: u32) -> &[T] {
        &self.slots[index as usize].value.buffer()[..nodes[index].len]
    }

    /// Whether somebody watches each value.
    pub(crate) fn is_watched(&self) -> bool {
        self.watch
    }

    /// A value that was given or computed, as long as its buffer is.
    pub(crate) fn buffer(&self, index: u32) -> Option<&[T]> {
        self.slots.get(index as usize).map(|slot| &slot.value).filter(|value| value.is_computed()).map(Value::buffer)
    }

    /// Gives a node a copy of a value that is kept elsewhere, unless it has one.
    pub(crate) fn fill(&mut self, index: u32, value: &[T]) -> Result<(), OutOfMemory> {
        if self.buffer(index).is_none() {
            let mut buffer = self.pool.take(value.len())?;
            copy(value, &mut buffer[..value.len()]);
            let place = self.place(index);
            *place = Value::Own(buffer);
        }
        Ok(())
    }

    /// Swaps a result into a node, and a recycled buffer of the same length into its place; does nothing if the node has a
    /// value. The user is likely to share it.
    pub(crate) fn exchange(&mut self, index: u32, buffer: &mut Vec<T>) -> Result<(), OutOfMemory> {
        if self.buffer(index).is_none() {
            let buffer = self.pool.exchange(buffer)?;
            let place = self.place(index);
            *place = Value::Lent(buffer);
        }
        Ok(())
    }

    /// Gives a node the buffer that has its value, unless it has one. The user is likely to share it.
    pub(crate) fn give(&mut self, index: u32, buffer: Vec<T>) {
        if self.buffer(index).is_some() {
            return self.pool.give(buffer);
        }
        let buffer = self.pool.share(buffer);
        let place = self.place(index);
        *place = Value::Lent(buffer);
    }

    /// Frees buffers that nothing is in.
    #[inline(never)]
    pub(crate) fn shrink(&mut self) {
        self.pool = Pool::default();
        self.scratch = Vec::new();
        self.slots.truncate(self.filled.iter().map(|&index| index as usize + 1).max().unwrap_or(0));
        self.slots.shrink_to_fit();
    }

    #[inline(never)]
    pub(crate) fn clear(&mut self) {
        self.pool.collect();
        for index in self.filled.drain(..) {
            match std::mem::take(&mut self.slots[index as usize]).value {
                Value::Own(buffer) if buffer.is_empty() => {}
                Value::Own(buffer) => self.pool.give(buffer),
                Value::Lent(buffer) => self.pool.give_shared(buffer),
                Value::Given(_) => {}
            }
        }
    }

    /// Computes the roots and what they need, in index order. Unless `keep`, an intermediate buffer is recycled after
    /// its last reader. Where this is watched, returns the first node whose value broke, and keeps all.
    pub(crate) fn compute(&mut self, nodes: &Nodes<T>, roots: &[u32], keep: bool) -> Result<Option<u32>, Error> {
        let Some(&top) = roots.iter().max() else { return Ok(None) };
        let keep = keep || self.watch;
        if std::mem::replace(&mut self.computing, true) {
            // An operation panicked or lacked memory, and somebody went on: what it left behind counts for nothing.
            for slot in &mut self.slots {
                slot.readers = 0;
            }
        }
        if self.slots.len() < nodes.len() {
            self.slots.resize_with(nodes.len(), Slot::default);
        }
        let slots = &mut self.slots[..=top as usize];
        let mut pending = 0_usize;
        for &root in roots {
            slots[root as usize].need(&mut pending);
        }
        let mut first = top + 1;
        while pending > 0 {
            first -= 1;
            if slots[first as usize].readers > 0 {
                pending -= 1;
                for &a in &*nodes[first].args {
                    slots[a as usize].need(&mut pending);
                }
            }
        }
        for index in first..=top {
            if slots[index as usize].readers > 0 {
                let node = &nodes[index];
                // Leaves have their value from the start, so that this is a place of a loop's body.
                let Some(op) = node.kind.op() else { return Err(in_body(node)) };
                let buffer = eval(nodes, (op, node), slots, &mut self.pool);
                let buffer = buffer.map_err(|memory| nodes.lacks(index, memory))?;
                *slots[index as usize].place(index, &mut self.filled) = Value::Own(buffer);
                if !keep {
                    release(&node.args, slots, &mut self.pool);
                }
            }
        }
        let breaks = |i: &u32| self.slots[*i as usize].readers > 0 && self.breaks(nodes, *i);
        let broken = if self.watch { (first..=top).find(breaks) } else { None };
        for slot in &mut self.slots[first as usize..=top as usize] {
            slot.readers = 0;
        }
        self.computing = false;
        Ok(broken)
    }
}

/// Computes a node from the values of its operands.
fn eval<T: Float>(
    nodes: &Nodes<T>,
    (op, node): (&dyn DynOp<T>, &Node<T>),
    slots: &[Slot<T>],
    pool: &mut Pool<T>,
) -> Result<Vec<T>, OutOfMemory> {
    let Node { args, shape, len, .. } = node;
    let mut buffer = pool.take(*len)?;
    let args = &args[..];
    let view = |k: usize| {
        let Node { shape, len, .. } = &nodes[args[k]];
        View { shape, data: &slots[args[k] as usize].value.buffer()[..*len] }
    };
    op::eval(op, args.len(), view, ViewMut { shape, data: &mut buffer[..*len] })?;
    Ok(buffer)
}

/// Counts a reader off each operand, and recycles the buffers of those that have no other. Values that were there before
/// are not counted and stay.
fn release<T: Float>(operands: &[u32], slots: &mut [Slot<T>], pool: &mut Pool<T>) {
    for &a in operands {
        let slot = &mut slots[a as usize];
        match (slot.readers, &mut slot.value) {
            (0, _) => {}
            (1, Value::Own(buffer)) => {
                slot.readers = 0;
                pool.give(std::mem::take(buffer));
            }
            _ => slot.readers -= 1,
        }
    }
}
