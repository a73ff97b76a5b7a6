//! The numbers that every peer starts from, and the results that it has to come to.

use crate::closed::{closed_form, number};
use crate::contenders::problem::{self, LEARNING, Net, Task, WORKLOADS, Workload, points};
use crate::contenders::{Contender, contenders};

/// How many steps from the start a peer's losses are compared with the closed form's.
const COMPARED: usize = 5;

/// How many elements the element-wise program has.
pub const ELEMENTS: usize = 1_000_000;

mod sealed {
    /// What the closed forms' own trait does for the two types, without its name: it is private.
    pub trait Sealed: Sized {
        fn elements() -> Vec<Self>;
        fn gradients() -> Vec<(&'static str, super::Gradient<Self>)>;
        fn problem(workload: usize) -> Option<super::Problem<Self>>;
        fn steps(workload: usize) -> super::Steps;
    }
}

/// Functions that take a step and give its loss, with the names of who takes it.
type Steps = Vec<(&'static str, Box<dyn FnMut() -> f64>)>;

/// `f32` or `f64`.
pub trait Number: sealed::Sealed + Copy + Into<f64> + 'static {
    /// Its name in the reports.
    const NAME: &'static str;
    /// How far a loss may be from the closed form's, relatively: everyone sums in an order of their own.
    const TOLERANCE: f64;
}

macro_rules! number {
    ($t:ident, $tolerance:literal) => {
        impl sealed::Sealed for $t {
            fn elements() -> Vec<$t> {
                points(ELEMENTS)
            }
            fn gradients() -> Vec<(&'static str, Gradient<$t>)> {
                let workload = Workload { name: "elementwise", task: Task::Elementwise(ELEMENTS) };
                let named = |(name, contender)| (name, Gradient(contender));
                contenders(workload).into_iter().map(named).collect()
            }
            fn problem(workload: usize) -> Option<Problem<$t>> {
                match WORKLOADS[workload].task {
                    Task::Net(net) => Some(problem(WORKLOADS[workload].name, net)),
                    Task::Elementwise(_) => None,
                }
            }
            fn steps(workload: usize) -> Steps {
                steps::<$t>(workload)
            }
        }
        impl Number for $t {
            const NAME: &'static str = stringify!($t);
            const TOLERANCE: f64 = $tolerance;
        }
    };
}

number!(f32, 1e-4);
number!(f64, 1e-9);

/// A net of affine layers with ReLU between them, and its one batch; a step of SGD on the mean softmax cross-entropy.
#[derive(Clone, Debug)]
pub struct Problem<T> {
    /// Its name in the reports.
    pub name: &'static str,
    /// The number of examples.
    pub batch: usize,
    /// Features, hidden widths, classes.
    pub sizes: &'static [usize],
    /// The examples, `[batch, features]`, row-major.
    pub x: Vec<T>,
    /// One class for each example.
    pub labels: Vec<usize>,
    /// `(W, b)` of each layer, `W` `[in, out]`, row-major.
    pub layers: Vec<(Vec<T>, Vec<T>)>,
    /// The step size of SGD.
    pub rate: f64,
    /// The closed form's losses of the first steps: each before its update.
    pub losses: Vec<f64>,
}

/// All nets, smallest first.
pub fn problems<T: Number>() -> Vec<Problem<T>> {
    (0..WORKLOADS.len()).filter_map(T::problem).collect()
}

impl<T: Number> Problem<T> {
    /// The shape of each layer's weight, `[in, out]`.
    pub fn shapes(&self) -> impl Iterator<Item = [usize; 2]> + use<T> {
        self.sizes.windows(2).map(|pair| [pair[0], pair[1]])
    }

    /// What the root's benches compare, at the start: its name, and a function that takes a step and gives its loss.
    pub fn contenders(&self) -> Steps {
        let workload = WORKLOADS.iter().position(|workload| workload.name == self.name);
        T::steps(workload.expect("a problem is made from one of the workloads"))
    }
}

fn problem<T: number::Number>(name: &'static str, net: Net) -> Problem<T> {
    let start = problem::Problem::<T>::new(net, LEARNING);
    let mut closed = closed_form(&start);
    Problem {
        name,
        batch: net.batch,
        sizes: net.sizes,
        rate: start.rate.to_f64(),
        losses: (0..COMPARED).map(|_| closed.step().to_f64()).collect(),
        x: start.x,
        labels: start.labels,
        layers: start.layers,
    }
}

fn steps<T: number::Number>(workload: usize) -> Steps {
    let step = |mut contender: Box<dyn Contender<T>>| -> Box<dyn FnMut() -> f64> {
        Box::new(move || contender.step().to_f64())
    };
    contenders::<T>(WORKLOADS[workload], LEARNING).into_iter().map(|(name, contender)| (name, step(contender))).collect()
}

/// The elements of the element-wise programs, in `[−4, 4)`.
pub fn elements<T: Number>() -> Vec<T> {
    T::elements()
}

/// `sigmoid(x) · tanh(x) + exp(−x²)`, what the element-wise programs compute.
pub(crate) fn formula(x: f64) -> f64 {
    x.tanh() / (1.0 + (-x).exp()) + (-x * x).exp()
}

/// The slope of [`formula`].
pub(crate) fn slope(x: f64) -> f64 {
    let (sigmoid, tanh) = (1.0 / (1.0 + (-x).exp()), x.tanh());
    sigmoid * (1.0 - sigmoid) * tanh + sigmoid * (1.0 - tanh * tanh) - 2.0 * x * (-x * x).exp()
}

/// The mean of the element-wise formula with its gradient, as one of the root's contenders computes them.
pub struct Gradient<T>(Box<dyn Contender<T>>);

impl<T: Number> Gradient<T> {
    /// All of the root's contenders, with their names.
    pub fn contenders() -> Vec<(&'static str, Self)> {
        T::gradients()
    }

    /// Computes both, and gives the mean.
    pub fn run(&mut self) -> f64 {
        self.0.loss_and_grads().into()
    }

    /// The gradient.
    pub fn gradient(&mut self) -> Vec<T> {
        self.0.grads()
    }
}
