//! Sums of many terms do not drift. The wrong values that a plain sum gives stand beside the rows.

use autograd::{Float, Padding, Pool, Tape, Tensor, Var, einsum, grad, keepdims};

/// Checks that all numbers are this one, relative to it.
#[track_caller]
fn near(got: Var<'_, f32>, want: f64, tolerance: f64) {
    let got = got.value();
    assert!(!got.as_slice().is_empty());
    for &x in got.as_slice() {
        assert!((f64::from(x) / want - 1.0).abs() <= tolerance, "{x} not {want}");
    }
}

/// A variable that has one number everywhere.
fn full(tape: &Tape<f32>, shape: impl Into<autograd::Shape>, value: f32) -> Var<'_, f32> {
    tape.var(&Tensor::full(shape, value))
}

/// What `f32` holds of a decimal.
fn held(value: f32) -> f64 {
    f64::from(value)
}

#[test]
fn sums_and_means_along_any_axis() {
    let tape = Tape::<f32>::default();
    // 4001.553
    near(full(&tape, [40_000, 3], 0.1).sum_axes(0), 40_000.0 * held(0.1), 1e-6);
    // 924546.7
    near(full(&tape, [3_000_000, 2], 0.3).sum_axes(0), 3e6 * held(0.3), 1e-6);
    // 455796.7
    near(full(&tape, [2, 1_500_000, 2], 0.3).sum_axes(1), 1.5e6 * held(0.3), 1e-6);
    // 0.9320676
    near(full(&tape, [18_000_000, 1], 1.0).mean_axes(0), 1.0, 0.0);
    for axes in [&[0, 2][..], &[0, 1], &[1, 2], &[1], &[0, 1, 2]] {
        near(full(&tape, [300, 7, 200], 0.7).mean_axes(axes), held(0.7), 1e-6);
    }
    near(full(&tape, [60, 3, 50, 2, 40], 0.7).sum_axes([0, 2, 4]), 120_000.0 * held(0.7), 1e-6);
    near(full(&tape, [300_000, 1, 2], 0.3).sum_to([2]), 3e5 * held(0.3), 1e-6);
    near(full(&tape, [300, 2, 1000], 0.3).sum_to([2, 1]), 3e5 * held(0.3), 1e-6);
    near(full(&tape, [300_000, 2], 0.3).t().sum_axes(1), 3e5 * held(0.3), 1e-6);
    // 1410662.4
    near(einsum("nk->k", &[full(&tape, [2_000_000, 2], 0.7)]), 2e6 * held(0.7), 1e-6);
    near(einsum("nkm->k", &[full(&tape, [500, 3, 500], 0.7)]), 2.5e5 * held(0.7), 1e-6);
    // Each element in the middle is in 40 by 40 windows.
    let x = full(&tape, [1, 1, 90, 90], 0.0);
    let means = x.avg_pool2d(Pool { stride: [1, 1], ..Pool::new([40, 40]) }, Padding::Counts);
    let dx = grad((means * 0.7_f32).sum(), &x);
    let middle = autograd::Slice::from(39..51);
    near(dx.reshape([90, 90]).slice([middle, middle]), held(0.7), 1e-6);
}

#[test]
fn variances_and_norms() {
    let tape = Tape::<f32>::default();
    let halves = |shape: &[usize]| tape.var(&Tensor::from_fn(shape, |i| if i % 2 == 0 { 0.3_f32 } else { 0.7 }));
    let d = held(0.7) - held(0.3);
    // 0.039460894
    near(halves(&[1_000_000, 1]).var(0, 0), d * d / 4.0, 1e-6);
    near(halves(&[1000, 1000]).var(0, ..), d * d / 4.0, 1e-6);
    // 0.19864766
    near(halves(&[1_000_000]).std(0, ..), d / 2.0, 1e-6);
    near(halves(&[200_001, 3]).std(0, 0), d / 2.0, 1e-6);
    // 527.64557
    near(full(&tape, [3_000_000], 0.3).norm(2.0, ..), (3e6_f64).sqrt() * held(0.3), 1e-6);
    near(full(&tape, [200_000, 3], 0.3).norm(2.0, 0), (2e5_f64).sqrt() * held(0.3), 1e-6);
    near(full(&tape, [2, 200_000, 3], 3e30).norm(2.0, 1), (2e5_f64).sqrt() * held(3e30), 1e-6);
    near(full(&tape, [200_000], 3e-30).norm(2.0, ..), (2e5_f64).sqrt() * held(3e-30), 1e-6);
    // 692988.56
    near(full(&tape, [1_000_000, 2], 0.7).norm(1.0, 0), 1e6 * held(0.7), 1e-6);
    near(full(&tape, [300_000, 2], 0.7).norm(3.0, 0), (3e5_f64).cbrt() * held(0.7), 1e-5);
}

