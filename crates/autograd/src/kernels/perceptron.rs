//! A step of a net of one hidden layer with few features and few classes, in one sweep over blocks of rows: forward,
//! cross-entropy, backward, and the update of the parameters, with all that is between them in registers or in the
//! first-level cache.
//!
//! ```text
//! Z1 = X W1 + b1    O1 = f(Z1)    S = O1 W2 + b2    dS = (softmax S − Y) · weight
//! dW2 = O1ᵀ dS    db2 = Σ dS    dZ1 = dS W2ᵀ · f'(Z1)    dW1 = Xᵀ dZ1    db1 = Σ dZ1
//! ```
//!
//! Where `f` is relu, it is done in the registers of `Z1`, and `f'` is whether `O1 > 0`. Any other function is a kernel that is
//! given: `Z1`, `O1` and the slopes of a block are beside each other in memory.
//!
//! Every sum is in the order in which the kernels for its single operations compute it, so the bits are theirs: `X W1` and
//! `dS W2ᵀ` ascend, sums over rows go by blocks of the [`order`](super::order) of sums, those of products and those of columns,
//! and `O1 W2` is [`Shape::Dots`](super::product::Shape::Dots).
#![expect(unsafe_code, reason = "vectors by hand take raw pointers")]
#![expect(clippy::needless_range_loop, reason = "registers are numbered alike in all arrays")]

mod activation;
mod forward;
mod backward;
mod planned;
#[cfg(test)]
mod tests;

use activation::arrays;
pub(crate) use activation::{Activation, Kernels};
pub(crate) use planned::{Planned, Spots};

use super::cross_entropy::{LaneSums, of_columns, padded};
use super::machine::{HIDDEN_BYTES, LINE, TURNED};
use super::map::LANES;
use super::order::{self, NEIGHBOURS, PRODUCTS, Partial, ROWS, Sums};
use crate::number::Number;
use crate::number::lanes::Lanes;
use crate::number::level::{LaneKernel, Level};

/// The most features of an example.
pub(crate) const FEATURES: usize = 4;
/// The fewest and the most classes.
pub(crate) const CLASSES: std::ops::RangeInclusive<usize> = 2..=4;

/// The most rows of a block: those of a block of sums, of which all others are parts.
const MOST_ROWS: usize = ROWS;

/// The sizes of a net of one hidden layer, and of its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) rows: usize,
    pub(crate) features: usize,
    pub(crate) hidden: usize,
    pub(crate) classes: usize,
}

impl Sizes {
    /// Whether a net is of the sizes that this kernel is for.
    pub(crate) fn fit(self) -> bool {
        let few = (1..=FEATURES).contains(&self.features) && CLASSES.contains(&self.classes);
        // The sums of a score are one block.
        let one_block = (1..=NEIGHBOURS).contains(&self.hidden) && self.hidden * self.classes <= TURNED;
        few && self.rows > 0 && one_block
    }

    /// How a sweep lies in memory. It is found once, since finding it divides.
    fn layout<T>(self, activation: Option<&Activation<T>>) -> Layout {
        let width = self.hidden.next_multiple_of(LANES);
        let rows = HIDDEN_BYTES / (arrays(activation) * width * size_of::<T>());
        Layout { width, block: 1 << rows.clamp(LANES, MOST_ROWS).ilog2() }
    }

    /// Elements of scratch memory: scores and the hidden layer of a block, a copy of the parameters, sums of gradients, and
    /// what aligning them may take, of which the first tells whether the copy is that of the parameters.
    pub(crate) fn scratch<T>(self, activation: Option<&Activation<T>>) -> usize {
        let Layout { width, block } = self.layout::<T>(activation);
        let params = width * (self.features + 1 + self.classes) + LANES;
        // There are no more blocks of products than of columns.
        let sums = order::elements(self.rows, params, ROWS, self.rows > block);
        LINE + block * (self.classes + arrays(activation) * width) + params + sums
    }

    /// How many elements `W1`, `b1`, `W2` and `b2` have.
    pub(crate) fn params(self) -> [usize; 4] {
        [self.features * self.hidden, self.hidden, self.hidden * self.classes, self.classes]
    }
}

/// How a sweep lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Layout {
    /// The hidden nodes, filled up to a multiple of [`LANES`].
    width: usize,
    /// Rows of a block: a power of two, and a multiple of what the softmax takes at a time.
    block: usize,
}

