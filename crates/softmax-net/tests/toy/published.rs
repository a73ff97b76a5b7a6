//! Every published and every reference number: scores and loss as CS231n prints them, and all arrays of the data file.

use autograd::{Tape, Tensor, grad, hessian, jacobian};
use softmax_net::closed_form::{self, ClosedForm};
use softmax_net::printed::Printed;
use softmax_net::published::{Published, Trajectory};
use softmax_net::{Convention, Forward, Gradients, Toy};

/// Equal to `1e-12` of the largest entry of the reference.
#[track_caller]
fn close(name: &str, got: &[f64], want: &[f64]) {
    let largest = want.iter().fold(0.0, |most: f64, w| most.max(w.abs()));
    assert_eq!(got.len(), want.len(), "{name}");
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((g - w).abs() <= 1e-12 * largest, "{name}[{i}]: {g:e} is not {w:e}");
    }
}

fn closed(data: &Published, convention: Convention) -> (Forward<Vec<f64>>, Gradients<Vec<f64>>) {
    let network = ClosedForm::try_new(data.sizes(), data.net.slices(), data.x.as_slice(), &data.labels).unwrap();
    let forward = network.forward(convention).unwrap();
    let gradients = network.gradients(&forward, convention).unwrap();
    (forward, gradients)
}

fn on_tape(data: &Published, convention: Convention, written: bool) -> (Forward<Tensor>, Gradients<Tensor>) {
    let tape = Tape::new();
    let (net, x) = (tape.vars(&data.net), tape.var(&data.x));
    let forward = if written {
        net.try_forward_as_written(x, &data.labels, convention).unwrap()
    } else {
        net.forward(x, &data.labels, convention)
    };
    let gradients = net.gradients(x, &forward);
    (tape.values(&forward), tape.values(&gradients))
}

#[test]
fn the_scores_are_the_printed_ones_to_all_eight_decimals() {
    let data = Published::embedded();
    let eight = |x: &[f64]| x.iter().map(|x| format!("{x:.8}")).collect::<Vec<_>>();
    let printed = eight(data.printed_scores.as_slice());
    assert_eq!(printed[0], "-0.81233741");
    assert_eq!(eight(on_tape(&data, Convention::Sum, false).0.s.as_slice()), printed);
    assert_eq!(eight(&closed(&data, Convention::Sum).0.s), printed);
}

#[test]
fn the_regularised_loss_is_the_printed_one_to_all_eleven_decimals() {
    let data = Published::embedded();
    let (loss, _) = data.net.loss_and_gradient(&mut Tape::new(), &data.x, &data.labels, 0.05).unwrap();
    assert_eq!(format!("{loss:.11}"), "1.30378789133");
    assert_eq!(format!("{loss:.11}"), format!("{:.11}", data.printed_loss));
}

#[test]
fn what_the_example_shows_has_every_published_digit_twice() {
    let text = Printed::compute(&Published::embedded()).unwrap().to_string();
    for digits in ["-0.81233741", "-0.85042150", "-0.15226949", "1.30378789133"] {
        assert_eq!(text.matches(digits).count(), 2, "{digits} in\n{text}");
    }
}

#[test]
fn a_score_or_a_loss_that_is_off_in_the_last_published_digit_does_not_agree() {
    let right = Printed::compute(&Published::embedded()).unwrap();
    let mut wrong = right.clone();
    wrong.scores[1].as_mut_slice()[7] += 1e-8;
    assert!(right.agrees() && !wrong.agrees());
    let wrong = Printed { loss: [right.loss[0], right.loss[1] + 1e-11], ..right };
    assert!(!wrong.agrees() && wrong.to_string().contains("NOT the same"));
}

/// JSON's numbers are the nearest floats, so the text of the data file is found again.
#[test]
fn every_number_of_the_data_is_read_to_the_last_bit() {
    let text = include_str!("../../data/cs231n_toy.json");
    let data = Published::embedded();
    let arrays = [&data.net.w1, &data.net.w2, &data.x, &data.forward.z1, &data.forward.s, &data.d2l_dw2];
    for x in arrays.into_iter().flat_map(Tensor::as_slice).filter(|x| x.abs() > 1e-4 && x.abs() < 1e15) {
        assert!(text.contains(&x.to_string()), "{x} is not in the file");
    }
}

#[test]
fn the_forward_pass_is_the_reference() {
    let data = Published::embedded();
    for convention in Convention::ALL {
        let want = Forward {
            l: match convention {
                Convention::Sum => data.forward.l.clone(),
                Convention::Mean => Tensor::scalar(data.loss_mean),
            },
            ..data.forward.clone()
        };
        let (by_formula, _) = closed(&data, convention);
        for ((name, want), (_, got)) in want.named().into_iter().zip(by_formula.named()) {
            close(&format!("closed form {name}"), got, want.as_slice());
        }
        for written in [false, true] {
            let (got, _) = on_tape(&data, convention, written);
            for ((name, want), (_, got)) in want.named().into_iter().zip(got.named()) {
                assert_eq!(want.shape(), got.shape(), "{name}");
                close(&format!("tape {name}"), got.as_slice(), want.as_slice());
            }
        }
    }
}

#[test]
fn the_gradients_are_the_reference_in_both_conventions() {
    let data = Published::embedded();
    for (convention, want) in [(Convention::Sum, &data.grad_sum), (Convention::Mean, &data.grad_mean)] {
        let (_, by_formula) = closed(&data, convention);
        for ((name, want), (_, got)) in want.named().into_iter().zip(by_formula.named()) {
            close(&format!("closed form {name}"), got, want.as_slice());
        }
        for written in [false, true] {
            let (_, got) = on_tape(&data, convention, written);
            for ((name, want), (_, got)) in want.named().into_iter().zip(got.named()) {
                assert_eq!(want.shape(), got.shape(), "{name}");
                close(&format!("tape {name}"), got.as_slice(), want.as_slice());
            }
        }
    }
}

