//! What is known of the machine: sizes that fit its caches and vectors, each with where it was measured. Sizes that results
//! depend on (the order of sums) are in `order.rs` and belong to no machine.

/// What the operands and results of a block of rows should fit. Measured on Zen 5, with 48 KB of first-level cache: 32 and 96 KB
/// are a twentieth slower.
pub(crate) const BLOCK_BYTES: usize = 64 * 1024;

/// The same where operations along rows are among them: some of the second-level cache, since each of them costs something for
/// each block.
pub(crate) const SWEEP_BYTES: usize = 512 * 1024;

/// What the tiles of a chain should fit, beside each other: some of the second-level cache. Measured on Zen 5 with 48 KB of
/// first-level cache, for 13 tiles of `f32`: 16 KB take 2.0 ms, 32 KB 1.6, 64 and 128 KB 1.44; of `f64` 4.9, 4.1, 3.6, 3.5.
pub(crate) const TILE_BYTES: usize = 128 * 1024;
/// Bounds of the elements of a tile. Sums take pieces of at least the smaller.
pub(crate) const TILE: [usize; 2] = [256, 1024];
/// A line of the cache: vectors that cross lines take twice the time.
pub(crate) const LINE: usize = 64;

/// The most lines of one run of code: in longer ones operations wait for each other further than a CPU looks ahead, with two vectors of AVX2
/// side by side. Measured on Zen 4: twenty times `hardswish(y) - c` in runs of 12, 18, 24 and 64 lines take 0.95, 0.92, 1.05 and 1.6 of
/// the time of loops in `f32`.
pub(crate) const LINES_OF_AVX2: usize = 20;
/// The same of AVX-512, of which four go side by side: 64 lines take 0.97 of the time of loops at most, in 26 programs.
pub(crate) const LINES_OF_AVX512: usize = 64;

/// What the hidden layer of a block of rows may take in the sweep of a net: it leaves room for the rest in a first-level cache of
/// 32 KB or more.
pub(crate) const HIDDEN_BYTES: usize = 28 * 1024;
/// What is added to by index, in any order, should fit: half of a second-level cache.
pub(crate) const TABLE_BYTES: usize = 512 * 1024;
/// An operand of a product that is read again for each tile of rows must stay in the first-level cache, unless there is but one.
pub(crate) const NEAR: usize = 32 * 1024;
/// Up to this many elements of an operand of a product are transposed first.
pub(crate) const TURNED: usize = 4096;
/// From this many multiply-adds on, a product is shared among threads: some 0.1 ms of work.
#[cfg(feature = "threads")]
pub(crate) const SHARED: usize = 1 << 23;
