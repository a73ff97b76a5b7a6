//! Cotangents of slices, which are zeros but for the slice.

use crate::float::Float;
use crate::ops::concat::concat;
use crate::ops::table::Kind;
use crate::ops::view::AddAt;
use crate::tape::Tape;
use crate::tape::op::Arity;
use crate::tape::var::Var;
use crate::tensor::shape::Shape;
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// The cotangent of a slice along one axis, and what it is of the whole: zeros but there.
#[derive(Clone, Copy)]
pub(super) struct Part<'t, T: Float> {
    axis: usize,
    start: usize,
    of_slice: Var<'t, T>,
    whole: Var<'t, T>,
}

pub(super) type Parts<'t, T> = SmallVec<[Part<'t, T>; 4]>;

impl<'t, T: Float> Part<'t, T> {
    /// What a contribution is, if it is that of such a slice.
    pub(super) fn of(tape: &'t Tape<T>, whole: Var<'t, T>) -> Option<Self> {
        let node = &tape.nodes[whole.index()];
        let Kind::AddAt(op) = &node.kind else { return None };
        let of_slice = Var::new(tape, *node.args.first()?);
        let (axis, start) = slice_along(&op.0, of_slice.sizes())?;
        Some(Self { axis, start, of_slice, whole })
    }

    /// A row as the whole, of which it is what begins here.
    fn placed(&self, row: Var<'t, T>) -> Var<'t, T> {
        let shape = self.whole.shape();
        let offset = self.start * shape.strides()[self.axis];
        let strides = shape.signed_strides_in(&shape);
        row.tape().record(Arity(AddAt { name: "add_at", shape, offset, strides }), [row])
    }

    /// What this is of the whole, where nothing lies beside it.
    fn alone(&self) -> Var<'t, T> {
        let is_as_it_came = self.whole.tape().nodes[self.whole.index()].args[0] == self.of_slice.index();
        if is_as_it_came { self.whole } else { self.placed(self.of_slice) }
    }

    fn end(&self) -> usize {
        self.start + self.of_slice.sizes()[self.axis]
    }
}

/// The axis along which an operand of this shape is a slice of what it is added to, and where it starts, if it is one.
fn slice_along(op: &AddAt, operand: &Shape) -> Option<(usize, usize)> {
    let AddAt { name, shape, offset, strides } = op;
    let same_rank = *name == "add_at" && operand.rank() == shape.rank();
    let mut shorter = (0..operand.rank()).filter(|&i| same_rank && operand[i] != shape[i]);
    let (axis, None) = (shorter.next()?, shorter.next()) else { return None };
    let whole = shape.strides();
    let in_order = (0..operand.rank()).all(|i| operand[i] == 1 || strides[i] == whole[i] as isize);
    let fits = operand[axis] < shape[axis] && operand.numel() > 0 && in_order;
    let start = offset / whole[axis].max(1);
    (fits && start * whole[axis] == *offset && start + operand[axis] <= shape[axis]).then_some((axis, start))
}

/// Cotangents of slices of one node, as those that are to be added up: what lies beside each other is put beside each other, since
/// to add up as many arrays of the whole as there are slices would take that many times as long.
pub(super) fn joined<'t, T: Float>(mut parts: Parts<'t, T>) -> SmallVec<[Var<'t, T>; 4]> {
    parts.sort_by_key(|part| (part.axis, part.start, part.end()));
    let mut runs: SmallVec<[Parts<'t, T>; 4]> = SmallVec::new();
    // The runs that end at a place of an axis.
    let mut ending: BTreeMap<(usize, usize), SmallVec<[usize; 2]>> = BTreeMap::new();
    for same in parts.chunk_by(|a, b| (a.axis, a.start, a.end()) == (b.axis, b.start, b.end())) {
        let mut part = same[0];
        for other in &same[1..] {
            part.of_slice += other.of_slice;
        }
        let run = ending.get_mut(&(part.axis, part.start)).and_then(SmallVec::pop).unwrap_or_else(|| {
            runs.push(SmallVec::new());
            runs.len() - 1
        });
        runs[run].push(part);
        ending.entry((part.axis, part.end())).or_default().push(run);
    }
    let mut sums = SmallVec::new();
    for run in &runs {
        let [first, .., last] = &run[..] else {
            sums.push(run[0].alone());
            continue;
        };
        let row: SmallVec<[Var<'t, T>; 8]> = run.iter().map(|part| part.of_slice).collect();
        let row = concat(&row, first.axis as isize);
        let is_whole = first.start == 0 && last.end() == first.whole.sizes()[first.axis];
        sums.push(if is_whole { row } else { first.placed(row) });
    }
    sums
}

#[cfg(test)]
mod tests {
    use crate::{Tape, Tensor, Var, grad};

    /// The elements of what the gradient of a loss of slices needs beside that loss.
    fn recorded(n: usize, loss: impl for<'t> Fn(Var<'t, f64>) -> Var<'t, f64>) -> usize {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from_fn([n, 3], |i| i as f64));
        let y = loss(x);
        let from = tape.len();
        let needed = tape.nodes.needed(&[grad(y, &x).index()], 0);
        (from..tape.len()).filter(|&i| needed[i]).map(|i| tape.nodes[i as u32].shape.numel()).sum()
    }

    #[test]
    fn a_gradient_of_many_slices_is_not_made_of_as_many_wholes() {
        let losses: [for<'t> fn(Var<'t, f64>) -> Var<'t, f64>; 4] = [
            |x| x.unstack(0).into_iter().map(|row| row.square().sum()).reduce(|a, b| a + b).expect("rows"),
            |x| {
                x.unstack(0)
                    .windows(3)
                    .map(|rows| (rows[0] * rows[1] - rows[2]).sum())
                    .reduce(|a, b| a + b)
                    .expect("rows")
            },
            |x| {
                let at = |t: usize| x.narrow(0, t, 2).exp().sum();
                (0..x.sizes()[0] - 1).map(at).reduce(|a, b| a + b).expect("rows")
            },
            |x| x.t().unstack(-1).into_iter().skip(2).fold(x.sum(), |sum, row| sum.tanh() * row.sum()),
        ];
        for (k, loss) in losses.into_iter().enumerate() {
            let [few, many] = [100, 400].map(|n| recorded(n, loss));
            assert!(many <= 5 * few, "loss {k}: {few} elements for 100 rows, {many} for 400");
        }
    }
}
