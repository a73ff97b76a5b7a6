//! Training steps of nets of many sizes replay to the bits of the same steps recorded and computed anew, whichever of the
//! program's kernels they take: thin, narrow, in blocks of rows, or large.

use crate::nets::{loss, net, numbers};
use autograd::{Float, Optimisations, Program, Tape, Tensor, Tree, Var, grad, update};

/// `|a − b|`, relative where `a` is larger than 1.
fn difference<T: Float>(a: T, b: T) -> f64 {
    (a - b).abs().to_f64() / a.abs().to_f64().max(1.0)
}

/// The largest difference of the losses and parameters between a program and the tape after three steps.
fn apart<T: Float>(batch: usize, sizes: &[usize], passes: Optimisations) -> f64 {
    let x: Tensor<T> = numbers([batch, sizes[0]], 9);
    let labels: Vec<usize> = (0..batch).map(|i| (i * 5) % sizes[sizes.len() - 1]).collect();
    let (rate, mut params) = (T::of(0.1), net::<T>(sizes));
    let rate_input = Tensor::scalar(rate);
    let mut program = Program::record_with(passes, &params, &(&x, &rate_input), |_, net, (x, rate)| {
        let loss = loss(&net, x, &labels);
        (update(&net, &grad(loss, &net), |p, g| p - g * rate), vec![loss])
    })
    .unwrap();
    let mut tape = Tape::<T>::default();
    let mut apart: f64 = 0.0;
    for _ in 0..3 {
        let (eager, grads) = tape.value_and_grad(&params, |tape, net| loss(&net, tape.var(&x), &labels));
        for (p, g) in params.leaves_mut().into_iter().zip(grads.leaves()) {
            p.as_mut_slice().iter_mut().zip(g.as_slice()).for_each(|(p, &g)| *p -= g * rate);
        }
        let replayed = program.run(&(&x, &rate_input)).unwrap().item(0);
        apart = apart.max(difference(eager, replayed));
    }
    let mut state = net::<T>(sizes);
    program.store_state(&mut state).unwrap();
    for (a, b) in params.leaves().into_iter().zip(state.leaves()) {
        for (a, b) in a.as_slice().iter().zip(b.as_slice()) {
            apart = apart.max(difference(*a, *b));
        }
    }
    apart
}

fn choices() -> [Optimisations; 5] {
    let all = Optimisations::default();
    let (fusion, blocks) = (all.without("products").without("losses"), all.without("blocks"));
    [all, fusion, blocks, all.without("hidden layers"), all.without("memory")]
}

#[test]
fn nets_of_small_sizes_replay_to_the_same_bits_whichever_passes_run() {
    let cases: [(usize, &[usize]); 14] = [
        (5, &[4, 10, 3]),
        (1, &[1, 1, 1]),
        (300, &[2, 100, 3]),
        (301, &[2, 100, 3]),
        (1000, &[3, 64, 4]),
        (517, &[2, 33, 2]),
        (200, &[8, 50, 20, 5]),
        (700, &[2, 40, 16, 5]),
        (200, &[2, 100, 17]),
        (32, &[64, 32, 10]),
        (33, &[20, 31, 7]),
        (2, &[300, 5, 40]),
        (900, &[1, 30, 1]),
        (64, &[4, 3, 4, 3]),
    ];
    for (batch, sizes) in cases {
        for passes in choices() {
            assert_eq!(apart::<f32>(batch, sizes, passes), 0.0, "f32 {batch} {sizes:?} {passes:?}");
            assert_eq!(apart::<f64>(batch, sizes, passes), 0.0, "f64 {batch} {sizes:?} {passes:?}");
        }
    }
}

#[test]
fn an_update_that_is_the_last_step_of_a_large_product_differs_by_its_rounding_alone() {
    for passes in choices() {
        let apart = [apart::<f32>(64, &[200, 180, 10], passes), apart::<f64>(64, &[200, 180, 10], passes)];
        // Parameters lie around [−1, 1]: four units in their last place after three steps.
        assert!(apart[0] <= 4.0 * f64::from(f32::EPSILON) && apart[1] <= 4.0 * f64::EPSILON, "{apart:?} {passes:?}");
        if passes == Optimisations::default().without("products").without("losses") {
            assert_eq!(apart, [0.0; 2]);
        }
    }
}

