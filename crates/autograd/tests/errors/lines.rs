//! Every node stands at a line of the user's, whichever operation recorded it, in each pass.

use autograd::{
    Conv, CrossEntropyOptions, Pool, Reduction, Tape, Tensor, Var, einsum, grad, hessian, hvp, jacobian, jvp,
    per_example_grads, stack, vjp,
};

#[test]
fn no_node_stands_at_a_line_of_the_engine() {
    type Expression = for<'t> fn(Var<'t>) -> Var<'t>;
    let options = |ignore, weights, smoothing| CrossEntropyOptions {
        reduction: Reduction::Mean,
        ignore_index: ignore,
        class_weights: weights,
        label_smoothing: smoothing,
    };
    let all = options(Some(1), Some(Tensor::ones([2])), 0.1);
    let tape = Tape::new();
    let mut x = tape.var(&Tensor::from_rows([[0.3, -1.2], [0.7, 0.1]]));
    for y in [x.cross_entropy_opts(&[0, 1], &all), x.log_softmax(1).nll(&[0, 1], &all)] {
        derivatives(y.reshape([1]), x);
    }
    let expressions: [Expression; 19] = [
        |x| [x, x * 2.0].into_iter().sum(),
        |x| einsum("ij,j->i", &[x, x.narrow(0, 0, 1).reshape([2])]),
        |x| einsum("ij,kj,kl->il", &[x, x, x]),
        |x| einsum("ij,ij->", &[x, x]),
        |x| stack(&[x, x], 1),
        |x| x.sort(1, true),
        |x| x.topk(1, 0, true).0,
        |x| x.norm(3.0, 1),
        |x| x.layer_norm(1, Some(x.narrow(0, 0, 1).reshape([2])), None, 1e-5),
        |x| x.linear(x, None),
        |x| x.mse(x.t(), Reduction::Mean),
        |x| x.huber(x.t(), 1.0, Reduction::None),
        |x| x.round() + x.index_select(0, &[1, 0]),
        |x| x.reshape([1, 1, 2, 2]).max_pool2d(Pool::new([2, 2])),
        |x| x.reshape([1, 1, 2, 2]).conv2d(x.reshape([1, 1, 2, 2]), None, Conv::default()),
        |x| x.matmul(x.t()).inv(),
        |x| x.prod_axes(..),
        |x| x.matmul(x.narrow(0, 0, 1).reshape([2])),
        |x| x.sign(),
    ];
    for expression in expressions {
        x = tape.var(&Tensor::from_rows([[0.3, -1.2], [0.7, 0.1]]));
        derivatives(expression(x), x);
    }
    let y = x.square().sum_axes(1);
    let _ = (jacobian(y, x), hessian(y.sum(), x), hvp(y.sum(), &x, &x), per_example_grads(y, &x));
    let _ = tape.no_grad(|| grad(y.sum(), &x));

    let listing = format!("{tape:?}");
    let elsewhere: Vec<&str> = listing.lines().skip(1).filter(|line| !line.contains("errors/lines.rs:")).collect();
    assert!(tape.len() > 500 && elsewhere.is_empty(), "{elsewhere:#?}");
}

/// Both passes at both orders, and zeros for what nothing depends on.
fn derivatives<'t>(y: Var<'t>, x: Var<'t>) {
    let unrelated = x.tape().scalar(1.0);
    let [dx, _] = vjp(y, &[x, unrelated], y);
    let _ = (grad(dx.sum(), &x), jvp(y, &x, &x), jvp(dx, &x, &x), jvp(y, &unrelated, &unrelated));
}
