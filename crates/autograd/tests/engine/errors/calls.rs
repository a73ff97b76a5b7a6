//! Every public function is called with something that does not fit, and names itself, what is wrong, and the line.

use super::row::{Found, Rows, fails, panics};
use super::{panic_of, zeros};
use autograd::{
    Conv, DynOp, Float, Key, Op, Optimisations, Order, Padding, Pool, Program, Reason, Shape, Slice, Tape, Tensor,
    Transposed, Triangular, Var, View, ViewMut, concat, einsum, grad, hessian, hvp, jacobian, jvp, per_example_grads,
    stack, try_concat, try_einsum, update, vjp,
};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// An operation of a user's whose rule gives a cotangent of the wrong shape.
#[derive(Debug)]
struct Bad;

impl<T: Float> Op<T, 1> for Bad {
    fn name(&self) -> &'static str {
        "bad"
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        if x.rank() == 2 { Ok(x.clone()) } else { Err(Reason::shape("a matrix is needed")) }
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        y.data.copy_from_slice(x.data);
    }
    fn vjp<'t>(&self, _: usize, _: [Var<'t, T>; 1], _: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        Some(dy.tape().full([7], T::ZERO))
    }
}

/// As [`Bad`], of any number of operands.
#[derive(Debug)]
struct BadSlice;

