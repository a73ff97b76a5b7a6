//! The workloads, and the numbers that every contender starts from.

use autograd::Float;

/// What all contenders compute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload {
    /// Its name on the command line and in the reports.
    pub(crate) name: &'static str,
    /// What it is.
    pub(crate) task: Task,
}

/// A kind of workload.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Task {
    /// Training: the loss, its gradients, and a step of an optimiser.
    Net(Net),
    /// The mean of `σ(x)·tanh x + e^(−x²)` over this many elements, and its gradient. Nothing is updated.
    Elementwise(usize),
}

/// A net of affine layers with an activation between them, trained on the mean softmax cross-entropy of one batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Net {
    /// The number of examples.
    pub(crate) batch: usize,
    /// Features, hidden widths, classes.
    pub(crate) sizes: &'static [usize],
    /// What follows the affine map of each hidden layer.
    pub(crate) activation: Activation,
    /// `λ` of the term `λ/2 · Σ W²` over all weights that the loss has; 0 where it has none.
    pub(crate) penalty: f64,
    /// What a step does with the gradients.
    pub(crate) optimiser: Optimiser,
    /// How weights are stored.
    pub(crate) layout: Layout,
}

/// A function of each hidden node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    /// `max(z, 0)`
    Relu,
    /// `tanh z`
    Tanh,
    /// `1/(1 + e^(−z))`
    Sigmoid,
}

/// How parameters follow their gradients, as PyTorch defines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Optimiser {
    /// `p ← p − rate · g`
    Sgd,
    /// `v ← μ v + g`, `p ← p − rate · v`
    Momentum,
    /// At step `t = 1, 2, …`: `m ← β₁ m + (1 − β₁) g`, `v ← β₂ v + (1 − β₂) g²`,
    /// `p ← p − rate/(1 − β₁^t) · m / (√v / √(1 − β₂^t) + ε)`
    Adam,
}

/// The step size of nets that learn.
pub(crate) const LEARNING: f64 = 0.05;
/// That of nets whose steps are timed: they hardly move, so that all of millions of steps do the same work. A small net that has
/// learnt its batch has probabilities and gradients next to 0, whose arithmetic takes many times as long.
#[allow(dead_code, reason = "tests take a few steps")]
pub(crate) const HARDLY: f64 = 1e-7;

/// `μ`
pub(crate) const MOMENTUM: f64 = 0.9;
/// `β₁` and `β₂`
pub(crate) const BETAS: [f64; 2] = [0.9, 0.999];
/// `ε`
pub(crate) const EPSILON: f64 = 1e-8;

/// The order of a weight matrix's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `[in, out]`: a layer is `x W + b`.
    InOut,
    /// `[out, in]`, as PyTorch stores it: a layer is `x Wᵀ + b`.
    OutIn,
}

impl Net {
    /// Of ReLU and plain SGD.
    pub(crate) const fn new(batch: usize, sizes: &'static [usize]) -> Self {
        let (activation, optimiser, layout) = (Activation::Relu, Optimiser::Sgd, Layout::InOut);
        Self { batch, sizes, activation, penalty: 0.0, optimiser, layout }
    }
}

impl Workload {
    const fn net(name: &'static str, net: Net) -> Self {
        Self { name, task: Task::Net(net) }
    }
}

/// CS231n's toy network.
const TOY: Net = Net::new(5, &[4, 10, 3]);

/// All workloads: CS231n's toy network, and it with one thing changed; CS231n's spiral network, then sizes of digits, of
/// MNIST, and a large one; and a chain of element-wise functions.
pub(crate) const WORKLOADS: [Workload; 13] = [
    Workload::net("toy", TOY),
    Workload::net("toy-l2", Net { penalty: 1e-3, ..TOY }),
    Workload::net("toy-tanh", Net { activation: Activation::Tanh, ..TOY }),
    Workload::net("toy-sigmoid", Net { activation: Activation::Sigmoid, ..TOY }),
    Workload::net("toy-momentum", Net { optimiser: Optimiser::Momentum, ..TOY }),
    Workload::net("toy-adam", Net { optimiser: Optimiser::Adam, ..TOY }),
    Workload::net("toy-deep", Net { sizes: &[4, 10, 10, 3], ..TOY }),
    Workload::net("toy-transposed", Net { layout: Layout::OutIn, ..TOY }),
    Workload::net("spiral", Net::new(300, &[2, 100, 3])),
    Workload::net("digits", Net::new(32, &[64, 32, 10])),
    Workload::net("mnist", Net::new(128, &[784, 256, 10])),
    Workload::net("large", Net::new(512, &[784, 1024, 1024, 10])),
    Workload { name: "elementwise", task: Task::Elementwise(1_000_000) },
];

/// Examples, labels and initial parameters of a net.
#[derive(Clone, Debug)]
pub(crate) struct Problem<T> {
    /// What it is an instance of.
    pub(crate) net: Net,
    /// `X`, `[batch, features]`, in `[−1, 1)`.
    pub(crate) x: Vec<T>,
    /// One class for each example.
    pub(crate) labels: Vec<usize>,
    /// `(W, b)` of each layer, `W` as the layout says.
    pub(crate) layers: Vec<(Vec<T>, Vec<T>)>,
    /// The step size.
    pub(crate) rate: T,
}

impl<T: Float> Problem<T> {
    /// The same numbers on every call, with this step size.
    pub(crate) fn new(net: Net, rate: f64) -> Self {
        let mut random = Random(1);
        let sizes = net.sizes;
        let classes = sizes[sizes.len() - 1];
        let x = random.numbers(net.batch * sizes[0], 1.0);
        let labels = (0..net.batch).map(|_| (random.next() * classes as f64) as usize).collect();
        let layer = |w: &[usize]| {
            let scale = (6.0 / w[0] as f64).sqrt(); // He's bound for a uniform distribution before ReLU
            (random.numbers(w[0] * w[1], scale), random.numbers(w[1], 0.1))
        };
        let layers = sizes.windows(2).map(layer).collect();
        Self { net, x, labels, layers, rate: T::of(rate) }
    }
}

/// Points of the element-wise workload, on both sides and into the tails; the same on every call.
pub(crate) fn points<T: Float>(elements: usize) -> Vec<T> {
    Random(1).numbers(elements, 4.0)
}

/// A linear congruential generator (Knuth, MMIX): the speed does not depend on the quality of these numbers.
struct Random(u64);

impl Random {
    /// In `[0, 1)`.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// `n` numbers in `[−scale, scale)`.
    fn numbers<T: Float>(&mut self, n: usize, scale: f64) -> Vec<T> {
        (0..n).map(|_| T::of((2.0 * self.next() - 1.0) * scale)).collect()
    }
}
