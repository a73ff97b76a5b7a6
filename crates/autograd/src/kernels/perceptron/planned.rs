//! A step of a net on buffers of a program.
#![expect(unsafe_code, reason = "the kernel reads and writes buffers by pointers")]

use super::{Activation, Layout, Perceptron, Sizes};
use crate::kernels::finish::Rate;
use crate::kernels::place::Spot;
use crate::number::Number;
use crate::number::level::Level;

/// Where in the buffers of a program a step finds what it works on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spots<T> {
    pub(crate) x: Spot,
    /// `W1`, `b1`, `W2` and `b2`.
    pub(crate) params: [Spot; 4],
    pub(crate) labels: Spot,
    /// The cotangent of the loss.
    pub(crate) cotangent: Spot,
    pub(crate) loss: Spot,
    /// Gradients of the parameters, or their next values, each in its parameter's place or in one of its own.
    pub(crate) results: [Spot; 4],
    pub(crate) rate: Rate<T, Spot>,
    /// Which of them are next values; the rate is that of these.
    pub(crate) descends: [bool; 4],
    /// [`Sizes::scratch`] elements for the step alone.
    pub(crate) scratch: u32,
}

/// A step that fits its buffers.
#[derive(Clone, Debug)]
pub(crate) struct Planned<T> {
    sizes: Sizes,
    layout: Layout,
    activation: Option<Activation<T>>,
    /// How many elements the parameters have.
    lens: [usize; 4],
    /// How many elements of scratch memory it takes.
    scratch_len: usize,
    /// Whether the mean of the losses is asked for, or their sum.
    mean: bool,
    turned: bool,
    /// Whether it keeps a copy of its parameters from run to run.
    keeps: bool,
    spots: Spots<T>,
}

impl<T: Number> Planned<T> {
    /// A step of hidden nodes that do this, or relu, which gives the mean of the losses or their sum, of matrices of parameters that
    /// are stored transposed or not, with its scratch memory.
    ///
    /// # Panics
    /// Where it writes to a buffer that it uses otherwise too, but for parameters in their own place.
    pub(crate) fn new(
        sizes: Sizes,
        activation: Option<Activation<T>>,
        (mean, turned): (bool, bool),
        spots: Spots<T>,
    ) -> Self {
        let Spots { x, params, labels, cotangent, loss, results, rate, descends, scratch } = spots;
        let (lens, scratch_len) = (sizes.params(), sizes.scratch(activation.as_ref()));
        let mut once = vec![(loss, 1), (Spot::from(scratch), scratch_len)];
        once.extend(results.into_iter().zip(lens));
        let mut read = vec![(x, sizes.rows * sizes.features), (labels, sizes.rows), (cotangent, 1)];
        read.extend(if let Rate::At(spot) = rate { Some((spot, 1)) } else { None });
        // A parameter is read before it is written over.
        read.extend((0..4).filter(|&k| !descends[k] || params[k] != results[k]).map(|k| (params[k], lens[k])));
        let is_free = |(i, &(spot, len)): (usize, &(Spot, usize))| {
            !once[..i].iter().chain(&read).any(|&(other, other_len)| spot.meets(len, other, other_len))
        };
        assert!(once.iter().enumerate().all(is_free), "{spots:?} writes what it uses otherwise");
        Self {
            sizes,
            layout: sizes.layout(activation.as_ref()),
            lens,
            scratch_len,
            activation,
            mean,
            turned,
            keeps: descends == [true; 4] && params == results,
            spots,
        }
    }

    /// The buffer whose first element says whether it holds a copy of the parameters, if there is one. It must be 0 where
    /// these were changed from outside.
    pub(crate) fn copy_buffer(&self) -> Option<usize> {
        self.keeps.then_some(self.spots.scratch as usize)
    }

    /// Does it.
    ///
    /// # Panics
    /// Where a buffer is too short.
    pub(crate) fn run(&self, buffers: &mut [Vec<T>]) {
        let Self { sizes, layout, lens, mean, turned, keeps, .. } = *self;
        let mut at = |spot: Spot, len: usize| spot.pointer(len, buffers);
        let spots = &self.spots;
        let (cotangent, loss) = (at(spots.cotangent, 1), at(spots.loss, 1));
        let rate = match spots.rate {
            Rate::Number(rate) => rate,
            // SAFETY: `at` has seen an element there.
            Rate::At(spot) => unsafe { *at(spot, 1) },
        };
        let mut all = |spots: [Spot; 4]| std::array::from_fn(|k| at(spots[k], lens[k]));
        let results: [*mut T; 4] = all(spots.results);
        let params = if keeps { results } else { all(spots.params) };
        // SAFETY: `at` has seen an element there.
        let weight = unsafe { *cotangent };
        let step = Perceptron {
            sizes,
            activation: self.activation.as_ref(),
            layout,
            x: at(spots.x, sizes.rows * sizes.features),
            params: params.map(<*mut T>::cast_const),
            labels: at(spots.labels, sizes.rows),
            weight: if mean { weight / T::of_count(sizes.rows) } else { weight },
            results,
            rate,
            descends: spots.descends,
            turned,
            scratch: at(Spot::from(spots.scratch), self.scratch_len),
            keeps,
        };
        // SAFETY: the buffers are as long as the sizes say, which `at` asserted, and borrowed uniquely, and `new` found those
        // apart that must be. The lengths are products of sizes of nodes, which do not wrap: `Shape::elements` was asked
        // before a node was made.
        let total = unsafe { step.run(Level::best()) };
        let value = if mean { total / sizes.rows as f64 } else { total };
        // SAFETY: `at` has seen an element there.
        unsafe { *loss = T::of(value) };
    }
}
