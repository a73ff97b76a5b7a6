//! Operations along rows, as tasks run them.

use crate::float::Float;
use crate::kernels::group::RowOp;
use crate::ops::rows::Rows;
use crate::program::operation::{Fused, Operation};
use crate::tape::op::{View, ViewMut};
use crate::tensor::shape::Shape;
use smallvec::SmallVec;

/// An operation with the shapes that its operands and its result have in a block, and in the last one, which may be smaller.
#[derive(Clone, Debug)]
pub(super) struct AlongRows<T: Float> {
    operation: Operation<T>,
    block: usize,
    shapes: [Shapes; 2],
}

#[derive(Clone, Debug)]
struct Shapes {
    args: SmallVec<[Shape; 3]>,
    results: SmallVec<[Shape; 2]>,
}

impl<T: Float> AlongRows<T> {
    /// Of operands and a result of these shapes, of which so many rows go through in blocks of so many.
    pub(super) fn new(
        operation: &Operation<T>,
        rows: Rows,
        (args, results): (&[&Shape], &[&Shape]),
        (all, block): (usize, usize),
    ) -> Self {
        let shapes = |of: usize| {
            let part =
                |shape: &Shape| if of == all { shape.clone() } else { rows.part(shape, rows.count(shape) / all * of) };
            let arg = |(k, &shape): (usize, &&Shape)| if rows.has(k) { part(shape) } else { shape.clone() };
            Shapes {
                args: args.iter().enumerate().map(arg).collect(),
                results: results.iter().map(|shape| part(shape)).collect(),
            }
        };
        Self { operation: operation.clone(), block, shapes: [shapes(block), shapes(all - (all - 1) / block * block)] }
    }
}

impl<T: Float> RowOp<T> for AlongRows<T> {
    fn run(&self, rows: usize, args: &[&[T]], out: &mut [T], second: &mut [T]) {
        let Shapes { args: shapes, results } = &self.shapes[usize::from(rows < self.block)];
        let views: SmallVec<[View<'_, T>; 3]> =
            args.iter().zip(shapes).map(|(data, shape)| View { shape, data }).collect();
        if let Operation::Fused(Fused::InRows(op)) = self.operation {
            return op.eval(views[0], out, second);
        }
        let Operation::Single(kind) = &self.operation else { unreachable!("what goes along rows is an operation") };
        let op = kind.op().expect("a leaf is not computed");
        op.eval(&views, ViewMut { shape: &results[0], data: out });
    }
}
