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
    /// Training: the loss, its gradients, and a step of SGD.
    Net(Net),
    /// The mean of `σ(x)·tanh x + e^(−x²)` over this many elements, and its gradient. Nothing is updated.
    Elementwise(usize),
}

/// A net of affine layers with ReLU between them, trained by SGD on the mean softmax cross-entropy of one batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Net {
    /// The number of examples.
    pub(crate) batch: usize,
    /// Features, hidden widths, classes.
    pub(crate) sizes: &'static [usize],
}

impl Workload {
    const fn net(name: &'static str, batch: usize, sizes: &'static [usize]) -> Self {
        Self { name, task: Task::Net(Net { batch, sizes }) }
    }
}

/// All workloads: CS231n's toy network and spiral network, then sizes of digits, of MNIST, and a large one; and a chain
/// of element-wise functions.
pub(crate) const WORKLOADS: [Workload; 6] = [
    Workload::net("toy", 5, &[4, 10, 3]),
    Workload::net("spiral", 300, &[2, 100, 3]),
    Workload::net("digits", 32, &[64, 32, 10]),
    Workload::net("mnist", 128, &[784, 256, 10]),
    Workload::net("large", 512, &[784, 1024, 1024, 10]),
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
    /// `(W, b)` of each layer, `W` `[in, out]`.
    pub(crate) layers: Vec<(Vec<T>, Vec<T>)>,
    /// The step size of SGD.
    pub(crate) rate: T,
}

impl<T: Float> Problem<T> {
    /// The same numbers on every call.
    pub(crate) fn new(net: Net) -> Self {
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
        Self { net, x, labels, layers, rate: T::of(0.05) }
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
