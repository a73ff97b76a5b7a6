//! Reductions, scans and arrangements along every axis of random shapes, against their definitions in loops, and replayed.

use super::{config, fill};
use autograd::{Program, Tape, Tensor, Var, concat, grad, keepdims};
use proptest::prelude::*;

/// Shapes of rank 1 to 4 with short and long sizes, 0 and 1 among them, and an axis.
fn case() -> impl Strategy<Value = (Vec<usize>, usize)> {
    let size = prop::sample::select(vec![0_usize, 1, 1, 2, 3, 4, 5, 8, 16, 17, 33, 70]);
    (prop::collection::vec(size, 1..5), 0_usize..4).prop_map(|(mut shape, axis)| {
        while shape.iter().product::<usize>() > 20_000 {
            let largest = (0..shape.len()).max_by_key(|&i| shape[i]).unwrap_or(0);
            shape[largest] = 3;
        }
        let axis = axis % shape.len();
        (shape, axis)
    })
}

/// Numbers with ties and both signs.
fn numbers(shape: &[usize], seed: u64) -> Tensor {
    fill(shape, seed).map(|x: f64| (x * 8.0).round() / 8.0 - 1.0)
}

/// `f` of each row along an axis: as many numbers as it gives, in the place of the row.
fn by_rows(x: &Tensor, axis: usize, f: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let shape = x.shape();
    let (outer, n): (usize, usize) = (shape[..axis].iter().product(), shape[axis]);
    let inner: usize = shape[axis + 1..].iter().product();
    let x = x.as_slice();
    let mut parts = Vec::new();
    for o in 0..outer {
        let columns: Vec<Vec<f64>> =
            (0..inner).map(|i| f(&(0..n).map(|j| x[(o * n + j) * inner + i]).collect::<Vec<_>>())).collect();
        let m = columns.first().map_or(0, Vec::len);
        parts.extend((0..m).flat_map(|j| columns.iter().map(move |column| column[j]).collect::<Vec<_>>()));
    }
    parts
}

fn near(y: Var<'_>, want: &[f64]) -> Result<(), TestCaseError> {
    let y = y.value();
    prop_assert_eq!(y.numel(), want.len());
    for (i, (&y, &want)) in y.as_slice().iter().zip(want).enumerate() {
        prop_assert!((y - want).abs() <= 1e-12 * want.abs().max(1.0), "{} not {} at {}", y, want, i);
    }
    Ok(())
}

/// A program that was recorded with other numbers gives the bits of the tape, in `f32` too.
fn replays<T: autograd::Float>(
    x: &Tensor,
    f: impl for<'t> Fn(Var<'t, T>) -> Vec<Var<'t, T>>,
) -> Result<(), TestCaseError> {
    let (given, other): (Tensor<T>, Tensor<T>) = (x.cast(), x.map(|x| T::of(0.3 - x)));
    let mut program = Program::record(&(), &other, |_, (), x: Var<'_, T>| (vec![], f(x))).unwrap();
    let tape = Tape::<T>::default();
    let eager = f(tape.var(&given));
    let replayed = program.run(&given).unwrap();
    for (k, eager) in eager.iter().enumerate() {
        let (eager, replayed) = (eager.value(), replayed.tensor(k));
        let bits = |x: &Tensor<T>| x.as_slice().iter().map(|x| x.to_f64().to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&eager), bits(&replayed), "result {}", k);
    }
    Ok(())
}

