//! The multi-layer perceptron.

use crate::layers::{Activation, Linear};
use crate::random::generator;
use autograd::{Float, Tape, Tensor, Var, tree};

/// A multi-layer perceptron: affine layers with an activation between each two, and none after the last.
///
/// ```
/// use autograd::{Tape, Tensor, Tree, grad};
/// use nn::{Activation, Mlp};
/// let model: Mlp<Tensor> = Mlp::new(&[2, 8, 3], Activation::Tanh, 0);
/// assert_eq!(model.names(), ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"]);
///
/// let tape = Tape::new();
/// let net = tape.vars(&model); // Mlp<Var>
/// let scores = net.forward(tape.var(&Tensor::ones([5, 2])));
/// assert_eq!(scores.shape()[..], [5, 3]);
/// let grads = grad(scores.cross_entropy(&[0, 1, 2, 0, 1]), &net); // Mlp<Var>
/// assert_eq!(grads.layers[0].weight.shape()[..], [8, 2]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Mlp<V> {
    /// The layers, from the input on.
    pub layers: Vec<Linear<V>>,
    /// What stands between them.
    pub activation: Activation,
}
tree!(Mlp { layers, ..activation });

impl<T: Float> Mlp<Tensor<T>> {
    /// A net with layers of these sizes, from the inputs to the outputs, and weights from a seed: each layer has the
    /// initialiser of what follows it (see [`Activation::init`]), the biases are 0.
    ///
    /// # Panics
    /// Where there are not two sizes at least, one is 0, or two are too large for any buffer, or for the memory.
    #[track_caller]
    #[inline(never)]
    pub fn new(sizes: &[usize], activation: Activation, seed: u64) -> Self {
        assert!(
            sizes.len() >= 2,
            "Mlp::new: two sizes or more are needed, of the inputs and of the outputs, not {sizes:?}"
        );
        assert!(!sizes.contains(&0), "Mlp::new: sizes of 1 or more are needed, not {sizes:?}");
        let rng = &mut generator(seed);
        let last = sizes.len() - 2;
        let mut layers = Vec::with_capacity(last + 1);
        // In a closure, a panic would be told at its line.
        for (i, pair) in sizes.windows(2).enumerate() {
            let follows = if i == last { Activation::Identity } else { activation };
            match Linear::try_new("Mlp::new", [pair[0], pair[1]], follows.init(), rng) {
                Ok(layer) => layers.push(layer),
                Err(error) => panic!("Mlp::new: {error}"),
            }
        }
        Self { layers, activation }
    }

    /// The outputs `[n, out]` for a batch `[n, in]`, on a tape of its own.
    ///
    /// # Panics
    /// Where the rows of `x` do not have the size of the inputs, at the caller's line.
    #[track_caller]
    #[inline(never)]
    pub fn predict(&self, x: &Tensor<T>) -> Tensor<T> {
        let tape = Tape::default();
        let (net, x) = (tape.vars(self), tape.var(x));
        let _whole = tape.composite("Mlp::predict", net.operands(x));
        tape.values(&net.forward(x))
    }
}

