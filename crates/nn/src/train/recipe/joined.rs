//! Several nets as one.

use crate::{Linear, Mlp};
use autograd::{Float, Tensor};

/// The mean of nets of the same sizes, which have a hidden layer or more: one net, where the hidden nodes of each stand beside those of
/// the others.
pub(super) fn joined<T: Float>(nets: &[Mlp<Tensor<T>>]) -> Mlp<Tensor<T>> {
    let first = nets.first().expect("there is a net");
    if nets.len() == 1 {
        return first.clone();
    }
    let layers = (0..first.layers.len()).map(|depth| layer(nets, depth)).collect();
    Mlp { layers, activation: first.activation }
}

fn layer<T: Float>(nets: &[Mlp<Tensor<T>>], depth: usize) -> Linear<Tensor<T>> {
    let all: Vec<&Linear<Tensor<T>>> = nets.iter().map(|net| &net.layers[depth]).collect();
    let (k, share) = (all.len(), T::ONE / T::of(all.len() as f64));
    let [rows, columns] = all[0].weight.shape()[..] else { panic!("a weight is a matrix") };
    let (is_first, is_last) = (depth == 0, depth + 1 == nets[0].layers.len());
    // The inputs are the same for all nets, and so are the outputs, of which the mean is taken.
    let (height, width) = (if is_last { rows } else { k * rows }, if is_first { columns } else { k * columns });
    let weight = Tensor::from_fn([height, width], |i| {
        let (row, column) = (i / width, i % width);
        let (of_row, of_column) = (row / rows, column / columns);
        let of = |net: usize| all[net].weight.as_slice()[(row % rows) * columns + column % columns];
        match (is_first, is_last) {
            (true, _) => of(of_row),
            (false, true) => of(of_column) * share,
            (false, false) if of_row == of_column => of(of_row),
            (false, false) => T::ZERO,
        }
    });
    let biases: Vec<&[T]> = all.iter().filter_map(|layer| layer.bias.as_ref()).map(Tensor::as_slice).collect();
    let bias = if biases.is_empty() {
        None
    } else if is_last {
        let mean = |i: usize| biases.iter().fold(T::ZERO, |sum, bias| sum + bias[i]) * share;
        Some(Tensor::from_fn([rows], mean))
    } else {
        Some(Tensor::from(biases.concat()))
    };
    Linear { weight, bias }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Activation;

    #[test]
    fn it_predicts_the_mean_of_its_nets() {
        for sizes in [&[3, 5, 2][..], &[3, 4, 6, 2], &[1, 2, 2, 2, 1]] {
            let nets: Vec<Mlp<Tensor>> = (0..3).map(|seed| Mlp::new(sizes, Activation::Tanh, seed)).collect();
            let x = Tensor::from_fn([7, sizes[0]], |i| (i as f64).sin());
            let each: Vec<Tensor> = nets.iter().map(|net| net.predict(&x)).collect();
            let got = joined(&nets).predict(&x);
            for (i, got) in got.as_slice().iter().enumerate() {
                let mean = each.iter().map(|y| y.as_slice()[i]).sum::<f64>() / 3.0;
                approx::assert_relative_eq!(*got, mean, max_relative = 1e-12, epsilon = 1e-14);
            }
        }
        let one: Mlp<Tensor> = Mlp::new(&[3, 2], Activation::Identity, 0);
        assert_eq!(joined(std::slice::from_ref(&one)), one);
    }
}
