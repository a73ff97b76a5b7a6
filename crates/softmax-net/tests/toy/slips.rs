//! The post's five slips, each pinned: what its program or its text would give, and what holds.

use autograd::{Float, Tape, Tensor, grad};
use softmax_net::closed_form::{self, ClosedForm};
use softmax_net::published::Published;
use softmax_net::{Activation, Convention, Forward, Gradients, Toy};

const N: usize = 5;
const K: usize = 3;

fn closed(data: &Published, convention: Convention) -> (Forward<Vec<f64>>, Gradients<Vec<f64>>) {
    let network = ClosedForm::try_new(data.sizes(), data.net.slices(), data.x.as_slice(), &data.labels).unwrap();
    let forward = network.forward(convention).unwrap();
    let gradients = network.gradients(&forward, convention).unwrap();
    (forward, gradients)
}

/// The post's program, but for the aliasing: `(-1.0/5) * O1.T.dot(dL_by_dS)`.
fn post_program(forward: &Forward<Vec<f64>>, labels: &[usize]) -> Vec<f64> {
    let mut dl_by_ds = forward.o2.clone();
    for (i, &y) in labels.iter().enumerate() {
        dl_by_ds[i * K + y] -= 1.0;
    }
    closed_form::dl_dw([N, 10, K], &forward.o1, &dl_by_ds).into_iter().map(|g| -1.0 / 5.0 * g).collect()
}

#[test]
fn slip_1_the_program_gives_minus_the_gradient_of_the_mean() {
    let data = Published::embedded();
    let (forward, sum) = closed(&data, Convention::Sum);
    let (_, mean) = closed(&data, Convention::Mean);
    let program = post_program(&forward, &data.labels);
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-15 * (1.0 + b.abs());
    for ((&program, &mean), &sum) in program.iter().zip(&mean.w2).zip(&sum.w2) {
        assert!(close(program, -mean));
        assert!(close(-(N as f64) * program, sum), "the conventions differ by the factor −N");
    }
    for ((name, sum), (_, mean)) in sum.named().into_iter().zip(mean.named()) {
        assert!(sum.iter().zip(mean).all(|(&s, &m)| close(m * N as f64, s)), "{name}");
    }
    // Adding the program's matrix lowers the loss; adding the gradient raises it.
    let loss_after = |direction: &[f64]| {
        let mut net = data.net.clone();
        net.w2.as_mut_slice().iter_mut().zip(direction).for_each(|(w, d)| *w += 1e-3 * d);
        let network = ClosedForm::try_new(data.sizes(), net.slices(), data.x.as_slice(), &data.labels).unwrap();
        network.forward(Convention::Sum).unwrap().l[0]
    };
    assert!(loss_after(&program) < forward.l[0] && forward.l[0] < loss_after(&mean.w2));
}

#[test]
fn slip_2_an_alias_overwrites_the_probabilities_a_tensor_does_not() {
    let data = Published::embedded();
    let row_sums = |o2: &[f64]| o2.chunks_exact(K).map(|row| row.iter().sum()).collect::<Vec<f64>>();
    let subtract_labels = |p: &mut [f64]| data.labels.iter().enumerate().for_each(|(i, &y)| p[i * K + y] -= 1.0);

    // Two names of one array: after the next line O2 is no longer a probability, and a second use is wrong.
    let (forward, gradients) = closed(&data, Convention::Sum);
    let mut o2 = forward.o2.clone();
    let dl_by_ds = &mut o2;
    subtract_labels(dl_by_ds);
    assert!(row_sums(&o2).iter().all(|sum| sum.abs() < 1e-15), "each row lost its 1");
    assert_eq!(closed_form::dl_ds(&forward.o2, &data.labels, K), gradients.s);
    assert_ne!(closed_form::dl_ds(&o2, &data.labels, K), gradients.s);

    // The closed form reads through shared references: O2 is the same before and after.
    assert_eq!(forward, closed(&data, Convention::Sum).0);
    assert!(row_sums(&forward.o2).iter().all(|sum| (sum - 1.0).abs() < 1e-15));

    // On the tape `dL_by_dS = O2` is a handle, and a tensor that is written to copies itself first.
    let tape = Tape::new();
    let forward = tape.vars(&data.net).forward(tape.var(&data.x), &data.labels, Convention::Sum);
    let o2 = forward.o2.value();
    let before = o2.to_vec();
    let mut dl_by_ds = o2.clone();
    subtract_labels(dl_by_ds.as_mut_slice());
    assert_ne!(dl_by_ds, o2);
    assert_eq!((o2.as_slice(), forward.o2.value().as_slice()), (&before[..], &before[..]));
    let ds = grad(forward.l, &forward.s).value();
    assert!(ds.as_slice().iter().zip(dl_by_ds.as_slice()).all(|(a, b)| (a - b).abs() < 1e-15));
}

