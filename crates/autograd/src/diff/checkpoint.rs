//! Recomputing instead of keeping.

use crate::diff::reverse::reverse;
use crate::float::Float;
use crate::kernels::map::copy;
use crate::ops::table::Kind;
use crate::tape::nodes::Node;
use crate::tape::op::{DynOp, Named, View, ViewMut};
use crate::tape::var::Var;
use crate::tape::{Restore, Tape};
use crate::tensor::error::Reason;
use crate::tensor::shape::Shape;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// The result of a part of the tape, with a rule that records that part anew, so that a reverse sweep reads recomputed
/// values and the first ones need not be kept for it. The operands are the result and what the part reads from before.
#[derive(Debug)]
struct Checkpoint {
    /// The nodes of the part.
    start: u32,
    end: u32,
    /// The cotangents of all operands that one sweep over the recomputed part gave: the rule is asked for one operand at a
    /// time.
    swept: Mutex<Option<Swept>>,
}

/// What a sweep over the recomputed part gave.
#[derive(Debug)]
struct Swept {
    /// The cotangent of the result, and where the rule began to record: what is the same rule at work has both.
    of: (u32, u32),
    cotangents: Vec<Option<u32>>,
}

/// A shared [`Checkpoint`], as a row of the table of operations.
#[derive(Clone, Debug)]
pub(crate) struct Recompute(Arc<Checkpoint>);

impl Recompute {
    /// The nodes of the part.
    pub(crate) fn part(&self) -> Range<u32> {
        self.0.start..self.0.end
    }
}

impl PartialEq for Recompute {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Named for Recompute {
    const NAMES: &'static [&'static str] = &["checkpoint"];
}

impl<T: Float> DynOp<T> for Recompute {
    fn name(&self) -> &'static str {
        "checkpoint"
    }
    fn shape(&self, args: &[&Shape]) -> Result<Shape, Reason> {
        Ok(args[0].clone())
    }
    fn eval(&self, args: &[View<'_, T>], y: ViewMut<'_, T>) {
        copy(args[0].data, y.data);
    }
    fn vjp<'t>(&self, arg: usize, args: &[Var<'t, T>], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        if arg == 0 {
            return None;
        }
        let (tape, mut swept) = (y.tape(), self.0.swept.lock().unwrap_or_else(PoisonError::into_inner));
        let of = (dy.index(), tape.floor());
        if swept.as_ref().is_none_or(|swept| swept.of != of) {
            let again = self.0.record_again(y, args[0].index());
            let inputs: Vec<u32> = args[1..].iter().map(Var::index).collect();
            // Below the part the outer sweep goes on, so this one takes the operands for independent of each other, as
            // each sweep within a rule does.
            match reverse(tape, &[(again, dy)], &inputs) {
                Ok(found) => {
                    let cotangents = found.into_iter().map(|g| g.map(|g| g.index())).collect();
                    *swept = Some(Swept { of, cotangents });
                }
                Err(error) => {
                    tape.set_fault(error);
                    return None;
                }
            }
        }
        swept.as_ref()?.cotangents[arg - 1].map(|index| Var::new(tape, index))
    }
    fn jvp<'t>(&self, _: &[Var<'t, T>], _: Var<'t, T>, tangents: &[Option<Var<'t, T>>]) -> Option<Var<'t, T>> {
        tangents[0]
    }
}

impl Checkpoint {
    /// Records the part whose checkpoint is `y` anew, up to one of its nodes. What `no_grad` recorded within the part stays
    /// a constant, as much deeper than what is recorded now as it was deeper than the checkpoint; a checkpoint within the part
    /// is recorded anew with it.
    fn record_again<'t, T: Float>(&self, y: Var<'t, T>, result: u32) -> Var<'t, T> {
        let tape = y.tape();
        let _again = Restore::set(&tape.again, true);
        let (now, then) = (tape.depth.get(), tape.nodes[y.index()].origin.depth());
        let mut copies: Vec<u32> = (self.start..self.end).collect();
        for index in self.start..=result.min(self.end - 1) {
            let Node { kind, args, origin, .. } = &tape.nodes[index];
            // What is inside is the part's own; what is outside, or a leaf, is shared with it.
            let copy = |&a: &u32| a.checked_sub(self.start).and_then(|i| copies.get(i as usize)).map_or(a, |&c| c);
            let args: Vec<Var<'t, T>> = args.iter().map(|a| Var::new(tape, copy(a))).collect();
            let _depth = Restore::set(&tape.depth, now + (origin.depth() - then));
            copies[(index - self.start) as usize] = if kind.op().is_none() {
                index
            } else if matches!(kind, Kind::Checkpoint(_)) {
                args[0].index()
            } else {
                tape.record_slice(kind.clone(), &args).index()
            };
        }
        Var::new(tape, copies[(result - self.start) as usize])
    }
}

impl<T: Float> Tape<T> {
    /// Records a part whose intermediate values a reverse sweep computes anew instead of keeping: less memory for one
    /// more computation. Values and derivatives are those of the part itself.
    ///
    /// Intermediate results of the part are its own: what is computed of the part's result does not depend on them, so a derivative by one
    /// of them is 0. Ask for what goes into the part.
    ///
    /// It pays where everything is computed together by [`Tape::values`], which recycles each buffer after its last
    /// reader.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0]));
    /// let y = tape.checkpoint(|| x.sin().exp().tanh());
    /// assert_eq!(grad(y.sum(), &x).value(), grad(x.sin().exp().tanh().sum(), &x).value());
    /// ```
    #[track_caller]
    pub fn checkpoint<'t>(&'t self, part: impl FnOnce() -> Var<'t, T>) -> Var<'t, T> {
        let start = self.len() as u32;
        let y = part();
        let end = self.len() as u32;
        let is_leaf = |index: u32| self.nodes[index].kind.op().is_none();
        if std::ptr::eq(y.tape(), self) && (y.index() < start || is_leaf(y.index())) {
            return y; // Nothing was recorded for it, so there is nothing to record again.
        }
        // Leaves inside the part are not recorded anew, so they are operands too.
        // The places of a loop's body are the loop's own.
        let outside = |a: &u32| (*a < start || is_leaf(*a)) && !matches!(self.nodes[*a].kind, Kind::Slot);
        let mut operands: Vec<u32> = (start..end).flat_map(|i| &*self.nodes[i].args).copied().filter(outside).collect();
        operands.sort_unstable();
        operands.dedup();
        let args: Vec<Var<'t, T>> = std::iter::once(y).chain(operands.into_iter().map(|a| Var::new(self, a))).collect();
        let part = Checkpoint { start, end, swept: Mutex::new(None) };
        self.record_slice(Recompute(Arc::new(part)).into(), &args)
    }
}
