//! The tape: a linear list of nodes in the order they were recorded, which is the order they are computed in.

pub(crate) mod nodes;
pub(crate) mod var;
pub(crate) mod op;
pub(crate) mod tree;
pub(crate) mod within;
pub(crate) mod recording;
pub(crate) mod pool;
pub(crate) mod values;
pub(crate) mod outer;
pub(crate) mod finite;
pub(crate) mod kink;

use crate::float::Float;
use crate::ops::table::{BuiltIn, Kind};
use crate::program::repeated::Memory;
use crate::tape::nodes::{Args, Node, Nodes, Origin, Pass};
use crate::tape::op::{Arity, Op, SliceOp};
use crate::tape::recording::Recording;
use crate::tape::tree::Tree;
use crate::tape::values::{State, Value};
use crate::tape::var::Var;
use crate::tape::within::Within;
use crate::tensor::Tensor;
use crate::tensor::error::{Error, Kind as ErrorKind, Reason};
use crate::tensor::shape::Shape;
use smallvec::SmallVec;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

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
    pub(crate) nodes: Nodes<T>,
    pub(crate) state: RefCell<State<T>>,
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
    /// An error that a rule met.
    pub(crate) fault: Cell<Option<Box<Error>>>,
    /// What a program needs to know of its recording.
    pub(crate) recording: RefCell<Recording>,
    /// What is remembered of the step before the tape was cleared.
    pub(crate) memory: RefCell<Memory<T>>,
}