#[test]
fn the_jacobians_are_the_reference() {
    let data = Published::embedded();
    let (forward, gradients) = closed(&data, Convention::Sum);
    close("Eq. 1.1", &closed_form::dl_do2_at_label(&forward.o2, &data.labels, 3), data.dl_do2_at_label.as_slice());
    close("dO2/dS", &closed_form::do2_ds(&forward.o2, 3), data.do2_ds.as_slice());
    close("dL_i/dW2", &closed_form::dl_i_dw2([5, 10, 3], &forward.o1, &gradients.s), data.dl_i_dw2.as_slice());

    let tape = Tape::new();
    let (net, x) = (tape.vars(&data.net), tape.var(&data.x));
    let forward = net.forward(x, &data.labels, Convention::Sum);
    let written = net.try_forward_as_written(x, &data.labels, Convention::Sum).unwrap();
    let dl_do2 = grad(written.l, &written.o2).value();
    let at_label: Vec<f64> = data.labels.iter().enumerate().map(|(i, &y)| dl_do2.at([i, y])).collect();
    close("Eq. 1.1 on the tape", &at_label, data.dl_do2_at_label.as_slice());
    for (name, forward) in [("softmax", &forward), ("as written", &written)] {
        close(name, &own_blocks(&jacobian(forward.o2, forward.s).value()), data.do2_ds.as_slice());
        close(name, jacobian(forward.l_i, net.w2).value().as_slice(), data.dl_i_dw2.as_slice());
    }
}

#[test]
fn the_hessians_are_the_reference() {
    let data = Published::embedded();
    let (forward, _) = closed(&data, Convention::Sum);
    close("d2L/dS2", &closed_form::d2l_ds2(&forward.o2, 3), data.d2l_ds2.as_slice());
    close("d2L/dW2", &closed_form::d2l_dw2([5, 10, 3], &forward.o1, &forward.o2), data.d2l_dw2.as_slice());

    let tape = Tape::new();
    let (net, x) = (tape.vars(&data.net), tape.var(&data.x));
    let forward = net.forward(x, &data.labels, Convention::Sum);
    let written = net.try_forward_as_written(x, &data.labels, Convention::Sum).unwrap();
    for (name, forward) in [("cross-entropy", forward), ("as written", written)] {
        close(name, &own_blocks(&hessian(forward.l, forward.s).value()), data.d2l_ds2.as_slice());
        close(name, hessian(forward.l, net.w2).value().as_slice(), data.d2l_dw2.as_slice());
    }
}

/// Each example's own block of `[5, 3, 5, 3]`; the blocks of two different examples must be exactly 0.
fn own_blocks(whole: &Tensor) -> Vec<f64> {
    let mut own = Vec::new();
    for (i, j, other, k) in (0..5).flat_map(|i| (0..3).flat_map(move |j| (0..15).map(move |e| (i, j, e / 3, e % 3)))) {
        if i == other {
            own.push(whole.at([i, j, other, k]));
        } else {
            assert_eq!(whole.at([i, j, other, k]), 0.0, "examples {i} and {other} are independent");
        }
    }
    own
}

#[test]
fn a_hundred_steps_of_gradient_descent_are_the_reference() {
    let Published { mut net, x, labels, trajectory, .. } = Published::embedded();
    let Trajectory { losses: want, net: last } = trajectory;
    let mut tape = Tape::new();
    let mut losses = Vec::new();
    for _ in 0..100 {
        let (loss, gradient) = net.loss_and_gradient(&mut tape, &x, &labels, 0.5e-5).unwrap();
        losses.push(loss);
        net.descend(&gradient, 0.1);
    }
    losses.push(net.loss_and_gradient(&mut tape, &x, &labels, 0.5e-5).unwrap().0);
    assert_eq!((losses.len(), want.len()), (101, 101));
    for (t, (got, want)) in losses.iter().zip(&want).enumerate() {
        assert!((got - want).abs() <= 1e-12 * want, "step {t}: {got:e} is not {want:e}");
    }
    for ((name, got), (_, want)) in net.named().into_iter().zip(last.named()) {
        close(name, got.as_slice(), want.as_slice());
    }
    assert!(losses[100] < 0.02);
    assert_eq!(net.predict(&x).unwrap(), labels);
}

#[test]
fn the_closed_form_trains_the_same_network() {
    let data = Published::embedded();
    let mut net = data.net.clone();
    for _ in 0..100 {
        let network = ClosedForm::try_new(data.sizes(), net.slices(), data.x.as_slice(), &data.labels).unwrap();
        let forward = network.forward(Convention::Mean).unwrap();
        let Gradients { w1, b1, w2, b2, .. } = network.gradients(&forward, Convention::Mean).unwrap();
        // The penalty's gradient is 2 · strength · W.
        let decayed = |g: Vec<f64>, w: &Tensor| {
            let g = g.iter().zip(w.as_slice()).map(|(g, w)| g + 2.0 * 0.5e-5 * w).collect();
            Tensor::new(w.shape(), g)
        };
        let (w1, w2) = (decayed(w1, &net.w1), decayed(w2, &net.w2));
        net.descend(&Toy { w1, b1: Tensor::from(b1), w2, b2: Tensor::from(b2), f: net.f }, 0.1);
    }
    for ((name, got), (_, want)) in net.named().into_iter().zip(data.trajectory.net.named()) {
        close(name, got.as_slice(), want.as_slice());
    }
}
