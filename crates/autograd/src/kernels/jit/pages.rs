//! Memory for code: written first, then executed, never both at once.

#[cfg(target_arch = "x86_64")]
use memmap2::{Mmap, MmapMut};
use std::sync::Arc;

#[cfg(target_arch = "x86_64")]
type Map = Mmap;
/// There is no code on other CPUs.
#[cfg(not(target_arch = "x86_64"))]
type Map = std::convert::Infallible;

/// Code as it is written, function behind function.
#[derive(Default)]
pub(crate) struct Pages(Vec<u8>);

/// The same where it can be executed.
#[derive(Clone, Debug)]
pub(crate) struct Executable(#[allow(dead_code, reason = "it keeps the memory")] Arc<Map>);

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

    /// Memory that can be executed with this in it, and where it begins, unless there is no code, or the system gives none.
    pub(crate) fn executable(&self) -> Option<(Executable, usize)> {
        if self.0.is_empty() { None } else { self.map() }
    }

    #[cfg(target_arch = "x86_64")]
    fn map(&self) -> Option<(Executable, usize)> {
        let mut map = MmapMut::map_anon(self.0.len()).ok()?;
        map.copy_from_slice(&self.0);
        let map = map.make_exec().ok()?;
        let start = map.as_ptr().expose_provenance();
        Some((Executable(Arc::new(map)), start))
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn map(&self) -> Option<(Executable, usize)> {
        None
    }
}
