//! A case: an expression whose gradient another system once gave wrong, and how it is run.

use autograd::check::{Checker, Verdict};
use autograd::{Program, Tape, Tensor, Var, jvp, vjp};

/// An expression, a cotangent of its result, and what the gradients must be.
pub(crate) struct Case {
    /// Who had it wrong, where that is known, and what it is.
    pub(crate) name: &'static str,
    /// What was given instead, or what the likely mistake gives.
    pub(crate) mistake: &'static str,
    /// Whether differences can measure it: not at a kink, a pole, or beyond the range of a step.
    pub(crate) smooth: bool,
    pub(crate) inputs: Vec<Tensor>,
    pub(crate) f: for<'t> fn(&[Var<'t>]) -> Var<'t>,
    pub(crate) cotangent: Vec<f64>,
    pub(crate) gradients: Vec<Vec<f64>>,
}

/// Cases; one is: whether it is smooth or an edge, its name, what it must not be, the inputs, the expression, the
/// cotangent in row-major order, and the gradient of each input.
macro_rules! cases {
    ($($kind:ident $name:literal not $mistake:literal: [$($input:expr),*], |$x:ident| $f:expr,
        dy [$($dy:expr),*] => $([$($d:expr),*])+;)*) => {
        [$(Case {
            name: $name,
            mistake: $mistake,
            smooth: stringify!($kind) == "smooth",
            inputs: vec![$($input),*],
            f: |$x| $f,
            cotangent: vec![$($dy),*],
            gradients: vec![$(vec![$($d),*]),+],
        }),*]
    };
}

/// A vector.
pub(crate) fn v<const N: usize>(x: [f64; N]) -> Tensor {
    Tensor::from(x)
}

/// A matrix by rows.
pub(crate) fn m<const R: usize, const C: usize>(rows: [[f64; C]; R]) -> Tensor {
    Tensor::from_rows(rows)
}

/// Any shape.
pub(crate) fn t<const R: usize, const N: usize>(shape: [usize; R], x: [f64; N]) -> Tensor {
    Tensor::new(shape, x.to_vec())
}

/// Runs cases and lists every one that gives something else.
pub(crate) fn run(cases: &[Case]) {
    let failures: Vec<String> = cases.iter().flat_map(Case::failures).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

impl Case {
    fn failures(&self) -> Vec<String> {
        let tape = Tape::new();
        let x: Vec<Var<'_>> = self.inputs.iter().map(|x| tape.var(x)).collect();
        let y = (self.f)(&x);
        let dy = tape.var(&Tensor::new(y.shape(), self.cotangent.clone()));
        let mut failures = Vec::new();
        let mut expect = |what: &str, got: &[f64], expected: &[f64]| {
            let close = |(g, e): (&f64, &f64)| {
                g == e || (g.is_nan() && e.is_nan()) || (g - e).abs() <= 1e-14 * e.abs().max(1e-300)
            };
            if got.len() != expected.len() || !got.iter().zip(expected).all(close) {
                let Self { name, mistake, .. } = self;
                failures.push(format!("{name}: {what} {got:?}, not {expected:?}; the mistake gives {mistake}"));
            }
        };
        let all = vjp(y, &x, dy);
        for ((x, dx), expected) in x.iter().zip(&all).zip(&self.gradients) {
            expect("all inputs asked:", dx.value().as_slice(), expected);
            expect("one input asked:", vjp(y, x, dy).value().as_slice(), expected);
            let none = vjp(y, x, tape.full(y.shape(), 0.0)).value();
            expect("a zero cotangent:", none.as_slice(), &vec![0.0; expected.len()]);
            expect("forward mode:", &self.forward(y, *x), expected);
        }
        let replayed = self.replayed();
        let bits = |gradients: &[Tensor]| -> Vec<u64> {
            gradients.iter().flat_map(|g| g.as_slice().iter().map(|g| g.to_bits())).collect()
        };
        let computed: Vec<Tensor> = all.iter().map(Var::value).collect();
        if bits(&replayed) != bits(&computed) {
            failures.push(format!("{}: replayed {replayed:?}, computed {computed:?}", self.name));
        }
        if self.smooth {
            let report = Checker::default().check(self.f, &self.inputs);
            if report.verdict() != Verdict::Pass {
                failures.push(format!("{}: {report}", self.name));
            }
        }
        failures
    }

    /// The gradients by a program that was recorded at other inputs.
    fn replayed(&self) -> Vec<Tensor> {
        const STATELESS: [Tensor; 0] = [];
        let elsewhere: Vec<Tensor> = self.inputs.iter().map(|x| x.map(|x| x * 0.5 + 0.125)).collect();
        let program = Program::record(&STATELESS, &elsewhere, |tape, [], x| {
            let y = (self.f)(&x);
            (vec![], vjp(y, &x, tape.var(&Tensor::new(y.shape(), self.cotangent.clone()))))
        });
        let mut program = program.unwrap();
        let outputs = program.run(&self.inputs).unwrap();
        (0..outputs.len()).map(|i| outputs.tensor(i)).collect()
    }

    /// The gradient by forward mode: each column of the Jacobian weighed by the cotangent.
    fn forward<'t>(&self, y: Var<'t>, x: Var<'t>) -> Vec<f64> {
        let column = |at: usize| {
            let unit = Tensor::from_fn(x.shape(), |i| if i == at { 1.0 } else { 0.0 });
            let tangent = jvp(y, &x, &y.tape().var(&unit)).value();
            let weighed = tangent.as_slice().iter().zip(&self.cotangent).filter(|(_, w)| **w != 0.0);
            weighed.map(|(t, w)| t * w).sum()
        };
        (0..x.numel()).map(column).collect()
    }
}