#[test]
fn running_sums_at_each_element() {
    let tape = Tape::<f32>::default();
    // 692988.56 at the last
    let x = full(&tape, [1_000_000], 0.7);
    let (y, ones) = (x.cumsum(0), full(&tape, [1_000_000], 1.0));
    let counts = tape.var(&Tensor::from_fn([1_000_000], |i| (i + 1) as f32));
    near(y / counts, held(0.7), 1e-6);
    // Its gradient runs from the back.
    near(grad((y * 0.3_f32).sum(), &x) / counts.slice([autograd::Slice::all().step(-1)]), held(0.3), 1e-6);
    near(ones.reshape([2, 250_000, 2]).cumsum(1).narrow(1, 249_999, 1), 250_000.0, 0.0);
}

#[test]
fn gradients_of_what_every_row_shares() {
    let tape = Tape::<f32>::default();
    let rows = 600_000;
    let x = tape.var(&Tensor::from_fn([rows, 2], |i| (i % 2) as f32));
    let (w, b) = (full(&tape, [2], 1.0), full(&tape, [2], 0.0));
    // 60333.348
    near(grad(((x + b) * 0.1_f32).sum(), &b), rows as f64 * held(0.1), 1e-6);
    let y = x.layer_norm(1, Some(w), Some(b), 1e-5);
    let [dw, db] = grad((y * 0.1_f32).sum(), &[w, b]);
    near(db, rows as f64 * held(0.1), 1e-6);
    near(dw * tape.var(&Tensor::from([-1.0_f32, 1.0])), rows as f64 * held(0.1), 1e-4);
    // 692988.56
    let w = full(&tape, [2], 1.0);
    near(grad((full(&tape, [1_000_000, 2], 0.7) * w).sum(), &w), 1e6 * held(0.7), 1e-6);
    // 16777216
    let b = full(&tape, [1], 0.0);
    near(grad((full(&tape, [17_500_000, 1], 0.0) + b).sum(), &b), 17_500_000.0, 0.0);
    let (w, b) = (full(&tape, [3, 2], 0.1), full(&tape, [3], 0.1));
    let y = full(&tape, [200_000, 2], 0.7).linear(w, Some(b));
    let [dw, db] = grad((y * 0.3_f32).sum(), &[w, b]);
    near(dw, 2e5 * held(0.7) * held(0.3), 1e-5);
    near(db, 2e5 * held(0.3), 1e-6);
}

#[test]
fn products_along_their_inner_dimension() {
    let tape = Tape::<f32>::default();
    // 299546.7
    near(full(&tape, [1, 1_000_000], 0.3).matmul(full(&tape, [1_000_000, 1], 1.0)), 1e6 * held(0.3), 1e-5);
    // 493290.38
    let x = full(&tape, [1_000_000], 0.7);
    near(x.matmul(x), 1e6 * held(0.7) * held(0.7), 1e-5);
    near(grad(x.matmul(x), &x), 2.0 * held(0.7), 1e-6);
    for (m, n) in [(3, 5), (20, 4), (50, 60)] {
        let (a, b) = (full(&tape, [m, 50_000], 0.7), full(&tape, [50_000, n], 0.3));
        near(a.matmul(b), 5e4 * held(0.7) * held(0.3), 1e-5);
    }
    let (a, b) = (full(&tape, [200_000, 3], 0.7), full(&tape, [200_000, 3], 0.3));
    near(einsum("nk,nk->k", &[a, b]), 2e5 * held(0.7) * held(0.3), 1e-5);
    near(einsum("nk,nj->kj", &[a, b]), 2e5 * held(0.7) * held(0.3), 1e-5);
}

#[test]
fn softmax_and_losses_of_many_terms() {
    let tape = Tape::<f32>::default();
    let n = 1_000_000;
    // Exponentials of two heights, which no power of two divides.
    let heights = |i: usize| if i.is_multiple_of(3) { 0.0_f32 } else { -0.7 };
    let sum: f64 = (0..n).map(|i| f64::from(heights(i)).exp()).sum();
    let x = tape.var(&Tensor::from_fn([n, 1], heights));
    for x in [x.reshape([n]), x.broadcast_to([n, 2]).narrow(1, 1, 1).reshape([n])] {
        near(x.softmax(0).narrow(0, 0, 1), 1.0 / sum, 1e-5);
        near(x.softmax(0).sum(), 1.0, 1e-5);
        near(x.log_softmax(0).narrow(0, 0, 1), -sum.ln(), 1e-6);
        near(x.logsumexp(0), sum.ln(), 1e-6);
    }
    let x = x.broadcast_to([n, 2]);
    near(x.softmax(0).narrow(0, 0, 1), 1.0 / sum, 1e-5);
    near(x.softmax(0).sum_axes(0), 1.0, 1e-5);
    let labels: Vec<usize> = vec![1; n];
    let scores = full(&tape, [1, 2], 0.0).broadcast_to([n, 2]);
    near(scores.cross_entropy(&labels), 2.0_f64.ln(), 1e-6);
    let target = full(&tape, [n, 2], 0.3);
    near(scores.mse(target, autograd::Reduction::Mean), held(0.3).powi(2), 1e-6);
    near(scores.l1(target, autograd::Reduction::Sum), 2e6 * held(0.3), 1e-6);
}

