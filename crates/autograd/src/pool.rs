//! Recycled buffers, so that a step of the same shapes allocates nothing.

use crate::float::Float;
use std::sync::Arc;

/// Free buffers by power-of-two length, and the shells of shared ones.
pub(crate) struct Pool<T> {
    /// `free[c]` holds buffers of exactly `2^c` elements.
    free: [Vec<Vec<T>>; usize::BITS as usize],
    /// Empty shells, to share a buffer without allocating.
    shells: Vec<Arc<Vec<T>>>,
    /// Buffers that the user still held at the last clear.
    lent: Vec<Arc<Vec<T>>>,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self { free: std::array::from_fn(|_| Vec::new()), shells: Vec::new(), lent: Vec::new() }
    }
}

impl<T: Float> Pool<T> {
    /// A buffer of at least `len` elements, and at least one, with anything in it.
    #[inline]
    pub(crate) fn take(&mut self, len: usize) -> Vec<T> {
        let class = len.next_power_of_two().trailing_zeros() as usize;
        self.free[class].pop().unwrap_or_else(|| vec![T::ZERO; 1 << class])
    }

    /// Takes a buffer back.
    #[inline]
    pub(crate) fn give(&mut self, buffer: Vec<T>) {
        debug_assert!(buffer.len().is_power_of_two(), "every buffer comes from here");
        self.free[buffer.len().trailing_zeros() as usize].push(buffer);
    }

    /// The same buffer, to share with the user.
    pub(crate) fn share(&mut self, buffer: Vec<T>) -> Arc<Vec<T>> {
        match self.shells.pop() {
            Some(mut shell) => {
                *Arc::get_mut(&mut shell).expect("shells have one owner") = buffer;
                shell
            }
            None => Arc::new(buffer),
        }
    }

    /// Takes back a shared buffer: now if the user has let go of it, else at the next call of [`Pool::collect`].
    pub(crate) fn give_shared(&mut self, buffer: Arc<Vec<T>>) {
        if let Err(held) = self.unshare(buffer) {
            self.lent.push(held);
        }
    }

    /// Takes back what users have let go of since; forgets what they still hold.
    pub(crate) fn collect(&mut self) {
        while let Some(buffer) = self.lent.pop() {
            drop(self.unshare(buffer));
        }
    }

    fn unshare(&mut self, mut buffer: Arc<Vec<T>>) -> Result<(), Arc<Vec<T>>> {
        // Counting first saves the atomic exchange where somebody holds it.
        let inner = if Arc::strong_count(&buffer) == 1 { Arc::get_mut(&mut buffer) } else { None };
        let Some(inner) = inner.map(std::mem::take) else { return Err(buffer) };
        self.give(inner);
        self.shells.push(buffer);
        Ok(())
    }
}
