//! A step of a net on buffers of a program.
#![expect(unsafe_code, reason = "the kernel reads and writes buffers by pointers")]

use super::{Activation, Layout, Perceptron, Sizes};
use crate::kernels::finish::Rate;
use crate::number::Number;
use crate::number::level::Level;

/// Which buffers of a program a step works on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Buffers<T> {
    pub(crate) x: usize,
    /// `W1`, `b1`, `W2` and `b2`.
    pub(crate) params: [usize; 4],
    pub(crate) labels: usize,
    /// The cotangent of the loss.
    pub(crate) cotangent: usize,
    pub(crate) loss: usize,
    /// Gradients of the parameters, or their next values, each in its parameter's buffer or in one of its own.
    pub(crate) results: [usize; 4],
    pub(crate) rate: Rate<T, usize>,
    /// Which of them are next values; the rate is that of these.
    pub(crate) descends: [bool; 4],
    /// [`Sizes::scratch`] elements for the step alone.
    pub(crate) scratch: usize,
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
    buffers: Buffers<T>,
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
        buffers: Buffers<T>,
    ) -> Self {
        let Buffers { x, params, labels, cotangent, loss, results, rate, descends, scratch } = buffers;
        let mut once = vec![loss, scratch];
        once.extend(results);
        let mut read = vec![x, labels, cotangent];
        read.extend(if let Rate::At(buffer) = rate { Some(buffer) } else { None });
        // A parameter is read before it is written over.
        read.extend((0..4).filter(|&k| !descends[k] || params[k] != results[k]).map(|k| params[k]));
        let is_free = |(i, buffer): (usize, &usize)| !once[..i].contains(buffer) && !read.contains(buffer);
        assert!(once.iter().enumerate().all(is_free), "{buffers:?} writes what it uses otherwise");
        Self {
            sizes,
            layout: sizes.layout(activation.as_ref()),
            lens: sizes.params(),
            scratch_len: sizes.scratch(activation.as_ref()),
            activation,
            mean,
            turned,
            keeps: descends == [true; 4] && params == results,
            buffers,
        }
    }

    /// The buffer whose first element says whether it holds a copy of the parameters, if there is one. It must be 0 where
    /// these were changed from outside.
    pub(crate) fn copy_buffer(&self) -> Option<usize> {
        self.keeps.then_some(self.buffers.scratch)
    }

    /// Does it.
    ///
    /// # Panics
    /// Where a buffer is too short.
    pub(crate) fn run(&self, buffers: &mut [Vec<T>]) {
        let Self { sizes, layout, lens, mean, turned, keeps, .. } = *self;
        let mut at = |buffer: usize, len: usize| {
            let buffer = &mut buffers[buffer];
            assert!(buffer.len() >= len, "a buffer of {len} elements is needed, not of {}", buffer.len());
            buffer.as_mut_ptr()
        };
        let (cotangent, loss) = (at(self.buffers.cotangent, 1), at(self.buffers.loss, 1));
        let rate = match self.buffers.rate {
            Rate::Number(rate) => rate,
            // SAFETY: `at` has seen an element there.
            Rate::At(buffer) => unsafe { *at(buffer, 1) },
        };
        let mut all = |places: [usize; 4]| std::array::from_fn(|k| at(places[k], lens[k]));
        let results: [*mut T; 4] = all(self.buffers.results);
        let params = if keeps { results } else { all(self.buffers.params) };
        // SAFETY: `at` has seen an element there.
        let weight = unsafe { *cotangent };
        let step = Perceptron {
            sizes,
            activation: self.activation.as_ref(),
            layout,
            x: at(self.buffers.x, sizes.rows * sizes.features),
            params: params.map(<*mut T>::cast_const),
            labels: at(self.buffers.labels, sizes.rows),
            weight: if mean { weight / T::of_count(sizes.rows) } else { weight },
            results,
            rate,
            descends: self.buffers.descends,
            turned,
            scratch: at(self.buffers.scratch, self.scratch_len),
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
