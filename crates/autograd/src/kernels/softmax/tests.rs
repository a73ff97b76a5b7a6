//! The kernels against their definitions.

use super::*;
use crate::number::level::tests::at_every_level;

/// Rows of every length around the tile's and the vector's, of which some have infinite or NaN elements.
fn check<T: Number>(tolerance: f64) {
    for (outer, n, inner) in [
        (5, 3, 1),
        (1, 1, 1),
        (70, 1, 1),
        (3, 16, 1),
        (2, 63, 1),
        (3, 64, 1),
        (2, 65, 1),
        (2, 300, 1),
        (4, 3, 5),
        (2, 70, 3),
        (2, 16, 8),
        (3, 33, 31),
        (1, 64, 32),
        (2, 65, 33),
        (1, 150, 70),
        (1, 1100, 3),
    ] {
        let len = outer * n * inner;
        let mut x: Vec<T> = (0..len).map(|i| T::of(((i * 37 + 11) % 101) as f64 / 7.0 - 5.0)).collect();
        for (at, special) in [(n / 2, -T::INFINITY), (len / 2, T::NAN), (len - 1, T::INFINITY)] {
            if n > 1 {
                x[at] = special;
            }
        }
        let places: Vec<Vec<usize>> =
            (0..outer * inner).map(|r| (0..n).map(|j| (r / inner * n + j) * inner + r % inner).collect()).collect();
        let mut first: Option<Vec<T>> = None;
        at_every_level(|level| {
            let (mut p, mut log, mut sum) = (vec![T::ZERO; len], vec![T::ZERO; len], vec![T::ZERO; outer * inner]);
            softmax(&x, (n, inner), false, &mut p);
            log_softmax(&x, (n, inner), &mut log, &mut []);
            log_sum_exp(&x, (n, inner), &mut sum, &mut []);
            for (row, &sum) in places.iter().zip(&sum) {
                let top = row.iter().fold(f64::NEG_INFINITY, |top, &i| top.larger(x[i].to_f64()));
                let want: f64 = row.iter().map(|&i| (x[i].to_f64() - top).exp()).sum();
                let near = |got: T, want: f64| {
                    let got = got.to_f64();
                    let close = got == want || (got - want).abs() <= tolerance * want.abs().max(1.0);
                    assert!(
                        close || (got.is_nan() && want.is_nan()),
                        "{got} not {want}: {outer} {n} {inner} {level:?}"
                    );
                };
                near(sum, if top == f64::INFINITY { top } else { top + want.ln() });
                for &i in row {
                    near(p[i], (x[i].to_f64() - top).exp() / want);
                    near(log[i], x[i].to_f64() - top - want.ln());
                }
            }
            let all: Vec<T> = [p, log, sum].concat().into_iter().map(|y| if y.is_nan() { T::ONE } else { y }).collect();
            // Exponentials fuse multiplications with additions wherever that is one instruction.
            if level != Level::BASELINE {
                assert_eq!(first.get_or_insert_with(|| all.clone()), &all, "the levels differ");
            }
        });
    }
}

#[test]
fn softmax_and_its_logarithms_equal_their_definitions_at_every_level() {
    check::<f32>(1e-6);
    check::<f64>(1e-15);
}

