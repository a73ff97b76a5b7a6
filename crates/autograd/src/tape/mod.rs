//! The tape: a linear list of nodes in the order they were recorded, which is the order they are computed in.

pub(crate) mod nodes;
pub(crate) mod list;
mod grown;
pub(crate) mod record;
pub(crate) mod var;
pub(crate) mod index;
pub(crate) mod attribute;
pub(crate) mod op;
pub(crate) mod tree;
pub(crate) mod within;
pub(crate) mod recording;
pub(crate) mod pool;
pub(crate) mod values;
mod bodies;
pub(crate) mod outer;
pub(crate) mod finite;
pub(crate) mod recorded;
pub(crate) mod kink;

use crate::float::Float;
use crate::tape::list::Nodes;
use crate::tape::nodes::{Mode, Node};
use crate::tape::op::DynOp;
use crate::tape::recording::Recording;
use crate::tape::values::State;
use crate::tape::var::Var;
use crate::tape::within::Within;
use crate::tensor::apart::Apart;
use crate::tensor::error::Error;
use smallvec::SmallVec;
use std::cell::{Cell, RefCell};
use std::fmt;

/// The operands of a node as variables.
pub(crate) type Operands<'t, T> = SmallVec<[Var<'t, T>; 4]>;

/// A list of recorded operations, and the values computed so far.
///
/// Recording costs no arithmetic: values are computed when they are asked for, each once. A tape is a plain value;
/// [`Tape::clear`] empties it and keeps its memory for the next step. It belongs to one thread: make one in each, and
/// send tensors (`RefCell … cannot be shared between threads` means that a variable went along).
///
/// ```
/// use autograd::{grad, Tape, Tensor};
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
/// let loss = (x * x).sum();
/// let [dx] = grad(loss, &[x]);
/// assert_eq!(loss.item(), 14.0);
/// assert_eq!(dx.value().as_slice(), [2.0, 4.0, 6.0]);
/// ```
pub struct Tape<T: Float = f64> {
    pub(crate) nodes: Apart<Nodes<T>>,
    pub(crate) state: RefCell<Apart<State<T>>>,
    /// For whom it records, where that is not the line that calls it.
    pub(crate) within: Cell<Option<Within>>,
    /// The operands of the operations within which it records.
    pub(crate) operands: RefCell<Vec<u32>>,
    /// How many calls of `no_grad` have begun and not returned.
    pub(crate) depth: Cell<u32>,
    /// How many nodes there were when each of them began, and perhaps later ones that have returned.
    scopes: RefCell<Vec<u32>>,
    /// Set while a checkpoint records its part anew.
    pub(crate) again: Cell<bool>,
    /// Whether computing looks for second derivatives through a kink.
    pub(crate) watch_kinks: Cell<bool>,
    /// Whether loops are recorded step by step.
    pub(crate) written_out: Cell<bool>,
    /// The bodies of loops, whose values mean nothing outside.
    pub(crate) bodies: RefCell<bodies::Bodies>,
    /// An error that a rule met.
    pub(crate) fault: Cell<Option<Box<Error>>>,
    /// What a program needs to know of its recording.
    pub(crate) recording: RefCell<Apart<Recording>>,
    /// What the layer above remembers of steps before the tape was cleared.
    pub(crate) memory: RefCell<Apart<T::Memory>>,
}

impl<T: Float> Default for Tape<T> {
    #[inline(never)]
    fn default() -> Self {
        Self {
            nodes: Apart::default(),
            state: RefCell::default(),
            within: Cell::new(None),
            operands: RefCell::default(),
            depth: Cell::new(0),
            scopes: RefCell::default(),
            again: Cell::new(false),
            watch_kinks: Cell::new(false),
            written_out: Cell::new(false),
            bodies: RefCell::default(),
            fault: Cell::new(None),
            recording: RefCell::default(),
            memory: RefCell::default(),
        }
    }
}

impl Tape {
    /// An empty tape that computes in `f64`. One that computes in `f32` is `Tape::<f32>::default()`.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<T: Float> Tape<T> {
    /// The number of recorded nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all values and keeps the memory, and what it takes to recognise the next step as the same. Variables borrow
    /// the tape, so none can outlive this.
    ///
    /// ```compile_fail
    /// use autograd::{Tape, Tensor};
    /// let mut tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(1.0));
    /// tape.clear();
    /// x.item(); // the variable is gone
    /// ```
    #[inline(never)]
    pub fn clear(&mut self) {
        // Cleared twice, the tape remembers the step before all the same.
        if !self.is_empty() {
            let forgot = self.nodes.clear();
            T::cleared(self, forgot);
            self.state.get_mut().clear();
        }
        // Somebody may have forgotten an operation that was going on.
        self.within.set(None);
        self.operands.get_mut().clear();
        self.bodies.get_mut().clear();
    }

