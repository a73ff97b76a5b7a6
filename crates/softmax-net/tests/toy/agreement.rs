//! The tape against the closed form: to units in the last place at the toy size, and for random networks; both against
//! finite differences where `f` is smooth.

use autograd::{Float, Tape, Tensor, grad, hessian, jacobian};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use softmax_net::closed_form::{self, ClosedForm};
use softmax_net::finite_differences;
use softmax_net::published::Published;
use softmax_net::{Activation, Convention, Error, Forward, Gradients, Sizes, Toy};

/// A unit in the last place of a number: the distance to the next, by its binary exponent.
fn ulp<T: Float>(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.abs().log2().floor().exp2() * T::EPSILON.to_f64() }
}

/// How many units in the last place of the largest entry the farthest entry is off.
fn ulps<T: Float>(got: &[T], want: &[T]) -> f64 {
    assert_eq!(got.len(), want.len());
    let largest = want.iter().fold(0.0, |most: f64, w| most.max(w.to_f64().abs()));
    let off = got.iter().zip(want).map(|(g, w)| (g.to_f64() - w.to_f64()).abs()).fold(0.0, f64::max);
    assert!(got.iter().chain(want).all(|x| x.is_finite()));
    if off == 0.0 { 0.0 } else { off / ulp::<T>(largest) }
}

/// A network with examples in one number type, and its derivatives both ways.
struct Both<T: Float> {
    closed: (Forward<Vec<T>>, Gradients<Vec<T>>),
    tape: (Forward<Tensor<T>>, Gradients<Tensor<T>>),
}

fn both<T: Float>(
    net: &Toy<Tensor<T>>,
    x: &Tensor<T>,
    labels: &[usize],
    convention: Convention,
) -> Result<Both<T>, Error> {
    let sizes = Sizes::of(&net.shapes(), x.shape(), labels)?;
    let network = ClosedForm::try_new(sizes, net.slices(), x.as_slice(), labels)?;
    let forward = network.forward(convention)?;
    let gradients = network.gradients(&forward, convention)?;
    let tape = Tape::default();
    let (vars, x) = (tape.vars(net), tape.var(x));
    let on_tape = vars.try_forward(x, labels, convention)?;
    let on_tape_gradients = vars.gradients(x, &on_tape);
    let tape = (tape.values(&on_tape), tape.values(&on_tape_gradients));
    Ok(Both { closed: (forward, gradients), tape })
}

impl<T: Float> Both<T> {
    /// The arrays by name, as the tape and as the closed form has them.
    fn pairs(&self) -> Vec<(&'static str, &Tensor<T>, &Vec<T>)> {
        let forward = self.tape.0.named().into_iter().zip(self.closed.0.named());
        let gradients = self.tape.1.named().into_iter().zip(self.closed.1.named());
        forward
            .map(|((name, t), (_, c))| (name, t, c))
            .chain(gradients.map(|((name, t), (_, c))| (name, t, c)))
            .collect()
    }
}

fn toy_size<T: Float>() {
    let Published { net, x, labels, .. } = Published::embedded();
    let [w1, b1, w2, b2] = [&net.w1, &net.b1, &net.w2, &net.b2].map(Tensor::cast);
    for f in Activation::ALL {
        let net: Toy<Tensor<T>> = Toy { w1: w1.clone(), b1: b1.clone(), w2: w2.clone(), b2: b2.clone(), f };
        for convention in Convention::ALL {
            let both = both(&net, &x.cast(), &labels, convention).unwrap();
            for (name, tape, closed) in both.pairs() {
                let off = ulps(tape.as_slice(), closed);
                assert!(off <= 4.0, "{} {f} {convention:?} {name}: {off} units in the last place", T::NAME);
            }
        }
    }
}

#[test]
fn at_the_toy_size_they_agree_within_four_units_in_the_last_place_in_f64() {
    toy_size::<f64>();
}

#[test]
fn at_the_toy_size_they_agree_within_four_units_in_the_last_place_in_f32() {
    toy_size::<f32>();
}

#[test]
fn the_second_order_agrees_at_the_toy_size_in_both_number_types() {
    fn check<T: Float>() {
        let Published { net, x, labels, .. } = Published::embedded();
        let [w1, b1, w2, b2] = [&net.w1, &net.b1, &net.w2, &net.b2].map(Tensor::cast::<T>);
        let net = Toy { w1, b1, w2, b2, f: net.f };
        let tape = Tape::default();
        let (vars, x) = (tape.vars(&net), tape.var(&x.cast()));
        let forward = vars.forward(x, &labels, Convention::Sum);
        let got = hessian(forward.l, vars.w2).value();
        let (o1, o2) = (forward.o1.value(), forward.o2.value());
        let want = closed_form::d2l_dw2([5, 10, 3], o1.as_slice(), o2.as_slice());
        let off = ulps(got.as_slice(), &want);
        assert!(off <= 4.0, "{}: {off} units in the last place", T::NAME);
    }
    check::<f32>();
    check::<f64>();
}

