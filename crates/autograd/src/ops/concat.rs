//! Joining along an axis.

use crate::float::Float;
use crate::kernels::strided::beside;
use crate::tape::attribute::Attributes;
use crate::tape::op::{DynOp, Named, View, ViewMut};
use crate::tape::var::Var;
use crate::tensor::error::{Error, Kind, Reason};
use crate::tensor::shape::Shape;
use smallvec::SmallVec;
use std::sync::Arc;

/// The operands one after the other along an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Concat {
    axis: usize,
    /// Where each of many begins: the rule is asked for one operand at a time. A pointer to a list, so that nodes are small.
    starts: Option<Arc<Vec<usize>>>,
}

/// Up to so many operands, it is quicker to add up the sizes before one.
const FEW: usize = 32;

impl Concat {
    fn of<T: Float>(axis: usize, args: &[Var<'_, T>]) -> Self {
        let starts = args.iter().scan(0, |end, arg| {
            let start = *end;
            // Whether they fit is asked later.
            *end += arg.sizes().get(axis).copied().unwrap_or(0);
            Some(start)
        });
        let starts = if args.len() > FEW { Some(Arc::new(starts.collect())) } else { None };
        Self { axis, starts }
    }

    /// Of what nobody asks the rule for.
    pub(crate) fn along(axis: usize) -> Self {
        Self { axis, starts: None }
    }

    pub(crate) fn axis(&self) -> usize {
        self.axis
    }

    /// Whether each operand is neighbours in a result of this shape.
    pub(crate) fn joins_wholes(&self, result: &Shape) -> bool {
        result.around(self.axis).0 == 1
    }
}

impl Named for Concat {
    const NAMES: &'static [&'static str] = &["concat"];
}

impl<T: Float> DynOp<T> for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }
    fn attributes(&self) -> Attributes {
        vec![("axis", self.axis.into())]
    }
    fn shape(&self, args: &[&Shape]) -> Result<Shape, Reason> {
        let first = args[0];
        for (k, shape) in args.iter().enumerate() {
            let fits = shape.rank() == first.rank() && shape.with(self.axis, first[self.axis]) == *first;
            if !fits {
                let text = format!("operand {k} differs from the first outside axis {}", self.axis);
                return Err(Reason::shape(text));
            }
        }
        let joined = args.iter().fold(0_usize, |sum, shape| sum.saturating_add(shape[self.axis]));
        Ok(first.with(self.axis, joined))
    }
    fn eval(&self, args: &[View<'_, T>], y: ViewMut<'_, T>) {
        let (outer, n, inner) = y.shape.around(self.axis);
        let rows = args.iter().map(|a| (a.data, a.shape[self.axis] * inner));
        beside(rows, outer, n * inner, y.data);
    }
    fn vjp<'t>(&self, arg: usize, args: &[Var<'t, T>], _: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        let size = |a: &Var<'t, T>| a.sizes()[self.axis];
        let start = self.starts.as_ref().map_or_else(|| args[..arg].iter().map(size).sum(), |starts| starts[arg]);
        Some(dy.narrow(self.axis as isize, start, size(&args[arg])))
    }
    fn jvp<'t>(&self, args: &[Var<'t, T>], y: Var<'t, T>, tangents: &[Option<Var<'t, T>>]) -> Option<Var<'t, T>> {
        let tape = y.tape();
        let parts: SmallVec<[Var<'t, T>; 4]> =
            args.iter().zip(tangents).map(|(a, tangent)| tangent.unwrap_or_else(|| a.zeros())).collect();
        Some(tape.record_slice(self.clone().into(), &parts))
    }
}

/// The variables one after the other along an existing axis; all other sizes must agree.
///
/// ```
/// use autograd::{concat, Tape, Tensor};
/// let tape = Tape::new();
/// let (a, b) = (tape.var(&Tensor::from([1.0])), tape.var(&Tensor::from([2.0, 3.0])));
/// assert_eq!(concat(&[a, b], 0).value().as_slice(), [1.0, 2.0, 3.0]);
/// ```
///
/// # Panics
/// Where there is no variable to join, or their sizes differ outside the axis.
#[track_caller]
pub fn concat<'t, T: Float>(vars: &[Var<'t, T>], axis: isize) -> Var<'t, T> {
    Error::or_raise(try_concat(vars, axis))
}

/// As [`concat()`], for shapes that come from outside.
///
/// # Errors
/// Where there is no variable to join, sizes differ outside the axis, or the axis does not exist.
#[track_caller]
pub fn try_concat<'t, T: Float>(vars: &[Var<'t, T>], axis: isize) -> Result<Var<'t, T>, Error> {
    let [first, ..] = vars else { return Err(Error::of_call("concat", Kind::Empty, "there is nothing to join")) };
    let axis = first.check("concat", first.shape().axis(axis))?;
    first.tape().try_record_slice(Concat::of(axis, vars).into(), vars)
}

/// The variables side by side along a new axis; all shapes must agree.
///
/// ```
/// use autograd::{stack, Tape, Tensor};
/// let tape = Tape::new();
/// let a = tape.var(&Tensor::from([1.0, 2.0]));
/// assert_eq!(stack(&[a, a * 10.0], 1).value(), Tensor::from_rows([[1.0, 10.0], [2.0, 20.0]]));
/// ```
///
/// # Panics
/// Where there is no variable to stack, or their shapes differ.
#[track_caller]
pub fn stack<'t, T: Float>(vars: &[Var<'t, T>], axis: isize) -> Var<'t, T> {
    let [first, ..] = vars else { Error::of_call("stack", Kind::Empty, "there is nothing to stack").raise() };
    let _whole = first.tape().composite("stack", vars.iter().copied());
    let same = vars.iter().all(|v| v.sizes() == first.sizes());
    first.require("stack", same, Kind::Shape, || "the shapes differ".into());
    // In a closure, a panic would be told at its line.
    let mut rows = Vec::with_capacity(vars.len());
    for var in vars {
        rows.push(var.expand_dims(axis));
    }
    let rank = first.rank() as isize + 1;
    concat(&rows, if axis < 0 { axis + rank } else { axis })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Tape, Tensor, grad};

    #[test]
    fn each_of_many_operands_gets_its_part_of_a_cotangent() {
        for count in [FEW, FEW + 1, 5 * FEW] {
            let tape = Tape::new();
            let parts: Vec<Var<'_>> = (0..count).map(|k| tape.full([2, k % 3], k as f64)).collect();
            let joined = concat(&parts, 1);
            let weights = tape.var(&Tensor::from_fn(joined.shape(), |i| i as f64));
            let mut start = 0;
            for (k, gradient) in grad((joined * weights).sum(), &parts[..]).iter().enumerate() {
                let n = k % 3;
                let expected = weights.narrow(1, start, n).value();
                assert_eq!(gradient.value(), expected, "{k} of {count}");
                start += n;
            }
        }
    }

    #[test]
    fn that_many_do_not_fit_is_told() {
        let tape: Tape = Tape::new();
        let mut parts = vec![tape.full([2, 3], 1.0); 2 * FEW];
        parts.push(tape.full([2], 1.0));
        let error = try_concat(&parts, 1).unwrap_err();
        assert!(error.to_string().contains("operand 64 differs from the first"), "{error}");
    }
}
