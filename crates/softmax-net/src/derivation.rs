//! The derivation checked: each line as closed form, as the tape differentiates it, and as finite differences show it.
//!
//! [`check`] takes any network with its examples and gives a [`Report`] of one [`Row`] for each line of [`LINES`]. A
//! [`Derivation`] gives them one by one, or some entries of one, and with slips put back on purpose.
//!
//! | name | statement |
//! |---|---|
//! | Eq. 1.1 | `dL_i/dO2[i,y_i] = −1 / O2[i,y_i]` |
//! | Eq. 1.2.1 | `dO2[i,y_i]/dS[i,k] = O2[i,k] (1 − O2[i,k])` where `k = y_i` |
//! | Eq. 1.2.2 | `dO2[i,y_i]/dS[i,k] = −O2[i,y_i] O2[i,k]` where `k ≠ y_i` |
//! | Eq. 1.2 | the whole Jacobian: `dO2[i,j]/dS[i,k] = O2[i,j] (δ_jk − O2[i,k])` |
//! | Eq. 1 | the chain rule: `dL_i/dS[i,k]` is the product of Eq. 1.1 and Eq. 1.2 |
//! | Eq. 1.3 | `dL_i/dS[i,k] = O2[i,k] − 1` where `k = y_i`, else `O2[i,k]`: `dL/dS = O2 − Y` |
//! | Exp. 2 | `dS[i,k]/dW2[m,n] = O1[i,m]` where `k = n`, else 0 |
//! | Gradient Eq. | `dL_i/dW2[m,n] = Σ_k dL_i/dS[i,k] dS[i,k]/dW2[m,n]`; summed, `dL/dW2 = O1ᵀ (O2 − Y)` |
//! | bias | `dL/db2[n] = Σ_i (O2 − Y)[i,n]`, which the post sets out to find and stops short of |
//! | hidden layer | beyond the post: `dL/dO1`, `dL/dZ1`, `dL/dW1`, `dL/db1`, `dL/dX` |
//! | second order | beyond the post: `d²L_i/dS[i]² = diag(O2[i]) − O2[i] O2[i]ᵀ`, positive semi-definite with row sums 0; `d²L/dW2² = Σ_i O1[i] O1[i]ᵀ ⊗ d²L_i/dS[i]²` |
//!
//! # The post's slips
//! Each is pinned by a test in `tests/toy/slips.rs`, and [`Slip`] puts it back to see which lines break.
//!
//! 1. **The convention, and the sign.** Its program multiplies by `-1.0/5`. That gives minus the gradient of the *mean*
//!    loss, a direction of descent, and not `dL/dW2` of the *sum* that its text derives. The two differ by the factor
//!    `−N`. Here a [`Convention`] says which is meant, and a gradient is never negated.
//! 2. **Aliasing.** `dL_by_dS = O_2` makes a second name, not a copy: the next line, which subtracts 1 at the labels,
//!    overwrites the probabilities. Here results are read through shared references, and a tensor copies itself before
//!    a write that another would see.
//! 3. **The range.** The loss is summed from `i = 0` to 5, which is six terms; there are five examples.
//! 4. **The square.** In Eq. 1.2.2 the square belongs to the whole sum, `(Σ_p U[i,p])²`, not to each `U[i,p]`.
//! 5. **Overflow.** `exp(S)` is infinite past `S = 709` in `f64`. Probabilities and losses must come from scores less
//!    their largest.

mod accounts;
mod line;
mod lines;
mod report;
mod slip;

pub use line::Line;
pub use lines::LINES;
pub use report::{Difference, Report, Row, Tolerance};
pub use slip::Slip;

use crate::closed_form::{self, ClosedForm};
use crate::error::Error;
use crate::sizes::{Convention, Sizes};
use crate::toy::{Forward, Gradients, Toy};
use autograd::{Tape, Tensor, Var};
use report::Compared;
use std::ops::Range;

/// Checks every line of the derivation for a network with examples `X` `[N, D]` and a label in `0..K` for each.
///
/// The lines from `L_i` down to `S` are differentiated on the tape twice: as the post writes them, through `U`, or, where `U`
/// overflows, through the engine's softmax; and, for Eq. 1.3 and what follows it, through the engine's own cross-entropy.
///
/// ```
/// use autograd::Tensor;
/// use softmax_net::{derivation, Activation, Toy};
/// let w1 = Tensor::from_rows([[0.5, -1.0, 0.2], [0.1, 0.3, -0.7]]);
/// let w2 = Tensor::from_rows([[1.0, 0.0], [-0.5, 0.5], [0.3, 0.2]]);
/// let net = Toy::try_new(w1, Tensor::zeros([3]), w2, Tensor::zeros([2]), Activation::Tanh)?;
/// let report = derivation::check(&net, &Tensor::from_rows([[1.0, 2.0], [0.0, -1.0]]), &[1, 0])?;
/// assert!(report.passed(), "{report}");
/// assert_eq!(report.rows[0].name, "Eq. 1.1");
/// # Ok::<(), softmax_net::Error>(())
/// ```
///
/// # Errors
/// Where the shapes do not fit each other, a label is out of range, or there are no examples.
pub fn check(net: &Toy<Tensor>, x: &Tensor, labels: &[usize]) -> Result<Report, Error> {
    let tape = Tape::new();
    let derivation = Derivation::try_new(&tape, net, x, labels, &[])?;
    Ok(Report { rows: LINES.iter().map(|line| derivation.row(line)).collect() })
}