/// A random network with examples. Labels repeat, and some classes have none.
#[derive(Clone, Debug)]
struct Case {
    net: Toy<Tensor>,
    x: Tensor,
    labels: Vec<usize>,
}

fn case(sizes: Sizes, f: Activation) -> impl Strategy<Value = Case> {
    let Sizes { n, d, h, k } = sizes;
    let array = |len| prop::collection::vec(-2.0..2.0, len);
    let params = (array(d * h), array(h), array(h * k), array(k));
    (params, array(n * d), prop::collection::vec(0..k, n)).prop_map(move |((w1, b1, w2, b2), x, labels)| {
        let [w1, w2] = [Tensor::new([d, h], w1), Tensor::new([h, k], w2)];
        let net = Toy::try_new(w1, Tensor::from(b1), w2, Tensor::from(b2), f).unwrap();
        Case { net, x: Tensor::new([n, d], x), labels }
    })
}

fn any_case() -> impl Strategy<Value = Case> {
    let sizes = (0..=6_usize, 1..=5_usize, 1..=8_usize, 1..=5_usize);
    let f = prop::sample::select(&Activation::ALL[..]);
    (sizes, f).prop_flat_map(|((n, d, h, k), f)| case(Sizes { n, d, h, k }, f))
}

/// The same cases in every run.
fn seeded(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(20_170_520),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// All of it for one network: tape against closed form in both conventions and types, against the composed steps of
/// the post, and against finite differences where `f` is smooth.
fn holds(Case { net, x, labels }: &Case) -> Result<(), TestCaseError> {
    let single = Toy { w1: net.w1.cast(), b1: net.b1.cast(), w2: net.w2.cast(), b2: net.b2.cast(), f: net.f };
    for convention in Convention::ALL {
        let wide = both(net, x, labels, convention);
        let narrow = both::<f32>(&single, &x.cast(), labels, convention);
        if labels.is_empty() && convention == Convention::Mean {
            prop_assert!(matches!((wide, narrow), (Err(Error::EmptyBatch), Err(Error::EmptyBatch))));
            continue;
        }
        agree(&wide.unwrap(), 1e-13)?;
        agree(&narrow.unwrap(), 1e-4)?;
    }
    written_agrees(net, x, labels)?;
    if net.f != Activation::Relu {
        differences_agree(net, x, labels)?;
    }
    Ok(())
}

/// Relative to the largest entry, or to 1 where all are smaller: sums of terms of size 1 may cancel.
fn agree<T: Float>(both: &Both<T>, tolerance: f64) -> Result<(), TestCaseError> {
    for (name, tape, closed) in both.pairs() {
        prop_assert_eq!(tape.numel(), closed.len(), "{}", name);
        let largest = closed.iter().fold(1.0, |most: f64, c| most.max(c.to_f64().abs()));
        for (t, c) in tape.as_slice().iter().zip(closed) {
            let off = (t.to_f64() - c.to_f64()).abs();
            prop_assert!(off <= tolerance * largest, "{} {}: {} on the tape, {}", T::NAME, name, t, c);
        }
    }
    Ok(())
}

/// The engine's own cross-entropy and softmax against the post's steps through `U`, and the Jacobians of both.
fn written_agrees(net: &Toy<Tensor>, x: &Tensor, labels: &[usize]) -> Result<(), TestCaseError> {
    let tape = Tape::new();
    let (vars, x) = (tape.vars(net), tape.var(x));
    let fused = vars.forward(x, labels, Convention::Sum);
    let written = vars.try_forward_as_written(x, labels, Convention::Sum).unwrap();
    let fused = (vars.gradients(x, &fused), jacobian(fused.o2, fused.s));
    let written = (vars.gradients(x, &written), jacobian(written.o2, written.s));
    let arrays = fused.0.named().into_iter().zip(written.0.named()).map(|((name, a), (_, b))| (name, *a, *b));
    for (name, a, b) in arrays.chain([("dO2/dS", fused.1, written.1)]) {
        let (a, b) = (a.value(), b.value());
        let largest = a.as_slice().iter().fold(1.0, |most: f64, a| most.max(a.abs()));
        for (a, b) in a.as_slice().iter().zip(b.as_slice()) {
            prop_assert!((a - b).abs() <= 1e-11 * largest, "{name}: {a} and {b}");
        }
    }
    Ok(())
}

fn differences_agree(net: &Toy<Tensor>, x: &Tensor, labels: &[usize]) -> Result<(), TestCaseError> {
    let sizes = Sizes::of(&net.shapes(), x.shape(), labels).unwrap();
    let tape = Tape::new();
    let vars = (tape.vars(net), tape.var(x));
    let loss = vars.0.forward(vars.1, labels, Convention::Sum).l;
    let (gradient, dx) = tape.values(&grad(loss, &vars));
    let slices = net.slices();
    // One parameter replaced, the loss in closed form.
    let loss_with = |name: &str, p: &[f64]| {
        let pick = |own: &'static str, original| if own == name { p } else { original };
        let (w1, b1) = (pick("W1", slices.w1), pick("b1", slices.b1));
        let (w2, b2) = (pick("W2", slices.w2), pick("b2", slices.b2));
        let replaced = Toy { w1, b1, w2, b2, f: net.f };
        let network = ClosedForm::try_new(sizes, replaced, pick("X", x.as_slice()), labels).unwrap();
        network.forward(Convention::Sum).unwrap().l
    };
    let params = net.named().into_iter().zip(gradient.named()).map(|((name, p), (_, dp))| (name, p, dp));
    for (name, p, dp) in params.chain([("X", x, &dx)]) {
        let want = finite_differences::jacobian(p.as_slice(), |p| loss_with(name, p), |_| ());
        let largest = dp.as_slice().iter().fold(1.0, |most: f64, g| most.max(g.abs()));
        for (got, want) in dp.as_slice().iter().zip(want) {
            let want = want.expect("a smooth function has all its differences");
            prop_assert!(
                (got - want).abs() <= 1e-8 * largest,
                "dL/d{}: {} on the tape, {} by differences",
                name,
                got,
                want
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(seeded(128))]

    #[test]
    fn random_networks_agree(case in any_case()) {
        holds(&case)?;
    }
}

/// Sizes at the edge, each with every activation.
fn edge(n: usize, d: usize, h: usize, k: usize) {
    for f in Activation::ALL {
        let mut runner = proptest::test_runner::TestRunner::new(seeded(8));
        runner.run(&case(Sizes { n, d, h, k }, f), |case| holds(&case)).unwrap();
    }
}

#[test]
fn one_example_agrees() {
    edge(1, 3, 4, 3);
}

#[test]
fn one_hidden_node_agrees() {
    edge(4, 3, 1, 3);
}

#[test]
fn one_feature_agrees() {
    edge(4, 1, 3, 3);
}

#[test]
fn everything_of_size_one_agrees() {
    edge(1, 1, 1, 1);
}

#[test]
fn one_class_has_no_loss_and_no_gradient() {
    edge(4, 3, 5, 1);
    let net = Toy::try_new(
        Tensor::from_rows([[0.5, -1.5]]),
        Tensor::from([0.1, 0.2]),
        Tensor::from_rows([[3.0], [4.0]]),
        Tensor::from([1.0]),
        Activation::Tanh,
    )
    .unwrap();
    let both = both(&net, &Tensor::from_rows([[1.0], [2.0]]), &[0, 0], Convention::Mean).unwrap();
    assert_eq!((both.tape.0.l.item(), &both.closed.0.l[..]), (0.0, &[0.0][..]));
    for ((name, tape), (_, closed)) in both.tape.1.named().into_iter().zip(both.closed.1.named()) {
        assert!(tape.as_slice().iter().chain(closed).all(|&g| g == 0.0), "{name}");
    }
}

#[test]
fn an_empty_batch_has_a_sum_of_zero_with_zero_gradients_and_no_mean() {
    edge(0, 3, 4, 3);
    let Published { net, .. } = Published::embedded();
    let x = Tensor::zeros([0, 4]);
    let both = both(&net, &x, &[], Convention::Sum).unwrap();
    assert_eq!((both.tape.0.l.item(), &both.closed.0.l[..]), (0.0, &[0.0][..]));
    let Gradients { w1, b1, w2, b2, .. } = &both.tape.1;
    for ((name, param), gradient) in net.named().into_iter().zip([w1, b1, w2, b2]) {
        assert_eq!(gradient, &Tensor::zeros(param.shape()), "{name}");
    }
    let closed = &both.closed.1;
    assert!([&closed.w1, &closed.b1, &closed.w2, &closed.b2].into_iter().flatten().all(|&g| g == 0.0));
    assert_eq!((closed.w1.len(), closed.b1.len(), closed.w2.len(), closed.b2.len()), (40, 10, 30, 3));
}

#[test]
fn repeated_and_absent_labels_agree() {
    let data = Published::embedded();
    for labels in [[0; 5], [2; 5], [1, 1, 1, 1, 2]] {
        for f in Activation::ALL {
            let case = Case { net: Toy { f, ..data.net.clone() }, x: data.x.clone(), labels: labels.to_vec() };
            holds(&case).unwrap();
        }
    }
}
