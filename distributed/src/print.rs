//! Fingerprints, by which ranks find out that they have not the same.

use autograd::{Float, Tensor, Tree};
use nn::data::{Batch, Target};

/// A fingerprint of words.
#[derive(Clone, Copy)]
pub(crate) struct Print(u64);

impl Print {
    pub(crate) fn new() -> Self {
        Self(0x243f_6a88_85a3_08d3)
    }

    pub(crate) fn word(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 32;
    }

    pub(crate) fn numbers<T: Float>(&mut self, numbers: &[T]) {
        for x in numbers {
            self.word(x.to_f64().to_bits());
        }
    }

    pub(crate) fn value(self) -> u64 {
        self.0
    }
}

/// Of the numbers of a net.
pub(crate) fn of_net<T: Float>(net: &impl Tree<Leaf = Tensor<T>>) -> u64 {
    let mut print = Print::new();
    net.visit(&mut |leaf| {
        print.word(leaf.numel() as u64);
        print.numbers(leaf.as_slice());
    });
    print.value()
}

/// Of a batch: its size, its rows, what is to be learnt, and its first and last example, so that it costs little.
pub(crate) fn of_batch<T: Float>(batch: &Batch<T>) -> u64 {
    let mut print = Print::new();
    let mut ends = |tensor: &Tensor<T>| {
        tensor.shape().iter().for_each(|&size| print.word(size as u64));
        let width = tensor.numel() / batch.len().max(1);
        print.numbers(&tensor.as_slice()[..width]);
        print.numbers(&tensor.as_slice()[tensor.numel() - width..]);
    };
    ends(&batch.features);
    match &batch.target {
        Target::Labels { values, .. } | Target::Values { values, .. } => ends(values),
        Target::Classes { .. } => (),
    }
    [&batch.weights, &batch.mask].into_iter().flatten().for_each(ends);
    for &index in batch.indices.iter().flatten() {
        print.word(index as u64);
    }
    if let Target::Classes { labels, .. } = &batch.target {
        for &label in labels {
            print.word(label as u64);
        }
    }
    batch.rows.iter().for_each(|&row| print.word(row as u64));
    print.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_told_from_others() {
        let batch = |x: f64, label: usize| {
            let target = Target::Classes { labels: vec![0, label], names: vec![] };
            Batch::new(Tensor::from_rows([[1.0], [x]]), target)
        };
        assert_eq!(of_batch(&batch(2.0, 1)), of_batch(&batch(2.0, 1)));
        assert_ne!(of_batch(&batch(2.0, 1)), of_batch(&batch(3.0, 1)));
        assert_ne!(of_batch(&batch(2.0, 1)), of_batch(&batch(2.0, 0)));
        let rows = Batch { rows: vec![4, 5], ..batch(2.0, 1) };
        assert_ne!(of_batch(&rows), of_batch(&batch(2.0, 1)));
    }

    #[test]
    fn a_net_is_told_from_one_that_differs_in_the_last_bit_of_a_number_or_in_its_sign() {
        let print = |x: f64| of_net(&vec![Tensor::from([1.0, x])]);
        assert_eq!(print(2.0), print(2.0));
        assert_ne!(print(2.0), print(2.0_f64.next_up()));
        assert_ne!(print(0.0), print(-0.0));
    }
}
