//! Random numbers: the same for a key however they are computed, and of the distributions that they are said to have.

use autograd::{Float, IndexVar, Key, KeyVar, Optimisations, Program, Programs, Tape, Tensor, Var, grad};

const SHAPE: [usize; 2] = [5, 7];

/// Numbers of each law from one key.
fn all<'t, T: Float>(key: KeyVar<'t, T>, rate: Var<'t, T>) -> (Vec<Var<'t, T>>, Vec<IndexVar<'t, T>>) {
    let [a, b] = key.split();
    let logits = key.tape_scores();
    let numbers = vec![
        a.uniform(SHAPE),
        a.normal(SHAPE),
        b.exponential(SHAPE),
        b.fold_in(9).gumbel(SHAPE),
        a.bernoulli(0.3, SHAPE),
        b.bernoulli(rate, SHAPE),
        rate.broadcast_to(SHAPE).dropout(0.25, b),
    ];
    let integers = vec![a.integers(-3..9, SHAPE), b.permutation(11), a.categorical(logits, 1)];
    (numbers, integers)
}

trait Scores<'t, T: Float> {
    fn tape_scores(self) -> Var<'t, T>;
}
impl<'t, T: Float> Scores<'t, T> for KeyVar<'t, T> {
    fn tape_scores(self) -> Var<'t, T> {
        self.fold_in(77).uniform([6, 4]) * 5.0
    }
}

fn bits<T: Float>(values: &[T]) -> Vec<u64> {
    values.iter().map(|x| x.to_f64().to_bits()).collect()
}

fn eager<T: Float>(tape: &mut Tape<T>, key: Key) -> Vec<Vec<u64>> {
    tape.clear();
    let (numbers, integers) = all(tape.key(key), tape.scalar(T::of(0.6)));
    let numbers: Vec<Var<'_, T>> = numbers.into_iter().chain(integers.iter().map(IndexVar::numbers)).collect();
    tape.values(&numbers).iter().map(|x| bits(x.as_slice())).collect()
}

fn agree<T: Float>() {
    let rate = Tensor::scalar(T::of(0.6));
    let key = Key::new(0x1234_5678_9abc_def0);
    let mut repeated = Tape::<T>::default();
    for passes in Optimisations::choices() {
        let mut program = Program::<T>::record_with(passes, &(), &(key, &rate), |_, (), (key, rate)| {
            let (numbers, integers) = all(key, rate);
            (vec![], numbers.into_iter().chain(integers.iter().map(IndexVar::numbers)).collect())
        })
        .unwrap();
        let mut seen = Vec::new();
        for step in 0..6 {
            let key = key.fold_in(step / 2);
            let outputs = program.run(&(key, &rate)).unwrap();
            let replayed: Vec<Vec<u64>> = (0..outputs.len()).map(|i| bits(outputs.slice(i))).collect();
            let fresh = eager(&mut Tape::<T>::default(), key);
            assert_eq!(replayed, fresh, "{passes:?} {step}");
            assert_eq!(eager(&mut repeated, key), fresh, "{passes:?} {step}");
            seen.push(fresh);
        }
        assert!(seen[0] == seen[1] && (0..10).all(|law| seen[1][law] != seen[2][law]), "{passes:?}");
    }
    assert!(repeated.replays() > 40, "{} repeated steps were replayed", repeated.replays());
}

#[test]
fn numbers_of_a_key_are_the_same_eager_repeated_and_replayed_and_new_for_a_new_key() {
    agree::<f64>();
    agree::<f32>();
}

