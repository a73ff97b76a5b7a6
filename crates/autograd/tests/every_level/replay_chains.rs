//! Chains of element-wise operations with several readers, several results, sums and broadcasts replay to the same bits
//! as recording and computing anew, with each pass switched off in turn.

use crate::choices::{Step, agree};
use autograd::{Float, Optimisations, Program, Shape, Tape, Tensor, Var, grad, keepdims, vjp};

fn numbers<T: Float>(shape: &[usize], seed: usize) -> Tensor<T> {
    Tensor::from_fn(shape, |i| T::of((((i + seed) * 7919 % 2003) as f64 - 1001.0) * 0.004))
}

/// Holds a step of two parts of a state and an input to [`agree`].
fn check<T: Float>(shapes: [&[usize]; 3], step: impl for<'t> Fn(&[Var<'t, T>; 2], Var<'t, T>) -> Step<'t, T>) {
    let state = [numbers::<T>(shapes[0], 1), numbers::<T>(shapes[1], 2)];
    let input = |round| numbers(shapes[2], 10 + round);
    agree(&state, input, |state, x| step(state.try_into().unwrap(), x), &format!("{shapes:?}"));
}

/// Sizes about those of a tile and of a block of a sum, none at all, and one.
const LENGTHS: [usize; 10] = [0, 1, 15, 17, 255, 257, 1023, 1025, 2048, 5003];

#[test]
fn values_with_several_readers_and_several_results() {
    fn step<'t, T: Float>(state: &[Var<'t, T>; 2], x: Var<'t, T>) -> Step<'t, T> {
        let [a, b] = *state;
        let (s, t, e) = (x.sigmoid() * a, (x + b).tanh(), (-x.square()).exp());
        let y = s * t + e;
        let total = y.sum();
        let grads = grad(total, &[a, b, x]);
        (vec![], vec![total, y, s, e.sum(), grads[0], grads[1], grads[2], t.square().sum() * y])
    }
    for n in LENGTHS {
        check::<f32>([&[n]; 3], step);
        check::<f64>([&[n]; 3], step);
    }
}

#[test]
fn states_that_are_updated_in_place_read_each_other_as_they_were() {
    fn step<'t, T: Float>(state: &[Var<'t, T>; 2], g: Var<'t, T>) -> Step<'t, T> {
        let [p, m] = *state;
        let next_m = m * T::of(0.9) + g * T::of(0.1);
        let next_p = p - next_m / ((m.square() + T::of(1.0)).sqrt() + p.abs());
        (vec![next_p, next_m], vec![(next_p * next_m).sum(), next_m - m])
    }
    for n in LENGTHS {
        check::<f32>([&[n]; 3], step);
        check::<f64>([&[n]; 3], step);
    }
    // Each is written over the other's operand.
    check::<f64>([&[700]; 3], |&[a, b], x| (vec![b * 0.5 + x, a * 0.25 - x], vec![(a - b).sum()]));
}

#[test]
fn a_step_of_rows_that_were_read_by_index_moves_these_alone_at_every_rate() {
    fn step<'t, T: Float>(count: usize, state: &[Var<'t, T>; 2], x: Var<'t, T>) -> Step<'t, T> {
        let [table, rate] = *state;
        // Some come again, some not at all.
        let places: Vec<usize> = (0..count).map(|i| i * i * 7 % 23).collect();
        let loss = (table.gather(0, &places[..]).tanh() * x).sum();
        let [slope] = grad(loss, &[table]);
        let by_number = table - slope * T::of(0.25);
        let next = if count.is_multiple_of(2) { table - slope * rate } else { by_number };
        // The rate is negative in each second run.
        (vec![next, -rate], vec![loss])
    }
    for count in [1, 6, 64, 65, 100] {
        for inner in [1, 3, 200] {
            let wide = [count, inner];
            check::<f32>([&[23, inner], &[], &wide], |state, x| step(count, state, x));
            check::<f64>([&[23, inner], &[], &wide], |state, x| step(count, state, x));
        }
    }
}

