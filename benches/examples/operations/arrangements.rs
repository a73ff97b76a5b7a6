//! Arrangements: operands that are laid over others, copied, gathered and scattered, along each axis of the shapes of the table.

use crate::reductions::named;
use crate::row::{Function, Range, Row, Table, slope};
use autograd::{Float, Slice, Var, concat, stack};

const ANY: Range = (-2.0, 2.0);

pub(crate) fn add<T: Float>(t: &mut Table<T>) {
    for shape in t.shapes() {
        for axis in 0..shape.len() {
            broadcasts(t, &shape, axis);
            copies(t, &shape, axis);
            indexed(t, &shape, axis);
        }
        let reversed: Vec<isize> = (0..shape.len() as isize).rev().collect();
        whole(t, "transpose", &shape, move |x| x.transpose(&reversed));
        let n = shape.iter().product::<usize>();
        whole(t, "reshape", &shape, move |x| x.reshape([n]));
        whole(t, "tril", &shape, |x| x.tril(0));
        whole(t, "triu", &shape, |x| x.triu(0));
        whole(t, "masked_select", &shape, move |x| {
            let mask: Vec<bool> = (0..n).map(|i| i % 3 != 0).collect();
            x.masked_select(&mask)
        });
    }
    diagonals(t);
    vectors(t);
    windows(t);
    integers(t);
}

/// A function of a whole array.
fn whole<T: Float>(
    t: &mut Table<T>,
    name: &str,
    shape: &[usize],
    f: impl for<'t> Fn(Var<'t, T>) -> Var<'t, T> + 'static,
) {
    t.rows.push(Row::new(named(name, shape, 0), shape, move |g| f(g.x[0])));
}

/// An operand that lacks one axis, laid over an array.
fn broadcasts<T: Float>(t: &mut Table<T>, shape: &[usize], axis: usize) {
    let mut one = shape.to_vec();
    one[axis] = 1;
    let numbers = [(shape.to_vec(), ANY), (one.clone(), ANY)];
    for (name, f) in [
        ("add:broadcast", (|x, row| x + row) as for<'t> fn(Var<'t, T>, Var<'t, T>) -> Var<'t, T>),
        ("mul:broadcast", |x, row| x * row),
    ] {
        t.rows.push(Row::new(named(name, shape, axis), shape, move |g| f(g.x[0], g.x[1])).numbers(numbers.clone()));
    }
    // Between two other operations of a chain.
    t.rows.push(
        Row::new(named("chain:broadcast", shape, axis), shape, |g| ((g.x[0] * 0.5 - g.x[1]) * g.x[1]).relu())
            .numbers(numbers),
    );
    let full = shape.to_vec();
    t.rows.push(
        Row::new(named("broadcast_to", shape, axis), shape, move |g| g.x[0].broadcast_to(&full[..]))
            .numbers([(one, ANY)]),
    );
}

