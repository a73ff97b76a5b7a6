//! The table of the derivation's lines: each with its name, its words, its formula, and the three accounts of it.
#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the path of a method of a type with a lifetime is no function for all lifetimes"
)]

use super::Tolerance;
use super::accounts::{largest, measured, one, read, row_sums, smooth};
use super::line::{Account, Line};
use crate::closed_form;
use crate::finite_differences::jacobian as by_differences;
use autograd::{grad, jacobian};

/// For first derivatives. The closed form and the tape round differently by some units in the last place; finite
/// differences keep about eleven digits.
const FIRST: Tolerance = Tolerance { tape: 1e-13, finite: 1e-9 };
/// For second derivatives, whose finite differences are differences of differences.
const SECOND: Tolerance = Tolerance { tape: 1e-13, finite: 1e-7 };

/// The lines in order.
pub static LINES: [Line; 20] = [
    Line {
        name: "Eq. 1.1",
        statement: "dL_i/dO2[i,y_i] = −1/O2[i,y_i]",
        mathml: "<mfrac><mrow><mo>d</mo><msub><mi class='L'>L</mi><mrow><mi>i</mi></mrow></msub></mrow><mrow><mo>d</mo>\
        <msub><mi class='P'>O2</mi><mrow><mi>i</mi><mo>,</mo><msub><mi>y</mi><mrow><mi>i</mi></mrow></msub>\
        </mrow></msub></mrow></mfrac><mo>=</mo><mo>−</mo><mfrac><mrow><mn>1</mn></mrow><mrow><msub>\
        <mi class='P'>O2</mi><mrow><mi>i</mi><mo>,</mo><msub><mi>y</mi><mrow><mi>i</mi></mrow></msub></mrow>\
        </msub></mrow></mfrac>",
        spoken: "d L i by d O 2 at i, y i equals minus one over O 2 at i, y i",
        tolerance: FIRST,
        shape: |s| vec![s.n],
        closed: |d| closed_form::dl_do2_at_label(&d.forward.o2, d.labels, d.sizes.k),
        tape: Account::Whole(|d| d.tape_1_1()),
        finite: Account::Whole(|d| d.finite_1_1()),
        scale: |_, closed| largest(closed),
    },
    Line {
        name: "Eq. 1.2.1",
        statement: "dO2[i,y_i]/dS[i,k] = O2[i,k](1 − O2[i,k]), k = y_i",
        mathml: "<mfrac><mrow><mo>d</mo><msub><mi class='P'>O2</mi><mrow><mi>i</mi><mo>,</mo><msub><mi>y</mi><mrow><mi>i\
        </mi></mrow></msub></mrow></msub></mrow><mrow><mo>d</mo><msub><mi class='S'>S</mi><mrow><mi>i</mi><mo>,\
        </mo><mi>k</mi></mrow></msub></mrow></mfrac><mo>=</mo><msub><mi class='P'>O2</mi><mrow><mi>i</mi><mo>,\
        </mo><mi>k</mi></mrow></msub><mo>&#x2062;</mo><mrow><mo>(</mo><mn>1</mn><mo>−</mo><msub><mi class='P'>O2\
        </mi><mrow><mi>i</mi><mo>,</mo><mi>k</mi></mrow></msub><mo>)</mo></mrow><mtext>,&#160;where&#160;</mtext><mi>k\
        </mi><mo>=</mo><msub><mi>y</mi><mrow><mi>i</mi></mrow></msub>",
        spoken: "d O 2 at i, y i by d S at i, k equals O 2 at i, k times one minus O 2 at i, k, where k is y i",
        tolerance: FIRST,
        shape: |s| vec![s.n],
        closed: |d| d.of_label(true, &d.rows_at_label()),
        tape: Account::Whole(|d| d.in_blocks(true, &d.tape_1_2())),
        finite: Account::Whole(|d| d.in_blocks(true, &d.finite_1_2())),
        scale: |_, closed| largest(closed),
    },
    Line {
        name: "Eq. 1.2.2",
        statement: "dO2[i,y_i]/dS[i,k] = −O2[i,y_i] O2[i,k], k ≠ y_i",
        mathml: "<mfrac><mrow><mo>d</mo><msub><mi class='P'>O2</mi><mrow><mi>i</mi><mo>,</mo><msub><mi>y</mi><mrow><mi>i\
        </mi></mrow></msub></mrow></msub></mrow><mrow><mo>d</mo><msub><mi class='S'>S</mi><mrow><mi>i</mi><mo>,\
        </mo><mi>k</mi></mrow></msub></mrow></mfrac><mo>=</mo><mo>−</mo><msub><mi class='P'>O2</mi><mrow><mi>i\
        </mi><mo>,</mo><msub><mi>y</mi><mrow><mi>i</mi></mrow></msub></mrow></msub><mo>&#x2062;</mo><msub>\
        <mi class='P'>O2</mi><mrow><mi>i</mi><mo>,</mo><mi>k</mi></mrow></msub><mtext>,&#160;where&#160;</mtext><mi>k</mi>\
        <mo>≠</mo><msub><mi>y</mi><mrow><mi>i</mi></mrow></msub>",
        spoken: "d O 2 at i, y i by d S at i, k equals minus O 2 at i, y i times O 2 at i, k, where k is not y i",
        tolerance: FIRST,
        shape: |s| vec![s.n, s.k.saturating_sub(1)],
        closed: |d| d.of_label(false, &d.rows_at_label()),
        tape: Account::Whole(|d| d.in_blocks(false, &d.tape_1_2())),
        finite: Account::Whole(|d| d.in_blocks(false, &d.finite_1_2())),
        scale: |_, closed| largest(closed),
    },
    Line {
        name: "Eq. 1.2",
        statement: "dO2[i,j]/dS[i,k] = O2[i,j](δ_jk − O2[i,k])",
        mathml: "<mfrac><mrow><mo>d</mo><msub><mi class='P'>O2</mi><mrow><mi>i</mi><mo>,</mo><mi>j</mi></mrow></msub>\
        </mrow><mrow><mo>d</mo><msub><mi class='S'>S</mi><mrow><mi>i</mi><mo>,</mo><mi>k</mi></mrow></msub>\
        </mrow></mfrac><mo>=</mo><msub><mi class='P'>O2</mi><mrow><mi>i</mi><mo>,</mo><mi>j</mi></mrow></msub>\
        <mo>&#x2062;</mo><mrow><mo>(</mo><msub><mi>δ</mi><mrow><mi>j</mi><mi>k</mi></mrow></msub><mo>−</mo>\
        <msub><mi class='P'>O2</mi><mrow><mi>i</mi><mo>,</mo><mi>k</mi></mrow></msub><mo>)</mo></mrow>",
        spoken: "d O 2 at i, j by d S at i, k equals O 2 at i, j times delta j k minus O 2 at i, k",
        tolerance: FIRST,
        shape: |s| vec![s.n, s.k, s.k],
        closed: |d| d.closed_1_2(),
        tape: Account::Whole(|d| d.tape_1_2()),
        finite: Account::Whole(|d| d.finite_1_2()),
        scale: |_, closed| largest(closed),
    },
    Line {
        name: "Eq. 1",
        statement: "dL_i/dS[i,k] = Eq. 1.1 × Eq. 1.2",
        mathml: "<mfrac><mrow><mo>d</mo><msub><mi class='L'>L</mi><mrow><mi>i</mi></mrow></msub></mrow><mrow><mo>d</mo>\
        <msub><mi class='S'>S</mi><mrow><mi>i</mi><mo>,</mo><mi>k</mi></mrow></msub></mrow></mfrac><mo>=</mo>\
        <mfrac><mrow><mo>d</mo><msub><mi class='L'>L</mi><mrow><mi>i</mi></mrow></msub></mrow><mrow><mo>d</mo>\
        <msub><mi class='P'>O2</mi><mrow><mi>i</mi><mo>,</mo><msub><mi>y</mi><mrow><mi>i</mi></mrow></msub>\
        </mrow></msub></mrow></mfrac><mo>&#x2062;</mo><mfrac><mrow><mo>d</mo><msub><mi class='P'>O2</mi><mrow>\
        <mi>i</mi><mo>,</mo><msub><mi>y</mi><mrow><mi>i</mi></mrow></msub></mrow></msub></mrow><mrow><mo>d</mo>\
        <msub><mi class='S'>S</mi><mrow><mi>i</mi><mo>,</mo><mi>k</mi></mrow></msub></mrow></mfrac>",
        spoken: "d L i by d S at i, k equals equation 1.1 times equation 1.2: d L i by d O 2 at i, y i times d O 2 at i, y i by d S at i, k",
        tolerance: FIRST,
        shape: |s| vec![s.n, s.k],
        closed: |d| d.closed_1(),
        tape: Account::Whole(|d| read(grad(d.on_tape.written.l, &d.on_tape.written.s))),
        finite: Account::Whole(|d| d.finite_scores()),
        scale: |_, closed| largest(closed),
    },
    Line {
        name: "Eq. 1.3",
        statement: "dL/dS = O2 − Y",
        mathml: "<mfrac><mrow><mo>d</mo><mi class='L'>L</mi></mrow><mrow><mo>d</mo><mi class='S'>S</mi></mrow></mfrac>\
        <mo>=</mo><mi class='P'>O2</mi><mo>−</mo><mi class='Y'>Y</mi>",
        spoken: "d L by d S equals O 2 minus Y",
        tolerance: FIRST,
        shape: |s| vec![s.n, s.k],
        closed: |d| d.gradients.s.clone(),
        tape: Account::Whole(|d| read(grad(d.on_tape.forward.l, &d.on_tape.forward.s))),
        finite: Account::Whole(|d| d.finite_scores()),
        scale: |_, closed| largest(closed),
    },
    Line {
        name: "Exp. 2",
        statement: "dS[i,k]/dW2[m,n] = O1[i,m] if k = n, else 0",
        mathml: "<mfrac><mrow><mo>d</mo><msub><mi class='S'>S</mi><mrow><mi>i</mi><mo>,</mo><mi>k</mi></mrow></msub>\
        </mrow><mrow><mo>d</mo><msub><mi>W2</mi><mrow><mi>m</mi><mo>,</mo><mi>n</mi></mrow></msub></mrow>\
        </mfrac><mo>=</mo><msub><mi>δ</mi><mrow><mi>k</mi><mi>n</mi></mrow></msub><mo>&#x2062;</mo><msub><mi>O1\
        </mi><mrow><mi>i</mi><mo>,</mo><mi>m</mi></mrow></msub>",
        spoken: "d S at i, k by d W 2 at m, n equals O 1 at i, m where k is n, else zero",
        tolerance: FIRST,
        shape: |s| vec![s.n, s.k, s.h, s.k],
        closed: |d| closed_form::ds_dw2(d.layer_2(), &d.forward.o1),
        tape: Account::Whole(|d| read(jacobian(d.on_tape.forward.s, d.on_tape.net.w2))),
        finite: Account::Whole(|d| by_differences(d.net.w2, |w2| d.scores_with(w2, d.net.b2), smooth)),
        scale: |_, closed| largest(closed),
    },
    Line {
        name: "Gradient Eq.",
        statement: "dL_i/dW2[m,n] = Σ_k dL_i/dS[i,k] dS[i,k]/dW2[m,n]",
        mathml: "<mfrac><mrow><mo>d</mo><msub><mi class='L'>L</mi><mrow><mi>i</mi></mrow></msub></mrow><mrow><mo>d</mo>\
        <msub><mi>W2</mi><mrow><mi>m</mi><mo>,</mo><mi>n</mi></mrow></msub></mrow></mfrac><mo>=</mo><munder><mo>\
        ∑</mo><mrow><mi>k</mi></mrow></munder><mfrac><mrow><mo>d</mo><msub><mi class='L'>L</mi><mrow><mi>i</mi>\
        </mrow></msub></mrow><mrow><mo>d</mo><msub><mi class='S'>S</mi><mrow><mi>i</mi><mo>,</mo><mi>k</mi>\
        </mrow></msub></mrow></mfrac><mo>&#x2062;</mo><mfrac><mrow><mo>d</mo><msub><mi class='S'>S</mi><mrow>\
        <mi>i</mi><mo>,</mo><mi>k</mi></mrow></msub></mrow><mrow><mo>d</mo><msub><mi>W2</mi><mrow><mi>m</mi><mo>\
        ,</mo><mi>n</mi></mrow></msub></mrow></mfrac>",
        spoken: "d L i by d W 2 at m, n equals the sum over k of d L i by d S at i, k times d S at i, k by d W 2 at m, n",
        tolerance: FIRST,
        shape: |s| vec![s.n, s.h, s.k],
        closed: |d| closed_form::dl_i_dw2(d.layer_2(), &d.forward.o1, &d.gradients.s),
        tape: Account::Whole(|d| read(jacobian(d.on_tape.forward.l_i, d.on_tape.net.w2))),
        finite: Account::Whole(|d| by_differences(d.net.w2, |w2| d.losses_with(w2, d.net.b2), smooth)),
        scale: |_, closed| largest(closed),
    },
    Line {
        name: "vectorised",
        statement: "dL/dW2 = O1ᵀ(O2 − Y)",
        mathml: "<mfrac><mrow><mo>d</mo><mi class='L'>L</mi></mrow><mrow><mo>d</mo><mi>W2</mi></mrow></mfrac><mo>=</mo>\
        <msup><mi>O1</mi><mrow><mo>⊤</mo></mrow></msup><mo>&#x2062;</mo><mrow><mo>(</mo><mi class='P'>O2</mi>\
        <mo>−</mo><mi class='Y'>Y</mi><mo>)</mo></mrow>",
        spoken: "d L by d W 2 equals O 1 transposed times O 2 minus Y",
        tolerance: FIRST,
        shape: |s| vec![s.h, s.k],
        closed: |d| d.closed_dw2(1.0),
        tape: Account::Whole(|d| read(grad(d.on_tape.forward.l, &d.on_tape.net.w2))),
        finite: Account::Whole(|d| d.finite_dw2()),
        scale: |_, closed| largest(closed),
    },
    Line {
        name: "mean",
        statement: "dL/dW2 = 1/N O1ᵀ(O2 − Y) for L = 1/N Σ L_i",
        mathml: "<mfrac><mrow><mo>d</mo><mi class='L'>L</mi></mrow><mrow><mo>d</mo><mi>W2</mi></mrow></mfrac><mo>=</mo>\
        <mfrac><mrow><mn>1</mn></mrow><mrow><mi>N</mi></mrow></mfrac><mo>&#x2062;</mo><msup><mi>O1</mi><mrow>\
        <mo>⊤</mo></mrow></msup><mo>&#x2062;</mo><mrow><mo>(</mo><mi class='P'>O2</mi><mo>−</mo><mi class='Y'>Y\
        </mi><mo>)</mo></mrow><mtext>&#160;for&#160;</mtext><mi class='L'>L</mi><mo>=</mo><mfrac><mrow><mn>1</mn></mrow>\
        <mrow><mi>N</mi></mrow></mfrac><munder><mo>∑</mo><mrow><mi>i</mi></mrow></munder><msub><mi class='L'>L\
        </mi><mrow><mi>i</mi></mrow></msub>",
        spoken: "d L by d W 2 equals one over N times O 1 transposed times O 2 minus Y, for L the mean of the L i",
        tolerance: FIRST,
        shape: |s| vec![s.h, s.k],
        closed: |d| d.closed_dw2(d.sizes.n as f64),
        tape: Account::Whole(|d| read(grad(d.on_tape.forward.l.div_scalar(d.sizes.n as f64), &d.on_tape.net.w2))),
        finite: Account::Whole(|d| d.finite_dw2().into_iter().map(|g| g.map(|g| g / d.sizes.n as f64)).collect()),
        scale: |_, closed| largest(closed),
    },
    Line {
        name: "bias",
        statement: "dL/db2[n] = Σ_i (O2 − Y)[i,n]",
        mathml: "<mfrac><mrow><mo>d</mo><mi class='L'>L</mi></mrow><mrow><mo>d</mo><msub><mi>b2</mi><mrow><mi>n</mi>\
        </mrow></msub></mrow></mfrac><mo>=</mo><munder><mo>∑</mo><mrow><mi>i</mi></mrow></munder><msub><mrow>\
        <mo>(</mo><mi class='P'>O2</mi><mo>−</mo><mi class='Y'>Y</mi><mo>)</mo></mrow><mrow><mi>i</mi><mo>,</mo>\
        <mi>n</mi></mrow></msub>",
        spoken: "d L by d b 2 at n equals the sum over i of O 2 minus Y at i, n",
        tolerance: FIRST,
        shape: |s| vec![s.k],
        closed: |d| closed_form::dl_db(&d.summed(&d.scores_later(), d.sizes.k), d.sizes.k),
        tape: Account::Whole(|d| read(grad(d.on_tape.forward.l, &d.on_tape.net.b2))),
        finite: Account::Whole(|d| by_differences(d.net.b2, |b2| one(d.losses_with(d.net.w2, b2)), smooth)),
        scale: |_, closed| largest(closed),
    },
    Line {
        name: "hidden: O1",
        statement: "dL/dO1 = (O2 − Y) W2ᵀ",
        mathml: "<mfrac><mrow><mo>d</mo><mi class='L'>L</mi></mrow><mrow><mo>d</mo><mi>O1</mi></mrow></mfrac><mo>=</mo>\
        <mrow><mo>(</mo><mi class='P'>O2</mi><mo>−</mo><mi class='Y'>Y</mi><mo>)</mo></mrow><mo>&#x2062;</mo>\
        <msup><mi>W2</mi><mrow><mo>⊤</mo></mrow></msup>",
        spoken: "d L by d O 1 equals O 2 minus Y times W 2 transposed",
        tolerance: FIRST,
        shape: |s| vec![s.n, s.h],
        closed: |d| closed_form::dl_do1(d.layer_2(), &d.scores_later(), d.net.w2),
        tape: Account::Whole(|d| read(d.gradients_on_tape().o1)),
        finite: Account::Whole(|d| {
            by_differences(&d.forward.o1, |o1| one(d.losses_of_scores(&d.scores_of(o1))), smooth)
        }),
        scale: |_, closed| largest(closed),
    },
    Line {
        name: "hidden: Z1",
        statement: "dL/dZ1 = dL/dO1 ∘ f′(Z1)",
        mathml: "<mfrac><mrow><mo>d</mo><mi class='L'>L</mi></mrow><mrow><mo>d</mo><mi>Z1</mi></mrow></mfrac><mo>=</mo>\
        <mfrac><mrow><mo>d</mo><mi class='L'>L</mi></mrow><mrow><mo>d</mo><mi>O1</mi></mrow></mfrac><mo>∘</mo>\
        <msup><mi>f</mi><mrow><mo>′</mo></mrow></msup><mrow><mo>(</mo><mi>Z1</mi><mo>)</mo></mrow>",
        spoken: "d L by d Z 1 equals d L by d O 1, element by element times f prime of Z 1",
        tolerance: FIRST,
        shape: |s| vec![s.n, s.h],
        closed: |d| d.gradients.z1.clone(),
        tape: Account::Whole(|d| read(d.gradients_on_tape().z1)),
        finite: Account::Whole(|d| d.finite_hidden(&d.forward.z1, <[f64]>::to_vec)),
        scale: |_, closed| largest(closed),
    },
    Line {
        name: "hidden: W1",
        statement: "dL/dW1 = Xᵀ dL/dZ1",
        mathml: "<mfrac><mrow><mo>d</mo><mi class='L'>L</mi></mrow><mrow><mo>d</mo><mi>W1</mi></mrow></mfrac><mo>=</mo>\
        <msup><mi>X</mi><mrow><mo>⊤</mo></mrow></msup><mo>&#x2062;</mo><mfrac><mrow><mo>d</mo><mi class='L'>L\
        </mi></mrow><mrow><mo>d</mo><mi>Z1</mi></mrow></mfrac>",
        spoken: "d L by d W 1 equals X transposed times d L by d Z 1",
        tolerance: FIRST,
        shape: |s| vec![s.d, s.h],
        closed: |d| d.closed_dw1(),
        tape: Account::Whole(|d| read(d.gradients_on_tape().w1)),
        finite: Account::Whole(|d| d.finite_hidden(d.net.w1, |w1| d.z1_with(d.x, w1, d.net.b1))),
        scale: |_, closed| largest(closed),
    },
    Line {
        name: "hidden: b1",
        statement: "dL/db1[m] = Σ_i dL/dZ1[i,m]",
        mathml: "<mfrac><mrow><mo>d</mo><mi class='L'>L</mi></mrow><mrow><mo>d</mo><msub><mi>b1</mi><mrow><mi>m</mi>\
        </mrow></msub></mrow></mfrac><mo>=</mo><munder><mo>∑</mo><mrow><mi>i</mi></mrow></munder><mfrac><mrow>\
        <mo>d</mo><mi class='L'>L</mi></mrow><mrow><mo>d</mo><msub><mi>Z1</mi><mrow><mi>i</mi><mo>,</mo><mi>m\
        </mi></mrow></msub></mrow></mfrac>",
        spoken: "d L by d b 1 at m equals the sum over i of d L by d Z 1 at i, m",
        tolerance: FIRST,
        shape: |s| vec![s.h],
        closed: |d| closed_form::dl_db(&d.summed(&d.gradients.z1, d.sizes.h), d.sizes.h),
        tape: Account::Whole(|d| read(d.gradients_on_tape().b1)),
        finite: Account::Whole(|d| d.finite_hidden(d.net.b1, |b1| d.z1_with(d.x, d.net.w1, b1))),
        scale: |_, closed| largest(closed),
    },
    Line {
        name: "hidden: X",
        statement: "dL/dX = dL/dZ1 W1ᵀ",
        mathml: "<mfrac><mrow><mo>d</mo><mi class='L'>L</mi></mrow><mrow><mo>d</mo><mi>X</mi></mrow></mfrac><mo>=</mo>\
        <mfrac><mrow><mo>d</mo><mi class='L'>L</mi></mrow><mrow><mo>d</mo><mi>Z1</mi></mrow></mfrac><mo>&#x2062;\
        </mo><msup><mi>W1</mi><mrow><mo>⊤</mo></mrow></msup>",
        spoken: "d L by d X equals d L by d Z 1 times W 1 transposed",
        tolerance: FIRST,
        shape: |s| vec![s.n, s.d],
        closed: |d| d.gradients.x.clone(),
        tape: Account::Whole(|d| read(d.gradients_on_tape().x)),
        finite: Account::Whole(|d| d.finite_hidden(d.x, |x| d.z1_with(x, d.net.w1, d.net.b1))),
        scale: |_, closed| largest(closed),
    },
    Line {
        name: "2nd: S",
        statement: "d²L_i/dS[i]² = diag(O2[i]) − O2[i] O2[i]ᵀ",
        mathml: "<mfrac><mrow><msup><mo>d</mo><mrow><mn>2</mn></mrow></msup><msub><mi class='L'>L</mi><mrow><mi>i</mi>\
        </mrow></msub></mrow><mrow><mo>d</mo><msup><msub><mi class='S'>S</mi><mrow><mi>i</mi></mrow></msub>\
        <mrow><mn>2</mn></mrow></msup></mrow></mfrac><mo>=</mo><mo>diag</mo><mrow><mo>(</mo><msub><mi class='P'>\
        O2</mi><mrow><mi>i</mi></mrow></msub><mo>)</mo></mrow><mo>−</mo><msub><mi class='P'>O2</mi><mrow><mi>i\
        </mi></mrow></msub><mo>&#x2062;</mo><msubsup><mi class='P'>O2</mi><mrow><mi>i</mi></mrow><mrow><mo>⊤\
        </mo></mrow></msubsup>",
        spoken: "the second derivative of L i by S i equals the diagonal of O 2 i minus O 2 i times O 2 i transposed",
        tolerance: SECOND,
        shape: |s| vec![s.n, s.k, s.k],
        closed: |d| closed_form::d2l_ds2(&d.later, d.sizes.k),
        tape: Account::Part(|d, part| d.tape_2nd_s(part)),
        finite: Account::Part(|d, part| d.finite_2nd_s(part)),
        scale: |_, closed| largest(closed),
    },
    Line {
        name: "2nd: row sums",
        statement: "Σ_k d²L_i/dS[i,j]dS[i,k] = 0",
        mathml: "<munder><mo>∑</mo><mrow><mi>k</mi></mrow></munder><mfrac><mrow><msup><mo>d</mo><mrow><mn>2</mn></mrow>\
        </msup><msub><mi class='L'>L</mi><mrow><mi>i</mi></mrow></msub></mrow><mrow><mo>d</mo><msub>\
        <mi class='S'>S</mi><mrow><mi>i</mi><mo>,</mo><mi>j</mi></mrow></msub><mo>&#x2062;</mo><mo>d</mo><msub>\
        <mi class='S'>S</mi><mrow><mi>i</mi><mo>,</mo><mi>k</mi></mrow></msub></mrow></mfrac><mo>=</mo><mn>0\
        </mn>",
        spoken: "the sum over k of the second derivatives of L i by S at i, j and S at i, k is zero",
        tolerance: SECOND,
        shape: |s| vec![s.n, s.k],
        closed: |d| vec![0.0; d.sizes.n * d.sizes.k],
        tape: Account::Part(|d, part| row_sums(&d.tape_2nd_s(part.start * d.sizes.k..part.end * d.sizes.k), d.sizes.k)),
        finite: Account::Part(|d, part| {
            measured(row_sums(&d.finite_2nd_blocks(part.start * d.sizes.k..part.end * d.sizes.k), d.sizes.k))
        }),
        scale: |d, _| largest(&closed_form::d2l_ds2(&d.later, d.sizes.k)),
    },
    Line {
        name: "2nd: semi-def.",
        statement: "vᵀ d²L_i/dS[i]² v = Var_O2[i](v) ≥ 0, v_k = k",
        mathml: "<msup><mi>v</mi><mrow><mo>⊤</mo></mrow></msup><mo>&#x2062;</mo><mfrac><mrow><msup><mo>d</mo><mrow><mn>2\
        </mn></mrow></msup><msub><mi class='L'>L</mi><mrow><mi>i</mi></mrow></msub></mrow><mrow><mo>d</mo><msup>\
        <msub><mi class='S'>S</mi><mrow><mi>i</mi></mrow></msub><mrow><mn>2</mn></mrow></msup></mrow></mfrac>\
        <mo>&#x2062;</mo><mi>v</mi><mo>=</mo><msub><mo>Var</mo><mrow><msub><mi class='P'>O2</mi><mrow><mi>i</mi>\
        </mrow></msub></mrow></msub><mrow><mo>(</mo><mi>v</mi><mo>)</mo></mrow><mo>≥</mo><mn>0</mn><mtext>\
        ,&#160;where&#160;</mtext><msub><mi>v</mi><mrow><mi>k</mi></mrow></msub><mo>=</mo><mi>k</mi>",
        spoken: "v transposed times the second derivative of L i by S i times v equals the variance of v under O 2 i, never negative, where v k is k",
        tolerance: SECOND,
        shape: |s| vec![s.n],
        closed: |d| closed_form::d2l_along(&d.later, &d.direction()),
        tape: Account::Part(|d, part| d.tape_along(part)),
        finite: Account::Part(|d, part| d.finite_along(part)),
        scale: |_, closed| largest(closed),
    },
    Line {
        name: "2nd: W2",
        statement: "d²L/dW2² = Σ_i O1[i]O1[i]ᵀ ⊗ d²L_i/dS[i]²",
        mathml: "<mfrac><mrow><msup><mo>d</mo><mrow><mn>2</mn></mrow></msup><mi class='L'>L</mi></mrow><mrow><mo>d</mo>\
        <msup><mi>W2</mi><mrow><mn>2</mn></mrow></msup></mrow></mfrac><mo>=</mo><munder><mo>∑</mo><mrow><mi>i\
        </mi></mrow></munder><msub><mi>O1</mi><mrow><mi>i</mi></mrow></msub><mo>&#x2062;</mo><msubsup><mi>O1\
        </mi><mrow><mi>i</mi></mrow><mrow><mo>⊤</mo></mrow></msubsup><mo>⊗</mo><mfrac><mrow><msup><mo>d</mo>\
        <mrow><mn>2</mn></mrow></msup><msub><mi class='L'>L</mi><mrow><mi>i</mi></mrow></msub></mrow><mrow><mo>d\
        </mo><msup><msub><mi class='S'>S</mi><mrow><mi>i</mi></mrow></msub><mrow><mn>2</mn></mrow></msup></mrow>\
        </mfrac>",
        spoken: "the second derivative of L by W 2 equals the sum over i of O 1 i times O 1 i transposed, Kronecker product with the second derivative of L i by S i",
        tolerance: SECOND,
        shape: |s| vec![s.h, s.k, s.h, s.k],
        closed: |d| d.closed_2nd_w2(),
        tape: Account::Part(|d, part| d.tape_2nd_w2(part)),
        finite: Account::Part(|d, part| d.finite_2nd_w2(part)),
        scale: |_, closed| largest(closed),
    },
];
