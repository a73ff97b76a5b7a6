//! One input of a kind in each row: sizes whose product wraps to something harmless, options that overflow, ranks
//! beyond 64.

use crate::outcome::{Outcome, outcome};
use Right::{Raised, Returned, Value};
use autograd::{
    Conv, CrossEntropyOptions, Error, Kind, Op, Order, Padding, Pool, Reason, Shape, Slice, Tape, Tensor, Transposed,
    Var, View, ViewMut, concat, einsum, grad, jacobian, jvp, stack,
};
use std::fmt::Debug;

// Two sizes each, whose product is 2^64 and 2, 3, 4 or 7 more.
const F2: [usize; 2] = [239_075_442, 77_158_673_929];
const F3: [usize; 2] = [467_443_687, 39_463_029_637];
const F4: [usize; 2] = [968_973_220, 19_037_413_721];
const F7: [usize; 2] = [2_881_943, 6_400_801_151_761];

/// What must become of a call.
#[derive(Clone, Copy, Debug)]
enum Right {
    /// This value.
    Value(&'static str),
    /// A panic by the name of this operation, at the line of the call.
    Raised(&'static str),
    /// An error of this operation.
    Returned(&'static str),
}

struct Row {
    what: &'static str,
    right: Right,
    call: fn(&Tape) -> String,
}

/// A row is what it is, what is right, and the call.
macro_rules! rows {
    ($($what:literal => $right:expr, |$t:ident| $call:expr;)*) => {
        vec![$(Row { what: $what, right: $right, call: |$t: &Tape| { let _ = $t; format!("{:?}", $call) } }),*]
    };
}

/// A variable of zeros.
#[track_caller]
fn z<const R: usize>(t: &Tape, shape: [usize; R]) -> Var<'_> {
    t.var(&Tensor::zeros(shape))
}

/// A variable of ones.
fn ones<const R: usize>(t: &Tape, shape: [usize; R]) -> Var<'_> {
    t.var(&Tensor::ones(shape))
}

fn one_two_three(t: &Tape) -> Var<'_> {
    t.var(&Tensor::from([1.0, 2.0, 3.0]))
}

fn image(t: &Tape) -> Var<'_> {
    ones(t, [1, 1, 3, 3])
}

fn pool(kernel: [usize; 2], stride: [usize; 2], padding: [usize; 2]) -> Pool {
    Pool { kernel, stride, padding }
}

fn convolved_1d(t: &Tape, conv: Conv<1>) -> Vec<f64> {
    ones(t, [1, 1, 4]).conv1d(ones(t, [1, 1, 2]), None, conv).value().to_vec()
}

/// The elements of a convolution of ones.
fn convolved(t: &Tape, kernel: [usize; 4], conv: Conv<2>) -> Vec<f64> {
    image(t).conv2d(ones(t, kernel), None, conv).value().to_vec()
}

/// The error of a call that returns it, or its value.
fn told<V: Debug>(result: Result<V, Error>) -> Result<V, String> {
    result.map_err(|error| {
        assert!(matches!(error.kind(), Kind::Shape | Kind::Axis), "{error} is about a shape");
        error.to_string()
    })
}

/// An operation whose result would have 2^64 elements.
#[derive(Debug)]
struct Wide;

