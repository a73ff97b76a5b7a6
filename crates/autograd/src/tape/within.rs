//! For whom a tape records: the line of the user's that calls it, the rule of a node, or a public function that is made
//! of several operations and stands for them with its name, its operands and its caller's line.

use crate::float::Float;
use crate::tape::nodes::{Mode, NONE, Origin};
use crate::tape::recording::Reader;
use crate::tape::var::Var;
use crate::tape::{Operands, Restore, Tape};
use crate::tensor::error::{Error, Kind, Reason};
use smallvec::SmallVec;
use std::panic::Location;

/// For whom the tape records, where that is not the line that calls it.
#[derive(Clone, Copy)]
pub(crate) struct Within {
    /// The user's line that it stands for.
    location: &'static Location<'static>,
    pass: Mode,
    /// The node whose rule records.
    rule_of: u32,
    /// How many nodes there were before the rule.
    floor: u32,
    call: Option<Call>,
}

/// The function that errors name, and where its operands begin in the list of the tape.
#[derive(Clone, Copy)]
struct Call {
    name: &'static str,
    operands: usize,
}

/// While this lives, what is recorded belongs to one operation; see [`Tape::composite`].
#[must_use = "what is recorded belongs to the operation only while this lives"]
pub struct Composite<'t, T: Float = f64> {
    tape: &'t Tape<T>,
    /// What was before, and the operands of that; absent where another operation goes on.
    before: Option<(Option<Within>, usize)>,
}

impl<T: Float> Drop for Composite<'_, T> {
    fn drop(&mut self) {
        if let Some((within, operands)) = self.before {
            self.tape.within.set(within);
            self.tape.operands.borrow_mut().truncate(operands);
        }
    }
}

impl<T: Float> std::fmt::Debug for Composite<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let call = self.tape.within.get().and_then(|within| within.call);
        write!(f, "Composite {}", call.map_or("", |call| call.name))
    }
}

