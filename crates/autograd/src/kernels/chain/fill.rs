//! What registers hold before the operations of a tile begin.
#![expect(unsafe_code, reason = "tiles lie in buffers that pointers name")]

use super::{Chain, Fill, Seen, copy_elements};
use crate::kernels::map::LANES;
use crate::kernels::place::Place;
use crate::kernels::spread::{repeat, stretch};
use crate::number::Number;

impl<T: Number> Fill<T> {
    /// Whether a tile is the same as the one before it, or the first part of that.
    fn repeats<U>(&self, chain: &Chain<U>) -> bool {
        let comes_again = |n: usize| chain.row.is_none() && chain.tile.is_multiple_of(n);
        match self {
            Self::Constant(_) | Self::Repeated(_) | Self::Number(_) => true,
            Self::Row(_, n) => comes_again(*n),
            Self::Spread { spread, .. } => spread.period().is_some_and(comes_again),
            Self::Column(..) | Self::OfColumn(..) | Self::Window(_) | Self::Before(_) | Self::Parts(_) => false,
        }
    }

    /// Fills a register for `n` elements from element `start` of all on.
    ///
    /// # Safety
    /// The register has room for `n` elements and for whole vectors of them, `at` gives a pointer for the place with the elements
    /// that are needed, and where `start` is not 0, the register holds what it held before.
    #[inline(always)]
    pub(super) unsafe fn fill(
        &self,
        at: impl Fn(Place) -> *mut T,
        register: *mut T,
        n: usize,
        (start, all): (usize, usize),
        chain: &Chain<T>,
    ) {
        if start > 0 && self.repeats(chain) {
            return;
        }
        // SAFETY: the caller promises the elements.
        unsafe {
            match *self {
                Self::Constant(number) => register.cast::<[T; LANES]>().write([number; LANES]),
                Self::Repeated(place) => register.cast::<[T; LANES]>().write([*at(place); LANES]),
                Self::OfColumn(place, width) => {
                    register.cast::<[T; LANES]>().write([*at(place).add(start / width); LANES]);
                }
                Self::Parts(ref parts) => {
                    for part in parts {
                        copy_elements(at(part.place).cast_const(), register.add(part.start), part.len);
                    }
                }
                Self::Before(place) => copy_elements(at(place).add(start).cast_const(), register, n),
                Self::Number(_) | Self::Row(..) | Self::Column(..) | Self::Spread { .. } | Self::Window(_) => {
                    self.lay(at, std::slice::from_raw_parts_mut(register, n), (start, all), chain);
                }
            }
        }
    }

    /// Lays elements over a tile that are not there for each of its elements.
    ///
    /// # Safety
    /// As of [`Fill::fill`].
    #[inline(never)]
    unsafe fn lay(&self, at: impl Fn(Place) -> *mut T, tile: &mut [T], (start, all): (usize, usize), chain: &Chain<T>) {
        // SAFETY: the caller promises the elements.
        unsafe {
            match *self {
                Self::Number(place) => tile.fill(*at(place)),
                Self::Row(place, n) => {
                    let row = std::slice::from_raw_parts(at(place).cast_const(), n);
                    repeat(row, start % n, tile);
                }
                Self::Column(place, width) => {
                    let needed = (start + tile.len()).div_ceil(width);
                    stretch(std::slice::from_raw_parts(at(place).cast_const(), needed), width, start, tile);
                }
                Self::Spread { from, ref spread, len, by_row } => {
                    let len = chain.spread(len, by_row, all);
                    spread.fill(std::slice::from_raw_parts(at(from).cast_const(), len), start, tile);
                }
                Self::Window(Seen { from, ref window, len, by_row }) => {
                    let len = chain.spread(len, by_row, all);
                    window.fill(std::slice::from_raw_parts(at(from).cast_const(), len), start, tile);
                }
                Self::Constant(_) | Self::Repeated(_) | Self::OfColumn(..) | Self::Parts(_) | Self::Before(_) => {
                    unreachable!("these have an element for each of the tile's, or for each lane")
                }
            }
        }
    }
}
