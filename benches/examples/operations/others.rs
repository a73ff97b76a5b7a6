//! Work that has no bound of this kind: products, sorting, factorisations, random numbers. Such a row tells its time alone.

use crate::reductions::named;
use crate::row::{Function, Range, Row, Table, slope};
use autograd::{Conv, Float, Order, Triangular, Var, einsum};

const ANY: Range = (-2.0, 2.0);

pub(crate) fn add<T: Float>(t: &mut Table<T>) {
    let rows = products(t).into_iter().chain(convolutions(t)).chain(matrices(t)).chain(random(t));
    let rows: Vec<Row<T>> = rows.map(Row::other).collect();
    t.rows.extend(rows);
    for shape in t.shapes() {
        for axis in 0..shape.len() {
            sorted(t, &shape, axis);
        }
    }
}

fn products<T: Float>(t: &Table<T>) -> [Row<T>; 9] {
    let (m, k, n) = (t.size(128), t.size(256), t.size(64));
    let pair = |a: &[usize], b: &[usize]| [(a.to_vec(), ANY), (b.to_vec(), ANY)];
    let bias = (vec![n], ANY);
    let product =
        |name: &str, a: &[usize], b: &[usize]| Row::new(name, a, |g| g.x[0].matmul(g.x[1])).numbers(pair(a, b));
    [
        product("matmul", &[m, k], &[k, n]),
        product("matmul:leading", &[t.size(8), t.size(16), k], &[k, n]),
        product("matmul:batch", &[t.size(8), t.size(16), k], &[t.size(8), k, n]),
        product("dot", &[t.size(100_000)], &[t.size(100_000)]),
        product("matvec", &[m, k], &[k]),
        product("vecmat", &[k], &[k, n]),
        Row::new("affine", &[m, k], |g| g.x[0].matmul(g.x[1]) + g.x[2])
            .numbers([&pair(&[m, k], &[k, n])[..], std::slice::from_ref(&bias)].concat()),
        Row::new("linear", &[m, k], |g| g.x[0].linear(g.x[1], Some(g.x[2])))
            .numbers([&pair(&[m, k], &[n, k])[..], &[bias]].concat()),
        Row::new("einsum", &[m, k], |g| einsum("ij,jk->ik", &[g.x[0], g.x[1]])).numbers(pair(&[m, k], &[k, n])),
    ]
}

fn convolutions<T: Float>(t: &Table<T>) -> [Row<T>; 2] {
    let (n, c, side) = (t.size(16), t.size(4), t.size(16));
    let numbers = |x: Vec<usize>, w: Vec<usize>, b: usize| [(x, ANY), (w, ANY), (vec![b], ANY)];
    [
        Row::new("conv1d", &[1], |g| {
            let conv = Conv { stride: [1], padding: [1], dilation: [1], groups: 1 };
            g.x[0].conv1d(g.x[1], Some(g.x[2]), conv)
        })
        .numbers(numbers(vec![n, c, side * side], vec![c, c, 3], c)),
        Row::new("conv2d", &[1], |g| {
            let conv = Conv { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 };
            g.x[0].conv2d(g.x[1], Some(g.x[2]), conv)
        })
        .numbers(numbers(vec![n, c, side, side], vec![c, c, 3, 3], c)),
    ]
}

/// `x xᵀ + I`, which has every factorisation.
fn definite<T: Float>(x: Var<'_, T>) -> Var<'_, T> {
    let n = x.shape()[0];
    x.matmul(x.t()) + x.tape().full([n], T::ONE).diag(0)
}

fn matrices<T: Float>(t: &Table<T>) -> [Row<T>; 7] {
    let n = t.size(64);
    let row =
        |name: &str, f: Function<T>| Row::new(name, &[n, n], f).numbers([(vec![n, n], (-0.5, 0.5)), (vec![n, n], ANY)]);
    let lower = Triangular { upper: false, transposed: false, unit_diagonal: false };
    [
        row("cholesky", Box::new(|g| definite(g.x[0]).cholesky())),
        row("triangular_solve", Box::new(move |g| definite(g.x[0]).triangular_solve(g.x[1], lower))),
        row("solve", Box::new(|g| definite(g.x[0]).solve(g.x[1]))),
        row("inv", Box::new(|g| definite(g.x[0]).inv())),
        row("det", Box::new(|g| definite(g.x[0]).det())),
        row("logabsdet", Box::new(|g| definite(g.x[0]).logabsdet())),
        row(
            "adjugate",
            Box::new(|g| {
                let a = definite(g.x[0]);
                slope(a.det(), a, g.tape.scalar(T::ONE))
            }),
        ),
    ]
}

fn random<T: Float>(t: &Table<T>) -> [Row<T>; 9] {
    let n = t.size(100_000);
    let row = |name: &str, f: Function<T>| Row::new(name, &[n], f);
    [
        row("uniform", Box::new(move |g| g.x[0] * g.key.uniform([n]))),
        row("normal", Box::new(move |g| g.x[0] * g.key.normal([n]))),
        row("exponential", Box::new(move |g| g.x[0] * g.key.exponential([n]))),
        row("gumbel", Box::new(move |g| g.x[0] * g.key.gumbel([n]))),
        row("integers", Box::new(move |g| g.x[0] * g.key.integers(0..7, [n]).numbers())),
        row("permutation", Box::new(move |g| g.x[0] * g.key.permutation(n).numbers())),
        row(
            "derived_key",
            Box::new(move |g| {
                let [key, _] = g.key.split();
                g.x[0] * key.uniform([n])
            }),
        ),
        row("fold_in_index", Box::new(move |g| g.x[0] * g.key.fold_in_index(&g.index[0]).uniform([n])))
            .integers(&[], 100),
        row("fold_in_number", Box::new(move |g| g.x[0] * g.key.fold_in_number(g.x[1]).uniform([n])))
            .numbers([(vec![n], ANY), (vec![], ANY)])
            .differentiated(1),
    ]
}

fn sorted<T: Float>(t: &mut Table<T>, shape: &[usize], axis: usize) {
    let (along, k) = (axis as isize, shape[axis].div_ceil(2));
    let row = |name: &str, f: Function<T>| Row::new(named(name, shape, axis), shape, f).other();
    t.rows.extend([
        row("sort", Box::new(move |g| g.x[0].sort(along, Order::Ascending))),
        row("argsort", Box::new(move |g| g.x[0].argsort(along, Order::Ascending).numbers())),
        row("topk", Box::new(move |g| g.x[0].topk(k, along, Order::Descending).0)),
        row("median", Box::new(move |g| g.x[0].median(along))),
        row("quantile", Box::new(move |g| g.x[0].quantile([0.25, 0.75], along))),
        row("ranked", Box::new(move |g| g.x[0].quantile(0.25, along))),
    ]);
}
