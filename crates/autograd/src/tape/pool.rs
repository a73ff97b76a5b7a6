//! Recycled buffers, so that a step of the same shapes allocates nothing.

use crate::float::Float;
use crate::tensor::memory::{self, OutOfMemory};
use std::sync::Arc;

/// Free buffers, which have the length of a power of two.
pub(crate) struct Pool<T> {
    classes: [Class<T>; usize::BITS as usize],
    /// Empty shells, to share a buffer without allocating.
    shells: Vec<Arc<Vec<T>>>,
    /// Buffers that the user still held at the last clear.
    lent: Vec<Arc<Vec<T>>>,
}

/// Free buffers of one length.
struct Class<T> {
    own: Vec<Vec<T>>,
    /// Those that were shared, and that nobody else holds any more. They stay in their shells, since what was shared once
    /// is likely to be shared again.
    returned: Vec<Arc<Vec<T>>>,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        let classes = std::array::from_fn(|_| Class { own: Vec::new(), returned: Vec::new() });
        Self { classes, shells: Vec::new(), lent: Vec::new() }
    }
}

/// The length of the buffers that are for so many elements.
pub(crate) fn length(elements: usize) -> usize {
    elements.next_power_of_two()
}

fn class_of(elements: usize) -> usize {
    length(elements).trailing_zeros() as usize
}

/// The class of a buffer that came from a pool.
fn class_of_buffer<T>(buffer: &[T]) -> usize {
    debug_assert!(buffer.len().is_power_of_two(), "every buffer comes from a pool");
    buffer.len().trailing_zeros() as usize
}

/// The buffer in a shell that nobody else holds.
fn inside<T>(shell: &mut Arc<Vec<T>>) -> &mut Vec<T> {
    Arc::get_mut(shell).expect("a free shell has one owner")
}

impl<T: Float> Pool<T> {
    /// A buffer of at least `len` elements, and at least one, with anything in it.
    #[inline]
    pub(crate) fn take(&mut self, len: usize) -> Result<Vec<T>, OutOfMemory> {
        let class = class_of(len);
        self.classes[class].own.pop().map_or_else(|| self.take_returned(class), Ok)
    }

    #[inline(never)]
    fn take_returned(&mut self, class: usize) -> Result<Vec<T>, OutOfMemory> {
        let Some(mut shell) = self.classes[class].returned.pop() else { return self.make(class) };
        let buffer = std::mem::take(inside(&mut shell));
        self.shells.push(shell);
        Ok(buffer)
    }

    /// A new buffer. Where there is no memory for it, lets go of the buffers that are free, and asks again.
    #[inline(never)]
    fn make(&mut self, class: usize) -> Result<Vec<T>, OutOfMemory> {
        memory::zeros(1 << class).or_else(|_| {
            *self = Self::default();
            memory::zeros(1 << class)
        })
    }

    /// Takes a buffer back.
    #[inline]
    pub(crate) fn give(&mut self, buffer: Vec<T>) {
        self.classes[class_of_buffer(&buffer)].own.push(buffer);
    }

    /// The same buffer, to share with the user.
    pub(crate) fn share(&mut self, buffer: Vec<T>) -> Arc<Vec<T>> {
        let Class { own, returned } = &mut self.classes[class_of_buffer(&buffer)];
        if let Some(mut shell) = self.shells.pop() {
            *inside(&mut shell) = buffer;
            return shell;
        }
        if let Some(mut shell) = returned.pop() {
            own.push(std::mem::replace(inside(&mut shell), buffer));
            return shell;
        }
        Arc::new(buffer)
    }

    /// A buffer to share with the user, in exchange for one of the same length.
    pub(crate) fn exchange(&mut self, buffer: &mut Vec<T>) -> Result<Arc<Vec<T>>, OutOfMemory> {
        if let Some(mut shell) = self.classes[class_of_buffer(buffer)].returned.pop() {
            std::mem::swap(inside(&mut shell), buffer);
            return Ok(shell);
        }
        let other = self.take(buffer.len())?;
        Ok(self.share(std::mem::replace(buffer, other)))
    }

    /// Takes back a shared buffer: now if the user has let go of it, else at the next call of [`Pool::collect`].
    pub(crate) fn give_shared(&mut self, buffer: Arc<Vec<T>>) {
        if let Err(held) = self.give_back(buffer) {
            self.lent.push(held);
        }
    }

    /// Takes back what users have let go of since; forgets what they still hold.
    #[inline(never)]
    pub(crate) fn collect(&mut self) {
        while let Some(buffer) = self.lent.pop() {
            drop(self.give_back(buffer));
        }
    }

    #[inline(never)]
    fn give_back(&mut self, buffer: Arc<Vec<T>>) -> Result<(), Arc<Vec<T>>> {
        // Nobody can take a share of what is here alone, so counting is enough here; who takes it out to write waits for
        // what others did with it.
        if Arc::strong_count(&buffer) > 1 {
            return Err(buffer);
        }
        self.classes[class_of_buffer(&buffer)].returned.push(buffer);
        Ok(())
    }
}
