//! A batch in shards: how it is cut, what each shard counts, and which rank computes it.

use autograd::{Float, Tensor};
use nn::data::{Batch, Target};
use std::ops::Range;

/// The rows of each shard, as even as can be; where there are fewer rows than shards, some are empty.
pub(crate) fn cut(rows: usize, shards: usize) -> Vec<Range<usize>> {
    (0..shards).map(|shard| shard * rows / shards..(shard + 1) * rows / shards).collect()
}

/// What a shard counts in the mean over the batch: the sum of the weights of its examples, the number of examples where they have none, and
/// for sequences with a target for each step, the number of steps that are real, by weight. It is what
/// [`BatchVars::loss`](nn::data::BatchVars::loss) divides by, so that the loss of a batch is the mean of those of its shards by this.
///
/// ```
/// use autograd::Tensor;
/// use nn::data::{Batch, Target};
/// let mut batch = Batch::new(Tensor::zeros([3, 2]), Target::value("y", &[0.0, 1.0, 2.0]));
/// assert_eq!(nn_mpi::weight(&batch), 3.0);
/// batch.weights = Some(Tensor::from([1.0, 0.5, 0.0]));
/// assert_eq!(nn_mpi::weight(&batch), 1.5);
/// ```
pub fn weight<T: Float>(batch: &Batch<T>) -> f64 {
    weight_of(batch, 0..batch.len())
}

/// What some rows of a batch count.
pub(crate) fn weight_of<T: Float>(batch: &Batch<T>, rows: Range<usize>) -> f64 {
    let of_example = |row: usize| batch.weights.as_ref().map_or(1.0, |weights| weights.as_slice()[row].to_f64());
    let Some(mask) = batch.mask.as_ref().filter(|mask| has_target_for_each_step(batch, mask)) else {
        return rows.map(of_example).sum();
    };
    let real = |row: usize| {
        let steps = scaled(&(row..row + 1), mask.numel(), batch.len());
        mask.as_slice()[steps].iter().map(|x| x.to_f64()).sum::<f64>()
    };
    rows.map(|row| of_example(row) * real(row)).sum()
}

fn has_target_for_each_step<T: Float>(batch: &Batch<T>, mask: &Tensor<T>) -> bool {
    match &batch.target {
        Target::Classes { labels, .. } => labels.len() == mask.numel() && mask.numel() != batch.len(),
        Target::Labels { values, .. } | Target::Values { values, .. } => values.shape().rank() == 3,
    }
}

/// Some rows of a batch.
pub(crate) fn part<T: Float>(batch: &Batch<T>, rows: Range<usize>) -> Batch<T> {
    let of = |tensor: &Tensor<T>| {
        let mut shape = tensor.shape().to_vec();
        shape[0] = rows.len();
        Tensor::new(shape, tensor.as_slice()[scaled(&rows, tensor.numel(), batch.len())].to_vec())
    };
    let target = match &batch.target {
        Target::Classes { labels, names } => {
            let labels = labels[scaled(&rows, labels.len(), batch.len())].to_vec();
            Target::Classes { labels, names: names.clone() }
        }
        Target::Labels { values, names } => Target::Labels { values: of(values), names: names.clone() },
        Target::Values { values, names } => Target::Values { values: of(values), names: names.clone() },
    };
    Batch {
        features: of(&batch.features),
        target,
        weights: batch.weights.as_ref().map(of),
        mask: batch.mask.as_ref().map(of),
        indices: batch.indices.as_ref().map(|all| all[scaled(&rows, all.len(), batch.len())].to_vec()),
        rows: batch.rows.get(rows.clone()).unwrap_or(&[]).to_vec(),
    }
}

/// Where rows lie among so many numbers of all rows.
fn scaled(rows: &Range<usize>, numbers: usize, all: usize) -> Range<usize> {
    let width = numbers / all.max(1);
    rows.start * width..rows.end * width
}

/// What is wrong with a batch that cannot be cut.
pub(crate) fn complaint<T: Float>(batch: &Batch<T>) -> Option<String> {
    let n = batch.len();
    if n == 0 {
        return Some("a batch of 1 example or more is needed, not of 0".into());
    }
    let of_examples = |tensor: &Tensor<T>| tensor.shape().first() == Some(&n);
    let targets = match &batch.target {
        Target::Classes { labels, .. } if labels.len().is_multiple_of(n) && !labels.is_empty() => None,
        Target::Classes { labels, .. } => Some(labels.len()),
        Target::Labels { values, .. } | Target::Values { values, .. } if of_examples(values) => None,
        Target::Labels { .. } | Target::Values { .. } => Some(batch.target.len()),
    };
    if let Some(found) = targets {
        return Some(format!("a batch of {n} examples has {found} targets"));
    }
    if let Some(indices) = batch.indices.as_ref().filter(|all| !all.len().is_multiple_of(n)) {
        return Some(format!("a batch of {n} examples has {} indices", indices.len()));
    }
    let misfit = |tensor: &&Tensor<T>| !of_examples(tensor);
    let beside = [("weights", &batch.weights), ("a mask", &batch.mask)];
    let wrong = beside.into_iter().find_map(|(name, tensor)| Some((name, tensor.as_ref().filter(misfit)?)));
    wrong.map(|(name, tensor)| format!("a batch of {n} examples has {name} of shape {}", tensor.shape()))
}

