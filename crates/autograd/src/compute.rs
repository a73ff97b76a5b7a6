//! Computing: values of nodes when they are asked for, in index order, in recycled buffers.

use crate::float::Float;
use crate::op::{Kind, View, ViewMut, eval};
use crate::pool::Pool;
use crate::tape::{NONE, Node, Tape};
use crate::tensor::Tensor;
use crate::tree::Tree;
use crate::var::Var;
use smallvec::SmallVec;
use std::cell::Ref;
use std::sync::Arc;

/// What a node's value is stored in, if it is computed.
pub(crate) enum Value<T> {
    Empty,
    Owned(Vec<T>),
    Shared(Arc<Vec<T>>),
}

impl<T> Value<T> {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// The whole buffer, which may be longer than the node's shape.
    fn buffer(&self) -> &[T] {
        match self {
            Self::Empty => &[],
            Self::Owned(buffer) => buffer,
            Self::Shared(buffer) => buffer,
        }
    }
}

/// What a tape holds: the nodes, their values as far as they are computed, and memory to recycle.
pub(crate) struct State<T: Float> {
    pub(crate) nodes: Vec<Node<T>>,
    pub(crate) values: Vec<Value<T>>,
    /// How many needed nodes still have to read each node; zero between calls of `compute`.
    readers: Vec<u32>,
    pub(crate) pool: Pool<T>,
    /// Whether a computation is under way, or was when it panicked.
    computing: bool,
    /// Whether computing looks for values that are not finite.
    pub(crate) watch: bool,
    /// Lists that the sweeps fill, kept for their memory.
    pub(crate) scratch: Vec<Vec<u32>>,
}

impl<T: Float> Default for State<T> {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            values: Vec::new(),
            readers: Vec::new(),
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
    pub fn values<'t, P: Tree<Leaf = Var<'t, T>>>(&'t self, vars: &P) -> P::With<Tensor<T>> {
        self.compute(vars, false);
        vars.map(&mut |var: &Var<'t, T>| self.share(var.index()))
    }

    #[track_caller]
    pub(crate) fn compute<'t, P: Tree<Leaf = Var<'t, T>>>(&'t self, vars: &P, keep: bool) {
        let (mut roots, mut stranger): (SmallVec<[u32; 8]>, _) = (SmallVec::new(), None);
        vars.visit(&mut |var| {
            if !std::ptr::eq(var.tape(), self) {
                stranger = Some(*var);
            }
            roots.push(var.index());
        });
        if let Some(var) = stranger {
            panic!("values: {var:?} lives on another tape");
        }
        self.note(|recording| recording.reads.extend_from_slice(&roots));
        self.compute_roots(&roots, keep);
    }

    /// Computes a value without noting that it was read.
    #[track_caller]
    pub(crate) fn compute_unnoted(&self, index: u32) {
        self.compute_roots(&[index], true);
    }

    #[track_caller]
    fn compute_roots(&self, roots: &[u32], keep: bool) {
        let broken = self.state.borrow_mut().compute(roots, keep);
        if let Some(index) = broken {
            panic!("{}", self.state.borrow().report(index));
        }
    }

    /// A computed value, shared with the user.
    pub(crate) fn share(&self, index: u32) -> Tensor<T> {
        let state = &mut *self.state.borrow_mut();
        let value = &mut state.values[index as usize];
        let buffer = match std::mem::replace(value, Value::Empty) {
            Value::Owned(buffer) => state.pool.share(buffer),
            Value::Shared(buffer) => buffer,
            Value::Empty => unreachable!("values are shared after they are computed"),
        };
        *value = Value::Shared(Arc::clone(&buffer));
        Tensor::from_parts(state.nodes[index as usize].shape.clone(), buffer)
    }

    /// A computed value, borrowed.
    pub(crate) fn borrow_value(&self, index: u32) -> Ref<'_, [T]> {
        Ref::map(self.state.borrow(), |state| state.slice(index))
    }
}

