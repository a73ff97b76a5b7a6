//! Examples of different lengths: rows of steps, dealt out as batches that are filled up to one length.

use crate::data::batches::hold_size;
use crate::data::dataset::or_panic;
use crate::data::{Batch, Source, Target};
use crate::error::{Error, Kind};
use crate::random::{Purpose, stream};
use autograd::{Float, Tensor};
use rand::seq::SliceRandom;

/// Sequences of steps, each step of the same number of features, with what is to be learnt of each sequence or of each step.
///
/// ```
/// use autograd::Tensor;
/// use nn::data::{SequenceBatcher, Sequences, Source, Target, empty_batch};
/// # fn main() -> Result<(), nn::Error> {
/// let words = [Tensor::from_rows([[1.0], [2.0], [3.0]]), Tensor::from_rows([[4.0]])];
/// let data = Sequences::new(&words, Target::classes_of(&["long", "short"]));
/// assert_eq!((data.len(), data.width(), data.lengths()), (2, 1, vec![3, 1]));
///
/// let mut source = SequenceBatcher::new(&data, 2, 0);
/// source.shuffled = false;
/// let mut batch = empty_batch();
/// source.start(0)?;
/// assert!(source.next_into(&mut batch)?);
/// assert_eq!(batch.features, Tensor::new([2, 3, 1], vec![1.0, 2.0, 3.0, 4.0, 0.0, 0.0]));
/// assert_eq!(batch.mask, Some(Tensor::from_rows([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]])));
/// assert_eq!(batch.lengths(), [3, 1]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Sequences<T: Float = f64> {
    /// The steps of all sequences, one after the other, `[steps, width]`.
    steps: Tensor<T>,
    /// Where each sequence begins, and the end of the last one.
    starts: Vec<usize>,
    target: Target<T>,
    per_step: bool,
    weights: Option<Vec<f64>>,
}

impl<T: Float> Sequences<T> {
    /// Sequences `[length, width]`, and a target for each.
    ///
    /// # Panics
    /// Where a sequence is not a matrix, has no steps or another width than the first, a number is NaN or infinite, or there is not
    /// one target for each sequence.
    #[track_caller]
    pub fn new(sequences: &[Tensor<T>], target: Target<T>) -> Self {
        or_panic("Sequences::new", Self::try_new(sequences, target))
    }

    /// Sequences `[length, width]`, and a target for each step: as many rows as there are steps in all, those of the first
    /// sequence first.
    ///
    /// # Panics
    /// As [`Sequences::new`], of targets for each step.
    #[track_caller]
    pub fn per_step(sequences: &[Tensor<T>], target: Target<T>) -> Self {
        or_panic("Sequences::per_step", Self::try_per_step(sequences, target))
    }

    /// As [`Sequences::new`], for data that comes from outside.
    ///
    /// # Errors
    /// Where [`Sequences::new`] panics.
    pub fn try_new(sequences: &[Tensor<T>], target: Target<T>) -> Result<Self, Error> {
        Self::of(sequences, target, false)
    }

    /// As [`Sequences::per_step`], for data that comes from outside.
    ///
    /// # Errors
    /// Where [`Sequences::per_step`] panics.
    pub fn try_per_step(sequences: &[Tensor<T>], target: Target<T>) -> Result<Self, Error> {
        Self::of(sequences, target, true)
    }

    fn of(sequences: &[Tensor<T>], target: Target<T>, per_step: bool) -> Result<Self, Error> {
        let fault = |text: String| Err(Error::of(Kind::Data(text)));
        let width = sequences.first().and_then(|first| first.shape().get(1).copied()).unwrap_or(0);
        let (mut steps, mut starts) = (Vec::new(), vec![0]);
        for (i, sequence) in sequences.iter().enumerate() {
            let shape = sequence.shape();
            if shape.rank() != 2 || shape[0] == 0 || shape[1] != width {
                let width = if width > 0 { width.to_string() } else { "width".to_owned() };
                return fault(format!("sequence {i} has shape {shape}: [length, {width}] of 1 step or more is needed"));
            }
            if let Some(at) = sequence.as_slice().iter().position(|x| !x.is_finite()) {
                let (step, feature, x) = (at / width, at % width, sequence.as_slice()[at]);
                return fault(format!(
                    "expected finite numbers, found {x} in step {step}, feature {feature} of sequence {i} (counted from 0)"
                ));
            }
            steps.extend_from_slice(sequence.as_slice());
            starts.push(starts[i] + shape[0]);
        }
        let (n, total) = (sequences.len(), starts[sequences.len()]);
        let (needed, what) = if per_step { (total, "steps") } else { (n, "sequences") };
        if target.len() != needed {
            return fault(format!("{} targets do not fit {needed} {what}", target.len()));
        }
        target.check()?;
        Ok(Self { steps: Tensor::new([total, width], steps), starts, target, per_step, weights: None })
    }

