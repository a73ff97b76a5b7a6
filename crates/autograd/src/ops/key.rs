//! What random numbers depend on.

use crate::kernels::random::{self, Purpose};

/// What random numbers depend on, and nothing else: a seed, or what was made of one. The same key gives the same numbers, on a
/// tape, in a step that is repeated and in a program, and whatever else is computed; for new numbers, take a new key.
///
/// A program is given the key of each run as an input. The algorithm is Philox4x32-10 of Salmon and others (2011); which of its
/// bits give which number stands in docs/CONVENTIONS.md.
///
/// ```
/// use autograd::{Key, Program, Tape, Tensor};
/// let key = Key::new(7);
/// let mut noisy = Program::record(&(), &(&Tensor::zeros([3]), key), |_, (), (x, key)| {
///     (vec![], vec![x + 0.1 * key.normal([3])])
/// })?;
/// let x = Tensor::from([1.0, 2.0, 3.0]);
/// let first = noisy.run(&(&x, key.fold_in(0)))?.tensor(0);
/// let second = noisy.run(&(&x, key.fold_in(1)))?.tensor(0);
/// assert_ne!(first, second);
/// assert_eq!(noisy.run(&(&x, key.fold_in(0)))?.tensor(0), first);
///
/// let tape = Tape::new();
/// assert_eq!((tape.var(&x) + 0.1 * tape.key(key.fold_in(0)).normal([3])).value(), first);
/// # Ok::<(), autograd::ProgramError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    words: [u32; 2],
}

impl Key {
    /// The key of a seed.
    pub const fn new(seed: u64) -> Self {
        Self { words: [seed as u32, (seed >> 32) as u32] }
    }

    /// The key that this and a number make, as that of a step: `key.fold_in(step)`.
    pub fn fold_in(self, number: u64) -> Self {
        Self { words: random::derived(self.words, number, Purpose::FoldIn) }
    }

    /// So many keys of one, for things that are drawn independently.
    ///
    /// ```
    /// use autograd::Key;
    /// let [noise, dropout] = Key::new(1).split();
    /// assert_ne!(noise, dropout);
    /// ```
    pub fn split<const N: usize>(self) -> [Self; N] {
        std::array::from_fn(|i| Self { words: random::derived(self.words, i as u64, Purpose::Split) })
    }

    /// The words as integers that a leaf can hold.
    pub(crate) fn integers(self) -> [i64; 2] {
        self.words.map(|word| i64::from(word as i32))
    }
}
