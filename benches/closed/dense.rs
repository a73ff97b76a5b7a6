//! Layers of any size on preallocated buffers: matrix products by the GEMM crate, everything else in fused passes.
//!
//! A step writes no gradient of a weight matrix at all: the update is the last operation of the product that makes
//! the gradient, `W ← W − rate · Oᵀ dZ`.

use crate::closed::level::Level;
use crate::closed::number::{Matrix, Number, Store};
use crate::closed::passes::{BiasRelu, Descend, MaskSum, SoftmaxCrossEntropy};
use crate::contenders::Contender;
use crate::contenders::problem::Problem;

/// A network of affine layers with ReLU between them, whose last layer gives scores of `K` classes.
pub(crate) struct Dense<T, const K: usize> {
    layers: Vec<Layer<T>>,
    /// The examples and a class for each.
    x: Vec<T>,
    labels: Vec<usize>,
    rate: T,
    level: Level,
}

/// Parameters, their gradients, and what the backward pass reads of the forward pass.
struct Layer<T> {
    inputs: usize,
    outputs: usize,
    w: Vec<T>,
    b: Vec<T>,
    dw: Vec<T>,
    db: Vec<T>,
    /// The layer's output after its ReLU; scores in the last layer.
    o: Vec<T>,
    /// The loss differentiated with respect to what comes before the ReLU.
    dz: Vec<T>,
}

/// What becomes of the gradient of the parameters.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    Keep,
    Update,
}

impl<T: Number, const K: usize> Dense<T, K> {
    /// The network and the data of a problem with `K` classes.
    pub(crate) fn new(problem: &Problem<T>) -> Self {
        let (n, sizes) = (problem.net.batch, problem.net.sizes);
        assert_eq!(sizes.last(), Some(&K), "the problem has the classes of the network");
        let layer = |((w, b), size): (&(Vec<T>, Vec<T>), &[usize])| Layer {
            inputs: size[0],
            outputs: size[1],
            w: w.clone(),
            b: b.clone(),
            dw: w.clone(),
            db: b.clone(),
            o: vec![T::ZERO; n * size[1]],
            dz: vec![T::ZERO; n * size[1]],
        };
        Self {
            layers: problem.layers.iter().zip(sizes.windows(2)).map(layer).collect(),
            x: problem.x.clone(),
            labels: problem.labels.clone(),
            rate: problem.rate,
            level: Level::detect(),
        }
    }

    /// The mean loss; the activations and the gradient of the scores stay in the layers.
    fn forward(&mut self) -> T {
        let n = self.labels.len();
        let last = self.layers.len() - 1;
        for l in 0..=last {
            let (before, rest) = self.layers.split_at_mut(l);
            let Layer { inputs, outputs, w, b, db, o, dz, .. } = &mut rest[0];
            let input = before.last().map_or(&self.x, |layer| &layer.o);
            let (a, w) = (Matrix::new(input, n, *inputs), Matrix::new(w, *inputs, *outputs));
            T::multiply((n, *inputs, *outputs), a, w, o, Store::Set);
            if l == last {
                return self.level.run(SoftmaxCrossEntropy::<T, K> { s: o, b, labels: &self.labels, ds: dz, db });
            }
            self.level.run(BiasRelu { z: o, b });
        }
        unreachable!("a network has a layer")
    }

    /// From the gradient of the scores to those of all parameters.
    fn backward(&mut self, then: Then) {
        let n = self.labels.len();
        for l in (0..self.layers.len()).rev() {
            let (before, rest) = self.layers.split_at_mut(l);
            let Layer { inputs, outputs, w, b, dw, db, dz, .. } = &mut rest[0];
            let dz = Matrix::new(dz, n, *outputs);
            let input = match before.last_mut() {
                None => &self.x,
                Some(below) => {
                    T::multiply(
                        (n, *outputs, *inputs),
                        dz,
                        Matrix::new(w, *inputs, *outputs).t(),
                        &mut below.dz,
                        Store::Set,
                    );
                    self.level.run(MaskSum { dz: &mut below.dz, o: &below.o, db: &mut below.db });
                    &below.o
                }
            };
            let o = Matrix::new(input, n, *inputs).t();
            match then {
                Then::Keep => T::multiply((*inputs, n, *outputs), o, dz, dw, Store::Set),
                Then::Update => {
                    T::multiply((*inputs, n, *outputs), o, dz, w, Store::Add(-self.rate));
                    self.level.run(Descend { params: b, grads: db, rate: self.rate });
                }
            }
        }
    }

    fn flat<'a>(&'a self, parts: impl Fn(&'a Layer<T>) -> [&'a Vec<T>; 2]) -> Vec<T> {
        self.layers.iter().flat_map(parts).flatten().copied().collect()
    }
}

impl<T: Number, const K: usize> Contender<T> for Dense<T, K> {
    fn loss_and_grads(&mut self) -> T {
        let loss = self.forward();
        self.backward(Then::Keep);
        loss
    }

    fn step(&mut self) -> T {
        let loss = self.forward();
        self.backward(Then::Update);
        loss
    }

    fn params(&self) -> Vec<T> {
        self.flat(|layer| [&layer.w, &layer.b])
    }

    fn grads(&mut self) -> Vec<T> {
        self.flat(|layer| [&layer.dw, &layer.db])
    }
}
