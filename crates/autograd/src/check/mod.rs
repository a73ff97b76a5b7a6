//! A checker of derivatives that is hard to fool: yours, and ours.
//!
//! It compares three things at every order: reverse mode, forward mode, and differences of high order whose error is
//! estimated, entry by entry of the Jacobian, relative to the scale of its block. It does not pass what it could not
//! measure.

mod difference;
mod report;

pub use report::{Finding, Report, Unsure, Verdict};

use crate::diff::forward::jvp;
use crate::diff::jacobian::{by_columns, by_rows};
use crate::diff::reverse::vjp;
use crate::ops::concat::concat;
use crate::tape::Tape;
use crate::tape::kink::Kink;
use crate::tape::tree::Tree;
use crate::tape::var::Var;
use crate::tensor::Tensor;
use crate::tensor::shape::Shape;
use difference::{Estimate, along};

/// What to check, and how strictly.
///
/// ```
/// use autograd::check::{Checker, Verdict};
/// use autograd::Tensor;
/// let report = Checker::default().check(
///     |x| (x[0] * x[1].exp()).sum(),
///     &[Tensor::from([1.0, 2.0]), Tensor::from([0.5, -1.0])],
/// );
/// assert_eq!(report.verdict(), Verdict::Pass, "{report}");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Checker {
    /// The highest order of derivative to check; every lower one is checked too.
    pub orders: usize,
    /// How far an entry may be off, relative to the largest entry of its block of the Jacobian.
    pub tolerance: f64,
    /// The seed of cotangents and directions.
    pub seed: u64,
    /// Up to this many input elements the whole Jacobian is compared, above it random projections.
    pub full_up_to: usize,
    /// How many projections are compared for larger inputs.
    pub projections: usize,
}

impl Default for Checker {
    fn default() -> Self {
        Self { orders: 2, tolerance: 1e-8, seed: 0, full_up_to: 64, projections: 8 }
    }
}

/// A stream of numbers for cotangents and directions (`SplitMix64`, Steele et al. 2014): no dependency, any seed.
#[derive(Clone)]
pub(crate) struct Stream(u64);

impl Stream {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Evenly in `[low, high)`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A magnitude in `[0.5, 2)` of either sign: never near zero, never one, no two alike.
    fn signed(&mut self) -> f64 {
        let magnitude = self.between(0.5, 2.0);
        if self.next() & 1 == 0 { magnitude } else { -magnitude }
    }

    fn tensor(&mut self, shape: &Shape) -> Tensor {
        Tensor::from_fn(shape.clone(), |_| self.signed())
    }
}

/// A function that records an expression of its inputs; the checker calls it on many tapes.
pub trait Function: for<'t> Fn(&[Var<'t>]) -> Var<'t> {}
impl<F: for<'t> Fn(&[Var<'t>]) -> Var<'t>> Function for F {}

