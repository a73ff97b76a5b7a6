//! Element-wise functions: a line is a name, the ranges of the operands, and the exponentials and divisions of the value, and of
//! value and gradient together. A function and its slope share what they have in common.

use crate::row::{Range, Row, Table, slope};
use autograd::{Float, Var};

const ANY: Range = (-2.0, 2.0);
const POSITIVE: Range = (0.1, 4.0);
const UNIT: Range = (-0.95, 0.95);
const SHARE: Range = (0.05, 0.95);
const LARGE: Range = (1.1, 4.0);

/// A second derivative, from cotangents of both sweeps.
fn curve<'t, T: Float>(y: Var<'t, T>, x: Var<'t, T>, dy: Var<'t, T>, ddy: Var<'t, T>) -> Var<'t, T> {
    slope(slope(y, x, dy), x, ddy)
}

#[expect(clippy::too_many_lines, reason = "a table: one row for each operation")]
pub(crate) fn add<T: Float>(t: &mut Table<T>) {
    // Arithmetic.
    t.map("neg", [ANY], [(0, 0), (0, 0)], |[x]| -x);
    t.map("add_scalar", [ANY], [(0, 0), (0, 0)], |[x]| x.add_scalar(0.5));
    t.map("mul_scalar", [ANY], [(0, 0), (0, 0)], |[x]| x.mul_scalar(0.5));
    t.map("div_scalar", [ANY], [(0, 1), (0, 2)], |[x]| x.div_scalar(3.0));
    t.map("abs", [ANY], [(0, 0), (0, 0)], |[x]| x.abs());
    t.map("sign", [ANY], [(0, 0), (0, 0)], |[x]| x.sign());
    t.map("floor", [ANY], [(0, 0), (0, 0)], |[x]| x.floor());
    t.map("ceil", [ANY], [(0, 0), (0, 0)], |[x]| x.ceil());
    t.map("round", [ANY], [(0, 0), (0, 0)], |[x]| x.round());
    t.map("sqrt", [POSITIVE], [(0, 1), (0, 2)], |[x]| x.sqrt());
    t.map("rsqrt", [POSITIVE], [(0, 2), (0, 3)], |[x]| x.rsqrt());
    t.map("reciprocal", [POSITIVE], [(0, 1), (0, 1)], |[x]| x.reciprocal());
    t.map("square", [ANY], [(0, 0), (0, 0)], |[x]| x.square());
    t.map("stop_gradient", [ANY], [(0, 0), (0, 0)], |[x]| x.stop_gradient() * x);
    t.map("nan_to_num", [ANY], [(0, 0), (0, 0)], |[x]| x.nan_to_num());
    t.map("clamp", [ANY], [(0, 0), (0, 0)], |[x]| x.clamp(-1.0, 1.0));
    t.map("clamp_to", [ANY], [(0, 0), (0, 0)], |[x]| x.clamp(-1.0, None));
    t.map("inside", [ANY, ANY], [(0, 0), (0, 0)], |[x, dy]| slope(x.clamp(-1.0, 1.0), x, dy));

    // Exponentials, logarithms and powers.
    t.map("exp", [ANY], [(1, 0), (1, 0)], |[x]| x.exp());
    t.map("expm1", [ANY], [(1, 1), (2, 1)], |[x]| x.expm1());
    t.map("log", [POSITIVE], [(1, 1), (1, 2)], |[x]| x.log());
    t.map("log1p", [POSITIVE], [(1, 1), (1, 2)], |[x]| x.log1p());
    t.map("exp2", [ANY], [(1, 0), (1, 0)], |[x]| x.exp2());
    t.map("pow_of", [ANY], [(1, 0), (1, 0)], |[x]| x.pow_of(3.0));
    t.map("power_of", [ANY], [(1, 0), (1, 0)], |[x]| x.pow_of(0.1));
    t.map("log2", [POSITIVE], [(1, 1), (1, 2)], |[x]| x.log2());
    t.map("log10", [POSITIVE], [(1, 1), (1, 2)], |[x]| x.log10());
    t.map("logit", [SHARE], [(1, 1), (1, 2)], |[x]| x.logit());
    t.map("logit_slope", [SHARE, ANY], [(0, 1), (0, 1)], |[x, dy]| slope(x.logit(), x, dy));
    t.map("cbrt_slope", [ANY, ANY], [(1, 2), (1, 3)], |[x, dy]| slope(x.cbrt(), x, dy));
    t.map("log_cosh", [ANY], [(2, 1), (2, 2)], |[x]| x.log_cosh());
    t.map("cbrt", [ANY], [(1, 1), (1, 2)], |[x]| x.cbrt());
    t.map("log_slope", [POSITIVE, ANY], [(0, 1), (0, 1)], |[x, dy]| slope(x.log(), x, dy));
    t.map("pow_scalar", [POSITIVE], [(3, 1), (3, 1)], |[x]| x.pow_scalar(1.7));
    t.map("pow_scalar:half", [POSITIVE], [(0, 1), (0, 2)], |[x]| x.pow_scalar(0.5));
    t.map("pow_scalar:3", [POSITIVE], [(0, 0), (0, 0)], |[x]| x.pow_scalar(3.0));
    t.map("pow_scalar:-2", [POSITIVE], [(0, 1), (0, 2)], |[x]| x.pow_scalar(-2.0));
    t.map("pow_parts", [POSITIVE, ANY], [(3, 1), (3, 1)], |[x, dy]| slope(x.pow_scalar(0.3), x, dy));

    // Trigonometric and hyperbolic functions.
    t.map("sin", [ANY], [(2, 0), (2, 0)], |[x]| x.sin());
    t.map("cos", [ANY], [(2, 0), (2, 0)], |[x]| x.cos());
    t.map("tan", [ANY], [(2, 1), (2, 1)], |[x]| x.tan());
    t.map("asin", [UNIT], [(2, 1), (2, 3)], |[x]| x.asin());
    t.map("acos", [UNIT], [(2, 1), (2, 3)], |[x]| x.acos());
    t.map("asin_slope", [UNIT, ANY], [(0, 2), (0, 2)], |[x, dy]| slope(x.asin(), x, dy));
    t.map("atan", [ANY], [(2, 1), (2, 2)], |[x]| x.atan());
    t.map("atan_slope", [ANY, ANY], [(0, 1), (0, 1)], |[x, dy]| slope(x.atan(), x, dy));
    t.map("sinh", [ANY], [(2, 1), (2, 1)], |[x]| x.sinh());
    t.map("cosh", [ANY], [(1, 1), (2, 1)], |[x]| x.cosh());
    t.map("tanh", [ANY], [(1, 1), (1, 1)], |[x]| x.tanh());
    t.map("sech2", [ANY, ANY], [(1, 1), (2, 2)], |[x, dy]| slope(x.tanh(), x, dy));
    t.map("asinh", [ANY], [(2, 2), (2, 3)], |[x]| x.asinh());
    t.map("asinh_slope", [ANY, ANY], [(0, 2), (0, 2)], |[x, dy]| slope(x.asinh(), x, dy));
    t.map("acosh", [LARGE], [(2, 2), (2, 4)], |[x]| x.acosh());
    t.map("acosh_slope", [LARGE, ANY], [(0, 3), (0, 3)], |[x, dy]| slope(x.acosh(), x, dy));
    t.map("atanh", [UNIT], [(1, 2), (1, 3)], |[x]| x.atanh());
    t.map("atanh_slope", [UNIT, ANY], [(0, 1), (0, 1)], |[x, dy]| slope(x.atanh(), x, dy));
    t.map("sinc", [ANY], [(2, 1), (3, 2)], |[x]| x.sinc());
    t.map("sinc_order", [ANY, ANY], [(3, 2), (3, 3)], |[x, dy]| slope(x.sinc(), x, dy));

    // Activations.
    t.map("sigmoid", [ANY], [(1, 1), (1, 1)], |[x]| x.sigmoid());
    t.map("sigmoid_slope", [ANY, ANY], [(1, 1), (2, 2)], |[x, dy]| slope(x.sigmoid(), x, dy));
    t.map("log_sigmoid", [ANY], [(2, 1), (2, 2)], |[x]| x.log_sigmoid());
    t.map("softplus", [ANY], [(2, 1), (2, 2)], |[x]| x.softplus());
    t.map("relu", [ANY], [(0, 0), (0, 0)], |[x]| x.relu());
    t.map("leaky_relu", [ANY], [(0, 0), (0, 0)], |[x]| x.leaky_relu(0.1));
    t.map("step_to", [ANY, ANY], [(0, 0), (0, 0)], |[x, dy]| slope(x.leaky_relu(0.1), x, dy));
    t.map("elu", [ANY], [(1, 1), (2, 1)], |[x]| x.elu(1.0));
    t.map("elu_slope", [ANY, ANY], [(1, 0), (1, 0)], |[x, dy]| slope(x.elu(1.0), x, dy));
    t.map("elu_tail", [ANY, ANY, ANY], [(1, 0), (1, 0)], |[x, dy, ddy]| curve(x.elu(1.0), x, dy, ddy));
    t.map("celu", [ANY], [(1, 2), (2, 3)], |[x]| x.celu(1.5));
    t.map("selu", [ANY], [(1, 1), (2, 1)], |[x]| x.selu());
    t.map("hardtanh", [ANY], [(0, 0), (0, 0)], |[x]| x.hardtanh(-1.0, 1.0));
    t.map("hardsigmoid", [ANY], [(0, 1), (0, 2)], |[x]| x.hardsigmoid());
    t.map("hardswish", [ANY], [(0, 1), (0, 2)], |[x]| x.hardswish());
    t.map("hardswish_slope", [ANY, ANY], [(0, 1), (0, 2)], |[x, dy]| slope(x.hardswish(), x, dy));
    t.map("softshrink", [ANY], [(0, 0), (0, 0)], |[x]| x.softshrink(0.5));
    t.map("hardshrink", [ANY], [(0, 0), (0, 0)], |[x]| x.hardshrink(0.5));
    t.map("softshrink_by", [ANY], [(0, 0), (0, 0)], |[x]| x.softshrink(0.25));
    t.map("hardshrink_by", [ANY], [(0, 0), (0, 0)], |[x]| x.hardshrink(0.25));
    t.map("tanhshrink", [ANY], [(1, 2), (1, 2)], |[x]| x.tanhshrink());
    t.map("threshold", [ANY], [(0, 0), (0, 0)], |[x]| x.threshold(0.5, -1.0));
    t.map("gelu", [ANY], [(2, 1), (3, 1)], |[x]| x.gelu());
    t.map("gelu_slope", [ANY, ANY], [(3, 1), (3, 1)], |[x, dy]| slope(x.gelu(), x, dy));
    t.map("ndtr", [ANY], [(2, 1), (3, 1)], |[x]| x.ndtr());
    t.map("log_ndtr", [ANY], [(3, 2), (3, 3)], |[x]| x.log_ndtr());
    t.map("inverse_mills", [ANY, ANY], [(2, 2), (3, 3)], |[x, dy]| slope(x.log_ndtr(), x, dy));
    t.map("normal_density", [ANY, ANY, ANY], [(1, 0), (1, 0)], |[x, dy, ddy]| curve(x.gelu(), x, dy, ddy));
    // The cubic of the tanh form is exact to twice the digits, which costs as much as an exponential.
    t.map("gelu_tanh", [ANY], [(2, 1), (2, 1)], |[x]| x.gelu_tanh());
    t.map("gelu_tanh_slope", [ANY, ANY], [(2, 1), (3, 2)], |[x, dy]| slope(x.gelu_tanh(), x, dy));
    t.map("gelu_tanh_curve", [ANY, ANY, ANY], [(2, 1), (3, 3)], |[x, dy, ddy]| curve(x.gelu_tanh(), x, dy, ddy));
    t.map("silu", [ANY], [(1, 1), (1, 1)], |[x]| x.silu());
    t.map("silu_slope", [ANY, ANY], [(1, 1), (2, 2)], |[x, dy]| slope(x.silu(), x, dy));
    t.map("silu_curve", [ANY, ANY, ANY], [(1, 1), (2, 2)], |[x, dy, ddy]| curve(x.silu(), x, dy, ddy));
    t.map("mish", [ANY], [(1, 1), (1, 2)], |[x]| x.mish());
    t.map("mish_slope", [ANY, ANY], [(1, 2), (2, 3)], |[x, dy]| slope(x.mish(), x, dy));
    t.map("mish_curve", [ANY, ANY, ANY], [(1, 2), (3, 3)], |[x, dy, ddy]| curve(x.mish(), x, dy, ddy));
    t.map("softsign", [ANY], [(0, 1), (0, 2)], |[x]| x.softsign());
    t.map("softsign_slope", [ANY, ANY], [(0, 1), (0, 2)], |[x, dy]| slope(x.softsign(), x, dy));

    // Error functions, and those of gamma, which are series and recurrences.
    t.map("erf", [ANY], [(2, 1), (3, 1)], |[x]| x.erf());
    t.map("erfc", [ANY], [(2, 1), (3, 1)], |[x]| x.erfc());
    t.map("erf_slope", [ANY, ANY], [(1, 0), (1, 0)], |[x, dy]| slope(x.erf(), x, dy));
    t.series("erfinv", [UNIT], |[x]| x.erfinv());
    t.series("erfinv_slope", [UNIT, ANY], |[x, dy]| slope(x.erfinv(), x, dy));
    t.series("lgamma", [POSITIVE], |[x]| x.lgamma());
    t.series("digamma", [POSITIVE], |[x]| x.digamma());
    t.series("polygamma", [POSITIVE], |[x]| x.polygamma(2));
    t.series("mills_curve", [ANY, ANY, ANY], |[x, dy, ddy]| curve(x.log_ndtr(), x, dy, ddy));
    t.series("normal_excess", [ANY, ANY, ANY], |[x, dy, ddy]| slope(curve(x.log_ndtr(), x, dy, ddy), x, dy));
    t.series("polygamma_order", [POSITIVE, ANY], |[x, dy]| slope(x.digamma(), x, dy));

    // Two operands.
    t.map("add", [ANY, ANY], [(0, 0), (0, 0)], |[a, b]| a + b);
    t.map("sub", [ANY, ANY], [(0, 0), (0, 0)], |[a, b]| a - b);
    t.map("mul", [ANY, ANY], [(0, 0), (0, 0)], |[a, b]| a * b);
    t.map("div", [ANY, POSITIVE], [(0, 1), (0, 3)], |[a, b]| a / b);
    t.map("zmul", [ANY, ANY], [(0, 0), (0, 0)], |[a, b]| a.zmul(b));
    t.map("zdiv", [ANY, POSITIVE, ANY], [(0, 1), (0, 3)], |[a, b, dy]| slope(a / b, a, dy));
    t.map("pow", [POSITIVE, ANY], [(3, 1), (3, 2)], |[a, b]| a.pow(b));
    t.map("pow_slope", [POSITIVE, ANY, ANY], [(3, 1), (3, 2)], |[a, b, dy]| slope(a.pow(b), a, dy));
    t.map("pow_log", [POSITIVE, ANY, ANY], [(3, 1), (3, 3)], |[a, b, dy]| slope(a.pow(b), b, dy));
    t.map("maximum", [ANY, ANY], [(0, 0), (0, 0)], |[a, b]| a.maximum(b));
    t.map("minimum", [ANY, ANY], [(0, 0), (0, 0)], |[a, b]| a.minimum(b));
    t.map("larger_share", [ANY, ANY, ANY], [(0, 0), (0, 0)], |[a, b, dy]| slope(a.maximum(b), a, dy));
    t.map("smaller_share", [ANY, ANY, ANY], [(0, 0), (0, 0)], |[a, b, dy]| slope(a.minimum(b), a, dy));
    t.map("atan2", [ANY, ANY], [(2, 1), (2, 4)], |[a, b]| a.atan2(b));
    t.map("over_squares", [ANY, ANY, ANY], [(0, 1), (0, 3)], |[a, b, dy]| slope(a.atan2(b), a, dy));
    t.map("over_norm", [ANY, ANY, ANY, ANY], [(0, 5), (0, 8)], |[a, b, dy, ddy]| curve(a.hypot(b), a, dy, ddy));
    t.map("hypot", [ANY, ANY], [(0, 1), (0, 3)], |[a, b]| a.hypot(b));
    t.map("hypot_share", [ANY, ANY, ANY], [(0, 2), (0, 5)], |[a, b, dy]| slope(a.hypot(b), a, dy));
    t.map("both", [ANY, ANY, ANY], [(0, 2), (0, 5)], |[a, b, dy]| slope(b.hypot(a), a, dy));
    t.series("rem", [ANY, POSITIVE], |[a, b]| a.rem(b));
    t.map("logaddexp", [ANY, ANY], [(2, 1), (2, 2)], |[a, b]| a.logaddexp(b));
    t.map("logistic_share", [ANY, ANY, ANY], [(1, 1), (1, 1)], |[a, b, dy]| slope(a.logaddexp(b), a, dy));
    t.map("xlogy", [ANY, POSITIVE], [(1, 1), (1, 2)], |[a, b]| a.xlogy(b));
    t.map("xlogy_log", [ANY, POSITIVE, ANY], [(1, 1), (1, 2)], |[a, b, dy]| slope(a.xlogy(b), a, dy));
    t.map("xlog1py", [ANY, POSITIVE], [(1, 1), (1, 2)], |[a, b]| a.xlog1py(b));
    t.map("xlog1py_log", [ANY, POSITIVE, ANY], [(1, 1), (1, 2)], |[a, b, dy]| slope(a.xlog1py(b), a, dy));
    t.map("eq", [ANY, ANY], [(0, 0), (0, 0)], |[a, b]| a.eq(b));
    t.map("ne", [ANY, ANY], [(0, 0), (0, 0)], |[a, b]| a.ne(b));
    t.map("lt", [ANY, ANY], [(0, 0), (0, 0)], |[a, b]| a.lt(b));
    t.map("le", [ANY, ANY], [(0, 0), (0, 0)], |[a, b]| a.le(b));
    t.map("gt", [ANY, ANY], [(0, 0), (0, 0)], |[a, b]| a.gt(b));
    t.map("ge", [ANY, ANY], [(0, 0), (0, 0)], |[a, b]| a.ge(b));

    // Selections, and what rules make of them.
    t.map("where", [ANY, ANY, ANY], [(0, 0), (0, 0)], |[x, a, b]| x.gt(0.0).select(a, b));
    t.map("masked_fill", [ANY, ANY], [(0, 0), (0, 0)], |[x, m]| x.masked_fill(m.gt(0.0), 1.0));
    t.map("keep", [ANY, ANY, ANY], [(0, 0), (0, 0)], |[x, a, dy]| slope(x.gt(0.0).select(a, x), a, dy));
    t.map("discard", [ANY, ANY, ANY], [(0, 0), (0, 0)], |[x, a, dy]| slope(x.gt(0.0).select(x, a), a, dy));
    t.map("weigh", [ANY, ANY], [(0, 0), (0, 0)], |[x, dy]| slope(x.abs(), x, dy));
    t.map("gate", [ANY, ANY], [(0, 0), (0, 0)], |[x, dy]| slope(x.relu(), x, dy));
    let flat = [t.size(100_000)];
    t.rows
        .push(Row::new("checkpoint", &flat, |g| g.tape.checkpoint(|| g.x[0].tanh().square())).formula((1, 1), (2, 2)));
    let rows = [t.size(100), 1000];
    let scan = Row::new("scan", &rows, |g| {
        let (_, all) = g.tape.scan(&g.tape.full([1000], T::ZERO), &g.x[0], |h, x, _| {
            let next = (h * 0.5 + x).tanh();
            (next, next)
        });
        all
    });
    t.rows.push(scan.formula((1, 1), (2, 2)));
    losses(t, SHARE);
}

