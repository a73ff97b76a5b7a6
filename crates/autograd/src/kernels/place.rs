//! Where tasks find what they read and write.
#![expect(unsafe_code, reason = "a pointer is no promise that its buffer is there")]

/// An operand of a task: a buffer of the group's, and the elements that it moves on by for each row of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) buffer: usize,
    pub(crate) per_row: usize,
}

/// The start of a buffer, while a group runs; between runs it means nothing.
#[derive(Clone, Copy, Debug)]
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
