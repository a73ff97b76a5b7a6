//! The derivation checked: each line as closed form, as the tape differentiates it, and as finite differences show it.
//!
//! [`check`] takes any network with its examples and gives a [`Report`] of one [`Row`] for each line.
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
//! Each is pinned by a test in `tests/toy/slips.rs`.
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

mod report;

pub use report::{Difference, Report, Row, Tolerance};

use crate::activation::Activation;
use crate::closed_form::{self, ClosedForm};
use crate::error::Error;
use crate::finite_differences::{hessian as hessian_by_differences, jacobian as by_differences};
use crate::sizes::{Convention, Sizes};
use crate::toy::{Forward, Gradients, Toy};
use autograd::{Tape, Tensor, Var, grad, hessian, hvp, jacobian};

/// For first derivatives. The closed form and the tape round differently by some units in the last place; finite
/// differences keep about eleven digits.
const FIRST: Tolerance = Tolerance { tape: 1e-13, finite: 1e-9 };
/// For second derivatives, whose finite differences are differences of differences.
const SECOND: Tolerance = Tolerance { tape: 1e-13, finite: 1e-7 };

/// Checks every line of the derivation for a network with examples `X` `[N, D]` and a label in `0..K` for each.
///
/// The lines from `L_i` down to `S` are differentiated on the tape twice: as the post writes them, through `U`, and,
/// for Eq. 1.3 and what follows it, through the engine's own cross-entropy. Scores must be moderate: `U` overflows.
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
    let setting = Setting::new(&tape, net, x, labels)?;
    let parts = [setting.probabilities(), setting.scores(), setting.weights(), setting.hidden(), setting.second()];
    Ok(Report { rows: parts.into_iter().flatten().collect() })
}

/// A network and its examples, with the forward pass and the gradients in closed form and on a tape.
struct Setting<'a> {
    sizes: Sizes,
    labels: &'a [usize],
    x: &'a [f64],
    net: Toy<&'a [f64]>,
    forward: Forward<Vec<f64>>,
    gradients: Gradients<Vec<f64>>,
    mean: Gradients<Vec<f64>>,
    on_tape: OnTape<'a>,
}

struct OnTape<'a> {
    net: Toy<Var<'a>>,
    x: Var<'a>,
    forward: Forward<Var<'a>>,
    /// The same through `U`, as the post has it.
    written: Forward<Var<'a>>,
}

impl<'a> Setting<'a> {
    fn new(tape: &'a Tape, net: &'a Toy<Tensor>, x: &'a Tensor, labels: &'a [usize]) -> Result<Self, Error> {
        let sizes = Sizes::of(&net.shapes(), x.shape(), labels)?;
        let closed = ClosedForm::try_new(sizes, net.slices(), x.as_slice(), labels)?;
        let forward = closed.forward(Convention::Sum)?;
        let gradients = closed.gradients(&forward, Convention::Sum)?;
        let mean = closed.gradients(&forward, Convention::Mean)?;
        let (vars, x_var) = (tape.vars(net), tape.var(x));
        let on_tape = OnTape {
            forward: vars.try_forward(x_var, labels, Convention::Sum)?,
            written: vars.try_forward_as_written(x_var, labels, Convention::Sum)?,
            net: vars,
            x: x_var,
        };
        Ok(Self { sizes, labels, x: x.as_slice(), net: net.slices(), forward, gradients, mean, on_tape })
    }

    // The forward pass from each intermediate result on, for finite differences.

    fn scores_of(&self, o1: &[f64]) -> Vec<f64> {
        closed_form::affine([self.sizes.n, self.sizes.h, self.sizes.k], o1, self.net.w2, self.net.b2)
    }

    fn losses_of_scores(&self, s: &[f64]) -> Vec<f64> {
        closed_form::losses(s, self.labels, self.sizes.k)
    }

    fn loss_of_hidden(&self, o1: &[f64]) -> Vec<f64> {
        vec![self.losses_of_scores(&self.scores_of(o1)).iter().sum()]
    }

    fn loss_of_z1(&self, z1: &[f64]) -> Vec<f64> {
        let o1: Vec<f64> = z1.iter().map(|&z| self.net.f.value(z)).collect();
        self.loss_of_hidden(&o1)
    }