#[test]
fn a_number_that_is_taken_often() {
    let tape = Tape::<f32>::default();
    let n = 1_000_000;
    // 299546.7
    let x = full(&tape, [2], 0.0);
    let y = x.gather(0, &vec![1_usize; n]);
    near(grad((y * 0.3_f32).sum(), &x).narrow(0, 1, 1), n as f64 * held(0.3), 1e-6);
    let source = full(&tape, [2, n], 0.3);
    let indices = tape.indices([2, n], &vec![0; 2 * n]);
    near(full(&tape, [2, 1], 0.0).scatter_add(1, &indices, source), n as f64 * held(0.3), 1e-6);
}

/// The numbers of an expression of one tensor, and of its gradient; the cotangents are of one sign, so that their sums are
/// as well.
fn numbers<'t, T: Float>(tape: &'t Tape<T>, x: &Tensor<f32>, f: impl Fn(Var<'t, T>) -> Var<'t, T>) -> Vec<f64> {
    let x = tape.var(&Tensor::from_fn(x.shape(), |i| T::of(f64::from(x.as_slice()[i]))));
    let y = f(x);
    let dx = grad(y.square().sum(), &x);
    let of = |v: Var<'t, T>| v.value().as_slice().iter().map(|x| x.to_f64()).collect::<Vec<f64>>();
    [of(y), of(dx)].concat()
}

/// Expressions of one tensor, which are as good in `f32` as this says.
macro_rules! compare {
    ($x:ident, $tolerance:expr, $(|$v:ident| $f:expr;)*) => {
        $({
            let (narrow, wide) = (Tape::<f32>::default(), Tape::<f64>::default());
            let (got, want) = (numbers(&narrow, &$x, |$v| $f), numbers(&wide, &$x, |$v| $f));
            let scale = want.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
            for (got, want) in got.iter().zip(&want) {
                let error = (got - want).abs();
                assert!(error <= $tolerance * scale, "{got} not {want}: {} of {}", stringify!($f), $x.shape());
            }
        })*
    };
}

#[test]
fn reductions_of_any_shape_over_any_axis_are_those_of_f64() {
    for shape in [&[700, 3][..], &[3, 700], &[130, 2, 65], &[2, 129, 3], &[5, 1, 257], &[66, 3, 2, 70], &[1, 2000, 1]] {
        let count: usize = shape.iter().product();
        let x = Tensor::from_fn(shape, |i| 0.3 + ((i * 7919) % 1009) as f32 / 900.0);
        assert_eq!(x.as_slice().len(), count);
        for axis in 0..shape.len() as isize {
            compare!(x, 3e-6,
                |x| x.sum_axes(axis);
                |x| x.mean_axes(keepdims(axis));
                |x| x.norm(2.0, axis);
                |x| x.norm(1.0, axis);
                |x| x.cumsum(axis);
                |x| x.logsumexp(axis);
                |x| x.softmax(axis);
                |x| (x * x.narrow(axis, 0, 1)).sum_axes(axis);
            );
            if shape[axis as usize] > 1 {
                compare!(x, 1e-5, |x| x.var(1, axis); |x| x.std(0, axis););
            }
        }
        compare!(x, 3e-6, |x| x.sum(); |x| x.norm(2.0, ..); |x| x.sum_axes([0, -1]););
    }
}

#[test]
fn what_each_row_adds_by_indices_of_its_own() {
    for rows in [1, 3, 4, 9] {
        let (n, tape) = (200_000, Tape::<f32>::default());
        let (x, source) = (full(&tape, [rows, 2], 0.0), full(&tape, [rows, n], 0.1));
        let index = tape.indices([rows, n], &vec![0; rows * n]);
        // 20183.48
        near(x.scatter_add(1, &index, source).narrow(1, 0, 1), 2e5 * held(0.1), 1e-6);
        let gathered = x.take_along_axis(1, &index);
        near(grad((gathered * 0.1_f32).sum(), &x).narrow(1, 0, 1), 2e5 * held(0.1), 1e-6);
        let highest = tape.var(&Tensor::from_fn([rows, n], |i| if i % n == 0 { 1.0 } else { 0.5 }));
        near(grad((highest.cummax(1) * 0.1_f32).sum(), &highest).narrow(1, 0, 1), 2e5 * held(0.1), 1e-6);
    }
}