#[test]
fn what_a_group_computes_may_be_asked_for_and_read_by_others() {
    let x: Tensor = numbers([300, 2], 1);
    let labels: Vec<usize> = (0..300).map(|i| i % 3).collect();
    let params = net::<f64>(&[2, 100, 3]);
    for passes in choices() {
        let mut program = Program::record_with(passes, &params, &x, |_, net, x| {
            let hidden = (x.matmul(net[0].weight) + net[0].bias).relu();
            let scores = hidden.matmul(net[1].weight) + net[1].bias;
            let loss = scores.cross_entropy(&labels);
            let grads = grad(loss, &net);
            let norm = grads.leaves().into_iter().map(|g| g.square().sum()).sum::<Var<'_>>();
            (update(&net, &grads, |p, g| p - g * 0.1), vec![loss, hidden, scores.softmax(1), norm, grads[1].weight])
        })
        .unwrap();
        let tape = Tape::new();
        let vars = tape.vars(&params);
        let hidden = (tape.var(&x).matmul(vars[0].weight) + vars[0].bias).relu();
        let scores = hidden.matmul(vars[1].weight) + vars[1].bias;
        let loss = scores.cross_entropy(&labels);
        let grads = grad(loss, &vars);
        let norm = grads.leaves().into_iter().map(|g| g.square().sum()).sum::<Var<'_>>();
        let want = tape.values(&vec![loss, hidden, scores.softmax(1), norm, grads[1].weight]);
        let out = program.run(&x).unwrap();
        for (k, want) in want.iter().enumerate() {
            assert_eq!(&out.tensor(k), want, "output {k}, {passes:?}");
        }
    }
}

#[test]
fn a_step_of_one_hidden_layer_is_one_operation_and_what_is_asked_for_besides_ends_that() {
    let (x, labels, params): (Tensor, _, _) = (numbers([5, 4], 1), vec![0_usize, 1, 2, 2, 1], net::<f64>(&[4, 10, 3]));
    let listing = |passes: Optimisations, scores_too: bool| {
        let program = Program::record_with(passes, &params, &(&x, &labels), |_, net, (x, labels)| {
            let hidden = (x.matmul(net[0].weight) + net[0].bias).relu();
            let scores = hidden.matmul(net[1].weight) + net[1].bias;
            let loss = scores.cross_entropy(&labels);
            let outputs = if scores_too { vec![loss, scores] } else { vec![loss] };
            (update(&net, &grad(loss, &net), |p, g| p - g * 0.1), outputs)
        });
        program.unwrap().to_string()
    };
    let all = Optimisations::default();
    assert_eq!(listing(all, false).contains("one hidden layer, forward and backward"), crate::level::has_net_step());
    assert!(!listing(all, true).contains("one hidden layer"));
    assert!(!listing(all.without("hidden layers"), false).contains("one hidden layer"));
}

#[test]
fn a_step_of_one_hidden_layer_is_one_operation_with_any_function_that_has_a_slope() {
    type Function = for<'t> fn(Var<'t>) -> Var<'t>;
    let functions: [(&str, Function); 14] = [
        ("tanh", |x| x.tanh()),
        ("sigmoid", |x| x.sigmoid()),
        ("silu", |x| x.silu()),
        ("gelu", |x| x.gelu()),
        ("gelu_tanh", |x| x.gelu_tanh()),
        ("mish", |x| x.mish()),
        ("softplus", |x| x.softplus()),
        ("softsign", |x| x.softsign()),
        ("sin", |x| x.sin()),
        ("erf", |x| x.erf()),
        ("atan", |x| x.atan()),
        ("leaky_relu", |x| x.leaky_relu(0.1)),
        ("elu", |x| x.elu(1.0)),
        ("hardtanh", |x| x.clamp(-1.0, 1.0)),
    ];
    for (name, function) in functions {
        let (x, labels, params): (Tensor, _, _) =
            (numbers([5, 4], 1), vec![0_usize, 1, 2, 2, 1], net::<f64>(&[4, 10, 3]));
        let program = Program::record(&params, &(&x, &labels), |_, net, (x, labels)| {
            let hidden = function(x.matmul(net[0].weight) + net[0].bias);
            let loss = (hidden.matmul(net[1].weight) + net[1].bias).cross_entropy(&labels);
            (update(&net, &grad(loss, &net), |p, g| p - g * 0.1), vec![loss])
        })
        .unwrap();
        let text = program.to_string();
        assert_eq!(text.contains("one hidden layer"), crate::level::has_net_step(), "{name}: {text}");
    }
}

