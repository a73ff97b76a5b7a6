//! What a group does, one thing after the other, and what each of these reaches.

use crate::kernels::chain::Chain;
use crate::kernels::cross_entropy::FEW;
use crate::kernels::finish::{Finish, Rate};
use crate::kernels::numbers::Numbers;
use crate::kernels::order::{self, ROWS};
use crate::kernels::place::Place;
use crate::kernels::product::{Shape, Sizes, Steps};
use crate::number::Number;
use smallvec::SmallVec;
use std::fmt::Debug;
use std::sync::Arc;

/// What the rows of a block are to a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Along {
    /// Nothing: it is computed as a whole.
    Whole,
    /// Rows of its result.
    Rows,
    /// What its sums run over.
    Sums,
}

/// What follows a product or a sum, on places.
pub(crate) type PlaceFinish<T> = Finish<Place, Rate<T, Place>>;

/// An operation that goes along rows.
pub(crate) trait RowOp<T>: Debug + Send + Sync {
    /// Computes so many rows of a block: a result, and another one unless that is empty.
    fn run(&self, rows: usize, args: &[&[T]], out: &mut [T], second: &mut [T]);
}

/// The elements at a place that an operation along rows reads or makes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OfRows {
    /// So many for each row of a block.
    Each(Place, usize),
    /// So many, of which any row may read any.
    All(Place, usize),
}

impl OfRows {
    /// Where they are, and how many for a block of so many rows.
    pub(super) fn of(self, rows: usize) -> (Place, usize) {
        match self {
            Self::Each(place, per_row) => (place, per_row * rows),
            Self::All(place, len) => (place, len),
        }
    }
}

/// One thing to do.
#[derive(Clone, Debug)]
pub(crate) enum Task<T> {
    /// `out = after(op(a) · op(b))`; the right operand lies as the kernel wants it.
    Product {
        shape: Shape,
        sizes: Sizes,
        /// Between the rows and between the columns of the operands.
        steps: [Steps; 2],
        along: Along,
        a: Place,
        b: Place,
        out: Place,
        after: PlaceFinish<T>,
        /// Where sums are kept between pieces, if there is more than one, and how many elements there are.
        memory: Option<(Place, usize)>,
    },
    /// `out = after(Σ_i x[i, ·])` for rows of `n`.
    ColumnSums {
        rows: usize,
        n: usize,
        along: Along,
        x: Place,
        out: Place,
        after: PlaceFinish<T>,
        /// As that of a product.
        memory: Option<(Place, usize)>,
    },
    /// The sum or mean of the cross-entropies of scores of up to [`FEW_CLASSES`] classes, and its gradient.
    Loss {
        rows: usize,
        n: usize,
        along: Along,
        mean: bool,
        scores: Place,
        labels: Place,
        cotangent: Place,
        loss: Place,
        gradient: Place,
    },
    /// The transpose of a row-major matrix.
    Turn { rows: usize, cols: usize, from: Place, to: Place },
    /// A copy.
    Copy { len: usize, from: Place, to: Place },
    /// Element-wise operations, of so many elements for each row. Sums of more than a tile go on from tile to tile and from block to
    /// block, behind so many of other chains.
    Chain { chain: Box<Chain<T>>, per_row: usize, behind: Option<usize> },
    /// Element-wise operations on a few numbers.
    Numbers(Box<Numbers<T>>),
    /// An operation along rows, of one or two results.
    Rows { op: Arc<dyn RowOp<T>>, args: SmallVec<[OfRows; 3]>, outs: SmallVec<[OfRows; 2]> },
}

/// The classes that a [`Task::Loss`] takes.
pub(crate) const FEW_CLASSES: usize = FEW;

/// An access of a task to a place: the elements it reaches there within a block, and whether it writes.
pub(super) type Access = (Place, usize, bool);

impl<T: Number> Task<T> {
    /// The places that it writes.
    pub(crate) fn written(&self, block: usize) -> impl Iterator<Item = Place> {
        self.accesses(block).into_iter().filter(|access| access.2).map(|access| access.0)
    }

