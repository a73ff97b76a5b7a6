//! Calls of what arranges, orders, indexes and solves.

use super::draw::Draw;
use autograd::{
    Key, KeyVar, Order, Padding, Pool, Shape, Tensor, Triangular, Var, concat, einsum, grad, hessian, hvp, jacobian,
    keepdims, per_example_grads,
};

fn key<'t>(d: &mut Draw<'t>) -> KeyVar<'t> {
    let key = d.tape.key(Key::new(d.size() as u64)).fold_in(d.size() as u64);
    let list = vec![d.step() as i64; d.below(3)];
    let key = if d.flag() { key } else { key.fold_in_number(d.var()) };
    if d.flag() { key } else { key.fold_in_index(&d.tape.indices([list.len()], &list)) }
}

/// Random numbers in an absurd shape, or of an absurd probability.
fn drawn<'t>(d: &mut Draw<'t>) -> Var<'t> {
    let key = key(d);
    match d.below(6) {
        0 => key.uniform(d.sizes()),
        1 => key.normal(d.sizes()),
        2 => key.exponential(d.sizes()),
        3 => key.gumbel(d.sizes()),
        4 => key.bernoulli(d.number(), d.sizes()),
        _ => key.bernoulli(d.var(), d.sizes()),
    }
}

/// One call, and the variable that its derivative is asked for.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn call<'t>(d: &mut Draw<'t>, x: Var<'t>) -> Option<Var<'t>> {
    let (tape, rank) = (d.tape, x.rank());
    Some(match d.below(50) {
        44 => drawn(d),
        45 => x.dropout(d.number(), key(d)),
        46 => {
            let (axis, key) = (d.axis(rank), key(d));
            let places = match d.below(3) {
                0 => key.integers(d.step() as i64..d.step() as i64, d.sizes()),
                1 => key.permutation(d.size()),
                _ => key.categorical(x, d.axis(rank)),
            };
            x.gather(axis, &places)
        }
        47 => {
            let other = if d.flag() { d.twin(x) } else { d.var() };
            x.cross(other, d.axis(rank))
        }
        48 => {
            let rank = 1 + usize::from(d.below(6) == 0);
            d.of_rank(rank).outer(d.of_rank(1)).trace() * x
        }
        49 => d.indices(&x.shape()).one_hot(d.size()),
        0 => tape.var(&Tensor::mask(d.sizes(), &d.mask(2))),
        1 => {
            let mask = d.twin(x);
            x.masked_fill(mask, d.number())
        }
        2 => x.masked_select(&d.mask(x.numel())),
        3 => {
            let axis = d.axis(rank);
            let n = x.shape().get(axis.unsigned_abs()).copied().unwrap_or(1);
            x.compress(axis, &d.mask(n))
        }
        4 => x.diag(d.step()),
        5 => x.diag_embed(d.step()),
        6 => {
            let x = d.of_rank(1 + rank % 2);
            x.diag(d.step())
        }
        7 | 8 => x.diagonal_at(d.step(), d.axis(rank), d.axis(rank)),
        9 => x.cummax(d.axis(rank)),
        10 => x.cummin(d.axis(rank)),
        11 => {
            let places = if d.flag() { x.cumargmax(d.axis(rank)) } else { x.cumargmin(d.axis(rank)) };
            x.take_along_axis(d.axis(rank), &places)
        }
        12 => {
            let places = match d.below(3) {
                0 => x.argsort(d.axis(rank), [Order::Ascending, Order::Descending][usize::from(d.flag())]),
                1 => x.to_index(d.size()),
                _ => x.argmin(d.axis(rank)),
            };
            x.gather(d.axis(rank), &places)
        }
        13 => x.logcumsumexp(d.axis(rank)) + x.diff(d.size(), d.axis(rank)).cumsum_reverse(d.axis(rank)),
        14 => x.median(&d.axes(rank)[..]),
        15 => x.quantile(d.number(), &d.axes(rank)[..]),
        16 => {
            let fractions: Vec<f64> =
                (0..d.below(4)).map(|_| if d.below(4) == 0 { d.number() } else { 0.25 * d.below(5) as f64 }).collect();
            x.quantile(fractions, &d.axes(rank)[..])
        }
        17 | 18 => {
            let (indices, source) = (d.indices(&x.shape()), d.twin(x));
            x.scatter(d.axis(rank), &indices, source)
        }
        19 | 20 => {
            let (indices, source) = (d.indices(&x.shape()), d.twin(x));
            let axis = d.axis(rank);
            match d.below(5) {
                0 => x.scatter_add(axis, &indices, source),
                1 => x.scatter_max(axis, &indices, source),
                2 => x.scatter_min(axis, &indices, source),
                3 => x.index_max(axis, &indices, source),
                _ => x.index_min(axis, &indices, source),
            }
        }
        21 => {
            let indices = d.indices(&x.shape());
            x.take_along_axis(d.axis(rank), &indices)
        }
        22 => {
            let source = d.twin(x);
            x.index_copy(d.axis(rank), &vec![d.size(); d.below(3)], source)
        }
        23 => {
            let n = d.below(3);
            let (indices, source) = (d.indices(&Shape::from([n, 2])), d.var());
            x.index_copy(d.axis(rank), &indices, source)
        }
        24 => x.gather(d.axis(rank), &d.indices(&Shape::from([2, 1])).reshape(d.sizes())),
        25 => x.embedding(&d.indices(&Shape::from([2])).expand_dims(d.axis(1))),
        26..=28 => {
            let x = d.of_rank(4);
            let kernel = if d.flag() { [2, 2] } else { d.pair() };
            let padding = [if d.flag() { 0 } else { kernel[0] / 2 }, if d.flag() { d.size() } else { kernel[1] / 2 }];
            let stride = if d.flag() { [2, 3] } else { d.pair() };
            let pool = Pool { kernel, stride, padding }.ceil_mode();
            if d.flag() {
                x.max_pool2d(pool)
            } else {
                x.avg_pool2d(pool, [Padding::IsLeftOut, Padding::Counts][usize::from(d.flag())])
            }
        }
        29 | 30 => {
            const EQUATIONS: [&str; 12] = [
                "...ij,...jk->...ik",
                "...,...->...",
                "...i,...i->...",
                "i...,i...->i...",
                "...ij->...ji",
                "...ii->...i",
                "...,...",
                "...i->i",
                "i...j,j->i...",
                "...i,ij,...j->...",
                ".i,i->",
                "......,->...",
            ];
            let equation = EQUATIONS[d.below(EQUATIONS.len())];
            let others: Vec<Var<'t>> = equation.split("->").next()?.split(',').skip(1).map(|_| d.twin(x)).collect();
            einsum(equation, &[&[x][..], &others].concat())
        }
        31 => {
            let rank = d.below(4);
            let (w, b) = (d.of_rank(2), d.of_rank(rank));
            x.linear(w, d.flag().then_some(b))
        }
        32 => {
            let (a, other) = (d.matrices(), d.matrices());
            a.solve(if d.flag() { other } else { x })
        }
        33 => {
            let (a, other) = (d.matrices(), d.matrices());
            a.triangular_solve(
                if d.flag() { other } else { x },
                Triangular { upper: !d.flag(), transposed: d.flag(), unit_diagonal: d.flag() },
            )
        }
        34 => d.matrices().cholesky(),
        35 => d.matrices().inv(),
        36 => {
            let a = d.matrices();
            a.det() + a.logabsdet()
        }
        37 if d.flag() => {
            let (low, high) = (d.number(), d.number());
            x.clamp(low, d.flag().then_some(high))
        }
        37 => x.polygamma([0, 1, 2, 169, 170, 171, u32::MAX][d.below(7)]),
        38 => x.min_axes(keepdims(&d.axes(rank)[..])),
        39 => x.leaky_relu(d.number()) + x.elu(d.number()),
        40 => x.pow_scalar(d.number()) + x * d.number() + x / d.number() - d.number(),
        41 => {
            let mask = d.twin(x);
            mask.select(d.twin(x), x)
        }
        42 => concat(&[hvp(x.square().sum(), &x, &d.twin(x)), hessian(x.square().sum(), x).sum_axes(0)], d.axis(rank)),
        _ => {
            let rows = x.square().sum_axes(&(1..rank as isize).collect::<Vec<_>>()[..]);
            let each = per_example_grads(rows, &x);
            jacobian(each.sum_axes(d.axis(rank)), x) + grad(rows.sum(), &x)
        }
    })
}
