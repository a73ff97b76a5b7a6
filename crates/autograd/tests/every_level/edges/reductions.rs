//! Norms, deviations and normalisation at zero, at constants and at the ends of the range.

use super::row::{AtInfinity, Row, run};
use autograd::{Float, Tape, Tensor, Var, grad, hvp, jvp};
use std::f64::consts::FRAC_1_SQRT_2;

table! {
    at_zero<T> of T:
    "norm of zero" [0.0, 0.0], |x| x[0].norm(2.0, ..), value [0.0], first [0.0, 0.0], second [0.0, 0.0] => Selected;
    "norm of (3, 4)" [3.0, 4.0], |x| x[0].norm(2.0, ..), value [5.0], first [0.6, 0.8],
        second [0.032, -0.024] => Mixed;
    "norm of one number is its magnitude" [-3.0], |x| x[0].norm(2.0, ..), value [3.0], first [-1.0],
        second [0.0] => Mixed;
    "norm 1 at 0" [0.0, -2.0], |x| x[0].norm(1.0, ..), value [2.0], first [0.0, -1.0], second [0.0, 0.0] => Selected;
    "norm 3 of zero" [0.0, 0.0], |x| x[0].norm(3.0, ..), value [0.0], first [0.0, 0.0] => Mixed;
    "norm 0 counts" [0.0, -2.0], |x| x[0].norm(0.0, ..), value [1.0], first [0.0, 0.0], second [0.0, 0.0] => Selected;
    "std of a constant" [2.0, 2.0, 2.0], |x| x[0].std(1, ..), value [0.0], first [0.0, 0.0, 0.0],
        second [0.0, 0.0, 0.0] => Mixed;
    "std of one element" [2.0], |x| x[0].std(0, ..), value [0.0], first [0.0], second [0.0] => Mixed;
    "std of (1, 3)" [1.0, 3.0], |x| x[0].std(0, ..), value [1.0], first [-0.5, 0.5], second [0.0, 0.0] => Mixed;
    "var of one element" [2.0], |x| x[0].var(0, ..), value [0.0], first [0.0], second [0.0] => Mixed;
    "var of (1, 3)" [1.0, 3.0], |x| x[0].var(1, ..), value [2.0], first [-2.0, 2.0], second [0.0, 0.0] => Mixed;
    "rms_norm of zero has an eps to divide by" [0.0, 0.0], |x| x[0].rms_norm(None, 0.25), value [0.0, 0.0],
        first [2.0, 2.0], second [0.0, 0.0] => Mixed;
    "layer_norm of a constant" [3.0, 3.0], |x| x[0].layer_norm(1, None, None, 0.25), value [0.0, 0.0],
        first [0.0, 0.0], second [0.0, 0.0] => Mixed;
}

table! {
    extremes of f64:
    "norm at 1e200" [3e200, 4e200], |x| x[0].norm(2.0, ..), value [5e200], first [0.6, 0.8] => Mixed;
    "norm at 1e-200" [3e-200, 4e-200], |x| x[0].norm(2.0, ..), value [5e-200], first [0.6, 0.8] => Mixed;
}

table! {
    extremes_f32 of f32:
    "norm at 1e30" [1e30, 1e30], |x| x[0].norm(2.0, ..), value [1.414213562373095e30],
        first [FRAC_1_SQRT_2, FRAC_1_SQRT_2] => Mixed;
    "norm at 1e-30" [1e-30, 1e-30], |x| x[0].norm(2.0, ..), value [1.414213562373095e-30],
        first [FRAC_1_SQRT_2, FRAC_1_SQRT_2] => Mixed;
}

/// Outputs by numbers of their own, since those of one row of a layer norm sum to 0.
fn weigh<'t, T: Float>(y: Var<'t, T>, by: &[f64]) -> Var<'t, T> {
    let by: Vec<T> = by.iter().map(|&w| T::of(w)).collect();
    y * y.tape().var(&Tensor::from(by))
}

