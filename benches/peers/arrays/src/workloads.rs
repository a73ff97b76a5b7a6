//! The workloads; `arrays.py` has each a second time.

use crate::{Given, Workload};
use autograd::{Tensor, Var, concat, grad, keepdims};

/// Numbers of a list, in [0, 1): the same as in `arrays.py`.
fn draw(seed: usize, i: usize) -> f64 {
    let mixed = (i as u64 + 1).wrapping_mul(2_654_435_761).wrapping_add(seed as u64 * 40_503) % (1 << 32);
    let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(2_246_822_519) % (1 << 32);
    (mixed ^ (mixed >> 13)) as f64 / (1_u64 << 32) as f64
}

/// Numbers in [−1, 1), times a scale.
fn numbers(seed: usize, shape: &[usize], scale: f64) -> Tensor<f32> {
    Tensor::from_fn(shape, |i| ((draw(seed, i) * 2.0 - 1.0) * scale) as f32)
}

fn below(seed: usize, count: usize, n: usize) -> Vec<usize> {
    (0..count).map(|i| (draw(seed, i) * n as f64) as usize).collect()
}

fn workload(
    name: &'static str,
    params: &[(&[usize], f64)],
    inputs: &[(&[usize], f64)],
    loss: for<'t> fn(&Given<'t>) -> Var<'t, f32>,
) -> Workload {
    let of = |first: usize, list: &[(&[usize], f64)]| -> Vec<Tensor<f32>> {
        (first..).zip(list).map(|(seed, (shape, scale))| numbers(seed, shape, *scale)).collect()
    };
    Workload { name, params: of(1, params), inputs: of(101, inputs), indices: [vec![], vec![]], loss }
}

fn with(workload: Workload, i: Vec<usize>, j: Vec<usize>) -> Workload {
    Workload { indices: [i, j], ..workload }
}

/// `x / √(mean x² …)` of rows: layer normalisation without parameters.
fn normalised<'t>(x: Var<'t, f32>) -> Var<'t, f32> {
    x.layer_norm(1, None, None, 1e-5)
}

/// One head after the other of `[b, t, c]`, as `[b, h, t, c/h]`.
fn heads<'t>(x: Var<'t, f32>, h: usize) -> Var<'t, f32> {
    let [b, t, c] = x.shape()[..] else { panic!("tokens have three dimensions") };
    x.reshape([b, t, h, c / h]).transpose(&[0, 2, 1, 3])
}