impl<T: Float> DynOp<T> for BadSlice {
    fn name(&self) -> &'static str {
        "bad_slice"
    }
    fn shape(&self, _: &[&Shape]) -> Result<Shape, Reason> {
        Err(Reason::shape("nothing fits"))
    }
    fn eval(&self, _: &[View<'_, T>], _: ViewMut<'_, T>) {}
    fn vjp<'t>(&self, _: usize, _: &[Var<'t, T>], _: Var<'t, T>, _: Var<'t, T>) -> Option<Var<'t, T>> {
        None
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_public_function_names_itself_what_is_wrong_and_the_callers_line() {
    const SHAPES: [&str; 2] = ["[2, 3]", "[2, 2]"];
    const TAPES: [&str; 1] = ["different tapes"];
    let (tape, other) = (Tape::new(), Tape::new());
    let t = &tape;
    let (a, b, v, e) = (zeros(t, [2, 3]), zeros(t, [2, 2]), zeros(t, [3]), zeros(t, [0, 3]));
    let (four, s, f) = (zeros(t, [1, 2, 4, 4]), t.scalar(1.0), zeros(&other, [2, 3]));
    let mut rows = Rows::default();

    // Two operands.
    panics!(rows, "add", SHAPES, a + b);
    panics!(rows, "sub", SHAPES, a - b);
    panics!(rows, "mul", SHAPES, a * b);
    panics!(rows, "div", TAPES, a / f);
    panics!(rows, "maximum", SHAPES, a.maximum(b));
    panics!(rows, "rem", SHAPES, a.rem(b));
    panics!(rows, "select", ["[2, 3], [2, 2] and [2, 3]"], a.select(b, a));
    panics!(rows, "select", TAPES, a.select(f, a));
    fails!(rows, "try_select", SHAPES, a.try_select(b, a));
    fails!(rows, "try_add", TAPES, a.try_add(f));

    // Programs.
    panics!(rows, "without", ["«fusion»", "products"], Optimisations::default().without("fusion"));

    // Products.
    panics!(rows, "matmul", ["inner sizes differ: 3 and 2", "[2, 3] and [2, 2]"], a.matmul(b));
    panics!(rows, "matmul", ["3 and 2", "[3] and [2, 3]"], v.matmul(a));
    panics!(rows, "matmul", ["2 and 3", "[2, 2] and [3]"], b.matmul(v));
    panics!(rows, "matmul", ["3 and 2", "[3] and [2]"], v.matmul(zeros(t, [2])));
    panics!(rows, "matmul", ["scalar", "[] and [2, 3]"], s.matmul(a));
    panics!(rows, "matmul", ["3 and 2", "[4, 2, 3]"], v.matmul(zeros(t, [4, 2, 3])));
    panics!(rows, "matmul", TAPES, v.matmul(f));
    fails!(rows, "try_matmul", ["3 and 2", "[3] and [2, 3]"], v.try_matmul(a));
    fails!(rows, "try_matmul", ["scalar"], s.try_matmul(a));
    panics!(rows, "matmul_with", SHAPES, a.matmul_with(b, Transposed::RIGHT));
    panics!(rows, "linear", SHAPES, a.linear(b, None));
    panics!(rows, "linear", ["the bias", "[2, 3], [4, 3] and [5]"], a.linear(zeros(t, [4, 3]), Some(zeros(t, [5]))));
    panics!(rows, "linear", TAPES, a.linear(f, None));
    panics!(rows, "einsum", ["«j»", "[2, 3] and [2, 2]"], einsum("ij,jk->ik", &[a, b]));
    panics!(rows, "einsum", ["[2, 3] and [2, 3]", TAPES[0]], einsum("ij,ij->", &[a, f]));
    panics!(rows, "einsum", ["no operands"], einsum("ij->", &[] as &[Var<'_>; 0]));
    fails!(rows, "try_einsum", TAPES, try_einsum("ij,ij->", &[a, f]));
    let kernel = zeros(&other, [1, 2, 2, 2]);
    panics!(rows, "conv2d", ["[1, 2, 4, 4] and [1, 2, 2, 2]", TAPES[0]], four.conv2d(kernel, None, Conv::default()));
    panics!(rows, "conv2d", ["images", "[2, 3]"], a.conv2d(four, None, Conv::default()));
    panics!(rows, "conv1d", ["a signal", "[2, 3]"], a.conv1d(v, None, Conv::default()));
    let (signal, kernels) = (zeros(t, [1, 3, 9]), zeros(t, [4, 2, 3]));
    panics!(rows, "conv1d", ["3 channels", "kernels [4, 2, 3]"], signal.conv1d(kernels, None, Conv::default()));
    panics!(rows, "max_pool2d", ["images", "[2, 3]"], a.max_pool2d(Pool::new([2, 2])));
    panics!(rows, "avg_pool2d", ["larger", "[1, 2, 4, 4]"], four.avg_pool2d(Pool::new([5, 5]), Padding::Counts));

    // Reductions, norms, orders, scans.
    panics!(rows, "sum_axes", ["axis 2", "rank 2", "[2, 3]"], a.sum_axes(2));
    panics!(rows, "mean", ["no elements", "[0, 3]"], e.mean());
    panics!(rows, "mean_axes", ["axis 2"], a.mean_axes(2));
    panics!(rows, "max", ["no elements", "[0, 3]"], e.max());
    panics!(rows, "max_axes", ["axis 2"], a.max_axes(2));
    panics!(rows, "min", ["no elements"], e.min());
    panics!(rows, "min_axes", ["axis 2"], a.min_axes(2));
    panics!(rows, "prod_axes", ["axis 2"], a.prod_axes(2));
    panics!(rows, "norm", ["axis 2"], a.norm(2.0, 2));
    panics!(rows, "norm", ["axis 2"], a.norm(1.0, 2));
    panics!(rows, "norm", ["axis 2"], a.norm(f64::INFINITY, 2));
    panics!(rows, "norm", ["axis 2"], a.norm(0.0, 2));
    panics!(rows, "norm", ["axis 2"], a.norm(3.0, 2));
    panics!(rows, "norm", ["no elements", "[0, 3]"], e.norm(f64::INFINITY, 0));
    panics!(rows, "norm", ["order", "NaN"], a.norm(f64::NAN, 0));
    panics!(rows, "var", ["ddof 3"], a.var(3, 1));
    panics!(rows, "std", ["axis 5"], a.std(0, 5));
    panics!(rows, "layer_norm", ["3 dimensions", "[2, 3]"], a.layer_norm(3, None, None, 1e-5));
    panics!(rows, "layer_norm", ["eps", "NaN"], a.layer_norm(1, None, None, f64::NAN));
    panics!(rows, "layer_norm", ["eps", "-1"], a.layer_norm(1, None, None, -1.0));
    panics!(rows, "layer_norm", TAPES, a.layer_norm(1, Some(zeros(&other, [3])), None, 1e-5));
    panics!(rows, "rms_norm", ["no elements", "[2, 0]"], zeros(t, [2, 0]).rms_norm(None, 1e-5));
    panics!(rows, "rms_norm", ["eps", "-1"], a.rms_norm(None, -1.0));
    panics!(rows, "softmax", ["axis 2"], a.softmax(2));
    panics!(rows, "log_softmax", ["axis 2"], a.log_softmax(2));
    panics!(rows, "logsumexp", ["axis 2"], a.logsumexp(2));
    panics!(rows, "cumsum", ["axis 2"], a.cumsum(2));
    panics!(rows, "cumsum_reverse", ["axis -3"], a.cumsum_reverse(-3));
    panics!(rows, "diff", ["axis 2", "[2, 3]"], a.diff(1, 2));
    panics!(rows, "cumprod", ["axis 2"], a.cumprod(2));
    panics!(rows, "argsort", ["axis 2"], a.argsort(2, Order::Ascending));
    panics!(rows, "sort", ["axis 2"], a.sort(2, Order::Ascending));
    panics!(rows, "topk", ["4 of 3"], a.topk(4, 1, Order::Descending));
    panics!(rows, "argmax", ["no elements"], e.argmax(0));
    panics!(rows, "argmin", ["axis 2"], a.argmin(2));

    // Shapes.
    panics!(rows, "reshape", ["6 elements", "[4]"], a.reshape([4]));
    fails!(rows, "try_reshape", ["6 elements"], a.try_reshape([4]));
    panics!(rows, "expand_dims", ["axis 4"], a.expand_dims(4));
    panics!(rows, "squeeze", ["size 2"], a.squeeze(0));
    panics!(rows, "transpose", ["axis 0 is named twice"], a.transpose(&[0, 0]));
    panics!(rows, "t", ["a matrix"], v.t());
    panics!(rows, "broadcast_to", SHAPES, a.broadcast_to([2, 2]));
    fails!(rows, "try_broadcast_to", SHAPES, a.try_broadcast_to([2, 2]));
    panics!(rows, "sum_to", SHAPES, a.sum_to([2, 2]));
    fails!(rows, "try_sum_to", SHAPES, a.try_sum_to([2, 2]));
    panics!(rows, "slice", ["3 slices"], a.slice([Slice::all(); 3]));
    panics!(rows, "slice", ["3 slices", "rank 2"], a.slice((.., 1.., ..1)));
    panics!(rows, "slice", ["a step is 0"], a.slice(Slice::from(..=1).step(0)));
    panics!(rows, "gather", ["index -3", "size 2"], a.gather(0, &[0, -3]));
    panics!(rows, "gather", ["index 4294967295", "size 2"], a.gather(0, &[u32::MAX]));
    panics!(rows, "narrow", ["1..4", "size 3"], a.narrow(1, 1, 3));
    panics!(rows, "index_axis", ["axis 2", "rank 2"], a.index_axis(2, 0));
    panics!(rows, "index_axis", ["index 3", "axis 1 of size 3"], a.index_axis(1, 3));
    panics!(rows, "index_axis", ["index -4", "size 3", "[2, 3]"], a.index_axis(1, -4));
    panics!(rows, "unstack", ["axis 2", "[2, 3]"], a.unstack(2));
    panics!(rows, "unstack", ["memory cannot be had", "[0, 576460752303423488]"], zeros(t, [0, 1 << 59]).unstack(1));
    panics!(rows, "repeat", ["axis 2", "[2, 3]"], a.repeat(2, 2));
    panics!(rows, "repeat", ["too large"], a.repeat(usize::MAX, 1));
    panics!(rows, "tile", ["too large"], a.tile(&[usize::MAX, 2]));
    panics!(rows, "pad", ["3 pairs"], a.pad(&[(0, 0); 3], 0.0));
    panics!(rows, "flip", ["axis 2"], a.flip(&[2]));
    panics!(rows, "roll", ["2 shifts for 1 axes"], a.roll(&[1, 1], &[0]));
    panics!(rows, "split", ["do not add up to 3"], a.split(&[1, 1], 1));
    panics!(rows, "tril", ["a matrix", "[3]"], v.tril(0));
    panics!(rows, "triu", ["a matrix", "[3]"], v.triu(0));
    panics!(rows, "diagonal", ["axis 2"], a.diagonal(0, 2));
    panics!(rows, "trace", ["a matrix", "[3]"], v.trace());
    panics!(rows, "concat", ["operand 1", "[2, 3] and [2, 2]"], concat(&[a, b], 0));
    panics!(rows, "concat", ["nothing"], concat(&[] as &[Var<'_>; 0], 0));
    fails!(rows, "try_concat", ["operand 1"], try_concat(&[a, b], 0));
    fails!(rows, "try_concat", ["nothing"], try_concat(&[] as &[Var<'_>; 0], 0));
    panics!(rows, "stack", ["axis 4", "[2, 3] and [2, 3]"], stack(&[a, a], 4));
    panics!(rows, "stack", TAPES, stack(&[a, f], 0));
    panics!(rows, "stack", SHAPES, stack(&[a, b], 0));

    // Vectors.
    panics!(rows, "cross", ["axis 0 of size 3", "in [2, 3] it has 2", "[2, 3] and [2, 3]"], a.cross(a, 0));
    panics!(rows, "cross", ["axis 1 of size 3", "in [2, 1] it has 1"], a.cross(zeros(t, [2, 1]), 1));
    panics!(rows, "cross", ["axis 0 of size 3", "[3] lacks it"], zeros(t, [3, 2]).cross(v, 0));
    panics!(rows, "cross", ["axis 2", "rank 2"], a.cross(v, 2));
    panics!(rows, "cross", ["axis 0", "rank 0"], s.cross(s, 0));
    panics!(rows, "cross", ["[2, 3] and [4, 3]"], a.cross(zeros(t, [4, 3]), -1));
    panics!(rows, "cross", TAPES, a.cross(f, 1));
    panics!(rows, "outer", ["two vectors", "[2, 3] and [3]"], a.outer(v));
    panics!(rows, "outer", ["two vectors", "[3] and []"], v.outer(s));
    panics!(rows, "outer", ["too large"], zeros(t, [1 << 20]).outer(t.scalar(0.0).broadcast_to([1 << 50])));
    panics!(rows, "outer", TAPES, v.outer(zeros(&other, [3])));

    // Numbers that count up.
    panics!(rows, "arange", ["too large"], Tensor::<f64>::arange(usize::MAX));
    panics!(rows, "linspace", ["too large"], Tensor::linspace(0.0, 1.0, usize::MAX));

    // Indices.
    panics!(rows, "indices", ["1 indices", "[2]"], t.indices([2], &[0]));
    panics!(rows, "gather", ["index 3", "size 3"], a.gather(1, &[3]));
    panics!(rows, "gather", ["index 18446744073709551615"], a.gather(1, &[usize::MAX]));
    fails!(rows, "try_gather", ["axis 2"], a.try_gather(2, &[0]));
    panics!(rows, "take_along_axis", ["[2, 3] and [2]"], a.take_along_axis(1, &t.indices([2], &[0, 0])));
    panics!(rows, "index_select", ["index 2", "size 2"], a.index_select(0, &[2]));
    panics!(rows, "index_select", ["axis 3"], a.index_select(3, &[0]));
    panics!(rows, "embedding", ["index 2", "size 2"], a.embedding(&[2]));
    panics!(rows, "embedding", ["axis 0", "rank 0"], s.embedding(&[0]));
    panics!(rows, "one_hot", ["label 3", "3 classes", "[2]"], t.labels(&[0, 3]).one_hot(3));
    panics!(rows, "one_hot", ["label -1", "2 classes"], t.indices([1, 1], &[-1]).one_hot(2));
    panics!(rows, "one_hot", ["label may be 2"], zeros(t, [3]).argmax(0).one_hot(2));
    panics!(rows, "one_hot", ["classes are more", "f64", "[1]"], t.labels(&[0]).one_hot(usize::MAX));
    panics!(rows, "index_add", ["source", "[2, 2]"], a.index_add(0, &[0], b));
    panics!(rows, "scatter_add", ["axis 2"], a.scatter_add(2, &t.indices([1], &[0]), a));

    // Linear algebra.
    panics!(rows, "cholesky", ["square", "[2, 3]"], a.cholesky());
    panics!(rows, "triangular_solve", ["right side", "[2, 2] and [3]"], b.triangular_solve(v, Triangular::default()));
    panics!(rows, "solve", ["right side", "[2, 2] and [3]"], b.solve(v));
    panics!(rows, "solve", TAPES, b.solve(f));
    panics!(rows, "inv", ["square", "[2, 3]"], a.inv());
    panics!(rows, "det", ["square", "[2, 3]"], a.det());
    panics!(rows, "logabsdet", ["square", "[2, 3]"], a.logabsdet());

    // Options of element-wise functions.
    panics!(rows, "clamp", ["min 2 and max 1"], a.clamp(2.0, 1.0));
    panics!(rows, "clamp", ["NaN"], a.clamp(f64::NAN, 1.0));
    panics!(rows, "leaky_relu", ["negative slope", "NaN"], a.leaky_relu(f64::NAN));
    panics!(rows, "elu", ["alpha", "NaN"], a.elu(f64::NAN));
    panics!(rows, "celu", ["finite alpha other than 0", "not 0", "[2, 3]"], a.celu(0.0));
    panics!(rows, "celu", ["not inf"], a.celu(f64::INFINITY));
    panics!(rows, "hardtanh", ["min 2 and max 1", "[2, 3]"], a.hardtanh(2.0, 1.0));
    panics!(rows, "softshrink", ["lambda from 0 on", "not -1", "[2, 3]"], a.softshrink(-1.0));
    panics!(rows, "hardshrink", ["lambda from 0 on", "not NaN"], a.hardshrink(f64::NAN));

    // Derivatives.
    panics!(rows, "grad", ["6 elements", "vjp"], grad(a * a, &a));
    panics!(rows, "grad", TAPES, grad(a.sum(), &f));
    panics!(rows, "vjp", ["[2, 2]", "[2, 3]"], vjp(a, &a, b));
    panics!(rows, "jvp", ["1 variables, but 2 tangents"], jvp(a, &vec![a], &vec![a, a]));
    panics!(rows, "hessian", ["6 elements"], hessian(a * a, a));
    panics!(rows, "hessian", TAPES, hessian(a.sum(), f));
    panics!(rows, "jacobian", TAPES, jacobian(a, f));
    panics!(rows, "hvp", ["6 elements"], hvp(a * a, &a, &a));
    panics!(rows, "hvp", SHAPES, hvp((a * a).sum(), &a, &b));
    panics!(rows, "hvp", ["1 variables, but 2"], hvp((a * a).sum(), &vec![a], &vec![a, a]));
    panics!(rows, "per_example_grads", TAPES, per_example_grads(v, &f));
    panics!(rows, "per_example_grads", ["no vector"], per_example_grads(a, &a));
    panics!(rows, "value_and_grad", ["2 elements"], Tape::new().value_and_grad(&Tensor::zeros([2]), |_, w| w * w));
    panics!(rows, "checkpoint", TAPES, t.checkpoint(|| f * 2.0));
    panics!(rows, "scan", ["[2, 3]", "[2, 2]", "to go on with"], t.scan(&a, &v, |_, _, _| (b, ())));
    panics!(rows, "composite", TAPES, t.composite("composite", [a, f]));

    // Tapes and values.
    panics!(rows, "values", ["another tape", "[2, 3]"], t.values(&f));
    panics!(rows, "first_non_finite", ["another tape"], t.first_non_finite(&f));
    panics!(rows, "first_kink", ["another tape"], t.first_kink(&f));
    panics!(rows, "item", ["one element", "[2, 3]"], a.item());
    panics!(rows, "item", ["one element", "[2]"], Tensor::<f64>::zeros([2]).item());
    panics!(rows, "holds", ["one element"], a.holds());
    panics!(rows, "at", ["[2]", "[2]"], Tensor::<f64>::zeros([2]).at([2]));
    panics!(rows, "reshape", ["2 elements", "[3]"], Tensor::<f64>::zeros([2]).reshape([3]));
    panics!(rows, "update", ["1 leaves", "2"], update(&vec![a], &vec![a, a], |a, _| a));

    super::arrays::rows(&mut rows);
    super::losses::rows(&mut rows);

    // Programs.
    let mut program =
        Program::record(&[] as &[Tensor; 0], &1.0, |_, _, r| (vec![], vec![r * 2.0, r.broadcast_to([2])])).unwrap();
    let outputs = program.run(&1.0).unwrap();
    panics!(rows, "item", ["no output 2 among 2"], outputs.item(2));
    panics!(rows, "item", ["output 1", "[2]"], outputs.item(1));
    panics!(rows, "tensor", ["no output 3"], outputs.tensor(3));
    panics!(rows, "slice", ["no output 3"], outputs.slice(3));

    assert!(rows.wrong.is_empty(), "{}", rows.wrong.join("\n"));

    // Operations of a user's have their own names.
    let (text, line) = panic_of(file!(), || {
        let _ = t.apply(Bad, [v]);
    });
    assert!(text.starts_with("bad: a matrix is needed (shape [3])") && line == line!() - 2, "{text}");
    let (text, line) = panic_of(file!(), || {
        let _ = t.apply_slice(BadSlice, &[a]);
    });
    assert!(text.starts_with("bad_slice: nothing fits (shape [2, 3])") && line == line!() - 2, "{text}");
    let y = t.apply(Bad, [a]);
    let made = line!() - 1;
    let (text, line) = panic_of(file!(), || {
        let _ = grad(y.sum(), &a);
    });
    assert!(text.starts_with("bad: its rule for operand 0 gave the shape [7], the operand has [2, 3]"), "{text}");
    assert!(text.contains(&format!("calls.rs:{made}:")) && line == line!() - 3, "{text}");
    rows.functions.extend(["apply", "apply_slice"]);

    // A sum over an iterator cannot know its caller; it stands at the line of its last operand.
    let (text, _) = panic_of(file!(), || {
        let _ = [a, b].into_iter().sum::<Var<'_>>();
    });
    assert!(text.starts_with("sum: ") && text.contains(&format!(", at {}", b.location())), "{text}");

    panics!(
        rows,
        "value_and_grad_with",
        ["2 elements"],
        Tape::new().value_and_grad_with(&Tensor::zeros([2]), |_, x| (x, []))
    );

    // Random numbers.
    let (key, huge) = (t.key(Key::new(0)), [1_usize << 32, 1 << 32]);
    panics!(rows, "uniform", ["no tensor"], key.uniform(huge));
    panics!(rows, "normal", ["no tensor"], key.normal(huge));
    panics!(rows, "exponential", ["no tensor"], key.exponential(huge));
    panics!(rows, "gumbel", ["no tensor"], key.gumbel(huge));
    panics!(rows, "bernoulli", ["from 0 to 1", "1.5"], key.bernoulli(1.5, [2]));
    panics!(rows, "bernoulli", ["[3]", "[2]"], key.bernoulli(v, [2]));
    panics!(rows, "bernoulli", TAPES, key.bernoulli(f, [2, 3]));
    panics!(rows, "categorical", ["axis 2"], key.categorical(a, 2));
    panics!(rows, "categorical", TAPES, key.categorical(f, 1));
    panics!(rows, "integers", ["5..5"], key.integers(5..5, [2]));
    panics!(rows, "permutation", ["no tensor"], key.permutation(usize::MAX));
    panics!(rows, "fold_in_index", ["one number"], key.fold_in_index(&t.labels(&[1, 2])));
    panics!(rows, "fold_in_number", ["one number"], key.fold_in_number(v));
    panics!(rows, "fold_in_number", TAPES, key.fold_in_number(f));
    panics!(rows, "dropout", ["from 0 to 1", "NaN"], a.dropout(f64::NAN, key));
    panics!(rows, "dropout", TAPES, f.dropout(0.5, key));

    every_function_has_a_row(&rows.functions);
}

/// Functions that no caller can give anything wrong: they take nothing, or take what they get.
const ALWAYS_RIGHT: &[&str] = &[
    // Sums and products of all elements, element-wise functions, constants.
    "sum",
    "prod",
    "nan_to_num",
    "sinc",
    "stop_gradient",
    "instruction_set",
    "keepdims",
    "labels",
    "pow_of",
    "exp2",
    "log2",
    "log10",
    "cbrt",
    "logit",
    "log_cosh",
    "log_ndtr",
    "ndtr",
    "selu",
    "hardsigmoid",
    "hardswish",
    "tanhshrink",
    "threshold",
    "zeros_like",
    "ones_like",
    // Keys and what is made of them.
    "key",
    "fold_in",
    "split",
    // Handles, shapes, numbers; options as plain structs.
    "ceil_mode",
    "tape",
    "index",
    "shape",
    "rank",
    "numel",
    "value",
    "with_value",
    "location",
    "op_name",
    "recorded",
    "op",
    "kind",
    "shapes",
    "broadcast",
    "all",
    "step",
    "join",
    "primitives",
    "bytes",
    "choices",
    "state_names",
    "state",
    "into_state",
    "forget",
    // Making and reading tensors and tapes. (`new` tells lengths through `try_new`.)
    "scalar",
    "from_rows",
    "as_slice",
    "as_mut_slice",
    "to_vec",
    "into_vec",
    "as_array",
    "as_array_mut",
    "map",
    "cast",
    "len",
    "is_empty",
    "clear",
    "vars",
    "no_grad",
    "watch",
    "watch_kinks",
    "write_out_loops",
    "replays",
    "shrink",
    // The checker reports.
    "check",
    "check_tree",
    "verdict",
    "wrong",
    "unsure",
    "entries",
    // Of an error.
    "of",
];

/// Functions of programs return errors of their own, which `errors/programs.rs` holds.
const OF_PROGRAMS: &[&str] = &[
    "keep_at_most",
    "function",
    "first_read",
    "steps",
    "record",
    "record_with",
    "run",
    "set_state",
    "store_state",
    "store_part",
    "set_state_numbers",
    "copy_state_into",
    "set_part",
    "captured",
    "trace",
    "names",
    "traced",
    "numbers",
    "integers",
    "tree",
];

fn every_function_has_a_row(rows: &BTreeSet<&str>) {
    let known = |name: &str| rows.contains(name) || [ALWAYS_RIGHT, OF_PROGRAMS].iter().any(|list| list.contains(&name));
    let mut missing = Vec::new();
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let source = std::fs::read_to_string(&file).unwrap();
        let public = source.split("#[cfg(test)]\nmod tests").next().unwrap();
        for line in public.lines() {
            let Some(rest) = line.trim_start().strip_prefix("pub fn ") else { continue };
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if !name.is_empty() && !known(&name) {
                missing.push(format!("{name} of {}", file.display()));
            }
        }
    }
    assert!(missing.is_empty(), "no call that is wrong of {missing:?}: write a row above");
}

/// All sources below a folder, but for the kernels, which are not public.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("kernels") {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
