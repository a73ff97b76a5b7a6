//! Chains that read parts of their operands, put them into zeros, or go in blocks of rows with sums of columns, replay to the bits of recording and computing anew.

use crate::choices::{Step, agree};
use crate::random::{Random, seeds};
use autograd::{Float, Order, Program, Slice, Tensor, Var, concat, grad, keepdims, vjp};

/// With zeros of both signs.
fn numbers<T: Float>(shape: &[usize], seed: usize) -> Tensor<T> {
    Tensor::from_fn(shape, |i| {
        let at = ((i + seed) * 7919 % 2003) as f64 - 1001.0;
        T::of(if at as i64 % 7 == 0 { -0.0 } else { at * 0.002 })
    })
}

/// Holds a step of a state and an input to [`agree`]; the listing has these words.
fn check<T: Float>(
    [state, x]: [&[usize]; 2],
    step: impl for<'t> Fn(Var<'t, T>, Var<'t, T>) -> Step<'t, T>,
    words: &[&str],
) {
    let (state, input) = (numbers::<T>(state, 1), |round: usize| numbers::<T>(x, 10 + round));
    let text = agree(&[state], input, |state, x| step(state[0], x), "");
    for word in words {
        assert!(text.contains(word), "no {word} in {text}");
    }
}

#[test]
fn differences_of_neighbours_and_their_gradients() {
    fn step<'t, T: Float>(u: Var<'t, T>, x: Var<'t, T>) -> Step<'t, T> {
        let v = u * x;
        let along = |axis: isize| {
            let n = v.shape()[axis as usize];
            v.narrow(axis, 1, n - 1) - v.narrow(axis, 0, n - 1)
        };
        let loss = along(0).square().sum() + (along(1).abs() + T::of(0.1)).sqrt().sum() + along(2).tanh().sum();
        let [slope] = grad(loss, &[u]);
        (vec![u - slope * T::of(0.1)], vec![loss, slope, along(1)])
    }
    for shape in [[3, 4, 20], [2, 9, 33], [5, 2, 300], [1, 3, 8], [2, 2, 2]] {
        check::<f32>([&shape; 2], step, if shape[2] > 8 { &["Window", "From"] } else { &[] });
        check::<f64>([&shape; 2], step, &[]);
    }
}

#[test]
fn states_whose_parts_are_read_are_not_written_over() {
    fn stencil<'t, T: Float>(u: Var<'t, T>, x: Var<'t, T>) -> Step<'t, T> {
        let n = u.shape()[0];
        let inner = u.narrow(0, 1, n - 2) * T::of(0.5) + (u.narrow(0, 0, n - 2) + u.narrow(0, 2, n - 2)) * T::of(0.25);
        let put = inner.pad(&[(1, 1), (0, 0)], 0.0);
        (vec![u * T::of(0.1) + put + x], vec![inner])
    }
    fn turned<'t, T: Float>(u: Var<'t, T>, x: Var<'t, T>) -> Step<'t, T> {
        (vec![u.flip(&[0]) * T::of(0.5) + u + x], vec![])
    }
    for shape in [[4, 16], [9, 300], [70, 33]] {
        check::<f32>([&shape; 2], stencil, &["Window"]);
        check::<f64>([&shape; 2], stencil, &[]);
        check::<f32>([&shape; 2], turned, &["Window"]);
        check::<f64>([&shape; 2], turned, &[]);
    }
}

