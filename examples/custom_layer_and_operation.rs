//! A layer and an operation of one's own, on the same footing as those of the library: both are trained beside its layers, and the checker
//! holds their derivatives to differences, at orders 1 and 2, on a tape and in a program.
//!
//! `cargo run --release --example custom_layer_and_operation`
//!
//! The layer is a gated linear unit (Dauphin et al., "Language modeling with gated convolutional networks", 2017). The operation is the
//! entropic risk of losses, `log mean exp(t l) / t`, a mean in which the worst examples count most (Föllmer and Schied, 2002).

use autograd::check::{Checker, Verdict};
use autograd::{Float, Op, Program, Reason, Reduction, Shape, Tape, Tensor, Tree, Var, View, ViewMut, grad, tree};
use nn::data::{Batcher, Csv, IRIS_CSV, Standardiser};
use nn::layers::{LayerNorm, Sequential};
use nn::train::Learner;
use nn::{Activation, Adam, Context, Dataset, Init, Linear, accuracy, generator};
use rand::Rng;
use std::error::Error;

/// `(W x + b) · σ(V x + c)`. A struct whose fields are parameters, or layers, and a forward pass: that is all a layer is.
#[derive(Clone)]
struct Gated<V> {
    value: Linear<V>,
    gate: Linear<V>,
}
tree!(Gated { value, gate });

impl<T: Float> Gated<Tensor<T>> {
    fn new(sizes: [usize; 2], rng: &mut impl Rng) -> Self {
        let init = Init::XavierUniform { gain: 1.0 };
        Self { value: Linear::new(sizes, init, rng), gate: Linear::new(sizes, init, rng) }
    }
}

impl<'t, T: Float> Gated<Var<'t, T>> {
    #[track_caller] // what does not fit is told at the line of the caller
    fn forward(&self, x: Var<'t, T>) -> Var<'t, T> {
        self.value.forward(x) * self.gate.forward(x).sigmoid()
    }
}

/// It stands beside the library's layers in a struct, which is a layer again.
#[derive(Clone)]
struct Net<V> {
    first: Gated<V>,
    norm: LayerNorm<V>,
    rest: Sequential<V>,
}
tree!(Net { first, norm, rest });

impl<'t, T: Float> Net<Var<'t, T>> {
    #[track_caller]
    fn forward(&self, x: Var<'t, T>, context: &Context<'t, T>) -> Var<'t, T> {
        self.rest.forward(self.norm.forward(self.first.forward(x)), context)
    }
}

/// `log mean exp(t x) / t` over all elements of `x`: between their mean, of `t → 0`, and the largest, of `t → ∞`.
#[derive(Debug)]
struct EntropicRisk {
    t: f64,
}

impl<T: Float> Op<T, 1> for EntropicRisk {
    fn name(&self) -> &'static str {
        "entropic_risk"
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        // All that can be wrong is told here.
        if x.numel() > 0 { Ok(Shape::from([])) } else { Err(Reason::shape("one element or more is needed")) }
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        // The largest is taken out, so that no exponential overflows.
        let largest = x.data.iter().fold(f64::NEG_INFINITY, |most, x| most.max(x.to_f64()));
        let sum: f64 = x.data.iter().map(|x| (self.t * (x.to_f64() - largest)).exp()).sum();
        y.data[0] = T::of(largest + (sum / x.data.len() as f64).ln() / self.t);
    }
    /// `dx = dy · softmax(t x)`, in operations of variables, so that it is differentiated in turn.
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t, T>; 1], _: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        let share = (x * self.t).reshape([x.numel()]).softmax(0).reshape(x.shape());
        Some(dy * share)
    }
}

/// The values of an expression of its inputs, its gradients, and gradients of those: derivatives of the orders 1 and 2.
fn derivatives<'t>(f: impl Fn(&[Var<'t>]) -> Var<'t>, x: &[Var<'t>]) -> Vec<Var<'t>> {
    let y = f(x);
    let first = grad(y.sum(), x);
    let squares = first.iter().map(|gradient| gradient.square().sum()).reduce(|a, b| a + b);
    let second = squares.map(|squares| grad(squares, x)).unwrap_or_default();
    [vec![y], first, second].concat()
}

/// Holds the derivatives of an expression to differences, and those in a program to those of the tape, bit for bit.
fn check<F>(name: &str, at: &[Tensor], f: F) -> Result<(), Box<dyn Error>>
where
    F: for<'t> Fn(&[Var<'t>]) -> Var<'t>,
{
    let report = Checker { orders: 2, ..Checker::default() }.check(&f, at);
    let tape = Tape::new();
    let x: Vec<Var<'_>> = at.iter().map(|x| tape.var(x)).collect();
    let of_tape = tape.values(&derivatives(&f, &x));
    let mut program = Program::record(&(), &at, |_, (), x| (vec![], derivatives(&f, &x)))?;
    let of_program = program.run(&at)?;
    let same = of_tape.iter().enumerate().all(|(i, of_tape)| *of_tape == of_program.tensor(i));
    println!("{name}: {}the bits of the program are {}those of the tape", report, if same { "" } else { "not " });
    if report.verdict() == Verdict::Pass && same { Ok(()) } else { Err(format!("{name} is not right").into()) }
}

fn main() -> Result<(), Box<dyn Error>> {
    let rng = &mut generator(0);
    check("entropic risk", &[Tensor::from([0.3, -1.0, 2.0, 0.7])], |x| {
        x[0].tape().apply(EntropicRisk { t: 2.0 }, [x[0]])
    })?;

    let layer = Gated::new([3, 2], rng);
    let x = Init::Normal { mean: 0.0, std: 1.0 }.sample([4, 3], rng);
    let inputs: Vec<Tensor> = [&x].into_iter().chain(layer.leaves()).cloned().collect();
    check("gated layer", &inputs, |inputs| {
        let mut leaves = inputs[1..].iter();
        let layer = layer.map(&mut |_| *leaves.next().expect("an input for each leaf"));
        layer.forward(inputs[0])
    })?;

    let iris: Dataset = Csv::new("species").parse("iris.csv", IRIS_CSV)?;
    let (train, test) = iris.split_stratified(1.0 / 3.0, 0);
    let scale = Standardiser::fit(&train);
    let (train, test) = (scale.apply(&train), scale.apply(&test));
    let rest =
        Sequential::new([Activation::Tanh.into(), Linear::new([8, 3], Init::XavierUniform { gain: 1.0 }, rng).into()]);
    let net = Net { first: Gated::new([4, 8], rng), norm: LayerNorm::new([8]), rest };
    println!("parameters: {}", net.names().join(", "));
    let mut learner = Learner::new(net, Adam::new(0.01), |net, batch| {
        let losses = net.forward(batch.features, &batch.context).cross_entropy_with(&batch.labels(), Reduction::None);
        losses.tape().apply(EntropicRisk { t: 1.0 }, [losses])
    });
    let mut batches = Batcher::new(&train, 16, 0);
    for epoch in 0..30 {
        learner.epoch(&mut batches, epoch)?;
    }
    let tape = Tape::new();
    let scores = tape.vars(learner.net()).forward(tape.var(test.features()), &Context::evaluating()).value();
    let right = accuracy(&scores, test.labels());
    println!("{:.1} % of the flowers that it never saw are named rightly", 100.0 * right);
    if right < 0.85 {
        return Err("85 % should be".into());
    }
    Ok(())
}