#[test]
fn the_bits_are_those_of_philox_as_conventions_says() {
    // The known answer for a counter and a key of zeros: 6627e8d5 e169c58d bc57ac4c 9b00dbd8.
    let (tape, small) = (Tape::<f64>::new(), Tape::<f32>::default());
    let key = Key::new(0);
    let words = [0x6627_e8d5_e169_c58d_u64, 0xbc57_ac4c_9b00_dbd8];
    let uniform = words.map(|word| (word >> 11) as f64 / (1_u64 << 53) as f64);
    assert_eq!(tape.key(key).uniform([2]).value().as_slice(), uniform);
    let narrow = words.map(|word| (word >> 40) as f32 / (1_u32 << 24) as f32);
    assert_eq!(small.key(key).uniform([2]).value().as_slice(), narrow);
    let inside = words.map(|word| ((word >> 12) * 2 + 1) as f64 / (1_u64 << 53) as f64);
    let normal = tape.key(key).normal([2]).value();
    let halves = (tape.var(&normal) * 0.5_f64.sqrt()).erf() * 0.5 + 0.5;
    for (x, u) in halves.value().as_slice().iter().zip(inside) {
        assert!((x - u).abs() < 1e-15, "{x} {u}");
    }
    let dice = words.map(|word| ((u128::from(word) * 6) >> 64) as i64);
    assert_eq!(tape.key(key).integers(0..6, [2]).value(), dice);
    // A host key and one on the tape are derived alike.
    let [_, second] = key.split();
    let [_, on_tape] = tape.key(key).split();
    assert_eq!(tape.key(second.fold_in(1 << 40)).uniform([3]).value(), on_tape.fold_in(1 << 40).uniform([3]).value());
}