/// A step by pointers. Whoever makes one promises that all are there with the elements that the sizes say, that labels are
/// classes, that the results overlap no operand but a parameter in its own place, and that the sizes fit.
#[derive(Clone, Copy)]
struct Perceptron<'a, T> {
    sizes: Sizes,
    /// What the hidden nodes do, if that is not relu.
    activation: Option<&'a Activation<T>>,
    /// That of the sizes.
    layout: Layout,
    x: *const T,
    /// `W1`, `b1`, `W2` and `b2`.
    params: [*const T; 4],
    labels: *const T,
    /// What `softmax S − Y` is multiplied by.
    weight: T,
    /// Gradients of the parameters, or the next values `p − rate · dp` of those that descend.
    results: [*mut T; 4],
    rate: T,
    descends: [bool; 4],
    /// Whether `W1` and `W2` are stored transposed, and so are their results.
    turned: bool,
    /// [`Sizes::scratch`] elements, with anything in them; if the step `keeps` its copy of the parameters, what the step
    /// before left in them, or 0 in the first one, where the parameters have changed since.
    scratch: *mut T,
    /// Whether the copy of the parameters serves the next step: they are updated in place, and nobody else writes them
    /// without a word. Loads from it need no masks, and need not wait for masked stores.
    keeps: bool,
}

/// A block of rows in work. A `SMALL` step has [`LANES`] rows and hidden nodes at most: one block, one group of rows, and
/// distances between them that are known when it is compiled.
#[derive(Clone, Copy)]
struct Block<'a, T, const SMALL: bool> {
    step: &'a Perceptron<'a, T>,
    start: usize,
    rows: usize,
    /// `[groups of LANES rows, classes, LANES]`: scores, then their gradients.
    scores: *mut T,
    /// `[rows, width]`: what the hidden nodes make; and of a function that is given also what it is of, and its slopes there.
    hidden: *mut T,
    affine: *mut T,
    slopes: *mut T,
    /// `[features + 1 + classes, width]`: a copy of `W1`, `b1` and the transpose of `W2`, with zeros where there are no
    /// hidden nodes, and behind it `b2`.
    params: *mut T,
    /// What the block is of the sums of their gradients, which lie in the same order: of `W1` and `W2`, and of the biases.
    products: Partial<T>,
    columns: Partial<T>,
}

impl<T: Number> Perceptron<'_, T> {
    /// Whether it is of the small steps that have code of their own: those of the two nets that are drawn first, with two or
    /// four features and three classes. More of them would be as much code again for each.
    fn is_small(&self) -> bool {
        let Sizes { rows, features, classes, .. } = self.sizes;
        matches!((features, classes), (2 | 4, 3)) && rows <= LANES && self.layout.width == LANES
    }

    /// Does it, and gives the sum of the losses.
    ///
    /// # Safety
    /// What the type says.
    #[inline(always)]
    unsafe fn run(&self, level: Level) -> f64 {
        let mut loss = 0.0;
        level.run_vectors(Sweep { step: self, loss: &mut loss });
        loss
    }
}

struct Sweep<'a, T> {
    step: &'a Perceptron<'a, T>,
    loss: &'a mut f64,
}

impl<T: Number> LaneKernel<T> for Sweep<'_, T> {
    #[inline(always)]
    unsafe fn run<L: Lanes<T>>(self) {
        // SAFETY: the caller promises the set of the lanes, and whoever made the step its pointers and sizes.
        unsafe {
            match self.step.sizes.classes {
                2 => self.blocks::<L, 2, false>(),
                3 if self.step.is_small() => self.blocks::<L, 3, true>(),
                3 => self.blocks::<L, 3, false>(),
                _ => self.blocks::<L, 4, false>(),
            }
        }
    }
}

