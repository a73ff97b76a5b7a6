//! A row of the tables, and how it is run.

use autograd::{Float, Tensor, Var, concat, jvp, vjp};

/// What an infinite cotangent becomes where the partial derivative is 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtInfinity {
    /// The zero is a selection: nothing flows, so 0.
    Selected,
    /// The zero is a value that a smooth derivative happens to have: `∞ · 0`, which is NaN by IEEE, or 0 where it is
    /// the limit of a tail. Asserted is only that no finite number other than 0 comes out.
    Smooth,
    /// Infinities of several results or factors meet; only finite cotangents are asserted.
    Mixed,
}

/// An expression at one point: its value, the derivatives of the sum of its results, and those of the sum of all
/// these derivatives (the sums of the rows of the Hessian).
pub(crate) struct Row<T: Float> {
    pub(crate) name: &'static str,
    pub(crate) inputs: Vec<Vec<f64>>,
    pub(crate) f: for<'t> fn(&[Var<'t, T>]) -> Var<'t, T>,
    pub(crate) value: Vec<f64>,
    pub(crate) first: Vec<Vec<f64>>,
    pub(crate) second: Option<Vec<Vec<f64>>>,
    pub(crate) at_infinity: AtInfinity,
}

/// A table, of one number type or of any; a row is: the name, a list of elements for each input, the expression, its
/// value, the first derivatives for each input, where they are known the second, and what an infinite cotangent does at
/// a zero.
macro_rules! table {
    ($(#[$doc:meta])* $table:ident $(<$t:ident>)? of $number:ty: $(
        $name:literal $([$($x:expr),*])+, |$v:ident| $f:expr, value [$($y:expr),*],
        first $([$($d:expr),*])+ $(, second $([$($dd:expr),*])+)? => $kind:ident;
    )*) => {
        $(#[$doc])*
        fn $table$(<$t: Float>)?() -> Vec<Row<$number>> {
            vec![$(Row {
                name: $name,
                inputs: vec![$(vec![$($x),*]),+],
                f: |$v| $f,
                value: vec![$($y),*],
                first: vec![$(vec![$($d),*]),+],
                second: [$(vec![$(vec![$($dd),*]),+],)?].into_iter().next(),
                at_infinity: AtInfinity::$kind,
            }),*]
        }
    };
}

/// Runs a table and lists every row that gives something else.
pub(crate) fn run<T: Float>(rows: &[Row<T>]) {
    let mut failures: Vec<String> = Vec::new();
    for row in rows {
        row.first_order(&mut failures);
        row.second_order(&mut failures);
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), T::NAME, failures.join("\n"));
}

const COTANGENTS: [f64; 4] = [1.0, 0.0, -2.5, f64::INFINITY];

impl<T: Float> Row<T> {
    fn first_order(&self, failures: &mut Vec<String>) {
        for c in COTANGENTS {
            let tape = autograd::Tape::default();
            let x = self.variables(&tape);
            let y = (self.f)(&x);
            let reverse = vjp(y, &x, tape.full(y.shape(), T::of(c)));
            let all: Vec<f64> = reverse.iter().flat_map(|dx| numbers(*dx)).collect();
            self.compare("the value", 1.0, &numbers(y), &self.value, failures);
            self.compare("reverse mode", c, &all, &self.first.concat(), failures);
            let forward = along_each(y, &x, c);
            self.compare("forward mode", c, &forward, &self.first.concat(), failures);
        }
    }