    /// Gives memory back: buffers that are free, the structures of steps that are remembered, and the programs made of them. What is
    /// recorded stays, and later steps take memory anew. Where nothing is recorded the structures go, too.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let mut tape = Tape::new();
    /// tape.var(&Tensor::zeros([1000, 1000])).exp().sum().item();
    /// tape.clear();
    /// tape.shrink(); // the eight megabytes of the exponentials are free
    /// ```
    #[inline(never)]
    pub fn shrink(&mut self) {
        if self.is_empty() {
            self.nodes.forget();
            T::cleared(self, true);
        }
        self.state.get_mut().shrink();
    }

    /// How many times values were computed by a program, since the step repeated one that was recorded before the tape was
    /// cleared. A program is made when the same values are asked for the third time; where this does not grow, steps differ, or
    /// are so large that a program would not help.
    ///
    /// ```
    /// use autograd::{Tape, Tensor, grad};
    /// let mut tape = Tape::new();
    /// for _ in 0..10 {
    ///     tape.clear();
    ///     let x = tape.var(&Tensor::from([3.0]));
    ///     let y = (x * x).sum();
    ///     let (y, dx) = tape.values(&(y, grad(y, &x)));
    ///     assert_eq!((y.item(), dx.item()), (9.0, 6.0));
    /// }
    /// assert_eq!(tape.replays(), 8);
    /// ```
    pub fn replays(&self) -> u64 {
        T::replays(self)
    }

    /// Whether a node is a constant for derivatives that are taken now: it was recorded within a call of `no_grad` that has
    /// returned. To a call that has not returned belongs what is as deep as it and came after it began.
    #[inline]
    pub(crate) fn is_constant(&self, index: u32) -> bool {
        let depth = self.nodes[index].origin.depth();
        depth > 0 && (depth > self.depth.get() || index < self.scopes.borrow()[depth as usize - 1])
    }

    /// The operation of a node and the indices of its operands, or `None` for what derivatives do not go through: a leaf, or
    /// a constant.
    #[inline]
    pub(crate) fn differentiable(&self, index: u32) -> Option<(&dyn DynOp<T>, &[u32])> {
        let Node { kind, args, .. } = &self.nodes[index];
        Some((kind.op().filter(|_| !self.is_constant(index))?, args))
    }

    /// Records what `f` records as constants for all derivatives that are taken after it has returned. Those that `f` itself
    /// takes go through what it recorded before, so they are right; what comes out of it is a constant, too.
    ///
    /// ```
    /// use autograd::{grad, hessian, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(3.0));
    /// let y = x * tape.no_grad(|| x * x);
    /// assert_eq!((y.item(), grad(y, &x).item()), (27.0, 9.0));
    /// let curvature = tape.no_grad(|| hessian(x * x * x, x));
    /// assert_eq!((curvature.item(), grad(curvature, &x).item()), (18.0, 0.0));
    /// ```
    pub fn no_grad<R>(&self, f: impl FnOnce() -> R) -> R {
        let depth = self.depth.get();
        {
            let mut scopes = self.scopes.borrow_mut();
            scopes.truncate(depth as usize);
            scopes.push(self.len() as u32);
        }
        let _within = Restore::set(&self.depth, depth + 1);
        f()
    }
}

/// Sets a cell and puts back what was there when it goes out of scope, also where a panic passes.
pub(crate) struct Restore<'a, C: Copy> {
    cell: &'a Cell<C>,
    before: C,
}

impl<'a, C: Copy> Restore<'a, C> {
    pub(crate) fn set(cell: &'a Cell<C>, value: C) -> Self {
        Self { cell, before: cell.replace(value) }
    }
}

impl<C: Copy> Drop for Restore<'_, C> {
    fn drop(&mut self) {
        self.cell.set(self.before);
    }
}

impl<T: Float> fmt::Debug for Tape<T> {
    /// One line per node: index, operation, operands, shape, and the user's line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Tape of {} nodes", self.len())?;
        for (i, node) in self.nodes.iter().enumerate() {
            let args: Vec<_> = node.args.iter().map(|a| format!("#{a}")).collect();
            write!(f, "#{i} {}({}) {}", node.kind.name(), args.join(", "), node.shape)?;
            match node.origin.pass() {
                Mode::Primal => {}
                Mode::Reverse => write!(f, " in reverse over #{}", node.origin.rule_of)?,
                Mode::Forward => write!(f, " in forward over #{}", node.origin.rule_of)?,
            }
            writeln!(f, " at {}", node.origin.location)?;
        }
        Ok(())
    }
}