    /// The same sequences, each counting as much as its weight says.
    ///
    /// # Panics
    /// Where there is not one weight for each sequence, or one is negative, NaN or infinite.
    #[track_caller]
    pub fn with_weights(self, weights: Vec<f64>) -> Self {
        let n = self.len();
        assert!(weights.len() == n, "with_weights: there are {} weights for {n} sequences", weights.len());
        if let Some(i) = weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
            panic!("with_weights: expected weights of 0 or more, found {} for sequence {i}", weights[i]);
        }
        Self { weights: Some(weights), ..self }
    }

    /// The number of sequences.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there are no sequences.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of features of a step.
    pub fn width(&self) -> usize {
        self.steps.shape()[1]
    }

    /// The number of steps of each sequence.
    pub fn lengths(&self) -> Vec<usize> {
        self.starts.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    /// A sequence, `[length, width]`.
    ///
    /// # Panics
    /// Where it does not exist.
    #[track_caller]
    pub fn sequence(&self, i: usize) -> Tensor<T> {
        self.hold_rows("sequence", &[i]);
        let (from, to, d) = (self.starts[i], self.starts[i + 1], self.width());
        Tensor::new([to - from, d], self.steps.as_slice()[from * d..to * d].to_vec())
    }

    /// What is to be learnt: of each sequence, or of each step of all.
    pub fn target(&self) -> &Target<T> {
        &self.target
    }

    /// Whether there is a target for each step.
    pub fn is_per_step(&self) -> bool {
        self.per_step
    }

    /// How much each sequence counts, where that was said.
    pub fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }

    /// Some of the sequences, in this order; one may come again. [`By`](crate::data::By) gives rows to train with and to hold out.
    ///
    /// # Panics
    /// Where one does not exist.
    #[track_caller]
    pub fn select(&self, rows: &[usize]) -> Self {
        self.hold_rows("select", rows);
        let steps: Vec<usize> = rows.iter().flat_map(|&row| self.starts[row]..self.starts[row + 1]).collect();
        let (d, all) = (self.width(), self.steps.as_slice());
        let mut starts = vec![0];
        for &row in rows {
            starts.push(starts[starts.len() - 1] + self.starts[row + 1] - self.starts[row]);
        }
        Self {
            steps: Tensor::from_fn([steps.len(), d], |i| all[steps[i / d] * d + i % d]),
            starts,
            target: self.target.select(if self.per_step { &steps } else { rows }),
            per_step: self.per_step,
            weights: self.weights.as_ref().map(|weights| rows.iter().map(|&row| weights[row]).collect()),
        }
    }

    /// Some sequences as a batch, filled up with `fill` to the longest of them: features `[m, steps, width]`, with the mask
    /// `[m, steps]`. A target for each step becomes values, or labels of 0 and 1, `[m, steps, k]`, or `m · steps` classes, those of
    /// the first sequence first; where the mask is 0, they are 0.
    ///
    /// # Panics
    /// Where a sequence does not exist.
    #[track_caller]
    pub fn batch(&self, rows: &[usize], fill: T) -> Batch<T> {
        self.hold_rows("batch", rows);
        let longest = rows.iter().map(|&row| self.starts[row + 1] - self.starts[row]).max();
        self.filled(rows, fill, longest.unwrap_or(0))
    }

    /// As [`Sequences::batch`], of rows that exist and so many steps, which are enough.
    fn filled(&self, rows: &[usize], fill: T, steps: usize) -> Batch<T> {
        let (m, d) = (rows.len(), self.width());
        // For each place of the batch, the step that stands there.
        let place = |i: usize| {
            let at = self.starts[rows[i / steps]] + i % steps;
            (at < self.starts[rows[i / steps] + 1]).then_some(at)
        };
        let places: Vec<Option<usize>> = (0..m * steps).map(place).collect();
        let spread = |tensor: &Tensor<T>, fill: T| {
            let (k, all) = (tensor.shape()[1], tensor.as_slice());
            Tensor::from_fn([m, steps, k], |i| places[i / k].map_or(fill, |step| all[step * k + i % k]))
        };
        let target = match &self.target {
            target if !self.per_step => target.select(rows),
            Target::Classes { labels, names } => Target::Classes {
                labels: places.iter().map(|place| place.map_or(0, |step| labels[step])).collect(),
                names: names.clone(),
            },
            Target::Labels { values, names } => {
                Target::Labels { values: spread(values, T::ZERO), names: names.clone() }
            }
            Target::Values { values, names } => {
                Target::Values { values: spread(values, T::ZERO), names: names.clone() }
            }
        };
        let real = |i: usize| if places[i].is_some() { T::ONE } else { T::ZERO };
        Batch {
            features: Tensor::from_fn([m, steps, d], |i| {
                places[i / d].map_or(fill, |step| self.steps.as_slice()[step * d + i % d])
            }),
            target,
            weights: self.weights.as_ref().map(|all| Tensor::from_fn([m], |i| T::of(all[rows[i]]))),
            mask: Some(Tensor::from_fn([m, steps], real)),
            indices: None,
            rows: rows.to_vec(),
        }
    }

    #[track_caller]
    fn hold_rows(&self, function: &str, rows: &[usize]) {
        let n = self.len();
        if let Some(row) = rows.iter().find(|&&row| row >= n) {
            panic!("{function}: sequence {row} is not one of {n}");
        }
    }
}