// The digits come from evaluation in 80 decimal digits.
table! {
    rows_of_every_size of f64:
    "rms_norm at 1e106" [1.8e106, -1.9e106, -2.5e106], |x| weigh(x[0].rms_norm(None, 1e-6), &[1.0, 2.0, -1.0]),
        value [0.8613853567506401, -1.8184801975846845, 1.1963685510425557],
        first [4.4567011672424973e-107, 9.917986613986378e-107, -4.3288449862150485e-107] => Mixed;
    "rms_norm at 1e200" [3e200, 4e200], |x| weigh(x[0].rms_norm(None, 1e-6), &[1.0, -2.0]),
        value [0.848528137423857, -2.262741699796952],
        first [4.525483399593904e-201, -3.394112549695428e-201] => Mixed;
    "rms_norm at 1e-170 without eps" [3e-170, 4e-170], |x| weigh(x[0].rms_norm(None, 0.0), &[1.0, -2.0]),
        value [0.848528137423857, -2.262741699796952],
        first [4.525483399593904e169, -3.3941125496954285e169] => Mixed;
    "layer_norm at 1e180" [2e180, -1e180, 3e180, 5e179],
        |x| weigh(x[0].layer_norm(1, None, None, 1e-5), &[1.0, 2.0, 4.0, -0.5]),
        value [0.5773502691896257, -2.8042727360638966, 4.948716593053935, 0.20619652471058064],
        first [-6.912493018868988e-181, 9.246581570694881e-181, 9.695444753738322e-181, -1.2029533305564213e-180] => Mixed;
    "layer_norm at 1e106" [2e106, -1e106, 3e106, 5e105],
        |x| weigh(x[0].layer_norm(1, None, None, 1e-5), &[1.0, 2.0, 4.0, -0.5]),
        value [0.5773502691896257, -2.8042727360638966, 4.948716593053935, 0.20619652471058064],
        first [-6.912493018868989e-107, 9.24658157069488e-107, 9.695444753738322e-107, -1.2029533305564215e-106] => Mixed;
    "layer_norm at 1e-180 without eps" [2e-180, -1e-180, 3e-180],
        |x| weigh(x[0].layer_norm(1, None, None, 0.0), &[1.0, 2.0, -1.0]),
        value [0.3922322702763681, -2.7456258919345764, -0.9805806756909201],
        first [4.5257569647273235e179, -1.1314392411818309e179, -3.394317723545493e179] => Mixed;
    "rms_norm of a row far below its eps" [3e-300, -4e-300], |x| x[0].rms_norm(None, 0.25), value [6e-300, -8e-300],
        first [2.0, 2.0] => Mixed;
    "layer_norm of a large constant" [1e300, 1e300], |x| x[0].layer_norm(1, None, None, 0.25), value [0.0, 0.0],
        first [0.0, 0.0], second [0.0, 0.0] => Mixed;
}

table! {
    rows_of_every_size_f32 of f32:
    "rms_norm at 1e15" [1799999990005760.0, -1899999981993984.0, -2500000068141056.0],
        |x| weigh(x[0].rms_norm(None, 1e-6), &[1.0, 2.0, -1.0]),
        value [0.8613853441989117, -1.818480163949975, 1.1963685728609894],
        first [4.456701072888827e-16, 9.917986580338615e-16, -4.3288448569717345e-16] => Mixed;
    "rms_norm at 1e20" [3.000000060122632e20, 4.0000000801635094e20],
        |x| weigh(x[0].rms_norm(None, 1e-6), &[1.0, -2.0]), value [0.848528137423857, -2.262741699796952],
        first [4.525483308899248e-21, -3.394112481674436e-21] => Mixed;
    "rms_norm at 1e-25 without eps" [3.000000058624444e-25, 4.0000000781659255e-25],
        |x| weigh(x[0].rms_norm(None, 0.0), &[1.0, -2.0]), value [0.848528137423857, -2.262741699796952],
        first [4.5254833111592566e24, -3.3941124833694423e24] => Mixed;
    "layer_norm at 1e15" [1999999973982208.0, -999999986991104.0, 3000000028082176.0, 499999993495552.0],
        |x| weigh(x[0].layer_norm(1, None, None, 1e-5), &[1.0, 2.0, 4.0, -0.5]),
        value [0.5773502502123258, -2.8042727197976394, 4.948716658118963, 0.20619652742162345],
        first [-6.912492984429177e-16, 9.246581675552497e-16, 9.695444535728894e-16, -1.2029533226852215e-15] => Mixed;
    "layer_norm at 1e-25 without eps" [2.0000000390829628e-25, -1.0000000195414814e-25, 3.000000058624444e-25],
        |x| weigh(x[0].layer_norm(1, None, None, 0.0), &[1.0, 2.0, -1.0]),
        value [0.3922322702763681, -2.7456258919345764, -0.9805806756909201],
        first [4.52575687628733e24, -1.1314392190718325e24, -3.3943176572154976e24] => Mixed;
    "layer_norm of a large constant" [1e30, 1e30], |x| x[0].layer_norm(1, None, None, 0.25), value [0.0, 0.0],
        first [0.0, 0.0], second [0.0, 0.0] => Mixed;
}

table! {
    products of f64:
    "prod whose partial derivatives overflow on the way" [1e200, 1e-200, 1e150, 1e-150], |x| x[0].prod(), value [1.0],
        first [1e-200, 1e200, 1e-150, 1e150] => Mixed;
    "prod that overflows and comes back" [1e250, 1e100, 1e-300], |x| x[0].prod(), value [1e50],
        first [1e-200, 1e-50, f64::INFINITY] => Mixed;
    "prod that vanishes and comes back" [1e-180, 1e-180, 1e250], |x| x[0].prod(), value [1e-110],
        first [1e70, 1e70, 0.0] => Mixed;
    "cumprod whose tangent overflows and comes back" [1e180, 1e-190, 1e140, 1e-160],
        |x| x[0].cumprod(0).narrow(0, 3, 1), value [1e-30], first [1e-210, 1e160, 1e-170, 1e130] => Mixed;
}