    fn scores_with(&self, w2: &[f64], b2: &[f64]) -> Vec<f64> {
        closed_form::affine([self.sizes.n, self.sizes.h, self.sizes.k], &self.forward.o1, w2, b2)
    }

    fn z1_with(&self, x: &[f64], w1: &[f64], b1: &[f64]) -> Vec<f64> {
        closed_form::affine([self.sizes.n, self.sizes.d, self.sizes.h], x, w1, b1)
    }

    /// `L_i` and its gradient with respect to `O2` and `S`: Eq. 1.1 to 1.2.
    fn probabilities(&self) -> Vec<Row> {
        let (Sizes { n, k, .. }, labels, o2) = (self.sizes, self.labels, &self.forward.o2);
        let at_label = |i: usize| i * k + labels[i];
        let written = &self.on_tape.written;

        let dl_do2 = grad(written.l, &written.o2).value().to_vec();
        // Probabilities are positive, and a step must not come near the pole of the logarithm.
        let half = |p: &[f64]| (0..n).all(|i| p[at_label(i)] > 0.5 * o2[at_label(i)]);
        let loss = |p: &[f64]| vec![-(0..n).map(|i| p[at_label(i)].ln()).sum::<f64>()];
        let dl_do2_finite = by_differences(o2, loss, half);
        let eq_1_1 = Row::compare(
            ("Eq. 1.1", "dL_i/dO2[i,y_i] = −1/O2[i,y_i]"),
            &closed_form::dl_do2_at_label(o2, labels, k),
            &(0..n).map(|i| dl_do2[at_label(i)]).collect::<Vec<_>>(),
            &(0..n).map(|i| dl_do2_finite[at_label(i)]).collect::<Vec<_>>(),
            FIRST,
        );

        let tape = blocks(jacobian(written.o2, written.s).value().as_slice(), n, k);
        let finite = blocks(&by_differences(&self.forward.s, |s| closed_form::probabilities(s, k), smooth), n, k);
        let rows_at_label = closed_form::do2_at_label_ds(o2, labels, k);
        // The entries [i, y_i, k] of [N, K, K], where k is the label and where it is not.
        let in_block = |e: usize| at_label(e / k) * k + e % k;
        let part = |is_label: bool| (0..n * k).filter(move |e| (e % k == labels[e / k]) == is_label);
        let eq_1_2 = [
            (true, ("Eq. 1.2.1", "dO2[i,y_i]/dS[i,k] = O2[i,k](1 − O2[i,k]), k = y_i")),
            (false, ("Eq. 1.2.2", "dO2[i,y_i]/dS[i,k] = −O2[i,y_i] O2[i,k], k ≠ y_i")),
        ]
        .map(|(is_label, title)| {
            Row::compare(
                title,
                &part(is_label).map(|e| rows_at_label[e]).collect::<Vec<_>>(),
                &part(is_label).map(|e| tape[in_block(e)]).collect::<Vec<_>>(),
                &part(is_label).map(|e| finite[in_block(e)]).collect::<Vec<_>>(),
                FIRST,
            )
        });
        let whole = ("Eq. 1.2", "dO2[i,j]/dS[i,k] = O2[i,j](δ_jk − O2[i,k])");
        let whole = Row::compare(whole, &closed_form::do2_ds(o2, k), &tape, &finite, FIRST);
        [eq_1_1].into_iter().chain(eq_1_2).chain([whole]).collect()
    }

    /// The gradient with respect to the scores: Eq. 1 and 1.3.
    fn scores(&self) -> Vec<Row> {
        let (k, labels, o2, s) = (self.sizes.k, self.labels, &self.forward.o2, &self.forward.s);
        let OnTape { forward, written, .. } = &self.on_tape;
        let finite = by_differences(s, |s| vec![self.losses_of_scores(s).iter().sum()], smooth);
        vec![
            Row::compare(
                ("Eq. 1", "dL_i/dS[i,k] = Eq. 1.1 × Eq. 1.2"),
                &closed_form::dl_ds_by_chain_rule(o2, labels, k),
                grad(written.l, &written.s).value().as_slice(),
                &finite,
                FIRST,
            ),
            Row::compare(
                ("Eq. 1.3", "dL/dS = O2 − Y"),
                &self.gradients.s,
                grad(forward.l, &forward.s).value().as_slice(),
                &finite,
                FIRST,
            ),
        ]
    }

