//! Buffers that are somebody else's for a while: what a run reads where it is, in the place of a copy.
#![expect(unsafe_code, reason = "a vector stands for one that others share")]

use std::marker::PhantomData;
use std::mem::{forget, replace};
use std::sync::Arc;

/// The vectors in a list of buffers that stand for shared ones, and what was there before. Each is only read: whoever lends one
/// promises that nothing is written to its place until all are given back, which happens before this is dropped at the latest.
pub(crate) struct Lent<T> {
    loans: Vec<Loan<T>>,
}

struct Loan<T> {
    place: usize,
    /// Keeps the elements where they are.
    owner: Arc<Vec<T>>,
    before: Vec<T>,
}

impl<T: Copy> Lent<T> {
    /// Room for so many, so that lending allocates nothing.
    pub(crate) fn with_capacity(most: usize) -> Self {
        Self { loans: Vec::with_capacity(most) }
    }

    /// Puts a vector that stands for a shared one into a place of the buffers, which holds none yet.
    pub(crate) fn lend(&mut self, buffers: &mut [Vec<T>], place: usize, owner: Arc<Vec<T>>) {
        assert!(self.loans.iter().all(|loan| loan.place != place), "a place is lent once");
        // SAFETY: the elements are initialised, and as many as the vector says; the owner keeps them while it stands here, and
        // it is forgotten, not dropped, when it is taken away. Nobody writes through it, as the type tells.
        let stand_in = unsafe { Vec::from_raw_parts(owner.as_ptr().cast_mut(), owner.len(), owner.capacity()) };
        self.loans.push(Loan { place, owner, before: replace(&mut buffers[place], stand_in) });
    }

    /// Puts back what was there before.
    #[inline]
    pub(crate) fn give_back(&mut self, buffers: &mut [Vec<T>]) {
        if !self.loans.is_empty() {
            self.give_all_back(buffers);
        }
    }

    #[inline(never)]
    fn give_all_back(&mut self, buffers: &mut [Vec<T>]) {
        for Loan { place, owner, before } in self.loans.drain(..) {
            let stand_in = replace(&mut buffers[place], before);
            debug_assert!(std::ptr::eq(stand_in.as_ptr(), owner.as_ptr()), "what was lent is still there");
            forget(stand_in);
        }
    }
}

impl<T: Copy> Clone for Lent<T> {
    /// Nothing is lent while a program is cloned.
    fn clone(&self) -> Self {
        Self::with_capacity(self.loans.capacity())
    }
}

/// Room for parts of somebody's memory that stand in places of a list of buffers, each as a vector of its own.
pub(crate) struct StandIns<T> {
    before: Vec<(usize, Vec<T>)>,
}

/// The parts that stand in a list of buffers now; all go back where this ends, also by a panic.
pub(crate) struct Standing<'b, 'd, T> {
    stand_ins: &'b mut StandIns<T>,
    buffers: &'b mut [Vec<T>],
    data: PhantomData<&'d mut [T]>,
}

impl<T: Copy> StandIns<T> {
    /// Room for so many, so that none allocates.
    pub(crate) fn with_capacity(most: usize) -> Self {
        Self { before: Vec::with_capacity(most) }
    }

    /// Begins to put parts into these buffers.
    pub(crate) fn begin<'b, 'd>(&'b mut self, buffers: &'b mut [Vec<T>]) -> Standing<'b, 'd, T> {
        Standing { stand_ins: self, buffers, data: PhantomData }
    }
}

impl<'d, T: Copy> Standing<'_, 'd, T> {
    /// Puts a part that is only read into a place: whoever computes promises to write to none of these.
    pub(crate) fn read(&mut self, place: usize, part: &'d [T]) {
        self.put(place, part.as_ptr().cast_mut(), part.len());
    }

    /// Puts a part that is written into a place.
    pub(crate) fn write(&mut self, place: usize, part: &'d mut [T]) {
        self.put(place, part.as_mut_ptr(), part.len());
    }

    #[expect(clippy::same_length_and_capacity, reason = "it is never dropped")]
    fn put(&mut self, place: usize, start: *mut T, len: usize) {
        debug_assert!(self.stand_ins.before.iter().all(|before| before.0 != place), "a place is given once");
        // SAFETY: the part has so many elements, and outlives this; it is exchanged for what was there before, and forgotten,
        // not dropped, where this ends, and nobody grows it, since the buffers of a program keep their lengths.
        let stand_in = unsafe { Vec::from_raw_parts(start, len, len) };
        self.stand_ins.before.push((place, replace(&mut self.buffers[place], stand_in)));
    }

    /// All buffers.
    pub(crate) fn buffers(&mut self) -> &mut [Vec<T>] {
        self.buffers
    }
}

impl<T> Drop for Standing<'_, '_, T> {
    fn drop(&mut self) {
        for (place, before) in self.stand_ins.before.drain(..) {
            forget(replace(&mut self.buffers[place], before));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_vector_stands_in_a_place_until_it_is_given_back() {
        let shared = Arc::new(vec![1.0, 2.0, 3.0]);
        let mut buffers = vec![vec![7.0], vec![8.0, 9.0]];
        let mut lent = Lent::with_capacity(1);
        for _ in 0..2 {
            lent.lend(&mut buffers, 1, Arc::clone(&shared));
            assert_eq!(buffers[1], [1.0, 2.0, 3.0]);
            assert_eq!(buffers[1].as_ptr(), shared.as_ptr());
            lent.give_back(&mut buffers);
            assert_eq!((&buffers[0][..], &buffers[1][..]), (&[7.0][..], &[8.0, 9.0][..]));
            assert_eq!(Arc::strong_count(&shared), 1);
        }
        assert_eq!(*shared, [1.0, 2.0, 3.0]);
    }

    #[test]
    fn parts_stand_in_buffers_until_they_go_back() {
        let (read, mut written) = ([1.0, 2.0, 3.0, 4.0], [0.0; 4]);
        let mut buffers = vec![vec![7.0], vec![8.0, 9.0], vec![5.0, 6.0]];
        let mut stand_ins = StandIns::with_capacity(2);
        for (from, to) in read.chunks(2).zip(written.chunks_mut(2)) {
            let mut standing = stand_ins.begin(&mut buffers);
            standing.read(1, from);
            standing.write(2, to);
            let buffers = standing.buffers();
            let sum = buffers[0][0] + buffers[1][0];
            buffers[2][1] = sum;
        }
        assert_eq!(written, [0.0, 8.0, 0.0, 10.0]);
        assert_eq!(buffers, [vec![7.0], vec![8.0, 9.0], vec![5.0, 6.0]]);
    }
}
