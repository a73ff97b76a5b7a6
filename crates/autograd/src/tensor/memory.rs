//! Memory whose size a shape or an option sets. Where it cannot be had, that is an answer here, not the end of the process:
//! whoever asked names the operation and the line.
#![expect(unsafe_code, reason = "the allocator hands out zeroed memory by raw pointers")]

use crate::number::Number;
use std::alloc::{Layout, alloc_zeroed};
use std::fmt;

/// Memory that could not be had.
///
/// ```
/// use autograd::OutOfMemory;
/// assert_eq!(OutOfMemory::of::<f64>(1 << 40).to_string(), "8796093022208 bytes of memory cannot be had");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfMemory {
    bytes: usize,
}

impl OutOfMemory {
    /// Memory for so many elements.
    pub fn of<E>(elements: usize) -> Self {
        Self { bytes: elements.saturating_mul(size_of::<E>()) }
    }
}

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes of memory cannot be had", self.bytes)
    }
}

impl std::error::Error for OutOfMemory {}

/// An empty list with room for so many elements.
pub(crate) fn room<E>(len: usize) -> Result<Vec<E>, OutOfMemory> {
    let mut list = Vec::new();
    list.try_reserve_exact(len).map_err(|_| OutOfMemory::of::<E>(len))?;
    Ok(list)
}

/// So many zeros, in pages that are not touched before they are written, where the allocator has such.
pub(crate) fn zeros<T: Number>(len: usize) -> Result<Vec<T>, OutOfMemory> {
    let refused = OutOfMemory::of::<T>(len);
    let capacity = len;
    let layout = Layout::array::<T>(capacity).map_err(|_| refused)?;
    if layout.size() == 0 {
        return Ok(Vec::new());
    }
    // SAFETY: the layout has a size above 0.
    let start = unsafe { alloc_zeroed(layout) }.cast::<T>();
    if start.is_null() {
        return Err(refused);
    }
    // SAFETY: the memory comes from the global allocator, by the layout of an array of `len` elements, which are all there:
    // `T` is `f32` or `f64`, since nobody else implements `Number`, and bytes of 0 are the number 0 in both.
    Ok(unsafe { Vec::from_raw_parts(start, len, capacity) })
}

/// One number so many times.
pub(crate) fn filled<T: Number>(len: usize, value: T) -> Result<Vec<T>, OutOfMemory> {
    if value.same_bits(T::ZERO) {
        return zeros(len);
    }
    let mut list = room(len)?;
    list.resize(len, value);
    Ok(list)
}

/// The elements of an iterator that has so many.
pub(crate) fn collected<E>(len: usize, elements: impl Iterator<Item = E>) -> Result<Vec<E>, OutOfMemory> {
    let mut list = room(len)?;
    list.extend(elements.take(len));
    Ok(list)
}

/// A copy of a slice.
pub(crate) fn copied<E: Copy>(elements: &[E]) -> Result<Vec<E>, OutOfMemory> {
    let mut list = room(elements.len())?;
    elements.chunks(piece::<E>()).for_each(|piece| list.extend_from_slice(piece));
    Ok(list)
}

/// Copies a slice of any length into one of the same.
pub(crate) fn copy<E: Copy>(from: &[E], to: &mut [E]) {
    assert!(from.len() == to.len(), "copy: {} elements do not fit {}", from.len(), to.len());
    let piece = piece::<E>();
    to.chunks_mut(piece).zip(from.chunks(piece)).for_each(|(to, from)| to.copy_from_slice(from));
}

/// The elements that one call copies. From 4 KB on, the C library does it by an instruction (`rep movsb`) which on Zen 3 takes 25 times
/// as long where the places, seen from the beginnings of their pages, are a few bytes apart: where rows are moved by some elements.
const fn piece<E>() -> usize {
    if size_of::<E>() == 0 { usize::MAX } else { 2048 / size_of::<E>() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_as_it_was_asked_for() {
        assert_eq!(zeros::<f32>(0).unwrap(), []);
        assert_eq!(zeros::<f64>(1000).unwrap(), vec![0.0; 1000]);
        assert_eq!(filled(3, 2.5_f32).unwrap(), [2.5; 3]);
        assert!(filled(1, -0.0_f64).unwrap()[0].is_sign_negative());
        assert_eq!(collected(3, 0..10).unwrap(), [0, 1, 2]);
        for len in [2, 511, 512, 513, 3000] {
            let list: Vec<f32> = (0..len).map(|i| i as f32).collect();
            let mut to = vec![0.0; len];
            copy(&list, &mut to);
            assert_eq!((copied(&list).unwrap(), to), (list.clone(), list));
        }
    }

    #[test]
    fn more_than_there_can_be_is_refused() {
        for len in [1 << 58, 1 << 60, usize::MAX] {
            let refused = OutOfMemory::of::<f64>(len);
            assert_eq!(zeros::<f64>(len), Err(refused));
            assert_eq!(filled(len, 1.0), Err(refused));
            assert_eq!(room::<f64>(len), Err(refused));
            assert_eq!(collected(len, std::iter::empty::<f64>()), Err(refused));
        }
    }
}
