//! Recycled buffers, so that a step of the same shapes allocates nothing.

use crate::float::Float;
use std::sync::Arc;

/// Free buffers by power-of-two length, and the shells of shared ones.
#[derive(Default)]
pub(crate) struct Pool<T> {
    /// `free[c]` holds buffers of exactly `2^c` elements.
    free: Vec<Vec<Vec<T>>>,
    /// Empty shells, to share a buffer without allocating.
    shells: Vec<Arc<Vec<T>>>,
    /// Buffers that the user still held at the last clear.
    lent: Vec<Arc<Vec<T>>>,
}

fn class(len: usize) -> usize {
    len.next_power_of_two().trailing_zeros() as usize
}

impl<T: Float> Pool<T> {
    /// A buffer of at least `len` elements, with anything in it.
    pub(crate) fn take(&mut self, len: usize) -> Vec<T> {
        let class = class(len);
        self.free.get_mut(class).and_then(Vec::pop).unwrap_or_else(|| vec![T::ZERO; 1 << class])
    }

    /// Takes a buffer back. One that did not come from here is dropped.
    pub(crate) fn give(&mut self, buffer: Vec<T>) {
        let class = class(buffer.len());
        if buffer.len() != 1 << class {
            return;
        }
        if self.free.len() <= class {
            self.free.resize_with(class + 1, Vec::new);
        }
        self.free[class].push(buffer);
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
    pub(crate) fn give_shared(&mut self, mut buffer: Arc<Vec<T>>) {
        match Arc::get_mut(&mut buffer) {
            Some(inner) => {
                let inner = std::mem::take(inner);
                self.give(inner);
                self.shells.push(buffer);
            }
            None => self.lent.push(buffer),
        }
    }

    /// Takes back what users have let go of since; forgets what they still hold.
    pub(crate) fn collect(&mut self) {
        for mut buffer in self.lent.split_off(0) {
            if Arc::get_mut(&mut buffer).is_some() {
                self.give_shared(buffer);
            }
        }
    }
}