impl Op<f64, 1> for Wide {
    fn name(&self) -> &'static str {
        "wide"
    }
    fn shape(&self, _: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(Shape::from([1 << 40, 1 << 24]))
    }
    fn eval(&self, _: [View<'_, f64>; 1], y: ViewMut<'_, f64>) {
        y.data.fill(0.0);
    }
    fn vjp<'t>(&self, _: usize, _: [Var<'t>; 1], _: Var<'t>, _: Var<'t>) -> Option<Var<'t>> {
        None
    }
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn table() -> Vec<Row> {
    rows! {
        "try_new: F3 elements, three are given" => Returned("tensor"),
            |t| told(Tensor::try_new(F3, vec![1.0, 2.0, 3.0]).map(|x| x.numel()));
        "try_new: 2^64 elements, none are given" => Returned("tensor"),
            |t| told(Tensor::try_new([1 << 40, 1 << 24], Vec::<f64>::new()).map(|x| x.numel()));
        "new: five dimensions, 2^65 elements, none given" => Raised("tensor"),
            |t| Tensor::new([8192, 8192, 8192, 8192, 8192], Vec::<f64>::new()).shape();
        "zeros of F2" => Raised("zeros"),
            |t| Tensor::<f64>::zeros(F2).as_slice().len();
        "full of 2^63 elements" => Raised("full"),
            |t| Tensor::full([1 << 31, 1 << 32], 1.0).numel();
        "ones of 2^60 f64: 2^63 bytes, one more than isize holds" => Raised("ones"),
            |t| Tensor::<f64>::ones([1 << 30, 1 << 30]).numel();
        "zeros of 2^61 f32: 2^63 bytes" => Raised("zeros"),
            |t| Tensor::<f32>::zeros([1 << 61]).numel();
        "eye of 2^33: 2^66 elements" => Raised("eye"),
            |t| Tensor::<f64>::eye(1 << 33).numel();
        "from_fn of F4" => Raised("from_fn"),
            |t| Tensor::from_fn(F4, |i| i as f64).numel();
        "reshape of a tensor of 7 elements to F7" => Raised("reshape"),
            |t| Tensor::from([0.0; 7]).reshape(F7).numel();
        "zeros of 2^50 f64, more memory than there is: a panic with a name, not an abort" => Raised("zeros"),
            |t| Tensor::<f64>::zeros([1 << 50]).numel();
        "a shape with a 0 and other sizes that multiply to 2^66, though it has no elements" => Raised("zeros"),
            |t| Tensor::<f64>::zeros([0, 1 << 33, 1 << 33]).shape();
        "full on a tape, F3" => Raised("full"),
            |t| t.full(F3, 1.0).value().numel();
        "indices: F2 sizes for two indices" => Raised("indices"),
            |t| t.indices(F2, &[0, 1]).shape();
        "indices reshaped to F3" => Raised("reshape"),
            |t| t.indices([3], &[0, 1, 2]).reshape(F3).shape();
        "reshape of 4 elements to F4" => Raised("reshape"),
            |t| z(t, [4]).reshape(F4).shape();
        "try_reshape of 0 elements to 2^64" => Returned("reshape"),
            |t| told(z(t, [0]).try_reshape([1 << 40, 1 << 24]).map(|y| y.shape()));
        "broadcast_to F2, summed" => Raised("broadcast_to"),
            |t| t.scalar(1.0).broadcast_to(F2).sum().item();
        "broadcast_to 2^64 and mean" => Raised("broadcast_to"),
            |t| t.scalar(3.0).broadcast_to([1 << 40, 1 << 24]).mean().item();
        "try_broadcast_to of a vector of 3 to [2^63, 3]" => Returned("broadcast_to"),
            |t| told(one_two_three(t).try_broadcast_to([1 << 63, 3]).map(|y| y.sum_axes(0).value().to_vec()));
        "broadcast by an addition: [2^34, 1, 0] + [1, 2^30, 0]" => Raised("add"),
            |t| (z(t, [1 << 34, 1, 0]) + z(t, [1, 1 << 30, 0])).sum_axes(2).shape();
        "the same, its values" => Raised("add"),
            |t| (z(t, [1 << 40, 1, 0]) + z(t, [1, 1 << 24, 0])).sum_axes(2).value().numel();
        "expand_dims at isize::MAX" => Raised("expand_dims"),
            |t| z(t, [2]).expand_dims(isize::MAX).shape();
        "pad by 2^62 before and 3 * 2^62 after: 2^64 in all" => Raised("pad"),
            |t| z(t, [3]).pad(&[(1 << 62, 3 << 62)], 0.0).shape();
        "pad of two axes: 2^33 x 2^33" => Raised("pad"),
            |t| z(t, [2, 2]).pad(&[((1 << 33) - 2, 0), (0, (1 << 33) - 2)], 0.0).sum().item();
        "pad by usize::MAX before" => Raised("pad"),
            |t| one_two_three(t).pad(&[(usize::MAX, 1)], 0.0).value().to_vec();
        "pad with a value, 2^64 elements" => Raised("pad"),
            |t| z(t, [1, 1]).pad(&[((1 << 40) - 1, 0), ((1 << 24) - 1, 0)], 7.0).value().numel();
        "pad beyond the memory: 2^44 elements" => Raised("pad"),
            |t| z(t, [1]).pad(&[(1 << 44, 0)], 0.0).value().numel();
        "slice with the step 2^62 on an axis of stride 4" => Value("[0.0, 1.0, 2.0, 3.0]"),
            |t| t.var(&Tensor::from_fn([3, 4], |i| i as f64)).slice([Slice::all().step(1 << 62)]).value().to_vec();
        "slice with the step isize::MIN" => Value("[3.0]"),
            |t| one_two_three(t).slice([Slice::all().step(isize::MIN)]).value().to_vec();
        "slice from isize::MIN to isize::MAX" => Value("[1.0, 2.0, 3.0]"),
            |t| one_two_three(t).slice([Slice::from(isize::MIN..isize::MAX)]).value().to_vec();
        "slice of an axis of 2^63 (no elements)" => Raised("zeros"),
            |t| z(t, [0, 1 << 63]).slice([Slice::all(), Slice::from(0..2)]).shape();
        "narrow to 2^63 from 2^63" => Raised("narrow"),
            |t| z(t, [4]).narrow(0, 1 << 63, 1 << 63).shape();
        "concat of two [2^63, 0]" => Raised("zeros"),
            |t| { let x = z(t, [1 << 63, 0]); concat(&[x, x], 0).shape() };
        "stack of 2 [2^40, 2^23, 0], then the sum of the last axis" => Raised("zeros"),
            |t| { let x = z(t, [1 << 40, 1 << 23, 0]); stack(&[x, x], 0).sum_axes(3).value().numel() };
        "tril with k = isize::MAX" => Value("[1.0, 1.0, 1.0, 1.0]"),
            |t| ones(t, [2, 2]).tril(isize::MAX).value().to_vec();
        "roll by isize::MIN" => Value("[3.0, 1.0, 2.0]"),
            |t| one_two_three(t).roll(&[isize::MIN], &[0]).value().to_vec();
        "sum over a size-0 axis to [2^61]" => Raised("zeros"),
            |t| z(t, [0, 1 << 61]).sum_axes(0).value().numel();
        "max over one axis of [1, F3, 0 elements], then a view" => Raised("zeros"),
            |t| z(t, [F3[0], F3[1], 0]).sum_axes(2).reshape([3]).value().to_vec();
        "sum_to [F2] of a scalar" => Returned("sum_to"),
            |t| told(t.scalar(1.0).try_sum_to(F2).map(|y| y.value().numel()));
        "matmul [F2's a, 0] . [0, F2's b]: 2 elements by wrap" => Raised("matmul"),
            |t| z(t, [F2[0], 0]).matmul(z(t, [0, F2[1]])).value().numel();
        "matmul_with both transposed" => Raised("matmul_with"),
            |t| z(t, [0, F3[0]]).matmul_with(z(t, [F3[1], 0]), Transposed::BOTH).value().numel();
        "a batch: [1, a, 0] . [1, 0, b], F7" => Raised("matmul"),
            |t| z(t, [1, F7[0], 0]).matmul(z(t, [1, 0, F7[1]])).value().numel();
        "a batch that is 2^64 with the rows: [2^32, 2^32, 0] . [2^32, 0, 1]" => Raised("zeros"),
            |t| z(t, [1 << 32, 1 << 32, 0]).matmul(z(t, [1 << 32, 0, 1])).value().numel();
        "batches that broadcast to 2^64: [2^40, 1, 1, 0] . [1, 2^24, 0, 1]" => Raised("matmul"),
            |t| z(t, [1 << 40, 1, 1, 0]).matmul(z(t, [1, 1 << 24, 0, 1])).value().numel();
        "a vector times a matrix: [0] . [0, 2^61]" => Raised("zeros"),
            |t| z(t, [0]).matmul(z(t, [0, 1 << 61])).value().numel();
        "linear: [a, 0] with weights [b, 0], F4" => Raised("linear"),
            |t| z(t, [F4[0], 0]).linear(z(t, [F4[1], 0]), None).value().numel();
        "einsum «ik,jk->ij» with no k, F2" => Raised("einsum"),
            |t| einsum("ik,jk->ij", &[z(t, [F2[0], 0]), z(t, [F2[1], 0])]).value().numel();
        "einsum «ak,bk,ck->abc», 2^22 each with no k: 2^66" => Raised("einsum"),
            |t| { let x = z(t, [1 << 22, 0]); einsum("ak,bk,ck->abc", &[x, x, x]).value().numel() };
        "einsum «abk,ck->abc»: groups of letters multiply to F3" => Raised("einsum"),
            |t| einsum("abk,ck->abc", &[z(t, [F3[0], 1, 0]), z(t, [F3[1], 0])]).value().numel();
        "einsum «ii->i» of [2^33, 2^33] (a tensor of no elements by wrap)" => Raised("tensor"),
            |t| einsum("ii->i", &[t.var(&Tensor::new([1 << 33, 1 << 33], vec![]))]).value().numel();
        "the gradient of a product [a, 0] . [0, b], F3" => Raised("matmul"),
            |t| { let x = z(t, [F3[0], 0]); grad(x.matmul(z(t, [0, F3[1]])).sum(), &x).value().numel() };
        "products of tensors of no elements by wrap: [8, 2^61] . [2^61, 8]" => Raised("tensor"),
            |t| {
                let (a, b) = (t.var(&Tensor::new([8, 1 << 61], vec![])), t.var(&Tensor::new([1 << 61, 8], vec![])));
                a.matmul(b).value().numel()
            };
        "einsum «i,j->ij» of two vectors of 2^32, broadcast" => Raised("einsum"),
            |t| { let x = t.scalar(1.0).broadcast_to([0, 1 << 32]); einsum("ki,kj->ij", &[x, x]).value().numel() };
        "conv2d, padding 2^63 + 1: twice that wraps to 2" => Raised("conv2d"),
            |t| convolved(t, [1, 1, 2, 2], Conv { padding: [(1 << 63) + 1, 1], ..Conv::default() });
        "conv2d, padding 2^63 - 1: 2^64 - 2 + 3 = 1" => Raised("conv2d"),
            |t| convolved(t, [1, 1, 2, 2], Conv { padding: [(1 << 63) - 1, 0], ..Conv::default() });
        "conv2d, dilation 2^64 - 1: a kernel of 2 spans 2^64" => Raised("conv2d"),
            |t| convolved(t, [1, 1, 2, 2], Conv { dilation: [1, usize::MAX], ..Conv::default() });
        "conv2d, dilation 2^62 for a kernel of 5: spans 2^64 + 1" => Raised("conv2d"),
            |t| convolved(t, [1, 1, 5, 1], Conv { dilation: [1 << 62, 1], ..Conv::default() });
        "conv2d, stride usize::MAX" => Value("[4.0, 4.0]"),
            |t| convolved(t, [1, 1, 2, 2], Conv { stride: [usize::MAX, 1], ..Conv::default() });
        "conv2d, groups 2^63" => Raised("conv2d"),
            |t| convolved(t, [1, 1, 2, 2], Conv { groups: 1 << 63, ..Conv::default() });
        "conv2d, padding 2^31: 2^64 results" => Raised("conv2d"),
            |t| convolved(t, [1, 1, 2, 2], Conv { padding: [1 << 31, 1 << 31], ..Conv::default() });
        "conv2d, stride 2^62 on rows of 4 after padding" => Value("[1.0, 2.0, 2.0, 1.0]"),
            |t| convolved(t, [1, 1, 2, 2], Conv { stride: [1 << 62, 1], padding: [1, 1], ..Conv::default() });
        "conv1d, padding 2^63 + 2" => Raised("conv1d"),
            |t| convolved_1d(t, Conv { padding: [(1 << 63) + 2], ..Conv::default() });
        "conv1d, dilation usize::MAX for a kernel of 2" => Raised("conv1d"),
            |t| convolved_1d(t, Conv { dilation: [usize::MAX], ..Conv::default() });
        "conv2d of channels x groups that wrap: per group 2^63, groups 2, no channels" => Raised("zeros"),
            |t| z(t, [1, 0, 3, 3]).conv2d(z(t, [2, 1 << 63, 0, 1]), None, Conv { groups: 2, ..Conv::default() }).shape();
        "max_pool2d, a window of 2^63 rows, half of it padding" => Value("Tensor f64 [1, 1, 4, 2] [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]"),
            |t| image(t).max_pool2d(pool([1 << 63, 2], [1, 1], [1 << 62, 0])).value();
        "max_pool2d, padding 2^63 (window usize::MAX)" => Value("Tensor f64 [1, 1, 1, 3] [1.0, 1.0, 1.0]"),
            |t| image(t).max_pool2d(pool([usize::MAX, 1], [1, 1], [(1 << 63) - 1, 0])).value();
        "avg_pool2d, a window of 2^32 x 2^32 elements, half of it padding" => Raised("avg_pool2d"),
            |t| image(t).avg_pool2d(pool([1 << 32, 1 << 32], [1, 1], [1 << 31, 1 << 31]), Padding::Counts).value();
        "avg_pool2d, stride usize::MAX" => Value("Tensor f64 [1, 1, 1, 1] [1.0]"),
            |t| image(t).avg_pool2d(pool([2, 2], [usize::MAX, usize::MAX], [0, 0]), Padding::Counts).value();
        "avg_pool2d that does not count padding, stride 2^63" => Value("Tensor f64 [1, 1, 1, 1] [1.0]"),
            |t| image(t).avg_pool2d(pool([2, 2], [1 << 63, 1 << 63], [1, 1]), Padding::IsLeftOut).value();
        "avg_pool2d to the last element, stride usize::MAX" => Value("Tensor f64 [1, 1, 1, 1] [1.0]"),
            |t| image(t).avg_pool2d(pool([2, 2], [usize::MAX, usize::MAX], [0, 0]).ceil_mode(), Padding::Counts).value();
        "max_pool2d to the last element, a window and a stride of 2^63" => Value("Tensor f64 [1, 1, 1, 2] [1.0, 1.0]"),
            |t| image(t).max_pool2d(pool([1 << 63, 2], [1 << 63, 1], [0, 0]).ceil_mode()).value();
        "avg_pool2d to the last element, a window, stride and padding of 2^62" => Raised("avg_pool2d"),
            |t| image(t).avg_pool2d(pool([1 << 62, 2], [1 << 62, 1], [1 << 61, 0]).ceil_mode(), Padding::Counts).value();
        "var with ddof usize::MAX" => Raised("var"),
            |t| t.var(&Tensor::from([1.0, 2.0])).var(usize::MAX, ..).item();
        "topk with k = usize::MAX" => Raised("topk"),
            |t| z(t, [3]).topk(usize::MAX, 0, Order::Descending).0.shape();
        "an axis of isize::MIN" => Raised("sum"),
            |t| z(t, [3]).sum_axes(isize::MIN).shape();
        "gather by indices of shape [0, 2^40] from [3, 2^24]" => Raised("gather"),
            |t| z(t, [0, 1 << 24]).gather(0, &t.indices([1 << 40, 0], &[])).shape();
        "a user's operation whose shape has 2^64 elements" => Raised("wide"),
            |t| t.apply(Wide, [t.scalar(1.0)]).value().numel();
        "jacobian of [0, 2^40] by [2^24 x ...]: shapes joined" => Raised("jacobian"),
            |t| { let x = z(t, [0, 1 << 40]); jacobian(x, x).shape() };
        "a tangent of zeros that no memory has" => Raised("jvp"),
            |t| jvp(t.scalar(2.0).broadcast_to([1 << 59]), &t.scalar(1.0), &t.scalar(1.0)).shape();
        "a gradient of zeros that no memory has" => Raised("grad"),
            |t| grad(t.scalar(2.0), &t.scalar(1.0).broadcast_to([1 << 59])).shape();
        "the tangent of a part of zeros that no memory has" => Value("[3, 144115188075855872]"),
            |t| {
                let x = t.scalar(1.0).broadcast_to([1, 1 << 57]);
                jvp(concat(&[x, x.broadcast_to([2, 1 << 57]).stop_gradient()], 0), &x, &x).shape()
            };
        "scatter into 2^59 rows without elements" => Value("[576460752303423488, 1, 0]"),
            |t| { let x = z(t, [1 << 59, 1, 0]); x.scatter(1, &t.indices(x.shape(), &[]), x).value().shape().clone() };
        "factors of no matrices [2^29, 2^29]" => Value("[0, 536870912, 536870912]"),
            |t| z(t, [0, 1 << 29, 1 << 29]).cholesky().value().shape().clone();
        "determinants of no matrices [2^29, 2^29]" => Value("[0]"),
            |t| { let x = z(t, [0, 1 << 29, 1 << 29]); (x.det() + x.logabsdet()).value().shape().clone() };
        "label usize::MAX" => Raised("cross_entropy"),
            |t| z(t, [1, 3]).cross_entropy(&[usize::MAX]).item();
        "an index of i64::MIN" => Raised("gather"),
            |t| z(t, [3]).gather(0, &t.indices([1], &[i64::MIN])).value().to_vec();
        "a variable of rank 66, a sum over one axis" => Raised("sum"),
            |t| { t.var(&Tensor::zeros(vec![1; 66])).sum_axes(0).shape() };
        "rank 67, transpose" => Raised("transpose"),
            |t| { t.var(&Tensor::zeros(vec![1; 67])).t().shape().rank() };
        "rank 70, sum of all" => Raised("sum"),
            |t| { t.var(&Tensor::zeros(vec![1; 70])).sum().item() };
    }
}