impl<T: Float> State<T> {
    pub(crate) fn push(&mut self, node: Node<T>, value: Value<T>) -> u32 {
        let index = u32::try_from(self.nodes.len()).ok().filter(|&i| i != NONE).expect("a tape holds 2^32 − 1 nodes");
        self.nodes.push(node);
        self.values.push(value);
        index
    }

    pub(crate) fn slice(&self, index: u32) -> &[T] {
        let i = index as usize;
        &self.values[i].buffer()[..self.nodes[i].len]
    }

    pub(crate) fn clear(&mut self) {
        self.pool.collect();
        for (node, value) in self.nodes.iter().zip(&mut self.values) {
            match (&node.kind, std::mem::replace(value, Value::Empty)) {
                (_, Value::Owned(buffer)) => self.pool.give(buffer),
                (Kind::Leaf | Kind::Index, Value::Shared(_)) | (_, Value::Empty) => {}
                (_, Value::Shared(buffer)) => self.pool.give_shared(buffer),
            }
        }
        self.nodes.clear();
        self.values.clear();
    }

    /// Computes the roots and what they need, in index order. Unless `keep`, an intermediate buffer is recycled after
    /// its last reader. Where this is watched, returns the first node whose value broke, and keeps all.
    fn compute(&mut self, roots: &[u32], keep: bool) -> Option<usize> {
        let top = *roots.iter().max()?;
        let (keep, mut broken) = (keep || self.watch, None);
        if std::mem::replace(&mut self.computing, true) {
            // An operation panicked, and somebody went on: what it left behind counts for nothing.
            self.readers.fill(0);
        }
        self.readers.resize(self.nodes.len().max(self.readers.len()), 0);
        let mut pending = 0_usize;
        for &root in roots {
            self.need(root, &mut pending);
        }
        let mut first = top as usize + 1;
        while pending > 0 {
            first -= 1;
            if self.readers[first] > 0 && self.values[first].is_empty() {
                pending -= 1;
                for k in 0..self.nodes[first].args.len() {
                    self.need(self.nodes[first].args[k], &mut pending);
                }
            }
        }
        for index in first..=top as usize {
            if self.readers[index] > 0 && self.values[index].is_empty() {
                self.eval(index);
                if self.watch && broken.is_none() && self.breaks(index) {
                    broken = Some(index);
                }
                for k in 0..self.nodes[index].args.len() {
                    self.release(self.nodes[index].args[k] as usize, keep);
                }
            }
        }
        for &root in roots {
            self.readers[root as usize] = 0;
        }
        self.computing = false;
        broken
    }

    /// Counts a reader of a value that is not there yet.
    fn need(&mut self, index: u32, pending: &mut usize) {
        let i = index as usize;
        if self.values[i].is_empty() {
            *pending += usize::from(self.readers[i] == 0);
            self.readers[i] += 1;
        }
    }

    /// Counts a reader off; values that were there before are not counted and stay.
    fn release(&mut self, index: usize, keep: bool) {
        if self.readers[index] == 0 {
            return;
        }
        self.readers[index] -= 1;
        if self.readers[index] == 0 && !keep {
            match std::mem::replace(&mut self.values[index], Value::Empty) {
                Value::Owned(buffer) => self.pool.give(buffer),
                Value::Shared(_) | Value::Empty => unreachable!("what this pass computed is its own"),
            }
        }
    }

    fn eval(&mut self, index: usize) {
        let node = &self.nodes[index];
        let n = node.len;
        let mut buffer = self.pool.take(n);
        let op = node.kind.op().expect("leaves have their value from the start");
        let y = ViewMut { shape: &node.shape, data: &mut buffer[..n] };
        let view = |k: usize| {
            let a = node.args[k];
            View { shape: &self.nodes[a as usize].shape, data: self.slice(a) }
        };
        eval(op, node.args.len(), view, y);
        self.values[index] = Value::Owned(buffer);
    }
}