impl<T: Number> Sweep<'_, T> {
    /// # Safety
    /// The CPU has the set of the lanes, and there are `K` classes; if `SMALL`, it is small.
    #[inline(always)]
    unsafe fn blocks<L: Lanes<T>, const K: usize, const SMALL: bool>(self) {
        let Perceptron { sizes, layout, scratch, .. } = *self.step;
        let (width, size) = if SMALL { (LANES, LANES) } else { (layout.width, layout.block) };
        let first = scratch.wrapping_add(1);
        let scores = first.wrapping_byte_add(first.addr().wrapping_neg() % LINE);
        // A block is a multiple of the lanes, so all parts start at a line.
        let hidden = scores.wrapping_add(size * K);
        let nodes = size * width;
        let (affine, slopes) = (hidden.wrapping_add(nodes), hidden.wrapping_add(2 * nodes));
        let params = hidden.wrapping_add(arrays(self.step.activation) * nodes);
        let count = (sizes.features + 1 + K) * width + LANES;
        let sums = Sums { terms: sizes.rows, count, memory: params.wrapping_add(count) };
        // SAFETY: scratch memory has a first element.
        let is_copied = self.step.keeps && unsafe { *scratch } == T::ONE;
        let mut losses = LaneSums::default();
        let mut start = 0;
        loop {
            let rows = if SMALL { sizes.rows } else { size.min(sizes.rows - start) };
            let (step, end) = (self.step, start + rows);
            let (products, columns) = if SMALL {
                (Partial::NONE, Partial::NONE)
            } else {
                (sums.piece(start, end, PRODUCTS), sums.piece(start, end, ROWS))
            };
            let block =
                Block::<T, SMALL> { step, start, rows, scores, hidden, affine, slopes, params, products, columns };
            // SAFETY: the caller promises the set and the classes; a block lies within the rows.
            unsafe {
                if start == 0 && !is_copied {
                    block.copy::<L, K>();
                }
                block.forward::<L, K>();
                block.losses::<L, K>(&mut losses);
                block.backward::<L, K>();
            }
            start += rows;
            if SMALL || start == sizes.rows {
                break;
            }
        }
        // SAFETY: as above.
        unsafe { *scratch = if self.step.keeps { T::ONE } else { T::ZERO } };
        *self.loss = losses.total();
    }
}

impl<T, const SMALL: bool> Block<'_, T, SMALL> {
    fn width(&self) -> usize {
        if SMALL { LANES } else { self.step.layout.width }
    }

    /// The features, for code of so many at most: of a small step and of a net of two features they are known when it is compiled.
    /// Other numbers share the code of the most, which asks for each whether it is there.
    #[inline(always)]
    fn features<const MOST: usize>(&self) -> usize {
        if SMALL || MOST < FEATURES { MOST } else { self.step.sizes.features }
    }

    /// How many groups of rows the scores are in.
    fn groups(&self) -> usize {
        if SMALL { 1 } else { self.rows.div_ceil(LANES) }
    }

    /// What lies behind the rows of the copy of the parameters, and of the sums: what belongs to `b2`.
    fn behind<const K: usize>(&self) -> usize {
        (self.step.sizes.features + 1 + K) * self.width()
    }

    /// Where a row's score of the first class is; those of the others follow at steps of [`LANES`].
    fn score<const K: usize>(&self, row: usize) -> *mut T {
        let (group, lane) = if SMALL { (0, row) } else { (row / LANES, row % LANES) };
        self.scores.wrapping_add(group * K * LANES + lane)
    }
}

impl<T: Number, const SMALL: bool> Block<'_, T, SMALL> {
    /// The losses of a block; the gradients replace its scores.
    ///
    /// # Safety
    /// The CPU has the set of the lanes, and there are `K` classes.
    #[inline(always)]
    unsafe fn losses<L: Lanes<T>, const K: usize>(&self, losses: &mut LaneSums) {
        let Self { step, start, rows, scores, .. } = *self;
        // SAFETY: the caller promises the set and the classes; the labels and the bias are there, and a block holds whole
        // groups of scores.
        unsafe {
            let b2 = self.params.add(self.behind::<K>());
            let bias: [T; K] = std::array::from_fn(|k| *b2.add(k));
            for group in 0..self.groups() {
                let first = group * LANES;
                let there = if SMALL { rows } else { LANES.min(rows - first) };
                // In its place: of `f64` a copy would be a call each way.
                let e = &mut *scores.add(first * K).cast::<[[T; LANES]; K]>();
                for k in 0..K {
                    for r in 0..LANES {
                        e[k][r] += bias[k];
                    }
                }
                let label = padded::<T, L>(std::slice::from_raw_parts(step.labels.add(start + first), there));
                let weight = Some(&[step.weight; LANES]);
                let width = there.next_multiple_of(L::COUNT);
                let loss = of_columns::<T, L>(e, &label, weight, true, width);
                if let Some(loss) = loss {
                    losses.add::<T, L>(&loss, there);
                }
            }
        }
    }
}