/// A value and the gradient of what becomes of it.
fn both<'t, T: autograd::Float>(y: Var<'t, T>, x: Var<'t, T>) -> Vec<Var<'t, T>> {
    vec![y, grad((y * y).sum(), &x)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..config() })]

    #[test]
    fn reductions_are_their_definitions((shape, axis) in case()) {
        let (tape, x, a) = (Tape::new(), numbers(&shape, 1), axis as isize);
        let v = tape.var(&x);
        near(v.sum_axes(a), &by_rows(&x, axis, |row| vec![row.iter().sum()]))?;
        near(v.norm(2.0, a), &by_rows(&x, axis, |row| vec![row.iter().map(|x| x * x).sum::<f64>().sqrt()]))?;
        near(v.prod_axes(a), &by_rows(&x, axis, |row| vec![row.iter().product()]))?;
        near(v.logsumexp(a), &by_rows(&x, axis, |row| vec![row.iter().map(|x| x.exp()).sum::<f64>().ln()]))
            .or_else(|error| if shape[axis] == 0 { Ok(()) } else { Err(error) })?;
        if shape[axis] > 0 {
            let top = |row: &[f64]| row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let bottom = |row: &[f64]| row.iter().copied().fold(f64::INFINITY, f64::min);
            let first = |row: &[f64], x: f64| vec![row.iter().position(|&y| y == x).unwrap() as f64];
            near(v.max_axes(a), &by_rows(&x, axis, |row| vec![top(row)]))?;
            near(v.min_axes(a), &by_rows(&x, axis, |row| vec![bottom(row)]))?;
            near(v.argmax(a).numbers(), &by_rows(&x, axis, |row| first(row, top(row))))?;
            near(v.argmin(a).numbers(), &by_rows(&x, axis, |row| first(row, bottom(row))))?;
        }
    }

    #[test]
    fn scans_and_shares_are_their_definitions((shape, axis) in case()) {
        let (tape, x, a) = (Tape::new(), numbers(&shape, 2), axis as isize);
        let v = tape.var(&x);
        let running = |row: &[f64], f: &dyn Fn(&[f64]) -> f64| (1..=row.len()).map(|n| f(&row[..n])).collect::<Vec<_>>();
        near(v.cumsum(a), &by_rows(&x, axis, |row| running(row, &|row| row.iter().sum())))?;
        near(v.cumprod(a), &by_rows(&x, axis, |row| running(row, &|row| row.iter().product())))?;
        let last_of_top = |row: &[f64]| {
            let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            row.iter().rposition(|&x| x == top).unwrap() as f64
        };
        near(v.cumargmax(a).numbers(), &by_rows(&x, axis, |row| running(row, &last_of_top)))?;
        let softmax = |row: &[f64]| {
            let sum: f64 = row.iter().map(|x| x.exp()).sum();
            row.iter().map(|x| x.exp() / sum).collect::<Vec<_>>()
        };
        near(v.softmax(a), &by_rows(&x, axis, softmax))?;
        near(v.log_softmax(a), &by_rows(&x, axis, |row| softmax(row).iter().map(|p| p.ln()).collect()))?;
        if shape[axis] > 0 {
            let shares = by_rows(&x, axis, |row| {
                let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let ties = row.iter().filter(|&&x| x == top).count() as f64;
                row.iter().map(|&x| if x == top { 1.0 / ties } else { 0.0 }).collect()
            });
            near(grad(v.max_axes(a).sum(), &v), &shares)?;
        }
    }

    #[test]
    fn operands_that_lack_any_axes_lie_over_the_others((shape, _) in case(), lacks in any::<[bool; 4]>(), drop in any::<bool>()) {
        let mut small: Vec<usize> = shape.iter().zip(lacks).map(|(&n, lacks)| if lacks { 1 } else { n }).collect();
        if drop {
            small = small.into_iter().skip_while(|&n| n == 1).collect();
        }
        let (tape, x, y) = (Tape::new(), numbers(&shape, 3), numbers(&small, 4));
        let (v, w) = (tape.var(&x), tape.var(&y));
        let lead = shape.len() - small.len();
        let strides: Vec<usize> = (0..shape.len())
            .map(|i| if i < lead || small[i - lead] != shape[i] || shape[i] == 1 { 0 } else { small[i - lead + 1..].iter().product() })
            .collect();
        let at = |mut i: usize| {
            let mut place = 0;
            for (&n, &stride) in shape.iter().zip(&strides).rev() {
                place += i % n * stride;
                i /= n;
            }
            y.as_slice()[place]
        };
        let want: Vec<f64> = x.as_slice().iter().enumerate().map(|(i, x)| x * at(i)).collect();
        near(v * w, &want)?;
        near(w.broadcast_to(&shape[..]) + v * 0.0, &(0..x.numel()).map(at).collect::<Vec<_>>())?;
        let chosen = v.gt(0.0).select(w, v * 2.0);
        let want: Vec<f64> =
            x.as_slice().iter().enumerate().map(|(i, &x)| if x > 0.0 { at(i) } else { x * 2.0 }).collect();
        near(chosen, &want)?;
        replays::<f32>(&x, |v| both((v - v.tape().var(&y.cast())) * 0.5 * v, v))?;
        replays::<f64>(&x, |v| both((v.tape().var(&y) * v + 1.0).tanh(), v))?;
    }

    #[test]
    fn what_runs_along_an_axis_is_replayed_with_the_same_bits((shape, axis) in case()) {
        let (x, a) = (numbers(&shape, 5), axis as isize);
        replays::<f32>(&x, |v| {
            let mut all = both(v.sum_axes(keepdims(a)) * v, v);
            all.extend(both(v.softmax(a), v));
            all.extend(both(v.log_softmax(a), v));
            all.extend(both(v.cumsum(a), v));
            all.extend(both(v.cumprod(a), v));
            all.extend(both(v.norm(2.0, a), v));
            all
        })?;
        if shape[axis] > 0 {
            replays::<f32>(&x, |v| {
                let mut all = both(v.max_axes(a), v);
                all.extend(both(v.var(0, a), v));
                all.extend(both(v.mean_axes(a).square(), v));
                all
            })?;
        }
    }

    #[test]
    fn transposed_flipped_joined_and_reshaped_arrays_keep_their_elements((shape, axis) in case(), turn in any::<[u8; 4]>()) {
        let (tape, x, a) = (Tape::new(), numbers(&shape, 6), axis as isize);
        let v = tape.var(&x);
        let mut order: Vec<isize> = (0..shape.len() as isize).collect();
        order.sort_by_key(|&i| turn[i as usize]);
        let turned = v.transpose(&order);
        let mut back = vec![0; order.len()];
        order.iter().enumerate().for_each(|(i, &from)| back[from as usize] = i as isize);
        prop_assert_eq!(turned.transpose(&back).value(), x.clone());
        let sizes: Vec<usize> = order.iter().map(|&i| shape[i as usize]).collect();
        let want: Vec<f64> = (0..x.numel())
            .map(|mut i| {
                let mut place = 0;
                for (&n, &from) in sizes.iter().zip(&order).rev() {
                    place += i % n * shape[from as usize + 1..].iter().product::<usize>();
                    i /= n;
                }
                x.as_slice()[place]
            })
            .collect();
        prop_assert_eq!(turned.value().to_vec(), want);
        near(v.flip(&[a]), &by_rows(&x, axis, |row| row.iter().rev().copied().collect()))?;
        near(concat(&[v, v * 2.0], a), &by_rows(&x, axis, |row| [row, &row.iter().map(|x| x * 2.0).collect::<Vec<_>>()].concat()))?;
        replays::<f32>(&x, |v| both(v.transpose(&order).reshape([v.shape().numel()]).square().reshape(sizes.clone()), v))?;
        replays::<f64>(&x, |v| both(concat(&[v.flip(&[a]), v.reshape(v.shape())], a) * 0.5, v))?;
    }

    #[test]
    fn rows_are_gathered_and_added_where_indices_say((shape, axis) in case(), seed in any::<u32>()) {
        let n = shape[axis];
        prop_assume!(n > 0);
        let (tape, x, a) = (Tape::new(), numbers(&shape, 7), axis as isize);
        let v = tape.var(&x);
        let count = seed as usize % 150;
        let indices: Vec<usize> = (0..count).map(|i| (seed as usize).wrapping_mul(2 * i + 1) / 7 % n).collect();
        let taken = v.gather(a, &indices);
        near(taken, &by_rows(&x, axis, |row| indices.iter().map(|&i| row[i]).collect()))?;
        // The gradient of a sum counts how often each place was taken.
        let counts = by_rows(&x, axis, |row| {
            let mut counts = vec![0.0; row.len()];
            for &i in &indices {
                counts[i] += 1.0;
            }
            counts
        });
        near(grad(taken.sum(), &v), &counts)?;
        replays::<f32>(&x, |v| both(v.gather(a, &indices), v))?;
    }
}