    /// What it reads before it writes anything, and not row by row: places, and how far. It may be written over.
    pub(super) fn reads_first(&self) -> impl Iterator<Item = (Place, usize)> {
        let chain = if let Self::Chain { chain, .. } = self { Some(chain.reads_first()) } else { None };
        let numbers = if let Self::Numbers(numbers) = self { Some(numbers.read()) } else { None };
        chain.into_iter().flatten().chain(numbers.into_iter().flatten())
    }

    /// Every place it reaches, in a block of so many rows.
    pub(super) fn accesses(&self, block: usize) -> Vec<Access> {
        let mut list: Vec<Access> = Vec::new();
        let after = |after: &PlaceFinish<T>, len: usize, n: usize| match *after {
            Finish::Keep | Finish::Descend(Rate::Number(_)) => None,
            Finish::Bias(row) | Finish::BiasRelu(row) => Some((row, n, false)),
            Finish::Gate(by) => Some((by, len, false)),
            Finish::Descend(Rate::At(rate)) => Some((rate, 1, false)),
        };
        match self {
            Self::Product { shape, sizes, along, a, b, out, after: then, memory, .. } => {
                let (m, k, n) = along.sizes(*sizes, block);
                list.extend([(*a, m * k, false), (*b, k * n, false), (*out, m * n, true)]);
                list.extend(after(then, m * n, n));
                let needed = shape.memory((m, sizes.1, n), *along == Along::Sums);
                assert!(memory.map_or(0, |(_, len)| len) >= needed, "{self:?} needs {needed} elements for its sums");
                list.extend(memory.map(|(place, len)| (place, len, true)));
            }
            Self::ColumnSums { rows: all, n, along, x, out, after: then, memory } => {
                let rows = along.sizes((0, *all, 0), block).1;
                list.extend([(*x, rows * n, false), (*out, *n, true)]);
                list.extend(after(then, *n, *n));
                let needed = memory_of_columns(*all, *n, *along == Along::Sums);
                assert!(memory.map_or(0, |(_, len)| len) >= needed, "{self:?} needs {needed} elements for its sums");
                list.extend(memory.map(|(place, len)| (place, len, true)));
            }
            Self::Loss { rows, n, along, scores, labels, cotangent, loss, gradient, .. } => {
                let rows = along.sizes((*rows, 0, 0), block).0;
                list.extend([(*scores, rows * n, false), (*labels, rows, false), (*cotangent, 1, false)]);
                list.extend([(*loss, 1, true), (*gradient, rows * n, true)]);
            }
            Self::Turn { rows, cols, from, to } => list.extend([(*from, rows * cols, false), (*to, rows * cols, true)]),
            Self::Copy { len, from, to } => list.extend([(*from, *len, false), (*to, *len, true)]),
            Self::Chain { chain, per_row, .. } => list.extend(chain.accesses(block * per_row)),
            Self::Numbers(numbers) => list.extend(numbers.written().map(|(place, len)| (place, len, true))),
            Self::Rows { args, outs, .. } => {
                let access = |of: &OfRows, writes| {
                    let (place, len) = of.of(block);
                    (place, len, writes)
                };
                list.extend(args.iter().map(|arg| access(arg, false)));
                list.extend(outs.iter().map(|out| access(out, true)));
            }
        }
        list
    }
}

/// The elements of memory that the sums of `n` columns take.
pub(crate) fn memory_of_columns(rows: usize, n: usize, in_pieces: bool) -> usize {
    order::elements(rows, n, ROWS, in_pieces)
}

impl Along {
    /// The sizes of a product within a block.
    #[inline(always)]
    pub(super) fn sizes(self, (m, k, n): Sizes, block: usize) -> Sizes {
        match self {
            Self::Whole => (m, k, n),
            Self::Rows => (block, k, n),
            Self::Sums => (m, block, n),
        }
    }
}
