//! The tape as a user writes it: each step records, differentiates, computes, and updates.

use crate::closed::number::Number;
use crate::contenders::Contender;
use crate::contenders::net::{Layer, layers, loss};
use crate::contenders::problem::{BETAS, EPSILON, MOMENTUM, Net, Optimiser, Problem};
use autograd::{Float, Tape, Tensor, Tree};

/// A network of `L` layers on a tape.
struct Eager<T: Float, const L: usize> {
    net: Net,
    tape: Tape<T>,
    params: [Layer<Tensor<T>>; L],
    grads: Option<[Layer<Tensor<T>>; L]>,
    /// The velocity is the first, Adam has both.
    moments: [[Layer<Tensor<T>>; L]; 2],
    steps: i32,
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

impl<T: Number, const L: usize> Eager<T, L> {
    fn new(problem: &Problem<T>) -> Self {
        let (n, sizes) = (problem.net.batch, problem.net.sizes);
        let params: [Layer<Tensor<T>>; L] = layers(problem);
        let zeros = Tree::map(&params, &mut |p: &Tensor<T>| Tensor::zeros(p.shape()));
        Self {
            net: problem.net,
            tape: Tape::default(),
            params,
            grads: None,
            moments: [zeros.clone(), zeros],
            steps: 0,
            x: Tensor::new([n, sizes[0]], problem.x.clone()),
            labels: problem.labels.clone(),
            rate: problem.rate,
        }
    }

    fn value_and_grad(&mut self) -> (T, [Layer<Tensor<T>>; L]) {
        let Self { net, tape, params, x, labels, .. } = self;
        tape.value_and_grad(params, |tape, layers| loss(*net, &layers, tape.var(x), labels))
    }

    /// The update of all parameters.
    fn update(&mut self, grads: &[Layer<Tensor<T>>; L]) {
        let Self { rate, params, moments: [first, second], .. } = self;
        let adam = AdamStep::new(*rate, self.steps + 1);
        let moments = first.iter_mut().zip(second);
        for ((layer, grads), (first, second)) in params.iter_mut().zip(grads).zip(moments) {
            let weight = (&mut layer.weight, &grads.weight, &mut first.weight, &mut second.weight);
            let bias = (&mut layer.bias, &grads.bias, &mut first.bias, &mut second.bias);
            for (param, grad, first, second) in [weight, bias] {
                match self.net.optimiser {
                    Optimiser::Sgd => descend(*rate, param, grad),
                    Optimiser::Momentum => descend_with_momentum(*rate, param, grad, first),
                    Optimiser::Adam => adam.descend(param, grad, first, second),
                }
            }
        }
        self.steps += 1;
    }

    fn flat(layers: &[Layer<Tensor<T>>; L]) -> Vec<T> {
        layers.leaves().into_iter().flat_map(Tensor::to_vec).collect()
    }
}

fn descend<T: Float>(rate: T, param: &mut Tensor<T>, grad: &Tensor<T>) {
    for (p, &g) in param.as_mut_slice().iter_mut().zip(grad.as_slice()) {
        *p -= rate * g;
    }
}

fn descend_with_momentum<T: Float>(rate: T, param: &mut Tensor<T>, grad: &Tensor<T>, velocity: &mut Tensor<T>) {
    let kept = T::of(MOMENTUM);
    let velocity = velocity.as_mut_slice().iter_mut();
    for ((p, &g), v) in param.as_mut_slice().iter_mut().zip(grad.as_slice()).zip(velocity) {
        *v = kept * *v + g;
        *p -= rate * *v;
    }
}

/// What a step of Adam has in common for all parameters.
struct AdamStep<T> {
    rate: T,
    scale: T,
}

impl<T: Float> AdamStep<T> {
    fn new(rate: T, step: i32) -> Self {
        let [first, second] = BETAS.map(|beta| 1.0 - beta.powi(step));
        Self { rate: T::of(rate.to_f64() / first), scale: T::of(1.0 / second.sqrt()) }
    }

    fn descend(&self, param: &mut Tensor<T>, grad: &Tensor<T>, first: &mut Tensor<T>, second: &mut Tensor<T>) {
        let ([kept1, kept2], [new1, new2]) = (BETAS.map(T::of), BETAS.map(|beta| T::of(1.0 - beta)));
        let moments = first.as_mut_slice().iter_mut().zip(second.as_mut_slice());
        for ((p, &g), (m, v)) in param.as_mut_slice().iter_mut().zip(grad.as_slice()).zip(moments) {
            *m = kept1 * *m + new1 * g;
            *v = kept2 * *v + new2 * g * g;
            *p -= self.rate * *m / (v.sqrt() * self.scale + T::of(EPSILON));
        }
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
        self.update(&grads);
        loss
    }

    fn params(&self) -> Vec<T> {
        Self::flat(&self.params)
    }

    fn grads(&mut self) -> Vec<T> {
        Self::flat(self.grads.as_ref().expect("loss_and_grads ran before"))
    }
}