#[test]
fn numbers_in_f32_are_those_of_f64_and_a_larger_shape_begins_with_a_smaller_one() {
    let (tape, small) = (Tape::<f64>::new(), Tape::<f32>::default());
    let key = Key::new(99);
    let laws: [fn(KeyVar<'_, f64>) -> Tensor; 3] =
        [|k| k.normal([1001]).value(), |k| k.exponential([1001]).value(), |k| k.gumbel([1001]).value()];
    let small_laws: [fn(KeyVar<'_, f32>) -> Tensor<f32>; 3] =
        [|k| k.normal([1001]).value(), |k| k.exponential([1001]).value(), |k| k.gumbel([1001]).value()];
    for (law, small_law) in laws.iter().zip(small_laws) {
        assert_eq!(law(tape.key(key)).cast::<f32>(), small_law(small.key(key)));
    }
    let uniform = tape.key(key).uniform([1001]).value();
    for (wide, narrow) in uniform.as_slice().iter().zip(small.key(key).uniform([1001]).value().as_slice()) {
        assert!((0.0..f64::from(f32::EPSILON)).contains(&(wide - f64::from(*narrow))));
    }
    assert_eq!(uniform.as_slice()[..17], tape.key(key).uniform([17]).value().as_slice()[..]);
    assert_eq!(small.key(key).integers(-5..5, [64]).value(), tape.key(key).integers(-5..5, [64]).value());
    assert_eq!(small.key(key).permutation(50).value(), tape.key(key).permutation(50).value());
}

/// Pearson's statistic of counts that are expected to be equal, less its mean, in standard deviations.
fn unevenness(counts: &[usize]) -> f64 {
    let (bins, total) = (counts.len() as f64, counts.iter().sum::<usize>() as f64);
    let expected = total / bins;
    let statistic: f64 = counts.iter().map(|&n| (n as f64 - expected).powi(2) / expected).sum();
    (statistic - (bins - 1.0)) / (2.0 * (bins - 1.0)).sqrt()
}

fn binned(values: impl Iterator<Item = f64>, bins: usize) -> Vec<usize> {
    let mut counts = vec![0; bins];
    values.for_each(|u| counts[(u * bins as f64) as usize] += 1);
    counts
}

/// A law, its distribution function, its mean and its variance.
type Law = (fn(KeyVar<'_>) -> Tensor, fn(Var<'_>) -> Var<'_>, f64, f64);

#[test]
fn the_laws_have_their_distributions() {
    const N: usize = 200_000;
    let tape = Tape::<f64>::new();
    let laws: [Law; 4] = [
        (|k| k.uniform([N]).value(), |x| x, 0.5, 1.0 / 12.0),
        (|k| k.normal([N]).value(), |x| (x * 0.5_f64.sqrt()).erf() * 0.5 + 0.5, 0.0, 1.0),
        (|k| k.exponential([N]).value(), |x| -(-x).expm1(), 1.0, 1.0),
        (|k| k.gumbel([N]).value(), |x| (-(-x).exp()).exp(), 0.577_215_664_901_532_9, 1.644_934_066_848_226_4),
    ];
    for (i, (law, distribution, mean, variance)) in laws.into_iter().enumerate() {
        for seed in 0..3 {
            let drawn = tape.var(&law(tape.key(Key::new(seed))));
            let (m, v) = (drawn.mean().item(), drawn.var(0, ..).item());
            assert!((m - mean).abs() < 5.0 * (variance / N as f64).sqrt(), "law {i}: mean {m}");
            assert!((v / variance - 1.0).abs() < 0.02, "law {i}: variance {v}");
            let counts = binned(distribution(drawn).value().as_slice().iter().copied(), 100);
            assert!(unevenness(&counts).abs() < 4.0, "law {i}, seed {seed}: {}", unevenness(&counts));
        }
    }
    let key = tape.key(Key::new(5));
    let heads = key.bernoulli(0.3, [N]).mean().item();
    assert!((heads - 0.3).abs() < 5.0 * (0.21 / N as f64).sqrt(), "{heads}");
    let mut dice = vec![0; 6];
    key.integers(0..6, [60_000]).value().iter().for_each(|&face| dice[face as usize] += 1);
    assert!(unevenness(&dice).abs() < 4.0, "{dice:?}");
    let probabilities = [0.1, 0.2, 0.7];
    let logits = tape.var(&Tensor::from(probabilities.map(f64::ln))).broadcast_to([30_000, 3]);
    let mut counts = [0.0; 3];
    key.categorical(logits, 1).value().iter().for_each(|&class| counts[class as usize] += 1.0 / 30_000.0);
    assert!(counts.iter().zip(probabilities).all(|(n, p)| (n - p).abs() < 0.015), "{counts:?}");
}

#[test]
fn every_order_is_as_likely_and_keys_are_independent() {
    let tape = Tape::<f64>::new();
    let key = tape.key(Key::new(8));
    let mut orders = vec![0; 4 * 4 * 4];
    for i in 0..2_400 {
        let order = key.fold_in(i).permutation(4).value();
        orders[(order[0] * 16 + order[1] * 4 + order[2]) as usize] += 1;
    }
    orders.retain(|&n| n > 0);
    assert_eq!(orders.len(), 24);
    assert!(unevenness(&orders).abs() < 4.0, "{orders:?}");
    // The first number of each of many keys, and the correlation of two keys and of neighbours.
    let first: Vec<f64> =
        (0..20_000).map(|i| Key::new(3).fold_in(i)).map(|k| tape.key(k).uniform([1]).item()).collect();
    assert!(unevenness(&binned(first.into_iter(), 50)).abs() < 4.0);
    let [a, b] = key.split().map(|key| key.normal([100_000]));
    let correlation = (a * b).mean().item();
    let neighbours = (a.narrow(0, 1, 99_999) * a.narrow(0, 0, 99_999)).mean().item();
    assert!(correlation.abs() < 0.016 && neighbours.abs() < 0.016, "{correlation} {neighbours}");
}

#[test]
fn numbers_have_no_derivative_and_what_is_made_of_them_has() {
    let tape = Tape::<f64>::new();
    let (mean, deviation) = (tape.scalar(1.0), tape.scalar(2.0));
    let noise = tape.key(Key::new(4)).normal([3]);
    let drawn = mean + deviation * noise;
    assert_eq!(grad(drawn.sum(), &deviation).item(), noise.sum().item());
    assert_eq!(grad(noise.sum() * mean, &noise).value(), Tensor::ones([3]));
    let p = tape.scalar(0.5);
    assert_eq!(grad(tape.key(Key::new(4)).bernoulli(p, [9]).sum(), &p).item(), 0.0);
    let x = tape.var(&Tensor::from([1.0, f64::INFINITY, -2.0]));
    let (none, every) = (x.dropout(1.0, tape.key(Key::new(0))), x.dropout(0.0, tape.key(Key::new(0))));
    assert_eq!((none.value(), every.value()), (Tensor::zeros([3]), x.value()));
    assert_eq!(grad(none.sum(), &x).value(), Tensor::zeros([3]));
    assert_eq!(grad(every.sum(), &x).value(), Tensor::ones([3]));
    let edges = [0.0, 1.0].map(|p| tape.key(Key::new(1)).bernoulli(p, [1000]).sum().item());
    assert_eq!(edges, [0.0, 1000.0]);
    assert!(tape.key(Key::new(1)).normal([0, 3]).value().as_slice().is_empty());
    assert!(tape.key(Key::new(1)).permutation(0).value().is_empty());
}

#[test]
fn a_constant_key_draws_the_same_in_each_run_and_an_input_draws_anew() {
    let mut fixed = Program::record(&(), &Tensor::scalar(0.0), |tape, (), x| {
        (vec![], vec![x + tape.key(Key::new(2)).uniform([2])])
    })
    .unwrap();
    let first = fixed.run(&Tensor::scalar(0.0)).unwrap().tensor(0);
    assert_eq!(fixed.run(&Tensor::scalar(0.0)).unwrap().tensor(0), first);

    // The number of the step is an input; so is a batch whose size changes.
    let mut noisy = Programs::record((), &(Tensor::zeros([3]), [0_usize]), |tape, (), (x, step)| {
        let key = tape.key(Key::new(2)).fold_in_index(&step);
        (vec![], vec![x + key.normal(x.shape())])
    })
    .unwrap();
    let mut run = |n: usize, step: usize| noisy.run(&(Tensor::zeros([n]), [step])).unwrap().tensor(0);
    let (first, second) = (run(3, 1), run(3, 2));
    assert_ne!(first, second);
    assert_eq!(run(3, 1), first);
    assert_eq!(run(5, 1).as_slice()[..3], *first.as_slice());
    let tape = Tape::new();
    assert_eq!(tape.key(Key::new(2).fold_in(1)).normal([3]).value(), first);
}

#[test]
fn keys_of_any_bits_pass_through_programs_and_the_watch_for_nan() {
    // Each word of a key may have the bits of a NaN, also of one that signals.
    for seed in [u64::MAX, 0x7f80_0001_7ff0_0001, 0xff80_0001_8000_0000, 0x8000_0000_8000_0000] {
        let key = Key::new(seed);
        let small = Tape::<f32>::default();
        small.watch(true);
        let expected = small.key(key).fold_in(1).uniform([4]).value();
        let mut program =
            Program::<f32>::record(&(), &key, |_, (), key| (vec![], vec![key.fold_in(1).uniform([4])])).unwrap();
        assert_eq!(program.run(&key).unwrap().tensor(0), expected);
        let wide = Tape::<f64>::new();
        wide.watch(true);
        let wide = wide.key(key).fold_in(1).uniform([4]).value();
        for (wide, narrow) in wide.as_slice().iter().zip(expected.as_slice()) {
            assert!((wide - f64::from(*narrow)).abs() < 1e-7);
        }
        assert!(small.first_non_finite(&small.key(key).split::<2>()[1].uniform([2])).is_none());
    }
}

#[test]
fn a_part_that_is_recomputed_draws_the_same_numbers() {
    let tape = Tape::<f64>::new();
    let (x, key) = (tape.var(&Tensor::from_fn([50], |i| i as f64 * 0.1 - 2.0)), tape.key(Key::new(6)));
    let part = || (x.dropout(0.5, key) + key.normal([50]) * x).square().sum();
    let kept = grad(part(), &x);
    let recomputed = grad(tape.checkpoint(part), &x);
    assert_eq!(bits(kept.value().as_slice()), bits(recomputed.value().as_slice()));
}

#[test]
fn a_count_in_the_state_draws_anew_in_each_run_in_either_type() {
    fn runs<T: Float>() -> Vec<f64> {
        let mut draw = Program::<T>::record(&Tensor::scalar(T::ZERO), &(), |tape, count, ()| {
            (vec![count + 1.0], vec![tape.key(Key::new(1)).fold_in_number(count).normal([])])
        })
        .unwrap();
        (0..20).map(|_| draw.run(&()).unwrap().item(0).to_f64()).collect()
    }
    let (wide, narrow) = (runs::<f64>(), runs::<f32>());
    assert!(wide.iter().zip(&narrow).all(|(wide, narrow)| f64::from(*wide as f32) == *narrow));
    assert!((1..20).all(|i| !wide[..i].contains(&wide[i])));
}
