//! Recomputing instead of keeping.

use crate::error::Reason;
use crate::float::Float;
use crate::op::{Kind, SliceOp, View, ViewMut};
use crate::reverse::reverse;
use crate::shape::Shape;
use crate::tape::Tape;
use crate::var::Var;
use std::sync::{Arc, Mutex, PoisonError};

/// The result of a part of the tape, with a rule that records that part anew, so that a reverse sweep reads recomputed
/// values and the first ones need not be kept for it. The operands are the result and what the part reads from before.
#[derive(Debug)]
struct Checkpoint {
    /// The nodes of the part.
    start: u32,
    end: u32,
    /// The cotangents of all operands that one sweep over the recomputed part gave, by the cotangent of the result: the
    /// rule is asked for one operand at a time.
    swept: Mutex<Option<(u32, Vec<Option<u32>>)>>,
}

impl<T: Float> SliceOp<T> for Checkpoint {
    fn name(&self) -> &'static str {
        "checkpoint"
    }
    fn shape(&self, args: &[&Shape]) -> Result<Shape, Reason> {
        Ok(args[0].clone())
    }
    fn eval(&self, args: &[View<'_, T>], y: ViewMut<'_, T>) {
        y.data.copy_from_slice(args[0].data);
    }
    fn vjp<'t>(&self, arg: usize, args: &[Var<'t, T>], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        if arg == 0 {
            return None;
        }
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        let cotangents = match &*swept {
            Some((of, cotangents)) if *of == dy.index() => cotangents,
            Some(_) | None => {
                let again = self.record_again(y.tape(), args[0].index());
                let inputs: Vec<u32> = args[1..].iter().map(Var::index).collect();
                let found = reverse(y.tape(), &[(again, dy)], &inputs);
                let found = found.into_iter().map(|g| g.map(|g| g.index())).collect();
                &swept.insert((dy.index(), found)).1
            }
        };
        cotangents[arg - 1].map(|index| Var::new(y.tape(), index))
    }
    fn jvp<'t>(&self, _: &[Var<'t, T>], _: Var<'t, T>, tangents: &[Option<Var<'t, T>>]) -> Option<Var<'t, T>> {
        tangents[0]
    }
}

impl Checkpoint {
    /// Records the part anew, up to one of its nodes.
    fn record_again<'t, T: Float>(&self, tape: &'t Tape<T>, result: u32) -> Var<'t, T> {
        let before = tape.again.replace(true);
        let mut copies: Vec<u32> = (self.start..self.end).collect();
        for index in self.start..=result.min(self.end - 1) {
            let (kind, args) = {
                let node = &tape.state.borrow().nodes[index as usize];
                (node.kind.clone(), node.args.clone())
            };
            if kind.op().is_some() {
                let copy = |&a: &u32| if a < self.start { a } else { copies[(a - self.start) as usize] };
                let args: Vec<Var<'t, T>> = args.iter().map(|a| Var::new(tape, copy(a))).collect();
                copies[(index - self.start) as usize] = tape.record_slice(kind, &args).index();
            }
        }
        tape.again.set(before);
        Var::new(tape, copies[(result - self.start) as usize])
    }
}

impl<T: Float> Tape<T> {
    /// Records a part whose intermediate values a reverse sweep computes anew instead of keeping: less memory for one
    /// more computation. Values and derivatives are those of the part itself.
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
        if y.index() < start {
            return y; // Nothing was recorded for it, so there is nothing to record again.
        }
        let mut args = vec![y];
        {
            let state = self.state.borrow();
            let outside = |a: &u32| *a < start;
            for &a in
                state.nodes[start as usize..end as usize].iter().flat_map(|node| &node.args).filter(|a| outside(a))
            {
                if args.iter().all(|v| v.index() != a) {
                    args.push(Var::new(self, a));
                }
            }
        }
        self.record_slice(Kind::Custom(Arc::new(Checkpoint { start, end, swept: Mutex::new(None) })), &args)
    }
}