table! {
    products_f32 of f32:
    "prod whose partial derivatives overflow on the way" [1e30, 1e-32, 1e20, 1e-24], |x| x[0].prod(), value [1e-6],
        first [1e-36, 1e26, 1e-26, 1e18] => Mixed;
}

#[test]
fn a_row_is_normalised_at_every_size_with_its_derivatives() {
    run(&rows_of_every_size());
    run(&rows_of_every_size_f32());
}

#[test]
fn a_product_in_range_is_right_whatever_its_parts_are() {
    run(&products());
    run(&products_f32());
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1e200, 1e-200, 1e150, 1e-150]));
    let tangent = jvp(x.prod(), &x, &tape.full([4], 1.0)).item();
    assert!((tangent / 1e200 - 1.0).abs() < 1e-14, "{tangent}");
    // Also where both the product of what is before a factor and that of what is behind it leave the range.
    for far in [1e200, 1e-200] {
        let x = tape.var(&Tensor::from([far, far, 1.0 / far, 1.0 / far]));
        for (k, want) in [1.0 / far, 1.0 / far, far, far].into_iter().enumerate() {
            let direction = tape.var(&Tensor::from_fn([4], |i| f64::from(i == k)));
            let (tangent, slope) = (jvp(x.prod(), &x, &direction).item(), grad(x.prod(), &x).value().as_slice()[k]);
            assert!(
                (tangent / want - 1.0).abs() < 1e-14 && (slope / want - 1.0).abs() < 1e-14,
                "{tangent} {slope} {want}"
            );
        }
    }
}

/// Scaling by powers of two rounds nothing: rows of every size have the same digits.
#[test]
fn a_normalised_row_does_not_depend_on_its_scale() {
    let row = [0.3, -1.7, 2.9, 0.01];
    let of = |scale: f64| {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from(row.map(|x| x * scale)));
        let y = x.layer_norm(1, None, None, 0.0);
        let dx = grad(y.square().sum() * 0.25 + y.narrow(0, 0, 1).sum(), &x) * scale;
        (y.value().to_vec(), dx.value().to_vec())
    };
    for k in [-900, -300, -1, 3, 400, 1000] {
        assert_eq!(of(2_f64.powi(k)), of(1.0), "2^{k}");
    }
}

#[test]
fn a_norm_of_zero_has_derivative_zero_at_both_orders() {
    run(&at_zero::<f64>());
    run(&at_zero::<f32>());
}

#[test]
fn a_norm_neither_overflows_nor_underflows() {
    run(&extremes());
    run(&extremes_f32());
}

/// What is masked out stays out at every order, whatever the direction; a large cotangent multiplies what is left across the norm's own direction.
#[test]
fn second_derivatives_of_norms_are_absolute_zeros_and_stay_in_range() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::from_rows([[1.0, 2.0], [3.0, 4.0]]));
    let mask = tape.var(&Tensor::from([0.0, 1.0]));
    let g = grad(mask.select(x.norm(2.0, 1), mask).sum(), &x);
    assert_eq!(grad((1.0 / g).sum(), &x).value().as_slice()[..2], [0.0, 0.0]);
    let along = |x: [f64; 2], v: [f64; 2], c: f64| {
        let (x, v) = (tape.var(&Tensor::from(x)), tape.var(&Tensor::from(v)));
        hvp(x.norm(2.0, ..) * c, &[x], &[v])[0].value().to_vec()
    };
    assert_eq!(along([1.0, 2.0], [f64::INFINITY, 1.0], 0.0), [0.0, 0.0]);
    assert_eq!(along([3e-200, 0.0], [3.0, 0.0], 1e150), [0.0, 0.0]);
    assert_eq!(along([3e-200, 4e-200], [3.0, 4.0], 1e150), [0.0, 0.0]);
    assert_eq!(along([3e-200, 4e-200], [1.0, 1.0], 1e150), [f64::INFINITY, -f64::INFINITY]);
}

/// A count kept in a narrow type loses ties: in half precision 70 000 is infinite.
#[test]
fn seventy_thousand_tied_maxima_share_one_cotangent() {
    const N: usize = 70_000;
    let tape = Tape::<f32>::default();
    let x = tape.var(&Tensor::full([N], 3.0));
    let dx = grad(x.max(), &x).value();
    assert!(dx.as_slice().iter().all(|&d| d == (1.0 / N as f64) as f32));
}