#[test]
fn states_that_are_read_in_another_shape_are_not_written_over() {
    // Element by element, from the back, as a row of another operand, in a product, and by a reduction.
    fn alone<'t, T: Float>(u: Var<'t, T>, x: Var<'t, T>) -> Step<'t, T> {
        let row = u.reshape([u.numel()]);
        (
            vec![(row * x.reshape([u.numel()])).reshape(u.shape()) - u * T::of(0.5)],
            vec![row.square().sum().sqrt(), row.logsumexp(0)],
        )
    }
    fn turned<'t, T: Float>(u: Var<'t, T>, x: Var<'t, T>) -> Step<'t, T> {
        let back = u.reshape([u.numel()]).flip(&[0]).reshape(u.shape());
        (vec![u * T::of(0.9) + back * x], vec![u.reshape([u.numel()]).max()])
    }
    fn several<'t, T: Float>(u: Var<'t, T>, x: Var<'t, T>) -> Step<'t, T> {
        let [m, n] = [u.shape()[0], u.numel() / u.shape()[0]];
        let product = u.reshape([m, n]).matmul(x.reshape([n, m]));
        let loss = product.square().sum()
            + (u.reshape([n, m]) * x.reshape([n, m])).tanh().sum()
            + u.reshape([m * n]).logsumexp(0);
        let [slope] = grad(loss, &[u]);
        (vec![u - slope * T::of(0.01)], vec![loss, u.reshape([n, m]) + x.reshape([n, m])])
    }
    // As a whole, in blocks of rows in which the state is written over row by row.
    fn whole<'t, T: Float>(u: Var<'t, T>, x: Var<'t, T>) -> Step<'t, T> {
        let y = x.tanh().matmul(u.reshape([128, 64]));
        (vec![u * T::of(0.9) + y.narrow(1, 0, 8)], vec![y])
    }
    check::<f32>([&[1024, 8], &[1024, 128]], whole, &["in blocks of"]);
    check::<f64>([&[1024, 8], &[1024, 128]], whole, &[]);
    for shape in [&[6, 7][..], &[2, 3, 5], &[40, 90]] {
        check::<f32>([shape; 2], alone, &[]);
        check::<f64>([shape; 2], turned, &[]);
        check::<f32>([shape; 2], several, &[]);
        check::<f64>([shape; 2], several, &[]);
    }
}

#[test]
fn chains_and_sums_of_columns_go_in_blocks_of_rows() {
    fn step<'t, T: Float>(w: Var<'t, T>, x: Var<'t, T>) -> Step<'t, T> {
        // Sums alone come first, with nothing that goes along with them.
        let centred = w - w.sum_axes(keepdims(0)) * T::of(0.01);
        let loss = (centred * x).square().sum_axes(0).sqrt().sum() + (w * x).abs().sum_axes(0).square().sum();
        let [slope] = grad(loss, &[w]);
        (vec![w - slope * T::of(1e-3)], vec![loss, slope])
    }
    for shape in [[300, 700], [1000, 257], [2000, 96]] {
        check::<f32>([&shape; 2], step, &["rows in blocks of"]);
        check::<f64>([&shape; 2], step, &["rows in blocks of"]);
    }
}

#[test]
fn parts_of_products_in_blocks_of_rows() {
    /// Gates of a cell: a third of the columns each.
    fn step<'t, T: Float>(w: Var<'t, T>, x: Var<'t, T>) -> Step<'t, T> {
        let n = w.shape()[1] / 3;
        let z = x.matmul(w);
        let [a, b, c] = [0, 1, 2].map(|k| z.narrow(1, k * n, n));
        let y = a.sigmoid() * b.tanh() + c * a;
        let loss = y.square().sum();
        let [dw] = grad(loss, &[w]);
        // A step of descent within a product has other bits.
        (vec![w - (dw * T::of(0.001)).tanh()], vec![loss, y])
    }
    for n in [16, 20] {
        check::<f32>([&[12, 3 * n], &[700, 12]], step, &["Window", "rows in blocks of"]);
        check::<f64>([&[12, 3 * n], &[700, 12]], step, &["Window"]);
    }
}

#[test]
fn parts_that_others_read_too() {
    fn step<'t, T: Float>(u: Var<'t, T>, x: Var<'t, T>) -> Step<'t, T> {
        let part = u.slice([Slice::from(2..12), Slice::all().step(-1)]);
        let rows = u.slice([Slice::from(3..13), Slice::from(1..)]);
        let every = x.slice([Slice::all().step(-2), Slice::from(1..)]);
        let joined = concat(&[rows.exp() * rows, every.tanh()], 0);
        let [du, dx] = vjp(joined, &[u, x], joined.sin());
        let all = rows.sum() + part.sum();
        // Read by what comes before it too.
        let more = (du.narrow(0, 1, 12) * x.narrow(0, 2, 12)).sin() + dx.narrow(0, 0, 12) * du.narrow(0, 4, 12);
        (vec![], vec![part, rows, joined, all, more, more.flip(&[0]) * more])
    }
    for width in [20, 64, 301] {
        check::<f32>(
            [&[16, width], &[16, width + 7]].map(|shape| shape as &[usize]),
            |u, x| step(u, x.narrow(1, 7, u.shape()[1])),
            &["Window"],
        );
        check::<f64>([&[16, width]; 2], step, &["Window"]);
    }
}