    /// The output layer's weights and biases: Exp. 2 and the Gradient Equation.
    fn weights(&self) -> Vec<Row> {
        let Sizes { n, h, k, .. } = self.sizes;
        let (w2, b2, o1) = (self.net.w2, self.net.b2, &self.forward.o1);
        let OnTape { net, forward, .. } = &self.on_tape;
        let losses = |w2: &[f64]| self.losses_of_scores(&self.scores_with(w2, b2));
        let loss_of_bias = |b2: &[f64]| vec![self.losses_of_scores(&self.scores_with(w2, b2)).iter().sum()];
        let gradient = by_differences(w2, |w2| vec![losses(w2).iter().sum()], smooth);
        let dl_dw2 = grad(forward.l, &net.w2);
        let mean = forward.l.div_scalar(n as f64);
        let of_mean: Vec<_> = gradient.iter().map(|d| d.map(|d| d / n as f64)).collect();
        vec![
            Row::compare(
                ("Exp. 2", "dS[i,k]/dW2[m,n] = O1[i,m] if k = n, else 0"),
                &closed_form::ds_dw2([n, h, k], o1),
                jacobian(forward.s, net.w2).value().as_slice(),
                &by_differences(w2, |w2| self.scores_with(w2, b2), smooth),
                FIRST,
            ),
            Row::compare(
                ("Gradient Eq.", "dL_i/dW2[m,n] = Σ_k dL_i/dS[i,k] dS[i,k]/dW2[m,n]"),
                &closed_form::dl_i_dw2([n, h, k], o1, &self.gradients.s),
                jacobian(forward.l_i, net.w2).value().as_slice(),
                &by_differences(w2, losses, smooth),
                FIRST,
            ),
            Row::compare(
                ("vectorised", "dL/dW2 = O1ᵀ(O2 − Y)"),
                &self.gradients.w2,
                dl_dw2.value().as_slice(),
                &gradient,
                FIRST,
            ),
            Row::compare(
                ("mean", "dL/dW2 = 1/N O1ᵀ(O2 − Y) for L = 1/N Σ L_i"),
                &self.mean.w2,
                grad(mean, &net.w2).value().as_slice(),
                &of_mean,
                FIRST,
            ),
            Row::compare(
                ("bias", "dL/db2[n] = Σ_i (O2 − Y)[i,n]"),
                &self.gradients.b2,
                grad(forward.l, &net.b2).value().as_slice(),
                &by_differences(b2, loss_of_bias, smooth),
                FIRST,
            ),
        ]
    }

    /// The hidden layer, beyond the post.
    fn hidden(&self) -> Vec<Row> {
        let OnTape { net, x, forward, .. } = &self.on_tape;
        let tape = net.gradients(*x, forward);
        let (w1, b1) = (self.net.w1, self.net.b1);
        let f = self.net.f;
        let with_x = |x: &[f64]| self.z1_with(x, w1, b1);
        let with_w1 = |w1: &[f64]| self.z1_with(self.x, w1, b1);
        let with_b1 = |b1: &[f64]| self.z1_with(self.x, w1, b1);
        // Z1 is affine along each coordinate, so both ends on one side of a kink have all between them there too.
        let differences = |at: &[f64], z1: &dyn Fn(&[f64]) -> Vec<f64>| {
            by_differences(at, |p| self.loss_of_z1(&z1(p)), |p| pieces(f, &z1(p)))
        };
        let from_o1 = by_differences(&self.forward.o1, |o1| self.loss_of_hidden(o1), smooth);
        let closed = &self.gradients;
        [
            ("hidden: O1", "dL/dO1 = (O2 − Y) W2ᵀ", &closed.o1, tape.o1, from_o1),
            ("hidden: Z1", "dL/dZ1 = dL/dO1 ∘ f′(Z1)", &closed.z1, tape.z1, {
                differences(&self.forward.z1, &<[f64]>::to_vec)
            }),
            ("hidden: W1", "dL/dW1 = Xᵀ dL/dZ1", &closed.w1, tape.w1, differences(w1, &with_w1)),
            ("hidden: b1", "dL/db1[m] = Σ_i dL/dZ1[i,m]", &closed.b1, tape.b1, differences(b1, &with_b1)),
            ("hidden: X", "dL/dX = dL/dZ1 W1ᵀ", &closed.x, tape.x, differences(self.x, &with_x)),
        ]
        .map(|(name, statement, closed, tape, finite)| {
            Row::compare((name, statement), closed, tape.value().as_slice(), &finite, FIRST)
        })
        .into()
    }