/// Sequences as a [`Source`] of batches, each filled up to its longest sequence, in an order that depends on the seed and the
/// epoch.
///
/// ```
/// use nn::data::{SequenceBatcher, Source, empty_batch, synthetic::sine_waves};
/// # fn main() -> Result<(), nn::Error> {
/// let waves = sine_waves::<f64>(100, 3..=40, 0.0, 0);
/// let mut source = SequenceBatcher::new(&waves, 16, 0);
/// source.bucketed = true;
/// let mut batch = empty_batch();
/// let (mut real, mut all) = (0, 0);
/// source.start(0)?;
/// while source.next_into(&mut batch)? {
///     real += batch.lengths().iter().sum::<usize>();
///     all += batch.features.numel();
/// }
/// assert!(real as f64 > 0.85 * all as f64); // little is filled up
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SequenceBatcher<'a, T: Float = f64> {
    /// The sequences.
    pub data: &'a Sequences<T>,
    /// How many a batch has.
    pub size: usize,
    /// Decides the order.
    pub seed: u64,
    /// Whether the order is random, else it is that of the rows (of lengths, where batches are bucketed).
    pub shuffled: bool,
    /// Whether sequences of nearly the same length come together, so that little is filled up; the batches are in random order,
    /// and so are sequences of the same length.
    pub bucketed: bool,
    /// Whether a batch that is smaller than the others is left out.
    pub drop_last: bool,
    /// What the places after the end of a sequence hold, 0 at first.
    pub fill: T,
    /// Batches are filled up to a multiple of so many steps, 1 at first: few shapes are few programs.
    pub multiple: usize,
    batches: Vec<Vec<usize>>,
    done: usize,
}

impl<'a, T: Float> SequenceBatcher<'a, T> {
    /// All sequences, shuffled; the last batch has what is left.
    ///
    /// # Panics
    /// Where the size is 0.
    #[track_caller]
    pub fn new(data: &'a Sequences<T>, size: usize, seed: u64) -> Self {
        assert!(size > 0, "SequenceBatcher::new: batches of 1 sequence or more are needed, not of 0");
        Self {
            data,
            size,
            seed,
            shuffled: true,
            bucketed: false,
            drop_last: false,
            fill: T::ZERO,
            multiple: 1,
            batches: Vec::new(),
            done: usize::MAX,
        }
    }

    /// The rows of each batch of an epoch.
    fn arranged(&self, epoch: u32) -> Vec<Vec<usize>> {
        let rng = &mut stream(self.seed, Purpose::Epoch(epoch));
        let mut order: Vec<usize> = (0..self.data.len()).collect();
        if self.shuffled {
            order.shuffle(rng);
        }
        if self.bucketed {
            // Stable: those of one length stay shuffled.
            order.sort_by_key(|&row| self.data.starts[row + 1] - self.data.starts[row]);
        }
        let size = self.size.max(1);
        let mut batches: Vec<Vec<usize>> = order.chunks(size).map(<[usize]>::to_vec).collect();
        if self.drop_last {
            batches.retain(|batch| batch.len() == size);
        }
        if self.bucketed && self.shuffled {
            batches.shuffle(rng);
        }
        batches
    }
}

impl<T: Float> Source<T> for SequenceBatcher<'_, T> {
    fn start(&mut self, epoch: u32) -> Result<(), Error> {
        (self.batches, self.done) = (self.arranged(epoch), 0);
        Ok(())
    }

    fn next_into(&mut self, batch: &mut Batch<T>) -> Result<bool, Error> {
        hold_size("SequenceBatcher", self.size)?;
        if self.done == usize::MAX {
            self.start(0)?;
        }
        let Some(rows) = self.batches.get(self.done) else { return Ok(false) };
        let longest = rows.iter().map(|&row| self.data.starts[row + 1] - self.data.starts[row]).max().unwrap_or(0);
        *batch = self.data.filled(rows, self.fill, longest.next_multiple_of(self.multiple.max(1)));
        self.done += 1;
        Ok(true)
    }

    fn batches(&self) -> Option<usize> {
        let (n, size) = (self.data.len(), self.size.max(1));
        Some(if self.drop_last { n / size } else { n.div_ceil(size) })
    }

    fn skip(&mut self, batches: usize) -> Result<(), Error> {
        if self.done == usize::MAX {
            self.start(0)?;
        }
        self.done = self.done.saturating_add(batches).min(self.batches.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests;