#[test]
fn broadcasts_are_seen_by_chains_whose_tiles_end_with_rows() {
    fn outer<'t, T: Float>(u: Var<'t, T>, x: Var<'t, T>) -> Step<'t, T> {
        let product = u * x;
        let shape = product.shape();
        // Nothing else has the shape of these, and functions read what is a number, a row or a column alone.
        let spread = |x: Var<'t, T>| x.broadcast_to(shape.clone());
        let total = spread((u * u).sum());
        let alone = spread(u).tanh() + spread(x).square() * total.sigmoid() + (total + T::ONE).sqrt();
        let pairs = u.hypot(x) + x.atan2(u + T::of(0.3)) + (u.square() + T::of(0.2)).pow(x) + u.lt(x).select(u, x);
        let loss = product.mean() + (alone * pairs).mean() + (product - u).abs().sum();
        let grads = grad(loss, &[u, x]);
        (vec![u - grads[0] * T::of(0.1)], vec![loss, grads[1], alone, pairs])
    }
    for (rows, columns) in [(1, 300), (2, 127), (3, 128), (5, 130), (70, 300), (3, 1024), (2, 1100), (2, 2500)] {
        check::<f32>([&[rows, 1], &[columns]], outer, if rows > 1 { &["Column", "Row"] } else { &[] });
        check::<f64>([&[rows, 1], &[columns]], outer, &[]);
    }
    for (u, x) in
        [([3, 1, 130], [1, 4, 1]), ([2, 5, 1], [2, 1, 200]), ([1, 1, 129], [6, 3, 1]), ([2, 1, 1], [1, 3, 140])]
    {
        check::<f32>([&u, &x], outer, &[]);
    }
}

#[test]
fn random_views_of_random_shapes() {
    /// Another view for each digit of a number; the first row and column stay.
    fn seen<'t, T: Float>(mut x: Var<'t, T>, mut seed: usize) -> Var<'t, T> {
        for _ in 0..3 {
            let [n, m] = [x.shape()[0], x.shape()[1]];
            x = match seed % 7 {
                0 => x.narrow(0, n / 3, n - n / 3),
                1 => x.narrow(1, m / 4, m - m / 4),
                2 => x.flip(&[0]),
                3 => x.pad(&[(1, 2), (0, 0)], 0.0) * T::of(1.5),
                4 => x.pad(&[(0, 0), (3, 1)], 0.0).tanh(),
                5 => x.slice([Slice::from(0..n as isize - 1), Slice::from(1..)]) + T::of(0.5),
                _ => x.roll(&[1], &[1]) * x,
            };
            seed /= 7;
        }
        x
    }
    for seed in (0..343).step_by(17) {
        check::<f64>(
            [&[7, 24], &[7, 24]],
            |u, x| {
                let (a, b) = (seen(u * x, seed), seen(x, seed * 31 % 343));
                let [n, m] = [0, 1].map(|i| a.shape()[i].min(b.shape()[i]));
                let y = a.narrow(0, 0, n).narrow(1, 0, m) * b.narrow(0, 0, n).narrow(1, 0, m).sin();
                let [du, dx] = vjp(y, &[u, x], y.cos());
                (vec![u - du * 0.1], vec![y, dx, (du * x).sum()])
            },
            &[],
        );
    }
}

/// Values of several kinds, joined one behind the other, some of them twice, within others, read by others, or given out.
fn joined<'t, T: Float>(seed: u64, u: Var<'t, T>, x: Var<'t, T>) -> Step<'t, T> {
    let random = &mut Random(seed);
    let part = |random: &mut Random| match random.below(9) {
        0 => (u * x).narrow(0, 0, 1 + random.below(4)),
        1 => (u.sin() + T::ONE).narrow(0, 1, 2),
        2 => u.sum_axes(0).expand_dims(0),
        3 => u.t().matmul(u * x).narrow(0, 0, 2),
        4 => u.reshape([3, 8]).reshape([4, 6]),
        5 => x.max_axes(0).expand_dims(0) * u.narrow(0, 2, 1),
        6 => x,
        7 => (u * T::ZERO).narrow(0, 0, 2),
        _ => (u - x).square().narrow(0, 3, 1) + T::ONE,
    };
    let mut values: Vec<Var<'t, T>> = (0..2 + random.below(4)).map(|_| part(random)).collect();
    for _ in 0..=random.below(3) {
        let some: Vec<Var<'t, T>> = (0..=random.below(4)).map(|_| values[random.below(values.len())]).collect();
        values.push(concat(&some, 0));
        if random.one_in(3) {
            let last = values[values.len() - 1];
            values.push(last.tanh() * last);
        }
    }
    let loss = values.iter().map(|v| (*v * v.sigmoid()).sum()).reduce(|a, b| a + b).expect("there are values");
    let [slope] = grad(loss, &[u]);
    let given: Vec<Var<'t, T>> = values.iter().filter(|_| random.one_in(3)).copied().collect();
    (vec![u - slope * T::of(0.1)], [vec![loss, slope], given].concat())
}

