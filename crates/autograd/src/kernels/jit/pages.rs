//! Memory for code: written first, then executed, never both while there is code in it.

#[cfg(all(target_arch = "x86_64", not(target_vendor = "apple")))]
use memmap2::{Mmap, MmapMut};
use std::sync::Arc;

#[cfg(all(target_arch = "x86_64", not(target_vendor = "apple")))]
type Map = Mmap;
/// There is no code on other CPUs, nor for Apple's systems, which may end a process whose code nobody signed.
#[cfg(not(all(target_arch = "x86_64", not(target_vendor = "apple"))))]
type Map = std::convert::Infallible;

/// Code as it is written, function behind function.
#[derive(Default)]
pub(crate) struct Pages(Vec<u8>);

/// The same where it can be executed.
#[derive(Clone, Debug)]
pub(crate) struct Executable(Arc<Map>);

/// Functions start with lines of the cache, and so do their constants.
const ALIGNMENT: usize = 64;

impl Pages {
    /// Adds a function, and returns where it begins.
    pub(super) fn add(&mut self, code: &[u8]) -> usize {
        let start = self.0.len().next_multiple_of(ALIGNMENT);
        self.0.resize(start, 0);
        self.0.extend(code);
        start
    }

    /// Memory that can be executed with this in it, unless there is no code, or the system gives none.
    pub(crate) fn executable(&self) -> Option<Executable> {
        if self.0.is_empty() { None } else { self.map() }
    }

    #[cfg(all(target_arch = "x86_64", not(target_vendor = "apple")))]
    fn map(&self) -> Option<Executable> {
        let mut map = MmapMut::map_anon(self.0.len()).ok()?;
        map.copy_from_slice(&self.0);
        Some(Executable(Arc::new(map.make_exec().ok()?)))
    }

    #[cfg(not(all(target_arch = "x86_64", not(target_vendor = "apple"))))]
    fn map(&self) -> Option<Executable> {
        None
    }
}

impl Executable {
    /// Where it begins.
    pub(super) fn start(&self) -> usize {
        #[cfg(all(target_arch = "x86_64", not(target_vendor = "apple")))]
        return self.0.as_ptr().expose_provenance();
        #[cfg(not(all(target_arch = "x86_64", not(target_vendor = "apple"))))]
        match *self.0 {}
    }
}