/// What copies elements, or runs of them.
fn copies<T: Float>(t: &mut Table<T>, shape: &[usize], axis: usize) {
    let (n, all) = (shape[axis], shape.iter().product::<usize>());
    let (rank, along) = (shape.len(), axis as isize);
    let row = |name: &str, f: Function<T>| Row::new(named(name, shape, axis), shape, f);
    let two = || [(shape.to_vec(), ANY), (shape.to_vec(), ANY)];
    let range = Slice::from(n as isize / 4..n as isize / 4 + n as isize / 2);
    let slices = move || -> Vec<Slice> { (0..rank).map(|i| if i == axis { range } else { Slice::from(..) }).collect() };
    let (part, quarter) = (all / n * (n / 2), n / 4);
    t.rows.extend([
        row("concat", Box::new(move |g| concat(&[g.x[0], g.x[1]], along))).numbers(two()),
        row("stack", Box::new(move |g| stack(&[g.x[0], g.x[1]], along))).numbers(two()),
        row("slice", Box::new(move |g| g.x[0].slice(&slices()))).moves(2 * part, 4 * part + all),
        row("narrow", Box::new(move |g| g.x[0].narrow(along, quarter, n / 2))).moves(2 * part, 4 * part + all),
        row(
            "pad",
            Box::new(move |g| {
                let pads: Vec<(usize, usize)> = (0..rank).map(|i| if i == axis { (1, 2) } else { (0, 0) }).collect();
                g.x[0].pad(&pads, 0.0)
            }),
        ),
        row("index_axis", Box::new(move |g| g.x[0].index_axis(along, -1))).moves(2 * (all / n), 4 * (all / n) + all),
        row(
            "unstack",
            Box::new(move |g| {
                let parts = g.x[0].narrow(along, 0, 2).unstack(along);
                parts[0] + parts[1]
            }),
        )
        .moves(3 * (all / n), 6 * (all / n) + all),
        row("repeat", Box::new(move |g| g.x[0].repeat(2, along))).moves(3 * all, 6 * all),
        row(
            "tile",
            Box::new(move |g| {
                let counts: Vec<usize> = (0..rank).map(|i| if i == axis { 2 } else { 1 }).collect();
                g.x[0].tile(&counts)
            }),
        )
        .moves(3 * all, 6 * all),
        row("zeros_like", Box::new(move |g| g.x[0] * g.x[0].zeros_like())),
        row("ones_like", Box::new(move |g| g.x[0] * g.x[0].ones_like())),
        row("flip", Box::new(move |g| g.x[0].flip(&[along]))),
        row("roll", Box::new(move |g| g.x[0].roll(&[1], &[along]))),
        row("expand_dims", Box::new(move |g| g.x[0].expand_dims(along))),
        row("squeeze", Box::new(move |g| g.x[0].expand_dims(along).squeeze(along))),
        // The gradient of a part is added to a whole; that of padding is read.
        row("add_at", Box::new(move |g| slope(g.x[0].narrow(along, quarter, n / 2), g.x[0], g.x[1])))
            .numbers([(shape.to_vec(), ANY), {
                let mut part = shape.to_vec();
                part[axis] = n / 2;
                (part, ANY)
            }])
            .moves(part + all, 3 * part + 3 * all),
        row(
            "read",
            Box::new(move |g| {
                let pads: Vec<(usize, usize)> = (0..rank).map(|i| if i == axis { (0, n) } else { (0, 0) }).collect();
                slope(g.x[0].pad(&pads, 0.0), g.x[0], concat(&[g.x[1], g.x[1]], along))
            }),
        )
        .numbers(two()),
    ]);
    if axis > 0 {
        let mut swapped: Vec<isize> = (0..rank as isize).collect();
        swapped.swap(axis, axis - 1);
        t.rows.push(row("transpose:pair", Box::new(move |g| g.x[0].transpose(&swapped))));
    }
}

/// What reads and writes by index along an axis: as many indices as there are elements along it.
fn indexed<T: Float>(t: &mut Table<T>, shape: &[usize], axis: usize) {
    let (n, along) = (shape[axis], axis as isize);
    let row = |name: &str, f: Function<T>| Row::new(named(name, shape, axis), shape, f);
    let two = || [(shape.to_vec(), ANY), (shape.to_vec(), ANY)];
    let mask: Vec<bool> = (0..n).map(|i| i % 3 != 0).collect();
    t.rows.extend([
        row("gather", Box::new(move |g| g.x[0].gather(along, &g.index[0]))).integers(&[n], n),
        row("index_select", Box::new(move |g| g.x[0].index_select(along, &g.index[0]))).integers(&[n], n),
        row("take_along_axis", Box::new(move |g| g.x[0].take_along_axis(along, &g.index[0]))).integers(shape, n),
        row("index_add", Box::new(move |g| g.x[0].index_add(along, &g.index[0], g.x[1])))
            .numbers(two())
            .integers(&[n], n),
        row("scatter_add", Box::new(move |g| g.x[0].scatter_add(along, &g.index[0], g.x[1])))
            .numbers(two())
            .integers(shape, n),
        row("index_copy", Box::new(move |g| g.x[0].index_copy(along, &g.index[0], g.x[1])))
            .numbers(two())
            .integers(&[n], n),
        row("scatter", Box::new(move |g| g.x[0].scatter(along, &g.index[0], g.x[1]))).numbers(two()).integers(shape, n),
        row("index_max", Box::new(move |g| g.x[0].index_max(along, &g.index[0], g.x[1])))
            .numbers(two())
            .integers(&[n], n),
        row("index_min", Box::new(move |g| g.x[0].index_min(along, &g.index[0], g.x[1])))
            .numbers(two())
            .integers(&[n], n),
        row("scatter_max", Box::new(move |g| g.x[0].scatter_max(along, &g.index[0], g.x[1])))
            .numbers(two())
            .integers(shape, n),
        row("scatter_min", Box::new(move |g| g.x[0].scatter_min(along, &g.index[0], g.x[1])))
            .numbers(two())
            .integers(shape, n),
        row("winners", Box::new(move |g| slope(g.x[0].scatter(along, &g.index[0], g.x[1]), g.x[1], g.x[0])))
            .numbers(two())
            .integers(shape, n),
        row("compress", Box::new(move |g| g.x[0].compress(along, &mask))),
    ]);
    if axis == 0 {
        t.rows.push(row("embedding", Box::new(move |g| g.x[0].embedding(&g.index[0]))).integers(&[n], n));
    }
}