#[test]
fn what_is_joined_is_made_in_its_place() {
    for seed in seeds(40) {
        check::<f32>([&[4, 6], &[4, 6]], |u, x| joined(seed, u, x), &[]);
        check::<f64>([&[4, 6], &[4, 6]], |u, x| joined(seed, u, x), &[]);
    }
    let program = Program::record(&(), &numbers::<f64>(&[5, 7], 1), |_, (), x| {
        let whole = concat(&[x.exp(), x.sum_axes(0).expand_dims(0), x.t().matmul(x)], 0);
        (vec![], vec![whole.square().sort(0, Order::Ascending)])
    });
    let text = program.unwrap().to_string();
    assert!(!text.contains("concat"), "{text}");
}

#[test]
fn long_rows_are_read_where_they_lie_and_zeros_keep_their_signs() {
    fn step<'t, T: Float>(u: Var<'t, T>, x: Var<'t, T>) -> Step<'t, T> {
        let (axes, mut outputs) = (u.shape().len() as isize, vec![]);
        for axis in 0..axes {
            let n = u.shape()[axis as usize];
            let part = |v: Var<'t, T>, from: usize| v.narrow(axis, from, n - 2);
            // What a part is of, as its gradient: with zeros around it, to which it was added.
            let put = |v: Var<'t, T>, from: usize| vjp(part(u, from), &[u], part(v, 1))[0];
            let (p, q, r) = (put(u, 0), put(x, 2), put(-x, 1));
            outputs.extend([p + q, p - q, x - p, p - x, p * x, x + p, p + p, q * q - r, (p + q) + r, (x + p) - q]);
            outputs.extend([(p - q) + r + (-u), u - (-r), (u * x) - (-p), (-p) - (-q), -p + x, (p + x) * (q - u)]);
            outputs.push((part(u, 0) - part(u, 2) * T::of(2.0) + part(x, 1)) * part(u, 1));
            // Runs of cheap operations with others between them, each of which goes through windows of its own.
            let first = ((part(u, 0) - part(x, 2)) * part(x, 1)).tanh();
            let second = (first * part(u, 2) - part(x, 0)).sin();
            let third = ((second + part(u, 1)) * part(x, 2)).tanh();
            outputs.push((third - part(u, 0)) * (third + part(x, 1)));
            let mut around = vec![(0, 0); axes as usize];
            around[axis as usize] = (1, 1);
            outputs.push(x + (part(u, 0) - part(x, 1)).pad(&around, 0.0));
            let energy = (part(u, 2) - part(u, 1)).square().sum() + ((part(u, 0) + part(u, 2)) * part(x, 1)).sum();
            outputs.extend([energy, grad(energy, &[u])[0] + u.square().sqrt()]);
        }
        (vec![], outputs)
    }
    for shape in [&[3, 150][..], &[4, 1030], &[2, 3, 140], &[3000]] {
        check::<f32>([shape; 2], step, &["Window"]);
        check::<f64>([shape; 2], step, &[]);
    }
}

#[test]
fn sums_of_products_are_those_of_stored_products() {
    fn step<'t, T: Float>(u: Var<'t, T>, x: Var<'t, T>) -> Step<'t, T> {
        let n = u.shape()[0];
        let row = (x.narrow(0, 0, 1) + T::of(1.0)).broadcast_to(u.shape());
        let outputs = vec![
            (u * x).sum(),
            (u.exp() * x).sum(),
            u.square().sum() + (u * u).sum(),
            (u * row).sum(),
            (u.narrow(0, 1, n - 1) * u.narrow(0, 0, n - 1)).sum(),
            ((u - x) * (u + x)).sum(),
        ];
        let slopes = grad(outputs[0] * outputs[1] + outputs[3] + outputs[4], &[u, x]);
        (vec![], outputs.into_iter().chain(slopes).collect())
    }
    for shape in [&[3, 5][..], &[2, 127], &[2, 128], &[16, 16], &[5, 211], &[300, 40], &[5003, 1]] {
        check::<f32>([shape; 2], step, &[]);
        check::<f64>([shape; 2], step, &[]);
    }
}