#[test]
fn a_branch_on_the_loss_after_its_gradients_sees_this_run() {
    let (labels, params) = (vec![0_usize, 1, 2, 2, 1], net::<f64>(&[4, 10, 3]));
    let losses = |passes: Optimisations| {
        let mut program = Program::record_with(passes, &params, &numbers([5, 4], 9), |tape, net, x: Var<'_>| {
            let x = x.exp().sin();
            let loss = loss(&net, x, &labels);
            let next = update(&net, &grad(loss, &net), |p, g| p - g * 0.1);
            assert!(loss.gt(tape.scalar(0.0)).holds());
            (next, vec![loss])
        })
        .unwrap();
        (0..3).map(|i| program.run(&numbers::<f64>([5, 4], 9 + i)).unwrap().item(0)).collect::<Vec<_>>()
    };
    assert_eq!(losses(Optimisations::default()), losses(Optimisations::NONE));
}

#[test]
fn a_state_that_is_set_between_runs_is_the_one_that_runs() {
    let (labels, params) = (vec![0_usize, 1, 2, 2, 1], net::<f64>(&[4, 10, 3]));
    let x: Tensor = numbers([5, 4], 9);
    let mut program = Program::record(&params, &x, |_, net, x: Var<'_>| {
        let loss = loss(&net, x, &labels);
        (update(&net, &grad(loss, &net), |p, g| p - g * 0.1), vec![loss])
    })
    .unwrap();
    let first = program.run(&x).unwrap().item(0);
    assert!(program.run(&x).unwrap().item(0) < first);
    let names: Vec<String> = program.state_names().map(str::to_owned).collect();
    for (name, value) in names.iter().zip(params.leaves()) {
        program.set_state(name, value).unwrap();
    }
    assert_eq!(program.run(&x).unwrap().item(0), first);
}

/// The next parameters of a net of one hidden layer, with weights stored transposed or not, and a penalty or none.
fn stored<'t>(p: &[Var<'t>], x: Var<'t>, labels: &[usize], turned: bool, penalty: bool) -> (Vec<Var<'t>>, Var<'t>) {
    let layer = |x: Var<'t>, l: usize| {
        if turned { x.linear(p[2 * l], Some(p[2 * l + 1])) } else { x.matmul(p[2 * l]) + p[2 * l + 1] }
    };
    let loss = layer(layer(x, 0).relu(), 1).cross_entropy(labels);
    let loss = if penalty { loss + (p[0].square().sum() + p[2].square().sum()) * 0.01 } else { loss };
    (p.iter().zip(grad(loss, p)).map(|(&p, g)| p - g * 0.1).collect(), loss)
}

#[test]
fn a_step_of_one_hidden_layer_is_one_operation_however_weights_are_stored_and_with_a_penalty_on_some() {
    for (n, d, h, k) in [(5, 4, 10, 3), (70, 2, 33, 2), (1, 1, 8, 4), (200, 3, 100, 3)] {
        for (turned, penalty) in [(false, true), (true, false), (true, true)] {
            let shapes = if turned {
                [vec![h, d], vec![h], vec![k, h], vec![k]]
            } else {
                [vec![d, h], vec![h], vec![h, k], vec![k]]
            };
            let state: Vec<Tensor> = shapes
                .iter()
                .enumerate()
                .map(|(i, shape)| {
                    Tensor::from_fn(&shape[..], |j| ((j * 7919 + i * 104_729) % 2003) as f64 * 1e-3 - 1.0)
                })
                .collect();
            let (x, labels): (Tensor, Vec<usize>) = (numbers([n, d], 9), (0..n).map(|i| (i * 5 + 1) % k).collect());
            for passes in choices().into_iter().chain([Optimisations::default().without("hidden layers")]) {
                let mut program = Program::record_with(passes, &state, &x, |_, p, x| {
                    let (next, loss) = stored(&p, x, &labels, turned, penalty);
                    (next, vec![loss])
                })
                .unwrap();
                // The gradient of a row of weights is taken for a product with a bias.
                if passes == Optimisations::default() && d > 1 {
                    let text = program.to_string();
                    assert_eq!(text.contains("one hidden layer"), crate::level::has_net_step(), "{text}");
                }
                let mut params = state.clone();
                for round in 0..3 {
                    let found = program.run(&x).unwrap().item(0);
                    let tape = Tape::new();
                    let (next, loss) = stored(&tape.vars(&params), tape.var(&x), &labels, turned, penalty);
                    let want = tape.values(&(next, loss));
                    assert_eq!(
                        found.to_bits(),
                        want.1.item().to_bits(),
                        "{n} {d} {h} {k} {turned} {penalty} {round} {passes:?}"
                    );
                    params = want.0;
                    for (name, want) in program.state_names().map(str::to_owned).collect::<Vec<_>>().iter().zip(&params)
                    {
                        assert_eq!(
                            &program.state(name).unwrap(),
                            want,
                            "{n} {d} {h} {k} {turned} {penalty} {round} {passes:?}"
                        );
                    }
                }
            }
        }
    }
}