    /// Second order, beyond the post.
    fn second(&self) -> Vec<Row> {
        let Sizes { n, h, k, .. } = self.sizes;
        let (o1, o2, b2) = (&self.forward.o1, &self.forward.o2, self.net.b2);
        let OnTape { net, forward, .. } = &self.on_tape;
        let loss_of_scores = |s: &[f64]| self.losses_of_scores(s).iter().sum();
        let loss_of_w2 = |w2: &[f64]| self.losses_of_scores(&self.scores_with(w2, b2)).iter().sum();
        let measured = |d: Vec<f64>| d.into_iter().map(Some).collect::<Vec<_>>();

        let closed = closed_form::d2l_ds2(o2, k);
        let tape = blocks(hessian(forward.l, forward.s).value().as_slice(), n, k);
        let finite = blocks(&hessian_by_differences(&self.forward.s, loss_of_scores), n, k);
        let row_sums = |d: &[f64]| d.chunks_exact(k.max(1)).map(|row| row.iter().sum()).collect::<Vec<f64>>();

        // The class index as a direction: v[i,k] = k.
        let v: Vec<f64> = (0..k).map(|k| k as f64).collect();
        let direction = forward.s.tape().var(&Tensor::from_fn([n, k], |e| v[e % k]));
        let along = hvp(forward.l, &[forward.s], &[direction]).map(|hv| (hv * direction).sum_axes(1));
        let along_finite = finite
            .chunks_exact((k * k).max(1))
            .map(|block| block.iter().enumerate().map(|(e, d)| v[e / k] * d * v[e % k]).sum::<f64>());
        let largest = closed.iter().copied().fold(0.0, f64::max);
        vec![
            Row::compare(
                ("2nd: S", "d²L_i/dS[i]² = diag(O2[i]) − O2[i] O2[i]ᵀ"),
                &closed,
                &tape,
                &measured(finite.clone()),
                SECOND,
            ),
            Row::compare_to(
                largest,
                ("2nd: row sums", "Σ_k d²L_i/dS[i,j]dS[i,k] = 0"),
                &vec![0.0; n * k],
                &row_sums(&tape),
                &measured(row_sums(&finite)),
                SECOND,
            ),
            Row::compare(
                ("2nd: semi-def.", "vᵀ d²L_i/dS[i]² v = Var_O2[i](v) ≥ 0, v_k = k"),
                &closed_form::d2l_along(o2, &v),
                along[0].value().as_slice(),
                &measured(along_finite.collect()),
                SECOND,
            ),
            Row::compare(
                ("2nd: W2", "d²L/dW2² = Σ_i O1[i]O1[i]ᵀ ⊗ d²L_i/dS[i]²"),
                &closed_form::d2l_dw2([n, h, k], o1, o2),
                hessian(forward.l, net.w2).value().as_slice(),
                &measured(hessian_by_differences(self.net.w2, loss_of_w2)),
                SECOND,
            ),
        ]
    }
}

/// One piece: a function without kinks.
fn smooth(_: &[f64]) {}

fn pieces(f: Activation, z1: &[f64]) -> Vec<Option<std::cmp::Ordering>> {
    z1.iter().map(|&z| f.piece(z)).collect()
}

/// The blocks `[N, K, K]` on the diagonal of `[N, K, N, K]`: each example's own.
fn blocks<D: Copy>(whole: &[D], n: usize, k: usize) -> Vec<D> {
    (0..n * k * k).map(|e| whole[(e / k) * n * k + e / (k * k) * k + e % k]).collect()
}
