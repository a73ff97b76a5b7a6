//! A group again and again, as the steps of a loop: what each of them reads and writes elsewhere is found by a step from pointer to
//! pointer, so that a step of a few numbers costs what is computed in it.

use super::{Group, Phase, Task};
use crate::kernels::place::{Base, Place, Spot};
use crate::number::Number;
use smallvec::SmallVec;
use std::marker::PhantomData;
use std::ops::Range;

/// Somebody's memory that stands in the place of a buffer, another part of it in each step.
pub(crate) struct Passing<'d, T> {
    buffer: usize,
    /// The elements of a part.
    len: usize,
    first: *mut T,
    parts: usize,
    data: PhantomData<&'d mut [T]>,
}

impl<'d, T> Passing<'d, T> {
    /// Parts of so many elements that are only read: whoever computes promises to write to none of these.
    pub(crate) fn read(buffer: usize, len: usize, data: &'d [T]) -> Self {
        Self::new(buffer, len, data.as_ptr().cast_mut(), data.len())
    }

    /// Parts of so many elements that are written.
    pub(crate) fn written(buffer: usize, len: usize, data: &'d mut [T]) -> Self {
        Self::new(buffer, len, data.as_mut_ptr(), data.len())
    }

    fn new(buffer: usize, len: usize, first: *mut T, elements: usize) -> Self {
        let parts = elements.checked_div(len).unwrap_or(usize::MAX);
        Self { buffer, len, first, parts, data: PhantomData }
    }
}

impl<T: Number> Group<T> {
    /// Whether the last that it does is work on a few numbers, which costs nothing to copy, and it has not so many places that to look
    /// through them for each copy would take longer than all else.
    pub(crate) fn ends_in_numbers(&self) -> bool {
        const MOST: usize = 256;
        let last = self.phases.last().and_then(|phase| phase.tasks.last());
        self.spots.len() < MOST && matches!(last, Some(Task::Numbers(_)))
    }

    /// This, and then a copy of so many elements.
    ///
    /// # Panics
    /// Where they overlap those that they are copied to.
    pub(crate) fn then_copy(&mut self, len: usize, from: Spot, to: Spot) {
        assert!(!from.meets(len, to, len), "what is copied lies apart");
        let [from, to] = [from, to].map(|spot| {
            let known = self.spots.iter().position(|known| known.0 == spot);
            let place = known.unwrap_or(self.spots.len());
            if known.is_none() {
                self.spots.push((spot, 0));
            }
            self.spots[place].1 = len.max(self.spots[place].1);
            Place::of_spot(place)
        });
        let spots = &self.spots;
        let last = self.phases.last_mut().and_then(|phase| phase.tasks.last_mut());
        if let Some(Task::Numbers(numbers)) = last
            && numbers.copy_too(len, from, to, |a, b| spots[a.0.spot()].0.meets(a.1, spots[b.0.spot()].0, b.1))
        {
            return;
        }
        let tasks = vec![Task::Copy { len, from, to }];
        self.phases.push(Phase { before: Vec::new(), tasks, rows: 1, block: 1 });
    }

    /// Does everything once for each of these parts of what passes, from the front or from the back; after each of them the buffers of
    /// a move, of which none has two, change places. It is given twice as many bases as one run: some for every other step.
    ///
    /// # Panics
    /// Where a buffer or a part is shorter than the tasks reach, there are fewer parts, or too few bases.
    pub(crate) fn run_steps(
        &self,
        buffers: &mut [Vec<T>],
        bases: &mut [Base<T>],
        passing: &[Passing<'_, T>],
        moves: &[(usize, usize)],
        (parts, reverse): (Range<usize>, bool),
    ) {
        let (here, there) = bases[..2 * self.bases()].split_at_mut(self.bases());
        let mut moving: SmallVec<[(usize, *mut T, usize); 8]> = SmallVec::new();
        for (k, &(spot, reach)) in self.spots.iter().enumerate() {
            let buffer = spot.buffer as usize;
            if let Some(part) = passing.iter().find(|part| part.buffer == buffer) {
                assert!(
                    spot.range(reach).end <= part.len && parts.end <= part.parts,
                    "a part has {} elements",
                    part.len
                );
                moving.push((k, part.first.wrapping_add(spot.start as usize), part.len));
                continue;
            }
            let other = moves.iter().find_map(|&(now, next)| match buffer {
                _ if buffer == now => Some(next),
                _ if buffer == next => Some(now),
                _ => None,
            });
            here[k] = Base(spot.pointer(reach, buffers));
            there[k] =
                other.map_or(here[k], |other| Base(Spot { buffer: other as u32, ..spot }.pointer(reach, buffers)));
        }
        let (mut sums, count) = (Default::default(), parts.len());
        for step in 0..count {
            let at = if reverse { parts.end - 1 - step } else { parts.start + step };
            let bases = if step % 2 == 0 { &mut *here } else { &mut *there };
            for &(k, first, len) in &moving {
                bases[k] = Base(first.wrapping_add(at * len));
            }
            // SAFETY: `new` found how far the tasks reach and that they write to none that they read; the buffers and the parts are
            // so long, as asserted above, and are borrowed uniquely, but for parts that are read, which no task writes.
            unsafe { self.execute(bases, &mut sums) };
        }
        if count % 2 == 1 {
            for &(now, next) in moves {
                buffers.swap(now, next);
            }
        }
    }
}
