//! Recording: leaves, which have their values from the start, and operations on what is there.

use crate::float::{Engine, Float};
use crate::ops::table::{BuiltIn, Kind};
use crate::tape::Tape;
use crate::tape::nodes::{Args, Node, Origin};
use crate::tape::op::{Arity, Op};
use crate::tape::tree::Tree;
use crate::tape::values::Value;
use crate::tape::var::Var;
use crate::tensor::Tensor;
use crate::tensor::error::{Error, Kind as ErrorKind, Reason};
use crate::tensor::shape::Shape;
use smallvec::SmallVec;
use std::mem::discriminant;
use std::panic::Location;
use std::sync::Arc;

impl<T: Float> Tape<T> {
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
    pub(crate) fn leaf_from_fn(&self, op: &str, shape: &Shape, mut f: impl FnMut(usize) -> T) -> Var<'_, T> {
        self.leaf_filled(op, Kind::Leaf, shape, |all| all.iter_mut().enumerate().for_each(|(i, x)| *x = f(i)))
    }

    /// The same of matrices, by the row and the column of an element.
    #[track_caller]
    pub(crate) fn leaf_of_matrices(&self, op: &str, shape: &Shape, f: impl Fn(isize, isize) -> T) -> Var<'_, T> {
        let [rows, columns] = [2, 1].map(|from_end| shape[shape.rank() - from_end].max(1));
        self.leaf_filled(op, Kind::Leaf, shape, |all| {
            for (i, row) in all.chunks_exact_mut(columns).enumerate() {
                let i = (i % rows) as isize;
                (0..).zip(row).for_each(|(j, x)| *x = f(i, j));
            }
        })
    }

    /// Integers as a leaf, in the bits of floats.
    #[track_caller]
    pub(crate) fn index_leaf(&self, op: &str, shape: &Shape, mut f: impl FnMut(usize) -> i64) -> Var<'_, T> {
        let fill = |all: &mut [T]| all.iter_mut().enumerate().for_each(|(i, x)| *x = T::from_index(f(i)));
        self.leaf_filled(op, Kind::Index, shape, fill)
    }

    #[track_caller]
    pub(crate) fn leaf_filled(
        &self,
        op: &str,
        kind: Kind<T>,
        shape: &Shape,
        fill: impl FnOnce(&mut [T]),
    ) -> Var<'_, T> {
        let origin = self.origin(Location::caller());
        match self.buffer_for(shape) {
            Ok((len, mut buffer)) => {
                fill(&mut buffer[..len]);
                self.leaf_of(kind, shape, buffer, origin)
            }
            Err(reason) => self.error(op, reason, &[]).raise(),
        }
    }

    /// The elements of a shape, and a recycled buffer for as many.
    #[inline(never)]
    pub(crate) fn buffer_for(&self, shape: &Shape) -> Result<(usize, Vec<T>), Reason> {
        let len = shape.elements()?;
        let buffer = self.state.borrow_mut().pool.take(len);
        Ok((len, buffer.map_err(|memory| memory.for_shape(shape))?))
    }

    /// A leaf that owns its value.
    #[inline(never)]
    pub(crate) fn leaf_of(&self, kind: Kind<T>, shape: &Shape, buffer: Vec<T>, origin: Origin) -> Var<'_, T> {
        let (index, _) = self.leaf(kind, shape, origin);
        let state = &mut *self.state.borrow_mut();
        let place = state.place(index);
        *place = Value::Own(buffer);
        Var::new(self, index)
    }

    /// A leaf with the value of a tensor.
    #[inline(never)]
    pub(crate) fn given(&self, value: &Tensor<T>, origin: Origin) -> Var<'_, T> {
        let (index, repeats) = self.leaf(Kind::Leaf, value.shape(), origin);
        if !(repeats && T::take_leaf(self, index, value.as_slice())) {
            let state = &mut *self.state.borrow_mut();
            let place = state.place(index);
            *place = Value::Given(Arc::clone(value.buffer()));
        }
        Var::new(self, index)
    }

    /// The node of what has no operands, a leaf or a place, and whether it repeats one of the step before.
    #[inline]
    fn leaf(&self, kind: Kind<T>, shape: &Shape, origin: Origin) -> (u32, bool) {
        let same = |node: &Node<T>| {
            discriminant(&node.kind) == discriminant(&kind) && node.shape == *shape && node.origin.same(&origin)
        };
        if let Some(index) = self.nodes.repeat(same) {
            return (index, true);
        }
        let (shape, len) = (shape.clone(), shape.count());
        (self.nodes.push(Node { kind, args: Args::NONE, len, shape, origin }), false)
    }

    /// A place of a loop's body, asked for by a line; it has no value.
    pub(crate) fn slot_at(&self, shape: &Shape, location: &'static Location<'static>) -> Var<'_, T> {
        Var::new(self, self.leaf(Kind::Slot, shape, self.origin(location)).0)
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
        Error::or_raise(self.record_any(None, op, &args))
    }

    /// As [`Tape::record`], for a method that has another name than its operation.
    #[track_caller]
    #[inline]
    pub(crate) fn record_as<'t, const N: usize, O: Op<T, N>>(
        &'t self,
        name: &str,
        op: Arity<N, O>,
        args: [Var<'t, T>; N],
    ) -> Var<'t, T>
    where
        Arity<N, O>: BuiltIn<T>,
    {
        Error::or_raise(self.record_any(Some(name), op, &args))
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
        self.record_any(None, op, &args)
    }

    /// As [`Tape::try_record`], for a method that has another name than its operation.
    #[track_caller]
    #[inline]
    pub(crate) fn try_record_as<'t, const N: usize, O: Op<T, N>>(
        &'t self,
        name: &str,
        op: Arity<N, O>,
        args: [Var<'t, T>; N],
    ) -> Result<Var<'t, T>, Error>
    where
        Arity<N, O>: BuiltIn<T>,
    {
        self.record_any(Some(name), op, &args)
    }

    /// As [`Tape::record`], for an operation of as many operands as there are.
    #[track_caller]
    pub(crate) fn record_slice<'t>(&'t self, kind: Kind<T>, args: &[Var<'t, T>]) -> Var<'t, T> {
        Error::or_raise(self.record_any(None, kind, args))
    }

    #[track_caller]
    pub(crate) fn try_record_slice<'t>(&'t self, kind: Kind<T>, args: &[Var<'t, T>]) -> Result<Var<'t, T>, Error> {
        self.record_any(None, kind, args)
    }

    /// The node of an operation on operands: the one that a known structure has in this place, if it is the same operation on
    /// the same operands, whose shapes are then the same too; or a new one.
    #[track_caller]
    #[inline]
    fn record_any<'t, O: BuiltIn<T>, A: AsRef<[Var<'t, T>]> + ?Sized>(
        &'t self,
        name: Option<&str>,
        op: O,
        args: &A,
    ) -> Result<Var<'t, T>, Error> {
        // Of an array, whose length is known.
        let args = args.as_ref();
        let origin = self.origin(Location::caller());
        let ours = args.iter().all(|a| std::ptr::eq(a.tape(), self));
        let same = |node: &Node<T>| {
            op.is_kind(&node.kind) && node.origin.same(&origin) && node.args.iter().eq(args.iter().map(Var::index_ref))
        };
        if ours && let Some(index) = self.nodes.repeat(same) {
            return Ok(Var::new(self, index));
        }
        <T as Engine>::append(self, name, op.into(), args, origin)
    }

    /// A new node of an operation on operands, asked for by a line; compiled in [`Engine`](crate::float::Engine).
    pub(crate) fn append<'t>(
        &'t self,
        name: Option<&str>,
        kind: Kind<T>,
        args: &[Var<'t, T>],
        origin: Origin,
    ) -> Result<Var<'t, T>, Error> {
        let shape = if args.iter().all(|a| std::ptr::eq(a.tape(), self)) {
            let shapes: SmallVec<[&Shape; 4]> = args.iter().map(|a| &self.nodes[a.index()].shape).collect();
            kind.op().expect("leaves are not recorded as operations").shape(&shapes)
        } else {
            Err(Reason::new(ErrorKind::Tape, "the operands live on different tapes"))
        };
        match shape.and_then(|shape| Ok((shape.elements()?, shape))) {
            Ok((len, shape)) => {
                let indices: SmallVec<[u32; 4]> = args.iter().map(Var::index).collect();
                let node = Node { kind, args: Args::from(&indices[..]), len, shape, origin };
                Ok(Var::new(self, self.nodes.push(node)))
            }
            Err(reason) => Err(self.error_at(origin.location, name.unwrap_or(kind.name()), reason, args)),
        }
    }
}
