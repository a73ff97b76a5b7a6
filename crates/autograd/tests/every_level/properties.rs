//! Properties over random shapes: rank 0 to 4, sizes 0 to 3, broadcasting, one variable in two places.

use autograd::check::{Checker, Unsure, Verdict};
use autograd::{Order, Shape, Slice, Tape, Tensor, Transposed, Var, concat, grad, jvp, keepdims, vjp};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

mod arrays;
mod axes;

fn config() -> ProptestConfig {
    ProptestConfig { cases: 256, rng_seed: RngSeed::Fixed(0), failure_persistence: None, ..ProptestConfig::default() }
}

fn shape() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0_usize..4, 0..5)
}

/// Two shapes that broadcast: one shape twice, with sizes made 1 and leading dimensions dropped at random.
fn broadcastable() -> impl Strategy<Value = (Vec<usize>, Vec<usize>)> {
    (shape(), any::<[(bool, bool); 4]>(), 0_usize..5, any::<bool>()).prop_map(|(full, ones, drop, swap)| {
        let pick = |second: bool| {
            let sizes = full.iter().zip(ones).map(|(&n, (a, b))| if if second { b } else { a } { 1 } else { n });
            sizes.collect::<Vec<_>>()
        };
        let (a, b) = (pick(false), pick(true));
        let b = b[drop.min(b.len())..].to_vec();
        if swap { (b, a) } else { (a, b) }
    })
}