#[test]
fn operands_that_are_repeated() {
    fn step<'t, T: Float>(state: &[Var<'t, T>; 2], x: Var<'t, T>) -> Step<'t, T> {
        let [row, other] = *state;
        let shifted = x.sigmoid() * row + other;
        let y = shifted.tanh() * shifted + row.broadcast_to(x.shape()) * other.broadcast_to(x.shape());
        let loss = y.square().sum();
        let grads = grad(loss, &[row, other, x]);
        (vec![row - grads[0] * T::of(1e-3), other - grads[1] * T::of(1e-3)], vec![loss, grads[2], y])
    }
    for rows in [0, 1, 3, 40] {
        for (row, other) in [(&[37][..], &[][..]), (&[rows, 1], &[1, 37]), (&[], &[rows, 37]), (&[], &[1, 1])] {
            check::<f32>([row, other, &[rows, 37]], step);
            check::<f64>([row, other, &[rows, 37]], step);
        }
    }
}

#[test]
fn logarithms_and_the_shares_of_their_gradients_come_of_the_same_exponentials() {
    fn step<'t, T: Float>(axis: isize, state: &[Var<'t, T>; 2], x: Var<'t, T>) -> Step<'t, T> {
        let [a, b] = *state;
        let scores = x * a * 3.0;
        let (log, sum) = (scores.log_softmax(axis), (x + b).logsumexp(axis));
        let shares = scores.softmax(axis);
        let grads = grad((log * b).sum() + sum.square().sum() + (shares * log).sum(), &[a, b]);
        (vec![a - grads[0] * 0.1, b - grads[1] * 0.1], vec![log, sum, shares])
    }
    for shape in [[3, 5, 4], [1, 1, 1], [0, 2, 3], [10, 70, 9], [300, 2, 40]] {
        for axis in 0..3 {
            check::<f32>([&shape; 3], |state, x| step(axis, state, x));
            check::<f64>([&shape; 3], |state, x| step(axis, state, x));
        }
    }
    let (x, traced) = (numbers::<f64>(&[30, 40], 3), Optimisations::default().traced());
    let program = Program::record_with(traced, &x, &(), |_, x, ()| {
        let [dx] = grad(x.logsumexp(1).square().sum() + x.log_softmax(0).square().sum(), &[x]);
        (vec![], vec![dx])
    });
    let (program, text) = program.map(|program| (program.to_string(), program.trace().unwrap().to_string())).unwrap();
    assert!(text.contains("after shares:"), "{text}");
    assert!(program.contains("= logsumexp · softmax(") && program.contains("= log_softmax · softmax("), "{program}");
}

#[test]
fn slopes_are_computed_with_their_functions_whatever_is_between() {
    fn step<'t, T: Float>(state: &[Var<'t, T>; 2], x: Var<'t, T>) -> Step<'t, T> {
        let [w, v] = *state;
        let z = x.matmul(w);
        let (y, k) = (z.tanh().matmul(v).silu(), z.sum_axes(0).sigmoid());
        let loss = (y.matmul(w).gelu() * k).sum();
        let grads = grad(loss, &[w, v]);
        let [again] = grad(grads[0].square().sum(), &[v]);
        (vec![w - grads[0] * T::of(0.1), v - (grads[1] + again) * T::of(0.1)], vec![loss, y])
    }
    for n in [5, 20] {
        check::<f32>([&[n, n], &[n, n], &[30, n]], step);
        check::<f64>([&[n, n], &[n, n], &[30, n]], step);
    }
    let (state, x) = ([numbers::<f64>(&[40, 40], 1), numbers::<f64>(&[40, 40], 2)], numbers::<f64>(&[300, 40], 3));
    let program = Program::record(&state, &x, |_, [w, v], x| {
        let loss = x.matmul(w).tanh().matmul(v).gelu().sum();
        let grads = grad(loss, &[w, v]);
        (vec![w - grads[0] * 0.1, v - grads[1] * 0.1], vec![loss])
    });
    let text = program.unwrap().to_string();
    assert!(text.contains("tanh · sech2") && text.contains("gelu · gelu_slope"), "{text}");
}