#[expect(clippy::too_many_lines, reason = "a table: one entry for each workload")]
pub(crate) fn all() -> Vec<Workload> {
    vec![
        workload("gelu", &[(&[100_000], 3.0)], &[], |g| g.p[0].gelu().mean()),
        workload("functions", &[(&[100_000], 3.0)], &[], |g| {
            let x = g.p[0];
            (x.sin() * x.erf() + x.silu()).mean()
        }),
        workload("log-add-exp", &[(&[100_000], 3.0), (&[100_000], 3.0)], &[], |g| {
            (g.p[0].logaddexp(g.p[1]) * g.p[0].mish()).mean()
        }),
        workload("rows-standardised", &[(&[1000, 1000], 1.0)], &[(&[1000], 1.0)], |g| {
            let x = g.p[0];
            let centred = x - x.mean_axes(keepdims(1));
            let scale = (centred.square().mean_axes(keepdims(1)) + 1e-5).rsqrt();
            ((centred * scale).square() * g.x[0]).mean()
        }),
        workload("row-maxima", &[(&[1000, 1000], 1.0)], &[(&[1000], 1.0)], |g| (g.p[0].max_axes(1) * g.x[0]).sum()),
        workload("softmax-axis-0", &[(&[1000, 300], 2.0)], &[(&[1000, 300], 1.0)], |g| {
            (g.p[0].softmax(0) * g.x[0]).sum()
        }),
        workload("columns-and-rows", &[(&[2000, 1], 1.0), (&[300], 1.0)], &[(&[2000, 300], 1.0)], |g| {
            ((g.x[0] - g.p[0]) * g.p[1]).relu().mean()
        }),
        with(
            workload("embedding", &[(&[10_000, 64], 1.0)], &[(&[256, 64], 1.0)], |g| {
                (g.p[0].embedding(&g.i) * g.x[0]).sum_axes(1).tanh().sum()
            }),
            below(7, 256, 10_000),
            vec![],
        ),
        workload("layer-norm-gelu", &[(&[256, 256], 0.1), (&[256], 0.1)], &[(&[512, 256], 1.0)], |g| {
            normalised((g.x[0].matmul(g.p[0]) + g.p[1]).gelu()).square().mean() + g.p[1].square().sum()
        }),
        workload(
            "transformer-block",
            &[(&[64, 192], 0.2), (&[64, 64], 0.2), (&[64, 256], 0.2), (&[256, 64], 0.2)],
            &[(&[4, 32, 64], 1.0), (&[4, 32, 64], 1.0)],
            |g| {
                let x = g.x[0];
                let qkv = normalised(x).matmul(g.p[0]);
                let [q, k, v] = [0, 64, 128].map(|at| heads(qkv.narrow(2, at, 64), 4));
                let scores = q.matmul(k.transpose(&[0, 1, 3, 2])) * 0.25;
                let mixed = scores.softmax(3).matmul(v).transpose(&[0, 2, 1, 3]).reshape([4, 32, 64]);
                let x = x + mixed.matmul(g.p[1]);
                let x = x + normalised(x).matmul(g.p[2]).gelu().matmul(g.p[3]);
                (x - g.x[1]).square().mean()
            },
        ),
        workload(
            "graph-convolution",
            &[(&[32, 32], 0.3), (&[32, 16], 0.3)],
            &[(&[200, 200], 1.0), (&[200, 32], 1.0), (&[200, 16], 1.0)],
            |g| {
                let a = g.x[0].gt(0.8).maximum(g.x[0].t().gt(0.8));
                let scale = (a.sum_axes(keepdims(1)) + 1.0).rsqrt();
                let h = ((a.matmul(g.x[1] * scale) + g.x[1]) * scale).matmul(g.p[0]).relu();
                let y = ((a.matmul(h * scale) + h) * scale).matmul(g.p[1]);
                (y - g.x[2]).square().mean()
            },
        ),
        workload("ranking", &[(&[20], 1.0)], &[(&[300, 20], 1.0), (&[300], 1.0)], |g| {
            let scores = g.x[0].matmul(g.p[0]);
            let apart = scores.expand_dims(1) - scores;
            let sooner = (g.x[1].expand_dims(1) - g.x[1]).gt(0.0);
            ((-apart).softplus() * sooner).sum() / 300.0
        }),
        with(
            workload("contrastive", &[(&[64, 64], 0.2)], &[(&[128, 64], 1.0), (&[128, 64], 1.0)], |g| {
                let logits = unit_of(g.x[0].matmul(g.p[0])).matmul(unit_of(g.x[1].matmul(g.p[0])).t()) * 10.0;
                logits.cross_entropy(&g.i) + logits.t().cross_entropy(&g.i)
            }),
            (0..128).collect(),
            vec![],
        ),
        with(
            workload("ordinal", &[(&[10], 0.5), (&[5], 1.0)], &[(&[1000, 10], 1.0)], |g| {
                let z = g.x[0].matmul(g.p[0]).expand_dims(1);
                let cuts = g.p[1].softplus().cumsum(0) - 2.0;
                let below = (cuts - z).sigmoid();
                let ones = g.x[0].narrow(1, 0, 1) * 0.0 + 1.0;
                let upper = concat(&[below, ones], 1);
                let lower = concat(&[ones * 0.0, below], 1);
                let p = (upper - lower).take_along_axis(1, &g.i.expand_dims(1));
                -(p + 1e-6).log().mean()
            }),
            below(9, 1000, 6),
            vec![],
        ),
        workload("mixture", &[(&[10, 8], 1.0), (&[10, 8], 0.3), (&[10], 0.3)], &[(&[1000, 1, 8], 2.0)], |g| {
            let apart = (g.x[0] - g.p[0]) * (-g.p[1]).exp();
            let log = apart.square().sum_axes(2) * -0.5 - g.p[1].sum_axes(1) + g.p[2].log_softmax(0);
            -log.logsumexp(1).mean()
        }),
        workload("n-body", &[(&[128, 3], 1.0)], &[(&[128], 1.0)], |g| {
            let apart = g.p[0].expand_dims(1) - g.p[0];
            let distance = (apart.square().sum_axes(2) + 1e-2).rsqrt();
            -(distance * g.x[0] * g.x[0].expand_dims(1)).sum() / 128.0
        }),
        workload("short-rows", &[(&[25_000, 4], 1.0)], &[(&[25_000, 4], 1.0)], |g| {
            let log = g.p[0] - g.p[0].logsumexp(keepdims(1));
            (log * g.x[0]).sum_axes(1).tanh().mean()
        }),
        workload("path-average", &[(&[250, 400], 0.1)], &[], |g| {
            let path = g.p[0].cumsum(0).exp();
            ((path.mean_axes(0) - 1.0).softplus()).mean()
        }),
        workload("batch-norm-4d", &[(&[1, 16, 1, 1], 1.0), (&[1, 16, 1, 1], 1.0)], &[(&[64, 16, 8, 8], 1.0)], |g| {
            let x = g.x[0];
            let centred = x - x.mean_axes(keepdims([0, 2, 3]));
            let scale = (centred.square().mean_axes(keepdims([0, 2, 3])) + 1e-5).rsqrt();
            (centred * scale * g.p[0] + g.p[1]).relu().square().mean()
        }),
        with(
            workload("messages", &[(&[32, 32], 0.3)], &[(&[500, 32], 1.0), (&[500, 32], 1.0)], |g| {
                let sent = g.x[0].matmul(g.p[0]).tanh().gather(0, &g.i);
                let received = (g.x[0] * 0.0).index_add(0, &g.j, sent);
                (received - g.x[1]).square().mean()
            }),
            below(11, 4000, 500),
            below(12, 4000, 500),
        ),
        workload(
            "attention-mask",
            &[(&[4, 4, 64, 16], 1.0), (&[4, 4, 64, 16], 1.0), (&[4, 4, 64, 16], 1.0)],
            &[(&[64, 64], 1.0)],
            |g| {
                let scores = g.p[0].matmul(g.p[1].transpose(&[0, 1, 3, 2])) * 0.25;
                let shares = g.x[0].gt(0.5).select(-1e9, scores).softmax(3);
                shares.matmul(g.p[2]).square().mean()
            },
        ),
        with(
            workload(
                "graph-attention",
                &[(&[32, 16], 0.3), (&[16], 0.3), (&[16], 0.3)],
                &[(&[500, 32], 1.0), (&[500, 16], 1.0)],
                |g| {
                    let h = g.x[0].matmul(g.p[0]);
                    let (from, to) = (h.matmul(g.p[1]), h.matmul(g.p[2]));
                    let weight = (from.gather(0, &g.i) + to.gather(0, &g.j)).leaky_relu(0.2).exp();
                    let total = (g.x[1].sum_axes(1) * 0.0).index_add(0, &g.j, weight) + 1e-6;
                    let share = weight / total.gather(0, &g.j);
                    let received = (g.x[1] * 0.0).index_add(0, &g.j, h.gather(0, &g.i) * share.expand_dims(1));
                    (received - g.x[1]).square().mean()
                },
            ),
            below(11, 4000, 500),
            below(12, 4000, 500),
        ),
        workload("negative-binomial", &[(&[20], 0.3), (&[1], 0.5)], &[(&[5000, 20], 1.0), (&[5000], 4.0)], |g| {
            let (eta, y, r) = (g.x[0].matmul(g.p[0]), (g.x[1] + 4.0).floor(), g.p[1].exp());
            let log = (r + eta.exp()).log();
            let counts = (y + r).lgamma() - r.lgamma() - (y + 1.0).lgamma();
            -(counts + r * (r.log() - log) + y * (eta - log)).mean()
        }),
        workload(
            "gaussian-process",
            &[(&[1], 0.3), (&[1], 0.3)],
            &[(&[100, 3], 1.0), (&[100], 1.0), (&[100, 100], 1.0)],
            |g| {
                let x = g.x[0] * g.p[0].exp();
                let apart = (x.expand_dims(1) - x).square().sum_axes(2);
                let identity = (g.x[2] * 0.0 + 1.0).tril(0).triu(0);
                let kernel = (apart * -0.5).exp() + identity * (g.p[1].exp() + 0.1);
                let fit = (kernel.solve(g.x[1]) * g.x[1]).sum() * 0.5;
                fit + kernel.cholesky().diagonal(0, 1).log().sum()
            },
        ),
        workload("kernel-density", &[(&[200], 1.0), (&[1], 0.3)], &[(&[1000, 1], 1.0)], |g| {
            let apart = (g.x[0] - g.p[0]) / g.p[1].exp();
            -((apart.square() * -0.5).logsumexp(1) - g.p[1]).mean()
        }),
        with(
            workload("survival", &[(&[12, 24], 0.3)], &[(&[1000, 12], 1.0)], |g| {
                let hazard = g.x[0].matmul(g.p[0]).sigmoid();
                let density = (1.0_f32 - hazard).cumprod(1) * hazard;
                -(density + 1e-6).take_along_axis(1, &g.i.expand_dims(1)).log().mean()
            }),
            below(9, 1000, 24),
            vec![],
        ),
        workload("laplace-equation", &[(&[2, 32], 0.7), (&[32], 0.7), (&[32], 0.7)], &[(&[500, 2], 1.0)], |g| {
            let x = g.x[0];
            let u = (x.matmul(g.p[0]) + g.p[1]).tanh().matmul(g.p[2]);
            let [du] = grad(u.sum(), &[x]);
            let second = |axis| grad(du.narrow(1, axis, 1).sum(), &[x])[0].narrow(1, axis, 1);
            (second(0) + second(1) + u.sin().expand_dims(1)).square().mean()
        }),
        workload("total-variation", &[(&[3, 128, 128], 1.0)], &[(&[3, 128, 128], 1.0)], |g| {
            let x = g.p[0];
            let across = x.narrow(2, 1, 127) - x.narrow(2, 0, 127);
            let down = x.narrow(1, 1, 127) - x.narrow(1, 0, 127);
            let [across, down] = [across, down].map(|apart| (apart.square() + 1e-4).sqrt().mean());
            (x - g.x[0]).square().mean() + across + down
        }),
    ]
}

/// Rows of length 1.
fn unit_of(x: Var<'_, f32>) -> Var<'_, f32> {
    x * (x.square().sum_axes(keepdims(1)) + 1e-6).rsqrt()
}
