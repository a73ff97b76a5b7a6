//! One corpus of expressions for every test that loops over the vocabulary: the checker at each order, forward against
//! reverse, the mutants of the rules, `f32` against `f64`.

use crate::check::Stream;
use crate::ops::binary::BinaryRules;
use crate::{
    Conv, CrossEntropyOptions, Float, GaussianNll, Keep, Key, KlTarget, Order, Padding, PoissonNll, Pool, Reduction,
    Scan, Slice, Tensor, Transposed, Triangular, TripletMargin, Var, concat, einsum, jvp, keepdims, stack,
};

/// A row: a name, the shapes of the inputs, the range they are drawn from, and the expression.
pub(crate) struct Row<T: Float> {
    pub(crate) name: &'static str,
    shapes: Vec<Vec<usize>>,
    range: (f64, f64),
    pub(crate) f: for<'t> fn(&[Var<'t, T>]) -> Var<'t, T>,
}

impl<T: Float> Row<T> {
    /// Inputs that are the same from run to run, all different from each other.
    pub(crate) fn inputs(&self) -> Vec<Tensor<T>> {
        let mut stream = Stream::new(self.name.bytes().fold(1_u64, |h, b| h.wrapping_mul(31) + u64::from(b)));
        let (low, high) = self.range;
        self.shapes.iter().map(|s| Tensor::from_fn(&s[..], |_| T::of(stream.between(low, high)))).collect()
    }
}

macro_rules! rows {
    ($($name:literal $([$($n:expr),*])+ in $range:expr => |$x:ident| $f:expr;)*) => {
        /// Smooth expressions, and piecewise smooth ones away from their kinks.
        pub(crate) fn rows<T: Float>() -> Vec<Row<T>> {
            vec![$(Row { name: $name, shapes: vec![$(vec![$($n),*]),+], range: $range, f: |$x| $f }),*]
        }
    };
}

const ANY: (f64, f64) = (-2.0, 2.0);
const POSITIVE: (f64, f64) = (0.3, 2.5);
const NEGATIVE: (f64, f64) = (-2.0, -0.3);
const INSIDE: (f64, f64) = (-0.8, 0.8);
const ABOVE_ONE: (f64, f64) = (1.2, 3.0);

fn option<T: Float>(reduction: Reduction) -> CrossEntropyOptions<T> {
    CrossEntropyOptions { reduction, ..Default::default() }
}

fn weighted<T: Float>() -> CrossEntropyOptions<T> {
    CrossEntropyOptions {
        reduction: Reduction::Mean,
        class_weights: Some(Tensor::from(vec![T::of(0.5), T::of(2.0), T::of(1.5)])),
        label_smoothing: 0.1,
        ignore_index: Some(1),
    }
}

/// Targets of four examples: −1 and 1 in turn.
fn signs<'t, T: Float>(x: Var<'t, T>) -> Var<'t, T> {
    x.tape().var(&Tensor::from_fn([4], |i| if i % 2 == 0 { -T::ONE } else { T::ONE }))
}

/// A symmetric positive definite matrix from any square one.
fn definite<'t, T: Float>(x: Var<'t, T>) -> Var<'t, T> {
    let n = x.shape()[x.rank() - 1];
    x.matmul(x.t()) + x.tape().var(&Tensor::eye(n)) * T::of(2.0)
}