#[test]
fn what_needs_a_sum_waits_for_it() {
    fn step<'t, T: Float>(_: &[Var<'t, T>; 2], x: Var<'t, T>) -> Step<'t, T> {
        let e = (x * T::of(0.3)).exp();
        let share = e / e.sum();
        let centred = share - share.sum() * T::of(0.5);
        (vec![], vec![share, centred, centred.square().sum(), e])
    }
    for n in LENGTHS {
        check::<f64>([&[1], &[1], &[n]], step);
    }
}

#[test]
fn a_function_that_is_asked_several_times_shares_its_exponential_with_one_slope() {
    // Without `common` each is computed by itself; the slopes wait for the sum.
    fn step<'t, T: Float>(state: &[Var<'t, T>; 2], x: Var<'t, T>) -> Step<'t, T> {
        let [a, b, c] = [x.tanh(), x.tanh(), x.tanh()];
        let dy = c.sum() + state[0];
        let slopes = [a, b].map(|y| vjp(y, &[x], dy)[0]);
        let curves = slopes.map(|slope| vjp(slope, &[x], dy)[0]);
        (vec![], vec![a, b, slopes[0], slopes[1], curves[0], curves[1]])
    }
    for n in LENGTHS {
        check::<f32>([&[n]; 3], step);
        check::<f64>([&[n]; 3], step);
    }
}

#[test]
fn a_gradient_of_element_wise_functions_is_one_pass() {
    let x = numbers::<f32>(&[5000], 1);
    let program = Program::record(&x, &(), |_, x, ()| {
        let y = (x.sigmoid() * x.tanh() + (-x.square()).exp()).mean();
        (vec![], vec![y, grad(y, &x)])
    });
    let (program, bytes) = (program.unwrap(), 5000 * 4);
    let text = program.to_string();
    assert_eq!(text.matches("[5000]").count(), 2, "{text}");
    assert!(text.contains("sigmoid · sigmoid_slope") && text.contains("sum"), "{text}");
    // The points, their gradient, and tiles.
    assert!(program.bytes() < 2 * bytes + 64 * 1024, "{} bytes in\n{text}", program.bytes());
}

#[test]
fn numbers_that_are_made_of_inputs_do_not_cut_a_pass() {
    // The seed is divided by the number of elements and multiplied by the factor, after the mean and before the gradient.
    let record = |x: &Tensor| {
        Program::record(&(), &(x, 0.7_f64), |_, (), (x, factor)| {
            let y = (x.tanh() * x.sin()).mean() * (factor + factor.exp());
            (vec![], vec![y, grad(y, &x), (x.exp() + factor * factor).sum()])
        })
        .unwrap()
    };
    for n in [7, 1023, 1024, 5000] {
        let x = numbers::<f64>(&[n], 3);
        let mut program = record(&x);
        let text = program.to_string();
        assert!(
            n < 1024 || text.matches(&format!("[{n}]")).count() == 2,
            "one chain reads x and gives a gradient:\n{text}"
        );
        let tape = Tape::new();
        let (x_var, factor) = (tape.var(&x), tape.scalar(0.7));
        let y = (x_var.tanh() * x_var.sin()).mean() * (factor + factor.exp());
        let values = tape.values(&[y, grad(y, &x_var), (x_var.exp() + factor * factor).sum()]);
        let replayed = program.run(&(&x, 0.7)).unwrap();
        for (k, value) in values.iter().enumerate() {
            let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert!(bits(replayed.slice(k)) == bits(value.as_slice()), "output {k} of {n}");
        }
    }
    check::<f32>([&[1], &[1], &[3000]], |state, x| {
        let [a, b] = *state;
        let y = (x.tanh() * (a * b)).sum() * (a + b.exp());
        (vec![a - y * 0.1, b * a], vec![y, grad(y, &x)])
    });
}

