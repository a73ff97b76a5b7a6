//! Kernels one after the other, over buffers that were found to fit once, and, where that was asked for, over blocks of
//! rows: a block goes through all of them while it is in the first-level cache, and what sums over the rows goes on from
//! block to block.
#![expect(unsafe_code, reason = "the kernels of a group read and write buffers by pointers")]

mod along_rows;
mod steps;

pub(crate) use steps::Passing;

use super::chain::Chain;
use super::column_sums::ColumnSums;
use super::cross_entropy::{FEW, LaneSums, Losses, Weight, cross_entropy};
use super::finish::{Finish, Rate};
use super::order::{self, Partial, ROWS, Sums};
use super::place::{Base, Place, Spot};
use super::product::{self, Call, Left, Shape, Sizes, Steps};
use super::reduce::Running;
use crate::number::Number;
use crate::number::level::Level;
use along_rows::along_rows;
use smallvec::SmallVec;
use std::fmt::Debug;
use std::ops::Range;
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

/// The elements that a row of a block has at a place.
pub(crate) type PerRow = (Place, usize);

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
    /// An operation along rows, of one or two results.
    Rows { op: Arc<dyn RowOp<T>>, args: SmallVec<[PerRow; 3]>, outs: SmallVec<[PerRow; 2]> },
}

/// The classes that a [`Task::Loss`] takes.
pub(crate) const FEW_CLASSES: usize = FEW;

/// An access of a task to a place: the elements it reaches there within a block, and whether it writes.
type Access = (Place, usize, bool);

impl<T: Number> Task<T> {
    /// The places that it writes.
    pub(crate) fn written(&self, block: usize) -> impl Iterator<Item = Place> {
        self.accesses(block).into_iter().filter(|access| access.2).map(|access| access.0)
    }

