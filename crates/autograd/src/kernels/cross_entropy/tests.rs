use super::*;
use crate::kernels::softmax::softmax;
use crate::number::level::tests::at_every_level;

#[test]
fn losses_and_gradients_equal_their_definitions_for_rows_of_any_length_and_number() {
    for (n, rows) in [1, 2, 3, 5, 10, 15, 16, 33, 64, 65, 200].into_iter().flat_map(|n| [(n, 1), (n, 7), (n, 37)]) {
        let scores: Vec<f64> = (0..rows * n).map(|i| ((i * 29 + 3) % 83) as f64 / 9.0).collect();
        let labels: Vec<usize> = (0..rows).map(|r| (r * 5) % n).collect();
        let packed: Vec<f64> = labels.iter().map(|&l| f64::from_bits(l as u64)).collect();
        let weights: Vec<f64> = (0..rows).map(|r| r as f64).collect();
        at_every_level(|level| {
            let mut p = vec![0.0; rows * n];
            softmax(&scores, (n, 1), false, &mut p);
            let (mut each, mut sums) = (vec![f64::NAN; rows], LaneSums::default());
            let (mut d, mut alone) = (vec![f64::NAN; rows * n], vec![f64::NAN; rows * n]);
            let gradients = Some((Weight::Each(&weights[..]), &mut d[..]));
            cross_entropy(&scores, &packed, n, Losses::Each(&mut each), gradients);
            for (r, loss) in each.iter().enumerate() {
                let want = -p[r * n + labels[r]].ln();
                assert!((loss - want).abs() <= 1e-14 * (1.0 + want), "{loss} not {want}: {n} {level:?}");
            }
            for (i, d) in d.iter().enumerate() {
                let r = i / n;
                if i % n == labels[r] {
                    let want = (p[i] - 1.0) * r as f64;
                    assert!((d - want).abs() <= 2e-15 * r as f64, "{d} not {want}: {n} {level:?}");
                } else {
                    assert_eq!(*d, p[i] * r as f64, "{n} {level:?}");
                }
            }
            let gradients = Some((Weight::Each(&weights[..]), &mut alone[..]));
            cross_entropy(&scores, &packed, n, Losses::Dropped, gradients);
            assert_eq!(alone, d, "the gradients do not depend on whether the losses are asked for");
            cross_entropy(&scores, &packed, n, Losses::Sum(&mut sums), None);
            let (sum, want): (f64, f64) = (sums.total(), each.iter().sum());
            assert!((sum - want).abs() <= 1e-14 * want.abs(), "{sum} not {want}: {n} {level:?}");
        });
    }
}

#[test]
fn few_rows_have_the_bits_that_they_have_among_many() {
    fn check<T: Number>() {
        for n in [16, 17, 20, 31, 32, 48, 63, 64, 65, 100, 127, 128] {
            let rows = 18;
            let score = |i: usize| match (i % 7, i % 41) {
                (_, 40) if (i / n).is_multiple_of(3) => -T::INFINITY,
                (0, _) => T::of(12.0),
                (k, r) => T::of(((r * 29 + k) % 83) as f64 / 9.0 - 5.0),
            };
            let scores: Vec<T> = (0..rows * n).map(score).collect();
            // The largest, where it comes once or more often, and others.
            let labels: Vec<T> = (0..rows).map(|r| T::from_index(((r * 5) % n) as i64)).collect();
            let weights: Vec<T> = (0..rows).map(|r| T::of(r as f64 % 4.0)).collect();
            let of = |rows: std::ops::Range<usize>| {
                let (mut losses, mut d) = (vec![T::ZERO; rows.len()], vec![T::ZERO; rows.len() * n]);
                let gradients = Some((Weight::Each(&weights[rows.clone()]), &mut d[..]));
                let scores = &scores[rows.start * n..rows.end * n];
                cross_entropy(scores, &labels[rows], n, Losses::Each(&mut losses), gradients);
                [losses, d].concat()
            };
            at_every_level(|level| {
                // The last two of these are a block of their own, the first sixteen another.
                let (all, count) = (of(0..16), 16);
                for r in 0..count {
                    let alone = of(r..r + 1);
                    let there = all[r..=r].iter().chain(&all[count + r * n..][..n]);
                    for (i, (a, b)) in alone.iter().zip(there).enumerate() {
                        assert!(a.same_bits(*b), "{a:?} not {b:?}: {i} of row {r} of {n} {level:?}");
                    }
                }
                assert_eq!(of(0..18)[16..18], of(16..18)[..2]);
            });
        }
    }
    check::<f32>();
    check::<f64>();
}