#[test]
fn sizes_that_wrap_and_options_that_overflow_are_errors_by_name() {
    let mut wrong = Vec::new();
    for Row { what, right, call } in table() {
        let tape = Tape::new();
        let found = outcome(|| call(&tape));
        let fits = match (right, &found) {
            (Value(value), Outcome::Value(found)) => value == found,
            (Raised(op), Outcome::Panic { file, .. }) => found.error_of() == Some(op) && file == file!(),
            (Returned(op), Outcome::Value(text)) => text.starts_with(&format!("Err(\"{op}: ")),
            _ => false,
        };
        if !fits {
            wrong.push(format!("{what}: {right:?} is right, not {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_label_beyond_the_numbers_of_an_index_is_shown_as_it_came() {
    let tape = Tape::new();
    let options = CrossEntropyOptions { ignore_index: Some(-1), ..CrossEntropyOptions::default() };
    for found in [
        outcome(|| z(&tape, [1, 3]).cross_entropy(&[usize::MAX]).item().to_string()),
        outcome(|| z(&tape, [1, 3]).cross_entropy_opts(&[usize::MAX], &options).item().to_string()),
    ] {
        let Outcome::Panic { text, .. } = found else { panic!("there is no such class") };
        assert!(text.contains("label 18446744073709551615 is out of range for 3 classes"), "{text}");
    }
}

#[test]
fn an_integer_that_a_number_type_has_no_room_for_is_told_where_it_would_be_another() {
    let told = |found: Outcome, op: &str, integer: &str| {
        let Outcome::Panic { text, .. } = found else { panic!("{op} gave another integer") };
        assert!(text.starts_with(&format!("{op}: the integer {integer} is out of range for ")), "{text}");
    };
    let narrow = autograd::Tape::<f32>::default();
    let far = narrow.indices([2], &[1 << 40, 3]);
    told(outcome(|| format!("{:?}", far.value())), "value", "1099511627776");
    told(outcome(|| format!("{:?}", far.numbers().value())), "numbers", "1099511627776");
    let step = narrow.indices([1], &[-(1 << 40)]);
    let key = || narrow.key(autograd::Key::new(1)).fold_in_index(&step).uniform([2]);
    told(outcome(|| format!("{:?}", key().value())), "fold_in_index", "-1099511627776");
    let wide = Tape::new();
    told(outcome(|| format!("{:?}", wide.labels(&[usize::MAX]).value())), "value", "18446744073709551615");
    told(
        outcome(|| format!("{:?}", wide.indices([1], &[i64::MIN]).numbers().value())),
        "numbers",
        "-9223372036854775808",
    );
    assert_eq!(narrow.indices([2], &[i64::from(i32::MAX), -i64::from(i32::MAX)]).value(), [2147483647, -2147483647]);
    assert_eq!(wide.indices([1], &[i64::MAX]).value(), [i64::MAX]);
    assert_eq!(narrow.labels(&[]).value(), [0_i64; 0]);
}