impl<T: Float> Tape<T> {
    /// From here until the result is dropped, all that is recorded is one operation of this name: errors name it and the
    /// shapes of its operands, and each node stands for the caller's line. Where one operation of several calls another,
    /// the outer one counts. An absent operand is `None`.
    ///
    /// ```
    /// use autograd::{Tape, Tensor, Var};
    ///
    /// /// `softmax(q kᵀ) v`
    /// #[track_caller]
    /// fn attention<'t>(q: Var<'t>, k: Var<'t>, v: Var<'t>) -> Var<'t> {
    ///     let _whole = q.tape().composite("attention", [q, k, v]);
    ///     q.matmul(k.t()).softmax(-1).matmul(v)
    /// }
    ///
    /// let tape = Tape::new();
    /// let [q, k, v] = tape.vars(&[Tensor::zeros([2, 3]), Tensor::zeros([5, 3]), Tensor::zeros([5, 4])]);
    /// let y = attention(q, k, v);
    /// assert_eq!((y.shape()[..].to_vec(), y.location().line()), (vec![2, 4], line!() - 1));
    /// ```
    ///
    /// # Panics
    /// Where an operand lives on another tape.
    #[track_caller]
    pub fn composite<'t, V: Into<Option<Var<'t, T>>>>(
        &'t self,
        name: &'static str,
        operands: impl IntoIterator<Item = V>,
    ) -> Composite<'t, T> {
        Error::or_raise(self.try_composite(name, operands))
    }

    #[track_caller]
    pub(crate) fn try_composite<'t, V: Into<Option<Var<'t, T>>>>(
        &'t self,
        name: &'static str,
        operands: impl IntoIterator<Item = V>,
    ) -> Result<Composite<'t, T>, Error> {
        self.composite_at(Location::caller(), name, operands)
    }

    /// As [`Tape::composite`], for a line that is not the caller's.
    pub(crate) fn composite_at<'t, V: Into<Option<Var<'t, T>>>>(
        &'t self,
        location: &'static Location<'static>,
        name: &'static str,
        operands: impl IntoIterator<Item = V>,
    ) -> Result<Composite<'t, T>, Error> {
        let before = self.within.get();
        if before.is_some_and(|within| within.call.is_some()) {
            return Ok(Composite { tape: self, before: None });
        }
        let mut given: Operands<'t, T> = SmallVec::new();
        for operand in operands {
            given.extend_from_slice(operand.into().as_slice());
        }
        self.composite_of(location, name, &given, before)
    }

    /// As [`Tape::composite_at`], of the operands that there are.
    #[inline(never)]
    pub(crate) fn composite_of<'t>(
        &'t self,
        location: &'static Location<'static>,
        name: &'static str,
        given: &[Var<'t, T>],
        before: Option<Within>,
    ) -> Result<Composite<'t, T>, Error> {
        let within = before.unwrap_or(Within { location, pass: Mode::Primal, rule_of: NONE, floor: 0, call: None });
        if !given.iter().all(|operand| std::ptr::eq(operand.tape(), self)) {
            let reason = Reason::new(Kind::Tape, "the operands live on different tapes");
            return Err(Error::new(name, reason, given.iter().map(Var::shape).collect(), within.location));
        }
        let mut operands = self.operands.borrow_mut();
        let start = operands.len();
        operands.extend(given.iter().map(Var::index));
        self.within.set(Some(Within { call: Some(Call { name, operands: start }), ..within }));
        Ok(Composite { tape: self, before: Some((before, start)) })
    }

    /// Until the result is dropped, what is recorded comes from the rule of node `index`, at the user's line that made that
    /// node.
    pub(crate) fn within_rule_of(&self, index: u32, pass: Mode) -> Restore<'_, Option<Within>> {
        let (location, floor) = (self.nodes[index].origin.location, self.len() as u32);
        Restore::set(&self.within, Some(Within { location, pass, rule_of: index, floor, call: None }))
    }

    /// Until the result is dropped, what is recorded stands for this line of the user's.
    pub(crate) fn at_line(&self, location: &'static Location<'static>) -> Restore<'_, Option<Within>> {
        let within = self.within.get();
        let within = within.unwrap_or(Within { location, pass: Mode::Primal, rule_of: NONE, floor: 0, call: None });
        Restore::set(&self.within, Some(Within { location, ..within }))
    }

    /// The first node that a sweep may go through: within a rule, the first that the rule recorded. All before is
    /// independent there, so that derivatives by a rule's operands, and by its result, are partial ones.
    pub(crate) fn floor(&self) -> u32 {
        self.within.get().map_or(0, |within| within.floor)
    }

    /// Whether no rule records now, and nothing that is set apart.
    pub(crate) fn is_plain(&self) -> bool {
        let rule = self.within.get().is_some_and(|within| within.rule_of != NONE);
        !rule && self.depth.get() == 0 && !self.again.get()
    }

    /// Who asks for a node that is recorded now, where the caller's line is this.
    #[inline]
    pub(crate) fn origin(&self, location: &'static Location<'static>) -> Origin {
        let (depth, again) = (self.depth.get(), self.again.get());
        match self.within.get() {
            None => Origin::new(location, Mode::Primal, NONE, depth, again),
            Some(Within { location, pass, rule_of, .. }) => Origin::new(location, pass, rule_of, depth, again),
        }
    }

    /// The operation that an index is read by, for an error of a program: this, at the caller's line, or what it is a part
    /// of.
    pub(crate) fn reader(&self, op: &'static str, axis: Option<usize>, caller: &'static Location<'static>) -> Reader {
        let call = self.within.get().and_then(|within| within.call);
        Reader { op: call.map_or(op, |call| call.name), axis, location: self.origin(caller).location }
    }

    /// An error of an operation on these operands, at the caller's line; or of the operation that it is a part of, or at
    /// the line whose rule is recording.
    #[track_caller]
    #[cold]
    pub(crate) fn error(&self, op: &str, reason: Reason, args: &[Var<'_, T>]) -> Error {
        self.error_at(self.origin(Location::caller()).location, op, reason, args)
    }

    /// As [`Tape::error`], at a line that [`Tape::origin`] gave.
    #[cold]
    #[inline(never)]
    pub(crate) fn error_at(
        &self,
        location: &'static Location<'static>,
        op: &str,
        reason: Reason,
        args: &[Var<'_, T>],
    ) -> Error {
        let Some(Call { name, operands }) = self.within.get().and_then(|within| within.call) else {
            return Error::new(op, reason, args.iter().map(Var::shape).collect(), location);
        };
        let shapes = self.operands.borrow().iter().skip(operands).map(|&i| self.nodes[i].shape.clone()).collect();
        Error::new(name, reason, shapes, location)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Tape, Tensor};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn the_outermost_of_nested_operations_counts_and_ends_with_its_scope() {
        let tape = Tape::new();
        let a = tape.var(&Tensor::<f64>::zeros([2, 3]));
        let line = {
            let _outer = tape.composite("outer", [a]);
            let line = line!() - 1;
            let _inner = tape.composite("inner", [a, a]);
            let error = a.t().try_add(a).unwrap_err();
            assert_eq!((error.op(), error.shapes().len(), error.location().line()), ("outer", 1, line));
            assert_eq!(a.exp().location().line(), line);
            line
        };
        let error = a.try_matmul(a).unwrap_err();
        assert_eq!((error.op(), error.location().line()), ("matmul", line!() - 1));
        assert!(a.exp().location().line() > line && tape.operands.borrow().is_empty());
    }

    #[test]
    fn an_operation_that_panics_ends_too() {
        let tape = Tape::new();
        let a = tape.var(&Tensor::<f64>::zeros([2, 3]));
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _whole = tape.composite("whole", [a]);
            a.matmul(a)
        }));
        let error = a.try_add(a.t()).unwrap_err();
        assert_eq!((panicked.is_err(), error.op()), (true, "add"));
    }
}