#[test]
fn functions_that_share_an_exponential_with_their_slopes() {
    fn step<'t, T: Float>(f: for<'a> fn(Var<'a, T>) -> Var<'a, T>, a: Var<'t, T>, x: Var<'t, T>) -> Step<'t, T> {
        let y = f(x) * a;
        let dx = grad(y.sum(), &x);
        (vec![], vec![y, dx, grad(dx.square().sum(), &x)])
    }
    type Named<T> = (&'static str, for<'a> fn(Var<'a, T>) -> Var<'a, T>);
    fn functions<T: Float>() -> [Named<T>; 16] {
        [
            ("sigmoid · sigmoid_slope", |x| x.sigmoid()),
            ("tanh · sech2", |x| x.tanh()),
            ("softplus · sigmoid", |x| x.softplus()),
            ("erf · erf_slope", |x| x.erf()),
            ("erfc · erf_slope", |x| x.erfc()),
            ("gelu · gelu_slope", |x| x.gelu()),
            ("gelu_tanh · gelu_tanh_slope", |x| x.gelu_tanh()),
            ("silu · silu_slope", |x| x.silu()),
            ("mish · mish_slope", |x| x.mish()),
            ("sin · cos", |x| (x * T::of(1e4)).sin()),
            ("sinh · cosh", |x| x.sinh()),
            ("tanhshrink · tanh", |x| x.tanhshrink()),
            ("log_cosh · tanh", |x| x.log_cosh()),
            ("cbrt · cbrt_slope", |x| x.cbrt()),
            ("ndtr · normal_density", |x| x.ndtr()),
            ("log_ndtr · inverse_mills", |x| x.log_ndtr()),
        ]
    }
    for (name, f) in functions::<f32>() {
        let x = numbers::<f32>(&[700], 1);
        let program = Program::record(&x, &(), |_, x, ()| (vec![], vec![f(x), grad(f(x).sum(), &x)])).unwrap();
        assert!(program.to_string().contains(name), "{name}: {program}");
        check::<f32>([&[700]; 3], |&[a, _], x| step(f, a, x));
    }
    for (_, f) in functions::<f64>() {
        check::<f64>([&[17]; 3], |&[a, _], x| step(f, a, x));
    }
}

#[test]
fn choices_and_comparisons_are_links_of_chains() {
    fn huber<'t>(x: Var<'t, f32>) -> Step<'t, f32> {
        let d = x - 0.25;
        let y = d.abs().le(1.0).select(d.square() * 0.5, d.abs() - 0.5).sum();
        (vec![], vec![y, grad(y, &x)])
    }
    fn step<'t, T: Float>(state: &[Var<'t, T>; 2], x: Var<'t, T>) -> Step<'t, T> {
        let [a, b] = *state;
        let inside = (x - a).abs().le(T::of(0.7));
        let y = inside.select((x - a).square() * T::of(0.5), b) + x.gt(b).select(x, T::of(0.25)).maximum(a);
        let z = y.lt(x).select(T::of(-1.0), y.ge(a).select(T::of(2.0), x.ne(b))) * y;
        let grads = grad(z.sum(), &[a, b, x]);
        (vec![], vec![z, z.sum(), grads[0], grads[1], grads[2]])
    }
    for n in LENGTHS {
        check::<f32>([&[n]; 3], step);
        check::<f64>([&[n], &[], &[n]], step);
    }
    check::<f32>([&[9, 1], &[37], &[9, 37]], step);
    let x = numbers::<f32>(&[5000], 1);
    let program = Program::record(&x, &(), |_, x, ()| huber(x)).unwrap();
    assert_eq!(program.to_string().matches("= chain").count(), 1, "{program}");
}