/// A network and its examples, ready to check any line of the derivation for them.
///
/// ```
/// use autograd::Tape;
/// use softmax_net::derivation::{Derivation, Line, Slip};
/// use softmax_net::published::Published;
/// let Published { net, x, labels, .. } = Published::embedded();
/// let tape = Tape::new();
/// let line = Line::named("Eq. 1.2.2").expect("a line of the post");
/// let right = Derivation::try_new(&tape, &net, &x, &labels, &[])?;
/// assert!(right.row(line).passed());
/// let slipped = Derivation::try_new(&tape, &net, &x, &labels, &[Slip::Square])?;
/// assert!(!slipped.row(line).passed());
/// # Ok::<(), softmax_net::Error>(())
/// ```
pub struct Derivation<'a> {
    sizes: Sizes,
    labels: &'a [usize],
    x: &'a [f64],
    net: Toy<&'a [f64]>,
    slips: Vec<Slip>,
    forward: Forward<Vec<f64>>,
    /// `O2` as the lines after Eq. 1.3 read it.
    later: Vec<f64>,
    gradients: Gradients<Vec<f64>>,
    on_tape: OnTape<'a>,
}

struct OnTape<'a> {
    net: Toy<Var<'a>>,
    x: Var<'a>,
    forward: Forward<Var<'a>>,
    /// The same through `U`, as the post has it; through the softmax where `U` is not finite.
    written: Forward<Var<'a>>,
}

/// Some entries of a line in its three accounts, row-major in [`Line::shape`], and how they compare.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// In closed form.
    pub closed: Vec<f64>,
    /// As the tape differentiates.
    pub tape: Vec<f64>,
    /// As finite differences show it, where no kink lies too near.
    pub finite: Vec<Option<f64>>,
    /// The comparison of these entries, relative to the largest of the line.
    pub row: Row,
}

impl<'a> Derivation<'a> {
    /// Records a network with examples `X` `[N, D]` and a label in `0..K` for each, and computes its closed form with these
    /// slips put back into it.
    ///
    /// # Errors
    /// Where the shapes do not fit each other, a label is out of range, or there are no examples.
    pub fn try_new(
        tape: &'a Tape,
        net: &'a Toy<Tensor>,
        x: &'a Tensor,
        labels: &'a [usize],
        slips: &[Slip],
    ) -> Result<Self, Error> {
        let sizes = Sizes::of(&net.shapes(), x.shape(), labels)?;
        Convention::Mean.divisor(sizes.n)?;
        let closed = ClosedForm::try_new(sizes, net.slices(), x.as_slice(), labels)?;
        let mut forward = closed.forward(Convention::Sum)?;
        if slips.contains(&Slip::Overflow) {
            forward.o2 = slip::unshifted(&forward.u, sizes.k);
        }
        let gradients = closed.gradients(&forward, Convention::Sum)?;
        let later = if slips.contains(&Slip::Alias) { gradients.s.clone() } else { forward.o2.clone() };
        let (vars, x_var) = (tape.vars(net), tape.var(x));
        let on_tape = vars.try_forward(x_var, labels, Convention::Sum)?;
        let moderate =
            forward.u.chunks(sizes.k.max(1)).all(|u| (f64::MIN_POSITIVE..f64::MAX).contains(&u.iter().sum()));
        let written = if moderate {
            vars.try_forward_as_written(x_var, labels, Convention::Sum)?
        } else {
            accounts::through_probabilities(&on_tape, labels)
        };
        let on_tape = OnTape { forward: on_tape, written, net: vars, x: x_var };
        let slips = slips.to_vec();
        Ok(Self { sizes, labels, x: x.as_slice(), net: net.slices(), slips, forward, later, gradients, on_tape })
    }

    /// `N`, `D`, `H` and `K`.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// A line, checked whole.
    pub fn row(&self, line: &Line) -> Row {
        self.part(line, 0..self.entries(line)).row
    }

    /// How many entries a line has.
    pub fn entries(&self, line: &Line) -> usize {
        line.shape(self.sizes).iter().product()
    }

    /// Some entries of a line, as many of them as there are.
    ///
    /// ```
    /// use autograd::Tape;
    /// use softmax_net::{derivation::{Derivation, Line}, published::Published};
    /// let Published { net, x, labels, .. } = Published::embedded();
    /// let tape = Tape::new();
    /// let derivation = Derivation::try_new(&tape, &net, &x, &labels, &[])?;
    /// let line = Line::named("2nd: W2").expect("a line beyond the post");
    /// assert_eq!(derivation.entries(line), 900);
    /// let part = derivation.part(line, 31..33);
    /// assert_eq!((part.closed.len(), part.row.passed()), (2, true));
    /// # Ok::<(), softmax_net::Error>(())
    /// ```
    pub fn part(&self, line: &Line, entries: Range<usize>) -> Part {
        let all = (line.closed)(self);
        let end = entries.end.min(all.len());
        let entries = entries.start.min(end)..end;
        let closed = all[entries.clone()].to_vec();
        let tape = line.tape.entries(self, entries.clone());
        let finite = line.finite.entries(self, entries);
        let row = Compared { closed: &closed, tape: &tape, finite: &finite }.row(line, (line.scale)(self, &all));
        Part { closed, tape, finite, row }
    }

    fn has(&self, slip: Slip) -> bool {
        self.slips.contains(&slip)
    }
}