impl Checker {
    /// Checks the derivatives of a function at these inputs: every entry of the Jacobian in reverse and in forward
    /// mode against differences, at each order along random cotangents; zero cotangents; every input alone; and, where
    /// two inputs have one shape, both as one variable.
    ///
    /// # Panics
    /// Where the function panics, or there are no inputs.
    pub fn check(&self, f: impl Function, inputs: &[Tensor]) -> Report {
        let mut report = Report::default();
        for order in 1..=self.orders {
            self.check_order(&f, inputs, order, "", &mut report);
        }
        self.check_zero_and_subsets(&f, inputs, &mut report);
        for (i, a) in inputs.iter().enumerate() {
            for (j, b) in inputs.iter().enumerate().skip(i + 1) {
                if a.shape() == b.shape() {
                    let aliased = Aliased { f: &f, i, j };
                    let one_fewer: Vec<Tensor> =
                        inputs.iter().enumerate().filter(|(k, _)| *k != j).map(|(_, t)| t.clone()).collect();
                    let name = format!("inputs {i} and {j} as one: ");
                    self.check_order(&|x: &[Var<'_>]| aliased.call(x), &one_fewer, 1, &name, &mut report);
                }
            }
        }
        report
    }

    /// As [`Checker::check`], of a function of a structure, such as a net: its leaves are the inputs, and what is found is told by their names.
    ///
    /// ```
    /// use autograd::check::{Checker, Verdict};
    /// use autograd::{Tensor, tree};
    ///
    /// tree! {
    ///     struct Line<V> {
    ///         slope: V,
    ///         offset: V,
    ///     }
    /// }
    ///
    /// let line = Line { slope: Tensor::scalar(2.0), offset: Tensor::scalar(1.0) };
    /// let report = Checker::default().check_tree(|_, line| (line.slope * 3.0 + line.offset).square(), &line);
    /// assert_eq!(report.verdict(), Verdict::Pass, "{report}");
    /// ```
    ///
    /// # Panics
    /// As [`Checker::check`].
    pub fn check_tree<P: Tree<Leaf = Tensor>>(
        &self,
        f: impl for<'t> Fn(&'t Tape, &P::With<Var<'t>>) -> Var<'t>,
        inputs: &P,
    ) -> Report {
        let leaves: Vec<Tensor> = inputs.leaves().into_iter().cloned().collect();
        let of = OfTree { f, inputs };
        self.check(|x: &[Var<'_>]| of.call(x), &leaves).with_names(inputs.names())
    }

    /// The function whose Jacobian is the derivative of this order: the gradient of order − 1 along cotangents drawn
    /// anew at each order, its parts flattened and joined.
    fn derived<'t>(&self, f: &impl Function, x: &[Var<'t>], order: usize) -> Var<'t> {
        let mut stream = Stream::new(self.seed);
        let mut y = f(x);
        let wrt: Vec<Var<'t>> = x.to_vec();
        for _ in 1..order {
            let dy = y.tape().var(&stream.tensor(&y.shape()));
            let parts: Vec<Var<'t>> = vjp(y, &wrt, dy).into_iter().map(|g| g.reshape([g.numel()])).collect();
            y = concat(&parts, 0);
        }
        y.reshape([y.numel()])
    }

    fn check_order(&self, f: &impl Function, inputs: &[Tensor], order: usize, name: &str, report: &mut Report) {
        let evaluate = |at: &[Tensor]| {
            let tape = Tape::new();
            let x: Vec<Var<'_>> = at.iter().map(|t| tape.var(t)).collect();
            tape.values(&self.derived(f, &x, order)).to_vec()
        };
        let tape = Tape::new();
        let x: Vec<Var<'_>> = inputs.iter().map(|t| tape.var(t)).collect();
        let y = self.derived(f, &x, order);
        let base = tape.values(&y).to_vec();
        if inputs.iter().map(Tensor::numel).sum::<usize>() <= self.full_up_to {
            for (k, input) in inputs.iter().enumerate() {
                let block = Block {
                    name,
                    order,
                    input: k,
                    tolerance: self.tolerance,
                    kink: kink_of(y, &x[k..=k]),
                    reverse: by_rows(y, x[k]).value(),
                    forward: by_columns(y, x[k]).value(),
                    numeric: (0..input.numel())
                        .map(|i| along(&evaluate, inputs, &base, &step_of(inputs, k, i)))
                        .collect(),
                };
                block.compare(report);
            }
        } else {
            let mut stream = Stream::new(self.seed ^ 0xA5A5);
            for _ in 0..self.projections {
                self.check_projection(&evaluate, (y, &x), inputs, (order, name), &mut stream, report);
            }
        }
    }

    /// Compares `⟨w, J v⟩` for random signed `v` and `w` in reverse mode, forward mode and differences.
    fn check_projection<'t>(
        &self,
        evaluate: &impl Fn(&[Tensor]) -> Vec<f64>,
        (y, x): (Var<'t>, &[Var<'t>]),
        inputs: &[Tensor],
        (order, name): (usize, &str),
        stream: &mut Stream,
        report: &mut Report,
    ) {
        let tape = y.tape();
        let w = stream.tensor(&y.shape());
        let scales: Vec<f64> = inputs.iter().map(scale_of).collect();
        let v: Vec<Tensor> = inputs
            .iter()
            .zip(&scales)
            .map(|(t, s)| {
                let mut d = stream.tensor(t.shape());
                d.as_mut_slice().iter_mut().for_each(|d| *d *= s);
                d
            })
            .collect();
        let weigh = |y: &[f64]| vec![y.iter().zip(w.as_slice()).map(|(y, w)| y * w).sum::<f64>()];
        let project = |at: &[Tensor]| weigh(&evaluate(at));
        let base = weigh(&y.value().to_vec());
        let vs: Vec<Var<'t>> = v.iter().map(|v| tape.var(v)).collect();
        let gradients = vjp(y, &x.to_vec(), tape.var(&w));
        let reverse = gradients.iter().zip(&vs).map(|(g, v)| (*g * *v).sum().item()).sum();
        let forward = (jvp(y, &x.to_vec(), &vs) * tape.var(&w)).sum().item();
        let numeric = along(&project, inputs, &base, &v);
        let block = Block {
            name,
            order,
            input: 0,
            tolerance: self.tolerance,
            kink: kink_of(y, x),
            reverse: Tensor::new([1, 1], vec![reverse]),
            forward: Tensor::new([1, 1], vec![forward]),
            numeric: vec![numeric],
        };
        block.compare(report);
    }

    /// A zero cotangent gives exactly zero, and asking for one input alone gives what asking for all gives.
    fn check_zero_and_subsets(&self, f: &impl Function, inputs: &[Tensor], report: &mut Report) {
        let tape = Tape::new();
        let x: Vec<Var<'_>> = inputs.iter().map(|t| tape.var(t)).collect();
        let y = f(&x);
        let zeros = vjp(y, &x, tape.full(y.shape(), 0.0));
        let dy = tape.var(&Stream::new(self.seed).tensor(&y.shape()));
        let all = vjp(y, &x, dy);
        for (k, (zero, together)) in zeros.iter().zip(&all).enumerate() {
            for (index, &g) in zero.value().as_slice().iter().enumerate() {
                report.exact("a zero cotangent", k, index, g, 0.0);
            }
            let alone = vjp(y, &x[k], dy).value();
            for (index, (&one, &of_all)) in alone.as_slice().iter().zip(together.value().as_slice()).enumerate() {
                report.exact("this input alone", k, index, one, of_all);
            }
        }
    }
}

