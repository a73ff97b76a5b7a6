//! The tape recorded once: a program that is run for each step.

use crate::closed::number::Number;
use crate::contenders::Contender;
use crate::contenders::net::{Layer, layers, loss};
use crate::contenders::problem::{BETAS, EPSILON, MOMENTUM, Net, Optimiser, Problem};
use autograd::{Float, Outputs, Program, ProgramError, Tape, Tensor, Tree, Var, grad, update};

/// A network of `L` layers as two programs: gradients alone, and a whole step.
struct Replay<T: Float, const L: usize> {
    step: Program<T>,
    gradients: Program<T>,
    /// Of each parameter, in the state of `step` and of `gradients`.
    names: Vec<(String, String)>,
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

/// What is given to a whole step: examples, labels, rate.
type Batch<'a, T> = (&'a Tensor<T>, &'a Vec<usize>, &'a Tensor<T>);

/// The program of a step, and what the parameters' names in its state begin with.
fn record_step<T: Number, const L: usize>(
    spec: Net,
    params: &[Layer<Tensor<T>>; L],
    batch: &Batch<'_, T>,
) -> (Result<Program<T>, ProgramError>, &'static str) {
    let params = params.clone();
    let zeros = Tree::map(&params, &mut |p: &Tensor<T>| Tensor::zeros(p.shape()));
    match spec.optimiser {
        Optimiser::Sgd => {
            let program = Program::record(&params, batch, |_: &Tape<T>, net, (x, labels, rate)| {
                let loss = loss(spec, &net, x, &labels);
                (update(&net, &grad(loss, &net), |p, g| p - g * rate), vec![loss])
            });
            (program, "")
        }
        Optimiser::Momentum => {
            let program =
                Program::record(&(params, zeros), batch, |_: &Tape<T>, (net, velocity), (x, labels, rate)| {
                    let loss = loss(spec, &net, x, &labels);
                    let velocity = update(&velocity, &grad(loss, &net), |v, g| v.mul_scalar(MOMENTUM) + g);
                    let net = update(&net, &velocity, |p, v| p - v * rate);
                    ([net, velocity].concat(), vec![loss])
                });
            (program, "0.")
        }
        Optimiser::Adam => {
            let state = (params, zeros.clone(), zeros, Tensor::scalar(T::ZERO));
            let program = Program::record(&state, batch, |_: &Tape<T>, (net, m, v, t), (x, labels, rate)| {
                let loss = loss(spec, &net, x, &labels);
                let (net, [m, v, t]) = adam(&net, &grad(loss, &net), (&m, &v, t), rate);
                ([net, m, v, t].concat(), vec![loss])
            });
            (program, "0.")
        }
    }
}

/// The parameters, the moments and the number of steps after a step of Adam.
fn adam<'t, T: Float, P: Tree<Leaf = Var<'t, T>>>(
    net: &P,
    grads: &P,
    (m, v, t): (&P, &P, Var<'t, T>),
    rate: Var<'t, T>,
) -> (Vec<Var<'t, T>>, [Vec<Var<'t, T>>; 3]) {
    let [beta1, beta2] = BETAS;
    let t = t.add_scalar(1.0);
    let [missing1, missing2] = BETAS.map(|beta| t.mul_scalar(beta.ln()).expm1().neg());
    let (rate, scale) = (rate / missing1, missing2.sqrt().reciprocal());
    let m = update(m, grads, |m, g| m.mul_scalar(beta1) + g.mul_scalar(1.0 - beta1));
    let v = update(v, grads, |v, g| v.mul_scalar(beta2) + g.square().mul_scalar(1.0 - beta2));
    let moves = update(&m, &v, |m, v| rate * m / (v.sqrt() * scale).add_scalar(EPSILON));
    (update(net, &moves, |p, d| p - d), [m, v, vec![t]])
}

impl<T: Number, const L: usize> Replay<T, L> {
    fn new(problem: &Problem<T>) -> Self {
        let params: [Layer<Tensor<T>>; L] = layers(problem);
        let spec = problem.net;
        let x = Tensor::new([problem.net.batch, problem.net.sizes[0]], problem.x.clone());
        let (labels, rate) = (problem.labels.clone(), Tensor::scalar(problem.rate));
        let (step, prefix) = record_step(spec, &params, &(&x, &labels, &rate));
        let gradients = Program::record(&params, &(&x, &labels), |_: &Tape<T>, net, (x, labels)| {
            let loss = loss(spec, &net, x, &labels);
            let grads = grad(loss, &net);
            let mut outputs = vec![loss];
            grads.visit(&mut |g| outputs.push(*g));
            (vec![], outputs)
        });
        let expect = "a net of affine layers has no branches";
        let (step, gradients) = (step.expect(expect), gradients.expect(expect));
        let names = params.names();
        let names = names.into_iter().map(|name| (format!("{prefix}{name}"), name)).collect();
        Self { step, gradients, names, moved: false, x, labels, rate }
    }

    /// The loss and the gradients at the present parameters.
    fn outputs(&mut self) -> Outputs<'_, T> {
        if self.moved {
            for (name, own) in &self.names {
                let value = self.step.state(name).expect("both programs have the parameters");
                self.gradients.set_state(own, &value).expect("both programs have the parameters");
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
        let value = |name: &String| self.step.state(name).expect("the program has the parameters as its state");
        self.names.iter().flat_map(|(name, _)| value(name).to_vec()).collect()
    }

    fn grads(&mut self) -> Vec<T> {
        let outputs = self.outputs();
        (1..outputs.len()).flat_map(|k| outputs.slice(k).to_vec()).collect()
    }
}