fn diagonals<T: Float>(t: &mut Table<T>) {
    let n = t.size(1000);
    let square = [n, n];
    t.rows.extend([
        Row::new("diagonal", &square, |g| g.x[0].diagonal(0, 1)).moves(2 * n, 4 * n + n * n),
        Row::new("trace", &square, |g| g.x[0].trace()).moves(n, n + n * n),
        Row::new("diag", &[n], |g| g.x[0].diag(0)),
        Row::new("diag_embed", &[t.size(16), t.size(64)], |g| g.x[0].diag_embed(0)),
    ]);
}

/// Products of vectors that lie beside each other, and whose coordinates do; the product of each element with each.
fn vectors<T: Float>(t: &mut Table<T>) {
    let (n, m) = (t.size(100_000), t.size(1000));
    for (shape, axis) in [([n, 3], 1), ([3, n], 0)] {
        let two = [(shape.to_vec(), ANY), (shape.to_vec(), ANY)];
        let row = Row::new(named("cross", &shape, axis), &shape, move |g| g.x[0].cross(g.x[1], axis as isize));
        t.rows.push(row.numbers(two));
    }
    t.rows.push(Row::new("outer", &[m], |g| g.x[0].outer(g.x[1])).numbers([(vec![m], ANY), (vec![m], ANY)]));
}

/// Pooling: windows are read, and their elements go back.
fn windows<T: Float>(t: &mut Table<T>) {
    use autograd::{Padding, Pool};
    let images = [t.size(64), t.size(16), t.size(8), t.size(8)];
    t.rows.extend([
        Row::new("max_pool2d", &images, |g| g.x[0].max_pool2d(Pool::new([2, 2]))),
        Row::new("pool_argmax", &images, |g| g.x[0].max_pool2d(Pool::new([2, 2]))),
        Row::new("avg_pool2d", &images, |g| g.x[0].avg_pool2d(Pool::new([2, 2]), Padding::Counts)),
        Row::new("windows", &images, |g| {
            g.x[0].avg_pool2d(Pool { stride: [1, 1], ..Pool::new([2, 2]) }, Padding::IsLeftOut)
        }),
    ]);
}

/// Integers as numbers.
fn integers<T: Float>(t: &mut Table<T>) {
    let n = t.size(100_000);
    t.rows.push(Row::new("to_index", &[n], move |g| (g.x[0] * n as f64).to_index(n).numbers()).moves(2 * n, 5 * n));
    t.rows.push(Row::new("numbers", &[n], |g| g.index[0].numbers()).integers(&[n], n).moves(2 * n, 5 * n));
    t.rows.push(Row::new("one_hot", &[n], |g| g.index[0].one_hot(10)).integers(&[n], 10).moves(11 * n, 12 * n));
}
