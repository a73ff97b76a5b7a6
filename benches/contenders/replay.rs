//! The tape recorded once: a program that is run for each step.

use crate::closed::number::Number;
use crate::contenders::Contender;
use crate::contenders::eager::{Layer, layers};
use crate::contenders::problem::Problem;
use autograd::{Float, IndexVar, Outputs, Program, Tape, Tensor, Tree, Var, grad, update};

/// A network of `L` layers as two programs: gradients alone, and a whole step.
struct Replay<T: Float, const L: usize> {
    step: Program<T>,
    gradients: Program<T>,
    params: [Layer<Tensor<T>>; L],
    /// Whether `step` has moved on since `gradients` was given its parameters.
    moved: bool,
    x: Tensor<T>,
    labels: Vec<usize>,
    rate: Tensor<T>,
}

/// The recorded form of a problem of two or three layers.
pub(crate) fn replay<T: Number>(problem: &Problem<T>) -> Box<dyn Contender<T>> {
    match problem.layers.len() {
        2 => Box::new(Replay::<T, 2>::new(problem)),
        3 => Box::new(Replay::<T, 3>::new(problem)),
        layers => panic!("workloads have two or three layers, not {layers}"),
    }
}

fn loss<'t, T: Float, const L: usize>(
    net: &[Layer<Var<'t, T>>; L],
    x: Var<'t, T>,
    labels: IndexVar<'t, T>,
) -> Var<'t, T> {
    let mut o = x;
    for (l, layer) in net.iter().enumerate() {
        let z = o.matmul(layer.weight) + layer.bias;
        o = if l + 1 < L { z.relu() } else { z };
    }
    o.cross_entropy(&labels)
}

impl<T: Number, const L: usize> Replay<T, L> {
    fn new(problem: &Problem<T>) -> Self {
        let params: [Layer<Tensor<T>>; L] = layers(problem);
        let x = Tensor::new([problem.net.batch, problem.net.sizes[0]], problem.x.clone());
        let (labels, rate) = (problem.labels.clone(), Tensor::scalar(problem.rate));
        let step = Program::record(&params, &(&x, &labels, &rate), |_: &Tape<T>, net, (x, labels, rate)| {
            let loss = loss(&net, x, labels);
            (update(&net, &grad(loss, &net), |p, g| p - g * rate), vec![loss])
        });
        let gradients = Program::record(&params, &(&x, &labels), |_: &Tape<T>, net, (x, labels)| {
            let loss = loss(&net, x, labels);
            let grads = grad(loss, &net);
            let mut outputs = vec![loss];
            grads.visit(&mut |g| outputs.push(*g));
            (vec![], outputs)
        });
        let expect = "a net of affine layers has no branches";
        let (step, gradients) = (step.expect(expect), gradients.expect(expect));
        Self { step, gradients, params, moved: false, x, labels, rate }
    }

    /// The loss and the gradients at the present parameters.
    fn outputs(&mut self) -> Outputs<'_, T> {
        if self.moved {
            for name in self.params.names() {
                let value = self.step.state(&name).expect("both programs have the same state");
                self.gradients.set_state(&name, &value).expect("both programs have the same state");
            }
            self.moved = false;
        }
        self.gradients.run(&(&self.x, &self.labels)).expect("the inputs are those that were recorded")
    }
}

impl<T: Number, const L: usize> Contender<T> for Replay<T, L> {
    fn loss_and_grads(&mut self) -> T {
        self.outputs().item(0)
    }

    fn step(&mut self) -> T {
        self.moved = true;
        let outputs = self.step.run(&(&self.x, &self.labels, &self.rate));
        outputs.expect("the inputs are those that were recorded").item(0)
    }

    fn params(&self) -> Vec<T> {
        let names = self.params.names();
        let value = |name: &String| self.step.state(name).expect("the program has the parameters as its state");
        names.iter().flat_map(|name| value(name).to_vec()).collect()
    }

    fn grads(&mut self) -> Vec<T> {
        let outputs = self.outputs();
        (1..outputs.len()).flat_map(|k| outputs.slice(k).to_vec()).collect()
    }
}