    /// Every place it reaches, in a block of so many rows.
    fn accesses(&self, block: usize) -> Vec<Access> {
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
            Self::Rows { args, outs, .. } => {
                list.extend(args.iter().map(|&(place, per_row)| (place, per_row * block, false)));
                list.extend(outs.iter().map(|&(place, per_row)| (place, per_row * block, true)));
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
    fn sizes(self, (m, k, n): Sizes, block: usize) -> Sizes {
        match self {
            Self::Whole => (m, k, n),
            Self::Rows => (block, k, n),
            Self::Sums => (m, block, n),
        }
    }
}

/// Tasks that are done together for each block of rows, or once.
#[derive(Clone)]
pub(crate) struct Phase<T> {
    /// Done once, before the blocks.
    pub(crate) before: Vec<Task<T>>,
    /// Done for each block.
    pub(crate) tasks: Vec<Task<T>>,
    pub(crate) rows: usize,
    pub(crate) block: usize,
}

/// The most sums of chains that go on from block to block.
pub(crate) const MOST_RUNNING: usize = 8;
type RunningSums<T> = SmallVec<[Running<T>; MOST_RUNNING]>;

/// A list of tasks that fits its buffers.
#[derive(Clone)]
pub(crate) struct Group<T> {
    /// Which spots of the program it touches, and how far.
    spots: Vec<(Spot, usize)>,
    phases: Vec<Phase<T>>,
}

/// A block of rows.
#[derive(Clone, Copy)]
struct Block {
    start: usize,
    rows: usize,
    first: bool,
    last: bool,
}

impl<T: Number> Group<T> {
    /// Phases one after the other, on buffers of a program.
    ///
    /// # Panics
    /// Where a task writes to elements that it reads otherwise than element by element in their own place.
    pub(crate) fn new(spots: Vec<Spot>, phases: Vec<Phase<T>>) -> Self {
        let mut reach = vec![0; spots.len()];
        for Phase { before, tasks, rows, block } in &phases {
            assert!(*block >= 1 && block <= rows, "a phase has rows");
            for task in before.iter().chain(tasks) {
                if let Task::Chain { chain, .. } = task {
                    chain.reads_first().for_each(|(place, len)| reach[place.spot()] = len.max(reach[place.spot()]));
                }
                let list = task.accesses(*block);
                let all = |&(place, len, _): &Access| if place.per_row() == 0 { len } else { place.per_row() * rows };
                for (k, access) in list.iter().enumerate() {
                    let &(place, len, writes) = access;
                    assert!(
                        place.per_row() == 0 || place.per_row() * block == len,
                        "{task:?} moves on by a row for each row"
                    );
                    reach[place.spot()] = all(access).max(reach[place.spot()]);
                    let meets = |&(other, access_too): &(usize, &Access)| {
                        let (here, there) = (spots[place.spot()], spots[access_too.0.spot()]);
                        other != k && here.meets(all(access), there, all(access_too))
                    };
                    assert!(
                        !writes || !list.iter().enumerate().any(|other| meets(&other)),
                        "{task:?} reads what it writes"
                    );
                }
            }
        }
        Self { spots: spots.into_iter().zip(reach).collect(), phases }
    }

    /// How many spots it touches: so many bases it is to be given.
    pub(crate) fn bases(&self) -> usize {
        self.spots.len()
    }

    /// Does everything once.
    ///
    /// # Panics
    /// Where a buffer is shorter than the tasks reach, or there are fewer bases than spots.
    pub(crate) fn run(&self, buffers: &mut [Vec<T>], bases: &mut [Base<T>]) {
        let bases = &mut bases[..self.spots.len()];
        for (base, &(spot, reach)) in bases.iter_mut().zip(&self.spots) {
            *base = Base(spot.pointer(reach, buffers));
        }
        // SAFETY: `new` found how far the tasks reach into each buffer and that they write to none that they read, and the buffers
        // are so long, as asserted above; they are borrowed uniquely. The reaches are products of sizes of nodes, which do not
        // wrap, since `Shape::elements` was asked before a node was made.
        unsafe { self.execute(bases, &mut Default::default()) };
    }

    /// # Safety
    /// There is a base for each spot, as many elements behind it as the tasks reach, and nobody else uses them.
    #[inline(always)]
    unsafe fn execute(&self, bases: &[Base<T>], sums: &mut (LaneSums, RunningSums<T>)) {
        let level = Level::best();
        for Phase { before, tasks, rows, block } in &self.phases {
            let whole = Block { start: 0, rows: *rows, first: true, last: true };
            for task in before {
                // SAFETY: the caller promises it.
                unsafe { execute(task, bases, whole, level, sums) };
            }
            let mut start = 0;
            while start < *rows {
                let n = (*block).min(rows - start);
                let block = Block { start, rows: n, first: start == 0, last: start + n == *rows };
                for task in tasks {
                    // SAFETY: the caller promises it.
                    unsafe { execute(task, bases, block, level, sums) };
                }
                start += n;
            }
        }
    }
}

impl<T> std::fmt::Display for Group<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count: usize = self.phases.iter().map(|phase| phase.tasks.len()).sum();
        write!(f, "{count} in a row")?;
        for (k, Phase { tasks, rows, block, .. }) in
            self.phases.iter().enumerate().filter(|(_, phase)| phase.block < phase.rows)
        {
            let before: usize = self.phases[..k].iter().map(|phase| phase.tasks.len()).sum();
            let (first, last) = (before + 1, before + tasks.len());
            write!(f, ", {first} to {last} for {rows} rows in blocks of {block}")?;
        }
        write!(f, ":")
    }
}