impl<'t, T: Float> Mlp<Var<'t, T>> {
    /// From a batch `[n, in]` to `[n, out]`, recorded.
    ///
    /// # Panics
    /// Where a shape does not fit, at the caller's line.
    #[track_caller]
    #[inline(never)]
    pub fn forward(&self, x: Var<'t, T>) -> Var<'t, T> {
        let _whole = x.tape().composite("Mlp::forward", self.operands(x));
        let mut y = x;
        for (i, layer) in self.layers.iter().enumerate() {
            if i > 0 {
                y = self.activation.apply(y);
            }
            y = layer.forward(y);
        }
        y
    }

    /// What errors show the shapes of: the batch and the weights.
    fn operands(&self, x: Var<'t, T>) -> impl Iterator<Item = Var<'t, T>> {
        std::iter::once(x).chain(self.layers.iter().map(|layer| layer.weight))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use autograd::{Tree, grad};

    #[test]
    fn it_is_the_formula_of_its_layers() {
        let net: Mlp<Tensor> = Mlp::new(&[3, 5, 4, 2], Activation::Tanh, 1);
        let x = Tensor::from_fn([2, 3], |i| i as f64 / 3.0 - 0.8);
        let mut rows: Vec<Vec<f64>> = x.as_slice().chunks(3).map(<[f64]>::to_vec).collect();
        for (depth, layer) in net.layers.iter().enumerate() {
            let [fan_out, fan_in] = layer.weight.shape()[..] else { panic!("a weight is a matrix") };
            for row in &mut rows {
                let affine = |j| (0..fan_in).map(|i| row[i] * layer.weight.at([j, i])).sum::<f64>();
                *row = (0..fan_out).map(affine).map(|y: f64| if depth < 2 { y.tanh() } else { y }).collect();
            }
        }
        for (got, want) in net.predict(&x).as_slice().iter().zip(rows.concat()) {
            approx::assert_relative_eq!(*got, want, max_relative = 1e-12);
        }
    }

    #[test]
    fn gradients_are_slopes() {
        let mut net: Mlp<Tensor> = Mlp::new(&[2, 4, 3], Activation::Gelu, 2);
        let (x, labels) = (Tensor::from_rows([[0.3, -1.2], [0.7, 0.1]]), [2, 0]);
        let tape = Tape::new();
        let vars = tape.vars(&net);
        let grads = tape.values(&grad(vars.forward(tape.var(&x)).cross_entropy(&labels), &vars));
        let grads: Vec<f64> = grads.leaves().iter().flat_map(|g| g.to_vec()).collect();
        let loss = |net: &Mlp<Tensor>| {
            let tape = Tape::new();
            tape.vars(net).forward(tape.var(&x)).cross_entropy(&labels).item()
        };
        let h = 1e-5;
        let mut k = 0;
        for leaf in 0..net.leaves().len() {
            for i in 0..net.leaves()[leaf].numel() {
                let mut at = |step: f64| {
                    net.leaves_mut()[leaf].as_mut_slice()[i] += step;
                    loss(&net)
                };
                let slope = (at(h) - at(-2.0 * h)) / (2.0 * h);
                at(h);
                approx::assert_relative_eq!(grads[k], slope, max_relative = 1e-6, epsilon = 1e-9);
                k += 1;
            }
        }
        assert_eq!(k, grads.len());
    }

    #[test]
    fn sizes_that_no_buffer_has_are_named() {
        let net = || Mlp::<Tensor<f64>>::new(&[239_075_442, 77_158_673_929], Activation::Relu, 0);
        let text = std::panic::catch_unwind(net).unwrap_err().downcast::<String>().unwrap();
        assert!(text.starts_with("Mlp::new: from_fn: [77158673929, 239075442] is too large"), "{text}");
        assert!(text.contains("mlp.rs:"), "{text}");
    }

    #[test]
    fn a_seed_gives_one_net() {
        let net = |seed| Mlp::<Tensor<f32>>::new(&[4, 8, 3], Activation::Relu, seed);
        assert_eq!(net(5), net(5));
        assert_ne!(net(5), net(6));
        assert_ne!(net(5).layers[0].weight.as_slice()[0], net(5).layers[1].weight.as_slice()[0]);
    }

    #[test]
    fn a_shape_error_names_the_callers_line() {
        let tape = Tape::new();
        let net = tape.vars(&Mlp::new(&[2, 3, 2], Activation::Relu, 0));
        let x = tape.var(&Tensor::<f64>::ones([1, 5]));
        let line = line!() + 1;
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| net.forward(x))).unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(
            text.starts_with("Mlp::forward: inner sizes differ: 5 and 2 (shapes [1, 5], [3, 2] and [2, 3])"),
            "{text}"
        );
        assert!(text.contains(&format!("mlp.rs:{line}:")), "{text}");
    }
}
