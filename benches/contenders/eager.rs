//! The tape as a user writes it: each step records, differentiates, computes, and updates.

use crate::closed::number::Number;
use crate::contenders::Contender;
use crate::contenders::problem::Problem;
use autograd::{Float, Tape, Tensor, tree};

/// One affine layer: its parameters, variables or gradients.
pub(crate) struct Layer<V> {
    pub(crate) weight: V,
    pub(crate) bias: V,
}
tree!(Layer { weight, bias });

/// A network of `L` layers on a tape.
struct Eager<T: Float, const L: usize> {
    tape: Tape<T>,
    params: [Layer<Tensor<T>>; L],
    grads: Option<[Layer<Tensor<T>>; L]>,
    x: Tensor<T>,
    labels: Vec<usize>,
    rate: T,
}

/// The tape's form of a problem of two or three layers.
pub(crate) fn eager<T: Number>(problem: &Problem<T>) -> Box<dyn Contender<T>> {
    match problem.layers.len() {
        2 => Box::new(Eager::<T, 2>::new(problem)),
        3 => Box::new(Eager::<T, 3>::new(problem)),
        layers => panic!("workloads have two or three layers, not {layers}"),
    }
}

/// The parameters of a problem of `L` layers.
pub(crate) fn layers<T: Number, const L: usize>(problem: &Problem<T>) -> [Layer<Tensor<T>>; L] {
    let sizes = problem.net.sizes;
    std::array::from_fn(|l| {
        let (weight, bias) = &problem.layers[l];
        Layer {
            weight: Tensor::new([sizes[l], sizes[l + 1]], weight.clone()),
            bias: Tensor::new([sizes[l + 1]], bias.clone()),
        }
    })
}

impl<T: Number, const L: usize> Eager<T, L> {
    fn new(problem: &Problem<T>) -> Self {
        let (n, sizes) = (problem.net.batch, problem.net.sizes);
        Self {
            tape: Tape::default(),
            params: layers(problem),
            grads: None,
            x: Tensor::new([n, sizes[0]], problem.x.clone()),
            labels: problem.labels.clone(),
            rate: problem.rate,
        }
    }

    fn value_and_grad(&mut self) -> (T, [Layer<Tensor<T>>; L]) {
        let Self { tape, params, x, labels, .. } = self;
        tape.value_and_grad(params, |tape, layers| {
            let mut o = tape.var(x);
            for (l, layer) in layers.iter().enumerate() {
                let z = o.matmul(layer.weight) + layer.bias;
                o = if l + 1 < L { z.relu() } else { z };
            }
            o.cross_entropy(labels)
        })
    }

    fn flat(layers: &[Layer<Tensor<T>>; L]) -> Vec<T> {
        layers.iter().flat_map(|layer| [&layer.weight, &layer.bias]).flat_map(Tensor::to_vec).collect()
    }
}

fn descend<T: Float>(rate: T, param: &mut Tensor<T>, grad: &Tensor<T>) {
    for (p, &dp) in param.as_mut_slice().iter_mut().zip(grad.as_slice()) {
        *p -= rate * dp;
    }
}

impl<T: Number, const L: usize> Contender<T> for Eager<T, L> {
    fn loss_and_grads(&mut self) -> T {
        let (loss, grads) = self.value_and_grad();
        self.grads = Some(grads);
        loss
    }

    fn step(&mut self) -> T {
        let (loss, grads) = self.value_and_grad();
        for (layer, grads) in self.params.iter_mut().zip(&grads) {
            descend(self.rate, &mut layer.weight, &grads.weight);
            descend(self.rate, &mut layer.bias, &grads.bias);
        }
        loss
    }

    fn params(&self) -> Vec<T> {
        Self::flat(&self.params)
    }

    fn grads(&mut self) -> Vec<T> {
        Self::flat(self.grads.as_ref().expect("loss_and_grads ran before"))
    }
}
