//! The published crate `autograd`: its graph is built once for each problem, and evaluated for each step.

use autograd_crate::ndarray::{Array, Array1, Array2};
use autograd_crate::optimizers::SGD;
use autograd_crate::prelude::*;
use autograd_crate::tensor_ops::{
    exp, grad, matmul, mean_all, neg, relu, sigmoid, sparse_softmax_cross_entropy, square, tanh,
};
use autograd_crate::{EvalError, Float, NdArray, Tensor, VariableEnvironment};
use peer_common::{Number, Problem, Session, elements, problems};

const EXPECT: &str = "the shapes fit";

fn main() {
    let session = Session::of_crate("autograd crate", "autograd");
    train::<f32>(&session);
    train::<f64>(&session);
    map(&session);
}

fn train<T: Number + Float>(session: &Session) {
    for problem in problems::<T>() {
        train_on(session, &problem);
    }
    let numbers = Array::from(elements::<T>());
    autograd_crate::run(|graph: &mut autograd_crate::Context<T>| {
        let x = graph.placeholder("x", &[-1]);
        let mean = mean_all(formula(x));
        let dx = grad(&[mean], &[x])[0];
        let run = |(): &mut ()| {
            let mut results = graph.evaluator().push(mean).push(dx).feed(x, numbers.view()).run();
            let dx = results.swap_remove(1).expect(EXPECT);
            (scalar(&results[0]), dx)
        };
        session.gradient((), run, |(), (mean, dx)| (mean, dx.iter().copied().collect()));
    });
}

fn scalar<T: Number + Float>(result: &Result<NdArray<T>, EvalError>) -> f64 {
    result.as_ref().expect(EXPECT).iter().next().map_or(f64::NAN, |&number| number.into())
}

fn formula<T: Float>(x: Tensor<'_, T>) -> Tensor<'_, T> {
    sigmoid(x) * tanh(x) + exp(neg(square(x)))
}

fn train_on<T: Number + Float>(session: &Session, problem: &Problem<T>) {
    let matrix = |numbers: &[T], shape: [usize; 2]| Array2::from_shape_vec(shape, numbers.to_vec()).expect(EXPECT);
    let mut env = VariableEnvironment::new();
    let mut ids = Vec::new();
    for ([inputs, outputs], (w, b)) in problem.shapes().zip(&problem.layers) {
        ids.push((env.set(matrix(w, [inputs, outputs])), env.set(matrix(b, [1, outputs]))));
    }
    let x = matrix(&problem.x, [problem.batch, problem.sizes[0]]);
    let number = |&label: &usize| T::from(label).expect("a class is a small number");
    let labels: Array1<T> = problem.labels.iter().map(number).collect();
    let sgd = SGD::new(T::from(problem.rate).expect("the rate is a number"));

    env.run(|graph| {
        let (features, classes) = (problem.sizes[0] as isize, graph.placeholder("labels", &[-1]));
        let examples = graph.placeholder("x", &[-1, features]);
        let (mut o, mut params) = (examples, Vec::new());
        for (l, &(w, b)) in ids.iter().enumerate() {
            let (w, b) = (graph.variable(w), graph.variable(b));
            let z = matmul(o, w) + b;
            o = if l + 1 < ids.len() { relu(z) } else { z };
            params.extend([w, b]);
        }
        // The updates work in place, last one first: in the order of the layers, a layer's weight would have moved before
        // the gradient of the layer below it is computed from it, and the losses would be wrong from the second step on.
        params.reverse();
        let loss = mean_all(sparse_softmax_cross_entropy(o, classes));
        let update = sgd.get_update_op(&params, &grad(&[loss], &params), graph);
        session.train(problem, || {
            let mut evaluator = graph.evaluator();
            evaluator.push(loss).push(update).feed(examples, x.view()).feed(classes, labels.view());
            let results = evaluator.run();
            scalar(&results[0])
        });
    });
}

fn map(session: &Session) {
    let numbers = Array::from(elements::<f32>());
    autograd_crate::run(|graph: &mut autograd_crate::Context<f32>| {
        let x = graph.placeholder("x", &[-1]);
        let y = formula(x);
        let run = |(): &mut ()| {
            let mut results = graph.evaluator().push(y).feed(x, numbers.view()).run();
            results.swap_remove(0).expect(EXPECT)
        };
        session.map((), run, |(), y| y.iter().copied().collect());
    });
}