/// Losses are element-wise functions, and the sum of what these give.
fn losses<T: Float>(t: &mut Table<T>, share: Range) {
    use autograd::{GaussianNll, KlTarget, PoissonNll, Reduction::Sum};
    t.map("mse", [ANY, ANY], [(0, 0), (0, 0)], |[x, y]| x.mse(y, Sum));
    t.map("l1", [ANY, ANY], [(0, 0), (0, 0)], |[x, y]| x.l1(y, Sum));
    t.map("huber", [ANY, ANY], [(0, 0), (0, 0)], |[x, y]| x.huber(y, 1.0, Sum));
    t.map("bce_with_logits", [ANY, share], [(2, 1), (2, 2)], |[x, y]| x.bce_with_logits(y, None, Sum));
    t.map("bce", [share, share], [(2, 2), (2, 4)], |[x, y]| x.bce(y, None, Sum));
    t.map("sigmoid_focal", [ANY, share], [(3, 2), (3, 3)], |[x, y]| x.sigmoid_focal(y, Some(0.25), 2.0, Sum));
    t.map("poisson_nll", [ANY, POSITIVE], [(1, 0), (1, 0)], |[x, y]| {
        x.poisson_nll(y, &PoissonNll { log_input: true, full: false, eps: 1e-8, reduction: Sum })
    });
    t.map("gaussian_nll", [ANY, ANY, POSITIVE], [(1, 2), (1, 4)], |[x, y, v]| {
        x.gaussian_nll(y, v, &GaussianNll { full: false, eps: 1e-6, reduction: Sum })
    });
    t.map("kl_div", [ANY, share], [(1, 1), (1, 2)], |[x, y]| x.kl_div(y, KlTarget::Probabilities, Sum));
    t.map("hinge", [ANY, ANY], [(0, 0), (0, 0)], |[x, y]| x.hinge(y, Sum));
    t.map("hinge_embedding", [ANY, ANY], [(0, 0), (0, 0)], |[x, y]| x.hinge_embedding(y.sign(), 1.0, Sum));
    t.map("soft_margin", [ANY, ANY], [(2, 1), (2, 2)], |[x, y]| x.soft_margin(y, Sum));
    t.map("margin_ranking", [ANY, ANY, ANY], [(0, 0), (0, 0)], |[a, b, y]| a.margin_ranking(b, y, 0.1, Sum));
}