/// A function of a structure, as one of its leaves.
struct OfTree<'p, P, F> {
    f: F,
    inputs: &'p P,
}

impl<P: Tree<Leaf = Tensor>, F: for<'t> Fn(&'t Tape, &P::With<Var<'t>>) -> Var<'t>> OfTree<'_, P, F> {
    fn call<'t>(&self, x: &[Var<'t>]) -> Var<'t> {
        let mut leaves = x.iter().copied();
        let inputs = self.inputs.map(&mut |_| leaves.next().expect("a structure has as many leaves each time"));
        (self.f)(x[0].tape(), &inputs)
    }
}

/// A function with two of its inputs replaced by one variable.
struct Aliased<'f, F> {
    f: &'f F,
    i: usize,
    j: usize,
}

impl<F: Function> Aliased<'_, F> {
    fn call<'t>(&self, x: &[Var<'t>]) -> Var<'t> {
        let mut all = x.to_vec();
        all.insert(self.j, x[self.i]);
        (self.f)(&all)
    }
}

/// The size that steps in an input are relative to.
fn scale_of(input: &Tensor) -> f64 {
    let largest = input.as_slice().iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    if largest == 0.0 { 1.0 } else { largest }
}

/// A direction of one element, as long as the element is large (or, at zero, as its tensor is).
fn step_of(inputs: &[Tensor], k: usize, i: usize) -> Vec<Tensor> {
    let mut direction: Vec<Tensor> = inputs.iter().map(|t| Tensor::zeros(t.shape())).collect();
    let x = inputs[k].as_slice()[i].abs();
    direction[k].as_mut_slice()[i] = if x == 0.0 { scale_of(&inputs[k]) } else { x };
    direction
}

/// The kink that a derivative of a derivative goes through, if there is one.
fn kink_of(y: Var<'_>, x: &[Var<'_>]) -> Option<Kink> {
    let tape = y.tape();
    tape.first_kink(&vjp(y, &x.to_vec(), tape.full(y.shape(), 1.0)))
}

/// One block of the Jacobian, of all results by one input, three times over.
struct Block<'a> {
    name: &'a str,
    order: usize,
    input: usize,
    tolerance: f64,
    kink: Option<Kink>,
    reverse: Tensor,
    forward: Tensor,
    /// For each element of the input, the derivative of each result along a step, and the step's length.
    numeric: Vec<(Vec<Estimate>, f64)>,
}

impl Block<'_> {
    fn compare(&self, report: &mut Report) {
        let (m, n) = (self.reverse.shape()[0], self.reverse.shape()[1]);
        let entries = || (0..m).flat_map(|i| (0..n).map(move |j| (i, j)));
        // The numeric derivative is along a step of some length; entries are per unit.
        let numeric = |i: usize, j: usize| {
            let (column, length) = &self.numeric[j];
            (column[i], *length)
        };
        let magnitude = |i, j| {
            let (estimate, length) = numeric(i, j);
            estimate.slope.abs().max((self.reverse.at([i, j]) * length).abs()) / length
        };
        let scale = entries().map(|(i, j)| magnitude(i, j)).filter(|m| m.is_finite()).fold(0.0, f64::max);
        // Zero as far as can be measured: the answer for a linear function beyond the first order, and for f(x, x) where
        // the two cancel; at the first order there was nothing to check.
        let is_first = self.order == 1 && self.name.is_empty();
        let is_zero = |(i, j): (usize, usize)| {
            let (estimate, length) = numeric(i, j);
            let analytic = self.reverse.at([i, j]).abs().max(self.forward.at([i, j]).abs());
            // Next to a jump every slope is within the error.
            let is_claimed = analytic > 0.0 && (estimate.kink || is_first);
            !is_claimed && estimate.slope.abs() <= estimate.error && analytic * length <= estimate.error
        };
        if entries().all(is_zero) {
            report.zero(m * n, (is_first && m * n > 0).then_some(self.input));
            return;
        }
        let through = self.kink.as_ref().map_or(String::new(), |kink| format!(", {kink}"));
        for (i, j) in entries() {
            let (estimate, length) = numeric(i, j);
            for (mode, analytic) in [("reverse", self.reverse.at([i, j])), ("forward", self.forward.at([i, j]))] {
                report.entry(
                    Finding {
                        what: format!("{}order {}, {mode} mode{through}", self.name, self.order),
                        input: self.input,
                        index: j,
                        output: i,
                        analytic,
                        numeric: estimate.slope / length,
                        error: estimate.error / length,
                        step: estimate.step * length,
                    },
                    self.tolerance * scale,
                    estimate.kink || self.kink.is_some(),
                );
            }
        }
    }
}