    /// Reverse over reverse, forward over reverse, reverse over forward and forward over forward, for each pair of an
    /// inner and an outer cotangent.
    fn second_order(&self, failures: &mut Vec<String>) {
        let Some(second) = &self.second else { return };
        let expected = second.concat();
        for inner in COTANGENTS.into_iter().filter(|c| c.is_finite()) {
            for outer in COTANGENTS.into_iter().filter(|c| c.is_finite() || inner != 0.0) {
                let tape = autograd::Tape::default();
                let x = self.variables(&tape);
                let y = (self.f)(&x);
                let ones = |c: f64| x.iter().map(|x| tape.full(x.shape(), T::of(c))).collect::<Vec<_>>();
                let parts = vjp(y, &x, tape.full(y.shape(), T::of(inner)));
                let parts: Vec<_> = parts.iter().map(|g| g.reshape([g.numel()])).collect();
                let gradient = concat(&parts, 0);
                let c = inner * outer;
                let down = vjp(gradient, &x, tape.full(gradient.shape(), T::of(outer)));
                let down: Vec<f64> = down.iter().flat_map(|dx| numbers(*dx)).collect();
                self.compare(&format!("{inner}: reverse over reverse"), c, &down, &expected, failures);
                let tangent = jvp(y, &x, &ones(inner));
                let mixed = vjp(tangent, &x, tape.full(tangent.shape(), T::of(outer)));
                let mixed: Vec<f64> = mixed.iter().flat_map(|dx| numbers(*dx)).collect();
                self.compare(&format!("{inner}: reverse over forward"), c, &mixed, &expected, failures);
                let up = numbers(jvp(gradient, &x, &ones(outer)));
                if self.expected_is_per_row(outer) {
                    self.compare(&format!("{inner}: forward over reverse"), c, &up, &expected, failures);
                }
                let twice = along_each(tangent, &x, outer);
                self.compare(&format!("{inner}: forward over forward"), c, &twice, &expected, failures);
            }
        }
    }

    /// Whether a tangent in all directions at once is defined: infinite ones in several directions are not.
    fn expected_is_per_row(&self, tangent: f64) -> bool {
        tangent.is_finite() || self.inputs.concat().len() == 1
    }

    fn variables<'t>(&self, tape: &'t autograd::Tape<T>) -> Vec<Var<'t, T>> {
        let tensor = |x: &Vec<f64>| Tensor::from(x.iter().map(|&x| T::of(x)).collect::<Vec<T>>());
        self.inputs.iter().map(|x| tape.var(&tensor(x))).collect()
    }

    fn compare(&self, what: &str, c: f64, got: &[f64], unit: &[f64], failures: &mut Vec<String>) {
        let agrees = |(&got, &unit): (&f64, &f64)| {
            // The absolute zero: a zero cotangent gives 0 where the partial is infinite or NaN too.
            let expected = if c == 0.0 { 0.0 } else { unit * c };
            if c.is_infinite() {
                return match (self.at_infinity, unit == 0.0) {
                    (AtInfinity::Mixed, _) => true,
                    (AtInfinity::Smooth, true) => got.is_nan() || got == 0.0,
                    (AtInfinity::Selected, true) => got == 0.0,
                    (_, false) => got == expected || got.is_nan() && unit.is_nan(),
                };
            }
            if expected.is_nan() {
                return got.is_nan();
            }
            got == T::of(expected).to_f64() || (got - expected).abs() <= 16.0 * T::EPSILON.to_f64() * expected.abs()
        };
        let same = got.len() == unit.len() && got.iter().zip(unit).all(agrees);
        if !same {
            failures.push(format!("{}: {what}, cotangent {c}: {got:?}, expected {c} · {unit:?}", self.name));
        }
    }
}

fn numbers<T: Float>(x: Var<'_, T>) -> Vec<f64> {
    x.value().as_slice().iter().map(|x| x.to_f64()).collect()
}

/// The sum of the tangents of all results, for a tangent `c` of each element of the inputs in turn.
fn along_each<'t, T: Float>(y: Var<'t, T>, x: &[Var<'t, T>], c: f64) -> Vec<f64> {
    let mut sums = Vec::new();
    for x in x {
        for at in 0..x.numel() {
            let unit = Tensor::from_fn(x.shape(), |i| if i == at { T::of(c) } else { T::ZERO });
            sums.push(numbers(jvp(y, x, &y.tape().var(&unit))).iter().sum());
        }
    }
    sums
}

/// What a panic says, or nothing where there is none.
pub(crate) fn panic_of(f: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = std::panic::catch_unwind(f).err();
    panic.and_then(|panic| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}