/// A straight-through estimator: rounded forward, the identity backward.
#[test]
fn what_stops_a_gradient_is_no_step() {
    fn rounded<'t, T: Float>(x: Var<'t, T>) -> Var<'t, T> {
        x + (x.mul_scalar(8.0).round().mul_scalar(0.125) - x).stop_gradient()
    }
    for n in LENGTHS {
        check::<f32>([&[n]; 3], |&[a, b], x| (vec![], vec![(rounded(a) * b).sum(), grad((rounded(x) * b).sum(), &x)]));
        check::<f64>([&[n]; 3], |&[a, _], x| (vec![a.stop_gradient(), x], vec![x.stop_gradient(), a.stop_gradient()]));
    }
    let x = numbers::<f32>(&[5000], 1);
    let program = Program::record(&x, &(), |_, x, ()| {
        let y = rounded(x).square().sum();
        (vec![], vec![y, grad(y, &x)])
    });
    let program = program.unwrap();
    assert_eq!(program.to_string().matches("= chain").count(), 1, "{program}");
    assert!(!program.to_string().contains("stop_gradient"), "{program}");
}

#[test]
fn slopes_of_norms_and_extremes_are_links_of_chains() {
    fn slopes<'t, T: Float>(x: Var<'t, T>, axis: isize) -> Vec<Var<'t, T>> {
        let y = (x * x.norm(2.0, keepdims(axis))).tanh() + x.max_axes(keepdims(axis));
        let dx = grad(y.sum(), &x);
        vec![y, dx, grad((dx * x).sum(), &x)]
    }
    for shape in [&[5, 33][..], &[40, 3], &[3, 7, 5], &[2, 9, 70], &[1, 1], &[4, 0]] {
        for axis in [0, -1] {
            if shape.contains(&0) && axis == -1 {
                continue;
            }
            check::<f32>([shape; 3], move |&[a, _], x| (vec![], [slopes(a, axis), slopes(x, axis)].concat()));
            check::<f64>([shape; 3], move |_, x| (vec![], slopes(x, axis)));
        }
    }
    let x = numbers::<f32>(&[50, 33], 1);
    let program = Program::record(&x, &(), |_, x, ()| (vec![], vec![grad(x.norm(2.0, 1).square().sum(), &x)])).unwrap();
    assert!(program.to_string().contains("over_norm"), "{program}");
}

/// A net's parameters by Adam, with a momentum that one of them lacks, so that not all formulas are alike.
#[test]
fn updates_of_many_parameters_by_one_formula_are_one_chain_with_the_same_bits() {
    let numbers = |shape: &[usize], seed: usize| {
        Tensor::from_fn(shape.iter().copied().collect::<Shape>(), |i| ((i * 29 + seed * 17) % 23) as f64 * 0.1 - 1.1)
    };
    let shapes: [&[usize]; 5] = [&[4, 10], &[10], &[10, 3], &[3], &[1]];
    let list = |seed: usize| -> Vec<Tensor> { shapes.iter().enumerate().map(|(k, s)| numbers(s, k + seed)).collect() };
    let state = (list(1), list(11), list(21).iter().map(|v| v * v).collect::<Vec<_>>(), Tensor::scalar(0.0));
    let (x, labels) = (numbers(&[5, 4], 3), [0_usize, 2, 1, 1, 0]);
    let mut wanted: Option<Vec<Vec<u64>>> = None;
    for passes in Optimisations::choices() {
        let recorded =
            Program::record_with(passes, &state, &(&x, &labels, 0.01), |_, (p, m, v, t), (x, labels, rate)| {
                let hidden = (x.matmul(p[0]) + p[1]).tanh();
                let loss =
                    (hidden.matmul(p[2]) + p[3]).cross_entropy(&labels) * p[4].sum() + p[0].square().sum() * 1e-3;
                let g = grad(loss, &p);
                let t = t + 1.0;
                let (c1, c2) = (1.0 - (t * 0.9_f64.ln()).exp(), 1.0 - (t * 0.999_f64.ln()).exp());
                let m: Vec<_> = m.iter().zip(&g).map(|(&m, &g)| m * 0.9 + g * 0.1).collect();
                let v: Vec<_> = v.iter().zip(&g).map(|(&v, &g)| v * 0.999 + g * g * 0.001).collect();
                let step = |k: usize| rate * (m[k] / c1) / ((v[k] / c2).sqrt() + 1e-8);
                // One of them reads what an earlier one made.
                let next: Vec<_> = (0..5).map(|k| p[k] - step(k)).collect();
                let last = next[1].sum();
                (next.iter().chain(&m).chain(&v).copied().chain([t]).collect(), vec![loss, last])
            });
        let mut program = recorded.unwrap();
        if passes == Optimisations::default() {
            let text = program.to_string();
            let together =
                text.lines().any(|line| line.contains("sqrt") && line.contains("[10, 3]") && line.contains("[3]"));
            assert!(together, "parameters with one formula have chains of their own in\n{text}");
        }
        let mut found = Vec::new();
        for _ in 0..4 {
            let out = program.run(&(&x, &labels, 0.01)).unwrap();
            found.extend([out.item(0), out.item(1)].map(|y| vec![y.to_bits()]));
        }
        let names: Vec<String> = program.state_names().map(str::to_owned).collect();
        found.extend(
            names.iter().map(|name| program.state(name).unwrap().as_slice().iter().map(|x| x.to_bits()).collect()),
        );
        let wanted = wanted.get_or_insert_with(|| found.clone());
        assert!(*wanted == found, "{passes:?}\n{program}");
    }
}