#[test]
fn slip_3_the_loss_has_five_terms_and_there_is_no_sixth() {
    let data = Published::embedded();
    let (forward, _) = closed(&data, Convention::Sum);
    assert_eq!((forward.l_i.len(), forward.l_i.get(N)), (N, None));
    let five: f64 = (0..N).map(|i| forward.l_i[i]).sum();
    assert_eq!(five, forward.l[0]);

    let tape = Tape::new();
    let on_tape = tape.vars(&data.net).forward(tape.var(&data.x), &data.labels, Convention::Sum);
    assert_eq!(on_tape.l_i.shape()[..], [N]);
    assert!((on_tape.l_i.sum().item() - on_tape.l.item()).abs() < 1e-14);
    let error = on_tape.l_i.try_gather(0, &[0, 1, 2, 3, 4, 5]).unwrap_err().to_string();
    assert!(error.starts_with("gather: index 5 is out of range for size 5"), "{error}");
}

#[test]
fn slip_4_the_square_is_that_of_the_whole_sum() {
    let data = Published::embedded();
    let (forward, _) = closed(&data, Convention::Sum);
    let jacobian = data.do2_ds.as_slice();
    for (i, &y) in data.labels.iter().enumerate() {
        let u = &forward.u[i * K..(i + 1) * K];
        let whole = u.iter().sum::<f64>().powi(2);
        let each: f64 = u.iter().map(|u| u * u).sum();
        for k in (0..K).filter(|&k| k != y) {
            let entry = jacobian[(i * K + y) * K + k];
            assert!((-u[y] * u[k] / whole - entry).abs() < 1e-15, "Eq. 1.2.2 with (Σ U)²");
            assert!((-u[y] * u[k] / each / entry - 1.0).abs() > 1.0, "with Σ U² it is off by more than its size");
        }
    }
}

/// The identity passed through, so that the scores are the weights: 1e4 for one class.
fn large_scores<T: Float>() {
    let large = |x: f64| T::of(x);
    let w2 = Tensor::from_rows([[1e4, 0.0, -1e4].map(large), [0.0, 1e4, 1e4].map(large)]);
    let net = Toy::try_new(Tensor::eye(2), Tensor::zeros([2]), w2, Tensor::zeros([3]), Activation::Identity).unwrap();
    let (x, labels) = (Tensor::eye(2), [1, 1]);
    let tape = Tape::default();
    let (vars, x_var) = (tape.vars(&net), tape.var(&x));
    let forward = vars.forward(x_var, &labels, Convention::Sum);
    let gradients = tape.values(&vars.gradients(x_var, &forward));
    let forward = tape.values(&forward);

    let sizes = softmax_net::Sizes::of(&net.shapes(), x.shape(), &labels).unwrap();
    let network = ClosedForm::try_new(sizes, net.slices(), x.as_slice(), &labels).unwrap();
    let closed = network.forward(Convention::Sum).unwrap();
    let closed_gradients = network.gradients(&closed, Convention::Sum).unwrap();

    assert_eq!(forward.u.as_slice()[0], T::INFINITY);
    assert_eq!(closed.u[0], T::INFINITY);
    // Example 0 has score 0 at its label and 1e4 at most; example 1 has two scores of 1e4.
    let want = [1e4, 2_f64.ln()].map(T::of);
    assert_eq!((forward.l_i.as_slice(), &closed.l_i[..]), (&want[..], &want[..]));
    let want = [1.0, -1.0, 0.0, 0.0, -0.5, 0.5].map(T::of);
    assert_eq!((gradients.s.as_slice(), &closed_gradients.s[..]), (&want[..], &want[..]));
    for ((name, tape), (_, closed)) in gradients.named().into_iter().zip(closed_gradients.named()) {
        assert!(tape.as_slice().iter().chain(closed).all(|g| g.is_finite()), "{name}");
        assert_eq!(tape.as_slice(), &closed[..], "{name}");
    }
}

#[test]
fn slip_5_large_scores_have_finite_losses_and_gradients() {
    large_scores::<f64>();
    large_scores::<f32>();
}

#[test]
fn slip_5_as_the_post_writes_it_large_scores_have_no_loss() {
    let s = [1e4_f64, 0.0];
    let u = s.map(f64::exp);
    assert!((u[0] / (u[0] + u[1])).is_nan());
    assert_eq!(closed_form::probabilities(&s, 2), [1.0, 0.0]);
}
