//! Properties of what reads, writes and combines arrays by place: ellipses, batches of solves, scatters, orders, diagonals.

use super::{assert_adjoint, broadcastable, config, fill, shape};
use autograd::{Axes, Program, Tape, Tensor, Triangular, Var, einsum, grad, keepdims};
use proptest::prelude::*;

fn with_gradients<'t>(y: Var<'t>, x: &[Var<'t>]) -> Vec<Var<'t>> {
    [vec![y], grad((y * y).sum(), &x.to_vec())].concat()
}

/// A program that was recorded with these inputs gives, for them and for others, the bits of the tape.
fn assert_replays(inputs: &[Tensor], f: impl for<'t> Fn(&[Var<'t>]) -> Var<'t>) {
    let stateless: [Tensor; 0] = [];
    let first = inputs.to_vec();
    let others: Vec<Tensor> = inputs.iter().enumerate().map(|(k, x)| fill(x.shape(), 90 + k as u64)).collect();
    let mut program =
        Program::record(&stateless, &first, |_, [], x: Vec<Var<'_>>| (vec![], with_gradients(f(&x), &x))).unwrap();
    for given in [&first, &others] {
        let tape = Tape::new();
        let x: Vec<Var<'_>> = given.iter().map(|x| tape.var(x)).collect();
        let eager = with_gradients(f(&x), &x);
        let replayed = program.run(given).unwrap();
        for (k, eager) in eager.iter().enumerate() {
            assert_eq!(replayed.tensor(k), eager.value(), "result {k}");
        }
    }
}

/// The elements at every index of a shape, last fastest.
fn indices(shape: &[usize]) -> Vec<Vec<usize>> {
    (0..shape.iter().product())
        .map(|mut i: usize| {
            let mut index: Vec<usize> = shape
                .iter()
                .rev()
                .map(|&n| {
                    let k = i % n;
                    i /= n;
                    k
                })
                .collect();
            index.reverse();
            index
        })
        .collect()
}

fn place(shape: &[usize], index: &[usize]) -> usize {
    shape.iter().zip(index).fold(0, |at, (&n, &i)| at * n + i)
}