fn fill(shape: &[usize], seed: u64) -> Tensor {
    Tensor::from_fn(shape, |i| {
        let mixed = (i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ seed.wrapping_mul(0xD134_2543_DE82_EF95);
        0.25 + (mixed >> 40) as f64 / (1_u64 << 24) as f64 * 2.0
    })
}

/// Forward and reverse mode are adjoint: `⟨J v, w⟩ = ⟨v, Jᵀ w⟩`, for any linear or non-linear expression.
fn assert_adjoint(y: Var<'_>, x: Var<'_>) {
    let tape = y.tape();
    let (v, w) = (tape.var(&fill(&x.shape(), 11)), tape.var(&fill(&y.shape(), 12)));
    let forward = (jvp(y, &x, &v) * w).sum().item();
    let reverse = (vjp(y, &x, w) * v).sum().item();
    assert!((forward - reverse).abs() <= 1e-12 * forward.abs().max(1e-3), "{forward} {reverse}");
}

fn assert_checks(report: &autograd::check::Report) {
    let fine = matches!(report.verdict(), Verdict::Pass | Verdict::Inconclusive(Unsure::Vacuous));
    assert!(fine, "{report}");
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn element_wise_operations_broadcast_and_sum_back((a, b) in broadcastable()) {
        let report = Checker::default().check(
            |x| (x[0] * x[1] + x[0] / x[1] - x[1]).maximum(x[0].pow(x[1])),
            &[fill(&a, 1), fill(&b, 2)],
        );
        assert_checks(&report);
        let tape = Tape::new();
        let (x, y) = (tape.var(&fill(&a, 1)), tape.var(&fill(&b, 2)));
        let want = x.shape().broadcast(&y.shape()).unwrap();
        prop_assert_eq!((x + y).shape(), want);
        let [dx, dy] = grad((x + y).sum(), &[x, y]);
        prop_assert_eq!((dx.shape(), dy.shape()), (x.shape(), y.shape()));
    }

    #[test]
    fn one_variable_in_both_places_gets_both_contributions(a in shape()) {
        let tape = Tape::new();
        let x = tape.var(&fill(&a, 1));
        let twice = x.value();
        let equal = |got: Var<'_>, want: &dyn Fn(f64) -> f64| {
            got.value().as_slice().iter().zip(twice.as_slice()).all(|(g, &x)| (g - want(x)).abs() < 1e-14)
        };
        prop_assert!(equal(grad((x + x).sum(), &x), &|_| 2.0));
        prop_assert!(equal(grad((x * x).sum(), &x), &|x| 2.0 * x));
        prop_assert!(equal(grad((x - x).sum(), &x), &|_| 0.0));
        prop_assert!(equal(grad((x / x).sum(), &x), &|_| 0.0));
        prop_assert!(equal(grad(x.maximum(x).sum(), &x), &|_| 1.0));
        prop_assert!(equal(grad(concat(&[x.reshape([x.numel()]); 2], 0).sum(), &x), &|_| 2.0));
    }

    #[test]
    fn reductions_over_any_axes_keep_their_shape_rule_and_are_adjoint(
        a in shape(),
        chosen in any::<[bool; 4]>(),
        keep in any::<bool>(),
    ) {
        let axes: Vec<isize> = (0..a.len()).filter(|&i| chosen[i]).map(|i| i as isize).collect();
        let axes = autograd::Axes::from(&axes[..]);
        let axes = if keep { keepdims(axes) } else { axes };
        let tape = Tape::new();
        let x = tape.var(&fill(&a, 3));
        let want: Shape = a.iter().enumerate()
            .filter(|(i, _)| keep || !chosen[*i])
            .map(|(i, &n)| if chosen[i] { 1 } else { n })
            .collect();
        let y = x.sum_axes(axes.clone());
        prop_assert_eq!(y.shape(), want.clone());
        assert_adjoint(y, x);
        for y in [x.square().sum_axes(axes.clone()), x.prod_axes(axes.clone()), x.logsumexp(axes.clone()), x.norm(2.0, axes.clone())] {
            prop_assert_eq!(y.shape(), want.clone());
            assert_adjoint(y, x);
        }
        let folded: usize = (0..a.len()).filter(|&i| chosen[i]).map(|i| a[i]).product();
        if folded > 0 {
            for y in [x.mean_axes(axes.clone()), x.max_axes(axes.clone()), x.min_axes(axes.clone()), x.std(0, axes)] {
                prop_assert_eq!(y.shape(), want.clone());
                assert_adjoint(y, x);
            }
        }
    }

    #[test]
    fn every_view_is_paired_with_its_adjoint(
        a in shape(),
        bounds in any::<[(Option<i8>, Option<i8>, i8); 4]>(),
        order in Just([0_isize, 1, 2, 3]).prop_shuffle(),
    ) {
        let tape = Tape::new();
        let x = tape.var(&fill(&a, 4));
        let slices: Vec<Slice> = a.iter().zip(bounds)
            .map(|(_, (start, stop, step))| Slice {
                start: start.map(|i| isize::from(i % 5)),
                stop: stop.map(|i| isize::from(i % 5)),
                step: isize::from(if step % 4 == 0 { 1 } else { step % 4 }),
            })
            .collect();
        let permutation: Vec<isize> = order.into_iter().filter(|&i| (i as usize) < a.len()).collect();
        let wide: Vec<usize> = [2].iter().chain(&a).copied().collect();
        let axes: Vec<isize> = (0..a.len() as isize).collect();
        let shifts: Vec<isize> = axes.iter().map(|i| i * 2 - 1).collect();
        let pads: Vec<(usize, usize)> = a.iter().enumerate().map(|(i, _)| (i % 2, (i + 1) % 3)).collect();
        let mut views = vec![
            x.slice(&slices),
            x.transpose(&permutation),
            x.broadcast_to(wide),
            x.flip(&axes),
            x.roll(&shifts, &axes),
            x.pad(&pads, 1.5),
            x.reshape([x.numel()]),
            x.expand_dims(-1),
        ];
        if a.len() >= 2 {
            views.extend([x.tril(0), x.triu(1), x.diagonal(0, -1)]);
        }
        for y in views {
            assert_adjoint(y, x);
            // The adjoint of the adjoint is the view again.
            let w = tape.var(&fill(&y.shape(), 5));
            let back = vjp(y, &x, w);
            assert_adjoint(back, w);
        }
    }

    #[test]
    fn batched_products_broadcast_and_are_adjoint(
        (batch_a, batch_b) in broadcastable(),
        (m, k, n) in (0_usize..4, 0_usize..4, 0_usize..4),
        (ta, tb) in any::<(bool, bool)>(),
    ) {
        let matrix = |batch: &[usize], r: usize, c: usize, t: bool| {
            let tail = if t { [c, r] } else { [r, c] };
            [&batch[..batch.len().min(2)], &tail].concat()
        };
        let (batch_a, batch_b) = (&batch_a[batch_a.len().saturating_sub(2)..], &batch_b[batch_b.len().saturating_sub(2)..]);
        let tape = Tape::new();
        let a = tape.var(&fill(&matrix(batch_a, m, k, ta), 6));
        let b = tape.var(&fill(&matrix(batch_b, k, n, tb), 7));
        let y = a.matmul_with(b, Transposed { left: ta, right: tb });
        assert_adjoint(y, a);
        assert_adjoint(y, b);
        // The definition: a sum of broadcast products.
        let a2 = if ta { a.t() } else { a };
        let b2 = if tb { b.t() } else { b };
        let products = a2.expand_dims(-1) * b2.expand_dims(-3);
        let definition = products.sum_axes(-2);
        prop_assert_eq!(y.shape(), definition.shape());
        let close = y.value().as_slice().iter().zip(definition.value().as_slice()).all(|(a, b)| (a - b).abs() < 1e-13);
        prop_assert!(close);
    }

    #[test]
    fn scans_sorts_and_softmax_are_adjoint_along_any_axis(a in shape(), axis in 0_usize..4) {
        prop_assume!(!a.is_empty());
        let axis = (axis % a.len()) as isize;
        let tape = Tape::new();
        let x = tape.var(&fill(&a, 8));
        let ys = [
            x.cumsum(axis), x.cumprod(axis), x.sort(axis, Order::Ascending), x.sort(axis, Order::Descending), x.softmax(axis),
            x.log_softmax(axis), x.topk(a[axis as usize] / 2, axis, Order::Descending).0,
        ];
        for y in ys {
            assert_adjoint(y, x);
        }
    }
}
