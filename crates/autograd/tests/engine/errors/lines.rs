//! Every node stands at a line of the user's, whichever operation recorded it, in each pass.

use autograd::{
    Conv, CrossEntropyOptions, GaussianNll, Order, Padding, PoissonNll, Pool, Reduction, Tape, Tensor, TripletMargin,
    Var, einsum, grad, hessian, hvp, jacobian, jvp, per_example_grads, stack, vjp,
};

type Expression = for<'t> fn(Var<'t>) -> Var<'t>;

#[test]
fn no_node_stands_at_a_line_of_the_engine() {
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
        |x| x.sort(1, Order::Descending),
        |x| x.topk(1, 0, Order::Descending).0,
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
    let late: [Expression; 34] = [
        |x| x.diagonal_at(1, 0, 1) + x.diag(0) + x.diagonal(0, 1),
        |x| x.narrow(0, 0, 1).reshape([2]).diag(1),
        |x| x.diag_embed(-1),
        |x| x.masked_fill(x.gt(x.t()), 7.0),
        |x| x.masked_select(&[true, false, false, true]),
        |x| x.compress(1, &[false, true]),
        |x| x.median(..) + x.median(0),
        |x| x.quantile([0.2, 0.5], 1),
        |x| x.logcumsumexp(0),
        |x| x.cummax(1) - x.cummin(0),
        |x| x.take_along_axis(1, &x.cumargmax(1)) + x.take_along_axis(1, &x.cumargmin(1)),
        |x| x.scatter(0, &x.tape().indices([1, 2], &[1, 0]), x),
        |x| x.scatter_add(0, &x.tape().indices([1, 2], &[1, 0]), x),
        |x| x.index_copy(1, &[1, 0], x.t()),
        |x| x.index_add(1, &[1, 1], x.t()),
        |x| x.index_max(1, &[1, 1], x.t()) + x.scatter_min(0, &x.tape().indices([1, 2], &[0, 1]), x),
        |x| x.square().polygamma(1) + x.square().lgamma() + x.square().digamma() + (x * 0.1).erfinv(),
        |x| x.cosine_similarity(x.t(), 1, 1e-8),
        |x| x.pairwise_distance(x.t(), 2.0, 1e-6) + x.pairwise_distance(x.t(), 3.0, 0.0),
        |x| x.cdist(x.t(), 2.0) + x.cdist(x.t(), 1.0) + x.cdist(x.t(), f64::INFINITY),
        |x| x.triplet_margin(x.t(), x * 2.0, &TripletMargin { swap: true, ..TripletMargin::default() }),
        |x| x.cosine_embedding(x.t(), x.narrow(0, 0, 1).reshape([2]).sign(), 0.1, Reduction::Mean),
        |x| x.sigmoid().bce(x.t().sigmoid(), Some(x.exp()), Reduction::BatchMean),
        |x| x.sigmoid_focal(x.t().sigmoid(), Some(0.3), 2.0, Reduction::Mean),
        |x| x.poisson_nll(x.t().square(), &PoissonNll { full: true, ..PoissonNll::default() }),
        |x| x.square().poisson_nll(x.t().square(), &PoissonNll { log_input: false, ..PoissonNll::default() }),
        |x| x.gaussian_nll(x.t(), x.exp(), &GaussianNll { full: true, ..GaussianNll::default() }),
        |x| x.hinge(x.t().sign(), Reduction::Mean) + x.soft_margin(x.t().sign(), Reduction::Sum),
        |x| x.hinge_embedding(x.t().sign(), 1.0, Reduction::Mean),
        |x| x.multi_margin(&[0, 1], 2, 1.0, Some(&Tensor::ones([2])), Reduction::Mean),
        |x| x.margin_ranking(x.t(), x.sign(), 0.5, Reduction::Mean),
        |x| einsum("...j,kj->...k", &[x, x]),
        |x| x.cumprod(1) + x.tril(0) + x.triu(0) + x.roll(&[1], &[0]),
        |x| x.reshape([1, 1, 2, 2]).avg_pool2d(Pool::new([2, 2]).ceil_mode(), Padding::Counts),
    ];
    for expression in expressions.into_iter().chain(late).chain(of_others()) {
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

/// What is made of other operations throughout.
fn of_others() -> [Expression; 3] {
    [
        |x| {
            x.exp2()
                + x.square().log2()
                + x.square().log10()
                + x.cbrt()
                + x.sigmoid().logit()
                + x.log_cosh()
                + x.log_ndtr()
                + x.ndtr()
        },
        |x| {
            x.celu(0.5)
                + x.selu()
                + x.hardswish()
                + x.softshrink(0.2)
                + x.hardshrink(0.2)
                + x.tanhshrink()
                + x.threshold(0.1, 2.0)
        },
        |x| {
            x.rem(x.t()) * x.unstack(0)[1]
                + x.index_axis(1, -1) * x.ones_like()
                + x.index_axis(0, 0).outer(x.index_axis(0, 1)) * x.trace()
                + x.argmax(1).one_hot(2)
                    * x.tile(&[1, 2]).narrow(1, 1, 3).cross(x.tile(&[2, 2]).narrow(1, 0, 3).narrow(0, 1, 2), 1).sum()
                + x.repeat(2, 0).tile(&[1, 3]).narrow(0, 0, 2).narrow(1, 0, 2)
        },
    ]
}

/// Both passes at both orders, and zeros for what nothing depends on.
fn derivatives<'t>(y: Var<'t>, x: Var<'t>) {
    let unrelated = x.tape().scalar(1.0);
    let [dx, _] = vjp(y, &[x, unrelated], y);
    let _ = (grad(dx.sum(), &x), jvp(y, &x, &x), jvp(dx, &x, &x), jvp(y, &unrelated, &unrelated));
}
