//! Kernels one after the other, over buffers that were found to fit once, and, where that was asked for, over blocks of
//! rows: a block goes through all of them while it is in the first-level cache, and what sums over the rows goes on from
//! block to block.
#![expect(unsafe_code, reason = "the kernels of a group read and write buffers by pointers")]

mod along_rows;
mod steps;
mod task;

pub(crate) use steps::Passing;
pub(crate) use task::{Along, FEW_CLASSES, OfRows, PlaceFinish, RowOp, Task, memory_of_columns};

use super::column_sums::ColumnSums;
use super::cross_entropy::{LaneSums, Losses, Weight, cross_entropy};
use super::finish::Rate;
use super::jit::WithCode;
use super::map::copy;
use super::order::{Partial, Sums};
use super::place::{Base, Place, Spot};
use super::product::{self, Call, Left};
use super::reduce::Running;
use crate::number::Number;
use crate::number::level::Level;
use along_rows::along_rows;
use smallvec::SmallVec;
use std::ops::Range;

/// Whether ranges of buffers that are written have no element in common with another one.
fn are_apart(mut ranges: Vec<(u32, Range<usize>, bool)>) -> bool {
    ranges.retain(|(_, range, _)| !range.is_empty());
    ranges.sort_unstable_by_key(|(buffer, range, _)| (*buffer, range.start));
    // The end of all that lie before one in its buffer, and of those that are written.
    let (mut last, mut end, mut end_of_written) = (None, 0, 0);
    ranges.into_iter().all(|(buffer, range, writes)| {
        if last.replace(buffer) != Some(buffer) {
            (end, end_of_written) = (0, 0);
        }
        let is_apart = range.start >= if writes { end } else { end_of_written };
        end = end.max(range.end);
        if writes {
            end_of_written = end_of_written.max(range.end);
        }
        is_apart
    })
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
                task.reads_first().for_each(|(place, len)| reach[place.spot()] = len.max(reach[place.spot()]));
                let list = task.accesses(*block);
                let mut ranges = Vec::with_capacity(list.len());
                for (place, len, writes) in list {
                    assert!(
                        place.per_row() == 0 || place.per_row() * block == len,
                        "{task:?} moves on by a row for each row"
                    );
                    let all = if place.per_row() == 0 { len } else { place.per_row() * rows };
                    reach[place.spot()] = all.max(reach[place.spot()]);
                    let spot = spots[place.spot()];
                    ranges.push((spot.buffer, spot.range(all), writes));
                }
                assert!(are_apart(ranges), "{task:?} reads what it writes");
            }
        }
        Self { spots: spots.into_iter().zip(reach).collect(), phases }
    }

    /// Its tasks whose cheap operations can be code.
    pub(crate) fn with_code(&mut self) -> impl Iterator<Item = &mut dyn WithCode> {
        let tasks = self.phases.iter_mut().flat_map(|phase| phase.before.iter_mut().chain(&mut phase.tasks));
        tasks.filter_map(|task| match task {
            Task::Chain { chain, .. } => Some(&mut **chain as &mut dyn WithCode),
            Task::Numbers(numbers) => Some(&mut **numbers as &mut dyn WithCode),
            Task::Product { .. }
            | Task::ColumnSums { .. }
            | Task::Loss { .. }
            | Task::Turn { .. }
            | Task::Copy { .. }
            | Task::Rows { .. } => None,
        })
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
        Task::Copy { len, from, to } => unsafe {
            copy(std::slice::from_raw_parts(at(*from), *len), std::slice::from_raw_parts_mut(at(*to), *len));
        },
        Task::Chain { chain, per_row, behind } => {
            let running = behind.map_or(&mut [][..], |behind| going_on(running, behind, chain.sums.len(), block.first));
            // SAFETY: the caller promises the places of the chain in so many elements.
            unsafe { chain.run(bases, (block.start, block.rows * per_row), (running, block.last), level) };
        }
        // SAFETY: the caller promises that all are there; the cells overlap nothing else.
        Task::Numbers(numbers) => unsafe { numbers.run(bases, start, level) },
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

#[cfg(test)]
mod tests {
    use super::are_apart;

    #[test]
    fn what_is_written_meets_nothing_else_in_its_buffer() {
        let [read, written] = [false, true];
        assert!(are_apart(vec![(0, 4..8, written), (0, 0..4, read), (0, 2..3, read), (1, 0..9, written)]));
        assert!(are_apart(vec![(0, 0..4, written), (0, 2..2, written), (0, 4..4, read)]), "nothing meets nothing");
        for (a, b) in [(0..4, 3..5), (0..9, 2..3), (2..3, 0..9), (1..2, 1..2)] {
            for (of_a, of_b) in [(read, written), (written, read), (written, written)] {
                assert!(!are_apart(vec![(3, a.clone(), of_a), (3, b.clone(), of_b)]), "{a:?} {b:?}");
            }
        }
    }
}