#[test]
fn a_product_with_a_logarithm_and_its_gradient_take_that_once_with_the_same_bits() {
    // Every pair of these: where the product is 0 whatever the logarithm is, and where that is infinite, or no number.
    const EDGES: [f64; 10] = [0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 1e-40, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    fn step<'t, T: Float>(a: Var<'t, T>, b: Var<'t, T>) -> Vec<Var<'t, T>> {
        let (y, z) = (a.xlogy(b), a.xlog1py(b));
        let twice = a.xlogy(b) * 2.0;
        let entropy = -b.xlogy(b).sum();
        let of_y = grad(y.sum() + twice.sum(), &[a, b]);
        let of_z = grad(z.sum(), &[a, b]);
        vec![y, z, twice, of_y[0], of_y[1], of_z[0], of_z[1], entropy, grad(entropy, &b)]
    }
    fn edges<T: Float>() {
        let rows = Tensor::from_fn([10, 1], |i| T::of(EDGES[i]));
        let columns = Tensor::from_fn([10], |i| T::of(EDGES[i]));
        let [whole, turned] = [|i| i / 10, |i| i % 10].map(|at| Tensor::from_fn([10, 10], |i| T::of(EDGES[at(i)])));
        for (a, b) in [(&whole, &turned), (&rows, &columns), (&rows, &turned), (&whole, &rows)] {
            let tape = Tape::default();
            let expected = tape.values(&step(tape.var(a), tape.var(b)));
            for passes in Optimisations::choices() {
                let recorded = Program::record_with(passes, &(), &(a, b), |_, (), (a, b)| (vec![], step(a, b)));
                let mut program = recorded.unwrap();
                let out = program.run(&(a, b)).unwrap();
                for (k, expected) in expected.iter().enumerate() {
                    let bits = |x: &T| if x.is_nan() { u64::MAX } else { x.to_f64().to_bits() };
                    let [found, expected] =
                        [out.slice(k), expected.as_slice()].map(|x| x.iter().map(bits).collect::<Vec<_>>());
                    assert_eq!(found, expected, "output {k} of {} and {}, {passes:?}", a.shape(), b.shape());
                }
            }
        }
    }
    edges::<f32>();
    edges::<f64>();
    let x = numbers::<f32>(&[5000], 1);
    let program = Program::record(&x, &(), |_, x, ()| {
        let y = x.xlogy(x).sum();
        (vec![grad(y, &x)], vec![y])
    });
    let text = program.unwrap().to_string();
    assert!(text.contains("xlogy_log") && !text.contains("xlogy ·"), "{text}");
}
