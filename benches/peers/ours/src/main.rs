//! The closed form by hand, the tape as a user writes it, and the recorded program.

use autograd::{Program, Tape, Tensor};
use peer_common::{CLOSED_FORM, ELEMENTS, Gradient, Number, Session, by_hand, elements, problems};

fn main() {
    train::<f32>();
    train::<f64>();
    map_by_hand();
    map_eager();
    map_replay();
}

/// The name of a contender of the root's benches in the table.
fn session(contender: &str) -> Session {
    Session::new(match contender {
        "closed" => CLOSED_FORM.to_owned(),
        other => format!("this engine, {other}"),
    })
}

fn train<T: Number>() {
    for problem in problems::<T>() {
        for (name, step) in problem.contenders() {
            session(name).train(&problem, step);
        }
    }
    for (name, gradient) in Gradient::<T>::contenders() {
        session(name).gradient(gradient, Gradient::run, |gradient, mean| (mean, gradient.gradient()));
    }
}

fn map_by_hand() {
    let x = elements::<f32>();
    session("closed").map(vec![0.0; ELEMENTS], |y| by_hand::map(&x, y), |y, ()| y.clone());
}

fn map_eager() {
    let x = Tensor::new([ELEMENTS], elements::<f32>());
    let run = |tape: &mut Tape<f32>| {
        tape.clear();
        let x = tape.var(&x);
        (x.sigmoid() * x.tanh() + (-x * x).exp()).value()
    };
    session("eager").map(Tape::default(), run, |_, y| y.to_vec());
}

fn map_replay() {
    let x = Tensor::new([ELEMENTS], elements::<f32>());
    let stateless: Vec<Tensor<f32>> = Vec::new();
    let program = Program::record(&stateless, &(&x,), |_: &Tape<f32>, _, (x,)| {
        (vec![], vec![x.sigmoid() * x.tanh() + (-x * x).exp()])
    });
    let program = program.expect("element-wise operations have no branches");
    let run =
        |program: &mut Program<f32>| program.run(&(&x,)).expect("the input is the one that was recorded").slice(0)[0];
    let read = |program: &mut Program<f32>, _| {
        program.run(&(&x,)).expect("the input is the one that was recorded").slice(0).to_vec()
    };
    session("replay").map(program, run, read);
}