#[test]
fn columns_have_the_bits_of_rows() {
    fn check<T: Number>() {
        for (outer, n, inner) in [
            (2, 3, 5),
            (1, 16, 40),
            (3, 33, 31),
            (2, 64, 32),
            (1, 150, 70),
            (1, 2100, 3),
            (70, 7, 1),
            (9, 100, 9),
            (3, 129, 15),
        ] {
            let len = outer * n * inner;
            let x: Vec<T> = (0..len).map(|i| T::of(((i * 37 + 11) % 101) as f64 / 7.0 - 5.0)).collect();
            // Element j of row r, and where it stands among columns.
            let place = |at: usize| {
                let (r, j) = (at / n, at % n);
                (r / inner * n + j) * inner + r % inner
            };
            let rows: Vec<T> = (0..len).map(|at| x[place(at)]).collect();
            at_every_level(|level| {
                for kernel in [softmax_alone, log_softmax_alone] {
                    let (mut of_columns, mut of_rows) = (x.clone(), rows.clone());
                    kernel(&x, (n, inner), &mut of_columns);
                    kernel(&rows, (n, 1), &mut of_rows);
                    let same = (0..len).all(|at| of_columns[place(at)].same_bits(of_rows[at]));
                    assert!(same, "{outer} {n} {inner} {level:?}");
                }
                let (mut of_columns, mut of_rows) = (vec![T::NAN; outer * inner], vec![T::ZERO; outer * inner]);
                log_sum_exp(&x, (n, inner), &mut of_columns, &mut []);
                log_sum_exp(&rows, (n, 1), &mut of_rows, &mut []);
                assert_eq!(of_columns, of_rows, "{outer} {n} {inner} {level:?}");
            });
        }
    }
    fn softmax_alone<T: Number>(x: &[T], shape: (usize, usize), out: &mut [T]) {
        softmax(x, shape, false, out);
    }
    fn log_softmax_alone<T: Number>(x: &[T], shape: (usize, usize), out: &mut [T]) {
        log_softmax(x, shape, out, &mut []);
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn shares_beside_logarithms_have_the_bits_of_each_alone() {
    fn check<T: Number>() {
        for (outer, n, inner) in [
            (5, 3, 1),
            (3, 64, 1),
            (2, 300, 1),
            (4, 3, 5),
            (2, 70, 3),
            (2, 16, 8),
            (3, 33, 31),
            (1, 150, 70),
            (1, 1100, 3),
        ] {
            let len = outer * n * inner;
            let mut x: Vec<T> = (0..len).map(|i| T::of(((i * 37 + 11) % 101) as f64 / 7.0 - 5.0)).collect();
            x[len / 2] = T::INFINITY;
            // One row of −∞ alone.
            (0..n).for_each(|j| x[j * inner] = -T::INFINITY);
            at_every_level(|level| {
                let same = |a: &[T], b: &[T]| {
                    let same = a.iter().zip(b).all(|(&a, &b)| a.same_bits(b) || (a.is_nan() && b.is_nan()));
                    assert!(same, "{outer} {n} {inner} {level:?}: {a:?} not {b:?}");
                };
                let made = || (vec![T::NAN; len], vec![T::NAN; len]);
                let (mut log, mut shares) = made();
                let (mut log_alone, mut shares_alone) = made();
                log_softmax(&x, (n, inner), &mut log, &mut shares);
                log_softmax(&x, (n, inner), &mut log_alone, &mut []);
                softmax(&x, (n, inner), false, &mut shares_alone);
                same(&log, &log_alone);
                same(&shares, &shares_alone);
                let (log, log_alone) = (&mut log[..outer * inner], &mut log_alone[..outer * inner]);
                log_sum_exp(&x, (n, inner), log, &mut shares);
                log_sum_exp(&x, (n, inner), log_alone, &mut []);
                softmax(&x, (n, inner), true, &mut shares_alone);
                same(log, log_alone);
                same(&shares, &shares_alone);
            });
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn a_row_has_the_bits_that_it_has_among_others() {
    fn check<T: Number>() {
        for n in (1..70).chain([127, 300]) {
            let rows = 41;
            let x: Vec<T> = (0..rows * n).map(|i| T::of(((i * 29 + i / 7) % 97) as f64 * 0.13 - 6.0)).collect();
            let of = |x: &[T]| {
                let [mut shares, mut logs, mut parts] = [(); 3].map(|()| vec![T::ZERO; x.len()]);
                let mut sums = vec![T::ZERO; x.len() / n];
                softmax(x, (n, 1), false, &mut shares);
                log_softmax(x, (n, 1), &mut logs, &mut parts);
                log_sum_exp(x, (n, 1), &mut sums, &mut []);
                [shares, logs, parts, sums]
            };
            at_every_level(|level| {
                let all = of(&x);
                for r in 0..rows {
                    for (all, alone) in all.iter().zip(of(&x[r * n..][..n])) {
                        let there = &all[r * alone.len()..][..alone.len()];
                        let same = alone.iter().zip(there).all(|(a, b)| a.same_bits(*b));
                        assert!(same, "{alone:?} not {there:?}: row {r} of {n} {level:?}");
                    }
                }
            });
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn a_nan_anywhere_in_a_row_is_in_all_that_comes_of_it_also_beside_infinities() {
    fn check<T: Number>() {
        for n in [2, 5, 15, 16, 17, 31, 64, 100, 1100] {
            for beside in [T::ZERO, T::INFINITY, -T::INFINITY] {
                for at in [0, 1, n / 2, n - 2, n - 1] {
                    let mut x: Vec<T> = (0..n).map(|i| T::of((i * 37 % 11) as f64)).collect();
                    x[(at + n / 2 + 1) % n] = beside;
                    x[at] = T::NAN;
                    at_every_level(|level| {
                        for total in [false, true] {
                            let (mut shares, mut sum) = (vec![T::ZERO; n], [T::ZERO]);
                            softmax(&x, (n, 1), total, &mut shares);
                            assert!(
                                shares.iter().all(|p| p.is_nan()),
                                "{n} {beside} {at} {total} {level:?}: {shares:?}"
                            );
                            log_sum_exp(&x, (n, 1), &mut sum, if total { &mut shares } else { &mut [] });
                            assert!(
                                sum[0].is_nan() && shares.iter().all(|p| p.is_nan()),
                                "{n} {beside} {at} {level:?}"
                            );
                        }
                        let mut logs = vec![T::ZERO; n];
                        log_softmax(&x, (n, 1), &mut logs, &mut []);
                        assert!(logs.iter().all(|p| p.is_nan()), "{n} {beside} {at} {level:?}: {logs:?}");
                    });
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}