/// # Safety
/// The buffers of the task have bases, are as long as the task reaches within the block, and nobody else uses them.
#[inline(always)]
unsafe fn execute<T: Number>(
    task: &Task<T>,
    bases: &[Base<T>],
    block: Block,
    level: Level,
    (sums, running): &mut (LaneSums, RunningSums<T>),
) {
    // By value: a block whose address is taken is written to memory for each task.
    let start = block.start;
    // SAFETY: the caller promises that the place is there, and that there is a base for each spot.
    let at = move |place: Place| unsafe { bases.get_unchecked(place.spot()).0.add(place.per_row() * start) };
    let raw = |after: &PlaceFinish<T>| {
        let rate = |rate| match rate {
            Rate::Number(rate) => rate,
            // SAFETY: the caller promises that the rate is there.
            Rate::At(rate) => unsafe { *at(rate) },
        };
        after.map(|operand| at(operand).cast_const(), rate)
    };
    let kept = |memory: &Option<(Place, usize)>| memory.map_or(std::ptr::null_mut(), |(place, _)| at(place));
    // The part of the terms of a sum that belongs to the block.
    let terms = |along: Along, all: usize| match along {
        Along::Whole | Along::Rows => 0..all,
        Along::Sums => block.start..block.start + block.rows,
    };
    match task {
        Task::Product { shape, sizes, steps: [of_a, of_b], along, a, b, out, after, memory } => {
            // What branches comes first, so that nothing that is known before is put aside for it.
            let (finish, k) = (raw(after), sizes.1);
            let sizes = along.sizes(*sizes, block.rows);
            let (a, b, out) = (Left::with(at(*a), *of_a), Left::with(at(*b), *of_b), at(*out));
            let call = Call { shape: *shape, sizes, a, b, out, finish, partial: Partial::NONE };
            if memory.is_none() {
                level.run_lanes(&call);
            } else {
                call.in_pieces(terms(*along, k), k, kept(memory), level);
            }
        }
        Task::ColumnSums { rows, n, along, x, out, after, memory } => {
            let Range { start, end } = terms(*along, *rows);
            let sums = Sums { terms: *rows, count: *n, memory: kept(memory) };
            level.run_lanes(ColumnSums::<T, false> { x: at(*x), start, end, out: at(*out), finish: raw(after), sums });
        }
        Task::Loss { rows: all, n, along, mean, scores, labels, cotangent, loss, gradient } => {
            let rows = along.sizes((*all, 0, 0), block.rows).0;
            // SAFETY: the caller promises that these are there, and the gradient overlaps none of them.
            unsafe {
                let scores = std::slice::from_raw_parts(at(*scores), rows * n);
                let labels = std::slice::from_raw_parts(at(*labels), rows);
                let gradient = std::slice::from_raw_parts_mut(at(*gradient), rows * n);
                let weight = if *mean { *at(*cotangent) / T::of_count(*all) } else { *at(*cotangent) };
                if block.first {
                    *sums = LaneSums::default();
                }
                cross_entropy(scores, labels, *n, Losses::Sum(sums), Some((Weight::All(weight), gradient)));
                if block.last {
                    let total = sums.total();
                    *at(*loss) = T::of(if *mean { total / *all as f64 } else { total });
                }
            }
        }
        // SAFETY: the caller promises that both are there, and they do not overlap.
        Task::Turn { rows, cols, from, to } => unsafe { product::turn(at(*from), (*rows, *cols), at(*to)) },
        // SAFETY: the caller promises that both are there, and they do not overlap.
        Task::Copy { len, from, to } => unsafe { std::ptr::copy_nonoverlapping(at(*from), at(*to), *len) },
        Task::Chain { chain, per_row, behind } => {
            let running = behind.map_or(&mut [][..], |behind| going_on(running, behind, chain.sums.len(), block.first));
            // SAFETY: the caller promises the places of the chain in so many elements.
            unsafe { chain.run(bases, (block.start, block.rows * per_row), (running, block.last), level) };
        }
        // SAFETY: the caller promises that all are there, and a result overlaps nothing else.
        Task::Rows { op, args, outs } => unsafe { along_rows(&**op, args, outs, block.rows, at) },
    }
}

/// So many sums that go on behind others, from 0 on in the first block.
#[inline(never)]
fn going_on<T: Number>(running: &mut RunningSums<T>, behind: usize, count: usize, first: bool) -> &mut [Running<T>] {
    if first {
        running.truncate(behind);
        running.extend((0..count).map(|_| Running::new()));
    }
    &mut running[behind..behind + count]
}