rows! {
    "neg" [2, 3] in ANY => |x| x[0].neg();
    "add_scalar" [3] in ANY => |x| x[0] + T::of(1.5);
    "sub_scalar" [3] in ANY => |x| x[0] - T::of(1.5);
    "mul_scalar" [3] in ANY => |x| x[0] * T::of(-1.5);
    "div_scalar" [3] in ANY => |x| x[0] / T::of(3.0);
    "abs" [4] in POSITIVE => |x| (x[0] - T::of(1.4)).abs();
    "exp" [3] in ANY => |x| x[0].exp();
    "expm1" [3] in ANY => |x| x[0].expm1();
    "log" [3] in POSITIVE => |x| x[0].log();
    "log1p" [3] in POSITIVE => |x| x[0].log1p();
    "sqrt" [3] in POSITIVE => |x| x[0].sqrt();
    "rsqrt" [3] in POSITIVE => |x| x[0].rsqrt();
    "reciprocal" [3] in POSITIVE => |x| x[0].reciprocal();
    "square" [3] in ANY => |x| x[0].square();
    "pow 3" [3] in ANY => |x| x[0].pow_scalar(3.0);
    "pow -1" [3] in POSITIVE => |x| x[0].pow_scalar(-1.0);
    "pow 2.5" [3] in POSITIVE => |x| x[0].pow_scalar(2.5);
    "pow 0.3" [3] in POSITIVE => |x| x[0].pow_scalar(0.3);
    "pow_parts" [3] in POSITIVE => |x| x[0].pow_parts(-0.7, 1e-17);
    "pow_of" [3] in ANY => |x| x[0].pow_of(2.5);
    "exp2" [3] in ANY => |x| x[0].exp2();
    "log2" [3] in POSITIVE => |x| x[0].log2();
    "log10" [3] in POSITIVE => |x| x[0].log10();
    "cbrt" [3] in POSITIVE => |x| x[0].cbrt();
    "cbrt below 0" [3] in NEGATIVE => |x| x[0].cbrt();
    "logit" [3] in INSIDE => |x| (x[0] * T::of(0.5) + T::of(0.5)).logit();
    "log_cosh" [4] in ANY => |x| x[0].log_cosh();
    "ndtr" [4] in ANY => |x| x[0].ndtr();
    "log_ndtr" [4] in ANY => |x| x[0].log_ndtr();
    "log_ndtr far left" [3] in ABOVE_ONE => |x| (x[0] * T::of(-3.0)).log_ndtr();
    "sin" [3] in ANY => |x| x[0].sin();
    "cos" [3] in ANY => |x| x[0].cos();
    "tan" [3] in INSIDE => |x| x[0].tan();
    "asin" [3] in INSIDE => |x| x[0].asin();
    "acos" [3] in INSIDE => |x| x[0].acos();
    "atan" [3] in ANY => |x| x[0].atan();
    "sinh" [3] in ANY => |x| x[0].sinh();
    "cosh" [3] in ANY => |x| x[0].cosh();
    "tanh" [3] in ANY => |x| x[0].tanh();
    "asinh" [3] in ANY => |x| x[0].asinh();
    "acosh" [3] in ABOVE_ONE => |x| x[0].acosh();
    "atanh" [3] in INSIDE => |x| x[0].atanh();
    "sigmoid" [3] in ANY => |x| x[0].sigmoid();
    "log_sigmoid" [3] in ANY => |x| x[0].log_sigmoid();
    "softplus" [3] in ANY => |x| x[0].softplus();
    "relu" [4] in POSITIVE => |x| (x[0] - T::of(1.4)).relu() * x[0];
    "leaky_relu" [4] in POSITIVE => |x| (x[0] - T::of(1.4)).leaky_relu(0.1) * x[0];
    "elu" [4] in POSITIVE => |x| (x[0] - T::of(1.4)).elu(0.7);
    "celu" [4] in POSITIVE => |x| (x[0] - T::of(1.4)).celu(0.7);
    "selu" [4] in POSITIVE => |x| (x[0] - T::of(1.4)).selu();
    "hardtanh" [4] in POSITIVE => |x| x[0].hardtanh(0.9, 1.9) * x[0];
    "hardsigmoid" [4] in ANY => |x| x[0].hardsigmoid() * x[0];
    "hardswish" [4] in POSITIVE => |x| (x[0] * T::of(2.0)).hardswish() * x[0];
    "softshrink" [4] in POSITIVE => |x| x[0].softshrink(1.4) * x[0];
    "hardshrink" [4] in POSITIVE => |x| x[0].hardshrink(1.4) * x[0];
    "tanhshrink" [4] in ANY => |x| x[0].tanhshrink();
    "threshold" [4] in POSITIVE => |x| x[0].threshold(1.4, 0.5) * x[0];
    "clamp" [4] in POSITIVE => |x| x[0].clamp(0.9, 1.9) * x[0];
    "gelu" [3] in ANY => |x| x[0].gelu();
    "gelu_tanh" [3] in ANY => |x| x[0].gelu_tanh();
    "silu" [3] in ANY => |x| x[0].silu();
    "mish" [3] in ANY => |x| x[0].mish();
    "softsign" [3] in ANY => |x| x[0].softsign();
    "erf" [3] in ANY => |x| x[0].erf();
    "erfc" [3] in ANY => |x| x[0].erfc();
    "sinc" [3] in ANY => |x| x[0].sinc();
    "erfinv" [3] in INSIDE => |x| x[0].erfinv();
    "lgamma" [3] in POSITIVE => |x| x[0].lgamma();
    "digamma" [3] in POSITIVE => |x| x[0].digamma();
    "digamma below 0" [3] in INSIDE => |x| (x[0] * T::of(0.3) - T::of(1.5)).digamma();
    "polygamma" [3] in POSITIVE => |x| x[0].polygamma(2);

    "normal_density" [3] in ANY => |x| x[0].normal_density();
    "hardswish_slope" [4] in ANY => |x| (x[0] * T::of(1.3)).hardswish_slope();
    "inverse_mills" [3] in ANY => |x| x[0].inverse_mills();
    "mills_curve" [4] in ANY => |x| (x[0] * T::of(2.0)).mills_curve();
    "normal_excess" [4] in ANY => |x| (x[0] * T::of(2.0)).normal_excess(2);
    "gelu_tanh_curve" [3] in ANY => |x| x[0].gelu_tanh_curve();
    "mish_curve" [3] in ANY => |x| x[0].mish_curve();
    "silu_curve" [3] in ANY => |x| x[0].silu_curve();
    "elu_tail" [3] in NEGATIVE => |x| x[0].elu_tail(0.7);

    "add" [2, 3] [3] in ANY => |x| x[0] + x[1];
    "sub" [2, 1] [2, 3] in ANY => |x| x[0] - x[1];
    "mul" [2, 3] [2, 1] in ANY => |x| x[0] * x[1];
    "div" [2, 3] [3] in POSITIVE => |x| x[0] / x[1];
    "number over variable" [3] in POSITIVE => |x| x[0].tape().scalar(T::ONE) / x[0];
    "zmul" [2, 3] [3] in ANY => |x| x[0].zmul(x[1]);
    "pow" [2, 3] [3] in POSITIVE => |x| x[0].pow(x[1]);
    "maximum" [2, 3] [3] in ANY => |x| x[0].maximum(x[1]) * x[0];
    "minimum" [2, 3] [3] in ANY => |x| x[0].minimum(x[1]) * x[0];
    "pow_slope" [2, 3] [3] in POSITIVE => |x| x[0].pow_slope(x[1]);
    "over_norm" [2, 3] [3] in POSITIVE => |x| x[0].over_norm(x[1]);
    "over_squares" [2, 3] [3] in POSITIVE => |x| x[0].over_squares(x[1]);
    "atan2" [2, 3] [3] in POSITIVE => |x| x[0].atan2(x[1]);
    "hypot" [2, 3] [3] in POSITIVE => |x| x[0].hypot(x[1]);
    "rem" [2, 3] [3] in ABOVE_ONE => |x| (x[0] * T::of(3.0)).rem(x[1]).square() * x[1];
    "logaddexp" [2, 3] [3] in ANY => |x| x[0].logaddexp(x[1]);
    "xlogy" [2, 3] [3] in POSITIVE => |x| x[0].xlogy(x[1]);
    "xlog1py" [2, 3] [3] in POSITIVE => |x| x[0].xlog1py(x[1]);
    "where" [2, 3] [3] [1] in ANY => |x| x[0].gt(x[1]).select(x[0] * x[1], x[1] * x[2]);

    "sum" [2, 3, 2] in ANY => |x| x[0].square().sum();
    "sum axes" [2, 3, 2] in ANY => |x| x[0].square().sum_axes([0, -1]);
    "mean keepdims" [2, 3] in ANY => |x| x[0].mean_axes(keepdims(1)) * x[0];
    "prod" [2, 3] in ANY => |x| x[0].prod_axes(1);
    "max" [2, 3] in ANY => |x| x[0].max_axes(1) * x[0].sum_axes(1);
    "min" [2, 3, 2] in ANY => |x| x[0].min_axes([0, 2]) * x[0].sum_axes([0, 2]);
    "logsumexp" [2, 3] in ANY => |x| x[0].logsumexp(1);
    "var" [2, 3] in ANY => |x| x[0].var(1, 1);
    "std" [2, 3] in ANY => |x| x[0].std(0, 0);
    "norm 2" [2, 3] in POSITIVE => |x| x[0].norm(2.0, 1);
    "norm 1" [2, 3] in POSITIVE => |x| x[0].norm(1.0, ..).square();
    "norm 3" [2, 3] in POSITIVE => |x| x[0].norm(3.0, 1);
    "norm inf" [2, 3] in POSITIVE => |x| x[0].norm(f64::INFINITY, 1).square();
    "cumsum" [2, 3, 2] in ANY => |x| x[0].square().cumsum(1);
    "cumsum_reverse" [2, 3, 2] in ANY => |x| x[0].square().cumsum_reverse(1);
    "diff" [2, 4] in ANY => |x| x[0].square().diff(2, 1);
    "cumprod" [2, 3, 2] in ANY => |x| x[0].cumprod(1);
    "logcumsumexp" [2, 3, 2] in ANY => |x| x[0].logcumsumexp(1);
    "softmax" [2, 3] in ANY => |x| x[0].softmax(1);
    "softmax axis 0" [3, 2] in ANY => |x| x[0].softmax(0);
    "softmax of what has a softmax" [2, 3] in ANY => |x| (x[0].softmax(1) * T::of(4.0)).softmax(1);
    "softmax with a likely class" [2, 3] in INSIDE => |x| (x[0] * x[0].tape().var(&Tensor::from([T::of(0.1), T::of(4.0), T::ZERO].to_vec()))).softmax(1);
    "log_softmax with a likely class" [3] in ABOVE_ONE => |x| (x[0] * x[0].tape().var(&Tensor::from([T::ONE, T::of(2.0), T::of(-1.0)].to_vec()))).log_softmax(0).square();
    "log_softmax" [2, 3] in ANY => |x| x[0].log_softmax(-1);
    "tangent of log_softmax" [3] in ABOVE_ONE => |x| {
        let scores = x[0] * x[0].tape().var(&Tensor::from([T::ONE, T::of(2.0), T::of(-1.0)].to_vec()));
        jvp(scores.log_softmax(0), &[scores], &[scores.square()])
    };
    "layer_norm" [2, 3] [3] [3] in ANY => |x| x[0].layer_norm(1, Some(x[1]), Some(x[2]), 1e-3);
    "rms_norm" [2, 3] [3] in ANY => |x| x[0].rms_norm(Some(x[1]), 1e-3);

    "matmul" [2, 3] [3, 4] in ANY => |x| x[0].matmul(x[1]);
    "matmul tn" [3, 2] [3, 4] in ANY => |x| x[0].matmul_with(x[1], Transposed::LEFT);
    "matmul nt" [2, 3] [4, 3] in ANY => |x| x[0].matmul_with(x[1], Transposed::RIGHT);
    "matmul tt" [3, 2] [4, 3] in ANY => |x| x[0].matmul_with(x[1], Transposed::BOTH);
    "matmul batched" [2, 1, 2, 3] [2, 3, 2] in ANY => |x| x[0].matmul(x[1]);
    "matmul rows" [2, 2, 3] [3, 2] in ANY => |x| x[0].matmul(x[1]);
    "matvec" [2, 3] [3] in ANY => |x| x[0].matmul(x[1]);
    "vecmat" [3] [3, 2] in ANY => |x| x[0].matmul(x[1]);
    "linear" [2, 3] [4, 3] [4] in ANY => |x| x[0].linear(x[1], Some(x[2]));
    "linear of a vector" [3] [2, 3] [2] in ANY => |x| x[0].linear(x[1], Some(x[2]));
    "vectors, transposed" [3] [3, 2] [2] in ANY => |x| x[0].matmul_with(x[1], Transposed::LEFT).matmul_with(x[2], Transposed::RIGHT);
    "einsum" [2, 3] [3, 2] [2] in ANY => |x| einsum("ij,ji,k->ik", &[x[0], x[1], x[2]]);
    "einsum with ellipses" [2, 1, 2] [3, 2] [2] in ANY => |x| einsum("...i,j...,i->j...", &[x[0], x[1].t(), x[2]]);
    "einsum without an arrow" [2, 3] [3] in ANY => |x| einsum("...,...", &[x[0].square(), x[1]]);
    "transpose" [2, 3, 2] in ANY => |x| x[0].square().transpose(&[2, 0, 1]);
    "reshape" [2, 3] in ANY => |x| x[0].square().reshape([3, 2]);
    "broadcast_to" [2, 1] in ANY => |x| x[0].square().broadcast_to([3, 2, 2]);
    "sum_to" [2, 3] in ANY => |x| x[0].square().sum_to([3]);
    "slice" [4, 3] in ANY => |x| x[0].square().slice((Slice::all().step(-2), 1..));
    "concat" [2, 2] [1, 2] in ANY => |x| concat(&[x[0].square(), x[1]], 0);
    "stack" [2] [2] in ANY => |x| stack(&[x[0].square(), x[1]], 1);
    "pad" [2, 2] in ANY => |x| x[0].square().pad(&[(1, 0), (0, 2)], 1.5);
    "zeros_like and ones_like" [2, 3] in ANY => |x| (x[0] * x[0].zeros_like() + x[0].ones_like()) * x[0].square();
    "index_axis" [2, 3] in ANY => |x| x[0].square().index_axis(1, -2);
    "unstack" [2, 3] in ANY => |x| { let parts = x[0].square().unstack(1); parts[0] * parts[2] };
    "repeat" [2, 3] in ANY => |x| x[0].square().repeat(2, 1).cumsum(1);
    "tile" [2, 3] in ANY => |x| x[0].square().tile(&[2, 1, 2]).cumsum(2);
    "cross" [2, 3] [3] in ANY => |x| x[0].square().cross(x[1], -1) * x[0];
    "cross along the first axis" [3, 1] [3, 2] in ANY => |x| x[0].cross(x[1].square(), 0).square();
    "outer" [2] [3] in ANY => |x| x[0].square().outer(x[1]).square();
    "trace" [2, 2, 3] in ANY => |x| x[0].square().trace();
    "one_hot" [2, 3] in ANY => |x| x[0].square() * x[0].tape().labels(&[2, 0]).one_hot(3);
    "roll" [2, 3] in ANY => |x| (x[0].square().roll(&[1], &[1]) * x[0]).roll(&[1], &[0]);
    "roll and flip" [3, 2] in ANY => |x| x[0].square().roll(&[1], &[0]).flip(&[1]);
    "tril and triu" [3, 3] in ANY => |x| x[0].square().tril(0) + x[0].triu(1);
    "diagonal" [3, 3] in ANY => |x| x[0].square().diagonal(0, 1);
    "diagonal below" [3, 2, 3] in ANY => |x| x[0].square().diagonal_at(-1, 0, 2);
    "diag" [3] in ANY => |x| x[0].square().diag(1);
    "diag_embed" [2, 2] in ANY => |x| x[0].square().diag_embed(-1);
    "gather" [3, 2] in ANY => |x| x[0].square().gather(0, &[2, 0, 2]);
    "take_along_axis" [2, 3] in ANY =>
        |x| x[0].square().take_along_axis(1, &x[0].tape().indices([2, 2], &[2, 0, 1, 1]));
    "take_along_axis of less" [3, 3] in ANY =>
        |x| x[0].square().take_along_axis(1, &x[0].tape().indices([2, 2], &[2, 0, 1, 1]));
    "index_add" [3, 2] [3, 2] in ANY => |x| x[0].index_add(0, &[0, 0, 2], x[1].square()).square();
    "scatter_add" [3, 2] [2, 2] in ANY =>
        |x| x[0].scatter_add(0, &x[0].tape().indices([2, 2], &[2, 0, 2, 1]), x[1].square()).square();
    "scatter_add of less" [3, 3] [2, 3] in ANY =>
        |x| x[0].scatter_add(0, &x[0].tape().indices([2, 2], &[2, 0, 2, 1]), x[1].square()).square();
    "scatter" [3, 2] [3, 2] in ANY =>
        |x| x[0].square().scatter(0, &x[0].tape().indices([3, 2], &[2, 0, 2, 1, 0, 1]), x[1].square()).square();
    "scatter of less" [3, 3] [2, 3] in ANY =>
        |x| x[0].scatter(1, &x[0].tape().indices([2, 2], &[2, 2, 0, 1]), x[1].square()).square();
    "index_copy" [2, 3] [2, 3] in ANY => |x| x[0].square().index_copy(1, &[0, 0, 2], x[1].square()).square();
    "index_max" [3, 2] [4, 2] in ANY => |x| x[0].square().index_max(0, &[0, 2, -1, 0], x[1].square()).square();
    "index_min" [2, 3] [2, 3] in ANY => |x| x[0].index_min(1, &[0, 0, 2], x[1].square()).square();
    "scatter_max" [3, 2] [3, 2] in ANY =>
        |x| x[0].square().scatter_max(0, &x[0].tape().indices([3, 2], &[2, 0, 2, 1, 0, 1]), x[1].square()).square();
    "scatter_min of less" [3, 3] [2, 3] in ANY =>
        |x| x[0].scatter_min(1, &x[0].tape().indices([2, 2], &[2, 2, 0, 1]), x[1].square()).square();
    // Tied everywhere, and smooth all the same.
    "index_max beside itself" [3] in ANY => |x| { let y = x[0].square(); y.index_max(0, &[2, 1], y.gather(0, &[2, 1])).square() };
    "index_min beside itself" [3] in ANY => |x| { let y = x[0].square(); y.index_min(0, &[2, 1], y.gather(0, &[2, 1])).square() };
    "scatter_max beside itself" [3] in ANY =>
        |x| { let (y, i) = (x[0].square(), x[0].tape().indices([3], &[0, 1, 2])); y.scatter_max(0, &i, y).square() };
    "scatter_min beside itself" [3] in ANY =>
        |x| { let (y, i) = (x[0].square(), x[0].tape().indices([3], &[0, 1, 2])); y.scatter_min(0, &i, y).square() };
    "masked_fill" [2, 3] [2, 3] in ANY => |x| x[0].square().masked_fill(x[0].gt(x[1]), 1.5) * x[1];
    "masked_select" [2, 2] in ANY => |x| x[0].square().masked_select(&[true, false, true, true]);
    "compress" [2, 3] in ANY => |x| x[0].square().compress(1, &[true, false, true]);
    "sort" [2, 4] in ANY => |x| x[0].sort(1, Order::Ascending).square().cumsum(1);
    "topk" [2, 4] in ANY => |x| x[0].topk(2, 1, Order::Descending).0.square().cumsum(1);
    "cummax" [2, 4] in ANY => |x| x[0].cummax(1).square() * x[0];
    "cummin" [4, 2] in ANY => |x| x[0].cummin(0).square() * x[0];
    "median" [2, 4] in ANY => |x| x[0].median(1).square();
    "median over two axes" [3, 2, 1, 3] in ANY => |x| x[0].median([0, 3]).square();
    "quantile" [5, 2] in ANY => |x| x[0].quantile([0.1, 0.75], 0).square();

    "scan" [2] [2, 2] [] in ANY => |x| {
        let (last, all) = x[0].tape().scan(&x[0], &x[1], |h, v, _| {
            let next = (h * x[2] + v).sin();
            (next, next * v)
        });
        all * last
    };
    "scan backwards" [1] [2, 1] in ANY => |x| {
        let how = Scan { reverse: true, keep: Keep::Carries, ..Scan::default() };
        how.run(x[0].tape(), &x[0], &x[1], |h, v, _| ((h * v).cos(), h * h)).1
    };
    "checkpoint" [3] [3] in ANY => |x| x[0].tape().checkpoint(|| (x[0] * x[1]).sin() * x[1]);
    "cross_entropy mean" [3, 4] in ANY => |x| x[0].cross_entropy(&[0, 3, 0]);
    "cross_entropy sum" [3, 4] in ANY => |x| x[0].cross_entropy_with(&[0, 3, 0], Reduction::Sum);
    "cross_entropy none" [3, 4] in ANY => |x| x[0].cross_entropy_with(&[0, 3, 0], Reduction::None);
    "cross_entropy weighted" [4, 3] in ANY => |x| x[0].cross_entropy_opts(&[0, 2, 1, 0], &weighted());
    "cross_entropy 1d" [2, 3, 2] in ANY =>
        |x| x[0].cross_entropy_opts(&x[0].tape().indices([2, 2], &[0, 2, 1, 0]), &option(Reduction::Sum));
    "nll" [3, 3] in ANY => |x| x[0].square().nll(&[0, 2, 1], &option(Reduction::Mean));
    "soft_cross_entropy" [2, 3] [2, 3] in POSITIVE => |x| x[0].soft_cross_entropy(x[1], Reduction::Mean);
    "mse" [2, 3] [2, 3] in ANY => |x| x[0].mse(x[1], Reduction::Mean);
    "l1" [3] [3] in ANY => |x| x[0].square().l1(x[1], Reduction::Sum);
    "huber" [4] [4] in ANY => |x| x[0].huber(x[1], 0.8, Reduction::Sum);
    "bce_with_logits" [2, 3] [2, 3] [3] in POSITIVE => |x| x[0].bce_with_logits(x[1], Some(x[2]), Reduction::Mean);
    "kl_div" [2, 3] [2, 3] in POSITIVE => |x| x[0].kl_div(x[1], KlTarget::Probabilities, Reduction::Sum);
    "kl_div log" [2, 3] [2, 3] in POSITIVE => |x| x[0].kl_div(x[1], KlTarget::Logarithms, Reduction::Mean);

    "kl_div batchmean" [2, 3] [2, 3] in POSITIVE => |x| x[0].kl_div(x[1], KlTarget::Probabilities, Reduction::BatchMean);
    "bce" [2, 3] [2, 3] [3] in ANY => |x| x[0].sigmoid().bce(x[1].sigmoid(), Some(x[2]), Reduction::Sum);
    "sigmoid_focal" [2, 3] [2, 3] in ANY =>
        |x| x[0].sigmoid_focal(x[1].sigmoid(), Some(0.25), 1.5, Reduction::Mean);
    "poisson_nll" [2, 3] [2, 3] in ANY => |x| x[0].poisson_nll(x[1], &PoissonNll::default());
    "poisson_nll of rates" [2, 3] [2, 3] in ABOVE_ONE =>
        |x| x[0].poisson_nll(x[1], &PoissonNll { log_input: false, full: true, ..PoissonNll::default() });
    "gaussian_nll" [2, 3] [2, 3] [2, 1] in POSITIVE => |x| x[0].gaussian_nll(x[1], x[2], &GaussianNll::default());
    "hinge" [4] in POSITIVE => |x| (x[0] - T::of(1.4)).hinge(signs(x[0]), Reduction::None) * x[0];
    "hinge_embedding" [4] in POSITIVE =>
        |x| x[0].square().hinge_embedding(signs(x[0]), 2.0, Reduction::None) * x[0];
    "soft_margin" [4] [4] in ANY => |x| x[0].soft_margin(x[1], Reduction::Sum);
    "multi_margin" [3, 4] in ANY => |x| x[0].multi_margin(&[0, 3, 0], 2, 1.0, None, Reduction::Mean);
    "margin_ranking" [4] [4] in ANY =>
        |x| x[0].square().margin_ranking(x[1], signs(x[0]), 0.5, Reduction::None) * x[0];
    "cosine_similarity" [2, 3] [3] in ANY => |x| x[0].cosine_similarity(x[1], -1, 1e-8);
    "pairwise_distance" [2, 3] [3] in ANY => |x| x[0].pairwise_distance(x[1], 2.0, 1e-3);
    "cdist" [2, 3] [3, 3] in ANY => |x| x[0].cdist(x[1], 3.0);
    "triplet_margin" [2, 3] [2, 3] [2, 3] in ANY =>
        |x| x[0].triplet_margin(x[1], x[2], &TripletMargin { margin: 9.0, swap: true, ..TripletMargin::default() });
    "cosine_embedding" [4, 3] in ANY =>
        |x| x[0].cosine_embedding(x[0].exp(), signs(x[0]), -2.0, Reduction::Sum);

    "dropout" [2, 3] in ANY => |x| x[0].square().dropout(0.4, x[0].tape().key(Key::new(1))) * x[0];
    "normal numbers of a mean and a deviation" [3] [1] in ANY =>
        |x| (x[0] + x[1].exp() * x[0].tape().key(Key::new(2)).normal([3])).square();

    "conv1d" [2, 2, 5] [4, 1, 3] [4] in ANY =>
        |x| x[0].conv1d(x[1], Some(x[2]), Conv { padding: [1], stride: [2], groups: 2, ..Conv::default() });
    "conv2d" [1, 2, 4, 3] [3, 2, 2, 2] [3] in ANY =>
        |x| x[0].conv2d(x[1], Some(x[2]), Conv { padding: [1, 0], dilation: [2, 1], ..Conv::default() });
    "max_pool2d" [1, 2, 4, 4] in ANY => |x| x[0].square().max_pool2d(Pool::new([2, 2])).square();
    "max_pool2d to the last element" [1, 1, 3, 4] in ANY =>
        |x| x[0].square().max_pool2d(Pool { stride: [2, 3], ..Pool::new([2, 2]) }.ceil_mode()).square();
    "avg_pool2d to the last element" [1, 1, 3, 4] in ANY =>
        |x| x[0].square().avg_pool2d(Pool { padding: [1, 1], ..Pool::new([3, 3]) }.ceil_mode(), Padding::Counts);
    "avg_pool2d" [1, 1, 4, 3] in ANY =>
        |x| x[0].square().avg_pool2d(Pool { padding: [1, 1], ..Pool::new([2, 2]) }, Padding::IsLeftOut);

    "cholesky" [3, 3] in ANY => |x| definite(x[0]).cholesky();
    "triangular_solve" [3, 3] [3, 2] in ABOVE_ONE => |x| x[0].triangular_solve(x[1], Triangular::default());
    "triangular_solve t" [3, 3] [3] in ABOVE_ONE => |x| x[0].triangular_solve(x[1], Triangular { upper: true, transposed: true, unit_diagonal: true });
    "triangular_solve of batches" [2, 1, 2, 2] [3, 2, 1] in ABOVE_ONE =>
        |x| x[0].triangular_solve(x[1], Triangular { transposed: true, ..Default::default() });
    "solve" [2, 2] [2, 2] in ANY => |x| definite(x[0]).solve(x[1]);
    "solve of batches" [2, 1, 2, 2] [2, 2, 1] in ANY => |x| definite(x[0]).solve(x[1]);
    "solve, one vector for all" [2, 2, 2] [2] in ANY => |x| definite(x[0]).solve(x[1]);
    "inv" [2, 2] in ANY => |x| definite(x[0]).inv();
    "det" [3, 3] in ANY => |x| x[0].det();
    "logabsdet" [2, 2] in ANY => |x| definite(x[0]).logabsdet();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Checker, Verdict};

    #[test]
    fn every_row_passes_the_checker_at_orders_one_and_two() {
        let failures: Vec<String> = rows::<f64>()
            .iter()
            .filter_map(|row| {
                let report = Checker::default().check(row.f, &row.inputs());
                (report.verdict() != Verdict::Pass).then(|| format!("{}: {report}", row.name))
            })
            .collect();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }

    #[test]
    fn the_element_wise_rows_pass_at_order_three() {
        let checker = Checker { orders: 3, tolerance: 1e-7, ..Checker::default() };
        for row in rows::<f64>().iter().filter(|row| row.shapes.len() == 1 && row.shapes[0].len() == 1) {
            let report = checker.check(row.f, &row.inputs());
            assert_eq!(report.verdict(), Verdict::Pass, "{}: {report}", row.name);
        }
    }
}