impl<T: Float> Default for Tape<T> {
    fn default() -> Self {
        Self {
            nodes: Nodes::default(),
            state: RefCell::default(),
            within: Cell::new(None),
            operands: RefCell::default(),
            depth: Cell::new(0),
            scopes: RefCell::default(),
            again: Cell::new(false),
            watch_kinks: Cell::new(false),
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
    pub fn clear(&mut self) {
        // Cleared twice, the tape remembers the step before all the same.
        if !self.is_empty() {
            let repeated = self.nodes.repeated();
            let kept = self.nodes.clear();
            self.memory.get_mut().clear(repeated, kept);
            self.state.get_mut().clear();
        }
        // Somebody may have forgotten an operation that was going on.
        self.within.set(None);
        self.operands.get_mut().clear();
    }

    /// A variable with this value.
    #[track_caller]
    pub fn var(&self, value: &Tensor<T>) -> Var<'_, T> {
        self.given(value, self.origin(Location::caller()))
    }

    /// Variables with these values: a parameter structure placed on the tape.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let params = (Tensor::from([1.0]), [Tensor::from([2.0]), Tensor::from([3.0])]);
    /// let (w, [a, b]) = tape.vars(&params);
    /// assert_eq!((w + a + b).item(), 6.0);
    /// ```
    #[track_caller]
    pub fn vars<'t, P: Tree<Leaf = Tensor<T>> + ?Sized>(&'t self, values: &P) -> P::With<Var<'t, T>> {
        let origin = self.origin(Location::caller());
        values.map(&mut |value: &Tensor<T>| self.given(value, origin))
    }

    /// A scalar variable.
    #[track_caller]
    pub fn scalar(&self, value: T) -> Var<'_, T> {
        self.full(Shape::scalar(), value)
    }

    /// A variable whose elements all have one value.
    #[track_caller]
    pub fn full(&self, shape: impl Into<Shape>, value: T) -> Var<'_, T> {
        let shape = shape.into();
        self.leaf_from_fn("full", &shape, |_| value)
    }

    /// A leaf of an operation, computed into a recycled buffer.
    #[track_caller]
    pub(crate) fn leaf_from_fn(&self, op: &str, shape: &Shape, f: impl FnMut(usize) -> T) -> Var<'_, T> {
        let origin = self.origin(Location::caller());
        match self.leaf_filled(false, shape, f, origin) {
            Ok(leaf) => leaf,
            Err(reason) => self.error(op, reason, &[]).raise(),
        }
    }

    /// Integers as a leaf, in the bits of floats.
    #[track_caller]
    pub(crate) fn index_leaf(&self, op: &str, shape: &Shape, mut f: impl FnMut(usize) -> i64) -> Var<'_, T> {
        let origin = self.origin(Location::caller());
        match self.leaf_filled(true, shape, |i| T::from_index(f(i)), origin) {
            Ok(leaf) => leaf,
            Err(reason) => self.error(op, reason, &[]).raise(),
        }
    }

    fn leaf_filled(
        &self,
        integers: bool,
        shape: &Shape,
        mut f: impl FnMut(usize) -> T,
        origin: Origin,
    ) -> Result<Var<'_, T>, Reason> {
        let len = shape.elements()?;
        let buffer = self.state.borrow_mut().pool.take(len);
        let mut buffer = buffer.map_err(|memory| memory.for_shape(shape))?;
        for (i, x) in buffer[..len].iter_mut().enumerate() {
            *x = f(i);
        }
        let (index, _) = self.leaf(integers, shape, origin);
        let state = &mut *self.state.borrow_mut();
        let place = state.place(index);
        *place = Value::Own(buffer);
        Ok(Var::new(self, index))
    }

    /// A leaf with the value of a tensor.
    fn given(&self, value: &Tensor<T>, origin: Origin) -> Var<'_, T> {
        let (index, repeats) = self.leaf(false, value.shape(), origin);
        if !(repeats && self.give_ahead(index, value.as_slice())) {
            let state = &mut *self.state.borrow_mut();
            let place = state.place(index);
            *place = Value::Given(Arc::clone(value.buffer()));
        }
        Var::new(self, index)
    }

    /// The node of a leaf, whose shape is that of a tensor, and whether it repeats one of the step before.
    #[inline]
    fn leaf(&self, integers: bool, shape: &Shape, origin: Origin) -> (u32, bool) {
        let same = |node: &Node<T>| {
            let same_kind = if integers { matches!(node.kind, Kind::Index) } else { matches!(node.kind, Kind::Leaf) };
            same_kind && node.shape == *shape && node.origin.same(&origin)
        };
        if let Some(index) = self.nodes.repeat(same) {
            return (index, true);
        }
        let kind = if integers { Kind::Index } else { Kind::Leaf };
        let (shape, len) = (shape.clone(), shape.count());
        (self.nodes.push(Node { kind, args: Args::NONE, len, shape, origin }), false)
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
    pub(crate) fn differentiable(&self, index: u32) -> Option<(&dyn SliceOp<T>, &[u32])> {
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

    /// Appends a node; panics at the caller's line where the operation does not fit its operands.
    #[track_caller]
    #[inline]
    pub(crate) fn record<'t, const N: usize, O: Op<T, N>>(
        &'t self,
        op: Arity<N, O>,
        args: [Var<'t, T>; N],
    ) -> Var<'t, T>
    where
        Arity<N, O>: BuiltIn<T>,
    {
        self.record_as(None, op, args)
    }

    /// As [`Tape::record`], for a method that has another name than its operation.
    #[track_caller]
    #[inline]
    pub(crate) fn record_as<'t, const N: usize, O: Op<T, N>>(
        &'t self,
        name: Option<&str>,
        op: Arity<N, O>,
        args: [Var<'t, T>; N],
    ) -> Var<'t, T>
    where
        Arity<N, O>: BuiltIn<T>,
    {
        let origin = self.origin(Location::caller());
        if let Some(var) = self.repeat(&op, args, &origin) {
            return var;
        }
        match self.fit(args, |shapes| op.0.shape(shapes)) {
            Ok(fitted) => self.push(op, args, fitted, origin),
            Err(reason) => self.error(name.unwrap_or(op.0.name()), reason, &args).raise(),
        }
    }

    #[track_caller]
    #[inline]
    pub(crate) fn try_record<'t, const N: usize, O: Op<T, N>>(
        &'t self,
        op: Arity<N, O>,
        args: [Var<'t, T>; N],
    ) -> Result<Var<'t, T>, Error>
    where
        Arity<N, O>: BuiltIn<T>,
    {
        self.try_record_as(None, op, args)
    }

    /// As [`Tape::try_record`], for a method that has another name than its operation.
    #[track_caller]
    #[inline]
    pub(crate) fn try_record_as<'t, const N: usize, O: Op<T, N>>(
        &'t self,
        name: Option<&str>,
        op: Arity<N, O>,
        args: [Var<'t, T>; N],
    ) -> Result<Var<'t, T>, Error>
    where
        Arity<N, O>: BuiltIn<T>,
    {
        let origin = self.origin(Location::caller());
        if let Some(var) = self.repeat(&op, args, &origin) {
            return Ok(var);
        }
        match self.fit(args, |shapes| op.0.shape(shapes)) {
            Ok(fitted) => Ok(self.push(op, args, fitted, origin)),
            Err(reason) => Err(self.error(name.unwrap_or(op.0.name()), reason, &args)),
        }
    }

    #[inline]
    fn push<'t, const N: usize, O: Op<T, N>>(
        &'t self,
        op: Arity<N, O>,
        args: [Var<'t, T>; N],
        (shape, len): (Shape, usize),
        origin: Origin,
    ) -> Var<'t, T>
    where
        Arity<N, O>: BuiltIn<T>,
    {
        let args = Args::from(&args.map(|a| a.index())[..]);
        let node = Node { kind: op.into(), args, len, shape, origin };
        Var::new(self, self.nodes.push(node))
    }

    /// The node that the step before recorded in this place, if it is the same operation on the same operands. Their shapes
    /// are then the same too.
    #[inline]
    fn repeat<'t, const N: usize>(
        &'t self,
        op: &impl BuiltIn<T>,
        args: [Var<'t, T>; N],
        origin: &Origin,
    ) -> Option<Var<'t, T>> {
        if !args.iter().all(|a| std::ptr::eq(a.tape(), self)) {
            return None;
        }
        let same = |node: &Node<T>| {
            op.is_kind(&node.kind) && node.origin.same(origin) && node.args.iter().eq(args.iter().map(Var::index_ref))
        };
        self.nodes.repeat(same).map(|index| Var::new(self, index))
    }

    /// The shape that an operation gives these operands, and its number of elements, if there are such tensors.
    #[inline]
    fn fit<const N: usize>(
        &self,
        args: [Var<'_, T>; N],
        shape: impl FnOnce([&Shape; N]) -> Result<Shape, Reason>,
    ) -> Result<(Shape, usize), Reason> {
        if args.iter().all(|a| std::ptr::eq(a.tape(), self)) {
            let shape = shape(args.map(|a| &self.nodes[a.index()].shape))?;
            let len = shape.elements()?;
            Ok((shape, len))
        } else {
            Err(Reason::new(ErrorKind::Tape, "the operands live on different tapes"))
        }
    }

    /// As [`Tape::record`], for operations of any number of operands.
    #[track_caller]
    pub(crate) fn record_slice<'t>(&'t self, kind: Kind<T>, args: &[Var<'t, T>]) -> Var<'t, T> {
        Error::or_raise(self.try_record_slice(kind, args))
    }

    #[track_caller]
    pub(crate) fn try_record_slice<'t>(&'t self, kind: Kind<T>, args: &[Var<'t, T>]) -> Result<Var<'t, T>, Error> {
        let fitted = if args.iter().all(|a| std::ptr::eq(a.tape(), self)) {
            let shapes: SmallVec<[&Shape; 4]> = args.iter().map(|a| &self.nodes[a.index()].shape).collect();
            let shape = kind.op().expect("leaves are not recorded as operations").shape(&shapes);
            shape.and_then(|shape| Ok((shape.elements()?, shape)))
        } else {
            Err(Reason::new(ErrorKind::Tape, "the operands live on different tapes"))
        };
        match fitted {
            Ok((len, shape)) => {
                let indices: SmallVec<[u32; 4]> = args.iter().map(Var::index).collect();
                let origin = self.origin(Location::caller());
                let same =
                    |node: &Node<T>| node.kind.same(&kind) && node.origin.same(&origin) && node.args[..] == indices[..];
                let index = self.nodes.repeat(same).unwrap_or_else(|| {
                    let args = Args::from(&indices[..]);
                    self.nodes.push(Node { kind, args, shape, len, origin })
                });
                Ok(Var::new(self, index))
            }
            Err(reason) => Err(self.error(kind.name(), reason, args)),
        }
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
                Pass::Primal => {}
                Pass::Reverse => write!(f, " in reverse over #{}", node.origin.rule_of)?,
                Pass::Forward => write!(f, " in forward over #{}", node.origin.rule_of)?,
            }
            writeln!(f, " at {}", node.origin.location)?;
        }
        Ok(())
    }
}