/// A shape, an axis of it, the sizes of indices into it (smaller along other axes), those of a source, and the indices.
fn scatter_case() -> impl Strategy<Value = (Vec<usize>, usize, Vec<usize>, Vec<usize>, Vec<i64>)> {
    let sizes = prop::collection::vec((0_usize..4, 0_usize..4, 0_usize..2), 1..4);
    (sizes, 0_usize..3, prop::collection::vec(any::<i8>(), 64)).prop_map(|(sizes, axis, random)| {
        let axis = axis % sizes.len();
        let own: Vec<usize> = sizes.iter().map(|s| s.0).collect();
        let places = if own[axis] == 0 { 0 } else { 4 };
        let index: Vec<usize> =
            sizes.iter().enumerate().map(|(d, s)| s.1.min(if d == axis { places } else { own[d] })).collect();
        let source = sizes.iter().zip(&index).map(|(s, &n)| n + s.2).collect();
        let count: usize = index.iter().product();
        let n = own[axis] as i64;
        let values = random.iter().take(count).map(|&r| i64::from(r).rem_euclid(2 * n.max(1)) - n).collect();
        (own, axis, index, source, values)
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn ellipses_broadcast_as_batches_do(
        (a, b) in broadcastable(),
        (i, j, k) in (0_usize..3, 0_usize..3, 0_usize..3),
    ) {
        let (a, b) = (&a[a.len().saturating_sub(2)..], &b[b.len().saturating_sub(2)..]);
        let tape = Tape::new();
        let (x, y) = (tape.var(&fill(&[a, &[i, j]].concat(), 1)), tape.var(&fill(&[b, &[j, k]].concat(), 2)));
        let (p, q) = (tape.var(&fill(a, 3)), tape.var(&fill(b, 4)));
        let product = x.matmul(y);
        let last = product.rank() as isize - 1;
        let order: Vec<isize> = [last].into_iter().chain(0..last).collect();
        let pairs = [
            (einsum("...ij,...jk->...ik", &[x, y]), product),
            (einsum("...ij,...jk", &[x, y]), product),
            (einsum("...ij,...jk->k...i", &[x, y]), product.transpose(&order)),
            (einsum("...,...", &[p, q]), p * q),
            (einsum("...ij,...->...", &[x, q]), x.sum_axes([-1, -2]) * q),
            (einsum("...ij,...ij->...", &[x, x]), x.square().sum_axes([-1, -2])),
        ];
        for (got, want) in pairs {
            prop_assert_eq!(got.shape(), want.shape());
            let close = |(g, w): (&f64, &f64)| (g - w).abs() <= 1e-12 * w.abs().max(1.0);
            prop_assert!(got.value().as_slice().iter().zip(want.value().as_slice()).all(close));
            assert_adjoint(got, x);
            assert_adjoint(got, q);
        }
        assert_replays(&[x.value(), y.value()], |x| einsum("...ij,...jk->k...i", &[x[0], x[1]]));
    }

    #[test]
    fn solves_broadcast_their_batches(
        (a, b) in broadcastable(),
        (n, m) in (0_usize..4, 0_usize..3),
        flags in any::<[bool; 3]>(),
    ) {
        let (a, b) = (&a[a.len().saturating_sub(2)..], &b[b.len().saturating_sub(2)..]);
        let tape = Tape::new();
        let matrix = tape.var(&fill(&[a, &[n, n]].concat(), 1));
        // Columns that could be taken for a vector for each matrix are not asked.
        let right = tape.var(&fill(&[b, &[n, m]].concat(), 2));
        prop_assume!(right.shape()[..] != matrix.shape()[..matrix.rank() - 1] && right.rank() > 1);
        let batch = matrix.shape()[..a.len()].to_vec();
        let batch = autograd::Shape::from(batch).broadcast(&autograd::Shape::from(b)).unwrap();
        let wide_matrix = spread(regular(matrix), &[&batch[..], &[n, n]].concat());
        let wide_right = spread(right, &[&batch[..], &[n, m]].concat());
        prop_assume!(wide_right.shape()[..] != wide_matrix.shape()[..wide_matrix.rank() - 1]);
        let own = solutions(regular(matrix), right, flags);
        for (own, wide) in own.into_iter().zip(solutions(wide_matrix, wide_right, flags)) {
            prop_assert_eq!(own.value(), wide.value());
            assert_adjoint(own, matrix);
            assert_adjoint(own, right);
        }
        assert_replays(&[matrix.value(), right.value()], |x| regular(x[0]).solve(x[1]));
        // A vector for all matrices is a column for all of them; a matrix solved by itself is the identity.
        let vector = tape.var(&fill(&[n], 3));
        let a = regular(matrix);
        if n != 1 {
            prop_assert_eq!(a.solve(vector).value(), a.solve(vector.expand_dims(-1)).squeeze(-1).value());
        }
        let identity = a.solve(a).value();
        let near = |(at, &x): (usize, &f64)| (x - f64::from(u8::from(at % (n * n) / n == at % n))).abs() < 1e-12;
        prop_assert!(identity.as_slice().iter().enumerate().all(near));
    }

    #[test]
    fn scatters_and_gathers_take_smaller_indices((own, axis, index, source, values) in scatter_case()) {
        let tape = Tape::new();
        let (x, s) = (tape.var(&fill(&own, 1)), tape.var(&fill(&source, 2)));
        let at = tape.indices(&index[..], &values);
        let d = axis as isize;
        let (set, added, taken) = (x.scatter(d, &at, s), x.scatter_add(d, &at, s), x.take_along_axis(d, &at));
        let (mut want_set, mut want_added, mut want_taken) = (x.value().to_vec(), x.value().to_vec(), vec![]);
        for (from, &value) in indices(&index).into_iter().zip(&values) {
            let mut to = from.clone();
            to[axis] = value.rem_euclid(own[axis] as i64) as usize;
            let element = s.value().as_slice()[place(&source, &from)];
            want_set[place(&own, &to)] = element;
            want_added[place(&own, &to)] += element;
            want_taken.push(x.value().as_slice()[place(&own, &to)]);
        }
        prop_assert_eq!(set.value(), Tensor::new(&own[..], want_set));
        let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-13;
        prop_assert!(added.value().as_slice().iter().zip(&want_added).all(close));
        prop_assert_eq!(taken.value(), Tensor::new(&index[..], want_taken));
        for y in [set, added] {
            assert_adjoint(y, x);
            assert_adjoint(y, s);
        }
        assert_adjoint(taken, x);
        assert_replays(&[x.value(), s.value()], |x| {
            let at = x[0].tape().indices(&index[..], &values);
            x[0].scatter(d, &at, x[1]) * x[0].scatter_add(d, &at, x[1])
        });
    }

    #[test]
    fn a_list_of_places_is_written_in_order(a in shape(), axis in 0_usize..4, places in prop::collection::vec(0_usize..3, 0..4)) {
        prop_assume!(!a.is_empty());
        let axis = axis % a.len();
        prop_assume!(a[axis] == 3 || places.is_empty());
        let mut wide = a.clone();
        wide[axis] = places.len();
        let tape = Tape::new();
        let (x, s) = (tape.var(&fill(&a, 1)), tape.var(&fill(&wide, 2)));
        let y = x.index_copy(axis as isize, &places, s);
        let mut want = x;
        for (k, &place) in places.iter().enumerate() {
            let row = s.narrow(axis as isize, k, 1);
            let (before, after) = (want.narrow(axis as isize, 0, place), want.narrow(axis as isize, place + 1, 2 - place));
            want = autograd::concat(&[before, row, after], axis as isize);
        }
        prop_assert_eq!(y.value(), want.value());
        for operand in [x, s] {
            assert_adjoint(y, operand);
            prop_assert_eq!(grad(y.square().sum(), &operand).value(), grad(want.square().sum(), &operand).value());
        }
    }

    #[test]
    fn extremes_by_index_are_those_of_each_part_in_turn(a in shape(), axis in 0_usize..4, places in prop::collection::vec(-3_i64..3, 0..6)) {
        prop_assume!(!a.is_empty());
        let axis = axis % a.len();
        prop_assume!(a[axis] == 3 || places.is_empty());
        let mut wide = a.clone();
        wide[axis] = places.len();
        let tape = Tape::new();
        let (x, s) = (tape.var(&fill(&a, 1)), tape.var(&fill(&wide, 2)));
        let axis = axis as isize;
        let ys = [x.index_max(axis, &places, s), x.index_min(axis, &places, s)];
        for (y, largest) in ys.into_iter().zip([true, false]) {
            let mut parts: Vec<_> = x.unstack(axis);
            for (k, &place) in places.iter().enumerate() {
                let (part, s) = (&mut parts[place.rem_euclid(3) as usize], s.index_axis(axis, k as isize));
                *part = if largest { part.maximum(s) } else { part.minimum(s) };
            }
            let want = if parts.is_empty() { x } else { autograd::stack(&parts, axis) };
            prop_assert_eq!(y.value(), want.value());
            for operand in [x, s] {
                assert_adjoint(y, operand);
                prop_assert_eq!(grad(y.square().sum(), &operand).value(), grad(want.square().sum(), &operand).value());
            }
        }
        // An index of its own for each element, where one list says the same.
        let each = s.zeros_like() + tape.var(&Tensor::new([places.len()], places.iter().map(|&i| i as f64).collect()))
            .reshape((0..a.len()).map(|d| if d as isize == axis { places.len() } else { 1 }).collect::<Vec<_>>());
        let each: Vec<i64> = each.value().as_slice().iter().map(|&i| i as i64).collect();
        prop_assert_eq!(x.scatter_max(axis, &tape.indices(&wide[..], &each), s).value(), ys[0].value());
        prop_assert_eq!(x.scatter_min(axis, &tape.indices(&wide[..], &each), s).value(), ys[1].value());
        assert_replays(&[x.value(), s.value()], |x| x[0].index_max(axis, &places, x[1]) * x[0].index_min(axis, &places, x[1]));
    }

    #[test]
    fn running_extremes_and_quantiles_are_adjoint_along_any_axis(a in shape(), axis in 0_usize..4, chosen in any::<[bool; 4]>()) {
        prop_assume!(!a.is_empty());
        let axis = (axis % a.len()) as isize;
        let n = a[axis as usize];
        let tape = Tape::new();
        let x = tape.var(&fill(&a, 8));
        let ys = [x.cummax(axis), x.cummin(axis), x.logcumsumexp(axis)];
        for y in ys {
            prop_assert_eq!(y.shape(), x.shape());
            assert_adjoint(y, x);
        }
        assert_replays(&[x.value()], |x| x[0].cummax(axis) * x[0].cummin(axis) * x[0].logcumsumexp(axis));
        if n > 0 {
            let last = |y: Var<'_>| y.narrow(axis, n - 1, 1).squeeze(axis).value();
            prop_assert_eq!(last(ys[0]), x.max_axes(axis).value());
            prop_assert_eq!(last(ys[1]), x.min_axes(axis).value());
            let (running, whole) = (last(ys[2]), x.logsumexp(axis).value());
            prop_assert!(running.as_slice().iter().zip(whole.as_slice()).all(|(a, b)| (a - b).abs() < 1e-14));
        }
        let axes: Vec<isize> = (0..a.len()).filter(|&i| chosen[i]).map(|i| i as isize).collect();
        let axes = Axes::from(&axes[..]);
        let folded: usize = (0..a.len()).filter(|&i| chosen[i]).map(|i| a[i]).product();
        if folded > 0 {
            let several = x.quantile([0.0, 0.3, 1.0], axes.clone());
            let kept = x.median(keepdims(axes.clone()));
            prop_assert_eq!(kept.shape(), x.max_axes(keepdims(axes.clone())).shape());
            prop_assert_eq!(several.narrow(0, 0, 1).squeeze(0).value(), x.min_axes(axes.clone()).value());
            prop_assert_eq!(several.narrow(0, 2, 1).squeeze(0).value(), x.max_axes(axes.clone()).value());
            prop_assert_eq!(x.quantile(0.5, axes.clone()).value(), x.median(axes.clone()).value());
            for y in [several, kept] {
                assert_adjoint(y, x);
            }
            assert_replays(&[x.value()], |x| x[0].quantile([0.0, 0.3, 1.0], axes.clone()));
        }
    }

    #[test]
    fn a_diagonal_is_read_where_it_is_written(a in shape(), k in -4_isize..5, (i, j) in (0_usize..4, 0_usize..4)) {
        let tape = Tape::new();
        let x = tape.var(&fill(&a, 9));
        if !a.is_empty() {
            let y = x.diag_embed(k);
            prop_assert_eq!(y.diagonal_at(k, -2, -1).value(), x.value());
            prop_assert_eq!(y.sum().item(), x.sum().item());
            assert_adjoint(y, x);
        }
        if a.len() >= 2 && i % a.len() != j % a.len() {
            let (i, j) = (i % a.len(), j % a.len());
            let y = x.diagonal_at(k, i as isize, j as isize);
            let count = (0..a[i]).filter(|&r| (0..a[j] as isize).contains(&(r as isize + k))).count();
            prop_assert_eq!(y.shape()[a.len() - 2], count);
            assert_adjoint(y, x);
        }
    }

    #[test]
    fn masks_select_and_fill(a in shape(), holds in prop::collection::vec(any::<bool>(), 256)) {
        let tape = Tape::new();
        let x = tape.var(&fill(&a, 10));
        let holds = &holds[..x.numel()];
        let selected = x.masked_select(holds);
        let want: Vec<f64> = x.value().as_slice().iter().zip(holds).filter(|(_, h)| **h).map(|(x, _)| *x).collect();
        prop_assert_eq!(selected.value().to_vec(), want);
        let filled = x.masked_fill(tape.var(&Tensor::mask(&a[..], holds)), 0.0);
        prop_assert!((filled.sum().item() + selected.sum().item() - x.sum().item()).abs() < 1e-12);
        assert_adjoint(selected, x);
        assert_adjoint(filled, x);
        assert_replays(&[x.value()], |x| x[0].masked_select(holds));
        if let Some(&n) = a.first() {
            let mask: Vec<bool> = (0..n).map(|i| i % 2 == 0).collect();
            let rows: Vec<usize> = (0..n).filter(|i| i % 2 == 0).collect();
            prop_assert_eq!(x.compress(0, &mask).value(), x.gather(0, &rows).value());
        }
    }
}

/// What both solves give of the same operands.
fn solutions<'t>(a: Var<'t>, b: Var<'t>, [lower, transpose, unit]: [bool; 3]) -> [Var<'t>; 2] {
    [a.solve(b), a.triangular_solve(b, Triangular { upper: !lower, transposed: transpose, unit_diagonal: unit })]
}

/// Matrices that are far from singular.
fn regular(x: Var<'_>) -> Var<'_> {
    x.tape().var(&Tensor::eye(x.shape()[x.rank() - 1])) * 6.0 + x
}

/// The value, broadcast, as a variable of its own.
fn spread<'t>(x: Var<'t>, shape: &[usize]) -> Var<'t> {
    x.tape().var(&x.broadcast_to(shape).value())
}