/// The shares of shards in the whole, which add up to 1; those of shards without examples are 0.
pub(crate) fn shares(weights: &[f64], rows: &[Range<usize>]) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    if total > 0.0 && total.is_finite() {
        return weights.iter().map(|weight| weight / total).collect();
    }
    // Nothing counts, or weights are no numbers: the loss will tell.
    let count: usize = rows.iter().map(Range::len).sum();
    rows.iter().map(|rows| rows.len() as f64 / count as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_all_rows_in_order_and_even() {
        for (rows, shards) in [(0, 1), (1, 4), (5, 4), (512, 4), (10, 3), (7, 7), (3, 100)] {
            let cut = cut(rows, shards);
            assert_eq!(cut.len(), shards);
            assert_eq!(cut.iter().cloned().flatten().collect::<Vec<_>>(), (0..rows).collect::<Vec<_>>());
            let sizes = || cut.iter().map(Range::len);
            assert!(sizes().max().unwrap() - sizes().min().unwrap() <= 1);
        }
    }

    #[test]
    fn a_part_has_the_rows_of_all_that_a_batch_has() {
        let batch = Batch {
            weights: Some(Tensor::from([1.0, 2.0, 3.0])),
            mask: Some(Tensor::from_rows([[1.0, 0.0], [1.0, 1.0], [1.0, 0.0]])),
            rows: vec![7, 8, 9],
            indices: Some((0..6).collect()),
            ..Batch::new(
                Tensor::from_fn([3, 2, 1], |i| i as f64),
                Target::Classes { labels: vec![0, 1, 2, 3, 4, 5], names: vec![] },
            )
        };
        let part = part(&batch, 1..3);
        assert_eq!((part.features.shape().to_vec(), part.features.to_vec()), (vec![2, 2, 1], vec![2.0, 3.0, 4.0, 5.0]));
        assert_eq!(part.target, Target::Classes { labels: vec![2, 3, 4, 5], names: vec![] });
        assert_eq!(part.weights.as_ref().unwrap().to_vec(), [2.0, 3.0]);
        assert_eq!(part.mask.as_ref().unwrap().to_vec(), [1.0, 1.0, 1.0, 0.0]);
        assert_eq!(part.indices, Some(vec![2, 3, 4, 5]));
        assert_eq!(part.rows, [8, 9]);
        assert_eq!((weight(&part), weight_of(&batch, 1..3)), (2.0 * 2.0 + 3.0 * 1.0, 2.0 * 2.0 + 3.0 * 1.0));
    }

    #[test]
    fn shares_add_up_to_one_also_where_nothing_counts() {
        assert_eq!(shares(&[1.0, 3.0], &[0..1, 1..2]), [0.25, 0.75]);
        assert_eq!(shares(&[0.0, 0.0], &[0..1, 1..4]), [0.25, 0.75]);
        assert_eq!(shares(&[f64::NAN, 0.0], &[0..1, 1..4]), [0.25, 0.75]);
    }

    #[test]
    fn what_cannot_be_cut_is_told() {
        let batch = |n: usize, labels: Vec<usize>| {
            Batch::new(Tensor::<f64>::zeros([n, 1]), Target::Classes { labels, names: vec![] })
        };
        assert_eq!(complaint(&batch(2, vec![0, 1])), None);
        assert_eq!(complaint(&batch(2, vec![0, 1, 0, 1])), None);
        assert!(complaint(&batch(0, vec![])).unwrap().contains("not of 0"));
        assert_eq!(complaint(&batch(2, vec![0])).unwrap(), "a batch of 2 examples has 1 targets");
        let weights = Batch { weights: Some(Tensor::zeros([3])), ..batch(2, vec![0, 1]) };
        let indices = batch(2, vec![0, 1]).with_indices(vec![1, 2, 3]);
        assert_eq!(complaint(&indices).unwrap(), "a batch of 2 examples has 3 indices");
        assert_eq!(complaint(&weights).unwrap(), "a batch of 2 examples has weights of shape [3]");
    }
}
