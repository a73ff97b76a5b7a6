//! Where tasks find what they read and write.
#![expect(unsafe_code, reason = "a pointer is no promise that its buffer is there")]

use std::ops::Range;

/// Where a value is: a buffer of a program, and the element of it that the value begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Spot {
    pub(crate) buffer: u32,
    pub(crate) start: u32,
}

impl From<u32> for Spot {
    /// The start of a buffer.
    fn from(buffer: u32) -> Self {
        Self { buffer, start: 0 }
    }
}

impl Spot {
    /// The same, of so many elements.
    pub(crate) fn range(self, len: usize) -> Range<usize> {
        self.start as usize..self.start as usize + len
    }

    /// Where so many elements are.
    ///
    /// # Panics
    /// Where the buffer is shorter.
    #[inline(always)]
    pub(super) fn pointer<T>(self, len: usize, buffers: &mut [Vec<T>]) -> *mut T {
        let (buffer, end) = (&mut buffers[self.buffer as usize], self.range(len).end);
        if buffer.len() < end {
            too_short(buffer.len(), end);
        }
        buffer.as_mut_ptr().wrapping_add(self.start as usize)
    }

    /// Whether so many elements here and so many there have some in common.
    pub(crate) fn meets(self, len: usize, other: Self, other_len: usize) -> bool {
        let (a, b) = (self.range(len), other.range(other_len));
        self.buffer == other.buffer && a.start < b.end && b.start < a.end
    }
}

/// By value: an assertion would write what it tells to memory before it asks.
#[cold]
#[inline(never)]
fn too_short(len: usize, end: usize) -> ! {
    panic!("a buffer of {end} elements is needed, not of {len}");
}

/// An operand of a task: a spot of the group's, and the elements that it moves on by for each row of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    // Narrow: a long program is millions of these, and waits for the memory they come from.
    spot: u32,
    per_row: u32,
}

impl Place {
    /// One that does not move, of a list of spots.
    pub(crate) fn of_spot(spot: usize) -> Self {
        Self { spot: spot as u32, per_row: 0 }
    }

    /// The same, moving on. A row of a block fits a cache.
    pub(crate) fn moving(self, per_row: usize) -> Self {
        Self { per_row: per_row as u32, ..self }
    }

    #[inline(always)]
    pub(crate) fn spot(self) -> usize {
        self.spot as usize
    }

    #[inline(always)]
    pub(crate) fn per_row(self) -> usize {
        self.per_row as usize
    }
}

/// Where a spot of a group is, while a group runs; between runs it means nothing.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct Base<T>(pub(super) *mut T);

impl<T> Default for Base<T> {
    fn default() -> Self {
        Self(std::ptr::null_mut())
    }
}

// SAFETY: it is written before it is read, by the run of a group that has the buffers for itself.
unsafe impl<T: Send> Send for Base<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Base<T> {}
